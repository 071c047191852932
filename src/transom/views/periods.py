"""Years, months, weeks and days: what parts of a URL mean, and what comes before and after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from datetime import tzinfo

Unit: TypeAlias = Literal["year", "month", "week", "day"]

# With which day a week of a format begins, and what `strptime` needs beside it to know the day.
WEEKS = {"%U": ("%Y", "%w", "0"), "%W": ("%Y", "%w", "1"), "%V": ("%G", "%u", "1")}
SEPARATOR = "__"  # in none of the formats


@dataclass(frozen=True, slots=True)
class Period:
    """A year, month, week or day, from its first day up to and without the first of the next."""

    unit: Unit
    first: date

    @classmethod
    def around(cls, unit: Unit, day: date) -> Period:
        """Return the period that a day is in; a week only by its first day."""
        if unit == "year":
            day = day.replace(month=1, day=1)
        elif unit == "month":
            day = day.replace(day=1)
        return cls(unit, day)

    @property
    def end(self) -> date:
        """The first day of the next.

        Raises:
            OverflowError: there is none that Python knows.
        """
        if self.unit in ("day", "week"):
            return self.first + timedelta(days=7 if self.unit == "week" else 1)
        # A day that is surely in the next one.
        later = self.first + timedelta(days=366 if self.unit == "year" else 31)
        return Period.around(self.unit, later).first

    @property
    def before(self) -> date:
        """The last day before it."""
        return self.first - timedelta(days=1)

    def holding(self, day: date) -> Period:
        """Return the period of this unit that a day is in; weeks begin on the same weekday as this one."""
        if self.unit == "week":
            return Period("week", day - timedelta(days=(day - self.first).days % 7))
        return Period.around(self.unit, day)


def parse_date(parts: dict[str, str]) -> date:
    """Return the first day that values by format name, such as `{"%Y": "2026", "%m": "11"}`; of a week by `%U`, `%W`, `%V`.

    Raises:
        ValueError: there is no such day.
    """
    for week_format, (year_format, day_format, first_day) in WEEKS.items():
        if week_format in parts:
            year = next(value for name, value in parts.items() if name != week_format)
            parts = {year_format: year, week_format: parts[week_format], day_format: first_day}
            break
    return datetime.strptime(SEPARATOR.join(parts.values()), SEPARATOR.join(parts)).date()


def midnight(day: date, zone: tzinfo) -> datetime:
    """Return when a day begins in a time zone."""
    return datetime.combine(day, time.min, tzinfo=zone)
