"""Which peers are proxies of ours, whose word about the client behind them is taken."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

REMEMBERED: Final = 1024
"""Addresses of which it is kept what was found out: the same proxies and clients come again and again."""


class TrustedProxies:
    """A set of addresses and networks.

    Args:
        entries: addresses, networks (`10.0.0.0/8`), `unix` for whoever connects to a Unix socket, `*` for everybody; each may
            hold several, with commas between.

    Raises:
        ValueError: an entry is none of these; a host name, for instance, whose addresses may change.
    """

    def __init__(self, entries: Iterable[str]) -> None:
        names = {name for entry in entries for part in entry.split(",") if (name := part.strip())}
        self.trusts_all = "*" in names
        self.trusts_unix = self.trusts_all or "unix" in names
        self._networks = [_parse_network(name) for name in names - {"*", "unix"}]
        self.trusts = lru_cache(REMEMBERED)(self._look_up)
        """Tell whether an IP address is in the set."""

    def _look_up(self, host: str) -> bool:
        if self.trusts_all:
            return True
        try:
            address = parse_ip(host)
        except ValueError:
            return False
        return any(address in network for network in self._networks)


def to_plain(host: str) -> str:
    """Return an address as given by the system without its mapping to IPv6: so sockets for both families show IPv4 clients."""
    return host[7:] if host.startswith("::ffff:") and "." in host else host


def parse_ip(text: str) -> IPv4Address | IPv6Address:
    """Return an IP address, that of IPv4 for one that is mapped to IPv6.

    Raises:
        ValueError: it is none.
    """
    address = ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _parse_network(name: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(name)
    except ValueError as exc:
        raise ValueError(
            f"forwarded_allow_ips {name!r} is no address or network ({exc});"
            " choose from 192.0.2.1, 10.0.0.0/8, 2001:db8::/32, unix and *"
        ) from exc
