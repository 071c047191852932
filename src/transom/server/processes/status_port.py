"""The pages about a server, served by its supervisor between other things: nothing here ever waits."""

from __future__ import annotations

import contextlib
import logging
import selectors
import time
from math import inf
from typing import TYPE_CHECKING

from transom.server.metrics.pages import StatusExchange
from transom.server.sockets.listener import bind_address, describe_socket
from transom.server.status_server import MAX_CONNECTIONS, TIMEOUT

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable

    from transom.server.config import Config
    from transom.server.metrics.pages import Status

logger = logging.getLogger("transom.server")

_READ_SIZE = 16_384


class StatusPort:
    """Listens for who asks for the pages; its sockets are in the owner's selector.

    Args:
        listeners: bound sockets, which then are the port's to close.
        selector: wakes the owner when there is something to do, who then calls `look`.
        status: what the pages say.
    """

    def __init__(
        self, listeners: Iterable[socket.socket], selector: selectors.BaseSelector, status: Status
    ) -> None:
        self._listeners = list(listeners)
        self._selector = selector
        self._status = status
        self._clients: dict[socket.socket, _Client] = {}
        for listener in self._listeners:
            listener.setblocking(False)
            listener.listen(MAX_CONNECTIONS)
            selector.register(listener, selectors.EVENT_READ)

    @classmethod
    def open(cls, config: Config, selector: selectors.BaseSelector, status: Status) -> StatusPort:
        """Listen where the options say; if they do not, on nothing.

        Raises:
            BindError: the address cannot be listened on.
        """
        if config.metrics_bind is None:
            return cls((), selector, status)
        listeners = bind_address(config.metrics_bind, int(config.uds_permissions, 8), option="--metrics-bind")
        port = cls(listeners, selector, status)
        logger.info("metrics on %s", ", ".join(map(describe_socket, listeners)))
        return port

    @property
    def deadline(self) -> float:
        """When `look` is to be called although nothing happens; in the time of `time.monotonic`."""
        return min([client.deadline for client in self._clients.values()], default=inf)

    def look(self) -> None:
        """Do what can be done without waiting."""
        for listener in self._listeners:
            self._accept(listener)
        now = time.monotonic()
        for connection, client in tuple(self._clients.items()):
            if now >= client.deadline or not client.go_on():
                self._close(connection)
            elif client.is_answered:
                self._selector.modify(connection, selectors.EVENT_WRITE)

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):  # nobody there, or gone already
            while True:
                connection, _ = listener.accept()
                if len(self._clients) >= MAX_CONNECTIONS:
                    connection.close()
                    continue
                connection.setblocking(False)
                self._clients[connection] = _Client(connection, self._status)
                self._selector.register(connection, selectors.EVENT_READ)

    def _close(self, connection: socket.socket) -> None:
        del self._clients[connection]
        self._selector.unregister(connection)
        connection.close()

    def close(self) -> None:
        """Listen no more, and drop who is connected."""
        for connection in tuple(self._clients):
            self._close(connection)
        for listener in self._listeners:
            self._selector.unregister(listener)
            listener.close()
        self._listeners.clear()


class _Client:
    """One client of the pages."""

    def __init__(self, connection: socket.socket, status: Status) -> None:
        self.deadline = time.monotonic() + TIMEOUT
        self._connection = connection
        self._exchange = StatusExchange(status)
        self._unsent = b""

    @property
    def is_answered(self) -> bool:
        """Whether all that is left is to write."""
        return self._exchange.is_done

    def go_on(self) -> bool:
        """Read and write as far as possible; return whether there is more to do."""
        try:
            if not self._exchange.is_done and not self._read():
                return False
            if self._unsent:
                self._unsent = self._unsent[self._connection.send(self._unsent) :]
        except BlockingIOError:
            return True
        except OSError:
            return False
        return bool(self._unsent) or not self._exchange.is_done

    def _read(self) -> bool:
        data = self._connection.recv(_READ_SIZE)
        self._unsent = self._exchange.receive_data(data)
        return bool(data)
