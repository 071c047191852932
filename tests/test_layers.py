"""Each of the four halves works alone: imported and used in a process where the other three cannot be imported."""

import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "transom"
HALVES = ("server", "db", "templates", "web")

BLOCK = """
import asyncio, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[:2] in {blocked}:
            raise ImportError(f"{{name}} is blocked")

sys.meta_path.insert(0, Blocked())
"""

USE = {
    "server": """
from transom.server import Config, Server

async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})

async def main():
    async with Server(app, Config(port=0, lifespan="off", access_log=False)) as server:
        reader, writer = await asyncio.open_connection(*server.addresses[0][:2])
        writer.write(b"GET / HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n")
        assert (await reader.read()).endswith(b"\\r\\n\\r\\nok")
        writer.close()
""",
    "db": """
from transom.db import connections, create_tables, models

class Note(models.Model):
    text = models.CharField(max_length=20)

async def main():
    connections.configure({"default": "sqlite://:memory:"})
    await create_tables(Note)
    await Note.objects.create(text="hello")
    assert (await Note.objects.get(text__startswith="h")).text == "hello"
    await connections.aclose()
""",
    "templates": """
from transom.templates import JinjaEngine

async def main():
    text = await JinjaEngine([], debug=False).render_string("{{ text }}", {"text": "<b>"})
    assert text == "&lt;b&gt;", text
""",
    "web": """
from transom.web import App, JSONResponse, path

async def hello(request, name):
    return JSONResponse({"hello": name})

async def main():
    app = App([path("<str:name>/", hello)], debug=True)
    sent = []
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1",
             "method": "GET", "scheme": "http", "path": "/you/",
             "raw_path": b"/you/", "query_string": b"", "root_path": "", "headers": [(b"host", b"localhost")],
             "client": ("127.0.0.1", 1), "server": ("localhost", 80)}

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    assert sent[0]["status"] == 200, sent
    assert sent[1]["body"] == b'{"hello":"you"}', sent
""",
}


@pytest.mark.slow
@pytest.mark.parametrize("half", HALVES)
def test_it_works_with_the_others_blocked(half: str, tmp_path: Path):
    blocked = [["transom", other] for other in HALVES if other != half]
    program = tmp_path / "program.py"
    program.write_text(BLOCK.format(blocked=blocked) + USE[half] + "\nasyncio.run(main())\n")
    done = subprocess.run(
        [sys.executable, "-W", "error", program], cwd=tmp_path, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr


def test_a_private_module_is_imported_only_in_its_own_folder():
    for path in SOURCE.rglob("*.py"):
        package = ".".join(["transom", *path.relative_to(SOURCE).parent.parts])
        for line in path.read_text().splitlines():
            words = line.split()
            if (
                len(words) > 1
                and words[0] in {"from", "import"}
                and "._" in words[1]
                and not words[1].startswith("__")
            ):
                owner = words[1].partition("._")[0]
                assert owner in (package, ""), f"{path.relative_to(SOURCE)} imports {words[1]}"


def test_every_folder_is_explained_by_its_readme_or_the_one_above():
    for folder in sorted({path.parent for path in SOURCE.rglob("__init__.py")} - {SOURCE}):
        above = folder.parent / "README.md"
        explained = (folder / "README.md").is_file() or (
            above.is_file() and f"{folder.name}/" in above.read_text()
        )
        assert explained, (
            f"{folder.relative_to(SOURCE)} has no README.md, and {above.relative_to(SOURCE)} does not name it"
        )
