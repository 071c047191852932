"""What a path led to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transom.web.urls.routes import Kind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from transom.web.urls.routes import Route


class ResolverMatch:
    """What a path led to.

    Attributes:
        matched: the route.
        kwargs: the converted parameters, by name; those of the host among them.
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
    def url_name(self) -> str | None:
        """The name within its namespace, e.g. `"detail"`."""
        return self.matched.name

    @property
    def namespace(self) -> str:
        """The namespaces around it, joined by colons; empty for none."""
        return self.matched.namespace

    @property
    def app_name(self) -> str:
        """The names of the apps around it, joined by colons; empty for none. An app may have several namespaces."""
        return self.matched.app_name

    @property
    def route(self) -> str:
        """The text of the route, e.g. `"polls/<int:pk>/"`."""
        return self.matched.route

    @property
    def host(self) -> str:
        """The text of the host it is limited to, e.g. `"<slug:tenant>.example.com"`; empty for any host."""
        return self.matched.host

    @property
    def view(self) -> Callable[..., Awaitable[Any]]:  # Any: a Response or None, by kind
        """The view; the ASGI application of a mount."""
        return self.matched.view

    @property
    def is_mount(self) -> bool:
        """Whether the view is another ASGI application."""
        return self.matched.kind is Kind.MOUNT

    def __repr__(self) -> str:
        return f"<ResolverMatch {self.route!r} {self.kwargs!r}>"
