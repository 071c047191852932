"""The interface between server and application: types of the conversation, and a middleware that checks it."""

from transom.asgi.types import (
    ASGIApplication,
    ASGIVersions,
    Headers,
    HTTPScope,
    LifespanScope,
    Receive,
    ReceiveMessage,
    Scope,
    Send,
    SendMessage,
    WebSocketScope,
)
from transom.asgi.validate import ASGIViolation, validate

__all__ = [
    "ASGIApplication",
    "ASGIVersions",
    "ASGIViolation",
    "HTTPScope",
    "Headers",
    "LifespanScope",
    "Receive",
    "ReceiveMessage",
    "Scope",
    "Send",
    "SendMessage",
    "WebSocketScope",
    "validate",
]
