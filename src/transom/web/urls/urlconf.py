"""The compiled URLconf: paths to views, names to paths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from transom.conf import CheckMessage, Severity
from transom.web.urls.checks import check_names, check_route, describe_view, unreachable
from transom.web.urls.collect import collect_routes
from transom.web.urls.reversing import Reverser
from transom.web.urls.routes import Kind, Route
from transom.web.urls.tree import Endpoint, Tree

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from types import ModuleType

    from transom.web.urls.routes import URLPattern
    from transom.web.urls.tree import Found


class ResolverMatch:
    """What a path led to.

    Attributes:
        matched: the route.
        kwargs: the converted parameters, by name.
    """

    __slots__ = ("kwargs", "matched")

    # Any: each converter has its own type of value.
    def __init__(self, matched: Route, kwargs: dict[str, Any]) -> None:
        self.matched = matched
        self.kwargs = kwargs

    @property
    def name(self) -> str | None:
        """The name that `reverse` takes, e.g. `"polls:detail"`."""
        return self.matched.full_name

    @property
    def namespace(self) -> str:
        """The namespaces around it, joined by colons; empty for none."""
        return self.matched.namespace

    @property
    def route(self) -> str:
        """The text of the route, e.g. `"polls/<int:pk>/"`."""
        return self.matched.route

    @property
    def view(self) -> Callable[..., Awaitable[Any]]:
        """The view; the ASGI application of a mount."""
        return self.matched.view

    @property
    def is_mount(self) -> bool:
        """Whether the view is another ASGI application."""
        return self.matched.kind is Kind.MOUNT

    def __repr__(self) -> str:
        return f"<ResolverMatch {self.route!r} {self.kwargs!r}>"


@dataclass(frozen=True, slots=True)
class RouteInfo:
    """One line of a listing of routes.

    Attributes:
        pattern: path with its leading slash and its parameters, e.g. `"/polls/<int:pk>/"`.
        kind: `"http"`, `"websocket"` or `"mount"`.
        methods: in alphabetical order; empty for any.
        name: with its namespaces; empty for none.
        target: dotted name of the view or application.
    """

    pattern: str
    kind: str
    methods: tuple[str, ...]
    name: str
    target: str


class URLconf:
    """Routes, compiled once and then only read.

    Args:
        urls: dotted name of a module with `urlpatterns`, the module, or a list.

    Attributes:
        checks: what is wrong with the routes; one with an error in itself is left out of the search.

    Raises:
        ImproperlyConfigured: a list of routes could not be put together.
        ImportError: a module cannot be imported.
    """

    def __init__(self, urls: str | ModuleType | Sequence[URLPattern]) -> None:
        self._routes = collect_routes(urls)
        self.checks: list[CheckMessage] = []
        self._static: dict[str, Endpoint] = {}
        self._http = Tree()
        self._websocket = Tree()
        sound = [route for route in self._routes if self._is_sound(route)]
        for route in sound:
            self._add(route)
        self.checks += check_names(sound)
        self._reverser = Reverser(sound)

    @property
    def views(self) -> list[Callable[..., Awaitable[Any]]]:  # Any: a Response or None, by kind
        """The views of all routes in order of declaration; without mounted applications, which are sites of their own."""
        return [route.view for route in self._routes if route.kind is not Kind.MOUNT]

    def routes(self) -> list[RouteInfo]:
        """Return every route in order of declaration, described for a person to read."""
        return [_describe(route) for route in self._routes]

    def resolve(self, path: str, method: str) -> ResolverMatch | None:
        """Return what answers this path and method, or None.

        Args:
            path: percent-decoded, with its leading slash, without the root path.
            method: upper case.
        """
        endpoint = self._static.get(path)
        if endpoint is not None:
            route = endpoint.get(method)
            if route is not None:
                return ResolverMatch(route, {})
        return _to_match(self._http.search(path[1:], lambda endpoint: endpoint.get(method)))

    def resolve_websocket(self, path: str) -> ResolverMatch | None:
        """Return what answers a WebSocket handshake for this path, or None."""
        return _to_match(self._websocket.search(path[1:], lambda endpoint: endpoint.any_method))

    def allowed_methods(self, path: str) -> frozenset[str] | None:
        """Return the methods that something answers at this path: none for no such path, None for any method."""
        methods: set[str] = set()
        found = self._http.search(path[1:], lambda endpoint: _note_methods(endpoint, methods))
        return None if found is not None else frozenset(methods)

    def reverse(self, name: str, /, *args: object, **kwargs: object) -> str:
        """Return the path of a named route, percent-encoded, with its leading slash, without the root path.

        Args:
            name: with its namespaces, e.g. `"polls:detail"`.
            args: the parameters in order; or
            kwargs: the parameters by name.

        Raises:
            NoReverseMatch: the name is unknown, parameters are missing or too many, or a value does not fit.
        """
        return self._reverser.reverse(name, args, kwargs)

    def _is_sound(self, route: Route) -> bool:
        messages = list(check_route(route))
        self.checks += messages
        return all(message.severity < Severity.ERROR for message in messages)

    def _add(self, route: Route) -> None:
        trees = {
            Kind.HTTP: (self._http,),
            Kind.WEBSOCKET: (self._websocket,),
            Kind.MOUNT: (self._http, self._websocket),
        }
        # A list: each tree has to be told, also after the first said no.
        if not any([tree.add(route) for tree in trees[route.kind]]):
            self.checks.append(unreachable(route))
        elif route.kind is Kind.HTTP and not route.pattern.params:
            # Text comes before parameters in the tree, so this look-up finds what the search would.
            self._static.setdefault("/" + route.route, Endpoint()).add(route)


def _to_match(found: Found | None) -> ResolverMatch | None:
    if found is None:
        return None
    return ResolverMatch(found.route, dict(zip(found.route.pattern.names, found.values, strict=False)))


def _describe(route: Route) -> RouteInfo:
    return RouteInfo(
        pattern="/" + route.route,
        kind=route.kind.value,
        methods=tuple(sorted(route.methods or ())),
        name=route.full_name or "",
        target=describe_view(route.view),
    )


def _note_methods(endpoint: Endpoint, methods: set[str]) -> Route | None:
    """Collect methods and look further, until a route takes any method."""
    methods.update(endpoint.by_method)
    return endpoint.any_method
