"""Everything the WebSocket codec raises.

ProtocolError
├── LocalProtocolError        our side asked for something the protocol forbids
├── RemoteProtocolError       the peer broke the protocol; carries the close code to fail with
└── HandshakeError            the opening request is no valid WebSocket handshake; carries the HTTP answer
"""

from __future__ import annotations


class ProtocolError(Exception):
    """The base of all errors of the WebSocket codec."""


class LocalProtocolError(ProtocolError):
    """Our side tried to send what the protocol forbids; nothing was written."""


class RemoteProtocolError(ProtocolError):
    """The peer broke the protocol: the connection must be failed.

    Attributes:
        code: the close code that tells the peer why (1002, 1007 or 1009).
    """

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class HandshakeError(ProtocolError):
    """The request asks for a WebSocket in a way that cannot be granted.

    Attributes:
        status: HTTP status of the answer.
        headers: field lines which that answer must carry.
    """

    def __init__(
        self, message: str, status: int = 400, headers: tuple[tuple[bytes, bytes], ...] = ()
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers
