"""Errors of the HTTP/1.1 wire.

Exception
├── RemoteProtocolError   the client broke a rule: answer with `status` and close
└── LocalProtocolError    the application asked for a response that cannot be framed: nothing was written
"""

from __future__ import annotations

from typing import Final

MAX_DETAIL: Final = (
    200  # characters; what is quoted of a request may be as long as a head, and goes into the log and back
)


class RemoteProtocolError(Exception):
    """The client broke a rule of HTTP; where the next request would begin is not known any more.

    Attributes:
        status: the status to refuse with: 400, 408, 413, 414, 417, 431 or 501.
    """

    def __init__(self, detail: str, status: int = 400) -> None:
        super().__init__(detail if len(detail) <= MAX_DETAIL else f"{detail[:MAX_DETAIL]}...")
        self.status = status


class LocalProtocolError(ValueError):
    """The application's response cannot be put on the wire as it stands; nothing of it has left."""
