"""The lifespan of an application under test."""

from __future__ import annotations

import pytest

from transom.testing import Client, LifespanFailed


class Site:
    """An application with a lifespan, scripted by what it does at each step."""

    def __init__(self, **answers) -> None:
        self.answers = answers
        self.events: list[str] = []

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] == "lifespan":
            await self.run(scope, receive, send)
        else:
            scope["state"]["n"] = scope["state"].get("n", 0) + 1
            await send({"type": "http.response.start", "status": 200})
            await send({"type": "http.response.body", "body": f"{scope['state']}".encode()})

    async def run(self, scope, receive, send) -> None:
        for step in ("startup", "shutdown"):
            self.events.append((await receive())["type"])
            answer = self.answers.get(step, {"type": f"lifespan.{step}.complete"})
            if isinstance(answer, Exception):
                raise answer
            scope["state"]["pool"] = "open"
            await send(answer)


async def test_client_starts_the_application_up_and_shuts_it_down():
    site = Site()
    async with Client(site) as client:
        assert site.events == ["lifespan.startup"]
        assert client.app is site
    assert site.events == ["lifespan.startup", "lifespan.shutdown"]


async def test_each_request_has_a_copy_of_the_state():
    async with Client(Site()) as client:
        for _ in range(2):
            assert (await client.get("/")).text == "{'pool': 'open', 'n': 1}"
        assert client.state == {"pool": "open"}


async def test_client_without_a_block_runs_no_lifespan():
    site = Site()
    client = Client(site)
    assert (await client.get("/")).text == "{'n': 1}"
    await client.aclose()
    assert site.events == []


@pytest.mark.parametrize("step", ["startup", "shutdown"])
async def test_failure_the_application_reports_is_raised(step):
    site = Site(**{step: {"type": f"lifespan.{step}.failed", "message": "no database"}})
    with pytest.raises(LifespanFailed, match="no database"):
        async with Client(site):
            assert step == "shutdown"


@pytest.mark.parametrize("step", ["startup", "shutdown"])
async def test_exception_of_the_application_is_raised(step):
    with pytest.raises(ZeroDivisionError):
        async with Client(Site(**{step: ZeroDivisionError()})):
            assert step == "shutdown"


async def test_failure_keeps_the_exception_as_its_cause():
    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no"})
        raise ZeroDivisionError

    with pytest.raises(LifespanFailed) as caught:
        async with Client(app):
            pass
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


async def test_application_without_a_lifespan_is_no_error():
    async def raises(scope, receive, send):
        raise NotImplementedError(scope["type"])

    async def returns(scope, receive, send):
        pass

    for app in (raises, returns):
        async with Client(app):
            pass


async def test_silent_start_is_a_timeout(monkeypatch):
    monkeypatch.setattr("transom.testing.lifespan.TIMEOUT", 0.01)

    async def app(scope, receive, send):
        await receive()
        await receive()

    with pytest.raises(TimeoutError, match=r"for lifespan\.startup\.complete from the application"):
        async with Client(app):
            pass
