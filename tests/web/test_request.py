"""Requests: what is read from the scope, and the body."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transom.web.errors import BadRequest, ClientDisconnect, ContentTooLarge, UnsupportedMediaType
from transom.web.request import Request


class Settings:
    allowed_hosts = ["example.com", ".example.org", "[::1]"]
    max_body_size = 10
    max_form_fields = 3
    max_form_files = 2
    max_upload_size = 1000


class Site:
    settings = Settings()


def make_request(
    *chunks: bytes, headers: dict[str, str] | None = None, app: Any = None, gone: bool = False, **scope: Any
) -> Request:
    """A request whose body arrives in these pieces; `gone` makes the client leave after the last."""
    messages: list[dict[str, Any]] = [{"type": "http.request", "body": c, "more_body": True} for c in chunks]
    messages.append({"type": "http.disconnect"} if gone else {"type": "http.request"})

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    base = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": "/",
        "raw_path": None,
        "query_string": b"",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in (headers or {}).items()],
        "client": ("10.0.0.1", 5),
        "server": ("127.0.0.1", 8000),
    }
    return Request(base | scope, receive, app=app)  # type: ignore[arg-type]


def test_facts_of_the_scope():
    request = make_request(headers={"cookie": "a=1"}, query_string=b"q=gr%C3%BCn&q=2&e=", method="POST")
    assert (request.method, request.path, request.scheme, request.is_secure) == ("POST", "/", "http", False)
    assert request.cookies == {"a": "1"}
    assert request.query["q"] == "2"
    assert request.query.getlist("q") == ["grün", "2"]
    assert request.query.get("e") == ""
    assert request.client == ("10.0.0.1", 5)


def test_a_server_may_leave_out_what_is_optional():
    request = Request({"type": "http", "method": "GET", "path": "/a", "headers": []}, None)  # type: ignore[arg-type, typeddict-item]
    assert (request.scheme, request.is_secure, request.client, request.full_path) == (
        "http",
        False,
        None,
        "/a",
    )
    assert len(request.query) == 0
    with pytest.raises(BadRequest):
        _ = request.url
    with pytest.raises(RuntimeError, match="no application"):
        _ = request.app


@pytest.mark.parametrize("query", [b"a=%FF", b"a=\xff", b"a&b&c&d"])
def test_bad_queries_are_refused(query: bytes):
    with pytest.raises(BadRequest):
        _ = make_request(query_string=query, app=Site()).query


@given(st.binary(max_size=60))
def test_any_query_is_parsed_or_refused(query: bytes):
    with suppress(BadRequest):
        _ = make_request(query_string=query).query


@pytest.mark.parametrize(
    ("field", "host"),
    [
        ("example.com", "example.com"),
        ("EXAMPLE.com.", "example.com"),
        ("example.com:80", "example.com"),
        ("example.com:8000", "example.com:8000"),
        ("a.example.org", "a.example.org"),
        ("example.org", "example.org"),
        ("[::1]:9", "[::1]:9"),
    ],
)
def test_hosts_that_are_served(field: str, host: str):
    assert make_request(headers={"host": field}, app=Site()).host == host


@pytest.mark.parametrize(
    "field",
    [
        "",
        "evil.com",
        "example.com.evil.com",
        "evilexample.org",
        "example.com@evil.com",
        "example.com/evil",
        "example.com:",
        "example.com:99999",
        "example.com:80:80",
        "example.com, evil.com",
        "example.com evil",
        "example.com\\evil",
        "exa\xe9mple.com",
        "[::1",
        "[]",
        "a..example.org/",
        ".",
    ],
)
def test_other_hosts_are_refused(field: str):
    with pytest.raises(BadRequest):
        _ = make_request(headers={"host": field}, app=Site()).url


def test_without_a_host_field_the_server_names_it():
    assert make_request().url == "http://127.0.0.1:8000/"
    with pytest.raises(BadRequest, match="no host"):
        _ = make_request(server=None).host


@pytest.mark.parametrize(
    ("path", "raw_path", "query", "url"),
    [
        ("/a b", b"/a%20b", b"x=1", "https://example.com/a%20b?x=1"),
        ("/grün", None, b"", "https://example.com/gr%C3%BCn"),
        ("//evil.com/x", b"//evil.com/x", b"", "https://example.com/evil.com/x"),
        ("evil", b"evil", b"", "https://example.com/evil"),
        ("/\\evil", None, b'a="<', "https://example.com/%5Cevil?a=%22%3C"),
    ],
)
def test_url_stays_on_its_host(path: str, raw_path: bytes | None, query: bytes, url: str):
    request = make_request(
        headers={"host": "example.com"}, path=path, raw_path=raw_path, query_string=query, scheme="https"
    )
    assert request.url == url


def test_build_absolute_uri():
    request = make_request(headers={"host": "example.com"}, path="/a/")
    assert request.build_absolute_uri() == "http://example.com/a/"
    assert request.build_absolute_uri("/b/?c=1") == "http://example.com/b/?c=1"
    assert request.build_absolute_uri("https://x.y/") == "https://x.y/"


@pytest.mark.parametrize(
    ("accept", "html", "preferred"),
    [
        (None, True, "text/html"),
        ("*/*", True, "text/html"),
        ("application/json", False, "application/json"),
        ("application/json, */*", True, "application/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", True, "text/html"),
        ("text/*;q=0.5, application/json;q=0.4", True, "text/html"),
        ("text/html;q=0, */*", False, "application/json"),
        ("image/png", False, None),
        ("nonsense, /, ;q=1", False, None),
        ("TEXT/HTML", True, "text/html"),
    ],
)
def test_content_negotiation(accept: str | None, html: bool, preferred: str | None):
    request = make_request(headers={"accept": accept} if accept is not None else None)
    assert request.accepts("text/html") is html
    assert request.get_preferred_type(["text/html", "application/json"]) == preferred


def test_state_is_the_scope_s_own():
    request = make_request(state={"pool": 1})
    request.state.user = "x"
    assert request.state.pool == 1
    assert request.scope["state"] == {"pool": 1, "user": "x"}  # type: ignore[typeddict-item]
    with pytest.raises(AttributeError, match="'missing'"):
        _ = request.state.missing


async def test_body_is_kept_and_read_again():
    request = make_request(b"ab", b"c")
    assert await request.body() == b"abc"
    assert await request.body() == b"abc"
    assert [chunk async for chunk in request.stream()] == [b"abc"]


async def test_stream_hands_out_pieces_once_and_says_so():
    request = make_request(b"ab", b"", b"c")
    assert [chunk async for chunk in request.stream()] == [b"ab", b"c"]
    with pytest.raises(RuntimeError, match="already streamed"):
        await request.body()


@pytest.mark.parametrize("announced", [None, "1", "3", "99999999999999999999"])
async def test_the_limit_holds_whatever_content_length_says(announced: str | None):
    headers = {"content-length": announced} if announced else None
    with pytest.raises(ContentTooLarge):
        await make_request(b"123456", b"78901", headers=headers, app=Site()).body()


async def test_a_body_of_just_the_limit_is_taken():
    assert await make_request(b"1234567890", app=Site()).body() == b"1234567890"


async def test_a_body_announced_too_large_is_refused_unread():
    request = make_request(headers={"content-length": "11"}, app=Site(), gone=True)
    with pytest.raises(ContentTooLarge):
        await request.body()


async def test_a_client_that_leaves_is_told_apart_from_an_end():
    with pytest.raises(ClientDisconnect):
        await make_request(b"ab", gone=True).body()


@pytest.mark.parametrize("content_type", ["application/json", "application/problem+json; charset=utf-8"])
async def test_json(content_type: str):
    assert await make_request(b'{"a":', b"[1]}", headers={"content-type": content_type}).json() == {"a": [1]}


@pytest.mark.parametrize(
    "body", [b"", b"{", b"nul", b"\xff", b'"\xff"', b"[" * 100_000, b"{'a': 1}", b"1" * 5000 + b"x"]
)
async def test_bad_json_is_a_bad_request(body: bytes):
    with pytest.raises(BadRequest):
        await make_request(body, headers={"content-type": "application/json"}).json()


async def test_bad_json_names_the_byte():
    with pytest.raises(BadRequest, match=r"byte 4"):
        await make_request(b"[1, x]", headers={"content-type": "application/json"}).json()


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded"])
async def test_json_of_another_type_is_refused(content_type: str):
    with pytest.raises(UnsupportedMediaType):
        await make_request(b"{}", headers={"content-type": content_type}).json()
