"""The pytest plugin, in small projects of its own, each in a process of its own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from transom.db import connections
from transom.db.url import DatabaseURL

pytestmark = pytest.mark.slow

SITE = """
from transom.db import models
from transom.web import App, JSONResponse, path, websocket
from notes.models import Note

async def index(request):
    if request.method == "POST":
        await Note.objects.create(text=(await request.json())["text"])
    return JSONResponse([note.text async for note in Note.objects.order_by("pk")])

async def live(socket):
    await socket.accept()
    await socket.send_json({"count": await Note.objects.count()})

index.csrf_exempt = True
app = App([path("", index), websocket("live/", live)], installed_apps=["notes"])
"""

MODELS = """
from transom.db import models

class Note(models.Model):
    text = models.CharField(max_length=50)
"""

INI = """
[pytest]
asyncio_mode = {mode}
asyncio_default_fixture_loop_scope = function
pythonpath = .
transom_app = {app}
filterwarnings = error
"""


# Plugins that are of no use here; some are slow to import.
LEFT_OUT = [f"-pno:{name}" for name in ("cacheprovider", "faker", "hypothesispytest")]


def run_project(
    folder: Path,
    tests: str,
    *,
    conftest: str = "",
    mode: str = "auto",
    app: str = "site_app:app",
    database_url: str = "sqlite:///precious.sqlite3",
    options: tuple[str, ...] = (),
) -> str:
    """Write a project, run its tests, and return what pytest says."""
    package = folder / "notes"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "models.py").write_text(MODELS)
    (folder / "site_app.py").write_text(SITE)
    (folder / "pytest.ini").write_text(INI.format(mode=mode, app=app))
    (folder / "test_site.py").write_text(tests)
    (folder / "conftest.py").write_text(conftest)
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("TRANSOM_", "PYTEST_"))
    }
    environment["DATABASE_URL"] = database_url
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *LEFT_OUT, *options],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stdout + done.stderr


DATABASE_TESTS = """
import httpx
import pytest
from notes.models import Note
from transom.testing import Client, DatabaseBlocked

async def test_client_and_test_share_the_database(db, client):
    await client.post("/", json={"text": "by the view"})
    await Note.objects.create(text="by the test")
    assert (await client.get("/")).json() == ["by the view", "by the test"]
    async with client.websocket("/live/") as ws:
        assert await ws.receive_json() == {"count": 2}

async def test_each_test_starts_empty_in_any_order_of_fixtures(client, db):
    assert (await client.get("/")).json() == []
    await client.post("/", json={"text": "x"})

async def test_still_empty(db):
    assert await Note.objects.count() == 0

async def test_live_server_shares_the_database(live_server, db):
    await Note.objects.create(text="seen by the server")
    async with httpx.AsyncClient(base_url=live_server.url) as browser:
        assert (await browser.get("/")).json() == ["seen by the server"]

async def test_without_db_the_database_is_blocked(client):
    with pytest.raises(DatabaseBlocked, match="'default' is asked in a test without the `db` fixture"):
        await client.get("/")

async def test_empty_again(db):
    assert await Note.objects.count() == 0
"""


def test_database_fixtures_isolate_the_tests(tmp_path):
    output = run_project(tmp_path, DATABASE_TESTS)
    assert "6 passed" in output, output
    assert not (tmp_path / "precious.sqlite3").exists()


def test_database_fixtures_on_postgresql(tmp_path, postgres_url):
    output = run_project(tmp_path, DATABASE_TESTS, database_url=postgres_url)
    assert "6 passed" in output, output
    name = f"test_{postgres_url.rpartition('/')[2]}"
    assert not asyncio.run(has_database(postgres_url, name)), "the test database was not dropped"


def test_database_fixtures_on_mysql(tmp_path, mysql_url):
    output = run_project(tmp_path, DATABASE_TESTS, database_url=mysql_url)
    assert "6 passed" in output, output
    name = f"test_{mysql_url.rpartition('/')[2]}"
    assert not asyncio.run(has_mysql_database(mysql_url, name)), "the test database was not dropped"


async def has_mysql_database(url: str, name: str) -> bool:
    backend = connections.build_backend("look", DatabaseURL.parse(url))
    try:
        return bool(
            await backend.fetch("SELECT 1 FROM information_schema.schemata WHERE schema_name = %s", (name,))
        )
    finally:
        await backend.aclose()


WORKER_TEST = """
from pathlib import Path
from notes.models import Note
from transom.db import connections

async def test_own_database(db, worker_id):
    await Note.objects.create(text=worker_id)
    assert await Note.objects.count() == 1
    (name,), = await connections.executor().fetch("SELECT current_database()")
    Path(worker_id).write_text(name)
"""


def test_each_worker_of_xdist_has_a_database_of_its_own(tmp_path, postgres_url):
    options = ("--dist=each", "--tx=2*popen")  # two, which run the same
    output = run_project(tmp_path, WORKER_TEST, database_url=postgres_url, options=options)
    assert "2 passed" in output, output
    names = [(tmp_path / worker).read_text() for worker in ("gw0", "gw1")]
    assert names == [f"test_{postgres_url.rpartition('/')[2]}_{worker}" for worker in ("gw0", "gw1")]
    for name in names:
        assert not asyncio.run(has_database(postgres_url, name)), f"{name} was not dropped"


async def has_database(url: str, name: str) -> bool:
    import asyncpg

    connection = await asyncpg.connect(url)
    try:
        return bool(await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name))
    finally:
        await connection.close()


def test_an_app_fixture_of_the_project_wins_and_strict_mode_works(tmp_path):
    conftest = """
import pytest
from transom.web import App, JSONResponse, path

async def hello(request):
    return JSONResponse("hello")

@pytest.fixture
def app():
    return App([path("", hello)])
"""
    tests = """
import pytest

@pytest.mark.asyncio
async def test_hello(client):
    assert (await client.get("/")).json() == "hello"
"""
    output = run_project(tmp_path, tests, mode="strict", app="", conftest=conftest)
    assert "1 passed" in output, output


def test_missing_application_says_what_to_do(tmp_path):
    tests = """
async def test_client(client): ...
"""
    output = run_project(tmp_path, tests, app="")
    assert (
        'no application to test: set the ini option transom_app = "module:app", or define a fixture `app`'
        in output
    )


def test_database_fixture_needs_a_database(tmp_path):
    conftest = """
import pytest

@pytest.fixture
def app():
    async def app(scope, receive, send): ...
    return app
"""
    output = run_project(tmp_path, "async def test_db(db): ...", app="", conftest=conftest)
    assert "the application has no settings.databases" in output


def test_without_pytest_asyncio_nothing_is_added(tmp_path):
    (tmp_path / "test_plain.py").write_text("def test_plain(): pass")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:asyncio",
        "-p",
        "no:cacheprovider",
        "--fixtures",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert "transom" not in done.stdout


def test_importing_the_plugin_is_cheap():
    """It is loaded in every pytest run of every project where Transom is installed."""
    source = "import transom.testing.plugin, sys; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = (
        "httpx",
        "pydantic",
        "sqlalchemy",
        "jinja2",
        "asyncio",
        "pytest",
        "transom.web",
        "transom.db",
        "transom.conf",
    )
    assert not set(heavy) & set(modules)
