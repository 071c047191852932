"""What we have decided where the RFCs leave a choice: the table in README.md says why.

The other tests accept each answer that the RFCs name; these accept ours.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from http2 import representations as rep
from http2.client import Client, Pair, build_request, skip_another_server
from http2.frames import (
    DEFAULT_MAX_FRAME_SIZE,
    END_HEADERS,
    END_STREAM,
    PADDED,
    PRIORITY,
    Code,
    Frame,
    Setting,
    Type,
    build_padded,
    build_priority,
)

Connect = Callable[..., Client]
LIMIT_OF_STREAMS = range(100, 10_001)
LIMIT_OF_FIELDS = range(8192, 2**20 + 1)

# Connections


def test_a_wrong_first_frame_is_told(connect: Connect):
    """RFC 9113 3.4: who sends the 24 bytes speaks HTTP/2, and is told by GOAWAY what is wrong behind them."""
    client = connect(silent=True)
    client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    client.send_ping()
    client.expect_connection_error(Code.PROTOCOL_ERROR)


def test_data_above_the_limit_ends_the_connection(client: Client):
    """RFC 9113 4.2: a frame that is too long is not read to its end, whatever its type."""
    stream = client.request("/wait", method="POST", open=True)
    client.send_data(stream, b"x" * (client.setting(Setting.MAX_FRAME_SIZE, DEFAULT_MAX_FRAME_SIZE) + 1))
    client.expect_connection_error(Code.FRAME_SIZE_ERROR)


def test_a_frame_above_the_limit_is_refused_by_its_header(client: Client):
    """RFC 9113 4.2: nothing is kept of a frame that is too long: its header is enough."""
    client.send(Frame(Type.DATA, 0, 1, b"x" * (2**20)).build()[:9])
    client.expect_connection_error(Code.FRAME_SIZE_ERROR)


def test_padding_that_is_not_zero_ends_the_connection(client: Client):
    """RFC 9113 6.1: padding is looked at."""
    stream = client.request("/wait", method="POST", open=True)
    client.send_data(stream, build_padded(b"test", 5, byte=b"\xff"), flags=PADDED)
    client.expect_connection_error(Code.PROTOCOL_ERROR)


def test_padding_of_headers_that_is_not_zero_ends_the_connection(client: Client):
    """RFC 9113 6.2: padding is looked at."""
    client.send_headers(1, build_padded(rep.build_get(), 5, byte=b"\xff"), flags=PADDED)
    client.expect_connection_error(Code.PROTOCOL_ERROR)


# Streams


def test_streams_are_limited(client: Client):
    """RFC 9113 5.1.2, 6.5.2 and 10.5: a limit is announced, and it is not below 100."""
    assert client.setting(Setting.MAX_CONCURRENT_STREAMS, 0) in LIMIT_OF_STREAMS


def test_a_stream_above_the_limit_may_be_tried_again(client: Client):
    """RFC 9113 5.1.2 and 8.7: REFUSED_STREAM says that nothing has been done."""
    for _ in range(client.setting(Setting.MAX_CONCURRENT_STREAMS, 0)):
        client.request("/wait", method="POST", open=True)
    above = client.request("/small")
    client.read_until(lambda _: client.streams[above].closed, "RST_STREAM")
    assert client.streams[above].reset == Code.REFUSED_STREAM


@pytest.mark.parametrize("kind", [Type.DATA, Type.HEADERS])
@pytest.mark.parametrize("how", ["complete", "reset"])
def test_a_frame_on_a_stream_that_the_client_has_closed(client: Client, how: str, kind: Type):
    """RFC 9113 5.1: a client that goes on where it has ended or reset its stream itself has lost count: the connection ends."""
    if how == "reset":
        stream = client.request("/wait", method="POST", open=True)
        client.send_rst_stream(stream)
    else:
        stream = client.request("/small")
        client.expect_response(stream)
    block = rep.literal(b"x-trailer", b"value") if kind == Type.HEADERS else b""
    client.send_frame(kind, END_STREAM | (END_HEADERS if kind == Type.HEADERS else 0), stream, block)
    client.expect_connection_error(Code.STREAM_CLOSED)


def test_headers_that_depend_on_themselves(client: Client):
    """RFC 7540 5.3.1, which RFC 9113 does not repeat: a stream that depends on itself is a stream error PROTOCOL_ERROR."""
    client.send_headers(1, build_priority(1) + rep.build_get(b"/wait"), end_stream=False, flags=PRIORITY)
    client.expect_stream_error(1, Code.PROTOCOL_ERROR)


def test_a_priority_that_depends_on_itself(client: Client):
    """RFC 7540 5.3.1: it is one in PRIORITY, too, on a stream that is open."""
    stream = client.request("/wait", method="POST", open=True)
    client.send_frame(Type.PRIORITY, 0, stream, build_priority(stream))
    client.expect_stream_error(stream, Code.PROTOCOL_ERROR)


def test_a_priority_of_an_idle_stream_that_depends_on_itself(client: Client):
    """RFC 7540 5.3.1 and RFC 9113 6.4: RST_STREAM cannot be sent on an idle stream, so it is an error of the connection."""
    client.send_frame(Type.PRIORITY, 0, 1, build_priority(1))
    client.expect_connection_error(Code.PROTOCOL_ERROR)


def test_a_priority_of_a_wrong_length_on_an_idle_stream(client: Client):
    """RFC 9113 6.3 and 6.4: for the same reason, a PRIORITY frame of a wrong length is one."""
    client.send_frame(Type.PRIORITY, 0, 1, b"\0" * 4)
    client.expect_connection_error(Code.FRAME_SIZE_ERROR)


# Flow control


def test_a_response_without_content_needs_no_window(connect: Connect):
    """RFC 9113 6.9.1: a response without content ends though the windows are closed."""
    client = connect({Setting.INITIAL_WINDOW_SIZE: 0})
    client.expect_response(client.request("/empty"), 204)
    client.expect_response(client.request("/small", method="HEAD"))


def test_data_above_the_window_of_a_stream_ends_the_stream(connect: Connect):
    """RFC 9113 6.9.1: who exceeds a window of a stream, and not that of the connection, loses the stream."""
    client = connect({Setting.INITIAL_WINDOW_SIZE: 0})
    unread = client.fill_window("/large")
    if not client.referee.credit:
        skip_another_server("the windows of stream and connection end together")
    client.send_settings({Setting.INITIAL_WINDOW_SIZE: 1000})
    client.send_data(unread, b"x")
    client.expect_stream_error(unread, Code.FLOW_CONTROL_ERROR)


def test_data_above_the_window_of_the_connection_ends_the_connection(connect: Connect):
    """RFC 9113 6.9.1: who exceeds the window of the connection loses the connection."""
    client = connect({Setting.INITIAL_WINDOW_SIZE: 0})
    if not client.fill_connection("/large"):
        skip_another_server(
            "the connection's window is given back at once: the windows of streams hold what nobody reads"
        )
    client.send_data(client.request("/large", method="POST", open=True), b"x")
    client.expect_connection_error(Code.FLOW_CONTROL_ERROR)


def test_what_nobody_reads_is_bounded(connect: Connect):
    """RFC 9113 5.2 and 10.5: a server keeps no more of a body that nobody reads than a stream's window holds."""
    client = connect({Setting.INITIAL_WINDOW_SIZE: 0})
    unread = client.fill_window("/large")
    sent = client.setting(Setting.INITIAL_WINDOW_SIZE, 65_535) - client.streams[unread].credit
    assert sent <= 2**20


# Messages


@pytest.mark.parametrize(
    "fields",
    [
        build_request(without=["path"]),
        build_request("/", ("X-Upper", "value")),
        build_request("/", ("x-field", "a\nb")),
        build_request("/", ("connection", "close")),
        build_request("/", ("content-length", "4")),
        build_request("/", ("host", "example.net")),
    ],
    ids=["pseudo-fields", "name", "value", "connection", "content-length", "host"],
)
def test_malformed_requests_are_reset(client: Client, fields: list[Pair]):
    """RFC 9113 8.1.1: a malformed request ends with RST_STREAM, whether a 400 comes before it or not."""
    client.expect_stream_error(client.open(fields), Code.PROTOCOL_ERROR)


def test_content_beyond_content_length_is_refused_at_once(client: Client):
    """RFC 9113 8.1.1: a request is malformed as soon as there is too much content, not when it ends."""
    stream = client.request("/wait", ("content-length", "3"), method="POST", open=True)
    client.send_data(stream, b"test")
    client.expect_malformed(stream)


@pytest.mark.parametrize("code", [*range(0x01, 0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F], ids=hex)
def test_other_control_characters_in_values(client: Client, code: int):
    """RFC 9110 5.5: every control character but tab makes a value invalid, as it does in HTTP/1.1."""
    client.expect_malformed(client.request("/", ("x-field", f"a{chr(code)}b")))


@pytest.mark.parametrize("lengths", [("4", "4"), ("4, 4",)], ids=["two-fields", "one-field"])
def test_a_content_length_that_is_repeated(client: Client, lengths: tuple[str, ...]):
    """RFC 9110 8.6: a length that is said twice is refused, as it is in HTTP/1.1."""
    fields = [("content-length", length) for length in lengths]
    client.expect_malformed(client.request("/wait", *fields, method="POST", body=b"test"))


@pytest.mark.parametrize("path", ["/a#b", "/\xc3\xa9"], ids=["fragment", "not-ascii"])
def test_a_path_that_is_no_uri(client: Client, path: str):
    """RFC 3986 3.3: a path is ASCII and has no fragment, as in HTTP/1.1."""
    client.expect_malformed(client.open(build_request(path)))


def test_a_host_with_a_default_port(client: Client):
    """RFC 9113 8.3.1: a port that is written out makes host differ from :authority."""
    client.expect_malformed(client.open(build_request("/", ("host", "example.org:80"))))


def test_no_host_at_all(client: Client):
    """RFC 9110 7.2: without :authority and host, there is no target; HTTP/1.1 refuses it, too."""
    client.expect_malformed(client.open(build_request(without=["authority"])))


def test_too_many_fields_are_answered(client: Client):
    """RFC 9113 6.5.2 and 10.5.1: a limit is announced; what exceeds it is answered with 431, and its block was read."""
    limit = client.setting(Setting.MAX_HEADER_LIST_SIZE, 0)
    assert limit in LIMIT_OF_FIELDS
    entry = rep.literal(b"x-kept", b"v" * 1000, rep.INDEXING)
    block = rep.build_get(b"/small", entry, rep.indexed(62) * (limit // 1038 + 1))
    client.expect_response(client.open(block), 431)
    client.expect_response(client.open(rep.build_get(b"/small", rep.indexed(62))))


def test_the_rest_of_a_request_is_not_wanted(client: Client):
    """RFC 9113 8.1: RST_STREAM with NO_ERROR follows a response that did not wait for the end of its request."""
    stream = client.request("/small", method="POST", open=True)
    client.expect_response(stream)
    if client.streams[stream].reset is None:
        client.read_until(lambda frame: frame.type == Type.RST_STREAM, "RST_STREAM with NO_ERROR")
    assert client.streams[stream].reset == Code.NO_ERROR
    client.expect_alive()


def test_a_protocol_that_is_not_implemented(client: Client):
    """RFC 8441 4, and RFC 9220 3 for HTTP/3: a :protocol that is not known is answered with 501."""
    fields = build_request("/ws", method="CONNECT", protocol="unknown")
    client.expect_response(client.open(fields, end_stream=False), 501)


# Priorities


def test_an_update_that_cannot_be_parsed_is_ignored(client: Client):
    """RFC 9218 7: a priority is advice; one that cannot be read is none."""
    client.send_frame(Type.PRIORITY_UPDATE, 0, 0, b"\0\0\0\1u=,;=\xff")
    client.expect_alive()
