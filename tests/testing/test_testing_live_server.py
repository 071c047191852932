"""The live server: a real socket."""

from __future__ import annotations

import httpx
import pytest

from transom.testing import LiveServer


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        scope["state"]["greeting"] = "hello"
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
    else:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["state"]["greeting"].encode()})


async def test_live_server_answers_on_its_url():
    async with LiveServer(app) as server:
        assert server.url.startswith("http://127.0.0.1:")
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"{server.url}/")).text == "hello"


async def test_url_needs_a_running_server():
    server = LiveServer(app)
    with pytest.raises(RuntimeError, match="use it inside `async with`"):
        assert server.url
    async with server:
        assert server.url
    with pytest.raises(RuntimeError, match="does not run"):
        assert server.url
