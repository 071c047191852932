"""Each lookup as an SQL operator."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from transom.db.sql.builder import comparable
from transom.db.sql.parameters import LIKE_ESCAPE, is_glob, list_converter, pattern_converter
from transom.db.sql.shapes import (
    ColumnOperand,
    CombinedOperand,
    ConstantOperand,
    Mark,
    RangeOperand,
    SubqueryOperand,
)
from transom.db.sql.types import parameter_type

if TYPE_CHECKING:
    from collections.abc import Callable

    from transom.db.sql.builder import Builder
    from transom.db.sql.metadata import FieldLike
    from transom.db.sql.shapes import Comparison, LookupName, Operand

    # Any: columns of every type
    Column = sa.ColumnElement[Any]

ORDERED: dict[LookupName, Callable[[Any, Any], Any]] = {  # Any: what operators take and give
    "exact": operator.eq,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
"""Lookups that are one binary operator."""


def compare(
    column: Column, comparison: Comparison, builder: Builder, scope: int | None
) -> sa.ColumnElement[bool]:
    """Return the condition of one comparison, NULL where SQL says NULL."""
    lookup, operand = comparison
    field = lookup.path.field
    match operand:
        case Mark.NULL:
            return column.is_(None)
        case Mark.NOT_NULL | Mark.ALWAYS:
            return column.is_not(None)
        case Mark.NEVER:
            return sa.false()
        case SubqueryOperand():
            return column.in_(builder.subquery(operand))
        case RangeOperand():
            low, high = (builder.operand(end, field, scope) for end in operand)
            return comparable(column, field, builder).between(low, high)
        case Mark.PARAMETER if lookup.name == "in":
            return _member(column, field, builder)
        case Mark.PARAMETER if lookup.name not in ORDERED:
            return _matches(column, field, lookup.name, builder)
        case Mark() | ColumnOperand() | ConstantOperand() | CombinedOperand():
            right = builder.operand(operand, field, scope)
            return ORDERED[lookup.name](comparable(column, field, builder), right)


def _member(column: Column, field: FieldLike, builder: Builder) -> sa.ColumnElement[bool]:
    """Return membership in a list that is one parameter, so that its length is no part of the SQL."""
    convert = list_converter(field, builder.vendor)
    if builder.vendor == "postgresql":
        kind = parameter_type(field.column_type(), builder.vendor)
        return column == sa.any_(builder.parameter(convert, ARRAY(kind)))
    members = sa.func.json_each(builder.parameter(convert, sa.Text())).table_valued("value")
    return comparable(column, field, builder).in_(sa.select(comparable(members.c.value, field, builder)))


def _matches(
    column: Column, field: FieldLike, lookup: LookupName, builder: Builder
) -> sa.ColumnElement[bool]:
    pattern = builder.parameter(pattern_converter(field, builder.vendor, lookup), sa.Text())
    if is_glob(lookup, builder.vendor):
        return column.op("GLOB", is_comparison=True, return_type=sa.Boolean())(pattern)
    if lookup.startswith("i") and builder.vendor == "postgresql":
        return column.ilike(pattern, escape=LIKE_ESCAPE)
    return column.like(pattern, escape=LIKE_ESCAPE)


def nullable_operands(operand: Operand) -> bool:
    """Whether the right side can be NULL: it reads columns."""
    match operand:
        case RangeOperand():
            return nullable_operands(operand.low) or nullable_operands(operand.high)
        case ColumnOperand() | CombinedOperand():
            return True
        case _:
            return False
