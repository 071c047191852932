"""The site with Flask."""

import hashlib

from flask import Flask, Response, jsonify, redirect, request, send_file

app = Flask(__name__)
done: list[bool] = []


@app.get("/")
def home():
    return Response("hello", mimetype="text/plain")


@app.get("/json")
def show_json():
    return {
        "name": request.args["name"],
        "path": request.path,
        "host": request.host,
        "scheme": request.scheme,
    }


@app.get("/path/<path:rest>")
def show_path(rest: str):
    return {"path": rest}


@app.get("/header")
def header():
    response = jsonify(got=request.headers["X-Echo"].split(","))
    response.headers["X-Answer"] = "caf\xe9"
    return response


@app.post("/form")
def form():
    return {"a": request.form.getlist("a"), "b": request.form.getlist("b")}


@app.post("/multipart")
def multipart():
    file = request.files["file"]
    return {"name": file.filename, "size": len(file.read()), "field": request.form["field"]}


@app.post("/upload")
def upload():
    digest, size = hashlib.sha256(), 0
    while piece := request.stream.read(10_000):
        digest.update(piece)
        size += len(piece)
    return {"size": size, "sha256": digest.hexdigest()}


@app.get("/download")
def download():
    def pieces():
        for number in range(20):
            yield bytes([number]) * 50_000

    return Response(pieces(), mimetype="application/octet-stream")


@app.get("/file")
def file():
    return send_file("README.md", mimetype="text/plain")


@app.get("/events")
def events():
    def pieces():
        for number in range(3):
            yield f"data: {number}\n\n"

    return Response(pieces(), mimetype="text/event-stream")


@app.get("/cookies")
def cookies():
    response = jsonify(got=request.cookies)
    response.set_cookie("a", "1", httponly=True)
    response.set_cookie("b", "2", path="/cookies")
    return response


@app.get("/redirect")
def leave():
    return redirect("/json?name=redirected")


@app.get("/empty")
def empty():
    return "", 204


@app.get("/broken")
def broken():
    raise LookupError("on purpose")


@app.post("/background")
def begin():
    response = Response("begun", mimetype="text/plain")
    response.call_on_close(lambda: done.append(True))
    return response


@app.get("/background")
def background():
    return {"done": done}
