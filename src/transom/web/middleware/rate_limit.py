"""Not too many requests of one visitor: counted in the cache of the site."""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from transom.cache import Cache
from transom.cache import cache as default_cache
from transom.web.errors import HTTPException
from transom.web.middleware.phases import Phase, in_phase

if TYPE_CHECKING:
    from collections.abc import Callable

    from transom.web.middleware.base import CallNext, Middleware
    from transom.web.request import Request
    from transom.web.response import Response

    KeyOf: TypeAlias = Callable[[Request], str | None]

_RATE = re.compile(r"([1-9][0-9]{0,8})/([1-9][0-9]{0,5})?(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests in so many seconds: `Rate.parse("100/m")`, `"10/30s"`."""

    limit: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> Rate:
        """Return the rate that a text names.

        Raises:
            ValueError: it names none.
        """
        match = _RATE.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no rate; expected one like '100/m' or '10/30s', of s, m, h and d")
        return cls(int(match[1]), int(match[2] or 1) * _SECONDS[match[3]])


def client_address(request: Request) -> str | None:
    """Return the address of the client; None on a Unix socket.

    Behind a proxy it is the proxy's, unless the server is told to believe it (`--forwarded-allow-ips`). Of an IPv6 address
    the first 64 bits count, for a household has all that begin with them.
    """
    if request.client is None:
        return None
    address = request.client[0]
    if ":" not in address:
        return address
    from ipaddress import IPv6Network

    return str(IPv6Network((address.partition("%")[0], 64), strict=False).network_address)


def rate_limit(
    rate: str,
    *,
    key: KeyOf = client_address,
    name: str = "site",
    paths: str = "/",
    cache: Cache = default_cache,
    clock: Callable[[], float] = time.time,
) -> Middleware:
    """Return a layer that answers 429 where one visitor asks too often.

    It counts in windows of fixed length and looks at two of them: the last one counts by as much of it as still lies within
    the last `seconds`, so that nobody gets twice the rate where one window ends and the next begins. The answer says when
    to come back in `retry-after`. Each request costs three steps of the cache. With several worker processes and the cache in
    memory each process counts for itself.

    Args:
        rate: such as `"100/m"`: at most 100 in any minute.
        key: tells visitors apart; None lets the request pass uncounted.
        name: keeps the counts of several limits apart.
        paths: beginning of the paths this is about.
        cache: where counts are kept.
        clock: seconds since the epoch, the same for all processes.

    Raises:
        ValueError: the rate is none.

    Source: RFC 6585 section 4 (429), RFC 9110 section 10.2.3 (retry-after).
    """
    allowed = Rate.parse(rate)

    @in_phase(Phase.GUARD)
    async def rate_layer(request: Request, call_next: CallNext) -> Response:
        visitor = key(request) if request.path.startswith(paths) else None
        if visitor is not None:
            wait = await _count(cache, f"rate:{name}:{visitor}", allowed, clock())
            if wait > 0:
                raise HTTPException(
                    429, f"at most {rate}; come back later", headers={"retry-after": str(math.ceil(wait))}
                )
        return await call_next(request)

    return rate_layer


async def _count(cache: Cache, key: str, rate: Rate, now: float) -> float:
    """Count one request; return the seconds until the next is welcome, 0 if this one is. One that is refused does not count."""
    window, elapsed = divmod(now, rate.seconds)
    this = f"{key}:{window:.0f}"
    count = await _increase(cache, this, 2 * rate.seconds)
    before: int = await cache.get(f"{key}:{window - 1:.0f}", 0)
    if count + before * (1 - elapsed / rate.seconds) <= rate.limit:
        return 0.0
    await _increase(cache, this, 2 * rate.seconds, -1)
    if count <= rate.limit:  # until enough of the last window is out of sight
        return rate.seconds * (1 - (rate.limit - count) / before) - elapsed
    # This window is full by itself: until enough of it is out of sight in the next.
    return 2 * rate.seconds - elapsed - rate.seconds * (rate.limit - 1) / (count - 1)


async def _increase(cache: Cache, key: str, timeout: float, by: int = 1) -> int:
    await cache.add(key, 0, timeout=timeout)
    try:
        return await cache.incr(key, by)
    except ValueError:  # the cache has needed the room in between
        return 1
