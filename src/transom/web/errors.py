"""Exceptions a view may raise to answer with an HTTP error, and the page that answers it.

HTTPException
├── BadRequest             400
├── PermissionDenied       403
├── Http404                404
├── MethodNotAllowed       405, with `allow`
├── NotAcceptable          406
├── ContentTooLarge        413
└── UnsupportedMediaType   415
ClientDisconnect (ConnectionError)   nobody is left to answer
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar, Protocol

from transom.web.error_pages import content_security_policy, render_plain_page
from transom.web.headers import HeadersInit, MutableHeaders
from transom.web.response import HTMLResponse, JSONResponse, Response

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "BadRequest",
    "ClientDisconnect",
    "ContentTooLarge",
    "HTTPException",
    "Http404",
    "MethodNotAllowed",
    "NotAcceptable",
    "PermissionDenied",
    "UnsupportedMediaType",
    "error_page",
]


class HTTPException(Exception):
    """Ends a view with the status of an HTTP error.

    Attributes:
        status: 400 to 599.
        detail: what was wrong; shown to the client in debug and in JSON, never in the HTML of production.
        headers: fields of the response, e.g. `retry-after`.
    """

    def __init__(self, status: int, detail: str = "", headers: HeadersInit = ()) -> None:
        if not 400 <= status <= 599:
            raise ValueError(f"status {status!r} is no error; use 400 to 599, or return a Response")
        super().__init__(status, detail)
        self.status = status
        self.detail = detail
        self.headers = MutableHeaders(headers)

    def __str__(self) -> str:
        return f"{self.status} {self.detail or reason_phrase(self.status)}"


class _FixedStatus(HTTPException):
    """An exception whose class says the status."""

    default_status: ClassVar[int]

    def __init__(self, detail: str = "", headers: HeadersInit = ()) -> None:
        super().__init__(self.default_status, detail, headers)


class BadRequest(_FixedStatus):
    """400: the request is malformed, or exceeds a limit that is not its size."""

    default_status = 400


class PermissionDenied(_FixedStatus):
    """403: whoever asks may not have this."""

    default_status = 403


class Http404(_FixedStatus):
    """404: there is no such thing here, or its existence is nobody's business."""

    default_status = 404


class MethodNotAllowed(_FixedStatus):
    """405: the resource exists but not for this method.

    Args:
        allowed: the methods it does have; they become the `allow` field, which RFC 9110 15.5.6 requires.
    """

    default_status = 405

    def __init__(self, allowed: Iterable[str], detail: str = "") -> None:
        self.allowed = tuple(sorted(set(allowed)))
        super().__init__(detail, {"allow": ", ".join(self.allowed)})


class NotAcceptable(_FixedStatus):
    """406: nothing the view can make fits the `accept` field."""

    default_status = 406


class ContentTooLarge(_FixedStatus):
    """413: the body is larger than the site takes."""

    default_status = 413


class UnsupportedMediaType(_FixedStatus):
    """415: the body is of a type or in a charset the view does not read."""

    default_status = 415


class ClientDisconnect(ConnectionError):
    """The client left before its request was complete; let it pass, there is nobody to answer."""


class _Negotiable(Protocol):
    """What the page must know of a request: which of two types the client would rather have."""

    def get_preferred_type(self, media_types: Iterable[str], /) -> str | None: ...


def error_page(request: _Negotiable, status: int, *, detail: str = "", headers: HeadersInit = ()) -> Response:
    """Return the plain answer to an error: HTML, or RFC 9457 problem details to a client that prefers JSON.

    Nothing of the request or the exception is shown, save `detail`, and that in JSON only. Built without templates, so
    that it works when they do not.

    Args:
        request: asked for the types it accepts.
        status: 400 to 599.
        detail: what the client did wrong; leave it empty for errors of the site.
        headers: further fields.
    """
    title = reason_phrase(status)
    if request.get_preferred_type(("text/html", "application/json")) == "application/json":
        problem = {"type": "about:blank", "title": title, "status": status}
        response: Response = JSONResponse(
            problem | ({"detail": detail} if detail else {}), status, content_type="application/problem+json"
        )
    else:
        response = HTMLResponse(render_plain_page(status, title), status)
        # The page's own, so that a site's stricter policy does not take its style away.
        response.headers["content-security-policy"] = content_security_policy("plain.css")
    for name, value in MutableHeaders(headers).multi_items():
        response.headers.add(name, value)
    response.headers.add_vary("accept")
    return response


def reason_phrase(status: int) -> str:
    """Return the registered phrase of a status, in RFC 9110's words."""
    newer = {413: "Content Too Large", 416: "Range Not Satisfiable", 422: "Unprocessable Content"}
    try:
        return newer.get(status) or HTTPStatus(status).phrase
    except ValueError:
        return "Error"
