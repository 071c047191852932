"""What the kernel is asked to watch over: a host that is gone without a word, for which a driver would wait for ever."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

    from transom.db.url import MySQLOptions, PostgreSQLOptions


def watch_network(transport: asyncio.BaseTransport | None, options: PostgreSQLOptions | MySQLOptions) -> None:
    """Set the options of a TCP connection; others have no network."""
    sock: socket.socket | None = None if transport is None else transport.get_extra_info("socket")
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    wanted = {"TCP_USER_TIMEOUT": options.tcp_user_timeout}
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, int(options.keepalives_idle > 0))
    if options.keepalives_idle:
        wanted |= {"TCP_KEEPIDLE": options.keepalives_idle, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
    for name, value in wanted.items():
        if hasattr(socket, name):  # Linux has them all
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
