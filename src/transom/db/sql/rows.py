"""Several values side by side, as one: keys of several columns compared, and rows given as parameters."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from transom.db.exceptions import FieldError
from transom.db.sql.builder import comparable
from transom.db.sql.json_table import json_table, unpacked
from transom.db.sql.parameters import dump_list
from transom.db.sql.shapes import ColumnOperand, Mark, RowOperand, SubqueryOperand
from transom.db.sql.types import TextualType, parameter_type

if TYPE_CHECKING:
    from transom.db.sql.builder import Builder
    from transom.db.sql.metadata import FieldLike, OptionsLike, Vendor
    from transom.db.sql.parameters import Converter
    from transom.db.sql.shapes import Comparison, LookupName, Operand

# Any, here and below: columns and values of all types
Column: TypeAlias = "sa.ColumnElement[Any]"
Condition: TypeAlias = "sa.ColumnElement[bool]"

# -- keys of several columns ---------------------------------------------------------------------------------------


def compare_row(comparison: Comparison, builder: Builder, scope: int | None) -> Condition:
    """Return the condition of a lookup on several columns.

    A key beside the shape is one value, a tuple; a list of keys is one too: the list of the first values of all, and so on.

    Raises:
        FieldError: what it is compared with has not as many columns.
    """
    lookup, operand = comparison
    parts = [cast("ColumnOperand", part).path for part in cast("RowOperand", lookup.left).parts]
    left = [comparable(builder.joins.column(path, scope), path.field, builder) for path in parts]
    fields = [path.field for path in parts]
    if isinstance(operand, SubqueryOperand):
        return sa.tuple_(*left).in_(builder.members(operand))
    if lookup.name == "in":
        rows, _ = given_rows(fields, [field.encoder(builder.vendor) for field in fields], builder)
        members = [comparable(each, field, builder) for each, field in zip(rows, fields, strict=True)]
        return sa.tuple_(*left).in_(sa.select(*members))
    right = _right(operand, fields, builder, scope)
    return (
        equal(left, right) if lookup.name == "exact" else _ordered(left, lookup.name, right, builder.vendor)
    )


def _right(
    operand: Operand, fields: Sequence[FieldLike], builder: Builder, scope: int | None
) -> list[Column]:
    if operand is Mark.PARAMETER:
        return key_values(fields, builder)
    if not isinstance(operand, RowOperand) or len(operand.parts) != len(fields):
        raise FieldError(
            f"a key of {len(fields)} columns is compared with one of another number; name its columns one by one"
        )
    return [builder.expression(part, scope) for part in operand.parts]


def key_values(fields: Sequence[FieldLike], builder: Builder) -> list[Column]:
    """Return the places of the next value, a tuple of the values of several fields."""
    return [
        comparable(
            builder.parameter(
                _at(number, field.encoder(builder.vendor)),
                parameter_type(field.column_type(), builder.vendor),
                again=number > 0,
            ),
            field,
            builder,
        )
        for number, field in enumerate(fields)
    ]


def _at(number: int, convert: Converter) -> Converter:
    return lambda key: convert(key[number])


def equal(left: Sequence[Column], right: Sequence[Column]) -> Condition:
    """Return that several columns are equal to as many."""
    return sa.and_(*(mine == theirs for mine, theirs in zip(left, right, strict=True)))


def is_row(base: sa.FromClause, options: OptionsLike, builder: Builder) -> Condition:
    """Return that a row of a model's table is the one of a key, which is the next value."""
    fields = options.pk_fields
    if len(fields) > 1:
        columns = [comparable(base.c[field.column], field, builder) for field in fields]
        return equal(columns, key_values(fields, builder))
    return comparable(base.c[fields[0].column], fields[0], builder) == builder.value(fields[0])


_OPERATORS: Final[dict[LookupName, tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]]] = {
    "gt": (operator.gt, operator.gt),
    "gte": (operator.gt, operator.ge),
    "lt": (operator.lt, operator.lt),
    "lte": (operator.lt, operator.le),
}
"""What decides between rows whose first columns differ, and between the last columns of rows that are the same else."""


def _ordered(left: list[Column], name: LookupName, right: list[Column], vendor: Vendor) -> Condition:
    """Return that a row stands before or behind another, by the first column in which they differ."""
    differs, last = _OPERATORS[name]
    if vendor != "mysql":
        return last(sa.tuple_(*left), sa.tuple_(*right))
    # MySQL compares rows too, but finds none by an index then.
    *pairs, (mine, theirs) = zip(left, right, strict=True)
    condition: Condition = last(mine, theirs)
    for mine, theirs in reversed(pairs):
        condition = sa.or_(differs(mine, theirs), sa.and_(mine == theirs, condition))
    return condition


def countable(row: RowOperand, builder: Builder, scope: int | None, *, distinct: bool) -> list[Column]:
    """Return what `count()` counts the keys of, none of which has NULL in it but those of no row, all of which is NULL."""
    columns = [builder.expression(part, scope) for part in row.parts]
    if not distinct:
        return columns[:1]
    if builder.vendor == "mysql":
        return columns
    if builder.vendor == "postgresql":
        whole: Column = sa.func.row(*columns)
    else:
        whole = sa.func.hex(columns[0])
        for column in columns[1:]:
            whole = whole.concat(sa.literal_column("','")).concat(sa.func.hex(column))
    return [sa.case((columns[0].is_not(None), whole))]


# -- rows that are given -------------------------------------------------------------------------------------------

Columns: TypeAlias = Sequence[Sequence[Any]]
Rows: TypeAlias = "tuple[list[Column], Column]"


def given_rows(fields: Sequence[FieldLike], converters: Sequence[Converter], builder: Builder) -> Rows:
    """Return the columns of rows that are the next value, and their number.

    The value is a list of columns. PostgreSQL gets them as arrays, the others the rows as one JSON array.

    Args:
        fields: whose values the columns have.
        converters: make these ready for the driver; None stays.
        builder: of the statement.
    """
    return _SOURCES[builder.vendor](fields, converters, builder)


def _unnest(fields: Sequence[FieldLike], converters: Sequence[Converter], builder: Builder) -> Rows:
    kinds = [parameter_type(field.column_type(), builder.vendor) for field in fields]
    # unnest() would take an array of arrays apart to the last element, so these travel as texts.
    arrays = [
        builder.parameter(
            _column_converter(convert, number),
            ARRAY(sa.Text() if isinstance(kind, TextualType) else kind),
            again=number > 0,
        )
        for number, (kind, convert) in enumerate(zip(kinds, converters, strict=True))
    ]
    names = [f"c{number}" for number in range(len(fields))]
    rows = sa.func.unnest(*arrays).table_valued(*names, with_ordinality="row").render_derived()
    columns: list[Column] = [
        sa.cast(rows.c[name], kind) if isinstance(kind, TextualType) else rows.c[name]
        for name, kind in zip(names, kinds, strict=True)
    ]
    return columns, rows.c.row


def _json_rows(fields: Sequence[FieldLike], converters: Sequence[Converter], builder: Builder) -> Rows:
    document = builder.parameter(_rows_converter(fields, converters), sa.Text())
    rows = sa.func.json_each(document).table_valued("key", "value")
    members: list[Column] = [
        _member(field, sa.func.json_extract(rows.c.value, sa.literal_column(f"'$[{number}]'")))
        for number, field in enumerate(fields)
    ]
    return members, rows.c.key


def _member(field: FieldLike, text: Column) -> Column:
    """Return a value of a JSON row as the column takes it: bytes travel as hexadecimal digits."""
    return sa.func.transom_unhex(text) if field.column_type().kind == "binary" else text


def _json_table_rows(fields: Sequence[FieldLike], converters: Sequence[Converter], builder: Builder) -> Rows:
    document = builder.parameter(_rows_converter(fields, converters), sa.Text())
    rows = json_table(
        document, [(field.column_type(), f"$[{number}]") for number, field in enumerate(fields)]
    )
    members = [unpacked(field, rows.c[f"c{number}"]) for number, field in enumerate(fields)]
    return members, rows.c.n


_SOURCES: Final = {"postgresql": _unnest, "sqlite": _json_rows, "mysql": _json_table_rows}


def _column_converter(convert: Converter, number: int) -> Callable[[Columns], list[Any]]:
    """Return the function that makes one of the columns ready for the driver; None stays."""
    return lambda columns: [None if value is None else convert(value) for value in columns[number]]


def _rows_converter(fields: Sequence[FieldLike], converters: Sequence[Converter]) -> Callable[[Columns], str]:
    """Return the function that makes a JSON array of rows of the columns."""
    columns_of = [
        _column_converter(_as_hex(convert) if field.column_type().kind == "binary" else convert, number)
        for number, (field, convert) in enumerate(zip(fields, converters, strict=True))
    ]
    return lambda columns: dump_list(list(zip(*(make(columns) for make in columns_of), strict=True)))


def _as_hex(convert: Converter) -> Converter:
    return lambda value: convert(value).hex()
