"""SQLAlchemy's dialects, without engines, connections or drivers."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import Dialect

    from transom.db.sql.metadata import Vendor


@cache
def dialect(vendor: Vendor) -> Dialect:
    """Return the dialect that writes the placeholders of our drivers: `$1` on PostgreSQL, `?` on SQLite, `%s` on MySQL.

    The last doubles percent signs; a statement without placeholders has them as they are (`undouble`).
    """
    if vendor == "postgresql":
        from sqlalchemy.dialects.postgresql import asyncpg

        found = asyncpg.dialect()
        # What a connection would have told it: standard_conforming_strings is on since PostgreSQL 9.1.
        vars(found)["_backslash_escapes"] = False
        return found
    if vendor == "mysql":
        from sqlalchemy.dialects.mysql.mariadb import MariaDBDialect

        found = MariaDBDialect(paramstyle="format")
        vars(found).update(_support_float_cast=True, supports_for_update_of=False)
        return found
    from sqlalchemy.dialects.sqlite import pysqlite

    return pysqlite.dialect(paramstyle="qmark")


def undouble(sql: str, vendor: Vendor) -> str:
    """Return a statement without placeholders as it goes to the driver, which then looks for none."""
    return sql.replace("%%", "%") if vendor == "mysql" else sql
