"""The WHERE clause, with Django's meaning of filter() and exclude() where NULLs and several related rows are about.

Between rows, Python's two-valued logic holds: a comparison with NULL is false, and its negation true. SQL's NULL does
the same as false as long as nothing negates it, so only under an odd number of NOTs, or under an XOR, a comparison is made
two-valued by `AND column IS NOT NULL`.

Under a NOT, a comparison across a relation with several rows asks whether *any* of these rows fits, so it becomes an
EXISTS with a subquery of its own; a join would ask each row by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from transom.db.sql.comparisons import compare, nullable_operands
from transom.db.sql.joins import Joins
from transom.db.sql.shapes import ColumnPath, Comparison, Mark, RangeOperand, SubqueryOperand, Truth

if TYPE_CHECKING:
    from collections.abc import Callable

    from transom.db.sql.builder import Builder
    from transom.db.sql.shapes import ConditionShape, ExpressionShape, Junction

    Condition = sa.ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Position:
    """Where in the tree of conditions we are.

    Attributes:
        scope: which step of the query, for the joins.
        negations: how many NOTs are above.
        required: whether the whole condition is false if this one is: nothing but ANDs above.
        is_compared: whether an XOR is above, which needs to know of true and false alike.
    """

    scope: int | None
    negations: int = 0
    required: bool = True
    is_compared: bool = False

    @property
    def is_two_valued(self) -> bool:
        """Whether NULL is not as good as false here."""
        return self.is_compared or self.negations % 2 == 1


def build_condition(shape: ConditionShape, builder: Builder, position: Position) -> Condition:
    """Return the SQL of a condition."""
    if isinstance(shape, Comparison):
        return _comparison(shape, builder, position)
    if isinstance(shape, Truth):
        return _holds(shape.expression, builder, position)
    return _junction(shape, builder, position)


def _junction(shape: Junction, builder: Builder, position: Position) -> Condition:
    is_alone = len(shape.children) == 1
    inside = Position(
        position.scope,
        position.negations + shape.negated,
        position.required and not shape.negated and (shape.connector == "AND" or is_alone),
        position.is_compared or (shape.connector == "XOR" and not is_alone),
    )
    children = [build_condition(child, builder, inside) for child in shape.children]
    if not children:
        return sa.false() if shape.negated else sa.true()
    joined = _JOINED[shape.connector](*children)
    return sa.not_(joined) if shape.negated else joined


def _xor(*conditions: Condition) -> Condition:
    """Return whether an odd number of conditions holds, none of which is NULL."""
    return reduce(lambda left, right: sa.type_coerce(left, sa.Boolean()) != right, conditions)


_JOINED: dict[str, Callable[..., Condition]] = {"AND": sa.and_, "OR": sa.or_, "XOR": _xor}


def _comparison(shape: Comparison, builder: Builder, position: Position) -> Condition:
    lookup = shape.lookup
    if (position.negations or position.is_compared) and lookup.is_many:
        return _exists(shape, builder)
    if lookup.name == "custom":
        return _custom(shape, builder, position)
    if position.required and shape.operand is not Mark.NULL:
        for path in lookup.paths:
            builder.joins.require(path.hops, position.scope)
    left = builder.left(lookup, position.scope)
    condition = compare(left, shape, builder, position.scope)
    if not position.is_two_valued or (isinstance(shape.operand, Mark) and shape.operand in _TWO_VALUED):
        return condition
    if nullable_operands(shape.operand):
        return sa.func.coalesce(condition, sa.false())
    return sa.and_(condition, left.is_not(None)) if lookup.is_nullable else condition


def _custom(shape: Comparison, builder: Builder, position: Position) -> Condition:
    """Return what the operand says. It may hold for NULL, so no row of ours must be lost for want of a related one."""
    if isinstance(shape.operand, Mark | RangeOperand | SubqueryOperand):
        raise AssertionError(f"no condition: {shape.operand!r}")
    return _holds(shape.operand, builder, position)


def _holds(shape: ExpressionShape, builder: Builder, position: Position) -> Condition:
    """Return whether an expression is true, which NULL is not."""
    holds = builder.expression(shape, position.scope)
    return sa.func.coalesce(holds, sa.false()) if position.is_two_valued else holds


_TWO_VALUED = (Mark.NULL, Mark.NOT_NULL, Mark.ALWAYS, Mark.NEVER)


def _exists(shape: Comparison, builder: Builder) -> Condition:
    """Return whether any related row fits: a subquery on the same row of the base table, read again."""
    outer = builder.joins
    inner = Joins(outer.options, outer.tables, alias=True)
    with builder.using_joins(inner):
        condition = _comparison(shape, builder, Position(0))
    query: sa.Select[Any] = sa.select(sa.literal_column("1", sa.Integer)).select_from(inner.from_clause())
    keys = [ColumnPath((), field) for field in outer.options.pk_fields]
    same_row = [inner.column(key) == outer.column(key) for key in keys]
    query = query.where(*same_row, condition)
    return sa.exists(query.correlate(*outer.all_tables()))
