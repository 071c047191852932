"""Pings on an interval, and what to do with a peer that stays silent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio


class Pingable(Protocol):
    """What is kept alive."""

    def send_ping(self) -> None:
        """Write one ping."""
        ...

    def drop_silent_peer(self) -> None:
        """Fail the connection: nothing was heard in time."""
        ...


class KeepAlive:
    """Sends a ping every `interval` seconds, and drops a peer that is silent for `timeout` seconds after one.

    Any bytes are a sign of life, not only a pong, for a pong may queue behind a long message.

    Args:
        loop: for its clock.
        peer: what to ping.
        interval: seconds; 0 sends no pings.
        timeout: seconds; 0 waits for ever. The longer of the two is the time between pings.
    """

    __slots__ = ("_heard", "_interval", "_loop", "_peer", "_timeout", "_timer")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, peer: Pingable, interval: float, timeout: float
    ) -> None:
        self._loop = loop
        self._peer = peer
        self._interval = interval
        self._timeout = timeout
        self._heard = False
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Send the first ping after one interval."""
        if self._interval:
            self._timer = self._loop.call_later(self._interval, self._ping)

    def stop(self) -> None:
        """Send nothing more."""
        if self._timer is not None:
            self._timer.cancel()

    def deliver_sign_of_life(self) -> None:
        """Note that the peer is there, or that nothing can be heard of it because we do not read."""
        self._heard = True

    def _ping(self) -> None:
        self._heard = False
        self._peer.send_ping()
        if self._timeout:
            self._timer = self._loop.call_later(self._timeout, self._judge)
        else:
            self.start()

    def _judge(self) -> None:
        if self._heard:
            self._timer = self._loop.call_later(max(self._interval - self._timeout, 0.0), self._ping)
        else:
            self._peer.drop_silent_peer()
