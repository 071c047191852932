"""Start, stop, deadlines and addresses of one worker."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys

import pytest

from transom.server import Config, Server, bind_sockets
from transom.server.connection import HTTP1Connection
from transom.server.state import MAX_REFUSALS_NOTED, TICK, TURN, ServerState

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


async def test_idle_connections_close_when_the_server_stops(serve, respond):
    running = await serve(respond())
    client = await running.connect()
    await client.get()
    await running.server.stop()
    assert await client.read_to_end() == b""


async def test_request_in_progress_finishes_with_connection_close(serve):
    started, release = asyncio.Event(), asyncio.Event()

    async def app(scope, receive, send):
        started.set()
        await release.wait()
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"finished"})

    running = await serve(app, timeout_graceful_shutdown=5.0)
    client = await running.connect()
    await client.send(GET)
    await started.wait()
    stopping = asyncio.create_task(running.server.stop())
    await asyncio.sleep(0)
    release.set()
    reply = await client.read()
    assert (reply[b"connection"], reply.body) == (b"close", b"finished")
    client.writer.close()
    await stopping


async def test_new_connections_are_refused_while_stopping(serve, respond):
    running = await serve(respond())
    await running.server.stop()
    with pytest.raises(ConnectionError):
        await asyncio.open_connection("127.0.0.1", running.port)


async def test_request_that_does_not_end_is_cancelled(serve, caplog):
    started, cancelled = asyncio.Event(), asyncio.Event()

    async def app(scope, receive, send):
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    running = await serve(app, timeout_graceful_shutdown=0.01)
    client = await running.connect()
    await client.send(GET)
    await started.wait()
    await running.server.stop()
    assert cancelled.is_set()
    assert "cancelling 1 request" in caplog.text


async def test_stop_twice_is_harmless(serve, respond):
    running = await serve(respond())
    await running.server.stop()
    await running.server.stop()


async def test_first_signal_stops_gracefully_and_second_at_once():
    started = asyncio.Event()

    async def app(scope, receive, send):
        started.set()
        await asyncio.Event().wait()

    (listener,) = bind_sockets(Config(port=0))
    port = listener.getsockname()[1]
    server = Server(app, Config(lifespan="off"), sockets=[listener])
    serving = asyncio.create_task(server.serve())
    while not server.urls:
        await asyncio.sleep(0)
    listener.listen()
    _reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(GET)
    await asyncio.wait_for(started.wait(), 5)
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.sleep(0.01)
    assert not serving.done()
    os.kill(os.getpid(), signal.SIGINT)
    await asyncio.wait_for(serving, 5)
    writer.close()


# Deadlines, with a clock of our own


class FakeTransport(asyncio.Transport):
    """A transport that notes what is done to it."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 80)})
        self.written, self.closed, self.ended = b"", False, False
        self.writes = 0

    def write(self, data):
        self.written += data
        self.writes += 1

    def get_write_buffer_size(self):
        return 0

    def is_closing(self):
        return self.closed

    def can_write_eof(self):
        return True

    def write_eof(self):
        self.ended = True

    def close(self):
        self.closed = True

    abort = close


@pytest.fixture
async def connection(respond):
    config = Config(timeout_header=10, timeout_keep_alive=75, access_log=False)
    connection = HTTP1Connection(ServerState(respond(), config, asyncio.get_running_loop()))
    connection.connection_made(FakeTransport())
    return connection


def closes_between(connection, seconds):
    """Tell whether the connection stays open for so long and is closed two ticks later."""
    state, transport = connection._state, connection._transport
    connection.tick(state.now + seconds)
    early = transport.closed or transport.ended
    connection.tick(state.now + seconds + 2 * TICK)
    return not early and (transport.closed or transport.ended)


class Late:
    """A connection that is closed when it looks at its deadline."""

    def __init__(self, state):
        self._state = state
        state.connections.add(self)

    def tick(self, now):
        self._state.connections.remove(self)


async def test_thousands_that_are_too_late_do_not_make_others_wait(respond, monkeypatch):
    """Each turn of the loop closes some, so that whatever else is ready has its turn between."""
    clock = itertools.count()
    monkeypatch.setattr("transom.server.state.time.perf_counter", lambda: next(clock) * TURN * 0.15)
    state = ServerState(respond(), Config(access_log=False), asyncio.get_running_loop())
    late = [Late(state) for _ in range(15)]
    state.tick()
    assert len(state.connections) == 9
    for lost in [each for each in late if each in state.connections][:5]:
        state.connections.remove(lost)  # its own tick would raise now
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not state.connections


async def test_refusals_beyond_a_few_a_second_are_one_line(respond, caplog):
    """Who sends rubbish by the thousand must not fill the log."""
    caplog.set_level("INFO", "transom.server")
    state = ServerState(respond(), Config(access_log=False), asyncio.get_running_loop())
    for count, last in ((MAX_REFUSALS_NOTED, "a"), (MAX_REFUSALS_NOTED + 3, "3 more")):
        caplog.clear()
        for _ in range(count):
            state.note_refusal("a", 400, "rubbish")
        state.tick()
        assert len(caplog.messages) == MAX_REFUSALS_NOTED + (count > MAX_REFUSALS_NOTED)
        assert last in caplog.messages[-1]
    assert state.refused[400] == 2 * MAX_REFUSALS_NOTED + 3


async def test_request_that_never_waits_is_answered_by_one_write_within_the_read(connection):
    """The task is eager from Python 3.12 on; before, it starts with the next turn of the loop."""
    connection.data_received(GET)
    transport = connection._transport
    assert transport.writes == (1 if sys.version_info >= (3, 12) else 0)
    await asyncio.sleep(0)
    assert transport.writes == 1
    assert transport.written.startswith(b"HTTP/1.1 200 ")
    assert transport.written.endswith(b"\r\n\r\nhello")


async def test_new_connection_must_send_a_head_in_time(connection):
    assert closes_between(connection, 10)
    assert connection._transport.written == b""


async def test_half_a_head_is_answered_with_408(connection):
    connection.data_received(b"GET / HTTP/1.1\r\n")
    assert closes_between(connection, 10)
    assert connection._transport.written.startswith(b"HTTP/1.1 408 ")


async def test_dripping_head_does_not_buy_time(connection):
    connection.data_received(GET[:5])
    for byte in GET[5:-1]:
        connection._state.now += 0.1
        connection.data_received(bytes([byte]))
    connection._state.now = 0
    assert closes_between(connection, 10)


async def test_idle_connection_is_kept_for_a_while(connection):
    connection.data_received(GET)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert b"hello" in connection._transport.written
    assert closes_between(connection, 75)
