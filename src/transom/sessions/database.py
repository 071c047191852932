"""Sessions in a table: the cookie holds a random key, and the content never leaves the server."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from transom.conf import CheckMessage
from transom.sessions.base import SessionInterrupted
from transom.sessions.tokens import hash_token, make_token

if TYPE_CHECKING:
    from collections.abc import Callable

    from transom.db.models import QuerySet
    from transom.sessions.models import StoredSession
    from transom.web import App

__all__ = ["DatabaseSessions"]

APP = "transom.sessions"


class DatabaseSessions:
    """A `SessionStore` in the table of the app `transom.sessions`, which has to be among `installed_apps` and migrated.

    Sessions outlive restarts, and all processes of a site share them. The database is given only the SHA-256 of a token.
    Expired sessions are never loaded; their rows stay until `clear_expired`, or `transom clearsessions`, deletes them.

    What a view asks for is read inside its transaction, where it has one; the middleware writes after that is committed.

    Args:
        using: alias of the database, for reading too: a replica may not know yet of who has just logged in.
        clock: seconds since 1970.
    """

    def __init__(self, using: str = "default", *, clock: Callable[[], float] = time.time) -> None:
        self._using = using
        self._clock = clock

    async def load(self, token: str) -> bytes | None:
        """Return the content of a session that has not expired."""
        return await self._find(token).values_list("content", flat=True).first()

    async def save(self, token: str | None, content: bytes, timeout: float) -> str:
        """Keep content; see `SessionStore.save`."""
        expires_at = self._now() + timedelta(seconds=timeout)
        if token is None:
            token = make_token()
            await self._rows().create(key=hash_token(token), content=content, expires_at=expires_at)
        elif not await self._find(token).update(content=content, expires_at=expires_at):
            raise SessionInterrupted("the session was deleted while this request ran; log in again")
        return token

    async def delete(self, token: str) -> bool:
        """Forget a session; return whether it was there."""
        return await self._find(token).delete() > 0

    async def clear_expired(self) -> int:
        """Delete the rows of expired sessions, and return how many there were."""
        return await self._rows().filter(expires_at__lte=self._now()).delete()

    def check_app(self, app: App) -> list[CheckMessage]:
        """Return what the site lacks for its sessions to be stored; `App.check` asks."""
        settings, messages = app.settings, list[CheckMessage]()
        if APP not in settings.installed_apps:
            hint = f"add {APP!r} to installed_apps, then run `transom migrate`"
            messages.append(
                CheckMessage("sessions.E001", "sessions are kept in a table that no app brings", hint)
            )
        if self._using not in settings.databases:
            hint = f"databases has {', '.join(map(repr, settings.databases)) or 'none'}"
            problem = f"sessions are kept in the database {self._using!r}, which the site does not have"
            messages.append(CheckMessage("sessions.E002", problem, hint))
        return messages

    def _find(self, token: str) -> QuerySet[StoredSession]:
        return self._rows().filter(key=hash_token(token), expires_at__gt=self._now())

    def _rows(self) -> QuerySet[StoredSession]:
        from transom.sessions.models import StoredSession  # sites that keep them elsewhere import no database

        return StoredSession.objects.using(self._using)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)
