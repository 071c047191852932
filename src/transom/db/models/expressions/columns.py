"""Typed columns: what `Question.text` is on the class. Each method says one `__` lookup, known to type checkers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from transom.db.models.expressions.arithmetic import Expression, F
from transom.db.models.expressions.conditions import Q
from transom.db.models.expressions.ordering import OrderBy

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")
ColumnT = TypeVar("ColumnT", bound="Column[Any]")  # Any: a column of any type


class Column(F, Generic[T]):
    """A column of a model, named from the model on which it was read."""

    __slots__ = ("model",)

    def __init__(self, path: str, model: type[Any] | None = None) -> None:  # Any: any model
        super().__init__(path)
        self.model = model

    def lookup(self, name: str, value: object) -> Q:
        """Return the condition of a lookup by its name: `Question.text.lookup("iexact", "x")`."""
        return Q.of(f"{self.path}__{name}", value, self.model)

    # The result of a comparison is a condition, not a bool, which is what makes the typed spelling possible.
    def __eq__(self, other: T | Expression) -> Q:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return self.lookup("exact", other)

    def __ne__(self, other: T | Expression) -> Q:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return ~self.lookup("exact", other)

    __hash__ = object.__hash__

    def __lt__(self, other: T | Expression) -> Q:
        return self.lookup("lt", other)

    def __le__(self, other: T | Expression) -> Q:
        return self.lookup("lte", other)

    def __gt__(self, other: T | Expression) -> Q:
        return self.lookup("gt", other)

    def __ge__(self, other: T | Expression) -> Q:
        return self.lookup("gte", other)

    def in_(self, values: Iterable[T]) -> Q:
        """Hold where the column is one of the values; a queryset of one column is a subquery."""
        return self.lookup("in", values)

    def between(self, low: T | Expression, high: T | Expression) -> Q:
        """Hold where `low <= column <= high`."""
        return self.lookup("range", (low, high))

    def is_null(self, null: bool = True) -> Q:
        """Hold where the column is NULL, or with False where it is not."""
        return self.lookup("isnull", null)

    def asc(self) -> OrderBy:
        """Order by this column, smallest first."""
        return OrderBy(self.path, False, self.model)

    def desc(self) -> OrderBy:
        """Order by this column, largest first."""
        return OrderBy(self.path, True, self.model)

    def __repr__(self) -> str:
        return f"{self.model.__name__ if self.model else '?'}.{self.path}"


class TextColumn(Column[T]):
    """A column of text. `%` and `_` in what is searched for stand for themselves."""

    __slots__ = ()

    def iexact(self, value: str) -> Q:
        """Hold where the text is the same but for the case of letters."""
        return self.lookup("iexact", value)

    def contains(self, value: str) -> Q:
        """Hold where the text has `value` in it."""
        return self.lookup("contains", value)

    def icontains(self, value: str) -> Q:
        """Hold where the text has `value` in it, in any case of letters."""
        return self.lookup("icontains", value)

    def startswith(self, value: str) -> Q:
        """Hold where the text begins with `value`."""
        return self.lookup("startswith", value)

    def istartswith(self, value: str) -> Q:
        """Hold where the text begins with `value`, in any case of letters."""
        return self.lookup("istartswith", value)

    def endswith(self, value: str) -> Q:
        """Hold where the text ends with `value`."""
        return self.lookup("endswith", value)

    def iendswith(self, value: str) -> Q:
        """Hold where the text ends with `value`, in any case of letters."""
        return self.lookup("iendswith", value)


class RelationColumn(Column[T]):
    """A relation to another model: compares with instances, and leads to the columns of that model."""

    __slots__ = ()

    def follow(self, column: ColumnT) -> ColumnT:
        """Return a column of the related model as seen from here.

        `Choice.question.follow(Question.text)` is the typed spelling of `question__text`.
        """
        return type(column)(f"{self.path}__{column.path}", self.model)
