"""RFC 9113 section 4: frames, their size, and field blocks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from http2 import representations as rep
from http2.client import Client, build_request
from http2.frames import (
    DEFAULT_MAX_FRAME_SIZE,
    END_HEADERS,
    END_STREAM,
    PADDED,
    PRIORITY,
    Code,
    Setting,
    Type,
    build_priority,
)

Connect = Callable[..., Client]
UNKNOWN_TYPE = 0xFA

# 4.1 Frame format


def test_frames_of_unknown_type_are_ignored(client: Client):
    """RFC 9113 4.1: a frame of unknown type is discarded, on the connection."""
    client.send_frame(UNKNOWN_TYPE, 0xFF, 0, b"whatever")
    client.sync()
    client.expect_alive()


@pytest.mark.parametrize("stream", [1, 2, 3], ids=["open", "idle-of-the-server", "idle"])
def test_frames_of_unknown_type_are_ignored_on_streams(client: Client, stream: int):
    """RFC 9113 4.1 and 5.1: a frame of unknown type is discarded in any state of a stream."""
    opened = client.request("/wait", method="POST", open=True)
    client.send_frame(UNKNOWN_TYPE, END_STREAM, stream, b"whatever")
    client.send_data(opened, b"body", end_stream=True)
    assert client.expect_response(opened).body == b"body"


def test_frames_of_unknown_type_do_not_open_streams(client: Client):
    """RFC 9113 4.1: a discarded frame does not use up its stream identifier."""
    client.send_frame(UNKNOWN_TYPE, 0, 7, b"whatever")
    client.expect_response(client.request("/small"))


def test_unused_flags_are_ignored(client: Client):
    """RFC 9113 4.1: flags without meaning for a type say nothing."""
    client.send_frame(Type.SETTINGS, 0xFE)
    client.send_frame(Type.WINDOW_UPDATE, 0xFF, 0, b"\0\0\0\1")
    client.send_frame(Type.PRIORITY, 0xFF, 3, build_priority())
    block = client.encode(build_request("/wait", method="POST"))
    client.send_frame(Type.HEADERS, 0xD2, 1, block[:3])
    client.send_frame(Type.CONTINUATION, 0xFF, 1, block[3:])
    client.send_frame(Type.DATA, 0xF6, 1, b"body")
    client.send_data(1, end_stream=True)
    client.send_frame(Type.RST_STREAM, 0xFF, 1, b"\0\0\0\x08")
    client.send_frame(Type.PING, 0xFE, 0, b"8 octets")
    client.read_until(lambda frame: frame.type == Type.PING, "PING with ACK")
    client.next_stream = 3
    client.expect_alive()


def test_the_reserved_bit_is_ignored(client: Client):
    """RFC 9113 4.1: the bit before the stream identifier says nothing."""
    client.send_frame(Type.PING, 0, 0, b"8 octets", reserved=True)
    client.read_until(lambda frame: frame.type == Type.PING, "PING with ACK")
    block = client.encode(build_request("/wait", method="POST"))
    client.send_frame(Type.HEADERS, END_HEADERS, 1, block, reserved=True)
    client.send_frame(Type.DATA, END_STREAM, 1, b"body", reserved=True)
    assert client.expect_response(1).body == b"body"


def test_frames_may_come_byte_by_byte(client: Client):
    """RFC 9113 4.1: a frame is whole when its length says so, not when a read ends."""
    block = client.encode(build_request("/wait", method="POST"))
    client.send_frame(Type.HEADERS, END_HEADERS, 1, block, by_byte=True)
    client.send_frame(Type.DATA, 0, 1, b"a body", by_byte=True)
    client.send_frame(Type.DATA, END_STREAM, 1, b"", by_byte=True)
    assert client.expect_response(1).body == b"a body"


def test_many_frames_may_come_in_one_read(client: Client):
    """RFC 9113 4.1: frames that came together are all read."""
    streams = [client.request("/small") for _ in range(20)]
    for stream in streams:
        client.expect_response(stream)


# 4.2 Frame size


def test_data_of_16384_bytes_is_accepted(client: Client):
    """RFC 9113 4.2: the smallest limit there is must be usable for DATA."""
    body = b"x" * DEFAULT_MAX_FRAME_SIZE
    assert client.expect_response(client.request("/wait", method="POST", body=body)).body == body


def test_headers_of_16384_bytes_are_accepted(client: Client):
    """RFC 9113 4.2: the smallest limit there is must be usable for HEADERS; the fields may be too many for a 200 (10.5.1)."""
    overhead = len(rep.build_get(b"/small", rep.literal(b"x-long", b"x" * 8192)))
    block = rep.build_get(
        b"/small", rep.literal(b"x-long", b"x" * (8192 + DEFAULT_MAX_FRAME_SIZE - overhead))
    )
    assert len(block) == DEFAULT_MAX_FRAME_SIZE
    stream = client.open(block)
    client.read_until(lambda _: client.streams[stream].closed, "a response")
    assert client.streams[stream].status in (200, 431)
    client.expect_alive()


def test_an_unknown_frame_of_16384_bytes_is_ignored(client: Client):
    """RFC 9113 4.2: the smallest limit there is holds for unknown types, too."""
    client.send_frame(UNKNOWN_TYPE, 0, 0, b"x" * DEFAULT_MAX_FRAME_SIZE)
    client.expect_alive()


def test_data_above_the_limit(client: Client):
    """RFC 9113 4.2: DATA longer than SETTINGS_MAX_FRAME_SIZE is an error FRAME_SIZE_ERROR, of the stream or the connection."""
    stream = client.request("/wait", method="POST", open=True)
    client.send_data(stream, b"x" * (client.setting(Setting.MAX_FRAME_SIZE, DEFAULT_MAX_FRAME_SIZE) + 1))
    client.expect_error(stream, Code.FRAME_SIZE_ERROR)


def test_headers_above_the_limit(client: Client):
    """RFC 9113 4.2: a frame with a field block that is too long is a connection error FRAME_SIZE_ERROR."""
    size = client.setting(Setting.MAX_FRAME_SIZE, DEFAULT_MAX_FRAME_SIZE)
    client.send_headers(1, rep.build_get(b"/", rep.literal(b"x-long", b"x" * size)))
    client.expect_connection_error(Code.FRAME_SIZE_ERROR)


def test_a_continuation_above_the_limit(client: Client):
    """RFC 9113 4.2: a frame with a field block that is too long is a connection error FRAME_SIZE_ERROR."""
    size = client.setting(Setting.MAX_FRAME_SIZE, DEFAULT_MAX_FRAME_SIZE)
    client.send_headers(1, rep.build_get(), end_headers=False)
    client.send_continuation(1, rep.literal(b"x-long", b"x" * size))
    client.expect_connection_error(Code.FRAME_SIZE_ERROR)


def test_settings_above_the_limit(client: Client):
    """RFC 9113 4.2: SETTINGS that are too long are a connection error FRAME_SIZE_ERROR."""
    size = client.setting(Setting.MAX_FRAME_SIZE, DEFAULT_MAX_FRAME_SIZE)
    client.send_settings([(Setting.ENABLE_PUSH, 0)] * (size // 6 + 1))
    client.expect_connection_error(Code.FRAME_SIZE_ERROR)


def test_an_unknown_frame_above_the_limit(client: Client):
    """RFC 9113 4.2: the limit holds for unknown types, too; on stream 0 it is a connection error FRAME_SIZE_ERROR."""
    size = client.setting(Setting.MAX_FRAME_SIZE, DEFAULT_MAX_FRAME_SIZE)
    client.send_frame(UNKNOWN_TYPE, 0, 0, b"x" * (size + 1))
    client.expect_connection_error(Code.FRAME_SIZE_ERROR)


def test_headers_too_short_for_the_fields_of_priority(client: Client):
    """RFC 9113 4.2: HEADERS without room for what the PRIORITY flag announces is a connection error FRAME_SIZE_ERROR."""
    client.send_headers(1, b"\0\0\0\0", flags=PRIORITY)
    client.expect_connection_error(Code.FRAME_SIZE_ERROR)


def test_headers_too_short_for_the_length_of_padding(client: Client):
    """RFC 9113 4.2: HEADERS without room for what the PADDED flag announces is a connection error FRAME_SIZE_ERROR."""
    client.send_headers(1, b"", flags=PADDED)
    client.expect_connection_error(Code.FRAME_SIZE_ERROR)


def test_data_too_short_for_the_length_of_padding(client: Client):
    """RFC 9113 4.2: DATA without room for what the PADDED flag announces is an error FRAME_SIZE_ERROR."""
    stream = client.request("/wait", method="POST", open=True)
    client.send_data(stream, b"", flags=PADDED)
    client.expect_error(stream, Code.FRAME_SIZE_ERROR)


def test_the_server_sends_frames_no_longer_than_allowed(connect: Connect):
    """RFC 9113 4.2: frames of more than 16384 bytes are only sent to who has asked for them."""
    client = connect({Setting.INITIAL_WINDOW_SIZE: 2**20})
    client.send_window_update(0, 2**20)
    assert len(client.expect_response(client.request("/large")).body) == 200_000


# 4.3 Field blocks


def test_a_field_block_that_cannot_be_decoded(client: Client):
    """RFC 9113 4.3: a decoding error is a connection error COMPRESSION_ERROR."""
    client.send_headers(1, b"\x40")
    client.expect_connection_error(Code.COMPRESSION_ERROR)


def test_trailers_that_cannot_be_decoded(client: Client):
    """RFC 9113 4.3: it is one in a trailer section, too."""
    stream = client.request("/wait", method="POST", open=True)
    client.send_headers(stream, b"\x40")
    client.expect_connection_error(Code.COMPRESSION_ERROR)


def test_a_field_block_that_cannot_be_decoded_on_a_stream_that_is_no_more(client: Client):
    """RFC 9113 4.3: blocks are decoded even if the frames are to be discarded, so errors in them count."""
    stream = client.request("/wait", method="POST", open=True)
    client.send_rst_stream(stream)
    client.send_headers(stream, b"\x40")
    client.read_until(lambda frame: frame.type == Type.GOAWAY, "GOAWAY")
    assert client.referee.goaway
    assert client.referee.goaway[1] in (Code.COMPRESSION_ERROR, Code.STREAM_CLOSED)
    client.expect_end()


def test_a_field_block_may_be_cut_anywhere(client: Client):
    """RFC 9113 4.3: fragments are joined before they are decoded."""
    block = rep.build_get(b"/small", rep.literal(b"x-field", b"a value", huffman=True))
    for cut in range(len(block) + 1):
        stream = client.next_stream
        client.send_headers(stream, block[:cut], end_headers=False)
        client.send_continuation(stream, block[cut:])
        client.expect_response(stream)


def test_a_field_block_may_be_cut_often(client: Client):
    """RFC 9113 4.3 and 6.10: there may be several fragments; how many is up to the server, but a few there must be."""
    block = rep.build_get(b"/small")
    client.send_headers(1, block[:1], end_headers=False)
    for i in range(1, 7):
        client.send_continuation(1, block[i : i + 1], end_headers=False)
    client.send_continuation(1, block[7:])
    client.expect_response(1)


def test_fragments_may_be_empty(client: Client):
    """RFC 9113 4.3: a fragment without bytes is one."""
    block = client.encode(build_request("/small"))
    client.send_headers(1, b"", end_headers=False)
    client.send_continuation(1, b"", end_headers=False)
    client.send_continuation(1, block, end_headers=False)
    client.send_continuation(1, b"")
    client.expect_response(1)


def test_every_block_is_decoded_in_its_order(client: Client):
    """RFC 9113 4.3.1: the state of compression goes from block to block over all streams."""
    for _ in range(3):
        for path in ("/small", "/", "/empty"):
            stream = client.request(path, ("x-field", "the same"), ("x-path", path))
            client.expect_response(stream, 204 if path == "/empty" else 200)


def test_blocks_of_refused_requests_count(client: Client):
    """RFC 9113 4.3: what a refused request has put into the dynamic table is there for the next one."""
    entry = rep.literal(b"x-kept", b"value", rep.INDEXING)
    stream = client.open(rep.build_get(b"/", rep.literal(b"X-Upper", b"value"), entry))
    client.expect_malformed(stream)
    client.expect_response(client.open(rep.build_get(b"/small", rep.indexed(62))))


@pytest.mark.parametrize("size", [0, 100])
def test_a_smaller_table_is_confirmed_in_the_next_block(client: Client, size: int):
    """RFC 9113 4.3.1: when we allow a smaller table, the server's next block begins with an update of its size."""
    client.expect_response(client.request())
    client.send_settings({Setting.HEADER_TABLE_SIZE: size})
    client.expect_settings_acknowledged()
    client.expect_response(client.request())  # the referee's decoder refuses a block without
    assert client.referee.blocks[-1][0] & 0xE0 == 0x20
    client.expect_response(client.request())


def test_the_smallest_table_in_between_is_confirmed(client: Client):
    """RFC 9113 4.3.1 and RFC 7541 4.2: a table that was made small and large again is emptied all the same."""
    client.expect_response(client.request())
    client.send_settings({Setting.HEADER_TABLE_SIZE: 0})
    client.send_settings({Setting.HEADER_TABLE_SIZE: 4096})
    client.expect_settings_acknowledged()
    client.expect_response(client.request())
    assert client.referee.blocks[-1][:1] == rep.size_update(0)
    client.expect_response(client.request())


def test_a_larger_table_needs_no_answer(client: Client):
    """RFC 9113 4.3.1: an encoder may use less than it is allowed."""
    client.send_settings({Setting.HEADER_TABLE_SIZE: 2**32 - 1})
    client.expect_settings_acknowledged()
    for _ in range(3):
        client.expect_alive()
