"""The interface between server and application: types of the conversation, a check of both sides, adapters to WSGI."""

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
from transom.asgi.wsgi import ASGIToWSGI, WSGIToASGI, wsgi

__all__ = [
    "ASGIApplication",
    "ASGIToWSGI",
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
    "WSGIToASGI",
    "WebSocketScope",
    "validate",
    "wsgi",
]
