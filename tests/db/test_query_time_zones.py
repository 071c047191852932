"""Days, hours and beginnings in time zones, against Python's zoneinfo, around the days on which clocks change."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

import pytest

from transom.db import F, FieldError, connections, create_tables, models
from transom.db.backends.base import Backend
from transom.db.exceptions import OperationalError
from transom.db.models import Count
from transom.db.models import functions as of
from transom.db.timezone import activate, get_current_timezone, override, set_default_timezone

ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]
INDIA = timezone(timedelta(hours=5, minutes=30))
CHANGES = [
    datetime(2024, 3, 31, 1, tzinfo=UTC),  # Berlin, forward
    datetime(2024, 10, 27, 1, tzinfo=UTC),  # and back
    datetime(2024, 3, 10, 7, tzinfo=UTC),  # New York
    datetime(2024, 11, 3, 6, tzinfo=UTC),
    datetime(2024, 4, 6, 15, tzinfo=UTC),  # Lord Howe, by half an hour
    datetime(2024, 10, 5, 15, 30, tzinfo=UTC),
    datetime(2023, 12, 31, 23, 30, tzinfo=UTC),  # another year, for some
    datetime(2021, 1, 3, 23, 15, tzinfo=UTC),  # another week by ISO 8601
    datetime(1985, 12, 31, 18, 30, tzinfo=UTC),  # Kathmandu, by a quarter of an hour
]
STEPS = [timedelta(minutes=step) for step in (-1441, -91, -46, -1, 0, 16, 45, 91, 600)]
MOMENTS = sorted({change + step + timedelta(microseconds=7) for change in CHANGES for step in STEPS})


class Event(models.Model):
    at = models.DateTimeField(db_index=True)
    day = models.DateField()
    maybe = models.DateTimeField(null=True)

    class Meta:
        ordering = ("at",)


class Visit(models.Model):
    event = models.ForeignKey(Event, models.CASCADE, related_name="visits")


@pytest.fixture
async def events(database: Backend, database_url: str) -> list[Event]:
    await create_tables(Event, Visit)
    if database.vendor == "mysql":
        load_zones(database_url)
    return await Event.objects.bulk_create(Event(at=moment, day=moment.date()) for moment in MOMENTS)


def load_zones(database_url: str) -> None:
    """Let the server know the zones of these tests, as its administrator would."""
    folder, tool, client = (
        Path("/usr/share/zoneinfo"),
        shutil.which("mysql_tzinfo_to_sql"),
        shutil.which("mysql"),
    )
    if tool is None or client is None or not folder.exists():
        pytest.skip("the zones of MariaDB are loaded by mysql_tzinfo_to_sql, which is not here")
    options = connection_options(database_url)
    for zone in ZONES:
        known = run([client, *options, "-Ne", f"SELECT CONVERT_TZ('2024-01-01', '+00:00', '{zone}')"])
        if known.strip() == "NULL":
            run([client, *options, "mysql"], run([tool, str(folder / zone), zone]))


def connection_options(database_url: str) -> list[str]:
    url = urlsplit(database_url)
    password = [f"-p{unquote(url.password)}"] if url.password else []
    return [f"-h{url.hostname}", f"-P{url.port or 3306}", f"-u{unquote(url.username or 'root')}", *password]


def run(command: list[str], text: str = "") -> str:
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


PARTS: dict[str, Callable[[datetime], int]] = {
    "year": lambda t: t.year,
    "iso_year": lambda t: t.isocalendar().year,
    "quarter": lambda t: (t.month + 2) // 3,
    "month": lambda t: t.month,
    "week": lambda t: t.isocalendar().week,
    "day": lambda t: t.day,
    "week_day": lambda t: t.isoweekday() % 7 + 1,
    "iso_week_day": lambda t: t.isoweekday(),
    "hour": lambda t: t.hour,
    "minute": lambda t: t.minute,
    "second": lambda t: t.second,
}


def began(kind: str, at: datetime) -> datetime:
    """When it began, by the calendar of the zone; hours and less as the clock counts that is in force."""
    naive = at.replace(tzinfo=None, fold=0)
    first = naive.replace(hour=0, minute=0, second=0, microsecond=0)
    days = {
        "year": first.replace(month=1, day=1),
        "quarter": first.replace(month=(at.month - 1) // 3 * 3 + 1, day=1),
        "month": first.replace(day=1),
        "week": first - timedelta(days=at.weekday()),
        "day": first,
    }
    if kind in days:
        return days[kind].replace(tzinfo=at.tzinfo).astimezone(UTC)
    minute, second = {"hour": (0, 0), "minute": (at.minute, 0), "second": (at.minute, at.second)}[kind]
    since = naive - naive.replace(minute=minute, second=second, microsecond=0)
    return at.astimezone(UTC) - since


KINDS = ["year", "quarter", "month", "week", "day", "hour", "minute", "second"]


@pytest.mark.parametrize("name", [*ZONES, "UTC", "fixed"])
async def test_parts_and_beginnings_are_those_of_the_zone(name: str, events: list[Event]) -> None:
    zone = INDIA if name == "fixed" else ZoneInfo(name)
    locally = [event.at.astimezone(zone) for event in events]
    for part, expected in PARTS.items():
        query = Event.objects.annotate(part=of.Extract("at", part, tzinfo=zone))
        assert await query.values_list("part", flat=True) == [expected(at) for at in locally], part
    for kind in KINDS:
        query = Event.objects.annotate(
            begin=of.Trunc("at", kind, tzinfo=zone), day_of=of.TruncDate("at", tzinfo=zone)
        )
        found = await query.values_list("begin", flat=True)
        # In UTC, for Python calls no time that a clock shows twice equal to one of another zone.
        assert [each.astimezone(UTC) for each in found] == [began(kind, at) for at in locally], kind
        assert [each.utcoffset() for each in found] == [each.astimezone(zone).utcoffset() for each in found]
    days = Event.objects.values_list(of.TruncDate("at", tzinfo=zone), of.TruncTime("at", tzinfo=zone))
    assert await days == [(at.date(), at.time()) for at in locally]
    months = Event.objects.annotate(month=of.TruncMonth("at", tzinfo=zone, output_field=models.DateField()))
    assert await months.values_list("month", flat=True) == [at.date().replace(day=1) for at in locally]


@pytest.mark.parametrize("name", [*ZONES, "fixed"])
async def test_lookups_are_about_the_current_zone(name: str, events: list[Event]) -> None:
    zone = INDIA if name == "fixed" else ZoneInfo(name)
    locally = [event.at.astimezone(zone) for event in events]
    with override(zone):
        for at in locally[::13]:
            for part in ("year", "iso_year", "month", "week_day", "hour"):
                same = [each for each in locally if PARTS[part](each) == PARTS[part](at)]
                query = Event.objects.filter(**{f"at__{part}": PARTS[part](at)})
                assert await query.count() == len(same), part
                assert await Event.objects.exclude(**{f"at__{part}": PARTS[part](at)}).count() == len(
                    locally
                ) - len(same)
            assert await Event.objects.filter(at__date=at.date()).count() == sum(
                o.date() == at.date() for o in locally
            )
            assert await Event.objects.filter(Event.at.date < at.date()).count() == sum(
                o.date() < at.date() for o in locally
            )
            assert await Event.objects.filter(at__time=at.time()).count() == sum(
                o.time() == at.time() for o in locally
            )
        compared: dict[str, Callable[[int, int], bool]] = {
            "gt": lambda a, b: a > b,
            "gte": lambda a, b: a >= b,
            "lt": lambda a, b: a < b,
            "lte": lambda a, b: a <= b,
        }
        for lookup, holds in compared.items():
            count = sum(holds(at.year, 2024) for at in locally)
            assert await Event.objects.filter(**{f"at__year__{lookup}": 2024}).count() == count
            assert await Event.objects.filter(**{f"at__year__{lookup}": F("pk") * 0 + 2024}).count() == count
            count = sum(holds(at.date().toordinal(), date(2024, 3, 31).toordinal()) for at in locally)
            assert await Event.objects.filter(**{f"at__date__{lookup}": date(2024, 3, 31)}).count() == count
        assert await Event.objects.filter(at__year__in=[2023, 1985]).count() == sum(
            a.year in (2023, 1985) for a in locally
        )
        hours = await Event.objects.values(hour=F("at__hour")).annotate(n=Count("pk")).order_by("hour")
        assert {row["hour"]: row["n"] for row in hours} == {
            hour: sum(at.hour == hour for at in locally) for hour in {at.hour for at in locally}
        }
        ordered = sorted(locally, key=lambda at: (at.hour, at.astimezone(UTC)))
        assert await Event.objects.order_by("at__hour", "at").values_list("at", flat=True) == [
            at.astimezone(UTC) for at in ordered
        ]
        assert await Event.objects.filter(at__date__month=3).count() == sum(at.month == 3 for at in locally)
        days = sorted({at.date() for at in locally})
        midnights = [datetime.combine(day, time.min, zone).astimezone(UTC) for day in days]
        assert [day.astimezone(UTC) for day in await Event.objects.datetimes("at", "day")] == midnights
        last = await Event.objects.all().datetimes("at", "day", "DESC")[:2]
        assert [day.astimezone(UTC) for day in last] == midnights[:-3:-1]


async def test_dates_and_datetimes_are_each_there_once(events: list[Event]) -> None:
    days = sorted({event.day for event in events})
    assert await Event.objects.dates("day", "day") == days
    assert await Event.objects.dates("day", "year", "DESC") == sorted(
        {date(day.year, 1, 1) for day in days}, reverse=True
    )
    assert await Event.objects.dates("day", "year") == sorted({day.replace(month=1, day=1) for day in days})
    assert await Event.objects.dates("day", "week") == sorted(
        {day - timedelta(days=day.weekday()) for day in days}
    )
    assert await Event.objects.dates("day", "quarter") == sorted(
        {day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1) for day in days}
    )
    assert await Event.objects.datetimes("maybe", "year") == []
    months = await Event.objects.datetimes("at", "month", tzinfo="Asia/Kathmandu")
    assert [month.astimezone(UTC) for month in months] == sorted(
        {began("month", event.at.astimezone(ZoneInfo("Asia/Kathmandu"))) for event in events}
    )
    with pytest.raises(FieldError, match=r"Event\.at is none"):
        Event.objects.dates("at", "year")
    with pytest.raises(ValueError, match="'ASC' or 'DESC'"):
        Event.objects.dates("day", "year", "up")
    with pytest.raises(ValueError, match="'hour' is no part of a date"):
        Event.objects.dates("day", "hour")
    with pytest.raises(ValueError, match="'decade' is no part of a date"):
        Event.objects.dates("day", "decade")


async def test_related_rows_are_found_by_parts_in_a_zone(events: list[Event]) -> None:
    await Visit.objects.bulk_create(Visit(event=event) for event in events)
    zone = ZoneInfo("Europe/Berlin")
    with override(zone):
        expected = sum(event.at.astimezone(zone).year == 2024 for event in events)
        assert await Visit.objects.filter(event__at__year=2024).count() == expected
        assert await Visit.objects.exclude(event__at__year=2024).count() == len(events) - expected
        assert await Event.objects.exclude(visits__event__at__year=2024).count() == len(events) - expected
        assert await Event.objects.filter(maybe__year=2024).count() == 0
        assert await Event.objects.exclude(maybe__date=date(2024, 1, 1)).count() == len(events)
        assert await Event.objects.filter(maybe__year=None).count() == len(events)


async def test_years_and_days_are_asked_for_by_their_ends(events: list[Event], statements: list[str]) -> None:
    statements.clear()
    for zone in ("UTC", "Europe/Berlin", "Asia/Kathmandu"):
        with override(zone):
            await Event.objects.filter(at__year=2024, day__year=2024, at__date=date(2024, 1, 1))
    assert len(set(statements)) == 1
    where = statements[0].partition("WHERE")[2]
    assert "at >= " in where.replace("`", "")
    assert not re.search(r"(?i)extract|strftime|date_trunc|convert_tz|timezone\(|transom_", where)


async def test_the_zone_is_a_value_and_no_part_of_the_sql(events: list[Event], statements: list[str]) -> None:
    statements.clear()
    for zone in ZONES:
        with override(zone):
            await Event.objects.filter(at__hour=3)
    assert len(set(statements)) == 1
    assert not any(zone in statements[0] for zone in ZONES)


async def test_the_current_zone_is_that_of_the_task_and_else_the_default() -> None:
    assert get_current_timezone() is UTC
    set_default_timezone("Asia/Tokyo")
    try:
        assert get_current_timezone() == ZoneInfo("Asia/Tokyo")
        with override("Europe/Berlin"):
            assert get_current_timezone() == ZoneInfo("Europe/Berlin")
            activate(None)
            assert get_current_timezone() == ZoneInfo("Asia/Tokyo")
    finally:
        set_default_timezone(UTC)


def test_zones_that_no_database_takes_are_refused() -> None:
    with pytest.raises(
        FieldError, match=re.escape("unknown time zone 'Europe/Berln'; did you mean 'Europe/Berlin'?")
    ):
        of.TruncDay("at", tzinfo="Europe/Berln")
    with pytest.raises(ValueError, match="unknown time zone"):
        activate("'; DROP TABLE x")
    with pytest.raises(FieldError, match="there is no part 'decade' of a time"):
        of.Extract("at", "decade")
    with pytest.raises(FieldError, match="is no point in time, so ExtractYear takes no tzinfo"):
        Event.objects.annotate(x=of.ExtractYear("day", tzinfo=INDIA))
    with Path("/usr/share/zoneinfo/Europe/Berlin").open("rb") as file:
        nameless = ZoneInfo.from_file(file)
    with pytest.raises(FieldError, match="takes a ZoneInfo with a name"):
        Event.objects.annotate(x=of.ExtractYear("at", tzinfo=nameless))


async def test_mariadb_says_what_it_needs_rather_than_null(events: list[Event]) -> None:
    if connections.backend("default").vendor != "mysql":
        pytest.skip("the others know all zones, in all years")
    with pytest.raises(OperationalError, match="mysql_tzinfo_to_sql"):
        await Event.objects.annotate(x=of.ExtractHour("at", tzinfo="Antarctica/Troll"))
    with override("Europe/Berlin"):
        await Event.objects.update(at=datetime(1950, 1, 1, tzinfo=UTC))
        with pytest.raises(OperationalError, match="the years from 1970 to 2037"):
            await Event.objects.filter(at__hour=3)
        assert await Event.objects.filter(at__year=1950).count() == len(events)
    assert await Event.objects.filter(maybe__hour=3).count() == 0
