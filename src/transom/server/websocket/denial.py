"""The HTTP response with which an application refuses a handshake in its own words.

Source: ASGI extension "websocket.http.response".
"""

from __future__ import annotations

from typing import Final

from transom.server.websocket.exceptions import LocalProtocolError
from transom.server.websocket.handshake import Fields, build_response_head

# RFC 9110 7.6.1: these are the connection's, not the application's.
_HOP_BY_HOP: Final = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"}
)


class DenialResponse:
    """A response whose head is held until its first body; it ends with the connection.

    Args:
        status: final HTTP status.
        headers: field lines; those of the connection itself are left out.

    Raises:
        LocalProtocolError: the status is no final one, or a field is malformed. Nothing was written.
    """

    __slots__ = ("_fields", "_status", "has_begun")

    def __init__(self, status: int, headers: Fields) -> None:
        # The value comes from an application, whatever its annotation says.
        if not isinstance(status, int) or not 200 <= status <= 599:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise LocalProtocolError(f"status {status!r} is no final HTTP status; choose from 200 to 599")
        self._status = status
        self._fields = [(name, value) for name, value in headers if name.lower() not in _HOP_BY_HOP]
        build_response_head(status, self._fields)  # what is wrong must be known while a 500 can still be sent
        self.has_begun = False

    def send_body(self, body: bytes, more_body: bool) -> bytes:
        """Return the bytes to write: the head with the first piece, then each piece."""
        if self.has_begun:
            return body
        self.has_begun = True
        fields = [*self._fields, (b"connection", b"close")]
        # A length is known only if there is nothing more; else the end of the connection is the end of the body.
        if not more_body and all(name.lower() != b"content-length" for name, _ in fields):
            fields.append((b"content-length", str(len(body)).encode()))
        return build_response_head(self._status, fields) + body
