"""Changes of tables as SQL text, through Alembic's operations. Pure: nothing here runs a statement.

Alembic is given a connection that takes statements and keeps them. It never asks the database anything: every table it
works on is described from the state of the models. SQLite alters little in place, so there a table is often made anew:
create it under another name, copy the rows, drop the old one, rename (Alembic's batch mode). References of other tables
survive that only while SQLite does not enforce foreign keys; see `executor.py`.

Imported only when a migration runs: it brings SQLAlchemy and Alembic with it.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations, ops
from sqlalchemy.engine.mock import MockConnection

from transom.db.sql.dialects import dialect
from transom.db.sql.tables import build_column, build_metadata, build_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from transom.db.sql.metadata import OptionsLike, Vendor


def create_tables(models: Sequence[OptionsLike], vendor: Vendor) -> list[str]:
    """Return the statements that create the tables of models, with constraints and indexes.

    The models may refer to each other in rings; tables they refer to beside these must exist.
    """
    recorder = _Recorder(vendor)
    metadata = build_metadata()
    tables = [build_table(options, metadata, vendor) for options in models]
    _add_stubs(models, metadata)
    metadata.create_all(recorder.connection, tables=tables, checkfirst=False)
    return recorder.statements


def drop_table(options: OptionsLike, vendor: Vendor) -> list[str]:
    """Return the statement that drops a model's table."""
    recorder = _Recorder(vendor)
    recorder.operations.drop_table(options.db_table)
    return recorder.statements


def add_column(options: OptionsLike, column: str, default: Any, vendor: Vendor) -> list[str]:
    """Return the statements that add a column to a table.

    Args:
        options: the model with the new field.
        column: name of the column.
        default: value for the rows that exist, encoded for the driver; None for none. It stays no default of the
            column. Any: what the driver takes.
        vendor: the database's dialect.
    """
    recorder = _Recorder(vendor)
    field = next(field for field in options.fields if field.column == column)
    added = build_column(field, vendor)
    own_default = added.server_default
    if default is not None:
        added.server_default = sa.DefaultClause(_literal_text(default))
    if vendor == "sqlite" and not _can_be_added_in_place(added):
        bare = sa.Column(added.name, added.type, nullable=True, server_default=added.server_default)
        recorder.operations.add_column(options.db_table, bare)
        _rebuild(recorder, _describe(options, vendor))
        return recorder.statements
    recorder.operations.add_column(options.db_table, added)
    if default is not None:
        recorder.operations.alter_column(
            options.db_table, column, server_default=cast("Any", own_default), existing_type=added.type
        )
    return recorder.statements


def remove_column(options: OptionsLike, column: str, vendor: Vendor) -> list[str]:
    """Return the statements that remove a column, with the constraints and indexes it is part of.

    Args:
        options: the model that still has the field.
        column: name of the column.
        vendor: the database's dialect.
    """
    recorder = _Recorder(vendor)
    if vendor == "sqlite":
        _rebuild(recorder, _describe(options, vendor), without=column)
    else:
        recorder.operations.drop_column(options.db_table, column)
    return recorder.statements


def _can_be_added_in_place(column: sa.Column[Any]) -> bool:
    # https://www.sqlite.org/lang_altertable.html section 4; and a default, once given, cannot be dropped in place.
    return bool(
        column.nullable
        and not column.primary_key
        and not column.unique
        and not column.foreign_keys
        and column.server_default is None
    )


def _rebuild(recorder: _Recorder, table: sa.Table, *, without: str | None = None) -> None:
    """Make a table of SQLite anew as it is described, less one column, with its rows."""
    # Batch mode forgets the indexes of single columns, so none is left to it.
    indexes = sorted(table.indexes, key=lambda index: str(index.name))
    table.indexes.clear()
    start = len(recorder.statements)
    with recorder.operations.batch_alter_table(table.name, copy_from=table, recreate="always") as batch:
        if without is not None:
            batch.drop_column(without)
    if table.dialect_options["sqlite"]["autoincrement"]:
        _keep_counter(recorder.statements, start, table.name)
    for index in indexes:
        if without is None or without not in index.columns:
            recorder.operations.invoke(ops.CreateIndexOp.from_index(index))


def _keep_counter(statements: list[str], start: int, table: str) -> None:
    """Give the new table the old one's count of keys, which knows those of deleted rows, before the old one goes."""
    name, new = _quote(table), _quote(f"_alembic_tmp_{table}")
    drop = next(at for at in range(start, len(statements)) if statements[at].startswith("DROP TABLE"))
    statements[drop:drop] = [
        f"DELETE FROM sqlite_sequence WHERE name = {new}",  # noqa: S608  # quoted above, as DDL is
        f"INSERT INTO sqlite_sequence (name, seq) SELECT {new}, seq FROM sqlite_sequence WHERE name = {name}",  # noqa: S608
    ]


def _quote(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"


def _describe(options: OptionsLike, vendor: Vendor) -> sa.Table:
    """Return the model's table, beside as much of the tables it refers to as DDL needs."""
    metadata = build_metadata()
    table = build_table(options, metadata, vendor)
    _add_stubs([options], metadata)
    return table


def _add_stubs(models: Iterable[OptionsLike], metadata: sa.MetaData) -> None:
    """Add the tables referred to that are not there, each with the one column that is named."""
    references = (field.reference() for options in models for field in options.fields)
    for reference in references:
        if reference is not None and reference.table not in metadata.tables:
            sa.Table(reference.table, metadata, sa.Column(reference.column, sa.Integer))


class _Recorder:
    """Alembic's operations on a connection that runs nothing and writes the statements down."""

    def __init__(self, vendor: Vendor) -> None:
        self.statements: list[str] = []
        self._dialect = dialect(vendor)
        self.connection = cast("sa.Connection", MockConnection(self._dialect, self._record))
        context = MigrationContext.configure(self.connection, opts={"target_metadata": build_metadata()})
        self.operations = Operations(context)

    def _record(self, construct: sa.Executable, _parameters: object) -> None:
        compiled = cast("sa.ClauseElement", construct).compile(dialect=self._dialect)
        self.statements.append(str(compiled).strip())


def _literal_text(value: Any) -> str:
    # Any: what the driver takes
    """Return a value as the text of a quoted literal, which both databases read as the type of the column.

    DDL takes no parameters.
    """
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"  # PostgreSQL's hex format of bytea
    return str(value)
