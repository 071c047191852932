"""HTTP exceptions and the pages of production."""

import json
from html.parser import HTMLParser
from typing import Any

import pytest

from transom.web.errors import (
    BadRequest,
    ClientDisconnect,
    ContentTooLarge,
    Http404,
    HTTPException,
    MethodNotAllowed,
    NotAcceptable,
    PermissionDenied,
    UnsupportedMediaType,
    error_page,
)
from transom.web.request import Request


def make_request(accept: str | None = None) -> Request:
    headers = [(b"accept", accept.encode())] if accept is not None else []
    scope: Any = {"type": "http", "method": "GET", "path": "/", "headers": headers}
    return Request(scope, None)  # type: ignore[arg-type]  # nothing is read


@pytest.mark.parametrize(
    ("exception", "status"),
    [
        (BadRequest, 400),
        (PermissionDenied, 403),
        (Http404, 404),
        (NotAcceptable, 406),
        (ContentTooLarge, 413),
        (UnsupportedMediaType, 415),
    ],
)
def test_each_exception_has_its_status(exception: type[HTTPException], status: int):
    exc = exception("why", {"x-a": "1"})  # type: ignore[call-arg, arg-type]
    assert (exc.status, exc.detail, exc.headers["x-a"]) == (status, "why", "1")


def test_method_not_allowed_names_the_methods():
    assert MethodNotAllowed(["POST", "GET", "POST"]).headers["allow"] == "GET, POST"


def test_any_error_status_can_be_raised_and_no_other():
    assert str(HTTPException(418, "tea")) == "418 tea"
    assert str(HTTPException(599)) == "599 Error"
    with pytest.raises(ValueError, match="no error"):
        HTTPException(200)


def test_headers_of_an_exception_are_checked():
    with pytest.raises(ValueError, match="x-a"):
        BadRequest(headers={"x-a": "a\r\nb"})


def test_a_disconnect_is_an_oserror_as_asgi_s_own():
    assert issubclass(ClientDisconnect, OSError)


class Outline(HTMLParser):
    """Collects tags and checks that they are paired."""

    VOID = frozenset({"meta", "link", "br", "hr", "img", "input"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("status", [400, 403, 404, 405, 413, 500, 503, 418])
def test_production_pages_are_whole_and_load_nothing(status: int):
    response = error_page(make_request(), status, detail="<the cause>")
    page = response.body.decode()
    outline = Outline(page)
    assert response.status == status
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "the cause" not in page
    assert "style-src 'sha256-" in response.headers["content-security-policy"]
    assert page.startswith("<!doctype html>")
    assert {"h1", "main", "title"} <= set(outline.tags)
    assert ("lang", "en") in outline.attributes
    assert not {"script", "link", "img"} & set(outline.tags)
    assert "url(" not in page


def test_a_client_that_prefers_json_gets_problem_details():
    response = error_page(make_request("application/json"), 404, detail="no poll 7", headers={"x-a": "1"})
    assert response.headers["content-type"] == "application/problem+json"
    assert json.loads(response.body) == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "no poll 7",
    }
    assert response.headers["x-a"] == "1"
    assert response.headers["vary"] == "accept"


@pytest.mark.parametrize("accept", [None, "*/*", "text/html,application/json", "image/png", "text/html"])
def test_others_get_html(accept: str | None):
    assert b"<!doctype" in error_page(make_request(accept), 500).body
