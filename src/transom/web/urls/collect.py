"""Flatten declared routes: includes become prefixes and namespaces of the routes inside."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, replace
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from transom.conf import ImproperlyConfigured
from transom.web.urls.routes import Include, Route

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from transom.web.urls.routes import URLPattern


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the tree of includes we are: what to put before a route, and the modules on the way here."""

    prefix: str = ""
    namespaces: tuple[tuple[str, str], ...] = ()
    host: str = ""
    modules: tuple[str, ...] = ()

    def inside(self, include: Include, module: ModuleType | None) -> _Place:
        """Return the place of the routes that an include brings."""
        names = self.modules
        if module is not None:
            if module.__name__ in names:
                raise ImproperlyConfigured(
                    f"URLconf {module.__name__!r} includes itself: {' -> '.join((*names, module.__name__))}"
                )
            names = (*names, module.__name__)
        app_name = include.app_name or str(getattr(module, "app_name", ""))
        namespace = include.namespace or app_name
        return _Place(
            self.prefix + include.prefix,
            (*self.namespaces, (app_name, namespace)) if namespace else self.namespaces,
            self._host_inside(include),
            names,
        )

    def _host_inside(self, include: Include) -> str:
        if self.host and include.host:
            raise ImproperlyConfigured(
                f"host({include.host!r}, ...) is included inside host({self.host!r}, ...); a request has one host: declare "
                "them side by side"
            )
        return self.host or include.host


def collect_routes(urls: str | ModuleType | Sequence[URLPattern]) -> list[Route]:
    """Return the routes in order of declaration, each with its full text and namespace.

    Raises:
        ImproperlyConfigured: a module has no `urlpatterns`, includes itself, or something in a list is no route.
        ImportError: a module cannot be imported.
    """
    return list(_collect_include(Include(urls), _Place()))


def _collect_include(include: Include, place: _Place) -> Iterator[Route]:
    if isinstance(include.urls, str | ModuleType):
        module = _load(include.urls)
        yield from _collect(_urlpatterns(module), place.inside(include, module))
    else:
        yield from _collect(include.urls, place.inside(include, None))


def _collect(declared: Iterable[object], place: _Place) -> Iterator[Route]:
    for item in declared:
        if isinstance(item, Include):
            yield from _collect_include(item, place)
        elif isinstance(item, Route):
            yield replace(item, route=place.prefix + item.route, namespaces=place.namespaces, host=place.host)
        else:
            raise ImproperlyConfigured(
                f"urlpatterns holds {item!r}; use path(), websocket() or mount(), and path(prefix, include(...))"
            )


def _load(urls: str | ModuleType) -> ModuleType:
    return importlib.import_module(urls) if isinstance(urls, str) else urls


def _urlpatterns(module: ModuleType) -> Sequence[object]:
    found = getattr(module, "urlpatterns", None)
    if not isinstance(found, list | tuple):
        raise ImproperlyConfigured(
            f"URLconf {module.__name__!r} has no list urlpatterns; add urlpatterns = [path(...), ...]"
        )
    return cast("Sequence[Any]", found)  # Any: each item is looked at as it is collected
