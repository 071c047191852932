"""Typed columns of arrays and ranges: what `Post.tags` is on the class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

from transom.db.exceptions import FieldError
from transom.db.models.expressions import Column

if TYPE_CHECKING:
    from transom.db.models.expressions import Expression, Q
    from transom.db.models.query.base import Query
    from transom.db.postgres.range import Range

T = TypeVar("T")
E = TypeVar("E")


class ArrayColumn(Column[T]):
    """A column of arrays. What it is compared with is a list, an expression, or a queryset of one column. Any: its model."""

    __slots__ = ()

    def contains(self, values: T | Expression | Query[Any]) -> Q:
        """Hold where all of these are in the array."""
        return self.lookup("contains", values)

    def contained_by(self, values: T | Expression | Query[Any]) -> Q:
        """Hold where nothing but these is in the array."""
        return self.lookup("contained_by", values)

    def overlap(self, values: T | Expression | Query[Any]) -> Q:
        """Hold where any of these is in the array."""
        return self.lookup("overlap", values)

    @property
    def len(self) -> Column[int]:
        """How many there are in the array."""
        return self.part("len")

    @overload
    def __getitem__(self: ArrayColumn[list[E]], place: int) -> Column[E]: ...
    @overload
    def __getitem__(self: ArrayColumn[list[E] | None], place: int) -> Column[E]: ...
    @overload
    def __getitem__(self, place: slice) -> ArrayColumn[T]: ...
    def __getitem__(self, place: int | slice) -> Column[Any]:
        """Return one of the values, counted from 0, or several: `Post.tags[0]`, `Post.tags[0:2]`; NULL if there is none.

        Raises:
            FieldError: places are counted from the end, or a slice has no end or a step.
        """
        if isinstance(place, int):
            return Column(f"{self.path}__{_place(place)}", self.model)
        if place.step is not None or place.stop is None:
            raise FieldError(
                f"a part of an array is [first:end], with an end and without a step, not {place!r}"
            )
        return ArrayColumn(f"{self.path}__{_place(place.start or 0)}_{_place(place.stop)}", self.model)


def _place(place: int) -> int:
    if place < 0:
        raise FieldError(f"places in an array are counted from 0 at its beginning, not {place}")
    return place


class _Bound:
    """One end of a range, as a column of its own: a property whose type is that of the bounds."""

    def __init__(self, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, column: RangeColumn[Range[E]], owner: type[Any]) -> Column[E]: ...
    @overload
    def __get__(self, column: RangeColumn[Range[E] | None], owner: type[Any]) -> Column[E]: ...
    def __get__(self, column: RangeColumn[Any], owner: type[Any]) -> Column[Any]:
        return Column(f"{column.path}__{self._name}", column.model)


class RangeColumn(Column[T]):
    """A column of ranges."""

    __slots__ = ()

    @overload
    def contains(self: RangeColumn[Range[E]], value: E | Range[E] | Expression) -> Q: ...
    @overload
    def contains(self: RangeColumn[Range[E] | None], value: E | Range[E] | Expression) -> Q: ...
    def contains(self: RangeColumn[Any], value: object) -> Q:
        """Hold where the value, or all of a range, is in the range."""
        return self.lookup("contains", value)

    def contained_by(self, value: T | Expression) -> Q:
        """Hold where the range is within this one."""
        return self.lookup("contained_by", value)

    def overlap(self, value: T | Expression) -> Q:
        """Hold where the two have something in common."""
        return self.lookup("overlap", value)

    def fully_lt(self, value: T | Expression) -> Q:
        """Hold where the range ends before this one begins."""
        return self.lookup("fully_lt", value)

    def fully_gt(self, value: T | Expression) -> Q:
        """Hold where the range begins after this one ends."""
        return self.lookup("fully_gt", value)

    def not_lt(self, value: T | Expression) -> Q:
        """Hold where nothing of the range is below this one."""
        return self.lookup("not_lt", value)

    def not_gt(self, value: T | Expression) -> Q:
        """Hold where nothing of the range is above this one."""
        return self.lookup("not_gt", value)

    def adjacent_to(self, value: T | Expression) -> Q:
        """Hold where one ends where the other begins, with nothing between them or in both."""
        return self.lookup("adjacent_to", value)

    startswith = _Bound("startswith")
    """The lower bound; NULL if there is none."""

    endswith = _Bound("endswith")
    """The upper bound; NULL if there is none."""

    def isempty(self, empty: bool = True) -> Q:
        """Hold where the range holds nothing, or with False where it holds something."""
        return self.lookup("isempty", empty)

    def lower_inc(self, included: bool = True) -> Q:
        """Hold where the lower bound belongs to the range."""
        return self.lookup("lower_inc", included)

    def lower_inf(self, infinite: bool = True) -> Q:
        """Hold where there is no lower bound."""
        return self.lookup("lower_inf", infinite)

    def upper_inc(self, included: bool = True) -> Q:
        """Hold where the upper bound belongs to the range, which it does not with whole numbers and days."""
        return self.lookup("upper_inc", included)

    def upper_inf(self, infinite: bool = True) -> Q:
        """Hold where there is no upper bound."""
        return self.lookup("upper_inf", infinite)
