"""One worker: the application's lifespan, the listening sockets, the connections, and their orderly end.

The end has steps, of which each ends by itself or when its time is over, so that `stop` ends whatever the application does:

    WebSockets are closed with 1012; each other connection gets one more answer, with `connection: close`
    what waits in the queues is accepted, then the sockets are closed
    idle connections, and those not yet open, are closed     after LAST_CALL seconds
    event streams are told the end (`http.disconnect`)        then, too
    all are told; event streams that still send are ended     after half of timeout_graceful_shutdown
    applications are cancelled                                after timeout_graceful_shutdown
    what is open is cut off                                   CANCEL_TIMEOUT seconds later
    the application's lifespan is shut down                   timeout_lifespan seconds at most
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from functools import partial
from typing import TYPE_CHECKING, Final

from transom.server.acceptor import Acceptor
from transom.server.config import Config
from transom.server.connection import HTTP1Connection
from transom.server.lifespan import Lifespan
from transom.server.sockets.listener import bind_sockets, describe_socket, explain
from transom.server.sockets.systemd import Notifier
from transom.server.state import ServerState
from transom.server.status_server import StatusServer
from transom.server.tls.context import Certificates

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from transom.asgi.types import ASGIApplication

logger = logging.getLogger("transom.server")

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT)
# A request that was sent before its client could know arrives within a round trip.
LAST_CALL: Final = 1.0  # seconds that idle connections are kept for a last request when the server stops
_RESOLUTION: Final = 0.002  # seconds; loops round their timers
CANCEL_TIMEOUT: Final = 5.0  # seconds for applications to end after they were cancelled


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
        self._listeners: list[asyncio.Server | Acceptor] = []
        self._certificates: Certificates | None = None
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
        secure = self._config.ssl_certfile is not None
        return [describe_socket(listener, secure=secure) for listener in self._sockets or ()]

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
            TLSError: a certificate cannot be used.
            BindError: an address cannot be listened on.
            StartupError: the application refused to start. The sockets are closed.
        """
        state = self._state = ServerState(self._app, self._config, asyncio.get_running_loop())
        if self._sockets is None:
            self._sockets = bind_sockets(self._config)
        try:
            if self._config.ssl_certfile is not None:
                self._certificates = Certificates(self._config)
                state.on_tick.append(self._certificates.tick)
            if self._serves_status:
                self._status = await StatusServer.start(state)
            await self._lifespan.startup()
            state.lifespan_state = self._lifespan.state
            state.start_timer()
            for listener in self._sockets:
                try:
                    self._listeners.append(await self._listen(listener, state))
                except OSError as exc:
                    # Linux lets several bind one address as long as none listens.
                    raise explain(describe_socket(listener), exc) from exc
            if self._status is not None:
                self._status.status.state = "serving"
        except BaseException:
            state.stop_timer()
            self._close_listeners()
            if self._status is not None:
                self._status.close()
            raise

    async def _listen(self, listener: socket.socket, state: ServerState) -> asyncio.Server | Acceptor:
        config = self._config
        is_plain = self._certificates is None and not config.proxy_protocol
        if is_plain and not isinstance(state.loop, asyncio.BaseEventLoop):
            return await state.loop.create_server(
                lambda: HTTP1Connection(state), sock=listener, backlog=config.backlog
            )
        acceptor = self._build_acceptor(listener, state)
        acceptor.start()
        return acceptor

    def _build_acceptor(self, listener: socket.socket, state: ServerState) -> Acceptor:
        return Acceptor(
            listener, state, self._certificates, state.trusted if self._config.proxy_protocol else None
        )

    async def stop(self, *, force: bool = False) -> None:
        """Stop accepting, let requests in progress finish, then run the application's shutdown.

        After `timeout_graceful_shutdown` seconds, or at once with `force`, what is still running is cancelled. Calling it again
        does nothing.
        """
        state = self._state
        if state is None or self._stopping:
            return
        self._stopping, self._forced = True, self._forced or force
        if self._status is not None:
            self._status.status.state = "stopping"
        began, grace = state.loop.time(), 0.0 if self._forced else self._config.timeout_graceful_shutdown
        # Who develops waits for each restart, and asks again himself.
        last_call = 0.0 if self._config.reload else min(LAST_CALL, grace)
        state.begin_stop(began + last_call)
        await self._accept_last(state)
        await self._wait_until_idle(state, began + last_call + _RESOLUTION)
        state.capacity.end_opening()
        await self._drain(state, began, grace)
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
            TLSError: as `start`.
            BindError: as `start`.
            StartupError: as `start`.
        """
        loop = asyncio.get_running_loop()
        self._stop_requested = asyncio.Event()
        notifier = Notifier.take()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self.request_stop, number == signal.SIGQUIT)
        try:
            if await self._start_unless_stopped(self._stop_requested):
                logger.info("serving on %s", ", ".join(self.urls))
                self.state.on_tick.append(lambda: notifier.tick(self.state.now))
                notifier.ready()
                await self._stop_requested.wait()
            logger.info("stopping")
            notifier.stopping()
            await self.stop()
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)

    async def _start_unless_stopped(self, stop_requested: asyncio.Event) -> bool:
        """Start, or give up when that is no longer wanted: an application may take minutes to start. Tell whether it has."""
        starting = asyncio.create_task(self.start())
        stopping = asyncio.create_task(stop_requested.wait())
        try:
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            starting.cancel()  # does nothing once it is done
        try:
            await starting
        except asyncio.CancelledError:
            self._state = None
            return False
        return True

    @property
    def is_stop_requested(self) -> bool:
        """Whether `serve` is about to end."""
        return self._stop_requested is not None and self._stop_requested.is_set()

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

    async def _accept_last(self, state: ServerState) -> None:
        """Close the sockets; who waits in a queue has connected before, and is accepted first: a close would reset them."""
        queues = [listener.dup() for listener in self._sockets or ()]
        self._close_listeners()
        for queue in queues:
            with queue:
                # More than the backlog is no queue but a flood.
                self._build_acceptor(queue, state).accept(self._config.backlog)
        for _ in range(3):  # turns of the loop: what asyncio has accepted becomes a connection in the second
            await asyncio.sleep(0)

    async def _drain(self, state: ServerState, began: float, grace: float) -> None:
        """Let requests come to their end, and tell those who would not by themselves: event streams first, then all."""
        for streams_only, deadline in ((True, began + grace / 2), (False, began + grace)):
            # At each tick again: a response may have begun since.
            end_streams = partial(_end_streams, state, streams_only=streams_only)
            state.on_tick.append(end_streams)
            state.tick()
            await self._wait_until_idle(state, deadline)
            state.on_tick.remove(end_streams)

    async def _wait_until_idle(self, state: ServerState, deadline: float) -> None:
        """Wait until nothing is in progress, it is that time, or somebody insists."""
        if not self._forced:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(deadline):
                    await state.wait_until_idle()

    async def _cancel(self, state: ServerState) -> None:
        tasks = set(state.tasks)
        if tasks:
            logger.warning("cancelling %d requests that did not finish in time", len(tasks))
        for task in tasks:
            task.cancel()
        if tasks:
            _, stubborn = await asyncio.wait(tasks, timeout=CANCEL_TIMEOUT)
            if stubborn:
                logger.warning("%d requests go on although they were cancelled; leaving them", len(stubborn))
        for connection in tuple(state.connections):
            connection.abort()
        state.capacity.close()


def _end_streams(state: ServerState, *, streams_only: bool) -> None:
    """Tell applications that wait for the end of their client that this is the end."""
    for connection in tuple(state.connections):
        connection.end_streams(streams_only=streams_only)
