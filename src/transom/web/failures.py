"""What is answered where no view gives a response: exceptions, and paths that lead nowhere."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, cast

from transom.web.errors import (
    ClientDisconnect,
    Http404,
    HTTPException,
    MethodNotAllowed,
    error_page,
    reason_phrase,
)
from transom.web.hosts import find_host
from transom.web.mounting import route_path
from transom.web.response import HTMLResponse, RedirectResponse, Response

if TYPE_CHECKING:
    from transom.web.connection import Connection
    from transom.web.request import Request
    from transom.web.urls import URLconf

__all__ = ["TESTING_EXTENSION", "answer_miss", "is_raised", "respond_to"]

TESTING_EXTENSION = "transom.testing"
"""The ASGI extension by which an in-process test client says that it is one.

Its value is a dict. Where `raise_exceptions` in it is true, an unexpected exception of a view is raised to the client
instead of being logged and answered with 500. The host `testserver` is answered for.
"""

logger = logging.getLogger("transom.request")


def is_raised(request: Connection) -> bool:
    """Tell whether whoever sent this request wants unexpected exceptions raised."""
    extension = (request.scope.get("extensions") or {}).get(TESTING_EXTENSION)
    return extension is not None and bool(extension.get("raise_exceptions"))


async def respond_to(request: Request, exc: Exception, urlconf: URLconf, pages: frozenset[int]) -> Response:
    """Return the response to an exception; log it where it is unexpected.

    Args:
        request: whose view or middleware raised it.
        exc: the exception.
        urlconf: for the debug page of a 404.
        pages: the statuses for which the site has a template, such as `404.html`.

    Raises:
        ClientDisconnect: it was one: nobody is left to answer.
        Exception: it was unexpected, and a test wants to see it.
    """
    cause = _sole_cause(exc)
    if isinstance(cause, ClientDisconnect):
        raise cause
    if isinstance(cause, HTTPException):
        return await _respond_to_http(request, cause, urlconf, pages)
    if is_raised(request):
        raise exc
    logger.error("%s %r failed", request.method, request.path, exc_info=exc)
    if request.app.settings.debug:
        from transom.web.debug import technical_500

        return await technical_500(request, exc)
    return await _page(request, HTTPException(500), pages)


async def answer_miss(request: Request, urlconf: URLconf) -> Response:
    """Answer a request that no route takes: with a redirect to the path with a slash, `Allow`, or an error.

    Args:
        request: the request.
        urlconf: where it was not found.

    Raises:
        MethodNotAllowed: routes are there, but for other methods.
        Http404: nothing is there.

    Source: RFC 9110 sections 9.3.7 (OPTIONS) and 15.5.6 (405).
    """
    path, host = route_path(request.scope), find_host(request.scope)[0]
    allowed = urlconf.allowed_methods(path, host)
    if allowed:
        allowed |= {"OPTIONS"}
        if request.method == "OPTIONS":
            return Response(status=204, headers={"allow": ", ".join(sorted(allowed))})
        raise MethodNotAllowed(allowed)
    if path.endswith("/") or urlconf.allowed_methods(path + "/", host) == frozenset():
        raise Http404(f"no route leads to {path!r}")
    if request.method not in ("GET", "HEAD") or not request.app.settings.append_slash:
        raise Http404(f"no route leads to {path!r}, but one to {path + '/'!r}: send the request there")
    # full_path has one leading slash, so that `//evil.example` cannot become another host's address.
    target, mark, query = request.full_path.partition("?")
    return RedirectResponse(f"{target}/{mark}{query}", 301)


def _sole_cause(exc: Exception) -> Exception:
    """Return what a TaskGroup wrapped, where it was one exception: `raise Http404` means the same inside one."""
    cause = exc
    while isinstance(cause, ExceptionGroup):
        inner = cast("ExceptionGroup[Exception]", cause).exceptions
        if len(inner) != 1:
            return exc
        cause = inner[0]
    return cause


async def _respond_to_http(
    request: Request, exc: HTTPException, urlconf: URLconf, pages: frozenset[int]
) -> Response:
    if not request.app.settings.debug:
        return await _page(request, exc, pages)
    if exc.status == 404:
        from transom.web.debug import technical_404

        return await technical_404(request, exc, urlconf)
    if exc.detail and request.get_preferred_type(("text/html", "application/json")) == "text/html":
        # Plain text needs no escaping, and says why in development; production shows the page.
        text = f"{exc.status} {reason_phrase(exc.status)}\n\n{exc.detail}\n"
        return Response(text, exc.status, exc.headers.multi_items())
    return error_page(request, exc.status, detail=exc.detail, headers=exc.headers.multi_items())


async def _page(request: Request, exc: HTTPException, pages: frozenset[int]) -> Response:
    """Return the site's own page for a status, else the plain one."""
    if exc.status in pages and request.get_preferred_type(("text/html", "application/json")) == "text/html":
        try:
            text = await request.app.templates.render(f"{exc.status}.html", {"request": request})
            return HTMLResponse(text, exc.status, exc.headers.multi_items())
        except Exception as failure:  # the page of an error must not be another error
            logger.error("template %d.html failed", exc.status, exc_info=failure)
    return error_page(request, exc.status, detail=exc.detail, headers=exc.headers.multi_items())
