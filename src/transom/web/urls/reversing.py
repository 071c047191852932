"""From a name and parameters back to a path."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from transom.web.urls.patterns import Pattern
    from transom.web.urls.routes import Route


class NoReverseMatch(Exception):
    """No route has this name and takes these parameters; the message names what there is."""


class Reverser:
    """The named routes of a URLconf, for `reverse`."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._patterns: dict[str, list[Pattern]] = {}
        for route in routes:
            if route.full_name is not None:
                self._patterns.setdefault(route.full_name, []).append(route.pattern)

    def reverse(self, name: str, args: tuple[object, ...], kwargs: Mapping[str, object]) -> str:
        """Return the percent-encoded path, with its leading slash, of the route with this name and parameters.

        Raises:
            NoReverseMatch: the name is unknown, parameters are missing or too many, or a value does not fit.
        """
        patterns = self._patterns.get(name)
        if patterns is None:
            raise NoReverseMatch(self._explain_unknown(name))
        if args and kwargs:
            raise NoReverseMatch(
                f"reverse of {name!r} got positional and named parameters; use one kind, names are clearer"
            )
        problems: list[str] = []
        for pattern in patterns:
            try:
                return "/" + pattern.build(_assign(pattern, args, kwargs))
            except ValueError as exc:
                problems.append(str(exc))
        raise NoReverseMatch(
            f"no reverse of {name!r}: "
            + "; ".join(f"{p.text!r}: {m}" for p, m in zip(patterns, problems, strict=True))
        )

    def _explain_unknown(self, name: str) -> str:
        close = get_close_matches(name, self._patterns, n=3)
        # A forgotten namespace is the usual slip: `detail` for `polls:detail`.
        close += [
            known for known in self._patterns if known.rpartition(":")[2] == name and known not in close
        ]
        if close:
            return f"unknown URL name {name!r}; did you mean {' or '.join(map(repr, close))}?"
        return f"unknown URL name {name!r}; choose from {', '.join(sorted(self._patterns)) or 'none: no route is named'}"


def _assign(pattern: Pattern, args: tuple[object, ...], kwargs: Mapping[str, object]) -> Mapping[str, object]:
    names = pattern.names
    if len(args) > len(names):
        raise ValueError(f"takes {len(names)} parameters ({', '.join(names) or 'none'}), got {len(args)}")
    values = dict(zip(names, args, strict=False)) if args else kwargs
    problems = [
        f"{what} {', '.join(found)}"
        for what, found in (
            ("missing", [name for name in names if name not in values]),
            ("unexpected", [name for name in values if name not in names]),
        )
        if found
    ]
    if problems:
        raise ValueError(f"{' and '.join(problems)} (takes {', '.join(names) or 'none'})")
    return values
