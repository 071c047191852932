"""PRIORITY_UPDATE: another priority for a stream, which may not have begun yet.

Source: RFC 9218 section 7.1.
"""

from __future__ import annotations

from transom.server.http2.errors import ErrorCode, SessionError
from transom.server.http2.frames.header import MAX_STREAM_ID


def parse(flags: int, stream_id: int, payload: bytes) -> tuple[int, bytes]:
    """Return the stream that is meant, and the value as in a `priority` field.

    Raises:
        SessionError: sent on a stream, too short, or for no stream or one that only a push could open.
    """
    if stream_id:
        raise SessionError(
            ErrorCode.PROTOCOL_ERROR, f"PRIORITY_UPDATE on stream {stream_id} (RFC 9218 section 7.1)"
        )
    if len(payload) < 4:
        raise SessionError(
            ErrorCode.FRAME_SIZE_ERROR,
            f"PRIORITY_UPDATE of {len(payload)} bytes, not 4 or more (RFC 9113 section 4.2)",
        )
    target = int.from_bytes(payload[:4], "big") & MAX_STREAM_ID
    if not target & 1:
        # Even ones are pushed streams, all idle for ever here.
        raise SessionError(
            ErrorCode.PROTOCOL_ERROR, f"PRIORITY_UPDATE for stream {target} (RFC 9218 section 7.1)"
        )
    return target, payload[4:]
