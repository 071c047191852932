"""What tests see beside the application's own exceptions and httpx's.

TestingError
    LifespanFailed
    WebSocketRejected
        WebSocketClosed
        DatabaseBlocked
 (an OSError, raised inside the application)
"""

from __future__ import annotations

from typing import cast


class TestingError(Exception):
    """Base of what this package raises in a test."""

    __test__ = False  # pytest takes a class named Test… in a test module for a suite


class LifespanFailed(TestingError):
    """The application refused to start up or to shut down; the message is its own."""


class WebSocketRejected(TestingError):
    """The application did not accept the WebSocket.

    Attributes:
        status: the HTTP status of the answer: 403 for a close, 500 if the application failed, else the response's.
        headers: the fields of the response, empty where the application only closed.
        content: the body of the response.
    """

    def __init__(self, status: int, why: str) -> None:
        super().__init__(f"the WebSocket was rejected with status {status}: {why}")
        self.status = status
        self.headers: list[tuple[bytes, bytes]] = []
        self.content = b""


class WebSocketClosed(TestingError):
    """The WebSocket is closed, and a message was expected.

    Attributes:
        code: the close code; 1011 if the application failed.
        reason: the text that came with it.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"the WebSocket was closed with code {code}" + (f": {reason}" if reason else ""))
        self.code = code
        self.reason = reason


class DatabaseBlocked(TestingError):
    """A test without the `db` fixture asks the database something."""

    def __init__(self, alias: str) -> None:
        super().__init__(
            f"the database {alias!r} is asked in a test without the `db` fixture; add `db` to the parameters of the "
            'test, or mark it with @pytest.mark.usefixtures("db")'
        )
        self.alias = alias


class ClientGone(ConnectionResetError):
    """The client has left; raised by the application's `send`.

    Source: ASGI HTTP and WebSocket spec 2.4: `send` after a disconnect raises a subclass of OSError.
    """


def is_client_gone(exc: BaseException) -> bool:
    """Tell whether an exception, or every exception of a group, only says that the client has left."""
    if isinstance(exc, BaseExceptionGroup):
        return all(map(is_client_gone, cast("BaseExceptionGroup[BaseException]", exc).exceptions))
    return isinstance(exc, ClientGone)
