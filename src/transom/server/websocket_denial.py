"""The HTTP response with which an application refuses a WebSocket in its own words.

Source: ASGI extension "websocket.http.response".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, cast

from transom.server.exceptions import MessageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transom.server.exchange import Exchange

_BODILESS = frozenset({204, 304})  # RFC 9110 sections 15.3.5 and 15.4.5


class DenialResponse:
    """A response whose head is held until the first piece of its body, and framed as every other.

    Args:
        exchange: what frames it.
        message: `websocket.http.response.start`.

    Raises:
        MessageError: the status is no final one, or a field is malformed. Nothing was written.
    """

    __slots__ = ("_exchange", "_head", "_left", "has_begun", "status")

    def __init__(self, exchange: Exchange, message: Mapping[str, Any]) -> None:  # Any: checked here
        status = message.get("status")
        if not isinstance(status, int) or not 200 <= status <= 599:
            raise MessageError(f"status {status!r} is not a final status; choose an int from 200 to 599")
        try:
            self._head = exchange.build_head(status, message.get("headers") or ())
        except ValueError as exc:
            raise MessageError(f"malformed 'websocket.http.response.start': {exc}") from exc
        self._exchange = exchange
        self._left: int | None = self._head.content_length  # bytes of it that the application still owes
        self.status = status
        self.has_begun = False

    def send_body(self, body: object, more_body: bool) -> None:
        """Write the next piece of the body, the first one with the head before it.

        Raises:
            MessageError: the piece is not bytes, or the body is not as long as its content-length says. If the head has left, the
                connection is aborted, so that the client can see that the response is not whole.
        """
        if not isinstance(body, (bytes, bytearray, memoryview)):
            raise MessageError(f"body must be bytes, not {type(body).__name__}")
        piece = bytes(cast("bytes", body))
        if self._left is not None and self.status not in _BODILESS:
            self._left -= len(piece)
            if self._left < 0 or (self._left and not more_body):
                self._break_promise(self._left)
        if self.has_begun:
            self._exchange.send_body(piece, more_body)
        else:
            self._send_head(piece, more_body)
        if not more_body:
            self._exchange.response_complete()

    def _send_head(self, piece: bytes, more_body: bool) -> None:
        self.has_begun = True
        if self.status in _BODILESS:
            self._exchange.send_head(self._head, None, b"", False, False, False)
            return
        length = self._head.content_length
        if length is None and not more_body:
            length = len(piece)
        self._exchange.send_head(self._head, length, piece, more_body, True, False)

    def _break_promise(self, left: int) -> NoReturn:
        if self.has_begun:
            self._exchange.abort()
        longer = f"{-left} bytes longer" if left < 0 else f"{left} bytes shorter"
        raise MessageError(f"body is {longer} than its content-length")
