"""What a connection costs a server in resident memory: idle after one request, and half-open, with half a request head sent.

The slope between two sizes, so that what a server needs anyway does not count; nor does the kernel's part, the same for all.
"""

from __future__ import annotations

import argparse
import contextlib
import socket
import time
from collections.abc import Iterator

from rich.progress import Progress

from harness import RunError, console, print_machine, version_of
from results import Entry, memory_tables, save, stamp
from servers.clients.half_open import HALF
from servers.contenders import SERVERS, environment
from servers.process import Served, free_port, raise_file_limit, serving

SMALL, LARGE = 1_000, 10_000  # connections
SETTLE = 2.0  # seconds for a server to take what was sent, and for its once-a-second work
SPARE = 200  # files of a server beside its connections
REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
ANSWER_END = b"Hello, World!"
KINDS = {"idle": REQUEST, "half_open": HALF}


def connect(port: int, kind: str) -> socket.socket:
    """Return a new connection that is idle, or half-open."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.sendall(KINDS[kind])
    answer = b""
    while kind == "idle" and not answer.endswith(ANSWER_END):
        data = connection.recv(4096)
        if not data:
            raise RunError(f"a connection was closed before it was answered: {answer!r}")
        answer += data
    return connection


def check_open(connections: list[socket.socket]) -> None:
    """Raise `RunError` if the server has closed one in a hundred: it would be measured for what it does not hold."""
    closed = 0
    for connection in connections:
        connection.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            connection.recv(1)  # nothing comes of an open connection here
            closed += 1
    if closed > len(connections) / 100:
        raise RunError(f"{closed} of {len(connections)} connections were closed")


def bytes_each(served: Served, kind: str) -> float:
    """Return the bytes of one connection, from two measurements in the same process."""
    connections: list[socket.socket] = []
    resident: dict[int, int] = {}
    try:
        for size in (SMALL, LARGE):
            while len(connections) < size:
                connections.append(connect(served.port, kind))
            time.sleep(SETTLE)
            resident[size] = served.resident()
        check_open(connections)
    except OSError as exc:
        raise RunError(f"connection {len(connections) + 1} failed: {exc!r}") from exc
    finally:
        for connection in connections:
            connection.close()
    return (resident[LARGE] - resident[SMALL]) / (LARGE - SMALL)


def measure(name: str) -> Iterator[tuple[str, float | None, str]]:
    """Iterate over what was measured of one server: the kind, the bytes or None, and why None."""
    for kind in KINDS:
        port = free_port()
        try:
            with serving(
                SERVERS[name].command("plaintext:app", port, patient=True), port, environment()
            ) as served:
                yield kind, bytes_each(served, kind), ""
        except RunError as exc:
            yield kind, None, str(exc)


def entry_of(name: str) -> Entry:
    """Measure one server and return what is kept of it."""
    entry: Entry = {"version": version_of(name), "failure": ""}
    for kind, size, failure in measure(name):
        entry[kind] = size
        entry["failure"] = entry["failure"] or failure
    return entry


def main() -> None:
    """Measure each server and print the table."""
    parser = argparse.ArgumentParser(prog="python -m servers.memory", description=__doc__)
    parser.add_argument(
        "--contender", action="append", choices=SERVERS, help="one of several; all without it"
    )
    parser.add_argument("--no-save", action="store_true", help="print, but do not keep the results")
    options = parser.parse_args()
    if raise_file_limit() < LARGE + SPARE:
        raise SystemExit(f"{LARGE + SPARE} open files are needed: raise the hard limit, `ulimit -H -n`")
    print_machine(1)
    entries: dict[str, Entry] = {}
    with Progress(console=console, transient=True) as progress:
        for name in progress.track(options.contender or list(SERVERS), description="memory"):
            entries[name] = stamp(entry_of(name), 1)
            if not options.no_save:
                save("memory", name, entries[name], list(SERVERS))
    console.print("\n".join(memory_tables(entries)), markup=False, soft_wrap=True)


if __name__ == "__main__":
    main()
