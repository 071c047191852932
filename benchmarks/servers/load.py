"""Load generators: how they are called, and what their output says."""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness import RunError
from servers.process import LOAD_CORE, on_core

HERE = Path(__file__).parent
BODY_SIZE = 65_536  # of the file that h2load uploads


@dataclass(frozen=True, slots=True)
class Count:
    """What a load generator counted: complete answers, and the seconds they took together."""

    requests: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Loaded:
    """A count, and the CPU seconds the load generator itself used for it."""

    count: Count
    cpu: float


class LoadGenerator(Protocol):
    """Something that asks as fast as it is answered."""

    def command(self, port: int, seconds: int, files: Path) -> list[str]:
        """Return the command line for that many seconds of load; `files` is where `make_files` has put what it sends."""
        ...

    def parse(self, output: str) -> Count:
        """Return what the output says.

        Raises:
            RunError: an answer was wrong or missing.
        """
        ...


@dataclass(frozen=True, slots=True)
class Wrk:
    """wrk with one thread.

    Attributes:
        script: of the folder `lua`.
        arguments: for the script.
    """

    connections: int = 64
    scheme: str = "http"
    script: str = ""
    arguments: tuple[str, ...] = ()

    def command(self, port: int, seconds: int, files: Path) -> list[str]:
        """Return the command line."""
        script = ["-s", str(HERE / "lua" / self.script)] if self.script else []
        url = f"{self.scheme}://127.0.0.1:{port}/"
        arguments = ["--", *self.arguments] if self.arguments else []
        return ["wrk", "-t1", f"-c{self.connections}", f"-d{seconds}s", *script, url, *arguments]

    def parse(self, output: str) -> Count:
        """Return what wrk counted; requests that were in progress at its end do not count."""
        if "Non-2xx" in output or "Socket errors" in output:
            raise RunError(f"the load was not answered cleanly:\n{output}")
        counted = re.search(r"(\d+) requests in ([\d.]+)(ms|s|m)", output)
        if not counted:
            raise RunError(f"wrk counted nothing:\n{output}")
        unit = {"ms": 0.001, "s": 1.0, "m": 60.0}[counted[3]]
        return _checked(Count(int(counted[1]), float(counted[2]) * unit))


@dataclass(frozen=True, slots=True)
class H2load:
    """h2load with one thread, speaking HTTP/2; or HTTP/1.1, as a second opinion on wrk.

    Attributes:
        streams: requests at a time on each connection; 0 for HTTP/1.1.
        upload: POST the file `body`.
    """

    connections: int = 16
    streams: int = 10
    scheme: str = "http"
    upload: bool = False

    def command(self, port: int, seconds: int, files: Path) -> list[str]:
        """Return the command line."""
        # Over TLS it would also take HTTP/1.1.
        version = [f"-m{self.streams}", "--npn-list=h2"] if self.streams else ["--h1"]
        body = ["-d", str(files / "body")] if self.upload else []
        url = f"{self.scheme}://127.0.0.1:{port}/"
        return ["h2load", "-t1", f"-c{self.connections}", f"-D{seconds}", *version, *body, url]

    def parse(self, output: str) -> Count:
        """Return what h2load counted."""
        took = re.search(r"finished in ([\d.]+)(us|ms|s|m)\b", output)
        done = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", output)
        if not took or not done:
            raise RunError(f"h2load counted nothing:\n{output}")
        # What succeeded may have been redirected.
        if int(done[2]) or int(done[3]) or int(done[4]) or "2xx, 0 3xx, 0 4xx, 0 5xx" not in output:
            warning = re.search(r"WARNING: +(.+)", output)
            why = f", {warning[1]}" if warning else ""
            raise RunError(f"the load was not answered cleanly: {done[0]}{why}\n{output}")
        unit = {"us": 1e-6, "ms": 0.001, "s": 1.0, "m": 60.0}[took[2]]
        return _checked(Count(int(done[1]), float(took[1]) * unit))


@dataclass(frozen=True, slots=True)
class WebSocketClient:
    """The client of `clients/websocket.py`: one message at a time on each connection."""

    connections: int = 64
    size: int = 64

    def command(self, port: int, seconds: int, files: Path) -> list[str]:
        """Return the command line."""
        script = str(HERE / "clients" / "websocket.py")
        return [sys.executable, script, *map(str, (port, self.connections, self.size, seconds))]

    def parse(self, output: str) -> Count:
        """Return what the client counted."""
        counted = json.loads(output)
        return _checked(Count(counted["messages"], counted["seconds"]))


def _checked(count: Count) -> Count:
    if not count.requests:
        raise RunError("nothing was answered")
    return count


def put_load(generator: LoadGenerator, files: Path, port: int, seconds: int) -> Loaded:
    """Run a load generator on its core.

    Raises:
        RunError: it failed, or an answer was wrong or missing.
    """
    command = on_core(LOAD_CORE, generator.command(port, seconds, files))
    before = _children_cpu()
    done = _run(command, seconds)
    return Loaded(generator.parse(done.stdout), _children_cpu() - before)


def _run(command: Sequence[str], seconds: int) -> subprocess.CompletedProcess[str]:
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=seconds + 30)
    except subprocess.TimeoutExpired as exc:
        raise RunError(f"the load did not end: {' '.join(command)}") from exc
    if done.returncode:
        raise RunError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done


def _children_cpu() -> float:
    """Return the CPU seconds of the children waited for so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
