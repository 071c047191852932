"""Exclusion constraints over ranges, in the database and in `full_clean()`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from transom.db import ExclusionViolation, F, FieldError, Q, create_tables, models
from transom.db.backends.base import Backend
from transom.db.migrations.serializer import serialize
from transom.db.models import Value
from transom.db.postgres import (
    DateRange,
    DateTimeRangeField,
    Int4Range,
    Int8Range,
    IntegerRangeField,
    NumRange,
    Range,
    RangeBoundary,
    RangeOperators,
    TsTzRange,
)
from transom.validators import ValidationError

pytestmark = pytest.mark.parametrize(
    "database_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


def hours(first: int, end: int) -> Range[datetime]:
    return Range(NOON + timedelta(hours=first), NOON + timedelta(hours=end))


class ExclusionBooking(models.Model):
    room = models.CharField(max_length=10)
    span = DateTimeRangeField(null=True, blank=True)
    cancelled = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.ExclusionConstraint(
                expressions=[("room", RangeOperators.EQUAL), (F("span"), RangeOperators.OVERLAPS)],
                condition=Q(cancelled=False),
                name="no_double_booking",
                violation_error_message="The room is taken.",
            )
        ]


class ExclusionShift(models.Model):
    worker = models.IntegerField()
    begins = models.DateTimeField()
    ends = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.ExclusionConstraint(
                expressions=[
                    ("worker", "="),
                    (
                        TsTzRange("begins", "ends", RangeBoundary(inclusive_upper=True)),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                name="one_shift_at_a_time",
            )
        ]


@pytest.fixture
async def tables(database: Backend) -> None:
    await database.execute("CREATE EXTENSION btree_gist")
    await create_tables(ExclusionBooking, ExclusionShift)


async def test_rows_that_overlap_are_refused_by_the_database_and_by_full_clean(tables: None) -> None:
    await ExclusionBooking.objects.create(room="a", span=hours(0, 2))
    for fine in (
        ExclusionBooking(room="b", span=hours(1, 3)),
        ExclusionBooking(room="a", span=hours(2, 3)),
        ExclusionBooking(room="a", span=hours(1, 3), cancelled=True),
        ExclusionBooking(room="a", span=None),
    ):
        await fine.full_clean()
        await fine.save()
        await fine.full_clean()  # a row is no rival of its own
    wrong = ExclusionBooking(room="a", span=hours(1, 3))
    with pytest.raises(ValidationError, match=r"The room is taken\."):
        await wrong.full_clean()
    with pytest.raises(ExclusionViolation) as caught:
        await wrong.save()
    assert caught.value.constraint == "no_double_booking"


async def test_ranges_made_of_columns_are_compared(tables: None) -> None:
    await ExclusionShift.objects.create(worker=1, begins=NOON, ends=NOON + timedelta(hours=1))
    open_end = ExclusionShift(worker=1, begins=NOON - timedelta(days=1), ends=None)
    touching = ExclusionShift(worker=1, begins=NOON + timedelta(hours=1), ends=NOON + timedelta(hours=2))
    for wrong in (open_end, touching):
        with pytest.raises(ValidationError, match="one_shift_at_a_time"):
            await wrong.full_clean()
        with pytest.raises(ExclusionViolation):
            await wrong.save()
    open_end.worker = 2
    await open_end.full_clean()
    await open_end.save()


async def test_ranges_are_made_of_columns_values_and_none(tables: None) -> None:
    await ExclusionShift.objects.create(worker=3, begins=NOON, ends=NOON + timedelta(hours=1))
    rows = ExclusionShift.objects.annotate(
        span=TsTzRange("begins", "ends"),
        four=Int4Range("worker", 9, RangeBoundary(False, True)),
        eight=Int8Range(F("worker") - 1, None),
        number=NumRange(None, "worker", Value("(]")),
        days=DateRange(F("begins__date"), None),
    )
    found = await rows.values("span", "four", "eight", "number", "days")
    assert found == [
        {
            "span": hours(0, 1),
            "four": Range(4, 10),
            "eight": Range(2),
            "number": Range(None, Decimal(3), "(]"),
            "days": Range(NOON.date()),
        }
    ]
    assert await rows.filter(four__contains=9, span__contains=NOON, eight__startswith=2).count() == 1
    assert await rows.filter(four__contains=F("worker")).count() == 0
    assert await rows.filter(span__overlap=TsTzRange("begins", None)).count() == 1


def test_constraints_of_expressions_are_written_into_migrations(database_url: str) -> None:
    (constraint,) = ExclusionShift._meta.constraints
    source = serialize(constraint).layout()
    assert "models.ExclusionConstraint(" in source
    assert "transom.db.postgres.range_functions.TsTzRange(" in source
    made = eval(source, {"models": models, "transom": __import__("transom")})
    assert serialize(made.for_model(ExclusionShift._meta)).layout() == source


@pytest.mark.parametrize(
    ("expressions", "options", "error"),
    [
        ([("span", "; DROP TABLE x")], {}, TypeError),
        ([(TsTzRange("a", "b"), "&&")], {"opclasses": ["x"]}, TypeError),
    ],
)
def test_wrong_declarations_are_refused(
    database_url: str, expressions: Any, options: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        models.ExclusionConstraint(expressions=expressions, **options)


async def test_expressions_through_relations_are_refused(database: Backend) -> None:
    class ExclusionFar(models.Model):
        booking = models.ForeignKey(ExclusionBooking, models.CASCADE)
        ages = IntegerRangeField()

        class Meta:
            constraints = [models.ExclusionConstraint(expressions=[(F("booking__span"), "&&")], name="far")]

    with pytest.raises(FieldError):
        await create_tables(ExclusionFar)
