"""A database of each kind, empty and configured as "default"."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from transom.db import connections
from transom.db.backends.base import Backend


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database: a new SQLite file, or the PostgreSQL database of the session."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.sqlite3'}"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Backend]:
    """The backend of "default", which is closed and emptied after the test."""
    connections.configure({"default": database_url})
    backend = connections.backend("default")
    yield backend
    if backend.vendor == "postgresql":
        await connections.backend("default").execute("DROP SCHEMA public CASCADE")
        await connections.backend("default").execute("CREATE SCHEMA public")
    await connections.aclose()
    connections.configure({})
