"""An ASGI server: HTTP/1.1, WebSocket, lifespan. It knows nothing of the framework beside it."""

from transom.server.config import Config, Option
from transom.server.exceptions import (
    BindError,
    ClientDisconnected,
    LoadError,
    MessageError,
    StartupError,
    TLSError,
)
from transom.server.loader import load_application
from transom.server.processes.run import run
from transom.server.sockets.listener import bind_sockets
from transom.server.worker import Server

__all__ = [
    "BindError",
    "ClientDisconnected",
    "Config",
    "LoadError",
    "MessageError",
    "Option",
    "Server",
    "StartupError",
    "TLSError",
    "bind_sockets",
    "load_application",
    "run",
]
