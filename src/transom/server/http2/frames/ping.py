"""PING: is the other side there?

Source: RFC 9113 section 6.7.
"""

from __future__ import annotations

from transom.server.http2.errors import ErrorCode, SessionError
from transom.server.http2.frames import header
from transom.server.http2.frames.header import ACK, FrameType

_PING = header.build(8, FrameType.PING, 0, 0)
_PONG = header.build(8, FrameType.PING, ACK, 0)


def parse(flags: int, stream_id: int, payload: bytes) -> bytes:
    """Return the eight bytes, which go back with ACK set unless it was set.

    Raises:
        SessionError: a stream, or a wrong length.
    """
    if stream_id:
        raise SessionError(ErrorCode.PROTOCOL_ERROR, f"PING on stream {stream_id} (RFC 9113 section 6.7)")
    if len(payload) != 8:
        raise SessionError(
            ErrorCode.FRAME_SIZE_ERROR, f"PING of {len(payload)} bytes, not 8 (RFC 9113 section 6.7)"
        )
    return payload


def build(payload: bytes, is_ack: bool) -> bytes:
    """Return a frame with these eight bytes."""
    return (_PONG if is_ack else _PING) + payload
