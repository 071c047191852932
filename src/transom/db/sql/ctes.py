"""Queries with names, which stand before the statement that speaks of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from transom.db.exceptions import FieldError
from transom.db.sql.joins import Joins, column_of
from transom.db.sql.types import parameter_type

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transom.db.sql.builder import Builder
    from transom.db.sql.column_type import ColumnType
    from transom.db.sql.metadata import Vendor
    from transom.db.sql.shapes import CTEColumn, CTEShape, CTESource, ExpressionShape, SelectShape

    # Any: columns of every type
    Column = sa.ColumnElement[Any]

_HINTS: Final = {True: "MATERIALIZED", False: "NOT MATERIALIZED"}
_LONG_TEXT: Final = 1 << 24  # more letters than MariaDB has in a VARCHAR, so that it takes a LONGTEXT


def add_cte(shape: CTEShape, builder: Builder, *, nesting: bool) -> None:
    """Build a CTE, so that what is built next can speak of it.

    Args:
        shape: the CTE.
        builder: of the statement.
        nesting: whether it is to stand before the query within that reads it, and not before the statement.
    """
    first, *further = shape.parts
    made = _build_part(*first, shape, builder).cte(shape.name, recursive=bool(further), nesting=nesting)
    if shape.materialized is not None and builder.vendor != "mysql":
        made = made.prefix_with(_HINTS[shape.materialized])
    builder.ctes[shape.name] = made
    for part in further:
        more = _build_part(*part, shape, builder)
        builder.ctes[shape.name] = made.union_all(more) if shape.all else made.union(more)


def _build_part(
    select: SelectShape, columns: Sequence[ExpressionShape], shape: CTEShape, builder: Builder
) -> sa.Select[Any]:
    """Return a query whose columns have the names of those of the CTE."""
    is_recursive = len(shape.parts) > 1

    def select_columns() -> list[Column]:
        selected = [builder.column(each) for each in columns]
        if is_recursive:
            # Both parts must agree: PostgreSQL takes no others, and MariaDB has the first one decide.
            selected = [
                _cast(each, kind, builder.vendor) for each, kind in zip(selected, shape.types, strict=True)
            ]
        return [each.label(name) for each, name in zip(selected, shape.columns, strict=True)]

    with builder.within(Joins(select.options, builder.joins.tables, alias=True)):
        query = builder.select(select, select_columns)
    if not (is_recursive and (select.offset or select.limit)):
        return query
    rows = query.subquery()  # SQLite allows no parentheses around a part, which a slice would need
    return sa.select(*rows.c)


def _cast(column: Column, kind: ColumnType, vendor: Vendor) -> Column:
    """Return a column of the widest type of its kind."""
    if vendor == "sqlite" or kind.kind not in (*_NUMBERS, "varchar", "text"):
        return column
    if kind.kind in ("varchar", "text") and vendor == "mysql":
        return sa.cast(column, sa.CHAR(_LONG_TEXT))
    return sa.cast(column, parameter_type(kind, vendor))


_NUMBERS: Final = ("smallauto", "auto", "bigauto", "smallint", "integer", "bigint", "float", "decimal")


def read_cte(source: CTESource, builder: Builder) -> None:
    """Let the query at hand, of which nothing is built yet, read a CTE in the place of the model's table."""
    table = _table(source.cte, builder)
    builder.joins.base = builder.joined[source.cte] = table
    for name, column in source.annotations:
        builder.annotations[name] = column_of(table, column.column)


def join_cte(name: str, builder: Builder) -> sa.FromClause:
    """Let the query at hand speak of the columns of a CTE, and return it, to be joined."""
    table = _table(name, builder)
    builder.joins.add(table)
    builder.joined[name] = table
    return table


def _table(name: str, builder: Builder) -> sa.FromClause:
    if name in builder.joined:
        raise FieldError(f"the CTE {name!r} is joined already; make another CTE of the same queryset")
    return builder.ctes[name].alias()


def joined_column(shape: CTEColumn, builder: Builder) -> Column:
    """Return a column of a CTE.

    Raises:
        FieldError: the query at hand does not join it.
    """
    table = builder.joined.get(shape.cte)
    if table is None:
        raise FieldError(f"a column of the CTE {shape.cte!r} needs a query that joins it: cte.join(Model, …)")
    return column_of(table, shape.column)


def check_names(builder: Builder) -> None:
    """Refuse a CTE that would hide a table of the statement.

    Raises:
        FieldError: they have the same name.
    """
    tables = {name.lower() for name in builder.joins.tables.names()}
    for name in builder.ctes:
        if name.lower() in tables:
            raise FieldError(f"a CTE cannot be called as the table {name!r}; give it another name")
