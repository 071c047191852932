"""The zone in which queries cut points in time into years, days and hours: `override("Europe/Berlin")`.

What is stored is in UTC, always; a zone is only about parts of it (`created__date`, `TruncMonth("created")`). It is a context
variable, so each task has its own.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, timedelta, timezone, tzinfo
from difflib import get_close_matches
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

if TYPE_CHECKING:
    from collections.abc import Generator

_active: ContextVar[tzinfo | None] = ContextVar("transom.db.timezone", default=None)
_default: list[tzinfo] = [UTC]


def get_active_timezone() -> tzinfo | None:
    """Return the zone that was made active in this context, or None."""
    return _active.get()


def get_current_timezone() -> tzinfo:
    """Return the zone of queries: the active one, else the default of the program."""
    return _active.get() or _default[0]


def activate(zone: str | tzinfo | None) -> None:
    """Make a zone active for the rest of this task.

    Args:
        zone: a name such as `Europe/Oslo`, or a tzinfo; None for the default.

    Raises:
        ValueError: there is no zone of this name.
    """
    _active.set(find_zone(zone) if isinstance(zone, str) else zone)


@contextmanager
def override(zone: str | tzinfo | None) -> Generator[None]:
    """Make a zone active inside the `with` block; see `activate`."""
    token = _active.set(find_zone(zone) if isinstance(zone, str) else zone)
    try:
        yield
    finally:
        _active.reset(token)


def set_default_timezone(zone: str | tzinfo) -> None:
    """Set the zone of queries where none is active, which is UTC otherwise; a site sets that of its settings.

    Raises:
        ValueError: there is no zone of this name.
    """
    _default[0] = find_zone(zone) if isinstance(zone, str) else zone


def find_zone(name: str) -> ZoneInfo:
    """Return the zone of a name.

    Raises:
        ValueError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:  # unknown; malformed; the name of a folder
        close = get_close_matches(name, available_timezones(), n=1)
        hint = f"did you mean {close[0]!r}?" if close else "expected a name such as 'Europe/Oslo'"
        raise ValueError(f"unknown time zone {name!r}; {hint}") from exc


def zone_value(zone: tzinfo) -> str | timedelta | None:
    """Return a zone as databases take it: its name, or how far it is from UTC where that never changes; None for UTC.

    Raises:
        ValueError: it is neither a `ZoneInfo` with a name nor a `datetime.timezone`.
    """
    if isinstance(zone, timezone):
        return zone.utcoffset(None) or None
    if isinstance(zone, ZoneInfo) and zone.key:
        return None if zone.key == "UTC" else zone.key
    raise ValueError(f"a database takes a ZoneInfo with a name, or a datetime.timezone, not {zone!r}")
