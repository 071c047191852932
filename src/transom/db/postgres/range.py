"""What lies between two bounds, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar, cast

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Bounds: TypeAlias = Literal["[)", "[]", "(]", "()"]
_BOUNDS: Final = ("[)", "[]", "(]", "()")
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, eq=False, repr=False)
class Range(Generic[T_co]):
    """What lies between two bounds: `Range(1, 5)` is 1, 2, 3 and 4. Immutable.

    Ranges are equal if they hold the same: of whole numbers and days `Range(1, 5) == Range(1, 4, "[]")`, as PostgreSQL has
    it, which gives back such ranges in the first form. `value in range` and `other in range` ask what a range holds.

    Args:
        lower: where it begins; None for no bound.
        upper: where it ends; None for no bound.
        bounds: which of the two belong to it, `[` and `]`, and which do not, `(` and `)`.
        empty: whether it holds nothing; then it has no bounds.

    Raises:
        ValueError: it would end before it begins, or the bounds are none.
    """

    __slots__ = ("bounds", "empty", "lower", "upper")

    lower: T_co | None
    upper: T_co | None
    bounds: Bounds
    empty: bool

    def __init__(
        self,
        lower: T_co | None = None,
        upper: T_co | None = None,
        bounds: Bounds = "[)",
        *,
        empty: bool = False,
    ) -> None:
        if bounds not in _BOUNDS:
            raise ValueError(f"bounds={bounds!r} are none; choose from {', '.join(_BOUNDS)}")
        if empty and (lower is not None or upper is not None):
            raise ValueError("an empty range has no bounds")
        low, high = cast("Any", lower), cast("Any", upper)  # Any: values that have an order
        if low is not None and high is not None:
            if low > high:
                raise ValueError(f"a range cannot end at {upper!r} before it begins at {lower!r}")
            empty = low == high and bounds != "[]"
        begin = "(" if low is None or empty else bounds[0]
        end = ")" if high is None or empty else bounds[1]
        for name, value in (
            ("lower", None if empty else lower),
            ("upper", None if empty else upper),
            ("bounds", begin + end),
            ("empty", empty),
        ):
            object.__setattr__(self, name, value)

    @property
    def isempty(self) -> bool:
        """Whether it holds nothing."""
        return self._canonical()[0]

    @property
    def lower_inc(self) -> bool:
        """Whether the lower bound belongs to it."""
        return self.bounds[0] == "["

    @property
    def upper_inc(self) -> bool:
        """Whether the upper bound belongs to it."""
        return self.bounds[1] == "]"

    @property
    def lower_inf(self) -> bool:
        """Whether it has no lower bound."""
        return self.lower is None and not self.empty

    @property
    def upper_inf(self) -> bool:
        """Whether it has no upper bound."""
        return self.upper is None and not self.empty

    def __contains__(self, other: object) -> bool:
        empty, begins, ends = self._canonical()
        inner_empty, inner_begins, inner_ends = (
            other if isinstance(other, Range) else Range(other, other, "[]")
        )._canonical()
        if inner_empty or empty:
            return inner_empty
        return _begins(begins) <= _begins(inner_begins) and _ends(inner_ends) <= _ends(ends)

    def __bool__(self) -> bool:
        return not self.isempty

    def _canonical(self) -> tuple[bool, tuple[Any, bool], tuple[Any, bool]]:
        """Return whether it is empty, and each bound with whether it belongs to it; of whole numbers and days as `[)`.

        Any: bounds of any type.
        """
        lower, upper = (self.lower, self.lower_inc), (self.upper, self.upper_inc)
        if _is_discrete(self.lower) and not self.lower_inc:
            lower = (_next(self.lower), True)
        if _is_discrete(self.upper) and self.upper_inc:
            upper = (_next(self.upper), False)
        low, high = cast("Any", lower[0]), cast("Any", upper[0])
        empty = self.empty or (low is not None and high is not None and low >= high and not upper[1])
        return (True, (None, False), (None, False)) if empty else (False, lower, upper)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Range):
            return NotImplemented
        return self._canonical() == cast("Range[Any]", other)._canonical()

    def __hash__(self) -> int:
        return hash(self._canonical())

    def __reduce__(self) -> tuple[Any, ...]:
        return _make, (self.lower, self.upper, self.bounds, self.empty)

    def to_dict(self) -> dict[str, Any]:
        """Return lower, upper and bounds, or that it is empty: what JSON is made of. Any: bounds as they are."""
        if self.empty:
            return {"empty": True}
        return {"lower": self.lower, "upper": self.upper, "bounds": self.bounds}

    def __str__(self) -> str:
        if self.empty:
            return "empty"
        lower, upper = ("" if bound is None else str(bound) for bound in (self.lower, self.upper))
        return f"{self.bounds[0]}{lower}, {upper}{self.bounds[1]}"

    def __repr__(self) -> str:
        if self.empty:
            return "Range(empty=True)"
        return f"Range({self.lower!r}, {self.upper!r}, {self.bounds!r})"

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return the import path and arguments from which an equal one can be made. Any: arguments of any type."""
        path = "transom.db.postgres.Range"
        if self.empty:
            return path, [], {"empty": True}
        return path, [self.lower, self.upper], {} if self.bounds == "[)" else {"bounds": self.bounds}


def _make(lower: T | None, upper: T | None, bounds: Bounds, empty: bool) -> Range[T]:
    return Range(lower, upper, bounds, empty=empty)


def _is_discrete(value: object) -> bool:
    """Whether nothing lies between such a value and the next, which there is."""
    is_day = isinstance(value, date) and not isinstance(value, datetime)
    return isinstance(value, int) or (is_day and value != date.max)


def _next(value: Any) -> Any:  # Any: a whole number or a day
    return value + (1 if isinstance(value, int) else _DAY)


def _begins(bound: tuple[Any, bool]) -> _Place:
    value, included = bound
    return _Place(value, -1 if value is None else 0, 0 if included else 1)


def _ends(bound: tuple[Any, bool]) -> _Place:
    value, included = bound
    return _Place(value, 1 if value is None else 0, 0 if included else -1)


@dataclass(frozen=True, slots=True)
class _Place:
    """A bound in the order of all bounds.

    Attributes:
        value: where; None for nowhere. Any: values that have an order.
        beyond: -1 before all values, 1 behind them, 0 among them.
        beside: -1 just before the value, 1 just behind it.
    """

    value: Any
    beyond: int
    beside: int

    def __le__(self, other: _Place) -> bool:
        if self.beyond or other.beyond:
            return self.beyond <= other.beyond
        if self.value != other.value:
            return bool(self.value < other.value)
        return self.beside <= other.beside
