"""Archives by date, through the client, on SQLite. The site's time zone is two hours east of UTC in summer, one in winter."""

from contextlib import AsyncExitStack
from datetime import UTC, date, datetime, timedelta

import pytest

from transom.conf import ImproperlyConfigured
from transom.db import connections, create_tables, models
from transom.testing import Client
from transom.views import (
    ArchiveIndexView,
    DateDetailView,
    DayArchiveView,
    MonthArchiveView,
    TodayArchiveView,
    WeekArchiveView,
    YearArchiveView,
)
from transom.views.periods import Period, parse_date
from transom.web import App, path


class Entry(models.Model):
    title = models.CharField(max_length=20)
    day = models.DateField()
    moment = models.DateTimeField(null=True)


LABEL = Entry._meta.app_label
ENTRIES = [
    ("old", date(2019, 12, 31)),
    ("new year", date(2024, 1, 1)),
    ("leap", date(2024, 2, 29)),
    ("late", date(2024, 2, 29)),
    ("march", date(2024, 3, 3)),
]
MOMENTS = [
    ("silvester", datetime(2023, 12, 31, 23, 30, tzinfo=UTC)),  # in Berlin the new year has begun
    ("january", datetime(2024, 1, 15, 12, tzinfo=UTC)),
    ("june", datetime(2024, 6, 30, 22, 30, tzinfo=UTC)),  # July in Berlin
]
LIST = "{% for entry in object_list %}{{ entry.title }},{% endfor %}|"
DATES = "{% for day in date_list %}{{ day.isoformat() }},{% endfor %}|"


@pytest.fixture
async def serve(tmp_path):
    """Make a client of one view, all of whose templates are this one."""
    async with AsyncExitStack() as stack:

        async def start(route, view, template, rows=ENTRIES, field="day"):
            folder = tmp_path / "templates" / LABEL
            folder.mkdir(parents=True)
            for suffix in (
                "archive",
                "archive_year",
                "archive_month",
                "archive_week",
                "archive_day",
                "detail",
            ):
                (folder / f"entry_{suffix}.html").write_text(f"{suffix}:{template}")
            app = App(
                [path(route, view)],
                secret_key="x" * 50,
                template_dirs=[tmp_path / "templates"],
                databases={"default": f"sqlite:///{tmp_path / 'test.sqlite3'}"},
                time_zone="Europe/Berlin",
            )
            client = await stack.enter_async_context(Client(app))
            await create_tables(Entry)
            for title, value in rows:
                day = value if field == "day" else date(2000, 1, 1)
                moment = value if field == "moment" else None
                await Entry.objects.create(title=title, day=day, moment=moment)
            return client

        yield start
    connections.configure({})


async def text(client, url):
    response = await client.get(url)
    assert response.status_code == 200, response.text
    return response.text


async def test_the_index_shows_the_latest_and_the_years(serve):
    view = ArchiveIndexView.as_view(model=Entry, date_field="day")
    client = await serve("", view, LIST + DATES + "{{ latest | length }}")
    assert await text(client, "/") == "archive:march,leap,late,new year,old,|2024-01-01,2019-01-01,|5"


async def test_the_index_by_pages(serve):
    view = ArchiveIndexView.as_view(queryset=Entry.objects.order_by("id"), date_field="day", paginate_by=2)
    client = await serve("", view, LIST + "{{ page_obj.number }}/{{ page_obj.num_pages }}{{ is_paginated }}")
    assert await text(client, "/?page=2") == "archive:leap,late,|2/3True"
    assert (await client.get("/?page=4")).status_code == 404


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        ("month", "2024-03-01,2024-02-01,2024-01-01,2019-12-01,"),
        ("day", "2024-03-03,2024-02-29,2024-01-01,2019-12-31,"),
    ],
)
async def test_the_index_lists_months_or_days(serve, period, expected):
    view = ArchiveIndexView.as_view(model=Entry, date_field="day", date_list_period=period)
    assert await text(await serve("", view, DATES), "/") == f"archive:{expected}|"


AROUND = "{{ previous_%s }} {{ %s }} {{ next_%s }}"


def around(unit):
    return AROUND % (unit, unit, unit)


async def test_a_year_shows_its_months_and_its_objects_only_where_they_are_wanted(serve):
    view = YearArchiveView.as_view(model=Entry, date_field="day")
    client = await serve("<int:year>/", view, LIST + DATES + around("year"))
    assert await text(client, "/2024/") == (
        "archive_year:|2024-01-01,2024-02-01,2024-03-01,|2019-01-01 2024-01-01 None"
    )
    assert (await text(client, "/2019/")).endswith("|None 2019-01-01 2024-01-01")
    assert (await client.get("/2020/")).status_code == 404


async def test_a_year_with_its_objects(serve):
    view = YearArchiveView.as_view(model=Entry, date_field="day", make_object_list=True)
    client = await serve("<int:year>/", view, LIST)
    assert await text(client, "/2024/") == "archive_year:march,leap,late,new year,|"


async def test_a_month(serve):
    view = MonthArchiveView.as_view(model=Entry, date_field="day")
    client = await serve(
        "<int:year>/<int:month>/", view, LIST + DATES + around("month") + "{{ entry_list | length }}"
    )
    assert await text(client, "/2024/2/") == (
        "archive_month:leap,late,|2024-02-29,|2024-01-01 2024-02-01 2024-03-012"
    )
    assert (await text(client, "/2024/01/")).endswith("|2019-12-01 2024-01-01 2024-02-011")


@pytest.mark.parametrize("url", ["/2024/4/", "/2024/13/", "/2024/0/", "/24/1/", "/99999/1/", "/0/1/"])
async def test_a_month_without_objects_or_that_is_none_is_404(serve, url):
    view = MonthArchiveView.as_view(model=Entry, date_field="day")
    client = await serve("<int:year>/<int:month>/", view, LIST)
    assert (await client.get(url)).status_code == 404


async def test_months_by_name(serve):
    view = MonthArchiveView.as_view(model=Entry, date_field="day", month_format="%b")
    client = await serve("<int:year>/<slug:month>/", view, LIST)
    assert await text(client, "/2024/feb/") == "archive_month:leap,late,|"
    assert (await client.get("/2024/2/")).status_code == 404


@pytest.mark.parametrize(
    ("week_format", "url", "expected"),
    [
        ("%W", "/2024/9/", "leap,late,march,|2024-01-01 2024-02-26 None"),
        ("%V", "/2024/9/", "leap,late,march,|2024-01-01 2024-02-26 None"),
        ("%U", "/2024/8/", "leap,late,|2023-12-31 2024-02-25 2024-03-03"),
        ("%V", "/2020/1/", "old,|None 2019-12-30 2024-01-01"),
    ],
)
async def test_a_week(serve, week_format, url, expected):
    queryset = Entry.objects.order_by("day", "id")
    view = WeekArchiveView.as_view(queryset=queryset, date_field="day", week_format=week_format)
    client = await serve("<int:year>/<int:week>/", view, LIST + around("week"))
    assert await text(client, url) == f"archive_week:{expected}"


async def test_a_day(serve):
    view = DayArchiveView.as_view(model=Entry, date_field="day")
    source = LIST + around("day") + " {{ previous_month }} {{ next_month }}"
    client = await serve("<int:year>/<int:month>/<int:day>/", view, source)
    assert await text(client, "/2024/2/29/") == (
        "archive_day:leap,late,|2024-01-01 2024-02-29 2024-03-03 2024-01-01 2024-03-01"
    )
    assert (await client.get("/2023/2/29/")).status_code == 404


async def test_neighbours_are_the_very_next_where_empty_ones_are_shown(serve):
    view = MonthArchiveView.as_view(model=Entry, date_field="day", allow_empty=True)
    client = await serve("<slug:year>/<int:month>/", view, LIST + around("month"))
    assert await text(client, "/2024/12/") == "archive_month:|2024-11-01 2024-12-01 2025-01-01"
    assert await text(client, "/0001/1/") == "archive_month:|None 0001-01-01 0001-02-01"
    assert (await client.get("/9999/12/")).status_code == 404


@pytest.mark.parametrize(("allow_future", "status"), [(False, 404), (True, 200)])
async def test_the_future_is_shown_only_where_it_may_be(serve, allow_future, status):
    tomorrow = datetime.now(UTC).date() + timedelta(days=2)
    view = DayArchiveView.as_view(model=Entry, date_field="day", allow_future=allow_future)
    client = await serve("<int:year>/<int:month>/<int:day>/", view, LIST, [("later", tomorrow)])
    assert (await client.get(f"/{tomorrow:%Y/%m/%d}/")).status_code == status


async def test_today(serve):
    view = TodayArchiveView.as_view(model=Entry, date_field="moment", allow_empty=True)
    client = await serve("", view, LIST + "{{ next_day }}", [("now", datetime.now(UTC))], "moment")
    assert (await text(client, "/")) in ("archive_day:now,|None", "archive_day:|None")  # at midnight


# Points in time: days of the site's zone.


async def test_years_and_months_of_moments_are_those_of_the_zone(serve):
    view = YearArchiveView.as_view(model=Entry, date_field="moment", make_object_list=True)
    client = await serve("<int:year>/", view, LIST + DATES + around("year"), MOMENTS, "moment")
    assert await text(client, "/2024/") == (
        "archive_year:june,january,silvester,|2024-01-01,2024-07-01,|None 2024-01-01 None"
    )
    assert (await client.get("/2023/")).status_code == 404


async def test_days_of_moments_are_those_of_the_zone(serve):
    view = DayArchiveView.as_view(model=Entry, date_field="moment")
    client = await serve("<int:year>/<int:month>/<int:day>/", view, LIST + around("day"), MOMENTS, "moment")
    assert await text(client, "/2024/7/1/") == "archive_day:june,|2024-01-15 2024-07-01 None"
    assert (await client.get("/2024/6/30/")).status_code == 404


# One object.


async def test_an_object_of_a_day(serve):
    view = DateDetailView.as_view(model=Entry, date_field="day")
    client = await serve(
        "<int:year>/<int:month>/<int:day>/<int:pk>/", view, "{{ object.title }} {{ entry.day }}"
    )
    assert await text(client, "/2024/2/29/3/") == "detail:leap 2024-02-29"
    for url in ("/2024/2/28/3/", "/2024/2/29/99/", "/2024/2/30/3/"):
        assert (await client.get(url)).status_code == 404


# Mistakes.


@pytest.mark.parametrize("view", [ArchiveIndexView, YearArchiveView, DateDetailView])
def test_a_view_must_say_by_which_date(view):
    with pytest.raises(ImproperlyConfigured, match="does not say by which date; set date_field"):
        view.as_view(model=Entry)
    with pytest.raises(ImproperlyConfigured, match=r"date_field 'title' of .* has no dates"):
        view.as_view(model=Entry, date_field="title")
    with pytest.raises(ImproperlyConfigured, match="does not say what to show"):
        view.as_view(date_field="day")


async def test_a_route_without_the_parameters_is_told_of(serve):
    view = MonthArchiveView.as_view(model=Entry, date_field="day")
    client = await serve("<int:year>/", view, LIST)
    with pytest.raises(ImproperlyConfigured, match="must have a parameter 'month'; it has: year"):
        await client.get("/2024/")


# Periods.


@pytest.mark.parametrize(
    ("unit", "first", "end"),
    [
        ("year", date(2023, 1, 1), date(2024, 1, 1)),
        ("year", date(2024, 1, 1), date(2025, 1, 1)),
        ("month", date(2024, 1, 1), date(2024, 2, 1)),
        ("month", date(2024, 2, 1), date(2024, 3, 1)),
        ("month", date(2024, 12, 1), date(2025, 1, 1)),
        ("week", date(2024, 12, 30), date(2025, 1, 6)),
        ("day", date(2024, 2, 29), date(2024, 3, 1)),
    ],
)
def test_a_period_ends_where_the_next_begins(unit, first, end):
    period = Period(unit, first)
    assert period.end == end
    assert period.holding(period.before).end == first
    assert period.holding(end - timedelta(days=1)) == period


@pytest.mark.parametrize("unit", ["year", "month", "day", "week"])
def test_the_last_period_has_no_end(unit):
    with pytest.raises(OverflowError):
        _ = Period.around(unit, date.max).end


def test_parts_that_are_no_date_are_refused():
    with pytest.raises(ValueError, match="unconverted data"):
        parse_date({"%Y": "2024", "%m": "2__1"})
