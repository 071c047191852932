"""Parts of dates and times, and the present."""

from __future__ import annotations

from datetime import MAXYEAR, date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

from transom.db.exceptions import FieldError
from transom.db.models.expressions.base import Bound
from transom.db.models.expressions.function import Function
from transom.db.models.expressions.functions.periods import OF_PERIODS
from transom.db.models.expressions.references import Settled
from transom.db.models.expressions.registration import by_name
from transom.db.sql.shapes import FunctionOperand
from transom.db.timezone import find_zone, get_current_timezone, zone_value

if TYPE_CHECKING:
    from transom.db.models.expressions.base import Binder, Expression


class Now(Function):
    """When the statement began."""

    __slots__ = ()

    name = "now"
    output = "datetime"
    arity = (0, 0)


class PartOfTime(Function):
    """What depends on the zone in which a point in time is looked at; of days and times of day it does not.

    Args:
        operand: a day, a time of day or a point in time; a str is the name of a column. Any: see `Function`.
        tzinfo: the zone, or its name; the current one (`transom.db.timezone`) if not given.
        output_field: see `Function`.

    Raises:
        FieldError: databases know no such zone, or the operand is in no zone.
    """

    __slots__ = ("tzinfo",)

    is_contextual = True

    def __init__(self, operand: Any, *, tzinfo: tzinfo | str | None = None, output_field: Any = None) -> None:
        super().__init__(operand, output_field=output_field)
        self.tzinfo = _find_zone(tzinfo) if isinstance(tzinfo, str) else tzinfo

    @property
    def zone(self) -> tzinfo:
        """The zone in which points in time are looked at now."""
        return self.tzinfo or get_current_timezone()

    def bind(self, binder: Binder) -> Bound:
        """Return the call, with the zone as a value behind the operand; UTC needs none."""
        operand = binder.bind(self.operands[0])
        field = self.find_field(binder, [operand])
        zone = self._zone_value(operand)
        shapes = (operand.shape,)
        if zone is not None:
            like = binder.field("duration" if isinstance(zone, timedelta) else "text")
            shapes = (operand.shape, binder.bind(zone, like).shape)
        return Bound(FunctionOperand(self.name, shapes, field.column_type()), field)

    def _zone_value(self, operand: Bound) -> str | timedelta | None:
        if operand.field is not None and operand.field.column_type().kind != "datetime":
            if self.tzinfo is not None:
                raise FieldError(
                    f"{operand.field.label} is no point in time, so {type(self).__name__} takes no tzinfo"
                )
            return None
        try:
            return zone_value(self.zone)
        except ValueError as exc:
            raise FieldError(str(exc)) from exc

    def _from_to(self, first: date, last: date) -> tuple[date, date] | None:
        """Return two days as values of the operand: days, or when they begin in the zone; None for an operand of no field."""
        operand = self.operands[0]
        if not isinstance(operand, Settled):
            return None
        if operand.bound.field.column_type().kind == "date":
            return first, last
        zone = self.zone
        return datetime.combine(first, time.min, zone), datetime.combine(last, time.min, zone)


def _find_zone(name: str) -> tzinfo:
    try:
        return find_zone(name)
    except ValueError as exc:
        raise FieldError(str(exc)) from exc


class ExtractYear(PartOfTime):
    """The year."""

    __slots__ = ()

    name = "extract_year"
    lookup_name = "year"
    output = "integer"
    class_lookups = OF_PERIODS

    def period(self, year: object) -> tuple[date, date] | None:
        """Return when a year and the next one begin; None if that is not known beforehand."""
        if type(year) is not int or not 1 < year < MAXYEAR:
            return None
        return self._from_to(date(year, 1, 1), date(year + 1, 1, 1))


class ExtractIsoYear(PartOfTime):
    """The year that the week belongs to by ISO 8601."""

    __slots__ = ()

    name = "extract_iso_year"
    lookup_name = "iso_year"
    output = "integer"
    class_lookups = OF_PERIODS

    def period(self, year: object) -> tuple[date, date] | None:
        """Return when a year and the next one begin; None if that is not known beforehand."""
        if type(year) is not int or not 1 < year < MAXYEAR:
            return None
        return self._from_to(date.fromisocalendar(year, 1, 1), date.fromisocalendar(year + 1, 1, 1))


class ExtractQuarter(PartOfTime):
    """The quarter, 1 to 4."""

    __slots__ = ()

    name = "extract_quarter"
    lookup_name = "quarter"
    output = "integer"


class ExtractMonth(PartOfTime):
    """The month, 1 to 12."""

    __slots__ = ()

    name = "extract_month"
    lookup_name = "month"
    output = "integer"


class ExtractWeek(PartOfTime):
    """The week of the year by ISO 8601, 1 to 53."""

    __slots__ = ()

    name = "extract_week"
    lookup_name = "week"
    output = "integer"


class ExtractDay(PartOfTime):
    """The day of the month."""

    __slots__ = ()

    name = "extract_day"
    lookup_name = "day"
    output = "integer"


class ExtractWeekDay(PartOfTime):
    """The day of the week, Sunday is 1."""

    __slots__ = ()

    name = "extract_week_day"
    lookup_name = "week_day"
    output = "integer"


class ExtractIsoWeekDay(PartOfTime):
    """The day of the week, Monday is 1."""

    __slots__ = ()

    name = "extract_iso_week_day"
    lookup_name = "iso_week_day"
    output = "integer"


class ExtractHour(PartOfTime):
    """The hour."""

    __slots__ = ()

    name = "extract_hour"
    lookup_name = "hour"
    output = "integer"


class ExtractMinute(PartOfTime):
    """The minute."""

    __slots__ = ()

    name = "extract_minute"
    lookup_name = "minute"
    output = "integer"


class ExtractSecond(PartOfTime):
    """The second, without its fraction."""

    __slots__ = ()

    name = "extract_second"
    lookup_name = "second"
    output = "integer"


EXTRACTS = by_name(
    ExtractYear,
    ExtractIsoYear,
    ExtractQuarter,
    ExtractMonth,
    ExtractWeek,
    ExtractDay,
    ExtractWeekDay,
    ExtractIsoWeekDay,
    ExtractHour,
    ExtractMinute,
    ExtractSecond,
)
"""The parts by name."""


def Extract(expression: Any, lookup_name: str, *, tzinfo: tzinfo | str | None = None) -> Expression:
    """Return a part by its name: `Extract("published", "year")`. Any: see `PartOfTime`, as for tzinfo.

    Raises:
        FieldError: there is no such part.
    """
    if lookup_name not in EXTRACTS:
        raise FieldError(f"there is no part {lookup_name!r} of a time; choose from {', '.join(EXTRACTS)}")
    make: Any = EXTRACTS[lookup_name]  # Any: a PartOfTime
    return make(expression, tzinfo=tzinfo)


class TruncBase(PartOfTime):
    """When a part of a day or a point in time began: a day of a day, else a point in time, which comes back in the zone.

    Hours and less begin as the clock counts that is in force at that point in time.
    """

    __slots__ = ()

    def find_field(self, binder: Binder, operands: list[Bound]) -> Any:
        """Return the field of days or of points in time. Any: any field."""
        if self.output_field is not None:
            return super().find_field(binder, operands)
        is_day = operands[0].known_field.column_type().kind == "date"
        return binder.field("date") if is_day else binder.field("datetime", self.zone)


class TruncYear(TruncBase):
    """When the year began."""

    __slots__ = ()

    name = "trunc_year"


class TruncQuarter(TruncBase):
    """When the quarter began."""

    __slots__ = ()

    name = "trunc_quarter"


class TruncMonth(TruncBase):
    """When the month began."""

    __slots__ = ()

    name = "trunc_month"


class TruncWeek(TruncBase):
    """When the week began, which is on a Monday."""

    __slots__ = ()

    name = "trunc_week"


class TruncDay(TruncBase):
    """When the day began."""

    __slots__ = ()

    name = "trunc_day"


class TruncHour(TruncBase):
    """When the hour began."""

    __slots__ = ()

    name = "trunc_hour"


class TruncMinute(TruncBase):
    """When the minute began."""

    __slots__ = ()

    name = "trunc_minute"


class TruncSecond(TruncBase):
    """When the second began."""

    __slots__ = ()

    name = "trunc_second"


TRUNCS: dict[str, type[TruncBase]] = {
    "year": TruncYear,
    "quarter": TruncQuarter,
    "month": TruncMonth,
    "week": TruncWeek,
    "day": TruncDay,
    "hour": TruncHour,
    "minute": TruncMinute,
    "second": TruncSecond,
}
"""What cuts off by the name of what is left."""


def Trunc(
    expression: Any, kind: str, *, tzinfo: tzinfo | str | None = None, output_field: Any = None
) -> TruncBase:
    """Return when a part began, by its name: `Trunc("published", "month")`. Any: see `PartOfTime`.

    Raises:
        FieldError: there is no such part.
    """
    if kind not in TRUNCS:
        raise FieldError(f"nothing begins with a {kind!r}; choose from {', '.join(TRUNCS)}")
    return TRUNCS[kind](expression, tzinfo=tzinfo, output_field=output_field)


class TruncDate(PartOfTime):
    """The day of a point in time."""

    __slots__ = ()

    name = "date_of"
    lookup_name = "date"
    output = "date"
    class_lookups = OF_PERIODS

    def period(self, day: object) -> tuple[date, date] | None:
        """Return when a day and the next one begin; None if that is not known beforehand."""
        if type(day) is not date or not 1 < day.year < MAXYEAR:
            return None
        return self._from_to(day, day + timedelta(days=1))


class TruncTime(PartOfTime):
    """The time of day of a point in time."""

    __slots__ = ()

    name = "time_of"
    lookup_name = "time"
    output = "time"
