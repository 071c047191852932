"""Querysets joined by `&`, `|` and `^`: the rows of both, of either, of one only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from transom.db.sql.shapes import Annotation, Junction
from transom.db.sql.walk import columns_of

if TYPE_CHECKING:
    from transom.db.models.query.base import Query
    from transom.db.sql.shapes import ConditionShape

Q = TypeVar("Q", bound="Query[Any]")  # Any: a query of any model


def combine(left: Q, right: Query[Any], connector: Literal["AND", "OR", "XOR"]) -> Q:
    """Return the query of the rows that are in both, in either, or in one only; all else is as in the left one.

    Only the order is that of the right one, if it has any of its own.

    Raises:
        TypeError: they are not of one model, or not of whole rows: sliced, of different distinct(), annotated; or they speak
            of related rows in several calls of filter(), of which it would be unclear whether they may be the same.
    """
    _check(left, right)
    if left._empty or right._empty:
        return _with_nothing(left, right, connector)
    made = left._clone()
    if connector == "AND":
        made._steps = (*left._steps, *right._steps)
    else:
        made._steps = (Junction(connector, False, (_condition(left), _condition(right))),)
    made._values = (*left._values, *right._values)
    made._sticky = False
    _take_order(made, right)
    return made


def _check(left: Query[Any], right: Query[Any]) -> None:
    if right.model._meta.concrete_model is not left.model._meta.concrete_model:
        raise TypeError(f"queries of {left.model.__name__} and {right.model.__name__} have no rows in common")
    if left._is_sliced or right._is_sliced:
        raise TypeError("a sliced query cannot be joined with others; filter by it: .filter(pk__in=sliced)")
    if left._distinct != right._distinct:
        raise TypeError("queries that are joined need the same distinct(); call it behind")
    if any(isinstance(step, Annotation) for step in (*left._steps, *right._steps)):
        raise TypeError("queries with annotations cannot be joined; annotate what comes out")


def _with_nothing(left: Q, right: Query[Any], connector: str) -> Q:
    """Return what comes out where one of the two has no rows."""
    if connector == "AND" or right._empty:
        return left.none() if connector == "AND" else left._clone()
    made = left._clone()
    made._empty, made._steps, made._values = False, right._steps, right._values
    _take_order(made, right)
    return made


def _take_order(made: Query[Any], right: Query[Any]) -> None:
    if right._ordering:
        made._ordering, made._ordering_values = right._ordering, right._ordering_values
        made._reversed = right._reversed


def _condition(query: Query[Any]) -> ConditionShape:
    """Return all that is asked of a row, as one condition."""
    steps = cast("tuple[ConditionShape, ...]", query._steps)
    about_many = [step for step in steps if any(path.is_many for path in columns_of(step))]
    if len(about_many) > 1:
        raise TypeError(
            "| and ^ take queries with one call of filter() about relations with several rows; join its conditions by Q"
        )
    return steps[0] if len(steps) == 1 else Junction("AND", False, steps)
