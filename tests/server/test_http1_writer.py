"""The response writer: framing, and applications that ask for what cannot be framed."""

from __future__ import annotations

import pytest

from transom.server.http1 import LocalProtocolError, ResponseWriter, build_error, build_head
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


def test_head_that_was_built_before_is_found_again():
    fields = [(b"x-found", b"again"), (b"content-length", b"7")]
    assert build_head(200, fields) is build_head(200, iter(list(fields)))
    assert build_head(201, fields).data.startswith(b"HTTP/1.1 201 Created")
    assert build_head(200, [*fields, (b"y", b"1")]).data.endswith(b"\r\ny: 1")


def test_changed_list_of_headers_makes_another_head():
    fields = [(b"x", b"1")]
    build_head(200, fields)
    fields.append((b"y", b"2"))
    assert build_head(200, fields).data.endswith(b"\r\nx: 1\r\ny: 2")


@pytest.mark.parametrize("fields", [[[b"x", b"a"]], [(b"x", bytearray(b"a"))]])
def test_headers_that_may_change_are_encoded_each_time(fields):
    first = build_head(200, fields)
    assert build_head(200, fields) is not first
    assert first.data.endswith(b"\r\nx: a")


@pytest.mark.parametrize("field", [(b"set-cookie", b"a=1"), (b"Set-Cookie", b"a=1"), (b"x", b"a" * 2000)])
def test_cookies_and_large_heads_are_not_kept(field):
    assert build_head(200, [field]) is not build_head(200, [field])


def test_heads_that_are_new_each_time_do_not_pile_up():
    for number in range(2 * writer_module._MAX_HEADS):
        assert build_head(200, [(b"etag", b"%d" % number)]).data.endswith(b"etag: %d" % number)
    assert len(writer_module._heads) <= writer_module._MAX_HEADS


def test_error_response_closes():
    assert build_error(400, "no", b"") == (
        b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\n"
        b"content-length: 3\r\nconnection: close\r\n\r\nno\n"
    )
