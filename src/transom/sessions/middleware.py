"""The middleware behind `request.session()`.

A request goes: nothing happens until the view asks for the session; it is then loaded by the token in the cookie. After
the view, what it decided is carried out: a changed session is stored and its cookie set, a flushed one deleted. All that
comes before the response is sent, so that the visitor's next request finds it.

What must stay true: a token that the store does not know is never used for a new session, since an attacker may have
planted it; and a response that is made from a session is not given to other visitors by a shared cache.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from transom.sessions.base import SessionInterrupted
from transom.sessions.cookie import SignedCookieSessions
from transom.web.middleware import Phase
from transom.web.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from transom.conf import CheckMessage
    from transom.sessions.base import SessionStore
    from transom.web import App
    from transom.web.connection import Connection
    from transom.web.cookies import SameSite
    from transom.web.middleware import CallNext
    from transom.web.request import Request
    from transom.web.response import Response

__all__ = ["Sessions", "sessions"]

COOKIE_NAME = "sessionid"
# Browsers take a cookie of this prefix only from this very host, over TLS: a subdomain cannot plant one.
SECURE_PREFIX = "__Host-"
MAX_AGE = 1_209_600.0  # two weeks in seconds, as in Django


def sessions(
    store: SessionStore | None = None,
    *,
    max_age: float = MAX_AGE,
    cookie_name: str = COOKIE_NAME,
    samesite: SameSite = "Lax",
) -> Sessions:
    """Return the middleware that gives views `await request.session()`.

    Args:
        store: where sessions are kept; None for cookies signed with the key of the site.
        max_age: seconds a session lives after its last change, unless it sets another expiry.
        cookie_name: over TLS it gets the prefix `__Host-`.
        samesite: "Lax" or "Strict".

    Raises:
        ValueError: `max_age` is not greater than zero.
    """
    return Sessions(store, max_age, cookie_name, samesite)


class Sessions:
    """The middleware that `sessions` returns."""

    phase = Phase.SESSION

    def __init__(
        self, store: SessionStore | None, max_age: float, cookie_name: str, samesite: SameSite
    ) -> None:
        if not 0 < max_age < float("inf"):
            raise ValueError(f"max_age is {max_age!r}; expected seconds greater than zero")
        self.store = store
        self.max_age = max_age
        self.cookie_name = cookie_name
        self.samesite: SameSite = samesite

    async def __call__(self, request: Request, call_next: CallNext) -> Response:
        """Let the view open the session; then carry out what it decided.

        Raises:
            SessionInterrupted: the session was changed here and deleted elsewhere.
        """
        visit = _Visit(self, request)
        request.open_session = visit.open
        response = await call_next(request)
        await visit.finish(response)
        return response

    async def open(self, connection: Connection) -> Session:
        """Return the session of a request or WebSocket to read from; what is changed in it is not stored.

        For where layers do not run: WebSocket views.
        """
        return await _Visit(self, connection).open()

    def check_app(self, app: App) -> list[CheckMessage]:
        """Return what the site lacks, as the store knows; `App.check` asks."""
        check: Callable[[App], list[CheckMessage]] | None = getattr(self.store, "check_app", None)
        return [] if check is None else check(app)


class _Visit:
    """The session during one request."""

    def __init__(self, keeper: Sessions, connection: Connection) -> None:
        self._keeper = keeper
        self._connection = connection
        self._session: Session | None = None
        self._token: str | None = None  # of the stored session; None where there is none

    async def open(self) -> Session:
        """Return the session, loaded by the first who asks."""
        if self._session is None:
            token = self._connection.cookies.get(self._cookie_name)
            content = None if token is None else await self._store.load(token)
            if self._session is None:  # another task of this view may have been faster
                self._token = None if content is None else token
                self._session = Session(content)
        return self._session

    async def finish(self, response: Response) -> None:
        """Store, delete or leave the session; tell the browser and caches."""
        session = self._session
        if session is None:
            return
        response.headers.add_vary("cookie")
        # What a failed view left half done is not kept; that it logged the visitor out is.
        if not session.modified or (response.status >= 500 and not session.flushed):
            return
        if session and response.status < 500:
            await self._save(session, response)
        else:
            await self._delete(response)

    async def _save(self, session: Session, response: Response) -> None:
        content = session.to_bytes()
        if session.flushed:
            await self._forget()
        elif session.cycled and not await self._forget() and not session.revives:
            raise SessionInterrupted("the session was deleted while this request ran; log in again")
        timeout = session.expiry or self._keeper.max_age
        self._token = await self._store.save(self._token, content, timeout)
        response.set_cookie(
            self._cookie_name,
            self._token,
            max_age=None if session.expiry == 0 else ceil(timeout),
            secure=self._connection.is_secure,
            samesite=self._keeper.samesite,
        )
        _keep_private(response)

    async def _delete(self, response: Response) -> None:
        await self._forget()
        if self._cookie_name in self._connection.cookies:
            response.delete_cookie(self._cookie_name)
            _keep_private(response)

    async def _forget(self) -> bool:
        """Delete what is stored; return False where somebody else has done so since it was loaded."""
        token, self._token = self._token, None
        return token is None or await self._store.delete(token)

    @property
    def _store(self) -> SessionStore:
        keeper = self._keeper
        if keeper.store is None:
            return SignedCookieSessions(self._connection.app.settings.signing_key())
        return keeper.store

    @property
    def _cookie_name(self) -> str:
        name = self._keeper.cookie_name
        return SECURE_PREFIX + name if self._connection.is_secure else name


def _keep_private(response: Response) -> None:
    """Keep shared caches from storing a response that sets the cookie: they would hand it to others.

    Source: RFC 9111 sections 5.2.2.7 and 7.3.
    """
    directives = response.headers.get("cache-control", "")
    names = {part.partition("=")[0].strip().lower() for part in directives.split(",")}
    if not names & {"private", "no-store"}:
        response.headers["cache-control"] = f"{directives}, private" if directives else "private"
