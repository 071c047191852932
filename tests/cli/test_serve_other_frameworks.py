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
    "fastapi": """
from fastapi import FastAPI, Request

app = FastAPI()

@app.api_route("/", methods=["GET", "POST"])
async def echo(request: Request) -> dict[str, str]:
    return {"framework": "fastapi", "got": (await request.body()).decode()}
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
@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["one process", "two workers"])
def test_the_application_of_another_framework_is_served(
    framework: str, options: tuple[str, ...], tmp_path: Path, unused_port: int
):
    (tmp_path / "site_under_test.py").write_text(APPLICATIONS[framework])
    body = "x" * 100_000
    with served(tmp_path, unused_port, *options) as client:
        assert client.post("/", content=body).json() == {"framework": framework, "got": body}
        assert client.post("/", content=(part for part in (b"a", b"b"))).json()["got"] == "ab"  # chunked
        assert client.get("/nowhere").status_code == 404
