"""Cookies read and built."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transom.web.cookies import Cookie, parse_cookies
from transom.web.response import Response


@pytest.mark.parametrize(
    ("header", "cookies"),
    [
        ("", {}),
        ("a=1; b=2", {"a": "1", "b": "2"}),
        ("a=1;b=2;", {"a": "1", "b": "2"}),
        ("a=x=y", {"a": "x=y"}),
        ('a="q"', {"a": "q"}),
        ("novalue; =noname; a=1", {"a": "1"}),
        ("a=first; a=second", {"a": "first"}),
        ("a=", {"a": ""}),
    ],
)
def test_parse_cookies(header: str, cookies: dict[str, str]):
    assert parse_cookies(header) == cookies


@given(st.text())
def test_parse_cookies_takes_anything(header: str):
    assert all(name for name in parse_cookies(header))


def test_defaults_are_lax_and_http_only():
    assert Cookie(name="a", value="1").build() == "a=1; Path=/; HttpOnly; SameSite=Lax"


def test_every_attribute_is_written():
    cookie = Cookie(
        name="__Secure-a",
        value="1",
        max_age=timedelta(minutes=1),
        expires=datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC),
        path="/x",
        domain="example.com",
        secure=True,
        httponly=False,
        samesite="None",
    )
    assert cookie.build() == (
        "__Secure-a=1; Path=/x; Domain=example.com; Max-Age=60; Expires=Wed, 02 Jan 2030 03:04:05 GMT; Secure; "
        "SameSite=None"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": ""}, "is no token"),
        ({"name": "a b"}, "is no token"),
        ({"name": "a", "value": "x;y"}, "encode it"),
        ({"name": "a", "value": "x\r\ny"}, "encode it"),
        ({"name": "a", "value": "ü"}, "encode it"),
        ({"name": "a", "value": "x" * 4096}, "4097 bytes"),
        ({"name": "a", "path": "x"}, "start with '/'"),
        ({"name": "a", "path": "/; Secure"}, "start with '/'"),
        ({"name": "a", "domain": "a; b"}, "no host name"),
        ({"name": "a", "samesite": "lax"}, "choose from"),
        ({"name": "a", "samesite": "None"}, "secure=True"),
        ({"name": "a", "expires": datetime(2030, 1, 1)}, "time zone"),
        ({"name": "__Host-a"}, "secure=True"),
        ({"name": "__Secure-a"}, "secure=True"),
        ({"name": "__Host-a", "secure": True, "path": "/x"}, "path='/'"),
        ({"name": "__Host-a", "secure": True, "domain": "a.b"}, "no domain"),
    ],
)
def test_what_a_browser_would_drop_is_refused(arguments: dict[str, object], message: str):
    with pytest.raises(ValueError, match=message):
        Cookie(**arguments)  # type: ignore[arg-type]


def test_deleting_a_prefixed_cookie_is_secure_or_the_browser_ignores_it():
    response = Response()
    response.delete_cookie("__Host-session")
    assert "Secure" in response.headers["set-cookie"]
    assert "Max-Age=0" in response.headers["set-cookie"]


def test_two_cookies_are_two_lines():
    response = Response()
    response.set_cookie("a", "1")
    response.set_cookie("b", "2", max_age=5)
    assert [line.split(";")[0] for line in response.headers.getlist("set-cookie")] == ["a=1", "b=2"]
