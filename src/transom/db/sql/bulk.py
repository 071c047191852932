"""Inserting many rows with one statement that is the same for any number of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from transom.db.sql.parameters import Parameter
from transom.db.sql.statement import Statement, StatementBuilder
from transom.db.sql.types import parameter_type

if TYPE_CHECKING:
    from transom.db.sql.metadata import FieldLike, OptionsLike, Vendor


def insert_rows(
    options: OptionsLike, fields: Sequence[FieldLike], returning: Sequence[FieldLike], vendor: Vendor
) -> Statement:
    """Compile the insertion of rows given as columns: one list of values for each field, in their order.

    PostgreSQL gets the columns as arrays, SQLite the rows as one JSON array. What is returned comes back in no promised
    order, but they are counted up in the order of the rows, so sorting them is enough. There is one value beside the
    shape: the list of columns.
    """
    builder = StatementBuilder(options, vendor)
    table = builder.joins.tables.of(options)
    source = (_unnest if vendor == "postgresql" else _json_rows)(fields, builder)
    insert = sa.insert(table).from_select([field.column for field in fields], source, include_defaults=False)
    if returning:
        insert = insert.returning(*(table.c[field.column] for field in returning))
    statement = builder.finish(insert)
    return Statement(
        statement.sql, tuple(Parameter(0, parameter.convert) for parameter in statement.parameters)
    )


def _unnest(
    fields: Sequence[FieldLike], builder: StatementBuilder
) -> sa.Select[Any]:  # Any: columns of all types
    arrays = [
        builder.parameter(
            column_writer(field, number, builder.vendor),
            ARRAY(parameter_type(field.column_type(), builder.vendor)),
        )
        for number, field in enumerate(fields)
    ]
    names = [f"c{number}" for number in range(len(fields))]
    rows = sa.func.unnest(*arrays).table_valued(*names, with_ordinality="row").render_derived()
    return sa.select(*(rows.c[name] for name in names)).order_by(rows.c.row)


def _json_rows(fields: Sequence[FieldLike], builder: StatementBuilder) -> sa.Select[Any]:
    rows = sa.func.json_each(builder.parameter(rows_writer(fields), sa.Text())).table_valued("key", "value")
    members = [
        _member(field, sa.func.json_extract(rows.c.value, sa.literal_column(f"'$[{number}]'")))
        for number, field in enumerate(fields)
    ]
    return sa.select(*members).order_by(rows.c.key)


def _member(field: FieldLike, text: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Return a value of a JSON row as the column takes it: bytes travel as hexadecimal digits."""
    return sa.func.transom_unhex(text) if field.column_type().kind == "binary" else text


Columns: TypeAlias = Sequence[Sequence[Any]]


def column_writer(
    field: FieldLike, number: int, vendor: Vendor, *, as_json: bool = False
) -> Callable[[Columns], list[Any]]:
    """Return the function that makes one of the columns ready to store, or to stand in JSON; None stays."""
    write = field.writer(vendor)
    if as_json and field.column_type().kind == "binary":
        return lambda columns: [None if value is None else write(value).hex() for value in columns[number]]
    return lambda columns: [None if value is None else write(value) for value in columns[number]]


def rows_writer(fields: Sequence[FieldLike]) -> Callable[[Columns], str]:
    """Return the function that makes a JSON array of rows of the columns."""
    writers = [column_writer(field, number, "sqlite", as_json=True) for number, field in enumerate(fields)]
    return lambda columns: json.dumps(list(zip(*(write(columns) for write in writers), strict=True)))
