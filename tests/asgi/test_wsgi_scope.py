"""The scope of a request that came through WSGI."""

from __future__ import annotations

import io
from typing import Any

import pytest

from transom.asgi.wsgi.environ import build_environ
from transom.asgi.wsgi.input import Input
from transom.asgi.wsgi.scope import build_scope


def environ(**changes: Any) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "SERVER_NAME": "example.org",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
    } | changes


def test_scope_of_a_request():
    given = environ(
        REQUEST_METHOD="POST",
        SCRIPT_NAME="/m\xc3\xb6unt",
        PATH_INFO="/a b;c/\xc3\xa4",
        QUERY_STRING="q=%20",
        CONTENT_TYPE="text/plain",
        CONTENT_LENGTH="3",
        HTTP_HOST="example.org",
        HTTP_X_NAME="v\xe4lue",
        HTTP_CONTENT_LENGTH="9",
        REMOTE_ADDR="192.0.2.1",
        REMOTE_PORT="5000",
    )
    assert build_scope(given, {"key": 1}) == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/möunt/a b;c/ä",
        "raw_path": b"/m%C3%B6unt/a%20b;c/%C3%A4",
        "query_string": b"q=%20",
        "root_path": "/möunt",
        "headers": [
            (b"content-type", b"text/plain"),
            (b"content-length", b"3"),
            (b"host", b"example.org"),
            (b"x-name", b"v\xe4lue"),
        ],
        "client": ("192.0.2.1", 5000),
        "server": ("example.org", 80),
        "extensions": {},
        "state": {"key": 1},
        "wsgi.environ": given,
    }


def test_state_is_a_copy():
    state = {"key": 1}
    build_scope(environ(), state)["state"]["key"] = 2
    assert state == {"key": 1}
    assert "state" not in build_scope(environ(), None)


@pytest.mark.parametrize(
    ("protocol", "version"),
    [
        ("HTTP/1.0", "1.0"),
        ("HTTP/1.1", "1.1"),
        ("HTTP/2.0", "2"),
        ("HTTP/2", "2"),
        ("HTTP/3", "3"),
        ("", "1.1"),
    ],
)
def test_http_version(protocol, version):
    assert build_scope(environ(SERVER_PROTOCOL=protocol), None)["http_version"] == version


@pytest.mark.parametrize(
    ("target", "raw_path"),
    [("/a%2Fb?q", b"/a%2Fb"), ("http://example.org/a%2Fb", b"/a/b"), ("*", b"/a/b"), ("", b"/a/b")],
)
def test_raw_path_is_what_was_sent_where_the_server_tells(target, raw_path):
    assert build_scope(environ(PATH_INFO="/a/b", RAW_URI=target), None)["raw_path"] == raw_path
    assert build_scope(environ(PATH_INFO="/a/b", REQUEST_URI=target), None)["raw_path"] == raw_path


def test_addresses_that_are_missing():
    scope = build_scope(environ(REMOTE_ADDR="", SERVER_PORT=""), None)
    assert (scope["client"], scope["server"]) == (None, ("example.org", 0))


def test_there_and_back_is_the_same(http_scope):
    scope = http_scope(
        method="PUT",
        path="/mount/ä b",
        raw_path=b"/mount/%C3%A4%20b",
        root_path="/mount",
        query_string=b"a=%20&b",
        headers=[(b"host", b"example.org"), (b"content-length", b"0"), (b"x-latin", b"\xff")],
    )
    back = build_scope(build_environ(scope, io.BytesIO(), multiprocess=False), None)
    assert {key: back[key] for key in scope if key != "headers"} == {
        key: scope[key] for key in scope if key != "headers"
    }
    assert sorted(back["headers"]) == sorted(scope["headers"])


def read_all(**changes: Any) -> list[tuple[bytes, bool]]:
    source, pieces = Input(environ(**changes)), []
    while not pieces or pieces[-1][1]:
        pieces.append(source.read())
    return pieces


def test_body_is_read_to_its_length_and_not_beyond():
    stream = io.BytesIO(b"abcGET / HTTP/1.1")
    assert read_all(CONTENT_LENGTH="3", **{"wsgi.input": stream}) == [(b"abc", False)]
    assert stream.read() == b"GET / HTTP/1.1"


def test_body_without_a_length_is_read_where_the_server_ends_it():
    body = {"wsgi.input": io.BytesIO(b"abc")}
    assert read_all(**body) == [(b"", False)]
    assert read_all(**body, **{"wsgi.input_terminated": True}) == [(b"abc", True), (b"", False)]


def test_body_that_breaks_off_is_an_error():
    with pytest.raises(EOFError, match="ended 2 bytes before its content-length"):
        read_all(CONTENT_LENGTH="5", **{"wsgi.input": io.BytesIO(b"abc")})
