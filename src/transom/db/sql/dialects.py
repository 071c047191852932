"""SQLAlchemy's dialects, without engines, connections or drivers."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import Dialect

    from transom.db.sql.metadata import Vendor


@cache
def dialect(vendor: Vendor) -> Dialect:
    """Return the dialect that writes the placeholders of our drivers: `$1` on PostgreSQL, `?` on SQLite."""
    if vendor == "postgresql":
        from sqlalchemy.dialects.postgresql import asyncpg

        found = asyncpg.dialect()
        # What a connection would have told it: standard_conforming_strings is on since PostgreSQL 9.1.
        vars(found)["_backslash_escapes"] = False
        return found
    from sqlalchemy.dialects.sqlite import pysqlite

    return pysqlite.dialect(paramstyle="qmark")
