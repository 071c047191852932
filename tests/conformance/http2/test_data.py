"""RFC 9113 section 6.1: DATA."""

from __future__ import annotations

import pytest
from http2.client import Client
from http2.frames import PADDED, Code, build_padded


@pytest.fixture
def stream(client: Client) -> int:
    """An open stream whose request waits for its body."""
    return client.request("/wait", method="POST", open=True)


def test_a_body_in_one_frame(client: Client, stream: int):
    """RFC 9113 6.1: one DATA frame is a body."""
    client.send_data(stream, b"test", end_stream=True)
    assert client.expect_response(stream).body == b"test"


def test_a_body_in_several_frames(client: Client, stream: int):
    """RFC 9113 6.1: several DATA frames are one body."""
    for piece in (b"one", b"two", b"three"):
        client.send_data(stream, piece)
    client.send_data(stream, b"four", end_stream=True)
    assert client.expect_response(stream).body == b"onetwothreefour"


def test_a_body_may_end_with_an_empty_frame(client: Client, stream: int):
    """RFC 9113 6.1: a frame without data may say that the body has ended."""
    client.send_data(stream, b"test")
    client.send_data(stream, b"", end_stream=True)
    assert client.expect_response(stream).body == b"test"


def test_a_body_may_have_empty_frames(client: Client, stream: int):
    """RFC 9113 6.1: a frame without data is nothing special."""
    client.send_data(stream, b"")
    client.send_data(stream, b"test")
    client.send_data(stream, b"", end_stream=True)
    assert client.expect_response(stream).body == b"test"


@pytest.mark.parametrize("padding", [0, 1, 5, 255])
def test_padding_is_no_data(client: Client, stream: int, padding: int):
    """RFC 9113 6.1: padding is dropped."""
    client.send_data(stream, build_padded(b"test", padding), end_stream=True, flags=PADDED)
    assert client.expect_response(stream).body == b"test"


@pytest.mark.parametrize("padding", [0, 5, 255])
def test_a_frame_may_be_all_padding(client: Client, stream: int, padding: int):
    """RFC 9113 6.1: padding may be all that a frame has."""
    client.send_data(stream, build_padded(b"", padding), flags=PADDED)
    client.send_data(stream, build_padded(b"test", 0), flags=PADDED, end_stream=True)
    assert client.expect_response(stream).body == b"test"


def test_data_on_stream_0(client: Client):
    """RFC 9113 6.1: DATA without a stream is a connection error PROTOCOL_ERROR."""
    client.send_data(0, b"test", end_stream=True)
    client.expect_connection_error(Code.PROTOCOL_ERROR)


@pytest.mark.parametrize("declared", [5, 6, 255])
def test_padding_longer_than_the_frame(client: Client, stream: int, declared: int):
    """RFC 9113 6.1: padding as long as the payload, or longer, is a connection error PROTOCOL_ERROR."""
    client.send_data(stream, build_padded(b"test", 0, declared=declared), flags=PADDED)
    client.expect_connection_error(Code.PROTOCOL_ERROR)


def test_padding_longer_than_a_frame_of_one_byte(client: Client, stream: int):
    """RFC 9113 6.1: it is so where the length of the padding is all there is."""
    client.send_data(stream, b"\x01", flags=PADDED)
    client.expect_connection_error(Code.PROTOCOL_ERROR)


def test_padding_that_is_not_zero(client: Client, stream: int):
    """RFC 9113 6.1: padding that is not zero may be a connection error PROTOCOL_ERROR; if not, it is dropped."""
    client.send_data(stream, build_padded(b"test", 5, byte=b"\xff"), flags=PADDED, end_stream=True)
    client.read_until(
        lambda _: client.streams[stream].closed or client.referee.goaway is not None, "an answer"
    )
    if client.referee.goaway is None:
        assert client.expect_response(stream).body == b"test"
    else:
        assert client.referee.goaway[1] == Code.PROTOCOL_ERROR
