"""Mistakes in a URLconf, found when it is compiled."""

from __future__ import annotations

import inspect
from functools import partial
from typing import TYPE_CHECKING, Any

from transom.conf import CheckMessage
from transom.web.urls.annotations import accepts, find_annotations, result_type
from transom.web.urls.patterns import PatternError
from transom.web.urls.routes import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from transom.web.urls.routes import Route


# Keyword arguments of `reverse`.
RESERVED = {"query", "fragment", "current_app"}


def check_route(route: Route) -> Iterator[CheckMessage]:
    """Yield what is wrong with one route by itself."""
    try:
        names = route.names
    except PatternError as exc:
        yield CheckMessage("web.E001", str(exc))
        return
    if len(set(names)) < len(names):
        yield CheckMessage(
            "web.E001", f"route {route.route!r} uses a parameter name of its host {route.host!r} again"
        )
    if taken := RESERVED & set(names):
        yield CheckMessage(
            "web.W012",
            f"route {route.route!r} has a parameter {min(taken)!r}, which `reverse` takes for itself",
            "rename it, or give the parameters to `reverse` in order and not by name",
        )
    if sum(param.converter.multi_segment for param in route.pattern.params) > 1:
        yield CheckMessage(
            "web.W010",
            f"route {route.route!r} has two parameters that span segments; long paths take time by their square",
            "use one, as the last parameter",
        )
    if route.name is not None and ":" in route.name:
        yield CheckMessage(
            "web.E002", f"route {route.route!r} has the name {route.name!r}; colons are for namespaces"
        )
    if route.kind is Kind.MOUNT:
        yield from _check_mount(route)
    else:
        yield from _check_view(route, names)


def check_names(routes: Sequence[Route]) -> Iterator[CheckMessage]:
    """Yield names that `reverse` could read in two ways: the same name, the same parameters, different routes."""
    first: dict[tuple[str, frozenset[str]], Route] = {}
    for route in routes:
        if route.full_name is None:
            continue
        other = first.setdefault((route.full_name, frozenset(route.names)), route)
        if (other.host, other.route) != (route.host, route.route):
            yield CheckMessage(
                "web.E006",
                f"routes {describe_route(other)!r} and {describe_route(route)!r} are both named {route.full_name!r}",
                "rename one, or give one of the includes a namespace",
            )


def unreachable(route: Route) -> CheckMessage:
    """Return the message for a route that an earlier one hides."""
    methods = "any method" if route.methods is None else ", ".join(sorted(route.methods))
    return CheckMessage(
        "web.E007",
        f"route {describe_route(route)!r} ({describe_view(route.view)}) is never reached: an earlier route answers "
        f"{methods} there",
        "remove one, or tell them apart with methods=[...]",
    )


def describe_route(route: Route) -> str:
    """Return the text of a route, behind its host if it has one."""
    return f"{route.host}/{route.route}" if route.host else route.route


def describe_view(view: object) -> str:
    """Return the dotted name of a view for a person to read."""
    inner = view.func if isinstance(view, partial) else view
    named = inner if hasattr(inner, "__qualname__") else type(inner)
    return f"{getattr(named, '__module__', '?')}.{getattr(named, '__qualname__', repr(inner))}"


def _check_mount(route: Route) -> Iterator[CheckMessage]:
    if route.pattern.params or not (route.route == "" or route.route.endswith("/")):
        yield CheckMessage(
            "web.E003", f"mount at {route.route!r}; expected text that ends with a slash, without parameters"
        )
    if not _takes(route.view, None, None, None):
        yield CheckMessage(
            "web.E014",
            f"what is mounted at {route.route!r}, {describe_view(route.view)}, does not take (scope, receive, send)",
            "mount an ASGI 3 application; for a WSGI application write `mount(..., wsgi(application))`, with wsgi from "
            "transom.asgi",
        )


def _check_view(route: Route, names: tuple[str, ...]) -> Iterator[CheckMessage]:
    view = route.view
    if not is_async_callable(view):
        yield CheckMessage(
            "web.E004",
            f"view {describe_view(view)} of route {route.route!r} is not async",
            "write `async def`; or, if it has to block, put `@threaded` above it: it then runs in a pool of threads",
        )
    elif (problem := _signature_problem(view, names)) is not None:
        yield CheckMessage(
            "web.E005",
            f"view {describe_view(view)} cannot be called for route {route.route!r}: {problem}",
            "the view takes the request (or socket) and then the parameters of the route by name",
        )
    else:
        yield from _check_annotations(route)


def _check_annotations(route: Route) -> Iterator[CheckMessage]:
    """Yield parameters of the view that say another type than the converter gives."""
    annotations = find_annotations(route.view)
    for param in route.pattern.params:
        given = result_type(param.converter)
        if not accepts(annotations.get(param.name, Any), given):
            yield CheckMessage(
                "web.E018",
                f"view {describe_view(route.view)} takes {param.name} as {_type_name(annotations[param.name])}, but "
                f"<{param.converter_name}:{param.name}> of route {route.route!r} gives {_type_name(given)}",
                "change the annotation or the converter",
            )


def _type_name(annotation: object) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def is_async_callable(view: object) -> bool:
    """Tell whether calling it gives something to await."""
    while isinstance(view, partial):
        view = view.func
    # A class-based view is an object whose __call__ is a coroutine function.
    return inspect.iscoroutinefunction(view) or (
        not inspect.isclass(view) and inspect.iscoroutinefunction(getattr(view, "__call__", None))  # noqa: B004
    )


def _takes(application: Callable[..., object], *args: object) -> bool:
    try:
        inspect.signature(application).bind(*args)
    except TypeError:
        return False
    except ValueError:  # compiled code may hide its signature
        return True
    return True


def _signature_problem(view: Callable[..., object], names: tuple[str, ...]) -> str | None:
    try:
        inspect.signature(view).bind(None, **dict.fromkeys(names))
    except TypeError as exc:
        return str(exc)
    except ValueError:  # compiled code may hide its signature
        return None
    return None
