"""What is asked for, the same for every HTTP version: in a request line, or in the pseudo-fields of HTTP/2.

What a method, a target and a host may be is said here once. Each version refuses what is none in its own way.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv6Address
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

# Tokens, but none with lower-case letters: who writes `get` means GET, which it is not (RFC 9110 section 9.1).
METHOD_BYTES: Final = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# The IANA registry, without CONNECT (for proxies) and PRI (which begins HTTP/2), and what llhttp knows of UPnP and caches.
_METHOD_NAMES = (
    "GET HEAD POST PUT PATCH DELETE OPTIONS TRACE QUERY ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT COPY LABEL LINK LOCK "
    "MERGE MKACTIVITY MKCALENDAR MKCOL MKREDIRECTREF MKWORKSPACE MOVE ORDERPATCH PROPFIND PROPPATCH REBIND REPORT SEARCH "
    "UNBIND UNCHECKOUT UNLINK UNLOCK UPDATE UPDATEREDIRECTREF VERSION-CONTROL "
    "M-SEARCH NOTIFY PURGE SOURCE SUBSCRIBE UNSUBSCRIBE"
)
METHODS: Final = {name.encode(): name for name in _METHOD_NAMES.split()}
TARGET_BYTES: Final = bytes(range(0x21, 0x7F)).replace(b"#", b"")
"""What a target may hold: visible ASCII without a fragment."""

# A name without commas: with one, two Host fields that something before us has joined would pass for one.
_HOST = re.compile(
    rb"(?:(?:[A-Za-z0-9\-._~!$&'()*+;=]|%[0-9A-Fa-f]{2})+|\[([0-9A-Fa-f:.]+)\])(?::([0-9]{0,5}))?"
)


class RequestLine(NamedTuple):
    """The parts of a request line.

    Attributes:
        method: upper-case name.
        raw_path: path of the request target as received, without query; `*` for the asterisk-form.
        path: the same, decoded.
        query: what follows the first `?` of the target, without it.
        http_version: "1.0", "1.1" or "2", as in an ASGI scope.
        authority: of a target in absolute-form, else None.
    """

    method: str
    raw_path: bytes
    path: str
    query: bytes
    http_version: str
    authority: bytes | None


def decode_path(raw_path: bytes) -> str:
    """Return the path for people: percent-decoded, then UTF-8 with U+FFFD for what is none.

    Dots, double slashes and semicolons stay: they are the application's to judge.

    Source: ASGI HTTP specification 2.5, "path".
    """
    # Not `b"%" in raw_path`: CPython tries the operand as a number first, and the exception inside costs ten times the search.
    if raw_path.find(b"%") == -1:
        return raw_path.decode("utf-8", "replace")
    return unquote_to_bytes(raw_path).decode("utf-8", "replace")


@lru_cache(maxsize=64)
def is_host(value: bytes) -> bool:
    """Whether a value of Host or `:authority` is `uri-host [":" port]`, without user information.

    An empty one is none: a recipient must reject an http URI with an empty host. Applications put the value into URLs and take
    those apart again, so an address or a port that is none would fail there.

    Source: RFC 9110 sections 4.2.1 and 7.2.
    """
    match = _HOST.fullmatch(value)
    if match is None or int(match[2] or 0) > 65_535:
        return False
    try:
        return match[1] is None or bool(IPv6Address(match[1].decode()))
    except ValueError:
        return False
