"""Remembers in the database itself which migrations it has: the table `transom_migrations`."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from transom.db.migrations.introspection import existing_tables
from transom.db.migrations.migration import MigrationKey

if TYPE_CHECKING:
    from transom.db.backends.base import Executor, Vendor

TABLE = "transom_migrations"
TIMESTAMP = {"sqlite": "TEXT", "postgresql": "TIMESTAMP WITH TIME ZONE", "mysql": "DATETIME(6)"}
PLACES = {"sqlite": ("?", "?", "?"), "postgresql": ("$1", "$2", "$3"), "mysql": ("%s", "%s", "%s")}


class MigrationRecorder:
    """The record of one database, read and written through an executor: in its transaction, if it is one."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._places = PLACES[executor.vendor]

    async def ensure_table(self) -> None:
        """Create the table if it is not there. Safe beside another process only under the lock of migrations."""
        timestamp = TIMESTAMP[self._executor.vendor]
        if TABLE not in await existing_tables(self._executor):
            await self._executor.execute(
                f"CREATE TABLE {TABLE} (app VARCHAR(255) NOT NULL, name VARCHAR(255) NOT NULL, "
                f"applied {timestamp} NOT NULL, PRIMARY KEY (app, name))"
            )

    async def applied(self) -> dict[MigrationKey, datetime.datetime]:
        """Return the migrations applied, with the time of it in UTC; nothing where there is no table yet."""
        if TABLE not in await existing_tables(self._executor):
            return {}
        rows = await self._executor.fetch(f"SELECT app, name, applied FROM {TABLE} ORDER BY applied")  # noqa: S608
        return {MigrationKey(row[0], row[1]): _parse_time(row[2]) for row in rows}

    async def record_applied(self, key: MigrationKey) -> None:
        """Write down that a migration was applied, now."""
        await self._executor.execute(
            f"INSERT INTO {TABLE} (app, name, applied) VALUES ({', '.join(self._places)})",  # noqa: S608
            (*key, _encode_time(datetime.datetime.now(datetime.UTC), self._executor.vendor)),
        )

    async def record_unapplied(self, key: MigrationKey) -> None:
        """Forget that a migration was applied."""
        app, name, _ = self._places
        await self._executor.execute(f"DELETE FROM {TABLE} WHERE app = {app} AND name = {name}", tuple(key))  # noqa: S608


def _encode_time(value: datetime.datetime, vendor: Vendor) -> datetime.datetime | str:
    if vendor == "sqlite":
        return value.isoformat(timespec="microseconds")
    return value.replace(tzinfo=None) if vendor == "mysql" else value


def _parse_time(value: str | datetime.datetime) -> datetime.datetime:
    if isinstance(value, str):
        return datetime.datetime.fromisoformat(value)
    return value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
