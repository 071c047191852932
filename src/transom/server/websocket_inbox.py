"""What a WebSocket's peer has sent and its application has not yet received."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio

    from transom.asgi.types import WebSocketConnectEvent, WebSocketDisconnectEvent, WebSocketReceiveEvent

    Received = WebSocketConnectEvent | WebSocketReceiveEvent | WebSocketDisconnectEvent

MAX_BYTES: Final = 256 * 1024  # as much as gunicorn keeps unread; one larger message is still taken


class WebSocketInbox:
    """ASGI messages in order: first connect, then what is put, at last a disconnect that repeats for ever.

    Args:
        max_messages: at this many (or at 256 KiB) the inbox counts as full; the caller then stops reading.
        loop: makes the futures of those who wait.
    """

    __slots__ = ("_disconnect", "_loop", "_max_messages", "_messages", "_size", "_waiter")

    def __init__(self, max_messages: int, loop: asyncio.AbstractEventLoop) -> None:
        self._max_messages = max_messages
        self._loop = loop
        self._messages: deque[str | bytes | None] = deque((None,))  # None: the connect
        self._size = 0
        self._disconnect: WebSocketDisconnectEvent | None = None
        self._waiter: asyncio.Future[None] | None = None  # of whoever began to wait last

    @property
    def is_empty(self) -> bool:
        """Whether the application has received everything."""
        return not self._messages

    @property
    def is_full(self) -> bool:
        """Whether nothing more should be put until something was taken."""
        return len(self._messages) >= self._max_messages or self._size >= MAX_BYTES

    def put(self, message: str | bytes) -> bool:
        """Append a message, and tell whether the inbox is full now."""
        messages = self._messages
        messages.append(message)
        self._size = size = self._size + len(message)
        if self._waiter is not None:
            self._wake(self._waiter)
        return len(messages) >= self._max_messages or size >= MAX_BYTES

    def end(self, code: int, reason: str) -> None:
        """Let a disconnect follow what is there. Only the first call counts: who closes first says why."""
        if self._disconnect is None:
            self._disconnect = {"type": "websocket.disconnect", "code": int(code), "reason": reason}
            if self._waiter is not None:
                self._wake(self._waiter)

    def clear(self) -> None:
        """Forget what was not received."""
        self._messages.clear()
        self._size = 0

    def take(self) -> Received | None:
        """Return the next message, or None: there is none yet."""
        if not self._messages:
            return None if self._disconnect is None else self._disconnect.copy()
        message = self._messages.popleft()
        if message is None:
            return {"type": "websocket.connect"}
        self._size -= len(message)
        if isinstance(message, str):
            return {"type": "websocket.receive", "text": message, "bytes": None}
        return {"type": "websocket.receive", "text": None, "bytes": message}

    def new_waiter(self) -> asyncio.Future[None]:
        """Return a future that is done when there may be something to take; whoever gives up cancels it."""
        waiter = self._loop.create_future()
        earlier, self._waiter = self._waiter, waiter
        if earlier is not None and not earlier.done():
            # Two tasks receive at once: when the later one has been woken or has given up, the earlier one looks again.
            waiter.add_done_callback(lambda _: earlier.done() or earlier.set_result(None))
        return waiter

    def _wake(self, waiter: asyncio.Future[None]) -> None:
        self._waiter = None
        if not waiter.done():
            waiter.set_result(None)
