"""One worker: the application's lifespan, the listening sockets, the connections, and their orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from typing import TYPE_CHECKING

from transom.server.config import Config
from transom.server.connection import HTTP1Connection
from transom.server.lifespan import Lifespan
from transom.server.listener import bind_sockets, describe_socket
from transom.server.state import ServerState
from transom.server.status_server import StatusServer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from transom.asgi.types import ASGIApplication

logger = logging.getLogger("transom.server")

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT)
_CANCEL_TIMEOUT = 5.0  # seconds for applications to end after they were cancelled


class Server:
    """Serves one application in the running event loop.

    `async with Server(app, config) as server:` serves until the block ends; `await Server(app, config).serve()` until a signal.

    Args:
        app: an ASGI 3 application.
        config: the options; those about processes (`workers`, `reload`, `loop`) are for `run`.
        sockets: bound sockets to listen on instead of those of the options; closed when the server stops.
        serves_status: whether to show metrics and health where `metrics_bind` says, and not a supervisor, to whom they are
            reported.
    """

    def __init__(
        self,
        app: ASGIApplication,
        config: Config | None = None,
        *,
        sockets: Sequence[socket.socket] | None = None,
        serves_status: bool = True,
    ) -> None:
        self._app = app
        self._config = config or Config()
        self._sockets = None if sockets is None else list(sockets)
        self._listeners: list[asyncio.Server] = []
        self._lifespan = Lifespan(app, self._config)
        self._state: ServerState | None = None
        self._serves_status = serves_status
        self._status: StatusServer | None = None
        self._stopping = False
        self._stop_requested: asyncio.Event | None = None
        self._forced = False

    @property
    def state(self) -> ServerState:
        """What its connections share. There is none before `start`."""
        if self._state is None:
            raise RuntimeError("a server that was not started has no state; await start() first")
        return self._state

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Host and port of each TCP socket that is listened on."""
        return [
            listener.getsockname()[:2]
            for listener in self._sockets or ()
            if listener.family != socket.AF_UNIX
        ]

    @property
    def urls(self) -> list[str]:
        """The addresses for people: URLs, and `unix:` paths."""
        return [describe_socket(listener) for listener in self._sockets or ()]

    async def __aenter__(self) -> Server:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Bind, run the application's start-up, then accept connections.

        Raises:
            BindError: an address cannot be listened on.
            StartupError: the application refused to start. The sockets are closed.
        """
        loop = asyncio.get_running_loop()
        state = self._state = ServerState(self._app, self._config, loop)
        if self._sockets is None:
            self._sockets = bind_sockets(self._config)
        try:
            if self._serves_status:
                self._status = await StatusServer.start(state)
            await self._lifespan.startup()
            state.lifespan_state = self._lifespan.state
            state.start_timer()
            for listener in self._sockets:
                self._listeners.append(
                    await loop.create_server(
                        lambda: HTTP1Connection(state), sock=listener, backlog=self._config.backlog
                    )
                )
            if self._status is not None:
                self._status.status.state = "serving"
        except BaseException:
            state.stop_timer()
            self._close_listeners()
            if self._status is not None:
                self._status.close()
            raise

    async def stop(self, *, force: bool = False) -> None:
        """Stop accepting, let requests in progress finish, then run the application's shutdown.

        After `timeout_graceful_shutdown` seconds, or at once with `force`, what is still running is cancelled. Calling it again
        does nothing.
        """
        state = self._state
        if state is None or self._stopping:
            return
        self._stopping = True
        if self._status is not None:
            self._status.status.state = "stopping"
        self._close_listeners()
        for connection in tuple(state.connections):
            connection.shutdown()
        await self._drain(state, 0.0 if force or self._forced else self._config.timeout_graceful_shutdown)
        await self._cancel(state)
        state.stop_timer()
        await self._lifespan.shutdown()
        if state.access_log is not None:
            await asyncio.sleep(
                0
            )  # a connection that was cut off writes its entry one turn of the loop later
            state.access_log.flush()
        state.tick()  # a last report, of what happened since the one before
        if self._status is not None:
            self._status.close()

    async def serve(self) -> None:
        """Serve until SIGINT or SIGTERM, then stop gracefully; a second signal ends the wait for requests in progress.

        SIGQUIT does both at once.

        Raises:
            BindError: as `start`.
            StartupError: as `start`.
        """
        loop = asyncio.get_running_loop()
        self._stop_requested = asyncio.Event()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self.request_stop, number == signal.SIGQUIT)
        try:
            await self.start()
            logger.info("serving on %s", ", ".join(self.urls))
            await self._stop_requested.wait()
            logger.info("stopping")
            await self.stop()
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)

    def request_stop(self, at_once: bool = False) -> None:
        """End `serve` gracefully, or `at_once`, which the second call always means."""
        if self._stop_requested is None or self._stop_requested.is_set() or at_once:
            self._forced = True
            if self._state is not None:
                self._state.stop_waiting()
        if self._stop_requested is not None:
            self._stop_requested.set()

    def _close_listeners(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()
        for opened in self._sockets or ():
            opened.close()
        self._sockets = None

    async def _drain(self, state: ServerState, timeout: float) -> None:
        """Wait until nothing is in progress, the time is over, or somebody insists."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await state.wait_until_idle()

    async def _cancel(self, state: ServerState) -> None:
        tasks = set(state.tasks)
        if tasks:
            logger.warning("cancelling %d requests that did not finish in time", len(tasks))
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_CANCEL_TIMEOUT)
        for connection in tuple(state.connections):
            connection.abort()
