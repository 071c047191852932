"""The lifespan conversation, and what its state means to requests. IDs are those of the ASGI conformance list."""

from __future__ import annotations

import asyncio

import pytest

from transom.asgi import validate
from transom.server import Config, Server, StartupError
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


async def test_server_that_cannot_start_leaves_nothing_open():
    server = Server(refusing, Config(port=0, lifespan="on"))
    with pytest.raises(StartupError):
        await server.start()
    assert server.addresses == []
