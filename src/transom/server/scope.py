"""From a request head to an ASGI scope, for every HTTP version."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast

from transom.server.logs.request_id import identify
from transom.server.tls.context import describe_connection
from transom.server.trust import to_plain

if TYPE_CHECKING:
    import asyncio

    from transom.asgi.types import HTTPScope, WebSocketScope
    from transom.server.proxy_protocol import ProxyHeader
    from transom.server.state import ServerState
    from transom.server.target import RequestLine
    from transom.server.trust import TrustedProxies


EXTENSIONS_1_0: dict[str, dict[str, Any]] = {  # Any: as in HTTPScope
    "http.response.pathsend": {},
    "http.response.zerocopysend": {},
}
EXTENSIONS: dict[str, dict[str, Any]] = EXTENSIONS_1_0 | {  # Any: as in HTTPScope
    "http.response.early_hint": {},
    "http.response.trailers": {},
}
"""What every response may use. Copied for each request; the values are shared, and empty."""


class Peer:
    """What is the same for all requests of one connection, or of one client behind a proxy.

    Attributes:
        scheme: `http` or `https`.
        client: address and port, None for a Unix socket.
        client_host: the address for logs; `-` if there is none.
        server: our address and port, or path and None for a Unix socket.
        tls: the extension of the scope with that name, None without TLS.
        is_trusted: whether it is a proxy that may tell us of the client behind it.
        extensions: what a response to the last request may use.
        line: of the last request.
        template: what scopes of requests with that line begin as; to copy it costs less than to write it down each time.
    """

    __slots__ = (
        "client",
        "client_host",
        "extensions",
        "is_trusted",
        "line",
        "scheme",
        "server",
        "template",
        "tls",
    )

    def __init__(
        self,
        scheme: str,
        client: tuple[str, int] | None,
        server: tuple[str, int | None] | None,
        *,
        tls: dict[str, Any] | None = None,  # Any: as in the scope's extensions
        is_trusted: bool = False,
    ) -> None:
        self.scheme = scheme
        self.client = client
        self.client_host = client[0] if client else "-"
        self.server = server
        self.tls = tls
        self.is_trusted = is_trusted
        self.extensions = EXTENSIONS
        self.line: RequestLine | None = None
        self.template: HTTPScope | None = None

    def fill_template(self, state: ServerState, line: RequestLine) -> HTTPScope:
        """Return what the scopes of this peer's requests with this line begin as; a client may ask for the same again.

        All values are immutable, but for fields and extensions, of which every request has its own.
        """
        method, raw_path, path, query, http_version, _ = line
        if state.root_path:
            # The path of a scope includes the root path; the proxy has taken it off.
            raw_path, path = state.root_path.encode() + raw_path, state.root_path + path
        self.line = line
        self.extensions = EXTENSIONS if http_version != "1.0" else EXTENSIONS_1_0
        template = self.template or self._make_template(state)
        template["http_version"] = http_version
        template["method"] = method
        template["path"] = path
        template["raw_path"] = raw_path
        template["query_string"] = query
        return template

    def _make_template(self, state: ServerState) -> HTTPScope:
        self.template = {
            "type": "http",
            "asgi": state.asgi,
            "http_version": "",
            "method": "",
            "scheme": self.scheme,
            "path": "",
            "raw_path": b"",
            "query_string": b"",
            "root_path": state.root_path,
            "headers": [],
            "client": self.client,
            "server": self.server,
            "extensions": {},
        }
        return self.template

    @classmethod
    def of_transport(
        cls,
        transport: asyncio.BaseTransport,
        trusted: TrustedProxies | None = None,
        proxied: ProxyHeader | None = None,
    ) -> Peer:
        """Return the two ends of a connection.

        Args:
            transport: of the connection.
            trusted: the proxies to believe; None for no one.
            proxied: what a balancer said of the ends in the PROXY protocol; None without it.
        """
        client, server = _read_ends(transport) if proxied is None or not proxied.is_proxied else proxied[1:3]
        connection = transport.get_extra_info("ssl_object")
        tls = None if connection is None else describe_connection(connection)
        is_secure = tls is not None or (proxied is not None and proxied.is_secure)
        return cls(
            "https" if is_secure else "http",
            client,
            server,
            tls=tls,
            is_trusted=trusted is not None and _is_trusted(trusted, client, server),
        )


def _read_ends(
    transport: asyncio.BaseTransport,
) -> tuple[tuple[str, int] | None, tuple[str, int | None] | None]:
    client: Any = transport.get_extra_info("peername")  # Any: its shape depends on the address family
    server: Any = transport.get_extra_info("sockname")
    if not isinstance(server, tuple):
        return None, (os.fsdecode(server), None) if server else None
    host, port = cast("tuple[str, int]", server)[:2]
    return (to_plain(client[0]), client[1]) if client else None, (to_plain(host), port)


def _is_trusted(
    trusted: TrustedProxies, client: tuple[str, int] | None, server: tuple[str, int | None] | None
) -> bool:
    if client is not None:
        return trusted.trusts(client[0])
    # On TCP, it is gone already.
    return trusted.trusts_unix and server is not None and server[1] is None


def build_scope(
    state: ServerState, peer: Peer, line: RequestLine, headers: list[tuple[bytes, bytes]]
) -> HTTPScope:
    """Return a scope of its own for one request, to which `headers` belong; only the `asgi` entry is shared.

    Source: ASGI HTTP specification 2.5, "HTTP Connection Scope".
    """
    template = peer.template
    if template is None or peer.line is not line:
        template = peer.fill_template(state, line)
    scope = template.copy()
    scope["headers"] = identify(headers, peer.is_trusted) if state.gives_request_ids else headers
    scope["extensions"] = extensions = peer.extensions.copy()
    if peer.tls is not None:
        extensions["tls"] = peer.tls.copy()
    if state.lifespan_state is not None:
        scope["state"] = state.lifespan_state.copy()
    return scope


def build_websocket_scope(
    state: ServerState, peer: Peer, line: RequestLine, headers: list[tuple[bytes, bytes]]
) -> WebSocketScope:
    """Return the scope of a WebSocket handshake.

    Source: ASGI WebSocket specification 2.5, "Websocket Connection Scope".
    """
    scope = cast("dict[str, Any]", build_scope(state, peer, line, headers))  # Any: it becomes another
    del scope["method"]
    scope["type"] = "websocket"
    scope["extensions"] = {} if peer.tls is None else {"tls": peer.tls.copy()}
    scope["scheme"] = "wss" if peer.scheme == "https" else "ws"
    scope["subprotocols"] = []  # those of a handshake that was found valid
    return cast("WebSocketScope", scope)
