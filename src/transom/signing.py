"""Signed strings: values that travel through the client and come back unchanged or not at all."""

from __future__ import annotations

import hashlib

from itsdangerous import BadData, TimestampSigner

__all__ = ["BadSignature", "Signer"]


class BadSignature(Exception):
    """The value was not signed with this key and salt, was altered, or is older than `max_age`."""


class Signer:
    """Sign and verify text with HMAC-SHA256 and the time of signing.

    Args:
        key: the secret, at least 16 bytes; `settings.signing_key()` in a site.
        salt: a name for the use, e.g. `"transom.csrf"`, so that a value signed for one use is refused by another.
    """

    def __init__(self, key: bytes, salt: str) -> None:
        if len(key) < 16:
            raise ValueError(f"signing key has {len(key)} bytes; use at least 16 random ones")
        self._signer = TimestampSigner(key, salt=salt, key_derivation="hmac", digest_method=hashlib.sha256)

    def sign(self, value: str) -> str:
        """Return `value` with its time stamp and signature appended; URL- and cookie-safe when `value` is."""
        return self._signer.sign(value).decode()

    def unsign(self, signed: str, max_age: float | None = None) -> str:
        """Return the value that `sign` was given.

        Args:
            signed: what `sign` returned.
            max_age: seconds the signature stays valid; None for ever.

        Raises:
            BadSignature: see the class.
        """
        try:
            return self._signer.unsign(signed, max_age=None if max_age is None else int(max_age)).decode()
        except (BadData, UnicodeError) as exc:
            raise BadSignature(str(exc)) from exc
