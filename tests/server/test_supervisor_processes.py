"""Real worker processes: start, crash, hang, restart, recycling, signals, stop, and the death of the supervisor."""

from __future__ import annotations

import errno
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from transom.server import Config
from transom.server.processes.supervision import SUSPICIOUS_AFTER
from transom.server.processes.supervisor import Supervisor, describe_exit

StartServer = Callable[..., Any]
AskPid = Callable[[str], int]
TIMEOUT = 30  # seconds; the machine may be busy


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


needs_pidfd = pytest.mark.skipif(
    not hasattr(os, "pidfd_open"), reason="waits for a process that is not its child: Linux only"
)

# The end of workers


@pytest.mark.slow
def test_crashed_worker_is_replaced_and_ctrl_c_stops_all(start_server: StartServer, ask_pid: AskPid) -> None:
    server = start_server("workers=2")
    url = server.wait_until_up(2)
    victim = ask_pid(url)
    os.kill(victim, signal.SIGKILL)
    server.wait_for(f"worker {victim} ended: SIGKILL")
    server.wait_until_up(3)
    pids = server.workers
    assert len(set(pids)) == 3
    assert ask_pid(url) in set(pids) - {victim}
    assert server.end(signal.SIGINT) == 0
    assert "Traceback" not in server.log
    assert not any(map(is_alive, pids))


@pytest.mark.slow
def test_worker_that_cannot_start_any_more_is_tried_again_with_growing_delay(
    start_server: StartServer, site_folder: Path, ask_pid: AskPid
) -> None:
    """No fork bomb: of two workers one goes on, and the other is started after 0, 1, 2, 4... seconds."""
    server = start_server("workers=2")
    url = server.wait_until_up(2)
    (site_folder / "mysite.py").write_text("import nosuch")
    victim, survivor = server.workers
    began = time.monotonic()
    os.kill(victim, signal.SIGKILL)
    server.wait_for("ended: exit code 3", times=3)
    assert time.monotonic() - began >= 3.0
    assert len(server.workers) == 5
    assert [ask_pid(url) for _ in range(8)] == [survivor] * 8
    assert server.end(signal.SIGTERM) == 0


@pytest.mark.slow
@pytest.mark.parametrize("options", ["workers=2", "workers=1", "workers=1, limit_max_age=60"])
def test_application_that_cannot_be_loaded_is_exit_code_3(start_server: StartServer, options: str) -> None:
    server = start_server(options, "mysite:ap")
    assert server.end() == 3
    assert "did you mean 'app'?" in server.log
    assert "Traceback" not in server.log
    assert len(server.workers) <= 2


@pytest.mark.slow
@needs_pidfd
def test_workers_stop_when_the_supervisor_is_killed(start_server: StartServer) -> None:
    server = start_server("workers=2")
    server.wait_until_up(2)
    server.process.kill()
    server.process.wait()
    for pid in server.workers:
        wait_for_end(pid)


# Workers that hang

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
    start_server: StartServer, site_folder: Path, ask_pid: AskPid
) -> None:
    """For half of it, as 30 s are to the default of 60."""
    (site_folder / "hanging.py").write_text(HANGING)
    server = start_server("workers=2, timeout_worker_healthcheck=8", "hanging:app")
    url = server.wait_until_up(2)
    assert is_alive(ask_pid(f"{url}/4"))
    assert server.end(signal.SIGTERM) == 0
    assert "hangs" not in server.log
    assert len(server.workers) == 2


@pytest.mark.slow
def test_worker_that_hangs_holding_the_gil_shows_its_stack_and_is_replaced(
    start_server: StartServer, site_folder: Path, ask_pid: AskPid
) -> None:
    (site_folder / "hanging.py").write_text(HANGING)
    server = start_server("workers=2, timeout_worker_healthcheck=2", "hanging:app")
    url = server.wait_until_up(2)
    with pytest.raises(OSError, match=r"closed connection|reset"):
        ask_pid(f"{url}/60")
    pid = int(server.wait_for(r"worker (\d+) hangs: its event loop has not turned for"))
    server.wait_for(rf"worker {pid} ended: SIGABRT")
    server.wait_until_up(3)
    assert "Fatal Python error: Aborted" in server.log
    assert re.search(r'File ".*hanging\.py", line \d+ in app', server.log)
    assert ask_pid(url) != pid
    assert server.end(signal.SIGTERM) == 0


@pytest.mark.conformance
def test_call_that_holds_the_gil_for_30_s_costs_nobody_but_those_behind_it(
    start_server: StartServer, site_folder: Path, ask_pid: AskPid
) -> None:
    """With the defaults: the worker lives, and new connections are answered by the other one meanwhile."""
    (site_folder / "hanging.py").write_text(HANGING)
    server = start_server("workers=2, access_log=False", "hanging:app")
    url = server.wait_until_up(2)
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(ask_pid, f"{url}/30")
        time.sleep(SUSPICIOUS_AFTER + 2.0)  # both workers' reports are due meanwhile
        answers = []
        while not held.done():
            began = time.monotonic()
            answers.append((ask_pid(url), time.monotonic() - began))
        busy = held.result()
    # The last may have gone to the worker that was held, when it was free again.
    others = answers[: len(answers) // 2]
    assert len(others) > 100
    assert {pid for pid, _ in others} == set(server.workers) - {busy}
    assert max(delay for _, delay in others) < 5.0
    assert is_alive(busy)
    assert server.end(signal.SIGTERM) == 0
    assert "hangs" not in server.log


# Replacing workers


@pytest.mark.slow
def test_hangup_replaces_the_workers_by_ones_with_the_new_code(
    start_server: StartServer, site_folder: Path, ask_pid: AskPid
) -> None:
    server = start_server("workers=2")
    url = server.wait_until_up(2)
    before = set(server.workers)
    assert ask_pid(url) in before
    code = site_folder / "mysite.py"
    code.write_text(code.read_text().replace("os.getpid()", "-os.getpid()"))
    server.process.send_signal(signal.SIGHUP)
    server.wait_for("exit code 0", times=2)
    assert -ask_pid(url) in set(server.workers) - before
    assert "to replace worker" in server.log
    assert server.end(signal.SIGTERM) == 0


@pytest.mark.slow
def test_restart_reads_the_environment_file_again(start_server: StartServer, site_folder: Path) -> None:
    (site_folder / "telling.py").write_text(
        """
import os, sys
print("WORD is", os.environ["WORD"], file=sys.stderr, flush=True)
from mysite import app
"""
    )
    (site_folder / "site.env").write_text("WORD=old")
    server = start_server("workers=2, env_file='site.env'", "telling:app")
    server.wait_for("WORD is old", times=2)
    server.wait_until_up(2)
    (site_folder / "site.env").write_text("WORD=new")
    server.process.send_signal(signal.SIGHUP)
    server.wait_for("WORD is new", times=2)
    server.wait_until_up(4)
    (site_folder / "site.env").write_text("nonsense")
    server.process.send_signal(signal.SIGHUP)
    server.wait_for("a worker could not be started: line 1 of the environment file")
    assert server.end(signal.SIGTERM) == 0


@pytest.mark.slow
def test_restart_with_broken_code_leaves_the_old_workers(
    start_server: StartServer, site_folder: Path, ask_pid: AskPid
) -> None:
    server = start_server("workers=2")
    url = server.wait_until_up(2)
    before = server.workers
    (site_folder / "mysite.py").write_text("import nosuch")
    server.process.send_signal(signal.SIGHUP)
    server.wait_for("ended: exit code 3")
    assert ask_pid(url) in before
    assert server.end(signal.SIGTERM) == 0
    assert len(server.workers) == 3


@pytest.mark.slow
def test_worker_is_recycled_after_so_many_requests(start_server: StartServer, ask_pid: AskPid) -> None:
    """With one worker too, which then has a supervisor."""
    server = start_server("workers=1, limit_max_requests=3")
    url = server.wait_until_up(1)
    assert "supervising 1 worker on" in server.log
    (first,) = server.workers
    assert {ask_pid(url) for _ in range(3)} == {first}
    server.wait_for(rf"to replace worker {first}: 3 requests")
    server.wait_for(f"worker {first} ended: exit code 0")
    assert ask_pid(url) == server.workers[1]
    assert server.end(signal.SIGTERM) == 0


@pytest.mark.slow
def test_workers_are_recycled_by_age_one_after_the_other(start_server: StartServer, ask_pid: AskPid) -> None:
    server = start_server("workers=2, limit_max_age=1")
    url = server.wait_until_up(2)
    first, second = server.workers
    server.wait_for(f"worker {first} ended: exit code 0")
    server.wait_for(f"worker {second} ended: exit code 0")
    assert ask_pid(url)
    assert re.search(rf"to replace worker {first}: \d+ s of service", server.log)
    assert server.end(signal.SIGTERM) == 0


@pytest.mark.slow
def test_worker_is_recycled_when_it_holds_too_much_memory(
    start_server: StartServer, site_folder: Path, ask_pid: AskPid
) -> None:
    (site_folder / "leaking.py").write_text(
        """
from mysite import app as site
leak = []
async def app(scope, receive, send):
    if scope["type"] == "http":
        leak.append(b"x" * 200_000_000)
    await site(scope, receive, send)
"""
    )
    # In the supervisor memory counts from the first second of service.
    code = (
        "from transom.server import Config, run; from transom.server.processes import recycling; recycling.MIN_AGE = 0.0;"
        "run('leaking:app', Config(port=0, limit_max_memory=150_000_000))"
    )
    server = start_server(code=code)
    url = server.wait_until_up(1)
    leaking = ask_pid(url)
    server.wait_for(rf"to replace worker {leaking}: \d+ MiB of memory")
    server.wait_for(f"worker {leaking} ended: exit code 0")
    assert server.end(signal.SIGTERM) == 0


# Signals


@pytest.mark.slow
def test_one_worker_more_and_fewer_by_signal(start_server: StartServer, ask_pid: AskPid) -> None:
    server = start_server("workers=1, limit_max_age=600")
    url = server.wait_until_up(1)
    server.process.send_signal(signal.SIGTTIN)
    server.wait_until_up(2)
    first, second = server.workers
    server.process.send_signal(signal.SIGTTOU)
    server.wait_for(f"worker {second} ended: exit code 0")
    assert {ask_pid(url) for _ in range(8)} == {first}
    server.process.send_signal(signal.SIGTTOU)  # one stays
    assert ask_pid(url) == first
    server.process.send_signal(signal.SIGTTIN)
    server.wait_until_up(3)
    assert ask_pid(url) in (first, server.workers[2])
    assert server.end(signal.SIGTERM) == 0
    assert "Traceback" not in server.log


@pytest.mark.slow
def test_signal_of_another_server_s_scripts_does_no_harm(start_server: StartServer, ask_pid: AskPid) -> None:
    """gunicorn opens its logs again at SIGUSR1; what a process does by itself is to die of it."""
    server = start_server("workers=2")
    url = server.wait_until_up(2)
    server.process.send_signal(signal.SIGUSR1)
    server.wait_for("SIGUSR1 means nothing here")
    assert ask_pid(url) in server.workers
    assert server.end(signal.SIGTERM) == 0


ENDLESS = """
import asyncio
async def app(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": b"x", "more_body": True})
    await asyncio.Event().wait()
"""


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("signals", [(signal.SIGQUIT,), (signal.SIGTERM, signal.SIGINT)])
def test_quit_and_a_second_signal_cancel_what_is_in_progress(
    start_server: StartServer, site_folder: Path, workers: int, signals: tuple[int, ...]
) -> None:
    (site_folder / "endless.py").write_text(ENDLESS)
    server = start_server(f"workers={workers}, timeout_graceful_shutdown=100", "endless:app")
    url = server.wait_until_up(workers)
    with urlopen(url, timeout=TIMEOUT) as response:
        assert response.read(1) == b"x"
        for number in signals[:-1]:
            server.process.send_signal(number)
            server.wait_for("stopping", times=workers)
        assert server.end(signals[-1]) == 0
    assert "cancelling 1 request" in server.log


@pytest.mark.slow
def test_signal_to_all_processes_is_no_second_signal_to_any(
    start_server: StartServer, site_folder: Path
) -> None:
    """systemd stops all processes of a service at once, and then the supervisor stops its workers: that is still graceful."""
    (site_folder / "patient.py").write_text(
        """
import asyncio, sys
from mysite import app as site
async def app(scope, receive, send):
    if scope["type"] == "http":
        print("in progress", file=sys.stderr, flush=True)
        await asyncio.sleep(1)
    await site(scope, receive, send)
"""
    )
    server = start_server("workers=2, timeout_graceful_shutdown=20", "patient:app")
    url = server.wait_until_up(2)
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=TIMEOUT) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        server.wait_for("in progress")
        for pid in [*server.workers, server.process.pid]:
            os.kill(pid, signal.SIGTERM)
        assert client.recv(1000).startswith(b"HTTP/1.1 200 ")
    assert server.end() == 0
    assert "cancelling" not in server.log


@pytest.mark.slow
def test_single_process_serves_and_stops_at_sigterm(start_server: StartServer, ask_pid: AskPid) -> None:
    server = start_server("workers=1")
    url = server.wait_until_up(1)
    assert ask_pid(url) == server.process.pid
    assert server.end(signal.SIGTERM) == 0
    assert "Traceback" not in server.log


@pytest.mark.slow
def test_file_for_the_process_id_names_the_supervisor(start_server: StartServer, site_folder: Path) -> None:
    server = start_server("workers=2, pid='site.pid'")
    server.wait_until_up(2)
    assert (site_folder / "site.pid").read_text() == f"{server.process.pid}\n"
    assert server.end(signal.SIGTERM) == 0
    assert not (site_folder / "site.pid").exists()


@pytest.mark.slow
@needs_pidfd
def test_server_stops_when_its_terminal_is_closed(site_folder: Path) -> None:
    """SIGHUP is also what the system sends then: nobody is left who wanted a restart."""
    code = "from transom.server import Config, run; run('mysite:app', Config(port=0, workers=2))"
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(site_folder)
        os.execv(sys.executable, [sys.executable, "-c", code])  # the child must not return into pytest
    log = ""
    while log.count("serving on") < 2:
        log += os.read(terminal, 4096).decode()
    os.close(terminal)
    wait_for_end(pid)
    os.waitpid(pid, 0)
    for worker in re.findall(r"started worker (\d+)", log):
        wait_for_end(int(worker))


# Listening


@pytest.mark.slow
def test_workers_share_one_socket_where_the_system_does_not_share_connections_out(
    start_server: StartServer, ask_pid: AskPid
) -> None:
    code = """
from functools import partial
import sys
from transom.server import Config
from transom.server.sockets.listener_pool import ListenerPool
from transom.server.processes.logs import configure_logging
from transom.server.processes.supervisor import Supervisor
config = Config(port=0, workers=2)
configure_logging(config)
sys.exit(Supervisor("mysite:app", config, pool=partial(ListenerPool, reuse_port=False)).run())
"""
    server = start_server(code=code)
    url = server.wait_until_up(2)
    os.kill(ask_pid(url), signal.SIGKILL)
    server.wait_until_up(3)
    assert ask_pid(url) in server.workers
    server.process.send_signal(signal.SIGHUP)
    server.wait_until_up(5)
    assert ask_pid(url) in server.workers
    assert server.end(signal.SIGTERM) == 0


def test_worker_that_cannot_even_be_started_counts_as_a_failed_start(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise OSError(errno.EAGAIN, "no process left")

    monkeypatch.setattr("transom.server.processes.supervisor.WorkerProcess", fail)
    assert Supervisor("mysite:app", Config(port=0, workers=2)).run() == 3
    assert "no process left" in caplog.text


def test_port_in_use_is_an_error_in_spite_of_reuse_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert Supervisor("mysite:app", Config(port=taken.getsockname()[1], workers=2)).run() == 3


def test_exit_codes_are_described() -> None:
    assert describe_exit(3) == "exit code 3"
    assert describe_exit(-9) == "SIGKILL"
    assert describe_exit(-signal.SIGRTMIN - 1) == f"signal {signal.SIGRTMIN + 1}"


@pytest.mark.slow
def test_server_imports_nothing_of_the_framework() -> None:
    """What a worker imports before its application decides how soon a dead one is replaced."""
    code = (
        "import sys, transom.server.processes.child, transom.server.processes.supervisor; print(*sys.modules)"
    )
    modules = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    packages = {name.split(".")[1] for name in modules if name.startswith("transom.")}
    assert packages <= {"asgi", "server"}
    assert not {"click", "jinja2", "multiprocessing", "pydantic", "rich", "sqlalchemy", "watchfiles"} & set(
        modules
    )
