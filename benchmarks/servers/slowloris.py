"""What other clients notice of 10,000 half-open connections: the p99 of a steady client without them and beside them.

Servers run as they are deployed, so their own timeouts are part of the answer: what they close is opened again.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.progress import Progress

from harness import RunError, console, print_machine, version_of
from results import Entry, save, slowloris_tables, stamp
from servers.contenders import SERVERS, environment
from servers.process import LOAD_CORE, free_port, on_core, raise_file_limit, serving

HALF_OPEN = 10_000  # connections
PACE = 2_000  # of them opened a second, at most
RATE = 1_000  # requests a second of the steady client; a few per cent of what a server can
LINES = 20  # connections of the steady client
SPARE = 200  # files of a server beside its connections
CLIENTS = Path(__file__).parent / "clients"


def steady(port: int, seconds: int) -> dict[str, float]:
    """Run the steady client and return its percentiles in milliseconds.

    Raises:
        RunError: a request was not answered.
    """
    command = [sys.executable, str(CLIENTS / "steady.py"), *map(str, (port, RATE, LINES, seconds))]
    try:
        done = subprocess.run(
            on_core(LOAD_CORE, command), check=False, capture_output=True, text=True, timeout=seconds + 60
        )
    except subprocess.TimeoutExpired as exc:
        raise RunError("the steady client did not end") from exc
    if done.returncode:
        raise RunError(done.stderr.strip().splitlines()[-1])
    return json.loads(done.stdout)


@contextlib.contextmanager
def half_open(port: int) -> Iterator[dict[str, int]]:
    """Hold connections half-open; the numbers that are yielded are filled at the end.

    They share a core with the steady client, and give way to it: what is measured is the server.
    """
    command = [
        *("chrt", "--idle", "0"),
        sys.executable,
        str(CLIENTS / "half_open.py"),
        *map(str, (port, HALF_OPEN, PACE)),
    ]
    numbers: dict[str, int] = {}
    with subprocess.Popen(
        on_core(LOAD_CORE, command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        try:
            process.stdout.readline()  # all are open
            yield numbers
        finally:
            process.stdin.close()
            numbers.update(json.loads(process.stdout.readline() or "{}"))


def measure(name: str, seconds: int) -> dict[str, float]:
    """Return one sample of one server, from a process of its own.

    Raises:
        RunError: the server did not start, or did not answer the steady client.
    """
    port = free_port()
    with serving(SERVERS[name].command("plaintext:app", port), port, environment()):
        steady(port, 1)  # warm-up
        alone = steady(port, seconds)
        with half_open(port) as numbers:
            beside = steady(port, seconds)
    return {"alone": alone["p99"], "beside": beside["p99"], "longest": beside["max"], **numbers}


def entry_of(name: str, rounds: int, seconds: int) -> Entry:
    """Measure one server and return what is kept of it."""
    entry: Entry = {"version": version_of(name), "failure": "", "samples": []}
    try:
        for _ in range(rounds):
            entry["samples"].append(measure(name, seconds))
    except RunError as exc:
        entry.update(failure=str(exc), samples=[])
    return entry


def main() -> None:
    """Measure each server and print the table."""
    parser = argparse.ArgumentParser(prog="python -m servers.slowloris", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--seconds", type=int, default=15, help="of each measurement: more than a header timeout, 10 s"
    )
    parser.add_argument(
        "--contender", action="append", choices=SERVERS, help="one of several; all without it"
    )
    parser.add_argument("--no-save", action="store_true", help="print, but do not keep the results")
    options = parser.parse_args()
    if raise_file_limit() < HALF_OPEN + SPARE:
        raise SystemExit(f"{HALF_OPEN + SPARE} open files are needed: raise the hard limit, `ulimit -H -n`")
    print_machine(options.rounds)
    entries: dict[str, Entry] = {}
    with Progress(console=console, transient=True) as progress:
        for name in progress.track(options.contender or list(SERVERS), description="slowloris"):
            entries[name] = stamp(entry_of(name, options.rounds, options.seconds), options.rounds)
            if not options.no_save:
                save("slowloris", name, entries[name], list(SERVERS))
    console.print("\n".join(slowloris_tables(entries)), markup=False, soft_wrap=True)


if __name__ == "__main__":
    main()
