"""Types of the ASGI conversation: scopes, messages and the three callables.

No behaviour lives here. Server and framework import these names and nothing else of each other.

Source: ASGI 3.0; HTTP and WebSocket sub-protocol 2.5; lifespan sub-protocol 2.0; the TLS extension is not here yet.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

Headers: TypeAlias = list[tuple[bytes, bytes]]
"""Field lines in wire order: names in lower case, values as received, duplicates kept."""


class ASGIVersions(TypedDict):
    """The `asgi` entry of a scope."""

    version: str
    spec_version: NotRequired[str]


class HTTPScope(TypedDict):
    """One HTTP request."""

    type: Literal["http"]
    asgi: ASGIVersions
    http_version: str
    method: str
    scheme: str
    path: str
    raw_path: bytes | None
    query_string: bytes
    root_path: str
    headers: Headers
    client: tuple[str, int] | None
    server: tuple[str, int | None] | None
    state: NotRequired[dict[str, Any]]  # the application decides what it keeps there
    extensions: NotRequired[dict[str, dict[str, Any]]]  # each extension has a shape of its own


class WebSocketScope(TypedDict):
    """One WebSocket connection, from the opening handshake to its end."""

    type: Literal["websocket"]
    asgi: ASGIVersions
    http_version: str
    scheme: str
    path: str
    raw_path: bytes | None
    query_string: bytes
    root_path: str
    headers: Headers
    client: tuple[str, int] | None
    server: tuple[str, int | None] | None
    subprotocols: list[str]
    state: NotRequired[dict[str, Any]]  # as in HTTPScope
    extensions: NotRequired[dict[str, dict[str, Any]]]  # as in HTTPScope


class LifespanScope(TypedDict):
    """The life of one application in one worker process."""

    type: Literal["lifespan"]
    asgi: ASGIVersions
    state: NotRequired[dict[str, Any]]  # as in HTTPScope


Scope: TypeAlias = HTTPScope | WebSocketScope | LifespanScope


class HTTPRequestEvent(TypedDict):
    """A piece of the request body."""

    type: Literal["http.request"]
    body: bytes
    more_body: bool


class HTTPDisconnectEvent(TypedDict):
    """The response is complete, or the client is gone."""

    type: Literal["http.disconnect"]


class HTTPResponseStartEvent(TypedDict):
    """Status and fields of the response; held back by the server until the first body message."""

    type: Literal["http.response.start"]
    status: int
    headers: NotRequired[Iterable[tuple[bytes, bytes]]]
    trailers: NotRequired[bool]


class HTTPResponseBodyEvent(TypedDict):
    """A piece of the response body."""

    type: Literal["http.response.body"]
    body: NotRequired[bytes]
    more_body: NotRequired[bool]


class WebSocketConnectEvent(TypedDict):
    """The client asks for a WebSocket; answer with accept or close."""

    type: Literal["websocket.connect"]


class WebSocketReceiveEvent(TypedDict):
    """One whole message from the client: exactly one of the two is not None."""

    type: Literal["websocket.receive"]
    bytes: bytes | None
    text: str | None


class WebSocketDisconnectEvent(TypedDict):
    """The connection is over; 1005 means no code was given, 1006 that the socket was lost."""

    type: Literal["websocket.disconnect"]
    code: int
    reason: NotRequired[str | None]


class WebSocketAcceptEvent(TypedDict):
    """Complete the handshake."""

    type: Literal["websocket.accept"]
    subprotocol: NotRequired[str | None]
    headers: NotRequired[Iterable[tuple[bytes, bytes]]]


class WebSocketSendEvent(TypedDict):
    """One whole message to the client: exactly one of the two is not None."""

    type: Literal["websocket.send"]
    bytes: NotRequired[bytes | None]
    text: NotRequired[str | None]


class WebSocketCloseEvent(TypedDict):
    """Refuse the handshake (403) or close the connection."""

    type: Literal["websocket.close"]
    code: NotRequired[int]
    reason: NotRequired[str | None]


class LifespanStartupEvent(TypedDict):
    """Sent once, before the first request."""

    type: Literal["lifespan.startup"]


class LifespanShutdownEvent(TypedDict):
    """Sent once, after the last request."""

    type: Literal["lifespan.shutdown"]


class LifespanCompleteEvent(TypedDict):
    """Start-up or shutdown went well."""

    type: Literal["lifespan.startup.complete", "lifespan.shutdown.complete"]


class LifespanFailedEvent(TypedDict):
    """Start-up or shutdown failed; the server logs the message."""

    type: Literal["lifespan.startup.failed", "lifespan.shutdown.failed"]
    message: NotRequired[str]


ReceiveMessage: TypeAlias = (
    HTTPRequestEvent
    | HTTPDisconnectEvent
    | WebSocketConnectEvent
    | WebSocketReceiveEvent
    | WebSocketDisconnectEvent
    | LifespanStartupEvent
    | LifespanShutdownEvent
)
SendMessage: TypeAlias = (
    HTTPResponseStartEvent
    | HTTPResponseBodyEvent
    | WebSocketAcceptEvent
    | WebSocketSendEvent
    | WebSocketCloseEvent
    | LifespanCompleteEvent
    | LifespanFailedEvent
)

# Messages cross the seam as plain dicts: a server may add keys, an application may send an extension's message.
# The unions above document them; the callables stay open, as every ASGI framework's own types are.
Receive: TypeAlias = Callable[[], Awaitable[Any]]  # Any: one of ReceiveMessage
Send: TypeAlias = Callable[[Any], Awaitable[None]]  # Any: one of SendMessage, or of an extension's messages
ASGIApplication: TypeAlias = Callable[[Any, Receive, Send], Awaitable[None]]  # Any: one of Scope
