"""Models as SQLAlchemy tables, for SQL generation and for DDL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from transom.db.sql.column_type import SQLText
from transom.db.sql.literals import literal
from transom.db.sql.types import sql_type

if TYPE_CHECKING:
    from sqlalchemy.schema import SchemaItem

    from transom.db.sql.metadata import FieldLike, OptionsLike, Vendor
    from transom.db.sql.types import SQLType

# Every constraint has a name that follows from the columns, so that a later migration can drop it.
NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


# Text is equal if all its letters are, in case too, and the blanks at its end.
MYSQL_TABLE: dict[str, Any] = {  # Any: keywords of many types, as SQLAlchemy has them
    "mariadb_engine": "InnoDB",
    "mariadb_default_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_nopad_bin",
}


def build_metadata() -> sa.MetaData:
    """Return an empty collection of tables with our naming rules."""
    return sa.MetaData(naming_convention=NAMING_CONVENTION)


def build_table(options: OptionsLike, metadata: sa.MetaData, vendor: Vendor) -> sa.Table:
    """Describe a model's table in `metadata`, or return the description that is there.

    Foreign keys name their target as text, so tables may be built in any order; only DDL for a whole
    `metadata` needs the targets in it.
    """
    known = metadata.tables.get(options.db_table)
    if known is not None:
        return known
    columns: list[SchemaItem] = [build_column(field, vendor) for field in options.fields]
    keys = [field.column for field in options.pk_fields]
    if len(keys) > 1:  # in the order of the key, which need not be that of the columns
        columns.append(sa.PrimaryKeyConstraint(*keys))
    generated = any(field.column_type().is_generated for field in options.fields)
    if vendor == "mysql":
        table = sa.Table(options.db_table, metadata, *columns, **MYSQL_TABLE)
        table.primary_key.name = None  # it is always PRIMARY, and MySQL warns of any other name
        return table
    # Without AUTOINCREMENT, SQLite gives the key of a deleted last row to the next one.
    return sa.Table(options.db_table, metadata, *columns, sqlite_autoincrement=generated)


def build_column(field: FieldLike, vendor: Vendor) -> sa.Column[Any]:
    """Describe one field's column, with its constraints."""
    column_type = field.column_type()
    arguments: list[SchemaItem] = []
    if column_type.is_generated and vendor == "postgresql":
        arguments.append(sa.Identity())
    if foreign_key := build_foreign_key(field, vendor):
        arguments.append(foreign_key)
    kind = sql_type(column_type, vendor, field.label)
    return sa.Column(
        field.column,
        kind,
        *arguments,
        primary_key=field.primary_key,
        nullable=field.null,
        unique=(field.unique and not field.primary_key) or None,
        index=(field.db_index and not field.unique and not field.primary_key) or None,
        autoincrement=column_type.is_generated,
        server_default=build_default(field.server_default(vendor), kind, vendor),
    )


def build_default(default: Any, kind: SQLType, vendor: Vendor) -> sa.ColumnElement[Any] | None:
    """Describe the default of a column: an expression, or a value as the driver takes it (Any), or none."""
    if default is None:
        return None
    return sa.literal_column(default.sql) if isinstance(default, SQLText) else literal(default, kind, vendor)


def build_foreign_key(field: FieldLike, vendor: Vendor) -> sa.ForeignKey | None:
    """Describe the reference of a foreign key, or return None for other fields.

    The check is immediate, so that a wrong key fails at the statement that wrote it, yet deferrable, for loading
    rows that refer to each other. MySQL's are always immediate.
    """
    reference = field.reference()
    if reference is None:
        return None
    return sa.ForeignKey(
        f"{reference.table}.{reference.column}",
        ondelete=None if reference.on_delete == "NO ACTION" else reference.on_delete,
        deferrable=None if vendor == "mysql" else True,
        initially=None if vendor == "mysql" else "IMMEDIATE",
    )


class Tables:
    """The tables that one statement speaks of, described for one database."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor: Vendor = vendor
        self._metadata = build_metadata()

    def names(self) -> list[str]:
        """Return the names of the tables so far."""
        return list(self._metadata.tables)

    def of(self, options: OptionsLike) -> sa.Table:
        """Return the table of a model."""
        return build_table(options, self._metadata, self.vendor)
