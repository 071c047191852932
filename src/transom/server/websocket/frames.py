"""The frame: header, mask and payload.

 byte 0      FIN RSV1 RSV2 RSV3 opcode(4)
 byte 1      MASK length(7); 126: the length is in the next 2 bytes, 127: in the next 8
 then        masking key (4) where MASK is set, payload

Source: RFC 6455 section 5.2.
"""

from __future__ import annotations

import sys
from typing import Final, NamedTuple

from transom.server.websocket.close import CloseCode
from transom.server.websocket.exceptions import RemoteProtocolError

CONTINUATION: Final = 0x0
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

MAX_CONTROL_SIZE: Final = 125

_FIN: Final = 0x80
_RSV: Final = 0x70
_MASK: Final = 0x80
_OPCODES: Final = frozenset({CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG})


class FrameHeader(NamedTuple):
    """The head of one frame.

    `size` counts the bytes of the header itself, `length` those of the payload; `mask` is empty on an unmasked frame.
    """

    opcode: int
    fin: bool
    mask: bytes
    length: int
    size: int

    @property
    def is_control(self) -> bool:
        """Whether this is a close, ping or pong frame."""
        return self.opcode >= CLOSE


def parse_frame_header(buffer: bytes | bytearray) -> FrameHeader | None:
    """Return the header at the start of the buffer, or None while it is incomplete.

    A header that is wrong in its first two bytes is refused before the rest of it arrives.

    Raises:
        RemoteProtocolError: reserved bits or opcode, a bad length, or a fragmented or oversized control frame.
    """
    if len(buffer) < 2:
        return None
    first, second = buffer[0], buffer[1]
    opcode, length = first & 0x0F, second & 0x7F
    _check_first_bytes(first, length)
    size = 2
    if length >= 126:
        size = 4 if length == 126 else 10
        if len(buffer) < size:
            return None
        length = _parse_long_length(buffer[2:size])
    if not second & _MASK:
        return FrameHeader(opcode, first >= _FIN, b"", length, size)
    if len(buffer) < size + 4:
        return None
    return FrameHeader(opcode, first >= _FIN, bytes(buffer[size : size + 4]), length, size + 4)


def _check_first_bytes(first: int, length: int) -> None:
    opcode = first & 0x0F
    # The seam for extensions: permessage-deflate will claim RSV1 here once negotiated (RFC 7692 section 6).
    if first & _RSV:
        raise RemoteProtocolError("reserved bits set without an extension", CloseCode.PROTOCOL_ERROR)
    if opcode not in _OPCODES:
        raise RemoteProtocolError(f"reserved opcode {opcode:#x}", CloseCode.PROTOCOL_ERROR)
    # RFC 6455 5.5: a control frame is never fragmented and holds at most 125 bytes.
    if opcode >= CLOSE and (first < _FIN or length > MAX_CONTROL_SIZE):
        raise RemoteProtocolError("control frame fragmented or over 125 bytes", CloseCode.PROTOCOL_ERROR)


def _parse_long_length(field: bytes | bytearray) -> int:
    length = int.from_bytes(field, "big")
    # RFC 6455 5.2: the minimal number of bytes must be used, and the top bit of eight must be 0.
    if length < (126 if len(field) == 2 else 0x10000) or length >> 63:
        raise RemoteProtocolError("payload length is not minimal or above 2**63", CloseCode.PROTOCOL_ERROR)
    return length


def build_frame(opcode: int, payload: bytes, *, fin: bool = True, mask: bytes = b"") -> bytes:
    """Return one frame in wire form; `mask` is the four-byte key a client must use."""
    first = opcode | _FIN if fin else opcode
    flag = _MASK if mask else 0
    length = len(payload)
    if length < 126:
        head = bytes((first, flag | length))
    elif length < 0x10000:
        head = bytes((first, flag | 126)) + length.to_bytes(2, "big")
    else:
        head = bytes((first, flag | 127)) + length.to_bytes(8, "big")
    return head + mask + apply_mask(payload, mask) if mask else head + payload


def apply_mask(data: bytes | bytearray, mask: bytes) -> bytes:
    """Mask or unmask the data with a four-byte key; the same call undoes it.

    Two big integers are XORed, which costs no Python code per byte.

    Source: RFC 6455 section 5.3.
    """
    size = len(data)
    key = (mask * (size // 4 + 1))[:size]
    order = sys.byteorder
    return (int.from_bytes(data, order) ^ int.from_bytes(key, order)).to_bytes(size, order)
