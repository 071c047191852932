"""The grammar that httptools leaves to its user: request targets, Host, tokens, lists."""

from __future__ import annotations

import re
from functools import lru_cache

from transom.server.http1.exceptions import RemoteProtocolError

TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
"""RFC 9110 section 5.6.2."""

FIELD_LINE = re.compile(TOKEN.pattern + rb":[\t\x20-\x7e\x80-\xff]*")
"""RFC 9112 section 5: no whitespace before the colon, no control characters in the value."""

CHUNK_HEADER = re.compile(rb"([0-9A-Fa-f]{1,16})(?:[\t ]*;[\t\x20-\x7e\x80-\xff]*)?")
"""RFC 9112 section 7.1; a chunk extension is looked at only as far as to know where its line ends."""

_HOST = re.compile(
    rb"(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+(?::[0-9]*)?|\[[0-9A-Fa-f:.]+\](?::[0-9]*)?"
)
_ABSOLUTE = re.compile(rb"(?i:https?)://([^/?]*)([^?]*)")


def check_host(value: bytes) -> None:
    """Refuse a Host value that is not `uri-host [":" port]`.

    An empty one is refused too: a recipient must reject an http URI with an empty host.

    Source: RFC 9110 sections 4.2.1 and 7.2.
    """
    if _HOST.fullmatch(value) is None:
        raise RemoteProtocolError(f"malformed Host {value!r} (RFC 9112 section 3.2)")


def parse_target(method: bytes, target: bytes, host: bytes | None) -> tuple[bytes, bytes]:
    """Return path and query of a request target in origin-form, absolute-form or asterisk-form.

    The target holds visible ASCII only: httptools refuses all else.

    Source: RFC 9112 section 3.2.
    """
    if method == b"CONNECT":
        raise RemoteProtocolError("CONNECT is for proxies (RFC 9110 section 9.3.6)")
    # Not `b"#" in target`: CPython tries the operand as a number first, and the exception inside costs ten times the search.
    if target.find(b"#") != -1:
        raise RemoteProtocolError(f"fragment in request target {target!r} (RFC 9112 section 3.2)")
    path, _, query = target.partition(b"?")
    if path.startswith(b"/"):
        return path, query
    if target == b"*" and method == b"OPTIONS":
        return target, b""
    return _parse_absolute(target, host), query


def _parse_absolute(target: bytes, host: bytes | None) -> bytes:
    match = _ABSOLUTE.match(target)
    if match is None:
        raise RemoteProtocolError(f"request target {target!r} has no known form (RFC 9112 section 3.2)")
    authority, path = match.groups()
    check_host(authority)
    # RFC 9112 3.2.2 lets the target win; two hosts that differ are a sign of an attack on what stands between.
    if host is not None and host.lower() != authority.lower():
        raise RemoteProtocolError(f"Host {host!r} is not the host of the request target {target!r}")
    return path or b"/"


@lru_cache(maxsize=64)
def parse_tokens(value: bytes) -> tuple[bytes, ...]:
    """Return the lower-case members of a comma-separated list; empty members are dropped.

    Remembered, because all clients together use few values of `Connection`.
    """
    return tuple(token for part in value.lower().split(b",") if (token := part.strip(b" \t")))
