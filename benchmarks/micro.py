"""Microseconds of CPU from a read to its written answer, in one process, with a transport that drops what is written.

    PYTHONPATH=src python benchmarks/micro.py            # whatever `transom` is on the path
    python benchmarks/micro.py browser post --slices 50

The least of many slices: what disturbs a slice can only make it longer. No sockets, so no system calls; compare versions of the
code with it, not servers.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import platform
import time
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.progress import Progress

from transom.server import Config
from transom.server.connection import HTTP1Connection
from transom.server.state import ServerState

console = Console(highlight=False)

SLICE = 1000  # requests
BROWSER_FIELDS = (
    "Connection: keep-alive\r\n"
    "Cache-Control: max-age=0\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n"
    "Sec-Fetch-Site: none\r\n"
    "Sec-Fetch-Mode: navigate\r\n"
    "Sec-Fetch-Dest: document\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Accept-Language: en-US,en;q=0.9\r\n"
)
SMALL = b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"
BROWSER = f"GET /polls/3/?page=2 HTTP/1.1\r\nHost: example.org\r\n{BROWSER_FIELDS}\r\n".encode()
POST = (
    b"POST /vote HTTP/1.1\r\nHost: example.org\r\nContent-Type: application/json\r\n"
    b'Content-Length: 15\r\n\r\n{"choice": 123}'
)
TWO_FIELDS = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"13")]
PAGE_FIELDS = [
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-length", b"13"),
    (b"cache-control", b"max-age=0, private"),
    (b"vary", b"Cookie"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
]


async def answer(scope, receive, send):
    """Answer with two messages, as most applications do."""
    await send({"type": "http.response.start", "status": 200, "headers": TWO_FIELDS})
    await send({"type": "http.response.body", "body": b"Hello, World!"})


async def answer_page(scope, receive, send):
    """Answer with the fields of a page."""
    await send({"type": "http.response.start", "status": 200, "headers": PAGE_FIELDS})
    await send({"type": "http.response.body", "body": b"Hello, World!"})


async def answer_post(scope, receive, send):
    """Read the body, then answer."""
    while (await receive()).get("more_body"):
        pass
    await answer(scope, receive, send)


def distinct(*, fields: bool) -> Iterator[bytes]:
    """Iterate over heads of a browser with a target of its own each, and if wanted a field too, as proxies add it."""
    for number in itertools.count():
        head = BROWSER.replace(b"page=2", b"page=%d" % number)
        yield head[:-2] + b"X-Request-Id: 5f8f7c1e-%012d\r\n\r\n" % number if fields else head


# Name of a case: what arrives, a read each time, and who answers it.
CASES = {
    "small": (itertools.repeat(SMALL), answer),
    "browser": (itertools.repeat(BROWSER), answer),
    "targets": (distinct(fields=False), answer),
    "distinct": (distinct(fields=True), answer),
    "page": (itertools.repeat(BROWSER), answer_page),
    "post": (itertools.repeat(POST), answer_post),
}


class NullTransport(asyncio.Transport):
    """Counts writes and drops them."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 50000), "sockname": ("127.0.0.1", 8000)})
        self.writes = 0
        self.last = b""

    def write(self, data: bytes) -> None:
        """Keep only the last."""
        self.writes += 1
        self.last = data

    def is_closing(self) -> bool:
        """Never: a benchmark whose connection was closed fails by its count of writes."""
        return False

    def get_write_buffer_size(self) -> int:
        """Nothing waits."""
        return 0

    def close(self) -> None:
        """Nothing to close."""

    def pause_reading(self) -> None:
        """Nobody reads."""

    def resume_reading(self) -> None:
        """Nobody reads."""


async def time_slice(connection: HTTP1Connection, transport: NullTransport, reads: Sequence[bytes]) -> float:
    """Return the microseconds of CPU of one request, on average over a slice.

    Raises:
        RuntimeError: a request was not answered by one write.
    """
    transport.writes = 0
    before = time.thread_time_ns()
    for number, data in enumerate(reads, 1):
        connection.data_received(data)
        if transport.writes != number:
            await asyncio.sleep(0)  # Python 3.11 has no eager tasks: the application starts one turn later
    took = time.thread_time_ns() - before
    if transport.writes != SLICE or not transport.last.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(f"{transport.writes} writes for {SLICE} requests; the last was {transport.last!r}")
    return took / SLICE / 1000


async def best_of(case: str, slices: int, progress: Progress) -> float:
    """Return the least time of a request in any slice, in microseconds."""
    reads, app = CASES[case]
    state = ServerState(app, Config(access_log=False), asyncio.get_running_loop())
    state.tick()
    connection, transport = HTTP1Connection(state), NullTransport()
    connection.connection_made(transport)
    return min(
        [
            await time_slice(connection, transport, list(itertools.islice(reads, SLICE)))
            for _ in progress.track(range(slices), description=case)
        ]
    )


async def measure(cases: list[str], slices: int) -> None:
    """Print a line for each case."""
    loop = type(asyncio.get_running_loop()).__module__
    console.print(f"Python {platform.python_version()}, {loop}; best of {slices} slices of {SLICE} requests")
    with Progress(console=console, transient=True) as progress:
        for case in cases:
            console.print(f"{case:8} {await best_of(case, slices, progress):6.2f} µs a request")


def main() -> None:
    """Time the cases that were asked for, on uvloop where it is installed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("case", nargs="*", help=f"of {', '.join(CASES)}; all by default")
    parser.add_argument("--slices", type=int, default=150)
    options = parser.parse_args()
    if unknown := set(options.case) - set(CASES):
        parser.error(f"unknown case {', '.join(sorted(unknown))}; choose from {', '.join(CASES)}")
    try:
        from uvloop import new_event_loop
    except ImportError:
        new_event_loop = asyncio.new_event_loop
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(measure(options.case or list(CASES), options.slices))


if __name__ == "__main__":
    main()
