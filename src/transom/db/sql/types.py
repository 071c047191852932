"""Column types in SQLAlchemy's words, per database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from transom.db.exceptions import FieldError
from transom.db.sql.dialects import dialect

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.types import TypeEngine

    from transom.db.sql.column_type import ColumnKind, ColumnType
    from transom.db.sql.metadata import Vendor

    # Any: SQLAlchemy's Python type of a column; we encode and decode ourselves and never use it
    SQLType = TypeEngine[Any]


class TextualType(sa.types.UserDefinedType[Any]):
    """An array or a range of PostgreSQL. Values go there as text, whatever they are made of, and are cast."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_options: Any) -> str:
        """Return the name of the type. Any: options of SQLAlchemy's own."""
        return self.name


_RANGES: dict[ColumnKind, str] = {
    "integer": "INT4RANGE",
    "bigint": "INT8RANGE",
    "decimal": "NUMRANGE",
    "datetime": "TSTZRANGE",
    "date": "DATERANGE",
}


def _array(column: ColumnType) -> SQLType:
    return TextualType(f"{_name(sql_type(_element(column), 'postgresql'))}[]")


def _range(column: ColumnType) -> SQLType:
    return TextualType(_RANGES[_element(column).kind])


def _element(column: ColumnType) -> ColumnType:
    if column.element is None:
        raise AssertionError(f"a column of kind {column.kind!r} says what it is made of")
    return column.element


def _name(kind: SQLType) -> str:
    return kind.compile(dialect=dialect("postgresql"))


def _mysql(name: str, **sizes: int) -> SQLType:
    """Return one of MySQL's own types; they come with a module for each of its drivers, so only where they are used."""
    from sqlalchemy.dialects import mysql

    return getattr(mysql, name)(**sizes)


_POSTGRESQL: dict[ColumnKind, Callable[[ColumnType], SQLType]] = {
    "smallauto": lambda _: sa.SmallInteger(),
    "auto": lambda _: sa.Integer(),
    "bigauto": lambda _: sa.BigInteger(),
    "smallint": lambda _: sa.SmallInteger(),
    "integer": lambda _: sa.Integer(),
    "bigint": lambda _: sa.BigInteger(),
    "boolean": lambda _: sa.Boolean(),
    "varchar": lambda column: sa.String(column.length),
    "text": lambda _: sa.Text(),
    "binary": lambda _: sa.LargeBinary(),
    "datetime": lambda _: sa.DateTime(timezone=True),
    "date": lambda _: sa.Date(),
    "time": lambda _: sa.Time(),
    "duration": lambda _: postgresql.INTERVAL(),
    "float": lambda _: sa.Double(),
    "decimal": lambda column: sa.Numeric(column.precision, column.scale),
    "uuid": lambda _: sa.Uuid(),
    "inet": lambda _: postgresql.INET(),
    "json": lambda _: postgresql.JSONB(),
    "tsvector": lambda _: postgresql.TSVECTOR(),
    "tsquery": lambda _: postgresql.TSQUERY(),
    "regconfig": lambda _: postgresql.REGCONFIG(),
    "array": _array,
    "range": _range,
}

# SQLite has four storage classes; the declared name only sets the affinity. An automatic key must be declared INTEGER to
# be the row id, and a NUMERIC affinity would turn decimals into floats.
_SQLITE: dict[ColumnKind, Callable[[ColumnType], SQLType]] = {
    "smallauto": lambda _: sa.Integer(),
    "auto": lambda _: sa.Integer(),
    "bigauto": lambda _: sa.Integer(),
    "smallint": lambda _: sa.SmallInteger(),
    "integer": lambda _: sa.Integer(),
    "bigint": lambda _: sa.BigInteger(),
    "boolean": lambda _: sa.Integer(),
    "varchar": lambda column: sa.String(column.length),
    "text": lambda _: sa.Text(),
    "binary": lambda _: sa.LargeBinary(),
    "datetime": lambda _: sa.Text(),
    "date": lambda _: sa.Text(),
    "time": lambda _: sa.Text(),
    "duration": lambda _: sa.BigInteger(),
    "float": lambda _: sa.Float(),
    "decimal": lambda _: sa.Text(),
    "uuid": lambda _: sa.String(32),
    "inet": lambda _: sa.String(39),
    "json": lambda _: sa.Text(),
}

# Collation and character set are the table's. A boolean is a number, and a UUID its 32 digits.
_MYSQL: dict[ColumnKind, Callable[[ColumnType], SQLType]] = {
    "smallauto": lambda _: sa.SmallInteger(),
    "auto": lambda _: sa.Integer(),
    "bigauto": lambda _: sa.BigInteger(),
    "smallint": lambda _: sa.SmallInteger(),
    "integer": lambda _: sa.Integer(),
    "bigint": lambda _: sa.BigInteger(),
    "boolean": lambda _: _mysql("TINYINT", display_width=1),
    "varchar": lambda column: sa.String(column.length),
    "text": lambda _: _mysql("LONGTEXT"),
    "binary": lambda _: _mysql("LONGBLOB"),
    "datetime": lambda _: _mysql("DATETIME", fsp=6),
    "date": lambda _: sa.Date(),
    "time": lambda _: _mysql("TIME", fsp=6),
    "duration": lambda _: sa.BigInteger(),
    "float": lambda _: sa.Double(),
    "decimal": lambda column: sa.Numeric(column.precision, column.scale),
    "uuid": lambda _: sa.CHAR(32),
    "inet": lambda _: sa.String(39),
    "json": lambda _: _mysql("JSON"),
}

_BY_VENDOR = {"postgresql": _POSTGRESQL, "sqlite": _SQLITE, "mysql": _MYSQL}


# What to do where there is no such type.
_INSTEAD: dict[ColumnKind, str] = {
    **dict.fromkeys(
        ("tsvector", "tsquery", "regconfig"), "filter texts by icontains there, or search them on PostgreSQL"
    ),
    **dict.fromkeys(
        ("array", "range"), "take a JSONField there, or a model of its own with a ForeignKey to this one"
    ),
}


def sql_type(column_type: ColumnType, vendor: Vendor, label: str = "") -> SQLType:
    """Return the type a column is declared with.

    Raises:
        FieldError: the database has no such type; the message speaks of the column by its label, if it has one.
    """
    build = _BY_VENDOR[vendor].get(column_type.kind)
    if build is None:
        kind = column_type.kind
        noun = f"{'an' if kind == 'array' else 'a'} {kind}"
        where = f"{label}: " if label else ""
        raise FieldError(f"{where}{noun} is PostgreSQL's alone, and {vendor} has none; {_INSTEAD[kind]}")
    return build(column_type)


def parameter_type(column_type: ColumnType, vendor: Vendor) -> SQLType:
    """Return the type a parameter beside such a column is sent with.

    PostgreSQL takes a parameter's type from its cast: whole numbers go as 64 bits and text without a length, so
    that a value too large for the column compares or fails in the database rather than being cut.
    """
    if column_type.is_integer:
        return sa.BigInteger()
    if column_type.kind == "varchar":
        return sa.Text()
    if column_type.kind == "decimal" and vendor == "postgresql":
        return sa.Numeric()
    if column_type.kind == "array" and vendor == "postgresql":
        return TextualType(f"{element_name(_element(column_type))}[]")
    return sql_type(column_type, vendor)


def element_name(column_type: ColumnType) -> str:
    """Return PostgreSQL's name of the type of what an array or range is made of.

    Unlike those of plain values, types of arrays and ranges are never widened; only sizes are left out, by which a cast
    would cut.
    """
    if column_type.is_integer:
        return _name(sql_type(column_type, "postgresql"))
    return "VARCHAR" if column_type.kind == "varchar" else _name(parameter_type(column_type, "postgresql"))
