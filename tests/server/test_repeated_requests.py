"""A request like the one before it on its connection takes a shorter way, and nobody can tell."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transom.server.http1 import Limits, RemoteProtocolError, Request, RequestReader

GET = b"GET /a HTTP/1.1\r\nHost: example.org\r\nX: 1\r\n\r\n"

OTHERS = {
    "the same": GET,
    "another target": b"GET /b?c=d HTTP/1.1\r\nHost: example.org\r\nX: 1\r\n\r\n",
    "another method": b"HEAD /a HTTP/1.1\r\nHost: example.org\r\nX: 1\r\n\r\n",
    "another field": b"GET /a HTTP/1.1\r\nHost: example.org\r\nX: 2\r\n\r\n",
    "one field less": b"GET /a HTTP/1.1\r\nHost: example.org\r\n\r\n",
    "another version": b"GET /a HTTP/1.0\r\nHost: example.org\r\nX: 1\r\n\r\n",
    "absolute form": b"GET http://example.org/a HTTP/1.1\r\nHost: example.org\r\nX: 1\r\n\r\n",
    "absolute form, another host": b"GET http://example.com/a HTTP/1.1\r\nHost: example.org\r\nX: 1\r\n\r\n",
    "malformed line": b"GET  /a HTTP/1.1\r\nHost: example.org\r\nX: 1\r\n\r\n",
    "unknown method": b"FETCH /a HTTP/1.1\r\nHost: example.org\r\nX: 1\r\n\r\n",
    "empty line before": b"\r\n" + GET,
    "two at once": GET + GET,
    "the last": b"GET /a HTTP/1.1\r\nHost: example.org\r\nX: 1\r\nConnection: close\r\n\r\n",
    "a body": b"POST /a HTTP/1.1\r\nHost: example.org\r\nContent-Length: 2\r\n\r\nhi",
}


async def describe(scope, receive, send):
    """Answer with what came: small, whole and at once."""
    body = (await receive())["body"]
    said = repr([scope["method"], scope["raw_path"], scope["query_string"], scope["headers"], body]).encode()
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(said))]}
    )
    await send({"type": "http.response.body", "body": said})


async def answers(serve, *reads: bytes, app=describe, **options) -> list[bytes]:
    """Send each read when the one before is answered; return the answers, without the date, and the end of the connection."""
    running = await serve(app, date_header=False, **options)
    client = await running.connect()
    found = []
    for data in reads:
        await client.send(data)
        found.append(await asyncio.wait_for(client.reader.read(65_536), 5))
    client.writer.write_eof()
    found.append(await client.read_to_end())
    return found


@pytest.mark.each_loop
@pytest.mark.parametrize("name", OTHERS)
async def test_answer_is_that_to_a_first_request(serve, name):
    alone = b"".join(await answers(serve, OTHERS[name]))
    assert b"".join((await answers(serve, GET, GET, OTHERS[name]))[2:]) == alone


KEPT = [
    "another target",
    "another method",
    "another field",
    "one field less",
    "absolute form",
    "empty line before",
    "a body",
]


@pytest.mark.each_loop
@pytest.mark.parametrize("name", KEPT)
async def test_request_after_another_kind_is_answered_as_a_first_one(serve, name):
    """Nothing of the one before is left."""
    alone, end = await answers(serve, GET)
    assert (await answers(serve, OTHERS[name], GET, GET))[1:] == [alone, alone, end]


async def stream(scope, receive, send):
    """Answer in two pieces: with chunks, or with a length where the target asks for it."""
    fields = [(b"content-length", b"4")] if scope["path"] == "/length" else []
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    await send({"type": "http.response.body", "body": b"ab", "more_body": True})
    await send({"type": "http.response.body", "body": b"cd"})


async def test_framing_of_one_response_is_not_that_of_the_next(serve):
    client = await (await serve(stream)).connect()
    for target, framing in (("/", b"transfer-encoding"), ("/length", b"content-length")) * 2:
        reply = await client.get(target)
        assert reply[framing] is not None
        assert reply.body == b"abcd"
        assert client.reader._buffer == b""


async def test_requests_do_not_share_what_belongs_to_the_application(serve):
    scopes = []

    async def spoil(scope, receive, send):
        scopes.append(scope)
        await describe(scope, receive, send)
        scope["headers"].clear()
        scope["extensions"].clear()
        scope["path"] = scope["method"] = "spoilt"

    found = await answers(serve, GET, GET, GET, app=spoil, checked=False)
    assert found[0] == found[1] == found[2]
    assert len({id(scope) for scope in scopes}) == 3


async def test_request_that_waits_is_not_overtaken(serve):
    """The shorter way is only for a connection that has nothing to do."""
    turns, gate = [], asyncio.Event()

    async def app(scope, receive, send):
        turns.append(scope["path"])
        if scope["path"] == "/wait":
            await gate.wait()
        await describe(scope, receive, send)

    client = await (await serve(app)).connect()
    await client.get("/a")
    await client.send(b"GET /wait HTTP/1.1\r\nHost: example.org\r\n\r\n")
    while len(turns) < 2:
        await asyncio.sleep(0)
    await client.send(b"GET /b HTTP/1.1\r\nHost: example.org\r\n\r\n")
    gate.set()
    bodies = [(await client.read()).body for _ in range(2)]
    assert [b"/wait" in bodies[0], b"/b" in bodies[1]] == [True, True]
    assert turns == ["/a", "/wait", "/b"]


async def test_last_request_of_a_stopping_server_says_so(serve):
    running = await serve(describe)
    client = await running.connect()
    assert (await client.get())[b"connection"] is None
    running.server.state.begin_stop(asyncio.get_running_loop().time() + 5)
    assert (await client.get())[b"connection"] == b"close"
    assert await client.read_to_end() == b""


# The reader


def requests_of(reader: RequestReader, data: bytes) -> list[Request] | str:
    """Return what a connection makes of one read, by the shorter way where there is one."""
    try:
        line = reader.read_repeat(data)
        if line is not None:
            return [Request(line, reader.headers.copy(), reader._facts)]
        reader.receive_data(data)
        found = []
        while reader.buffered:
            event = reader.next_event()
            assert isinstance(event, Request)
            found.append(event)
    except RemoteProtocolError as exc:
        return str(exc)
    return found


WHOLE = [data for name, data in OTHERS.items() if name not in ("a body", "two at once")]


@given(st.lists(st.sampled_from(WHOLE), max_size=12))
def test_reader_finds_the_same_whatever_it_has_read_before(reads: list[bytes]):
    reader = RequestReader(Limits())
    for data in reads:
        found = requests_of(reader, data)
        assert found == requests_of(RequestReader(Limits()), data)
        if isinstance(found, str):
            return


@pytest.mark.parametrize(
    ("fields", "is_repeat"),
    [
        (b"Host: a\r\n", True),
        (b"Host: a\r\nTE: trailers\r\nConnection: TE\r\n", True),
        (b"Host: a\r\nConnection: close\r\n", False),
        (b"Host: a\r\nContent-Length: 0\r\n", True),
        (b"Host: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n", False),
        (b"Host: a\r\nExpect: 100-continue\r\n", False),
        (b"Host: a\r\nX-Forwarded-For: 10.0.0.1\r\n", False),
    ],
)
def test_only_what_is_nothing_special_takes_the_shorter_way(fields: bytes, is_repeat: bool):
    data = b"GET / HTTP/1.1\r\n" + fields + b"\r\n"
    reader = RequestReader(Limits())
    reader.receive_data(data)
    assert isinstance(reader.next_event(), Request)
    assert (reader.read_repeat(data) is not None) is is_repeat


@pytest.mark.parametrize("length", [20, 21])
def test_line_passes_the_limit_by_the_shorter_way_too(length: int):
    reader = RequestReader(Limits(request_line=20))
    reader.receive_data(GET)
    reader.next_event()
    line = b"GET /%b HTTP/1.1" % (b"a" * (length - 14))
    data = GET.replace(b"GET /a HTTP/1.1", line)
    assert (reader.read_repeat(data) is not None) is (length == 20)
