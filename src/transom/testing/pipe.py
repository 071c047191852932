"""One direction of a connection between the application and a test, with backpressure as a socket has it."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

from transom.testing.exceptions import ClientGone

T = TypeVar("T")

HIGH_WATER = 65_536  # asyncio's own limit for a transport's write buffer


class Pipe(Generic[T]):
    """Items from one writer to one reader; the writer waits while too much is unread.

    Must stay true: `_readable` is set when there is an item or the end to read, `_writable` when a writer may go on.
    """

    def __init__(self) -> None:
        self._items: deque[tuple[T, int]] = deque()
        self._size = 0
        self._ended = False
        self._broken = False
        self._readable = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()

    async def write(self, item: T, size: int) -> None:
        """Append an item of `size` bytes; return once less than `HIGH_WATER` bytes are unread.

        Raises:
            ClientGone: the reader has left, before or while waiting.
        """
        if not self._broken and not self._ended:
            self._items.append((item, size))
            self._size += size
            self._readable.set()
            if self._size >= HIGH_WATER:
                self._writable.clear()
            await self._writable.wait()
        if self._broken:
            raise ClientGone("the client has left")

    async def read(self) -> T | None:
        """Remove and return the oldest item; None at the end. Cancelling loses no item."""
        await self._readable.wait()
        if not self._items:
            return None
        item, size = self._items.popleft()
        self._size -= size
        if self._size < HIGH_WATER:
            self._writable.set()
        if not self._items and not self._ended:
            self._readable.clear()
        return item

    def end(self) -> None:
        """Declare that nothing more will be written; the reader first gets what there is."""
        self._ended = True
        self._readable.set()

    def break_off(self) -> None:
        """Leave, as the reader: what is unread is gone, and writing fails."""
        self._broken = True
        self._items.clear()
        self._size = 0
        self._writable.set()
        self.end()
