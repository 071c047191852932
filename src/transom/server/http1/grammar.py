"""The grammar that httptools leaves to its user: request line, Host, tokens, lists."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NoReturn

from transom.server.http1.exceptions import RemoteProtocolError
from transom.server.target import METHOD_BYTES, METHODS, TARGET_BYTES, RequestLine, decode_path, is_host

TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
"""RFC 9110 section 5.6.2."""

FIELD_LINE = re.compile(TOKEN.pattern + rb":[\t\x20-\x7e\x80-\xff]*")
"""RFC 9112 section 5: no whitespace before the colon, no control characters in the value."""

# Possessive (`++`, `*+`): nothing is tried twice, so that to judge a line takes time in proportion to its length.
_TOKEN = TOKEN.pattern + b"+"
_QUOTED_STRING = rb'"(?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*+"'
_EXTENSION = rb"[\t ]*+;[\t ]*+%b(?:[\t ]*+=[\t ]*+(?:%b|%b))?+" % (_TOKEN, _TOKEN, _QUOTED_STRING)
CHUNK_HEADER = re.compile(rb"([0-9A-Fa-f]{1,16})(?:%b)*+" % _EXTENSION)
"""RFC 9112 section 7.1: a size, and extensions with or without a value."""

_ABSOLUTE_FORM = re.compile(rb"(?i:https?)://([^/?]*)([^?]*)\??(.*)")
_VERSIONS = {b"HTTP/1.1": "1.1", b"HTTP/1.0": "1.0"}


def check_host(value: bytes) -> None:
    """Refuse a Host value that is not `uri-host [":" port]`; see `is_host`."""
    if not is_host(value):
        raise RemoteProtocolError(f"malformed Host {value!r} (RFC 9112 section 3.2)")


def parse_request_line(line: bytes) -> RequestLine:
    """Return the parts of a request line.

    The line comes without its CRLF. One space between its parts, visible ASCII in the target, nothing around.

    Raises:
        RemoteProtocolError: 400, or 501 for a method that we do not know.

    Source: RFC 9112 section 3; RFC 9110 section 9.1.
    """
    try:
        name, target, protocol = line.split(b" ")
        version = _VERSIONS[protocol]
    except (ValueError, KeyError) as exc:
        raise RemoteProtocolError(f"malformed request line {line!r} (RFC 9112 section 3)") from exc
    if target.translate(None, TARGET_BYTES):
        raise RemoteProtocolError(
            f"request target {target!r} is not visible ASCII, or has a fragment (RFC 9112 section 3.2)"
        )
    method = METHODS.get(name)
    if method is None:  # after all that would be wrong with any method: what is broken is 400 first
        _refuse_method(name)
    authority = None
    raw_path, _, query = target.partition(b"?")
    if not raw_path.startswith(b"/"):
        authority, raw_path, query = _parse_other_form(name, target)
    return RequestLine(method, raw_path, decode_path(raw_path), query, version, authority)


def _refuse_method(name: bytes) -> NoReturn:
    if name == b"CONNECT":
        raise RemoteProtocolError("CONNECT is for proxies (RFC 9110 section 9.3.6)")
    if not name or name.translate(None, METHOD_BYTES):
        raise RemoteProtocolError(f"malformed method {name!r} (RFC 9110 section 9.1)")
    raise RemoteProtocolError(f"unknown method {name!r} (RFC 9110 section 9.1)", 501)


def _parse_other_form(method: bytes, target: bytes) -> tuple[bytes | None, bytes, bytes]:
    """Return authority, path and query of a target in absolute-form or asterisk-form.

    Source: RFC 9112 section 3.2.
    """
    if target == b"*" and method == b"OPTIONS":
        return None, target, b""
    match = _ABSOLUTE_FORM.fullmatch(target)
    if match is None:
        raise RemoteProtocolError(f"request target {target!r} has no known form (RFC 9112 section 3.2)")
    authority, path, query = match.groups()
    check_host(authority)
    return authority, path or b"/", query


def check_authority(authority: bytes, host: bytes | None) -> None:
    """Refuse a target in absolute-form whose authority is not the Host.

    RFC 9112 3.2.2 lets the target win; two hosts that differ are a sign of an attack on what stands between.
    """
    if host is not None and host.lower() != authority.lower():
        raise RemoteProtocolError(f"Host {host!r} is not {authority!r}, the host of the request target")


@lru_cache(maxsize=64)
def parse_tokens(value: bytes) -> tuple[bytes, ...]:
    """Return the lower-case members of a comma-separated list; empty members are dropped.

    Remembered, because all clients together use few values of `Connection`.
    """
    return tuple(token for part in value.lower().split(b",") if (token := part.strip(b" \t")))
