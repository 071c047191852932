"""The site with Quart."""

import hashlib

from quart import Quart, Response, jsonify, redirect, request, send_file, websocket

app = Quart(__name__)
state: dict[str, bool] = {}
done: list[bool] = []


@app.before_serving
async def start() -> None:
    state["started"] = True


@app.after_serving
async def stop() -> None:
    print("site stopped", flush=True)


@app.get("/")
async def home():
    return Response("hello", mimetype="text/plain")


@app.get("/json")
async def show_json():
    return {
        "name": request.args["name"],
        "path": request.path,
        "host": request.host,
        "scheme": request.scheme,
    }


@app.get("/path/<path:rest>")
async def show_path(rest: str):
    return {"path": rest}


@app.get("/header")
async def header():
    response = jsonify(got=request.headers.getlist("X-Echo"))
    response.headers["X-Answer"] = "caf\xe9"
    return response


@app.post("/form")
async def form():
    data = await request.form
    return {"a": data.getlist("a"), "b": data.getlist("b")}


@app.post("/multipart")
async def multipart():
    file = (await request.files)["file"]
    return {"name": file.filename, "size": len(file.read()), "field": (await request.form)["field"]}


@app.post("/upload")
async def upload():
    digest, size = hashlib.sha256(), 0
    async for piece in request.body:
        digest.update(piece)
        size += len(piece)
    return {"size": size, "sha256": digest.hexdigest()}


@app.get("/download")
async def download():
    async def pieces():
        for number in range(20):
            yield bytes([number]) * 50_000

    return Response(pieces(), mimetype="application/octet-stream")


@app.get("/file")
async def file():
    return await send_file("README.md", mimetype="text/plain")


@app.get("/events")
async def events():
    async def pieces():
        for number in range(3):
            yield f"data: {number}\n\n"

    return Response(pieces(), mimetype="text/event-stream")


@app.get("/cookies")
async def cookies():
    response = jsonify(got=request.cookies)
    response.set_cookie("a", "1", httponly=True)
    response.set_cookie("b", "2", path="/cookies")
    return response


@app.get("/redirect")
async def leave():
    return redirect("/json?name=redirected")


@app.get("/empty")
async def empty():
    return "", 204


@app.get("/broken")
async def broken():
    raise LookupError("on purpose")


@app.get("/state")
async def show_state():
    return state


async def work() -> None:
    done.append(True)


@app.post("/background")
async def begin():
    app.add_background_task(work)
    return Response("begun", mimetype="text/plain")


@app.get("/background")
async def background():
    return {"done": done}


@app.websocket("/ws")
async def echo():
    await websocket.accept(subprotocol="chat" if "chat" in websocket.requested_subprotocols else None)
    while True:
        message = await websocket.receive()
        if message == "close":
            await websocket.close(4001, "as you wish")
            return
        await websocket.send(message)
