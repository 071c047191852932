"""Responses: what they send."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pydantic
import pytest

from transom.web.response import (
    HTMLResponse,
    JSONResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)


async def send_response(response: Response, method: str = "GET") -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        raise AssertionError("a response does not read")

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    await response({"type": "http", "method": method, "headers": []}, receive, send)  # type: ignore[typeddict-item]
    return messages


def header(messages: list[dict[str, Any]], name: bytes) -> bytes | None:
    return dict(messages[0]["headers"]).get(name)


async def test_text_is_sent_as_utf8_with_its_length_in_bytes():
    messages = await send_response(Response("grün"))
    assert messages == [
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"5")],
        },
        {"type": "http.response.body", "body": "grün".encode()},
    ]


async def test_head_gets_the_fields_and_no_content():
    messages = await send_response(HTMLResponse("<p>"), "HEAD")
    assert header(messages, b"content-length") == b"3"
    assert messages[1]["body"] == b""


def test_content_type_given_as_header_or_argument_wins_over_the_default():
    assert Response("a", headers={"Content-Type": "text/css"}).headers["content-type"] == "text/css"
    assert Response("a", content_type="text/css").headers["content-type"] == "text/css"


def test_setting_the_body_sets_the_length():
    response = Response("long text")
    response.body = b"x"
    assert response.headers["content-length"] == "1"


async def test_no_content_has_neither_type_nor_length():
    assert header(await send_response(Response(status=204)), b"content-length") is None
    with pytest.raises(ValueError, match="no content"):
        Response("x", status=204)


@pytest.mark.parametrize("status", [0, 100, 199, 600])
def test_statuses_that_are_not_final_are_refused(status: int):
    with pytest.raises(ValueError, match="final status"):
        Response(status=status)


def test_json_knows_the_types_of_the_data_layer():
    @dataclass
    class Point:
        x: int

    class Model(pydantic.BaseModel):
        at: datetime

    now = datetime(2026, 1, 2, tzinfo=UTC)
    number = uuid.UUID(int=1)
    response = JSONResponse([now, number, Decimal("1.10"), Point(2), Model(at=now), None])
    assert response.body == (
        b'["2026-01-02T00:00:00Z","00000000-0000-0000-0000-000000000001","1.10",{"x":2},'
        b'{"at":"2026-01-02T00:00:00Z"},null]'
    )
    assert response.headers["content-type"] == "application/json"


def test_json_of_an_unknown_type_names_it():
    with pytest.raises(TypeError, match="no JSON for Foreign"):
        JSONResponse({"a": type("Foreign", (), {})()})


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("/polls/", "/polls/"),
        ("https://example.com/a?b=c#d", "https://example.com/a?b=c#d"),
        ("/grün", "/gr%C3%BCn"),
        ("/a b", "/a%20b"),
        ("/a%20b", "/a%20b"),
        ("../x", "../x"),
        ("?page=2", "?page=2"),
        ("/\\evil.example", "/%5Cevil.example"),
        ('/"<>', "/%22%3C%3E"),
        ("/a:b", "/a:b"),
        ("http://[::1]:8000/", "http://[::1]:8000/"),
    ],
)
def test_redirects_are_percent_encoded(url: str, location: str):
    response = RedirectResponse(url)
    assert (response.status, response.url) == (302, location)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "java\tscript:alert(1)",
        "\x01javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "/a\r\nset-cookie: a=1",
        "/a\n",
        "/\x7f",
    ],
)
def test_dangerous_redirects_are_refused(url: str):
    with pytest.raises(ValueError, match="redirect to"):
        RedirectResponse(url)


def test_redirect_status_is_one():
    assert RedirectResponse("/", 303).status == 303
    with pytest.raises(ValueError, match="no redirect"):
        RedirectResponse("/", 200)


class Pieces:
    """An async iterator that notes when it is closed."""

    def __init__(self, *pieces: bytes | str) -> None:
        self.pieces = list(pieces)
        self.closed = False

    def __aiter__(self) -> AsyncIterator[bytes | str]:
        return self  # type: ignore[return-value]

    async def __anext__(self) -> bytes | str:
        if not self.pieces:
            raise StopAsyncIteration
        return self.pieces.pop(0)

    async def aclose(self) -> None:
        self.closed = True


async def test_streaming_sends_each_piece_and_closes_the_iterator():
    pieces = Pieces(b"a", "", "ü")
    messages = await send_response(StreamingResponse(pieces))
    assert [(m.get("body"), m.get("more_body", False)) for m in messages[1:]] == [
        (b"a", True),
        ("ü".encode(), True),
        (b"", False),
    ]
    assert header(messages, b"content-length") is None
    assert pieces.closed


async def test_streaming_to_head_runs_nothing():
    pieces = Pieces(b"a")
    assert len(await send_response(StreamingResponse(pieces), "HEAD")) == 2
    assert (pieces.pieces, pieces.closed) == ([b"a"], True)


async def test_a_client_that_leaves_closes_the_stream_there_and_then():
    pieces = Pieces(b"a", b"b", b"c")

    async def send(message: dict[str, Any]) -> None:
        if message.get("body") == b"b":
            raise ConnectionResetError

    with pytest.raises(OSError):  # noqa: PT011  (the server's error passes through as it is)
        await StreamingResponse(pieces)({"method": "GET"}, None, send)  # type: ignore[arg-type]
    assert pieces.closed
    assert pieces.pieces == [b"c"]


async def test_streaming_keeps_a_length_the_caller_knows():
    response = StreamingResponse(Pieces(b"abc"), headers={"content-length": "3"})
    assert header(await send_response(response), b"content-length") == b"3"


def test_streaming_refuses_a_plain_iterator():
    with pytest.raises(TypeError, match="async iterator"):
        StreamingResponse([b"a"])  # type: ignore[arg-type]
