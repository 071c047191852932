"""What is noted of each request, and what is made of it later.

A request leaves an `Access`; lines are formatted and requests counted a moment later, many at once, so that no client waits for
its own log line. `AccessRecorder` collects, its consumers do the rest: `access_log.py`, `metrics.py`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable, Sequence

    from transom.asgi.types import Headers, HTTPScope, WebSocketScope

FLUSH_INTERVAL: Final = 0.1  # seconds until a request is logged and counted
MAX_PENDING: Final = 256  # requests that are looked at in one go, about a millisecond's work


class AccessEntry(NamedTuple):
    """One request and its response.

    Attributes:
        size: bytes of the response body, framing not counted.
        duration: seconds from the complete request head to the last byte of the response.
        when: POSIX time of the end of the response.
        response_headers: what the application sent, if the format of the log asks for it.
    """

    client: str
    method: str
    scheme: str
    path: bytes
    query: bytes
    http_version: str
    status: int
    size: int
    duration: float
    when: float
    headers: Headers
    response_headers: Sequence[tuple[bytes, bytes]]


class Access:
    """What the log will say of a request in progress, kept apart from the scope, which the application may change.

    A WebSocket is one request, with the method of its handshake; it is recorded when it ends.

    Attributes:
        response_headers: to be set if the access log wants them.
    """

    __slots__ = ("_facts", "_finished", "_headers", "_size", "_started", "_status", "response_headers")

    _finished: float
    _size: int
    _status: int

    def __init__(self, scope: HTTPScope | WebSocketScope, client: str) -> None:
        self._facts = (
            client,
            scope["method"] if scope["type"] == "http" else "GET",
            scope["scheme"],
            scope["raw_path"] or b"",
            scope["query_string"],
            scope["http_version"],
        )
        self._headers = scope["headers"]
        self.response_headers: Sequence[tuple[bytes, bytes]] = ()
        self._started = time.perf_counter()

    def finish(self, status: int, size: int) -> Access:
        """Note the end of the response, and return itself for `AccessRecorder.record`."""
        self._status = status
        self._size = size
        self._finished = time.perf_counter()
        return self

    def to_entry(self, epoch: float) -> AccessEntry:
        """Return what was noted; `epoch` is the POSIX time at which `perf_counter` was 0."""
        finished = self._finished
        return AccessEntry(
            *self._facts,
            self._status,
            self._size,
            finished - self._started,
            epoch + finished,
            self._headers,
            self.response_headers,
        )


Consumer: TypeAlias = "Callable[[Sequence[AccessEntry]], None]"


class AccessRecorder:
    """Collects requests that have ended and hands them on in batches."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        consumers: Iterable[Consumer],
    ) -> None:
        self._loop = loop
        self._consumers = tuple(consumers)
        self._pending: list[Access] = []
        self._timer: asyncio.TimerHandle | None = None

    def record(self, access: Access) -> None:
        """Take a finished request; consumers have it within a tenth of a second, never before this call returns."""
        self._pending.append(access)
        if self._timer is None:
            self._timer = self._loop.call_later(FLUSH_INTERVAL, self.flush)
        elif len(self._pending) == MAX_PENDING:
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Hand on everything now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        pending, self._pending = self._pending, []
        if pending:
            epoch = time.time() - time.perf_counter()
            entries = [access.to_entry(epoch) for access in pending]
            for consume in self._consumers:
                consume(entries)
