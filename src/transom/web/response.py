"""Responses: each is an ASGI application that sends itself."""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import AsyncExitStack
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

import msgspec

from transom.web.cookies import Cookie, SameSite
from transom.web.headers import HeadersInit, MutableHeaders, encode_header

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from transom.asgi.types import HTTPScope, Receive, Send

__all__ = ["HTMLResponse", "JSONResponse", "RedirectResponse", "Response", "StreamingResponse"]

# RFC 9110 15.3.5 and 15.4.5: no content, and so no length of it.
BODILESS = frozenset({204, 304})
URL_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")


class Response:
    """An answer whose content is at hand.

    Args:
        content: text is sent as UTF-8.
        status: 200 to 599.
        headers: fields to start from; `response.headers` can be changed until it is sent.
        content_type: None for the default of the class.

    Raises:
        ValueError: the status is out of range, a header is malformed, or there is content with 204 or 304.
    """

    default_content_type: ClassVar[str] = "text/plain; charset=utf-8"

    def __init__(
        self,
        content: str | bytes = b"",
        status: int = 200,
        headers: HeadersInit | None = None,
        content_type: str | None = None,
    ) -> None:
        self._init_head(status, headers, content_type)
        self.body = content.encode() if isinstance(content, str) else content

    def _init_head(self, status: int, headers: HeadersInit | None, content_type: str | None) -> None:
        if not 200 <= status <= 599:
            raise ValueError(f"status {status!r} is no final status; use 200 to 599")
        self.status = status
        self.headers = MutableHeaders(headers)
        if content_type is not None:
            self.headers.set_raw(*_content_type_line(content_type))
        elif status not in BODILESS and not (headers and "content-type" in self.headers):
            self.headers.raw.append(_content_type_line(self.default_content_type))
        self._body = b""

    @property
    def body(self) -> bytes:
        """The content; setting it sets `content-length`."""
        return self._body

    @body.setter
    def body(self, body: bytes) -> None:
        self._body = body
        if self.status not in BODILESS:
            self.headers.set_raw(b"content-length", b"%d" % len(body))
        elif body:
            raise ValueError(
                f"a response with status {self.status} has no content; send it with another status"
            )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.status}>"

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        """Send the response; to a HEAD request without its content."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers.raw})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else self._body})

    def set_cookie(
        self,
        name: str,
        value: str = "",
        *,
        max_age: int | timedelta | None = None,
        expires: datetime | None = None,
        path: str = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = True,
        samesite: SameSite = "Lax",
    ) -> None:
        """Add a cookie; the arguments, their units and the errors are those of `Cookie`."""
        self.add_cookie(
            Cookie(
                name=name,
                value=value,
                max_age=max_age,
                expires=expires,
                path=path,
                domain=domain,
                secure=secure,
                httponly=httponly,
                samesite=samesite,
            )
        )

    def delete_cookie(self, name: str, *, path: str = "/", domain: str | None = None) -> None:
        """Make the browser drop a cookie; path and domain must be those it was set with."""
        self.add_cookie(Cookie.expired(name, path=path, domain=domain))

    def add_cookie(self, cookie: Cookie) -> None:
        """Add a cookie that was made elsewhere."""
        self.headers.add("set-cookie", cookie.build())


class HTMLResponse(Response):
    """HTML, as UTF-8."""

    default_content_type = "text/html; charset=utf-8"


class JSONResponse(Response):
    """A value as JSON.

    datetime, date, UUID, Decimal (as text, so no digit is lost), Enum, dataclasses, msgspec structs and pydantic models
    are understood; NaN becomes null.

    Args:
        data: the value.
        status: see `Response`.
        headers: see `Response`.
        content_type: e.g. `application/problem+json`.

    Raises:
        TypeError: a value inside has no form in JSON.
    """

    default_content_type = "application/json"

    def __init__(
        self,
        data: object,
        status: int = 200,
        headers: HeadersInit | None = None,
        content_type: str | None = None,
    ) -> None:
        super().__init__(build_json(data), status, headers, content_type)


class RedirectResponse(Response):
    """Send the client to another address.

    Whether a *foreign* host is meant is the caller's decision: check an address that came from the client first.

    Args:
        url: absolute with http or https, or relative; characters outside ASCII are percent-encoded.
        status: 301, 302, 303, 307 or 308.
        headers: see `Response`.

    Raises:
        ValueError: another scheme (`javascript:`), or a control character or space at an end, which browsers strip and
            so would see another address than the one checked.
    """

    def __init__(self, url: str, status: int = 302, headers: HeadersInit | None = None) -> None:
        if status not in (301, 302, 303, 307, 308):
            raise ValueError(f"status {status!r} is no redirect; choose from 301, 302, 303, 307, 308")
        super().__init__(b"", status, headers)
        self.headers["location"] = _safe_location(url)

    @property
    def url(self) -> str:
        """The address in the `location` field."""
        return self.headers["location"]


class StreamingResponse(Response):
    """An answer that is made while it is sent.

    Each piece goes out before the next is asked for, so a slow client slows the iterator down. When the client leaves, the
    next send raises and the iterator is closed there and then; an iterator that waits long should yield now and then.

    Args:
        content: an async iterator of bytes or text.
        status: see `Response`.
        headers: see `Response`; a `content-length` is up to the caller.
        content_type: None for text.

    Raises:
        TypeError: `content` is not an async iterable.
    """

    def __init__(
        self,
        content: AsyncIterable[bytes | str],
        status: int = 200,
        headers: HeadersInit | None = None,
        content_type: str | None = None,
    ) -> None:
        # A plain iterator would block the event loop between two pieces, unseen by type checkers in untyped code.
        if not isinstance(content, AsyncIterable):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(
                f"StreamingResponse got {type(content).__name__}; give it an async iterator (`async def` with `yield`)"
            )
        self._init_head(status, headers, content_type)
        self.content = content

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        """Send the pieces as they come.

        Cancellation: the iterator is closed before the cancellation goes on.
        """
        async with AsyncExitStack() as stack:
            iterator = aiter(self.content)
            if close := getattr(iterator, "aclose", None):
                stack.push_async_callback(close)
            await send({"type": "http.response.start", "status": self.status, "headers": self.headers.raw})
            if scope["method"] != "HEAD":
                await self._send_pieces(iterator, send)
            await send({"type": "http.response.body", "body": b""})

    async def _send_pieces(self, iterator: AsyncIterator[bytes | str], send: Send) -> None:
        async for piece in iterator:
            body = piece.encode() if isinstance(piece, str) else piece
            if body:
                await send({"type": "http.response.body", "body": body, "more_body": True})


@lru_cache(maxsize=128)
def _content_type_line(content_type: str) -> tuple[bytes, bytes]:
    return encode_header("content-type", content_type)


def _encode_foreign(value: Any) -> Any:  # Any: msgspec hands over whatever it does not know
    """Turn what msgspec does not know into what it does: pydantic models."""
    if callable(dump := getattr(value, "model_dump", None)):
        return dump(mode="json")
    raise TypeError(f"no JSON for {type(value).__name__}; convert it to a dict, list, str or number first")


build_json = msgspec.json.Encoder(enc_hook=_encode_foreign).encode


def _safe_location(url: str) -> str:
    if url != url.strip() or any(ord(char) < 0x20 or ord(char) == 0x7F for char in url):
        raise ValueError(f"redirect to {url!r} holds control characters or outer spaces; remove them")
    scheme = URL_SCHEME.match(url)
    if scheme and scheme[1].lower() not in ("http", "https"):
        raise ValueError(
            f"redirect to {url!r} has scheme {scheme[1]!r}; use http, https or a relative address"
        )
    # Browsers read a backslash as a slash, so `/\evil.example` would leave the site: it is encoded with the rest.
    return quote(url, safe="/#%[]=:;$&()+,!?*@'~")
