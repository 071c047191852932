"""RFC 7541: how field blocks are decoded. A decoding error is a connection error COMPRESSION_ERROR (RFC 9113 section 4.3)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hpack.table import HeaderTable
from http2.client import Client
from http2.frames import Code, Setting
from http2.representations import (
    INDEXING,
    NEVER_INDEXED,
    STATIC_ENTRIES,
    WITHOUT_INDEXING,
    build_get,
    indexed,
    integer,
    literal,
    size_update,
    string,
)

NEWEST = STATIC_ENTRIES + 1
KINDS = {"indexing": INDEXING, "without-indexing": WITHOUT_INDEXING, "never-indexed": NEVER_INDEXED}
# Names of the static table that say something of the message, and are not for playing with.
SERIOUS = {b"content-length", b"transfer-encoding", b"host", b"expect", b"cookie"}


def ask(client: Client, block: bytes) -> dict[str, Any]:
    """Return what the application is told of a request with this field block."""
    return json.loads(client.expect_response(client.open(block)).body)


def ask_fields(client: Client, *representations: bytes) -> list[tuple[str, str]]:
    """Return the fields of a request that has these representations; `host` is left out."""
    seen = ask(client, build_get(b"/", *representations))
    return [(name, value) for name, value in seen["fields"] if name != "host"]


def expect_decoding_error(client: Client, *representations: bytes) -> None:
    client.open(build_get(b"/", *representations))
    client.expect_connection_error(Code.COMPRESSION_ERROR)


# 2.3 Indexing tables


def test_the_static_table(client: Client):
    """RFC 7541 2.3.1: each entry of the static table that a request can use is the right one."""
    for index, (name, value) in enumerate(HeaderTable.STATIC_TABLE, 1):
        if name.startswith(b":") or name in SERIOUS:
            continue
        expected = [(name.decode(), value.decode())]
        assert ask_fields(client, indexed(index)) == expected, index


def test_the_names_of_the_static_table(client: Client):
    """RFC 7541 2.3.1 and 6.2: each name of the static table can be used with another value."""
    entries = [(index, name) for index, (name, _) in enumerate(HeaderTable.STATIC_TABLE, 1)]
    entries = [(i, name) for i, name in entries if not name.startswith(b":") and name not in SERIOUS]
    fields = ask_fields(client, *(literal(index, b"%d" % index) for index, _ in entries))
    assert fields == [(name.decode(), str(index)) for index, name in entries]


def test_pseudo_fields_of_the_static_table(client: Client):
    """RFC 7541 2.3.1: :method and :path of the static table are the right ones."""
    seen = ask(client, indexed(3) + indexed(6) + indexed(5) + literal(1, b"example.org"))
    assert (seen["method"], seen["path"]) == ("POST", "/index.html")


def test_entries_of_the_dynamic_table(client: Client):
    """RFC 7541 2.3.2: the newest entry has the lowest index."""
    ask_fields(client, *(literal(b"x-%d" % i, b"value", INDEXING) for i in range(3)))
    fields = ask_fields(client, indexed(NEWEST), indexed(NEWEST + 1), indexed(NEWEST + 2))
    assert fields == [("x-2", "value"), ("x-1", "value"), ("x-0", "value")]


def test_an_entry_can_be_used_in_its_own_block(client: Client):
    """RFC 7541 3.2: what was just put into the table is there for the next representation."""
    fields = ask_fields(client, literal(b"x-field", b"value", INDEXING), indexed(NEWEST))
    assert fields == [("x-field", "value")] * 2


def test_entries_may_be_equal(client: Client):
    """RFC 7541 2.3.2: the table may have the same entry twice."""
    entry = literal(b"x-field", b"value", INDEXING)
    ask_fields(client, entry, entry)
    assert ask_fields(client, indexed(NEWEST + 1)) == [("x-field", "value")]


def test_an_index_above_both_tables(client: Client):
    """RFC 7541 2.3.3: an index above both tables is a decoding error, though they are as they begin."""
    expect_decoding_error(client, indexed(NEWEST))


def test_an_index_above_the_dynamic_table(client: Client):
    """RFC 7541 2.3.3: the dynamic table ends with its oldest entry."""
    ask_fields(client, literal(b"x-field", b"value", INDEXING))
    expect_decoding_error(client, indexed(NEWEST + 1))


def test_an_index_far_above_both_tables(client: Client):
    """RFC 7541 2.3.3: it is one however far it is."""
    expect_decoding_error(client, indexed(100_000))


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_the_index_of_a_name_above_both_tables(client: Client, kind: tuple[int, int]):
    """RFC 7541 2.3.3: it is one in a literal, too."""
    expect_decoding_error(client, literal(NEWEST, b"value", kind))


# 4 Dynamic table management


def build_entry(size: int) -> bytes:
    """Return a literal whose entry takes so many bytes of the table: section 4.1 adds 32 to those of name and value."""
    return literal(b"x-entry", b"v" * (size - 32 - len(b"x-entry")), INDEXING)


def test_an_entry_as_large_as_the_table(client: Client):
    """RFC 7541 4.1: an entry that fills the table is in it."""
    assert client.setting(Setting.HEADER_TABLE_SIZE, 4096) >= 4096
    ask_fields(client, build_entry(4096))
    assert ask_fields(client, indexed(NEWEST))[0][0] == "x-entry"


def test_an_entry_larger_than_the_table(client: Client):
    """RFC 7541 4.4: an entry that does not fit empties the table, and is no error."""
    ask_fields(client, literal(b"x-field", b"value", INDEXING))
    assert ask_fields(client, build_entry(4097))[0][0] == "x-entry"
    expect_decoding_error(client, indexed(NEWEST))


def test_entries_are_evicted_from_the_end(client: Client):
    """RFC 7541 4.4: the oldest entries make room for a new one, and only as many as must."""
    ask_fields(client, *(literal(b"x-%d" % i, b"v" * 1000, INDEXING) for i in range(3)))  # 3 * 1035 bytes
    ask_fields(client, literal(b"x-3", b"v" * 1000, INDEXING))  # evicts x-0
    names = [name for name, _ in ask_fields(client, indexed(NEWEST), indexed(NEWEST + 2))]
    assert names == ["x-3", "x-1"]
    expect_decoding_error(client, indexed(NEWEST + 3))


def test_the_name_of_an_entry_that_is_evicted(client: Client):
    """RFC 7541 4.4: a new entry may take its name from one that it evicts."""
    ask_fields(client, build_entry(4096))
    fields = ask_fields(client, literal(NEWEST, b"w" * 4000, INDEXING))
    assert fields == [("x-entry", "w" * 4000)]
    assert ask_fields(client, indexed(NEWEST)) == fields


def test_a_smaller_table_evicts(client: Client):
    """RFC 7541 4.3: a size update evicts what does not fit any more."""
    ask_fields(client, *(literal(b"x-%d" % i, b"value", INDEXING) for i in range(3)))  # 3 * 40 bytes
    fields = ask(client, size_update(80) + build_get(b"/", indexed(NEWEST), indexed(NEWEST + 1)))["fields"]
    assert [name for name, _ in fields if name != "host"] == ["x-2", "x-1"]
    expect_decoding_error(client, indexed(NEWEST + 2))


def test_an_empty_table(client: Client):
    """RFC 7541 4.2 and 4.3: a size of 0 empties the table, and it stays empty."""
    ask_fields(client, literal(b"x-field", b"value", INDEXING))
    ask(client, size_update(0) + build_get())
    assert ask_fields(client, literal(b"x-field", b"value", INDEXING)) == [("x-field", "value")]
    expect_decoding_error(client, indexed(NEWEST))


def test_a_table_that_was_emptied_and_made_large_again(client: Client):
    """RFC 7541 4.2: two updates in one block empty the table and give it its size."""
    ask_fields(client, literal(b"x-old", b"value", INDEXING))
    ask(client, size_update(0) + size_update(4096) + build_get(b"/", literal(b"x-new", b"value", INDEXING)))
    assert ask_fields(client, indexed(NEWEST)) == [("x-new", "value")]
    expect_decoding_error(client, indexed(NEWEST + 1))


@pytest.mark.parametrize("before", [1, 4], ids=["behind-the-first-field", "at-the-end"])
def test_a_size_update_behind_a_field(client: Client, before: int):
    """RFC 7541 4.2: a size update behind a field is a decoding error."""
    fields = [indexed(2), indexed(6), literal(4, b"/"), literal(1, b"example.org")]
    client.open(b"".join([*fields[:before], size_update(1), *fields[before:]]))
    client.expect_connection_error(Code.COMPRESSION_ERROR)


# 5.1 Integer representation


@pytest.mark.parametrize("length", [126, 127, 128, 254, 255, 4_000])
def test_lengths_at_the_edges_of_integers(client: Client, length: int):
    """RFC 7541 5.1: integers at and beyond what the prefix holds."""
    value = b"v" * length
    assert ask_fields(client, literal(b"x-field", value)) == [("x-field", value.decode())]


@pytest.mark.parametrize("index", [14, 15, 16, 30, 31])
def test_indices_at_the_edges_of_integers(client: Client, index: int):
    """RFC 7541 5.1: integers with a prefix of 4 bits."""
    name = HeaderTable.STATIC_TABLE[index - 1][0].decode()
    if index == 14:
        client.expect_malformed(client.open(build_get(b"/", literal(index, b"200"))))  # :status
    else:
        assert ask_fields(client, literal(index, b"value")) == [(name, "value")]


def test_an_integer_with_more_bytes_than_it_needs(client: Client):
    """RFC 7541 5.1: an integer may have zeros in front, unless that is more than an implementation takes: a decoding error."""
    value = b"v" * 127
    stream = client.open(build_get(b"/small", b"\x00" + string(b"x-field") + b"\x7f\x80\x00" + value))
    client.read_until(
        lambda _: client.streams[stream].closed or client.referee.goaway is not None, "an answer"
    )
    if client.referee.goaway is None:
        client.expect_response(stream)
    else:
        assert client.referee.goaway[1] == Code.COMPRESSION_ERROR


@pytest.mark.parametrize(
    "encoded",
    [
        b"\xff" + b"\xff" * 5 + b"\x0f",
        b"\xff" + b"\xff" * 10 + b"\x01",
        b"\xff" + b"\xff" * 100 + b"\x01",
        b"\xff" + b"\x80" * 100 + b"\x00",
        b"\x3f" + b"\xff" * 10 + b"\x01",
    ],
    ids=["2^42", "2^70", "2^700", "zeros", "size-update"],
)
def test_integers_that_are_too_large(client: Client, encoded: bytes):
    """RFC 7541 5.1: an integer that is too large, or too long, is a decoding error."""
    client.open(encoded + build_get() if encoded[0] == 0x3F else build_get(b"/", encoded))
    client.expect_connection_error(Code.COMPRESSION_ERROR)


def test_an_integer_without_its_end(client: Client):
    """RFC 7541 5.1: a block that ends within an integer is a decoding error."""
    expect_decoding_error(client, b"\xff\x80")


# 5.2 String literal representation


def test_every_byte_in_the_huffman_code(client: Client):
    """RFC 7541 5.2: each byte that a value may have, in its Huffman code."""
    value = bytes(range(0x21, 0x7F)) + bytes(range(0x80, 0x100)) + b" \t."
    fields = ask_fields(client, literal(b"x-field", value, huffman=True))
    assert fields == [("x-field", value.decode("latin-1"))]


@pytest.mark.parametrize("length", range(1, 9))
def test_huffman_codes_of_every_length_of_padding(client: Client, length: int):
    """RFC 7541 5.2: padding of 0 to 7 bits."""
    value = b"a" * length  # of 5 bits each
    assert ask_fields(client, literal(b"x-field", value, huffman=True)) == [("x-field", value.decode())]


def test_empty_strings(client: Client):
    """RFC 7541 5.2: a string may be empty, in the Huffman code, too."""
    fields = ask_fields(client, literal(b"x-plain", b""), b"\x00" + string(b"x-coded") + b"\x80")
    assert fields == [("x-plain", ""), ("x-coded", "")]


def test_padding_longer_than_7_bits(client: Client):
    """RFC 7541 5.2: padding longer than 7 bits is a decoding error."""
    coded = string(b"value", huffman=True)
    expect_decoding_error(client, b"\x00" + string(b"x-field") + bytes([coded[0] + 1]) + coded[1:] + b"\xff")


def test_padding_that_is_all_of_a_string(client: Client):
    """RFC 7541 5.2: a string of one byte of padding is a decoding error."""
    expect_decoding_error(client, b"\x00" + string(b"x-field") + b"\x81\xff")


def test_padding_of_zeros(client: Client):
    """RFC 7541 5.2: padding with other bits than those of EOS is a decoding error."""
    coded = string(b"a", huffman=True)  # 00011, and 3 bits of padding
    assert coded == b"\x81\x1f"
    expect_decoding_error(client, b"\x00" + string(b"x-field") + b"\x81\x18")


def test_the_code_of_eos(client: Client):
    """RFC 7541 5.2: the EOS symbol in a string is a decoding error."""
    expect_decoding_error(client, b"\x00" + string(b"x-field") + b"\x84\xff\xff\xff\xff")


def test_the_code_of_eos_within_a_string(client: Client):
    """RFC 7541 5.2: it is one wherever it stands: here between two letters."""
    bits = "00011" + "1" * 30 + "00011"
    coded = int(bits, 2).to_bytes(5, "big")
    expect_decoding_error(client, b"\x00" + string(b"x-field") + bytes([0x80 | len(coded)]) + coded)


@pytest.mark.parametrize("place", ["name", "value"])
@pytest.mark.parametrize("huffman", [False, True], ids=["plain", "huffman"])
def test_a_string_longer_than_its_block(client: Client, place: str, huffman: bool):
    """RFC 7541 5.2: a block that ends within a string is a decoding error."""
    cut = integer(100, 7, 0x80 if huffman else 0) + b"cut"
    expect_decoding_error(client, b"\x00" + (cut if place == "name" else string(b"x-field") + cut))


@pytest.mark.parametrize("end", range(1, 12))
def test_a_literal_without_its_end(client: Client, end: int):
    """RFC 7541 6.2: a block that ends within a literal is a decoding error, wherever that is."""
    whole = literal(b"x-fiel", b"val")
    assert len(whole) == 12
    expect_decoding_error(client, whole[:end])


# 6.1 Indexed header field representation


def test_indexed(client: Client):
    """RFC 7541 6.1: a field of the dynamic table."""
    ask_fields(client, literal(b"x-field", b"value", INDEXING))
    assert ask_fields(client, indexed(NEWEST)) == [("x-field", "value")]


def test_index_0(client: Client):
    """RFC 7541 6.1: the index 0 is a decoding error."""
    expect_decoding_error(client, b"\x80")


# 6.2 Literal header field representation


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
@pytest.mark.parametrize("huffman", [False, True], ids=["plain", "huffman"])
@pytest.mark.parametrize("name", [b"x-field", 58], ids=["new-name", "indexed-name"])
def test_literals(client: Client, kind: tuple[int, int], huffman: bool, name: bytes | int):
    """RFC 7541 6.2: literals of each kind, with a new name or an indexed one, plain or in the Huffman code."""
    fields = ask_fields(client, literal(name, b"value", kind, huffman=huffman))
    assert fields == [("user-agent" if name == 58 else "x-field", "value")]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_literals_with_a_name_of_the_dynamic_table(client: Client, kind: tuple[int, int]):
    """RFC 7541 6.2: the name of an entry can be used with another value."""
    ask_fields(client, literal(b"x-field", b"value", INDEXING))
    assert ask_fields(client, literal(NEWEST, b"other", kind)) == [("x-field", "other")]


@pytest.mark.parametrize("kind", [WITHOUT_INDEXING, NEVER_INDEXED], ids=["without-indexing", "never-indexed"])
def test_literals_that_are_not_kept(client: Client, kind: tuple[int, int]):
    """RFC 7541 6.2.2 and 6.2.3: literals without indexing leave the table as it is."""
    ask_fields(client, literal(b"x-field", b"value", kind))
    expect_decoding_error(client, indexed(NEWEST))


# 6.3 Dynamic table size update


def test_size_update(client: Client):
    """RFC 7541 6.3: a size update may stand at the beginning of a block."""
    client.expect_response(client.open(size_update(128) + build_get(b"/small")))


def test_two_size_updates(client: Client):
    """RFC 7541 4.2 and 6.3: two of them may."""
    client.expect_response(client.open(size_update(128) + size_update(4096) + build_get(b"/small")))


def test_a_size_update_above_the_limit(client: Client):
    """RFC 7541 6.3: a size above SETTINGS_HEADER_TABLE_SIZE is a decoding error."""
    client.open(size_update(client.setting(Setting.HEADER_TABLE_SIZE, 4096) + 1) + build_get())
    client.expect_connection_error(Code.COMPRESSION_ERROR)


def test_a_size_update_at_the_limit(client: Client):
    """RFC 7541 6.3: SETTINGS_HEADER_TABLE_SIZE itself is allowed."""
    client.expect_response(
        client.open(size_update(client.setting(Setting.HEADER_TABLE_SIZE, 4096)) + build_get())
    )


def test_a_size_update_without_its_end(client: Client):
    """RFC 7541 5.1 and 6.3: a block that ends within a size update is a decoding error."""
    client.open(b"\x3f")
    client.expect_connection_error(Code.COMPRESSION_ERROR)


# Appendix C

PLAIN = [
    "828684410f7777772e6578616d706c652e636f6d",
    "828684be58086e6f2d6361636865",
    "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
]
CODED = [
    "828684418cf1e3c2e5f23a6ba0ab90f4ff",
    "828684be5886a8eb10649cbf",
    "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
]


@pytest.mark.parametrize("blocks", [PLAIN, CODED], ids=["C.3", "C.4"])
def test_the_requests_of_the_appendix(client: Client, blocks: list[str]):
    """RFC 7541 C.3 and C.4: three requests on one connection that build on each other."""
    seen = [ask(client, bytes.fromhex(block)) for block in blocks]
    assert [each["path"] for each in seen] == ["/", "/", "/index.html"]
    fields = [sorted(map(tuple, each["fields"])) for each in seen]
    host = ("host", "www.example.com")
    assert fields == [
        [host],
        [("cache-control", "no-cache"), host],
        [("custom-key", "custom-value"), host],
    ]
