"""Steering: which socket of a group gets the next connection, decided by a program in the kernel."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator

import pytest

from transom.server.sockets.steering import build_program, can_steer, steer

steers = pytest.mark.skipif(
    not can_steer(), reason="this system cannot attach a program to a group of sockets"
)


def interpret(program: list[tuple[int, int, int, int]], random: int) -> int:
    """Run a classic BPF program of the few instructions used; return what it returns."""
    accumulator, counter = 0, 0
    while True:
        code, if_true, if_false, operand = program[counter]
        counter += 1
        if code == 0x20:
            accumulator = random
        elif code == 0x94:
            accumulator %= operand
        elif code == 0x15:
            counter += if_true if accumulator == operand else if_false
        elif code == 0x06:
            return operand
        else:
            raise AssertionError(f"instruction {code:#x}")


@pytest.mark.parametrize("indexes", [[0], [3], [0, 1], [1, 4, 2], list(range(50))])
def test_program_picks_each_index_as_often(indexes: list[int]) -> None:
    picked = Counter(interpret(build_program(indexes), random) for random in range(len(indexes) * 3))
    assert picked == dict.fromkeys(indexes, 3)


@pytest.fixture
def group() -> Iterator[list[socket.socket]]:
    """Three sockets that listen on one port, in this order."""
    listeners: list[socket.socket] = []
    for _ in range(3):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(listeners[0].getsockname() if listeners else ("127.0.0.1", 0))
        listener.listen(100)
        listener.setblocking(False)
        listeners.append(listener)
    yield listeners
    for listener in listeners:
        listener.close()


def count_arrivals(group: list[socket.socket], connections: int = 60) -> list[int]:
    clients = [socket.create_connection(group[0].getsockname()) for _ in range(connections)]
    counts = [0] * len(group)
    for index, listener in enumerate(group):
        with pytest.raises(BlockingIOError):
            while True:
                listener.accept()[0].close()
                counts[index] += 1
    for client in clients:
        client.close()
    return counts


@steers
def test_connections_go_to_the_sockets_that_are_named(group: list[socket.socket]) -> None:
    steer(group[0], [1])
    assert count_arrivals(group) == [0, 60, 0]
    steer(group[2], [0, 2])  # any socket speaks for the group
    first, second, third = count_arrivals(group)
    assert second == 0
    assert min(first, third) >= 10
    assert first + third == 60


@steers
def test_what_waits_in_a_queue_stays_there(group: list[socket.socket]) -> None:
    steer(group[0], [2])
    with socket.create_connection(group[0].getsockname()) as client:
        steer(group[0], [0])
        accepted, address = group[2].accept()
        assert address == client.getsockname()
        accepted.close()


@steers
def test_index_without_a_socket_means_any(group: list[socket.socket]) -> None:
    steer(group[0], [17])
    assert sum(count_arrivals(group)) == 60


def test_system_that_cannot_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(listener: socket.socket, indexes: list[int]) -> None:
        raise PermissionError

    monkeypatch.setattr("transom.server.sockets.steering.steer", refuse)
    assert not can_steer()
    monkeypatch.undo()
    monkeypatch.setattr("sys.platform", "darwin")
    assert not can_steer()
