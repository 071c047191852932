"""The site with FastAPI."""

import contextlib
import hashlib
from typing import Annotated

from fastapi import BackgroundTasks, FastAPI, File, Form, Header, Query, Request, UploadFile, WebSocket
from fastapi.responses import (
    FileResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)


@contextlib.asynccontextmanager
async def lifespan(app: FastAPI):
    yield {"started": True, "done": []}
    print("site stopped", flush=True)


app = FastAPI(lifespan=lifespan)


@app.head("/")
@app.get("/")
def home() -> Response:  # in a thread
    return PlainTextResponse("hello")


@app.get("/json")
async def show_json(request: Request, name: Annotated[str, Query()]) -> dict[str, str]:
    return {
        "name": name,
        "path": request.url.path,
        "host": request.headers["host"],
        "scheme": request.url.scheme,
    }


@app.get("/path/{rest:path}")
async def show_path(rest: str) -> dict[str, str]:
    return {"path": rest}


@app.get("/header")
async def header(response: Response, x_echo: Annotated[list[str], Header()]) -> dict[str, list[str]]:
    response.headers["X-Answer"] = "caf\xe9"
    return {"got": x_echo}


@app.post("/form")
async def form(a: Annotated[list[str], Form()], b: Annotated[list[str], Form()]) -> dict[str, list[str]]:
    return {"a": a, "b": b}


@app.post("/multipart")
async def multipart(file: Annotated[UploadFile, File()], field: Annotated[str, Form()]) -> dict[str, object]:
    return {"name": file.filename, "size": len(await file.read()), "field": field}


@app.post("/upload")
async def upload(request: Request) -> dict[str, object]:
    digest, size = hashlib.sha256(), 0
    async for piece in request.stream():
        digest.update(piece)
        size += len(piece)
    return {"size": size, "sha256": digest.hexdigest()}


@app.get("/download")
async def download() -> Response:
    def pieces():  # iterated over in a thread
        for number in range(20):
            yield bytes([number]) * 50_000

    return StreamingResponse(pieces(), media_type="application/octet-stream")


@app.get("/file")
async def file() -> Response:
    return FileResponse("README.md", media_type="text/plain")


@app.get("/events")
async def events() -> Response:
    async def pieces():
        for number in range(3):
            yield f"data: {number}\n\n"

    return StreamingResponse(pieces(), media_type="text/event-stream")


@app.get("/cookies")
async def cookies(request: Request) -> Response:
    response = JSONResponse({"got": request.cookies})
    response.set_cookie("a", "1", httponly=True)
    response.set_cookie("b", "2", path="/cookies")
    return response


@app.get("/redirect")
async def redirect() -> Response:
    return RedirectResponse("/json?name=redirected", status_code=302)


@app.get("/empty", status_code=204)
async def empty() -> None:
    return None


@app.get("/broken")
async def broken() -> None:
    raise LookupError("on purpose")


@app.get("/state")
async def state(request: Request) -> dict[str, bool]:
    return {"started": request.state.started}


@app.post("/background")
async def begin(request: Request, tasks: BackgroundTasks) -> Response:
    tasks.add_task(request.state.done.append, True)
    return PlainTextResponse("begun", background=tasks)


@app.get("/background")
async def background(request: Request) -> dict[str, list[bool]]:
    return {"done": request.state.done}


@app.websocket("/ws")
async def websocket(socket: WebSocket) -> None:
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
