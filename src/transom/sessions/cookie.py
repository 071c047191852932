"""Sessions in the cookie itself: signed, so that it cannot be changed, but not encrypted."""

from __future__ import annotations

import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING

from transom.signing import BadSignature, Signer

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SignedCookieSessions"]

SALT = "transom.sessions.cookie"
# Browsers keep 4096 bytes of name and value (RFC 6265bis 5.6); 64 are left for the name.
MAX_TOKEN_SIZE = 4032


class SignedCookieSessions:
    """A `SessionStore` that stores nothing: the token is the content, with the moment it expires, signed.

    It needs no server and works with any number of processes. What it cannot do: the visitor can read what is in it; and a
    copy of a cookie stays valid until it expires, whatever `flush` and `cycle_key` do to the visitor's own.

    Args:
        key: the secret, at least 16 bytes; `settings.signing_key()`.
        clock: seconds since 1970.
    """

    def __init__(self, key: bytes, *, clock: Callable[[], float] = time.time) -> None:
        self._signer = Signer(key, SALT)
        self._clock = clock

    async def load(self, token: str) -> bytes | None:
        """Return the content of a token that this store signed and that has not expired."""
        try:
            expires, _, text = self._signer.unsign(token).partition(".")
        except BadSignature:
            return None
        return urlsafe_b64decode(text) if int(expires) > self._clock() else None

    async def save(self, token: str | None, content: bytes, timeout: float) -> str:
        """Return the content as a token.

        Raises:
            ValueError: it is larger than a cookie may be.
        """
        expires = int(self._clock() + timeout)
        signed = self._signer.sign(f"{expires}.{urlsafe_b64encode(content).decode()}")
        if len(signed) > MAX_TOKEN_SIZE:
            raise ValueError(
                f"the session has {len(signed)} bytes as a cookie, of which browsers keep {MAX_TOKEN_SIZE}; keep less in it, "
                "or keep it on the server: sessions(CachedSessions())"
            )
        return signed

    async def delete(self, token: str) -> bool:
        """Leave it to the middleware to take the cookie from the visitor: there is nothing else to delete. Return True."""
        return True
