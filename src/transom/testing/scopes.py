"""Scopes of the requests a test client makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transom.asgi.types import ASGIVersions, HTTPScope, LifespanScope, WebSocketScope

if TYPE_CHECKING:
    import httpx

    from transom.asgi.types import Headers

CLIENT_ADDRESS = ("127.0.0.1", 50_000)
DEFAULT_PORTS = {"http": 80, "https": 443}

State = dict[str, Any]  # Any: the application decides what it keeps in the state of its lifespan


def build_http_scope(request: httpx.Request, state: State, *, raise_exceptions: bool) -> HTTPScope:
    """Return the scope of an HTTP request; the state is copied, as the lifespan spec asks."""
    return HTTPScope(
        type="http",
        asgi=ASGIVersions(version="3.0", spec_version="2.5"),
        http_version="1.1",
        method=request.method,
        scheme=request.url.scheme,
        path=request.url.path,
        raw_path=_raw_path(request),
        query_string=request.url.query,
        root_path="",
        headers=_headers(request),
        client=CLIENT_ADDRESS,
        server=_server(request),
        state=dict(state),
        extensions=_extensions(raise_exceptions),
    )


def build_websocket_scope(
    request: httpx.Request, subprotocols: list[str], state: State, *, raise_exceptions: bool
) -> WebSocketScope:
    """Return the scope of a WebSocket, from the GET request that asks for it."""
    return WebSocketScope(
        type="websocket",
        asgi=ASGIVersions(version="3.0", spec_version="2.5"),
        http_version="1.1",
        scheme="wss" if request.url.scheme in ("https", "wss") else "ws",
        path=request.url.path,
        raw_path=_raw_path(request),
        query_string=request.url.query,
        root_path="",
        headers=_headers(request),
        client=CLIENT_ADDRESS,
        server=_server(request),
        subprotocols=subprotocols,
        state=dict(state),
        extensions={"websocket.http.response": {}, **_extensions(raise_exceptions)},
    )


def build_lifespan_scope(state: State) -> LifespanScope:
    """Return the scope of a lifespan; the application fills the state."""
    return LifespanScope(type="lifespan", asgi=ASGIVersions(version="3.0", spec_version="2.0"), state=state)


def _extensions(
    raise_exceptions: bool,
) -> dict[str, dict[str, Any]]:  # Any: each extension has a shape of its own
    # By this one a Transom site answers to the host `testserver`, and raises what it would answer with 500.
    return {"transom.testing": {"raise_exceptions": raise_exceptions}}


def _raw_path(request: httpx.Request) -> bytes:
    return request.url.raw_path.partition(b"?")[0]


def _headers(request: httpx.Request) -> Headers:
    return [(name.lower(), value) for name, value in request.headers.raw]


def _server(request: httpx.Request) -> tuple[str, int]:
    return request.url.host, request.url.port or DEFAULT_PORTS.get(request.url.scheme, 80)
