"""ASGI servers on one core: requests a second and CPU time a request, Transom against the others."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from harness import Contender, Sample, console, print_machine, report, take_turns

APPS = Path(__file__).parent / "server_apps"
SERVER_CORE, LOAD_CORE = "0", "1"
PORT = 8765
CONNECTIONS = 64

# As each documentation deploys one worker, without an access log: none of them logs in this comparison.
COMMANDS = {
    "transom": ["-m", "transom", "serve", "--port", str(PORT), "--no-access-log", "--log-level", "warning"],
    "uvicorn": ["-m", "uvicorn", "--port", str(PORT), "--no-access-log", "--log-level", "warning"],
    "granian": [
        "-m",
        "granian",
        "--interface",
        "asgi",
        "--port",
        str(PORT),
        "--no-access-log",
        "--log-level",
        "warning",
    ],
}


@contextlib.contextmanager
def serving(name: str, app: str) -> Iterator[int]:
    """Run one server on its core and yield its process id once it answers."""
    command = ["taskset", "-c", SERVER_CORE, sys.executable, *COMMANDS[name], f"{app}:app"]
    process = subprocess.Popen(command, cwd=APPS, start_new_session=True)
    try:
        wait_until_it_answers(process)
        yield process.pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_until_it_answers(process: subprocess.Popen[bytes]) -> None:
    """Return when the port accepts; raise where the server gave up."""
    for _ in range(200):
        if process.poll() is not None:
            raise SystemExit(f"the server ended with {process.returncode} before it answered: {process.args}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", PORT), timeout=1):
            return
        time.sleep(0.05)
    raise SystemExit(f"nothing answers on port {PORT}: {process.args}")


def wrk(seconds: int) -> tuple[int, float]:
    """Load the server and return the requests answered and the seconds it took."""
    command = [
        "taskset",
        "-c",
        LOAD_CORE,
        "wrk",
        "-t1",
        f"-c{CONNECTIONS}",
        f"-d{seconds}s",
        f"http://127.0.0.1:{PORT}/",
    ]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in output or "Socket errors" in output:
        raise SystemExit(f"the load was not answered cleanly:\n{output}")
    counted = re.search(r"(\d+) requests in ([\d.]+)s", output)
    assert counted, output
    return int(counted[1]), float(counted[2])


def cpu_seconds(group: int) -> float:
    """Return the CPU time used so far by the processes of a session, threads included."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[3]) == group:  # the session, which the server leads
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def run(name: str, app: str, seconds: int) -> Sample:
    """Start the server, warm it up, measure it, stop it."""
    with serving(name, app) as pid:
        wrk(1)
        before = cpu_seconds(pid)
        requests, took = wrk(seconds)
        return Sample(rate=requests / took, cpu=(cpu_seconds(pid) - before) / requests * 1e6)


def main() -> None:
    """Compare the servers and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=int, default=5, help="of load in each run")
    options = parser.parse_args()
    for tool in ("wrk", "taskset"):
        if shutil.which(tool) is None:
            raise SystemExit(f"{tool} is needed; on Debian: apt install wrk util-linux")
    app = "plaintext"
    names = {"transom": "transom", "transom again": "transom", "uvicorn": "uvicorn", "granian": "granian"}
    contenders = [
        Contender(label, name, partial(run, name, app, options.seconds)) for label, name in names.items()
    ]
    print_machine(options.rounds)
    console.print(
        f"one worker on core {SERVER_CORE}, wrk with {CONNECTIONS} connections on core {LOAD_CORE}",
        markup=False,
    )
    samples = take_turns(contenders, options.rounds, app)
    report(f"Server: {app}", contenders, samples)


if __name__ == "__main__":
    main()
