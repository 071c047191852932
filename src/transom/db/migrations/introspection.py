"""Asks a database what is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transom.db.backends.base import Executor

TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table'",
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = ANY (current_schemas(false))",
    "mysql": "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()",
}


async def existing_tables(executor: Executor) -> set[str]:
    """Return the names of the tables that statements without a schema can reach."""
    return {str(row[0]) for row in await executor.fetch(TABLES[executor.vendor])}
