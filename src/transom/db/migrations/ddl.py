"""Changes of tables as SQL text, through Alembic's operations. Pure: nothing here runs a statement.

Alembic is given a connection that takes statements and keeps them. It never asks the database anything: every table it
works on is described from the state of the models. SQLite alters little in place, so there a table is often made anew:
create it under another name, copy the rows, drop the old one, rename (Alembic's batch mode). References of other tables
survive that only while SQLite does not enforce foreign keys; see `executor.py`.

Imported only when a migration runs: it brings SQLAlchemy and Alembic with it.
"""

from __future__ import annotations

import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy.engine.mock import MockConnection
from sqlalchemy.schema import (
    AddConstraint,
    ColumnCollectionConstraint,
    CreateIndex,
    DropConstraint,
    DropIndex,
)
from sqlalchemy.sql import visitors

from transom.db.exceptions import ConfigurationError
from transom.db.models.table import table_items
from transom.db.sql.column_type import SQLText
from transom.db.sql.dialects import dialect, undouble
from transom.db.sql.literals import literal_text
from transom.db.sql.schema import build_whole_table
from transom.db.sql.tables import build_column, build_metadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from transom.db.models import Options
    from transom.db.sql.metadata import Vendor


def create_tables(models: Sequence[Options], vendor: Vendor) -> list[str]:
    """Return the statements that create the tables of models, with constraints and indexes.

    The models may refer to each other in rings; tables they refer to beside these must exist.
    """
    _refuse_set_default(models, vendor)
    recorder = _Recorder(vendor)
    metadata = build_metadata()
    tables = [build_whole_table(options, table_items(options), metadata, vendor) for options in models]
    _add_stubs(models, metadata)
    metadata.create_all(recorder.connection, tables=tables, checkfirst=False)
    # SQLAlchemy keeps the indexes of a table in a set, which has another order in each process.
    runs = groupby(recorder.statements, key=lambda statement: statement.startswith(_CREATE_INDEX))
    return [statement for are_indexes, run in runs for statement in (sorted(run) if are_indexes else run)]


_CREATE_INDEX = ("CREATE INDEX", "CREATE UNIQUE INDEX")


def drop_table(options: Options, vendor: Vendor) -> list[str]:
    """Return the statement that drops a model's table."""
    recorder = _Recorder(vendor)
    recorder.operations.drop_table(options.db_table)
    return recorder.statements


def add_column(options: Options, column: str, default: Any, vendor: Vendor) -> list[str]:
    """Return the statements that add a column to a table.

    Args:
        options: the model with the new field.
        column: name of the column.
        default: value for the rows that exist, encoded for the driver; None for none. It stays no default of the
            column. Any: what the driver takes.
        vendor: the database's dialect.
    """
    _refuse_set_default([options], vendor)
    recorder = _Recorder(vendor)
    field = next(field for field in options.fields if field.column == column)
    added = build_column(field, vendor)
    own_default = added.server_default
    if default is not None:
        added.server_default = _default_clause(default, vendor)
    table = _describe(options, vendor)
    if table.c[column].computed is not None:
        _add_generated_column(recorder, table, column, vendor)
        return recorder.statements
    checks = [check for check in table.constraints if _is_check_of(check, column)]
    if vendor == "sqlite" and not (_can_be_added_in_place(added) and not checks):
        _add_bare_column(recorder, options.db_table, added, field.server_default(vendor))
        _rebuild(recorder, table)
        return recorder.statements
    recorder.operations.add_column(options.db_table, added)
    if default is not None:
        recorder.operations.alter_column(
            options.db_table, column, server_default=cast("Any", own_default), existing_type=added.type
        )
    for check in checks:
        recorder.run(AddConstraint(check))
    return recorder.statements


def _add_generated_column(recorder: _Recorder, table: sa.Table, column: str, vendor: Vendor) -> None:
    """Add a column that is computed, which needs no values."""
    if vendor == "sqlite":  # adds none that is stored
        _rebuild(recorder, table)
        return
    compiler = dialect(vendor).ddl_compiler(dialect(vendor), cast("Any", None))  # Any: there is no statement
    quoted = compiler.preparer.format_table(table)
    specification = compiler.get_column_specification(table.c[column])
    recorder.run(sa.text(f"ALTER TABLE {quoted} ADD COLUMN {specification}".replace(":", "\\:")))
    for index in table.indexes:
        if table.c[column].index and list(index.columns.keys()) == [column]:
            recorder.run(CreateIndex(index))
    for constraint in table.constraints:
        if isinstance(constraint, sa.UniqueConstraint) and list(constraint.columns.keys()) == [column]:
            recorder.run(AddConstraint(constraint))


def _is_check_of(constraint: sa.Constraint, column: str) -> bool:
    """Whether the constraint is what the field of the column brings with it."""
    return isinstance(constraint, sa.CheckConstraint) and list(constraint.columns.keys()) == [column]


def _add_bare_column(recorder: _Recorder, table: str, column: sa.Column[Any], default: Any) -> None:
    """Add a column to a table of SQLite that is to be made anew, with its values. Any: what the driver takes."""
    if not isinstance(default, SQLText):
        bare = sa.Column(column.name, column.type, nullable=True, server_default=column.server_default)
        recorder.operations.add_column(table, bare)
        return
    # A default that is worked out cannot be added in place.
    bare = sa.Column(column.name, column.type, nullable=True)
    recorder.operations.add_column(table, bare)
    values: dict[str, Any] = {column.name: sa.literal_column(default.sql)}  # Any: expressions of all types
    recorder.run(sa.update(sa.table(table, sa.column(column.name))).values(values))


def remove_column(options: Options, column: str, vendor: Vendor) -> list[str]:
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
        if vendor == "mysql":
            _drop_constraints(recorder, _describe(options, vendor), column)
        recorder.operations.drop_column(options.db_table, column)
    return recorder.statements


def add_item(options: Options, name: str, vendor: Vendor, **postgresql: bool) -> list[str]:
    """Return the statements that add an index or a constraint; none where the database has no such.

    Args:
        options: the model with it.
        name: of the index or constraint.
        vendor: the database's dialect.
        postgresql: how PostgreSQL does it: `concurrently` or `not_valid`.
    """
    recorder = _Recorder(vendor)
    table = _describe(options, vendor)
    found = _find(table, name, **postgresql)
    if isinstance(found, sa.Index):
        recorder.run(CreateIndex(found))
    elif found is not None and vendor == "sqlite":
        _rebuild(recorder, table)
    elif found is not None:
        recorder.run(AddConstraint(found))
    return recorder.statements


def remove_item(
    options: Options, without: Options, name: str, vendor: Vendor, **postgresql: bool
) -> list[str]:
    """Return the statements that remove an index or a constraint.

    Args:
        options: the model that still has it.
        without: the model that no longer has it.
        name: of the index or constraint.
        vendor: the database's dialect.
        postgresql: how PostgreSQL does it: `concurrently`.
    """
    recorder = _Recorder(vendor)
    found = _find(_describe(options, vendor), name, **postgresql)
    if isinstance(found, sa.Index):
        recorder.run(DropIndex(found))
    elif found is not None and vendor == "sqlite":
        _rebuild(recorder, _describe(without, vendor))
    elif found is not None:
        recorder.run(DropConstraint(found))
    return recorder.statements


def rename_index(old: Options, new: Options, old_name: str, new_name: str, vendor: Vendor) -> list[str]:
    """Return the statements that rename an index.

    Args:
        old: the model with the old name.
        new: the model with the new one.
        old_name: of the index.
        new_name: of the index.
        vendor: the database's dialect.
    """
    index = _find(_describe(old, vendor), old_name)
    if not isinstance(index, sa.Index):
        return []
    if vendor == "postgresql":
        quoted = dialect(vendor).identifier_preparer.quote
        return [f"ALTER INDEX {quoted(old_name)} RENAME TO {quoted(new_name)}"]
    return [*remove_item(old, new, old_name, vendor), *add_item(new, new_name, vendor)]


def validate_constraint(options: Options, name: str, vendor: Vendor) -> list[str]:
    """Return the statement that checks all rows against a constraint that was added `not_valid`."""
    if vendor != "postgresql":
        return []
    quoted = dialect(vendor).identifier_preparer.quote
    return [f"ALTER TABLE {quoted(options.db_table)} VALIDATE CONSTRAINT {quoted(name)}"]


def _find(table: sa.Table, name: str, **postgresql: bool) -> sa.Index | sa.Constraint | None:
    found = next((item for item in (*table.indexes, *table.constraints) if item.name == name), None)
    if found is not None and postgresql:
        found.dialect_options["postgresql"].update(postgresql)
    return found


def _drop_constraints(recorder: _Recorder, table: sa.Table, column: str) -> None:
    """Drop the constraints that MySQL does not drop together with a column of theirs."""
    for constraint in sorted(table.constraints, key=lambda constraint: str(constraint.name)):
        if isinstance(constraint, sa.PrimaryKeyConstraint) or not isinstance(
            constraint, ColumnCollectionConstraint
        ):
            continue
        alone = isinstance(constraint, sa.UniqueConstraint) and len(constraint.columns) == 1
        if column in constraint.columns and not alone:
            recorder.run(DropConstraint(constraint))


def _refuse_set_default(models: Iterable[Options], vendor: Vendor) -> None:
    if vendor != "mysql":
        return
    for options in models:
        for field in options.fields:
            reference = field.reference()
            if reference is not None and reference.on_delete == "SET DEFAULT":
                raise ConfigurationError(
                    f"{options.db_table}.{field.column} has on_delete=SET_DEFAULT, which MySQL does not carry out; "
                    "choose CASCADE, SET_NULL, PROTECT or RESTRICT"
                )


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
    columns = {index: {column.name for column in _columns_of(index)} for index in indexes}
    table.indexes.clear()
    start = len(recorder.statements)
    with recorder.operations.batch_alter_table(table.name, copy_from=table, recreate="always") as batch:
        if without is not None:
            batch.drop_column(without)
    if any(column.computed is not None for column in table.c):
        _copy_without_generated(recorder, start, table, without)
    if table.dialect_options["sqlite"]["autoincrement"]:
        _keep_counter(recorder.statements, start, table.name)
    for index in indexes:
        if without not in columns[index]:
            recorder.run(CreateIndex(index))


def _columns_of(index: sa.Index) -> list[sa.Column[Any]]:
    """Return the columns that an index speaks of, in its condition too."""
    where = index.dialect_options["sqlite"].get("where")
    parts = [*index.expressions, *([] if where is None else [where])]
    found: list[sa.Column[Any]] = []
    for part in parts:
        visitors.traverse(cast("sa.ClauseElement", part), {}, {"column": found.append})
    return found


def _copy_without_generated(recorder: _Recorder, start: int, table: sa.Table, without: str | None) -> None:
    """Write the statement anew that copies the rows: what is computed cannot be written."""
    at = next(
        at
        for at in range(start, len(recorder.statements))
        if recorder.statements[at].startswith("INSERT INTO")
    )
    names = [column.name for column in table.c if column.computed is None and column.name != without]
    old, new = (_bare_table(name, names) for name in (table.name, f"_alembic_tmp_{table.name}"[:50]))
    recorder.run(sa.insert(new).from_select(names, sa.select(*old.c)))
    recorder.statements[at] = recorder.statements.pop()


def _bare_table(name: str, names: Sequence[str]) -> sa.TableClause:
    columns: list[Any] = [sa.column(each) for each in names]  # Any: columns of all types
    return sa.table(name, *columns)


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


def _describe(options: Options, vendor: Vendor) -> sa.Table:
    """Return the model's table, beside as much of the tables it refers to as DDL needs."""
    metadata = build_metadata()
    table = build_whole_table(options, table_items(options), metadata, vendor)
    _add_stubs([options], metadata)
    return table


def _add_stubs(models: Iterable[Options], metadata: sa.MetaData) -> None:
    """Add the tables referred to that are not there, each with the one column that is named."""
    references = (field.reference() for options in models for field in options.fields)
    for reference in references:
        if reference is not None and reference.table not in metadata.tables:
            sa.Table(reference.table, metadata, sa.Column(reference.column, sa.Integer))


class _Recorder:
    """Alembic's operations on a connection that runs nothing and writes the statements down."""

    def __init__(self, vendor: Vendor) -> None:
        self.statements: list[str] = []
        self._vendor: Vendor = vendor
        self._dialect = dialect(vendor)
        self.connection = cast("sa.Connection", MockConnection(self._dialect, self._record))
        context = MigrationContext.configure(self.connection, opts={"target_metadata": build_metadata()})
        self.operations = Operations(context)

    def run(self, construct: sa.ClauseElement) -> None:
        """Write a statement down."""
        self._record(construct, None)

    def _record(self, construct: Any, _parameters: object) -> None:  # Any: whatever SQLAlchemy compiles
        compiled = construct.compile(dialect=self._dialect)
        self.statements.append(undouble(str(compiled).strip(), self._vendor))


def _default_clause(value: Any, vendor: Vendor) -> sa.DefaultClause:
    # Any: what the driver takes
    """Return a default as a quoted literal, which all databases read as the type of the column."""
    if isinstance(value, bytes):
        return sa.DefaultClause(sa.text(literal_text(value, vendor)))  # digits, in quotes
    if isinstance(value, datetime.datetime | datetime.date | datetime.time | datetime.timedelta):
        return sa.DefaultClause(literal_text(value, vendor)[1:-1])
    return sa.DefaultClause(str(value))
