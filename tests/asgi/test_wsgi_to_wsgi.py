"""An ASGI application inside WSGI: both interfaces' rules, without a server."""

from __future__ import annotations

import asyncio
import contextvars
import io
import logging
import sys
import threading
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from transom.asgi import ASGIToWSGI, validate
from transom.asgi.wsgi.exchange import HIGH_WATER


class Served:
    """A response, pulled piece by piece as a WSGI server does it."""

    def __init__(self, app: Any, **environ: Any) -> None:
        self.status = ""
        self.headers: dict[str, str] = {}
        setup_testing_defaults(environ)
        self.iterable = app(environ, self._start_response)
        self.pieces = iter(self.iterable)

    def _start_response(self, status, headers, exc_info=None):
        self.status, self.headers = status, dict(headers)
        return lambda data: None

    def read(self) -> bytes:
        try:
            return b"".join(self.pieces)
        finally:
            self.close()

    def close(self) -> None:
        self.iterable.close()


@pytest.fixture
def serve():
    """Put an ASGI application, checked by `validate`, into WSGI, and send it requests."""
    adapters = []

    def make(app, *, checked=True, **options):
        adapter = ASGIToWSGI(validate(app) if checked else app, **options)
        adapters.append(adapter)
        return lambda **environ: Served(adapter, **environ)

    yield make
    for adapter in adapters:
        adapter.close()


def body_of(data: bytes) -> dict[str, Any]:
    return {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(len(data)), "wsgi.input": io.BytesIO(data)}


def respond(*pieces: bytes, status: int = 200, headers=()):
    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            raise NotImplementedError
        await send({"type": "http.response.start", "status": status, "headers": list(headers)})
        for piece in pieces[:-1]:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": pieces[-1]})

    return app


async def echo(scope, receive, send):
    if scope["type"] == "lifespan":
        raise NotImplementedError
    await send({"type": "http.response.start", "status": 200, "headers": []})
    more = True
    while more:
        message = await receive()
        more = message["more_body"]
        await send({"type": "http.response.body", "body": message["body"], "more_body": more})


def test_wsgiref_finds_no_fault():
    """The standard library's own check of a WSGI application."""
    adapter = ASGIToWSGI(respond(b"hello ", b"world", headers=[(b"content-type", b"text/plain")]))
    served = Served(validator(adapter), QUERY_STRING="")
    assert (served.status, served.read()) == ("200 OK", b"hello world")
    adapter.close()


def test_single_piece_has_its_length(serve):
    served = serve(respond(b"hello", headers=[(b"x-a", b"\xe4"), (b"x-a", b"b")]))()
    assert served.headers == {"x-a": "b", "content-length": "5"}
    assert served.read() == b"hello"


@pytest.mark.parametrize(("status", "line"), [(404, "404 Not Found"), (299, "299 Unknown")])
def test_status_has_the_usual_reason(serve, status, line):
    assert serve(respond(b"", status=status))().status == line


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_response_without_a_body_has_no_length_that_was_not_given(serve, method, status):
    served = serve(respond(b"", status=status))(REQUEST_METHOD=method)
    assert "content-length" not in served.headers
    assert served.read() == b""


def test_head_has_no_body_and_the_length_of_get(serve):
    served = serve(respond(b"hello", headers=[(b"content-length", b"5")]))(REQUEST_METHOD="HEAD")
    assert served.headers == {"content-length": "5"}
    assert served.read() == b""


def test_hop_by_hop_fields_are_left_to_the_server(serve):
    """PEP 3333 forbids them to applications, and wsgiref asserts it."""
    headers = [(b"connection", b"close"), (b"transfer-encoding", b"chunked"), (b"x-a", b"b")]
    assert serve(respond(b"", headers=headers))().headers == {"x-a": "b", "content-length": "0"}


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 300_000])
def test_body_passes_both_ways(serve, size):
    data = bytes(range(256)) * (size // 256 + 1)
    data = data[:size]
    assert serve(echo)(**body_of(data)).read() == data


def test_body_is_read_only_when_the_application_asks(serve):
    class Unread(io.BytesIO):
        def read(self, size=-1):
            raise AssertionError("nobody asked")

        read1 = read

    served = serve(respond(b"no"))(**body_of(b"yes") | {"wsgi.input": Unread()})
    assert served.read() == b"no"


def test_piece_leaves_before_the_next_one_is_made(serve):
    seen = threading.Event()

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            raise NotImplementedError
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        await asyncio.to_thread(seen.wait, 10)
        await send({"type": "http.response.body", "body": b"second"})

    served = serve(app)()
    assert next(served.pieces) == b"first"
    seen.set()
    assert served.read() == b"second"


def test_application_waits_for_a_slow_client(serve):
    sent = 0
    waits = threading.Event()

    async def app(scope, receive, send):
        nonlocal sent
        if scope["type"] == "lifespan":
            raise NotImplementedError
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while sent < 10 * HIGH_WATER:
            sending = asyncio.ensure_future(
                send({"type": "http.response.body", "body": b"x" * 1000, "more_body": True})
            )
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            if not sending.done():
                waits.set()
            await sending
            sent += 1000
        await send({"type": "http.response.body", "body": b""})

    served = serve(app)()
    next(served.pieces)
    assert waits.wait(10)
    assert sent <= HIGH_WATER
    assert len(served.read()) == sent - 1000


def test_client_that_leaves_is_told_to_the_application(serve, caplog):
    """HE14: `send` raises an OSError, `receive` says so; neither is an error to log."""
    told = []
    ended = threading.Event()

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            raise NotImplementedError
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            while True:
                await send({"type": "http.response.body", "body": b"x" * 1000, "more_body": True})
        except OSError:
            told.append(await receive())
            raise
        finally:
            ended.set()

    request = serve(app)
    served = request()
    next(served.pieces)
    served.close()
    assert ended.wait(10)
    assert told == [{"type": "http.disconnect"}]
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_upload_that_breaks_off_is_the_servers_error_and_a_disconnect(serve):
    got = []
    ended = threading.Event()

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            raise NotImplementedError
        while not got or got[-1] == "http.request":
            got.append((await receive())["type"])
        ended.set()

    with pytest.raises(EOFError):
        serve(app)(REQUEST_METHOD="POST", CONTENT_LENGTH="9", **{"wsgi.input": io.BytesIO(b"abc")})
    assert ended.wait(10)
    assert got == ["http.request", "http.disconnect"]


def test_messages_after_the_response_are_ignored(serve):
    async def app(scope, receive, send):
        await respond(b"whole")(scope, receive, send)
        await send({"type": "http.response.body", "body": b"more"})

    assert serve(app)().read() == b"whole"


def test_error_before_the_response_is_raised_to_the_server(serve):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise LookupError("at once")

    with pytest.raises(LookupError, match="at once"):
        serve(app, checked=False)()


def test_error_in_the_response_is_raised_out_of_the_iteration(serve):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"begun", "more_body": True})
        raise LookupError("in the middle")

    served = serve(app)()
    assert next(served.pieces) == b"begun"
    with pytest.raises(LookupError, match="in the middle"):
        served.read()


def test_error_after_the_response_is_logged(serve, caplog):
    async def app(scope, receive, send):
        await respond(b"done")(scope, receive, send)
        await receive()
        assert (await receive())["type"] == "http.disconnect"
        raise LookupError("in the background")

    request = serve(app)
    assert request().read() == b"done"
    request.__closure__[0].cell_contents.close()  # waits for what runs
    assert "application raised after its response" in caplog.text
    assert "LookupError: in the background" in caplog.text


async def silent(scope, receive, send): ...


async def half(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"half", "more_body": True})


async def body_first(scope, receive, send):
    await send({"type": "http.response.body", "body": b"body"})


async def twice(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.start", "status": 200, "headers": []})


async def text(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": "text"})


async def unknown(scope, receive, send):
    await send({"type": "http.response.push"})


async def leaves(scope, receive, send):
    if scope["type"] == "lifespan":
        raise NotImplementedError
    sys.exit("bye")


@pytest.mark.parametrize(
    ("app", "error", "message"),
    [
        (silent, RuntimeError, "returned without completing its response"),
        (half, RuntimeError, "returned without completing its response"),
        (body_first, RuntimeError, "before 'http.response.start'"),
        (twice, RuntimeError, "sent twice"),
        (text, TypeError, "body must be bytes, not str"),
        (unknown, RuntimeError, "unknown message type 'http.response.push'"),
        (leaves, RuntimeError, r"application raised SystemExit\('bye'\)"),
    ],
)
def test_mistake_of_the_application_is_raised(serve, app, error, message):
    request = serve(app, checked=False)
    for _ in range(2):  # the first one leaves nothing broken behind
        with pytest.raises(error, match=message):
            request().read()


def test_headers_that_the_server_refuses_end_the_call(serve):
    told = []
    ended = threading.Event()

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-a", b"b\r\nc")]})
        await send({"type": "http.response.body", "body": b"", "more_body": True})
        await receive()
        told.append(await receive())
        ended.set()

    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)

    def refuse(status, headers, exc_info=None):
        raise ValueError("refused")

    adapter = ASGIToWSGI(app)
    with pytest.raises(ValueError, match="refused"):
        adapter(environ, refuse)
    assert ended.wait(10)
    assert told == [{"type": "http.disconnect"}]
    adapter.close()


def test_context_of_the_thread_is_seen(serve):
    variable = contextvars.ContextVar("variable", default=b"unset")

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            raise NotImplementedError
        await respond(variable.get())(scope, receive, send)

    request = serve(app)
    request().read()  # the loop has started in another context
    variable.set(b"of the thread")
    assert request().read() == b"of the thread"


# The life of the application.


def lifespan_app(events, *, fail=None):
    async def app(scope, receive, send):
        if scope["type"] != "lifespan":
            await respond(scope["state"]["name"])(scope, receive, send)
            return
        scope["state"]["name"] = b"state"
        for event in ("startup", "shutdown"):
            assert (await receive())["type"] == f"lifespan.{event}"
            events.append((event, threading.current_thread().name))
            if fail == event:
                await send({"type": f"lifespan.{event}.failed", "message": "no database"})
                return
            await send({"type": f"lifespan.{event}.complete"})

    return app


def test_lifespan_runs_in_the_loop_of_the_requests():
    events: list[tuple[str, str]] = []
    adapter = ASGIToWSGI(validate(lifespan_app(events)))
    assert events == []
    for _ in range(2):
        assert Served(adapter).read() == b"state"
    assert events == [("startup", "transom-asgi")]
    adapter.close()
    assert events == [("startup", "transom-asgi"), ("shutdown", "transom-asgi")]
    assert not [thread for thread in threading.enumerate() if thread.name == "transom-asgi"]
    adapter.close()
    assert Served(adapter).read() == b"state"  # starts again
    adapter.close()
    assert len(events) == 4


def test_failed_start_is_an_error_of_each_request():
    events: list[tuple[str, str]] = []
    adapter = ASGIToWSGI(lifespan_app(events, fail="startup"))
    for _ in range(2):
        with pytest.raises(RuntimeError, match="application startup failed: no database"):
            Served(adapter)
    assert not [thread for thread in threading.enumerate() if thread.name == "transom-asgi"]
    adapter.close()


def test_failed_shutdown_is_logged(caplog):
    adapter = ASGIToWSGI(lifespan_app([], fail="shutdown"))
    Served(adapter).read()
    adapter.close()
    assert "application shutdown failed: no database" in caplog.text


def test_application_that_does_not_shut_down_is_left(caplog):
    release = threading.Event()

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await asyncio.to_thread(release.wait, 10)
            return
        await respond(b"")(scope, receive, send)

    adapter = ASGIToWSGI(app, timeout=0.01)
    Served(adapter).read()
    adapter.close()
    assert "has not shut down in time" in caplog.text
    release.set()


def test_request_in_progress_finishes_when_the_adapter_is_closed():
    finished = []

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            raise NotImplementedError
        await respond(b"done")(scope, receive, send)
        await asyncio.sleep(0)
        finished.append(True)

    adapter = ASGIToWSGI(app)
    Served(adapter).read()
    adapter.close()
    assert finished == [True]


def test_request_that_is_cancelled_by_the_end_is_an_error():
    begun = threading.Event()

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            raise NotImplementedError
        begun.set()
        await asyncio.get_running_loop().create_future()

    adapter = ASGIToWSGI(app, timeout=0.05)
    errors = []

    def request():
        try:
            Served(adapter)
        except RuntimeError as exc:
            errors.append(str(exc))

    thread = threading.Thread(target=request)
    thread.start()
    assert begun.wait(10)
    adapter.close()
    thread.join(10)
    assert errors == ["the adapter was closed during the request"]


def test_loop_is_made_by_the_factory(serve):
    loops = []

    class Loop(asyncio.SelectorEventLoop):
        pass

    async def app(scope, receive, send):
        loops.append(type(asyncio.get_running_loop()))
        await respond(b"")(scope, receive, send)

    serve(app, loop_factory=Loop)().read()
    assert loops[-1] is Loop


def test_requests_run_at_the_same_time(serve):
    """A thread waits for its own request, the loop for none."""

    barrier = None

    async def app(scope, receive, send):
        nonlocal barrier
        if scope["type"] == "lifespan":
            raise NotImplementedError
        barrier = barrier or asyncio.Barrier(3)
        await barrier.wait()
        await respond(b"together")(scope, receive, send)

    request = serve(app)
    bodies: list[bytes] = []
    threads = [threading.Thread(target=lambda: bodies.append(request().read())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert bodies == [b"together"] * 3
