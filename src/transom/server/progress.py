"""Whether a client gets on: with the body it sends, and with what it is sent. Looked at once per tick of the worker."""

from __future__ import annotations

from math import inf
from typing import Final

GRACE: Final = 5.0  # seconds in which a body need not reach its rate, as in Kestrel


class BodyProgress:
    """How a request body arrives that did not come with its head.

    Attributes:
        size: bytes so far; who takes them adds them.
    """

    __slots__ = ("_heard", "_looked", "_seen", "_started", "size")

    def __init__(self, now: float) -> None:
        self.size = 0
        self._seen = 0  # size at the last look
        self._started = self._heard = self._looked = now

    def complain(self, now: float, *, is_paused: bool, timeout: float, rate: float) -> str:
        """Return what is wrong, or an empty string.

        Args:
            now: loop time, in seconds.
            is_paused: whether the client cannot send at the moment; that time does not count.
            timeout: seconds without a byte.
            rate: bytes a second, on average and after the grace; 0 for any.
        """
        if is_paused:
            self._started += now - self._looked
            self._heard = now
        elif self.size != self._seen:
            self._heard = now
        self._looked, self._seen = now, self.size
        if now - self._heard >= timeout:
            return f"no byte of the request body for {timeout:g} seconds"
        duration = now - self._started
        if rate and duration > GRACE and self.size < rate * duration:
            return f"request body slower than {rate:g} bytes a second"
        return ""


class WriteProgress:
    """How a client takes what waits for it."""

    __slots__ = ("_deadline", "_unsent")

    def __init__(self) -> None:
        self._unsent = 0
        self._deadline = inf

    def is_stalled(self, now: float, unsent: int, timeout: float) -> bool:
        """Tell whether the same bytes have been waiting for that many seconds."""
        if unsent != self._unsent:
            self._unsent = unsent
            self._deadline = now + timeout if unsent else inf
        return now >= self._deadline
