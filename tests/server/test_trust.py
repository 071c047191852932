"""Which peers are believed."""

from __future__ import annotations

import pytest

from transom.server.trust import TrustedProxies


@pytest.mark.parametrize(
    ("entries", "host", "expected"),
    [
        (["127.0.0.1"], "127.0.0.1", True),
        (["127.0.0.1"], "127.0.0.2", False),
        (["10.0.0.0/8"], "10.255.0.1", True),
        (["10.0.0.0/8"], "11.0.0.1", False),
        (["10.0.0.0/8, 192.0.2.1", "::1"], "192.0.2.1", True),
        (["2001:db8::/32"], "2001:db8:1::7", True),
        (["2001:db8::/32"], "2001:db9::7", False),
        (["10.0.0.0/8"], "::ffff:10.1.2.3", True),  # an IPv4 client on a socket for both families
        (["*"], "203.0.113.9", True),
        ([], "127.0.0.1", False),
        (["10.0.0.0/8"], "testclient", False),  # no address at all
        (["unix"], "127.0.0.1", False),
    ],
)
def test_addresses_and_networks(entries: list[str], host: str, expected: bool) -> None:
    assert TrustedProxies(entries).trusts(host) is expected


def test_unix_sockets_are_trusted_by_name() -> None:
    assert TrustedProxies(["unix"]).trusts_unix
    assert TrustedProxies(["*"]).trusts_unix
    assert not TrustedProxies(["127.0.0.1"]).trusts_unix


@pytest.mark.parametrize("entry", ["localhost", "10.0.0.1/8", "10.0.0.0/33", "10.0.0", "proxy.example.org"])
def test_names_and_half_networks_are_refused(entry: str) -> None:
    """The address of a name changes, and 10.0.0.1/8 may mean one address or sixteen million."""
    with pytest.raises(ValueError, match=r"forwarded_allow_ips .* is no address or network .*choose from"):
        TrustedProxies([entry])
