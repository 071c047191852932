"""Extensions of the HTTP scope, over real sockets: early hints, trailers, files by path and by descriptor."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

import pytest
import uvloop

from transom.server import Config, Server

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
GET_TRAILERS = b"GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n"
CONTENT = os.urandom(1 << 20)  # more than the system takes at once


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file.bin"
    path.write_bytes(CONTENT)
    return str(path)


def start(*headers, status=200, **more):
    return {"type": "http.response.start", "status": status, "headers": list(headers), **more}


def body(data=b"", more=False):
    return {"type": "http.response.body", "body": data, "more_body": more}


def pathsend(path):
    return {"type": "http.response.pathsend", "path": path}


def zerocopysend(file, **keys):
    return {"type": "http.response.zerocopysend", "file": file, **keys}


def hint(*links):
    return {"type": "http.response.early_hint", "links": links}


def trailers(*headers, more=False):
    return {"type": "http.response.trailers", "headers": list(headers), "more_trailers": more}


def sending(*messages):
    async def app(scope, receive, send):
        for message in messages:
            await send(message)

    return app


async def keeps(client):
    """Tell whether the connection serves another request, which shows where the last response ended."""
    await client.send(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
    return (await client.read(head_only=True)).status == 200


# Early hints


@pytest.mark.parametrize("first", [True, False])
async def test_early_hint_is_a_103_before_or_after_the_start_message(serve, first):
    """X5, RFC 8297."""
    messages = [start((b"x", b"1")), hint(b"</a.css>; rel=preload", b"</b.js>; rel=preload"), body(b"done")]
    client = await (
        await serve(sending(*(messages if not first else [messages[1], messages[0], messages[2]])))
    ).connect()
    await client.send(GET)
    early = await client.read_head()
    assert (early.status, early.headers) == (
        103,
        [(b"link", b"</a.css>; rel=preload"), (b"link", b"</b.js>; rel=preload")],
    )
    final = await client.read()
    assert (final.status, final.body) == (200, b"done")


async def test_early_hint_after_the_head_or_to_http_1_0_is_left_out(serve):
    """X5: informational responses do not exist in HTTP/1.0 (RFC 9110 section 15.2)."""
    running = await serve(sending(start(), body(b"a", True), hint(b"</a>"), body(b"b")))
    assert (await running.exchange(GET)).body == b"ab"
    running = await serve(sending(hint(b"</a>"), start(), body(b"ab")), checked=False)
    assert (await running.exchange(b"GET / HTTP/1.0\r\n\r\n")).status == 200


@pytest.mark.parametrize("links", [[b"a\r\nb"], ["text"], [1]])
async def test_malformed_early_hint_raises_and_leaves_nothing(serve, links, caplog):
    """X5, HE5."""
    running = await serve(sending(hint(*links), start(), body()), checked=False)
    assert (await running.exchange(GET)).status == 500
    assert "malformed 'http.response.early_hint'" in caplog.text


# Trailers


async def test_trailers_follow_a_chunked_body_if_the_client_takes_them(serve):
    """X6."""
    app = sending(
        start((b"trailer", b"x-sum"), trailers=True),
        body(b"data"),
        trailers((b"x-sum", b"1"), more=True),
        trailers((b"x-more", b"2")),
    )
    client = await (await serve(app)).connect()
    await client.send(GET_TRAILERS)
    head = await client.read_head()
    assert head[b"transfer-encoding"] == b"chunked"
    end = await asyncio.wait_for(client.reader.readuntil(b"\r\n\r\n"), 5)
    assert end == b"4\r\ndata\r\n0\r\nx-sum: 1\r\nx-more: 2\r\n\r\n"
    assert await keeps(client)


async def test_trailers_are_dropped_for_a_client_that_does_not_take_them(serve):
    """X6, RFC 9110 section 6.5.1."""
    app = sending(start((b"content-length", b"4"), trailers=True), body(b"data"), trailers((b"x-sum", b"1")))
    client = await (await serve(app)).connect()
    reply = await client.get()
    assert (reply[b"transfer-encoding"], reply.body) == (b"chunked", b"data")
    assert await keeps(client)


async def test_trailers_of_a_response_without_body_are_not_sent(serve):
    """X6, HE7."""
    app = sending(start(trailers=True), body(), trailers((b"x-sum", b"1")))
    client = await (await serve(app, checked=False)).connect()
    await client.send(b"HEAD / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n")
    assert (await client.read(head_only=True)).status == 200
    assert await keeps(client)


async def test_trailers_to_http_1_0_are_dropped(serve):
    """X6: HTTP/1.0 knows no chunks."""
    app = sending(start(trailers=True), body(b"data"), trailers((b"x-sum", b"1")))
    reply = await (await serve(app, checked=False)).exchange(b"GET / HTTP/1.0\r\n\r\n")
    assert reply.body == b"data"


@pytest.mark.parametrize(
    ("messages", "message"),
    [
        ([start(), trailers((b"a", b"1"))], "not promised"),
        ([start(), body(b"a", True), trailers()], "not promised"),
        ([start(trailers=True), body(b"a"), body(b"b")], "trailers are to come"),
        ([start(trailers=True), body(b"a"), trailers((b"a", b"1\n"))], "malformed 'http.response.trailers'"),
        (
            [start(trailers=True), body(b"a"), trailers((b":status", b"1"))],
            "malformed 'http.response.trailers'",
        ),
    ],
)
async def test_trailers_out_of_order_or_malformed_raise(serve, messages, message, caplog):
    """X6."""
    client = await (await serve(sending(*messages), checked=False)).connect()
    await client.send(GET_TRAILERS)
    await client.read_to_end()
    assert message in caplog.text


async def test_promised_trailers_that_never_come_leave_the_response_incomplete(serve, caplog):
    """X6: the client must see that it is not whole."""
    client = await (await serve(sending(start(trailers=True), body(b"a")))).connect()
    await client.send(GET_TRAILERS)
    assert not (await client.read_to_end()).endswith(b"0\r\n\r\n")
    assert "without completing" in caplog.text


# Files


async def test_pathsend_sends_the_whole_file_and_says_how_long_it_is(serve, path):
    """X4."""
    client = await (await serve(sending(start((b"content-type", b"a/b")), pathsend(path)))).connect()
    reply = await client.get()
    assert (int(reply[b"content-length"]), reply.body == CONTENT) == (len(CONTENT), True)
    assert await keeps(client)


async def test_pathsend_takes_a_path_from_the_current_directory(serve, path, monkeypatch):
    """X4 asks for an absolute one; Starlette's FileResponse passes on what it was given."""
    monkeypatch.chdir(Path(path).parent)
    client = await (await serve(sending(start(), pathsend(Path(path).name)))).connect()
    assert (await client.get()).body == CONTENT


async def test_pathsend_sends_as_much_as_the_content_length_says(serve, path):
    """X4."""
    client = await (await serve(sending(start((b"content-length", b"1000")), pathsend(path)))).connect()
    assert (await client.get()).body == CONTENT[:1000]
    assert await keeps(client)


async def test_pathsend_of_an_empty_file(serve, tmp_path):
    """X4."""
    (tmp_path / "empty").touch()
    client = await (await serve(sending(start(), pathsend(str(tmp_path / "empty"))))).connect()
    assert (await client.get())[b"content-length"] == b"0"
    assert await keeps(client)


@pytest.mark.parametrize(("status", "method"), [(200, b"HEAD"), (304, b"GET"), (204, b"GET")])
async def test_file_of_a_response_without_body_is_not_sent(serve, path, status, method):
    """X4: HEAD."""
    app = sending(start((b"x", b"1"), status=status), pathsend(path))
    client = await (await serve(app)).connect()
    await client.send(method + b" / HTTP/1.1\r\nHost: a\r\n\r\n")
    reply = await client.read(head_only=True)
    assert reply.status == status
    assert reply[b"content-length"] == (b"%d" % len(CONTENT) if status == 200 else None)
    await client.send(method + b" / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (await client.read(head_only=True)).status == status


@pytest.mark.parametrize(
    ("messages", "message"),
    [
        (lambda path: [start(), {"type": "http.response.pathsend"}], "path None must be str"),
        (lambda path: [start(), pathsend("nowhere.bin")], "cannot be sent"),
        (lambda path: [start(), pathsend(path + "x")], "cannot be sent"),
        (lambda path: [start(), pathsend("/")], "regular files"),
        (lambda path: [start(), pathsend("a\0b")], "cannot be sent"),
        (lambda path: [start(), pathsend("/a\0b")], "cannot be sent"),
        (lambda path: [start((b"content-length", b"99999999")), pathsend(path)], "its content-length is"),
        (lambda path: [pathsend(path)], "out of order"),
        (lambda path: [start(), zerocopysend(7.5)], "open file"),
        (lambda path: [start(), {"type": "http.response.zerocopysend"}], "open file"),
    ],
)
async def test_file_that_cannot_be_sent_is_a_500(serve, path, messages, message, caplog):
    """X3, X4, B5."""
    running = await serve(sending(*messages(path)), checked=False)
    assert (await running.exchange(GET)).status == 500
    assert message in caplog.text


async def test_path_after_a_body_raises(serve, path, caplog):
    """X4: not mixed with body."""
    client = await (await serve(sending(start(), body(b"a", True), pathsend(path)), checked=False)).connect()
    await client.send(GET)
    await client.read_to_end()
    assert "out of order" in caplog.text


async def test_zerocopysend_mixes_with_bodies_and_leaves_the_file_open(serve):
    """X3: repeatable; offset defaults to the position, count to the end; the server never closes the file."""
    with tempfile.TemporaryFile() as file:
        file.write(CONTENT)
        file.flush()
        file.seek(len(CONTENT) - 3)
        app = sending(
            start((b"content-length", b"%d" % (2 + 500_000 + 3))),
            body(b"ab", True),
            zerocopysend(file, offset=10, count=500_000, more_body=True),
            zerocopysend(file),
        )
        client = await (await serve(app)).connect()
        assert (await client.get()).body == b"ab" + CONTENT[10:500_010] + CONTENT[-3:]
        assert not file.closed
        assert await keeps(client)


async def test_zerocopysend_without_a_length_is_chunked(serve):
    """X3: as a normal body."""
    with tempfile.TemporaryFile() as file:
        file.write(CONTENT)
        file.flush()
        app = sending(start(), zerocopysend(file, offset=0, more_body=True), body(b"end"))
        client = await (await serve(app)).connect()
        reply = await client.get()
        assert (reply[b"transfer-encoding"], reply.body == CONTENT + b"end") == (b"chunked", True)
        assert await keeps(client)


@pytest.mark.parametrize("part", [{"offset": -1}, {"offset": 5}, {"count": 5}, {"count": -1}])
async def test_part_outside_the_file_raises(serve, part, caplog):
    """X3."""
    with tempfile.TemporaryFile() as file:
        file.write(b"four")
        file.flush()
        running = await serve(sending(start(), zerocopysend(file, **({"offset": 0} | part))), checked=False)
        assert (await running.exchange(GET)).status == 500
    assert "not within the file" in caplog.text


@pytest.mark.parametrize("count", [3, 5])
async def test_file_of_another_size_than_promised_is_a_500(serve, count, caplog):
    """HE9."""
    with tempfile.TemporaryFile() as file:
        file.write(b"12345")
        file.flush()
        app = sending(start((b"content-length", b"4")), zerocopysend(file, offset=0, count=count))
        assert (await (await serve(app, checked=False)).exchange(GET)).status == 500
    assert "than its content-length" in caplog.text


async def test_file_that_shrinks_while_it_is_sent_cuts_the_response_off(serve, path, caplog):
    """X4: short: the client must see that the response is not whole."""
    size = 64 << 20  # more than fits into the buffers of the system
    os.truncate(path, size)
    sending = asyncio.Event()

    async def app(scope, receive, send):
        await send(start((b"content-length", b"%d" % size)))
        task = asyncio.ensure_future(send(pathsend(path)))
        await asyncio.sleep(0)
        os.truncate(path, 10)
        sending.set()
        await task

    client = await (await serve(app, checked=False)).connect()
    client.writer.transport.pause_reading()
    await client.send(GET)
    await sending.wait()
    client.writer.transport.resume_reading()
    assert len(await client.read_to_end()) < size
    assert "the file ended" in caplog.text


async def test_client_that_leaves_ends_the_sending_of_a_file(serve, path, caplog):
    """HE13, X4."""
    raised = asyncio.get_running_loop().create_future()

    async def app(scope, receive, send):
        await send(start((b"content-length", b"%d" % (64 * len(CONTENT)))))
        with open(path, "rb") as file:
            try:
                for _ in range(64):
                    await send(zerocopysend(file, offset=0, more_body=True))
            except OSError as exc:
                raised.set_result(exc)
                raise

    client = await (await serve(app, checked=False)).connect()
    await client.send(GET)
    await client.read_head()
    client.writer.transport.abort()
    assert "client is gone" in str(await asyncio.wait_for(raised, 5))
    assert "Traceback" not in caplog.text


async def test_file_behind_a_pipelined_answer_keeps_the_order(serve, path):
    async def app(scope, receive, send):
        if scope["path"] == "/file":
            await send(start((b"content-length", b"10")))
            await send(pathsend(path))
        else:
            await send(start())
            await send(body(b"page"))

    client = await (await serve(app)).connect()
    await client.send(GET + b"GET /file HTTP/1.1\r\nHost: a\r\n\r\n" + GET)
    assert [(await client.read()).body for _ in range(3)] == [b"page", CONTENT[:10], b"page"]


@pytest.mark.parametrize("loop_factory", [uvloop.new_event_loop, asyncio.new_event_loop])
def test_file_reaches_a_slow_client_on_every_loop(loop_factory, path):
    """X3, X4: the system's buffer fills up, and the worker waits for the client without turning in circles."""

    async def main() -> None:
        app = sending(
            start((b"content-length", b"%d" % (3 * len(CONTENT)))),
            *(zerocopysend(file, offset=0, more_body=True) for _ in range(2)),
            zerocopysend(file, offset=0),
        )
        async with Server(app, Config(port=0, lifespan="off", access_log=False)) as server:
            reader, writer = await asyncio.open_connection(*server.addresses[0], limit=1024)
            writer.write(GET)
            await reader.readuntil(b"\r\n\r\n")
            received = b""
            while len(received) < 3 * len(CONTENT):
                received += await asyncio.wait_for(reader.read(65536), 5)
            assert received == 3 * CONTENT
            writer.close()
            await writer.wait_closed()

    with open(path, "rb") as file, asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(main())
