"""Field blocks: RFC 7541, the limits of what is decoded, and what is remembered of it."""

from __future__ import annotations

from typing import Any

import pytest
from hpack import Decoder, Encoder, NeverIndexedHeaderTuple
from hpack.exceptions import HPACKError
from hypothesis import given
from hypothesis import strategies as st

from transom.server.http1 import Limits
from transom.server.http2 import blocks, huffman
from transom.server.http2.blocks import WAY_OVER, BlockDecoder, BlockEncoder, encode_length, encode_literals
from transom.server.http2.errors import ErrorCode, RefusedRequest, SessionError, StreamError
from transom.server.http2.fields import Pair, RequestHead

LIMITS = Limits()
GET = [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", b"example.com"), (b":path", b"/")]
BYTES = st.binary(max_size=12) | st.sampled_from([b"a", b"www.example.com", b"no-cache", b"x" * 200])
FIELDS = st.lists(
    st.tuples(st.sampled_from([b"accept", b"cookie", b"x-a", b":path", b":status"]) | BYTES, BYTES),
    max_size=6,
)


def broken(decoder: BlockDecoder, block: bytes) -> str:
    """Return why a block ends the connection."""
    with pytest.raises(SessionError, match=r"^field block with .* \(RFC \d+ section [\d.]+\)$") as caught:
        decoder.discard(block)
    assert caught.value.code is ErrorCode.COMPRESSION_ERROR
    return str(caught.value)


def decode(decoder: BlockDecoder, block: bytes) -> list[Pair]:
    return decoder._decode(block)[0]


def entries(side: BlockDecoder | BlockEncoder) -> list[Pair]:
    return list(side._table.dynamic_entries)


# RFC 7541 section 5.1: integers


@pytest.mark.parametrize("mask", [0x0F, 0x1F, 0x3F, 0x7F])
@given(value=st.integers(0, 2**32))
def test_integers(mask: int, value: int):
    data = blocks._build_integer(value, 0, mask)
    assert blocks._take_integer(b"\xff" + data + b"\xff", 1, mask) == (value, 1 + len(data))


def test_integers_of_the_rfc_examples():
    """Appendix C.1."""
    assert blocks._build_integer(10, 0, 0x1F) == b"\x0a"
    assert blocks._build_integer(1337, 0, 0x1F) == bytes.fromhex("1f9a0a")
    assert blocks._build_integer(42, 0, 0xFF) == b"\x2a"


def test_integer_of_more_bytes_than_32_bits_need():
    assert broken(BlockDecoder(LIMITS), b"\xff" + b"\x80" * 5 + b"\x00").endswith("5.1)")
    assert "no table" in broken(BlockDecoder(LIMITS), b"\xff" + b"\x80" * 4 + b"\x01")


# Section 5.2: strings


@given(data=st.binary(max_size=60))
def test_huffman_round_trip(data: bytes):
    assert huffman.decode(huffman.encode(data)) == data


@given(data=st.binary(max_size=20) | st.lists(st.sampled_from([0xFF, 0xFE, 0x00, 0x7F])).map(bytes))
def test_huffman_is_that_of_hpack(data: bytes):
    from hpack.huffman_table import decode_huffman

    try:
        expected: bytes | None = decode_huffman(data)
    except HPACKError:
        expected = None
    try:
        found: bytes | None = huffman.decode(data)
    except SessionError:
        found = None
    assert found == expected


@pytest.mark.parametrize(
    "data",
    [
        b"\x00",  # "0" and three bits of 0
        b"\x1f\xff",  # "a" and eleven bits of 1
        b"\xff",
        b"\xff\xff\xff\xff",  # EOS
        b"\xff\xff\xff\xfc" + b"\x00" * 3,
    ],
)
def test_malformed_huffman_code(data: bytes):
    block = b"\x00\x01a" + bytes((0x80 | len(data),)) + data
    with pytest.raises(SessionError, match=r"Huffman-coded string \(RFC 7541 section 5.2\)") as caught:
        BlockDecoder(LIMITS).discard(block)
    assert caught.value.code is ErrorCode.COMPRESSION_ERROR


@pytest.mark.parametrize("block", [b"\x00\x02a", b"\x00\x01a\x02b", b"\x04\x7f\x80\x80\x01"])
def test_string_that_is_longer_than_the_block(block: bytes):
    assert "a string that is longer" in broken(BlockDecoder(LIMITS), block)


@pytest.mark.parametrize(
    "block", [b"\x00", b"\x00\x01a", b"\x04", b"\x40\x01a", b"\xff", b"\x7f", b"\x0f\x80"]
)
def test_block_that_ends_inside_a_field(block: bytes):
    assert "the end of the block" in broken(BlockDecoder(LIMITS), block)


# Section 6: representations


@pytest.mark.parametrize(
    "wire",
    [
        # Appendix C.3 and C.4: three requests, without and with Huffman code
        (
            "828684410f7777772e6578616d706c652e636f6d",
            "828684be58086e6f2d6361636865",
            "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
        ),
        (
            "828684418cf1e3c2e5f23a6ba0ab90f4ff",
            "828684be5886a8eb10649cbf",
            "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
        ),
    ],
)
def test_requests_of_the_rfc_examples(wire: tuple[str, str, str]):
    decoder = BlockDecoder(LIMITS)
    lines: list[Any] = []
    for block in wire:
        head = decoder.decode_request(bytes.fromhex(block), 1)
        lines.append((head.scheme, head.line.path, head.headers[1:]))
        assert head.headers[0] == (b"host", b"www.example.com")
    assert lines == [
        ("http", "/", []),
        ("http", "/", [(b"cache-control", b"no-cache")]),
        ("https", "/index.html", [(b"custom-key", b"custom-value")]),
    ]
    assert entries(decoder) == [
        (b"custom-key", b"custom-value"),
        (b"cache-control", b"no-cache"),
        (b":authority", b"www.example.com"),
    ]


def test_index_zero():
    assert "index 0" in broken(BlockDecoder(LIMITS), b"\x82\x80")


@pytest.mark.parametrize("block", [b"\xbe", b"\x7e\x01a", b"\x0f\x2f\x01a", b"\xff\xff\xff\x01"])
def test_index_that_is_in_no_table(block: bytes):
    decoder = BlockDecoder(LIMITS)
    assert "an index that is in no table" in broken(decoder, block)
    decoder = BlockDecoder(LIMITS)
    decoder.discard(b"\x40\x01a\x01b")
    assert decode(decoder, b"\xbe") == [(b"a", b"b")]


@pytest.mark.parametrize("flag", [b"\x00", b"\x10"])
def test_literals_that_are_not_indexed(flag: bytes):
    decoder = BlockDecoder(LIMITS)
    assert decode(decoder, flag + b"\x01a\x01b") == [(b"a", b"b")]
    assert entries(decoder) == []


# Sections 4.2 and 6.3: the size of the table


def test_table_can_be_made_smaller_and_larger_again():
    decoder = BlockDecoder(LIMITS)
    decoder.discard(b"\x40\x01a\x01b")
    assert decode(decoder, bytes.fromhex("20 3fe11f 82")) == [(b":method", b"GET")]
    assert entries(decoder) == []
    assert decoder._table.maxsize == 4096


def test_table_cannot_be_larger_than_we_allow():
    assert "a table of 4097 bytes, over 4096" in broken(BlockDecoder(LIMITS), bytes.fromhex("3fe21f"))


def test_table_size_update_comes_first():
    assert "behind a field" in broken(BlockDecoder(LIMITS), b"\x82\x20")
    assert "behind a field" in broken(BlockDecoder(LIMITS), b"\x20\x82\x3f")


def test_table_size_updates_are_two_at_most():
    assert decode(BlockDecoder(LIMITS), b"\x20\x21") == []
    assert "more than two" in broken(BlockDecoder(LIMITS), b"\x20\x21\x22")


def test_truncated_table_size_update():
    assert "the end of the block" in broken(BlockDecoder(LIMITS), b"\x3f")


def test_entry_that_is_larger_than_the_table_empties_it():
    """Section 4.4: this is no error."""
    decoder = BlockDecoder(LIMITS)
    decoder.discard(b"\x40\x01a\x01b")
    assert decode(decoder, b"\x40\x01a\x7f\x82\x1f" + b"x" * 4097) == [(b"a", b"x" * 4097)]
    assert entries(decoder) == []


# hpack as an oracle


@given(
    steps=st.lists(
        st.tuples(FIELDS, st.booleans(), st.none() | st.sampled_from([0, 50, 100, 4096])), max_size=8
    )
)
def test_blocks_are_read_as_hpack_writes_them(steps: list[tuple[list[Pair], bool, int | None]]):
    encoder, decoder = Encoder(), BlockDecoder(LIMITS)
    for fields, is_coded, table_size in steps:
        if table_size is not None:
            encoder.header_table_size = table_size
        block = encoder.encode(fields, huffman=is_coded)
        assert decoder._decode(block) == (fields, sum(len(name) + len(value) + 32 for name, value in fields))
        assert entries(decoder) == list(encoder.header_table.dynamic_entries)


OPENINGS = st.sampled_from(
    [b"\x82", b"\x40\x01a\x01b", b"\xbe", b"\xbf", b"\x7e\x01c", b"\x0f\x2f\x01d", b"\x20", b"\x3f\x45"]
)


@given(parts=st.lists(st.lists(OPENINGS | st.binary(max_size=6), max_size=6).map(b"".join), max_size=3))
def test_any_bytes_are_judged_as_by_hpack(parts: list[bytes]):
    theirs, ours = Decoder(max_header_list_size=1 << 20), BlockDecoder(LIMITS)
    for block in parts:
        try:
            expected: Any = [tuple(pair) for pair in theirs.decode(block, raw=True)]
        except (HPACKError, IndexError):
            expected = None
        try:
            found: Any = decode(ours, block)
        except SessionError as exc:
            if "more than two" in str(exc):
                return  # which hpack does not count
            found = None
        assert found == expected
        if found is None:
            return
        assert entries(ours) == list(theirs.header_table.dynamic_entries)


# Limits


def test_size_of_a_field_list_is_that_of_a_head():
    assert BlockDecoder(LIMITS).max_size == 32_768 + 100 * 32


def insert_large() -> tuple[BlockDecoder, int]:
    """Return a decoder in whose table there is one field of 4000 bytes, and how many of it are within the limit."""
    decoder = BlockDecoder(LIMITS)
    decoder.discard(b"\x40\x01a" + blocks._build_integer(3967, 0, 0x7F) + b"x" * 3967)
    return decoder, decoder.max_size // 4000


def test_too_large_a_list_is_answered_and_the_table_is_in_step():
    """HPACK bomb (CVE-2016-6581): little that expands to much."""
    decoder, count = insert_large()
    with pytest.raises(StreamError):  # no pseudo-fields
        decoder.decode_request(b"\xbe" * count, 1)
    with pytest.raises(RefusedRequest, match=r"over 35968 bytes \(RFC 9113 section 10.5.1\)") as caught:
        decoder.decode_request(b"\xbe" * (count + 1) + b"\x40\x01b\x01c", 3)
    assert (caught.value.status, caught.value.stream_id) == (431, 3)
    assert entries(decoder)[0] == (b"b", b"c")
    with pytest.raises(RefusedRequest) as caught:
        decoder.decode_trailers(b"\x82" * 1000, 5)
    assert caught.value.status == 431


def test_way_too_large_a_list_ends_the_connection():
    decoder, count = insert_large()
    decoder.discard(b"\xbe" * (WAY_OVER * count))
    assert "of over 143872 bytes" in broken(decoder, b"\xbe" * 32_768)


def test_what_is_too_large_is_not_kept_while_it_is_decoded():
    decoder, count = insert_large()
    pairs, size = decoder._decode(b"\xbe" * (2 * count))
    assert size == 2 * count * 4000
    assert len(pairs) == 1


def test_too_many_fields_are_answered():
    """HTTP/2 bomb (CVE-2026-49975): fields of one byte each."""
    decoder = BlockDecoder(LIMITS)
    with pytest.raises(RefusedRequest, match="more than 100 header fields") as caught:
        decoder.decode_request(b"\x82\x87\x84\x41\x01a" + b"\xa0" * 500, 1)
    assert caught.value.status == 431


def test_trailers_are_checked():
    decoder = BlockDecoder(LIMITS)
    decoder.decode_trailers(b"\x40\x01a\x01b", 1)
    assert entries(decoder) == [(b"a", b"b")]
    with pytest.raises(StreamError, match="pseudo-field"):
        decoder.decode_trailers(b"\x82", 1)


# What the decoder remembers


def requests(fields: list[Pair] = GET, **options: Any) -> tuple[BlockDecoder, bytes]:
    """Return a decoder, and a block that leaves its table as it is."""
    encoder, decoder = Encoder(), BlockDecoder(LIMITS, **options)
    decoder.discard(encoder.encode(fields))
    return decoder, encoder.encode(fields)


def test_block_is_remembered_from_the_second_time_on():
    decoder, block = requests()
    heads = [decoder.decode_request(bytes(bytearray(block)), number) for number in (1, 3, 5, 7)]
    assert heads[0] == heads[1] == heads[2]
    assert heads[0] is not heads[1]
    assert heads[1] is heads[2] is heads[3]
    assert decoder.heads == {block: heads[1]}


def test_block_that_changes_the_table_is_not_remembered():
    decoder = BlockDecoder(LIMITS)
    for _ in range(3):
        decoder.decode_request(b"\x82\x87\x84\x41\x01a", 1)
    assert decoder.heads == {}


@pytest.mark.parametrize("change", [b"\x40\x01a\x01b", b"\x20", b"\x3f\xe1\x1f"])
def test_another_table_gives_another_meaning(change: bytes):
    decoder, block = requests()
    for _ in range(2):
        decoder.decode_request(block, 1)
    decoder.discard(change)
    assert decoder.heads == {}


def test_meaning_of_a_remembered_block_is_that_of_the_table():
    """A reference means the newest entry, whatever that is."""
    decoder = BlockDecoder(LIMITS)
    block = b"\x82\x87\x84\xbe"
    for host in (b"a", b"b"):
        decoder.discard(b"\x41\x01" + host)
        for _ in range(3):
            assert decoder.decode_request(block, 1).headers == [(b"host", host)]


def test_discarding_a_remembered_block_needs_no_decoding(monkeypatch: pytest.MonkeyPatch):
    decoder, block = requests()
    for _ in range(2):
        decoder.decode_request(block, 1)
    monkeypatch.setattr(BlockDecoder, "_decode", None)
    decoder.discard(block)


def test_malformed_requests_are_not_remembered():
    decoder = BlockDecoder(LIMITS)
    for _ in range(3):
        with pytest.raises(StreamError):
            decoder.decode_request(b"\x82", 1)
    assert decoder.heads == {}


def test_what_is_remembered_can_be_forgotten():
    decoder, block = requests()
    for _ in range(2):
        decoder.decode_request(block, 1)
    decoder.forget()
    assert decoder.heads == {}
    assert decoder.decode_request(block, 1).line.path == "/"


def numbered(block: bytes, number: int) -> bytes:
    return block + b"\x00\x01x\x03%03d" % number


def test_remembered_blocks_are_bounded_in_number(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(blocks, "MAX_BLOCKS", 3)
    decoder, block = requests()
    for number in range(4):
        for _ in range(2):
            decoder.decode_request(numbered(block, number), 1)
    assert list(decoder.heads) == [numbered(block, 3)]


def test_remembered_blocks_are_bounded_in_size(monkeypatch: pytest.MonkeyPatch):
    decoder, block = requests()
    size = decoder._decode(numbered(block, 0))[1] + len(numbered(block, 0))
    monkeypatch.setattr(blocks, "MAX_REMEMBERED", 3 * size)
    for number in range(4):
        for _ in range(2):
            decoder.decode_request(numbered(block, number), 1)
    assert list(decoder.heads) == [numbered(block, 3)]


def test_large_blocks_are_not_remembered():
    decoder, block = requests()
    for size in (7000, 8000):
        for _ in range(2):
            head = decoder.decode_request(block + b"\x00\x01x" + blocks._build_string(b"a" * size), 1)
    assert len(head.headers[-1][1]) == 8000
    assert [len(found.headers[-1][1]) for found in decoder.heads.values()] == []


def test_blocks_that_come_once_are_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(blocks, "MAX_SEEN_ONCE", 2)
    decoder, block = requests()
    for number in (0, 1, 2, 0):
        decoder.decode_request(numbered(block, number), 1)
    assert decoder.heads == {}, "the first one was forgotten when there were too many"


def test_extended_connect_is_up_to_the_decoder():
    fields = [
        (b":method", b"CONNECT"),
        (b":protocol", b"websocket"),
        (b":scheme", b"https"),
        (b":path", b"/"),
        (b":authority", b"a"),
    ]
    decoder, block = requests(fields, allows_connect=True)
    assert decoder.decode_request(block, 1).protocol == b"websocket"
    decoder, block = requests(fields)
    with pytest.raises(StreamError):
        decoder.decode_request(block, 1)


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from([b"/", b"/a", b"/b"]),
            st.sampled_from([b"", b"x", b"y", b"z" * 2000]),
            st.booleans(),
        ),
        max_size=30,
    )
)
def test_remembering_changes_nothing(steps: list[tuple[bytes, bytes, bool]]):
    """A decoder that forgets before every block says the same as one that does not."""
    encoder = Encoder()
    remembering, forgetting = BlockDecoder(LIMITS), BlockDecoder(LIMITS)
    for path, value, is_sensitive in steps:
        fields: list[Any] = [*GET[:3], (b":path", path), (b"x-value", value, is_sensitive)]
        block = encoder.encode(fields)
        forgetting.forget()
        found: RequestHead = remembering.decode_request(block, 1)
        assert found == forgetting.decode_request(block, 1)
        assert found.line.raw_path == path


# The encoder

HTML = (b"content-type", b"text/html; charset=utf-8")


def read(decoder: Decoder, block: bytes) -> list[Pair]:
    return [(name, value) for name, value in decoder.decode(block, raw=True)]


def test_statuses_of_the_static_table_are_one_byte():
    encoder = BlockEncoder()
    assert [encoder.encode(status, ()) for status in (200, 204, 206, 304, 400, 404, 500)] == [
        bytes((0x80 | index,)) for index in range(8, 15)
    ]


def test_field_gets_into_the_table_when_it_is_seen_the_second_time():
    encoder = BlockEncoder()
    sizes = [len(encoder.encode(200, (HTML, (b"x-a", b"b")))) for _ in range(4)]
    assert entries(encoder) == [(b"x-a", b"b"), HTML]
    assert sizes[0] > sizes[1] > sizes[2] == sizes[3] == 3


def test_status_that_is_not_in_the_static_table_is_a_field_like_others():
    encoder = BlockEncoder()
    assert [len(encoder.encode(418, ())) for _ in range(3)] == [5, 5, 1]
    assert entries(encoder) == [(b":status", b"418")]


@pytest.mark.parametrize(
    "name",
    [
        b"date",
        b"etag",
        b"content-length",
        b"last-modified",
        b"location",
        b"age",
        b"expires",
        b"content-range",
    ],
)
def test_what_is_new_each_time_is_not_indexed(name: bytes):
    encoder = BlockEncoder()
    for _ in range(3):
        block = encoder.encode(200, ((name, b"1"),))
    assert entries(encoder) == []
    [(_, value)] = Decoder().decode(block, raw=True)[1:]
    assert value == b"1"


@pytest.mark.parametrize("name", [b"set-cookie", b"authorization", b"proxy-authorization", b"cookie"])
def test_secrets_are_never_indexed_nor_remembered(name: bytes):
    encoder = BlockEncoder()
    for _ in range(3):
        block = encoder.encode(200, (HTML, (name, b"secret")))
    assert entries(encoder) == [HTML]
    assert isinstance(Decoder().decode(block.replace(b"\xbe", b""), raw=True)[1], NeverIndexedHeaderTuple)
    assert encoder.blocks == {}


def test_field_that_fills_most_of_the_table_stays_out_of_it():
    encoder = BlockEncoder()
    for size in (3072 - 33, 3072 - 32):
        for _ in range(2):
            encoder.encode(200, ((b"a", b"x" * size),))
    assert [len(value) for _, value in entries(encoder)] == [3039]


def test_values_in_the_table_are_shortened_unless_they_are_long():
    encoder = BlockEncoder()
    for size, shortened in ((256, True), (257, False)):
        encoder.encode(200, ((b"a", b"e" * size),))
        block = encoder.encode(200, ((b"a", b"e" * size),))
        assert (len(block) < size) is shortened
        assert read(Decoder(), block)[1] == (b"a", b"e" * size)


def test_response_is_remembered_once_it_is_settled():
    encoder = BlockEncoder()
    blocks_of_it = [encoder.encode(200, (HTML,)) for _ in range(5)]
    assert blocks_of_it[2] == blocks_of_it[3] == b"\x88\xbe"
    assert blocks_of_it[3] is blocks_of_it[4]
    encoder.forget()
    assert encoder.encode(200, (HTML,)) == b"\x88\xbe"


def test_remembered_responses_are_forgotten_when_the_table_changes():
    encoder, decoder = BlockEncoder(), Decoder()
    for fields in ([(HTML,)] * 5, [((b"x-a", b"b"),)] * 2, [(HTML,)] * 2):
        for pairs in fields:
            assert read(decoder, encoder.encode(200, pairs)) == [(b":status", b"200"), *pairs]
    assert encoder.encode(200, (HTML,)) == b"\x88\xbf"


def test_remembered_responses_are_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(blocks, "MAX_BLOCKS", 2)
    encoder = BlockEncoder()
    for status in (200, 204, 206):
        for _ in range(2):
            encoder.encode(status, ())
    assert list(encoder.blocks) == [(206, ())]
    monkeypatch.setattr(blocks, "MAX_BLOCKS", 100)
    monkeypatch.setattr(blocks, "MAX_REMEMBERED_RESPONSES", 200)
    for value in (b"a" * 50, b"b" * 50, b"c" * 50):
        for _ in range(2):
            encoder.encode(200, ((b"etag", value),))
    assert list(encoder.blocks) == [(200, ((b"etag", b"c" * 50),))]


def test_large_responses_are_not_remembered():
    encoder = BlockEncoder()
    for size in (1024 - 36, 1024 - 35):
        for _ in range(2):
            encoder.encode(200, ((b"etag", b"a" * size),))
    assert len(encoder.blocks) == 1


def test_client_makes_the_table_smaller_and_larger_again():
    """RFC 7541 section 4.2: the smallest size since the last block is told, and the last."""
    encoder = BlockEncoder()
    for _ in range(3):
        encoder.encode(200, (HTML,))
    encoder.resize(0)
    encoder.resize(100)
    assert encoder.encode(200, (HTML,)) == bytes.fromhex("20 3f45 88") + blocks._build_literal(
        *HTML, (0x40, 0x3F), is_shortened=True
    )
    assert encoder.encode(200, (HTML,)) == b"\x88\xbe"
    encoder.resize(50)
    assert encoder.encode_trailers(()) == bytes.fromhex("3f13")
    assert encoder.encode_trailers(((b"a", b"b"),)) == b"\x00\x01a\x01b"


def test_table_is_never_larger_than_ours():
    encoder = BlockEncoder()
    encoder.resize(65_536)
    assert encoder.encode(200, ()) == b"\x88"
    encoder.resize(1000)
    encoder.resize(65_536)
    assert encoder.encode(200, ()) == bytes.fromhex("3fc907 3fe11f 88")


def test_block_with_a_table_size_is_not_remembered():
    encoder = BlockEncoder()
    for _ in range(3):
        encoder.resize(0)
        encoder.resize(4096)
        assert encoder.encode(200, ()) == bytes.fromhex("20 3fe11f 88")
    assert encoder.encode(200, ()) == b"\x88"


def test_fields_must_be_hashable():
    fields: Any = ([b"a", b"b"],)
    with pytest.raises(TypeError):
        BlockEncoder().encode(200, fields)


def test_literals_need_no_table():
    fields = ((b"date", b"Tue, 29 Feb 2028 12:00:00 GMT"), (b"server", b"transom"), (b"x-a", b""))
    block = encode_literals(fields)
    decoder = Decoder()
    assert read(decoder, b"\x88" + block) == [(b":status", b"200"), *fields]
    assert not decoder.header_table.dynamic_entries
    assert len(block) < sum(len(name) + len(value) for name, value in fields)


RESPONSES = st.lists(
    st.tuples(
        st.sampled_from([200, 404, 201, 418]),
        st.lists(
            st.tuples(
                st.sampled_from(
                    [b"content-type", b"x-a", b"x-b", b"vary", b"etag", b"set-cookie", b"accept-encoding"]
                ),
                st.sampled_from([b"a", b"b", b"gzip, deflate", b"x" * 500, b"y" * 300, b"z" * 3000]),
            ),
            max_size=4,
        ).map(tuple),
        st.none() | st.sampled_from([0, 100, 1000, 4096, 65_536]),
    ),
    max_size=30,
)


@given(responses=RESPONSES)
def test_blocks_are_written_as_hpack_reads_them(responses: list[tuple[int, tuple[Pair, ...], int | None]]):
    encoder, decoder = BlockEncoder(), Decoder()
    server_fields = ((b"date", b"today"),)
    literals = encode_literals(server_fields)
    for status, fields, table_size in responses:
        if table_size is not None:
            decoder.max_allowed_table_size = table_size
            encoder.resize(table_size)
        found = read(decoder, encoder.encode(status, fields) + literals)
        assert found == [(b":status", b"%d" % status), *fields, *server_fields]
        assert entries(encoder) == list(decoder.header_table.dynamic_entries)


def test_table_stays_in_step_however_many_fields_come_and_go():
    encoder, decoder = BlockEncoder(), Decoder()
    for number in range(2000):
        fields = ((b"x-a", b"%d" % (number // 2 % 700)), HTML)
        assert read(decoder, encoder.encode(200, fields))[1:] == list(fields)
    assert len(encoder._wheres) <= 256


@pytest.mark.parametrize("length", [0, 7, 65_536, 2**63])
def test_length_needs_no_table(length: int):
    assert read(Decoder(), encode_length(length)) == [(b"content-length", b"%d" % length)]
    assert encode_length(length) == blocks._build_literal(b"content-length", b"%d" % length, (0x00, 0x0F))
