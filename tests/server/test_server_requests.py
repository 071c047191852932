"""What an application sees of a request, over real sockets. IDs are those of the ASGI conformance list."""

from __future__ import annotations

import asyncio
import contextvars

import pytest


def recording(scopes):
    async def app(scope, receive, send):
        scopes.append(scope)
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})

    return app


async def echo(scope, receive, send):
    """Answer with the body of the request."""
    body, more = b"", True
    while more:
        event = await receive()
        body += event["body"]
        more = event["more_body"]
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": body})


async def test_scope_has_all_keys_and_types(serve):
    """H: every key of the HTTP scope."""
    scopes = []
    running = await serve(recording(scopes))
    client = await running.connect()
    await client.send(b"GET /a%20%C3%A4?x=%20 HTTP/1.1\r\nHost: example.org\r\nX-A: 1\r\nx-a: 2\r\n\r\n")
    await client.read()
    (scope,) = scopes
    assert scope == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/a ä",
        "raw_path": b"/a%20%C3%A4",
        "query_string": b"x=%20",
        "root_path": "",
        "headers": [(b"host", b"example.org"), (b"x-a", b"1"), (b"x-a", b"2")],
        "client": client.writer.get_extra_info("sockname"),
        "server": ("127.0.0.1", running.port),
        "extensions": {
            "http.response.early_hint": {},
            "http.response.pathsend": {},
            "http.response.trailers": {},
            "http.response.zerocopysend": {},
        },
    }


async def test_path_that_is_not_utf8_is_no_error(serve):
    """H: path."""
    scopes = []
    running = await serve(recording(scopes))
    await (await running.connect()).get("/%ff")
    assert scopes[0]["path"] == "/\ufffd"


async def test_root_path_is_part_of_the_path(serve):
    """H: root_path."""
    scopes = []
    running = await serve(recording(scopes), root_path="/app")
    await (await running.connect()).get("/page")
    assert (scopes[0]["root_path"], scopes[0]["path"], scopes[0]["raw_path"]) == (
        "/app",
        "/app/page",
        b"/app/page",
    )


async def test_unix_socket_has_a_path_for_server_and_no_client(serve, tmp_path):
    """H: client, server."""
    scopes = []
    path = tmp_path / "s"
    async with _server(recording(scopes), uds=str(path)):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 200")
        writer.close()
        await writer.wait_closed()
    assert (scopes[0]["client"], scopes[0]["server"]) == (None, (str(path), None))


def _server(app, **options):
    from transom.server import Config, Server

    return Server(app, Config(lifespan="off", **options))


async def test_requests_share_no_scope_and_no_headers(serve):
    """B12."""
    scopes = []
    running = await serve(recording(scopes))
    client = await running.connect()
    await client.get()
    await client.get()
    assert scopes[0] is not scopes[1]
    assert scopes[0]["headers"] is not scopes[1]["headers"]


async def test_context_variables_do_not_reach_the_next_request(serve):
    """B13."""
    variable, seen = contextvars.ContextVar("variable", default=None), []

    async def app(scope, receive, send):
        seen.append(variable.get())
        variable.set(1)
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})

    client = await (await serve(app)).connect()
    await client.get()
    await client.get()
    assert seen == [None, None]


@pytest.mark.parametrize("wait", [False, True])
async def test_request_is_a_real_task(serve, wait):
    """B14."""
    seen = []

    async def app(scope, receive, send):
        task = asyncio.current_task()
        seen.append((task in asyncio.all_tasks(), task.cancelling()))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await asyncio.sleep(10)
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(0))
        if wait:
            await asyncio.sleep(0)
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})

    client = await (await serve(app)).connect()
    assert (await client.get()).status == 200
    assert seen == [(True, 0)]


async def test_get_has_one_empty_body_event(serve):
    """HE1."""
    events = []

    async def app(scope, receive, send):
        events.append(await receive())
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})
        events.append(await receive())
        events.append(await receive())

    client = await (await serve(app)).connect()
    await client.get()
    await client.get()
    assert events[:3] == [
        {"type": "http.request", "body": b"", "more_body": False},
        {"type": "http.disconnect"},
        {"type": "http.disconnect"},
    ]


@pytest.mark.parametrize("size", [0, 1, 100_000])
async def test_body_of_known_length_arrives_whole(serve, size):
    """HE1."""
    running, body = await serve(echo), b"a" * size
    reply = await running.exchange(
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (size, body)
    )
    assert reply.body == body


async def test_chunked_body_arrives_whole_and_the_connection_goes_on(serve):
    """HE1, H1.8."""
    client = await (await serve(echo)).connect()
    await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
    await client.send(b"4;x\r\ndefg\r\n0\r\nX-Trailer: x\r\n\r\n")
    assert (await client.read()).body == b"abcdefg"
    assert (await client.get()).status == 200


async def test_application_is_called_at_the_end_of_the_head(serve):
    """HE1: not before, not after the body."""

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"3")]})
        await send({"type": "http.response.body", "body": b"", "more_body": True})
        await send({"type": "http.response.body", "body": (await receive())["body"]})

    client = await (await serve(app)).connect()
    await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n")
    assert (await client.read_head()).status == 200
    await client.send(b"abc")
    assert await client.reader.readexactly(3) == b"abc"


async def test_continue_is_sent_when_the_application_wants_the_body(serve):
    """HE18."""
    client = await (await serve(echo)).connect()
    await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
    assert (await client.read()).status == 100
    await client.send(b"abc")
    assert (await client.read()).body == b"abc"
    assert (await client.get()).status == 200


async def test_continue_is_not_sent_when_the_response_comes_first(serve, respond):
    """HE18: and the connection closes, for the body may or may not follow."""
    client = await (await serve(respond())).connect()
    await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
    reply = await client.read()
    assert (reply.status, reply[b"connection"]) == (200, b"close")
    assert await client.read_to_end() == b""


async def test_unread_body_is_not_the_next_request(serve, respond):
    """HE17."""
    client = await (await serve(respond())).connect()
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(smuggled))
    await client.read()
    await client.send(smuggled)
    assert (await client.get()).status == 200


async def test_long_unread_body_closes_the_connection(serve, respond):
    """HE17."""
    client = await (await serve(respond())).connect()
    await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n")
    assert (await client.read()).status == 200
    await client.send(b"a" * 100_000)
    assert await client.read_to_end() == b""


async def test_slow_application_stops_the_client(serve):
    """Backpressure: what is not read stays with the client."""
    release = asyncio.Event()
    total = 0

    async def app(scope, receive, send):
        nonlocal total
        await release.wait()
        more = True
        while more:
            event = await receive()
            total += len(event["body"])
            more = event["more_body"]
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})

    client = await (await serve(app)).connect()
    size = 20_000_000
    client.writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size + b"a" * size)
    for _ in range(20):
        await asyncio.sleep(0)
    assert client.writer.transport.get_write_buffer_size() > 0
    release.set()
    assert (await client.read()).status == 200
    assert total == size


async def test_pipelined_requests_are_answered_in_order(serve):
    async def app(scope, receive, send):
        if scope["path"] == "/0":
            await asyncio.sleep(0)
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    client = await (await serve(app)).connect()
    await client.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % n for n in range(40)))
    assert [(await client.read()).body for _ in range(40)] == [b"/%d" % n for n in range(40)]


async def test_pipelined_requests_before_a_half_close_are_all_answered(serve, respond):
    """HE3."""
    client = await (await serve(respond())).connect()
    client.writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 40)
    client.writer.write_eof()
    assert (await client.read_to_end()).count(b"HTTP/1.1 200 OK") == 40


async def test_half_closed_client_gets_its_response(serve):
    """HE3."""
    started, release = asyncio.Event(), asyncio.Event()

    async def app(scope, receive, send):
        started.set()
        await release.wait()
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"late"})

    client = await (await serve(app)).connect()
    await client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    client.writer.write_eof()
    await started.wait()
    release.set()
    assert (await client.read_to_end()).endswith(b"late")


async def test_waiting_receive_wakes_when_the_client_leaves(serve):
    """HE2."""
    waiting, events = asyncio.Event(), asyncio.Queue()

    async def app(scope, receive, send):
        await receive()
        waiting.set()
        events.put_nowait(await receive())
        events.put_nowait(await receive())

    client = await (await serve(app)).connect()
    await client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await waiting.wait()
    client.writer.close()
    for _ in range(2):
        assert (await asyncio.wait_for(events.get(), 5)) == {"type": "http.disconnect"}


async def test_client_that_leaves_in_the_middle_of_its_body_is_a_disconnect(serve):
    """HE2, HE3."""
    events = asyncio.Queue()

    async def app(scope, receive, send):
        for _ in range(2):
            events.put_nowait(await receive())

    client = await (await serve(app)).connect()
    await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
    assert (await asyncio.wait_for(events.get(), 5))["more_body"]
    client.writer.write_eof()
    assert (await asyncio.wait_for(events.get(), 5)) == {"type": "http.disconnect"}


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\nHost: a\n\n", 400),
        (b"GET /" + b"a" * 9000, 414),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 40_000, 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n", 417),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    ],
)
async def test_refusal_says_why_and_closes(serve, respond, data, status):
    client = await (await serve(respond(), limit_request_body=10)).connect()
    await client.send(data)
    reply = await client.read()
    assert (reply.status, reply[b"connection"]) == (status, b"close")
    assert await client.read_to_end() == b""


async def test_broken_chunk_reaches_the_application_as_a_disconnect(serve):
    events = asyncio.Queue()

    async def app(scope, receive, send):
        for _ in range(2):
            events.put_nowait(await receive())

    client = await (await serve(app)).connect()
    await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
    assert (await asyncio.wait_for(events.get(), 5))["body"] == b"abc"
    await client.send(b"zz\r\n")
    assert (await asyncio.wait_for(events.get(), 5)) == {"type": "http.disconnect"}
    assert (await client.read()).status == 400


async def test_bad_request_behind_a_good_one_is_refused_after_it(serve, respond):
    client = await (await serve(respond())).connect()
    await client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/9\r\n\r\n")
    assert [(await client.read()).status for _ in range(2)] == [200, 400]


async def test_application_that_asks_with_a_timeout_leaves_nothing_behind(serve):
    """Starlette's `is_disconnected` asks so, as often as the application likes."""
    left = []

    async def app(scope, receive, send):
        await receive()
        for _ in range(10):
            task = asyncio.create_task(receive())
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait({task})
        left.append(receive.__self__._waiters)
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})

    assert (await (await (await serve(app, checked=False)).connect()).get()).status == 200
    assert left == [[]]
