"""Django's date format letters."""

from __future__ import annotations

import calendar
import re
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# Associated Press style: short months are not abbreviated.
_AP_MONTHS = (
    "Jan.",
    "Feb.",
    "March",
    "April",
    "May",
    "June",
    "July",
    "Aug.",
    "Sept.",
    "Oct.",
    "Nov.",
    "Dec.",
)


def format_date(value: date, format: str) -> str:
    r"""Format a date or datetime; `\` before a letter keeps it, other characters stand for themselves.

    Raises:
        TypeError: the value is no date.
        ValueError: a date without a time is formatted with a letter of the time.

    Source: Django's table "Format strings" of its `date` filter; the letters `e`, `I`, `Z` and `r` are left out.
    """
    if not isinstance(value, date):  # pyright: ignore[reportUnnecessaryIsInstance]: templates are not type-checked
        raise TypeError(f"{value!r} is no date; expected a date or datetime")
    return re.sub(r"\\(.)|([A-Za-z])", lambda match: match[1] or _format_letter(value, match[2]), format)


def _format_letter(value: date, letter: str) -> str:
    if (of_date := _DATE.get(letter)) is not None:
        return of_date(value)
    if (of_time := _TIME.get(letter)) is None:
        return letter
    if not isinstance(value, datetime):
        raise ValueError(f"format letter {letter!r} needs a time, and {value!r} is only a date")
    return of_time(value)


def _ordinal_suffix(value: date) -> str:
    if value.day in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(value.day % 10, "th")


def _hour12(value: datetime) -> int:
    return value.hour % 12 or 12


def _short_time(value: datetime) -> str:
    """Return `1` or `1:05`: minutes only if there are any."""
    return f"{_hour12(value)}:{value.minute:02}" if value.minute else str(_hour12(value))


def _ap_meridiem(value: datetime) -> str:
    return "a.m." if value.hour < 12 else "p.m."


def _ap_time(value: datetime) -> str:
    if value.minute == 0 and value.hour in (0, 12):
        return "midnight" if value.hour == 0 else "noon"
    return f"{_short_time(value)} {_ap_meridiem(value)}"


def _offset(value: datetime) -> str:
    return value.strftime("%z")


def _timestamp(value: datetime) -> str:
    return str(int(value.timestamp()))


def _last_day(value: date) -> str:
    following = value.replace(day=28) + timedelta(days=4)
    return str((following - timedelta(days=following.day)).day)


_DATE: dict[str, Callable[[date], str]] = {
    "d": lambda value: f"{value.day:02}",
    "j": lambda value: str(value.day),
    "D": lambda value: calendar.day_abbr[value.weekday()],
    "l": lambda value: calendar.day_name[value.weekday()],
    "S": _ordinal_suffix,
    "w": lambda value: str(value.isoweekday() % 7),
    "z": lambda value: str(value.timetuple().tm_yday),
    "W": lambda value: str(value.isocalendar().week),
    "o": lambda value: str(value.isocalendar().year),
    "m": lambda value: f"{value.month:02}",
    "n": lambda value: str(value.month),
    "M": lambda value: calendar.month_abbr[value.month],
    "b": lambda value: calendar.month_abbr[value.month].lower(),
    "N": lambda value: _AP_MONTHS[value.month - 1],
    "F": lambda value: calendar.month_name[value.month],
    "t": _last_day,
    "y": lambda value: f"{value.year % 100:02}",
    "Y": lambda value: f"{value.year:04}",
    "L": lambda value: str(calendar.isleap(value.year)),
    "c": lambda value: value.isoformat(),
}

_TIME: dict[str, Callable[[datetime], str]] = {
    "g": lambda value: str(_hour12(value)),
    "G": lambda value: str(value.hour),
    "h": lambda value: f"{_hour12(value):02}",
    "H": lambda value: f"{value.hour:02}",
    "i": lambda value: f"{value.minute:02}",
    "s": lambda value: f"{value.second:02}",
    "u": lambda value: f"{value.microsecond:06}",
    "a": _ap_meridiem,
    "A": lambda value: "AM" if value.hour < 12 else "PM",
    "f": _short_time,
    "P": _ap_time,
    "O": _offset,
    "T": lambda value: value.tzname() or "",
    "U": _timestamp,
}
