"""The site that is current in this context, so that `reverse` needs no request."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from transom.web.hosts import find_host
from transom.web.urls.reversing import build_suffix

if TYPE_CHECKING:
    from collections.abc import Callable

    from transom.asgi.types import HTTPScope, WebSocketScope
    from transom.conf import Settings
    from transom.web.urls.match import ResolverMatch
    from transom.web.urls.reversing import Address, Query
    from transom.web.urls.urlconf import URLconf

T = TypeVar("T")


class Threads(Protocol):
    """The pools that blocking work runs in."""

    async def run(self, pool: str, call: Callable[[], T], /) -> T:
        """Run a call in a thread of a pool."""
        ...


class Site(Protocol):
    """What has settings, a URLconf and threads: the application."""

    @property
    def settings(self) -> Settings:
        """The settings of the site."""
        ...

    @property
    def urlconf(self) -> URLconf:
        """The compiled routes."""
        ...

    @property
    def threads(self) -> Threads:
        """The pools that blocking work runs in."""
        ...


class Served(Protocol):
    """The request or WebSocket that is being served."""

    resolver_match: ResolverMatch | None

    @property
    def scope(self) -> HTTPScope | WebSocketScope:
        """The ASGI scope."""
        ...

    @property
    def is_secure(self) -> bool:
        """Whether the client's side of the connection is TLS."""
        ...


class Current(NamedTuple):
    """The current site.

    Attributes:
        site: the application.
        root_path: the path it is served under: empty, or without its closing slash.
        served: the request; None outside of one, and where nothing of it matters to `reverse`.
    """

    site: Site
    root_path: str = ""
    served: Served | None = None

    def reverse(
        self,
        name: str,
        args: tuple[object, ...],
        kwargs: dict[str, object],
        *,
        query: Query | None,
        fragment: str | None,
        current_app: str | None,
    ) -> str:
        """Return the URL of a named route; see `reverse`."""
        host, port = ("", None) if self.served is None else find_host(self.served.scope)
        if current_app is None:
            match = None if self.served is None else self.served.resolver_match
            current_app = "" if match is None else match.namespace
        address = self.site.urlconf.find_address(name, args, kwargs, current_app=current_app, host=host)
        origin = "" if address.host in ("", host) else self._build_origin(address, port)
        return origin + self.root_path + address.path + build_suffix(query, fragment)

    def _build_origin(self, address: Address, port: int | None) -> str:
        # Outside of a request nobody says; a site in production is reached over TLS.
        is_secure = not self.site.settings.debug if self.served is None else self.served.is_secure
        scheme = ("ws" if address.is_websocket else "http") + ("s" if is_secure else "")
        return f"{scheme}://{address.host}{'' if port is None else f':{port}'}"


current: ContextVar[Current] = ContextVar("transom.web.current")


def reverse(
    name: str,
    /,
    *args: object,
    query: Query | None = None,
    fragment: str | None = None,
    current_app: str | None = None,
    **kwargs: object,
) -> str:
    """Return the path of a named route of the current site, percent-encoded, with the root path it is served under.

    Within a request that is the application that serves it; outside of one, the application made last.

    A route of another host than the request's has scheme and host before its path, with the scheme and port of the request;
    outside of a request the scheme is `https`, in debug `http`. A parameter of the host that the request's own host has a
    value for may be left out.

    Args:
        name: with its namespaces, e.g. `"polls:detail"`. Where an app is included several times, its name stands for the
            instance that serves the request, else for the one whose namespace is the app's name, else for the last.
        args: the parameters in order, those of the host first; or
        kwargs: the parameters by name.
        query: what goes behind the question mark: a mapping, whose values may be lists, or pairs. Numbers become text.
        fragment: what goes behind the hash.
        current_app: the namespace to take for the request's own; None for that.

    Raises:
        NoReverseMatch: the name is unknown, parameters are missing or too many, or a value does not fit.
        TypeError: a value of the query is None.
        LookupError: no application was made in this context.
    """
    try:
        here = current.get()
    except LookupError:
        raise LookupError(
            f"cannot reverse {name!r}: there is no application yet; make an App first"
        ) from None
    return here.reverse(name, args, kwargs, query=query, fragment=fragment, current_app=current_app)
