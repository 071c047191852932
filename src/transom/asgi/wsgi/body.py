"""`wsgi.input`: the body of a request, read from the event loop as the application asks for it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import WriteableBuffer


class RequestBody(io.RawIOBase):
    """A stream over pieces that are pulled one by one; io.BufferedReader puts `read(size)` and `readline` over it.

    Args:
        pull: waits for the next piece and returns it; empty at the end of the body.
    """

    def __init__(self, pull: Callable[[], bytes]) -> None:
        self._pull = pull
        self._rest = memoryview(b"")  # of the last piece

    @classmethod
    def open(cls, pull: Callable[[], bytes]) -> io.BufferedReader:
        """Return the file object for an application."""
        return io.BufferedReader(cls(pull))

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer as far as the last piece reaches, after waiting for one if need be; 0 at the end."""
        view = memoryview(buffer).cast("B")
        if not self._rest:
            self._rest = memoryview(self._pull())
        size = min(len(view), len(self._rest))
        view[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size

    def readall(self) -> bytes:
        """Return what is left of the body."""
        pieces = [bytes(self._rest)]
        self._rest = memoryview(b"")
        while piece := self._pull():
            pieces.append(piece)
        return b"".join(pieces)
