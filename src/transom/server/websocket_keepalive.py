"""Pings on an interval, and what to do with a peer that stays silent."""

from __future__ import annotations

from math import inf
from typing import Final, Protocol

LATE: Final = 3.0  # seconds: a tick that comes this late says that we were busy, not that the peer was silent


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

    Any bytes are a sign of life, not only a pong, for a pong may queue behind a long message. It has no timer of its own:
    `tick()` is told the time.

    Args:
        peer: what to ping.
        interval: seconds; 0 sends no pings.
        timeout: seconds; 0 waits for ever. The longer of the two is the time between pings.
    """

    __slots__ = ("_due", "_interval", "_peer", "_ping_is_out", "_timeout", "heard")

    def __init__(self, peer: Pingable, interval: float, timeout: float) -> None:
        self._peer = peer
        self._interval = interval
        self._timeout = timeout
        self._due = inf  # when the next step is to be taken
        self._ping_is_out = False  # and the peer's silence will be judged
        self.heard = False

    def start(self, due: float) -> None:
        """Send the first ping at that time."""
        if self._interval:
            self._due = due

    def stop(self) -> None:
        """Send nothing more."""
        self._due = inf

    def tick(self, now: float) -> None:
        """Take the next step if it is time."""
        if now < self._due:
            return
        if not self._ping_is_out:
            self._ping(now)
        elif self.heard:
            self._ping_is_out = False
            self._due += max(self._interval - self._timeout, 0.0)
            self.tick(now)
        elif now - self._due > LATE:
            self._due = now  # the pong may lie unread: what has arrived is read before the next tick
        else:
            self._peer.drop_silent_peer()

    def _ping(self, now: float) -> None:
        self._ping_is_out = bool(self._timeout)
        self._due = now + (self._timeout or self._interval)
        self.heard = False
        self._peer.send_ping()
