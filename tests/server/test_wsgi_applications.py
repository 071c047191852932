"""WSGI applications on our server, over real sockets: what passes through the adapter and the server together."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import threading
from random import Random
from wsgiref.validate import validator

import pytest

from transom.asgi import ASGIToWSGI, wsgi

TEXT = [("Content-Type", "text/plain")]


@pytest.fixture
async def serve_wsgi(serve):
    """Serve a WSGI application; its threads end with the server."""

    async def start(app, *, threads: int = 4, **options):
        return await serve(wsgi(app, threads=threads), lifespan="on", **options)

    return start


def echo(environ, start_response):
    start_response("200 OK", TEXT)
    return [environ["wsgi.input"].read()]


async def test_application_that_wsgiref_checks(serve_wsgi):
    def app(environ, start_response):
        start_response("200 OK", TEXT)
        return [environ["PATH_INFO"].encode("latin-1"), b"?", environ["QUERY_STRING"].encode()]

    running = await serve_wsgi(validator(app))
    reply = await running.exchange(b"GET /caf%C3%A9/%E4?a=%20 HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (reply.status, reply.body) == (200, b"/caf\xc3\xa9/\xe4?a=%20")
    assert reply[b"transfer-encoding"] == b"chunked"  # three pieces of an iterator, however fast they come


@pytest.mark.parametrize("framing", ["content-length", "chunked"])
async def test_body_arrives_whole(serve_wsgi, framing):
    running = await serve_wsgi(echo)
    body = bytes(range(256)) * 1000
    client = await running.connect()
    if framing == "chunked":
        pieces = [body[start : start + 7001] for start in range(0, len(body), 7001)]
        head = b"Transfer-Encoding: chunked"
        data = b"".join(b"%x\r\n%s\r\n" % (len(each), each) for each in pieces) + b"0\r\n\r\n"
    else:
        head, data = b"Content-Length: %d" % len(body), body
    await client.send(b"POST / HTTP/1.1\r\nHost: a\r\n" + head + b"\r\n\r\n" + data)
    assert (await client.read()).body == body
    assert (await client.get("/")).body == b""  # on the same connection


async def test_body_is_read_while_it_is_sent(serve_wsgi):
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def app(environ, start_response):
        for line in environ["wsgi.input"]:
            loop.call_soon_threadsafe(heard.put_nowait, line)
        start_response("200 OK", TEXT)
        return []

    running = await serve_wsgi(app)
    client = await running.connect()
    await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\none\n")
    assert await heard.get() == b"one\n"
    await client.send(b"two\n")
    assert await heard.get() == b"two\n"
    assert (await client.read()).status == 200


@pytest.mark.slow
async def test_client_waits_while_the_application_does_not_read(serve_wsgi):
    """Little is kept of an upload that nobody reads: the system's buffers fill, and the client stands still."""
    entered, release = threading.Event(), threading.Event()
    size = 64 * 1024 * 1024

    def app(environ, start_response):
        entered.set()
        assert release.wait(30)
        digest = hashlib.sha256()
        while piece := environ["wsgi.input"].read(100_000):
            digest.update(piece)
        start_response("200 OK", TEXT)
        return [digest.hexdigest().encode()]

    running = await serve_wsgi(app)
    client = await running.connect()
    await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size)
    await asyncio.to_thread(entered.wait, 30)
    body = bytes(1024 * 1024)
    sent = 0
    with pytest.raises(TimeoutError):
        while sent < size:
            await asyncio.wait_for(client.send(body), 0.5)
            sent += len(body)
    assert sent < size // 2
    release.set()
    await client.writer.drain()
    sent += len(body)  # the one that stood still
    while sent < size:
        await client.send(body)
        sent += len(body)
    assert (await client.read()).body.decode() == hashlib.sha256(bytes(size)).hexdigest()


@pytest.mark.parametrize("reads", [True, False])
async def test_continue_is_sent_when_the_application_reads(serve_wsgi, reads):
    def app(environ, start_response):
        start_response("200 OK", TEXT)
        return [environ["wsgi.input"].read() if reads else b"no"]

    running = await serve_wsgi(app)
    client = await running.connect()
    await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
    reply = await client.read()
    if reads:
        assert reply.status == 100
        await client.send(b"yes")
        reply = await client.read()
    assert (reply.status, reply.body) == (200, b"yes" if reads else b"no")


async def test_client_that_leaves_ends_the_iteration_and_leaves_no_log_line(serve_wsgi, caplog):
    """HE14"""
    closed = threading.Event()

    class Endless:
        def __iter__(self):
            return iter(lambda: b"x" * 10_000, None)

        def close(self):
            closed.set()

    def app(environ, start_response):
        start_response("200 OK", TEXT)
        return Endless()

    running = await serve_wsgi(app)
    client = await running.connect()
    await client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await client.read_head()
    client.writer.transport.abort()
    assert await asyncio.to_thread(closed.wait, 10)
    await running.server.stop()
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_client_that_leaves_in_its_upload_is_told_to_the_application(serve_wsgi, caplog):
    raised = []
    ended = threading.Event()

    def app(environ, start_response):
        try:
            environ["wsgi.input"].read()
        except OSError as exc:
            raised.append(exc)
            raise
        finally:
            ended.set()

    running = await serve_wsgi(app)
    client = await running.connect()
    await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n123")
    client.writer.close()
    assert await asyncio.to_thread(ended.wait, 10)
    await running.server.stop()
    assert isinstance(raised[0], ConnectionResetError)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_error_is_a_500_and_one_log_record(serve_wsgi, caplog):
    def app(environ, start_response):
        start_response("200 OK", TEXT)
        raise LookupError("in the application")

    running = await serve_wsgi(app)
    reply = await running.exchange(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert reply.status == 500
    records = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(records) == 1
    assert "LookupError: in the application" in caplog.text


async def test_error_in_the_body_cuts_the_response_off(serve_wsgi):
    """B6: the client must see that it is not whole."""

    def app(environ, start_response):
        start_response("200 OK", TEXT)
        yield b"begun"
        raise LookupError("in the body")

    running = await serve_wsgi(app)
    client = await running.connect()
    await client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    try:
        rest = await client.read_to_end()
    except ConnectionResetError:
        return
    assert not rest.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize(("promised", "sent"), [(3, b"four"), (5, b"four")])
async def test_body_of_another_length_than_promised_never_breaks_framing(serve_wsgi, promised, sent):
    def app(environ, start_response):
        start_response("200 OK", [*TEXT, ("Content-Length", str(promised))])
        return [sent]

    running = await serve_wsgi(app)
    client = await running.connect()
    await client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 2)
    try:
        received = await client.read_to_end()
    except ConnectionResetError:
        return
    assert received.startswith(b"HTTP/1.1 500 ") or len(received.partition(b"\r\n\r\n")[2]) < promised


async def test_file_is_sent(serve_wsgi, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 5000)

    def app(environ, start_response):
        file = path.open("rb")
        file.seek(256)
        start_response("200 OK", [])
        return environ["wsgi.file_wrapper"](file)

    running = await serve_wsgi(app)
    client = await running.connect()
    for _ in range(2):
        assert (await client.get("/")).body == bytes(range(256)) * 4999
    await client.send(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (await client.read(head_only=True)).status == 200
    assert (await client.get("/")).status == 200


async def test_requests_above_the_number_of_threads_wait_their_turn(serve_wsgi):
    entered = threading.Semaphore(0)
    release = threading.Event()

    def app(environ, start_response):
        entered.release()
        assert release.wait(10)
        start_response("200 OK", TEXT)
        return [environ["PATH_INFO"].encode()]

    running = await serve_wsgi(app, threads=1)
    clients = [await running.connect() for _ in range(4)]
    for number, client in enumerate(clients):
        await client.send(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number)
    await asyncio.to_thread(entered.acquire, timeout=10)
    release.set()
    assert [(await client.read()).body for client in clients] == [b"/0", b"/1", b"/2", b"/3"]


@pytest.mark.slow  # the imports
async def test_mounted_below_a_prefix(serve):
    """As `mount("old/", wsgi(application))` does it: no lifespan reaches it, the threads start with the first request."""
    from transom.web import App, mount

    def app(environ, start_response):
        start_response("200 OK", TEXT)
        return [f"{environ['SCRIPT_NAME']}|{environ['PATH_INFO']}".encode()]

    adapter = wsgi(app, threads=1)
    site = App([mount("old/", adapter)], debug=True)
    running = await serve(site, lifespan="on")
    reply = await running.exchange(b"GET /old/page HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (reply.status, reply.body) == (200, b"/old|/page")
    await adapter.aclose()


async def test_websocket_is_refused(serve_wsgi):
    running = await serve_wsgi(echo)
    reply = await running.exchange(
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    assert reply.status == 403


@pytest.mark.slow
async def test_application_that_hangs_does_not_hold_up_the_end(serve_wsgi, monkeypatch, caplog):
    from transom.asgi.wsgi import to_asgi
    from transom.server import worker

    monkeypatch.setattr(to_asgi, "_STOP_TIMEOUT", 0.05)
    monkeypatch.setattr(worker, "CANCEL_TIMEOUT", 0.05)
    entered, release = threading.Event(), threading.Event()

    def app(environ, start_response):
        entered.set()
        release.wait(30)
        start_response("200 OK", TEXT)
        return []

    running = await serve_wsgi(app)
    client = await running.connect()
    await client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await asyncio.to_thread(entered.wait, 10)
    await asyncio.wait_for(running.server.stop(), 10)
    release.set()
    assert "1 threads of a WSGI application still run" in caplog.text


async def asgi_site(scope, receive, send):
    """Echo, as `wsgi_site` does."""
    if scope["type"] != "http":
        raise NotImplementedError
    await send({"type": "http.response.start", "status": 200, "headers": []})
    more = scope["path"] != "/unread"
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        more = message["more_body"]
        await send({"type": "http.response.body", "body": message["body"], "more_body": True})
    await send({"type": "http.response.body", "body": b"end"})


def wsgi_site(environ, start_response):
    start_response("200 OK", TEXT)
    if environ["PATH_INFO"] != "/unread":
        while piece := environ["wsgi.input"].read(10_000):
            yield piece
    yield b"end"


async def visit(running, random: Random) -> None:
    """Upload and read the response, or leave somewhere on the way."""
    size = random.choice([0, 1, 100, 70_000, 300_000])
    head = f"POST /{random.choice(['', 'unread'])} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n"
    leaves = random.random() < 0.5
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    writer.write(head.encode() + bytes(random.randrange(size + 1) if leaves else size))
    if leaves:
        for _ in range(random.randrange(20)):
            await asyncio.sleep(0)
        writer.transport.abort()
    else:
        assert b"end" in await asyncio.wait_for(reader.read(), 30)
    writer.close()


@pytest.mark.slow
@pytest.mark.parametrize("app", ["wsgi", "asgi in wsgi"])
async def test_clients_that_leave_at_any_moment_leave_no_thread_waiting(serve, caplog, app):
    others = set(threading.enumerate())  # password hashing, databases: tests before may have left theirs
    inner = ASGIToWSGI(asgi_site)
    running = await serve(
        wsgi(wsgi_site if app == "wsgi" else inner, threads=2), lifespan="on", timeout_graceful_shutdown=20.0
    )
    random = Random(7)

    async def visit_often():
        for _ in range(15):
            await visit(running, random)

    await asyncio.gather(*(visit_often() for _ in range(10)))
    await running.server.stop()  # waits for what runs, and for the threads
    inner.close()
    for thread in [
        each for each in threading.enumerate() if each.name.startswith("transom-") and each not in others
    ]:
        await asyncio.to_thread(thread.join, 10)  # its last instructions, if any
        assert not thread.is_alive()
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
