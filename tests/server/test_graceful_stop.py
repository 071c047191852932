"""The orderly end of one worker: who is answered, who is told, and who is cut off, in which order."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from transom.server import Config, Server
from transom.server.exceptions import ClientDisconnected

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
GRACE = 5.0
StartServer = Callable[..., Any]


def begin_stop(running: Any) -> asyncio.Task[None]:
    return asyncio.create_task(running.server.stop())


async def until_stopping(running: Any) -> None:
    while not running.server.state.is_stopping:
        await asyncio.sleep(0)


async def read_and_close(client: Any) -> bytes:
    """Do as clients do at the end of a connection: a server waits for that for a moment."""
    data = await client.read_to_end()
    client.writer.close()
    return data


@pytest.fixture
def quick_last_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Close idle connections soon: what is tested is who is told afterwards."""
    monkeypatch.setattr("transom.server.worker.LAST_CALL", 0.01)


# Connections


async def test_request_on_its_way_to_an_idle_connection_is_answered_as_the_last(serve, respond):
    """A client may have sent it before it could know; to close at once would lose it."""
    running = await serve(respond(), timeout_graceful_shutdown=GRACE)
    client = await running.connect()
    assert (await client.get())[b"connection"] is None
    stopping = begin_stop(running)
    await until_stopping(running)
    reply = await client.get()
    assert (reply.status, reply[b"connection"], reply.body) == (200, b"close", b"hello")
    assert await read_and_close(client) == b""
    await stopping


async def test_idle_connection_is_closed_soon(serve, respond, quick_last_call):
    running = await serve(respond(), timeout_graceful_shutdown=100)
    client = await running.connect()
    await client.get()
    await asyncio.wait_for(running.server.stop(), 5)
    assert await client.read_to_end() == b""


async def test_connection_that_never_sent_anything_is_closed_soon(serve, respond, quick_last_call):
    running = await serve(respond(), timeout_graceful_shutdown=100)
    client = await running.connect()
    while not running.server.state.connections:
        await asyncio.sleep(0)
    await asyncio.wait_for(running.server.stop(), 5)
    assert await client.read_to_end() == b""


async def test_head_that_is_half_there_may_be_completed(serve, respond, quick_last_call):
    running = await serve(respond(), timeout_graceful_shutdown=100)
    client = await running.connect()
    await client.send(GET[:10])
    (connection,) = await first_connection(running)
    while not connection._reader.buffered:
        await asyncio.sleep(0)
    stopping = begin_stop(running)
    await until_stopping(running)
    running.server.state.now += 1.0
    await client.send(GET[10:])
    assert (await client.read())[b"connection"] == b"close"
    client.writer.close()
    await stopping


async def first_connection(running: Any) -> Any:
    while not running.server.state.connections:
        await asyncio.sleep(0)
    return running.server.state.connections


async def test_connection_that_was_promised_to_be_kept_takes_one_more_request(serve):
    """The head has left without `connection: close`: to close after the body could lose the next request."""
    began, release = asyncio.Event(), asyncio.Event()

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        began.set()
        await release.wait()
        await send({"type": "http.response.body", "body": b"y"})

    running = await serve(app, timeout_graceful_shutdown=GRACE)
    client = await running.connect()
    await client.send(GET)
    await began.wait()
    stopping = begin_stop(running)
    await until_stopping(running)
    release.set()
    first = await client.read()
    second = await client.get()
    assert (first[b"connection"], first.body) == (None, b"xy")
    assert (second[b"connection"], second.body) == (b"close", b"xy")
    client.writer.close()
    await stopping


async def test_upload_in_progress_is_read_to_its_end(serve):
    async def app(scope, receive, send):
        size, more = 0, True
        while more:
            message = await receive()
            size += len(message["body"])
            more = message["more_body"]
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": str(size).encode()})

    running = await serve(app, timeout_graceful_shutdown=GRACE)
    client = await running.connect()
    await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345")
    while not running.server.state.tasks:
        await asyncio.sleep(0)
    stopping = begin_stop(running)
    await until_stopping(running)
    running.server.state.tick()
    await client.send(b"67890")
    reply = await client.read()
    assert (reply.body, reply[b"connection"]) == (b"10", b"close")
    client.writer.close()
    await stopping


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_connections_that_wait_in_the_queue_are_answered(respond, loop):
    """They have connected before the server stopped; closing the socket would reset them."""

    async def main() -> list[bytes]:
        server = Server(respond(), Config(port=0, lifespan="off", timeout_graceful_shutdown=GRACE))
        async with server:
            # Without a turn of the loop in between: the kernel has them, nobody has accepted them.
            clients = [socket.create_connection(server.addresses[0]) for _ in range(20)]
            for client in clients:
                client.sendall(GET)
            stopping = asyncio.create_task(server.stop())
            replies = await asyncio.gather(*map(read_reply, clients))
            await stopping
        return replies

    async def read_reply(client: socket.socket) -> bytes:
        reader, writer = await asyncio.open_connection(sock=client)
        reply = await reader.read()
        writer.close()
        return reply

    factory = pytest.importorskip("uvloop").new_event_loop if loop == "uvloop" else None
    with asyncio.Runner(loop_factory=factory) as runner:
        replies = runner.run(main())
    assert len(replies) == 20
    assert all(reply.startswith(b"HTTP/1.1 200 ") and b"connection: close" in reply for reply in replies)


async def test_websocket_handshake_that_comes_too_late_is_503(serve):
    async def app(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})

    running = await serve(app, checked=False, timeout_graceful_shutdown=GRACE)
    client = await running.connect()
    await first_connection(running)
    stopping = begin_stop(running)
    await until_stopping(running)
    await client.send(UPGRADE)
    assert (await client.read_head()).status == 503
    await stopping


async def test_developers_do_not_wait_for_idle_connections(serve, respond, monkeypatch):
    """With --reload each edit stops a worker, and a browser keeps its connections."""
    monkeypatch.setattr("transom.server.worker.LAST_CALL", 50.0)
    running = await serve(respond(), timeout_graceful_shutdown=100.0, reload=True)
    client = await running.connect()
    await client.get()
    await asyncio.wait_for(running.server.stop(), 5)


# Responses that have no end of their own


def event_stream(events: list[Any], *, listens: bool, told: asyncio.Event | None = None) -> Any:
    """Return an application that streams events until it is told that this is the end."""

    async def app(scope, receive, send):
        await receive()
        head = [(b"content-type", b"text/event-stream; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        if listens:
            events.append((await receive())["type"])
            await send({"type": "http.response.body", "body": b"data: bye\n\n", "more_body": True})
            return  # without an end, as most frameworks
        try:
            while True:
                await asyncio.sleep(0.01)
                await send({"type": "http.response.body", "body": b"data: 2\n\n", "more_body": True})
        except OSError as exc:
            events.append(exc)
            raise

    return app


async def test_event_stream_is_told_at_once_and_ends_whole(serve, caplog, quick_last_call):
    events: list[Any] = []
    running = await serve(event_stream(events, listens=True), checked=False, timeout_graceful_shutdown=100)
    client = await running.connect()
    await client.send(GET)
    assert (await client.read_head())[b"content-type"] == b"text/event-stream; charset=utf-8"
    reading = asyncio.create_task(read_and_close(client))
    await asyncio.wait_for(running.server.stop(), 5)
    assert events == ["http.disconnect"]
    assert await reading == b"9\r\ndata: 1\n\n\r\nb\r\ndata: bye\n\n\r\n0\r\n\r\n"
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.slow
async def test_event_stream_that_does_not_ask_is_ended_after_half_of_the_grace_period(serve, caplog):
    """As Starlette's StreamingResponse, which learns of the end of its client only by sending."""
    events: list[Any] = []
    running = await serve(event_stream(events, listens=False), checked=False, timeout_graceful_shutdown=4.0)
    client = await running.connect()
    await client.send(GET)
    await client.read_head()
    reading = asyncio.create_task(read_and_close(client))
    began = time.monotonic()
    await running.server.stop()
    assert time.monotonic() - began >= 2.0
    assert [type(each) for each in events] == [ClientDisconnected]
    assert (await reading).endswith(b"9\r\ndata: 2\n\n\r\n0\r\n\r\n")
    # After the whole of it, the request would have been cancelled, with a warning.
    assert not [record for record in caplog.records if record.levelname in ("ERROR", "WARNING")]


@pytest.mark.slow
async def test_application_that_waits_for_its_client_is_told_after_half_of_the_grace_period(serve):
    """A long poll may still answer; Django cancels the view then, so a request has the first half for itself."""

    async def app(scope, receive, send):
        await receive()
        kind = (await receive())["type"]
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": kind.encode()})

    running = await serve(app, timeout_graceful_shutdown=4.0)
    client = await running.connect()
    await client.send(GET)
    while not running.server.state.tasks:
        await asyncio.sleep(0)
    reading = asyncio.create_task(read_and_close(client))
    began = time.monotonic()
    await running.server.stop()
    assert time.monotonic() - began >= 2.0
    reply = await reading  # after the whole of it, it would be 503
    assert reply.startswith(b"HTTP/1.1 200 ")
    assert b"connection: close" in reply
    assert reply.endswith(b"http.disconnect")


@pytest.mark.slow
async def test_application_that_gives_up_when_it_is_told_answers_503(serve, caplog):
    async def app(scope, receive, send):
        while (await receive())["type"] != "http.disconnect":
            pass

    running = await serve(app, timeout_graceful_shutdown=1.0)
    client = await running.connect()
    await client.send(GET)
    while not running.server.state.tasks:
        await asyncio.sleep(0)
    await running.server.stop()
    assert (await client.read()).status == 503
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.slow
async def test_download_in_progress_has_the_whole_grace_period(serve):
    """Half a file is no file: only streams of events are whole at any point."""

    async def app(scope, receive, send):
        await receive()
        await send({"type": "http.response.start", "status": 200})
        for _ in range(15):
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
            await asyncio.sleep(0.1)
        await send({"type": "http.response.body", "body": b"y"})

    running = await serve(app, timeout_graceful_shutdown=2.0)
    client = await running.connect()
    await client.send(GET)
    await client.read_head()
    stopping = begin_stop(running)
    assert (await client.read_to_end()).endswith(b"1\r\ny\r\n0\r\n\r\n")
    await stopping


async def test_application_that_ignores_everything_is_cancelled_and_its_client_told_503(serve, caplog):
    async def app(scope, receive, send):
        await asyncio.Event().wait()

    running = await serve(app, timeout_graceful_shutdown=0.01)
    client = await running.connect()
    await client.send(GET)
    while not running.server.state.tasks:
        await asyncio.sleep(0)
    await running.server.stop()
    assert (await client.read()).status == 503
    assert "cancelling 1 request" in caplog.text


async def test_application_that_swallows_its_cancellation_is_left_behind(serve, caplog, monkeypatch):
    monkeypatch.setattr("transom.server.worker.CANCEL_TIMEOUT", 0.01)
    release = asyncio.Event()

    async def app(scope, receive, send):
        while not release.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await release.wait()

    running = await serve(app, checked=False, timeout_graceful_shutdown=0.01)
    client = await running.connect()
    await client.send(GET)
    while not running.server.state.tasks:
        await asyncio.sleep(0)
    (task,) = running.server.state.tasks
    await running.server.stop()
    assert "1 requests go on although they were cancelled" in caplog.text
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await client.read()
    release.set()
    await task


# Processes


@pytest.mark.slow
@pytest.mark.parametrize("options", ["workers=1", "workers=2"])
def test_process_ends_although_its_application_does_not(
    start_server: StartServer, site_folder: Path, options: str
) -> None:
    (site_folder / "stubborn.py").write_text(
        """
import asyncio, contextlib, sys
from transom.server import worker
from transom.server.processes import process
process.EXIT_TIMEOUT = worker.CANCEL_TIMEOUT = 0.5  # not 5 s each
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        raise NotImplementedError
    print("in progress", file=sys.stderr, flush=True)
    while True:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
"""
    )
    server = start_server(f"timeout_graceful_shutdown=0.5, {options}", "stubborn:app")
    url = server.wait_until_up(int(options[-1]))
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as client:
        client.sendall(GET)
        server.wait_for("in progress")
        code = server.end(signal.SIGTERM)
    assert "1 requests go on although they were cancelled" in server.log
    assert "Timeout (0:00:00.5" in server.log  # the stack of each thread follows
    assert code == (1 if options == "workers=1" else 0)


@pytest.mark.slow
@pytest.mark.parametrize("options", ["workers=1", "workers=2"])
def test_server_that_is_stopped_while_it_starts_does_not_wait(
    start_server: StartServer, site_folder: Path, options: str
) -> None:
    (site_folder / "slow.py").write_text(
        """
import asyncio, sys
async def app(scope, receive, send):
    print("starting", file=sys.stderr, flush=True)
    await asyncio.Event().wait()
"""
    )
    server = start_server(options, "slow:app")
    server.wait_for("starting", times=int(options[-1]))
    began = time.monotonic()
    assert server.end(signal.SIGTERM) == 0
    assert time.monotonic() - began < 20
    assert "Traceback" not in server.log


MATRIX = """
import asyncio, sys
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        print("lifespan ended", file=sys.stderr, flush=True)
        await send({"type": "lifespan.shutdown.complete"})
        return
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] != "websocket.disconnect":
            pass
        print("code", message["code"], file=sys.stderr, flush=True)
        return
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message["more_body"]
    if scope["path"] == "/stream":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        await send({"type": "http.response.body", "body": b"data: 1\\n\\n", "more_body": True})
        print("told", (await receive())["type"], file=sys.stderr, flush=True)
        return
    if scope["path"] == "/slow":
        await asyncio.sleep(1)
    if scope["path"] == "/background":
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"ok"})
        await asyncio.sleep(1)
        print("background done", file=sys.stderr, flush=True)
        return
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": body or b"ok"})
"""


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_stop_with_something_of_each_kind_in_progress(
    start_server: StartServer, site_folder: Path, workers: int
) -> None:
    """Idle, active, half a body, WebSocket, event stream, background work: each is brought to its end in time."""
    (site_folder / "matrix.py").write_text(MATRIX)
    server = start_server(f"workers={workers}, lifespan='on', timeout_graceful_shutdown=10.0", "matrix:app")
    address = ("127.0.0.1", int(server.wait_until_up(workers).rpartition(":")[2]))
    with contextlib.ExitStack() as stack:

        def connect(data: bytes) -> socket.socket:
            client = stack.enter_context(socket.create_connection(address, timeout=20))
            client.sendall(data)
            return client

        idle = connect(GET)
        assert idle.recv(1000).endswith(b"ok")
        websocket = connect(UPGRADE)
        assert websocket.recv(1000).startswith(b"HTTP/1.1 101 ")
        stream = connect(GET.replace(b"/", b"/stream", 1))
        assert b"text/event-stream" in stream.recv(1000)
        background = connect(GET.replace(b"/", b"/background", 1))
        assert background.recv(1000).endswith(b"ok")
        slow = connect(GET.replace(b"/", b"/slow", 1))
        upload = connect(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n")
        assert upload.recv(1000).startswith(b"HTTP/1.1 100 ")
        upload.sendall(b"12345")

        server.process.send_signal(signal.SIGTERM)
        server.wait_for("stopping", times=workers)
        upload.sendall(b"67890")
        assert read_all(upload).endswith(b"1234567890")
        assert re.search(rb"^HTTP/1.1 200 .*connection: close.*ok$", read_all(slow), re.DOTALL)
        assert read_all(idle) == b""
        assert read_all(stream).endswith(b"0\r\n\r\n")
        assert read_all(websocket)[:4] == b"\x88\x02\x03\xf4"  # a close frame with 1012
        websocket.sendall(b"\x88\x82\0\0\0\0\x03\xf4")
        assert server.end() == 0
    assert "told http.disconnect" in server.log
    assert "code 1012" in server.log
    assert "background done" in server.log
    assert server.log.count("lifespan ended") == workers
    assert "Traceback" not in server.log
    assert "cancelling" not in server.log


def read_all(client: socket.socket) -> bytes:
    """Read to the end and close, as clients do; a close frame is no end, it has to be answered."""
    data = b""
    while piece := client.recv(65_536):
        data += piece
        if data[:1] == b"\x88":
            return data
    client.close()
    return data
