"""The opening handshake: check the request's fields, build the 101 or the refusal.

Source: RFC 6455 sections 4.2.1 and 4.2.2.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha1
from http import HTTPStatus
from typing import TypeAlias

from transom.server.websocket.exceptions import HandshakeError, LocalProtocolError
from transom.server.websocket.extensions import Offer, parse_extensions

Fields: TypeAlias = Iterable[tuple[bytes, bytes]]
"""Field lines, names in lower case."""

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_FORBIDDEN_IN_VALUE = re.compile(
    rb"[\0-\x08\x0a-\x1f\x7f]"
)  # RFC 9110 5.5: of the control characters only HTAB
# The fields of the 101 that the handshake itself decides.
_OWN_FIELDS = frozenset(
    {
        b"connection",
        b"upgrade",
        b"sec-websocket-accept",
        b"sec-websocket-protocol",
        b"sec-websocket-extensions",
        b"content-length",
        b"transfer-encoding",
    }
)


@dataclass(frozen=True, slots=True)
class Handshake:
    """What a valid opening request says: its key, and what it offers in the client's order of preference.

    Over HTTP/2 there is no key: `:protocol` leaves nothing to prove (RFC 8441 section 5).
    """

    key: bytes
    subprotocols: tuple[str, ...] = ()
    extensions: tuple[Offer, ...] = ()


def is_upgrade_request(headers: Fields) -> bool:
    """Tell whether the fields ask to change to the WebSocket protocol; all else is a plain HTTP request."""
    fields = list(headers)
    return b"upgrade" in _tokens(fields, b"connection") and b"websocket" in _tokens(fields, b"upgrade")


def parse_handshake(method: str, http_version: str, headers: Fields) -> Handshake:
    """Check the opening request and return what it offers.

    Args:
        method: as in the request line.
        http_version: as in an ASGI scope, such as "1.1".
        headers: field lines with names in lower case.

    Raises:
        HandshakeError: with the HTTP status that answers it.

    Source: RFC 6455 section 4.2.1.
    """
    fields = list(headers)
    if method != "GET":
        raise HandshakeError(
            f"method is {method!r}, a WebSocket handshake is a GET", 405, ((b"allow", b"GET"),)
        )
    if http_version != "1.1" or not is_upgrade_request(fields):
        raise HandshakeError("not an HTTP/1.1 request to upgrade to websocket")
    _check_version(fields)
    return _parse_offers(fields, _parse_key(_values(fields, b"sec-websocket-key")))


def parse_extended_connect(headers: Fields) -> Handshake:
    """Check the fields of a CONNECT with the `:protocol` websocket and return what it offers.

    Raises:
        HandshakeError: with the HTTP status that answers it.

    Source: RFC 8441 section 5.
    """
    fields = list(headers)
    _check_version(fields)
    return _parse_offers(fields, b"")


def _check_version(fields: list[tuple[bytes, bytes]]) -> None:
    if _values(fields, b"sec-websocket-version") != [b"13"]:
        raise HandshakeError("sec-websocket-version is not 13", 426, ((b"sec-websocket-version", b"13"),))


def _parse_offers(fields: list[tuple[bytes, bytes]], key: bytes) -> Handshake:
    return Handshake(
        key=key,
        subprotocols=parse_subprotocols(fields),
        extensions=parse_extensions(_values(fields, b"sec-websocket-extensions")),
    )


def parse_subprotocols(headers: Fields) -> tuple[str, ...]:
    """Return the offered subprotocols of all field lines, in the client's order, each once.

    Raises:
        HandshakeError: one of them is not a token.
    """
    offered: dict[str, None] = {}
    for value in _values(headers, b"sec-websocket-protocol"):
        for part in value.split(b","):
            name = part.strip(b" \t")
            if name and not _TOKEN.fullmatch(name):
                raise HandshakeError(f"subprotocol {name!r} is not a token")
            if name:
                offered[name.decode("ascii")] = None
    return tuple(offered)


def build_accept_key(key: bytes) -> bytes:
    """Return the sec-websocket-accept value that proves the key was read."""
    return b64encode(sha1(key + _GUID, usedforsecurity=False).digest())


def build_accept_fields(
    handshake: Handshake, subprotocol: str | None = None, headers: Fields = (), *, extensions: bytes = b""
) -> list[tuple[bytes, bytes]]:
    """Return the fields of the response that completes the handshake, which are the same for every HTTP version.

    Args:
        handshake: the request it answers.
        subprotocol: one of those offered, or None.
        headers: further field lines, such as set-cookie.
        extensions: value of sec-websocket-extensions; without one there is no such field.

    Raises:
        LocalProtocolError: the subprotocol was not offered, or a field is malformed or one the handshake sets itself.
    """
    fields: list[tuple[bytes, bytes]] = []
    if subprotocol is not None:
        if subprotocol not in handshake.subprotocols:
            raise LocalProtocolError(
                f"subprotocol {subprotocol!r} was not offered; choose from {list(handshake.subprotocols)} or None"
            )
        fields.append((b"sec-websocket-protocol", subprotocol.encode("ascii")))
    if extensions:
        fields.append((b"sec-websocket-extensions", extensions))
    for name, value in headers:
        if name.lower() in _OWN_FIELDS:
            raise LocalProtocolError(f"field {name!r} is set by the handshake itself; leave it out")
        fields.append((name, value))
    return fields


def build_accept_response(key: bytes, fields: Fields) -> bytes:
    """Return the 101 response with which HTTP/1.1 completes the handshake.

    Raises:
        LocalProtocolError: a field is malformed.
    """
    own = [
        (b"connection", b"Upgrade"),
        (b"upgrade", b"websocket"),
        (b"sec-websocket-accept", build_accept_key(key)),
    ]
    return build_response_head(101, [*own, *fields])


def build_response_head(status: int, headers: Fields) -> bytes:
    """Return status line and fields up to and with the empty line.

    Raises:
        LocalProtocolError: a name is no token, or a value holds a control character.
    """
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    lines = [f"HTTP/1.1 {status} {phrase}".encode()]
    for name, value in headers:
        _check_field(name, value)
        lines.append(name.lower() + b": " + value)
    return b"\r\n".join([*lines, b"", b""])


def _check_field(name: bytes, value: bytes) -> None:
    if not _TOKEN.fullmatch(name):
        raise LocalProtocolError(f"field name {name!r} is not a token")
    if _FORBIDDEN_IN_VALUE.search(value):
        raise LocalProtocolError(f"value of field {name!r} holds a control character")


def _parse_key(values: Sequence[bytes]) -> bytes:
    # RFC 6455 4.2.1: one key which, when base64-decoded, is 16 bytes long.
    try:
        if len(values) == 1 and len(b64decode(values[0], validate=True)) == 16:
            return values[0]
    except binascii.Error:
        pass
    raise HandshakeError("sec-websocket-key is missing, repeated or not 16 bytes in base64")


def _values(headers: Fields, wanted: bytes) -> list[bytes]:
    return [value for name, value in headers if name == wanted]


def _tokens(headers: Fields, wanted: bytes) -> set[bytes]:
    return {part.strip(b" \t").lower() for value in _values(headers, wanted) for part in value.split(b",")}
