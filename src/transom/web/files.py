"""Files as responses: validators, ranges, and reading that never blocks the event loop.

One hop to a thread opens the file, takes its state from the open descriptor (so that name and content cannot part), decides
what to answer, and reads the first piece; a small file needs no second hop. Deciding is plain code without I/O: `_plan`
turns the file's state and the request's fields into a status, fields and a list of segments, each either bytes or a span of
the file.
"""

from __future__ import annotations

import mimetypes
import os
import re
import secrets
import stat
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeAlias
from urllib.parse import quote

from transom.web._threads import to_thread
from transom.web.conditional import Validators, evaluate_preconditions, is_range_current
from transom.web.headers import Headers, HeadersInit
from transom.web.ranges import Span, UnsatisfiableRange, parse_range
from transom.web.response import Response

if TYPE_CHECKING:
    from transom.asgi.types import HTTPScope, Receive, Send

__all__ = ["FileResponse", "build_content_disposition", "guess_content_type"]

Segment: TypeAlias = "bytes | Span"

# Large enough that the hop to the thread is small beside the reading, small enough for many downloads at once.
CHUNK_SIZE = 262_144
PATHSEND = "http.response.pathsend"
QUOTABLE = re.compile(r"[\x20\x21\x23\x24\x26-\x5b\x5d-\x7e]*")

# Only Python's own table: the system's would make the answer depend on the machine.
_types = mimetypes.MimeTypes(filenames=())
for _extension, _type in {
    ".avif": "image/avif",
    ".js": "text/javascript",
    ".map": "application/json",
    ".md": "text/markdown",
    ".mjs": "text/javascript",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}.items():
    _types.add_type(_type, _extension)


class FileResponse(Response):
    """A file on disk.

    Sends `etag` and `last-modified`, answers If-Match, If-None-Match and the like, ranges (one, several, If-Range) and HEAD.
    An `etag` among the headers is the one that counts. Conditions and ranges of other methods than GET and HEAD are ignored.
    A server that offers `http.response.pathsend` gets the path of a whole file; else it is read piece by piece, each sent
    before the next is read.

    Args:
        path: the file; where it comes from a client's input, whether it may be sent is the caller's decision.
        status: 200; with another one conditions and ranges are not looked at.
        headers: see `Response`.
        content_type: None to tell by the extension.
        filename: the name to save it under; None for the file's own.
        as_attachment: ask the browser to save it rather than show it.

    Raises:
        OSError: when sent: the file cannot be opened, or is no regular file; nothing was sent yet.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        status: int = 200,
        headers: HeadersInit | None = None,
        content_type: str | None = None,
        *,
        filename: str | None = None,
        as_attachment: bool = False,
    ) -> None:
        self.path = Path(path)
        self._init_head(status, headers, content_type or guess_content_type(self.path.name))
        if as_attachment or filename is not None:
            name = self.path.name if filename is None else filename
            self.headers["content-disposition"] = build_content_disposition(name, as_attachment=as_attachment)

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        """Send the file, or as much of it as the request asks for.

        Cancellation: the file is closed.

        Raises:
            OSError: see the class; also when the file became shorter while it was sent, which the server must answer by
                closing the connection.
        """
        opened = await to_thread(lambda: self._open(scope))
        try:
            plan = opened.plan
            await send({"type": "http.response.start", "status": plan.status, "headers": plan.headers})
            if plan.pathsend:
                await send({"type": PATHSEND, "path": os.path.abspath(self.path)})  # noqa: ASYNC240  (touches no disk)
                return
            chunk = opened.first
            while chunk:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
                chunk = await to_thread(opened.read_next) if plan.segments else b""
            await send({"type": "http.response.body", "body": b""})
        finally:
            opened.close()

    def _open(self, scope: HTTPScope) -> _Opened:
        # Non-blocking: opening a named pipe must not wait for its writer. Regular files do not mind.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        file = os.fdopen(os.open(self.path, flags), "rb", buffering=0)
        try:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise OSError(f"{self.path} is no regular file")
            opened = _Opened(file, self._plan(status, scope))
            if not opened.plan.pathsend:
                opened.first = opened.read_next()
        except BaseException:
            file.close()
            raise
        if not opened.plan.segments or opened.plan.pathsend:
            opened.close()
        return opened

    def _plan(self, file_status: os.stat_result, scope: HTTPScope) -> _Plan:
        size = file_status.st_size
        # Nanoseconds and size: a strong validator as far as the file system's clock tells two writes apart.
        etag = self.headers.setdefault("etag", f'"{file_status.st_mtime_ns:x}-{size:x}"')
        # RFC 9110 8.8.2.1: never later than the response, whatever the clock of who wrote the file.
        modified = min(int(file_status.st_mtime), int(time.time()))
        validators = Validators(etag, datetime.fromtimestamp(modified, tz=UTC))
        self.headers.setdefault("last-modified", validators.http_date)
        if self.status == 200:
            self.headers.setdefault("accept-ranges", "bytes")
            plan = self._plan_conditional(scope, Headers(scope["headers"]), validators, size)
        else:
            plan = self._build_plan(self.status, _whole(size))
        if scope["method"] == "HEAD":
            plan.segments.clear()
        return plan

    def _plan_conditional(
        self, scope: HTTPScope, headers: Headers, validators: Validators, size: int
    ) -> _Plan:
        if scope["method"] not in ("GET", "HEAD"):
            return self._build_plan(
                200, _whole(size)
            )  # conditions are about what was asked for, before its effect
        condition = evaluate_preconditions(scope["method"], headers, validators)
        if condition is not None:
            return self._build_bodiless(condition)
        wanted = headers.get("range") if scope["method"] == "GET" else None
        if wanted is not None and is_range_current(headers.get("if-range"), validators):
            try:
                spans = parse_range(wanted, size)
            except UnsatisfiableRange:
                return self._build_bodiless(416, (b"content-range", b"bytes */%d" % size))
            if spans is not None:
                return self._plan_ranges(spans, size)
        plan = self._build_plan(200, _whole(size))
        plan.pathsend = scope["method"] == "GET" and PATHSEND in (scope.get("extensions") or {})
        return plan

    def _plan_ranges(self, spans: list[Span], size: int) -> _Plan:
        if len(spans) == 1:
            plan = self._build_plan(206, list(spans))
            plan.headers.append((b"content-range", _content_range(spans[0], size)))
            return plan
        # RFC 9110 14.6: the boundary must not occur in the file; 128 random bits do not.
        boundary = secrets.token_hex(16).encode()
        kind = self.headers["content-type"].encode("latin-1")
        segments: list[Segment] = []
        for number, span in enumerate(spans):
            head = b"--%s\r\ncontent-type: %s\r\ncontent-range: %s\r\n\r\n"
            segments.append(
                b"\r\n" * (number > 0) + head % (boundary, kind, _content_range(span, size)),
            )
            segments.append(span)
        segments.append(b"\r\n--%s--\r\n" % boundary)
        plan = self._build_plan(206, segments)
        plan.replace(b"content-type", b"multipart/byteranges; boundary=" + boundary)
        return plan

    def _build_plan(self, status: int, segments: list[Segment]) -> _Plan:
        length = sum(len(part) if isinstance(part, bytes) else part[1] - part[0] for part in segments)
        headers = [line for line in self.headers.raw if line[0] != b"content-length"]
        return _Plan(status, [*headers, (b"content-length", b"%d" % length)], segments)

    def _build_bodiless(self, status: int, *extra: tuple[bytes, bytes]) -> _Plan:
        dropped = {b"content-type", b"content-length", b"content-disposition"}
        headers = [line for line in self.headers.raw if line[0] not in dropped]
        length = [] if status == 304 else [(b"content-length", b"0")]
        return _Plan(status, [*headers, *length, *extra], [])


@dataclass(slots=True)
class _Plan:
    """What to answer."""

    status: int
    headers: list[tuple[bytes, bytes]]
    segments: list[Segment]
    pathsend: bool = False

    def replace(self, name: bytes, value: bytes) -> None:
        self.headers = [line for line in self.headers if line[0] != name] + [(name, value)]


@dataclass(slots=True)
class _Opened:
    """An open file and what to send of it; used by one thread at a time."""

    file: IO[bytes]
    plan: _Plan
    first: bytes = b""

    def read_next(self) -> bytes:
        """Return the next piece of the body, empty at its end, where the file is closed; blocking."""
        segments = self.plan.segments
        if not segments:
            return b""
        segment = segments[0]
        if isinstance(segment, bytes):
            chunk = segment
            del segments[0]
        else:
            start, stop = segment
            chunk = self._read(start, min(stop - start, CHUNK_SIZE))
            segments[:1] = [(start + len(chunk), stop)] if start + len(chunk) < stop else []
        if not segments:
            self.close()
        return chunk

    def close(self) -> None:
        self.file.close()

    def _read(self, start: int, size: int) -> bytes:
        self.file.seek(start)
        chunk = self.file.read(size)
        if not chunk:
            # The length was promised; sending less and waiting for more would hang the client.
            raise OSError(f"the file became shorter than {start + size} bytes while it was sent")
        return chunk


def build_content_disposition(filename: str, *, as_attachment: bool) -> str:
    """Return the `content-disposition` field for a file of this name.

    Source: RFC 6266 section 4.3 and appendix D; RFC 8187 section 3.2.
    """
    kind = "attachment" if as_attachment else "inline"
    # Quotes, backslashes and percent signs are read differently by different browsers: they go into filename* alone.
    if QUOTABLE.fullmatch(filename):
        return f'{kind}; filename="{filename}"'
    fallback = "".join(char if QUOTABLE.fullmatch(char) else "_" for char in filename)
    encoded = quote(filename.encode("utf-8", "replace"), safe="!#$&+-.^_`|~")
    return f"{kind}; filename=\"{fallback}\"; filename*=UTF-8''{encoded}"


def guess_content_type(filename: str) -> str:
    """Return the media type of a file by its extension, text as UTF-8; `application/octet-stream` if unknown."""
    kind, encoding = _types.guess_type(filename)
    if encoding is not None:
        # A download: with `content-encoding` the client would unpack what it was asked to save.
        return {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}.get(
            encoding, "application/octet-stream"
        )
    if kind is None:
        return "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


def _whole(size: int) -> list[Segment]:
    return [(0, size)] if size else []


def _content_range(span: Span, size: int) -> bytes:
    return b"bytes %d-%d/%d" % (span[0], span[1] - 1, size)
