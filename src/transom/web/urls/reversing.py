"""From a name and parameters back to a host and a path."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, cast
from urllib.parse import quote, urlencode

from transom.web.multidict import MultiDict
from transom.web.urls.hosts import parse_host
from transom.web.urls.namespaces import Namespaces
from transom.web.urls.patterns import SEGMENT_SAFE
from transom.web.urls.routes import Kind

if TYPE_CHECKING:
    from transom.web.urls.routes import Route

Query: TypeAlias = Mapping[str, object] | Iterable[tuple[str, object]]


class NoReverseMatch(Exception):
    """No route has this name and takes these parameters; the message names what there is."""


class Address(NamedTuple):
    """Where a route is: its host, empty for any, its percent-encoded path, and whether a WebSocket answers there."""

    host: str
    path: str
    is_websocket: bool


class Reverser:
    """The named routes of a URLconf, for `reverse`.

    Attributes:
        has_instances: whether the namespace of the current request matters.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes: dict[str, list[Route]] = {}
        for route in routes:
            if route.full_name is not None:
                self._routes.setdefault(route.full_name, []).append(route)
        self._namespaces = Namespaces(route for found in self._routes.values() for route in found)
        self.has_instances = self._namespaces.has_instances

    def reverse(
        self,
        name: str,
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
        *,
        current_app: str = "",
        host: str = "",
    ) -> Address:
        """Return where the route with this name and parameters is.

        Args:
            name: with its namespaces, or with names of apps for them.
            args: the parameters in order, those of the host first; or
            kwargs: the parameters by name.
            current_app: the namespaces of the current request.
            host: the current host; what it says of the parameters of a host need not be given.

        Raises:
            NoReverseMatch: the name is unknown, parameters are missing or too many, or a value does not fit.
        """
        full_name = self._namespaces.resolve(name, current_app) if self.has_instances else name
        routes = self._routes.get(full_name)
        if routes is None:
            raise NoReverseMatch(self._explain_unknown(name))
        if args and kwargs:
            raise NoReverseMatch(
                f"reverse of {name!r} got positional and named parameters; use one kind, names are clearer"
            )
        problems: list[str] = []
        for route in routes:
            try:
                return _build(route, args, kwargs, host)
            except ValueError as exc:
                problems.append(f"{route.route!r}: {exc}")
        raise NoReverseMatch(f"no reverse of {name!r}: {'; '.join(problems)}")

    def check(self, name: str, names: Iterable[str]) -> None:
        """Check that a route of this name takes parameters of these names.

        Raises:
            NoReverseMatch: as `reverse` does.
        """
        found = self._routes.get(self._namespaces.resolve(name, ""))
        if found is None:
            raise NoReverseMatch(self._explain_unknown(name))
        given = {*names}
        # The parameters of a host may be those of the request's own.
        if not any({*route.pattern.names} <= given <= {*route.names} for route in found):
            takes = " or ".join(", ".join(route.names) or "no parameters" for route in found)
            raise NoReverseMatch(
                f"{name!r} takes {takes}, and would get {', '.join(sorted(given)) or 'none'}"
            )

    def _explain_unknown(self, name: str) -> str:
        close = get_close_matches(name, self._routes, n=3)
        # A forgotten namespace is the usual slip: `detail` for `polls:detail`.
        close += [known for known in self._routes if known.rpartition(":")[2] == name and known not in close]
        if close:
            return f"unknown URL name {name!r}; did you mean {' or '.join(map(repr, close))}?"
        return f"unknown URL name {name!r}; choose from {', '.join(sorted(self._routes)) or 'none: no route is named'}"


def build_suffix(query: Query | None, fragment: str | None) -> str:
    """Return the query string with its question mark and the fragment with its hash, each only if there is one.

    Raises:
        TypeError: a value of the query is None.
    """
    encoded = urlencode(list(_iter_query(query))) if query else ""
    anchor = "" if fragment is None else "#" + quote(fragment, safe=SEGMENT_SAFE + "/?")
    return (f"?{encoded}" if encoded else "") + anchor


def _iter_query(query: Query) -> Iterable[tuple[str, object]]:
    for name, value in _pairs(query):
        values = cast("Iterable[object]", value) if isinstance(value, list | tuple | set) else (value,)
        for each in values:
            if each is None:
                raise TypeError(f"query parameter {name!r} is None; leave it out, or give it a text")
            yield name, each


def _pairs(query: Query) -> Iterable[tuple[str, object]]:
    if isinstance(query, MultiDict):
        return query.multi_items()
    return cast("Mapping[str, object]", query).items() if isinstance(query, Mapping) else query


def _build(route: Route, args: tuple[object, ...], kwargs: Mapping[str, object], host: str) -> Address:
    is_websocket = route.kind is Kind.WEBSOCKET
    if not route.host:
        return Address("", "/" + route.pattern.build(_assign(route.names, args, kwargs)), is_websocket)
    pattern = parse_host(route.host)
    current = None if args else pattern.match(host)
    values = _assign(route.names, args, {**(current or {}), **kwargs})
    # Where the pattern fits the current host and nothing else is asked for, the route is right here.
    here = current is not None and all(values[name] == current[name] for name in pattern.names)
    return Address(host if here else pattern.build(values), "/" + route.pattern.build(values), is_websocket)


def _assign(
    names: tuple[str, ...], args: tuple[object, ...], kwargs: Mapping[str, object]
) -> Mapping[str, object]:
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
