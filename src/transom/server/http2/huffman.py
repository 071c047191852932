"""The Huffman code of HPACK, read a byte at a time.

The library `hpack` has the code as a state machine that takes four bits a step. Here two of its steps are one, and what they lead
to is written down the first time: a row of 256 for each state in which a byte was ever read. Ordinary text needs some forty of
the 257 rows, about a megabyte for the process; all there can be are five.

Source: RFC 7541 section 5.2 and appendix B.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH
from hpack.huffman_table import HUFFMAN_COMPLETE, HUFFMAN_EMIT_SYMBOL, HUFFMAN_FAIL, HUFFMAN_TABLE

from transom.server.http2.errors import ErrorCode, SessionError

_Row: TypeAlias = list[tuple[bytes, int]]  # for each byte: what is complete with it, and the state behind it

_ENCODER: Final = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH)
_START: Final = 0
_FAILED: Final = (
    256  # the state behind the code of EOS, which no string may hold, and behind whatever follows it
)
_FAILED_ROW: Final[_Row] = [(b"", _FAILED)] * 256
# States in which a string may end: behind a symbol and fewer than eight bits, all of them 1.
_COMPLETE: Final = frozenset({_START}) | {
    state for state, flags, _ in HUFFMAN_TABLE if flags & HUFFMAN_COMPLETE
}
_rows: list[_Row | None] = [*([None] * 256), _FAILED_ROW]


def decode(data: bytes) -> bytes:
    """Return what the data stand for.

    Raises:
        SessionError: EOS in the data, or padding that is not less than eight bits of 1.
    """
    state = _START
    rows = _rows
    pieces: list[bytes] = []
    for byte in data:
        row = rows[state]
        if row is None:
            rows[state] = row = _build_row(state)
        symbols, state = row[byte]
        pieces.append(symbols)
    if state not in _COMPLETE:
        raise SessionError(
            ErrorCode.COMPRESSION_ERROR, "malformed Huffman-coded string (RFC 7541 section 5.2)"
        )
    return b"".join(pieces)


def _build_row(state: int) -> _Row:
    row: _Row = []
    for byte in range(256):
        middle, first, symbol = HUFFMAN_TABLE[state << 4 | byte >> 4]
        after, second, other = HUFFMAN_TABLE[middle << 4 | byte & 0xF]
        if (first | second) & HUFFMAN_FAIL:
            row.append((b"", _FAILED))
        else:
            symbols = bytes((symbol,)) if first & HUFFMAN_EMIT_SYMBOL else b""
            row.append((symbols + bytes((other,)) if second & HUFFMAN_EMIT_SYMBOL else symbols, after))
    return row


def encode(data: bytes) -> bytes:
    """Return the data in code; what is said often is shorter then, the rest may be longer.

    The time it takes grows with the square of the length.
    """
    return _ENCODER.encode(data)
