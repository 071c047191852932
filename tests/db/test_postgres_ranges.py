"""Ranges of PostgreSQL, with a model of them in Python as the oracle; and what other databases say of them."""

from __future__ import annotations

import copy
import io
import json
import pickle
import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transom.db import DataError, F, FieldError, Q, create_tables, models
from transom.db.backends.base import Backend
from transom.db.fixtures import dump_data, load_data, read_items
from transom.db.migrations.serializer import serialize
from transom.db.models import OuterRef
from transom.db.postgres import (
    BigIntegerRangeField,
    DateRangeField,
    DateTimeRangeField,
    DecimalRangeField,
    IntegerRangeField,
    Range,
    RangeMaxValueValidator,
    RangeMinValueValidator,
)
from transom.validators import ValidationError

on_postgresql = pytest.mark.parametrize(
    "database_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
on_others = pytest.mark.parametrize(
    "database_url", ["sqlite", pytest.param("mysql", marks=pytest.mark.mysql)], indirect=True
)


class RangeEvent(models.Model):
    ages = IntegerRangeField(null=True)
    other = IntegerRangeField(null=True)
    days = DateRangeField(null=True)
    big = BigIntegerRangeField(null=True)
    price = DecimalRangeField(null=True)
    moments = DateTimeRangeField(null=True)
    age = models.IntegerField(default=0)
    small = models.SmallIntegerField(default=0)


NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
VALUES: dict[str, list[Range[Any]]] = {
    "ages": [Range(-(1 << 31), (1 << 31) - 1), Range(1, 5), Range(1), Range(None, 5), Range(), Range(empty=True)],
    "days": [Range(date(1, 1, 1), date(9999, 12, 31)), Range(date(2024, 1, 1), None), Range(empty=True)],
    "big": [Range(-(1 << 63), (1 << 63) - 1), Range(0, 1)],
    "price": [Range(Decimal("0.001"), Decimal("1E+30"), "[]"), Range(Decimal(1), Decimal(2), "()")],
    "moments": [Range(NOON, NOON + timedelta(microseconds=1), "(]"), Range(NOON, NOON, "[]"), Range(None, NOON)],
}  # fmt: skip


@pytest.fixture
async def tables(database: Backend) -> None:
    await create_tables(RangeEvent)


# -- the type

small = st.none() | st.integers(-6, 6)
bounds = st.sampled_from(["[)", "[]", "(]", "()"])


def make(lower: int | None, upper: int | None, bounds: Any) -> Range[int]:
    if lower is not None and upper is not None and lower > upper:
        lower, upper = upper, lower
    return Range(lower, upper, bounds)


ranges = st.builds(make, small, small, bounds) | st.just(Range[int](empty=True))
DOMAIN = range(-9, 10)


def members(value: Range[int]) -> set[int]:
    """What a range holds, one by one: the ends of the domain stand for all that is beyond."""
    if value.empty:
        return set()
    return {
        number
        for number in DOMAIN
        if (value.lower is None or number > value.lower or (value.lower_inc and number == value.lower))
        and (value.upper is None or number < value.upper or (value.upper_inc and number == value.upper))
    }


@given(ranges, ranges)
def test_ranges_of_whole_numbers_are_what_they_hold(left: Range[int], right: Range[int]) -> None:
    assert (left == right) is (members(left) == members(right))
    assert hash(left) == hash(right) or left != right
    assert (right in left) is (members(right) <= members(left))
    assert [number for number in DOMAIN if number in left] == sorted(members(left))
    assert left.isempty is (not members(left)) is not bool(left)


@given(ranges)
def test_ranges_are_copied_pickled_and_made_of_their_dict(value: Range[int]) -> None:
    for again in (
        copy.deepcopy(value),
        pickle.loads(pickle.dumps(value)),
        Range(**value.to_dict()),
        eval(repr(value)),
    ):
        assert (again, again.bounds, again.empty) == (value, value.bounds, value.empty)


def test_ranges_of_fractions_mind_their_bounds() -> None:
    assert Range(Decimal(1), Decimal(5), "[]") != Range(Decimal(1), Decimal(6))
    assert Range(Decimal(1), Decimal(1)) == Range(empty=True)
    assert Decimal(5) not in Range(Decimal(1), Decimal(5))
    assert Range(Decimal(1), Decimal(5), "()") not in Range(Decimal(2), Decimal(5))
    assert Range(date(2024, 1, 1), date(2024, 1, 31), "[]") == Range(date(2024, 1, 1), date(2024, 2, 1))
    assert Range(date(2024, 1, 1), date.max, "[]") == Range(date(2024, 1, 1), date.max, "[]")


def test_bounds_that_are_none_do_not_belong_to_a_range() -> None:
    assert Range(None, 5, "[]").bounds == "(]"
    assert str(Range(1, None, "[]")) == "[1, )"
    assert (str(Range[int](empty=True)), repr(Range[int](empty=True))) == ("empty", "Range(empty=True)")
    assert (Range(1).upper_inf, Range(1).lower_inf, Range[int](empty=True).upper_inf) == (True, False, False)


def test_ranges_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Range(1, 2).lower = 5  # type: ignore[misc]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Range(5, 1),
        lambda: Range(1, 2, "x"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        lambda: Range(1, empty=True),
    ],
)  # type: ignore[arg-type]
def test_ranges_that_cannot_be_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"range|bounds"):
        make()


# -- the fields


@on_postgresql
class TestValues:
    @pytest.fixture(autouse=True)
    async def tables(self, tables: None) -> None:
        """The tables are there."""

    async def test_every_type_comes_back_equal_and_is_found(self) -> None:
        for name, values in VALUES.items():
            for value in values:
                made = await RangeEvent.objects.create(**{name: value})
                found = getattr(await RangeEvent.objects.get(pk=made.pk), name)
                assert (found, type(found.lower)) == (value, type(value.lower))
                assert await RangeEvent.objects.filter(**{name: value}).get() == made
                assert await RangeEvent.objects.filter(**{f"{name}__in": [value]}).get() == made
                assert (
                    await RangeEvent.objects.exclude(**{f"{name}__in": [value]}).filter(pk=made.pk).count()
                    == 0
                )

    async def test_whole_numbers_and_days_come_back_in_one_form(self) -> None:
        await RangeEvent.objects.create(
            ages=Range(1, 4, "(]"), days=Range(date(2024, 1, 1), date(2024, 1, 31), "[]")
        )
        found = await RangeEvent.objects.get()
        assert repr(found.ages) == "Range(2, 5, '[)')"
        assert found.days is not None
        assert (found.days.upper, found.days.bounds) == (date(2024, 2, 1), "[)")
        assert await RangeEvent.objects.filter(ages=Range(2, 5)).exists()

    async def test_bulk_create_and_bulk_update_keep_ranges(self) -> None:
        rows = [RangeEvent(**{name: value}) for name, values in VALUES.items() for value in [*values, None]]
        await RangeEvent.objects.bulk_create(rows)
        found = await RangeEvent.objects.order_by("pk")
        names = list(VALUES)
        assert [[getattr(row, name) for name in names] for row in found] == [
            [getattr(row, name) for name in names] for row in rows
        ]
        for row in found:
            row.ages, row.price, row.days = Range(7, 9), None, Range(date(2024, 1, 1), date(2024, 1, 2))
        await RangeEvent.objects.bulk_update(found, ["ages", "price", "days"])
        assert await RangeEvent.objects.filter(
            ages=Range(7, 9), price=None, days__isempty=False
        ).count() == len(rows)

    async def test_update_and_upserts_take_ranges(self) -> None:
        made = await RangeEvent.objects.create(ages=Range(1, 2), other=Range(5, 6))
        await RangeEvent.objects.update(ages=F("other"), other=Range(empty=True))
        await made.refresh()
        assert (made.ages, made.other) == (Range(5, 6), Range(empty=True))
        await RangeEvent.objects.bulk_create(
            [RangeEvent(pk=made.pk, ages=Range(None, 3))],
            update_conflicts=True,
            update_fields=["ages"],
            unique_fields=["id"],
        )
        assert await RangeEvent.objects.values_list("ages", "ages__endswith") == [(Range(None, 3), 3)]

    async def test_values_of_the_wrong_type_are_refused_with_the_name_of_the_field(self) -> None:
        for name, value, said in (
            ("ages", (1, 5), r"takes a Range\(lower, upper\)"),
            ("ages", Range("a", "b"), "takes an int"),
            ("days", Range(NOON), "takes a"),
            ("moments", Range(datetime(2024, 1, 1)), "RangeEvent.moments"),
            ("ages", Range(1 << 31), "RangeEvent.ages"),
        ):
            with pytest.raises((FieldError, DataError), match=said):
                await RangeEvent.objects.create(**{name: value})
            with pytest.raises((FieldError, DataError), match=f"RangeEvent.{name}"):
                await RangeEvent.objects.filter(**{f"{name}__overlap": value})

    async def test_rows_are_dumped_and_loaded(self) -> None:
        for name, values in VALUES.items():
            for value in values:
                await RangeEvent.objects.create(**{name: value})
        before = await RangeEvent.objects.order_by("pk").values()
        items: list[dict[str, Any]] = []
        await dump_data([RangeEvent], items.append)
        await RangeEvent.objects.all().delete()
        await load_data(read_items(io.StringIO(json.dumps(items)), "f.json"))
        assert await RangeEvent.objects.order_by("pk").values() == before

    async def test_defaults_of_the_database_and_constraints_hold_ranges(self, database: Backend) -> None:
        class RangeDefault(models.Model):
            ages = IntegerRangeField(db_default=Range(1, 5))
            price = DecimalRangeField(default=Range(Decimal(1)))

            class Meta:
                constraints = [
                    models.CheckConstraint(condition=Q(ages__contained_by=Range(0, 100)), name="mortal")
                ]

        await create_tables(RangeDefault)
        made = await RangeDefault.objects.create()
        assert (made.ages, made.price) == (Range(1, 5), Range(Decimal(1)))
        with pytest.raises(ValidationError, match="mortal"):
            await RangeDefault(ages=Range(5, 200)).full_clean()


def bound(value: int | None, low: bool) -> float:
    return float("-inf" if low else "inf") if value is None else value


def canonical(value: Range[int]) -> tuple[float, float] | None:
    """First number, and the first behind the last; None for an empty range."""
    found = members(value)
    if not found:
        return None
    return (
        bound(None if value.lower is None else min(found), True),
        bound(None if value.upper is None else max(found) + 1, False),
    )


Ends = tuple[float, float]
Between = Callable[[Ends, Ends], bool]
# PostgreSQL says of an empty range that it is beside, before and behind nothing.
BETWEEN: dict[str, Between] = {
    "overlap": lambda left, right: left[0] < right[1] and right[0] < left[1],
    "fully_lt": lambda left, right: left[1] <= right[0],
    "fully_gt": lambda left, right: left[0] >= right[1],
    "not_lt": lambda left, right: left[0] >= right[0],
    "not_gt": lambda left, right: left[1] <= right[1],
    "adjacent_to": lambda left, right: left[1] == right[0] or left[0] == right[1],
}


@on_postgresql
class TestLookups:
    @pytest.fixture(autouse=True)
    async def tables(self, tables: None) -> None:
        """The tables are there."""

    async def test_lookups_and_their_negations_find_what_python_finds(self) -> None:
        draw = random.Random(11)

        def some() -> Range[int]:
            if draw.random() < 0.1:
                return Range(empty=True)
            ends = [None if draw.random() < 0.15 else draw.randrange(-6, 7) for _ in range(2)]
            return make(ends[0], ends[1], draw.choice(["[)", "[]", "(]", "()"]))

        rows = [None if number % 9 == 0 else some() for number in range(60)]
        await RangeEvent.objects.bulk_create(
            [RangeEvent(pk=pk, ages=each, age=pk % 7) for pk, each in enumerate(rows)]
        )

        async def check(name: str, right: Any, expected: Callable[[Range[int]], bool]) -> None:
            holds = [pk for pk, each in enumerate(rows) if each is not None and expected(each)]
            query = RangeEvent.objects.order_by("pk")
            assert await query.filter(**{name: right}).values_list("pk", flat=True) == holds, (name, right)
            fails = [pk for pk in range(len(rows)) if pk not in holds]
            assert await query.exclude(**{name: right}).values_list("pk", flat=True) == fails, (name, right)

        for _ in range(12):
            right = some()
            ends = canonical(right)
            await check("ages", right, lambda each, right=right: each == right)
            await check("ages__contains", right, lambda each, right=right: right in each)
            await check("ages__contained_by", right, lambda each, right=right: each in right)
            for lookup, holds in BETWEEN.items():
                await check(
                    f"ages__{lookup}",
                    right,
                    lambda each, ends=ends, holds=holds: (
                        ends is not None and (own := canonical(each)) is not None and holds(own, ends)
                    ),
                )
        for number in (-3, 0, 5):
            await check("ages__contains", number, lambda each, number=number: number in each)
            await check(
                "ages__startswith",
                number,
                lambda each, number=number: (canonical(each) or (None,))[0] == number,
            )
            await check(
                "ages__endswith__lt",
                number,
                lambda each, number=number: (canonical(each) or (0, float("inf")))[1] < number,
            )
        await check("ages__isempty", True, lambda each: each.isempty)
        await check("ages__isempty", False, lambda each: not each.isempty)
        await check("ages__lower_inf", True, lambda each: each.lower_inf)
        await check("ages__upper_inf", True, lambda each: each.upper_inf)
        await check("ages__lower_inc", True, lambda each: not each.isempty and each.lower is not None)
        await check("ages__upper_inc", True, lambda each: False)
        await check("ages__in", [rows[1], rows[2]], lambda each: each in (rows[1], rows[2]))  # type: ignore[comparison-overlap]
        holds = [pk for pk, each in enumerate(rows) if each is not None and pk % 7 in each]
        assert (
            await RangeEvent.objects.filter(ages__contains=F("age"))
            .order_by("pk")
            .values_list("pk", flat=True)
            == holds
        )

    async def test_columns_of_other_types_and_queries_stand_on_the_right_side(self) -> None:
        made = await RangeEvent.objects.create(
            ages=Range(1, 5),
            other=Range(2, 3),
            big=Range(0, 1 << 40),
            days=Range(date(2024, 1, 1)),
            age=4,
            small=3,
        )
        for condition in (
            Q(ages__contains=F("other")), Q(other__contained_by=F("ages")), Q(ages__overlap=F("other")),
            Q(ages__contains=F("small")), Q(big__contains=F("age")), Q(big__contains=1 << 39),
            Q(ages__contains=F("ages__startswith")), Q(ages__startswith__lt=F("age")),
            Q(ages__contains=RangeEvent.objects.values("age")[:1]),
            Q(days__startswith__year=2024), Q(ages__gt=Range(0, 9)),
        ):  # fmt: skip
            assert await RangeEvent.objects.filter(condition).get() == made, condition
        around = RangeEvent.objects.filter(ages__contains=OuterRef("age"))
        assert await RangeEvent.objects.filter(models.Exists(around)).count() == 1
        for condition in (
            Q(ages__overlap=F("big")),
            Q(ages__contained_by=F("age")),
            Q(ages__contains=F("days")),
        ):
            with pytest.raises(FieldError, match="takes a range of its own type"):
                await RangeEvent.objects.filter(condition)

    async def test_plain_values_are_looked_for_in_ranges(self) -> None:
        for age in (1, 4, 5):
            await RangeEvent.objects.create(age=age, small=age, ages=Range(0, age))
        ages = RangeEvent.objects.order_by("age").values_list("age", flat=True)
        assert await ages.filter(age__contained_by=Range(2, 5, "[]")) == [4, 5]
        assert await ages.filter(small__contained_by=Range(None, 5)) == [1, 4]
        assert await ages.exclude(small__contained_by=Range(None, 5)) == [5]
        assert await ages.filter(pk__contained_by=Range(empty=True)) == []
        assert await ages.filter(age__contained_by=F("ages")) == []
        assert await ages.filter(ages__startswith__contained_by=Range(0, 1)) == [1, 4, 5]
        with pytest.raises(FieldError, match="takes a Range"):
            await ages.filter(age__contained_by=(1, 5))

    async def test_bounds_of_times_and_decimals_decide(self) -> None:
        await RangeEvent.objects.create(
            moments=Range(NOON, NOON + timedelta(hours=1)), price=Range(Decimal("0.5"), Decimal(1), "(]")
        )
        found = RangeEvent.objects
        assert await found.filter(moments__contains=NOON).count() == 1
        assert await found.filter(moments__contains=NOON + timedelta(hours=1)).count() == 0
        assert await found.filter(moments__endswith=NOON + timedelta(hours=1)).count() == 1
        assert (
            await found.filter(
                price__contains=Decimal(1), price__upper_inc=True, price__lower_inc=False
            ).count()
            == 1
        )
        assert await found.filter(price__contains=Decimal("0.5")).count() == 0
        assert await found.values_list("price__startswith", "moments__startswith") == [(Decimal("0.5"), NOON)]

    async def test_typed_columns_say_the_same_lookups(self) -> None:
        made = await RangeEvent.objects.create(ages=Range(1, 5), price=Range(None, Decimal(2)))
        for condition in (
            RangeEvent.ages.contains(3), RangeEvent.ages.contains(Range(2, 3)), RangeEvent.ages.contained_by(Range(0, 9)),
            RangeEvent.ages.overlap(Range(4)), RangeEvent.ages.fully_lt(Range(5, 6)), RangeEvent.ages.fully_gt(Range(None, 1)),
            RangeEvent.ages.not_lt(Range(1, 2)), RangeEvent.ages.not_gt(Range(1, 5)), RangeEvent.ages.adjacent_to(Range(5)),
            RangeEvent.ages.startswith == 1, RangeEvent.ages.endswith > 4, RangeEvent.ages.isempty(False),
            RangeEvent.ages.lower_inc(), RangeEvent.ages.upper_inc(False), RangeEvent.ages.lower_inf(False),
            RangeEvent.price.lower_inf(), RangeEvent.price.upper_inf(False), RangeEvent.ages == Range(1, 4, "[]"),
        ):  # fmt: skip
            assert await RangeEvent.objects.filter(condition).get() == made, condition

    @pytest.mark.parametrize(
        "name", ["ages__icontains", "ages__has_key", "ages__0", "ages__len", "ages__startswith__contains"]
    )
    async def test_what_ranges_do_not_have_is_refused(self, name: str) -> None:
        with pytest.raises(FieldError):
            await RangeEvent.objects.filter(**{name: 1})


class TestCleaning:
    def test_ranges_are_made_of_dicts_and_their_text(self) -> None:
        days = DateRangeField()
        expected = Range(date(2024, 1, 1), date(2024, 1, 5), "[]")
        given = {"lower": "2024-01-01", "upper": "2024-01-05", "bounds": "[]"}
        assert days.clean(given, None) == days.clean(json.dumps(given), None) == expected
        assert days.clean({"empty": True}, None) == Range(empty=True)
        assert DecimalRangeField().clean(Range(1, 2), None) == Range(Decimal(1), Decimal(2))

    @pytest.mark.parametrize(
        "value", ["x", "[1, 2]", 5, {"lower": 5, "upper": 1}, {"lower": 1, "bounds": "x"}, {"low": 1},
                  {"empty": True, "lower": 1}],
    )  # fmt: skip
    def test_what_is_no_range_is_invalid(self, value: Any) -> None:
        with pytest.raises(ValidationError, match="Enter two bounds"):
            IntegerRangeField().clean(value, None)

    def test_bounds_are_checked_as_their_type_is(self) -> None:
        with pytest.raises(ValidationError, match="Enter a whole number"):
            IntegerRangeField().clean({"lower": "x"}, None)
        with pytest.raises(ValidationError, match="2147483647"):
            IntegerRangeField().clean(Range(0, 1 << 40), None)

    def test_validators_look_at_the_bounds(self) -> None:
        above, below = RangeMinValueValidator(0), RangeMaxValueValidator(10)
        for fine in (Range(0, 10), Range(5, 6), Range[int](empty=True)):
            above(fine)
            below(fine)
        for wrong in (Range(-1, 5), Range(None, 5)):
            with pytest.raises(ValidationError, match="This must not begin before 0"):
                above(wrong)
        for wrong in (Range(1, 11), Range(1)):
            with pytest.raises(ValidationError, match="This must not end after 10"):
                below(wrong)


def test_fields_and_ranges_are_written_into_migrations() -> None:
    field = IntegerRangeField(null=True, db_default=Range(1, 5, "[]"))
    assert serialize(field).layout().split() == [
        "transom.db.postgres.IntegerRangeField(",
        "db_default=transom.db.postgres.Range(1,",
        "5,",
        'bounds="[]"),',
        "null=True,",
        ")",
    ]
    assert serialize(Range[int](empty=True)).layout() == "transom.db.postgres.Range(empty=True)"


@on_others
async def test_other_databases_refuse_ranges(database: Backend) -> None:
    for ask in (
        create_tables(RangeEvent),
        RangeEvent.objects.all(),
        RangeEvent.objects.filter(ages__contains=1),
    ):
        with pytest.raises(
            FieldError,
            match=rf"RangeEvent\.ages: a range is PostgreSQL's alone, and {database.vendor} has none; take",
        ):
            await ask
