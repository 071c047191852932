"""Each lookup as an SQL operator."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from transom.db.sql.builder import comparable
from transom.db.sql.documents import DOCUMENT_LOOKUPS, compare_document
from transom.db.sql.functions import FUNCTIONS
from transom.db.sql.json_table import json_table, unpacked
from transom.db.sql.parameters import (
    LIKE_ESCAPE,
    is_glob,
    list_converter,
    pattern_converter,
    regex_converter,
)
from transom.db.sql.rows import compare_row
from transom.db.sql.shapes import (
    BETWEEN_SETS,
    ConstantOperand,
    Mark,
    RangeOperand,
    RowOperand,
    SubqueryOperand,
    TemplateOperand,
)
from transom.db.sql.types import TextualType, parameter_type

if TYPE_CHECKING:
    from collections.abc import Callable

    from transom.db.sql.builder import Builder
    from transom.db.sql.metadata import FieldLike, Vendor
    from transom.db.sql.shapes import Comparison, Lookup, LookupName, Operand

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
    left: Column, comparison: Comparison, builder: Builder, scope: int | None
) -> sa.ColumnElement[bool]:
    """Return the condition of one comparison, NULL where SQL says NULL.

    Args:
        left: the left side, a column as it is stored.
        comparison: of the left side.
        builder: of the statement.
        scope: as in `Joins.column`.
    """
    lookup, operand = comparison
    field = lookup.field
    match operand:
        case Mark.NULL:
            return left.is_(None)
        case Mark.NOT_NULL | Mark.ALWAYS:
            return left.is_not(None)
        case Mark.NEVER:
            return sa.false()
        case _ if isinstance(lookup.left, RowOperand):
            return compare_row(comparison, builder, scope)
        case SubqueryOperand():
            return left.in_(builder.members(operand))
        case TemplateOperand() if lookup.name == "in":
            members = builder.expression(operand, scope)
            return left.op("IN", is_comparison=True, return_type=sa.Boolean())(members)
        case RangeOperand():
            low, high = (_right(end, lookup, builder, scope) for end in operand)
            return comparable(left, field, builder).between(low, high)
        case Mark.PARAMETER if lookup.name in DOCUMENT_LOOKUPS and field.column_type().kind == "json":
            return compare_document(left, lookup, builder)
        case _ if lookup.name in BETWEEN_SETS and field.column_type().has_elements:
            right = _right(operand, lookup, builder, scope)
            compared = left.op(BETWEEN_SETS[lookup.name], is_comparison=True, return_type=sa.Boolean())
            return compared(right)
        case Mark.PARAMETER if lookup.name == "in":
            return _member(left, field, builder)
        case Mark.PARAMETER if lookup.name not in ORDERED:
            return _matches(left, field, lookup.name, builder)
        case _ if lookup.name not in ORDERED:
            return match_text(left, _right(operand, lookup, builder, scope), lookup.name, builder.vendor)
        case _:
            right = _right(operand, lookup, builder, scope)
            return ORDERED[lookup.name](comparable(left, field, builder), right)


def _right(operand: Operand, lookup: Lookup, builder: Builder, scope: int | None) -> Column:
    """Return a right side that is one value."""
    if operand is Mark.PARAMETER:
        return builder.value(lookup.field)
    if isinstance(operand, Mark | RangeOperand | SubqueryOperand):
        raise AssertionError(f"no value on a right side: {operand!r}")
    return builder.expression(operand, scope)


def _member(column: Column, field: FieldLike, builder: Builder) -> sa.ColumnElement[bool]:
    """Return membership in a list that is one parameter, so that its length is no part of the SQL."""
    convert = list_converter(field, builder.vendor)
    if builder.vendor == "postgresql":
        kind = parameter_type(field.column_type(), builder.vendor)
        if isinstance(kind, TextualType):  # an array of arrays is flat
            texts = (
                sa.func.unnest(builder.parameter(convert, ARRAY(sa.Text())))
                .table_valued("value")
                .render_derived()
            )
            return column.in_(sa.select(sa.cast(texts.c.value, kind)))
        return column == sa.any_(builder.parameter(convert, ARRAY(kind)))
    if builder.vendor == "mysql":
        rows = json_table(builder.parameter(convert, sa.Text()), [(field.column_type(), "$")])
        return column.in_(sa.select(unpacked(field, rows.c.c0)))
    members = sa.func.json_each(builder.parameter(convert, sa.Text())).table_valued("value")
    return comparable(column, field, builder).in_(sa.select(comparable(members.c.value, field, builder)))


def _matches(
    column: Column, field: FieldLike, lookup: LookupName, builder: Builder
) -> sa.ColumnElement[bool]:
    vendor = builder.vendor
    if lookup in ("regex", "iregex"):
        return _regex(column, builder.parameter(regex_converter(lookup, vendor), sa.Text()), lookup, vendor)
    pattern = builder.parameter(pattern_converter(field, vendor, lookup), sa.Text())
    if is_glob(lookup, vendor):
        return column.op("GLOB", is_comparison=True, return_type=sa.Boolean())(pattern)
    if lookup.startswith("i") and vendor != "sqlite":
        return column.ilike(pattern, escape=LIKE_ESCAPE)
    return column.like(pattern, escape=LIKE_ESCAPE)


def _regex(column: Column, pattern: Column, lookup: LookupName, vendor: Vendor) -> sa.ColumnElement[bool]:
    operator = "REGEXP" if vendor != "postgresql" else "~*" if lookup == "iregex" else "~"
    return column.op(operator, is_comparison=True, return_type=sa.Boolean())(pattern)


def match_text(left: Column, right: Column, lookup: LookupName, vendor: Vendor) -> sa.ColumnElement[bool]:
    """Return the comparison of two computed texts, which no pattern could be made of beforehand."""
    if lookup in ("regex", "iregex"):
        if lookup == "iregex" and vendor != "postgresql":
            right = FUNCTIONS["concat"](
                [sa.literal_column("'(?i:'"), right, sa.literal_column("')'")], None, vendor
            )
        return _regex(left, right, lookup, vendor)
    if lookup.startswith("i"):
        left, right = sa.func.lower(left, type_=left.type), sa.func.lower(right, type_=right.type)
    length = FUNCTIONS["length"]([right], None, vendor)
    match lookup.removeprefix("i"):
        case "contains":
            return FUNCTIONS["position"]([left, right], None, vendor) > sa.literal_column("0")
        case "startswith":
            return FUNCTIONS["left"]([left, length], None, vendor) == right
        case "endswith":
            return FUNCTIONS["right"]([left, length], None, vendor) == right
        case _:
            return left == right


def nullable_operands(operand: Operand) -> bool:
    """Whether the right side can be NULL: it is computed."""
    if isinstance(operand, RangeOperand):
        return nullable_operands(operand.low) or nullable_operands(operand.high)
    return not isinstance(operand, Mark | SubqueryOperand | ConstantOperand)
