"""Routes that lead elsewhere: `redirect_path("old/<int:pk>/", to="polls:detail")`."""

from __future__ import annotations

import re
from string import Formatter
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from transom.conf import CheckMessage
from transom.web.response import RedirectResponse
from transom.web.urls.reversing import NoReverseMatch
from transom.web.urls.routes import Kind, Route

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from transom.web.multidict import MultiDict
    from transom.web.urls.reversing import Reverser

# What is an address and no URL name: a path, a query, a fragment, or something with a scheme.
ADDRESS = re.compile(r"[/?#.\\]|[a-zA-Z][a-zA-Z0-9+.-]*:/|\s|$")


def redirect_path(
    route: str,
    *,
    to: str,
    name: str | None = None,
    permanent: bool = False,
    preserve_request: bool = False,
    query_string: bool = False,
) -> Route:
    """Declare a route that redirects.

    Example: `redirect_path("archive/<int:year>/", to="polls:year", permanent=True)`.

    Args:
        route: as in `path`.
        to: name of a route that takes the same parameters; or an address, with parameters in braces: `"/polls/{year}/"`. An
            address on another host is allowed, but parameters never choose the host.
        name: for `reverse`.
        permanent: 301, which browsers remember, in place of 302.
        preserve_request: 308 in place of 301, and 307 of 302: the client sends method and body again.
        query_string: whether the query of the request goes along.
    """
    status = {(False, False): 302, (True, False): 301, (False, True): 307, (True, True): 308}
    return Route(Kind.HTTP, route, Redirect(to, status[permanent, preserve_request], query_string), name)


class Site(Protocol):
    """What knows its URLs: the application."""

    # Any: each parameter has the type of its converter.
    def reverse(self, name: str, /, *args: object, **kwargs: Any) -> str:
        """Return the URL of a named route."""
        ...


class Asked(Protocol):
    """What a redirect has to know of a request."""

    @property
    def app(self) -> Site:
        """The application that serves it."""
        ...

    @property
    def query(self) -> MultiDict[str]:
        """The query string."""
        ...


class Redirect:
    """A view that redirects; see `redirect_path`."""

    def __init__(self, to: str, status: int, query_string: bool) -> None:
        self.to = to
        self._status = status
        self._query_string = query_string

    def __repr__(self) -> str:
        return f"redirect to {self.to}"

    async def __call__(self, request: Asked, **kwargs: Any) -> RedirectResponse:  # Any: see ResolverMatch
        """Redirect."""
        url = (
            expand_address(self.to, kwargs) if is_address(self.to) else request.app.reverse(self.to, **kwargs)
        )
        query = request.query.urlencode() if self._query_string else ""
        return RedirectResponse(f"{url}{'&' if '?' in url else '?'}{query}" if query else url, self._status)

    def find_problem(self, route: Route, reverser: Reverser) -> str:
        """Return why the redirect of a route cannot work; empty if it can."""
        if not is_address(self.to):
            if self.to == route.full_name:
                return "it leads to itself"
            try:
                reverser.check(self.to, route.names)
            except NoReverseMatch as exc:
                return str(exc)
            return ""
        try:
            fields = {field for _, field, _, _ in Formatter().parse(self.to) if field is not None}
        except ValueError as exc:
            return str(exc)
        unknown = fields - {*route.names}
        return f"the route has no parameter {min(unknown)!r}" if unknown else ""


def check_redirects(routes: Iterable[Route], reverser: Reverser) -> Iterator[CheckMessage]:
    """Yield the redirects that cannot work."""
    for route in routes:
        if isinstance(route.view, Redirect) and (problem := route.view.find_problem(route, reverser)):
            yield CheckMessage("web.E015", f"route {route.route!r} cannot {route.view!r}: {problem}")


def is_address(to: str) -> bool:
    """Tell an address from the name of a route."""
    return ADDRESS.match(to) is not None


def expand_address(address: str, values: Mapping[str, object]) -> str:
    """Return an address with values in the place of their names in braces, percent-encoded.

    What begins with a slash stays on this host: a value cannot add the second slash that would name another.
    """
    url = address.format(**{name: quote(str(value)) for name, value in values.items()})
    return "/" + url.lstrip("/") if address.startswith("/") and not address.startswith("//") else url
