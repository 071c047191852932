"""The site with Starlette."""

import contextlib
import hashlib

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket


@contextlib.asynccontextmanager
async def lifespan(app):
    yield {"started": True, "done": []}
    print("site stopped", flush=True)


async def home(request: Request):
    return PlainTextResponse("hello")


async def show_json(request: Request):
    return JSONResponse(
        {
            "name": request.query_params["name"],
            "path": request.url.path,
            "host": request.headers["host"],
            "scheme": request.url.scheme,
        }
    )


async def show_path(request: Request):
    return JSONResponse({"path": request.path_params["rest"]})


async def header(request: Request):
    return JSONResponse({"got": request.headers.getlist("x-echo")}, headers={"X-Answer": "caf\xe9"})


async def form(request: Request):
    data = await request.form()
    return JSONResponse({"a": data.getlist("a"), "b": data.getlist("b")})


async def multipart(request: Request):
    data = await request.form()
    file = data["file"]
    return JSONResponse({"name": file.filename, "size": len(await file.read()), "field": data["field"]})


async def upload(request: Request):
    digest, size = hashlib.sha256(), 0
    async for piece in request.stream():
        digest.update(piece)
        size += len(piece)
    return JSONResponse({"size": size, "sha256": digest.hexdigest()})


async def download(request: Request):
    async def pieces():
        for number in range(20):
            yield bytes([number]) * 50_000

    return StreamingResponse(pieces(), media_type="application/octet-stream")


async def file(request: Request):
    return FileResponse("README.md", media_type="text/plain")


async def events(request: Request):
    async def pieces():
        for number in range(3):
            yield f"data: {number}\n\n"

    return StreamingResponse(pieces(), media_type="text/event-stream")


async def cookies(request: Request):
    response = JSONResponse({"got": request.cookies})
    response.set_cookie("a", "1", httponly=True)
    response.set_cookie("b", "2", path="/cookies")
    return response


async def redirect(request: Request):
    return RedirectResponse("/json?name=redirected", status_code=302)


async def empty(request: Request):
    return Response(status_code=204)


async def broken(request: Request):
    raise LookupError("on purpose")


async def state(request: Request):
    return JSONResponse({"started": request.state.started})


async def background(request: Request):
    if request.method == "POST":
        return PlainTextResponse("begun", background=BackgroundTask(request.state.done.append, True))
    return JSONResponse({"done": request.state.done})


async def websocket(socket: WebSocket):
    await socket.accept(subprotocol="chat" if "chat" in socket.scope["subprotocols"] else None)
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        if message.get("text") == "close":
            await socket.close(4001, "as you wish")
            return
        if message.get("text") is not None:
            await socket.send_text(message["text"])
        else:
            await socket.send_bytes(message["bytes"])


app = Starlette(
    routes=[
        Route("/", home),
        Route("/json", show_json),
        Route("/path/{rest:path}", show_path),
        Route("/header", header),
        Route("/form", form, methods=["POST"]),
        Route("/multipart", multipart, methods=["POST"]),
        Route("/upload", upload, methods=["POST"]),
        Route("/download", download),
        Route("/file", file),
        Route("/events", events),
        Route("/cookies", cookies),
        Route("/redirect", redirect),
        Route("/empty", empty),
        Route("/broken", broken),
        Route("/state", state),
        Route("/background", background, methods=["GET", "POST"]),
        WebSocketRoute("/ws", websocket),
    ],
    lifespan=lifespan,
)
