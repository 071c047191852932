"""What a WebSocket's peer has sent and its application has not yet received."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from transom.asgi.types import WebSocketConnectEvent, WebSocketDisconnectEvent, WebSocketReceiveEvent

MAX_BYTES: Final = 256 * 1024  # as much as gunicorn keeps unread; one larger message is still taken


class WebSocketInbox:
    """ASGI messages in order: first connect, then what is put, at last a disconnect that repeats for ever.

    Args:
        max_messages: at this many (or at 256 KiB) the inbox counts as full; the caller then stops reading.
    """

    __slots__ = ("_arrived", "_disconnect", "_max_messages", "_messages", "_size")

    def __init__(self, max_messages: int) -> None:
        self._max_messages = max_messages
        self._messages: deque[tuple[WebSocketConnectEvent | WebSocketReceiveEvent, int]] = deque()
        self._messages.append(({"type": "websocket.connect"}, 0))
        self._size = 0
        self._disconnect: WebSocketDisconnectEvent | None = None
        self._arrived: asyncio.Event | None = None  # exists while someone waits

    @property
    def is_empty(self) -> bool:
        """Whether the application has received everything."""
        return not self._messages

    @property
    def is_full(self) -> bool:
        """Whether nothing more should be put until something was taken."""
        return len(self._messages) >= self._max_messages or self._size >= MAX_BYTES

    def put(self, message: WebSocketReceiveEvent, size: int) -> None:
        """Append a message of about that many bytes."""
        self._messages.append((message, size))
        self._size += size
        self._wake()

    def end(self, code: int, reason: str) -> None:
        """Let a disconnect follow what is there. Only the first call counts: who closes first says why."""
        if self._disconnect is None:
            self._disconnect = {"type": "websocket.disconnect", "code": int(code), "reason": reason}
            self._wake()

    def clear(self) -> None:
        """Forget what was not received."""
        self._messages.clear()
        self._size = 0

    async def get(self) -> WebSocketConnectEvent | WebSocketReceiveEvent | WebSocketDisconnectEvent:
        """Return the next message, waiting for it if need be.

        Cancellation: nothing is taken.
        """
        while not self._messages:
            if self._disconnect is not None:
                return self._disconnect.copy()
            self._arrived = self._arrived or asyncio.Event()
            await self._arrived.wait()
        message, size = self._messages.popleft()
        self._size -= size
        return message

    def _wake(self) -> None:
        if self._arrived is not None:
            self._arrived.set()
            self._arrived = None
