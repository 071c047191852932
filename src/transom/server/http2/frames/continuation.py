"""CONTINUATION: more of a field block.

That it follows a HEADERS frame of the same stream without END_HEADERS is for the connection to see.

Source: RFC 9113 section 6.10.
"""

from __future__ import annotations

from transom.server.http2.errors import ErrorCode, SessionError
from transom.server.http2.frames import header
from transom.server.http2.frames.header import END_HEADERS, FrameType

_CONTINUATION = int(FrameType.CONTINUATION)


def parse(flags: int, stream_id: int, payload: bytes) -> bytes:
    """Return the fragment of the field block.

    Raises:
        SessionError: no stream.
    """
    if not stream_id:
        raise SessionError(ErrorCode.PROTOCOL_ERROR, "CONTINUATION without a stream (RFC 9113 section 6.10)")
    return payload


def build(stream_id: int, fragment: bytes, end_headers: bool) -> bytes:
    """Return a frame with the next fragment of a block."""
    return header.build(len(fragment), _CONTINUATION, END_HEADERS if end_headers else 0, stream_id) + fragment
