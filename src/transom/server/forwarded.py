"""What trusted proxies say of the client: X-Forwarded-* and Forwarded (RFC 7239).

Proxies append: what stands rightmost was written by the one that is connected to us, and each element tells who was connected
to its writer. So elements are read from the right for as long as their writer is trusted, and nothing further left, which
anybody may have sent, is even parsed: the client is the first address from the right that is no proxy of ours.

What cannot be read is as if it was not there; it is never an error of the request.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from transom.server.http1.exceptions import RemoteProtocolError
from transom.server.http1.grammar import TOKEN, check_host
from transom.server.http1.head import FORWARDED
from transom.server.scope import Peer
from transom.server.trust import REMEMBERED, parse_ip

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from transom.server.trust import TrustedProxies

MAX_HOPS: Final = 32  # proxies in a row; nobody has as many, and each costs a look-up

_SCHEMES: Final = {b"http": "http", b"https": "https", b"ws": "http", b"wss": "https"}
_PORT = re.compile(rb"[1-9][0-9]{0,4}")
_QUOTED = rb'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*+"'
_PAIR = re.compile(rb"(" + TOKEN.pattern + rb")=(" + TOKEN.pattern + rb"|" + _QUOTED + rb")")
# Quantifiers that give nothing back (`*+`), so that no value takes more than linear time.
_ELEMENT = re.compile(
    rb"[\t ]*+(?:%b)?+(?:[\t ]*+;[\t ]*+(?:%b)?+)*+[\t ]*+" % (_PAIR.pattern, _PAIR.pattern)
)
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_NODE = re.compile(
    rb"(?:(?P<v4>[0-9.]{7,15})|\[(?P<v6>[0-9A-Fa-f:.]{2,45})\]|(?P<bare>[0-9A-Fa-f:.]{2,45})"
    rb"|(?P<hidden>unknown|_[0-9A-Za-z._\-]+))(?::(?P<port>[0-9]{1,5}|_[0-9A-Za-z._\-]+))?"
)

Client = tuple[str, int] | None
Headers = list[tuple[bytes, bytes]]


class Said(NamedTuple):
    """What the proxies say; None where they say nothing one could use, but for `client`, which may be hidden on purpose."""

    client: Client
    scheme: str | None
    host: bytes | None
    port: int | None


def resolve(peer: Peer, headers: Headers, style: str, trusted: TrustedProxies) -> tuple[Peer, Headers]:
    """Return the peer and the header fields as the client meant them. Only for a peer that is trusted.

    Args:
        peer: the proxy that is connected.
        headers: the fields of its request, names in lower case; not changed. Host is replaced in the result.
        style: `x-forwarded` (-For and -Proto), `x-forwarded-host` (-Host and -Port too) or `forwarded`. All others are ignored:
            a proxy that does not set a field passes on what a client sent.
        trusted: all proxies.
    """
    fields = [field for field in headers if field[0] in FORWARDED]
    if style == "forwarded":
        said = _read_forwarded(peer.client, fields, trusted)
    else:
        said = _read_x_forwarded(peer.client, fields, trusted, with_host=style == "x-forwarded-host")
    server = peer.server
    if said.port is not None and server is not None and server[1] is not None:
        server = server[0], said.port
    if said.host is not None:
        headers = [(b"host", said.host), *(field for field in headers if field[0] != b"host")]
    return Peer(said.scheme or peer.scheme, said.client, server, tls=peer.tls, is_trusted=True), headers


def _read_x_forwarded(client: Client, fields: Headers, trusted: TrustedProxies, *, with_host: bool) -> Said:
    nodes = _members(fields, b"x-forwarded-for")
    client, hop = _walk(client, reversed(nodes), trusted)

    def value_of(name: bytes) -> bytes:
        # Where each proxy appended to each field, that of the same hop; a proxy that sets a field anew leaves one value.
        values = _members(fields, name)
        return b"" if not values else values[-1 - hop] if len(values) == len(nodes) else values[-1]

    scheme = _SCHEMES.get(value_of(b"x-forwarded-proto").lower())
    if not with_host:
        return Said(client, scheme, None, None)
    port = value_of(b"x-forwarded-port")
    number = int(port) if _PORT.fullmatch(port) and int(port) < 65_536 else None
    return Said(client, scheme, _valid_host(value_of(b"x-forwarded-host")), number)


def _read_forwarded(client: Client, fields: Headers, trusted: TrustedProxies) -> Said:
    value = b",".join(value for name, value in fields if name == b"forwarded")
    elements = list(islice(iter_elements(value), MAX_HOPS))
    client, hop = _walk(client, (element.get(b"for", b"") for element in elements), trusted)
    element = elements[hop] if elements else {}
    return Said(
        client,
        _SCHEMES.get(element.get(b"proto", b"").lower()),
        _valid_host(element.get(b"host", b"")),
        None,
    )


def _members(fields: Headers, name: bytes) -> list[bytes]:
    """Return the members of a comma-separated list from all fields of that name; the last ones, if there are too many."""
    value = b",".join(value for each, value in fields if each == name)
    # RFC 9110 section 5.6.1: empty members do not count.
    return [member for part in value.rsplit(b",", MAX_HOPS)[-MAX_HOPS:] if (member := part.strip(b" \t"))]


def _walk(client: Client, nodes: Iterable[bytes], trusted: TrustedProxies) -> tuple[Client, int]:
    """Follow nodes, the nearest first, up to the first that is not trusted; return the client and how many hops away it is.

    A node that cannot be read ends the way: the client then is the last that could be.
    """
    hop = 0
    for number, node in enumerate(nodes):
        if node == b"unix:" and trusted.trusts_unix:  # nginx's word for a client on a Unix socket
            hop = number
            continue
        try:
            client = parse_node(node)
        except ValueError:
            break
        hop = number
        if client is None or not trusted.trusts(client[0]):
            break
    return client, hop


@lru_cache(REMEMBERED)
def parse_node(node: bytes) -> Client:
    """Return address and port (0 if it has none), or None for one that is unknown or hidden.

    IPv6 addresses may come without brackets, as in X-Forwarded-For, but then without port.

    Raises:
        ValueError: it is neither.

    Source: RFC 7239 section 6.
    """
    match = _NODE.fullmatch(node)
    if match is None:
        raise ValueError(f"{node!r} is not a node")
    if match["hidden"] is not None:
        return None
    host = (match["v4"] or match["v6"] or match["bare"]).decode()
    port = match["port"] or b""
    number = int(port) if port.isdigit() else 0
    if (":" in host) is (match["v4"] is not None) or number > 65_535:
        raise ValueError(f"{node!r} is not a node")
    return str(parse_ip(host)), number


def iter_elements(value: bytes) -> Iterator[dict[bytes, bytes]]:
    """Iterate over the elements of a Forwarded value, the last one first, up to one that is malformed; names in lower case.

    From the right, so that a client cannot hide what the proxies append behind a quote that it never closes. A comma inside a
    quoted string is never taken for one between elements: what is right of it has an odd number of quotes, or a backslash
    outside of quotes, so it is no element.

    Source: RFC 7239 section 4.
    """
    end = len(value)
    while end > 0:
        start = value.rfind(b",", 0, end)
        while _ELEMENT.fullmatch(value, start + 1, end) is None:
            if start < 0:
                return
            start = value.rfind(b",", 0, start)
        pairs = [(pair[1].lower(), _unquote(pair[2])) for pair in _PAIR.finditer(value, start + 1, end)]
        element = dict(pairs)
        if len(element) != len(pairs):
            return  # RFC 7239 section 4: each parameter once per element
        if element:
            yield element  # RFC 9110 section 5.6.1: empty members do not count
        end = start


def _unquote(value: bytes) -> bytes:
    return _ESCAPE.sub(rb"\1", value[1:-1]) if value.startswith(b'"') else value


def _valid_host(value: bytes) -> bytes | None:
    try:
        check_host(value)
    except RemoteProtocolError:
        return None
    return value
