"""Databases for tests, in the place of those the site's settings name.

A SQLite database becomes a temporary file, a database `name` on a server becomes `test_name` on the same server, created
anew and dropped at the end. The site's `settings.databases` is changed in place, so that the application, whenever it
starts, configures the stand-ins.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, NoReturn, cast

from transom.conf import apps
from transom.db import connections, router
from transom.db.url import DatabaseURL
from transom.testing.exceptions import DatabaseBlocked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from transom.asgi.types import ASGIApplication
    from transom.conf import Settings
    from transom.db.backends.base import Backend

MAX_NAME_LENGTH = 63  # bytes of a PostgreSQL identifier; MySQL has 64 characters


class Server(NamedTuple):
    """How databases come and go on a kind of server; `{}` stands for the name.

    Attributes:
        maintenance: a database that exists on each of them.
        quote: what stands around a name, and is doubled in it.
        drop: the statement that drops a database with all sessions on it.
    """

    maintenance: str
    quote: str
    drop: str


SERVERS = {
    "postgresql": Server("postgres", '"', "DROP DATABASE IF EXISTS {} WITH (FORCE)"),
    "mysql": Server("information_schema", "`", "DROP DATABASE IF EXISTS {}"),
}


class TemporaryDatabases:
    """The stand-ins of one test session.

    Args:
        folder: where SQLite files go.
        worker: a name that keeps test processes on one machine apart; may be empty.
    """

    def __init__(self, folder: Path, worker: str) -> None:
        self._folder = folder
        self._worker = worker
        self._stand_ins: dict[str, str] = {}  # URL in the settings -> URL of the stand-in
        self._originals: list[
            tuple[dict[str, str], dict[str, str]]
        ] = []  # settings.databases, what was in it
        self._prepared: set[str] = set()
        self._created: list[DatabaseURL] = []

    def adopt(self, app: ASGIApplication) -> Mapping[str, str]:
        """Give an application's settings the stand-ins, once; return alias and URL of each.

        An application without `settings.databases` is left alone.
        """
        settings: Settings | None = getattr(app, "settings", None)
        if settings is None or not settings.databases:
            return {}
        databases = settings.databases
        if not set(databases.values()) <= set(self._stand_ins.values()):
            self._originals.append((databases, dict(databases)))
            databases.update({alias: self._stand_in(url) for alias, url in databases.items()})
        apps.populate(settings.installed_apps)
        connections.configure(databases, router.installed())
        return dict(databases)

    def restore(self) -> None:
        """Give the settings back what they held."""
        for databases, original in self._originals:
            databases.update(original)
        self._originals.clear()

    def block(self, aliases: Iterable[str]) -> None:
        """Make every use of these databases in the running event loop raise `DatabaseBlocked`."""
        for alias in aliases:
            connections.substitute(alias, cast("Backend", BlockedBackend(alias)))

    async def prepare(self, alias: str, url: str) -> None:
        """Create the tables of all installed apps and models, once: by migrations where an app has them.

        Args:
            alias: of the database, configured now.
            url: of its stand-in.
        """
        from transom.db.migrations import migrate
        from transom.db.schema import create_tables

        if url in self._prepared:
            return
        await self._create(DatabaseURL.parse(url))
        await migrate(alias)
        await create_tables(using=alias)
        self._prepared.add(url)

    @property
    def need_dropping(self) -> bool:
        """Whether `drop` has anything to do."""
        return bool(self._created)

    async def drop(self) -> None:
        """Drop the databases that were created on servers."""
        while self._created:
            url = self._created.pop()
            await _execute_on_server(url, SERVERS[url.scheme].drop)

    async def _create(self, url: DatabaseURL) -> None:
        """Create an empty database, in place of one that an interrupted run left behind."""
        if url.scheme in SERVERS:
            await _execute_on_server(url, SERVERS[url.scheme].drop, "CREATE DATABASE {}")
            self._created.append(url)

    def _stand_in(self, url: str) -> str:
        if url in self._stand_ins.values():
            return url
        if url not in self._stand_ins:
            self._stand_ins[url] = self._name(DatabaseURL.parse(url))
        return self._stand_ins[url]

    def _name(self, url: DatabaseURL) -> str:
        if url.scheme == "sqlite":
            stand_in = replace(url, database=str(self._folder / f"{len(self._stand_ins)}.sqlite3"))
        else:
            name, end = f"test_{url.database}", f"_{self._worker}" if self._worker else ""
            cut = name.encode()[: MAX_NAME_LENGTH - len(end)].decode(errors="ignore")
            stand_in = replace(url, database=cut + end)
        return stand_in.build(stand_in.password)


class BlockedBackend:
    """Stands in for a backend in a test that is not to use the database."""

    def __init__(self, alias: str) -> None:
        self._alias = alias

    def __getattr__(self, name: str) -> NoReturn:
        raise DatabaseBlocked(self._alias)

    async def aclose(self) -> None:
        """Do nothing: nothing was opened."""


async def _execute_on_server(url: DatabaseURL, *statements: str) -> None:
    """Run statements, with the name of the database for `{}`, on another database of the same server."""
    server = SERVERS[url.scheme]
    backend = connections.build_backend("maintenance", replace(url, database=server.maintenance))
    name = f"{server.quote}{url.database.replace(server.quote, server.quote * 2)}{server.quote}"
    try:
        for statement in statements:
            await backend.execute(statement.format(name))
    finally:
        await backend.aclose()
