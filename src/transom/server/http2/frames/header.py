"""The nine bytes before every payload.

 length (24)   of the payload
 type (8)      `FrameType`; a frame of any other type is skipped (RFC 9113 section 5.5)
 flags (8)     those below; which a type does not define are ignored
 R (1)         ignored
 stream (31)   0 for the connection as a whole

Source: RFC 9113 section 4.1.
"""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import Final

from transom.server.http2.errors import ErrorCode, SessionError

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""What a client sends before its first frame, which is SETTINGS (RFC 9113 section 3.4)."""

SIZE: Final = 9
MAX_STREAM_ID: Final = 0x7FFF_FFFF
DEFAULT_MAX_FRAME_SIZE: Final = 16_384
"""Bytes of a payload that every endpoint must take (RFC 9113 section 4.2); we ask for no more."""

END_STREAM: Final = 0x01  # DATA, HEADERS
ACK: Final = 0x01  # SETTINGS, PING
END_HEADERS: Final = 0x04  # HEADERS, CONTINUATION
PADDED: Final = 0x08  # DATA, HEADERS
PRIORITY: Final = 0x20  # HEADERS

# Length and type are read as one number: three values cost less than four.
_HEADER: Final = Struct(">LBL")
unpack: Final = _HEADER.unpack_from
pack: Final = _HEADER.pack


class FrameType(IntEnum):
    """RFC 9113 section 6; PRIORITY_UPDATE: RFC 9218 section 7.1."""

    DATA = 0x0
    HEADERS = 0x1
    PRIORITY = 0x2
    RST_STREAM = 0x3
    SETTINGS = 0x4
    PUSH_PROMISE = 0x5
    PING = 0x6
    GOAWAY = 0x7
    WINDOW_UPDATE = 0x8
    CONTINUATION = 0x9
    PRIORITY_UPDATE = 0x10


def parse(buffer: bytes, start: int = 0, max_size: int = DEFAULT_MAX_FRAME_SIZE) -> tuple[int, int, int, int]:
    """Return length, type, flags and stream of the frame that begins at `start`, of which nine bytes must be there.

    Raises:
        SessionError: the payload is over `max_size`. Nothing says that the rest of it is worth waiting for.
    """
    word, flags, stream_id = unpack(buffer, start)
    length = word >> 8
    if length > max_size:
        raise SessionError(
            ErrorCode.FRAME_SIZE_ERROR,
            f"frame of {length} bytes, over {max_size} (RFC 9113 section 4.2)",
        )
    return length, word & 0xFF, flags, stream_id & MAX_STREAM_ID


def build(length: int, frame_type: int, flags: int, stream_id: int) -> bytes:
    """Return the header of a frame whose payload has that length."""
    return pack(length << 8 | frame_type, flags, stream_id)
