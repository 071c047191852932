"""Server processes: started on a core of their own, watched through /proc, and stopped with all their children."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness import RunError

SERVER_CORE, LOAD_CORE = 0, 1
START_TIMEOUT = 20.0  # seconds until the port accepts
STOP_TIMEOUT = (
    5.0  # seconds between SIGTERM and SIGKILL; no contender has requests in progress when it is stopped
)
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class CPU:
    """CPU time in seconds, ours and the kernel's on our behalf."""

    user: float
    system: float

    @property
    def total(self) -> float:
        """Return both together."""
        return self.user + self.system

    def __sub__(self, earlier: CPU) -> CPU:
        return CPU(self.user - earlier.user, self.system - earlier.system)


@dataclass(frozen=True, slots=True)
class Served:
    """A running server: the session its processes share, and its port."""

    session: int
    port: int

    def cpu(self) -> CPU:
        """Return the CPU time its processes have used so far, threads included."""
        user = system = 0
        for fields in self._stats():
            user += int(fields[11])
            system += int(fields[12])
        return CPU(user / _TICKS, system / _TICKS)

    def resident(self) -> int:
        """Return the resident bytes of its processes; pages they share count for each."""
        return sum(int(fields[21]) for fields in self._stats()) * _PAGE

    def processes(self) -> list[int]:
        """Return the ids of its processes, the first one first."""
        return [int(fields[-1]) for fields in self._stats()]

    def _stats(self) -> Iterator[list[str]]:
        """Iterate over what /proc/*/stat says after the command's name, with the process id at the end (proc(5))."""
        for stat in sorted(Path("/proc").glob("[0-9]*/stat"), key=lambda path: int(path.parent.name)):
            with contextlib.suppress(OSError):
                fields = stat.read_text().rpartition(")")[2].split()
                if int(fields[3]) == self.session:
                    yield [*fields, stat.parent.name]


def free_port() -> int:
    """Return a port that nobody listens on at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def raise_file_limit() -> int:
    """Let this process and those it starts open as many files as the system allows; return how many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def on_core(core: int, command: Sequence[str]) -> list[str]:
    """Return the command, pinned to a core with all it starts."""
    return ["taskset", "-c", str(core), *command]


@contextlib.contextmanager
def serving(command: Sequence[str], port: int, environment: Mapping[str, str]) -> Iterator[Served]:
    """Run a server on its core, yield it once it accepts, and end it with all its children.

    Raises:
        RunError: it ended or does not accept, or the block raised one. What the server had to say is added to the message.
    """
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            on_core(SERVER_CORE, command),
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait_until_it_accepts(process, port)
            yield Served(process.pid, port)
        except RunError as exc:
            _stop(process)
            output.seek(0)
            said = output.read()[-2000:].decode(errors="replace")
            raise RunError(f"{exc}\n{said}".rstrip()) from exc
        finally:
            _stop(process)


def _wait_until_it_accepts(process: subprocess.Popen[bytes], port: int) -> None:
    give_up = time.monotonic() + START_TIMEOUT
    while time.monotonic() < give_up:
        if process.poll() is not None:
            raise RunError(f"the server ended with {process.returncode} before it accepted")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise RunError(f"the server did not accept on port {port} within {START_TIMEOUT:.0f} s")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the whole session; does nothing if that is done."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(STOP_TIMEOUT)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # children that outlive the first process, too
    process.wait()
