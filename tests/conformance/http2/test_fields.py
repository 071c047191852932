"""RFC 9113 section 8.2: fields."""

from __future__ import annotations

import json
from typing import Any

import pytest
from http2.client import Client, build_request

# Every byte that a name must not have: RFC 9113 section 8.2.1.
FORBIDDEN_IN_NAMES = [0x00, 0x01, 0x09, 0x0A, 0x0D, 0x1F, 0x20, 0x41, 0x5A, 0x7F, 0x80, 0xFF]
# Bytes that are no part of a token: RFC 9110 section 5.6.2.
NO_TOKEN = b'"(),/;<=>?@[\\]{}'
FORBIDDEN_IN_VALUES = [0x00, 0x0A, 0x0D]


def ask(client: Client, *fields: tuple[bytes | str, bytes | str]) -> dict[str, Any]:
    """Return what the application is told of a request with these fields."""
    return json.loads(client.expect_response(client.request("/", *fields)).body)


def told(seen: dict[str, Any], name: str) -> list[str]:
    return [value for key, value in seen["fields"] if key == name]


# 8.2 and 8.2.1 Field validity


@pytest.mark.parametrize("name", ["X-Test", "x-tesT", "HOST"])
def test_upper_case_names(client: Client, name: str):
    """RFC 9113 8.2: a name with upper-case letters makes a request malformed."""
    client.expect_malformed(client.request("/", (name, "value")))


@pytest.mark.parametrize("place", ["x{}y", "{}y", "x{}"], ids=["within", "first", "last"])
@pytest.mark.parametrize("byte", FORBIDDEN_IN_NAMES, ids=hex)
def test_bytes_that_no_name_has(client: Client, byte: int, place: str):
    """RFC 9113 8.2.1: control characters, space, upper case and what is not ASCII make a request malformed."""
    client.expect_malformed(client.request("/", (place.format(chr(byte)), "value")))


@pytest.mark.parametrize("name", ["x:y", "x:", "::x"])
def test_a_colon_in_a_name(client: Client, name: str):
    """RFC 9113 8.2.1: a colon is the first byte of pseudo-fields, and nothing else."""
    client.expect_malformed(client.request("/", (name, "value")))


@pytest.mark.parametrize("byte", NO_TOKEN, ids=chr)
def test_names_that_are_no_tokens(client: Client, byte: int):
    """RFC 9113 8.2.1 and RFC 9110 5.1: a name that is no token makes a request malformed."""
    client.expect_malformed(client.request("/", (f"x{chr(byte)}y", "value")))


def test_an_empty_name(client: Client):
    """RFC 9113 8.2.1 and RFC 9110 5.1: a name has at least one byte."""
    client.expect_malformed(client.request("/", ("", "value")))


def test_every_byte_that_a_name_may_have(client: Client):
    """RFC 9110 5.6.2: names are tokens, and need not be words."""
    name = "x!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
    assert told(ask(client, (name, "value")), name) == ["value"]


@pytest.mark.parametrize("place", ["x{}y", "{}y", "x{}"], ids=["within", "first", "last"])
@pytest.mark.parametrize("byte", FORBIDDEN_IN_VALUES, ids=hex)
def test_bytes_that_no_value_has(client: Client, byte: int, place: str):
    """RFC 9113 8.2.1: NUL, LF and CR in a value make a request malformed."""
    client.expect_malformed(client.request("/", ("x-field", place.format(chr(byte)))))


@pytest.mark.parametrize("value", [" x", "x ", "\tx", "x\t", " ", "\t"])
def test_whitespace_around_a_value(client: Client, value: str):
    """RFC 9113 8.2.1: a value that begins or ends with space or tab makes a request malformed."""
    client.expect_malformed(client.request("/", ("x-field", value)))


def test_values_that_smuggle_a_field(client: Client):
    """RFC 9113 8.2.1 and 10.3: a line break in a value does not become a field of the application."""
    client.expect_malformed(client.request("/", ("x-field", "a\r\nx-smuggled: b")))


@pytest.mark.parametrize("value", ["", "a b", "a\tb", "a:b", '"quoted"', "\x80\xff", "a, b"])
def test_values_that_are_allowed(client: Client, value: str):
    """RFC 9110 5.5: values may be empty, and have inner whitespace, and bytes that are not ASCII."""
    assert told(ask(client, ("x-field", value)), "x-field") == [value]


def test_fields_keep_their_order(client: Client):
    """RFC 9110 5.3: fields of one name come in their order, each by itself or joined with commas."""
    values = told(ask(client, ("x-field", "1"), ("x-other", "2"), ("x-field", "3")), "x-field")
    assert ", ".join(values) == "1, 3"


@pytest.mark.parametrize(
    "field",
    [
        ("X-Upper", "value"),
        ("x field", "value"),
        ("x-field", "a\nb"),
        ("x-field", " value"),
        ("x:y", "value"),
    ],
)
def test_trailers_are_held_to_the_same_rules(client: Client, field: tuple[str, str]):
    """RFC 9113 8.2.1: fields of a trailer section make a request malformed, too."""
    stream = client.request("/wait", method="POST", open=True)
    client.send_data(stream, b"test")
    client.send_headers(stream, [field])
    client.expect_malformed(stream)


# 8.2.2 Connection-specific header fields


@pytest.mark.parametrize(
    "field",
    [
        ("connection", "keep-alive"),
        ("connection", "close"),
        ("proxy-connection", "keep-alive"),
        ("keep-alive", "timeout=5"),
        ("transfer-encoding", "chunked"),
        ("transfer-encoding", "identity"),
        ("upgrade", "websocket"),
        ("upgrade", "h2c"),
    ],
    ids=lambda field: "-".join(field),
)
def test_fields_of_one_connection(client: Client, field: tuple[str, str]):
    """RFC 9113 8.2.2: a field that is of one connection in HTTP/1.1 makes a request malformed."""
    client.expect_malformed(client.request("/", field))


@pytest.mark.parametrize(
    "value", ["gzip", "trailers, deflate;q=0.5", "deflate, trailers", "", "trailers;q=1"]
)
def test_te_with_another_value_than_trailers(client: Client, value: str):
    """RFC 9113 8.2.2: te with any other value than trailers makes a request malformed."""
    client.expect_malformed(client.request("/", ("te", value)))


def test_te_trailers(client: Client):
    """RFC 9113 8.2.2: te with the value trailers is accepted."""
    ask(client, ("te", "trailers"))


def test_fields_of_one_connection_in_trailers(client: Client):
    """RFC 9113 8.2.2: they make a message malformed in the trailer section, too."""
    stream = client.request("/wait", method="POST", open=True)
    client.send_data(stream, b"test")
    client.send_headers(stream, [("connection", "close")])
    client.expect_malformed(stream)


def test_responses_have_no_fields_of_one_connection(client: Client):
    """RFC 9113 8.2.2: the server leaves out what an application has said of the connection of HTTP/1.1."""
    response = client.expect_response(client.request("/connection"))  # the referee looks at the fields
    assert response.body == b"0123456789"


# 8.2.3 Compressing the Cookie header field


def test_cookies_are_joined(client: Client):
    """RFC 9113 8.2.3: crumbs of a cookie are joined with a semicolon and a space before the application sees them."""
    seen = ask(client, ("cookie", "a=b"), ("cookie", "c=d"), ("cookie", "e=f"))
    assert told(seen, "cookie") == ["a=b; c=d; e=f"]


def test_cookies_apart_are_joined(client: Client):
    """RFC 9113 8.2.3: it does not matter what stands between them, or how many pairs each has."""
    seen = ask(client, ("cookie", "a=b; c=d"), ("accept", "*/*"), ("cookie", "e=f"))
    assert told(seen, "cookie") == ["a=b; c=d; e=f"]
    assert told(seen, "accept") == ["*/*"]


def test_one_cookie_stays_as_it_is(client: Client):
    """RFC 9113 8.2.3: there is nothing to join in one field."""
    assert told(ask(client, ("cookie", "a=b; c=d")), "cookie") == ["a=b; c=d"]


def test_the_application_sees_no_pseudo_fields(client: Client):
    """RFC 9113 8.3: pseudo-fields are no fields."""
    fields = json.loads(client.expect_response(client.open(build_request())).body)["fields"]
    assert [name for name, _ in fields if name.startswith(":")] == []
