"""From a request head to an ASGI scope, for every HTTP version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    import asyncio

    from transom.asgi.types import HTTPScope, WebSocketScope
    from transom.server.state import ServerState


class RequestHead(Protocol):
    """What a scope is made of, whatever framed it; see `http1.Request`."""

    method: str
    raw_path: bytes
    query: bytes
    http_version: str
    headers: list[tuple[bytes, bytes]]


class Peer:
    """What is the same for all requests of one connection."""

    __slots__ = ("client", "client_host", "scheme", "server")

    def __init__(
        self, scheme: str, client: tuple[str, int] | None, server: tuple[str, int | None] | None
    ) -> None:
        self.scheme = scheme
        self.client = client
        self.client_host = client[0] if client else "-"
        self.server = server

    @classmethod
    def of_transport(cls, transport: asyncio.BaseTransport) -> Peer:
        """Return the two ends of a connection without TLS."""
        client: Any = transport.get_extra_info("peername")  # Any: its shape depends on the address family
        server: Any = transport.get_extra_info("sockname")
        if isinstance(server, tuple):
            server = cast("tuple[str, int]", server)
            return cls("http", (client[0], client[1]) if client else None, (server[0], server[1]))
        return cls("http", None, (server, None) if server else None)


def build_scope(state: ServerState, peer: Peer, request: RequestHead) -> HTTPScope:
    """Return a scope of its own for one request; only the `asgi` entry is shared.

    Source: ASGI HTTP specification 2.5, "HTTP Connection Scope".
    """
    raw_path, root_path = request.raw_path, state.root_path
    if root_path:
        # The path of a scope includes the root path; the proxy has taken it off.
        raw_path = root_path.encode() + raw_path
    scope: HTTPScope = {
        "type": "http",
        "asgi": state.asgi,
        "http_version": request.http_version,
        "method": request.method,
        "scheme": peer.scheme,
        # Percent-decoded, then UTF-8 with U+FFFD for what is none.
        "path": unquote_to_bytes(raw_path).decode("utf-8", "replace")
        if raw_path.find(b"%") != -1
        else raw_path.decode(),
        "raw_path": raw_path,
        "query_string": request.query,
        "root_path": root_path,
        "headers": request.headers,
        "client": peer.client,
        "server": peer.server,
    }
    if state.lifespan_state is not None:
        scope["state"] = state.lifespan_state.copy()
    return scope


def build_websocket_scope(state: ServerState, peer: Peer, request: RequestHead) -> WebSocketScope:
    """Return the scope of a WebSocket handshake.

    Source: ASGI WebSocket specification 2.5, "Websocket Connection Scope".
    """
    scope = cast("dict[str, Any]", build_scope(state, peer, request))  # Any: it becomes another
    del scope["method"]
    scope["type"] = "websocket"
    scope["scheme"] = "wss" if peer.scheme == "https" else "ws"
    offered = b",".join(value for name, value in request.headers if name == b"sec-websocket-protocol")
    scope["subprotocols"] = [name for part in offered.decode("latin-1").split(",") if (name := part.strip())]
    return cast("WebSocketScope", scope)
