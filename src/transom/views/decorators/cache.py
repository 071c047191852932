"""What caches may do with a response.

Source: RFC 9111 section 5.2.2; RFC 8246 (immutable), RFC 5861 (stale-while-revalidate, stale-if-error).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ParamSpec

from transom.views.decorators.base import DecoratedView, View, changing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from transom.web import Response

P = ParamSpec("P")
# RFC 9111 5.2.2: what cannot be true of one response at the same time.
OPPOSITES = {"public": "private", "private": "public"}
# Whoever says it last cannot make it longer: the shortest time is the one that all agree to.
SHORTEST = ("max-age", "s-maxage")


def cache_control(
    *,
    max_age: int | timedelta | None = None,
    s_maxage: int | timedelta | None = None,
    stale_while_revalidate: int | timedelta | None = None,
    stale_if_error: int | timedelta | None = None,
    public: bool = False,
    private: bool = False,
    no_cache: bool = False,
    no_store: bool = False,
    no_transform: bool = False,
    must_revalidate: bool = False,
    proxy_revalidate: bool = False,
    must_understand: bool = False,
    immutable: bool = False,
) -> Callable[[View[P]], DecoratedView[P]]:
    """Set directives of `cache-control`, beside those that the view sets itself.

    Of two times for `max-age` or `s-maxage` the shorter stays; `public` takes the place of `private` and the reverse. Times are
    in seconds.

    Raises:
        TypeError: there is no directive, or both `public` and `private`.
        ValueError: a time is negative.
    """
    times = {
        "max-age": max_age,
        "s-maxage": s_maxage,
        "stale-while-revalidate": stale_while_revalidate,
        "stale-if-error": stale_if_error,
    }
    flags = {
        "public": public,
        "private": private,
        "no-cache": no_cache,
        "no-store": no_store,
        "no-transform": no_transform,
        "must-revalidate": must_revalidate,
        "proxy-revalidate": proxy_revalidate,
        "must-understand": must_understand,
        "immutable": immutable,
    }
    directives = {name: str(_seconds(name, time)) for name, time in times.items() if time is not None}
    directives |= {name: "" for name, is_set in flags.items() if is_set}
    if not directives or (public and private):
        raise TypeError("cache_control takes one directive or more, and not both public and private")
    return lambda view: changing(view, lambda response: add_directives(response, directives))


def never_cache(view: View[P], /) -> DecoratedView[P]:
    """Keep every cache from storing the response, the browser's too."""
    never = dict.fromkeys(("no-cache", "no-store", "must-revalidate", "private"), "")
    return changing(view, lambda response: add_directives(response, {"max-age": "0", **never}))


def add_directives(response: Response, directives: Mapping[str, str]) -> None:
    """Add directives to the `cache-control` of a response.

    Args:
        response: the response.
        directives: in lower case; an empty value for one that has none.
    """
    found = _parse(response.headers.get("cache-control", ""))
    for name, value in directives.items():
        found.pop(OPPOSITES.get(name, ""), None)
        is_longer = name in SHORTEST and found.get(name, "").isdecimal() and int(found[name]) < int(value)
        if not is_longer:
            found[name] = value
    response.headers["cache-control"] = ", ".join(
        f"{name}={value}" if value else name for name, value in found.items()
    )


def _parse(field: str) -> dict[str, str]:
    """Return the directives of a field by name; quoted lists of fields hold no comma that we would write."""
    parts = [part.strip().partition("=") for part in field.split(",") if part.strip()]
    return {name.strip().lower(): value.strip() for name, _, value in parts}


def _seconds(name: str, time: int | timedelta) -> int:
    seconds = int(time.total_seconds()) if isinstance(time, timedelta) else time
    if seconds < 0:
        raise ValueError(f"{name} is {time!r}, but a response is not fresh for a negative time; use 0")
    return seconds
