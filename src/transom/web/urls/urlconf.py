"""The compiled URLconf: paths to views, names to paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transom.conf import CheckMessage, Severity
from transom.web.urls.checks import check_names, check_route, unreachable
from transom.web.urls.collect import collect_routes
from transom.web.urls.hosts import HostPattern, parse_host
from transom.web.urls.listing import describe
from transom.web.urls.overlaps import check_overlaps
from transom.web.urls.redirects import check_redirects
from transom.web.urls.reversing import Reverser, build_suffix
from transom.web.urls.routes import Kind, Route
from transom.web.urls.table import Table

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from types import ModuleType

    from transom.asgi.types import ASGIApplication
    from transom.web.urls.listing import RouteInfo
    from transom.web.urls.match import ResolverMatch
    from transom.web.urls.reversing import Address, Query
    from transom.web.urls.routes import URLPattern


class URLconf:
    """Routes, compiled once and then only read.

    Args:
        urls: dotted name of a module with `urlpatterns`, the module, or a list.

    Attributes:
        checks: what is wrong with the routes; one with an error in itself is left out of the search.
        has_hosts: whether the host of a request matters.
        needs_connection: whether the request that is served matters to `reverse`: there are hosts, or instances of apps.

    Raises:
        ImproperlyConfigured: a list of routes could not be put together.
        ImportError: a module cannot be imported.
    """

    def __init__(self, urls: str | ModuleType | Sequence[URLPattern]) -> None:
        self._routes = collect_routes(urls)
        self.checks: list[CheckMessage] = []
        self._table = Table()
        self._tables: dict[str, Table] = {}
        sound = [route for route in self._routes if self._is_sound(route)]
        reached = [route for route in sound if self._add(route)]
        self.checks += check_names(sound)
        self._reverser = Reverser(sound)
        self.checks += check_redirects(sound, self._reverser)
        for text, table in {"": self._table, **self._tables}.items():
            self.checks += check_overlaps(table, [route for route in reached if route.host == text])
        patterns = [(parse_host(text), table) for text, table in self._tables.items()]
        self._families = [(pattern, table) for pattern, table in patterns if not pattern.is_text]
        self.has_hosts = bool(patterns)
        self.needs_connection = self.has_hosts or self._reverser.has_instances

    @property
    def views(self) -> list[Callable[..., Awaitable[Any]]]:  # Any: a Response or None, by kind
        """The views of all routes in order of declaration; without mounted applications, which are sites of their own."""
        return [route.view for route in self._routes if route.kind is not Kind.MOUNT]

    @property
    def mounts(self) -> list[tuple[str, ASGIApplication]]:
        """The mounted applications with their prefixes, in order of declaration."""
        return [(route.route, route.view) for route in self._routes if route.kind is Kind.MOUNT]

    @property
    def hosts(self) -> list[HostPattern]:
        """The hosts that routes are limited to, in order of declaration."""
        return [parse_host(text) for text in self._tables]

    def routes(self) -> list[RouteInfo]:
        """Return every route in order of declaration, described for a person to read."""
        return [describe(route) for route in self._routes]

    def is_reached(self, route: RouteInfo, host: str) -> bool:
        """Tell whether requests to a host, in lower case and without a port, look at a route."""
        return not route.host or parse_host(route.host).match(host) is not None

    def resolve(self, path: str, method: str, host: str = "") -> ResolverMatch | None:
        """Return what answers this path and method, or None.

        Args:
            path: percent-decoded, with its leading slash, without the root path.
            method: upper case.
            host: the host's name in lower case, without a port; empty where it is not known.
        """
        if self.has_hosts:
            for values, table in self._find_tables(host):
                match = table.resolve(path, method)
                if match is not None:
                    return _with_values(match, values)
        return self._table.resolve(path, method)

    def resolve_websocket(self, path: str, host: str = "") -> ResolverMatch | None:
        """Return what answers a WebSocket handshake for this path, or None."""
        for values, table in self._find_tables(host):
            match = table.resolve_websocket(path)
            if match is not None:
                return _with_values(match, values)
        return self._table.resolve_websocket(path)

    def allowed_methods(self, path: str, host: str = "") -> frozenset[str] | None:
        """Return the methods that something answers at this path: none for no such path, None for any method."""
        found = [table.allowed_methods(path) for _, table in self._find_tables(host)]
        found.append(self._table.allowed_methods(path))
        known = [methods for methods in found if methods is not None]
        return None if len(known) < len(found) else frozenset[str]().union(*known)

    def reverse(
        self,
        name: str,
        /,
        *args: object,
        query: Query | None = None,
        fragment: str | None = None,
        current_app: str = "",
        **kwargs: object,
    ) -> str:
        """Return the path of a named route, percent-encoded, with its leading slash, without the root path.

        The route of a host has `//` and the host before it. The arguments are those of `transom.web.reverse`.

        Raises:
            NoReverseMatch: the name is unknown, parameters are missing or too many, or a value does not fit.
        """
        address = self.find_address(name, args, kwargs, current_app=current_app)
        host = f"//{address.host}" if address.host else ""
        return host + address.path + build_suffix(query, fragment)

    def find_address(
        self,
        name: str,
        args: tuple[object, ...],
        kwargs: dict[str, object],
        *,
        current_app: str = "",
        host: str = "",
    ) -> Address:
        """Return the host and the path of a named route.

        Args:
            name: as for `reverse`.
            args: as for `reverse`.
            kwargs: as for `reverse`.
            current_app: the namespaces of the current request.
            host: its host; what it says of the parameters of a host need not be given.

        Raises:
            NoReverseMatch: as `reverse` does.
        """
        return self._reverser.reverse(name, args, kwargs, current_app=current_app, host=host)

    def _find_tables(self, host: str) -> Iterator[tuple[dict[str, Any], Table]]:  # Any: see ResolverMatch
        """Yield the routes of this host: those of its name, then those of families it belongs to."""
        if host in self._tables:
            yield {}, self._tables[host]
        for pattern, table in self._families:
            values = pattern.match(host)
            if values is not None:
                yield values, table

    def _is_sound(self, route: Route) -> bool:
        messages = list(check_route(route))
        self.checks += messages
        return all(message.severity < Severity.ERROR for message in messages)

    def _add(self, route: Route) -> bool:
        table = self._tables.setdefault(route.host, Table()) if route.host else self._table
        added = table.add(route)
        if not added:
            self.checks.append(unreachable(route))
        return added


def _with_values(match: ResolverMatch, values: dict[str, Any]) -> ResolverMatch:  # Any: see ResolverMatch
    match.kwargs = {**values, **match.kwargs} if values else match.kwargs
    return match
