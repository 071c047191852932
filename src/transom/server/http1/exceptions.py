"""Errors of the HTTP/1.1 wire.

Exception
├── RemoteProtocolError   the client broke a rule: answer with `status` and close
└── LocalProtocolError    the application asked for a response that cannot be framed: nothing was written
"""

from __future__ import annotations


class RemoteProtocolError(Exception):
    """The client broke a rule of HTTP; where the next request would begin is not known any more.

    Attributes:
        status: the status to refuse with: 400, 408, 413, 414, 417, 431 or 501.
    """

    def __init__(self, detail: str, status: int = 400) -> None:
        super().__init__(detail)
        self.status = status


class LocalProtocolError(ValueError):
    """The application's response cannot be put on the wire as it stands; nothing of it has left."""
