"""Parts of dates and times, and the present."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transom.db.models.expressions.function import Function

if TYPE_CHECKING:
    from transom.db.models.expressions.base import Binder, Bound


class Now(Function):
    """When the statement began."""

    __slots__ = ()

    name = "now"
    output = "datetime"
    arity = (0, 0)


class ExtractYear(Function):
    """The year; of a datetime in UTC."""

    __slots__ = ()

    name = "extract_year"
    lookup_name = "year"
    output = "integer"


class ExtractIsoYear(Function):
    """The year that the week belongs to by ISO 8601; of a datetime in UTC."""

    __slots__ = ()

    name = "extract_iso_year"
    lookup_name = "iso_year"
    output = "integer"


class ExtractQuarter(Function):
    """The quarter, 1 to 4; of a datetime in UTC."""

    __slots__ = ()

    name = "extract_quarter"
    lookup_name = "quarter"
    output = "integer"


class ExtractMonth(Function):
    """The month, 1 to 12; of a datetime in UTC."""

    __slots__ = ()

    name = "extract_month"
    lookup_name = "month"
    output = "integer"


class ExtractWeek(Function):
    """The week of the year by ISO 8601, 1 to 53; of a datetime in UTC."""

    __slots__ = ()

    name = "extract_week"
    lookup_name = "week"
    output = "integer"


class ExtractDay(Function):
    """The day of the month; of a datetime in UTC."""

    __slots__ = ()

    name = "extract_day"
    lookup_name = "day"
    output = "integer"


class ExtractWeekDay(Function):
    """The day of the week, Sunday is 1; of a datetime in UTC."""

    __slots__ = ()

    name = "extract_week_day"
    lookup_name = "week_day"
    output = "integer"


class ExtractIsoWeekDay(Function):
    """The day of the week, Monday is 1; of a datetime in UTC."""

    __slots__ = ()

    name = "extract_iso_week_day"
    lookup_name = "iso_week_day"
    output = "integer"


class ExtractHour(Function):
    """The hour; of a datetime in UTC."""

    __slots__ = ()

    name = "extract_hour"
    lookup_name = "hour"
    output = "integer"


class ExtractMinute(Function):
    """The minute; of a datetime in UTC."""

    __slots__ = ()

    name = "extract_minute"
    lookup_name = "minute"
    output = "integer"


class ExtractSecond(Function):
    """The second, without its fraction; of a datetime in UTC."""

    __slots__ = ()

    name = "extract_second"
    lookup_name = "second"
    output = "integer"


class _Trunc(Function):
    """When a part of a date or a point in time began: a day of a date, else a point in time."""

    __slots__ = ()

    def find_field(self, binder: Binder, operands: list[Bound]) -> Any:
        """Return the field of days or of points in time. Any: any field."""
        is_day = operands[0].known_field.column_type().kind == "date"
        return binder.field("date" if is_day else "datetime")


class TruncYear(_Trunc):
    """When the year began, in UTC."""

    __slots__ = ()

    name = "trunc_year"


class TruncMonth(_Trunc):
    """When the month began, in UTC."""

    __slots__ = ()

    name = "trunc_month"


class TruncDay(_Trunc):
    """When the day began, in UTC."""

    __slots__ = ()

    name = "trunc_day"


class TruncHour(_Trunc):
    """When the hour began, in UTC."""

    __slots__ = ()

    name = "trunc_hour"


class TruncMinute(_Trunc):
    """When the minute began, in UTC."""

    __slots__ = ()

    name = "trunc_minute"


class TruncSecond(_Trunc):
    """When the second began, in UTC."""

    __slots__ = ()

    name = "trunc_second"


class TruncDate(Function):
    """The day of a point in time, in UTC."""

    __slots__ = ()

    name = "date_of"
    lookup_name = "date"
    output = "date"


class TruncTime(Function):
    """The time of day of a point in time, in UTC."""

    __slots__ = ()

    name = "time_of"
    lookup_name = "time"
    output = "time"
