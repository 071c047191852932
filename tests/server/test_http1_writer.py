"""The response writer: framing, and applications that ask for what cannot be framed."""

from __future__ import annotations

import pytest

from transom.server.http1 import (
    LocalProtocolError,
    ResponseWriter,
    build_error,
    build_fields,
    build_head,
    build_informational,
)
from transom.server.http1 import writer as writer_module


def write(
    fields=(), body=b"", *, status=200, length=None, more=False, has_body=True, version="1.1", keep_alive=True
):
    writer = ResponseWriter()
    writer.start(version, keep_alive)
    head = build_head(status, fields)
    return writer, writer.send_head(head, b"\r\nserver: x", length, body, more, has_body)


def test_head_and_body_are_one_piece():
    _, data = write([(b"content-type", b"text/plain")], b"hello", length=5)
    assert (
        data == b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nserver: x\r\ncontent-length: 5\r\n\r\nhello"
    )


def test_body_of_unknown_length_is_chunked():
    writer, data = write(body=b"hello", more=True)
    assert data.endswith(b"\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n")
    assert writer.send_body(b"", True) == b""
    assert writer.send_body(b"x" * 16, True) == b"10\r\n" + b"x" * 16 + b"\r\n"
    assert writer.send_body(b"", False) == b"0\r\n\r\n"
    assert writer.keep_alive


def test_body_of_unknown_length_ends_a_http_1_0_connection():
    """ASGI HE7."""
    writer, data = write(body=b"hello", more=True, version="1.0", keep_alive=True)
    assert data.endswith(b"connection: close\r\n\r\nhello")
    assert not writer.keep_alive


def test_http_1_0_is_told_that_the_connection_is_kept():
    assert b"\r\nconnection: keep-alive\r\n" in write(length=0, version="1.0")[1]


def test_no_framing_where_there_is_no_body():
    assert write(status=204, has_body=False)[1] == b"HTTP/1.1 204 No Content\r\nserver: x\r\n\r\n"


def test_order_and_duplicates_are_kept_and_names_lowered():
    _, data = write([(b"Set-Cookie", b"a=1"), (b"x", b"y"), (b"set-cookie", b"b=2")], length=0)
    assert b"\r\nset-cookie: a=1\r\nx: y\r\nset-cookie: b=2\r\n" in data


@pytest.mark.parametrize("name", [b"transfer-encoding", b"Transfer-Encoding"])
def test_transfer_encoding_of_the_application_is_dropped(name):
    """ASGI HE6."""
    assert b"gzip" not in write([(name, b"gzip")], length=0)[1]


def test_connection_close_of_the_application_is_honoured_once():
    """ASGI HE8."""
    writer, data = write([(b"connection", b"keep-alive, Close")], length=0)
    assert data.count(b"connection:") == 1
    assert not writer.keep_alive


def test_content_length_is_noted_in_any_case_of_its_name():
    assert build_head(200, [(b"Content-Length", b"5"), (b"content-length", b"5")]).content_length == 5


@pytest.mark.parametrize(
    "fields",
    [
        [(b"x", b"a\r\nb: c")],
        [(b"x", b"a\nb")],
        [(b"x", b"a\rb")],
        [(b"x", b"a\0b")],
        [(b"x", b"a\x7f")],
        [(b"x y", b"a")],
        [(b"x:", b"a")],
        [(b"", b"a")],
        [(b":status", b"200")],
        [(b"x\r\ny", b"a")],
        [("x", "a")],
        [(b"x", "a")],
        [(b"x", 1)],
        [(b"x", b"a", b"b")],
        [(b"x",)],
        [1],
        {b"xyz": b"a"},
        [(b"content-length", b"five")],
        [(b"content-length", b"-1")],
        [(b"content-length", b"1"), (b"content-length", b"2")],
        [(b"content-length", "1")],
        5,
    ],
)
def test_fields_that_cannot_be_written_raise(fields):
    """ASGI HE5, B5."""
    with pytest.raises(LocalProtocolError):
        build_head(200, fields)


def test_error_response_closes():
    assert build_error(400, "no", b"") == (
        b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\n"
        b"content-length: 3\r\nconnection: close\r\n\r\nno\n"
    )


def test_other_connection_options_are_written_and_close_is_honoured_too():
    writer, data = write([(b"Connection", b"upgrade, Close")], length=0)
    assert b"\r\nconnection: upgrade, Close\r\n" in data
    assert data.endswith(b"\r\nconnection: close\r\n\r\n")
    assert not writer.keep_alive


def test_date_and_server_of_the_application_are_noted_in_any_case_of_their_names():
    head = build_head(200, [(b"Date", b"today"), (b"SERVER", b"mine")])
    assert (head.has_date, head.has_server) == (True, True)
    assert head.data == b"HTTP/1.1 200 OK\r\ndate: today\r\nserver: mine"


def test_names_that_are_new_each_time_do_not_pile_up(monkeypatch):
    monkeypatch.setattr(writer_module, "_MAX_PREFIXES", 0)
    name = b"x-never-seen-before"
    assert build_head(200, [(name, b"1")]).data.endswith(b"\r\nx-never-seen-before: 1")
    assert name not in writer_module._prefixes


def test_connection_that_is_to_end_ends_whatever_the_version():
    for version in ("1.0", "1.1"):
        writer, data = write(length=0, version=version, keep_alive=False)
        assert data.endswith(b"\r\nconnection: close\r\n\r\n")
        assert not writer.keep_alive


def test_trailers_follow_a_chunked_body():
    """RFC 9112 section 7.1.2."""
    writer = ResponseWriter()
    writer.start("1.1", True)
    head = build_head(200, [(b"trailer", b"x")])
    data = writer.send_head(head, b"", 5, b"hello", False, True, has_trailers=True)
    assert data.endswith(b"\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"), "no length, and no end yet"
    assert writer.is_chunked
    assert writer.send_trailers(build_fields([(b"X", b"1"), (b"Y", b"2")])) == b"0\r\nx: 1\r\ny: 2\r\n\r\n"
    assert writer.send_trailers(build_fields([])) == b"0\r\n\r\n"


@pytest.mark.parametrize("field", [(b"x", b"a\r\nb: c"), (b"x y", b"a"), ("x", "a")])
def test_fields_that_stand_alone_are_checked_too(field):
    with pytest.raises(LocalProtocolError):
        build_fields([field])


def test_informational_response():
    fields = build_fields([(b"Link", b"</a.css>; rel=preload")])
    expected = b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n"
    assert build_informational(103, fields) == expected


def test_head_with_the_length_that_the_application_gave_is_kept_whole():
    fields = [(b"content-length", b"5"), (b"x-kept", b"1")]
    writer, data = write(fields, b"he", length=5, more=True)
    assert writer.send_body(b"llo", False) == b"llo"
    head = build_head(200, fields)
    assert (head.whole, head.stamp) == (data.removesuffix(b"he"), b"\r\nserver: x")


@pytest.mark.parametrize("other", [{"version": "1.0"}, {"keep_alive": False}, {"length": 4}])
def test_head_that_says_something_of_one_connection_is_not_kept_whole(other):
    fields = [(b"content-length", b"5"), (b"x-not-kept", b"1")]
    write(fields, **({"length": 5} | other))
    assert build_head(200, fields).whole == b""


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ((b"Content-Type", b"text/event-stream; charset=utf-8"), True),
        ((b"content-type", b"text/plain"), False),
        ((b"x", b"text/event-stream"), False),
    ],
)
def test_stream_of_events_is_known_by_its_type(field, expected):
    assert build_head(200, [field]).is_event_stream is expected
