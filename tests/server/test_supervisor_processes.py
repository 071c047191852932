"""Real worker processes: start, crash, restart, stop, and the death of the supervisor."""

from __future__ import annotations

import errno
import os
import re
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from transom.server import Config
from transom.server.supervisor import ListenerPool, Supervisor, describe_exit

APP = """
import os
async def app(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
    await send({"type": "http.response.body", "body": str(os.getpid()).encode()})
"""
RUN = (
    "import sys; from transom.server import Config, run; sys.exit(run({target!r}, Config(port=0, {options})))"
)
TIMEOUT = 30


class Running:
    """A server in a process of its own whose log is read line by line."""

    def __init__(self, folder: Path, options: str, target: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUN.format(target=target, options=options)],
            cwd=folder,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.log = ""

    def wait_for(self, pattern: str, times: int = 1) -> str:
        """Read the log until the pattern was there that often; return its last first group."""
        assert self.process.stderr
        while len(found := re.findall(pattern, self.log)) < times:
            line = self.process.stderr.readline()
            assert line, f"the log ended without {pattern!r}:\n{self.log}"
            self.log += line
        return found[-1]

    def end(self, *signals: int) -> int:
        for number in signals:
            self.process.send_signal(number)
        code = self.process.wait(TIMEOUT)
        assert self.process.stderr
        self.log += self.process.stderr.read()
        return code


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mysite.py").write_text(APP)
    return tmp_path


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def run(options: str, target: str = "mysite:app") -> Running:
        started.append(Running(folder, options, target))
        return started[-1]

    yield run
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()
        assert each.process.stderr
        each.process.stderr.close()


def get_pid(url: str) -> int:
    with urlopen(url, timeout=TIMEOUT) as response:
        return int(response.read())


def is_alive(pid: int) -> bool:
    try:
        # A zombie still has a pid: the state tells.
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for_end(pid: int) -> None:
    """Wait for the end of a process that is not our child."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([descriptor], [], [], TIMEOUT)[0], f"process {pid} still runs"
    finally:
        os.close(descriptor)


@pytest.mark.slow
def test_crashed_worker_is_replaced_and_ctrl_c_stops_all(start: Callable[..., Running]) -> None:
    running = start("workers=2")
    url = running.wait_for(r"supervising 2 workers on (\S+)")
    running.wait_for("serving on", times=2)
    os.kill(get_pid(url), signal.SIGKILL)
    running.wait_for("ended: SIGKILL")
    running.wait_for("serving on", times=3)
    pids = {int(pid) for pid in re.findall(r"started worker (\d+)", running.log)}
    assert len(pids) == 3
    assert get_pid(url) in pids
    assert running.end(signal.SIGINT) == 0
    assert "Traceback" not in running.log
    assert not any(map(is_alive, pids))


@pytest.mark.slow
def test_hangup_replaces_the_workers(start: Callable[..., Running]) -> None:
    running = start("workers=2")
    url = running.wait_for(r"supervising 2 workers on (\S+)")
    running.wait_for("serving on", times=2)
    before = {int(pid) for pid in re.findall(r"started worker (\d+)", running.log)}
    running.process.send_signal(signal.SIGHUP)
    running.wait_for("exit code 0", times=2)
    assert get_pid(url) not in before
    assert running.end(signal.SIGTERM) == 0


HANGING = """
import ctypes, os
from mysite import app as site
async def app(scope, receive, send):
    if scope["type"] == "http" and scope["path"] != "/":
        # As a C extension that never lets go: PyDLL keeps the interpreter's lock, and no signal handler of Python's runs.
        ctypes.PyDLL(None).usleep(int(float(scope["path"][1:]) * 1e6))
    await site(scope, receive, send)
"""


@pytest.mark.slow
def test_call_that_holds_the_gil_shorter_than_the_limit_is_left_alone(
    start: Callable[..., Running], folder: Path
) -> None:
    """As 30 s are to the default of 60: half."""
    (folder / "hanging.py").write_text(HANGING)
    running = start("workers=2, timeout_worker_healthcheck=8", "hanging:app")
    url = running.wait_for(r"supervising 2 workers on (\S+)")
    running.wait_for("serving on", times=2)
    pid = get_pid(f"{url}/4")
    assert is_alive(pid)
    assert running.end(signal.SIGTERM) == 0
    assert "hangs" not in running.log


@pytest.mark.slow
def test_worker_that_hangs_holding_the_gil_shows_its_stack_and_is_replaced(
    start: Callable[..., Running], folder: Path
) -> None:
    (folder / "hanging.py").write_text(HANGING)
    running = start("workers=2, timeout_worker_healthcheck=2", "hanging:app")
    url = running.wait_for(r"supervising 2 workers on (\S+)")
    running.wait_for("serving on", times=2)
    with pytest.raises(OSError, match=r"closed connection|reset"):
        get_pid(f"{url}/60")
    pid = int(running.wait_for(r"worker (\d+) hangs: its event loop has not turned for"))
    running.wait_for(rf"worker {pid} ended: SIGABRT")
    running.wait_for("serving on", times=3)
    assert "Fatal Python error: Aborted" in running.log
    assert re.search(r'File ".*hanging\.py", line \d+ in app', running.log)
    assert get_pid(url) != pid
    assert running.end(signal.SIGTERM) == 0


@pytest.mark.slow
def test_quit_cancels_what_is_in_progress(start: Callable[..., Running], folder: Path) -> None:
    (folder / "endless.py").write_text(
        """
import asyncio
async def app(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": b"x", "more_body": True})
    await asyncio.Event().wait()
"""
    )
    running = start("workers=2, timeout_graceful_shutdown=100", "endless:app")
    url = running.wait_for(r"supervising 2 workers on (\S+)")
    running.wait_for("serving on", times=2)
    with urlopen(url, timeout=TIMEOUT) as response:
        assert response.read(1) == b"x"
        assert running.end(signal.SIGQUIT) == 0
    assert "cancelling 1 request" in running.log


@pytest.mark.slow
@pytest.mark.parametrize("options", ["workers=2", "workers=1"])
def test_application_that_cannot_be_loaded_is_exit_code_3(
    start: Callable[..., Running], options: str
) -> None:
    running = start(options, "mysite:ap")
    assert running.end() == 3
    assert "did you mean 'app'?" in running.log
    assert "Traceback" not in running.log


@pytest.mark.slow
@pytest.mark.skipif(
    not hasattr(os, "pidfd_open"), reason="waits for a process that is not its child: Linux only"
)
def test_workers_stop_when_the_supervisor_is_killed(start: Callable[..., Running]) -> None:
    running = start("workers=2")
    running.wait_for("serving on", times=2)
    pids = [int(pid) for pid in re.findall(r"started worker (\d+)", running.log)]
    running.process.kill()
    running.process.wait()
    for pid in pids:
        wait_for_end(pid)


@pytest.mark.slow
def test_single_process_serves_and_stops_at_sigterm(start: Callable[..., Running]) -> None:
    running = start("workers=1")
    url = running.wait_for(r"serving on (\S+)")
    assert get_pid(url) == running.process.pid
    assert running.end(signal.SIGTERM) == 0
    assert "Traceback" not in running.log


def test_worker_that_cannot_even_be_started_counts_as_a_failed_start(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: object) -> None:
        raise OSError(errno.EAGAIN, "no process left")

    monkeypatch.setattr("transom.server.supervisor.WorkerProcess", fail)
    assert Supervisor("mysite:app", Config(port=0, workers=2)).run() == 3
    assert "no process left" in caplog.text


def test_port_in_use_is_an_error_in_spite_of_reuse_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert Supervisor("mysite:app", Config(port=taken.getsockname()[1], workers=2)).run() == 3


def test_slots_share_one_port_with_sockets_of_their_own(tmp_path: Path) -> None:
    pool = ListenerPool(Config(bind=("127.0.0.1:0", f"unix:{tmp_path}/s")))
    try:
        first, second = pool.get(0), pool.get(1)
        assert pool.get(0) == first
        assert first[0].getsockname() == second[0].getsockname()
        assert (first[0] is second[0]) is (sys.platform != "linux")
        assert first[1] is second[1]
        pool.vacate(0)
        assert pool.get(0)[0].getsockname() == second[0].getsockname()
    finally:
        pool.close()
    assert second[0].fileno() == -1


def test_exit_codes_are_described() -> None:
    assert describe_exit(3) == "exit code 3"
    assert describe_exit(-9) == "SIGKILL"
