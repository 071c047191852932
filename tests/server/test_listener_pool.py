"""The sockets of all slots: which are shared, where connections go, and when one is closed."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from transom.server import Config
from transom.server.sockets.listener_pool import ListenerPool
from transom.server.sockets.steering import can_steer

steers = pytest.mark.skipif(
    not can_steer(), reason="this system cannot attach a program to a group of sockets"
)


@pytest.fixture
def make_pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., ListenerPool]]:
    pools: list[ListenerPool] = []

    def make(*, steering: bool = True, reuse_port: bool | None = None, **options: Any) -> ListenerPool:
        if not steering:
            monkeypatch.setattr("transom.server.sockets.listener_pool.can_steer", lambda: False)
        chosen = {} if reuse_port is None else {"reuse_port": reuse_port}
        pools.append(ListenerPool(Config(**({"port": 0} | options)), **chosen))
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


def test_slots_share_one_port_with_sockets_of_their_own(
    make_pool: Callable[..., ListenerPool], tmp_path: Path
) -> None:
    pool = make_pool(bind=("127.0.0.1:0", f"unix:{tmp_path}/s"))
    first, second = pool.get(0), pool.get(1)
    assert pool.get(0) == first
    assert first[0].getsockname() == second[0].getsockname()
    assert (first[0] is second[0]) is (sys.platform != "linux")
    assert first[1] is second[1]
    pool.close()
    assert [each.fileno() for each in (*first, *second)] == [-1] * 4


def test_all_slots_share_the_sockets_where_the_system_does_not_share_connections_out(
    make_pool: Callable[..., ListenerPool],
) -> None:
    pool = make_pool(reuse_port=False)
    assert pool.get(0) == pool.get(1)
    pool.steer({0})
    pool.vacate(0)
    assert pool.get(0)[0].fileno() != -1


@steers
def test_slots_that_do_not_serve_get_nothing_new_and_lose_nothing(
    make_pool: Callable[..., ListenerPool],
) -> None:
    pool = make_pool()
    (first,), (second,) = pool.get(0), pool.get(1)
    pool.steer({1})
    with socket.create_connection(first.getsockname()) as waiting:
        pool.vacate(1)
        pool.steer({0})
        for _ in range(10):
            with socket.create_connection(first.getsockname()):
                first.accept()[0].close()
        assert pool.get(1) == [second]
        accepted, address = second.accept()
        accepted.close()
        assert address == waiting.getsockname()


@steers
def test_slots_are_found_whatever_their_order(make_pool: Callable[..., ListenerPool]) -> None:
    """One that could not be bound at first comes last."""
    pool = make_pool()
    sockets = {slot: pool.get(slot)[0] for slot in (0, 2, 1)}
    for slot in (1, 2, 0):
        pool.steer({slot})
        for _ in range(10):
            with socket.create_connection(sockets[0].getsockname()):
                sockets[slot].accept()[0].close()


@steers
def test_each_address_is_steered(make_pool: Callable[..., ListenerPool]) -> None:
    pool = make_pool(bind=("127.0.0.1:0", "127.0.0.1:0"))
    addresses = [each.getsockname() for each in pool.get(0)]
    pool.get(1)
    pool.steer({1})
    for index, address in enumerate(addresses):
        for _ in range(10):
            with socket.create_connection(address):
                pool.get(1)[index].accept()[0].close()


def test_without_steering_an_empty_slot_is_closed_and_bound_again(
    make_pool: Callable[..., ListenerPool],
) -> None:
    pool = make_pool(steering=False, reuse_port=True)
    (first,), (second,) = pool.get(0), pool.get(1)
    pool.steer({1})
    pool.vacate(0)
    assert first.fileno() == -1
    assert pool.get(0)[0].getsockname() == second.getsockname()


@steers
def test_steering_that_fails_later_is_a_warning(
    make_pool: Callable[..., ListenerPool], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(listener: socket.socket, indexes: list[int]) -> None:
        raise OSError("no memory")

    pool = make_pool()
    pool.get(0)
    monkeypatch.setattr("transom.server.sockets.listener_pool.steer", refuse)
    pool.steer({0})
    pool.steer({0})
    assert caplog.text.count("cannot be steered any more (no memory)") == 1


def test_slots_without_sockets_are_not_steered_to(make_pool: Callable[..., ListenerPool]) -> None:
    pool = make_pool()
    pool.steer({0, 1})
