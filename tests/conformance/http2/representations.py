"""Field blocks by hand, byte for byte: the representations of RFC 7541 section 6."""

from __future__ import annotations

from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH

HUFFMAN = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH)
STATIC_ENTRIES = 61

# First bits of a literal and how many bits its index has: RFC 7541 section 6.2.
INDEXING = (0x40, 6)
WITHOUT_INDEXING = (0x00, 4)
NEVER_INDEXED = (0x10, 4)


def integer(value: int, bits: int, first: int = 0) -> bytes:
    """Return an integer whose prefix has so many bits, the others of the byte being `first`: section 5.1."""
    limit = 2**bits - 1
    if value < limit:
        return bytes([first | value])
    encoded, value = bytearray([first | limit]), value - limit
    while value >= 128:
        encoded.append(value % 128 | 128)
        value //= 128
    return bytes([*encoded, value])


def string(value: bytes, *, huffman: bool = False) -> bytes:
    """Return a string literal: section 5.2."""
    data = HUFFMAN.encode(value) if huffman else value
    return integer(len(data), 7, 0x80 if huffman else 0) + data


def indexed(index: int) -> bytes:
    """Return a field that stands in a table: section 6.1. Index 62 is the newest entry of the dynamic table."""
    return integer(index, 7, 0x80)


def literal(
    field: bytes | int, value: bytes, kind: tuple[int, int] = WITHOUT_INDEXING, *, huffman: bool = False
) -> bytes:
    """Return a literal field; its name is given as bytes, or as an index: section 6.2."""
    first, bits = kind
    index = field if isinstance(field, int) else 0
    spelled = b"" if isinstance(field, int) else string(field, huffman=huffman)
    return integer(index, bits, first) + spelled + string(value, huffman=huffman)


def size_update(size: int) -> bytes:
    """Return an update of the dynamic table's size: section 6.3."""
    return integer(size, 5, 0x20)


def build_get(path: bytes = b"/", *more: bytes) -> bytes:
    """Return the block of a GET request that leaves the dynamic table alone, and further representations behind it."""
    return indexed(2) + indexed(6) + literal(4, path) + literal(1, b"example.org") + b"".join(more)
