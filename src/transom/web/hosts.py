"""The host a request names: its grammar, and whether the site answers to it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from transom.asgi.types import HTTPScope, WebSocketScope

__all__ = ["find_host", "is_allowed_host", "split_host"]

# RFC 3986 3.2.2 without percent-encoding: a registered name, an IPv4 address or an IP literal; then a port.
HOST = re.compile(
    r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9_](?:[A-Za-z0-9_.\-]{0,253}[A-Za-z0-9_.])?)(?::([0-9]{1,5}))?"
)


def split_host(value: str) -> tuple[str, int | None] | None:
    """Return (name in lower case, port) of a `host` field, or None where it is no host.

    The dot that may end an absolute name is dropped.
    """
    match = HOST.fullmatch(value)
    if match is None:
        return None
    name, port = match[1].lower().removesuffix("."), match[2]
    if not name or (port is not None and int(port) > 65535):
        return None
    return name, int(port) if port is not None else None


def find_host(scope: HTTPScope | WebSocketScope) -> tuple[str, int | None]:
    """Return (name, port) of the host that a request names, as `split_host` does; `("", None)` if it names no single host.

    Whether the site answers to it is not asked.
    """
    fields = [value for name, value in scope["headers"] if name == b"host"]
    return (split_host(fields[0].decode("latin-1")) if len(fields) == 1 else None) or ("", None)


def is_allowed_host(name: str, allowed: Iterable[str]) -> bool:
    """Say whether a host name, as `split_host` returns it, fits one of the patterns.

    A pattern is a name, `.example.com` for the name and all its subdomains, or `*` for any. Compared as text, never as a
    regular expression.
    """
    return any(_fits(name, pattern.lower()) for pattern in allowed)


def _fits(name: str, pattern: str) -> bool:
    if pattern.startswith("."):
        return name.endswith(pattern) or name == pattern[1:]
    return pattern in ("*", name)
