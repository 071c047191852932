"""WebSocket views: the conversation as an object, and how a view's end becomes a close code.

A view gets a socket that is still *connecting*: it accepts it, or closes it, which refuses the handshake with 403. What the
client sends after that is read by one reader at a time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from enum import Enum
from typing import TYPE_CHECKING, Any, NoReturn, cast

import msgspec

from transom.web.connection import Connection
from transom.web.errors import BadRequest, HTTPException, reason_phrase
from transom.web.failures import is_raised
from transom.web.headers import MutableHeaders
from transom.web.origins import is_same_origin, is_trusted_origin
from transom.web.urls import Kind

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable

    from transom.asgi.types import Receive, Send, WebSocketScope
    from transom.web.headers import HeadersInit
    from transom.web.urls import Route

__all__ = ["WebSocket", "WebSocketDisconnect", "serve_view"]

# RFC 6455 7.4.1.
NORMAL_CLOSURE = 1000
UNSUPPORTED_DATA = 1003
POLICY_VIOLATION = 1008
INTERNAL_ERROR = 1011
# 1004 is reserved; 1005, 1006 and 1015 only ever stand for a code that nobody sent.
CLOSE_CODES = frozenset((*range(1000, 1004), *range(1007, 1015)))
MAX_REASON_SIZE = 123

logger = logging.getLogger("transom.request")


class WebSocketDisconnect(Exception):
    """The client is gone. Let it pass: a view that ends by it ends well.

    Attributes:
        code: the close code; 1005 for none given, 1006 for a lost connection.
        reason: what the client gave as its reason.
    """

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class SocketState(Enum):
    """Where the conversation is."""

    CONNECTING = "connecting"
    OPEN = "open"
    CLOSED = "closed"


class WebSocket(Connection):
    """One WebSocket; headers, cookies, query, client and the rest are those of `Connection`.

    Args:
        scope: the ASGI scope.
        receive: the ASGI callable messages come from.
        send: the ASGI callable messages go to.
        app: the application that serves it.

    Attributes:
        connection_state: connecting, open or closed.
    """

    scope: WebSocketScope

    # Any: see Connection.app
    def __init__(self, scope: WebSocketScope, receive: Receive, send: Send, *, app: Any = None) -> None:
        super().__init__(scope, app=app)
        self.connection_state = SocketState.CONNECTING
        self._receive = receive
        self._send = send
        self._disconnect = WebSocketDisconnect(1005)

    @property
    def subprotocols(self) -> list[str]:
        """The subprotocols the client offers, the one it likes best first."""
        return self.scope["subprotocols"]

    async def accept(self, subprotocol: str | None = None, headers: HeadersInit = ()) -> None:
        """Complete the handshake.

        Args:
            subprotocol: one of `subprotocols`, or None.
            headers: fields of the response.

        Raises:
            ValueError: the client did not offer this subprotocol; RFC 6455 4.2.2 forbids to choose another.
            WebSocketDisconnect: the client left before.
        """
        if subprotocol is not None and subprotocol not in self.subprotocols:
            offered = ", ".join(map(repr, self.subprotocols)) or "none"
            raise ValueError(f"subprotocol {subprotocol!r} was not offered; choose from {offered}")
        await self._expect_connect()
        raw = MutableHeaders(headers).raw
        await self._send_message({"type": "websocket.accept", "subprotocol": subprotocol, "headers": raw})
        self.connection_state = SocketState.OPEN

    async def receive(self) -> str | bytes:
        """Return the next message: text as `str`, binary as `bytes`.

        Raises:
            WebSocketDisconnect: the client is gone.
            RuntimeError: the socket was not accepted.

        Cancellation: no message is lost.
        """
        self._expect_open("receive")
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            self._end(message)
        text: str | None = message.get("text")
        return message["bytes"] if text is None else text

    async def receive_text(self) -> str:
        """Return the next message, which has to be text; another kind closes with 1003. Errors as in `receive`."""
        message = await self.receive()
        return message if isinstance(message, str) else await self._refuse("binary message, expected text")

    async def receive_bytes(self) -> bytes:
        """Return the next message, which has to be binary; another kind closes with 1003. Errors as in `receive`."""
        message = await self.receive()
        return message if isinstance(message, bytes) else await self._refuse("text message, expected binary")

    async def receive_json(self) -> Any:  # Any: whatever JSON the client sent
        """Return the next message parsed as JSON; what is none closes with 1003. Errors as in `receive`."""
        message = await self.receive()
        try:
            return msgspec.json.decode(message)
        except (
            ValueError,
            RecursionError,
        ):  # msgspec's own error is a ValueError, and so is that of broken UTF-8
            return await self._refuse("message is not JSON")

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        """Iterate over the messages until the client leaves."""
        while True:
            try:
                message = await self.receive()
            except WebSocketDisconnect:
                return
            yield message

    async def send_text(self, text: str) -> None:
        """Send a text message; return once there is room for the next.

        Raises:
            WebSocketDisconnect: the client is gone.
            RuntimeError: the socket was not accepted.
        """
        self._expect_open("send")
        await self._send_message({"type": "websocket.send", "text": text})

    async def send_bytes(self, data: bytes) -> None:
        """Send a binary message; as `send_text`."""
        self._expect_open("send")
        await self._send_message({"type": "websocket.send", "bytes": data})

    async def send_json(self, data: object) -> None:
        """Send a value as JSON, in a text message; as `send_text`.

        Raises:
            TypeError: a value inside has no form in JSON.
        """
        await self.send_text(msgspec.json.encode(data).decode())

    async def send_each(self, items: AsyncIterable[object]) -> None:
        """Send each item as JSON, until they end or the client leaves; either way it just returns.

        What the client sends meanwhile is read and dropped, so that its leaving is seen at once. The items are iterated
        in the calling task; when the client leaves, the wait for the next one is cancelled.

        Raises:
            RuntimeError: the socket was not accepted.

        Cancellation: the iteration is cancelled, and no task is left behind. What the iteration raises is raised.
        """
        self._expect_open("send")
        failure: Exception | None = None
        try:
            async with asyncio.TaskGroup() as group:
                watcher = group.create_task(self._watch())
                try:
                    async for item in items:
                        await self.send_json(item)
                except Exception as exc:  # raised below, as it is and not as a group
                    failure = exc
                watcher.cancel()
        except* WebSocketDisconnect:
            pass
        finally:
            if isinstance(items, AsyncGenerator):
                await items.aclose()  # it may be waiting at its yield, where no cancellation reached it
        if failure is not None and not isinstance(failure, WebSocketDisconnect):
            raise failure

    async def close(self, code: int = NORMAL_CLOSURE, reason: str = "") -> None:
        """Close the connection; before `accept`, refuse it with 403. A closed socket stays as it is.

        Args:
            code: 1000 to 1003, 1007 to 1014, or 3000 to 4999 for codes of your own.
            reason: at most 123 bytes of UTF-8.

        Raises:
            ValueError: no close frame can carry the code or the reason.
        """
        _check_close(code, reason)
        if self.connection_state is SocketState.CLOSED:
            return
        try:
            if self.connection_state is SocketState.CONNECTING:
                await self._expect_connect()
            await self._send_message({"type": "websocket.close", "code": code, "reason": reason})
        except WebSocketDisconnect:
            return
        self.connection_state = SocketState.CLOSED
        self._disconnect = WebSocketDisconnect(code, reason)

    async def _watch(self) -> NoReturn:
        while True:
            await self.receive()

    async def _refuse(self, reason: str) -> NoReturn:
        await self.close(UNSUPPORTED_DATA, reason)
        raise self._disconnect

    async def _expect_connect(self) -> None:
        if self.connection_state is not SocketState.CONNECTING:
            raise RuntimeError(f"the socket is {self.connection_state.value}; accept it once")
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            self._end(message)

    def _expect_open(self, action: str) -> None:
        if self.connection_state is SocketState.CONNECTING:
            raise RuntimeError(f"cannot {action}: the socket is not open; call `await socket.accept()` first")
        if self.connection_state is SocketState.CLOSED:
            raise self._disconnect

    async def _send_message(self, message: dict[str, object]) -> None:
        try:
            await self._send(message)
        except OSError as exc:  # ASGI 2.4: the server's way to say that the client is gone
            self.connection_state = SocketState.CLOSED
            self._disconnect = WebSocketDisconnect(1006)
            raise self._disconnect from exc

    def _end(self, message: Any) -> NoReturn:  # Any: an ASGI message
        self.connection_state = SocketState.CLOSED
        self._disconnect = WebSocketDisconnect(message.get("code", 1005), message.get("reason") or "")
        raise self._disconnect


async def serve_view(socket: WebSocket, view: Callable[..., Awaitable[None]], kwargs: dict[str, Any]) -> None:
    """Run a view and close the socket as it ends.

    It returned: 1000. It raised an HTTPException, as `get_object_or_404` does: 1008. It raised something else: 1011, and the
    exception is logged, or raised to a test that asks for it. Before `accept` each of these refuses the handshake.

    Cancellation: the socket is left to the server, which is shutting down or has lost the client.
    """
    try:
        await view(socket, **kwargs)
    except HTTPException as exc:
        await socket.close(POLICY_VIOLATION, reason_phrase(exc.status))
    except Exception as exc:
        if _is_disconnect(exc):
            return
        await socket.close(INTERNAL_ERROR)
        if is_raised(socket):
            raise
        logger.error("WebSocket %r failed", socket.path, exc_info=exc)
    else:
        await socket.close()


def _check_close(code: int, reason: str) -> None:
    """Refuse what a close frame cannot carry, whichever server it is that would send it (RFC 6455 5.5 and 7.4)."""
    if not (code in CLOSE_CODES or 3000 <= code <= 4999):
        raise ValueError(f"close code {code!r} may not be sent; choose from 1000-1003, 1007-1014, 3000-4999")
    if (size := len(reason.encode())) > MAX_REASON_SIZE:
        raise ValueError(
            f"close reason of {size} bytes does not fit into a frame; keep it to {MAX_REASON_SIZE}"
        )


def _is_disconnect(exc: Exception) -> bool:
    """Tell whether the client's leaving is all there is to an exception, or to a group of a TaskGroup."""
    if isinstance(exc, ExceptionGroup):
        group = cast("ExceptionGroup[Exception]", exc)
        return all(_is_disconnect(inner) for inner in group.exceptions)
    return isinstance(exc, WebSocketDisconnect)


def find_refusal(socket: WebSocket, route: Route) -> str:
    """Return why a handshake is refused before any view sees it; empty when it is not.

    Browsers let a page of any site open a WebSocket anywhere and send cookies along; only the server can look at the
    origin. A client without an origin is no browser. A mounted application looks for itself.
    """
    try:
        _ = socket.host
    except BadRequest as exc:
        return exc.detail
    origin = socket.headers.get("origin")
    if route.kind is Kind.MOUNT or not route.check_origin or origin is None or is_same_origin(socket, origin):
        return ""
    if is_trusted_origin(origin, socket.app.settings.csrf_trusted_origins):
        return ""
    return f"origin {origin!r} is not this site; add it to csrf_trusted_origins"
