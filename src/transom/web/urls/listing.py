"""Routes described for a person to read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from transom.web.urls.checks import describe_view
from transom.web.urls.redirects import Redirect

if TYPE_CHECKING:
    from transom.web.urls.routes import Route


@dataclass(frozen=True, slots=True)
class RouteInfo:
    """One line of a listing of routes.

    Attributes:
        pattern: path with its leading slash and its parameters, e.g. `"/polls/<int:pk>/"`.
        kind: `"http"`, `"websocket"` or `"mount"`.
        methods: in alphabetical order; empty for any.
        name: with its namespaces; empty for none.
        target: dotted name of the view or application.
        host: text of the host it is limited to; empty for any host.
    """

    pattern: str
    kind: str
    methods: tuple[str, ...]
    name: str
    target: str
    host: str = ""


def describe(route: Route) -> RouteInfo:
    """Return a route described for a person to read."""
    return RouteInfo(
        pattern="/" + route.route,
        kind=route.kind.value,
        methods=tuple(sorted(route.methods or ())),
        name=route.full_name or "",
        target=repr(route.view) if isinstance(route.view, Redirect) else describe_view(route.view),
        host=route.host,
    )
