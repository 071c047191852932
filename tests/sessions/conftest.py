"""A clock that tests turn themselves, and databases with the table of sessions."""

import pytest

from transom.conf import apps
from transom.db import connections
from transom.db.migrations import migrate
from transom.db.migrations.introspection import existing_tables


class Clock:
    def __init__(self):
        self.now = 1_000_000_000.0

    def __call__(self):
        return self.now

    async def advance(self, seconds):
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def database(tmp_path):
    """A SQLite file with the table of sessions."""
    async for url in _migrate(f"sqlite:///{tmp_path / 'sessions.sqlite3'}"):
        yield url


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgres_url", marks=pytest.mark.postgres),
        pytest.param("mysql_url", marks=pytest.mark.mysql),
    ]
)
def each_url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'each.sqlite3'}"
    return request.getfixturevalue(request.param)


@pytest.fixture
async def each_database(each_url):
    """The table of sessions on a database of each kind."""
    async for url in _migrate(each_url):
        yield url


async def _migrate(url):
    connections.configure({"default": url})
    apps.populate(["transom.sessions"])
    await migrate(app_label="sessions")
    yield url
    backend = connections.backend("default")
    if backend.vendor != "sqlite":
        for table in await existing_tables(backend):
            await backend.execute(f"DROP TABLE {table}")
    await connections.aclose()
    connections.configure({})
