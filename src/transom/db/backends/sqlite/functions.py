"""What SQLite lacks and other databases have: regular expressions, how far values are spread, reckoning with time."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from transom.db.backends.sqlite.calculations import install_calculations

if TYPE_CHECKING:
    import sqlite3


def install(driver: sqlite3.Connection) -> None:
    """Give a connection the functions."""
    install_calculations(driver)
    driver.create_function("regexp", 2, _regexp, deterministic=True)
    driver.create_function("transom_later", 2, _later, deterministic=True)
    driver.create_function("transom_elapsed", 2, _elapsed, deterministic=True)
    driver.create_function("transom_in_zone", 2, _in_zone, deterministic=True)
    driver.create_function("transom_trunc", 4, _trunc, deterministic=True)
    for name, (over, is_root) in _SPREADS.items():
        driver.create_aggregate(name, 1, _spread(over, is_root=is_root))  # type: ignore[arg-type]


def _regexp(pattern: str, text: object) -> bool | None:
    """Carry out `text REGEXP pattern`, in Python's dialect of regular expressions."""
    return None if text is None else re.search(pattern, str(text)) is not None


# Points in time are ISO 8601 text in UTC there, and lengths of time whole microseconds.


def _later(point: str | None, microseconds: int | None) -> str | None:
    if point is None or microseconds is None:
        return None
    moved = datetime.fromisoformat(point) + timedelta(microseconds=microseconds)
    return moved.isoformat(timespec="microseconds")


def _elapsed(end: str | None, start: str | None) -> int | None:
    if end is None or start is None:
        return None
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)) // timedelta(microseconds=1)


# A zone is its name, or how many microseconds it is from UTC.


def _zone(zone: str | int | None) -> tzinfo:
    if zone is None:
        return UTC
    return ZoneInfo(zone) if isinstance(zone, str) else timezone(timedelta(microseconds=zone))


def _in_zone(point: str | None, zone: str | int) -> str | None:
    """Return what a clock in the zone shows, as text of the same form."""
    moment = None if point is None else datetime.fromisoformat(point)
    if moment is None or moment.tzinfo is None:  # a day is the same everywhere
        return point
    local = moment.astimezone(_zone(zone))
    return local.replace(tzinfo=UTC).isoformat(timespec="microseconds")


def _trunc(point: str | None, part: str, zone: str | int | None, is_day: int) -> str | None:
    """Return when the part began that a day or a point in time is in, as text of the same form, or as a day."""
    if point is None:
        return None
    moment = datetime.fromisoformat(point)
    local = moment if moment.tzinfo is None else moment.astimezone(_zone(zone))
    began = _beginning(part, local.replace(tzinfo=None, fold=0))
    if is_day:
        return began.date().isoformat()
    if part in ("hour", "minute", "second"):  # as long before as a clock shows that goes on as it did
        begin = moment - (local.replace(tzinfo=None) - began)
    else:
        begin = began.replace(tzinfo=_zone(zone)).astimezone(UTC)
    return begin.isoformat(timespec="microseconds")


def _beginning(part: str, local: datetime) -> datetime:
    within_day = {"hour": 0, "minute": 0, "second": 0, "microsecond": 0}
    kept = {"hour": 1, "minute": 2, "second": 3}.get(part, 0)
    began = local.replace(**dict(list(within_day.items())[kept:]))  # type: ignore[arg-type]  # no tzinfo among them
    match part:
        case "year":
            return began.replace(month=1, day=1)
        case "quarter":
            return began.replace(month=(began.month - 1) // 3 * 3 + 1, day=1)
        case "month":
            return began.replace(day=1)
        case "week":
            return began - timedelta(days=began.weekday())
        case _:
            return began


# How many fewer than all the mean square is over, and whether its root is wanted.
_SPREADS = {
    "var_pop": (0, False),
    "var_samp": (1, False),
    "stddev_pop": (0, True),
    "stddev_samp": (1, True),
}


def _spread(over: int, *, is_root: bool) -> type[object]:
    class Spread:
        """The mean square of the distances to the mean, by Welford's method, which stays exact for values far from 0."""

        def __init__(self) -> None:
            self._count = 0
            self._mean = 0.0
            self._squares = 0.0

        def step(self, value: float | None) -> None:
            """Take one value; NULL does not count."""
            if value is not None:
                self._count += 1
                distance = float(value) - self._mean
                self._mean += distance / self._count
                self._squares += distance * (float(value) - self._mean)

        def finalize(self) -> float | None:
            """Return the result; NULL where there are too few values."""
            if self._count <= over:
                return None
            variance = self._squares / (self._count - over)
            return math.sqrt(variance) if is_root else variance

    return Spread
