"""A client that is too slow: with a body, with reading. Real sockets; time passes when the test says so."""

from __future__ import annotations

import asyncio
import os
import socket

import pytest

from transom.server.progress import GRACE, BodyProgress, WriteProgress
from transom.server.state import TICK

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


class Clock:
    """Lets the worker's ticks happen at times of the test's choice."""

    def __init__(self, running):
        self._state = running.server._state
        self._state.stop_timer()
        self.now = self._state.now = float(int(self._state.loop.time()))  # whole seconds add up exactly

    def advance(self, seconds):
        """Tick once per second, as the timer would."""
        for _ in range(round(seconds / TICK)):
            self.now += TICK
            self._state.now = self.now
            for connection in tuple(self._state.connections):
                connection.tick(self.now)


async def uploads(serve, **options):
    """Serve an application that reads bodies; return it, its clock, and what it has received."""
    events = []

    async def app(scope, receive, send):
        while True:
            event = await receive()
            events.append(event)
            if event["type"] == "http.disconnect":
                return
            if not event["more_body"]:
                break
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"whole"})

    running = await serve(app, access_log=False, **options)
    return running, Clock(running), events


async def until(condition):
    """Let the loop turn until something is so."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0)
        await asyncio.get_running_loop().run_in_executor(None, lambda: None)
    raise AssertionError("it did not become so")


def received(events):
    return b"".join(event.get("body", b"") for event in events)


@pytest.mark.parametrize(
    ("head", "piece"), [(HEAD, b"abc"), (CHUNKED, b"3\r\nabc\r\n")], ids=["length", "chunked"]
)
async def test_body_that_stops_is_refused_after_its_timeout(serve, head, piece):
    running, clock, events = await uploads(serve, timeout_body=20.0, limit_body_rate=0)
    client = await running.connect()
    await client.send(head + piece)
    await until(lambda: received(events) == b"abc")
    clock.advance(19)
    await client.send(piece)  # just in time
    await until(lambda: received(events) == b"abcabc")
    clock.advance(20)
    assert events[-1]["type"] == "http.request"
    clock.advance(1)
    reply = await client.read()
    assert (reply.status, reply[b"connection"]) == (408, b"close")
    assert b"no byte of the request body for 20 seconds" in reply.body
    assert events[-1] == {"type": "http.disconnect"}


@pytest.mark.parametrize(("head", "piece"), [(HEAD, b"a" * 100), (CHUNKED, b"64\r\n" + b"a" * 100 + b"\r\n")])
async def test_dripping_body_is_refused_by_its_rate(serve, head, piece):
    """100 bytes a second, where 240 are asked for: Slowloris with a body."""
    running, clock, events = await uploads(serve, limit_body_rate=240)
    client = await running.connect()
    await client.send(head)
    for second in range(int(GRACE)):
        await client.send(piece)
        await until(lambda size=100 * (second + 1): len(received(events)) == size)
        clock.advance(1)
    assert events[-1]["type"] == "http.request"
    clock.advance(1)
    reply = await client.read()
    assert reply.status == 408
    assert b"slower than 240 bytes a second" in reply.body


async def test_body_at_its_rate_goes_on(serve):
    running, clock, events = await uploads(serve, limit_body_rate=240)
    client = await running.connect()
    await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n")
    await until(lambda: any(each._progress for each in running.server._state.connections))
    for second in range(40):
        await client.send(b"a" * 250)
        if second < 39:
            await until(lambda size=250 * (second + 1): len(received(events)) == size)
            clock.advance(1)
    assert (await client.read()).body == b"whole"


async def test_body_that_the_application_does_not_take_is_not_late(serve):
    """Reading is paused: the client cannot send."""
    release = asyncio.Event()

    async def app(scope, receive, send):
        await release.wait()
        while (await receive())["more_body"]:
            pass
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})

    running = await serve(app)
    clock = Clock(running)
    client = await running.connect()
    await client.send(HEAD + b"a" * 300_000)
    (connection,) = running.server._state.connections
    await until(lambda: connection._reading_paused)
    clock.advance(100)
    release.set()
    await client.send(b"a" * 700_000)
    assert (await client.read()).status == 200


async def test_client_that_waits_for_100_continue_is_not_late(serve):
    release = asyncio.Event()

    async def app(scope, receive, send):
        await release.wait()
        await receive()
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})

    running = await serve(app)
    clock = Clock(running)
    client = await running.connect()
    await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n")
    (connection,) = running.server._state.connections
    await until(lambda: connection._progress is not None)
    clock.advance(100)
    release.set()
    assert (await client.read_head()).status == 100
    await client.send(b"a")
    assert (await client.read()).status == 200


async def streams(serve, **options):
    """Serve an endless stream; return the server, its clock, and what `send` raised in the end."""
    raised = asyncio.get_running_loop().create_future()

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200})
        try:
            while True:
                await send({"type": "http.response.body", "body": b"a" * 65536, "more_body": True})
        except OSError as exc:
            raised.set_result(exc)
            raise

    running = await serve(app, access_log=False, **options)
    return running, Clock(running), raised


async def test_client_that_does_not_read_is_cut_off_after_its_timeout(serve):
    running, clock, raised = await streams(serve, timeout_write=30.0)
    client = await running.connect()
    client.writer.transport.pause_reading()
    await client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await until(lambda: any(c.writing_paused for c in running.server._state.connections))
    clock.advance(30)
    await asyncio.sleep(0)
    assert not raised.done()
    clock.advance(2)
    assert "client is gone" in str(await asyncio.wait_for(raised, 5))


async def test_client_that_reads_a_little_is_not_cut_off(serve):
    """The system's buffers count: what it takes from them, the transport does not see."""
    running, clock, raised = await streams(serve, timeout_write=5.0)
    client = await running.connect()
    sock = client.writer.get_extra_info("socket")
    client.writer.transport.pause_reading()
    await client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await until(lambda: any(c.writing_paused for c in running.server._state.connections))
    for _ in range(20):
        clock.advance(4)
        with socket.socket(fileno=os.dup(sock.fileno())) as copy:
            copy.recv(1 << 20)
        await asyncio.sleep(0)
    assert not raised.done()


async def test_application_that_never_waits_learns_that_the_client_is_gone(serve):
    """HE13: `send` gives way to the loop when the transport is closing."""
    running, _, raised = await streams(serve)
    client = await running.connect()
    await client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await client.read_head()
    client.writer.transport.abort()
    assert isinstance(await asyncio.wait_for(raised, 5), OSError)


# The rules, without sockets.


def test_body_is_late_exactly_at_its_timeout():
    progress = BodyProgress(100.0)
    assert progress.complain(119.9, is_paused=False, timeout=20.0, rate=0) == ""
    assert progress.complain(120.0, is_paused=False, timeout=20.0, rate=0)


def test_paused_time_counts_neither_as_silence_nor_in_the_rate():
    progress = BodyProgress(0.0)
    progress.size = 1000
    assert progress.complain(90.0, is_paused=True, timeout=20.0, rate=240) == ""
    assert progress.complain(94.0, is_paused=False, timeout=20.0, rate=240) == ""
    assert "slower" in progress.complain(96.0, is_paused=False, timeout=20.0, rate=240)


def test_rate_is_an_average_from_the_beginning():
    progress = BodyProgress(0.0)
    progress.size = 2400
    assert progress.complain(10.0, is_paused=False, timeout=20.0, rate=240) == ""
    assert "slower" in progress.complain(10.1, is_paused=False, timeout=20.0, rate=240)


def test_writing_stalls_only_while_the_same_bytes_wait():
    progress = WriteProgress()
    assert not progress.is_stalled(0.0, 10, 30.0)
    assert not progress.is_stalled(29.9, 10, 30.0)
    assert not progress.is_stalled(29.9, 9, 30.0)
    assert not progress.is_stalled(59.8, 9, 30.0)
    assert progress.is_stalled(59.9, 9, 30.0)
