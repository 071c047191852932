"""The WebSocket protocol without I/O: handshake, frames, messages and the closing handshake."""

from transom.server.websocket.close import CloseCode, is_wire_code
from transom.server.websocket.connection import Role, WebSocketConnection
from transom.server.websocket.denial import DenialResponse
from transom.server.websocket.events import NEED_DATA, BytesMessage, Close, Event, Ping, Pong, TextMessage
from transom.server.websocket.exceptions import (
    HandshakeError,
    LocalProtocolError,
    ProtocolError,
    RemoteProtocolError,
)
from transom.server.websocket.handshake import (
    Handshake,
    build_accept_response,
    build_refusal,
    build_response_head,
    is_upgrade_request,
    parse_handshake,
    parse_subprotocols,
)

__all__ = [
    "NEED_DATA",
    "BytesMessage",
    "Close",
    "CloseCode",
    "DenialResponse",
    "Event",
    "Handshake",
    "HandshakeError",
    "LocalProtocolError",
    "Ping",
    "Pong",
    "ProtocolError",
    "RemoteProtocolError",
    "Role",
    "TextMessage",
    "WebSocketConnection",
    "build_accept_response",
    "build_refusal",
    "build_response_head",
    "is_upgrade_request",
    "is_wire_code",
    "parse_handshake",
    "parse_subprotocols",
]
