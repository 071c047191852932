"""Which instance of an app a name means.

The same URLs may be included several times, each time in a namespace of its own: instances of one app. `"polls:index"` may
then name the app, and means the instance that serves the current request, else the one whose namespace is the app's
name, else the one declared last. The full name of an instance, `"author-polls:index"`, always means that one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from transom.web.urls.routes import Route


class _Level:
    """The namespaces inside one namespace: by name, and by the app that they are instances of."""

    __slots__ = ("apps", "inside")

    def __init__(self) -> None:
        self.inside: dict[str, _Level] = {}
        self.apps: dict[str, list[str]] = {}

    def add(self, app_name: str, namespace: str) -> _Level:
        if namespace not in self.inside:
            self.inside[namespace] = _Level()
            if app_name:
                self.apps.setdefault(app_name, []).append(namespace)
        return self.inside[namespace]


class Namespaces:
    """The namespaces of a URLconf.

    Attributes:
        has_instances: whether a namespace is not named as its app, so that the current one matters.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._top = _Level()
        self.has_instances = False
        for place in dict.fromkeys(route.namespaces for route in routes):
            level = self._top
            for app_name, namespace in place:
                level = level.add(app_name, namespace)
                self.has_instances |= app_name not in ("", namespace)

    def resolve(self, name: str, current: str) -> str:
        """Return a name with each app in it replaced by the instance that is meant.

        Args:
            name: as `reverse` takes it, e.g. `"polls:index"`.
            current: the namespaces of the current request, joined by colons; empty for none.
        """
        *wanted, last = name.split(":")
        here = current.split(":")
        level: _Level | None = self._top
        found: list[str] = []
        for depth, part in enumerate(wanted):
            if level is None:
                return name
            chosen = _choose(level.apps.get(part, ()), part, here[depth] if depth < len(here) else "")
            if here[depth : depth + 1] != [chosen]:
                here = []
            found.append(chosen)
            level = level.inside.get(chosen)
        return ":".join([*found, last])


def _choose(instances: Sequence[str], part: str, here: str) -> str:
    if here in instances:
        return here
    return part if not instances or part in instances else instances[-1]
