"""Rows by date: of a period, of the past, and the periods that have any."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from transom.conf import ImproperlyConfigured
from transom.views.periods import Period, Unit, midnight, parse_date
from transom.web import Http404

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transom.db.models import Model, QuerySet
    from transom.views.objects import M
    from transom.web import Request


def check_date_field(view: object, model: type[Model], name: str) -> None:
    """Refuse a view whose date_field is missing or has no dates."""
    from transom.db import models

    if not name:
        raise ImproperlyConfigured(f"{type(view).__name__} does not say by which date; set date_field")
    if not isinstance(model._meta.get_field(name), models.DateField | models.DateTimeField):
        raise ImproperlyConfigured(
            f"date_field {name!r} of {type(view).__name__} has no dates; name a DateField or a DateTimeField"
        )


def read_date(view: object, kwargs: Mapping[str, Any], formats: Mapping[str, str]) -> date:
    """Return the day that parameters of a route, or attributes of the view, name; see `ArchiveIndexView.read_date`."""
    values = {name: kwargs.get(name, getattr(view, name, None)) for name in formats}
    if missing := [name for name, value in values.items() if value is None]:
        raise ImproperlyConfigured(
            f"the route of {type(view).__name__} must have a parameter {missing[0]!r}; it has: {', '.join(kwargs) or 'none'}"
        )
    try:
        return parse_date({formats[name]: str(value) for name, value in values.items()})
    except ValueError as exc:
        raise Http404(f"there is no date {'-'.join(map(str, values.values()))}") from exc


def zone_of(request: Request) -> ZoneInfo:
    """Return the time zone of the site."""
    return ZoneInfo(request.app.settings.time_zone)


def now(request: Request) -> datetime:
    """Return the present in the time zone of the site."""
    return datetime.now(zone_of(request))


def has_times(model: type[Model], name: str) -> bool:
    """Whether a field holds points in time, and not days."""
    from transom.db import models

    return isinstance(model._meta.get_field(name), models.DateTimeField)


def bound(model: type[Model], name: str, day: date, zone: ZoneInfo) -> date:
    """Return when a day begins, as the field compares it."""
    return midnight(day, zone) if has_times(model, name) else day


def within(queryset: QuerySet[M], name: str, period: Period, zone: ZoneInfo) -> QuerySet[M]:
    """Limit rows to a period.

    Raises:
        Http404: it ends behind the last day that there is.
    """
    try:
        end = bound(queryset.model, name, period.end, zone)
    except OverflowError as exc:
        raise Http404("there is no such date") from exc
    return queryset.filter(
        **{f"{name}__gte": bound(queryset.model, name, period.first, zone), f"{name}__lt": end}
    )


def before(queryset: QuerySet[M], name: str, moment: datetime) -> QuerySet[M]:
    """Limit rows to what is not in the future."""
    return queryset.filter(**{f"{name}__lte": moment if has_times(queryset.model, name) else moment.date()})


def day_of(value: date, zone: ZoneInfo) -> date:
    """Return the day of a date or of a point in time."""
    return value.astimezone(zone).date() if isinstance(value, datetime) else value


async def find_dates(queryset: QuerySet[Any], name: str, unit: Unit, zone: ZoneInfo) -> list[date]:
    """Return the first days of the periods that have a row, in their order. Any: rows of any model."""
    from transom.db.models import F
    from transom.db.models.functions import TruncHour, TruncMinute, TruncMonth, TruncYear

    if has_times(queryset.model, name):
        # The database cuts in UTC: fine enough for the zone's days, and of a row each no more than there are hours.
        offset = datetime.now(zone).utcoffset()
        whole_hours = offset is None or not offset.total_seconds() % 3600
        column: Any = (TruncHour if whole_hours else TruncMinute)(F(name))
    elif unit == "day":
        column = name
    else:
        column = (TruncYear if unit == "year" else TruncMonth)(F(name))
    found = await queryset.order_by().values_list(column, flat=True).distinct()
    return sorted({Period.around(unit, day_of(value, zone)).first for value in found})
