"""How a site declares its URLs: `path`, `include`, `host`, `websocket` and `mount`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias, cast, overload

from transom.web.urls.hosts import parse_host
from transom.web.urls.patterns import Pattern, parse_pattern

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence
    from types import ModuleType

    from transom.asgi.types import ASGIApplication
    from transom.web.response import Response

    View: TypeAlias = Callable[..., Awaitable[Response]]
    WebSocketView: TypeAlias = Callable[..., Awaitable[None]]


class Kind(Enum):
    """What answers at a route."""

    HTTP = "http"
    WEBSOCKET = "websocket"
    MOUNT = "mount"


class URLPattern:
    """What `urlpatterns` holds: a `Route` or an `Include`."""

    __slots__ = ()


@dataclass(frozen=True)
class Route(URLPattern):
    """One route: as declared, or, out of a URLconf, with the prefixes and namespaces of its includes before it.

    Attributes:
        kind: what answers.
        route: the text, e.g. `"polls/<int:pk>/"`; never with a leading slash.
        view: the view; the ASGI application of a mount.
        name: the name within its namespace.
        namespaces: of the includes around it, the outermost first: (name of the app or empty, namespace).
        host: text of the host it is limited to; empty for any host.
        methods: the methods it answers; None for any.
        check_origin: whether a WebSocket from a foreign origin is refused.
    """

    kind: Kind
    route: str
    view: Callable[..., Awaitable[Any]]  # Any: a Response or None, by kind
    name: str | None = None
    namespaces: tuple[tuple[str, str], ...] = ()
    host: str = ""
    methods: frozenset[str] | None = None
    check_origin: bool = True

    @cached_property
    def namespace(self) -> str:
        """Return the namespaces joined by colons; empty for none."""
        return ":".join(namespace for _, namespace in self.namespaces)

    @cached_property
    def app_name(self) -> str:
        """Return the names of the apps around it, joined by colons; empty for none."""
        return ":".join(app_name for app_name, _ in self.namespaces if app_name)

    @property
    def full_name(self) -> str | None:
        """Return the name that `reverse` takes, e.g. `"polls:detail"`."""
        return f"{self.namespace}:{self.name}" if self.namespace and self.name else self.name

    @cached_property
    def pattern(self) -> Pattern:
        """Return the parsed text.

        Raises:
            PatternError: it is written wrongly.
        """
        return parse_pattern(self.route)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return the names of all parameters, those of the host first.

        Raises:
            PatternError: the host or the route is written wrongly.
        """
        return (*(parse_host(self.host).names if self.host else ()), *self.pattern.names)


@dataclass(frozen=True, slots=True)
class Include(URLPattern):
    """Routes of another URLconf, to be placed under a prefix by `path`."""

    urls: str | ModuleType | Sequence[URLPattern]
    namespace: str | None = None
    app_name: str | None = None
    prefix: str = ""
    host: str = ""


@overload
def path(
    route: str, view: View, *, name: str | None = None, methods: Iterable[str] | None = None
) -> Route: ...
@overload
def path(route: str, view: Include) -> Include: ...
def path(
    route: str, view: View | Include, *, name: str | None = None, methods: Iterable[str] | None = None
) -> Route | Include:
    """Declare an HTTP route, or place included ones under a prefix.

    Where several routes fit a path, text comes before parameters, `<slug>` and then `<str>` after the other converters,
    and `<path>` last; among equals the first declared wins. A route that leads nowhere is given up for the next one.

    Args:
        route: text with parameters, e.g. `"polls/<int:pk>/"`; no leading slash.
        view: `async def view(request, **parameters) -> Response`, or what `include` returns.
        name: for `reverse`; unique within its namespace.
        methods: the methods it answers, e.g. `["GET", "POST"]`; GET brings HEAD with it, any other is answered 405 with
            `Allow`, OPTIONS with 204. None leaves the method to the view.
    """
    if isinstance(view, Include):
        if name is not None or methods is not None:
            raise TypeError(
                f"path({route!r}, include(...)) takes no name or methods; give them to the included routes"
            )
        return replace(view, prefix=route + view.prefix)
    return Route(
        Kind.HTTP, route, view, name, methods=None if methods is None else _method_set(route, methods)
    )


def include(
    urls: str | ModuleType | Sequence[URLPattern] | tuple[Sequence[URLPattern], str],
    namespace: str | None = None,
) -> Include:
    """Refer to other routes, to be placed by `path` or `host`.

    Example: `path("polls/", include("polls.urls", namespace="polls"))`.

    An app may be included several times, each time in another namespace: see `reverse`.

    Args:
        urls: dotted name of a module with `urlpatterns`, imported at start-up; that module; a list of routes; or such a
            list and the name of its app, as a tuple.
        namespace: put before their names with a colon; default: the name of the app, which a module says as `app_name`.
    """
    if isinstance(urls, tuple) and len(urls) == 2 and isinstance(urls[1], str):
        patterns, app_name = cast("tuple[Sequence[URLPattern], str]", urls)
        return Include(patterns, namespace, app_name)
    return Include(cast("str | ModuleType | Sequence[URLPattern]", urls), namespace)


def host(pattern: str, urls: Include) -> Include:
    """Limit included routes to a host, or to a family of hosts.

    Example: `host("<slug:tenant>.example.com", include("tenants.urls"))`; the views get `tenant`, before the parameters
    of their path.

    A host that is plain text is looked for first, then the others in the order they are declared. What none of them has a
    route for is left to the routes outside of `host`, which answer on every host; put them into a `host` of their own to
    keep them off the others. Which hosts are answered at all is for the setting `allowed_hosts` to say.

    Args:
        pattern: in lower case, without a port: text, a parameter for a label or a part of one, or `*.` at the start for
            any subdomain, however deep, but not for the domain itself.
        urls: what `include` returns.
    """
    if not isinstance(urls, Include):  # pyright: ignore[reportUnnecessaryIsInstance]  # for untyped code
        raise TypeError(f"host({pattern!r}, ...) got {urls!r}; give it include([...])")
    if not pattern:
        raise TypeError("host('', ...) names no host; leave host() out for routes of every host")
    if urls.host:
        raise TypeError(f"host({pattern!r}, host({urls.host!r}, ...)) are two hosts; write them as one")
    return replace(urls, host=pattern)


def websocket(
    route: str, view: WebSocketView, *, name: str | None = None, check_origin: bool = True
) -> Route:
    """Declare a WebSocket route.

    Args:
        route: as in `path`.
        view: `async def view(socket, **parameters) -> None`.
        name: for `reverse`.
        check_origin: refuse a browser that comes from another site. Turn it off only where the view does not rely on
            cookies: a page of any site could otherwise talk here in its visitor's name.
    """
    return Route(Kind.WEBSOCKET, route, view, name, check_origin=check_origin)


def mount(prefix: str, application: ASGIApplication, *, name: str | None = None) -> Route:
    """Hand everything below a prefix to another ASGI application, HTTP and WebSocket.

    It sees the whole path, with the prefix in `root_path`. The middleware of this site runs around it, except that its
    requests carry no CSRF token of ours: it protects itself. Its lifespan runs inside that of the site, and what it keeps in the
    state is in the state of its requests.

    Args:
        prefix: text that ends with a slash and has no parameters; `""` for everything no other route takes.
        application: any ASGI 3 application; for WSGI, `transom.asgi.wsgi(application)`.
        name: `reverse` gives the prefix.

    Source: ASGI HTTP scope, `root_path`.
    """
    return Route(Kind.MOUNT, prefix, application, name)


def _method_set(route: str, methods: Iterable[str]) -> frozenset[str]:
    if isinstance(methods, str):
        raise TypeError(
            f"methods of route {route!r} is the text {methods!r}; give a list, e.g. [{methods!r}]"
        )
    # RFC 9110 9.1: methods are case-sensitive; the registered ones are upper case.
    chosen = {method.upper() for method in methods}
    return frozenset(chosen | {"HEAD"} if "GET" in chosen else chosen)
