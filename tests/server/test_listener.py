"""From addresses to bound sockets."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from transom.server import BindError, Config, Server, bind_sockets
from transom.server.processes.supervisor import ListenerPool
from transom.server.sockets.listener import BoundSocket, bind_address, describe_socket, parse_address


@contextlib.contextmanager
def bound(**options: Any) -> Iterator[list[socket.socket]]:
    sockets = bind_sockets(Config(**options))
    try:
        yield sockets
    finally:
        for each in sockets:
            each.close()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:80", ("127.0.0.1", 80)),
        ("[::1]:80", ("::1", 80)),
        (":80", ("0.0.0.0", 80)),
        ("80", ("127.0.0.1", 80)),
        ("example.org:0", ("example.org", 0)),
    ],
)
def test_address_forms(text: str, expected: tuple[str, int]) -> None:
    assert parse_address(text) == expected


@pytest.mark.parametrize("text", ["localhost", "::1:80", "a:b", "a:99999", "", "a:\u0661"])
def test_malformed_address_names_the_forms(text: str) -> None:
    with pytest.raises(BindError, match=r"HOST:PORT.*fd://NUMBER"):
        parse_address(text)


def test_address_in_use_says_what_to_do() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(BindError, match=rf"127\.0\.0\.1:{port}.*--port"):
            bind_sockets(Config(port=port))


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("192.0.2.1:0", "no such address"),
        ("unix:/nosuch/directory/s", "directory does not exist"),
        ("fd://987654", "nobody handed"),
        ("fd://x", "malformed"),
        ("fd://-1", "malformed"),
        ("nosuch.invalid:80", "check the address"),
    ],
)
def test_address_that_cannot_be_bound_says_why(address: str, text: str) -> None:
    with pytest.raises(BindError, match=text):
        bind_address(address)


def test_nothing_stays_open_when_one_address_fails(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with pytest.raises(BindError):
        bind_sockets(Config(bind=(f"unix:{path}", "192.0.2.1:0")))
    assert not path.exists()


async def test_address_that_another_listens_on_since_it_was_bound_says_what_to_do(respond: Any) -> None:
    """Both were started at the same moment."""
    first, second = socket.socket(), socket.socket()
    for each in (first, second):
        each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        each.bind(first.getsockname() if each is second else ("127.0.0.1", 0))
    async with Server(respond(), Config(lifespan="off"), sockets=[first]):
        with pytest.raises(BindError, match="another process"):
            await Server(respond(), Config(lifespan="off"), sockets=[second]).start()
    assert second.fileno() == -1


def test_port_can_be_shared_when_asked_for() -> None:
    (first,) = bind_sockets(Config(port=0), reuse_port=True)
    (second,) = bind_sockets(Config(port=first.getsockname()[1]), reuse_port=True)
    first.close()
    second.close()


def test_several_addresses_and_ipv6(tmp_path: Path) -> None:
    with bound(bind=("127.0.0.1:0", "[::1]:0", f"unix:{tmp_path / 's'}")) as sockets:
        assert [each.family for each in sockets] == [socket.AF_INET, socket.AF_INET6, socket.AF_UNIX]
        urls = [describe_socket(each) for each in sockets]
    assert urls[0].startswith("http://127.0.0.1:")
    assert urls[1].startswith("http://[::1]:")
    assert urls[2] == f"unix:{tmp_path / 's'}"


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: tuple[int, tuple[Any, ...]]) -> None:
    found = [(family, socket.SOCK_STREAM, 6, "", address) for family, address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: found)


V4 = (socket.AF_INET, ("127.0.0.1", 0))
V6 = (socket.AF_INET6, ("::1", 0, 0, 0))
ABSENT = (socket.AF_INET6, ("2001:db8::1", 0, 0, 0))


def test_name_with_several_addresses_is_bound_on_all_with_one_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser tries ::1 first for localhost; systems list an address twice for two socket types."""
    resolve_to(monkeypatch, V6, V4, V4)
    with bound(host="localhost", port=0) as sockets:
        assert [each.getsockname()[0] for each in sockets] == ["::1", "127.0.0.1"]
        assert len({each.getsockname()[1] for each in sockets}) == 1


def test_free_port_is_sought_until_it_is_free_in_every_family(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = OSError(errno.EADDRINUSE, "in use")
    answers: list[Any] = [busy, busy, []]

    def bind_all(*_arguments: Any) -> Any:
        answer = answers.pop(0)
        if answer is busy:
            raise answer
        return answer

    monkeypatch.setattr("transom.server.sockets.listener._bind_all", bind_all)
    assert bind_address("localhost:0") == []
    answers[:] = [busy] * 20
    with pytest.raises(BindError, match="another process"):
        bind_address("localhost:0")
    assert 0 < len(answers) < 20


def test_address_of_a_family_this_machine_has_not_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container without IPv6, whose hosts file still has ::1 for localhost."""
    resolve_to(monkeypatch, ABSENT, V4)
    with bound(host="localhost", port=0) as sockets:
        assert [each.family for each in sockets] == [socket.AF_INET]
    resolve_to(monkeypatch, ABSENT)
    with pytest.raises(BindError, match="no such address"):
        bind_address("localhost:0")


def test_name_that_is_in_use_on_one_address_is_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        resolve_to(monkeypatch, (socket.AF_INET6, ("::1", port, 0, 0)), (socket.AF_INET, ("127.0.0.1", port)))
        with pytest.raises(BindError, match="another process"):
            bind_address(f"localhost:{port}")
        monkeypatch.undo()
        with bound(bind=(f"[::1]:{port}",)):  # was closed again
            pass


# Unix sockets


def test_unix_socket_has_the_permissions_asked_for_and_goes_with_its_binder(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with bound(uds=str(path), uds_permissions="640"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert not path.exists()
    with bound(uds=str(path)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o666


@pytest.mark.parametrize("permissions", ["9", "rw", "", "-1"])
def test_permissions_are_octal(permissions: str) -> None:
    with pytest.raises(ValueError, match="octal"):
        Config(uds_permissions=permissions)


def test_copy_in_a_forked_process_does_not_remove_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s"
    listener = bind_address(f"unix:{path}")[0]
    monkeypatch.setattr(os, "getpid", lambda: -1)
    listener.close()
    assert path.exists()


def test_socket_bound_again_by_another_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "s"
    first = bind_address(f"unix:{path}")[0]
    path.unlink()
    second = bind_address(f"unix:{path}")[0]
    first.close()
    assert path.exists()
    second.close()
    assert not path.exists()


def test_stale_unix_socket_is_replaced_and_a_live_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as killed:  # its binder had no chance to remove it
        killed.bind(str(path))
    with bound(uds=str(path)) as (live,):
        live.listen()
        with pytest.raises(BindError, match="another process"):
            bind_address(f"unix:{path}")


def test_file_in_the_way_of_a_unix_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_text("precious")
    with pytest.raises(BindError):
        bind_sockets(Config(uds=str(path)))
    assert path.read_text() == "precious"


async def test_unix_socket_is_gone_after_the_server(tmp_path: Path, respond: Any) -> None:
    path = tmp_path / "s"
    async with Server(respond(), Config(uds=str(path), lifespan="off")):
        assert path.exists()
    assert not path.exists()


# Sockets that were handed down


@contextlib.contextmanager
def handed_down(path: Path) -> Iterator[int]:
    """A descriptor of a bound Unix socket, which belongs to whoever adopts it."""
    with socket.socket(socket.AF_UNIX) as parent:
        parent.bind(str(path))
        yield os.dup(parent.fileno())


@pytest.mark.parametrize("option", ["fd", "bind"])
def test_socket_that_was_handed_down_is_served_and_not_removed(tmp_path: Path, option: str) -> None:
    path = tmp_path / "s"
    with handed_down(path) as descriptor:
        options = {"fd": descriptor} if option == "fd" else {"bind": (f"fd://{descriptor}",)}
        with bound(**options) as (listener,):
            assert listener.getsockname() == str(path)
            assert not listener.get_inheritable()
    assert path.exists()


def test_socket_of_another_kind_is_refused_and_left_open() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram:
        with pytest.raises(BindError, match=r"AF_INET SOCK_DGRAM.*stream"):
            bind_address(f"fd://{datagram.fileno()}")
        assert datagram.getsockname()
    with open(os.devnull) as file, pytest.raises(BindError, match="not a socket"):
        bind_address(f"fd://{file.fileno()}")


def test_connection_is_no_listener() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(BindError, match="a connection"):
        bind_address(f"fd://{ours.fileno()}")


def test_workers_share_what_was_handed_down_and_have_the_rest_to_themselves(tmp_path: Path) -> None:
    with handed_down(tmp_path / "s") as descriptor:
        pool = ListenerPool(Config(bind=("127.0.0.1:0", f"fd://{descriptor}", f"unix:{tmp_path / 't'}")))
        first, second = pool.get(0), pool.get(1)
        assert first[0] is not second[0]
        assert first[0].getsockname() == second[0].getsockname()
        assert first[1:] == second[1:]
        assert [each.getsockname() for each in first[1:]] == [str(tmp_path / "s"), str(tmp_path / "t")]
        pool.close()
    assert (tmp_path / "s").exists()
    assert not (tmp_path / "t").exists()


def test_tcp_socket_that_was_handed_down_is_shared() -> None:
    """Its address is not ours to bind a second time."""
    with socket.socket() as parent:
        parent.bind(("127.0.0.1", 0))
        pool = ListenerPool(Config(fd=os.dup(parent.fileno())))
        (first,), (second,) = pool.get(0), pool.get(1)
        assert first is second
        assert not isinstance(first, BoundSocket)
        pool.close()
