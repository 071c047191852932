"""Functions over the rows of a group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from transom.db.sql.types import parameter_type

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import SQLCompiler

    from transom.db.sql.builder import Builder
    from transom.db.sql.metadata import Vendor
    from transom.db.sql.shapes import AggregateOperand

    # Any: columns of every type
    Column = sa.ColumnElement[Any]


class GroupConcat(FunctionElement[str]):
    """MySQL's form of it: the text between the values has a word of its own."""

    name = "group_concat"
    type = sa.Text()
    inherit_cache = False


@compiles(GroupConcat)
def _compile(element: GroupConcat, compiler: SQLCompiler, **options: Any) -> str:
    # Any: options of SQLAlchemy's own
    value, separator = (compiler.process(each, **options) for each in element.clauses)
    return f"GROUP_CONCAT({value} SEPARATOR {separator})"


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
    if (
        holds is not None and builder.vendor == "mysql"
    ):  # it has no FILTER: NULL counts in no aggregate but count(*)
        counted, *rest = operands or [sa.literal_column("1", sa.Integer())]
        operands, holds = [sa.case((holds, counted)), *rest], None
    if shape.name == "avg" and builder.vendor == "mysql" and shape.output.kind == "float":
        operands = [
            sa.cast(operands[0], _DOUBLE)
        ]  # of whole numbers it has four digits after the point there
    first: Column
    first, *others = operands or [sa.literal_column("*")]
    if shape.distinct:
        first = first.distinct()
    name = shape.name
    if name == "string_agg" and builder.vendor != "postgresql":
        name = "group_concat"
        if builder.vendor == "mysql":
            return GroupConcat(first, *others)
    value: Any = getattr(sa.func, name)(first, *others)  # Any: as above
    return value if holds is None else value.filter(holds)


def settle(shape: AggregateOperand, value: Column, vendor: Vendor) -> Column:
    """Return the value of the type that it is to have."""
    if vendor == "mysql":
        exact = shape.output.kind == "decimal" or shape.name not in _WIDER
        return value if exact else sa.cast(value, parameter_type(shape.output, vendor))
    if vendor == "postgresql" and shape.name in _WIDER:
        # There a sum of 64 bits is a decimal, and so is most of what is computed of whole numbers.
        return sa.cast(value, parameter_type(shape.output, vendor))
    return value


_DOUBLE: sa.Double[Any] = sa.Double()
_WIDER = frozenset({"sum", "avg", "stddev_pop", "stddev_samp", "var_pop", "var_samp"})
