"""Each limit of a request, over real sockets: what is exactly at it is served, what is one above is refused and closed."""

from __future__ import annotations

import asyncio

import pytest


async def echo_size(scope, receive, send):
    """Answer with the size of the body."""
    size, more = 0, True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            return
        size += len(event["body"])
        more = event["more_body"]
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": b"%d" % size})


def request(*lines, target=b"/", method=b"GET"):
    return b"\r\n".join([method + b" " + target + b" HTTP/1.1", b"Host: a", *lines, b"", b""])


def line(size):
    """A request whose line has so many bytes."""
    return request(target=b"/" + b"a" * (size - len(b"GET / HTTP/1.1")))


def fields(count):
    """A request with so many field lines."""
    return request(*(b"X-%d: 1" % number for number in range(count - 1)))


def field(size):
    """A request with a field of so many bytes, with its CRLF."""
    return request(b"X: " + b"a" * (size - 5))


def head(size):
    """A request whose head has so many bytes."""
    return request(b"X: " + b"a" * (size - len(request(b"X: "))))


def with_length(size):
    return request(b"Content-Length: %d" % size, method=b"POST") + b"a" * size


def chunked(rest):
    return request(b"Transfer-Encoding: chunked", method=b"POST") + rest


def in_one_chunk(size):
    return chunked(b"%x\r\n%b\r\n0\r\n\r\n" % (size, b"a" * size))


def in_chunks_of_one(size):
    return chunked(b"1\r\na\r\n" * size + b"0\r\n\r\n")


def trailers(count):
    return chunked(b"0\r\n" + b"X: 1\r\n" * count + b"\r\n")


def trailer(size):
    return chunked(b"0\r\nX: " + b"a" * (size - 5) + b"\r\n\r\n")


def trailer_bytes(size):
    """Trailers of so many bytes, in three lines that are small enough."""
    third = size // 3 - 5
    return chunked(
        b"0\r\n"
        + (b"X: " + b"a" * third + b"\r\n") * 2
        + b"X: "
        + b"a" * (size - 2 * third - 15)
        + b"\r\n\r\n"
    )


def extensions(size):
    """Extensions of so many bytes in the two lines of one chunk."""
    return chunked(b"1;a\r\nb\r\n0;" + b"a" * (size - 3) + b"\r\n\r\n")


CELLS = [
    ("limit_request_line", 100, line, 414),
    ("limit_request_fields", 5, fields, 431),
    ("limit_request_field_size", 50, field, 431),
    ("limit_request_head", 200, head, 431),
    ("limit_request_fields", 5, trailers, 431),
    ("limit_request_field_size", 50, trailer, 431),
    ("limit_request_head", 200, trailer_bytes, 431),
    ("limit_request_head", 200, extensions, 413),
    ("limit_request_body", 1000, with_length, 413),
    ("limit_request_body", 1000, in_one_chunk, 413),
    ("limit_request_body", 1000, in_chunks_of_one, 413),
]
IDS = [f"{option}-{make.__name__}" for option, _, make, _ in CELLS]


@pytest.mark.parametrize(("option", "limit", "make", "status"), CELLS, ids=IDS)
async def test_at_the_limit_is_served_and_one_above_is_refused(serve, option, limit, make, status):
    running = await serve(echo_size, **{option: limit})
    client = await running.connect()
    await client.send(make(limit))
    assert (await client.read()).status == 200
    await client.send(make(limit))  # what is remembered of the first head passes the same limits
    assert (await client.read()).status == 200
    await client.send(make(limit + 1))
    reply = await client.read()
    assert (reply.status, reply[b"connection"]) == (status, b"close")
    assert await client.read_to_end() == b""


async def test_longer_line_with_the_fields_of_the_request_before_is_refused_too(serve):
    """The reader remembers fields; a line that together with them is over the limit of the head must not slip through."""
    running = await serve(echo_size, limit_request_head=len(request(target=b"/" * 50)))
    client = await running.connect()
    for size in (1, 1, 50):
        await client.send(request(target=b"/" * size))
        assert (await client.read()).status == 200
    await client.send(request(target=b"/" * 51))
    assert (await client.read()).status == 431


async def test_body_over_its_limit_is_refused_before_it_arrives(serve):
    running = await serve(echo_size, limit_request_body=10)
    client = await running.connect()
    await client.send(request(b"Content-Length: 11", method=b"POST"))
    assert (await client.read()).status == 413


async def test_no_limit_of_the_body_leaves_it_to_the_application(serve):
    running = await serve(echo_size, limit_request_body=0)
    assert (await running.exchange(with_length(1_000_000))).body == b"1000000"


@pytest.mark.parametrize(("extra", "paused"), [(0, False), (1, True)], ids=["at the limit", "one above"])
async def test_pipelined_requests_beyond_their_limit_wait_in_the_system(serve, extra, paused):
    release = asyncio.Event()

    async def app(scope, receive, send):
        await release.wait()
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"%d" % len(scope["query_string"])})

    behind = request(target=b"/?aa") * 3 + b"G" * extra
    running = await serve(app, limit_pipelined=len(request(target=b"/?aa")) * 3)
    client = await running.connect()
    await client.send(request() + behind)
    (connection,) = running.server._state.connections
    while connection._cycle is None:
        await asyncio.sleep(0)
    assert connection._reading_paused is paused
    release.set()
    assert [(await client.read()).body for _ in range(4)] == [b"0", b"2", b"2", b"2"]
    assert not connection._reading_paused


async def test_many_pipelined_requests_leave_others_their_turn(serve):
    """Sixteen are answered in one go; then whoever else has sent something is served."""
    order = []

    async def app(scope, receive, send):
        order.append(scope["query_string"])
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b""})

    running = await serve(app, access_log=False)
    greedy, modest = await running.connect(), await running.connect()
    await asyncio.gather(
        greedy.send(request(target=b"/?greedy") * 40), modest.send(request(target=b"/?modest"))
    )
    for _ in range(40):
        await greedy.read()
    await modest.read()
    assert len(order) == 41
    assert order.index(b"modest") <= 32
