"""How many connections one worker keeps open, and what becomes of those beyond that."""

from __future__ import annotations

import asyncio
import logging
import resource
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Set

RESERVE: Final = 64  # descriptors for all else: listeners, log files, the application's database
MAX_REFUSALS: Final = 32  # refused clients at a time that are given a moment to read why
RETRY_AFTER: Final = 5  # seconds
LINGER: Final = 2.0  # seconds for that; see LINGER of `connection`
_MAX_READ: Final = 65_536  # bytes that a refused client may send meanwhile
_MAX_DESCRIPTORS: Final = (
    1_048_576  # enough; some systems allow a thousand times as many, and some programs count through them
)

logger = logging.getLogger("transom.server")


def raise_descriptor_limit() -> None:
    """Allow this process as many open files as its hard limit does: the soft one is often 1024, for the sake of select()."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MAX_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _MAX_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def derive_limit() -> int:
    """Return how many connections this process has descriptors for."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MAX_DESCRIPTORS if soft == resource.RLIM_INFINITY else max(soft - RESERVE, 1)


class Capacity:
    """Counts what is open.

    Args:
        limit: connections at a time.
        connections: those that are open.

    Attributes:
        opening: those accepted, but not open yet, with the task that waits for TLS handshake or PROXY header.
        refusals: clients that were refused, while they read why.
    """

    def __init__(self, limit: int, connections: Set[object]) -> None:
        self.limit = limit
        self.opening: dict[object, asyncio.Task[None]] = {}
        self.refusals: set[Refusal] = set()
        self._connections = connections
        self._is_noted = False

    @property
    def is_full(self) -> bool:
        """Whether there is no room for another."""
        return len(self._connections) + len(self.opening) >= self.limit

    def refuse(self, transport: asyncio.BaseTransport, response: bytes, deadline: float) -> None:
        """Write a response on a new connection and close it; by then, a loop time, it is over."""
        self.note()
        stream = cast("asyncio.Transport", transport)
        stream.write(response)
        lingers = len(self.refusals) < MAX_REFUSALS
        if lingers:
            stream.set_protocol(Refusal(stream, self.refusals, deadline))
        if not stream.can_write_eof():
            # With TLS, the end takes an answer of the client, which somebody must wait for.
            (stream.close if lingers else stream.abort)()
        elif lingers:
            stream.write_eof()
        else:
            stream.close()

    def note(self) -> None:
        """Log that the limit is reached, once until it is not any more."""
        if not self._is_noted:
            self._is_noted = True
            logger.warning("refusing connections: %d are open (limit_concurrency)", self.limit)

    def tick(self, now: float) -> None:
        """Let go of refused clients whose time is over; once a second."""
        if not self.is_full:
            self._is_noted = False
        for refusal in tuple(self.refusals):
            refusal.tick(now)

    def end_opening(self) -> None:
        """Close what is not open yet."""
        for task in self.opening.values():
            task.cancel()

    def close(self) -> None:
        """Let go of all refused clients."""
        for refusal in tuple(self.refusals):
            refusal.abort()


class Refusal(asyncio.Protocol):
    """Reads and drops what a refused client sends: a close with unread bytes would reset the connection and lose our answer."""

    def __init__(self, transport: asyncio.Transport, refusals: set[Refusal], deadline: float) -> None:
        self._transport = transport
        self._refusals = refusals
        self._deadline = deadline
        self._read = 0
        refusals.add(self)

    def data_received(self, data: bytes) -> None:
        """Drop it, up to a limit."""
        self._read += len(data)
        if self._read > _MAX_READ:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has read the answer, or left."""
        self._refusals.discard(self)

    def tick(self, now: float) -> None:
        """Close after the deadline."""
        if now >= self._deadline:
            self._transport.abort()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()
