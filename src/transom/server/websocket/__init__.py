"""The WebSocket protocol without I/O: handshake, frames, messages and the closing handshake."""

from transom.server.websocket.close import CloseCode, is_wire_code
from transom.server.websocket.connection import Role, WebSocketConnection
from transom.server.websocket.deflate import Agreement, Window, negotiate
from transom.server.websocket.events import NEED_DATA, Close, Event, Ping, Pong
from transom.server.websocket.exceptions import (
    HandshakeError,
    LocalProtocolError,
    ProtocolError,
    RemoteProtocolError,
)
from transom.server.websocket.extensions import Offer
from transom.server.websocket.handshake import (
    Handshake,
    build_accept_fields,
    build_accept_response,
    build_response_head,
    is_upgrade_request,
    parse_extended_connect,
    parse_handshake,
    parse_subprotocols,
)

__all__ = [
    "NEED_DATA",
    "Agreement",
    "Close",
    "CloseCode",
    "Event",
    "Handshake",
    "HandshakeError",
    "LocalProtocolError",
    "Offer",
    "Ping",
    "Pong",
    "ProtocolError",
    "RemoteProtocolError",
    "Role",
    "WebSocketConnection",
    "Window",
    "build_accept_fields",
    "build_accept_response",
    "build_response_head",
    "is_upgrade_request",
    "is_wire_code",
    "negotiate",
    "parse_extended_connect",
    "parse_handshake",
    "parse_subprotocols",
]
