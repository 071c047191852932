"""The limit of connections: at it, one above it, and after it."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import socket
import subprocess
import sys
from typing import Any

import pytest

from transom.server import Config, Server
from transom.server.capacity import MAX_REFUSALS, RESERVE, derive_limit, raise_descriptor_limit
from transom.server.state import TICK

pytestmark = pytest.mark.each_loop


async def wait_for_connections(running: Any, number: int) -> None:
    while len(running.server.state.connections) != number:
        await asyncio.sleep(0)


async def test_connections_at_the_limit_are_served_and_one_above_is_answered_503(
    serve: Any, respond: Any, caplog: pytest.LogCaptureFixture
) -> None:
    running = await serve(respond(), limit_concurrency=3)
    clients = [await running.connect() for _ in range(3)]
    for client in clients:
        assert (await client.get()).status == 200
    for _ in range(2):
        refused = await running.connect()
        reply = await refused.read()  # without asking for anything
        assert (reply.status, reply[b"connection"], reply[b"retry-after"]) == (503, b"close", b"5")
        assert await refused.read_to_end() == b""
    for client in clients:
        assert (await client.get()).status == 200
    assert caplog.text.count("refusing connections: 3 are open (limit_concurrency)") == 1


async def test_room_that_is_free_again_is_used(serve: Any, respond: Any) -> None:
    running = await serve(respond(), limit_concurrency=1)
    first = await running.connect()
    assert (await first.get()).status == 200
    assert (await (await running.connect()).read()).status == 503
    first.writer.close()
    await wait_for_connections(running, 0)
    assert (await (await running.connect()).get()).status == 200


async def test_burst_does_not_slip_through(serve: Any, respond: Any) -> None:
    """Several connections of one turn of the loop: each is counted before the next is looked at."""
    running = await serve(respond(), limit_concurrency=2)
    clients = await asyncio.gather(*(running.connect() for _ in range(10)))
    replies = await asyncio.gather(*(client.get() for client in clients))
    assert sorted(reply.status for reply in replies) == [200] * 2 + [503] * 8


async def test_refused_client_that_has_sent_can_read_the_answer(serve: Any, respond: Any) -> None:
    """A close with unread bytes would reset the connection."""
    running = await serve(respond(), limit_concurrency=1)
    held = await running.connect()
    await wait_for_connections(running, 1)
    refused = await running.connect()
    await refused.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n\r\n" + bytes(50_000))
    assert (await refused.read()).status == 503
    held.writer.close()


async def test_refused_client_that_stays_is_cut_off(serve: Any, respond: Any) -> None:
    running = await serve(respond(), limit_concurrency=1)
    await running.connect()
    await wait_for_connections(running, 1)
    state = running.server.state
    stays, floods = await running.connect(), await running.connect()
    assert (await stays.read()).status == 503
    assert (await floods.read()).status == 503
    assert len(state.capacity.refusals) == 2
    with pytest.raises(ConnectionError):
        while True:  # more than a request has
            await floods.send(bytes(10_000))
            await asyncio.sleep(0)
    assert len(state.capacity.refusals) == 1
    state.now += 2 + 2 * TICK
    state.capacity.tick(state.now)
    while state.capacity.refusals:
        await asyncio.sleep(0)


async def test_refused_clients_that_stay_are_few(serve: Any, respond: Any) -> None:
    running = await serve(respond(), limit_concurrency=1)
    await running.connect()
    await wait_for_connections(running, 1)
    clients = [await running.connect() for _ in range(MAX_REFUSALS + 5)]
    for client in clients:
        assert (await client.read()).status == 503
    assert len(running.server.state.capacity.refusals) <= MAX_REFUSALS


async def test_stop_lets_go_of_refused_clients(serve: Any, respond: Any) -> None:
    running = await serve(respond(), limit_concurrency=1)
    await running.connect()
    await wait_for_connections(running, 1)
    refused = await running.connect()
    assert (await refused.read()).status == 503
    await running.server.stop()
    while running.server.state.capacity.refusals:
        await asyncio.sleep(0)


# Descriptors


def test_limit_is_what_there_are_descriptors_for(monkeypatch: pytest.MonkeyPatch) -> None:
    for soft, expected in ((1024, 1024 - RESERVE), (RESERVE, 1), (resource.RLIM_INFINITY, 1_048_576)):
        monkeypatch.setattr(resource, "getrlimit", lambda _kind, soft=soft: (soft, soft))
        assert derive_limit() == expected


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((1024, 4096), (4096, 4096)),
        ((4096, 4096), None),
        ((1024, 2**30), (1_048_576, 2**30)),
        ((1024, resource.RLIM_INFINITY), (1_048_576, resource.RLIM_INFINITY)),
        ((resource.RLIM_INFINITY, resource.RLIM_INFINITY), None),
    ],
)
def test_soft_limit_is_raised_to_the_hard_one(
    monkeypatch: pytest.MonkeyPatch, before: tuple[int, int], after: tuple[int, int] | None
) -> None:
    changes: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _kind: before)
    monkeypatch.setattr(resource, "setrlimit", lambda _kind, limits: changes.append(limits))
    raise_descriptor_limit()
    assert changes == ([] if after is None else [after])


class Exhausted(socket.socket):
    """A listener whose process, once told so, has no descriptors left."""

    failures = 0

    def accept(self) -> Any:
        if self.failures:
            self.failures -= 1
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return super().accept()


async def test_acceptor_rests_until_the_next_tick_when_accept_fails(
    respond: Any, caplog: pytest.LogCaptureFixture
) -> None:
    listener = Exhausted()
    listener.bind(("127.0.0.1", 0))
    listener.failures = 3
    config = Config(lifespan="off", proxy_protocol=True, timeout_graceful_shutdown=0.0)
    async with Server(respond(), config, sockets=[listener]) as server:
        reader, writer = await asyncio.open_connection(*server.addresses[0])
        writer.write(b"PROXY UNKNOWN\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
        for left in (2, 1, 0):
            while listener.failures > left:
                await asyncio.sleep(0)
            for _ in range(5):  # the listener is readable all the time
                await asyncio.sleep(0)
            assert listener.failures == left
            server.state.tick()
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        writer.close()
    assert caplog.text.count("cannot accept connections: Too many open files") == 1


EXHAUST = """
import asyncio, logging, os, resource, socket, sys, time
from transom.server import Config, Server
from transom.server.processes.process import choose_loop_factory

async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": b"alive"})

async def ask(port, head):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head + b"GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n")
    try:
        return await asyncio.wait_for(reader.read(), 10)
    except (OSError, TimeoutError):
        return b""
    finally:
        writer.close()

async def main(loop, accepts):
    # As when something else takes the descriptors that the limit counts on.
    config = Config(port=0, lifespan="off", limit_concurrency=10_000, proxy_protocol=accepts == "proxied")
    async with Server(app, config) as server:
        port, state = server.addresses[0][1], server.state
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(40)]
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 3, hard))
        began = time.process_time()
        await asyncio.sleep(1.5)  # time in which a loop that spins would take 1.5 s of the processor
        spun = time.process_time() - began > 0.75
        exhausted = len(state.connections) + len(state.capacity.opening) < 40
        for client in clients:
            client.close()
        while state.connections or state.capacity.opening:
            await asyncio.sleep(0)
        head = b"PROXY UNKNOWN\\r\\n" if config.proxy_protocol else b""
        while not (reply := await ask(port, head)).endswith(b"alive"):
            await asyncio.sleep(0.1)
        print(f"{exhausted=} {spun=} {reply[-5:]!r}")

logging.basicConfig()
with asyncio.Runner(loop_factory=choose_loop_factory(sys.argv[1])) as runner:
    runner.run(main(*sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("accepts", ["plain", "proxied"])
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_worker_without_descriptors_neither_ends_nor_spins_and_recovers(loop: str, accepts: str) -> None:
    """EMFILE in accept: the listener stays readable, and trying on and on would take all the processor's time, or the disk."""
    result = subprocess.run(
        [sys.executable, "-c", EXHAUST, loop, accepts],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.stdout == "exhausted=True spun=False b'alive'\n", result.stdout + result.stderr
    # uvloop takes and closes them itself, without a word.
    lines = ["ERROR:transom.server:cannot accept connections: Too many open files; trying again every second"]
    assert result.stderr.splitlines() == (lines if (loop, accepts) != ("uvloop", "plain") else [])
