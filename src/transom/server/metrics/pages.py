"""The pages about a server: /metrics for Prometheus, /health for whoever decides whether to send requests here."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from transom.server.http1 import (
    NEED_DATA,
    Limits,
    RemoteProtocolError,
    Request,
    RequestReader,
    ResponseWriter,
    build_error,
    build_head,
)
from transom.server.metrics.text import CONTENT_TYPE, build_text

if TYPE_CHECKING:
    from transom.server.metrics.metrics import Samples

LIMITS: Final = Limits(request_line=1024, field=4096, field_count=50, head=8192, body=1)
PATHS: Final = ("/metrics", "/health")


class Status(Protocol):
    """Who knows how the server is."""

    def count_serving(self) -> int:
        """Return how many workers serve; 0 while all start or stop."""
        ...

    def collect(self) -> Samples:
        """Return the metrics."""
        ...


class Page(NamedTuple):
    """A response but for its framing."""

    status: int
    content_type: bytes
    body: bytes


def build_page(path: str, status: Status) -> Page:
    """Return the page with this path."""
    if path == "/metrics":
        return Page(HTTPStatus.OK, CONTENT_TYPE, build_text(status.collect()))
    if path == "/health":
        return _build_health(status.count_serving())
    text = f"no page here; choose from {' and '.join(PATHS)}\n"
    return Page(HTTPStatus.NOT_FOUND, b"text/plain; charset=utf-8", text.encode())


def _build_health(serving: int) -> Page:
    word = "ok" if serving else "unavailable"
    code = HTTPStatus.OK if serving else HTTPStatus.SERVICE_UNAVAILABLE
    body = json.dumps({"status": word, "workers": serving}) + "\n"
    return Page(code, b"application/json", body.encode())


class StatusExchange:
    """One request for a page and its response, without I/O: bytes in, bytes out, then the connection is to be closed.

    Attributes:
        is_done: whether the response was given.
    """

    def __init__(self, status: Status) -> None:
        self._status = status
        self._reader = RequestReader(LIMITS)
        self.is_done = False

    def receive_data(self, data: bytes) -> bytes:
        """Take bytes; return the response once the request is complete, else nothing."""
        if self.is_done:
            return b""
        self._reader.receive_data(data)
        try:
            event = self._reader.next_event()
        except RemoteProtocolError as exc:
            self.is_done = True
            return build_error(exc.status, str(exc).partition(" (")[0], b"")
        if event is NEED_DATA or not isinstance(event, Request):
            return b""
        self.is_done = True
        return self._respond(event)

    def _respond(self, request: Request) -> bytes:
        if request.line.method not in ("GET", "HEAD"):
            return build_error(405, "choose from GET and HEAD", b"\r\nallow: GET, HEAD")
        page = build_page(request.line.path, self._status)
        head = build_head(
            page.status, [(b"content-type", page.content_type), (b"cache-control", b"no-store")]
        )
        writer = ResponseWriter()
        writer.keep_alive = False
        has_body = request.line.method == "GET"
        return writer.send_head(head, b"", len(page.body), page.body if has_body else b"", False, has_body)
