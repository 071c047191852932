"""RFC 9113 section 8.3: pseudo-fields."""

from __future__ import annotations

import json
from typing import Any

import pytest
from http2.client import Client, build_request


def ask(client: Client, fields: list[Any]) -> dict[str, Any]:
    """Return what the application is told of a request with exactly these fields."""
    return json.loads(client.expect_response(client.open(fields)).body)


# 8.3 HTTP control data


@pytest.mark.parametrize("name", [":test", ":", ":Method", ":version", ":host"])
def test_unknown_pseudo_fields(client: Client, name: str):
    """RFC 9113 8.3: a pseudo-field that is not defined makes a request malformed."""
    client.expect_malformed(client.open([(name, "value"), *build_request()]))


def test_a_pseudo_field_of_responses(client: Client):
    """RFC 9113 8.3: :status in a request makes it malformed."""
    client.expect_malformed(client.open([(":status", "200"), *build_request()]))


@pytest.mark.parametrize("name", [":method", ":path", ":scheme", ":authority", ":status", ":test"])
def test_pseudo_fields_in_trailers(client: Client, name: str):
    """RFC 9113 8.1 and 8.3: a pseudo-field in the trailer section makes a request malformed."""
    stream = client.request("/wait", method="POST", open=True)
    client.send_data(stream, b"test")
    client.send_headers(stream, [(name, "200")])
    client.expect_malformed(stream)


@pytest.mark.parametrize("name", ["method", "scheme", "path", "authority"])
def test_pseudo_fields_behind_fields(client: Client, name: str):
    """RFC 9113 8.3: a pseudo-field behind a field makes a request malformed."""
    last = [pair for pair in build_request() if pair[0] == f":{name}"]
    client.expect_malformed(client.open([*build_request("/", ("x-field", "value"), without=[name]), *last]))


@pytest.mark.parametrize("name", ["method", "scheme", "path", "authority"])
def test_pseudo_fields_twice(client: Client, name: str):
    """RFC 9113 8.3: a pseudo-field that is repeated, though its value is the same, makes a request malformed."""
    again = [pair for pair in build_request() if pair[0] == f":{name}"]
    client.expect_malformed(client.open([*build_request(), *again]))


def test_pseudo_fields_twice_with_other_values(client: Client):
    """RFC 9113 8.3: it does so if the values differ, too."""
    client.expect_malformed(client.open([*build_request(), (":path", "/other")]))


def test_pseudo_fields_in_any_order(client: Client):
    """RFC 9113 8.3: among themselves, pseudo-fields may stand as they like."""
    seen = ask(client, list(reversed(build_request("/a?b"))))
    assert (seen["method"], seen["scheme"], seen["path"], seen["query"]) == ("GET", "http", "/a", "b")


# 8.3.1 Request pseudo-header fields


@pytest.mark.parametrize("name", ["method", "scheme", "path"])
def test_pseudo_fields_that_must_be_there(client: Client, name: str):
    """RFC 9113 8.3.1: a request without :method, :scheme or :path is malformed."""
    client.expect_malformed(client.open(build_request(without=[name])))


def test_no_pseudo_fields(client: Client):
    """RFC 9113 8.3.1: a request with fields only is malformed."""
    client.expect_malformed(client.open([("host", "example.org")]))


def test_no_fields(client: Client):
    """RFC 9113 8.3.1: a request with an empty field section is malformed."""
    client.expect_malformed(client.open(b""))


def test_an_empty_path(client: Client):
    """RFC 9113 8.3.1: :path must not be empty."""
    client.expect_malformed(client.open(build_request("")))


@pytest.mark.parametrize("path", ["index", "?query", "http://example.org/", "example.org:80", "*/", "**"])
def test_a_path_that_is_none(client: Client, path: str):
    """RFC 9113 8.3.1: :path begins with a slash; other forms of a request target have no place in HTTP/2."""
    client.expect_malformed(client.open(build_request(path)))


@pytest.mark.parametrize("path", ["/a b", "/a\tb", "/a\x7f", "/a\0", "/a\r\nb", " /", "/ "])
def test_a_path_with_bytes_that_no_path_has(client: Client, path: str):
    """RFC 9113 8.2.1 and 8.3.1: spaces and control characters make :path no valid one."""
    client.expect_malformed(client.open(build_request(path)))


def test_an_asterisk(client: Client):
    """RFC 9113 8.3.1: * is the path of OPTIONS for the server as a whole."""
    client.expect_answer(client.open(build_request("*", method="OPTIONS")))


def test_an_asterisk_for_another_method(client: Client):
    """RFC 9113 8.3.1 and RFC 9112 3.2.4: * is for OPTIONS alone."""
    client.expect_malformed(client.open(build_request("*")))


def test_the_path_and_the_query(client: Client):
    """RFC 9113 8.3.1: :path is path and query as they were sent."""
    seen = ask(client, build_request("/a%20b/%C3%A9?x=1&y=%2F?z"))
    assert (seen["path"], seen["query"]) == ("/a%20b/%C3%A9", "x=1&y=%2F?z")


@pytest.mark.parametrize("method", ["", "GE T", "GET\0", "GET\r\n", "G(T", " GET", "GET "])
def test_a_method_that_is_none(client: Client, method: str):
    """RFC 9113 8.3.1 and RFC 9110 9.1: a method is a token."""
    client.expect_malformed(client.open(build_request(method=method)))


@pytest.mark.parametrize("method", ["get", "UNKNOWN"])
def test_a_method_that_nobody_knows(client: Client, method: str):
    """RFC 9110 9.1: methods are case-sensitive; one that is not known is answered with a status, or by the application."""
    client.expect_answer(client.open(build_request(method=method)))


@pytest.mark.parametrize("scheme", ["", "ht tp", "http:", "http://", "1http", "http\0"])
def test_a_scheme_that_is_none(client: Client, scheme: str):
    """RFC 9113 8.3.1 and RFC 3986 3.1: a scheme is a letter, then letters, digits, plus, minus and dots."""
    client.expect_malformed(client.open(build_request(scheme=scheme)))


def test_the_version(client: Client):
    """RFC 9113 8.3.1: the version of every request is 2.0; ASGI writes it so."""
    assert ask(client, build_request())["version"] == "2"


# 8.3.1 :authority and host


def hosts(seen: dict[str, Any]) -> list[str]:
    return [value for name, value in seen["fields"] if name == "host"]


@pytest.mark.parametrize("authority", ["example.org", "example.org:8080", "127.0.0.1", "[::1]:8080", "a_b"])
def test_the_authority_becomes_host(client: Client, authority: str):
    """RFC 9113 8.3.1: :authority is the host of the request; an application of ASGI finds it in host."""
    assert hosts(ask(client, build_request(authority=authority))) == [authority]


def test_host_without_an_authority(client: Client):
    """RFC 9113 8.3.1: where there is no :authority, host says it."""
    fields = build_request("/", ("host", "example.net"), without=["authority"])
    assert hosts(ask(client, fields)) == ["example.net"]


def test_host_that_says_the_same(client: Client):
    """RFC 9113 8.3.1: a host that is equal to :authority is one host."""
    assert hosts(ask(client, build_request("/", ("host", "example.org")))) == ["example.org"]


def test_host_that_differs_in_case(client: Client):
    """RFC 9113 8.3.1: values are normalized before they are compared."""
    seen = ask(client, build_request("/", ("host", "EXAMPLE.org")))
    assert [host.lower() for host in hosts(seen)] == ["example.org"]


@pytest.mark.parametrize("host", ["example.net", "example.org:81", "", "example.org.evil"])
def test_host_that_differs(client: Client, host: str):
    """RFC 9113 8.3.1: a host that names another one than :authority makes a request malformed."""
    client.expect_malformed(client.open(build_request("/", ("host", host))))


def test_two_hosts(client: Client):
    """RFC 9110 7.2: a request has one host."""
    fields = build_request("/", ("host", "example.org"), ("host", "example.net"), without=["authority"])
    client.expect_malformed(client.open(fields))


@pytest.mark.parametrize("authority", ["user@example.org", "user:password@example.org", "@example.org"])
def test_an_authority_with_a_user(client: Client, authority: str):
    """RFC 9113 8.3.1 and RFC 9110 4.2.4: :authority has no user information."""
    client.expect_malformed(client.open(build_request(authority=authority)))


@pytest.mark.parametrize(
    "authority", ["", "exa mple.org", "example.org/", "example.org:port", "a\0b", "a?b", "a#b", "[::1", ":80"]
)
def test_an_authority_that_is_none(client: Client, authority: str):
    """RFC 9113 8.3.1 and RFC 3986 3.2: :authority is a host and perhaps a port, and the host is not empty."""
    client.expect_malformed(client.open(build_request(authority=authority)))
