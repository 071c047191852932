"""HEADERS: the head of a request or response, or its trailers.

Source: RFC 9113 section 6.2.
"""

from __future__ import annotations

from transom.server.http2.errors import ErrorCode, SessionError
from transom.server.http2.frames import continuation, header
from transom.server.http2.frames.data import strip_padding
from transom.server.http2.frames.header import END_HEADERS, END_STREAM, PADDED, PRIORITY, FrameType
from transom.server.http2.frames.priority import Dependency, parse_dependency

_HEADERS = int(FrameType.HEADERS)


def parse(flags: int, stream_id: int, payload: bytes) -> tuple[bytes, Dependency | None]:
    """Return the fragment of the field block, and the deprecated priority if there is one.

    Raises:
        SessionError: no stream, bad padding, or too short for what the flags promise. A stream that depends on itself is a stream
            error (RFC 7540 section 5.3.1), which has to wait until the block is decoded.
    """
    if not stream_id:
        raise SessionError(ErrorCode.PROTOCOL_ERROR, "HEADERS without a stream (RFC 9113 section 6.2)")
    if flags & PADDED:
        payload = strip_padding(payload)
    if not flags & PRIORITY:
        return payload, None
    if len(payload) < 5:
        raise SessionError(
            ErrorCode.FRAME_SIZE_ERROR, "HEADERS too short for its priority (RFC 9113 section 6.2)"
        )
    return payload[5:], parse_dependency(payload)


def build(
    stream_id: int, block: bytes, end_stream: bool, max_size: int = header.DEFAULT_MAX_FRAME_SIZE
) -> bytes:
    """Return the frame for a field block, with CONTINUATION frames behind it if the block is over `max_size`.

    Nothing may be sent between them (RFC 9113 section 4.3).
    """
    flags = END_STREAM if end_stream else 0
    size = len(block)
    if size <= max_size:
        return header.build(size, _HEADERS, flags | END_HEADERS, stream_id) + block
    parts = [header.build(max_size, _HEADERS, flags, stream_id), block[:max_size]]
    for start in range(max_size, size, max_size):
        fragment = block[start : start + max_size]
        parts.append(continuation.build(stream_id, fragment, end_headers=start + max_size >= size))
    return b"".join(parts)
