"""Socket activation and notifications, with a socket in systemd's place."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from transom.server import Config
from transom.server.listener import bind_sockets
from transom.server.systemd import Notifier, take_descriptors


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
        channel.settimeout(20)
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
    notifier.ready()
    assert read(systemd) == ["READY=1", f"MAINPID={os.getpid()}"]
    notifier.reloading()
    assert re.fullmatch(r"RELOADING=1\|MONOTONIC_USEC=\d+", "|".join(read(systemd)))
    notifier.stopping()
    assert read(systemd) == ["STOPPING=1"]
    assert notifier.interval == 0


def test_watchdog_is_fed_twice_as_often_as_asked_for(systemd: socket.socket) -> None:
    notifier = Notifier.take(
        {"NOTIFY_SOCKET": address_of(systemd), "WATCHDOG_USEC": "10000000", "WATCHDOG_PID": str(os.getpid())}
    )
    assert notifier.interval == 5
    for now in (100.0, 101.0, 104.9, 105.0, 109.0):
        notifier.tick(now)
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
    assert notifier.interval == 0
    notifier.ready()
    notifier.tick(1.0)
    notifier.stopping()
