"""RFC 9113 sections 6.2 and 6.10: HEADERS and CONTINUATION."""

from __future__ import annotations

import pytest
from http2.client import Client, build_request
from http2.frames import (
    END_HEADERS,
    END_STREAM,
    PADDED,
    PRIORITY,
    Code,
    Frame,
    Type,
    build_padded,
    build_priority,
    build_settings,
)

# Every frame that is not CONTINUATION of stream 1.
OTHER_FRAMES = {
    "data": Frame(Type.DATA, 0, 1, b"test"),
    "headers": Frame(Type.HEADERS, END_HEADERS | END_STREAM, 1, b"\x82\x84\x86"),
    "headers-of-another-stream": Frame(Type.HEADERS, END_HEADERS | END_STREAM, 3, b"\x82\x84\x86"),
    "priority": Frame(Type.PRIORITY, 0, 1, build_priority()),
    "rst-stream": Frame(Type.RST_STREAM, 0, 1, b"\0\0\0\x08"),
    "settings": Frame(Type.SETTINGS, 0, 0, build_settings({2: 0})),
    "settings-ack": Frame(Type.SETTINGS, 1),
    "ping": Frame(Type.PING, 0, 0, b"8 octets"),
    "goaway": Frame(Type.GOAWAY, 0, 0, b"\0" * 8),
    "window-update": Frame(Type.WINDOW_UPDATE, 0, 0, b"\0\0\0\1"),
    "continuation-of-another-stream": Frame(Type.CONTINUATION, END_HEADERS, 3, b""),
    "priority-update": Frame(Type.PRIORITY_UPDATE, 0, 0, b"\0\0\0\1u=1"),
    "unknown": Frame(0xFA, 0, 0, b"test"),
}


@pytest.fixture
def block(client: Client) -> bytes:
    """The field block of a request."""
    return client.encode(build_request("/small"))


# 6.2 HEADERS


def test_headers(client: Client, block: bytes):
    """RFC 9113 6.2: HEADERS with END_HEADERS and END_STREAM is a whole request."""
    client.send_headers(1, block)
    client.expect_response(1)


@pytest.mark.parametrize("padding", [0, 1, 255])
def test_headers_with_padding(client: Client, block: bytes, padding: int):
    """RFC 9113 6.2: padding is dropped."""
    client.send_headers(1, build_padded(block, padding), flags=PADDED)
    client.expect_response(1)


def test_headers_with_priority(client: Client, block: bytes):
    """RFC 9113 6.2: the fields of a priority are not part of the field block."""
    client.send_headers(1, build_priority(0, 256, exclusive=True) + block, flags=PRIORITY)
    client.expect_response(1)


def test_headers_with_padding_and_priority(client: Client, block: bytes):
    """RFC 9113 6.2: the padding's length comes first, then the priority."""
    client.send_headers(1, build_padded(build_priority() + block, 9), flags=PADDED | PRIORITY)
    client.expect_response(1)


def test_headers_with_end_stream_before_continuation(client: Client, block: bytes):
    """RFC 9113 6.2: END_STREAM stands in HEADERS, though CONTINUATION follows."""
    client.send_headers(1, block[:5], end_headers=False)
    client.send_continuation(1, block[5:])
    client.expect_response(1)


def test_headers_with_padding_before_continuation(client: Client, block: bytes):
    """RFC 9113 6.2: padding ends the frame, not the field block."""
    client.send_headers(1, build_padded(block[:5], 7), end_headers=False, flags=PADDED)
    client.send_continuation(1, block[5:])
    client.expect_response(1)


def test_end_stream_on_continuation_says_nothing(client: Client):
    """RFC 9113 6.10: CONTINUATION has no END_STREAM: the body is still to come."""
    block = client.encode(build_request("/wait", method="POST"))
    client.send_headers(1, block[:5], end_headers=False, end_stream=False)
    client.send_frame(Type.CONTINUATION, END_HEADERS | END_STREAM, 1, block[5:])
    client.send_data(1, b"test", end_stream=True)
    assert client.expect_response(1).body == b"test"


def test_headers_on_stream_0(client: Client, block: bytes):
    """RFC 9113 6.2: HEADERS without a stream is a connection error PROTOCOL_ERROR."""
    client.send_headers(0, block)
    client.expect_connection_error(Code.PROTOCOL_ERROR)


@pytest.mark.parametrize("excess", [1, 2])
def test_headers_with_too_much_padding(client: Client, block: bytes, excess: int):
    """RFC 9113 6.2: padding as long as the payload, or longer, is a connection error PROTOCOL_ERROR."""
    payload = build_padded(block, 0, declared=len(block) + excess)
    client.send_headers(1, payload, flags=PADDED)
    client.expect_connection_error(Code.PROTOCOL_ERROR)


def test_padding_that_leaves_no_room_for_the_priority(client: Client):
    """RFC 9113 6.2: padding that reaches into the fields of the priority is a connection error PROTOCOL_ERROR."""
    client.send_headers(1, build_padded(build_priority(), 0, declared=3), flags=PADDED | PRIORITY)
    client.expect_connection_error(Code.PROTOCOL_ERROR, Code.FRAME_SIZE_ERROR)


def test_headers_with_padding_that_is_not_zero(client: Client, block: bytes):
    """RFC 9113 6.2: padding that is not zero may be a connection error PROTOCOL_ERROR; if not, it is dropped."""
    client.send_headers(1, build_padded(block, 5, byte=b"\xff"), flags=PADDED)
    client.read_until(lambda _: client.streams[1].closed or client.referee.goaway is not None, "an answer")
    if client.referee.goaway is None:
        client.expect_response(1)
    else:
        assert client.referee.goaway[1] == Code.PROTOCOL_ERROR


@pytest.mark.parametrize("other", OTHER_FRAMES.values(), ids=OTHER_FRAMES.keys())
def test_another_frame_behind_headers_that_go_on(client: Client, block: bytes, other: Frame):
    """RFC 9113 4.3 and 6.2: any frame but CONTINUATION of this stream is a connection error PROTOCOL_ERROR."""
    client.send_headers(1, block[:5], end_headers=False)
    client.send_frame(other.type, other.flags, other.stream, other.payload)
    client.send_continuation(1, block[5:])
    client.expect_connection_error(Code.PROTOCOL_ERROR)


# 6.10 CONTINUATION


def test_continuation(client: Client, block: bytes):
    """RFC 9113 6.10: CONTINUATION goes on where HEADERS stopped."""
    client.send_headers(1, block[:1], end_headers=False)
    client.send_continuation(1, block[1:])
    client.expect_response(1)


def test_several_continuations(client: Client, block: bytes):
    """RFC 9113 6.10: there may be several, the last one with END_HEADERS."""
    client.send_headers(1, block[:1], end_headers=False)
    client.send_continuation(1, block[1:3], end_headers=False)
    client.send_continuation(1, block[3:5], end_headers=False)
    client.send_continuation(1, block[5:])
    client.expect_response(1)


def test_continuation_of_trailers(client: Client):
    """RFC 9113 6.10: a trailer section may go on in CONTINUATION, too."""
    stream = client.request("/wait", method="POST", open=True)
    client.send_data(stream, b"test")
    trailers = client.encode([("x-trailer", "value")])
    client.send_headers(stream, trailers[:2], end_headers=False)
    client.send_continuation(stream, trailers[2:])
    assert client.expect_response(stream).body == b"test"


@pytest.mark.parametrize("other", OTHER_FRAMES.values(), ids=OTHER_FRAMES.keys())
def test_another_frame_behind_a_continuation_that_goes_on(client: Client, block: bytes, other: Frame):
    """RFC 9113 6.10: any frame but CONTINUATION of this stream is a connection error PROTOCOL_ERROR."""
    client.send_headers(1, block[:2], end_headers=False)
    client.send_continuation(1, block[2:5], end_headers=False)
    client.send_frame(other.type, other.flags, other.stream, other.payload)
    client.expect_connection_error(Code.PROTOCOL_ERROR)


def test_continuation_on_stream_0(client: Client, block: bytes):
    """RFC 9113 6.10: CONTINUATION without a stream is a connection error PROTOCOL_ERROR."""
    client.send_headers(1, block[:5], end_headers=False)
    client.send_continuation(0, block[5:])
    client.expect_connection_error(Code.PROTOCOL_ERROR)


def test_continuation_as_a_first_frame(client: Client, block: bytes):
    """RFC 9113 6.10: CONTINUATION that continues nothing, on stream 0, is a connection error PROTOCOL_ERROR."""
    client.send_continuation(0, block)
    client.expect_connection_error(Code.PROTOCOL_ERROR)


def test_continuation_behind_headers_that_ended(client: Client, block: bytes):
    """RFC 9113 6.10: CONTINUATION behind HEADERS with END_HEADERS is a connection error PROTOCOL_ERROR."""
    client.send_headers(1, block, end_stream=False)
    client.send_continuation(1, b"")
    client.expect_connection_error(Code.PROTOCOL_ERROR)


def test_continuation_behind_a_continuation_that_ended(client: Client, block: bytes):
    """RFC 9113 6.10: CONTINUATION behind CONTINUATION with END_HEADERS is a connection error PROTOCOL_ERROR."""
    client.send_headers(1, block[:5], end_headers=False, end_stream=False)
    client.send_continuation(1, block[5:])
    client.send_continuation(1, b"")
    client.expect_connection_error(Code.PROTOCOL_ERROR)


def test_continuation_behind_data(client: Client):
    """RFC 9113 6.10: CONTINUATION behind DATA is a connection error PROTOCOL_ERROR."""
    stream = client.request("/wait", method="POST", open=True)
    client.send_data(stream, b"test")
    client.send_continuation(stream, client.encode([("x-field", "value")]))
    client.expect_connection_error(Code.PROTOCOL_ERROR)
