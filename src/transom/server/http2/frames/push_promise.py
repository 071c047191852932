"""PUSH_PROMISE, which only servers send, and we do not.

Source: RFC 9113 sections 6.6 and 8.4.
"""

from __future__ import annotations

from typing import NoReturn

from transom.server.http2.errors import ErrorCode, SessionError


def parse(flags: int, stream_id: int, payload: bytes) -> NoReturn:
    """Refuse it: a client cannot push.

    Raises:
        SessionError: always.
    """
    raise SessionError(ErrorCode.PROTOCOL_ERROR, "PUSH_PROMISE from a client (RFC 9113 section 8.4)")
