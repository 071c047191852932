"""Frames of HTTP/2 as they are on the wire: RFC 9113 section 4.1, and the codes of sections 6, 7 and 11.

Nothing here is checked or made right: the suite has to be able to say what no client would.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DEFAULT_WINDOW = 65_535
DEFAULT_MAX_FRAME_SIZE = 16_384
MAX_WINDOW = 2**31 - 1
MAX_STREAM = 2**31 - 1

# Flags. END_STREAM and ACK are the same bit: what it says depends on the type of the frame.
END_STREAM = ACK = 0x01
END_HEADERS = 0x04
PADDED = 0x08
PRIORITY = 0x20


class Type(IntEnum):
    """Types of frames: RFC 9113 section 6 and RFC 9218 section 7.1."""

    DATA = 0x00
    HEADERS = 0x01
    PRIORITY = 0x02
    RST_STREAM = 0x03
    SETTINGS = 0x04
    PUSH_PROMISE = 0x05
    PING = 0x06
    GOAWAY = 0x07
    WINDOW_UPDATE = 0x08
    CONTINUATION = 0x09
    PRIORITY_UPDATE = 0x10


class Code(IntEnum):
    """Error codes: RFC 9113 section 7."""

    NO_ERROR = 0x00
    PROTOCOL_ERROR = 0x01
    INTERNAL_ERROR = 0x02
    FLOW_CONTROL_ERROR = 0x03
    SETTINGS_TIMEOUT = 0x04
    STREAM_CLOSED = 0x05
    FRAME_SIZE_ERROR = 0x06
    REFUSED_STREAM = 0x07
    CANCEL = 0x08
    COMPRESSION_ERROR = 0x09
    CONNECT_ERROR = 0x0A
    ENHANCE_YOUR_CALM = 0x0B
    INADEQUATE_SECURITY = 0x0C
    HTTP_1_1_REQUIRED = 0x0D


class Setting(IntEnum):
    """Settings: RFC 9113 section 6.5.2, RFC 8441 section 3 and RFC 9218 section 2.1."""

    HEADER_TABLE_SIZE = 0x01
    ENABLE_PUSH = 0x02
    MAX_CONCURRENT_STREAMS = 0x03
    INITIAL_WINDOW_SIZE = 0x04
    MAX_FRAME_SIZE = 0x05
    MAX_HEADER_LIST_SIZE = 0x06
    ENABLE_CONNECT_PROTOCOL = 0x08
    NO_RFC7540_PRIORITIES = 0x09


FLAG_NAMES = {
    Type.DATA: {END_STREAM: "END_STREAM", PADDED: "PADDED"},
    Type.HEADERS: {
        END_STREAM: "END_STREAM",
        END_HEADERS: "END_HEADERS",
        PADDED: "PADDED",
        PRIORITY: "PRIORITY",
    },
    Type.SETTINGS: {ACK: "ACK"},
    Type.PUSH_PROMISE: {END_HEADERS: "END_HEADERS", PADDED: "PADDED"},
    Type.PING: {ACK: "ACK"},
    Type.CONTINUATION: {END_HEADERS: "END_HEADERS"},
}


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame; `reserved` is the bit before the stream identifier."""

    type: int
    flags: int = 0
    stream: int = 0
    payload: bytes = b""
    reserved: bool = False

    def has(self, flag: int) -> bool:
        return bool(self.flags & flag)

    def build(self) -> bytes:
        """Return the frame as bytes."""
        length = len(self.payload).to_bytes(3, "big")
        stream = self.stream | self.reserved << 31
        return length + struct.pack(">BBL", self.type, self.flags, stream) + self.payload

    def __str__(self) -> str:
        words = [name(Type, self.type)]
        if self.stream:
            words.append(f"stream {self.stream}")
        known = FLAG_NAMES.get(Type(self.type), {}) if self.type in set(Type) else {}
        if self.flags:
            bits = [1 << i for i in range(8) if self.flags & 1 << i]
            words.append("|".join(known.get(bit, f"{bit:#04x}") for bit in bits))
        return " ".join(words) + f": {self._describe_payload()}"

    def _describe_payload(self) -> str:
        payload = self.payload
        if self.type == Type.RST_STREAM and len(payload) == 4:
            return name(Code, parse_integer(payload))
        if self.type == Type.GOAWAY and len(payload) >= 8:
            last, code = struct.unpack(">LL", payload[:8])
            return f"{name(Code, code)}, last stream {last}" + (f", {payload[8:]!r}" if payload[8:] else "")
        if self.type == Type.WINDOW_UPDATE and len(payload) == 4:
            return f"+{parse_integer(payload)}"
        if self.type == Type.SETTINGS and len(payload) % 6 == 0:
            return str({name(Setting, key): value for key, value in parse_settings(payload)})
        return f"{len(payload)} bytes" if len(payload) > 16 else repr(payload)


def split_frames(data: bytes) -> Iterator[Frame]:
    """Return the frames that these bytes are; the last may be cut off, and is left out."""
    position = 0
    while len(data) - position >= 9:
        start = position + 9
        position = start + parse_integer(data[position : position + 3])
        if position <= len(data):
            stream = parse_integer(data[start - 4 : start])
            yield Frame(data[start - 6], data[start - 5], stream & MAX_STREAM, data[start:position])


def name(kind: type[IntEnum], value: int) -> str:
    """Return the name of a value, or the value where it has none."""
    return kind(value).name if value in set(kind) else f"{value:#x}"


def parse_integer(payload: bytes) -> int:
    return int.from_bytes(payload, "big")


def parse_settings(payload: bytes) -> list[tuple[int, int]]:
    """Return the settings in their order; a payload of another length than a multiple of 6 is an error."""
    return list(struct.iter_unpack(">HL", payload))


def build_settings(settings: Mapping[int, int] | Sequence[tuple[int, int]]) -> bytes:
    pairs = settings.items() if isinstance(settings, Mapping) else settings
    return b"".join(struct.pack(">HL", key, value) for key, value in pairs)


def build_priority(depends_on: int = 0, weight: int = 16, *, exclusive: bool = False) -> bytes:
    """Return the five bytes of a PRIORITY frame or of the PRIORITY flag; the weight is from 1 to 256."""
    return struct.pack(">LB", depends_on | exclusive << 31, weight - 1)


def build_padded(content: bytes, padding: int, *, declared: int | None = None, byte: bytes = b"\0") -> bytes:
    """Return a payload with the PADDED flag's length in front and the padding behind; `declared` is a length that lies."""
    length = padding if declared is None else declared
    return bytes([length]) + content + byte * padding
