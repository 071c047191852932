"""Whether a browser came from this site: the `origin` field against the host that was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from transom.web.hosts import split_host

if TYPE_CHECKING:
    from collections.abc import Iterable

    from transom.web.connection import Connection

DEFAULT_PORTS = {"http": 80, "https": 443}


def is_same_origin(connection: Connection, origin: str) -> bool:
    """Tell whether an origin, such as `https://example.com`, is the one this connection was made to.

    A plain origin of a site that is asked for over TLS is foreign: someone on the network may have written its page. The
    reverse is let through, since behind a proxy that ends TLS the scheme seen here is the plain one.

    Raises:
        BadRequest: the `host` field is malformed or not served here.
    """
    found = _split_origin(origin)
    own = split_host(connection.host)
    if found is None or own is None:
        return False
    scheme, name, port = found
    own_port = own[1] or DEFAULT_PORTS[scheme]
    return (name, port) == (own[0], own_port) and not (connection.is_secure and scheme == "http")


def is_trusted_origin(origin: str, trusted: Iterable[str]) -> bool:
    """Tell whether an origin is in a list; `https://*.example.com` there stands for every subdomain."""
    return any(_fits(origin.lower(), pattern.lower()) for pattern in trusted)


def _fits(origin: str, pattern: str) -> bool:
    scheme, wildcard, domain = pattern.partition("://*.")
    if not wildcard:
        return origin == pattern.rstrip("/")
    return origin.startswith(f"{scheme}://") and origin.endswith(f".{domain}")


def _split_origin(origin: str) -> tuple[str, str, int] | None:
    """Return (scheme, host name, port); None for `null`, other schemes and what is no origin."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return None
    host = split_host(parts.netloc)
    if parts.scheme not in DEFAULT_PORTS or host is None:
        return None
    return parts.scheme, host[0], host[1] or DEFAULT_PORTS[parts.scheme]
