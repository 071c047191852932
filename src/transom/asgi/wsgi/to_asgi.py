"""A WSGI application inside an ASGI server."""

from __future__ import annotations

import contextvars
import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from transom.asgi.wsgi.exchange import Exchange
from transom.asgi.wsgi.responder import Responder
from transom.asgi.wsgi.threads import Threads

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from transom.asgi.types import HTTPScope, Receive, Scope, Send

logger = logging.getLogger("transom.asgi")

_STOP_TIMEOUT = 5.0  # seconds for threads to end their jobs, of which at shutdown there should be none


def wsgi(app: WSGIApplication, *, threads: int = 8) -> WSGIToASGI:
    """Return an ASGI application that runs a WSGI application, to be served or mounted.

    Args:
        app: the WSGI application.
        threads: how many requests it may work on at once; see `WSGIToASGI`.
    """
    return WSGIToASGI(app, threads=threads)


class WSGIToASGI:
    """An ASGI application that runs a WSGI application in threads of its own.

    Each request has one thread from its start to its end, also while it waits for its client; requests above the number of
    threads wait in the order they came, and how many may is for the server to say. Context variables of the request are seen in
    the thread. The threads start with the application's lifespan, or with the first request where there is none (below a
    mount), and end with it.

    Bodies are streamed both ways, and a client that is slow slows down the thread: little more than 64 KiB waits in either
    direction. "100 Continue" is sent when the application reads. If the client leaves, reading and `write` raise
    ConnectionResetError, and what is returned is not iterated over any further, but closed.

    Lost on the way, because ASGI has no place for it: the reason phrase of the status. WebSockets are refused.

    Args:
        app: the WSGI application.
        threads: how many requests it may work on at once.
        multiprocess: what to say in `wsgi.multiprocess`.

    Source: PEP 3333.
    """

    def __init__(self, app: WSGIApplication, *, threads: int = 8, multiprocess: bool = True) -> None:
        if threads < 1:
            raise ValueError(f"threads {threads!r} must be at least 1")
        self._app = app
        self._threads = Threads(threads)
        self._multiprocess = multiprocess

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, refuse a WebSocket, or live with the server.

        Raises:
            Exception: whatever the application raised.
        """
        if scope["type"] == "http":
            await self._serve(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000})
        else:
            raise ValueError(f"unknown scope type {scope['type']!r}")

    async def _serve(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        has_body, waits = _look_at_body(scope)
        exchange = Exchange(scope, receive, send, has_body=has_body)
        if has_body and not waits:
            await exchange.receive_early()
        responder = Responder(exchange, self._app, scope, has_body=has_body, multiprocess=self._multiprocess)
        self._threads.submit(partial(contextvars.copy_context().run, responder.run))
        await exchange.run()

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self._threads.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.aclose()
        await send({"type": "lifespan.shutdown.complete"})

    async def aclose(self) -> None:
        """End the threads. Not needed where the application has a lifespan; a request that comes later starts them again."""
        running = await self._threads.aclose(_STOP_TIMEOUT)
        if running:
            logger.warning(
                "%d threads of a WSGI application still run after %g s; they end with the process",
                running,
                _STOP_TIMEOUT,
            )


def _look_at_body(scope: Any) -> tuple[bool, bool]:  # Any: an HTTPScope
    """Return whether a request may have a body, and whether its client waits to be asked for it.

    Source: RFC 9112 section 6.3; HTTP/2 and later have bodies without a field that says so.
    """
    has_body, waits = scope["http_version"] not in ("1.0", "1.1"), False
    for name, value in scope["headers"]:
        if name == b"content-length":
            has_body = value != b"0"
        elif name == b"transfer-encoding":
            has_body = True
        elif name == b"expect":
            waits = True
    return has_body, waits
