"""The current time, and the zone it is shown in. All times are aware; a naive one is an error.

The zone is a context variable as the language is; where none is set, it is the site's `time_zone`.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from transom.web.urls import current

if TYPE_CHECKING:
    from collections.abc import Generator
    from datetime import tzinfo

__all__ = ["activate", "get_current_timezone", "localtime", "now", "override"]

_active: ContextVar[tzinfo | None] = ContextVar("transom.i18n.timezone", default=None)


def now() -> datetime:
    """Return the current time, in UTC: what is stored."""
    return datetime.now(UTC)


def get_current_timezone() -> tzinfo:
    """Return the active zone: the one set in this context, else the site's, else UTC."""
    zone = _active.get()
    if zone is not None:
        return zone
    found = current.get(None)
    return UTC if found is None else _find_zone(found.site.settings.time_zone)


def localtime(value: datetime | None = None) -> datetime:
    """Return a time, or the current one, in the active zone: what is shown.

    Raises:
        ValueError: it is naive, so that nobody can tell which time is meant.
    """
    if value is None:
        value = now()
    if value.utcoffset() is None:
        raise ValueError(f"{value!r} is naive; give it a zone, e.g. value.replace(tzinfo=UTC)")
    return value.astimezone(get_current_timezone())


def activate(zone: str | tzinfo | None) -> None:
    """Make a zone active for the rest of this task.

    Args:
        zone: a name such as `Europe/Oslo`, or a tzinfo; None for the site's.

    Raises:
        ValueError: there is no zone of this name.
    """
    _active.set(_to_zone(zone))


@contextmanager
def override(zone: str | tzinfo | None) -> Generator[None]:
    """Make a zone active inside the `with` block; see `activate`."""
    token = _active.set(_to_zone(zone))
    try:
        yield
    finally:
        _active.reset(token)


def _to_zone(zone: str | tzinfo | None) -> tzinfo | None:
    return _find_zone(zone) if isinstance(zone, str) else zone


def _find_zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:  # unknown; malformed; the name of a folder
        close = get_close_matches(name, available_timezones(), n=1)
        hint = f"did you mean {close[0]!r}?" if close else "expected a name such as 'Europe/Oslo'"
        raise ValueError(f"unknown time zone {name!r}; {hint}") from exc
