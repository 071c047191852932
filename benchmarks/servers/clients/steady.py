"""A client like others: so many requests a second, however long the answers take; how long they take is what it measures.

Time counts from when a request was due, not from when it could be sent: a server that stands still for a moment makes all that
are due meanwhile late, not only those on their way ("coordinated omission" leaves them out).

    python steady.py PORT RATE CONNECTIONS SECONDS     prints {"requests": ..., "p50": ..., "p99": ..., "max": ...}, milliseconds
"""

from __future__ import annotations

import json
import math
import select
import socket
import sys
import time
from collections import deque
from collections.abc import Sequence

REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
ANSWER_END = b"Hello, World!"
PATIENCE = 10.0  # seconds for the last answers


class Line:
    """One connection: when the requests were due that wait for it, the first of which is on its way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due: deque[float] = deque()

    def fileno(self) -> int:
        """Return the number that `select` wants."""
        return self.socket.fileno()

    def ask(self, due: float) -> None:
        """Send a request, or keep it until the one before is answered."""
        self.due.append(due)
        if len(self.due) == 1:
            self.socket.sendall(REQUEST)

    def take(self, now: float) -> float:
        """Read an answer and return how long it took, in seconds."""
        answer = self.socket.recv(65_536)
        while answer and not answer.endswith(ANSWER_END):
            answer += self.socket.recv(65_536)
        if not answer.startswith(b"HTTP/1.1 200 "):
            raise SystemExit(f"a request was not answered, but {answer[:200]!r}")
        took = now - self.due.popleft()
        if self.due:
            self.socket.sendall(REQUEST)
        return took


def measure(lines: Sequence[Line], rate: int, seconds: int) -> list[float]:
    """Ask at a steady rate, on the connections in turn; return how long each answer took, in seconds."""
    took: list[float] = []
    started, asked, total = time.perf_counter(), 0, rate * seconds
    give_up = started + seconds + PATIENCE
    while len(took) < total:
        now = time.perf_counter()
        if now > give_up:
            raise SystemExit(f"{total - len(took)} of {total} requests were not answered")
        while asked < total and (due := started + asked / rate) <= now:
            lines[asked % len(lines)].ask(due)
            asked += 1
        wait = started + asked / rate - now if asked < total else give_up - now
        ready, _, _ = select.select(lines, (), (), max(wait, 0.0))  # microseconds; epoll counts milliseconds
        now = time.perf_counter()
        took.extend(line.take(now) for line in ready)
    return took


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that so many percent do not exceed (nearest rank)."""
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


def main() -> None:
    """Read the command line, ask, print the percentiles."""
    port, rate, connections, seconds = (int(argument) for argument in sys.argv[1:])
    took = [1000 * value for value in measure([Line(port) for _ in range(connections)], rate, seconds)]
    print(
        json.dumps(
            {
                "requests": len(took),
                "p50": percentile(took, 50),
                "p99": percentile(took, 99),
                "max": max(took),
            }
        )
    )


if __name__ == "__main__":
    main()
