"""The pages about a server, served by the event loop of its only worker."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final, cast

from transom.server.metrics.pages import StatusExchange
from transom.server.metrics.status import WorkerStatus
from transom.server.sockets.listener import bind_address, describe_socket

if TYPE_CHECKING:
    import socket

    from transom.server.state import ServerState

MAX_CONNECTIONS: Final = 32  # at a time; Prometheus, a probe or two and a person need few
TIMEOUT: Final = 10.0  # seconds in which a page must be asked for and taken


logger = logging.getLogger("transom.server")


class StatusServer:
    """Listens for who asks for the pages, apart from the connections of the application.

    Attributes:
        status: what the pages say; its state is the worker's to set.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, status: WorkerStatus) -> None:
        self.loop = loop
        self.status = status
        self.connections: set[StatusConnection] = set()
        self._sockets: list[socket.socket] = []
        self._listeners: list[asyncio.Server] = []

    @classmethod
    async def start(cls, state: ServerState) -> StatusServer | None:
        """Listen where the options of a worker say; return None if they do not.

        Raises:
            BindError: the address cannot be listened on.
        """
        address = state.config.metrics_bind
        if address is None or state.metrics is None:
            return None
        server = cls(state.loop, WorkerStatus(state.metrics))
        server._sockets = bind_address(address, int(state.config.uds_permissions, 8), option="--metrics-bind")
        for each in server._sockets:
            listener = await state.loop.create_server(lambda: StatusConnection(server), sock=each)
            server._listeners.append(listener)
        state.on_tick.append(server.tick)
        logger.info("metrics on %s", ", ".join(map(describe_socket, server._sockets)))
        return server

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Host and port of each TCP socket that is listened on."""
        return [each.getsockname()[:2] for each in self._sockets]

    def tick(self) -> None:
        """Close connections that take too long."""
        now = self.loop.time()
        for connection in tuple(self.connections):
            if now >= connection.deadline:
                connection.abort()

    def close(self) -> None:
        """Listen no more, and drop who is connected."""
        for listener in self._listeners:
            listener.close()
        for each in self._sockets:
            each.close()
        for connection in tuple(self.connections):
            connection.abort()


class StatusConnection(asyncio.Protocol):
    """One client of the pages."""

    def __init__(self, server: StatusServer) -> None:
        self.deadline = server.loop.time() + TIMEOUT
        self._server = server
        self._exchange = StatusExchange(server.status)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the request, unless there are too many already."""
        self._transport = cast("asyncio.Transport", transport)
        if len(self._server.connections) >= MAX_CONNECTIONS:
            self._transport.abort()
        else:
            self._server.connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Take bytes, and answer the request that is complete with them."""
        response = self._exchange.receive_data(data)
        if response:
            self._transport.write(response)
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._server.connections.discard(self)

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()
