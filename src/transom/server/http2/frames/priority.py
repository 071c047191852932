"""PRIORITY, and the same fields in HEADERS: a priority scheme that is deprecated. It is checked and has no effect.

Source: RFC 9113 section 6.3; RFC 7540 section 5.3.
"""

from __future__ import annotations

from struct import Struct
from typing import Final, NamedTuple

from transom.server.http2.errors import ErrorCode, SessionError, StreamError
from transom.server.http2.frames.header import MAX_STREAM_ID

_DEPENDENCY: Final = Struct(">LB")


class Dependency(NamedTuple):
    """On which stream one depends, whether it alone does, and its weight (1 to 256)."""

    stream_id: int
    is_exclusive: bool
    weight: int


def parse_dependency(payload: bytes) -> Dependency:
    """Return what the first five bytes say."""
    word, weight = _DEPENDENCY.unpack_from(payload)
    return Dependency(word & MAX_STREAM_ID, word > MAX_STREAM_ID, weight + 1)


def parse(flags: int, stream_id: int, payload: bytes) -> Dependency:
    """Return the dependency.

    Raises:
        StreamError: a wrong length, or a stream that depends on itself. On an idle stream, which cannot be reset, the connection
            must end.
        SessionError: no stream.
    """
    if not stream_id:
        raise SessionError(ErrorCode.PROTOCOL_ERROR, "PRIORITY without a stream (RFC 9113 section 6.3)")
    if len(payload) != 5:
        raise StreamError(
            ErrorCode.FRAME_SIZE_ERROR,
            stream_id,
            f"PRIORITY of {len(payload)} bytes, not 5 (RFC 9113 section 6.3)",
        )
    dependency = parse_dependency(payload)
    if dependency.stream_id == stream_id:
        raise StreamError(
            ErrorCode.PROTOCOL_ERROR,
            stream_id,
            f"stream {stream_id} depends on itself (RFC 7540 section 5.3.1)",
        )
    return dependency
