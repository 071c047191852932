"""Functions over the rows of a group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import Function, FunctionElement

from transom.db.exceptions import FieldError
from transom.db.sql.ordering import direct
from transom.db.sql.rows import countable
from transom.db.sql.shapes import RowOperand
from transom.db.sql.types import parameter_type

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    options["within_aggregate_function"] = True
    value, separator = (compiler.process(each, **options) for each in element.clauses)
    return f"GROUP_CONCAT({value} SEPARATOR {separator})"


class Ordered(sa.ColumnElement[Any]):
    """The last operand of a function over rows, and the order in which it gets them."""

    inherit_cache = False

    def __init__(self, operand: Column, order_by: Sequence[Column]) -> None:
        self.operand = operand
        self.order_by = order_by
        self.type = operand.type


@compiles(Ordered)
def _compile_ordered(element: Ordered, compiler: SQLCompiler, **options: Any) -> str:
    # Any: options of SQLAlchemy's own
    operand, *terms = (compiler.process(each, **options) for each in (element.operand, *element.order_by))
    return f"{operand} ORDER BY {', '.join(terms)}"


def build_aggregate(shape: AggregateOperand, builder: Builder, scope: int | None) -> Column:
    """Return the value of a group."""
    return settle(shape, call_aggregate(shape, builder, scope), builder.vendor)


def call_aggregate(shape: AggregateOperand, builder: Builder, scope: int | None) -> Any:
    """Return the function called, which may still be told over which rows. Any: SQLAlchemy knows no such function.

    Raises:
        FieldError: the database has no such function, or not in this form.
    """
    _refuse(shape, builder.vendor)
    operands = _operands(shape, builder, scope)
    holds = None if shape.condition is None else builder.condition(shape.condition, scope)
    keys = [builder.expression(each.expression, scope) for each in shape.order_by if each.expression]
    if builder.moved is not None:
        operands = [builder.move(operand) for operand in operands]
        holds = None if holds is None else builder.move(holds)
        keys = [builder.move(key) for key in keys]
    order = [direct(key, each, builder.vendor) for key, each in zip(keys, shape.order_by, strict=True)]
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
            return GroupConcat(Ordered(first, order) if order else first, *others)
    if order:
        *whole, last = first, *others
        first, *others = *whole, Ordered(last, order)
    function: Any = _count if name == "count" else getattr(sa.func, name)
    value: Any = function(first, *others)  # Any: as above
    return value if holds is None else value.filter(holds)


def _count(first: Column, *others: Column) -> Any:  # Any: as above
    """Return the call; MySQL counts the different rows of several columns, for which SQLAlchemy has no count()."""
    return Function("count", first, *others, type_=sa.Integer()) if others else sa.func.count(first)


def _operands(shape: AggregateOperand, builder: Builder, scope: int | None) -> list[Column]:
    """Return what the function is called with; keys of several columns can only be counted."""
    if shape.name == "count" and shape.operands and isinstance(shape.operands[0], RowOperand):
        return countable(shape.operands[0], builder, scope, distinct=shape.distinct)
    return [builder.expression(operand, scope) for operand in shape.operands]


def settle(shape: AggregateOperand, value: Column, vendor: Vendor) -> Column:
    """Return the value of the type that it is to have."""
    if vendor == "mysql":
        exact = shape.output.kind == "decimal" or shape.name not in _WIDER
        return value if exact else sa.cast(value, parameter_type(shape.output, vendor))
    if vendor == "postgresql" and shape.name in _WIDER:
        # There a sum of 64 bits is a decimal, and so is most of what is computed of whole numbers.
        return sa.cast(value, parameter_type(shape.output, vendor))
    return value


def _refuse(shape: AggregateOperand, vendor: Vendor) -> None:
    if shape.name in _OF_POSTGRESQL and vendor != "postgresql":
        raise FieldError(
            f"PostgreSQL alone has {shape.name}(); on {vendor} compute it of the rows, or take another aggregate"
        )
    if shape.name == "string_agg" and vendor == "sqlite" and (shape.distinct or shape.order_by):
        raise FieldError("StringAgg takes neither distinct nor order_by on sqlite; join the texts in Python")


_OF_POSTGRESQL = frozenset(
    (
        "array_agg", "jsonb_agg", "bit_and", "bit_or", "bit_xor", "bool_and", "bool_or", "corr", "covar_pop", "covar_samp",
        "regr_avgx", "regr_avgy", "regr_count", "regr_intercept", "regr_r2", "regr_slope", "regr_sxx", "regr_sxy", "regr_syy",
    )
)  # fmt: skip
_DOUBLE: sa.Double[Any] = sa.Double()
_WIDER = frozenset({"sum", "avg", "stddev_pop", "stddev_samp", "var_pop", "var_samp"})
