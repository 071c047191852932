"""Other queries within a query."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transom.db.models.expressions.base import Bound, Expression
from transom.db.models.expressions.conditions import Q
from transom.db.sql.shapes import ExistsOperand, ScalarOperand

if TYPE_CHECKING:
    from transom.db.models.expressions.base import Binder


class Subquery(Expression):
    """The one column of the first row of another query: `Subquery(newest.values("text")[:1])`.

    Args:
        queryset: with one column chosen by values() or values_list(). Any: of any model; `OuterRef` in it speaks of this query.
        output_field: the field whose values it has, if not that of the column. Any: any field.
    """

    __slots__ = ("output_field", "queryset")

    def __init__(self, queryset: Any, output_field: Any = None) -> None:
        self.queryset = queryset
        self.output_field = output_field

    def bind(self, binder: Binder) -> Bound:
        """Return the other query, with its values."""
        select, column = binder.query(self.queryset)
        field = column.field if self.output_field is None else binder.output(self.output_field)
        return Bound(ScalarOperand(select, column.shape), field)

    def __repr__(self) -> str:
        return f"Subquery({self.queryset!r})"


class Exists(Expression):
    """Whether another query has rows: `filter(Exists(Choice.objects.filter(question=OuterRef("pk"))))`.

    Args:
        queryset: of any model; `OuterRef` in it speaks of this query. Any: see `Subquery`.
    """

    __slots__ = ("queryset",)

    is_condition = True

    def __init__(self, queryset: Any) -> None:
        self.queryset = queryset

    def bind(self, binder: Binder) -> Bound:
        """Return the other query, with its values."""
        select, _ = binder.query(self.queryset, one_column=False)
        return Bound(ExistsOperand(select), binder.field("boolean"))

    def __and__(self, other: Q | Exists) -> Q:
        return Q(self) & Q(other)

    def __or__(self, other: Q | Exists) -> Q:
        return Q(self) | Q(other)

    def __invert__(self) -> Q:
        return ~Q(self)

    def __repr__(self) -> str:
        return f"Exists({self.queryset!r})"
