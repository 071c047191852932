"""The listening sockets of all workers, held by their supervisor so that they outlive each worker.

Each slot has sockets of its own (SO_REUSEPORT) where the kernel shares connections out among them; what arrives while a worker is
replaced waits in the queue of its slot. With steering, all listen from the beginning, and none is closed before the end, so that
their order stays: the kernel sends new connections only to slots that serve. Without, a slot where nobody serves for a while
is closed, and the connections that waited in it are reset.
"""

from __future__ import annotations

import dataclasses
import logging
import socket
import sys
from typing import TYPE_CHECKING

from transom.server.sockets.listener import BoundSocket, bind_sockets, describe_socket
from transom.server.sockets.steering import can_steer, steer

if TYPE_CHECKING:
    from collections.abc import Collection

    from transom.server.config import Config

logger = logging.getLogger("transom.server")


class ListenerPool:
    """The listening sockets of all slots.

    Unix sockets and those that were handed down to us are shared by all slots, as are all sockets where the system does not share
    connections out.

    Args:
        config: the options.
        reuse_port: whether the system shares connections out; only Linux does.

    Raises:
        BindError: as `bind_sockets`.
    """

    def __init__(self, config: Config, *, reuse_port: bool = sys.platform == "linux") -> None:
        # Without SO_REUSEPORT first: with it, a second server on the same port would steal connections, not fail.
        found = bind_sockets(config)
        own = [
            each
            for each in found
            if reuse_port and each.family != socket.AF_UNIX and isinstance(each, BoundSocket)
        ]
        self._shared = [each for each in found if each not in own]
        secure = config.ssl_certfile is not None
        self.description = ", ".join(describe_socket(each, secure=secure) for each in found)
        # The very addresses, for port 0 may have been asked for.
        self._config = dataclasses.replace(config, bind=tuple(map(_address, own)))
        self._own: dict[
            int, list[socket.socket]
        ] = {}  # with steering, in the order in which the kernel has them
        self._steers = bool(own) and can_steer()
        self._receivers: frozenset[int] = frozenset()
        for each in own:
            each.close()

    def get(self, slot: int) -> list[socket.socket]:
        """Return the sockets for a worker in the slot, binding them if need be.

        Raises:
            BindError: as `bind_sockets`.
        """
        if slot not in self._own:
            self._own[slot] = bind_sockets(self._config, reuse_port=True) if self._config.bind else []
            if self._steers:
                for each in self._own[slot]:
                    each.listen(self._config.backlog)
        return self._own[slot] + self._shared

    def steer(self, slots: Collection[int]) -> None:
        """Let new connections go to these slots only, as far as the system can."""
        receivers = frozenset(slots & self._own.keys())
        if not self._steers or not receivers or receivers == self._receivers:
            return
        self._receivers = receivers
        try:
            # One program for each address: the sockets of one address are a group.
            indexes = [index for index, slot in enumerate(self._own) if slot in receivers]
            for each in next(iter(self._own.values())):
                steer(each, indexes)
        except OSError as exc:
            logger.warning(
                "connections cannot be steered any more (%s); any worker may get the next one", exc
            )

    def vacate(self, slot: int) -> None:
        """Nobody serves in the slot for a while: close its own sockets, unless steering keeps connections out of it."""
        if not self._steers:
            self._close(slot)

    def close(self) -> None:
        """Close everything; workers that still have the sockets serve until they close theirs."""
        for slot in tuple(self._own):
            self._close(slot)
        for each in self._shared:
            each.close()

    def _close(self, slot: int) -> None:
        for each in self._own.pop(slot, ()):
            each.close()


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
