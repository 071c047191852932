"""Sessions in a cache: the cookie holds a random key, and the content never leaves the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transom.cache import cache as default_cache
from transom.sessions.base import SessionInterrupted
from transom.sessions.tokens import hash_token, make_token

if TYPE_CHECKING:
    from transom.cache import Cache

__all__ = ["CachedSessions"]


class CachedSessions:
    """A `SessionStore` in a cache.

    The cache is given only the SHA-256 of a token: whoever can read it cannot take over a session. A session lives as long
    as its entry: a cache that is cleared, restarted or short of room forgets sessions, and with the in-process default
    each worker process has sessions of its own.

    Args:
        cache: where they are kept.
    """

    def __init__(self, cache: Cache = default_cache) -> None:
        self._cache = cache

    async def load(self, token: str) -> bytes | None:
        """Return the content of a session that is in the cache."""
        content: bytes | None = await self._cache.get(_key(token))
        return content

    async def save(self, token: str | None, content: bytes, timeout: float) -> str:
        """Keep content; see `SessionStore.save`."""
        if token is None:
            token = make_token()
            await self._cache.set(_key(token), content, timeout)
        elif not await self._cache.replace(_key(token), content, timeout):
            raise SessionInterrupted("the session was deleted while this request ran; log in again")
        return token

    async def delete(self, token: str) -> bool:
        """Forget a session; return whether it was there."""
        return await self._cache.delete(_key(token))


def _key(token: str) -> str:
    return f"session:{hash_token(token)}"
