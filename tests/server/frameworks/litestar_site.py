"""The site with Litestar."""

import contextlib
import hashlib
from collections.abc import AsyncIterator
from typing import Annotated, Any

from litestar import Litestar, MediaType, Request, Response, WebSocket, get, post, route, websocket
from litestar.background_tasks import BackgroundTask
from litestar.datastructures import Cookie, UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import File, Redirect, ServerSentEvent, Stream


@contextlib.asynccontextmanager
async def lifespan(app: Litestar) -> AsyncIterator[None]:
    app.state.started = True
    app.state.done = []
    yield
    print("site stopped", flush=True)


@route("/", http_method=["GET", "HEAD"], media_type=MediaType.TEXT)
async def home() -> str:
    return "hello"


@get("/json")
async def show_json(request: Request[Any, Any, Any], name: str) -> dict[str, str]:
    return {
        "name": name,
        "path": request.url.path,
        "host": request.headers["host"],
        "scheme": request.url.scheme,
    }


@get("/path/{rest:path}")
async def show_path(rest: str) -> dict[str, str]:
    return {"path": rest.removeprefix("/")}


@get("/header")
async def header(request: Request[Any, Any, Any]) -> Response[dict[str, list[str]]]:
    return Response({"got": request.headers.getall("x-echo")}, headers={"X-Answer": "caf\xe9"})


@post("/form", status_code=200)
async def form(request: Request[Any, Any, Any]) -> dict[str, list[str]]:
    data = await request.form()
    return {"a": data.getall("a"), "b": data.getall("b")}


@post("/multipart", status_code=200)
async def multipart(
    data: Annotated[dict[str, Any], Body(media_type=RequestEncodingType.MULTI_PART)],
) -> dict[str, object]:
    file: UploadFile = data["file"]
    return {"name": file.filename, "size": len(await file.read()), "field": data["field"]}


@post("/upload", status_code=200)
async def upload(request: Request[Any, Any, Any]) -> dict[str, object]:
    digest, size = hashlib.sha256(), 0
    async for piece in request.stream():
        digest.update(piece)
        size += len(piece)
    return {"size": size, "sha256": digest.hexdigest()}


@get("/download", media_type="application/octet-stream")
async def download() -> Stream:
    async def pieces() -> AsyncIterator[bytes]:
        for number in range(20):
            yield bytes([number]) * 50_000

    return Stream(pieces())


@get("/file", media_type="text/plain")
async def file() -> File:
    return File("README.md", content_disposition_type="inline")


@get("/events")
async def events() -> ServerSentEvent:
    async def pieces() -> AsyncIterator[str]:
        for number in range(3):
            yield str(number)

    return ServerSentEvent(pieces())


@get("/cookies")
async def cookies(request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
    return Response(
        {"got": request.cookies},
        cookies=[Cookie("a", value="1", httponly=True), Cookie("b", value="2", path="/cookies")],
    )


@get("/redirect", status_code=302)
async def leave() -> Redirect:
    return Redirect("/json?name=redirected")


@get("/empty", status_code=204)
async def empty() -> None:
    return None


@get("/broken")
async def broken() -> None:
    raise LookupError("on purpose")


@get("/state")
async def state(request: Request[Any, Any, Any]) -> dict[str, bool]:
    return {"started": request.app.state.started}


@post("/background", status_code=200, media_type=MediaType.TEXT)
async def begin(request: Request[Any, Any, Any]) -> Response[str]:
    return Response("begun", background=BackgroundTask(request.app.state.done.append, True))


@get("/background")
async def background(request: Request[Any, Any, Any]) -> dict[str, list[bool]]:
    return {"done": request.app.state.done}


@websocket("/ws")
async def echo(socket: WebSocket[Any, Any, Any]) -> None:
    await socket.accept(subprotocols="chat" if "chat" in socket.scope["subprotocols"] else None)
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


app = Litestar(
    [
        *(home, show_json, show_path, header, form, multipart, upload, download, file, events),
        *(cookies, leave, empty, broken, state, begin, background, echo),
    ],
    lifespan=[lifespan],
    openapi_config=None,
)
