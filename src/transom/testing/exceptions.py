"""What the test client reports beside the application's own exceptions and httpx's.

ClientError
    LifespanFailed
    WebSocketRejected
    WebSocketClosed
ClientGone (an OSError, raised inside the application)
"""

from __future__ import annotations

from typing import cast


class ClientError(Exception):
    """Base of what the client raises in a test."""


class LifespanFailed(ClientError):
    """The application refused to start up or to shut down; the message is its own."""


class WebSocketRejected(ClientError):
    """The application did not accept the WebSocket.

    Attributes:
        status: the HTTP status the handshake is answered with: 403, or 500 if the application failed.
    """

    def __init__(self, status: int, why: str) -> None:
        super().__init__(f"the WebSocket was rejected with status {status}: {why}")
        self.status = status


class WebSocketClosed(ClientError):
    """The WebSocket is closed, and a message was expected.

    Attributes:
        code: the close code; 1011 if the application failed.
        reason: the text that came with it.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"the WebSocket was closed with code {code}" + (f": {reason}" if reason else ""))
        self.code = code
        self.reason = reason


class ClientGone(ConnectionResetError):
    """The client has left; raised by the application's `send`.

    Source: ASGI HTTP and WebSocket spec 2.4: `send` after a disconnect raises a subclass of OSError.
    """


def is_client_gone(exc: BaseException) -> bool:
    """Tell whether an exception, or every exception of a group, only says that the client has left."""
    if isinstance(exc, BaseExceptionGroup):
        return all(map(is_client_gone, cast("BaseExceptionGroup[BaseException]", exc).exceptions))
    return isinstance(exc, ClientGone)
