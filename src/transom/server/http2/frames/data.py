"""DATA: a piece of a body.

Source: RFC 9113 section 6.1.
"""

from __future__ import annotations

from transom.server.http2.errors import ErrorCode, SessionError
from transom.server.http2.frames import header
from transom.server.http2.frames.header import END_STREAM, PADDED, FrameType

_DATA = int(FrameType.DATA)


def parse(flags: int, stream_id: int, payload: bytes) -> tuple[bytes, int]:
    """Return the data, and how many bytes of the flow-control windows the frame takes: padding counts, too.

    Raises:
        SessionError: no stream, or padding that is longer than the payload.
    """
    if not stream_id:
        raise SessionError(ErrorCode.PROTOCOL_ERROR, "DATA without a stream (RFC 9113 section 6.1)")
    if flags & PADDED:
        return strip_padding(payload), len(payload)
    return payload, len(payload)


def strip_padding(payload: bytes) -> bytes:
    """Return a payload without the length of its padding and without the padding.

    Raises:
        SessionError: the length is missing or is not below that of the payload, or the padding is not zero.

    Source: RFC 9113 section 6.1; section 6.2 has the same for HEADERS.
    """
    size = len(payload)
    if not size:
        raise SessionError(
            ErrorCode.FRAME_SIZE_ERROR, "padded frame without a padding length (RFC 9113 section 4.2)"
        )
    padding = payload[0]
    if padding >= size:
        raise SessionError(
            ErrorCode.PROTOCOL_ERROR,
            f"{padding} bytes of padding in a payload of {size} (RFC 9113 section 6.1)",
        )
    if padding and payload.count(0, size - padding) != padding:
        raise SessionError(ErrorCode.PROTOCOL_ERROR, "padding that is not zero (RFC 9113 section 6.1)")
    return payload[1 : size - padding]


def build(stream_id: int, data: bytes | memoryview, end_stream: bool) -> bytes:
    """Return a frame without padding; the data must be within the client's frame size."""
    return header.build(len(data), _DATA, END_STREAM if end_stream else 0, stream_id) + data
