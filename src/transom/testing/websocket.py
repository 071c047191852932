"""A WebSocket to an application under test."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from transom.testing.exceptions import WebSocketClosed
from transom.testing.running import RunningApplication, wait_for
from transom.testing.websocket_conversation import NORMAL_CLOSURE, WebSocketConversation

if TYPE_CHECKING:
    import contextvars
    from collections.abc import AsyncIterator, Callable
    from types import TracebackType

    from transom.asgi.types import ASGIApplication, Headers, ReceiveMessage, WebSocketScope


class WebSocketSession:
    """The client's end of one WebSocket; made by `Client.websocket`, open inside `async with`.

    Leaving the block closes the socket with code 1000 and waits for the application to return. Every wait ends with a
    `TimeoutError` after `timeout` seconds. What the application raises is raised where the test next looks: by a
    `receive_…`, or at the end of the block.
    """

    def __init__(
        self,
        app: ASGIApplication,
        scope: WebSocketScope,
        *,
        context: contextvars.Context,
        raise_exceptions: bool,
        timeout: float | None,
        on_accept: Callable[[Headers], None],
    ) -> None:
        self._call = app, scope, context
        self._raise_exceptions = raise_exceptions
        self._timeout = timeout
        self._on_accept = on_accept
        self._label = f"WebSocket {scope['path']}"
        self._conversation = WebSocketConversation(self._label)
        self._running: RunningApplication | None = None

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol the application chose, None if it chose none."""
        return self._conversation.subprotocol

    @property
    def accept_headers(self) -> Headers:
        """The fields the application added to its answer."""
        return self._conversation.accept_headers

    @property
    def close_code(self) -> int | None:
        """The application's close code, None while it has not closed; 1011 if it failed."""
        return self._conversation.close_code

    @property
    def close_reason(self) -> str:
        """The text that came with the close code."""
        return self._conversation.close_reason

    async def __aenter__(self) -> WebSocketSession:
        """Ask for the WebSocket and wait for the application's answer.

        Raises:
            WebSocketRejected: the application refused, or failed.
        """
        app, scope, context = self._call
        conversation = self._conversation
        self._running = RunningApplication(
            app, scope, conversation.receive, conversation.send, context=context, on_done=conversation.end
        )
        try:
            answer = f"the application to accept the {self._label}"
            await wait_for(conversation.answered.wait(), self._timeout, answer)
        except BaseException:
            await self._running.cancel()
            raise
        if not conversation.accepted:
            await self._join("the application refused the handshake")
            raise conversation.build_rejection()
        self._on_accept(conversation.accept_headers)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self, code: int = NORMAL_CLOSURE, reason: str = "") -> None:
        """Close the socket, unless it is closed, and wait for the application to return."""
        self._conversation.disconnect(code, reason)
        self._conversation.to_client.break_off()
        await self._join(f"the client closed the socket with code {code}")

    async def send_text(self, text: str) -> None:
        """Send a text message."""
        self._deliver({"type": "websocket.receive", "text": text, "bytes": None})

    async def send_bytes(self, data: bytes) -> None:
        """Send a binary message."""
        self._deliver({"type": "websocket.receive", "text": None, "bytes": data})

    async def send_json(self, value: object) -> None:
        """Send a value as JSON in a text message."""
        await self.send_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")))

    def _deliver(self, message: ReceiveMessage) -> None:
        if self._conversation.is_over:
            raise self._closed()
        self._conversation.deliver(message)

    async def receive(self) -> str | bytes:
        """Return the next message: text or bytes.

        Raises:
            WebSocketClosed: the application has closed the socket.
            TimeoutError: no message came in time.
        """
        message = await wait_for(
            self._conversation.to_client.read(), self._timeout, f"a message on the {self._label}"
        )
        if message is None:
            await self._join("the application closed the socket")
            raise self._closed()
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

    def _closed(self) -> WebSocketClosed:
        code = self._conversation.close_code
        return WebSocketClosed(NORMAL_CLOSURE if code is None else code, self._conversation.close_reason)

    async def _join(self, what: str) -> None:
        """Wait for the application to return, and raise what it raised."""
        if self._running is None:
            return
        await self._running.wait(self._timeout, f"{self._label}: {what}")
        error = self._running.take_error()
        if error is not None and self._raise_exceptions:
            raise error
