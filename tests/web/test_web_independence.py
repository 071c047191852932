import subprocess
import sys

import pytest

SITE = """
import asyncio, sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[:2] in (["transom", n] for n in ("server", "db", "templates")):
            raise ImportError(f"{name} is blocked")

sys.meta_path.insert(0, Block())
from transom.web import App, Response, path, websocket

async def view(request, pk):
    return Response(str((await request.form()).get("text")) + request.app.reverse("x", pk=pk))

app = App([path("<int:pk>/", view, name="x")])

async def main():
    messages = []
    async def receive():
        return {"type": "http.request", "body": b"text=hello", "more_body": False}
    async def send(message):
        messages.append(message)
    await app({"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": "/3/", "raw_path": b"/3/", "query_string": b"", "root_path": "", "client": None, "server": None,
        "headers": [(b"host", b"localhost"), (b"sec-fetch-site", b"same-origin"),
                    (b"content-type", b"application/x-www-form-urlencoded")]}, receive, send)
    assert messages[1]["body"] == b"hello/3/", messages

asyncio.run(main())
assert not {"jinja2", "sqlalchemy", "transom.web.debug"} & set(sys.modules)
"""


@pytest.mark.slow  # starts an interpreter
def test_the_web_layer_works_without_server_database_and_templates():
    done = subprocess.run([sys.executable, "-c", SITE], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
