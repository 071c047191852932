"""Points in time, days, times of day, and lengths of time."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from transom.db.exceptions import DataError
from transom.db.models.expressions import DateColumn, DateTimeColumn, TimeColumn
from transom.db.models.expressions.functions.dates import (
    ExtractDay,
    ExtractHour,
    ExtractIsoWeekDay,
    ExtractIsoYear,
    ExtractMinute,
    ExtractMonth,
    ExtractQuarter,
    ExtractSecond,
    ExtractWeek,
    ExtractWeekDay,
    ExtractYear,
    TruncDate,
    TruncTime,
)
from transom.db.models.expressions.registration import by_name
from transom.db.models.fields.base import Field, FieldOptions
from transom.db.sql.column_type import ColumnType

if TYPE_CHECKING:
    from typing import Unpack

    from transom.db.models.fields.base import Converter
    from transom.db.sql.metadata import Vendor

T = TypeVar("T")

_OF_DAYS = (
    ExtractYear,
    ExtractIsoYear,
    ExtractQuarter,
    ExtractMonth,
    ExtractWeek,
    ExtractDay,
    ExtractWeekDay,
    ExtractIsoWeekDay,
)
_OF_TIMES = (ExtractHour, ExtractMinute, ExtractSecond)

# SQLite holds ISO 8601, which sorts as text; what stands there must always have the same number of digits.


class AutomaticField(Field[T]):
    """What fields share that can be set to the present by themselves."""

    def __init__(
        self,
        verbose_name: str | None,
        auto_now: bool,
        auto_now_add: bool,
        null: bool,
        options: FieldOptions[Any],
    ) -> None:
        if auto_now or auto_now_add:
            if "default" in options or "db_default" in options:
                raise TypeError(
                    "auto_now and auto_now_add set the value themselves; drop default and db_default"
                )
            options = {"editable": False, "blank": True, **options}
        super().__init__(verbose_name, null=null, **options)
        self.auto_now = auto_now
        self.auto_now_add = auto_now_add

    def present(self) -> Any:
        """Return the present, as a value of this field."""
        raise NotImplementedError(f"{type(self).__name__} must say its present()")

    @property
    def makes_values(self) -> bool:
        """Whether the field is automatic, or a subclass makes values."""
        return self.auto_now or self.auto_now_add or type(self).pre_save is not AutomaticField[Any].pre_save

    def pre_save(self, instance: Any, *, adding: bool) -> Any:
        """Return the present where the field is automatic, and set it on the instance."""
        if self.auto_now or (self.auto_now_add and adding):
            setattr(instance, self.attname, self.present())
        return super().pre_save(instance, adding=adding)

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """Add the automatic options, which imply two others."""
        name, path, arguments, keywords = super().deconstruct()
        if self.auto_now or self.auto_now_add:
            keywords = {key: value for key, value in keywords.items() if key not in ("editable", "blank")}
        automatic = {key: True for key in ("auto_now", "auto_now_add") if getattr(self, key)}
        return name, path, arguments, {**keywords, **automatic}


class DateTimeField(AutomaticField[T]):
    """A point in time: an aware datetime. Naive ones are refused, for nobody knows when they are.

    What comes back from the database is in UTC.

    Args:
        verbose_name: see `Field`.
        auto_now: whether every save sets it to the present.
        auto_now_add: whether the first save sets it to the present.
        null: see `Field`.
        options: see `Field`.
    """

    default_messages = {
        "invalid": "Enter a date and a time with its zone, such as 2026-07-14T09:30+02:00.",
    }
    column_class = DateTimeColumn
    class_lookups = by_name(*_OF_DAYS, *_OF_TIMES, TruncDate, TruncTime)

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type[Any]) -> DateTimeColumn[T]: ...
        @overload
        def __get__(self, instance: object, owner: type[Any]) -> T: ...
        def __get__(self, instance: object | None, owner: type[Any]) -> Any: ...

    @overload
    def __init__(
        self: DateTimeField[datetime],
        verbose_name: str | None = None,
        *,
        auto_now: bool = False,
        auto_now_add: bool = False,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions[datetime]],
    ) -> None: ...
    @overload
    def __init__(
        self: DateTimeField[datetime | None],
        verbose_name: str | None = None,
        *,
        auto_now: bool = False,
        auto_now_add: bool = False,
        null: Literal[True],
        **options: Unpack[FieldOptions[datetime | None]],
    ) -> None: ...
    def __init__(
        self,
        verbose_name: str | None = None,
        *,
        auto_now: bool = False,
        auto_now_add: bool = False,
        null: bool = False,
        **options: Unpack[FieldOptions[Any]],
    ) -> None:
        super().__init__(verbose_name, auto_now, auto_now_add, null, options)

    def column_type(self) -> ColumnType:
        """Return the type of a point in time."""
        return ColumnType("datetime")

    def present(self) -> datetime:
        """Return the present in UTC."""
        return datetime.now(UTC)

    def encoder(self, vendor: Vendor) -> Converter:
        """Return a function that takes an aware datetime; SQLite holds ISO 8601 in UTC, which sorts as text.

        MySQL's datetimes know no zone; ours are in UTC.
        """

        def encode(value: object) -> datetime | str:
            if not isinstance(value, datetime):
                raise self.wrong_type(value, "a datetime")
            if value.utcoffset() is None:
                raise self.wrong_type(
                    value, "a datetime with a time zone (datetime.now(UTC), or value.replace(tzinfo=…))"
                )
            if vendor == "postgresql":
                return value
            if value.tzinfo is not UTC:
                value = value.astimezone(UTC)
            return (
                value.isoformat(timespec="microseconds") if vendor == "sqlite" else value.replace(tzinfo=None)
            )

        return encode

    def decoder(self, vendor: Vendor) -> Converter | None:
        """Return the ISO 8601 parser where the driver gives text, and what adds UTC where it gives no zone."""
        return {"sqlite": datetime.fromisoformat, "mysql": _in_utc}.get(vendor)

    def to_python(self, value: Any) -> Any:
        """Return the point in time, of ISO 8601 text too; it needs a zone."""
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                raise self.error("invalid") from None
        if value is None or (isinstance(value, datetime) and value.utcoffset() is not None):
            return value
        raise self.error("invalid")


class DateField(AutomaticField[T]):
    """A day, as a date. A datetime is refused: which day it is depends on where one is. `auto_now` takes that of UTC.

    Args:
        verbose_name: see `Field`.
        auto_now: whether every save sets it to the present.
        auto_now_add: whether the first save sets it to the present.
        null: see `Field`.
        options: see `Field`.
    """

    column_class = DateColumn
    class_lookups = by_name(*_OF_DAYS)

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type[Any]) -> DateColumn[T]: ...
        @overload
        def __get__(self, instance: object, owner: type[Any]) -> T: ...
        def __get__(self, instance: object | None, owner: type[Any]) -> Any: ...

    default_messages = {"invalid": "Enter a date, such as 2026-07-14."}

    @overload
    def __init__(
        self: DateField[date],
        verbose_name: str | None = None,
        *,
        auto_now: bool = False,
        auto_now_add: bool = False,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions[date]],
    ) -> None: ...
    @overload
    def __init__(
        self: DateField[date | None],
        verbose_name: str | None = None,
        *,
        auto_now: bool = False,
        auto_now_add: bool = False,
        null: Literal[True],
        **options: Unpack[FieldOptions[date | None]],
    ) -> None: ...
    def __init__(
        self,
        verbose_name: str | None = None,
        *,
        auto_now: bool = False,
        auto_now_add: bool = False,
        null: bool = False,
        **options: Unpack[FieldOptions[Any]],
    ) -> None:
        super().__init__(verbose_name, auto_now, auto_now_add, null, options)

    def column_type(self) -> ColumnType:
        """Return the type of a day."""
        return ColumnType("date")

    def present(self) -> date:
        """Return the day that it is in UTC."""
        return datetime.now(UTC).date()

    def encoder(self, vendor: Vendor) -> Converter:
        """Return a function that takes a date; SQLite holds ISO 8601."""
        as_text = vendor == "sqlite"

        def encode(value: object) -> date | str:
            if not isinstance(value, date) or isinstance(value, datetime):
                raise self.wrong_type(value, "a date (of a datetime, take value.date())")
            return value.isoformat() if as_text else value

        return encode

    def decoder(self, vendor: Vendor) -> Converter | None:
        """Return the ISO 8601 parser where the driver gives text."""
        return date.fromisoformat if vendor == "sqlite" else None

    def to_python(self, value: Any) -> Any:
        """Return the day, of ISO 8601 text too."""
        if isinstance(value, str):
            try:
                return date.fromisoformat(value)
            except ValueError:
                raise self.error("invalid") from None
        if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
            return value
        raise self.error("invalid")


class TimeField(AutomaticField[T]):
    """A time of day without a zone, as a naive time. `auto_now` takes that of UTC.

    Args:
        verbose_name: see `Field`.
        auto_now: whether every save sets it to the present.
        auto_now_add: whether the first save sets it to the present.
        null: see `Field`.
        options: see `Field`.
    """

    column_class = TimeColumn
    class_lookups = by_name(*_OF_TIMES)

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type[Any]) -> TimeColumn[T]: ...
        @overload
        def __get__(self, instance: object, owner: type[Any]) -> T: ...
        def __get__(self, instance: object | None, owner: type[Any]) -> Any: ...

    default_messages = {"invalid": "Enter a time, such as 09:30."}

    @overload
    def __init__(
        self: TimeField[time],
        verbose_name: str | None = None,
        *,
        auto_now: bool = False,
        auto_now_add: bool = False,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions[time]],
    ) -> None: ...
    @overload
    def __init__(
        self: TimeField[time | None],
        verbose_name: str | None = None,
        *,
        auto_now: bool = False,
        auto_now_add: bool = False,
        null: Literal[True],
        **options: Unpack[FieldOptions[time | None]],
    ) -> None: ...
    def __init__(
        self,
        verbose_name: str | None = None,
        *,
        auto_now: bool = False,
        auto_now_add: bool = False,
        null: bool = False,
        **options: Unpack[FieldOptions[Any]],
    ) -> None:
        super().__init__(verbose_name, auto_now, auto_now_add, null, options)

    def column_type(self) -> ColumnType:
        """Return the type of a time of day."""
        return ColumnType("time")

    def present(self) -> time:
        """Return the time of day that it is in UTC."""
        return datetime.now(UTC).time()

    def encoder(self, vendor: Vendor) -> Converter:
        """Return a function that takes a naive time; SQLite holds ISO 8601 with microseconds."""
        as_text = vendor == "sqlite"

        def encode(value: object) -> time | str:
            if not isinstance(value, time) or value.tzinfo is not None:
                raise self.wrong_type(value, "a time without a zone")
            return value.isoformat(timespec="microseconds") if as_text else value

        return encode

    def decoder(self, vendor: Vendor) -> Converter | None:
        """Return the ISO 8601 parser where the driver gives text, and what it takes where it gives a length of time."""
        return {"sqlite": time.fromisoformat, "mysql": _time_of_day}.get(vendor)

    def to_python(self, value: Any) -> Any:
        """Return the time of day, of ISO 8601 text too."""
        if isinstance(value, str):
            try:
                value = time.fromisoformat(value)
            except ValueError:
                raise self.error("invalid") from None
        if value is None or (isinstance(value, time) and value.tzinfo is None):
            return value
        raise self.error("invalid")


_MICROSECOND = timedelta(microseconds=1)
_MOST_MICROSECONDS = 1 << 63


class DurationField(Field[T]):
    """A length of time, up to 290,000 years. SQLite and MySQL hold it as a number of microseconds."""

    default_messages = {"invalid": "Enter a length of time, such as 1:30:00, or 2 days, 1:30:00."}

    @overload
    def __init__(
        self: DurationField[timedelta],
        verbose_name: str | None = None,
        *,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions[timedelta]],
    ) -> None: ...
    @overload
    def __init__(
        self: DurationField[timedelta | None],
        verbose_name: str | None = None,
        *,
        null: Literal[True],
        **options: Unpack[FieldOptions[timedelta | None]],
    ) -> None: ...
    def __init__(
        self, verbose_name: str | None = None, *, null: bool = False, **options: Unpack[FieldOptions[Any]]
    ) -> None:
        super().__init__(verbose_name, null=null, **options)

    def column_type(self) -> ColumnType:
        """Return the type of a length of time."""
        return ColumnType("duration")

    def encoder(self, vendor: Vendor) -> Converter:
        """Return a function that takes a timedelta of at most 64 bits of microseconds."""
        as_number = vendor != "postgresql"

        def encode(value: object) -> timedelta | int:
            if not isinstance(value, timedelta):
                raise self.wrong_type(value, "a timedelta")
            number = value // _MICROSECOND
            if not -_MOST_MICROSECONDS <= number < _MOST_MICROSECONDS:
                raise DataError(f"{self.label} takes at most 64 bits of microseconds, not {value!r}")
            return number if as_number else value

        return encode

    def decoder(self, vendor: Vendor) -> Converter | None:
        """Return timedelta where the driver gives microseconds."""
        return (lambda value: timedelta(microseconds=value)) if vendor != "postgresql" else None

    def to_python(self, value: Any) -> Any:
        """Return the length of time, of text as `str(timedelta)` writes it too."""
        if value is None or isinstance(value, timedelta):
            return value
        found = parse_duration(value) if isinstance(value, str) else None
        if found is None:
            raise self.error("invalid")
        return found


_DURATION = re.compile(
    r"(?:(?P<days>[-+]?\d+) days?,? ?)?(?P<sign>-)?(?P<hours>\d+):(?P<minutes>[0-5]\d)"
    r"(?::(?P<seconds>[0-5]\d)(?:\.(?P<microseconds>\d{1,6}))?)?",
    re.ASCII,
)


def parse_duration(text: str) -> timedelta | None:
    """Return the length of time that a text such as `"2 days, 1:30:00.5"` stands for, or None if it is none."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        return None
    fraction = (match["microseconds"] or "").ljust(6, "0")
    try:
        within = timedelta(
            hours=int(match["hours"]),
            minutes=int(match["minutes"]),
            seconds=int(match["seconds"] or 0),
            microseconds=int(fraction),
        )
        return timedelta(days=int(match["days"] or 0)) + (-within if match["sign"] else within)
    except OverflowError:
        return None


def _time_of_day(value: timedelta) -> time:
    return (datetime.min + value).time()


def _in_utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC)
