"""Each kind of column: what goes in comes out, alike on every database, and what does not fit is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import ip_address
from typing import Any

import pytest

from transom.db import CheckViolation, DataError, FieldError, create_tables, models
from transom.db.backends.base import Backend
from transom.db.migrations.model_state import clone_field
from transom.validators import ValidationError


class Sample(models.Model):
    id = models.SmallAutoField(primary_key=True)
    data = models.BinaryField(null=True)
    day = models.DateField(null=True)
    hour = models.TimeField(null=True)
    span = models.DurationField(null=True)
    email = models.EmailField(null=True)
    slug = models.SlugField(null=True)
    link = models.URLField(null=True)
    address = models.GenericIPAddressField(null=True)
    small = models.PositiveSmallIntegerField(null=True)
    count = models.PositiveIntegerField(null=True)
    large = models.PositiveBigIntegerField(null=True)


class Log(models.Model):
    day = models.DateField(auto_now_add=True)
    hour = models.TimeField(auto_now=True)


VALUES: list[tuple[str, list[Any]]] = [
    ("data", [b"", b"\x00\xff'\\x", bytes(range(256))]),
    ("day", [date(2026, 7, 14), date.min, date.max]),
    ("hour", [time(9, 30), time(23, 59, 59, 999999), time()]),
    ("span", [timedelta(), timedelta(days=-3, microseconds=1), timedelta(days=100_000, hours=5)]),
    ("email", ["ada@example.com"]),
    ("slug", ["a-slug"]),
    ("link", ["https://example.com/"]),
    ("address", ["192.0.2.1", "2001:db8::1"]),
    ("small", [0, 32767]),
    ("count", [0, 2**31 - 1]),
    ("large", [0, 2**63 - 1]),
]


@pytest.mark.parametrize(("name", "values"), VALUES)
async def test_values_come_back_as_they_went(database: Backend, name: str, values: list[Any]) -> None:
    await create_tables(Sample)
    for value in values:
        made = await Sample.objects.create(**{name: value})
        found = await Sample.objects.get(**{name: value})
        assert (found.pk, getattr(found, name)) == (made.pk, value)
        assert type(getattr(found, name)) is type(value)
    await Sample.objects.bulk_create([Sample(**{name: value}) for value in [*values, None]])
    rows = await Sample.objects.order_by("pk").values_list(name, flat=True)
    assert rows == [*values, *values, None]


async def test_order_and_ranges(database: Backend) -> None:
    await create_tables(Sample)
    days = [date(2026, 1, 2), date(999, 1, 1), date(2025, 12, 31)]
    await Sample.objects.bulk_create([Sample(day=day, span=day - date.min) for day in days])
    assert await Sample.objects.order_by("day").values_list("day", flat=True) == sorted(days)
    assert await Sample.objects.filter(day__range=(date(2025, 1, 1), date(2026, 1, 1))).count() == 1
    assert await Sample.objects.filter(day__in=days[:2]).count() == 2
    assert await Sample.objects.filter(span__gt=timedelta(days=700_000)).count() == 2


async def test_an_address_has_one_form(database: Backend) -> None:
    await create_tables(Sample)
    await Sample.objects.create(address="2001:DB8:0::1")
    found = await Sample.objects.get(address=ip_address("2001:db8::1"))
    assert found.address == "2001:db8::1"
    assert await Sample.objects.filter(address__in=["2001:db8:0:0::1"]).exists()


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("data", "text", FieldError),
        ("day", datetime(2026, 1, 1, tzinfo=UTC), FieldError),
        ("day", "2026-01-01", FieldError),
        ("hour", time(9, tzinfo=UTC), FieldError),
        ("span", 5, FieldError),
        ("span", timedelta.max, DataError),
        ("address", "nowhere", DataError),
        ("address", 5, FieldError),
        ("small", -1, DataError),
        ("small", 32768, DataError),
        ("count", 2**31, DataError),
        ("large", 2**63, DataError),
        ("link", "x" * 201, DataError),
    ],
)
async def test_what_does_not_fit_is_refused(
    database: Backend, name: str, value: Any, error: type[Exception]
) -> None:
    await create_tables(Sample)
    with pytest.raises(error, match=f"Sample.{name}"):
        await Sample.objects.create(**{name: value})


async def test_the_database_refuses_negative_numbers_too(database: Backend) -> None:
    await create_tables(Sample)
    for column in ("small", "count", "large"):
        with pytest.raises(CheckViolation) as caught:
            await database.execute(f"INSERT INTO {Sample._meta.db_table} ({column}) VALUES (-1)")
        assert caught.value.constraint == f"ck_{Sample._meta.db_table}_{column}"


async def test_automatic_days_and_hours(database: Backend) -> None:
    await create_tables(Log)
    before = datetime.now(UTC)
    made = await Log.objects.create()
    assert made.day in (before.date(), datetime.now(UTC).date())
    first = made.hour
    await made.save()
    assert made.hour != first


def test_lookups_into_bytes_are_refused() -> None:
    with pytest.raises(FieldError, match=r"Sample\.data has no lookup 'contains'"):
        Sample.objects.filter(data__contains=b"x")


def named(field: models.Field[Any]) -> models.Field[Any]:
    field.set_name("it")
    return field


@pytest.mark.parametrize(
    "field",
    [
        models.BinaryField(max_length=3, editable=True),
        models.DateField(auto_now=True),
        models.TimeField(auto_now_add=True, null=True),
        models.DurationField(default=timedelta(1)),
        models.EmailField(max_length=9),
        models.SlugField(allow_unicode=True, db_index=False),
        models.URLField(),
        models.GenericIPAddressField(protocol="IPv6"),
        models.GenericIPAddressField(unpack_ipv4=True),
        models.PositiveIntegerField(db_default=3),
        models.DateTimeField(db_default=models.Now()),
        models.CharField(
            max_length=1, choices=[("a", "A")], validators=[print], error_messages={"null": "x"}
        ),
    ],
)
def test_a_field_can_be_made_again_from_its_parts(field: models.Field[Any]) -> None:
    made = clone_field(named(field))
    assert type(made) is type(field)
    assert made.deconstruct()[1:] == field.deconstruct()[1:]


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        (models.BinaryField(), "AAE=", b"\x00\x01"),
        (models.BooleanField(), "False", False),
        (models.DateField(), "2026-07-14", date(2026, 7, 14)),
        (models.DateTimeField(), "2026-07-14T09:30Z", datetime(2026, 7, 14, 9, 30, tzinfo=UTC)),
        (models.TimeField(), "09:30", time(9, 30)),
        (models.DurationField(), "2 days, 1:30:00.5", timedelta(2, 5400, 500000)),
        (models.DurationField(), str(timedelta(-1, 5)), timedelta(-1, 5)),
        (models.FloatField(), "1.5", 1.5),
        (models.DecimalField(max_digits=4, decimal_places=2), "1.5", Decimal("1.5")),
        (models.IntegerField(), "5", 5),
        (models.GenericIPAddressField(unpack_ipv4=True), "::ffff:192.0.2.1", "192.0.2.1"),
        (models.CharField(max_length=3), 5, "5"),
    ],
)  # fmt: skip
def test_text_becomes_a_value_of_the_field(field: models.Field[Any], text: Any, value: Any) -> None:
    found = field.to_python(text)
    assert (found, type(found)) == (value, type(value))
    assert field.to_python(value) == value
    assert field.to_python(None) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (models.BinaryField(), "?"),
        (models.BooleanField(), "maybe"),
        (models.DateField(), "14.7.2026"),
        (models.DateField(), datetime(2026, 1, 1)),
        (models.DateTimeField(), "2026-07-14T09:30"),
        (models.TimeField(), "25:00"),
        (models.DurationField(), "soon"),
        (models.DurationField(), "999999999999 days, 0:00:00"),
        (models.FloatField(), "x"),
        (models.DecimalField(max_digits=4, decimal_places=2), "x"),
        (models.IntegerField(), "1.5"),
        (models.IntegerField(), 1.5),
        (models.UUIDField(), "x"),
        (models.GenericIPAddressField(), "x"),
    ],
)
def test_what_is_no_value_of_the_field_is_not_valid(field: models.Field[Any], value: Any) -> None:
    with pytest.raises(ValidationError):
        field.to_python(value)


def test_wrong_options_are_refused() -> None:
    with pytest.raises(TypeError, match="protocol='v4'"):
        models.GenericIPAddressField(protocol="v4")
    with pytest.raises(TypeError, match="needs protocol='both'"):
        models.GenericIPAddressField(protocol="IPv4", unpack_ipv4=True)
    with pytest.raises(TypeError, match="drop default"):
        models.DateField(auto_now=True, default=date.today)


class Doubled(models.IntegerField[int]):
    """A field of an application, which migrations import from there."""


def test_a_field_of_ones_own_is_made_again_from_its_module() -> None:
    made = clone_field(named(Doubled(default=3)))
    assert type(made) is Doubled
    assert named(Doubled()).deconstruct()[1].endswith("test_fields_scalars.Doubled")
