"""Which keys every cache takes, and how version and prefix become part of them."""

from __future__ import annotations

import re

__all__ = ["MAX_KEY_SIZE", "build_key", "check_prefix"]

MAX_KEY_SIZE = 250  # bytes; memcached's limit, the lowest of the stores in use
# Line protocols split at spaces and control characters; surrogates have no UTF-8.
_FORBIDDEN = re.compile("[\\x00-\\x20\\x7f-\\x9f\\ud800-\\udfff]")


def check_prefix(prefix: str) -> None:
    """Accept what may stand before version and key.

    Raises:
        ValueError: it holds a colon, space or control character, or more than 50 characters.
    """
    if ":" in prefix or len(prefix) > 50 or _FORBIDDEN.search(prefix):
        raise ValueError(
            f"invalid cache prefix {prefix!r}; use at most 50 characters without colon, space or control character"
        )


def build_key(prefix: str, version: int, key: str) -> str:
    """Return the key as it is stored.

    Raises:
        ValueError: it is empty or too long, or holds a space or control character.
    """
    if not key:
        raise ValueError("invalid cache key '': it is empty")
    if bad := _FORBIDDEN.search(key):
        raise ValueError(
            f"invalid cache key {key!r}: it holds {bad.group()!r}; remove spaces and control characters"
        )
    stored = f"{prefix}:{version}:{key}"
    if (size := len(stored.encode())) > MAX_KEY_SIZE:
        raise ValueError(
            f"invalid cache key {key[:40]!r}…: {size} bytes with prefix and version, at most {MAX_KEY_SIZE} are taken; "
            "use hashlib.sha256(key.encode()).hexdigest()"
        )
    return stored
