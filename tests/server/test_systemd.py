"""Socket activation and notifications, with a socket in systemd's place."""

from __future__ import annotations

import os
import re
import signal
import socket
from collections.abc import Callable, Iterator
from math import inf
from pathlib import Path
from typing import Any

import pytest

from transom.server import Config
from transom.server.sockets.listener import bind_sockets
from transom.server.sockets.systemd import Notifier, take_descriptors


def test_descriptors_are_taken_once() -> None:
    environ = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "2", "LISTEN_FDNAMES": "web:admin", "HOME": "/"}
    assert take_descriptors(environ) == [3, 4]
    assert environ == {"HOME": "/"}
    assert take_descriptors(environ) == []


@pytest.mark.parametrize(
    "environ",
    [
        {"LISTEN_PID": "1", "LISTEN_FDS": "1"},  # meant for our parent
        {"LISTEN_FDS": "1"},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "many"},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "-1"},
        {"LISTEN_PID": str(os.getpid())},
    ],
)
def test_descriptors_of_others_are_not(environ: dict[str, str]) -> None:
    assert take_descriptors(environ) == []
    assert environ == {}


def test_an_address_that_was_chosen_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    monkeypatch.setenv("LISTEN_FDS", "1")
    (listener,) = bind_sockets(Config(port=0))
    assert listener.fileno() != 3
    listener.close()


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[socket.socket]:
    """The socket that systemd listens on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        name = f"transom-{os.getpid()}-{tmp_path.name}"
        channel.bind(str(tmp_path / "notify") if request.param == "path" else f"\0{name}")
        channel.settimeout(30)
        yield channel


def address_of(channel: socket.socket) -> str:
    name = channel.getsockname()
    return "@" + name[1:].decode() if isinstance(name, bytes) else name


def read(channel: socket.socket) -> list[str]:
    return channel.recv(4096).decode().split("\n")


def test_what_systemd_is_told(systemd: socket.socket) -> None:
    environ = {"NOTIFY_SOCKET": address_of(systemd), "HOME": "/"}
    notifier = Notifier.take(environ)
    assert environ == {"HOME": "/"}
    for _ in range(2):
        notifier.ready()
    assert read(systemd) == ["READY=1", f"MAINPID={os.getpid()}"]
    notifier.reloading()
    assert re.fullmatch(r"RELOADING=1\|MONOTONIC_USEC=\d+", "|".join(read(systemd)))
    notifier.ready()
    assert read(systemd)[0] == "READY=1"
    for _ in range(2):
        notifier.stopping()
        notifier.ready()
        notifier.reloading()
    assert read(systemd) == ["STOPPING=1", ""]
    assert notifier.deadline == inf
    systemd.setblocking(False)
    with pytest.raises(BlockingIOError):
        systemd.recv(1)


def test_watchdog_is_fed_twice_as_often_as_asked_for(systemd: socket.socket) -> None:
    notifier = Notifier.take(
        {"NOTIFY_SOCKET": address_of(systemd), "WATCHDOG_USEC": "10000000", "WATCHDOG_PID": str(os.getpid())}
    )
    for now in (100.0, 101.0, 104.9, 105.0, 109.0):
        notifier.tick(now)
    assert notifier.deadline == 110.0
    systemd.setblocking(False)
    assert [read(systemd), read(systemd)] == [["WATCHDOG=1"]] * 2
    with pytest.raises(BlockingIOError):
        systemd.recv(1)


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"WATCHDOG_USEC": "1000000"},
        {"NOTIFY_SOCKET": "/nosuch", "WATCHDOG_USEC": "x"},
        {"NOTIFY_SOCKET": "/nosuch", "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"},
    ],
)
def test_nobody_to_tell_is_no_error(environ: dict[str, str]) -> None:
    notifier = Notifier.take(environ)
    assert notifier.deadline == inf
    notifier.ready()
    notifier.tick(1.0)
    notifier.stopping()


# Whole servers


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("systemd", ["path"], indirect=True)
def test_service_tells_that_it_is_ready_lives_and_stops(
    start_server: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, systemd: socket.socket, workers: int
) -> None:
    """Only the main process speaks, whose id systemd knows."""
    monkeypatch.setenv("NOTIFY_SOCKET", address_of(systemd))
    monkeypatch.setenv("WATCHDOG_USEC", "2000000")
    server = start_server(f"workers={workers}")
    first = read(systemd)
    while first == ["WATCHDOG=1"]:  # a supervisor lives before its workers serve
        first = read(systemd)
    assert first == ["READY=1", f"MAINPID={server.process.pid}"]
    server.wait_until_up(workers)
    assert [read(systemd), read(systemd)] == [["WATCHDOG=1"]] * 2
    assert server.end(signal.SIGTERM) == 0
    while (last := read(systemd)) == ["WATCHDOG=1"]:
        pass
    assert last[0] == "STOPPING=1"


@pytest.mark.slow
@pytest.mark.parametrize("systemd", ["path"], indirect=True)
def test_service_tells_when_its_workers_are_replaced(
    start_server: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, systemd: socket.socket
) -> None:
    """Type=notify-reload: systemctl reload returns when the last one is."""
    monkeypatch.setenv("NOTIFY_SOCKET", address_of(systemd))
    server = start_server("workers=2")
    assert read(systemd)[0] == "READY=1"
    server.process.send_signal(signal.SIGHUP)
    assert read(systemd)[0] == "RELOADING=1"
    assert read(systemd)[0] == "READY=1"
    server.wait_for("to replace worker", times=2)
    server.wait_for("serving on", times=4)
    assert server.end(signal.SIGTERM) == 0


ACTIVATED = """
import os, socket, sys
listener = socket.socket()
listener.bind(("127.0.0.1", {port}))
listener.listen()
os.dup2(listener.detach(), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
from transom.server import Config, run
sys.exit(run("mysite:app", Config(workers={workers})))
"""


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_socket_that_systemd_opened_is_served(
    start_server: Callable[..., Any], ask_pid: Callable[[str], int], unused_port: int, workers: int
) -> None:
    server = start_server(code=ACTIVATED.format(port=unused_port, workers=workers))
    assert server.wait_until_up(workers) == f"http://127.0.0.1:{unused_port}"
    pid = ask_pid(f"http://127.0.0.1:{unused_port}/")
    assert pid == server.process.pid if workers == 1 else pid in server.workers
    assert server.end(signal.SIGTERM) == 0
