"""The fixtures of the pytest plugin: `app`, `client`, `db`, `live_server`.

All run in the event loop of the test. What a fixture needs is imported in it.
"""

from __future__ import annotations

import asyncio
import os
import pkgutil
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from transom.asgi.types import ASGIApplication
    from transom.testing.client import Client
    from transom.testing.databases import TemporaryDatabases
    from transom.testing.live_server import LiveServer


@pytest.fixture(scope="session")
def app(pytestconfig: pytest.Config, transom_databases: TemporaryDatabases) -> ASGIApplication:
    """The application that the ini option `transom_app` names; define a fixture `app` to test another."""
    target: str = pytestconfig.getini("transom_app")
    if not target:
        pytest.fail(
            'no application to test: set the ini option transom_app = "module:app", or define a fixture `app`',
            pytrace=False,
        )
    application: ASGIApplication = pkgutil.resolve_name(target)
    transom_databases.adopt(application)
    return application


@pytest_asyncio.fixture
async def client(
    app: ASGIApplication, transom_databases: TemporaryDatabases, request: pytest.FixtureRequest
) -> AsyncGenerator[Client]:
    """A `Client` of the application, which is started up and shut down around the test."""
    from transom.testing.client import Client

    _guard_databases(app, transom_databases, request)
    async with Client(app) as client:
        yield client


@pytest_asyncio.fixture
async def live_server(
    app: ASGIApplication, transom_databases: TemporaryDatabases, request: pytest.FixtureRequest
) -> AsyncGenerator[LiveServer]:
    """A `LiveServer` of the application: `live_server.url`."""
    from transom.testing.live_server import LiveServer

    _guard_databases(app, transom_databases, request)
    async with LiveServer(app) as server:
        yield server


@pytest_asyncio.fixture
async def db(app: ASGIApplication, transom_databases: TemporaryDatabases) -> AsyncGenerator[None]:
    """Databases of the tests' own, with the tables of all apps; what the test writes is rolled back after it."""
    from transom.db import connections
    from transom.db.replicas import replicas_of
    from transom.db.transaction import rollback_after

    databases = transom_databases.adopt(app)
    if not databases:
        pytest.fail(
            "the `db` fixture needs a database: the application has no settings.databases", pytrace=False
        )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(connections.aclose)
        copies = {replica for alias in databases for replica in replicas_of(alias)}
        for alias, url in databases.items():
            if alias in copies:  # it shares the connection of its primary
                continue
            await transom_databases.prepare(alias, url)
            await stack.enter_async_context(rollback_after(alias))
        yield


@pytest.fixture(scope="session")
def transom_databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporaryDatabases]:
    """The databases that stand in for those of the settings, for as long as the tests run."""
    from transom.testing.databases import TemporaryDatabases

    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    databases = TemporaryDatabases(tmp_path_factory.mktemp("databases"), worker)
    yield databases
    databases.restore()
    if databases.need_dropping:
        asyncio.run(databases.drop())


def _guard_databases(
    app: ASGIApplication, databases: TemporaryDatabases, request: pytest.FixtureRequest
) -> None:
    """Keep the application from the site's own databases, and from any where the test has no `db`."""
    aliases = databases.adopt(app).keys()
    if "db" not in request.fixturenames:
        databases.block(aliases)
