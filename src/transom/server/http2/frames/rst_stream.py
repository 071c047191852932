"""RST_STREAM: one side gives a stream up.

Source: RFC 9113 section 6.4.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

from transom.server.http2.errors import ErrorCode, SessionError
from transom.server.http2.frames.header import FrameType

_FRAME: Final = Struct(">LBLL")
_PREFIX: Final = 4 << 8 | FrameType.RST_STREAM


def parse(flags: int, stream_id: int, payload: bytes) -> int:
    """Return the error code, which may be one that we do not know.

    Raises:
        SessionError: no stream, or a wrong length.
    """
    if not stream_id:
        raise SessionError(ErrorCode.PROTOCOL_ERROR, "RST_STREAM without a stream (RFC 9113 section 6.4)")
    if len(payload) != 4:
        raise SessionError(
            ErrorCode.FRAME_SIZE_ERROR,
            f"RST_STREAM of {len(payload)} bytes, not 4 (RFC 9113 section 6.4)",
        )
    return int.from_bytes(payload, "big")


def build(stream_id: int, code: ErrorCode) -> bytes:
    """Return a frame that resets the stream; never in answer to one (RFC 9113 section 5.4.2)."""
    return _FRAME.pack(_PREFIX, 0, stream_id, code)
