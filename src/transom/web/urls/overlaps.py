"""Routes that match the same paths, found by trying paths.

Whether one expression matches all that another does is not decided here; paths are made of a pool of texts for the
parameters of each route, and looked for. So a finding is a warning, with a path that shows it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from transom.conf import CheckMessage
from transom.web.urls.routes import Kind
from transom.web.urls.tree import specificity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from transom.web.converters import Converter
    from transom.web.urls.routes import Route
    from transom.web.urls.table import Table

# What parameters of sites look like: numbers, slugs, dates, text, codes, versions. Unlike ones stand side by side, since
# the first that fit are tried.
POOL = (
    *(
        "7",
        "a-title",
        "2026-11-26",
        "a b",
        "a/b",
        "page.html",
        "1999",
        "en",
        "A_title9",
        "v1.2.3",
        "ä",
        "42",
        "2026",
    ),
    *(
        "12345678-1234-5678-1234-567812345678",
        "EN",
        "de_AT",
        "en-us",
        "abc",
        "2026-11",
        "2026-w48",
        "12:30",
        "deadbeef",
    ),
    *(
        "-1",
        "1.5",
        "20261126",
        "B",
        "a",
        "1a",
        "true",
        "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "a" * 32,
        "f" * 40,
        "a" * 64,
    ),
    *("image.png", "a@example.com", "~a", "a+b", "a,b", "7/8/c", "0"),
)
SAMPLES = 8  # paths of a route that are tried
Samples: TypeAlias = "dict[Route, list[tuple[str, list[Route]]]]"


def check_overlaps(table: Table, routes: Sequence[Route]) -> Iterator[CheckMessage]:
    """Yield routes that seem never to be reached, and pairs of which the order of declaration decides.

    Args:
        table: with the routes in it.
        routes: those of the table, in order of declaration.
    """
    samples: Samples = {}
    for route in routes:
        if route.kind is Kind.HTTP and route.pattern.params:
            samples[route] = [(path, table.find_all(path)) for path in _sample_paths(route)]
    for route, found in samples.items():
        hiding = _find_hiding(route, found)
        if hiding is not None:
            yield _shadowed(hiding, route, found[0][0])
            continue
        for other, path in _find_rivals(route, found, samples):
            yield _ambiguous(other, route, path)


def _find_hiding(route: Route, found: Sequence[tuple[str, list[Route]]]) -> Route | None:
    """Return the route that takes every one of the paths, two or more, before this route."""
    if len(found) < 2:
        return None
    before = [_before(route, matching) for _, matching in found]
    hiding = (other for other in before[0] if _takes_methods(other, route))
    return next((other for other in hiding if all(other in others for others in before)), None)


def _find_rivals(
    route: Route, found: Sequence[tuple[str, list[Route]]], samples: Samples
) -> Iterator[tuple[Route, str]]:
    """Yield (route, path) for routes that no rule puts first, which take a path from this one and are not the narrower."""
    seen: set[Route] = set()
    for path, matching in found:
        for other in _before(route, matching):
            if other in seen or other not in samples or not _share_methods(other, route):
                continue
            seen.add(other)
            is_narrower = all(route in matched for _, matched in samples[other])
            if not is_narrower and _is_tie(other, route):
                yield other, path


def _before(route: Route, matching: list[Route]) -> list[Route]:
    return matching[: matching.index(route)] if route in matching else matching


def _is_tie(one: Route, other: Route) -> bool:
    """Whether the two are equally specific where they first differ."""
    for left, right in zip(specificity(one.pattern), specificity(other.pattern), strict=False):
        if left != right:
            return left.rank == right.rank
    return False


def _takes_methods(one: Route, other: Route) -> bool:
    return one.methods is None or (other.methods is not None and other.methods <= one.methods)


def _share_methods(one: Route, other: Route) -> bool:
    return one.methods is None or other.methods is None or bool(one.methods & other.methods)


def _sample_paths(route: Route) -> list[str]:
    """Return paths of a route, with their leading slash; none where the pool has nothing for a parameter."""
    choices = [_texts(param.converter) for param in route.pattern.params]
    if not all(choices):
        return []
    paths: list[str] = []
    for number in range(min(SAMPLES, max(map(len, choices)))):
        # Each parameter at another place of its texts, so that two are seldom the same.
        texts = iter([texts[(number + shift) % len(texts)] for shift, texts in enumerate(choices)])
        pieces = (piece if isinstance(piece, str) else next(texts) for piece in route.pattern.pieces)
        paths.append("/" + "".join(pieces))
    return list(dict.fromkeys(paths))


@lru_cache(maxsize=256)
def _texts(converter: Converter) -> tuple[str, ...]:
    return tuple(_fitting(converter, POOL))


def _fitting(converter: Converter, pool: Iterable[str]) -> Iterator[str]:
    regex = re.compile(converter.regex)
    for text in pool:
        if regex.fullmatch(text):
            try:
                converter.to_python(text)
            except ValueError:
                continue
            yield text


def _shadowed(other: Route, route: Route, path: str) -> CheckMessage:
    return CheckMessage(
        "web.W016",
        f"route {route.route!r} is probably never reached: {other.route!r} answers {path!r} and the like before it",
        "declare the narrower one first, or tell them apart by text or methods",
    )


def _ambiguous(other: Route, route: Route, path: str) -> CheckMessage:
    return CheckMessage(
        "web.W017",
        f"routes {other.route!r} and {route.route!r} both match {path!r}; only the order of declaration says which answers",
        "tell them apart by text, or use narrower converters",
    )
