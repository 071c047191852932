"""RFC 9113 sections 5.1 and 5.3: the states of streams, their identifiers, how many there may be."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from http2 import representations as rep
from http2.client import Client, build_request, skip_another_server
from http2.frames import MAX_STREAM, PRIORITY, Code, Setting, Type, build_priority

Connect = Callable[..., Client]
MALFORMED = rep.build_get(b"/", rep.literal(b"X-Upper", b"value"))


@pytest.fixture
def blocked(connect: Connect) -> Client:
    """A client whose stream 1 is half-closed (remote): its request has ended, its response waits for a window."""
    client = connect({Setting.INITIAL_WINDOW_SIZE: 0})
    client.request("/small")
    client.expect_head(1)
    return client


def open_window(client: Client) -> None:
    client.send_settings({Setting.INITIAL_WINDOW_SIZE: 1000})
    client.expect_settings_acknowledged()


# 5.1 idle


@pytest.mark.parametrize("stream", [1, 2], ids=["of-the-client", "of-the-server"])
def test_idle_data(client: Client, stream: int):
    """RFC 9113 5.1: DATA on an idle stream is a connection error PROTOCOL_ERROR."""
    client.send_data(stream, b"test", end_stream=True)
    client.expect_connection_error(Code.PROTOCOL_ERROR)


@pytest.mark.parametrize("stream", [1, 2], ids=["of-the-client", "of-the-server"])
def test_idle_rst_stream(client: Client, stream: int):
    """RFC 9113 5.1: RST_STREAM on an idle stream is a connection error PROTOCOL_ERROR."""
    client.send_rst_stream(stream)
    client.expect_connection_error(Code.PROTOCOL_ERROR)


@pytest.mark.parametrize("stream", [1, 2], ids=["of-the-client", "of-the-server"])
def test_idle_window_update(client: Client, stream: int):
    """RFC 9113 5.1: WINDOW_UPDATE on an idle stream is a connection error PROTOCOL_ERROR."""
    client.send_window_update(stream, 100)
    client.expect_connection_error(Code.PROTOCOL_ERROR)


def test_idle_continuation(client: Client):
    """RFC 9113 5.1: CONTINUATION on an idle stream is a connection error PROTOCOL_ERROR."""
    client.send_continuation(1, client.encode(build_request()))
    client.expect_connection_error(Code.PROTOCOL_ERROR)


def test_idle_above_used_streams(client: Client):
    """RFC 9113 5.1: streams above those that were used are idle still."""
    client.expect_response(client.request())
    client.send_window_update(5, 100)
    client.expect_connection_error(Code.PROTOCOL_ERROR)


def test_idle_priority(client: Client):
    """RFC 9113 5.1: PRIORITY is accepted on an idle stream."""
    client.send_frame(Type.PRIORITY, 0, 1, build_priority())
    client.sync()
    client.expect_alive()


# 5.1 open


def test_open_streams_take_every_frame(client: Client):
    """RFC 9113 5.1: an open stream takes DATA, WINDOW_UPDATE, PRIORITY and trailers."""
    stream = client.request("/wait", method="POST", open=True)
    client.send_data(stream, b"one ")
    client.send_window_update(stream, 100)
    client.send_frame(Type.PRIORITY, 0, stream, build_priority())
    client.send_data(stream, b"two")
    client.send_headers(stream, [("x-trailer", "value")])
    assert client.expect_response(stream).body == b"one two"


def test_streams_may_be_interleaved(client: Client):
    """RFC 9113 5: frames of several streams may come in turn, and each stream keeps its own."""
    streams = [client.request("/wait", method="POST", open=True) for _ in range(3)]
    for piece in (b"a", b"b", b"c"):
        for stream in streams:
            client.send_data(stream, piece * stream)
    for stream in reversed(streams):
        client.send_data(stream, end_stream=True)
        assert client.expect_response(stream).body == b"a" * stream + b"b" * stream + b"c" * stream


def test_an_open_stream_holds_up_no_other(client: Client):
    """RFC 9113 5: a request that goes on leaves those behind it alone."""
    first = client.request("/wait", method="POST", open=True)
    client.expect_alive()
    client.send_data(first, b"body", end_stream=True)
    client.expect_response(first)


# 5.1 half-closed (remote)


def test_half_closed_window_update(blocked: Client):
    """RFC 9113 5.1: WINDOW_UPDATE is accepted after the end of the request."""
    blocked.send_window_update(1, 10)
    assert blocked.expect_response(1).body == b"0123456789"


def test_half_closed_priority(blocked: Client):
    """RFC 9113 5.1: PRIORITY is accepted after the end of the request."""
    blocked.send_frame(Type.PRIORITY, 0, 1, build_priority())
    blocked.send_window_update(1, 10)
    blocked.expect_response(1)


def test_half_closed_rst_stream(blocked: Client):
    """RFC 9113 5.1: RST_STREAM is accepted after the end of the request, and ends the response."""
    blocked.send_rst_stream(1)
    open_window(blocked)
    blocked.expect_alive()
    assert blocked.streams[1].body == b""
    assert not blocked.streams[1].closed


def test_half_closed_data(blocked: Client):
    """RFC 9113 5.1: DATA after the end of the request is a stream error STREAM_CLOSED."""
    blocked.send_data(1, b"test", end_stream=True)
    open_window(blocked)
    blocked.expect_stream_error(1, Code.STREAM_CLOSED)


def test_half_closed_headers(blocked: Client):
    """RFC 9113 5.1: HEADERS after the end of the request is a stream error STREAM_CLOSED."""
    blocked.send_headers(1, build_request())
    open_window(blocked)
    blocked.expect_stream_error(1, Code.STREAM_CLOSED)


def test_half_closed_trailers(blocked: Client):
    """RFC 9113 5.1: a trailer section after the end of the request is a stream error STREAM_CLOSED."""
    blocked.send_headers(1, [("x-trailer", "value")])
    open_window(blocked)
    blocked.expect_stream_error(1, Code.STREAM_CLOSED)


def test_half_closed_continuation(blocked: Client):
    """RFC 9113 6.10: CONTINUATION after the end of a field block is a connection error PROTOCOL_ERROR."""
    blocked.send_continuation(1, blocked.encode([("x-field", "value")]))
    blocked.expect_connection_error(Code.PROTOCOL_ERROR)


# 5.1 closed, by our RST_STREAM


@pytest.fixture
def reset(client: Client) -> Client:
    """A client that has reset its stream 1."""
    client.request("/wait", method="POST", open=True)
    client.send_rst_stream(1)
    return client


def test_reset_data(reset: Client):
    """RFC 9113 5.1 and 6.1: DATA after RST_STREAM is an error STREAM_CLOSED, of the stream or the connection."""
    reset.send_data(1, b"test", end_stream=True)
    reset.expect_error(1, Code.STREAM_CLOSED)


def test_reset_headers(reset: Client):
    """RFC 9113 5.1: HEADERS after RST_STREAM is an error STREAM_CLOSED, of the stream or the connection."""
    reset.send_headers(1, build_request())
    reset.expect_error(1, Code.STREAM_CLOSED)


def test_reset_continuation(reset: Client):
    """RFC 9113 6.10: CONTINUATION after RST_STREAM is a connection error PROTOCOL_ERROR."""
    reset.send_continuation(1, reset.encode(build_request()))
    reset.expect_connection_error(Code.PROTOCOL_ERROR)


def test_reset_priority(reset: Client):
    """RFC 9113 5.1: PRIORITY is accepted after RST_STREAM."""
    reset.send_frame(Type.PRIORITY, 0, 1, build_priority())
    reset.sync()
    reset.expect_alive()


def test_reset_window_update(reset: Client):
    """RFC 9113 6.9: WINDOW_UPDATE on a closed stream is no error."""
    reset.send_window_update(1, 100)
    reset.sync()
    reset.expect_alive()


# 5.1 closed, by END_STREAM from both sides


@pytest.fixture
def complete(client: Client) -> Client:
    """A client whose stream 1 has been used up."""
    client.expect_response(client.request("/small"))
    return client


def test_closed_data(complete: Client):
    """RFC 9113 5.1 and 6.1: DATA on a closed stream is an error STREAM_CLOSED, of the stream or the connection."""
    complete.send_data(1, b"test", end_stream=True)
    complete.expect_error(1, Code.STREAM_CLOSED)


def test_closed_headers(complete: Client):
    """RFC 9113 5.1 and 5.1.1: HEADERS on a closed stream is a connection error STREAM_CLOSED, or PROTOCOL_ERROR."""
    complete.send_headers(1, build_request())
    complete.expect_connection_error(Code.STREAM_CLOSED, Code.PROTOCOL_ERROR)


def test_closed_continuation(complete: Client):
    """RFC 9113 6.10: CONTINUATION on a closed stream is a connection error PROTOCOL_ERROR."""
    complete.send_continuation(1, complete.encode(build_request()))
    complete.expect_connection_error(Code.PROTOCOL_ERROR)


def test_closed_priority(complete: Client):
    """RFC 9113 5.1: PRIORITY is accepted on a closed stream."""
    complete.send_frame(Type.PRIORITY, 0, 1, build_priority())
    complete.sync()
    complete.expect_alive()


def test_closed_window_update(complete: Client):
    """RFC 9113 5.1 and 6.9: WINDOW_UPDATE on a closed stream is no error."""
    complete.send_window_update(1, 100)
    complete.sync()
    complete.expect_alive()


def test_closed_rst_stream(complete: Client):
    """RFC 9113 5.1: RST_STREAM may cross the end of the response."""
    complete.send_rst_stream(1)
    complete.sync()
    complete.expect_alive()


# 5.1 closed, by the server's RST_STREAM


def test_frames_in_flight_behind_a_reset(client: Client):
    """RFC 9113 5.1: what was sent before the server's RST_STREAM could be read is processed as far as needed, and dropped.

    Trailers of that stream still change the dynamic table, so that the next request can use it.
    """
    client.send_headers(1, MALFORMED, end_stream=False)
    client.send_data(1, b"in flight")
    client.send_window_update(1, 100)
    client.send_headers(1, rep.literal(b"x-kept", b"value", rep.INDEXING))
    client.expect_malformed(1)
    client.expect_response(client.open(rep.build_get(b"/small", rep.indexed(62))))
    assert client.referee.goaway is None


def test_a_stream_is_reset_once(client: Client):
    """RFC 9113 5.4: the first error of a stream is the only one that is told."""
    client.send_headers(1, MALFORMED, end_stream=False)
    client.send_data(1, b"in flight")
    client.send_window_update(1, 0)
    client.expect_malformed(1)  # the referee objects to a second RST_STREAM
    client.sync()


def test_data_behind_a_reset_counts_for_the_connection(client: Client):
    """RFC 9113 5.1 and 6.9: DATA that is dropped takes from the connection's window, and is given back."""
    for _ in range(8):
        stream = client.next_stream
        client.send_headers(stream, MALFORMED, end_stream=False)
        client.upload_blindly(stream, b"x" * 16_384)
        client.expect_malformed(stream)


# 5.1.1 Stream identifiers


def test_even_stream(client: Client):
    """RFC 9113 5.1.1: a client that opens a stream of the server's is a connection error PROTOCOL_ERROR."""
    client.send_headers(2, build_request())
    client.expect_connection_error(Code.PROTOCOL_ERROR)


def test_even_stream_below_the_last(client: Client):
    """RFC 9113 5.1.1: that an odd stream of a higher number was opened does not make it a stream that is closed."""
    client.expect_response(client.request("/small"))
    client.send_headers(5, build_request())
    client.expect_response(5)
    client.send_headers(2, build_request())
    client.expect_connection_error(Code.PROTOCOL_ERROR)


def test_stream_below_the_last(client: Client):
    """RFC 9113 5.1.1: a new stream below one that was opened is a connection error PROTOCOL_ERROR."""
    client.send_headers(5, build_request())
    client.expect_response(5)
    client.send_headers(3, build_request())
    client.expect_connection_error(Code.PROTOCOL_ERROR)


def test_streams_may_be_skipped(client: Client):
    """RFC 9113 5.1.1: identifiers may be left out."""
    for stream in (3, 101, 99_999):
        client.send_headers(stream, build_request("/small"))
        client.expect_response(stream)


def test_skipped_streams_are_closed_data(client: Client):
    """RFC 9113 5.1.1 and 6.1: DATA on a stream that was left out is an error STREAM_CLOSED, of the stream or the connection."""
    client.send_headers(5, build_request())
    client.expect_response(5)
    client.send_data(3, b"test")
    client.expect_error(3, Code.STREAM_CLOSED)


def test_skipped_streams_are_closed_window_update(client: Client):
    """RFC 9113 5.1.1 and 6.9: WINDOW_UPDATE on a stream that was left out is no error."""
    client.send_headers(5, build_request())
    client.expect_response(5)
    client.send_window_update(3, 100)
    client.sync()
    client.expect_alive()


def test_the_last_stream(client: Client):
    """RFC 9113 5.1.1: identifiers go up to 2^31 - 1."""
    client.send_headers(MAX_STREAM, build_request("/small"))
    client.expect_response(MAX_STREAM)


# 5.1.2 Stream concurrency


def get_limit(client: Client) -> int:
    limit = client.setting(Setting.MAX_CONCURRENT_STREAMS, 2**32 - 1)
    if limit > 10_000:
        skip_another_server("no limit that could be reached")
    return limit


def open_to_the_limit(client: Client) -> list[int]:
    return [client.request("/wait", method="POST", open=True) for _ in range(get_limit(client))]


def test_a_stream_above_the_limit(client: Client):
    """RFC 9113 5.1.2: a stream too many is a stream error PROTOCOL_ERROR or REFUSED_STREAM; the others go on."""
    streams = open_to_the_limit(client)
    above = client.request("/small")
    client.read_until(
        lambda _: client.streams[above].closed or client.referee.goaway is not None, "RST_STREAM"
    )
    assert client.streams[above].reset in (Code.REFUSED_STREAM, Code.PROTOCOL_ERROR)
    for stream in streams:
        client.send_data(stream, b"body", end_stream=True)
    for stream in streams:
        assert client.expect_response(stream).body == b"body"
    client.expect_alive()


def test_streams_that_are_closed_do_not_count(client: Client):
    """RFC 9113 5.1.2: a stream that has ended, or was reset, makes room for another."""
    streams = open_to_the_limit(client)
    client.send_data(streams[0], end_stream=True)
    client.expect_response(streams[0])
    client.expect_alive()
    client.send_rst_stream(streams[1])
    client.expect_alive()


def test_half_closed_streams_count(connect: Connect):
    """RFC 9113 5.1.2: a stream counts until its response has ended, too."""
    client = connect({Setting.INITIAL_WINDOW_SIZE: 0})
    for _ in range(get_limit(client)):
        client.request("/small")
    above = client.request("/small")
    client.read_until(
        lambda _: client.streams[above].closed or client.referee.goaway is not None, "RST_STREAM"
    )
    assert client.streams[above].reset in (Code.REFUSED_STREAM, Code.PROTOCOL_ERROR)


def test_blocks_of_streams_above_the_limit_count(client: Client):
    """RFC 9113 4.3 and 5.1.2: what a refused stream has put into the dynamic table is there for the next one."""
    first, *_ = open_to_the_limit(client)
    above = client.open(rep.build_get(b"/small", rep.literal(b"x-kept", b"value", rep.INDEXING)))
    client.read_until(
        lambda _: client.streams[above].closed or client.referee.goaway is not None, "RST_STREAM"
    )
    client.send_data(first, end_stream=True)
    client.expect_response(first)
    client.expect_response(client.open(rep.build_get(b"/small", rep.indexed(62))))


def test_idle_streams_with_a_priority_do_not_count(client: Client):
    """RFC 9113 5.1.2: only streams that are open or half-closed count."""
    for stream in range(1001, 1401, 2):
        client.send_frame(Type.PRIORITY, 0, stream, build_priority())
    client.expect_alive()


def test_our_limit_is_for_the_streams_of_the_server(connect: Connect):
    """RFC 9113 5.1.2: a client's limit of 0 keeps the server from opening streams, not from answering."""
    client = connect({Setting.MAX_CONCURRENT_STREAMS: 0, Setting.ENABLE_PUSH: 0})
    client.expect_alive()


# 5.3 Prioritization


@pytest.mark.parametrize(
    ("depends_on", "weight", "exclusive"),
    [(0, 1, False), (0, 256, False), (0, 16, True), (1, 16, False), (1, 16, True), (7, 16, False)],
)
def test_priorities_change_nothing_that_is_visible(
    client: Client, depends_on: int, weight: int, exclusive: bool
):
    """RFC 9113 5.3.2: every weight, dependency and exclusive flag is accepted, and the request answered."""
    payload = build_priority(depends_on, weight, exclusive=exclusive)
    client.expect_response(client.request())
    client.send_frame(Type.PRIORITY, 0, 3, payload)
    client.expect_response(client.request("/small"))
    client.send_frame(Type.PRIORITY, 0, 3, payload)
    client.sync()


def test_a_priority_for_a_higher_stream(client: Client):
    """RFC 9113 5.1.1 and 5.3: PRIORITY on an idle stream does not open it, so lower ones can be opened still."""
    client.send_frame(Type.PRIORITY, 0, 9, build_priority())
    client.send_headers(5, build_request("/small"))
    client.expect_response(5)


@pytest.mark.parametrize("kind", ["headers", "priority"])
def test_a_stream_that_depends_on_itself(client: Client, kind: str):
    """RFC 9113 5.3.2 and RFC 7540 5.3.1: this was a stream error PROTOCOL_ERROR; a server that reads no priorities ignores it."""
    block = rep.build_get(b"/wait")
    if kind == "headers":
        client.send_headers(1, build_priority(1) + block, end_stream=False, flags=PRIORITY)
    else:
        client.send_headers(1, block, end_stream=False)
        client.send_frame(Type.PRIORITY, 0, 1, build_priority(1))
    client.sync()
    if client.streams[1].reset is None:
        client.send_data(1, end_stream=True)
        client.expect_response(1)
    else:
        client.expect_stream_error(1, Code.PROTOCOL_ERROR)


def test_a_priority_of_an_idle_stream_that_depends_on_itself(client: Client):
    """RFC 9113 5.1 and RFC 7540 5.3.1: ignored, or an error PROTOCOL_ERROR: of the connection, as the stream is idle."""
    client.send_frame(Type.PRIORITY, 0, 1, build_priority(1))
    if client.sync_or_end() is None:
        assert client.referee.goaway == (0, Code.PROTOCOL_ERROR)
    else:
        client.expect_alive()
