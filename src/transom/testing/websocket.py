"""A WebSocket to an application under test."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from transom.testing.exceptions import ClientGone, WebSocketClosed, WebSocketRejected
from transom.testing.pipe import Pipe
from transom.testing.running import RunningApplication, wait_for

if TYPE_CHECKING:
    import contextvars
    from collections.abc import AsyncIterator, Callable
    from types import TracebackType

    from transom.asgi.types import (
        ASGIApplication,
        ReceiveMessage,
        WebSocketAcceptEvent,
        WebSocketCloseEvent,
        WebSocketScope,
        WebSocketSendEvent,
    )

NORMAL_CLOSURE = 1000  # RFC 6455 section 7.4.1
INTERNAL_ERROR = 1011


class WebSocketSession:
    """The client's end of one WebSocket; made by `Client.websocket`, open inside `async with`.

    Leaving the block closes the socket with code 1000 and waits for the application to return. Every wait ends with a
    `TimeoutError` after `timeout` seconds. What the application raises is raised where the test next looks: by a
    `receive_…`, or at the end of the block.

    Attributes:
        subprotocol: the one the application chose, None if it chose none.
        accept_headers: what the application added to its answer.
        close_code: the application's close code, None while it has not closed.
        close_reason: the text that came with the code.
    """

    def __init__(
        self,
        app: ASGIApplication,
        scope: WebSocketScope,
        *,
        context: contextvars.Context,
        raise_exceptions: bool,
        timeout: float | None,
        on_accept: Callable[[list[tuple[bytes, bytes]]], None],
    ) -> None:
        self.subprotocol: str | None = None
        self.accept_headers: list[tuple[bytes, bytes]] = []
        self.close_code: int | None = None
        self.close_reason = ""
        self._call = app, scope, context
        self._raise_exceptions = raise_exceptions
        self._timeout = timeout
        self._on_accept = on_accept
        self._label = f"WebSocket {scope['path']}"
        self._accepted = False
        self._answered = asyncio.Event()  # accepted or refused, or the application has returned
        self._gone = False
        self._to_app: asyncio.Queue[ReceiveMessage] = asyncio.Queue()
        self._to_client: Pipe[str | bytes] = Pipe()
        self._disconnect: ReceiveMessage | None = None
        self._running: RunningApplication | None = None

    # The handshake and the end.

    async def __aenter__(self) -> WebSocketSession:
        """Ask for the WebSocket and wait for the application's answer.

        Raises:
            WebSocketRejected: the application closed before it accepted, or failed.
        """
        app, scope, context = self._call
        self._to_app.put_nowait({"type": "websocket.connect"})
        self._running = RunningApplication(
            app, scope, self._receive, self._send, context=context, on_done=self._application_returned
        )
        try:
            await wait_for(
                self._answered.wait(), self._timeout, f"the application to accept the {self._label}"
            )
        except BaseException:
            await self._running.cancel()
            raise
        if not self._accepted:
            await self._reject()
        return self

    async def _reject(self) -> None:
        await self._join("the application refused the handshake")
        if self.close_code is not None:
            raise WebSocketRejected(
                403, f"the application closed before it accepted (code {self.close_code})"
            )
        raise WebSocketRejected(500, "the application failed before it accepted")

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self, code: int = NORMAL_CLOSURE, reason: str = "") -> None:
        """Close the socket, unless it is, and wait for the application to return."""
        self._tell_disconnect(code, reason)
        self._gone = True
        self._to_client.break_off()
        await self._join(f"the client closed the socket with code {code}")

    # Messages.

    async def send_text(self, text: str) -> None:
        """Send a text message."""
        self._deliver({"type": "websocket.receive", "text": text, "bytes": None})

    async def send_bytes(self, data: bytes) -> None:
        """Send a binary message."""
        self._deliver({"type": "websocket.receive", "text": None, "bytes": data})

    async def send_json(self, value: object) -> None:
        """Send a value as JSON in a text message."""
        await self.send_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")))

    async def receive(self) -> str | bytes:
        """Return the next message: text or bytes.

        Raises:
            WebSocketClosed: the application has closed the socket.
            TimeoutError: no message came in time.
        """
        message = await wait_for(self._to_client.read(), self._timeout, f"a message on the {self._label}")
        if message is None:
            await self._closed()
            raise WebSocketClosed(self.close_code or NORMAL_CLOSURE, self.close_reason)
        return message

    async def receive_text(self) -> str:
        """Return the next message, which must be text; errors as in `receive`."""
        message = await self.receive()
        if not isinstance(message, str):
            raise TypeError(f"expected a text message, received {len(message)} bytes")
        return message

    async def receive_bytes(self) -> bytes:
        """Return the next message, which must be binary; errors as in `receive`."""
        message = await self.receive()
        if not isinstance(message, bytes):
            raise TypeError(f"expected a binary message, received the text {message!r}")
        return message

    async def receive_json(self) -> Any:  # Any: the test knows what it expects
        """Return the value of the next text message, read as JSON; errors as in `receive`."""
        return json.loads(await self.receive_text())

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        """Iterate over the messages until the application closes the socket."""
        while True:
            try:
                yield await self.receive()
            except WebSocketClosed:
                return

    def _deliver(self, message: ReceiveMessage) -> None:
        if self._disconnect is not None:
            raise WebSocketClosed(self.close_code or NORMAL_CLOSURE, self.close_reason)
        self._to_app.put_nowait(message)

    async def _closed(self) -> None:
        """Wait for the application, once nothing more can come from it."""
        await self._join("the application closed the socket")
        if self.close_code is None:
            self.close_code = INTERNAL_ERROR

    # What the application calls.

    async def _receive(self) -> ReceiveMessage:
        if self._disconnect is not None and self._to_app.empty():
            return self._disconnect  # asked again after the end: the same answer
        return await self._to_app.get()

    async def _send(self, message: Any) -> None:  # Any: an application may send anything; it is checked here
        if self._gone or self.close_code is not None:
            raise ClientGone(f"the {self._label} is closed")
        match message["type"]:
            case "websocket.accept" if not self._accepted:
                self._accept(message)
            case "websocket.send" if self._accepted:
                await self._forward(message)
            case "websocket.close":
                self._close(message)
            case other:
                expected = "websocket.send or .close" if self._accepted else "websocket.accept or .close"
                raise RuntimeError(f"unexpected message {other!r}; expected {expected}")

    def _accept(self, message: WebSocketAcceptEvent) -> None:
        self.subprotocol = message.get("subprotocol")
        self.accept_headers = list(message.get("headers", ()))
        self._on_accept(self.accept_headers)
        self._accepted = True
        self._answered.set()

    async def _forward(self, message: WebSocketSendEvent) -> None:
        text, data = message.get("text"), message.get("bytes")
        item = text if text is not None else data
        if item is None:
            raise RuntimeError("websocket.send carries neither text nor bytes")
        await self._to_client.write(item, len(item))

    def _close(self, message: WebSocketCloseEvent) -> None:
        self.close_code = message.get("code", NORMAL_CLOSURE)
        self.close_reason = message.get("reason") or ""
        self._tell_disconnect(self.close_code, self.close_reason)
        self._answered.set()
        self._to_client.end()

    def _tell_disconnect(self, code: int, reason: str) -> None:
        if self._disconnect is None:
            self._disconnect = {"type": "websocket.disconnect", "code": code, "reason": reason}
            self._to_app.put_nowait(self._disconnect)

    def _application_returned(self, running: RunningApplication) -> None:
        if running.error is None and self.close_code is None:
            self._note_return(running)
        self._answered.set()
        self._to_client.end()

    def _note_return(self, running: RunningApplication) -> None:
        """Close for an application that returned without a word; before the handshake that is a mistake."""
        if self._accepted:
            self.close_code = NORMAL_CLOSURE
        else:
            running.error = RuntimeError(
                "the application returned without accepting or closing the WebSocket"
            )

    async def _join(self, what: str) -> None:
        if self._running is None:
            return
        await self._running.wait(self._timeout, f"{self._label}: {what}")
        error = self._running.take_error()
        if error is not None and self._raise_exceptions:
            raise error
