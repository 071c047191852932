"""Applications of other frameworks run on our server, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import logging

import httpx
import pytest
import websockets

PAYLOAD = b"0123456789" * 50_000


@pytest.fixture
async def browse(serve):
    """Serve an application and return an HTTP client for it."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(app, **options):
            running = await serve(app, **options)
            base_url = f"http://127.0.0.1:{running.port}"
            return await stack.enter_async_context(httpx.AsyncClient(base_url=base_url, timeout=5))

        yield start


def starlette_app():
    from starlette.applications import Starlette
    from starlette.background import BackgroundTask
    from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
    from starlette.routing import Route, WebSocketRoute

    @contextlib.asynccontextmanager
    async def lifespan(app):
        yield {"greeting": "hello"}

    async def home(request):
        return JSONResponse({"greeting": request.state.greeting, "path": request.url.path})

    async def upload(request):
        size = 0
        async for piece in request.stream():
            size += len(piece)
        return PlainTextResponse(str(size), background=BackgroundTask(asyncio.sleep, 0))

    async def stream(request):
        async def pieces():
            for _ in range(10):
                yield PAYLOAD
                await asyncio.sleep(0)

        return StreamingResponse(pieces())

    async def broken(request):
        raise RuntimeError("view")

    async def endless(request):
        async def pieces():
            while True:
                yield PAYLOAD

        return StreamingResponse(pieces())

    async def echo(socket):
        await socket.accept(subprotocol="chat")
        await socket.send_text(await socket.receive_text() + socket.state.greeting)
        await socket.close()

    routes = [
        Route("/", home),
        Route("/upload", upload, methods=["POST"]),
        Route("/stream", stream),
        Route("/broken", broken),
        Route("/endless", endless),
        WebSocketRoute("/echo", echo),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


async def test_starlette_request_response_and_lifespan_state(browse):
    client = await browse(starlette_app(), lifespan="on")
    assert (await client.get("/")).json() == {"greeting": "hello", "path": "/"}
    assert (await client.get("/nowhere")).status_code == 404


async def test_starlette_streams_both_ways(browse):
    client = await browse(starlette_app())
    assert (await client.get("/stream")).content == PAYLOAD * 10

    async def pieces():
        for _ in range(10):
            yield PAYLOAD

    assert (await client.post("/upload", content=pieces())).text == str(len(PAYLOAD) * 10)
    assert (await client.post("/upload", content=PAYLOAD)).text == str(len(PAYLOAD))


async def test_starlette_error_is_a_500(browse, caplog):
    client = await browse(starlette_app())
    assert (await client.get("/broken")).status_code == 500
    assert "RuntimeError: view" in caplog.text


async def test_starlette_stream_to_a_client_that_left_is_not_an_error(serve, caplog):
    """HE14: spec_version 2.5 makes StreamingResponse rely on an OSError out of `send`."""
    running = await serve(starlette_app(), lifespan="on", timeout_graceful_shutdown=5.0)
    client = await running.connect()
    await client.send(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
    await client.read_head()
    client.writer.transport.abort()
    await running.server.stop()  # waits for the application
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_starlette_websocket(serve):
    running = await serve(starlette_app(), lifespan="on")
    async with websockets.connect(f"ws://127.0.0.1:{running.port}/echo", subprotocols=["chat"]) as socket:
        await socket.send("oh, ")
        assert await socket.recv() == "oh, hello"
        assert socket.subprotocol == "chat"


async def test_fastapi_validates_and_documents(browse):
    from fastapi import FastAPI
    from pydantic import BaseModel

    class Item(BaseModel):
        name: str
        price: float

    app = FastAPI()

    async def create(item: Item, double: bool = False) -> Item:
        return item.model_copy(update={"price": item.price * (1 + double)})

    create.__annotations__.update(item=Item, double=bool)  # they were text, and Item is local
    app.post("/items", response_model=Item)(create)

    client = await browse(app)
    reply = await client.post("/items?double=1", json={"name": "tea", "price": 2})
    assert reply.json() == {"name": "tea", "price": 4.0}
    assert (await client.post("/items", json={"name": "tea"})).status_code == 422
    assert "/items" in (await client.get("/openapi.json")).json()["paths"]


@pytest.fixture(scope="module")
def django_app():
    import django
    from django.conf import settings
    from django.core.asgi import get_asgi_application
    from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
    from django.urls import path
    from django.views.decorators.csrf import csrf_exempt

    def home(request):
        return HttpResponse(f"hello from {request.META['SERVER_PORT']}")

    @csrf_exempt
    async def upload(request):
        return JsonResponse(
            {"size": len(request.body), "name": request.GET["name"], "host": request.get_host()}
        )

    async def stream(request):
        async def pieces():
            for _ in range(3):
                yield b"piece"

        return StreamingHttpResponse(pieces())

    class Urls:
        urlpatterns = [path("", home), path("upload", upload), path("stream", stream)]

    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF=Urls,
        SECRET_KEY="test",
        MIDDLEWARE=["django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware"],
        LOGGING_CONFIG=None,
        USE_TZ=True,
    )
    django.setup()
    return get_asgi_application()


async def test_django_sync_and_async_views(browse, django_app):
    # Not checked by `validate`: Django's header names are not in lower case, which ASGI demands and servers forgive.
    client = await browse(django_app, lifespan="auto", checked=False)
    assert (await client.get("/")).text == f"hello from {client.base_url.port}"
    reply = await client.post("/upload?name=%C3%A4", content=PAYLOAD)
    assert reply.json() == {"size": len(PAYLOAD), "name": "ä", "host": f"127.0.0.1:{client.base_url.port}"}
    assert (await client.get("/stream")).content == b"piece" * 3
    assert (await client.get("/", headers={"Host": "elsewhere"})).status_code == 400
