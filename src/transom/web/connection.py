"""What a request and a WebSocket have in common: everything that is read from the scope."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urljoin, urlsplit

from transom.web.cookies import parse_cookies
from transom.web.errors import BadRequest
from transom.web.formdata import FormLimits
from transom.web.headers import Headers
from transom.web.hosts import is_allowed_host, split_host
from transom.web.media_types import AcceptedTypes
from transom.web.multidict import MultiDict, parse_urlencoded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from transom.asgi.types import HTTPScope, WebSocketScope
    from transom.conf import Settings
    from transom.templates import Engine
    from transom.web.urls import ResolverMatch

__all__ = ["Application", "Connection", "State"]

DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
SECURE_SCHEMES = frozenset({"https", "wss"})


class Application(Protocol):
    """What views reach through `request.app`; `transom.web.App` is one."""

    @property
    def settings(self) -> Settings:
        """The settings of the site."""
        ...

    @cached_property  # as the application's own: type checkers compare the descriptors, not what they return
    def templates(self) -> Engine:
        """The template engine, made when it is first asked for."""
        ...

    # Any: query, fragment and current_app, see `transom.web.reverse`, and the parameters of the route.
    def reverse(self, name: str, /, *args: object, **kwargs: Any) -> str:
        """Return the path of a named route."""
        ...


class State:
    """Attributes that live as long as one request; those the lifespan made are there from the start."""

    def __init__(self, values: dict[str, Any]) -> None:  # Any: the application decides what it keeps here
        self.__dict__ = values

    def __getattr__(self, name: str) -> Any:  # Any: as above
        raise AttributeError(f"state has no {name!r}; set it in the lifespan or in a middleware before this")


class Connection:
    """One HTTP request or WebSocket as its scope tells it; each part is parsed when it is first asked for.

    Args:
        scope: the ASGI scope; keys that the specification lets a server leave out may be missing.
        app: the application that serves it; None outside one.

    Attributes:
        scope: the ASGI scope.
        path: the decoded path, as the URLconf saw it.
        resolver_match: the route that was found; None before the URLconf was asked.
    """

    def __init__(self, scope: HTTPScope | WebSocketScope, *, app: Application | None = None) -> None:
        self.scope = scope
        self.path = scope["path"]
        self._app = app
        self.resolver_match: ResolverMatch | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path!r}>"

    @property
    def app(self) -> Application:
        """The application that serves this.

        Raises:
            RuntimeError: there is none, as where a Request is made by hand.
        """
        if self._app is None:
            raise RuntimeError("no application serves this request; make it with app=...")
        return self._app

    @cached_property
    def headers(self) -> Headers:
        """The header fields; names ignore case."""
        return Headers(self.scope["headers"])

    @cached_property
    def cookies(self) -> dict[str, str]:
        """The cookies by name."""
        return parse_cookies(self.headers.get("cookie", ""))

    @cached_property
    def query(self) -> MultiDict[str]:
        """The query string.

        Raises:
            BadRequest: it has more fields than the site takes, or is not UTF-8.
        """
        return MultiDict(
            parse_urlencoded(self.scope.get("query_string", b""), max_fields=self.limits.max_form_fields)
        )

    @cached_property
    def limits(self) -> FormLimits:
        """The limits of bodies and forms: those of the settings, or the defaults without an application."""
        return FormLimits() if self._app is None else FormLimits.from_settings(self._app.settings)

    @property
    def scheme(self) -> str:
        """`http`, `https`, `ws` or `wss`, as the server saw it."""
        return self.scope.get("scheme") or ("ws" if self.scope["type"] == "websocket" else "http")

    @property
    def is_secure(self) -> bool:
        """Whether the client's side of the connection is TLS."""
        return self.scheme in SECURE_SCHEMES

    @property
    def client(self) -> tuple[str, int] | None:
        """Address and port of the peer, or None where the server has none, as on a Unix socket."""
        return self.scope.get("client")

    @cached_property
    def host(self) -> str:
        """The host and, unless it is the scheme's own, the port the client asked for: `example.com:8000`.

        Raises:
            BadRequest: the field is malformed, or the site does not answer to this host; so that no address built from it
                can lead elsewhere.
        """
        field = self._host_field()
        parts = split_host(field)
        if parts is None:
            raise BadRequest(f"host {field!r} is malformed")
        name, port = parts
        if self._app is not None and not is_allowed_host(name, self._app.settings.allowed_hosts):
            raise BadRequest(f"host {name!r} is not served here; add it to allowed_hosts")
        return name if port in (None, DEFAULT_PORTS.get(self.scheme)) else f"{name}:{port}"

    @cached_property
    def url(self) -> str:
        """The address that was asked for, host included.

        Raises:
            BadRequest: see `host`.
        """
        return f"{self.scheme}://{self.host}{self.full_path}"

    @cached_property
    def full_path(self) -> str:
        """Path and query as they were sent."""
        raw = self.scope.get("raw_path") or b""
        path = raw.decode("latin-1") if raw.startswith(b"/") else "/" + self.path.lstrip("/")
        # A path that starts with two slashes would name a host when it is used as a reference (RFC 3986 4.2).
        path = quote("/" + path.lstrip("/"), safe="/%:@!$&'()*+,;=~", encoding="latin-1" if raw else "utf-8")
        query = self.scope.get("query_string", b"").decode("latin-1")
        return f"{path}?{quote(query, safe=QUERY_SAFE, encoding='latin-1')}" if query else path

    @cached_property
    def state(self) -> State:
        """Attributes for the life of this request; shared with the raw ASGI middleware around it."""
        return State(self.scope.setdefault("state", {}))

    @cached_property
    def accepted_types(self) -> AcceptedTypes:
        """The media types the client accepts."""
        return AcceptedTypes(self.headers.get("accept", ""))

    def accepts(self, media_type: str) -> bool:
        """Say whether the client takes a type such as `text/html`, wildcards included."""
        return self.accepted_types.quality(media_type) > 0

    def get_preferred_type(self, media_types: Iterable[str]) -> str | None:
        """Return the one of these types the client would rather have, or None where it takes none."""
        return self.accepted_types.best(media_types)

    def build_absolute_uri(self, location: str | None = None) -> str:
        """Return an absolute address on this host for a path, or this request's own; absolute addresses stay as they are.

        Raises:
            BadRequest: see `host`.
        """
        if location is None:
            return self.url
        return location if urlsplit(location).scheme else urljoin(self.url, location)

    def _host_field(self) -> str:
        values = self.headers.getlist("host")
        if values:
            return ", ".join(values)
        server = self.scope.get("server")
        if server is None or server[1] is None:
            raise BadRequest("the request names no host")
        return f"[{server[0]}]:{server[1]}" if ":" in server[0] else f"{server[0]}:{server[1]}"


QUERY_SAFE = "/%:@!$&'()*+,;=~?[]"
