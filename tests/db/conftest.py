"""A database of each kind, empty and configured as "default"."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC
from pathlib import Path

import pytest

from transom.db import connections
from transom.db.backends.base import Backend, Executor
from transom.db.migrations.introspection import existing_tables
from transom.db.timezone import set_default_timezone


@pytest.fixture(autouse=True)
def default_timezone() -> None:
    """Begin each test in UTC, whatever zone a site that another test has made was in."""
    set_default_timezone(UTC)


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.postgres),
        pytest.param("mysql", marks=pytest.mark.mysql),
    ]
)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database: a new SQLite file, or the session's database on a server."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.sqlite3'}"
    return request.getfixturevalue({"postgresql": "postgres_url", "mysql": "mysql_url"}[request.param])


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Backend]:
    """The backend of "default", which is closed and emptied after the test."""
    connections.configure({"default": database_url})
    backend = connections.backend("default")
    yield backend
    if backend.vendor == "postgresql":
        await connections.backend("default").execute("DROP SCHEMA public CASCADE")
        await connections.backend("default").execute("CREATE SCHEMA public")
    if backend.vendor == "mysql":
        await drop_tables(connections.backend("default"))
    await connections.aclose()
    connections.configure({})


class NotingExecutor:
    """Passes everything on to an executor, and notes the SQL it is given."""

    def __init__(self, executor: Executor, ran: list[str]) -> None:
        self._executor = executor
        self._ran = ran

    def __getattr__(self, name: str) -> object:
        found = getattr(self._executor, name)
        if name not in ("fetch", "execute", "execute_returning", "execute_many", "stream"):
            return found

        def note(sql: str, *args: object, **options: object) -> object:
            self._ran.append(sql)
            return found(sql, *args, **options)

        return note


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The SQL that models have run so far, but for BEGIN, COMMIT and savepoints. Clear it to count anew."""
    ran: list[str] = []
    executor = connections.executor
    monkeypatch.setattr(connections, "executor", lambda using="default": NotingExecutor(executor(using), ran))
    return ran


async def drop_tables(backend: Backend) -> None:
    """Drop what the test made, whichever table refers to which."""
    views = await backend.fetch(
        "SELECT table_name FROM information_schema.views WHERE table_schema = DATABASE()"
    )
    for (name,) in views:
        await backend.execute(f"DROP VIEW `{name}`")
    tables = await existing_tables(backend)
    if names := ", ".join(f"`{name.replace('`', '``')}`" for name in tables):
        settings = "foreign_key_checks = 0, lock_wait_timeout = 5"
        await backend.execute(f"SET STATEMENT {settings} FOR DROP TABLE {names}")
