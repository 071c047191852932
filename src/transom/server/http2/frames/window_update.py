"""WINDOW_UPDATE: room for more DATA, on one stream or on all together.

Source: RFC 9113 section 6.9.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

from transom.server.http2.errors import ErrorCode, SessionError, StreamError
from transom.server.http2.frames.header import FrameType

_FRAME: Final = Struct(">LBLL")
_PREFIX: Final = 4 << 8 | FrameType.WINDOW_UPDATE


def parse(flags: int, stream_id: int, payload: bytes) -> int:
    """Return the increment, 1 to 2**31-1.

    Raises:
        SessionError: a wrong length, or an increment of 0 for the connection.
        StreamError: an increment of 0 for a stream.
    """
    check_size(payload)
    increment = int.from_bytes(payload, "big") & 0x7FFF_FFFF
    if increment:
        return increment
    message = "WINDOW_UPDATE with an increment of 0 (RFC 9113 section 6.9)"
    if stream_id:
        raise StreamError(ErrorCode.PROTOCOL_ERROR, stream_id, message)
    raise SessionError(ErrorCode.PROTOCOL_ERROR, message)


def check_size(payload: bytes) -> None:
    """Refuse a wrong length, which is wrong also for a stream that is gone.

    Raises:
        SessionError: it is.
    """
    if len(payload) != 4:
        raise SessionError(
            ErrorCode.FRAME_SIZE_ERROR,
            f"WINDOW_UPDATE of {len(payload)} bytes, not 4 (RFC 9113 section 6.9)",
        )


def build(stream_id: int, increment: int) -> bytes:
    """Return a frame; stream 0 is the connection."""
    return _FRAME.pack(_PREFIX, 0, stream_id, increment)
