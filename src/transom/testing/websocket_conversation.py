"""The application's side of a WebSocket under test: what it may send when, and what it receives.

Source: ASGI WebSocket spec 2.5, with the WebSocket Denial Response extension, as our server has them.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from transom.testing.exceptions import ClientGone, WebSocketRejected
from transom.testing.pipe import Pipe

if TYPE_CHECKING:
    from transom.asgi.types import (
        Headers,
        ReceiveMessage,
        WebSocketAcceptEvent,
        WebSocketCloseEvent,
        WebSocketSendEvent,
    )
    from transom.testing.running import RunningApplication

NORMAL_CLOSURE = 1000  # RFC 6455 section 7.4.1
ABNORMAL_CLOSURE = 1006
INTERNAL_ERROR = 1011
DENIAL_RESPONSE = "websocket.http.response"


class WebSocketConversation:
    """Messages between an application and the client of one WebSocket.

    Attributes:
        answered: set when the application has accepted, refused or returned.
        accepted: whether it accepted.
        subprotocol: the one it chose.
        accept_headers: what it added to its answer.
        to_client: the messages it sent.
        close_code: its close code, None while it has not closed.
        close_reason: the text that came with the code.
    """

    def __init__(self, label: str) -> None:
        self.answered = asyncio.Event()
        self.accepted = False
        self.subprotocol: str | None = None
        self.accept_headers: Headers = []
        self.to_client: Pipe[str | bytes] = Pipe()
        self.close_code: int | None = None
        self.close_reason = ""
        self._label = label
        self._to_app: asyncio.Queue[ReceiveMessage] = asyncio.Queue()
        self._to_app.put_nowait({"type": "websocket.connect"})
        self._disconnect: ReceiveMessage | None = None
        self._denial: WebSocketRejected | None = None

    @property
    def is_over(self) -> bool:
        """Whether one of the two sides has closed."""
        return self._disconnect is not None

    def deliver(self, message: ReceiveMessage) -> None:
        """Queue a message from the client."""
        self._to_app.put_nowait(message)

    def disconnect(self, code: int, reason: str) -> None:
        """Queue the last message, unless it is queued already."""
        if self._disconnect is None:
            self._disconnect = {"type": "websocket.disconnect", "code": code, "reason": reason}
            self._to_app.put_nowait(self._disconnect)

    def build_rejection(self) -> WebSocketRejected:
        """Return what tells the test that the application did not accept."""
        if self._denial is not None:
            return self._denial
        if self.close_code is not None:
            return WebSocketRejected(
                403, f"the application closed before it accepted (code {self.close_code})"
            )
        return WebSocketRejected(500, "the application failed before it accepted")

    async def receive(self) -> ReceiveMessage:
        """Return the next message for the application; at the end the disconnect, however often it asks."""
        if self._disconnect is not None and self._to_app.empty():
            return self._disconnect
        return await self._to_app.get()

    async def send(self, message: Any) -> None:  # Any: an application may send anything; it is checked here
        """Take a message of the application."""
        kind: str = message["type"]
        if self.is_over:
            if kind != "websocket.close":
                raise ClientGone(f"the {self._label} is closed; {kind!r} was not sent")
        elif self.accepted:
            await self._send_open(kind, message)
        elif self._denial is not None:
            self._send_denial(kind, message, self._denial)
        else:
            self._send_connecting(kind, message)

    async def _send_open(self, kind: str, message: Any) -> None:  # Any: as in send
        if kind == "websocket.send":
            await self._forward(message)
        elif kind == "websocket.close":
            self._close(message)
        else:
            raise RuntimeError(f"unexpected message {kind!r}; expected websocket.send or websocket.close")

    def _send_connecting(self, kind: str, message: Any) -> None:  # Any: as in send
        if kind == "websocket.accept":
            self._accept(message)
        elif kind == "websocket.close":
            self._close(message)
            self.answered.set()
        elif kind == f"{DENIAL_RESPONSE}.start":
            self._denial = WebSocketRejected(message["status"], "the application answered with a response")
            self._denial.headers = [(bytes(n), bytes(v)) for n, v in message.get("headers", ())]
        else:
            raise RuntimeError(
                f"unexpected message {kind!r}; expected websocket.accept, websocket.close or {DENIAL_RESPONSE}.start"
            )

    def _send_denial(self, kind: str, message: Any, denial: WebSocketRejected) -> None:  # Any: as in send
        if kind != f"{DENIAL_RESPONSE}.body":
            raise RuntimeError(f"unexpected message {kind!r}; expected {DENIAL_RESPONSE}.body")
        denial.content += message.get("body", b"")
        if not message.get("more_body", False):
            self.disconnect(ABNORMAL_CLOSURE, "")
            self.answered.set()

    def _accept(self, message: WebSocketAcceptEvent) -> None:
        self.subprotocol = message.get("subprotocol")
        self.accept_headers = [(bytes(n), bytes(v)) for n, v in message.get("headers", ())]
        self.accepted = True
        self.answered.set()

    async def _forward(self, message: WebSocketSendEvent) -> None:
        text, data = message.get("text"), message.get("bytes")
        if text is not None and data is None:
            await self.to_client.write(text, len(text))
        elif data is not None and text is None:
            await self.to_client.write(bytes(data), len(data))
        else:
            raise RuntimeError("websocket.send takes either text or bytes")

    def _close(self, message: WebSocketCloseEvent) -> None:
        self.close_code = message.get("code", NORMAL_CLOSURE)
        self.close_reason = message.get("reason") or ""
        self.disconnect(self.close_code, self.close_reason)
        self.to_client.end()

    def end(self, running: RunningApplication) -> None:
        """Close for an application that has returned without a word; before the handshake that is a mistake."""
        if self.accepted and self.close_code is None:
            self.close_code = NORMAL_CLOSURE if running.error is None else INTERNAL_ERROR
        elif not self.is_over and running.error is None:
            running.error = RuntimeError(
                "the application returned without accepting or closing the WebSocket"
            )
        self.disconnect(self.close_code or ABNORMAL_CLOSURE, "")
        self.answered.set()
        self.to_client.end()
