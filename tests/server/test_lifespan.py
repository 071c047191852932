"""The lifespan conversation, and what its state means to requests. IDs are those of the ASGI conformance list."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from transom.asgi import validate
from transom.server import Config, Server, StartupError, bind_sockets
from transom.server.lifespan import Lifespan


def lifespan(app, mode="auto", timeout=60.0):
    return Lifespan(app, Config(lifespan=mode, timeout_lifespan=timeout))


def following(log):
    """Return an application that follows the protocol and notes what it is told."""

    async def app(scope, receive, send):
        log.append(scope["asgi"]["spec_version"])
        while True:
            kind = (await receive())["type"]
            log.append(kind)
            await send({"type": f"{kind}.complete"})
            if kind == "lifespan.shutdown":
                return

    return validate(app)


@pytest.mark.parametrize("mode", ["auto", "on"])
async def test_application_is_started_and_shut_down(mode):
    """L1, L2, L4."""
    log = []
    life = lifespan(following(log), mode)
    await life.startup()
    assert log == ["2.0", "lifespan.startup"]
    await life.shutdown()
    assert log[2:] == ["lifespan.shutdown"]


async def test_mode_off_never_calls_the_application():
    """L3."""
    life = lifespan(None, "off")
    await life.startup()
    await life.shutdown()
    assert life.state is None


async def refusing(scope, receive, send):
    raise NotImplementedError(scope["type"])


async def test_application_without_lifespan_is_served_in_mode_auto():
    """L3, B9."""
    life = lifespan(refusing)
    await life.startup()
    assert life.state is None
    await life.shutdown()


async def test_application_without_lifespan_is_an_error_in_mode_on():
    """L3."""
    with pytest.raises(StartupError, match="NotImplementedError"):
        await lifespan(refusing, "on").startup()


async def test_failed_startup_gives_the_reason():
    """L2."""

    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    with pytest.raises(StartupError, match="no database"):
        await lifespan(app).startup()


async def test_error_after_a_failed_answer_does_not_hide_the_reason():
    """Starlette sends the failure and then raises."""

    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})
        raise ValueError

    with pytest.raises(StartupError, match="no database"):
        await lifespan(app).startup()


async def test_startup_that_takes_too_long_fails():
    """L2: the wait is bounded."""

    async def app(scope, receive, send):
        await asyncio.Event().wait()

    with pytest.raises(StartupError, match=r"within 0\.01 s"):
        await lifespan(app, timeout=0.01).startup()


async def test_failing_shutdown_is_logged_and_ends(caplog):
    """L4."""

    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        raise ValueError("still open")

    life = lifespan(app)
    await life.startup()
    await life.shutdown()
    assert "still open" in caplog.text


async def test_application_that_returns_after_startup_is_still_served():
    """L7."""

    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.complete"})

    life = lifespan(app)
    await life.startup()
    await asyncio.sleep(0)
    await life.shutdown()


@pytest.mark.parametrize("kind", ["lifespan.shutdown.complete", "http.response.start", None])
async def test_answer_out_of_order_raises(kind):
    """L6."""
    raised = []

    async def app(scope, receive, send):
        await receive()
        with pytest.raises(RuntimeError) as caught:
            await send({"type": kind})
        raised.append(caught.value)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    life = lifespan(app)
    await life.startup()
    await life.shutdown()
    assert len(raised) == 1


async def test_each_request_gets_a_shallow_copy_of_the_state(serve):
    """L5, B12."""
    seen, shared = [], []

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            scope["state"]["shared"] = shared
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        seen.append(dict(scope["state"]))
        scope["state"]["own"] = True
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})

    client = await (await serve(app, lifespan="on")).connect()
    await client.get()
    await client.get()
    assert seen == [{"shared": []}] * 2
    assert seen[0]["shared"] is shared


async def test_scope_has_no_state_without_lifespan(serve):
    """H: state."""
    states = []

    async def app(scope, receive, send):
        states.append("state" in scope)
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})

    await (await (await serve(app)).connect()).get()
    assert states == [False]


# On a whole server


class Conversation:
    """An application that notes what it is asked, in which loop, and in which order with its requests."""

    def __init__(self):
        self.events = []
        self.loops = set()
        self.scopes = []

    async def __call__(self, scope, receive, send):
        self.loops.add(asyncio.get_running_loop())
        if scope["type"] == "lifespan":
            self.scopes.append(scope)
            for name in ("startup", "shutdown"):
                assert (await receive())["type"] == f"lifespan.{name}"
                self.events.append(name)
                await asyncio.sleep(0)
                self.events.append(f"{name} complete")
                await send({"type": f"lifespan.{name}.complete"})
            return
        self.events.append("request")
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
        self.events.append("request ends")
        await send({"type": "http.response.body"})


async def test_lifespan_runs_once_in_the_loop_of_the_requests(serve):
    """L1."""
    app = Conversation()
    running = await serve(app, lifespan="on")
    for _ in range(2):
        client = await running.connect()
        await client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await client.read_head()
    await running.server.stop()
    assert len(app.loops) == 1
    (scope,) = app.scopes
    assert scope["type"] == "lifespan"
    assert scope["asgi"] == {"version": "3.0", "spec_version": "2.0"}
    assert scope["state"] == {}


async def test_requests_come_after_the_start_and_end_before_the_shutdown(serve):
    """L2, L4: a client that connects meanwhile waits for `lifespan.startup.complete`."""
    app = Conversation()
    running = await serve(app, lifespan="on", timeout_graceful_shutdown=0.05)
    client = await running.connect()
    await client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await client.read_head()
    await running.server.stop()
    assert app.events == [
        "startup",
        "startup complete",
        "request",
        "request ends",
        "shutdown",
        "shutdown complete",
    ]


async def test_nothing_is_served_before_the_start_is_complete():
    """L2: the socket is bound, and refuses."""
    (listener,) = bind_sockets(Config(port=0))
    address = listener.getsockname()
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def app(scope, receive, send):
        await receive()
        asked.set()
        await go_on.wait()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    server = Server(app, Config(lifespan="on"), sockets=[listener])
    starting = asyncio.create_task(server.start())
    await asked.wait()
    with pytest.raises(ConnectionError):
        await asyncio.open_connection(*address)
    go_on.set()
    await starting
    _, writer = await asyncio.open_connection(*address)
    writer.close()
    await server.stop()


async def test_no_shutdown_after_a_start_that_failed():
    """L4."""
    asked = []

    async def app(scope, receive, send):
        asked.append((await receive())["type"])
        await send({"type": "lifespan.startup.failed"})
        asked.append((await receive())["type"])

    server = Server(app, Config(port=0, lifespan="on"))
    with pytest.raises(StartupError, match="no reason given"):
        await server.start()
    await server.stop()
    assert asked == ["lifespan.startup"]


async def test_receive_waits_for_the_shutdown_and_then_for_ever():
    """L6."""
    waits = []

    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.complete"})
        for _ in range(2):
            waiting = asyncio.ensure_future(receive())
            done, _ = await asyncio.wait({waiting}, timeout=0.01)
            waits.append(not done)
            if not waits[1:]:
                waits.append((await waiting)["type"])
            else:
                waiting.cancel()
        await send({"type": "lifespan.shutdown.complete"})

    life = lifespan(app)
    await life.startup()
    while not waits:
        await asyncio.sleep(0.001)
    await life.shutdown()
    assert waits == [True, "lifespan.shutdown", True]


async def test_shutdown_that_takes_too_long_is_given_up(caplog):
    """L4: the wait is bounded."""

    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await asyncio.Event().wait()

    life = lifespan(app, timeout=0.01)
    await life.startup()
    await life.shutdown()
    assert "no answer to lifespan.shutdown within 0.01 s" in caplog.text


async def test_shutdown_that_says_it_failed_is_logged(caplog):
    """L4."""

    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.failed", "message": "disk full"})

    life = lifespan(app)
    await life.startup()
    await life.shutdown()
    assert "application shutdown failed: disk full" in caplog.text


async def test_lifespan_that_swallows_its_cancellation_is_left_behind(caplog, monkeypatch):
    monkeypatch.setattr("transom.server.lifespan.END_TIMEOUT", 0.01)
    release = asyncio.Event()

    async def app(scope, receive, send):
        await receive()
        while not release.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await release.wait()

    life = lifespan(app, timeout=0.01)
    with pytest.raises(StartupError):
        await life.startup()
    assert "lifespan goes on although it was cancelled" in caplog.text
    release.set()
    await life._task


async def test_start_that_is_cancelled_cancels_the_lifespan():
    ended, asked = [], asyncio.Event()

    async def app(scope, receive, send):
        try:
            await receive()
            asked.set()
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    starting = asyncio.create_task(lifespan(app).startup())
    await asked.wait()
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert ended == [True]


async def test_application_that_ends_after_its_start_hears_of_no_shutdown_and_is_served(serve):
    """L7."""

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            return
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"served"})

    running = await serve(app, lifespan="on")
    assert (await (await running.connect()).get()).body == b"served"
    await running.server.stop()


async def test_application_that_raises_after_its_start_is_served(serve, caplog):
    """L7."""

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            raise ValueError("too late")
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"served"})

    running = await serve(app, lifespan="on")
    assert (await (await running.connect()).get()).body == b"served"
    assert "raised in its lifespan after start-up" in caplog.text
    await running.server.stop()


async def test_top_level_of_the_state_is_each_request_s_own_and_what_is_in_it_is_shared(serve):
    """L5."""
    seen = []

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            scope["state"].update(count=0, items=[])
            await receive()
            await send({"type": "lifespan.startup.complete"})
            scope["state"]["late"] = True
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        state = scope["state"]
        seen.append((state["count"], list(state["items"])))
        state["count"] += 1
        state["items"].append("x")
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})

    client = await (await serve(app, checked=False, lifespan="on")).connect()
    await client.get()
    await client.get()
    assert seen == [(0, []), (0, ["x"])]


async def test_server_that_cannot_start_leaves_nothing_open():
    server = Server(refusing, Config(port=0, lifespan="on"))
    with pytest.raises(StartupError):
        await server.start()
    assert server.addresses == []
