"""The frame: header, mask and payload.

 byte 0      FIN RSV1 RSV2 RSV3 opcode(4)      RSV1: the message is compressed (RFC 7692 section 6)
 byte 1      MASK length(7); 126: the length is in the next 2 bytes, 127: in the next 8
 then        masking key (4) where MASK is set, payload

Source: RFC 6455 section 5.2.
"""

from __future__ import annotations

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
FIN: Final = 0x80
FIN_TEXT: Final = FIN | TEXT
FIN_BINARY: Final = FIN | BINARY
MASKED: Final = 0x80
LENGTH_16: Final = 126  # in the place of a length: it stands in the next two bytes
LENGTH_64: Final = 127  # in the next eight
RSV1: Final = 0x40

_RSV: Final = 0x70
_OPCODES: Final = frozenset({CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG})
_XOR: Final = tuple(bytes(key ^ byte for byte in range(256)) for key in range(256))
_LARGE: Final = 4096  # bytes from which four tables are faster than one big number


class FrameHeader(NamedTuple):
    """The head of one frame.

    `size` counts the bytes of the header itself, `length` those of the payload; `mask` is empty on an unmasked frame.
    """

    opcode: int
    fin: bool
    compressed: bool
    mask: bytes
    length: int
    size: int

    @property
    def is_control(self) -> bool:
        """Whether this is a close, ping or pong frame."""
        return self.opcode >= CLOSE


def parse_frame_header(buffer: bytes, start: int = 0, *, may_compress: bool = False) -> FrameHeader | None:
    """Return the header that begins at `start`, or None while it is incomplete.

    A header that is wrong in its first two bytes is refused before the rest of it arrives.

    Args:
        buffer: what was received.
        start: where the frame begins in it.
        may_compress: permessage-deflate was agreed on, so the first frame of a message may have RSV1 set.

    Raises:
        RemoteProtocolError: reserved bits or opcode, a bad length, or a fragmented or oversized control frame.
    """
    available = len(buffer) - start
    if available < 2:
        return None
    first, second = buffer[start], buffer[start + 1]
    length = second & 0x7F
    _check_first_bytes(first, length, may_compress)
    size = 2
    if length >= LENGTH_16:
        size = 4 if length == LENGTH_16 else 10
        if available < size:
            return None
        length = _parse_long_length(buffer[start + 2 : start + size])
    mask = b""
    if second & MASKED:
        size += 4
        if available < size:
            return None
        mask = buffer[start + size - 4 : start + size]
    return FrameHeader(first & 0x0F, first >= FIN, bool(first & RSV1), mask, length, size)


def _check_first_bytes(first: int, length: int, may_compress: bool) -> None:
    opcode = first & 0x0F
    if first & _RSV and not (may_compress and first & _RSV == RSV1 and opcode in (TEXT, BINARY)):
        # RFC 7692 6.1: only the first frame of a message says that the whole of it is compressed.
        raise RemoteProtocolError(
            "reserved bits set where no extension gives them a meaning", CloseCode.PROTOCOL_ERROR
        )
    if opcode not in _OPCODES:
        raise RemoteProtocolError(f"reserved opcode {opcode:#x}", CloseCode.PROTOCOL_ERROR)
    # RFC 6455 5.5: a control frame is never fragmented and holds at most 125 bytes.
    if opcode >= CLOSE and (first < FIN or length > MAX_CONTROL_SIZE):
        raise RemoteProtocolError("control frame fragmented or over 125 bytes", CloseCode.PROTOCOL_ERROR)


def _parse_long_length(field: bytes) -> int:
    length = int.from_bytes(field, "big")
    # RFC 6455 5.2: the minimal number of bytes must be used, and the top bit of eight must be 0.
    if length < (LENGTH_16 if len(field) == 2 else 0x10000) or length >> 63:
        raise RemoteProtocolError("payload length is not minimal or above 2**63", CloseCode.PROTOCOL_ERROR)
    return length


def build_frame(
    opcode: int, payload: bytes, *, fin: bool = True, compressed: bool = False, mask: bytes = b""
) -> bytes:
    """Return one frame in wire form; `mask` is the four-byte key a client must use."""
    first = opcode | (FIN if fin else 0) | (RSV1 if compressed else 0)
    flag = MASKED if mask else 0
    length = len(payload)
    if length < LENGTH_16:
        head = bytes((first, flag | length))
    elif length < 0x10000:
        head = bytes((first, flag | LENGTH_16)) + length.to_bytes(2, "big")
    else:
        head = bytes((first, flag | LENGTH_64)) + length.to_bytes(8, "big")
    return head + mask + apply_mask(payload, mask) if mask else head + payload


def apply_mask_in_python(data: bytes, mask: bytes) -> bytes:
    """Mask or unmask the data with a four-byte key; the same call undoes it.

    Two big integers are XORed, which costs no Python code per byte. It costs about 2 ns a byte all the same, so that from some
    size on each byte in four is better looked up in the table of its byte of the key.

    Source: RFC 6455 section 5.3.
    """
    size = len(data)
    if size < _LARGE:
        key = (mask * ((size >> 2) + 1))[:size]
        return (int.from_bytes(data, "little") ^ int.from_bytes(key, "little")).to_bytes(size, "little")
    result = bytearray(size)
    for turn, byte in enumerate(mask):
        result[turn::4] = data[turn::4].translate(_XOR[byte])
    return bytes(result)


try:
    # Where the library `websockets` is installed, its C function does the same: 5 times as fast at 64 bytes, 60 times at 64 KiB.
    from websockets.speedups import apply_mask
except ImportError:
    apply_mask = apply_mask_in_python
