"""The HTTP request: what the scope tells, and its body, read once and within limits."""

from __future__ import annotations

import asyncio
import secrets
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from transom.web.connection import Connection
from transom.web.errors import BadRequest, ClientDisconnect, ContentTooLarge, UnsupportedMediaType
from transom.web.formdata import FormData, form_charset, parse_multipart
from transom.web.media_types import parse_content_type
from transom.web.multidict import parse_urlencoded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from transom.asgi.types import HTTPScope, Receive
    from transom.web.connection import Application
    from transom.web.session import Session

__all__ = ["Request"]


SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""RFC 9110 9.2.1."""
UNKNOWN = object()


class Request(Connection):
    """One HTTP request.

    Nothing is parsed or received before it is asked for. The body arrives once: `stream()` hands it out piece by piece and
    keeps nothing; `body()` keeps it, and `json()`, `form()` and a later `stream()` then read what was kept.

    Args:
        scope: the ASGI scope.
        receive: the ASGI callable the body comes from.
        app: the application that serves it; its settings hold the limits.

    Attributes:
        method: in the letters it was sent in, `GET` in practice.
        csrf_token: the token for forms of this response, set by the CSRF middleware; empty without it.
        open_session: what `session()` awaits, set by the session middleware; None without it.
        message_level: what `messages.set_level` was given.
        request_id: the name that `request_ids` has given; empty without it.
        used_csp_nonce: the nonce, where somebody has asked for it.
    """

    scope: HTTPScope
    open_session: Callable[[], Awaitable[Session]] | None = None
    message_level: int | None = None
    request_id: str = ""
    used_csp_nonce: str | None = None
    _user: Any = UNKNOWN  # Any: see `user`

    def __init__(self, scope: HTTPScope, receive: Receive, *, app: Application | None = None) -> None:
        super().__init__(scope, app=app)
        self.method = scope["method"]
        self.csrf_token: str = ""
        self._receive = receive
        self._body: bytes | None = None
        self._form: FormData | None = None
        self._streamed = False
        self._is_complete = False
        self._is_disconnected = False

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.path!r}>"

    @property
    def is_safe(self) -> bool:
        """Whether the method asks for nothing to be changed."""
        return self.method in SAFE_METHODS

    @property
    def content_type(self) -> str:
        """The media type of the body in lower case, without parameters; empty where the client named none."""
        return self._content_type[0]

    @property
    def charset(self) -> str:
        """The charset the client named for the body, as sent; empty where it named none."""
        return self._content_type[1].get("charset", "")

    @property
    def last_event_id(self) -> str:
        """The id of the last event that the client has seen, where it connects to an event stream again; empty otherwise.

        It is the client's word: look it up before events are sent on its account.
        """
        # HTML 9.2.3: sent as UTF-8, where other fields are read as Latin-1.
        return self.headers.get("last-event-id", "").encode("latin-1").decode("utf-8", "replace")

    @property
    def parsed_form(self) -> FormData | None:
        """The form, where `form()` has been awaited; looks and never waits."""
        return self._form

    async def stream(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives; no limit applies, since nothing is kept.

        Raises:
            ClientDisconnect: the client left before the end.
            RuntimeError: the body was already streamed.
        """
        if self._body is not None:
            if self._body:
                yield self._body
            return
        self._take_body()
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self._is_disconnected = True
                raise ClientDisconnect("the client left before its request was complete")
            more = message.get("more_body", False)
            self._is_complete = not more
            if chunk := message.get("body", b""):
                yield chunk

    async def body(self) -> bytes:
        """Return the whole body and keep it.

        Raises:
            ContentTooLarge: it is larger than `max_body_size`; counted as it arrives, whatever content-length says.
            ClientDisconnect: the client left before the end.
            RuntimeError: the body was already streamed.
        """
        if self._body is None:
            limit = self.limits.max_body_size
            self._refuse_announced(limit)
            chunks: list[bytes] = []
            received = 0
            async for chunk in self.stream():
                received += len(chunk)
                if received > limit:
                    raise _too_large(limit)
                chunks.append(chunk)
            self._body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        return self._body

    async def json(self) -> Any:  # Any: whatever JSON the client sent
        """Return the body parsed as JSON; each call parses anew.

        Raises:
            UnsupportedMediaType: the content type is not JSON. A browser may send other types from any site without
                asking, so reading them as JSON would open a way around CSRF protection.
            BadRequest: the body is not JSON; the detail names the byte.
        """
        if self.content_type != "application/json" and not self.content_type.endswith("+json"):
            raise UnsupportedMediaType(
                f"content type {self.content_type!r} is not JSON; send application/json"
            )
        body = await self.body()
        try:
            return msgspec.json.decode(body)
        except msgspec.DecodeError as exc:
            raise BadRequest(str(exc)) from exc
        except (RecursionError, UnicodeDecodeError) as exc:
            raise BadRequest("JSON is nested too deeply or not UTF-8") from exc

    async def form(self) -> FormData:
        """Return the fields and files of an urlencoded or multipart body; empty for a body of another type.

        Raises:
            BadRequest: malformed, or more fields or files than the settings allow.
            ContentTooLarge: larger than `max_body_size` (urlencoded, or the fields of multipart) or `max_upload_size`.
            UnsupportedMediaType: a charset that forms do not come in.
            ClientDisconnect: the client left before the end; what was uploaded is removed.
            RuntimeError: the body was already streamed.
        """
        if self._form is None:
            self._form = await self._parse_form()
        return self._form

    @property
    def csp_nonce(self) -> str:
        """The word by which inline scripts and styles show that they are the page's own; see `content_security_policy`."""
        if self.used_csp_nonce is None:
            self.used_csp_nonce = secrets.token_urlsafe(16)
        return self.used_csp_nonce

    async def session(self) -> Session:
        """Return the session of this visitor, the same one each time; it is loaded when it is first asked for.

        Raises:
            RuntimeError: no middleware keeps sessions.
        """
        if self.open_session is None:
            raise RuntimeError(
                "no middleware keeps sessions; import sessions from transom.sessions and add it to the application: "
                "App(..., middleware=[*DEFAULT_MIDDLEWARE, sessions()])"
            )
        return await self.open_session()

    @property
    def user(self) -> Any:  # Any: the web layer knows no users; `transom.auth.get_user` is typed
        """Who is logged in, or None; put here by `transom.auth`, since finding out takes a query.

        Raises:
            RuntimeError: nobody has found out yet.
        """
        if self._user is UNKNOWN:
            raise RuntimeError(
                "the user of this request is not loaded; `await get_user(request)` of transom.auth does it, and so does "
                "its middleware: App(..., middleware=[*DEFAULT_MIDDLEWARE, sessions(), authentication])"
            )
        return self._user

    @user.setter
    def user(self, user: object) -> None:
        self._user = user

    @property
    def knows_user(self) -> bool:
        """Whether `user` is known, be it None."""
        return self._user is not UNKNOWN

    async def is_disconnected(self) -> bool:
        """Tell whether the client is known to have left, without waiting for it; False while its body is not read to the end.

        Cancellation: nothing is lost.
        """
        if self._is_disconnected or not (self._is_complete or self._has_no_body()):
            return self._is_disconnected
        try:
            async with asyncio.timeout(0):
                message = await self._receive()
                if message["type"] == "http.request":  # the end of a body that nobody has asked for
                    self._is_complete = True
                    message = await self._receive()
        except TimeoutError:
            return False
        self._is_disconnected = message["type"] == "http.disconnect"
        return self._is_disconnected

    def _has_no_body(self) -> bool:
        """Whether the client has said that it sends nothing: in HTTP/2 a body may come without having been announced."""
        if self.scope.get("http_version", "1.1") not in ("1.0", "1.1") or "transfer-encoding" in self.headers:
            return False
        return self.headers.get("content-length", "0") == "0"

    async def aclose(self) -> None:
        """Remove what the form left on disk; the application calls this when the response is sent."""
        if self._form is not None:
            await self._form.aclose()

    async def _parse_form(self) -> FormData:
        parameters = self._content_type[1]
        if self.content_type == "application/x-www-form-urlencoded":
            charset = form_charset(self.charset)
            pairs = parse_urlencoded(
                await self.body(), max_fields=self.limits.max_form_fields, charset=charset
            )
            return FormData(pairs)
        if self.content_type == "multipart/form-data":
            self._refuse_announced(self.limits.max_upload_size)
            return await parse_multipart(self.stream(), parameters.get("boundary", ""), self.limits)
        return FormData()

    @cached_property
    def _content_type(self) -> tuple[str, dict[str, str]]:
        return parse_content_type(self.headers.get("content-type", ""))

    def _take_body(self) -> None:
        if self._streamed:
            raise RuntimeError(
                "the body of the request was already streamed, by stream() or a multipart form(); call body() first to "
                "read it more than once"
            )
        self._streamed = True

    def _refuse_announced(self, limit: int) -> None:
        """Refuse a body by its announced length before a byte of it is received."""
        length = self.headers.get("content-length", "")
        if length.isascii() and length.isdigit() and (len(length) > 15 or int(length) > limit):
            raise _too_large(limit)


def _too_large(limit: int) -> ContentTooLarge:
    return ContentTooLarge(f"the body is larger than {limit} bytes")
