"""The client is for any ASGI application: here one of Starlette's, with both sides checked against the spec."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute

from transom.asgi import validate
from transom.testing import Client


async def test_starlette_application(tmp_path):
    done = asyncio.Event()

    @asynccontextmanager
    async def lifespan(app):
        yield {"greeting": "hello"}
        app.state.closed = True

    async def background() -> None:
        done.set()

    async def index(request: Request):
        return PlainTextResponse(request.state.greeting, background=BackgroundTask(background))

    async def upload(request: Request):
        async with request.form() as form:
            return JSONResponse({"name": form["file"].filename, "size": len(await form["file"].read())})

    async def stream(request: Request):
        async def pieces():
            for number in range(3):
                yield f"{number}\n"

        return StreamingResponse(pieces())

    async def file(request: Request):
        return FileResponse(tmp_path / "a.txt")

    async def echo(socket):
        await socket.accept(subprotocol="chat")
        await socket.send_json({"got": await socket.receive_json()})
        await socket.close(4000, "bye")

    (tmp_path / "a.txt").write_text("x" * 100_000)
    routes = [
        Route("/", index),
        Route("/upload", upload, methods=["POST"]),
        Route("/stream", stream),
        Route("/file", file),
        WebSocketRoute("/ws", echo),
    ]
    app = Starlette(routes=routes, lifespan=lifespan)
    async with Client(validate(app)) as client:
        assert (await client.get("/")).text == "hello"
        assert done.is_set()
        assert (await client.post("/upload", files={"file": ("a.bin", bytes(200_000))})).json() == {
            "name": "a.bin",
            "size": 200_000,
        }
        async with client.stream("GET", "/stream") as response:
            assert [line async for line in response.aiter_lines()] == ["0", "1", "2"]
        assert len((await client.get("/file")).content) == 100_000
        assert (await client.get("/file", headers={"range": "bytes=0-9"})).status_code == 206
        async with client.websocket("/ws", subprotocols=["chat"]) as ws:
            await ws.send_json(1)
            assert await ws.receive_json() == {"got": 1}
            assert [message async for message in ws] == []
            assert (ws.close_code, ws.close_reason) == (4000, "bye")
    assert app.state.closed
