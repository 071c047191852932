"""Each function of the database and each part of a date, against Python."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from transom.db import F, FieldError, create_tables, models
from transom.db.backends.base import Backend
from transom.db.models import Value
from transom.db.models import functions as of

TEXTS = ["", "a", "Ab", "  spaced  ", "banana", "50% [x]", "straße"]
NUMBERS = [-7, -1, 0, 1, 2, 9, 1000]
TIMES = [
    datetime(1999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(2000, 2, 29, 0, 0, tzinfo=UTC),
    datetime(2021, 1, 3, 12, 30, 15, 5, tzinfo=UTC),  # a Sunday, in the last week of 2020
    datetime(2024, 12, 30, 6, 7, 8, tzinfo=UTC),  # in the first week of 2025
    datetime(2026, 7, 15, 10, 0, tzinfo=UTC),
]


class Thing(models.Model):
    text = models.CharField(max_length=50)
    number = models.IntegerField()
    ratio = models.FloatField()
    price = models.DecimalField(max_digits=8, decimal_places=2)
    moment = models.DateTimeField()
    maybe = models.CharField(max_length=50, null=True)

    class Meta:
        ordering = ("pk",)


@pytest.fixture
async def things(database: Backend) -> list[Thing]:
    await create_tables(Thing)
    return await Thing.objects.bulk_create(
        Thing(
            text=text,
            number=NUMBERS[place],
            ratio=NUMBERS[place] / 4,
            price=Decimal(NUMBERS[place]) / 4,
            moment=TIMES[place % len(TIMES)],
            maybe=text if place % 2 else None,
        )
        for place, text in enumerate(TEXTS)
    )


def fold(text: str, upper: bool) -> str:
    """Change the case as every database does: only of ASCII letters is that certain."""
    return text.upper().replace("STRASSE", "STRAßE") if upper else text.lower()


CASES: dict[str, tuple[Any, Any]] = {
    "lower": (of.Lower("text"), lambda t: fold(t.text, False)),
    "upper": (of.Upper("text"), lambda t: fold(t.text, True)),
    "length": (of.Length("text"), lambda t: len(t.text)),
    "trim": (of.Trim("text"), lambda t: t.text.strip()),
    "ltrim": (of.LTrim("text"), lambda t: t.text.lstrip()),
    "rtrim": (of.RTrim("text"), lambda t: t.text.rstrip()),
    "left": (of.Left("text", 2), lambda t: t.text[:2]),
    "right": (of.Right("text", 2), lambda t: t.text[-2:]),
    "right of nothing": (of.Right("text", 0), lambda t: ""),
    "substr": (of.Substr("text", 2, 3), lambda t: t.text[1:4]),
    "substr to the end": (of.Substr("text", 3), lambda t: t.text[2:]),
    "replace": (of.Replace("text", Value("an"), Value("%")), lambda t: t.text.replace("an", "%")),
    "position": (of.StrIndex("text", Value("a")), lambda t: t.text.find("a") + 1),
    "concat": (
        of.Concat("text", Value("-"), "maybe", "number"),
        lambda t: f"{t.text}-{t.maybe or ''}{t.number}",
    ),
    "coalesce": (of.Coalesce("maybe", Value("none")), lambda t: "none" if t.maybe is None else t.maybe),
    "nullif": (of.NullIf("number", 0), lambda t: t.number or None),
    "greatest": (of.Greatest("number", 1), lambda t: max(t.number, 1)),
    "least": (of.Least("number", 1), lambda t: min(t.number, 1)),
    "abs": (of.Abs("number"), lambda t: abs(t.number)),
    "ceil": (of.Ceil("ratio"), lambda t: math.ceil(t.ratio)),
    "floor": (of.Floor("ratio"), lambda t: math.floor(t.ratio)),
    "round to places": (of.Round("price", 1), lambda t: t.price.quantize(Decimal("0.1"), "ROUND_HALF_UP")),
    "sign": (of.Sign("number"), lambda t: (t.number > 0) - (t.number < 0)),
    "power": (of.Power("number", 2), lambda t: t.number**2),
    "sqrt": (of.Sqrt(of.Abs("number")), lambda t: math.sqrt(abs(t.number))),
    "exp": (of.Exp("ratio"), lambda t: math.exp(t.ratio)),
    "ln": (of.Ln(of.Abs("number") + 1), lambda t: math.log(abs(t.number) + 1)),
    "mod": (of.Mod("number", 3), lambda t: math.fmod(t.number, 3)),
    "cast to float": (of.Cast("number", models.FloatField()), lambda t: float(t.number)),
    "cast to text": (of.Cast("number", models.TextField()), lambda t: str(t.number)),
    "year": (of.ExtractYear("moment"), lambda t: t.moment.year),
    "iso year": (of.ExtractIsoYear("moment"), lambda t: t.moment.isocalendar().year),
    "quarter": (of.ExtractQuarter("moment"), lambda t: (t.moment.month + 2) // 3),
    "month": (of.ExtractMonth("moment"), lambda t: t.moment.month),
    "week": (of.ExtractWeek("moment"), lambda t: t.moment.isocalendar().week),
    "day": (of.ExtractDay("moment"), lambda t: t.moment.day),
    "week day": (of.ExtractWeekDay("moment"), lambda t: t.moment.isoweekday() % 7 + 1),
    "iso week day": (of.ExtractIsoWeekDay("moment"), lambda t: t.moment.isoweekday()),
    "hour": (of.ExtractHour("moment"), lambda t: t.moment.hour),
    "minute": (of.ExtractMinute("moment"), lambda t: t.moment.minute),
    "second": (of.ExtractSecond("moment"), lambda t: t.moment.second),
    "begin of year": (of.TruncYear("moment"), lambda t: datetime(t.moment.year, 1, 1, tzinfo=UTC)),
    "begin of month": (
        of.TruncMonth("moment"),
        lambda t: datetime(t.moment.year, t.moment.month, 1, tzinfo=UTC),
    ),
    "begin of day": (
        of.TruncDay("moment"),
        lambda t: t.moment.replace(hour=0, minute=0, second=0, microsecond=0),
    ),
    "begin of hour": (of.TruncHour("moment"), lambda t: t.moment.replace(minute=0, second=0, microsecond=0)),
    "begin of minute": (of.TruncMinute("moment"), lambda t: t.moment.replace(second=0, microsecond=0)),
    "begin of second": (of.TruncSecond("moment"), lambda t: t.moment.replace(microsecond=0)),
}


@pytest.mark.parametrize("case", CASES)
async def test_a_function_says_what_python_says(case: str, things: list[Thing]) -> None:
    expression, expected = CASES[case]
    if case == "mod":
        things = [thing for thing in things if thing.number >= 0]
    query = Thing.objects.filter(pk__in=[thing.pk for thing in things]).annotate(found=expression)
    found = await query.values_list("found", flat=True)
    wanted = [expected(thing) for thing in things]
    if any(isinstance(value, float) for value in wanted):
        wanted = pytest.approx(wanted)
    assert found == wanted
    assert await query.filter(found=expression).count() == sum(value is not None for value in found)


async def test_now_is_the_present(things: list[Thing]) -> None:
    found = await Thing.objects.annotate(now=of.Now()).values_list("now", flat=True)
    assert abs(found[0] - datetime.now(UTC)) < timedelta(minutes=1)
    assert len(set(found)) == 1
    assert await Thing.objects.filter(moment__lt=of.Now()).count() == sum(
        thing.moment < datetime.now(UTC) for thing in things
    )


PARTS: dict[str, Any] = {
    "moment__year": lambda t: t.moment.year,
    "moment__month__gte": lambda t: t.moment.month,
    "moment__week_day": lambda t: t.moment.isoweekday() % 7 + 1,
    "text__length__lt": lambda t: len(t.text),
    "number__abs": lambda t: abs(t.number),
}


@pytest.mark.parametrize("name", PARTS)
async def test_parts_of_values_stand_in_lookups(name: str, things: list[Thing]) -> None:
    lookup = name.rpartition("__")[2]
    compare: dict[str, Any] = {"gte": lambda a, b: a >= b, "lt": lambda a, b: a < b}
    for limit in (0, 1, 3, 7, 12, 2000, 2024):
        holds = compare.get(lookup, lambda a, b: a == b)
        expected = [thing.pk for thing in things if holds(PARTS[name](thing), limit)]
        assert await Thing.objects.filter(**{name: limit}).values_list("pk", flat=True) == expected
        left_out = await Thing.objects.exclude(**{name: limit}).values_list("pk", flat=True)
        assert sorted([*left_out, *expected]) == [thing.pk for thing in things]


async def test_parts_follow_each_other_and_have_typed_twins(things: list[Thing]) -> None:
    assert await Thing.objects.filter(text__trim__upper__startswith="SP").count() == 1
    assert await Thing.objects.filter(Thing.text.upper == "BANANA").count() == 1
    assert await Thing.objects.filter(Thing.text.length.between(1, 2)).count() == 2
    assert await Thing.objects.filter(Thing.moment.year.in_([1999, 2000])).count() == 4
    assert await Thing.objects.order_by(Thing.moment.month.desc(), "pk").values_list("moment__month", flat=True) == [
        12, 12, 12, 7, 2, 2, 1,
    ]  # fmt: skip
    assert await Thing.objects.filter(number=F("moment__day") - 30).count() == sum(
        thing.number == thing.moment.day - 30 for thing in things
    )


@pytest.mark.parametrize(
    ("pattern", "count"), [("^ba", 1), ("an+a$", 1), ("[0-9]+%", 1), ("^BA", 0), ("^$", 1), ("x", 1)]
)
async def test_regular_expressions(pattern: str, count: int, things: list[Thing]) -> None:
    assert await Thing.objects.filter(text__regex=pattern).count() == count
    assert await Thing.objects.filter(Thing.text.iregex(pattern)).count() == (
        1 if pattern == "^BA" else count
    )


async def test_wrong_counts_of_operands_are_refused() -> None:
    with pytest.raises(TypeError, match="Lower takes 1 operands, not 2"):
        of.Lower("a", "b")
    with pytest.raises(TypeError, match="Coalesce takes 2 or more operands, not 1"):
        of.Coalesce("a")
    with pytest.raises(TypeError, match="Substr takes 2 to 3 operands, not 1"):
        of.Substr("a")


async def test_a_part_that_a_value_has_not_is_refused_with_those_that_it_has() -> None:
    with pytest.raises(FieldError, match=re.escape("Thing.moment has no lookup 'mont'")) as caught:
        Thing.objects.filter(moment__mont=1)
    assert "did you mean 'month'?" in str(caught.value)
    with pytest.raises(FieldError, match="has no lookup 'year'"):
        Thing.objects.filter(number__year=1)


async def test_values_that_no_database_computes_with_are_refused() -> None:
    with pytest.raises(FieldError, match="more than the 64 bits"):
        Thing.objects.annotate(x=F("number") + (1 << 70))
    with pytest.raises(FieldError, match="cannot stand in an expression"):
        Thing.objects.annotate(x=Value(object()))


# -- days, times of day, and lengths of time


class Shift(models.Model):
    start = models.DateTimeField()
    end = models.DateTimeField()
    day = models.DateField()
    at = models.TimeField()
    pause = models.DurationField()

    class Meta:
        ordering = ("pk",)


@pytest.fixture
async def shifts(database: Backend) -> list[Shift]:
    await create_tables(Shift)
    return await Shift.objects.bulk_create(
        Shift(
            start=moment,
            end=moment + timedelta(hours=8, microseconds=7),
            day=moment.date(),
            at=moment.timetz().replace(tzinfo=None),
            pause=timedelta(minutes=place * 10, microseconds=place),
        )
        for place, moment in enumerate(TIMES)
    )


async def test_days_and_times_of_day_of_points_in_time(shifts: list[Shift]) -> None:
    assert await Shift.objects.filter(start__date=F("day"), start__time=F("at")).count() == len(shifts)
    assert await Shift.objects.filter(Shift.start.date == TIMES[1].date()).values_list(
        "start__time", flat=True
    ) == [TIMES[1].timetz().replace(tzinfo=None)]
    assert await Shift.objects.filter(start__date__year=2024).count() == 1
    late = [shift.pk for shift in shifts if shift.at.hour >= 10]
    assert await Shift.objects.filter(Shift.start.time.hour >= 10).values_list("pk", flat=True) == late
    assert await Shift.objects.filter(at__hour__gte=10).values_list("pk", flat=True) == late
    assert await Shift.objects.filter(Shift.day.week_day == 1).count() == 1
    assert await Shift.objects.annotate(begin=of.TruncMonth("day")).values_list("begin", flat=True) == [
        shift.day.replace(day=1) for shift in shifts
    ]


async def test_points_and_lengths_of_time_are_reckoned_with(shifts: list[Shift]) -> None:
    query = Shift.objects.annotate(
        length=F("end") - F("start"),
        net=F("end") - F("start") - F("pause"),
        later=F("start") + F("pause"),
        other=F("pause") + F("start"),
        before=F("start") - timedelta(days=1, microseconds=3),
        double=F("pause") * 2,
        more=F("pause") + timedelta(seconds=1),
    )
    for shift in await query:
        found = vars(shift)
        assert found["length"] == shift.end - shift.start
        assert found["net"] == shift.end - shift.start - shift.pause
        assert found["later"] == found["other"] == shift.start + shift.pause
        assert found["before"] == shift.start - timedelta(days=1, microseconds=3)
        assert found["double"] == shift.pause * 2
        assert found["more"] == shift.pause + timedelta(seconds=1)
    assert await query.filter(length__gt=timedelta(hours=8)).count() == len(shifts)
    assert await Shift.objects.filter(end__lt=F("start") + timedelta(hours=8)).count() == 0
    await Shift.objects.update(end=F("start") + timedelta(hours=1))
    assert await Shift.objects.filter(end=F("start") + timedelta(hours=1)).count() == len(shifts)


@pytest.mark.parametrize(
    "make",
    [
        lambda: F("start") + F("end"),
        lambda: F("start") * 2,
        lambda: F("pause") - F("start"),
        lambda: F("pause") + 1,
    ],
)
async def test_what_makes_no_sense_of_time_is_refused(make: Any) -> None:
    with pytest.raises(FieldError, match="cannot be combined by"):
        Shift.objects.annotate(x=make())
