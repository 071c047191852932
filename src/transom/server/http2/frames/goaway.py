"""GOAWAY: no new streams.

Source: RFC 9113 section 6.8.
"""

from __future__ import annotations

from struct import Struct
from typing import Final, NamedTuple

from transom.server.http2.errors import ErrorCode, SessionError
from transom.server.http2.frames import header
from transom.server.http2.frames.header import MAX_STREAM_ID, FrameType

_FIELDS: Final = Struct(">LL")
_GOAWAY = int(FrameType.GOAWAY)


class GoAway(NamedTuple):
    """The last stream that was or might be acted on, why, and what else the sender has to say."""

    last_stream_id: int
    code: int
    debug: bytes


def parse(flags: int, stream_id: int, payload: bytes) -> GoAway:
    """Return what the client says before it leaves.

    Raises:
        SessionError: a stream, or a payload that is too short.
    """
    if stream_id:
        raise SessionError(ErrorCode.PROTOCOL_ERROR, f"GOAWAY on stream {stream_id} (RFC 9113 section 6.8)")
    if len(payload) < 8:
        raise SessionError(
            ErrorCode.FRAME_SIZE_ERROR,
            f"GOAWAY of {len(payload)} bytes, not 8 or more (RFC 9113 section 4.2)",
        )
    last_stream_id, code = _FIELDS.unpack_from(payload)
    return GoAway(last_stream_id & MAX_STREAM_ID, code, payload[8:])


def build(last_stream_id: int, code: ErrorCode, debug: bytes = b"") -> bytes:
    """Return a frame; `last_stream_id` may be lower than in the one before, never higher."""
    return header.build(8 + len(debug), _GOAWAY, 0, 0) + _FIELDS.pack(last_stream_id, code) + debug
