"""RFC 9218: priorities that are told in fields and frames of their own.

A server without RFC 9218 would ignore the frame and the setting (RFC 9113 section 5.5). Ours reads them.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from http2.client import Client, build_request, skip_another_server
from http2.frames import Code, Setting, Type

Connect = Callable[..., Client]


def send_update(client: Client, prioritized: int, value: bytes = b"u=1", *, stream: int = 0) -> None:
    client.send_frame(Type.PRIORITY_UPDATE, 0, stream, prioritized.to_bytes(4, "big") + value)


# 2.1 Disabling RFC 7540 priorities


@pytest.mark.parametrize("value", [0, 1])
def test_no_rfc7540_priorities(connect: Connect, value: int):
    """RFC 9218 2.1: SETTINGS_NO_RFC7540_PRIORITIES is 0 or 1."""
    connect({Setting.NO_RFC7540_PRIORITIES: value}).expect_alive()


def test_no_rfc7540_priorities_that_is_neither(connect: Connect):
    """RFC 9218 2.1: another value is a connection error PROTOCOL_ERROR."""
    client = connect(silent=True)
    client.send_preface({Setting.NO_RFC7540_PRIORITIES: 2})
    client.expect_connection_error(Code.PROTOCOL_ERROR)


@pytest.mark.parametrize(("first", "then"), [({}, 1), ({Setting.NO_RFC7540_PRIORITIES: 1}, 0)])
def test_no_rfc7540_priorities_that_changes(connect: Connect, first: dict[int, int], then: int):
    """RFC 9218 2.1: a value that differs from that of the first SETTINGS is a connection error PROTOCOL_ERROR."""
    client = connect(first)
    client.send_settings({Setting.NO_RFC7540_PRIORITIES: then})
    client.expect_connection_error(Code.PROTOCOL_ERROR)


# 5 The Priority field


@pytest.mark.parametrize("value", ["u=0", "u=7, i", "i=?0", "", "u=9", "u=one", "unknown", ",,", "u=3;x=y"])
def test_the_priority_field(client: Client, value: str):
    """RFC 9218 4 and 5: what is unknown, out of range or no structured field in priority is ignored."""
    client.expect_response(client.request("/small", ("priority", value)))


# 7.1 The PRIORITY_UPDATE frame


def test_an_update_of_an_idle_stream(client: Client):
    """RFC 9218 7: a priority may be told before its request."""
    send_update(client, 1)
    client.expect_response(client.request("/small"))


def test_an_update_of_an_open_stream(client: Client):
    """RFC 9218 7: a priority may change while a request goes on."""
    stream = client.request("/wait", method="POST", open=True)
    send_update(client, stream, b"u=7, i")
    client.send_data(stream, b"test", end_stream=True)
    assert client.expect_response(stream).body == b"test"


def test_an_update_of_a_response_that_waits(connect: Connect):
    """RFC 9218 7: a priority may change while a response goes on."""
    client = connect({Setting.INITIAL_WINDOW_SIZE: 1})
    stream = client.request("/small")
    client.expect_body(stream, 1)
    send_update(client, stream, b"u=0")
    client.send_window_update(stream, 9)
    client.expect_response(stream)


def test_an_update_of_a_closed_stream(client: Client):
    """RFC 9218 7.1: an update that comes too late is dropped."""
    stream = client.request("/small")
    client.expect_response(stream)
    send_update(client, stream)
    client.sync()
    client.expect_alive()


@pytest.mark.parametrize("value", [b"", b"u=9", b"unknown=1"])
def test_an_update_with_what_nobody_knows(client: Client, value: bytes):
    """RFC 9218 4 and 7: parameters that are left out, unknown or out of range have their default."""
    send_update(client, 1, value)
    client.expect_alive()


def test_an_update_on_a_stream(client: Client):
    """RFC 9218 7.1: PRIORITY_UPDATE is a frame of the connection; on a stream it is a connection error PROTOCOL_ERROR."""
    stream = client.request("/wait", method="POST", open=True)
    send_update(client, stream, stream=stream)
    client.expect_connection_error(Code.PROTOCOL_ERROR)


def test_an_update_of_stream_0(client: Client):
    """RFC 9218 7.1: an update for stream 0 is a connection error PROTOCOL_ERROR."""
    send_update(client, 0)
    client.expect_connection_error(Code.PROTOCOL_ERROR)


def test_an_update_of_an_idle_push(client: Client):
    """RFC 9218 7.1: an update for a push that was not promised is a connection error PROTOCOL_ERROR."""
    send_update(client, 2)
    client.expect_connection_error(Code.PROTOCOL_ERROR)


@pytest.mark.parametrize("size", [0, 3])
def test_an_update_that_is_too_short(client: Client, size: int):
    """RFC 9113 4.2: an update without room for its stream is a connection error FRAME_SIZE_ERROR."""
    client.send_frame(Type.PRIORITY_UPDATE, 0, 0, b"\0" * size)
    client.expect_connection_error(Code.FRAME_SIZE_ERROR)


def test_the_reserved_bit_of_an_update_is_ignored(client: Client):
    """RFC 9218 7.1: the bit before the stream's identifier says nothing."""
    stream = client.request("/wait", method="POST", open=True)
    client.send_frame(Type.PRIORITY_UPDATE, 0, 0, (stream | 1 << 31).to_bytes(4, "big") + b"u=2")
    client.sync()
    client.expect_alive()


def test_an_update_that_is_no_structured_field(client: Client):
    """RFC 9218 7: a value that cannot be parsed may be a connection error PROTOCOL_ERROR, or is ignored."""
    send_update(client, 1, b"u=,;=\xff")
    if client.sync_or_end() is None:
        assert client.referee.goaway == (0, Code.PROTOCOL_ERROR)
    else:
        client.expect_alive()


def test_updates_of_more_streams_than_there_may_be(client: Client):
    """RFC 9218 7.1: active streams, and idle ones with an update, above the limit are a connection error PROTOCOL_ERROR."""
    limit = client.setting(Setting.MAX_CONCURRENT_STREAMS, 2**32 - 1)
    if limit > 10_000:
        skip_another_server("no limit that could be reached")
    client.send_headers(1, build_request("/wait", method="POST"), end_stream=False)
    for stream in range(3, 3 + 2 * limit, 2):
        send_update(client, stream)
    client.expect_connection_error(Code.PROTOCOL_ERROR)


def test_updates_of_as_many_streams_as_there_may_be(client: Client):
    """RFC 9218 7.1: up to the limit they are accepted; several for one stream count once."""
    limit = min(client.setting(Setting.MAX_CONCURRENT_STREAMS, 100), 1000)
    for stream in range(1, 1 + 2 * limit, 2):
        send_update(client, stream)
    for _ in range(10):
        send_update(client, 1)
    client.sync()
    client.expect_response(client.request("/small"))
