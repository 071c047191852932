"""Views of what has a date: archives by year, month, week and day.

Days are those of the site's time zone, the setting `time_zone`.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

from transom.views.base import overrides
from transom.views.dated_rows import (
    before,
    bound,
    check_date_field,
    day_of,
    find_dates,
    now,
    read_date,
    within,
    zone_of,
)
from transom.views.detail import DetailView
from transom.views.list import ListView
from transom.views.objects import M, find_object, resolve_queryset, template_for
from transom.views.periods import Period, Unit
from transom.web import Http404

if TYPE_CHECKING:
    from transom.db.models import Model, QuerySet
    from transom.web import Request, Response


class ArchiveIndexView(ListView[M]):
    """Shows the latest objects, and the years that have any: `date_field = "published"`.

    The template is `<app>/<model>_archive.html` unless `template_name` exists. It sees `object_list`, the same as `latest`, and
    `date_list`, the first days of the years, the latest first; and what `ListView` gives.

    Attributes:
        date_field: the field with the date or the point in time.
        allow_future: whether objects of the future are shown.
        date_list_period: `"year"`, `"month"` or `"day"`: what `date_list` lists.
        year_format, month_format, day_format, week_format: how the parameters of the route are written, as for `strptime`:
            `"%m"` for 1 to 12, `"%b"` for `jan`; weeks by `"%W"` (from Monday), `"%U"` (from Sunday) or `"%V"` (ISO 8601).
    """

    date_field: str = ""
    allow_future: bool = False
    allow_empty: bool = False
    date_list_period: Unit = "year"
    year_format: str = "%Y"
    month_format: str = "%m"
    day_format: str = "%d"
    week_format: str = "%W"
    template_name_suffix: str = "archive"

    def check_configuration(self) -> None:
        """Refuse a view that does not say what to list, or by which field."""
        super().check_configuration()
        if not overrides(self, ListView, "get_queryset"):
            check_date_field(self, resolve_queryset(self, self.model, self.queryset).model, self.date_field)

    async def get(
        self, request: Request, **kwargs: Any
    ) -> Response:  # Any: parameters of all types, here and below
        """Show the archive.

        Raises:
            Http404: there is no such date or page, or nothing in it.
        """
        queryset = await self.get_queryset()
        self.model = queryset.model
        queryset = queryset if queryset.ordered else queryset.order_by(f"-{self.date_field}")
        past = queryset if self.allow_future else before(queryset, self.date_field, now(request))
        period = self.find_period()
        rows = past if period is None else within(past, self.date_field, period, zone_of(request))
        if not self.allow_empty and not await rows.exists():
            raise Http404(f"there is no {queryset.model._meta.verbose_name} here")
        context = await self.list_objects(rows)
        context |= {"date_list": await self.get_date_list(rows)}
        if period is not None:
            context |= await self.describe_period(period, past)
        return await self.render(await self.get_context_data(**context))

    def find_period(self) -> Period | None:
        """Return what the route names; None for all of time."""
        return None

    async def list_objects(self, rows: QuerySet[M]) -> dict[str, Any]:
        """Return what the template sees of the objects."""
        page = await self.paginate(rows) if self.paginate_by else None
        objects = await rows if page is None else page.object_list
        name = self.context_object_name or self.usual_name(rows.model)
        return {
            "object_list": objects,
            name: objects,
            "page_obj": page,
            "is_paginated": bool(page and page.has_other_pages),
        }

    def usual_name(self, model: type[Model]) -> str:
        """Return what the template calls the list, if nobody says otherwise."""
        return "latest"

    async def get_date_list(self, rows: QuerySet[M]) -> list[date]:
        """Return the first days of the periods that have an object, the latest first."""
        return (await find_dates(rows, self.date_field, self.date_list_period, zone_of(self.request)))[::-1]

    async def describe_period(self, period: Period, rows: QuerySet[M]) -> dict[str, Any]:
        """Return what the template sees of the period; here there is none."""
        return {}

    def get_template_names(self) -> list[str]:
        """Return `template_name`, if there is one, and `<app>/<model>_<suffix>.html`."""
        first = [self.template_name] if self.template_name else []
        return [*first, template_for(self.model, self.template_name_suffix)] if self.model else first

    def read_date(self, **formats: str) -> date:
        """Return the day that parameters of the route name, each with its format.

        Raises:
            Http404: there is no such day.
            ImproperlyConfigured: the route has no such parameter, and the view no such attribute.
        """
        return read_date(self, self.kwargs, formats)


class _PeriodView(ArchiveIndexView[M]):
    """What the archives of one period share: what is around it."""

    unit: ClassVar[Unit]
    date_list_period: Unit = "day"

    def usual_name(self, model: type[Model]) -> str:
        """Return `<model>_list`, as lists do."""
        return f"{model._meta.model_name}_list"

    async def get_date_list(self, rows: QuerySet[M]) -> list[date]:
        """Return the first days of the periods that have an object, in their order."""
        return await find_dates(rows, self.date_field, self.date_list_period, zone_of(self.request))

    async def describe_period(self, period: Period, rows: QuerySet[M]) -> dict[str, Any]:
        """Return the first day of the period and of those before and after it, None where there is none to show."""
        return {
            self.unit: period.first,
            f"next_{self.unit}": await self.find_next(period, rows),
            f"previous_{self.unit}": await self.find_previous(period, rows),
        }

    async def find_next(self, period: Period, rows: QuerySet[M]) -> date | None:
        """Return the first day of the next period: with `allow_empty` the very next, else the next that has an object."""
        zone = zone_of(self.request)
        try:
            end = period.end
        except OverflowError:
            return None
        if self.allow_empty:
            return end if self.allow_future or end <= now(self.request).date() else None
        later = rows.filter(**{f"{self.date_field}__gte": bound(rows.model, self.date_field, end, zone)})
        found = await later.order_by(self.date_field).values_list(self.date_field, flat=True).first()
        return None if found is None else period.holding(day_of(found, zone)).first

    async def find_previous(self, period: Period, rows: QuerySet[M]) -> date | None:
        """Return the first day of the previous period, as `find_next`."""
        zone = zone_of(self.request)
        if self.allow_empty:
            return None if period.first == date.min else period.holding(period.before).first
        earlier = rows.filter(
            **{f"{self.date_field}__lt": bound(rows.model, self.date_field, period.first, zone)}
        )
        found = await earlier.order_by(f"-{self.date_field}").values_list(self.date_field, flat=True).first()
        return None if found is None else period.holding(day_of(found, zone)).first


class YearArchiveView(_PeriodView[M]):
    """Shows the months of a year that have objects: `path("<int:year>/", ...)`.

    The template is `<app>/<model>_archive_year.html`. It sees `date_list`, the first days of the months, `year`, `next_year` and
    `previous_year`, all dates; and the objects, if `make_object_list` is set.
    """

    unit = "year"
    make_object_list: bool = False
    date_list_period: Unit = "month"
    template_name_suffix: str = "archive_year"

    def find_period(self) -> Period:
        """Return the year."""
        return Period("year", self.read_date(year=self.year_format))

    async def list_objects(self, rows: QuerySet[M]) -> dict[str, Any]:
        """Return the objects, if they are wanted."""
        return await super().list_objects(rows if self.make_object_list else rows.none())


class MonthArchiveView(_PeriodView[M]):
    """Shows the objects of a month: `path("<int:year>/<int:month>/", ...)`.

    The template is `<app>/<model>_archive_month.html`. It sees the objects, `date_list`, the days that have one, `month`,
    `next_month` and `previous_month`.
    """

    unit = "month"
    template_name_suffix: str = "archive_month"

    def find_period(self) -> Period:
        """Return the month."""
        return Period("month", self.read_date(year=self.year_format, month=self.month_format))


class WeekArchiveView(_PeriodView[M]):
    """Shows the objects of a week: `path("<int:year>/week/<int:week>/", ...)`.

    The template is `<app>/<model>_archive_week.html`. It sees the objects, `week`, its first day, `next_week` and
    `previous_week`.
    """

    unit = "week"
    template_name_suffix: str = "archive_week"

    def find_period(self) -> Period:
        """Return the week."""
        return Period("week", self.read_date(year=self.year_format, week=self.week_format))


class DayArchiveView(_PeriodView[M]):
    """Shows the objects of a day: `path("<int:year>/<int:month>/<int:day>/", ...)`.

    The template is `<app>/<model>_archive_day.html`. It sees the objects, `day`, `next_day`, `previous_day`, `next_month` and
    `previous_month`.
    """

    unit = "day"
    template_name_suffix: str = "archive_day"

    def find_period(self) -> Period:
        """Return the day."""
        formats = {"year": self.year_format, "month": self.month_format, "day": self.day_format}
        return Period("day", self.read_date(**formats))

    async def describe_period(self, period: Period, rows: QuerySet[M]) -> dict[str, Any]:
        """Add the months before and after."""
        month = Period.around("month", period.first)
        return {
            **await super().describe_period(period, rows),
            "next_month": await self.find_next(month, rows),
            "previous_month": await self.find_previous(month, rows),
        }


class TodayArchiveView(DayArchiveView[M]):
    """Shows the objects of today, as `DayArchiveView`; the route needs no parameters."""

    def find_period(self) -> Period:
        """Return today, in the site's time zone."""
        return Period("day", now(self.request).date())


class DateDetailView(DetailView[M]):
    """Shows one object of a day: `path("<int:year>/<int:month>/<int:day>/<int:pk>/", ...)`; as `DetailView`.

    Attributes:
        date_field: the field with the date or the point in time.
        allow_future: whether an object of the future is shown.
        year_format, month_format, day_format: as for the archives.
    """

    date_field: str = ""
    allow_future: bool = False
    year_format: str = "%Y"
    month_format: str = "%m"
    day_format: str = "%d"

    def check_configuration(self) -> None:
        """Refuse a view that does not say what to show, or by which field."""
        if not overrides(self, DateDetailView, "get_queryset", "get_object"):
            check_date_field(self, resolve_queryset(self, self.model, self.queryset).model, self.date_field)

    async def get_object(self) -> M:
        """Return the object that the route names, if it is of the day.

        Raises:
            Http404: there is none, or no such day, or it is in the future.
        """
        formats = {"year": self.year_format, "month": self.month_format, "day": self.day_format}
        day = Period("day", read_date(self, self.kwargs, formats))
        rows = within(await self.get_queryset(), self.date_field, day, zone_of(self.request))
        return await find_object(
            rows if self.allow_future else before(rows, self.date_field, now(self.request)),
            self.kwargs,
            pk_url_kwarg=self.pk_url_kwarg,
            slug_field=self.slug_field,
            slug_url_kwarg=self.slug_url_kwarg,
        )
