"""RFC 9113 sections 6.3, 6.4, 6.6, 6.7 and 6.8: PRIORITY, RST_STREAM, PUSH_PROMISE, PING and GOAWAY."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from http2.client import Client, build_request
from http2.frames import ACK, END_HEADERS, PADDED, Code, Setting, Type, build_priority

Connect = Callable[..., Client]

# 6.3 PRIORITY


def test_priority_on_stream_0(client: Client):
    """RFC 9113 6.3: PRIORITY without a stream is a connection error PROTOCOL_ERROR."""
    client.send_frame(Type.PRIORITY, 0, 0, build_priority())
    client.expect_connection_error(Code.PROTOCOL_ERROR)


@pytest.mark.parametrize("size", [0, 4, 6])
def test_priority_of_a_wrong_length(client: Client, size: int):
    """RFC 9113 6.3: PRIORITY of another length than 5 is a stream error FRAME_SIZE_ERROR."""
    stream = client.request("/wait", method="POST", open=True)
    client.send_frame(Type.PRIORITY, 0, stream, b"\0" * size)
    client.expect_stream_error(stream, Code.FRAME_SIZE_ERROR)


def test_priority_does_not_end_a_request(client: Client):
    """RFC 9113 6.3: PRIORITY changes no state."""
    stream = client.request("/wait", method="POST", open=True)
    client.send_frame(Type.PRIORITY, 0, stream, build_priority())
    client.send_data(stream, b"test", end_stream=True)
    assert client.expect_response(stream).body == b"test"


# 6.4 RST_STREAM


@pytest.mark.parametrize("code", [Code.NO_ERROR, Code.CANCEL, Code.INTERNAL_ERROR])
def test_rst_stream(client: Client, code: Code):
    """RFC 9113 6.4: RST_STREAM ends a stream, whatever the reason; the connection goes on."""
    stream = client.request("/wait", method="POST", open=True)
    client.send_rst_stream(stream, code)
    client.sync()
    client.expect_alive()
    assert not client.streams[stream].closed


def test_rst_stream_ends_a_response(connect: Connect):
    """RFC 9113 6.4: nothing is sent on a stream that was reset."""
    client = connect({Setting.INITIAL_WINDOW_SIZE: 10})
    stream = client.request("/large")
    client.expect_body(stream, 10)
    client.send_rst_stream(stream)
    client.send_window_update(stream, 1000)
    assert [frame for frame in client.sync() if frame.stream == stream] == []
    client.expect_alive()
    assert len(client.streams[stream].body) == 10


def test_rst_stream_on_stream_0(client: Client):
    """RFC 9113 6.4: RST_STREAM without a stream is a connection error PROTOCOL_ERROR."""
    client.send_rst_stream(0)
    client.expect_connection_error(Code.PROTOCOL_ERROR)


def test_rst_stream_on_an_idle_stream(client: Client):
    """RFC 9113 6.4: RST_STREAM on a stream that was never opened is a connection error PROTOCOL_ERROR."""
    client.expect_response(client.request())
    client.send_rst_stream(3)
    client.expect_connection_error(Code.PROTOCOL_ERROR)


@pytest.mark.parametrize("size", [0, 3, 5])
def test_rst_stream_of_a_wrong_length(client: Client, size: int):
    """RFC 9113 6.4: RST_STREAM of another length than 4 is a connection error FRAME_SIZE_ERROR."""
    stream = client.request("/wait", method="POST", open=True)
    client.send_frame(Type.RST_STREAM, 0, stream, b"\0" * size)
    client.expect_connection_error(Code.FRAME_SIZE_ERROR)


# 6.6 PUSH_PROMISE


@pytest.mark.parametrize("stream", [0, 1, 3], ids=["stream-0", "open", "idle"])
@pytest.mark.parametrize("promised", [2, 3])
def test_push_promise_from_a_client(client: Client, stream: int, promised: int):
    """RFC 9113 6.6 and 8.4: a client's PUSH_PROMISE is a connection error PROTOCOL_ERROR."""
    client.request("/wait", method="POST", open=True)
    payload = promised.to_bytes(4, "big") + client.encode(build_request())
    client.send_frame(Type.PUSH_PROMISE, END_HEADERS, stream, payload)
    client.expect_connection_error(Code.PROTOCOL_ERROR)


def test_push_promise_that_goes_on(client: Client):
    """RFC 9113 6.6 and 8.4: it is one though its field block goes on in CONTINUATION."""
    client.request("/wait", method="POST", open=True)
    client.send_frame(Type.PUSH_PROMISE, PADDED, 1, b"\1\0\0\0\2\x82\0")
    client.send_continuation(1, b"\x84\x86")
    client.expect_connection_error(Code.PROTOCOL_ERROR)


# 6.7 PING


def test_ping(client: Client):
    """RFC 9113 6.7: PING is answered with ACK and the same payload."""
    client.send_ping(b"8 octets")
    answer = client.read_until(lambda frame: frame.type == Type.PING, "PING with ACK")
    assert answer.has(ACK)
    assert answer.payload == b"8 octets"


def test_pings_are_answered_each(client: Client):
    """RFC 9113 6.7: every PING is answered."""
    payloads = [b"ping %03d" % number for number in range(10)]
    for payload in payloads:
        client.send_ping(payload)
    answers = [
        client.read_until(lambda frame: frame.type == Type.PING, "PING with ACK").payload for _ in payloads
    ]
    assert answers == payloads


def test_ping_with_ack_is_not_answered(client: Client):
    """RFC 9113 6.7: an answer is not answered."""
    client.send_frame(Type.PING, ACK, 0, b"answered")
    assert [frame for frame in client.sync() if frame.type == Type.PING] == []


def test_ping_is_answered_while_a_response_waits(connect: Connect):
    """RFC 9113 5.2.1 and 6.7: windows hold up DATA alone."""
    client = connect({Setting.INITIAL_WINDOW_SIZE: 0})
    client.request("/large")
    client.sync()
    client.request("/large")
    client.sync()


@pytest.mark.parametrize("stream", [1, 2])
def test_ping_on_a_stream(client: Client, stream: int):
    """RFC 9113 6.7: PING on a stream is a connection error PROTOCOL_ERROR."""
    client.send_frame(Type.PING, 0, stream, b"8 octets")
    client.expect_connection_error(Code.PROTOCOL_ERROR)


@pytest.mark.parametrize("flags", [0, ACK], ids=["ping", "ack"])
@pytest.mark.parametrize("size", [0, 7, 9])
def test_ping_of_a_wrong_length(client: Client, size: int, flags: int):
    """RFC 9113 6.7: PING of another length than 8 is a connection error FRAME_SIZE_ERROR."""
    client.send_ping(b"x" * size, flags=flags)
    client.expect_connection_error(Code.FRAME_SIZE_ERROR)


# 6.8 GOAWAY


def test_goaway(client: Client):
    """RFC 9113 6.8: a client that says it will leave is answered what it has asked for."""
    stream = client.request("/wait", method="POST", open=True)
    client.send_goaway()
    client.send_data(stream, b"test", end_stream=True)
    assert client.expect_response(stream).body == b"test"


def test_goaway_while_nothing_is_open(client: Client):
    """RFC 9113 6.8: the server goes on, or ends the connection without an error."""
    client.send_goaway()
    client.sync_or_end()
    assert client.referee.goaway is None or client.referee.goaway[1] == Code.NO_ERROR


def test_goaway_with_debug_data(client: Client):
    """RFC 9113 6.8: what is behind the code is for people."""
    stream = client.request("/wait", method="POST", open=True)
    client.send_goaway(0, Code.NO_ERROR, b"good bye")
    client.send_data(stream, b"test", end_stream=True)
    client.expect_response(stream)


def test_goaway_may_be_repeated(client: Client):
    """RFC 9113 6.8: there may be several."""
    stream = client.request("/wait", method="POST", open=True)
    client.send_goaway(2**31 - 2)
    client.send_goaway()
    client.send_data(stream, b"test", end_stream=True)
    client.expect_response(stream)


def test_goaway_on_a_stream(client: Client):
    """RFC 9113 6.8: GOAWAY on a stream is a connection error PROTOCOL_ERROR."""
    client.send_frame(Type.GOAWAY, 0, 1, b"\0" * 8)
    client.expect_connection_error(Code.PROTOCOL_ERROR)


@pytest.mark.parametrize("size", [0, 7])
def test_goaway_that_is_too_short(client: Client, size: int):
    """RFC 9113 4.2 and 6.8: GOAWAY without room for stream and code is a connection error FRAME_SIZE_ERROR."""
    client.send_frame(Type.GOAWAY, 0, 0, b"\0" * size)
    client.expect_connection_error(Code.FRAME_SIZE_ERROR)
