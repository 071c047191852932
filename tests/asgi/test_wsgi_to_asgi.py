"""A WSGI application inside ASGI: each rule of PEP 3333, without a server."""

from __future__ import annotations

import asyncio
import contextvars
import io
import logging
import os
import sys
import threading
from wsgiref.validate import validator

import pytest

from transom.asgi import WSGIToASGI, wsgi
from transom.asgi.wsgi import to_asgi
from transom.asgi.wsgi.exchange import HIGH_WATER
from transom.asgi.wsgi.filewrapper import FileWrapper

END = {"type": "http.request", "body": b"", "more_body": False}
OK = ("200 OK", [("Content-Type", "text/plain")])


def respond(*pieces: bytes, status: str = "200 OK", headers=()):
    """Return an application that returns these pieces as a list."""

    def app(environ, start_response):
        start_response(status, [("Content-Type", "text/plain"), *headers])
        return list(pieces)

    return app


class Closing:
    """An iterable that tells when it is closed."""

    def __init__(self, pieces):
        self._pieces = iter(pieces)
        self.closed = threading.Event()

    def __iter__(self):
        return self._pieces

    def close(self):
        self.closed.set()


# Requests.


async def test_wsgiref_finds_no_fault(converse):
    """The standard library's own check of both sides: environ, input, errors, and what is called when."""

    def app(environ, start_response):
        body = environ["wsgi.input"].read(3) + environ["wsgi.input"].readline()
        environ["wsgi.errors"].flush()
        start_response(*OK)
        return [body]

    talk = converse(validator(app), method="POST", pieces=[b"ab", b"cd\n", b"ef"])
    talk._scope["query_string"] = b"a=b"
    await talk.run()
    assert (talk.status, talk.body) == (200, b"abcd\n")


READS = {
    "all": lambda file: [file.read()],
    "by size": lambda file: [file.read(7), file.read(1), file.read(100), file.read(0), file.read()],
    "lines": lambda file: [file.readline(), file.readline(), file.readline(3), file.read()],
    "list of lines": lambda file: file.readlines(),
    "some lines": lambda file: [*file.readlines(5), file.read(5), b"|", *file.readlines()],
    "iteration": list,
    "mixed": lambda file: [file.read(2), next(file), *file.readlines(30), file.read(-1)],
    "past the end": lambda file: [file.read(), file.read(), file.read(5), file.readline()],
}


@pytest.mark.parametrize("cuts", [1, 4, 1000])
@pytest.mark.parametrize("how", READS)
async def test_input_reads_as_a_file_does_however_the_body_is_cut(converse, how, cuts):
    body = b"one\ntwo\n\nthree lines\n" + bytes(range(256))

    def app(environ, start_response):
        start_response(*OK)
        return READS[how](environ["wsgi.input"])

    pieces = [body[start : start + cuts] for start in range(0, len(body), cuts)]
    talk = await converse(app, method="POST", pieces=pieces).run()
    assert talk.body == b"".join(READS[how](io.BytesIO(body)))


async def test_no_body_is_an_empty_input_that_asks_nobody(converse):
    def app(environ, start_response):
        start_response(*OK)
        return [environ["wsgi.input"].read()]

    talk = await converse(app).run()
    assert talk.body == b""
    assert talk.received == 0


async def test_http_2_has_bodies_without_a_field_that_says_so(converse):
    def app(environ, start_response):
        start_response(*OK)
        return [environ["SERVER_PROTOCOL"].encode(), environ["wsgi.input"].read()]

    body = {"type": "http.request", "body": b"-body", "more_body": False}
    talk = await converse(app, http_version="2", method="POST", incoming=[body]).run()
    assert talk.body == b"HTTP/2-body"


@pytest.mark.parametrize(("reads", "received"), [(False, 0), (True, 2)])
async def test_client_that_expects_100_is_asked_when_the_application_reads(converse, reads, received):
    def app(environ, start_response):
        start_response(*OK)
        return [environ["wsgi.input"].read() if reads else b"no"]

    talk = converse(app, method="POST", pieces=[b"yes"], headers=[(b"expect", b"100-continue")])
    await talk.run()
    assert (talk.body, talk.received) == (b"yes" if reads else b"no", received)


async def test_only_one_piece_of_a_body_is_taken_ahead(converse):
    """What the application does not read waits in the server, which lets the client wait."""
    talk = converse(respond(b"no"), method="POST", pieces=[b"x"] * 10)
    await talk.run()
    assert talk.received == 1


async def test_body_that_breaks_off_raises_out_of_read(converse, caplog):
    raised = []

    def app(environ, start_response):
        start_response(*OK)
        try:
            environ["wsgi.input"].read()
        except OSError as exc:
            raised.append(exc)
            raise ValueError("what a framework makes of it") from exc

    incoming = [{"type": "http.request", "body": b"a", "more_body": True}, {"type": "http.disconnect"}]
    talk = converse(app, method="POST", incoming=incoming, headers=[(b"content-length", b"9")])
    await talk.run()  # and raises nothing: it is nobody's mistake
    assert isinstance(raised[0], ConnectionResetError)
    assert talk.sent == []


async def test_context_variables_are_seen_in_the_thread(converse):
    variable = contextvars.ContextVar("variable", default=b"unset")

    def app(environ, start_response):
        start_response(*OK)
        found = variable.get()
        variable.set(b"of the thread")
        return [found]

    variable.set(b"of the request")
    assert (await converse(app).run()).body == b"of the request"
    assert variable.get() == b"of the request"


# Responses.


@pytest.mark.parametrize("pieces", [[b"hello"], [b"he", b"", b"llo"], []])
async def test_list_is_one_message_with_its_length(converse, pieces):
    talk = await converse(respond(*pieces)).run()
    size = sum(map(len, pieces))
    assert talk.headers == {b"content-type": b"text/plain", b"content-length": b"%d" % size}
    assert talk.sent[1:] == [{"type": "http.response.body", "body": b"".join(pieces), "more_body": False}]


async def test_each_piece_leaves_before_the_next_one_is_made(converse):
    arrived = threading.Event()

    def app(environ, start_response):
        start_response(*OK)
        yield b"first"
        assert arrived.wait(10)
        yield b"second"

    talk = converse(app)
    talk.on_send = lambda message: arrived.set() if message.get("body") == b"first" else None
    await talk.run()
    assert talk.body == b"firstsecond"
    assert b"content-length" not in talk.headers


async def test_response_of_known_length_ends_with_its_last_byte(converse):
    """The client does not wait for what the application does afterwards."""
    ended = threading.Event()

    def app(environ, start_response):
        start_response("200 OK", [("Content-Length", "4")])
        yield b"body"
        assert ended.wait(10)

    talk = converse(app)
    talk.on_send = lambda message: ended.set() if message.get("more_body") is False else None
    await talk.run()
    assert talk.sent[1:] == [{"type": "http.response.body", "body": b"body", "more_body": False}]


@pytest.mark.slow
async def test_many_small_pieces_are_joined_and_wait_for_a_slow_client(converse):
    made = 0

    def app(environ, start_response):
        nonlocal made
        start_response(*OK)
        for _ in range(100_000):
            made += 1
            yield b"0123456789"

    talk = converse(app)
    slow, reached = asyncio.Event(), asyncio.Event()

    def on_send(message):
        if "body" in message and not slow.is_set():
            reached.set()
            return slow.wait()

    talk.on_send = on_send
    running = asyncio.create_task(talk.run())
    await reached.wait()
    await asyncio.to_thread(wait_until_it_stops_growing, lambda: made)
    assert made * 10 < HIGH_WATER
    slow.set()
    await running
    assert talk.body == b"0123456789" * 100_000
    assert len(talk.sent) < 10_000


def wait_until_it_stops_growing(look) -> None:
    """Return when a number has stayed the same for a while; a slow machine only makes the test weaker."""
    pause, last = threading.Event(), -1
    while last != (last := look()):
        pause.wait(0.05)


async def test_empty_pieces_do_not_send_the_head(converse):
    """PEP 3333: until a piece that is not empty, start_response may replace what it was given."""

    def app(environ, start_response):
        start_response("200 OK", [])
        yield b""
        try:
            raise ValueError
        except ValueError:
            start_response("503 Busy", [], sys.exc_info())
        yield b"sorry"

    talk = await converse(app).run()
    assert (talk.status, talk.body) == (503, b"sorry")


async def test_generator_may_call_start_response_when_it_is_iterated(converse):
    def app(environ, start_response):
        start_response(*OK)
        yield b"late"

    assert (await converse(app).run()).body == b"late"


async def test_write_sends_before_what_is_returned(converse):
    def app(environ, start_response):
        write = start_response(*OK)
        write(b"one ")
        write(b"two ")
        return [b"three"]

    talk = await converse(app).run()
    assert talk.body == b"one two three"
    assert b"content-length" not in talk.headers


async def test_start_response_twice_is_refused(converse):
    def app(environ, start_response):
        start_response(*OK)
        start_response(*OK)
        return []

    with pytest.raises(RuntimeError, match="a second time, without exc_info"):
        await converse(app).run()


async def test_error_that_comes_after_the_head_is_raised_again_by_start_response(converse):
    def app(environ, start_response):
        start_response(*OK)
        yield b"begun"
        try:
            raise LookupError("in the middle")
        except LookupError:
            start_response("500 Oh", [], sys.exc_info())
        yield b"never"

    talk = converse(app)
    with pytest.raises(LookupError, match="in the middle"):
        await talk.run()
    assert talk.body == b"begun"
    assert talk.sent[-1]["more_body"] is True  # the server must cut it off


@pytest.mark.parametrize("pieces", [[b"ignored"], []])
async def test_head_has_no_length_that_was_not_given(converse, pieces):
    """RFC 9110 8.6: what GET would send is not known from an empty list."""
    talk = await converse(respond(*pieces), method="HEAD").run()
    assert b"content-length" not in talk.headers


async def test_head_stops_at_the_first_piece(converse):
    iterable = Closing(iter(lambda: b"endless", None))

    def app(environ, start_response):
        start_response("200 OK", [("Content-Length", "1000000")])
        return iterable

    talk = await converse(app, method="HEAD").run()
    assert talk.headers[b"content-length"] == b"1000000"
    assert talk.sent[-1]["more_body"] is False
    assert iterable.closed.is_set()


async def test_websocket_is_refused():
    sent = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    await wsgi(respond(b""))({"type": "websocket"}, receive, send)
    assert [message["type"] for message in sent] == ["websocket.close"]


async def test_unknown_scope_is_refused():
    """B9"""
    with pytest.raises(ValueError, match="unknown scope type 'telnet'"):
        await wsgi(respond(b""))({"type": "telnet"}, None, None)  # type: ignore[arg-type]


# Mistakes.


def no_start(environ, start_response):
    return []


def body_first(environ, start_response):
    return [b"body"]


def text(environ, start_response):
    start_response(*OK)
    return ["text"]


def texts(environ, start_response):
    start_response(*OK)
    yield "text"


def nothing(environ, start_response):
    start_response(*OK)


def too_long(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    yield b"ab"
    yield b"c"


def leaves(environ, start_response):
    sys.exit("bye")


@pytest.mark.parametrize(
    ("app", "error", "message"),
    [
        (no_start, RuntimeError, "without calling start_response"),
        (body_first, RuntimeError, "before it called start_response"),
        (text, TypeError, "must be bytes, not str"),
        (texts, TypeError, "must be bytes, not str"),
        (nothing, TypeError, "'NoneType' object is not iterable"),
        (too_long, ValueError, "longer than its content-length"),
        (leaves, RuntimeError, r"application raised SystemExit\('bye'\)"),
        (respond(b"", headers=[("X", "a\r\nb")]), ValueError, "control character"),
        (respond(b"", status="OK"), ValueError, "must be like '200 OK'"),
    ],
)
async def test_mistake_of_the_application_is_raised_to_the_server(converse, app, error, message):
    with pytest.raises(error, match=message):
        await converse(app).run()


async def test_message_that_the_server_refuses_ends_the_iteration(converse):
    iterable = Closing(iter(lambda: b"endless", None))

    def app(environ, start_response):
        start_response(*OK)
        return iterable

    def refuse(message):
        raise RuntimeError("refused")

    talk = converse(app)
    talk.on_send = refuse
    with pytest.raises(RuntimeError, match="refused"):
        await talk.run()
    assert iterable.closed.is_set()


@pytest.mark.parametrize("pieces", [[b"a"], [b"a", ValueError("in the body")], [ValueError("at once")]])
async def test_close_is_called_however_the_body_ends(converse, pieces):
    def iterate():
        for piece in pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    iterable = Closing(iterate())

    def app(environ, start_response):
        start_response(*OK)
        return iterable

    results = await asyncio.gather(converse(app).run(), return_exceptions=True)
    assert isinstance(results[0], ValueError) == isinstance(pieces[-1], ValueError)
    assert iterable.closed.is_set()


# Clients that leave.


class Gone(OSError):
    """What a server raises."""


async def test_lost_client_ends_the_iteration(converse):
    """HE14: from ASGI 2.4 on `send` raises an OSError."""
    iterable = Closing(iter(lambda: b"endless", None))

    def app(environ, start_response):
        start_response(*OK)
        return iterable

    talk = converse(app)

    def leave(message):
        if len(talk.sent) == 3:
            raise Gone

    talk.on_send = leave
    with pytest.raises(Gone):  # the server's own, which it does not log
        await talk.run()
    assert iterable.closed.is_set()


async def test_lost_client_raises_out_of_write(converse):
    raised = []

    def app(environ, start_response):
        write = start_response(*OK)
        try:
            while True:
                write(b"x" * 10_000)
        except OSError as exc:
            raised.append(exc)
            raise

    def leave(message):
        raise Gone

    talk = converse(app)
    talk.on_send = leave
    with pytest.raises(Gone):
        await talk.run()
    assert isinstance(raised[0], ConnectionResetError)


async def test_own_error_of_an_application_is_raised_though_the_client_left(converse):
    def app(environ, start_response):
        start_response(*OK)
        try:
            while True:
                yield b"x" * 10_000
        finally:
            raise LookupError("in its clean-up")

    def leave(message):
        raise Gone

    talk = converse(app)
    talk.on_send = leave
    with pytest.raises(LookupError, match="clean-up"):
        await talk.run()


async def test_lost_client_ends_the_iteration_on_servers_whose_send_does_not_tell(converse):
    """HE14: before ASGI 2.4 only `receive` tells."""
    iterable = Closing(iter(lambda: b"endless", None))

    def app(environ, start_response):
        start_response(*OK)
        return iterable

    talk = converse(
        app,
        asgi={"version": "3.0", "spec_version": "2.3"},
        incoming=[END, {"type": "http.disconnect"}],
    )
    await talk.run()
    assert iterable.closed.is_set()


async def test_error_of_the_server_in_receive_is_raised_to_it(http_scope):
    raised = []

    def app(environ, start_response):
        try:
            environ["wsgi.input"].read()
        except OSError as exc:
            raised.append(exc)
        start_response(*OK)
        return []

    async def fail():
        raise LookupError("in the server")

    adapter = wsgi(app, threads=1)
    scope = http_scope(method="POST", headers=[(b"content-length", b"1"), (b"expect", b"100-continue")])
    with pytest.raises(LookupError, match="in the server"):
        await adapter(scope, fail, None)  # type: ignore[arg-type]
    assert isinstance(raised[0], ConnectionResetError)
    await adapter.aclose()


# Files.


class ZeroCopy:
    """What a server with the extension does."""

    def __init__(self, talk):
        self.read = b""
        talk._scope["extensions"] = {"http.response.zerocopysend": {}}
        talk.on_send = self

    def __call__(self, message):
        if message["type"] == "http.response.zerocopysend":
            self.read += os.pread(message["file"].fileno(), message["count"], message["offset"])


def send_file(file, *headers, block=10):
    def app(environ, start_response):
        start_response("200 OK", list(headers))
        return environ["wsgi.file_wrapper"](file, block)

    return app


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"0123456789" * 1000)
    with path.open("rb") as opened:
        yield opened


async def test_file_is_sent_by_the_server_where_it_can(converse, file):
    """X3"""
    file.read(5)
    talk = converse(send_file(file))
    zero = ZeroCopy(talk)
    await talk.run()
    assert zero.read == (b"0123456789" * 1000)[5:]
    assert talk.headers == {b"content-length": b"9995"}
    assert talk.body == b""
    assert file.closed


async def test_file_is_sent_up_to_the_promised_length(converse, file):
    talk = converse(send_file(file, ("Content-Length", "10")))
    zero = ZeroCopy(talk)
    await talk.run()
    assert zero.read == b"0123456789"


async def test_file_is_read_in_blocks_where_the_server_cannot_send_it(converse, file):
    talk = await converse(send_file(file)).run()
    assert talk.body == b"0123456789" * 1000
    assert len(talk.sent) <= 3  # not a thousand blocks of 10 bytes
    assert file.closed


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_file_in_memory_is_read(converse, method):
    memory = io.BytesIO(b"memory")
    talk = converse(send_file(memory), method=method)
    zero = ZeroCopy(talk)
    await talk.run()
    assert (zero.read, memory.closed) == (b"", True)
    assert talk.body == b"memory"


def test_only_regular_files_are_left_to_the_server():
    """A pipe could keep the server waiting."""
    reading, writing = os.pipe()
    with open(reading, "rb") as pipe, open(writing, "wb"):
        assert FileWrapper(pipe).find_region() is None
    with open("/dev/null", "rb") as device:
        assert FileWrapper(device).find_region() is None


def test_file_that_cannot_be_closed_is_not():
    """PEP 3333: the server calls `close` where there is one."""

    class Readable:
        def read(self, size):
            return b""

    assert not hasattr(FileWrapper(Readable()), "close")


# Threads.


async def test_no_more_requests_run_at_once_than_there_are_threads(converse):
    running, most, lock = 0, 0, threading.Lock()
    order = []
    full = threading.Barrier(2)

    def app(environ, start_response):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
            order.append(environ["PATH_INFO"])
        full.wait(10)
        with lock:
            running -= 1
        start_response(*OK)
        return []

    adapter = wsgi(app, threads=2)
    await asyncio.gather(*(converse(adapter, path=f"/{number}").run() for number in range(6)))
    assert most == 2
    assert {order[0], order[1]} == {"/0", "/1"}
    assert {order[4], order[5]} == {"/4", "/5"}


async def test_cancelled_request_that_waits_is_never_run(converse):
    entered, release = threading.Event(), threading.Event()
    paths = []

    def app(environ, start_response):
        paths.append(environ["PATH_INFO"])
        entered.set()
        assert release.wait(10)
        start_response(*OK)
        return []

    adapter = wsgi(app, threads=1)
    first = asyncio.create_task(converse(adapter, path="/first").run())
    await asyncio.to_thread(entered.wait, 10)
    second = asyncio.create_task(converse(adapter, path="/second").run())
    third = asyncio.create_task(converse(adapter, path="/third").run())
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    release.set()
    await asyncio.gather(first, third)
    assert paths == ["/first", "/third"]


async def test_cancelled_request_is_told_and_waited_for(converse):
    closed = threading.Event()
    begun = asyncio.Event()

    def app(environ, start_response):
        start_response(*OK)
        try:
            while True:
                yield b"x" * 1000
        finally:
            closed.set()

    talk = converse(app)
    talk.on_send = lambda message: begun.set()
    running = asyncio.create_task(talk.run())
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert closed.is_set()


async def test_second_cancellation_does_not_wait_for_the_thread(http_scope):
    entered, release, ended = threading.Event(), threading.Event(), threading.Event()
    raised = []

    def app(environ, start_response):
        entered.set()
        assert release.wait(10)
        try:
            environ["wsgi.input"].read()  # nobody is there to read it for us any more
        except OSError as exc:
            raised.append(exc)
        ended.set()
        start_response(*OK)
        return []

    adapter = wsgi(app, threads=1)
    scope = http_scope(method="POST", headers=[(b"content-length", b"1"), (b"expect", b"100-continue")])
    running = asyncio.create_task(adapter(scope, None, None))  # type: ignore[arg-type]
    await asyncio.to_thread(entered.wait, 10)
    running.cancel()
    await asyncio.sleep(0)
    assert not running.done()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    release.set()
    assert await asyncio.to_thread(ended.wait, 10)
    assert isinstance(raised[0], ConnectionResetError)
    await adapter.aclose()


async def test_request_that_is_cancelled_before_it_begins_leaves_nothing_behind(http_scope):
    """No task that still waits for the body."""
    adapter = wsgi(respond(b""), threads=1)
    scope = http_scope(method="POST", headers=[(b"content-length", b"1")])
    running = asyncio.create_task(adapter(scope, asyncio.Event().wait, None))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    await adapter.aclose()


def count_threads() -> int:
    return sum(thread.name.startswith("transom-wsgi") for thread in threading.enumerate())


async def test_threads_live_as_long_as_the_application():
    """L1, L4"""
    before = count_threads()
    adapter = wsgi(respond(b""), threads=3)
    events: asyncio.Queue = asyncio.Queue()
    answers: asyncio.Queue = asyncio.Queue()
    living = asyncio.create_task(adapter({"type": "lifespan"}, events.get, answers.put))  # type: ignore[typeddict-item]
    assert count_threads() == before
    events.put_nowait({"type": "lifespan.startup"})
    assert await answers.get() == {"type": "lifespan.startup.complete"}
    assert count_threads() == before + 3
    events.put_nowait({"type": "lifespan.shutdown"})
    assert await answers.get() == {"type": "lifespan.shutdown.complete"}
    await living
    assert count_threads() <= before + 3  # the last instructions of a thread come after it told that it ends


async def test_thread_that_does_not_end_is_named_and_left(converse, monkeypatch, caplog):
    monkeypatch.setattr(to_asgi, "_STOP_TIMEOUT", 0.01)
    entered, release = threading.Event(), threading.Event()

    def app(environ, start_response):
        entered.set()
        assert release.wait(10)
        start_response(*OK)
        return []

    adapter = wsgi(app, threads=1)
    running = asyncio.create_task(converse(adapter).run())
    await asyncio.to_thread(entered.wait, 10)
    with caplog.at_level(logging.WARNING, "transom.asgi"):
        await adapter.aclose()
    assert "1 threads of a WSGI application still run" in caplog.text
    release.set()
    assert (await running).status == 200


def test_thread_that_outlives_its_loop_ends_quietly(recwarn):
    entered, release = threading.Event(), threading.Event()
    ended = []

    def app(environ, start_response):
        entered.set()
        assert release.wait(10)
        try:
            start_response(*OK)(b"too late")
        except ConnectionResetError as exc:
            ended.append(exc)
            raise
        return []

    adapter = wsgi(app, threads=1)
    scope = {"type": "http", "http_version": "1.1", "method": "GET", "path": "/", "headers": []}
    scope |= {"query_string": b"", "asgi": {"version": "3.0"}}

    async def leave_it():
        running = asyncio.create_task(adapter(scope, None, None))  # type: ignore[arg-type]
        await asyncio.to_thread(entered.wait, 10)
        for _ in range(2):
            running.cancel()
            await asyncio.sleep(0)

    asyncio.run(leave_it())
    release.set()
    asyncio.run(adapter.aclose())
    assert "the server has stopped" in str(ended[0]) or "gone" in str(ended[0])


def test_number_of_threads_is_checked():
    with pytest.raises(ValueError, match="threads 0 must be at least 1"):
        WSGIToASGI(respond(b""), threads=0)
