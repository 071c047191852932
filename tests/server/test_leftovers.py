"""A request that is over leaves nothing that only the garbage collector could free: it would stop the worker for it."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from transom.server.connection import HTTP1Connection
from transom.server.cycle import HTTPCycle
from transom.server.http2_connection import HTTP2Connection
from transom.server.http2_stream import HTTP2Stream

KINDS = (HTTPCycle, HTTP2Stream, HTTP1Connection, HTTP2Connection)

pytestmark = pytest.mark.each_loop


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def alive() -> Counter[str]:
    # Not `isinstance`: it asks lazy objects, which others may have left, for what they stand for.
    return Counter(type(each).__name__ for each in gc.get_objects() if type(each) in KINDS)


def build_app(*, waits: bool) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            while (await receive()).get("more_body"):
                pass
            if waits:
                await asyncio.sleep(0)
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"x"})

    return app


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("body", [b"", b"body"])
@pytest.mark.parametrize("waits", [False, True], ids=["at once", "waits"])
async def test_requests_over_http1(serve, waits, body):
    before = alive()
    running = await serve(build_app(waits=waits))
    client = await running.connect()
    for _ in range(3):
        await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        assert (await client.read()).body == b"x"
    await asyncio.sleep(0)
    assert alive() - before == {"HTTP1Connection": 1}


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("body", [b"", b"body"])
@pytest.mark.parametrize("waits", [False, True], ids=["at once", "waits"])
async def test_requests_over_http2(serve, connect_http2, waits, body):
    before = alive()
    running = await serve(build_app(waits=waits))
    async with connect_http2(running) as client:
        for _ in range(3):
            stream = await client.ask("POST", ends=False)
            client.connection.send_data(stream, body, end_stream=True)
            await client.flush()
            assert await client.body(stream) == b"x"
        await asyncio.sleep(0)
        assert alive() - before == {"HTTP2Connection": 1}
