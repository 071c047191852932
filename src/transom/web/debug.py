"""The error pages of development: why it failed, where, and with what in its hands.

Never call these unless `debug` is on: secrets are hidden as well as names and looks tell them, which is no guarantee.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING, TypeAlias

import transom
from transom.web.error_pages import (
    RouteRow,
    Table,
    content_security_policy,
    describe_exception,
    hide_in_text,
    render_technical_404,
    render_technical_500,
    show_pairs,
)
from transom.web.response import HTMLResponse, JSONResponse, Response

if TYPE_CHECKING:
    from transom.web.error_pages import ExceptionView
    from transom.web.request import Request
    from transom.web.urls import RouteInfo, URLconf

__all__ = ["technical_404", "technical_500"]

Pairs: TypeAlias = Iterable[tuple[str, object]]

# Only the text of a route can be mistyped.
PARAMETER = re.compile(r"<[^<>]*>")


async def technical_500(request: Request, exc: BaseException) -> Response:
    """Return a page with the exception's chain and groups, source lines, locals, the request and the settings.

    A client that prefers JSON gets the same in short as problem details. Reading the source blocks the loop for a moment.
    """
    chain = describe_exception(exc)
    if _prefers_json(request):
        return _problem(500, f"{chain[0].type_name}: {chain[0].message}", traceback=_short_traceback(chain))
    page = render_technical_500(chain, title=_title(request), tables=_tables(request))
    return _html(page, 500)


async def technical_404(request: Request, exc: BaseException, urlconf: URLconf) -> Response:
    """Return a page that lists the site's routes, those with a similar path marked.

    Args:
        request: the request.
        exc: the `Http404`; its detail is shown.
        urlconf: where nothing, or nothing willing, was found.
    """
    detail = hide_in_text(getattr(exc, "detail", "") or "No route leads to this address.")
    if _prefers_json(request):
        return _problem(404, detail)
    page = render_technical_404(
        title=_title(request),
        detail=detail,
        routes=_route_rows(urlconf.routes(), request.path),
        tables=_request_tables(request),
    )
    return _html(page, 404)


def _prefers_json(request: Request) -> bool:
    return request.get_preferred_type(("text/html", "application/json")) == "application/json"


def _title(request: Request) -> str:
    return f"{request.method} {request.path}"


def _html(page: str, status: int) -> Response:
    # A lone surrogate in a path or value cannot be encoded, and must not bring the page down.
    response = HTMLResponse(page.encode("utf-8", "backslashreplace"), status)
    response.headers["content-security-policy"] = content_security_policy("technical.css")
    response.headers["cache-control"] = "no-store"
    return response


def _problem(status: int, detail: str, **more: object) -> Response:
    problem: dict[str, object] = {"type": "about:blank", "status": status, "detail": detail}
    response = JSONResponse(problem | more, status, content_type="application/problem+json")
    response.headers["cache-control"] = "no-store"
    return response


def _short_traceback(chain: Iterable[ExceptionView]) -> list[str]:
    return [
        f"{frame.filename}:{frame.lineno} in {frame.function}"
        for view in chain
        for frame in reversed(view.frames)
    ]


def _tables(request: Request) -> list[Table]:
    return [
        *_request_tables(request),
        _table("Settings", lambda: _settings(request)),
        _table("Versions", lambda: [("Python", platform.python_version()), ("Transom", transom.__version__)]),
    ]


def _request_tables(request: Request) -> list[Table]:
    return [
        _table("Request", lambda: _facts(request)),
        _table("Query", lambda: request.query.multi_items()),
        _table("Form", lambda: _form(request)),
        _table("Cookies", lambda: request.cookies.items()),
        _table("Headers", lambda: request.headers.multi_items()),
    ]


def _table(title: str, read: Callable[[], Pairs]) -> Table:
    """Read one part of the page; a part that cannot be read says so, for the request may be what is broken."""
    try:
        return Table(title, show_pairs(read()))
    except Exception as exc:  # whatever it is, the other parts must be shown
        return Table(title, [("could not be read", hide_in_text(str(exc)))])


def _facts(request: Request) -> Pairs:
    match = request.resolver_match
    return [
        ("Method", request.method),
        ("Path", request.path),
        ("Scheme", request.scheme),
        ("Client", request.client),
        ("Route", match.route if match else None),
        ("Host of the route", match.host if match else None),
        ("Arguments", dict(match.kwargs) if match else None),
        ("Content type", request.content_type),
    ]


def _form(request: Request) -> Pairs:
    form = request.parsed_form
    if form is None:
        return []
    return [*form.multi_items(), *form.files.multi_items()]


def _settings(request: Request) -> Pairs:
    settings = request.app.settings
    # A site's own subclass adds settings: all fields, in the order declared.
    return [(name, getattr(settings, name)) for name in type(settings).model_fields]


def _route_rows(routes: list[RouteInfo], path: str) -> list[RouteRow]:
    texts = [PARAMETER.sub("", route.pattern) for route in routes]
    close = set(get_close_matches(path, texts, n=3, cutoff=0.7))
    return [
        RouteRow(route.host + route.pattern, route.name, route.target, route.kind, is_close=text in close)
        for route, text in zip(routes, texts, strict=True)
    ]
