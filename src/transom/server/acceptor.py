"""Accept connections, with what comes before their first request: a PROXY protocol header, a TLS handshake, both or neither.

The servers of event loops begin with TLS at once, where a PROXY header would stand before it, and do not tell how many
handshakes are on their way. So here each accepted socket has a task until it is a connection, and those count as connections
do. A deadline covers both header and handshake.

Plain connections are accepted here on asyncio's own loop only, which writes thousands of log entries at once when there are
no descriptors left (CPython 3.11 to 3.13); on uvloop its server is faster, and does not.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from typing import TYPE_CHECKING, Any, Final, cast

from transom.server.connection import HTTP1Connection
from transom.server.proxy_protocol import MAX_LENGTH, HeaderParser, ProxyHeader, ProxyProtocolError
from transom.server.trust import to_plain

if TYPE_CHECKING:
    from transom.server.state import ServerState
    from transom.server.tls.context import Certificates
    from transom.server.trust import TrustedProxies

logger = logging.getLogger("transom.server")

_ACCEPTS_IN_ONE_GO: Final = 64  # before others have their turn
_NEVER: Final = 86_400.0  # seconds


class Acceptor:
    """Turns the sockets of one listener into connections.

    Args:
        listener: a bound socket; who made it closes it, after `close`.
        state: where the connections are registered.
        certificates: what to show in TLS; None without.
        proxies: who sends PROXY protocol headers; None if there are none to expect.
    """

    def __init__(
        self,
        listener: socket.socket,
        state: ServerState,
        certificates: Certificates | None,
        proxies: TrustedProxies | None,
    ) -> None:
        listener.setblocking(False)
        self._listener = listener
        self._state = state
        self._certificates = certificates
        self._proxies = proxies
        self._is_plain = certificates is None and proxies is None
        self._is_closed = False
        self._is_resting = False  # until the next tick
        self._is_noted = False  # the log has it already

    def start(self) -> None:
        """Listen and accept."""
        self._listener.listen(self._state.config.backlog)
        self._state.loop.add_reader(self._listener, self.accept)
        self._state.on_tick.append(self._go_on)

    def close(self) -> None:
        """Accept nothing new; what was accepted becomes a connection all the same."""
        self._is_closed = True
        self._state.loop.remove_reader(self._listener)

    def accept(self, at_most: int = _ACCEPTS_IN_ONE_GO) -> None:
        """Accept what waits in the queue."""
        for _ in range(at_most):
            try:
                accepted, address = cast(
                    "tuple[socket.socket, tuple[str, int] | str]", self._listener.accept()
                )
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionAbortedError:
                continue
            except OSError as exc:
                self._rest(exc)  # no descriptors or no memory left, as a rule
                return
            self._is_noted = False
            # On a Unix socket it is the client's path, which has none as a rule.
            self._take(accepted, to_plain(address[0]) if isinstance(address, tuple) else None)

    def _rest(self, error: OSError) -> None:
        """Accept nothing until the next tick: the listener stays readable, and trying on and on would take all the time."""
        if not self._is_noted:
            logger.error("cannot accept connections: %s; trying again every second", error.strerror)
        self._is_noted = self._is_resting = True
        self._state.loop.remove_reader(self._listener)

    def _go_on(self) -> None:
        if self._is_resting and not self._is_closed:
            self._is_resting = False
            self._state.loop.add_reader(self._listener, self.accept)

    def _take(self, accepted: socket.socket, host: str | None) -> None:
        capacity = self._state.capacity
        if not self._may_connect(host):
            logger.info(
                "closed a connection of %s, which forwarded_allow_ips does not have", host or "a Unix socket"
            )
            accepted.close()
        elif capacity.is_full and not self._is_plain:
            # There is no telling why without the handshake, which is what costs most. Plain ones are answered 503.
            capacity.note()
            accepted.close()
        else:
            accepted.setblocking(False)
            if host is not None:
                with contextlib.suppress(OSError):  # it may be gone already
                    accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = HTTP1Connection(self._state)
            task = self._state.spawn(self._open(connection, accepted, host or "a Unix socket"))
            if not task.done():
                capacity.opening[connection] = task

    def _may_connect(self, host: str | None) -> bool:
        proxies = self._proxies
        return proxies is None or (proxies.trusts_unix if host is None else proxies.trusts(host))

    async def _open(self, connection: HTTP1Connection, accepted: socket.socket, peer: str) -> None:
        state = self._state
        try:
            async with asyncio.timeout(None if self._is_plain else state.config.timeout_tls_handshake):
                if self._proxies is not None:
                    connection.proxied = await self._read_header(accepted)
                await state.loop.connect_accepted_socket(lambda: connection, accepted, **self._tls_options())
        except TimeoutError:
            logger.info("no TLS handshake or PROXY header of %s arrived in time", peer)
        except (ssl.SSLError, ProxyProtocolError) as exc:
            logger.info("refused a connection of %s: %s", peer, getattr(exc, "reason", None) or exc)
        except OSError as exc:
            logger.debug("%s left before it was connected: %s", peer, exc)
        finally:
            state.capacity.opening.pop(connection, None)

    def _tls_options(self) -> dict[str, Any]:  # Any: keyword arguments
        if self._certificates is None:
            return {}
        return {
            "ssl": self._certificates.context,
            # The handshake itself has the deadline of `_open`.
            "ssl_handshake_timeout": self._state.config.timeout_tls_handshake + 1,
            # It would cut off what a slow client has not read yet; the connection itself looks whether it goes on reading.
            "ssl_shutdown_timeout": _NEVER,
        }

    async def _read_header(self, accepted: socket.socket) -> ProxyHeader:
        """Take exactly the header from the socket; close it if there is none.

        Cancellation: closes it too.
        """
        parser = HeaderParser()
        try:
            while parser.header is None:
                await self._wait_readable(accepted)
                data = accepted.recv(MAX_LENGTH, socket.MSG_PEEK)
                if not data:
                    raise ConnectionResetError("it closed the connection before the PROXY header was whole")
                accepted.recv(parser.receive_data(data))
        except BaseException:
            accepted.close()
            raise
        return parser.header

    async def _wait_readable(self, accepted: socket.socket) -> None:
        loop = self._state.loop
        readable = loop.create_future()
        loop.add_reader(accepted, _set, readable)
        try:
            await readable
        finally:
            loop.remove_reader(accepted)


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
