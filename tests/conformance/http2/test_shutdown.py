"""RFC 9113 section 6.8: how a server stops. Each test has a server of its own, which is told to end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from http2.client import Client
from http2.frames import MAX_STREAM, Code, Type
from served import run_server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        "TRANSOM_TEST_HTTP2" in os.environ, reason="the server that was named is not ours to stop"
    ),
]


@pytest.fixture
def stopping() -> Iterator[tuple[Client, Callable[[], None]]]:
    """A client behind its handshake, and what tells its server to stop."""
    with (
        run_server(Path(__file__).parent, "app:app") as (server, address),
        closing(Client(address)) as client,
    ):
        client.handshake()
        yield client, server.terminate


Stopping = tuple[Client, Callable[[], None]]


def read_goaway(client: Client) -> tuple[int, int]:
    client.read_until(lambda frame: frame.type == Type.GOAWAY, "GOAWAY")
    assert client.referee.goaway
    return client.referee.goaway


def test_an_idle_connection_is_told(stopping: Stopping):
    """RFC 9113 6.8: GOAWAY with NO_ERROR comes before the end of a connection that has nothing to do."""
    client, stop = stopping
    client.expect_response(client.request("/small"))
    stop()
    client.expect_end()
    assert client.referee.goaway == (1, Code.NO_ERROR)


def test_a_request_in_progress_is_answered(stopping: Stopping):
    """RFC 9113 6.8: streams that were accepted go on behind GOAWAY, and the connection ends with the last of them."""
    client, stop = stopping
    stream = client.request("/wait", method="POST", open=True)
    client.sync()
    stop()
    last, code = read_goaway(client)
    assert last in (stream, MAX_STREAM)
    assert code == Code.NO_ERROR
    client.send_data(stream, b"test", end_stream=True)
    assert client.expect_response(stream).body == b"test"
    client.expect_end()
    assert client.referee.goaway == (stream, Code.NO_ERROR)


def test_pings_are_answered_to_the_end(stopping: Stopping):
    """RFC 9113 6.7 and 6.8: GOAWAY ends no more than the opening of streams."""
    client, stop = stopping
    stream = client.request("/wait", method="POST", open=True)
    client.sync()
    stop()
    read_goaway(client)
    client.sync()
    client.send_data(stream, b"test", end_stream=True)
    client.expect_response(stream)


def test_a_request_behind_the_last_stream_is_not_processed(stopping: Stopping):
    """RFC 9113 6.8: a stream above the last one of GOAWAY is ignored or refused, so that it can be tried elsewhere."""
    client, stop = stopping
    stream = client.request("/wait", method="POST", open=True)
    client.sync()
    stop()
    last, _ = read_goaway(client)
    while last == MAX_STREAM:
        last, _ = read_goaway(client)
    above = client.request("/small")
    client.send_data(stream, b"test", end_stream=True)
    client.expect_response(stream)
    client.expect_end()
    assert last == stream
    assert client.streams[above].head is None
    assert client.streams[above].reset in (None, Code.REFUSED_STREAM)


def test_field_blocks_behind_the_last_stream_count(stopping: Stopping):
    """RFC 9113 6.8: what is ignored still takes part in compression: trailers behind it can be read."""
    client, stop = stopping
    stream = client.request("/wait", method="POST", open=True)
    client.sync()
    stop()
    read_goaway(client)
    client.request("/small", ("x-field", "value"))
    client.send_data(stream, b"test")
    client.send_headers(stream, [("x-field", "value")])
    assert client.expect_response(stream).body == b"test"
