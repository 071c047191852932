"""The environ of a request: PEP 3333 and what it says of bytes in str."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest

from transom.asgi.wsgi.environ import build_environ


@pytest.fixture
def environ(http_scope):
    def build(**changes: Any) -> dict[str, Any]:
        return build_environ(http_scope(**changes), io.BytesIO(), multiprocess=False)

    return build


def test_environ_has_what_pep_3333_demands(environ):
    got = environ(
        method="POST",
        path="/a b",
        raw_path=b"/a%20b",
        query_string=b"x=%C3%A4&y",
        headers=[(b"host", b"example.org"), (b"content-type", b"text/plain"), (b"content-length", b"3")],
    )
    assert got["REQUEST_METHOD"] == "POST"
    assert (got["SCRIPT_NAME"], got["PATH_INFO"], got["QUERY_STRING"]) == ("", "/a b", "x=%C3%A4&y")
    assert (got["CONTENT_TYPE"], got["CONTENT_LENGTH"], got["HTTP_HOST"]) == (
        "text/plain",
        "3",
        "example.org",
    )
    assert (got["SERVER_NAME"], got["SERVER_PORT"], got["SERVER_PROTOCOL"]) == (
        "192.0.2.2",
        "8000",
        "HTTP/1.1",
    )
    assert (got["REMOTE_ADDR"], got["REMOTE_PORT"]) == ("192.0.2.1", "5000")
    assert got["RAW_URI"] == "/a%20b?x=%C3%A4&y"
    assert (got["wsgi.version"], got["wsgi.url_scheme"]) == ((1, 0), "http")
    assert got["wsgi.errors"] is sys.stderr
    assert (got["wsgi.multithread"], got["wsgi.multiprocess"], got["wsgi.run_once"]) == (True, False, False)
    assert got["wsgi.input_terminated"] is True
    assert "HTTP_CONTENT_TYPE" not in got
    assert "HTTP_CONTENT_LENGTH" not in got


@pytest.mark.parametrize(
    ("path", "raw_path", "root_path", "script_name", "path_info"),
    [
        ("/ä", b"/%C3%A4", "", "", "/\xc3\xa4"),
        ("/old/ä", b"/old/%C3%A4", "/old", "/old", "/\xc3\xa4"),
        ("/ö/ä", b"/%C3%B6/%C3%A4", "/ö", "/\xc3\xb6", "/\xc3\xa4"),
        ("/old", b"/old", "/old", "/old", ""),
        ("/older", b"/older", "/old", "/old", "/older"),  # another path
        ("/page", b"/page", "/old", "/old", "/page"),  # a server that leaves the root path out
        # Not UTF-8: the bytes that were sent, not what decoding made of them.
        ("/\ufffd", b"/%E4", "", "", "/\xe4"),
        ("/old/\ufffd", b"/old/%E4", "/old", "/old", "/\xe4"),
        ("/\ufffd", b"/rewritten", "", "", "/\xef\xbf\xbd"),
    ],
)
def test_paths_are_bytes_in_str(environ, path, raw_path, root_path, script_name, path_info):
    got = environ(path=path, raw_path=raw_path, root_path=root_path)
    assert (got["SCRIPT_NAME"], got["PATH_INFO"]) == (script_name, path_info)


def test_values_are_latin_1(environ):
    assert environ(headers=[(b"x-name", b"\xe4\xff")])["HTTP_X_NAME"] == "\xe4\xff"


def test_fields_of_one_name_are_joined(environ):
    got = environ(
        headers=[
            *((b"accept", b"a"), (b"cookie", b"a=1"), (b"accept", b"b")),
            *((b"cookie", b"b=2"), (b"accept", b"c")),
        ]
    )
    assert got["HTTP_ACCEPT"] == "a,b,c"
    assert got["HTTP_COOKIE"] == "a=1; b=2"


def test_values_are_joined_once_and_not_one_by_one(environ):
    """CVE-2025-14550: joined one by one, each copies all that is there so far."""

    class Text(str):
        def __add__(self, other):
            raise AssertionError("copied")

    class Value(bytes):
        def decode(self, *args):
            return Text(super().decode(*args))

    assert environ(headers=[(b"x-a", Value(b"v"))] * 1000)["HTTP_X_A"] == ",".join(["v"] * 1000)


def test_a_name_with_an_underscore_does_not_pass_for_another(environ):
    """CVE-2026-3902: a proxy that overwrites X-Forwarded-For lets X_Forwarded_For through."""
    got = environ(
        headers=[(b"x_forwarded_for", b"evil"), (b"x-forwarded-for", b"good"), (b"content_length", b"9")]
    )
    assert got["HTTP_X_FORWARDED_FOR"] == "good"
    assert "CONTENT_LENGTH" not in got


@pytest.mark.parametrize(
    ("scheme", "host", "expected"),
    [
        ("http", b"example.org", ("example.org", "80")),
        ("https", b"example.org", ("example.org", "443")),
        ("http", b"example.org:81", ("example.org", "81")),
        ("http", b"[::1]", ("[::1]", "80")),
        ("http", b"[::1]:81", ("[::1]", "81")),
        ("http", b"", ("localhost", "80")),
    ],
)
def test_unix_socket_has_the_address_of_the_host_field(environ, scheme, host, expected):
    got = environ(scheme=scheme, server=("/run/site.sock", None), client=None, headers=[(b"host", host)])
    assert (got["SERVER_NAME"], got["SERVER_PORT"]) == expected
    assert got["REMOTE_ADDR"] == ""
    assert "REMOTE_PORT" not in got


def test_scope_with_only_the_keys_that_are_mandatory(http_scope):
    """H: `raw_path`, `root_path`, `scheme`, `client` and `server` are optional in ASGI."""
    scope = http_scope()
    for key in ("raw_path", "root_path", "scheme", "client", "server"):
        del scope[key]
    got = build_environ(scope, io.BytesIO(), multiprocess=True)
    assert (got["PATH_INFO"], got["SCRIPT_NAME"], got["SERVER_NAME"]) == ("/", "", "example.org")
