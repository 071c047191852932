"""Days and points in time."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from transom.forms.fields.base import Field
from transom.forms.widgets import DateInput, DateTimeInput

if TYPE_CHECKING:
    from datetime import tzinfo
    from typing import Unpack

    from transom.forms.fields.base import FieldOptions

T = TypeVar("T")
# ISO 8601's extended form, which browsers send. pydantic would take a bare number for seconds since 1970.
DAY = re.compile(r"\s*[0-9]{4}-[0-9]{2}-[0-9]{2}")


class BaseDateField(Field[T]):
    """What fields of days and times share."""

    def parse(self, value: object) -> T:
        """Return the value of text that begins with a day."""
        if isinstance(value, str):
            if not DAY.match(value):
                raise self.error("invalid")
            value = value.strip()
        return super().parse(value)


class DateField(BaseDateField[T]):
    """A day; None if left empty."""

    default_widget = DateInput
    default_messages = {"invalid": "Enter a date as YYYY-MM-DD."}

    @overload
    def __init__(
        self: DateField[date], *, required: Literal[True] = True, **options: Unpack[FieldOptions]
    ) -> None: ...
    @overload
    def __init__(
        self: DateField[date | None], *, required: bool, **options: Unpack[FieldOptions]
    ) -> None: ...
    def __init__(self, *, required: bool = True, **options: Unpack[FieldOptions]) -> None:
        super().__init__(required=required, **options)

    def annotation(self) -> Any:
        """Return the type of days."""
        return date

    def prepare_value(self, value: Any) -> object:
        """Return the day in ISO 8601."""
        return value.isoformat() if isinstance(value, date) else value


class DateTimeField(BaseDateField[T]):
    """A point in time, an aware datetime; None if left empty.

    Browsers send a day and a time without a zone: they are read, and shown, in `time_zone`.

    Args:
        time_zone: the zone of what people type; UTC if not given.
        required: see `Field`.
        options: see `Field`.
    """

    default_widget = DateTimeInput
    default_messages = {"invalid": "Enter a date and a time as YYYY-MM-DDTHH:MM."}

    @overload
    def __init__(
        self: DateTimeField[datetime],
        *,
        time_zone: tzinfo = UTC,
        required: Literal[True] = True,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: DateTimeField[datetime | None],
        *,
        time_zone: tzinfo = UTC,
        required: bool,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    def __init__(
        self, *, time_zone: tzinfo = UTC, required: bool = True, **options: Unpack[FieldOptions]
    ) -> None:
        super().__init__(required=required, **options)
        self.time_zone = time_zone

    def annotation(self) -> Any:
        """Return the type of points in time."""
        return datetime

    def parse(self, value: object) -> T:
        """Return the point in time; what names no zone is in the field's."""
        parsed: Any = super().parse(value)
        return parsed if parsed.utcoffset() is not None else parsed.replace(tzinfo=self.time_zone)

    def prepare_value(self, value: Any) -> object:
        """Return day and time in the field's zone, as `datetime-local` takes them: seconds only where there are any."""
        if not isinstance(value, datetime):
            return value
        local = value if value.utcoffset() is None else value.astimezone(self.time_zone)
        seconds = bool(local.second or local.microsecond)
        return local.replace(tzinfo=None).isoformat(timespec="seconds" if seconds else "minutes")
