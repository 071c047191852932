"""Typed columns: what `Question.text` is on the class. Each method says one `__` lookup, known to type checkers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from transom.db.exceptions import FieldError
from transom.db.models.expressions.conditions import Q
from transom.db.models.expressions.references import F

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, time

    from transom.db.models.expressions.base import Binder, Bound, Expression

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

    def part(self, name: str) -> Column[int]:
        """Return a part of the value that is a whole number, by its name in lookups."""
        return Column(f"{self.path}__{name}", self.model)

    def is_null(self, null: bool = True) -> Q:
        """Hold where the column is NULL, or with False where it is not."""
        return self.lookup("isnull", null)

    def bind(self, binder: Binder) -> Bound:
        """Return the column, which must be one of the model that is queried."""
        return binder.column(self.path, self.model)

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

    def regex(self, pattern: str) -> Q:
        """Hold where the text has a part that the regular expression describes, in the dialect of the database."""
        return self.lookup("regex", pattern)

    def iregex(self, pattern: str) -> Q:
        """Hold where `regex` does, in any case of letters."""
        return self.lookup("iregex", pattern)

    @property
    def length(self) -> Column[int]:
        """How many characters the text has."""
        return Column(f"{self.path}__length", self.model)

    @property
    def lower(self) -> TextColumn[str]:
        """The text in lower case."""
        return TextColumn(f"{self.path}__lower", self.model)

    @property
    def upper(self) -> TextColumn[str]:
        """The text in upper case."""
        return TextColumn(f"{self.path}__upper", self.model)


class DateColumn(Column[T]):
    """A column of days."""

    __slots__ = ()

    @property
    def year(self) -> Column[int]:
        """The year."""
        return self.part("year")

    @property
    def iso_year(self) -> Column[int]:
        """The year that the week belongs to by ISO 8601."""
        return self.part("iso_year")

    @property
    def quarter(self) -> Column[int]:
        """The quarter, 1 to 4."""
        return self.part("quarter")

    @property
    def month(self) -> Column[int]:
        """The month, 1 to 12."""
        return self.part("month")

    @property
    def week(self) -> Column[int]:
        """The week of the year by ISO 8601, 1 to 53."""
        return self.part("week")

    @property
    def day(self) -> Column[int]:
        """The day of the month."""
        return self.part("day")

    @property
    def week_day(self) -> Column[int]:
        """The day of the week, Sunday is 1."""
        return self.part("week_day")

    @property
    def iso_week_day(self) -> Column[int]:
        """The day of the week, Monday is 1."""
        return self.part("iso_week_day")


class TimeColumn(Column[T]):
    """A column of times of day."""

    __slots__ = ()

    @property
    def hour(self) -> Column[int]:
        """The hour."""
        return self.part("hour")

    @property
    def minute(self) -> Column[int]:
        """The minute."""
        return self.part("minute")

    @property
    def second(self) -> Column[int]:
        """The second, without its fraction."""
        return self.part("second")


class DateTimeColumn(DateColumn[T], TimeColumn[T]):
    """A column of points in time. Its parts are those in the current zone (`transom.db.timezone`)."""

    __slots__ = ()

    @property
    def date(self) -> DateColumn[date]:
        """The day."""
        return DateColumn(f"{self.path}__date", self.model)

    @property
    def time(self) -> TimeColumn[time]:
        """The time of day."""
        return TimeColumn(f"{self.path}__time", self.model)


class JSONColumn(Column[Any]):
    """A column of JSON documents, or a part of one: `Event.data["tags"][0] == "new"`. Any: documents have no type."""

    __slots__ = ()

    def __getitem__(self, step: str | int) -> JSONColumn:
        """Return the value of a key, or the element at a place.

        Raises:
            FieldError: the key has `__` or a quotation mark in it, which lookups cannot say.
        """
        if isinstance(step, str) and ("__" in step or '"' in step):
            raise FieldError(
                f"a lookup cannot say the key {step!r}; use a key without '__' and quotation marks"
            )
        return JSONColumn(f"{self.path}__{step}", self.model)

    def has_key(self, key: str) -> Q:
        """Hold where the document is an object with this key."""
        return self.lookup("has_key", key)

    def has_keys(self, keys: Iterable[str]) -> Q:
        """Hold where the document is an object with all of these keys."""
        return self.lookup("has_keys", keys)

    def has_any_keys(self, keys: Iterable[str]) -> Q:
        """Hold where the document is an object with any of these keys."""
        return self.lookup("has_any_keys", keys)

    def contains(self, document: object) -> Q:
        """Hold where the document has all that this one has; on PostgreSQL."""
        return self.lookup("contains", document)

    def contained_by(self, document: object) -> Q:
        """Hold where this document has all that the column's has; on PostgreSQL."""
        return self.lookup("contained_by", document)

    def icontains(self, value: str) -> Q:
        """Hold where the part is a text that has `value` in it, in any case of letters."""
        return self.lookup("icontains", value)

    def startswith(self, value: str) -> Q:
        """Hold where the part is a text that begins with `value`."""
        return self.lookup("startswith", value)


class RelationColumn(Column[T]):
    """A relation to another model: compares with instances, and leads to the columns of that model."""

    __slots__ = ()

    def follow(self, column: ColumnT) -> ColumnT:
        """Return a column of the related model as seen from here.

        `Choice.question.follow(Question.text)` is the typed spelling of `question__text`.
        """
        return type(column)(f"{self.path}__{column.path}", self.model)
