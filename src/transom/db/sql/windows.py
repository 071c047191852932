"""Functions over the rows around each row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transom.db.sql.aggregates import call_aggregate, settle
from transom.db.sql.ordering import build_ordering
from transom.db.sql.shapes import AggregateOperand

if TYPE_CHECKING:
    import sqlalchemy as sa

    from transom.db.sql.builder import Builder
    from transom.db.sql.shapes import WindowOperand

    # Any: columns of every type
    Column = sa.ColumnElement[Any]


def build_window(shape: WindowOperand, builder: Builder, scope: int | None) -> Column:
    """Return the value for each row."""
    inner = shape.function
    # Any: only functions have over()
    function: Any = (
        call_aggregate(inner, builder, scope)
        if isinstance(inner, AggregateOperand)
        else builder.expression(inner, scope)
    )
    partition_by = [builder.expression(each, scope) for each in shape.partition_by]
    order_by = [build_ordering(each, builder, scope) for each in shape.order_by]
    frame: dict[str, tuple[int | None, int | None]] = {}
    if shape.frame is not None:
        key = "rows" if shape.frame.unit == "ROWS" else "range_"
        frame[key] = (shape.frame.start, shape.frame.end)
    value: Column = function.over(partition_by=partition_by or None, order_by=order_by or None, **frame)
    return settle(inner, value, builder.vendor) if isinstance(inner, AggregateOperand) else value
