"""What a session store is: the seam between the middleware and where sessions are kept."""

from __future__ import annotations

from typing import Protocol

from transom.web.errors import BadRequest

__all__ = ["SessionInterrupted", "SessionStore"]


class SessionInterrupted(BadRequest):
    """The session was deleted while a request that changed it ran, as by a logout in another tab; nothing was stored."""


class SessionStore(Protocol):
    """Keeps the content of sessions, each under a token that is the value of the visitor's cookie.

    A token is visible ASCII without comma, semicolon, quote and backslash, and cannot be guessed or made by others.
    """

    async def load(self, token: str) -> bytes | None:
        """Return the content; None where the token is unknown, forged or has expired."""
        ...

    async def save(self, token: str | None, content: bytes, timeout: float) -> str:
        """Keep content for so many seconds; return its token.

        Args:
            token: of the session that it replaces; None makes a new one.
            content: what `Session.to_bytes` returned.
            timeout: seconds, greater than zero.

        Raises:
            SessionInterrupted: the session to replace is gone. It must not come back: its visitor may have logged out.
            ValueError: the store cannot hold so much.
        """
        ...

    async def delete(self, token: str) -> bool:
        """Forget a session, and return whether it was there; True where nobody can tell."""
        ...
