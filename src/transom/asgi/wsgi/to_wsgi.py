"""An ASGI application inside a WSGI server."""

from __future__ import annotations

import atexit
import threading
from typing import TYPE_CHECKING

from transom.asgi.wsgi.call import Call
from transom.asgi.wsgi.input import Input
from transom.asgi.wsgi.loop_thread import LoopThread
from transom.asgi.wsgi.response import Response
from transom.asgi.wsgi.scope import build_scope

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

    from transom.asgi.types import ASGIApplication


class ASGIToWSGI:
    """A WSGI application that runs an ASGI application in an event loop of its own, in one thread.

    The loop starts with the first request, and the application's lifespan with it; so a server that forks its workers has one
    in each. Both end with `close`, or with the process. A thread of the server waits for its own request only, and reads the
    request body when the application asks for it; the application waits while 64 KiB of response wait for the client. When the
    response is complete the thread is free; what the application does after it goes on in the loop.

    An error before the response is raised to the server, which answers 500; one in the middle of it is raised out of the
    iteration, and the server cuts the response off. There are no WebSockets: WSGI has none.

    Args:
        app: the ASGI 3 application.
        loop_factory: makes the event loop, such as `uvloop.new_event_loop`; None for asyncio's own.
        timeout: seconds that requests in progress have to finish when it is closed, and again that the application has to
            shut down.

    Source: PEP 3333; ASGI HTTP specification 2.5.
    """

    def __init__(
        self,
        app: ASGIApplication,
        *,
        loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
        timeout: float = 10.0,
    ) -> None:
        self._app = app
        self._loop_factory = loop_factory
        self._timeout = timeout
        self._lock = threading.Lock()
        self._thread: LoopThread | None = None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request.

        Raises:
            RuntimeError: the application could not start, or did not respond.
            Exception: what the application raised before its response.
        """
        thread = self._ensure_thread()
        scope = build_scope(environ, thread.state)
        call = Call(self._app, scope, thread)
        response = Response(call, Input(environ), is_head=scope["method"] == "HEAD")
        call.begin()
        try:
            response.start(start_response)
        except BaseException:
            response.close()
            raise
        return response

    def close(self) -> None:
        """Shut the application down and end the thread. A request that comes later starts both again."""
        with self._lock:
            thread, self._thread = self._thread, None
        atexit.unregister(self.close)
        if thread is not None and thread.is_running:
            thread.close()

    def _ensure_thread(self) -> LoopThread:
        with self._lock:
            thread = self._thread
            if thread is None or not thread.is_running:
                thread = LoopThread(self._app, self._loop_factory, self._timeout)
                thread.start()
                self._thread = thread
                atexit.register(self.close)
            return thread
