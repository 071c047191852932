"""The routes of one host, or of every host: a dictionary before two trees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transom.web.urls.match import ResolverMatch
from transom.web.urls.routes import Kind
from transom.web.urls.tree import Endpoint, Tree

if TYPE_CHECKING:
    from transom.web.urls.routes import Route
    from transom.web.urls.tree import Found


class Table:
    """Routes by path; built once and then only read."""

    def __init__(self) -> None:
        self._static: dict[str, Endpoint] = {}
        self._http = Tree()
        self._websocket = Tree()

    def add(self, route: Route) -> bool:
        """Add a route; return whether it can be reached."""
        trees = {
            Kind.HTTP: (self._http,),
            Kind.WEBSOCKET: (self._websocket,),
            Kind.MOUNT: (self._http, self._websocket),
        }
        # A list: each tree has to be told, also after the first said no.
        added = any([tree.add(route) for tree in trees[route.kind]])
        if added and route.kind is Kind.HTTP and not route.pattern.params:
            # Text comes before parameters in the tree, so this look-up finds what the search would.
            self._static.setdefault("/" + route.route, Endpoint()).add(route)
        return added

    def resolve(self, path: str, method: str) -> ResolverMatch | None:
        """Return what answers this path and method, or None."""
        endpoint = self._static.get(path)
        if endpoint is not None:
            route = endpoint.get(method)
            if route is not None:
                return ResolverMatch(route, {})
        return _to_match(self._http.search(path[1:], lambda endpoint: endpoint.get(method)))

    def resolve_websocket(self, path: str) -> ResolverMatch | None:
        """Return what answers a WebSocket handshake for this path, or None."""
        return _to_match(self._websocket.search(path[1:], lambda endpoint: endpoint.any_method))

    def find_all(self, path: str) -> list[Route]:
        """Return every route that matches a path, whatever its methods, in the order in which they are tried."""
        found: list[Route] = []
        self._http.search(path[1:], lambda endpoint: found.extend(endpoint.routes))
        return found

    def allowed_methods(self, path: str) -> frozenset[str] | None:
        """Return the methods that something answers at this path: none for no such path, None for any method."""
        methods: set[str] = set()
        found = self._http.search(path[1:], lambda endpoint: _note_methods(endpoint, methods))
        return None if found is not None else frozenset(methods)


def _to_match(found: Found | None) -> ResolverMatch | None:
    if found is None:
        return None
    return ResolverMatch(found.route, dict(zip(found.route.pattern.names, found.values, strict=False)))


def _note_methods(endpoint: Endpoint, methods: set[str]) -> Route | None:
    """Collect methods and look further, until a route takes any method."""
    methods.update(endpoint.by_method)
    return endpoint.any_method
