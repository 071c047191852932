"""The current time, and the zone it is shown in. All times are aware; a naive one is an error.

The zone is a context variable as the language is, the same as that of queries (`transom.db.timezone`); where none is set, it is
the site's `time_zone`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from transom.db.timezone import activate, find_zone, get_active_timezone, override
from transom.web.urls import current

if TYPE_CHECKING:
    from datetime import tzinfo

__all__ = ["activate", "get_current_timezone", "localtime", "now", "override"]


def now() -> datetime:
    """Return the current time, in UTC: what is stored."""
    return datetime.now(UTC)


def get_current_timezone() -> tzinfo:
    """Return the active zone: the one set in this context, else the site's, else UTC."""
    zone = get_active_timezone()
    if zone is not None:
        return zone
    found = current.get(None)
    return UTC if found is None else find_zone(found.site.settings.time_zone)


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
