"""Query shapes to SQL text, and models to tables: pure functions, and the only code that imports SQLAlchemy."""

from transom.db.sql.column_type import ColumnKind, ColumnType

__all__ = ["ColumnKind", "ColumnType"]
