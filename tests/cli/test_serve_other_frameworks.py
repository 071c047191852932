"""`transom serve module:app` runs the applications of other frameworks, in one process and in several."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

APPLICATIONS = {
    "starlette": """
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

async def echo(request):
    return JSONResponse({"framework": "starlette", "got": (await request.body()).decode()})

app = Starlette(routes=[Route("/", echo, methods=["GET", "POST"])])
""",
    "flask": """
from flask import Flask, request

app = Flask(__name__)

@app.route("/", methods=["GET", "POST"])
def echo():
    return {"framework": "flask", "got": request.get_data(as_text=True)}
""",
    "django": """
from django.conf import settings

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="x" * 50, DEBUG=False)

from django.core.asgi import get_asgi_application
from django.http import JsonResponse
from django.urls import path

async def echo(request):
    return JsonResponse({"framework": "django", "got": request.body.decode()})

urlpatterns = [path("", echo)]
app = get_asgi_application()
""",
}


@contextmanager
def served(folder: Path, port: int, *options: str) -> Iterator[httpx.Client]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRANSOM_")}
    command = [sys.executable, "-m", "transom", "serve", "site_under_test:app", "--port", str(port), *options]
    server = subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            wait_until_it_answers(client, server)
            yield client
    finally:
        server.send_signal(signal.SIGTERM)
        _, errors = server.communicate(timeout=20)
    assert server.returncode == 0, errors
    assert "Traceback" not in errors


def wait_until_it_answers(client: httpx.Client, server: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert server.poll() is None, server.communicate()
        try:
            client.get("/")
        except httpx.TransportError:
            time.sleep(0.05)  # nothing tells when a port begins to answer
        else:
            return
    raise AssertionError("the server does not answer")


@pytest.mark.slow
@pytest.mark.parametrize("framework", APPLICATIONS)
def test_the_application_of_another_framework_is_served_by_two_workers(
    framework: str, tmp_path: Path, unused_port: int
):
    """In one process: tests/server/test_frameworks.py."""
    (tmp_path / "site_under_test.py").write_text(APPLICATIONS[framework])
    body = "x" * 100_000
    with served(tmp_path, unused_port, "--workers", "2") as client:
        assert client.post("/", content=body).json() == {"framework": framework, "got": body}
        assert client.post("/", content=(part for part in (b"a", b"b"))).json()["got"] == "ab"  # chunked
        assert client.get("/nowhere").status_code == 404


FACTORY = """
def app():
    def application(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [f"multiprocess: {environ['wsgi.multiprocess']}".encode()]

    return application

number = 7
async def asgi(scope, receive, send): ...
"""


@pytest.mark.slow
def test_factory_in_another_directory_makes_a_wsgi_application(tmp_path: Path, unused_port: int):
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "site_under_test.py").write_text(FACTORY)
    with served(tmp_path, unused_port, "--factory", "--app-dir", "inner", "--threads", "2") as client:
        assert client.get("/").text == "multiprocess: False"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere:app"], "no module 'nowhere' for 'nowhere:app'"),
        (["site_under_test:ap"], "no attribute 'ap' for 'site_under_test:ap'; did you mean 'app'?"),
        (["site_under_test.py"], "a module is named as in an import: site_under_test:app"),
        (
            ["site_under_test:number"],
            "is int, which cannot be called; it must be an ASGI or WSGI application",
        ),
        (["site_under_test:app"], "application app takes no arguments; if it makes the application"),
        (
            ["site_under_test:asgi", "--interface", "wsgi"],
            "application asgi is asynchronous, which WSGI is not",
        ),
        (["site_under_test:asgi", "--factory"], "is asynchronous: an application, or a factory"),
        (["site_under_test:app", "--app-dir", "nowhere"], "--app-dir 'nowhere' is no directory"),
    ],
)
def test_mistake_is_one_line_and_exit_code_3(arguments: list[str], message: str, tmp_path: Path):
    (tmp_path / "site_under_test.py").write_text(FACTORY)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRANSOM_")}
    command = [sys.executable, "-m", "transom", "serve", *arguments, "--port", "0"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3, done.stderr
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
