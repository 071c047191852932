"""One line per request, written after the fact.

A request leaves a tuple; lines are formatted a moment later, many at once, so that the client does not wait for its own log line.
What a client sent is escaped: it cannot end a line or reach a terminal as a control sequence.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import asyncio

    from transom.asgi.types import Headers, HTTPScope, WebSocketScope

logger = logging.getLogger("transom.access")

FLUSH_INTERVAL = 0.1
MAX_PENDING = 1000
_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | {
    ord('"'): '\\"',
    ord("\\"): "\\\\",
}


class AccessEntry(NamedTuple):
    """One request and its response; the log record's only argument, for formatters and filters of one's own.

    Attributes:
        size: bytes of the response body, framing not counted.
        duration: seconds from the complete request head to the last byte of the response.
        when: POSIX time of the end of the response.
    """

    client: str
    method: str
    path: bytes
    query: bytes
    http_version: str
    status: int
    size: int
    duration: float
    when: float
    headers: Headers

    def __str__(self) -> str:
        """Return the line: NCSA combined format with the duration in seconds behind it."""
        target = self.path + b"?" + self.query if self.query else self.path
        request = f"{self.method} {escape(target)} HTTP/{self.http_version}"
        clock = time.strftime("%d/%b/%Y:%H:%M:%S %z", time.localtime(self.when))
        referer, agent = self._find(b"referer"), self._find(b"user-agent")
        return (
            f'{escape(self.client.encode())} - - [{clock}] "{request}" {self.status} {self.size} '
            f'"{referer}" "{agent}" {self.duration:.6f}'
        )

    def _find(self, name: bytes) -> str:
        return next((escape(value) for key, value in self.headers if key == name), "-")


def escape(data: bytes) -> str:
    r"""Return text for a quoted log field: quotes, backslashes and control characters as `\x1b`, other bytes as Latin-1."""
    return data.decode("latin-1").translate(_ESCAPES)


class Access:
    """What the log will say of a request in progress, kept apart from the scope, which the application may change.

    A WebSocket is one request, with the method of its handshake; its entry is written when it ends.
    """

    __slots__ = ("_facts", "_headers", "_started")

    def __init__(self, scope: HTTPScope | WebSocketScope, client: str) -> None:
        self._facts = (
            client,
            scope["method"] if scope["type"] == "http" else "GET",
            scope["raw_path"] or b"",
            scope["query_string"],
            scope["http_version"],
        )
        self._headers = scope["headers"]
        self._started = time.perf_counter()

    def entry(self, status: int, size: int) -> AccessEntry:
        """Return the finished entry."""
        duration = time.perf_counter() - self._started
        return AccessEntry(*self._facts, status, size, duration, time.time(), self._headers)


class AccessLog:
    """Collects entries and hands them to the logger `transom.access` in batches."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._pending: list[AccessEntry] = []
        self._timer: asyncio.TimerHandle | None = None

    def record(self, entry: AccessEntry) -> None:
        """Take one entry; it is logged within a tenth of a second."""
        self._pending.append(entry)
        if len(self._pending) >= MAX_PENDING:
            self.flush()
        elif self._timer is None:
            self._timer = self._loop.call_later(FLUSH_INTERVAL, self.flush)

    def flush(self) -> None:
        """Log everything now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        pending, self._pending = self._pending, []
        if logger.isEnabledFor(logging.INFO):
            for entry in pending:
                logger.info("%s", entry)
