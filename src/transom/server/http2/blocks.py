"""Field blocks: HPACK, and what of it repeats.

The two tables of RFC 7541 and its Huffman code are those of the library `hpack`. The loops around them are our own: they take a
tenth to a third of the time, know our limits, and fail as HTTP/2 asks.

A client that repeats itself sends the same few bytes, all of them references into a table that does not change any more. Such a
block has one meaning until the table changes, so the decoder remembers what became of it: `RequestHead`, checked. In the same way
the encoder remembers blocks of responses. Both remember from the second time on, within bounds, and forget all when their table
changes. Nothing is shared by connections.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

from hpack.table import HeaderTable

from transom.server.http2 import huffman
from transom.server.http2.errors import ErrorCode, RefusedRequest, SessionError
from transom.server.http2.fields import RequestHead, check_trailers, parse_request

if TYPE_CHECKING:
    from collections.abc import Iterable

    from transom.server.http1.limits import Limits
    from transom.server.http2.fields import Pair

MAX_TABLE_SIZE: Final = 4096
"""Bytes of the dynamic table, in both directions (RFC 9113 section 6.5.2: the initial value)."""
FIELD_OVERHEAD: Final = 32
"""What a field costs beyond its bytes (RFC 7541 section 4.1)."""
WAY_OVER: Final = (
    4  # times the limit of a field list; up to that the table is kept in step, and the request answered
)

MAX_BLOCKS: Final = 64  # remembered, for each direction of a connection
MAX_REMEMBERED: Final = 65_536  # bytes of requests, counted as in a field list, and of their blocks
MAX_REMEMBERED_SIZE: Final = 8192  # bytes of one
MAX_REMEMBERED_RESPONSES: Final = 16_384  # bytes of their fields
MAX_SEEN_ONCE: Final = 64

_STATIC: Final = ((b"", b""), *HeaderTable.STATIC_TABLE)  # indices begin at 1
_STATIC_SIZE: Final = len(_STATIC)
# Bytes, with the prefix: as many as a number of 32 bits needs, as in `hpack`. None that is valid here needs more than 4.
_MAX_INTEGER_SIZE: Final = 6


class Table(HeaderTable):
    """The static and a dynamic table; counts what changes the dynamic one.

    Attributes:
        changes: how often a field was added or the size set.
    """

    def __init__(self) -> None:
        super().__init__()
        self.changes = 0

    def add(self, name: bytes, value: bytes) -> None:
        """Add a field, for which old ones go."""
        super().add(name, value)
        self.changes += 1

    def resize(self, size: int) -> None:
        """Set the size in bytes, for which old fields may have to go."""
        self.maxsize = size
        self.changes += 1


class _SeenOnce:
    """Hashes of what was seen: most of what is seen once is never seen again."""

    __slots__ = ("_hashes",)

    def __init__(self) -> None:
        self._hashes: set[int] = set()

    def repeats(self, value: object) -> bool:
        """Whether the value was, in all likelihood, seen before; it is from now on."""
        key = hash(value)
        if key in self._hashes:
            return True
        if len(self._hashes) >= MAX_SEEN_ONCE:
            self._hashes.clear()
        self._hashes.add(key)
        return False


class BlockDecoder:
    """Decodes the field blocks of one connection, in the order in which they came.

    Args:
        limits: what a head may be; those of HTTP/1.1.
        allows_connect: whether SETTINGS_ENABLE_CONNECT_PROTOCOL was sent.

    Attributes:
        max_size: bytes of a field list, for SETTINGS_MAX_HEADER_LIST_SIZE. The limit of a head, as HTTP/1.1 counts it, with what
            HTTP/2 counts beyond that.
        heads: requests by their block; to look there first saves the call of `decode_request`.
    """

    __slots__ = (
        "_allows_connect",
        "_changes",
        "_limits",
        "_remembered",
        "_seen",
        "_table",
        "heads",
        "max_size",
    )

    def __init__(self, limits: Limits, *, allows_connect: bool = False) -> None:
        self._limits = limits
        self._allows_connect = allows_connect
        self._table = Table()
        self._changes = 0  # of the table, as of the last block
        self._seen = _SeenOnce()
        self._remembered = 0  # bytes of `heads`
        self.heads: dict[bytes, RequestHead] = {}
        self.max_size = limits.head + FIELD_OVERHEAD * limits.field_count

    def decode_request(self, block: bytes, stream_id: int) -> RequestHead:
        """Return the request whose head is this block.

        Raises:
            SessionError: COMPRESSION_ERROR, the table is lost.
            StreamError: as `parse_request`; the table is as it should be.
        """
        head = self.heads.get(block)
        return self._decode_request(block, stream_id) if head is None else head

    def decode_trailers(self, block: bytes, stream_id: int) -> None:
        """Check the trailers in this block and drop them.

        Raises:
            SessionError: COMPRESSION_ERROR, the table is lost.
            StreamError: as `check_trailers`; the table is as it should be.
        """
        pairs, size = self._decode(block)
        self._check_size(size, stream_id)
        check_trailers(pairs, stream_id, self._limits)

    def discard(self, block: bytes) -> None:
        """Decode a block that nobody waits for, so that the table stays in step (RFC 9113 section 4.3).

        Raises:
            SessionError: COMPRESSION_ERROR, the table is lost.
        """
        if block not in self.heads:
            self._decode(block)

    def forget(self) -> None:
        """Forget the requests, which costs nothing but time; for a connection that is idle."""
        self.heads.clear()
        self._seen = _SeenOnce()
        self._remembered = 0

    def _decode_request(self, block: bytes, stream_id: int) -> RequestHead:
        before = self._changes
        pairs, size = self._decode(block)
        self._check_size(size, stream_id)
        head = parse_request(pairs, stream_id, self._limits, allows_connect=self._allows_connect)
        size += len(block)
        if before == self._changes and size <= MAX_REMEMBERED_SIZE and self._seen.repeats(block):
            if len(self.heads) >= MAX_BLOCKS or self._remembered + size > MAX_REMEMBERED:
                self.forget()
            self._remembered += size
            self.heads[block] = head
        return head

    def _check_size(self, size: int, stream_id: int) -> None:
        if size > self.max_size:
            raise RefusedRequest(
                stream_id, 431, f"field list is over {self.max_size} bytes (RFC 9113 section 10.5.1)"
            )

    def _decode(self, block: bytes) -> tuple[list[Pair], int]:
        """Return the fields of a block and their size; only the last ones once that is over the limit.

        One loop, because every field of a block that is new passes here.
        """
        table, max_size = self._table, self.max_size
        entries = table.dynamic_entries
        pairs: list[Pair] = []
        size = 0
        end = len(block)
        try:
            position = self._take_resizes(block) if block and block[0] & 0xE0 == 0x20 else 0
            while position < end:
                first = block[position]
                if first > 0x80:
                    if first < 0xFF:
                        index = first & 0x7F
                        position += 1
                    else:
                        index, position = _take_integer(block, position, 0x7F)
                    pair = _STATIC[index] if index < _STATIC_SIZE else entries[index - _STATIC_SIZE]
                elif first == 0x80:
                    raise _broken("index 0 (RFC 7541 section 6.1)")
                elif first & 0xE0 == 0x20:
                    raise _broken("a table size update behind a field (RFC 7541 section 4.2)")
                else:
                    mask = 0x3F if first & 0x40 else 0x0F
                    index = first & mask
                    if index < mask:
                        position += 1
                    else:
                        index, position = _take_integer(block, position, mask)
                    if not index:
                        name, position = _take_string(block, position)
                    else:
                        name = (_STATIC[index] if index < _STATIC_SIZE else entries[index - _STATIC_SIZE])[0]
                    value, position = _take_string(block, position)
                    pair = (name, value)
                    if first & 0x40:
                        table.add(name, value)
                size += len(pair[0]) + len(pair[1]) + FIELD_OVERHEAD
                if size > max_size:
                    self._check_way_over(size)
                    pairs.clear()
                pairs.append(pair)
        except IndexError:
            raise _broken(
                "an index that is in no table, or the end of the block (RFC 7541 section 2.3.3)"
            ) from None
        if table.changes != self._changes:
            self._changes = table.changes
            self.forget()
        return pairs, size

    def _take_resizes(self, block: bytes) -> int:
        """Apply what the client says of the size of its table, and return the position behind it.

        Source: RFC 7541 sections 4.2 and 6.3.
        """
        position = count = 0
        while position < len(block) and block[position] & 0xE0 == 0x20:
            size, position = _take_integer(block, position, 0x1F)
            count += 1
            if count > 2:  # the smallest since the last block, and the last
                raise _broken("more than two table size updates (RFC 7541 section 4.2)")
            if size > MAX_TABLE_SIZE:
                raise _broken(f"a table of {size} bytes, over {MAX_TABLE_SIZE} (RFC 7541 section 6.3)")
            self._table.resize(size)
        return position

    def _check_way_over(self, size: int) -> None:
        # RFC 9113 4.3: who does not decode a block to its end must end the connection.
        if size > WAY_OVER * self.max_size:
            raise _broken(f"a field list of over {WAY_OVER * self.max_size} bytes (RFC 9113 section 4.3)")


def _broken(what: str) -> SessionError:
    return SessionError(ErrorCode.COMPRESSION_ERROR, f"field block with {what}")


def _take_integer(block: bytes, position: int, mask: int) -> tuple[int, int]:
    """Return the integer whose prefix is in the masked bits at `position`, and the position behind it.

    Source: RFC 7541 section 5.1.
    """
    value = block[position] & mask
    if value < mask:
        return value, position + 1
    last = position + _MAX_INTEGER_SIZE
    shift = 0
    while True:
        position += 1
        byte = block[position]
        if position == last:
            raise _broken(f"an integer of over {_MAX_INTEGER_SIZE} bytes (RFC 7541 section 5.1)")
        value += (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, position + 1


def _take_string(block: bytes, position: int) -> tuple[bytes, int]:
    """Return the string that begins at `position`, and the position behind it.

    Source: RFC 7541 section 5.2.
    """
    first = block[position]
    length = first & 0x7F
    if length < 0x7F:
        position += 1
    else:
        length, position = _take_integer(block, position, 0x7F)
    end = position + length
    data = block[position:end]
    if len(data) < length:
        raise _broken("a string that is longer than it (RFC 7541 section 5.2)")
    return (huffman.decode(data) if first >= 0x80 else data), end


# How a field is put into a block: the bits before its index, and their number.
_INDEXED: Final = (0x80, 0x7F)
_ADDED: Final = (0x40, 0x3F)
_PASSING: Final = (0x00, 0x0F)
_NEVER_INDEXED: Final = (0x10, 0x0F)
_Representation: TypeAlias = tuple[int, int]

# RFC 7541 7.1.3: what no one may guess byte by byte, and no one behind us may put into a table.
_SECRET: Final = frozenset({b"set-cookie", b"authorization", b"proxy-authorization", b"cookie"})
# Of what is new with each response, an entry would be of no use, and take the place of one that is.
_ALWAYS_NEW: Final = frozenset(
    {
        b"age", b"content-length", b"content-range", b"date", b"etag", b"expires", b"last-modified", b"location",
        b"retry-after",
    }
)  # fmt: skip
_MAX_SHARE: Final = 0.75  # of the table, for one field: a larger one would push nearly all others out
_MAX_KEY_SIZE: Final = 1024  # bytes of the fields of one remembered response
_MAX_SHORTENED: Final = 256  # bytes, for the time that Huffman coding takes
_STATIC_INDICES: Final = {pair: index for index, pair in reversed(list(enumerate(_STATIC))) if index}
_STATIC_NAMES: Final = {name: index for index, (name, _) in reversed(list(enumerate(_STATIC))) if index}
_LENGTH_NAME: Final = bytes((0x0F, _STATIC_NAMES[b"content-length"] - 0x0F))  # without indexing


class BlockEncoder:
    """Encodes the field blocks of one connection, in the order in which they leave.

    What repeats gets into the table when it is seen the second time, so that what does not leaves it alone.
    """

    __slots__ = (
        "_added",
        "_max_entry",
        "_remembered",
        "_seen",
        "_seen_fields",
        "_smallest",
        "_table",
        "_wheres",
        "blocks",
    )

    def __init__(self) -> None:
        self._table = Table()
        self._max_entry = MAX_TABLE_SIZE * _MAX_SHARE
        self._wheres: dict[Pair, int] = {}  # which addition to the table a field was; may be gone from it
        self._added = 0
        self._smallest: int | None = None  # size of the table since the last block, if it was set
        self.blocks: dict[tuple[int, tuple[Pair, ...]], bytes] = {}
        self._remembered = 0  # bytes of the fields in `_blocks`
        self._seen = _SeenOnce()
        self._seen_fields = _SeenOnce()

    def encode(self, status: int, fields: tuple[Pair, ...]) -> bytes:
        """Return the block of a response with these fields, which were checked. It must be the next to leave.

        Raises:
            TypeError: a name or a value is not bytes, or a field is a list.
        """
        block = self.blocks.get((status, fields))
        return self._encode(status, fields) if block is None else block

    def encode_trailers(self, fields: Iterable[Pair]) -> bytes:
        """Return the block of these trailers. It must be the next to leave."""
        return self._take_resizes() + encode_literals(fields)

    def resize(self, size: int) -> None:
        """Observe the client's SETTINGS_HEADER_TABLE_SIZE: what it allows, or what we use if that is less.

        Source: RFC 7541 section 4.2.
        """
        size = min(size, MAX_TABLE_SIZE)
        if size != self._table.maxsize:
            self._table.resize(size)
            self._max_entry = size * _MAX_SHARE
            self._smallest = size if self._smallest is None else min(self._smallest, size)
            self.forget()

    def forget(self) -> None:
        """Forget the blocks, which costs nothing but time; for a connection that is idle."""
        self.blocks.clear()
        self._remembered = 0

    def _encode(self, status: int, fields: tuple[Pair, ...]) -> bytes:
        changes = self._table.changes
        parts = [self._take_resizes()]
        is_settled = not parts[0]
        for field in ((b":status", b"%d" % status), *fields):
            part, is_last = self._encode_field(field)
            parts.append(part)
            is_settled = is_settled and is_last
        block = b"".join(parts)
        if self._table.changes != changes:
            self.forget()
        elif is_settled and self._seen.repeats((status, fields)):
            self._remember((status, fields), block)
        return block

    def _remember(self, key: tuple[int, tuple[Pair, ...]], block: bytes) -> None:
        size = sum(len(name) + len(value) + FIELD_OVERHEAD for name, value in key[1])
        if size <= _MAX_KEY_SIZE:
            if len(self.blocks) >= MAX_BLOCKS or self._remembered + size > MAX_REMEMBERED_RESPONSES:
                self.forget()
            self._remembered += size
            self.blocks[key] = block

    def _take_resizes(self) -> bytes:
        """Return what the next block must begin with: the smallest size that the table had, and the one it has."""
        smallest, self._smallest = self._smallest, None
        if smallest is None:
            return b""
        size = self._table.maxsize
        last = _build_integer(size, 0x20, 0x1F)
        return last if smallest == size else _build_integer(smallest, 0x20, 0x1F) + last

    def _encode_field(self, field: Pair) -> tuple[bytes, bool]:
        """Return a field in its shortest form, and whether it would get the same the next time."""
        index = _STATIC_INDICES.get(field)
        if index is not None:
            return _build_integer(index, *_INDEXED), True
        name, value = field
        if name in _SECRET:
            return _build_literal(name, value, _NEVER_INDEXED), False  # settled, but not for a cache either
        if name in _ALWAYS_NEW or len(name) + len(value) + FIELD_OVERHEAD > self._max_entry:
            return _build_literal(name, value, _PASSING), True
        where = self._wheres.get(field)
        if where is not None and (age := self._added - where) < len(self._table.dynamic_entries):
            return _build_integer(_STATIC_SIZE + age, *_INDEXED), True
        if not self._seen_fields.repeats(field):
            return _build_literal(name, value, _PASSING), False
        self._add(field)
        return _build_literal(name, value, _ADDED, is_shortened=True), False

    def _add(self, field: Pair) -> None:
        self._table.add(*field)
        self._added += 1
        self._wheres[field] = self._added
        if (
            len(self._wheres) > 2 * MAX_TABLE_SIZE // FIELD_OVERHEAD
        ):  # at most half of them can still be there
            self._wheres = {pair: self._added - age for age, pair in enumerate(self._table.dynamic_entries)}


def encode_literals(fields: Iterable[Pair]) -> bytes:
    """Return fields in a form that needs no table and leaves none changed: it may be appended to any block of any connection."""
    return b"".join([_build_literal(name, value, _PASSING, is_shortened=True) for name, value in fields])


@lru_cache(maxsize=1024)
def encode_length(length: int) -> bytes:
    """Return `content-length` in the form of `encode_literals`."""
    digits = b"%d" % length
    return _LENGTH_NAME + _build_string(digits)


def _build_literal(
    name: bytes, value: bytes, representation: _Representation, *, is_shortened: bool = False
) -> bytes:
    """Return a field whose value, and whose name if the static table has none like it, is written down.

    Source: RFC 7541 section 6.2.
    """
    build_string = _build_shortened if is_shortened else _build_string
    index = _STATIC_NAMES.get(name)
    if index is None:
        return bytes(representation[:1]) + build_string(name) + build_string(value)
    return _build_integer(index, *representation) + build_string(value)


def _build_integer(value: int, bits: int, mask: int) -> bytes:
    """Return an integer behind these bits; the mask is where it begins.

    Source: RFC 7541 section 5.1.
    """
    if value < mask:
        return bytes((bits | value,))
    data = bytearray((bits | mask,))
    value -= mask
    while value >= 0x80:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    data.append(value)
    return bytes(data)


def _build_string(value: bytes) -> bytes:
    return _build_integer(len(value), 0x00, 0x7F) + value


@lru_cache(maxsize=1024)
def _build_shortened(value: bytes) -> bytes:
    """Return a string in Huffman code, if it is shorter then and was not long."""
    if len(value) <= _MAX_SHORTENED:
        coded = huffman.encode(value)
        if len(coded) < len(value):
            return _build_integer(len(coded), 0x80, 0x7F) + coded
    return _build_string(value)
