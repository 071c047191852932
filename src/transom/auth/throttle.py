"""How often somebody may try to log in.

Counted for each pair of user name and address: whoever guesses the password of one user is stopped, and that user, who
comes from elsewhere, is not. An attempt counts before its password is checked, so that many at once are no way around it.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, NamedTuple

from transom.auth.models import normalize_username

if TYPE_CHECKING:
    from collections.abc import Callable

    from transom.web import Request

IPV6_HOST_BITS = 64  # RFC 6177: one customer has at least a whole /64


class _Count(NamedTuple):
    attempts: int
    expires: float


class LoginThrottle:
    """Counts attempts in this process: with several worker processes, each allows as many.

    Args:
        limit: attempts for each name and address before they have to wait.
        window: seconds from the first attempt until the count starts anew.
        max_keys: pairs remembered at most; beyond, the oldest is forgotten.
        clock: seconds, never going back.
    """

    def __init__(
        self,
        limit: int = 10,
        window: float = 300.0,
        *,
        max_keys: int = 100_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limit = limit
        self.window = window
        self._max_keys = max_keys
        self._clock = clock
        self._counts: OrderedDict[tuple[str, str], _Count] = OrderedDict()  # the oldest window first

    def attempt(self, request: Request, username: str) -> float:
        """Count an attempt; return 0, or the seconds to wait where there were too many."""
        key, now = _make_key(request, username), self._clock()
        self._forget_old(now)
        count = self._counts.get(key) or _Count(0, now + self.window)
        if count.attempts >= self.limit:
            return count.expires - now
        self._counts[key] = count._replace(attempts=count.attempts + 1)
        return 0.0

    def reset(self, request: Request, username: str) -> None:
        """Forget the attempts of somebody who is in."""
        self._counts.pop(_make_key(request, username), None)

    def clear(self) -> None:
        """Forget everything."""
        self._counts.clear()

    def _forget_old(self, now: float) -> None:
        # All windows are as long, so they end in the order they began.
        while self._counts:
            oldest = next(iter(self._counts))
            if self._counts[oldest].expires > now and len(self._counts) < self._max_keys:
                return
            del self._counts[oldest]


login_throttle = LoginThrottle()
"""The counts of the login view."""


def _make_key(request: Request, username: str) -> tuple[str, str]:
    return normalize_username(username).casefold(), _network(request.client[0] if request.client else "")


def _network(host: str) -> str:
    """Return the address, or of an IPv6 address the network, which one machine can have all addresses of."""
    try:
        address = ip_address(host)
    except ValueError:  # a test client's name, a Unix socket
        return host
    if not isinstance(address, IPv6Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Address(int(address) >> IPV6_HOST_BITS << IPV6_HOST_BITS))
