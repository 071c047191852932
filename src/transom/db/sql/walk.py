"""What a shape has in it, found by looking at all its parts: shapes are tuples within tuples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from transom.db.sql.shapes import (
    AggregateOperand,
    Annotation,
    AnnotationOperand,
    ColumnOperand,
    ExistsOperand,
    Lookup,
    OuterColumn,
    OuterName,
    ScalarOperand,
    SubqueryOperand,
    WindowOperand,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from transom.db.sql.shapes import ColumnPath, ExpressionShape

_QUERIES = (ScalarOperand, ExistsOperand, SubqueryOperand)


def is_aggregate(shape: object, aggregates: Collection[str]) -> bool:
    """Whether a shape is computed of groups of rows: it has an aggregate in it, or the name of an annotation that has."""
    if isinstance(shape, AggregateOperand):
        return True
    if isinstance(shape, AnnotationOperand):
        return shape.name in aggregates
    if isinstance(shape, WindowOperand):
        return any(is_aggregate(part, aggregates) for part in _parts_of_window(shape))
    if isinstance(shape, _QUERIES):
        return False
    return any(is_aggregate(part, aggregates) for part in _parts(shape))


def is_window(shape: object) -> bool:
    """Whether a shape has a window in it."""
    return isinstance(shape, WindowOperand) or (
        not isinstance(shape, _QUERIES) and any(is_window(part) for part in _parts(shape))
    )


def bare_columns(shape: object) -> tuple[ColumnPath, ...]:
    """Return the columns that a shape reads of the row at hand, by itself: not in aggregates and windows."""
    if isinstance(shape, AggregateOperand | WindowOperand):
        return ()
    if isinstance(shape, ColumnOperand):
        return (shape.path,)
    if isinstance(shape, _QUERIES):
        return ()
    return tuple([path for part in _parts(shape) for path in bare_columns(part)])


def window_names(steps: Sequence[object]) -> set[str]:
    """Return the names of the annotations that are computed of windows."""
    names: set[str] = set()
    for step in steps:
        if isinstance(step, Annotation) and asks_windows(step.expression, names):
            names.add(step.name)
    return names


def asks_windows(shape: object, names: Collection[str]) -> bool:
    """Whether a shape has a window in it, or the name of an annotation that has."""
    return is_window(shape) or refers_to(shape, names)


def filters_by_window(steps: Sequence[object]) -> bool:
    """Whether a step chooses rows by what a window computes."""
    names = window_names(steps)
    return any(asks_windows(step, names) for step in steps if not isinstance(step, Annotation))


def reaches_out(shape: object, depth: int = 0) -> bool:
    """Whether a query, or a part of one, speaks of a query around it; `depth` is how many queries the part is within it."""
    if isinstance(shape, OuterColumn):
        return shape.levels >= depth
    return any(reaches_out(part, depth + isinstance(shape, _QUERIES)) for part in _parts(shape))


def refers_to(shape: object, names: Collection[str]) -> bool:
    """Whether a shape has an annotation of one of these names in it."""
    if isinstance(shape, AnnotationOperand):
        return shape.name in names
    return (
        bool(names)
        and not isinstance(shape, _QUERIES)
        and any(refers_to(part, names) for part in _parts(shape))
    )


def has_queries(shape: object) -> bool:
    """Whether a shape has another query in it."""
    return isinstance(shape, _QUERIES) or any(has_queries(part) for part in _parts(shape))


def columns_of(shape: object) -> tuple[ColumnPath, ...]:
    """Return the columns that a shape reads in its own query."""
    if isinstance(shape, ColumnOperand):
        return (shape.path,)
    if isinstance(shape, _QUERIES):
        return ()
    return tuple([path for part in _parts(shape) for path in columns_of(part)])


def has_outer_names(shape: object) -> bool:
    """Whether a shape speaks of a query around it that is not known yet."""
    return isinstance(shape, OuterName) or any(has_outer_names(part) for part in _parts(shape))


def replace_outer_names(shape: Any, resolve: Callable[[str, int], ExpressionShape], depth: int = 0) -> Any:
    """Return a shape in which the names of the query directly around it are resolved.

    Those of queries further out come one nearer. Any: a shape of any kind, and the same kind is returned.

    Args:
        shape: the query, or a part of it.
        resolve: takes the name, and how many queries the place where it stands is within this one.
        depth: how many queries `shape` is within that.
    """
    if isinstance(shape, OuterName):
        return resolve(shape.name, depth) if not shape.levels else shape._replace(levels=shape.levels - 1)
    if not isinstance(shape, tuple):
        return shape
    whole = cast("tuple[Any, ...]", shape)
    depth += isinstance(whole, _QUERIES)
    parts = [replace_outer_names(part, resolve, depth) for part in whole]
    make: Callable[[list[Any]], Any] = getattr(type(whole), "_make", tuple)
    return make(parts)


def _parts(shape: object) -> tuple[object, ...]:
    if isinstance(shape, Lookup):
        return (shape.left,)
    return cast("tuple[object, ...]", shape) if isinstance(shape, tuple) else ()


def _parts_of_window(shape: WindowOperand) -> tuple[object, ...]:
    """Return the parts of a window beside its function: that one is no aggregate of groups."""
    function = shape.function
    operands: tuple[object, ...] = (
        function.operands if isinstance(function, AggregateOperand) else (function,)
    )
    return (*operands, shape.partition_by, shape.order_by)
