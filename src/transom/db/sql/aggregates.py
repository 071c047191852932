"""Functions over the rows of a group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from transom.db.sql.types import parameter_type

if TYPE_CHECKING:
    from transom.db.sql.builder import Builder
    from transom.db.sql.metadata import Vendor
    from transom.db.sql.shapes import AggregateOperand

    # Any: columns of every type
    Column = sa.ColumnElement[Any]


def build_aggregate(shape: AggregateOperand, builder: Builder, scope: int | None) -> Column:
    """Return the value of a group."""
    return settle(shape, call_aggregate(shape, builder, scope), builder.vendor)


def call_aggregate(shape: AggregateOperand, builder: Builder, scope: int | None) -> Any:
    """Return the function called, which may still be told over which rows. Any: SQLAlchemy knows no such function."""
    operands = [builder.expression(operand, scope) for operand in shape.operands]
    holds = None if shape.condition is None else builder.condition(shape.condition, scope)
    if builder.moved is not None:
        operands = [builder.move(operand) for operand in operands]
        holds = None if holds is None else builder.move(holds)
    first: Column
    first, *others = operands or [sa.literal_column("*")]
    if shape.distinct:
        first = first.distinct()
    name = "group_concat" if shape.name == "string_agg" and builder.vendor != "postgresql" else shape.name
    value: Any = getattr(sa.func, name)(first, *others)  # Any: as above
    return value if holds is None else value.filter(holds)


def settle(shape: AggregateOperand, value: Column, vendor: Vendor) -> Column:
    """Return the value of the type that it is to have."""
    if vendor == "postgresql" and shape.name in _WIDER:
        # There a sum of 64 bits is a decimal, and so is most of what is computed of whole numbers.
        return sa.cast(value, parameter_type(shape.output, vendor))
    return value


_WIDER = frozenset({"sum", "avg", "stddev_pop", "stddev_samp", "var_pop", "var_samp"})
