"""Comparisons with a year or a day as comparisons with its two ends, which an index can answer."""

from __future__ import annotations

from typing import Any, ClassVar

from transom.db.models.expressions.conditions import Q
from transom.db.models.expressions.lookups import (
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    LessThan,
    LessThanOrEqual,
    Lookup,
)
from transom.db.models.expressions.registration import by_name


class PeriodLookup(Lookup):
    """A comparison of a period, such as a year, that the left side makes of a value: `period()` says when it begins and ends."""

    can_use_none_as_rhs = True
    common: ClassVar[type[Lookup]]
    """The comparison where nothing is known of the ends."""

    def as_condition(self, lhs: Any, rhs: Any) -> Any:
        """Return the comparison with the ends. Any: see `Lookup`; a condition."""
        ends = lhs.period(self.rhs)
        return self.common(lhs, self.rhs) if ends is None else self.compare(lhs.lhs, *ends)

    def compare(self, value: Any, begin: Any, end: Any) -> Any:
        """Return the comparison of a value with the begin of a period, and that of the next one. Any: as above."""
        raise NotImplementedError


class PeriodExact(PeriodLookup):
    """Whether a value is in the period."""

    lookup_name = "exact"
    common = Exact

    def compare(self, value: Any, begin: Any, end: Any) -> Any:
        """Return whether the value is between both ends."""
        return Q(GreaterThanOrEqual(value, begin), LessThan(value, end))


class PeriodGreaterThan(PeriodLookup):
    """Whether a value is behind the period."""

    lookup_name = "gt"
    common = GreaterThan

    def compare(self, value: Any, begin: Any, end: Any) -> Any:
        """Return whether the value is in the next period or later."""
        return GreaterThanOrEqual(value, end)


class PeriodGreaterThanOrEqual(PeriodLookup):
    """Whether a value is in the period or behind it."""

    lookup_name = "gte"
    common = GreaterThanOrEqual

    def compare(self, value: Any, begin: Any, end: Any) -> Any:
        """Return whether the value is not before the period."""
        return GreaterThanOrEqual(value, begin)


class PeriodLessThan(PeriodLookup):
    """Whether a value is before the period."""

    lookup_name = "lt"
    common = LessThan

    def compare(self, value: Any, begin: Any, end: Any) -> Any:
        """Return whether the value is before the period."""
        return LessThan(value, begin)


class PeriodLessThanOrEqual(PeriodLookup):
    """Whether a value is in the period or before it."""

    lookup_name = "lte"
    common = LessThanOrEqual

    def compare(self, value: Any, begin: Any, end: Any) -> Any:
        """Return whether the value is before the next period."""
        return LessThan(value, end)


OF_PERIODS = by_name(
    PeriodExact, PeriodGreaterThan, PeriodGreaterThanOrEqual, PeriodLessThan, PeriodLessThanOrEqual
)
"""The lookups of a period by name."""
