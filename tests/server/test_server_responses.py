"""What leaves the server, over real sockets: framing, mistakes of the application, backpressure, disconnects."""

from __future__ import annotations

import asyncio
import logging
import socket

import pytest

START = {"type": "http.response.start", "status": 200, "headers": []}
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def sending(*messages):
    """Return an application that sends these messages, come what may."""

    async def app(scope, receive, send):
        for message in messages:
            await send(message)

    return app


def body(data=b"", more=False):
    return {"type": "http.response.body", "body": data, "more_body": more}


async def test_head_and_first_body_arrive_in_one_read(serve):
    client = await (await serve(sending(START, body(b"hello")))).connect()
    await client.send(GET)
    data = await client.reader.read(65536)
    assert data.endswith(b"\r\n\r\nhello")


async def test_single_body_gets_a_length_and_fields_of_the_server(serve):
    """HE7, HE15."""
    reply = await (await serve(sending(START, body(b"hello")))).exchange(GET)
    assert (reply[b"content-length"], reply[b"server"], reply.body) == (b"5", b"transom", b"hello")
    assert reply[b"date"].endswith(b" GMT")


async def test_fields_of_the_server_give_way_to_those_of_the_application(serve):
    """HE15."""
    start = START | {"headers": [(b"server", b"mine"), (b"date", b"today")]}
    reply = await (await serve(sending(start, body()))).exchange(GET)
    assert [value for name, value in reply.headers if name in (b"server", b"date")] == [b"mine", b"today"]


async def test_fields_of_the_server_can_be_turned_off(serve):
    running = await serve(sending(START, body()), server_header=False, date_header=False)
    assert (await running.exchange(GET)).headers == [(b"content-length", b"0")]


async def test_streamed_body_is_chunked(serve):
    """HE7, HE10."""
    reply = await (
        await serve(sending(START, body(b"a", True), body(b"", True), body(b"b", True), body()))
    ).exchange(GET)
    assert (reply[b"transfer-encoding"], reply.body) == (b"chunked", b"ab")


async def test_empty_first_piece_flushes_the_head(serve):
    """HE10: server-sent events rely on it."""
    release = asyncio.Event()

    async def app(scope, receive, send):
        await send(START)
        await send(body(b"", True))
        await release.wait()
        await send(body(b"x"))

    client = await (await serve(app)).connect()
    await client.send(GET)
    assert (await client.read_head()).status == 200
    release.set()


async def test_http_1_0_gets_a_body_that_ends_with_the_connection(serve):
    """H1.6, HE7."""
    client = await (await serve(sending(START, body(b"a", True), body(b"b")))).connect()
    await client.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    head = await client.read_head()
    assert (head[b"transfer-encoding"], head[b"connection"]) == (None, b"close")
    assert await client.read_to_end() == b"ab"


async def test_http_1_0_keep_alive(serve):
    client = await (await serve(sending(START, body(b"a")))).connect()
    for _ in range(2):
        await client.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert (await client.read())[b"connection"] == b"keep-alive"


@pytest.mark.parametrize(
    ("messages", "length"),
    [
        ([START, body(b"hello")], b"5"),
        ([START, body(b"hello", True), body()], None),
        ([START | {"headers": [(b"content-length", b"9")]}, body()], b"9"),
    ],
)
async def test_head_has_no_body_and_keeps_the_length(serve, messages, length):
    """HE7."""
    client = await (await serve(sending(*messages))).connect()
    for _ in range(2):
        await client.send(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
        reply = await client.read(head_only=True)
        assert (reply[b"content-length"], reply[b"transfer-encoding"]) == (length, None)


@pytest.mark.parametrize(("status", "length"), [(204, None), (304, None), (205, b"0")])
async def test_status_without_body_drops_it(serve, status, length):
    """HE7."""
    client = await (await serve(sending(START | {"status": status}, body(b"dropped")))).connect()
    for _ in range(2):
        await client.send(GET)
        reply = await client.read()
        assert (reply.status, reply[b"content-length"], reply[b"transfer-encoding"]) == (status, length, None)


async def test_connection_close_of_client_or_application_closes(serve, respond):
    """HE8."""
    client = await (await serve(respond())).connect()
    assert (await client.get("/", b"Connection: close"))[b"connection"] == b"close"
    assert await client.read_to_end() == b""
    client = await (await serve(respond(headers=[(b"connection", b"close")]))).connect()
    await client.get()
    assert await client.read_to_end() == b""


@pytest.mark.parametrize("data", [memoryview(b"hello"), bytearray(b"hello")])
async def test_body_may_be_any_bytes_like_object(serve, data):
    """B3."""
    assert (await (await serve(sending(START, body(data)))).exchange(GET)).body == b"hello"


async def test_headers_may_be_a_generator_of_lists(serve):
    """HE4."""
    start = START | {"headers": ([name, b"1"] for name in (b"a", b"b"))}
    reply = await (await serve(sending(start, body()), checked=False)).exchange(GET)
    assert (reply[b"a"], reply[b"b"]) == (b"1", b"1")


async def test_headers_may_be_left_out(serve):
    """HE4."""
    assert (
        await (await serve(sending({"type": "http.response.start", "status": 200}, body()))).exchange(GET)
    ).status == 200


MISTAKES = {
    "nothing": [],
    "start only": [START],
    "unknown type": [{"type": "http.response.begin"}],
    "no type": [{"status": 200}],
    "body first": [body(b"x")],
    "start twice": [START, START],
    "status 99": [START | {"status": 99}],
    "status 1000": [START | {"status": 1000}],
    "status 100": [START | {"status": 100}],
    "status text": [START | {"status": "200"}],
    "status missing": [{"type": "http.response.start"}],
    "str headers": [START | {"headers": [("a", "b")]}],
    "triple": [START | {"headers": [(b"a", b"b", b"c")]}],
    "dict headers": [START | {"headers": {b"abc": b"b"}}],
    "crlf": [START | {"headers": [(b"a", b"b\r\nc: d")]}],
    "bad name": [START | {"headers": [(b"a b", b"c")]}],
    "str body": [START, body("text")],
    "body too long": [START | {"headers": [(b"content-length", b"2")]}, body(b"long")],
    "body too short": [START | {"headers": [(b"content-length", b"9")]}, body(b"short")],
}


@pytest.mark.parametrize("messages", MISTAKES.values(), ids=MISTAKES)
async def test_mistake_before_anything_has_left_is_a_500(serve, messages, caplog):
    """B5, B7, HE4, HE5, HE9, HE11: and the worker lives on."""
    running = await serve(sending(*messages), checked=False)
    for _ in range(2):
        reply = await running.exchange(GET)
        assert (reply.status, reply.body) == (500, b"Internal Server Error\n")
    assert [record.name for record in caplog.records if record.levelno >= logging.ERROR] == [
        "transom.server"
    ] * 2


@pytest.mark.parametrize(
    "messages",
    [
        [body(b"x", True)],
        [body(b"x", True), START],
        [body(b"x", True), body("text")],
    ],
)
async def test_mistake_after_the_head_cuts_the_response_off(serve, messages):
    """B6, B7."""
    client = await (await serve(sending(START, *messages), checked=False)).connect()
    await client.send(GET)
    await client.read_head()
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await asyncio.wait_for(client.reader.readuntil(b"0\r\n\r\n"), 5)


@pytest.mark.parametrize("last", [b"too long for it", b""])
async def test_wrong_length_of_a_streamed_body_cuts_the_response_off(serve, last):
    """HE9."""
    start = START | {"headers": [(b"content-length", b"9")]}
    client = await (await serve(sending(start, body(b"abc", True), body(last)))).connect()
    await client.send(GET)
    await client.read_head()
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await asyncio.wait_for(client.reader.readexactly(9), 5)


async def test_application_can_send_its_own_500_after_a_bad_start(serve):
    """B5."""

    async def app(scope, receive, send):
        with pytest.raises(RuntimeError, match="control character"):
            await send(START | {"headers": [(b"a", b"b\r\n")]})
        await send(START | {"status": 500})
        await send(body(b"own page"))

    assert (await (await serve(app, checked=False)).exchange(GET)).body == b"own page"


async def test_exception_is_a_500_and_is_logged_with_its_traceback(serve, caplog):
    """B6."""

    async def app(scope, receive, send):
        await asyncio.sleep(0)
        raise KeyError("view")

    reply = await (await serve(app)).exchange(GET)
    assert (reply.status, reply[b"connection"]) == (500, b"close")
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.exc_info[0] is KeyError


async def test_exception_after_the_response_keeps_the_connection(serve, caplog):
    """HE16."""

    async def app(scope, receive, send):
        await send(START)
        await send(body(b"done"))
        raise KeyError("background")

    client = await (await serve(app)).connect()
    assert [(await client.get()).body for _ in range(2)] == [b"done"] * 2
    assert "background" in caplog.text


async def test_messages_after_the_response_are_ignored(serve, caplog):
    """HE11."""
    client = await (await serve(sending(START, body(b"a"), body(b"b"), body(b"c")))).connect()
    assert [(await client.get()).body for _ in range(2)] == [b"a"] * 2
    assert not caplog.records


async def test_background_work_does_not_hold_the_connection(serve):
    release = asyncio.Event()

    async def app(scope, receive, send):
        await send(START)
        await send(body(b"done"))
        await release.wait()

    client = await (await serve(app)).connect()
    assert [(await client.get()).body for _ in range(2)] == [b"done"] * 2
    release.set()


async def test_send_waits_for_a_slow_client_and_loses_nothing(serve):
    """HE10."""
    size, sent = 1_000_000, 0

    async def app(scope, receive, send):
        nonlocal sent
        await send(START)
        for _ in range(20):
            await send(body(b"a" * size, True))
            sent += 1
        await send(body())

    client = await (await serve(app)).connect()
    await client.send(GET)
    await client.read_head()
    for _ in range(50):
        await asyncio.sleep(0)
    assert sent < 20
    data = bytearray()
    while not data.endswith(b"\r\n0\r\n\r\n"):
        data += await asyncio.wait_for(client.reader.read(size), 5)
    assert data.count(b"a") == 20 * size


@pytest.mark.parametrize("how", ["plain", "group", "own error"])
async def test_send_after_disconnect_raises_oserror_that_is_not_logged(serve, caplog, how):
    """HE13, HE14."""
    caught = asyncio.get_running_loop().create_future()
    started = asyncio.Event()

    async def stream(send):
        while True:
            await send(body(b"a" * 100_000, True))

    async def app(scope, receive, send):
        await send(START)
        started.set()
        try:
            if how == "group":
                async with asyncio.TaskGroup() as group:
                    group.create_task(stream(send))
            await stream(send)
        except BaseException as exc:
            caught.set_result(exc)
            if how == "own error":
                raise ValueError("the framework's own name for it") from None
            raise

    client = await (await serve(app)).connect()
    await client.send(GET)
    await started.wait()
    client.writer.transport.abort()
    error = await asyncio.wait_for(caught, 5)
    assert isinstance(error, ExceptionGroup if how == "group" else OSError)
    await asyncio.sleep(0)
    assert not [
        record
        for record in caplog.records
        if record.levelno > logging.DEBUG and record.name == "transom.server"
    ]


async def test_application_that_renames_the_method_does_not_change_the_framing(serve):
    async def app(scope, receive, send):
        scope["method"] = "GET"
        await send(START)
        await send(body(b"hello"))

    client = await (await serve(app, checked=False)).connect()
    await client.send(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + GET)
    assert (await client.read(head_only=True))[b"content-length"] == b"5"
    assert (await client.read()).body == b"hello"


async def test_client_that_closes_just_before_our_last_words_is_no_error(serve, respond, caplog):
    """It answers them with a reset, and to end our side of the connection fails, before the event loop has told us."""
    answer = respond()
    client = socket.socket()

    async def app(scope, receive, send):
        client.close()
        await answer(scope, receive, send)

    running = await serve(app, timeout_graceful_shutdown=5.0)
    client.connect(("127.0.0.1", running.port))
    client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 9\r\n\r\n123")
    while client.fileno() != -1:
        await asyncio.sleep(0)
    await running.server.stop()
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_client_that_sent_another_request_does_not_lose_the_last_answer(serve, respond):
    """RFC 9112 section 9.6: a close with unread bytes resets the connection, so the server closes in two steps."""
    running = await serve(respond(b"x" * 200_000, headers=[(b"connection", b"close")]))
    client = await running.connect()
    client.writer.transport.pause_reading()
    await client.send(GET)
    (connection,) = running.server.state.connections
    while not connection._lingering:
        await asyncio.sleep(0)
    await client.send(GET * 100)  # arrives after our last byte
    for _ in range(20):
        await asyncio.sleep(0)
    client.writer.transport.resume_reading()
    reply = await client.read()
    assert len(reply.body) == 200_000
    assert await client.read_to_end() == b""
