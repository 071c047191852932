"""Whatever the database computes of columns and values, from its shape to SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from transom.db.exceptions import FieldError
from transom.db.sql.aggregates import build_aggregate
from transom.db.sql.builder import comparable
from transom.db.sql.ctes import joined_column
from transom.db.sql.documents import build_part
from transom.db.sql.functions import FUNCTIONS
from transom.db.sql.shapes import (
    AggregateOperand,
    AnnotationOperand,
    BareOperand,
    CaseOperand,
    ColumnOperand,
    CombinedOperand,
    ConstantOperand,
    CTEColumn,
    DocumentPart,
    ExistsOperand,
    FunctionOperand,
    NullOperand,
    OuterColumn,
    RowOperand,
    ScalarOperand,
    TemplateOperand,
    TruthOperand,
    WindowOperand,
)
from transom.db.sql.templates import build_template
from transom.db.sql.types import parameter_type
from transom.db.sql.windows import build_window

if TYPE_CHECKING:
    from transom.db.sql.builder import Builder
    from transom.db.sql.shapes import ExpressionShape

    # Any: columns of every type
    Column = sa.ColumnElement[Any]

ONE: Final = FunctionOperand("one", ())
"""What a query selects that is only asked whether it has rows."""


def build_expression(shape: ExpressionShape, builder: Builder, scope: int | None) -> Column:
    """Return what the database computes, in the form in which it compares and computes on.

    Args:
        shape: what.
        builder: of the statement.
        scope: as in `Joins.column`.
    """
    match shape:
        case AggregateOperand() | WindowOperand() | CTEColumn() if builder.outside is not None:
            return builder.outside.take_expression(shape, scope)
        case ColumnOperand():
            return comparable(builder.joins.column(shape.path, scope), shape.path.field, builder)
        case OuterColumn():
            column = builder.around[-1 - shape.levels].column(shape.path)
            return comparable(column, shape.path.field, builder)
        case AnnotationOperand():
            return builder.annotations[shape.name]
        case ConstantOperand():
            return builder.value(shape.field)
        case BareOperand():
            return builder.parameter(shape.field.encoder(builder.vendor), sa.types.NULLTYPE)
        case CTEColumn():
            return comparable(joined_column(shape, builder), shape.field, builder)
        case NullOperand():
            return sa.cast(sa.null(), parameter_type(shape.field.column_type(), builder.vendor))
        case CombinedOperand():
            return _combine(shape, builder, scope)
        case ScalarOperand():
            return builder.subselect(shape.select, shape.column).scalar_subquery()
        case ExistsOperand():
            return _exists(shape, builder)
        case TruthOperand():
            return builder.condition(shape.condition, scope)
        case CaseOperand():
            return _case(shape, builder, scope)
        case AggregateOperand():
            return build_aggregate(shape, builder, scope)
        case WindowOperand():
            return build_window(shape, builder, scope)
        case DocumentPart():
            return build_part(shape, build_expression(shape.document, builder, scope), builder.vendor)
        case FunctionOperand() | TemplateOperand():
            return _call(shape, builder, scope)
        case RowOperand():
            raise FieldError(
                f"a key of {len(shape.parts)} columns is no value of an expression; name its columns one by one"
            )
        case _:
            raise AssertionError(f"the query around this one was not known when it was bound: {shape!r}")


def _combine(shape: CombinedOperand, builder: Builder, scope: int | None) -> Column:
    left: Column = build_expression(shape.left, builder, scope)
    right = build_expression(shape.right, builder, scope)
    if shape.operator == "/" and builder.vendor == "sqlite" and isinstance(left.type, sa.Numeric):
        # A decimal without a fraction is a whole number there, and would divide as one.
        real: sa.Float[Any] = sa.REAL()
        left = sa.cast(left, real)
    operator: str = shape.operator
    if operator == "/" and builder.vendor == "mysql" and _are_whole(left, right):
        operator = "DIV"  # as on the others, where dividing whole numbers gives a whole number
    # op() and not Python's operators: SQLAlchemy would make `/` a true division by casting
    return left.self_group().op(operator, return_type=left.type)(right).self_group()


def _are_whole(*operands: Column) -> bool:
    return all(isinstance(operand.type, sa.Integer) for operand in operands)


def _call(shape: FunctionOperand | TemplateOperand, builder: Builder, scope: int | None) -> Column:
    operands = [build_expression(operand, builder, scope) for operand in shape.operands]
    if isinstance(shape, TemplateOperand):
        return build_template(shape, operands, builder.vendor)
    return FUNCTIONS[shape.name](operands, shape.output, builder.vendor)


def _case(shape: CaseOperand, builder: Builder, scope: int | None) -> Column:
    branches: list[tuple[sa.ColumnElement[bool], Column]] = []
    for condition, value in shape.branches:
        holds = builder.condition(condition, scope)
        branches.append((holds, build_expression(value, builder, scope)))
    return sa.case(*branches, else_=build_expression(shape.default, builder, scope))


def _exists(shape: ExistsOperand, builder: Builder) -> sa.ColumnElement[bool]:
    select = shape.select
    if not (select.offset or select.limit):
        select = select._replace(ordering=())
    return sa.exists(builder.subselect(select._replace(distinct=False), ONE))
