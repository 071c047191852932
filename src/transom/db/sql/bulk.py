"""Inserting many rows with one statement that is the same for any number of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import ARRAY

from transom.db.sql.json_table import json_table, unpacked
from transom.db.sql.parameters import Parameter, dump_list
from transom.db.sql.statement import Statement, StatementBuilder
from transom.db.sql.types import TextualType, parameter_type

if TYPE_CHECKING:
    from transom.db.sql.metadata import FieldLike, OptionsLike, Vendor
    from transom.db.sql.shapes import Conflict


def insert_rows(
    options: OptionsLike,
    fields: Sequence[FieldLike],
    returning: Sequence[FieldLike],
    conflict: Conflict | None,
    vendor: Vendor,
) -> Statement:
    """Compile the insertion of rows given as columns: one list of values for each field, in their order.

    PostgreSQL gets the columns as arrays, the others the rows as one JSON array. What is returned comes back in no promised
    order, but they are counted up in the order of the rows, so sorting them is enough. There is one value beside the
    shape: the list of columns.
    """
    builder = StatementBuilder(options, vendor)
    table = builder.joins.tables.of(options)
    rows, order = _rows(fields, builder)
    source = sa.select(*rows).order_by(order)
    if conflict is not None and vendor == "sqlite":
        source = source.where(
            sa.literal_column("1 = 1")
        )  # or it would take ON CONFLICT for a condition of a join
    insert = _insert(table, vendor)
    insert = insert.from_select([field.column for field in fields], source, include_defaults=False)
    if conflict is not None:
        insert = _on_conflict(insert, conflict, options.pk, vendor)
    if returning:
        insert = insert.returning(*(table.c[field.column] for field in returning))
    return _with_one_value(builder.finish(insert))


_INSERTS: Final = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}


def _insert(table: sa.Table, vendor: Vendor) -> Any:  # Any: each dialect has a class of its own
    if vendor == "mysql":
        from sqlalchemy.dialects import mysql  # it brings a module for each of its drivers

        return mysql.insert(table)
    return _INSERTS[vendor](table)


def _on_conflict(insert: Any, conflict: Conflict, key: FieldLike, vendor: Vendor) -> Any:  # Any: see above
    if (
        vendor == "mysql"
    ):  # it knows no names for what is unique: whichever key the row clashes with, it is this one
        kept = {key.column: insert.table.c[key.column]}
        new = {field.column: insert.inserted[field.column] for field in conflict.update}
        return insert.on_duplicate_key_update(new or kept)
    unique = [field.column for field in conflict.unique] or None
    if not conflict.update:
        return insert.on_conflict_do_nothing(index_elements=unique)
    new = {field.column: insert.excluded[field.column] for field in conflict.update}
    return insert.on_conflict_do_update(index_elements=unique, set_=new)


def update_rows_by_key(options: OptionsLike, fields: Sequence[FieldLike], vendor: Vendor) -> Statement:
    """Compile the change of columns in rows given as columns: the list of keys, then one list for each field.

    There is one value beside the shape: the list of columns.
    """
    builder = StatementBuilder(options, vendor)
    table = builder.joins.tables.of(options)
    rows, _ = _rows([options.pk, *fields], builder)
    given = sa.select(*(row.label(f"v{number}") for number, row in enumerate(rows))).subquery("given")
    update = sa.update(table).where(table.c[options.pk.column] == given.c.v0)
    values = {field.column: given.c[f"v{number}"] for number, field in enumerate(fields, 1)}
    return _with_one_value(builder.finish(update.values(values)))


def _with_one_value(statement: Statement) -> Statement:
    """Return a statement all of whose arguments are made of the first value."""
    return Statement(
        statement.sql, tuple(Parameter(0, parameter.convert) for parameter in statement.parameters)
    )


# Any, here and below: columns of all types
Rows: TypeAlias = "tuple[list[sa.ColumnElement[Any]], sa.ColumnElement[Any]]"


def _rows(fields: Sequence[FieldLike], builder: StatementBuilder) -> Rows:
    """Return the columns of the rows that are given, and their number."""
    return _SOURCES[builder.vendor](fields, builder)


def _unnest(fields: Sequence[FieldLike], builder: StatementBuilder) -> Rows:
    kinds = [parameter_type(field.column_type(), builder.vendor) for field in fields]
    # unnest() would take an array of arrays apart to the last element, so these travel as texts.
    arrays = [
        builder.parameter(
            column_writer(field, number, builder.vendor),
            ARRAY(sa.Text() if isinstance(kind, TextualType) else kind),
        )
        for number, (field, kind) in enumerate(zip(fields, kinds, strict=True))
    ]
    names = [f"c{number}" for number in range(len(fields))]
    rows = sa.func.unnest(*arrays).table_valued(*names, with_ordinality="row").render_derived()
    columns: list[sa.ColumnElement[Any]] = [
        sa.cast(rows.c[name], kind) if isinstance(kind, TextualType) else rows.c[name]
        for name, kind in zip(names, kinds, strict=True)
    ]
    return columns, rows.c.row


def _json_rows(fields: Sequence[FieldLike], builder: StatementBuilder) -> Rows:
    write = rows_writer(fields, builder.vendor)
    rows = sa.func.json_each(builder.parameter(write, sa.Text())).table_valued("key", "value")
    members: list[sa.ColumnElement[Any]] = [
        _member(field, sa.func.json_extract(rows.c.value, sa.literal_column(f"'$[{number}]'")))
        for number, field in enumerate(fields)
    ]
    return members, rows.c.key


def _member(field: FieldLike, text: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Return a value of a JSON row as the column takes it: bytes travel as hexadecimal digits."""
    return sa.func.transom_unhex(text) if field.column_type().kind == "binary" else text


def _json_table_rows(fields: Sequence[FieldLike], builder: StatementBuilder) -> Rows:
    document = builder.parameter(rows_writer(fields, builder.vendor), sa.Text())
    rows = json_table(
        document, [(field.column_type(), f"$[{number}]") for number, field in enumerate(fields)]
    )
    members = [unpacked(field, rows.c[f"c{number}"]) for number, field in enumerate(fields)]
    return members, rows.c.n


_SOURCES: Final = {"postgresql": _unnest, "sqlite": _json_rows, "mysql": _json_table_rows}


Columns: TypeAlias = Sequence[Sequence[Any]]


def column_writer(
    field: FieldLike, number: int, vendor: Vendor, *, as_json: bool = False
) -> Callable[[Columns], list[Any]]:
    """Return the function that makes one of the columns ready to store, or to stand in JSON; None stays."""
    write = field.writer(vendor)
    if as_json and field.column_type().kind == "binary":
        return lambda columns: [None if value is None else write(value).hex() for value in columns[number]]
    return lambda columns: [None if value is None else write(value) for value in columns[number]]


def rows_writer(fields: Sequence[FieldLike], vendor: Vendor) -> Callable[[Columns], str]:
    """Return the function that makes a JSON array of rows of the columns."""
    writers = [column_writer(field, number, vendor, as_json=True) for number, field in enumerate(fields)]
    return lambda columns: dump_list(list(zip(*(write(columns) for write in writers), strict=True)))
