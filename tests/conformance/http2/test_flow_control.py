"""RFC 9113 sections 5.2 and 6.9: flow control and WINDOW_UPDATE.

That no DATA exceeds a window is seen by the referee, in every test. What is sent here is sent because of windows.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from http2.client import Client, skip_another_server
from http2.frames import DEFAULT_WINDOW, MAX_WINDOW, PADDED, Code, Setting, Type, build_padded

Connect = Callable[..., Client]
LARGE = 200_000  # bytes of the response to /large


# 6.9 WINDOW_UPDATE


def test_window_update_of_the_connection(client: Client):
    """RFC 9113 6.9: WINDOW_UPDATE on stream 0 is accepted."""
    client.send_window_update(0, 1)
    client.sync()
    client.expect_alive()


def test_window_update_of_a_stream(connect: Connect):
    """RFC 9113 6.9: WINDOW_UPDATE lets so much more of a response come."""
    client = connect({Setting.INITIAL_WINDOW_SIZE: 1})
    stream = client.request("/small")
    client.expect_body(stream, 1)
    client.send_window_update(stream, 4)
    client.expect_body(stream, 5)
    client.send_window_update(stream, 5)
    assert client.expect_response(stream).body == b"0123456789"


def test_the_reserved_bit_of_an_increment_is_ignored(connect: Connect):
    """RFC 9113 6.9: the bit before the increment says nothing."""
    client = connect({Setting.INITIAL_WINDOW_SIZE: 0})
    stream = client.request("/small")
    client.send_frame(Type.WINDOW_UPDATE, 0, stream, b"\x80\0\0\x0a")
    assert client.expect_response(stream).body == b"0123456789"


def test_an_increment_of_0_for_the_connection(client: Client):
    """RFC 9113 6.9: an increment of 0 for the connection is a connection error PROTOCOL_ERROR."""
    client.send_window_update(0, 0)
    client.expect_connection_error(Code.PROTOCOL_ERROR)


def test_an_increment_of_0_for_a_stream(client: Client):
    """RFC 9113 6.9: an increment of 0 for a stream is a stream error PROTOCOL_ERROR."""
    stream = client.request("/wait", method="POST", open=True)
    client.send_window_update(stream, 0)
    client.expect_stream_error(stream, Code.PROTOCOL_ERROR)


def test_an_increment_of_0_with_the_reserved_bit(client: Client):
    """RFC 9113 6.9: the reserved bit makes no increment of 0 a valid one."""
    client.send_frame(Type.WINDOW_UPDATE, 0, 0, b"\x80\0\0\0")
    client.expect_connection_error(Code.PROTOCOL_ERROR)


@pytest.mark.parametrize("stream", [0, 1, 3], ids=["connection", "open", "closed"])
@pytest.mark.parametrize("size", [0, 3, 5])
def test_window_update_of_a_wrong_length(client: Client, stream: int, size: int):
    """RFC 9113 6.9: WINDOW_UPDATE of another length than 4 is a connection error FRAME_SIZE_ERROR."""
    client.request("/wait", method="POST", open=True)
    client.expect_response(client.request("/small"))
    client.send_frame(Type.WINDOW_UPDATE, 0, stream, b"\1" * size)
    client.expect_connection_error(Code.FRAME_SIZE_ERROR)


# 5.2.1 and 6.9.1, the windows of the client


def test_only_data_is_held_up(connect: Connect):
    """RFC 9113 5.2.1: header sections come though the window is closed."""
    client = connect({Setting.INITIAL_WINDOW_SIZE: 0})
    stream = client.request("/small")
    client.expect_head(stream)
    client.sync()
    assert client.streams[stream].body == b""


def test_a_window_of_1(connect: Connect):
    """RFC 9113 6.9.1: the window of a stream is filled, and not exceeded."""
    client = connect({Setting.INITIAL_WINDOW_SIZE: 1})
    stream = client.request("/small")
    client.expect_body(stream, 1)
    client.sync()
    assert client.streams[stream].body == b"0"


def test_the_window_that_streams_begin_with(connect: Connect):
    """RFC 9113 6.9.2: streams begin with a window of 65,535 bytes."""
    client = connect()
    client.send_window_update(0, LARGE)
    stream = client.request("/large")
    client.expect_body(stream, DEFAULT_WINDOW)
    client.sync()
    assert len(client.streams[stream].body) == DEFAULT_WINDOW


def test_the_window_that_connections_begin_with(connect: Connect):
    """RFC 9113 6.9.2: a connection begins with a window of 65,535 bytes, whatever the streams' windows are."""
    client = connect({Setting.INITIAL_WINDOW_SIZE: LARGE})
    stream = client.request("/large")
    client.expect_body(stream, DEFAULT_WINDOW)
    client.sync()
    assert len(client.streams[stream].body) == DEFAULT_WINDOW


def test_the_window_of_the_connection_is_shared(connect: Connect):
    """RFC 9113 6.9.1: all streams take from one window of the connection."""
    client = connect({Setting.INITIAL_WINDOW_SIZE: 40_000})
    streams = [client.request("/large") for _ in range(3)]
    client.read_until(lambda _: client.referee.window == 0, "DATA up to the window of the connection")
    client.sync()
    assert sum(len(client.streams[stream].body) for stream in streams) == DEFAULT_WINDOW
    client.send_window_update(0, 3 * 40_000 - DEFAULT_WINDOW)
    for stream in streams:
        client.expect_body(stream, 40_000)


def test_a_stream_whose_window_is_closed_holds_up_no_other(connect: Connect):
    """RFC 9113 5.2: flow control is one of each stream."""
    client = connect({Setting.INITIAL_WINDOW_SIZE: 10})
    first = client.request("/large")
    client.expect_body(first, 10)
    client.expect_response(client.request("/small"))


def test_a_response_ends_where_the_window_does(connect: Connect):
    """RFC 9113 6.9.1: END_STREAM needs no window beyond that of the data."""
    client = connect({Setting.INITIAL_WINDOW_SIZE: 10})
    client.expect_response(client.request("/small"), credit=False)


def test_large_increments(connect: Connect):
    """RFC 9113 6.9.1: a window may be opened as far as it goes."""
    client = connect()
    client.send_window_update(0, MAX_WINDOW - DEFAULT_WINDOW)
    stream = client.request("/large")
    client.send_window_update(stream, MAX_WINDOW - DEFAULT_WINDOW)
    client.expect_response(stream, credit=False)


def test_a_window_of_the_connection_above_the_limit(client: Client):
    """RFC 9113 6.9.1: a window of the connection above 2^31 - 1 is a connection error FLOW_CONTROL_ERROR."""
    client.send_window_update(0, MAX_WINDOW - DEFAULT_WINDOW)
    client.sync()
    client.send_window_update(0, 1)
    client.expect_connection_error(Code.FLOW_CONTROL_ERROR)


def test_a_window_of_a_stream_above_the_limit(client: Client):
    """RFC 9113 6.9.1: a window of a stream above 2^31 - 1 is a stream error FLOW_CONTROL_ERROR."""
    stream = client.request("/wait", method="POST", open=True)
    client.send_window_update(stream, MAX_WINDOW - DEFAULT_WINDOW)
    client.sync()
    client.send_window_update(stream, 1)
    client.expect_stream_error(stream, Code.FLOW_CONTROL_ERROR)


def test_two_largest_increments_for_the_connection(client: Client):
    """RFC 9113 6.9.1: what is too much in sum is a connection error FLOW_CONTROL_ERROR."""
    client.send_window_update(0, MAX_WINDOW)
    client.send_window_update(0, MAX_WINDOW)
    client.expect_connection_error(Code.FLOW_CONTROL_ERROR)


def test_two_largest_increments_for_a_stream(client: Client):
    """RFC 9113 6.9.1: what is too much in sum is a stream error FLOW_CONTROL_ERROR, told once."""
    stream = client.request("/wait", method="POST", open=True)
    client.send_window_update(stream, MAX_WINDOW)
    client.send_window_update(stream, MAX_WINDOW)
    client.expect_stream_error(stream, Code.FLOW_CONTROL_ERROR)


# 6.9.2 Initial flow-control window size


def test_open_streams_follow_the_initial_window(connect: Connect):
    """RFC 9113 6.9.2: a new initial window changes those of streams that are open."""
    client = connect({Setting.INITIAL_WINDOW_SIZE: 0})
    stream = client.request("/small")
    client.expect_head(stream)
    client.send_settings({Setting.INITIAL_WINDOW_SIZE: 1})
    client.expect_body(stream, 1)
    client.sync()
    assert client.streams[stream].body == b"0"


def test_a_window_may_become_negative(connect: Connect):
    """RFC 9113 6.9.2: a smaller initial window makes that of a stream negative, and WINDOW_UPDATE has to lift it above 0."""
    client = connect({Setting.INITIAL_WINDOW_SIZE: 3})
    stream = client.request("/small")
    client.expect_body(stream, 3)
    client.send_settings({Setting.INITIAL_WINDOW_SIZE: 2})
    client.expect_settings_acknowledged()
    client.send_window_update(stream, 1)
    client.sync()
    assert client.streams[stream].body == b"012"
    client.send_window_update(stream, 1)
    client.expect_body(stream, 4)
    client.sync()
    assert client.streams[stream].body == b"0123"


def test_a_window_may_become_very_negative(connect: Connect):
    """RFC 9113 6.9.2: it goes down by the difference, as far as that is."""
    client = connect()
    client.send_window_update(0, LARGE)
    stream = client.request("/large")
    client.expect_body(stream, DEFAULT_WINDOW)
    client.send_settings({Setting.INITIAL_WINDOW_SIZE: 0})
    client.expect_settings_acknowledged()
    client.send_window_update(stream, DEFAULT_WINDOW)
    client.sync()
    assert len(client.streams[stream].body) == DEFAULT_WINDOW
    client.send_window_update(stream, 7)
    client.expect_body(stream, DEFAULT_WINDOW + 7)


def test_settings_leave_the_window_of_the_connection_alone(connect: Connect):
    """RFC 9113 6.9.2: the window of the connection is changed by WINDOW_UPDATE alone."""
    client = connect({Setting.INITIAL_WINDOW_SIZE: 0})
    stream = client.request("/large")
    client.expect_head(stream)
    client.send_settings({Setting.INITIAL_WINDOW_SIZE: LARGE})
    client.expect_body(stream, DEFAULT_WINDOW)
    client.sync()
    assert len(client.streams[stream].body) == DEFAULT_WINDOW


def test_settings_that_lift_a_window_above_the_limit(client: Client):
    """RFC 9113 6.9.2: settings that lift a stream's window above 2^31 - 1 are a connection error FLOW_CONTROL_ERROR."""
    stream = client.request("/wait", method="POST", open=True)
    client.send_window_update(stream, MAX_WINDOW - DEFAULT_WINDOW)
    client.send_settings({Setting.INITIAL_WINDOW_SIZE: DEFAULT_WINDOW + 1})
    client.expect_connection_error(Code.FLOW_CONTROL_ERROR)


def test_closed_streams_have_no_window(connect: Connect):
    """RFC 9113 6.9.2: only the windows of open streams can become too large."""
    client = connect()
    stream = client.request("/wait", method="POST", open=True)
    client.send_window_update(stream, MAX_WINDOW - DEFAULT_WINDOW)
    client.send_data(stream, end_stream=True)
    client.expect_response(stream)
    client.send_settings({Setting.INITIAL_WINDOW_SIZE: MAX_WINDOW})
    client.expect_settings_acknowledged()
    client.expect_alive()


# 5.2.1 and 6.9.1, the windows of the server


def test_bodies_may_be_larger_than_the_windows(client: Client):
    """RFC 9113 6.9.1: a server that takes data gives the windows back, of the stream and of the connection."""
    pieces = [b"x" * 8192] * 40
    stream = client.request("/wait", method="POST", open=True)
    client.upload(stream, pieces)
    assert len(client.expect_response(stream).body) == 40 * 8192


def test_many_bodies_may_be_larger_than_the_window_of_the_connection(client: Client):
    """RFC 9113 6.9.1: the window of the connection is given back for each stream."""
    for _ in range(20):
        stream = client.request("/wait", method="POST", open=True)
        client.upload(stream, [b"x" * 8192] * 2)
        client.expect_response(stream)


def test_padding_counts(client: Client):
    """RFC 9113 6.1 and 6.9.1: padding takes from the windows, so it is given back, too."""
    stream = client.request("/wait", method="POST", open=True)
    client.upload(stream, [build_padded(b"x" * 256, 255)] * 400, flags=PADDED)
    assert len(client.expect_response(stream).body) == 400 * 256


def test_an_echo_flows_both_ways(connect: Connect):
    """RFC 9113 5.2: a body larger than all windows comes back while it is sent."""
    client = connect({Setting.INITIAL_WINDOW_SIZE: LARGE})
    client.send_window_update(0, LARGE)
    stream = client.request("/echo", method="POST", open=True)
    client.upload(stream, [b"x" * 10_000] * 20)
    assert len(client.expect_response(stream).body) == LARGE


def test_a_body_that_is_not_read_holds_up_no_other_stream(connect: Connect):
    """RFC 9113 5.2.2: frames are read as they come, whatever becomes of the data."""
    client = connect({Setting.INITIAL_WINDOW_SIZE: 0})
    unread = client.fill_window("/large")
    client.send_settings({Setting.INITIAL_WINDOW_SIZE: 100})
    client.expect_alive()
    assert not client.streams[unread].closed


def test_data_above_the_window_of_a_stream(connect: Connect):
    """RFC 9113 6.9.1: DATA above the stream's window is an error FLOW_CONTROL_ERROR, of the stream or the connection."""
    client = connect({Setting.INITIAL_WINDOW_SIZE: 0})
    unread = client.fill_window("/large")
    client.send_settings({Setting.INITIAL_WINDOW_SIZE: 1000})
    client.send_data(unread, b"x")
    client.expect_error(unread, Code.FLOW_CONTROL_ERROR)


def test_data_above_the_window_of_the_connection(connect: Connect):
    """RFC 9113 6.9.1: DATA above the connection's window is an error FLOW_CONTROL_ERROR, of the connection or the stream."""
    client = connect({Setting.INITIAL_WINDOW_SIZE: 0})
    if not client.fill_connection("/large"):
        skip_another_server(
            "the connection's window is given back at once: the windows of streams hold what nobody reads"
        )
    stream = client.request("/large", method="POST", open=True)
    client.send_settings({Setting.INITIAL_WINDOW_SIZE: 1000})
    client.send_data(stream, b"x")
    client.expect_error(stream, Code.FLOW_CONTROL_ERROR)


def test_data_of_bodies_that_nobody_reads_is_given_back(client: Client):
    """RFC 9113 6.9.1: when a request ends unread, what it took of the connection's window comes back."""
    for _ in range(10):
        stream = client.request("/small", method="POST", open=True)
        client.upload_blindly(stream, b"x" * 16_384)
        client.expect_response(stream)
        client.send_rst_stream(stream)
