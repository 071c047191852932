"""Testing: an in-process client, a live server, and the pytest plugin.

The names are imported when they are used: the plugin lives in this package, is loaded by every pytest run of every
project that has Transom installed, and must cost it neither httpx nor an import of the framework.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transom.testing.client import Client
    from transom.testing.exceptions import (
        DatabaseBlocked,
        LifespanFailed,
        TestingError,
        WebSocketClosed,
        WebSocketRejected,
    )
    from transom.testing.live_server import LiveServer
    from transom.testing.lookups import register_lookup
    from transom.testing.websocket import WebSocketSession

__all__ = [
    "Client",
    "DatabaseBlocked",
    "LifespanFailed",
    "LiveServer",
    "TestingError",
    "WebSocketClosed",
    "WebSocketRejected",
    "WebSocketSession",
    "register_lookup",
]

_HOMES = {
    "Client": "client",
    "DatabaseBlocked": "exceptions",
    "TestingError": "exceptions",
    "LifespanFailed": "exceptions",
    "LiveServer": "live_server",
    "WebSocketClosed": "exceptions",
    "WebSocketRejected": "exceptions",
    "WebSocketSession": "websocket",
    "register_lookup": "lookups",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(
            f"module {__name__!r} has no attribute {name!r}; choose from {', '.join(__all__)}"
        )
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
