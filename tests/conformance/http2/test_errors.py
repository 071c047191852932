"""RFC 9113 sections 5.4, 5.5 and 7: what becomes of errors, and of what a server does not know."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from http2 import representations as rep
from http2.client import Client, build_request
from http2.frames import Code, Setting, Type

Connect = Callable[..., Client]

# 5.4.1 Connection errors


def test_a_connection_error_is_told(client: Client):
    """RFC 9113 5.4.1: GOAWAY says why the connection is ended."""
    client.send_ping(b"too short")
    client.read_until(lambda frame: frame.type == Type.GOAWAY, "GOAWAY")
    assert client.referee.goaway == (0, Code.FRAME_SIZE_ERROR)


def test_a_connection_error_ends_the_connection(client: Client):
    """RFC 9113 5.4.1: behind the GOAWAY of an error the TCP connection is closed."""
    client.send_ping(b"too short")
    client.expect_end()
    assert client.referee.goaway


def test_goaway_names_the_last_stream(client: Client):
    """RFC 9113 5.4.1 and 6.8: GOAWAY names the last stream that was or might be processed."""
    for _ in range(3):
        client.expect_response(client.request("/small"))
    client.send_ping(b"too short")
    client.expect_connection_error(Code.FRAME_SIZE_ERROR)
    assert client.referee.goaway == (5, Code.FRAME_SIZE_ERROR)


def test_goaway_does_not_name_a_stream_that_was_not_opened(client: Client):
    """RFC 9113 5.4.1 and 6.8: a request whose field block is no such thing has not been processed."""
    client.expect_response(client.request("/small"))
    client.send_headers(3, b"\x80")
    client.expect_connection_error(Code.COMPRESSION_ERROR)
    assert client.referee.goaway
    assert client.referee.goaway[0] in (1, 3)


def test_a_connection_error_reaches_who_is_sending(client: Client):
    """RFC 9113 5.4.1: GOAWAY can be read though the client has sent more than the server has read."""
    client.send_ping(b"too short")
    for _ in range(100):
        client.send_ping()
    client.expect_connection_error(Code.FRAME_SIZE_ERROR)


def test_a_connection_error_is_one_of_its_connection(connect: Connect):
    """RFC 9113 5.4.1: other connections go on."""
    first, second = connect(), connect()
    first.send_ping(b"too short")
    first.expect_connection_error(Code.FRAME_SIZE_ERROR)
    second.expect_alive()


# 5.4.2 Stream errors


def test_a_stream_error_is_one_of_its_stream(connect: Connect):
    """RFC 9113 5.4.2: other streams go on, those in the middle of a response, too."""
    client = connect({Setting.INITIAL_WINDOW_SIZE: 10})
    first = client.request("/large")
    client.expect_body(first, 10)
    second = client.request("/wait", method="POST", open=True)
    client.send_window_update(second, 0)
    client.expect_stream_error(second, Code.PROTOCOL_ERROR)
    client.send_settings({Setting.INITIAL_WINDOW_SIZE: 65_535})
    assert len(client.expect_response(first).body) == 200_000


def test_rst_stream_is_not_answered_with_rst_stream(client: Client):
    """RFC 9113 5.4.2: whatever is wrong with RST_STREAM, the answer is not another one."""
    stream = client.request("/wait", method="POST", open=True)
    client.send_rst_stream(stream)
    client.send_rst_stream(stream)
    if client.sync_or_end() is None:
        assert client.referee.goaway == (stream, Code.STREAM_CLOSED)
    assert client.streams[stream].reset is None


def test_a_client_may_leave_at_any_time(connect: Connect):
    """RFC 9113 5.4.3: a connection that ends takes its streams along, and nothing else."""
    first, second = connect(), connect()
    first.request("/wait", method="POST", open=True)
    first.request("/large")
    first.close()
    second.expect_alive()


# 5.5 Extending HTTP/2


def test_extension_frames_are_discarded(client: Client):
    """RFC 9113 5.5: frames of types that are not supported are discarded."""
    for kind in (0x0A, 0x0B, 0x0C, 0x0D, 0x21, 0xFF):
        client.send_frame(kind, 0, 0, b"8 octets")
    client.sync()
    client.expect_alive()


@pytest.mark.parametrize("stream", [0, 1, 3])
def test_an_extension_frame_within_a_field_block(client: Client, stream: int):
    """RFC 9113 5.5: an extension frame within a field block is a connection error PROTOCOL_ERROR."""
    block = client.encode(build_request())
    client.send_headers(1, block[:3], end_headers=False)
    client.send_frame(0xFF, 0, stream, b"8 octets")
    client.send_continuation(1, block[3:])
    client.expect_connection_error(Code.PROTOCOL_ERROR)


def test_extension_settings_are_ignored(client: Client):
    """RFC 9113 5.5 and 6.5.2: settings that are not supported are ignored, and acknowledged with the others."""
    client.send_settings([(0xFF, 1), (0x07, 2), (0xFFFF, 2**32 - 1), (Setting.ENABLE_PUSH, 0)])
    client.expect_settings_acknowledged()
    client.expect_alive()


# 7 Error codes


def test_goaway_with_an_unknown_code(client: Client):
    """RFC 9113 7: an unknown code in GOAWAY means nothing special: the server goes on, or ends without an error of its own."""
    client.send_goaway(0, 0xFF)
    client.sync_or_end()
    assert client.referee.goaway is None or client.referee.goaway[1] == Code.NO_ERROR


def test_rst_stream_with_an_unknown_code(client: Client):
    """RFC 9113 7: an unknown code in RST_STREAM means nothing special."""
    stream = client.request("/wait", method="POST", open=True)
    client.send_rst_stream(stream, 0xFF)
    client.sync()
    client.expect_alive()


def test_compression_and_other_errors_in_one_frame(client: Client):
    """RFC 9113 5.4: of several errors in a frame, the one of the connection is told."""
    client.send_headers(1, rep.literal(b"X-Upper", b"value") + b"\x80")
    client.expect_connection_error(Code.COMPRESSION_ERROR)
