"""The PROXY protocol, versions 1 and 2: how a balancer that passes bytes on tells who is connected to it. No I/O.

A header stands before everything else, TLS too, so exactly its bytes must be taken from the socket: `HeaderParser.receive_data`
tells how many of those that have arrived belong to it.

Source: "The PROXY protocol", HAProxy, 2020/03/05 (sections in comments).
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Final, NamedTuple

from transom.server.trust import parse_ip

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_LENGTH: Final = 2048
"""Bytes of a header of version 2; the specification counts on 536, and extensions of balancers need some hundred more."""

_MAX_LINE: Final = 107  # bytes of a header of version 1, with its end (2.1)
_SIGNATURE: Final = b"\r\n\r\n\x00\r\nQUIT\n"
_FIXED: Final = 16  # bytes of a header of version 2 before the addresses
_ADDRESS, _PORT = rb"([0-9A-Fa-f:.]+)", rb"(0|[1-9][0-9]{0,4})"
_LINE = re.compile(
    rb"PROXY (?:UNKNOWN(?: .*)?|(TCP4|TCP6) %b)\r\n" % b" ".join([_ADDRESS, _ADDRESS, _PORT, _PORT])
)

_LOCAL, _PROXY = 0x20, 0x21
_UNSPECIFIED, _TCP4, _TCP6, _UNIX = 0x00, 0x11, 0x21, 0x31
_ADDRESSES: Final = {_UNSPECIFIED: 0, _TCP4: 12, _TCP6: 36, _UNIX: 216}  # bytes, by family and transport
_TYPE_CRC32C, _TYPE_SSL = 0x03, 0x20
_CLIENT_SSL: Final = 0x01


class ProxyProtocolError(Exception):
    """What came is no header of the PROXY protocol; the message says why."""


class ProxyHeader(NamedTuple):
    """Who is connected to the balancer, and where.

    Attributes:
        is_proxied: False if the balancer speaks for itself (health checks) or does not know: then the connection is as it seems.
        client: address and port; None for a Unix socket.
        server: address and port, or path and None for a Unix socket.
        is_secure: whether the client speaks TLS with the balancer.
    """

    is_proxied: bool
    client: tuple[str, int] | None = None
    server: tuple[str, int | None] | None = None
    is_secure: bool = False


class HeaderParser:
    """Takes the bytes of one header, however they are cut.

    Attributes:
        header: the header once it is complete.
    """

    def __init__(self) -> None:
        self.header: ProxyHeader | None = None
        self._data = b""

    def receive_data(self, data: bytes) -> int:
        """Return how many of the bytes belong to the header, and are to be taken from the socket; look at `header` then.

        Raises:
            ProxyProtocolError: they are no header, or one that is too long.
        """
        before = len(self._data)
        found = self._data + data
        end = self._find_end(found)
        self._data = found[:end] if end else found
        if end:
            is_binary = found.startswith(_SIGNATURE)
            self.header = (_parse_binary if is_binary else _parse_line)(self._data)
        return len(self._data) - before

    def _find_end(self, found: bytes) -> int:
        """Return where the header ends, or 0 if that is still to come."""
        if found[:12] == _SIGNATURE[: len(found)]:
            if len(found) < _FIXED:
                return 0
            length = _FIXED + int.from_bytes(found[14:16], "big")
            if length > MAX_LENGTH:
                raise ProxyProtocolError(f"header of {length} bytes is longer than {MAX_LENGTH}")
            return length if len(found) >= length else 0
        if found[:6] != b"PROXY "[: len(found)]:
            raise ProxyProtocolError(f"connection begins with {found[:12]!r}, not with a header")
        end = found.find(b"\r\n", 0, _MAX_LINE) + 2
        if end > 1:
            return end
        if len(found) >= _MAX_LINE:
            raise ProxyProtocolError(f"header of version 1 is longer than {_MAX_LINE} bytes")
        return 0


def _parse_line(line: bytes) -> ProxyHeader:
    """Parse version 1 (2.1)."""
    match = _LINE.fullmatch(line)
    if match is None:
        raise ProxyProtocolError(f"malformed header {line!r}")
    family = match[1]
    if family is None:
        return ProxyHeader(False)
    expected = IPv4Address if family == b"TCP4" else IPv6Address
    try:
        client, server = expected(match[2].decode()), expected(match[3].decode())
    except ValueError as exc:
        raise ProxyProtocolError(f"malformed address in header {line!r}") from exc
    return _build_header(str(client), int(match[4]), str(server), int(match[5]))


def _parse_binary(data: bytes) -> ProxyHeader:
    """Parse version 2 (2.2)."""
    command, kind = data[12], data[13]
    if command not in (_LOCAL, _PROXY):
        raise ProxyProtocolError(f"unknown version and command {command:#04x}")
    if command == _LOCAL:
        return ProxyHeader(False)  # whatever addresses it has
    if kind not in _ADDRESSES:
        raise ProxyProtocolError(f"unknown family and transport {kind:#04x}; known are TCP and Unix streams")
    rest = _FIXED + _ADDRESSES[kind]
    if len(data) < rest:
        raise ProxyProtocolError(f"header of {len(data)} bytes is too short for its addresses")
    is_secure = _read_extensions(data, rest)
    if kind == _UNSPECIFIED:
        return ProxyHeader(False)
    if kind == _UNIX:
        path = data[_FIXED + 108 : rest].split(b"\0")[0].decode("utf-8", "replace")
        return ProxyHeader(True, None, (path, None), is_secure)
    address, size = (IPv4Address, 4) if kind == _TCP4 else (IPv6Address, 16)
    client = address(data[_FIXED : _FIXED + size])
    server = address(data[_FIXED + size : _FIXED + 2 * size])
    ports = int.from_bytes(data[rest - 4 : rest - 2], "big"), int.from_bytes(data[rest - 2 : rest], "big")
    return _build_header(str(client), ports[0], str(server), ports[1], is_secure)


def _build_header(
    client: str, client_port: int, server: str, server_port: int, is_secure: bool = False
) -> ProxyHeader:
    if client_port > 65_535 or server_port > 65_535:
        raise ProxyProtocolError("a port of the header is above 65535")
    return ProxyHeader(
        True, (str(parse_ip(client)), client_port), (str(parse_ip(server)), server_port), is_secure
    )


def _read_extensions(data: bytes, start: int) -> bool:
    """Check the checksum, if there is one, and return whether the client speaks TLS (2.2.3, 2.2.5)."""
    is_secure = False
    for kind, at, end in _iter_extensions(data, start):
        if kind == _TYPE_CRC32C:
            if end - at != 4 or _crc32c(data[:at] + bytes(4) + data[end:]) != int.from_bytes(
                data[at:end], "big"
            ):
                raise ProxyProtocolError("checksum of the header is wrong")
        elif kind == _TYPE_SSL and end > at:
            is_secure = bool(data[at] & _CLIENT_SSL)
    return is_secure


def _iter_extensions(data: bytes, at: int) -> Iterator[tuple[int, int, int]]:
    """Iterate over type, begin and end of the values (TLV)."""
    while at < len(data):
        end = at + 3 + int.from_bytes(data[at + 1 : at + 3], "big")
        if at + 3 > len(data) or end > len(data):
            raise ProxyProtocolError("an extension of the header is longer than the header")
        yield data[at], at + 3, end
        at = end


def _crc32c(data: bytes) -> int:
    """Return the CRC-32C (Castagnoli). Source: RFC 9260 appendix A."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF
