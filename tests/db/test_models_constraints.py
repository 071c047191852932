"""Indexes and constraints of `class Meta` in the database: what is created, what is refused, and by what name."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from transom.db import (
    CheckViolation,
    ExclusionViolation,
    F,
    FieldError,
    IntegrityError,
    Q,
    UniqueViolation,
    atomic,
    create_tables,
    models,
)
from transom.db.backends.base import Backend
from transom.db.migrations import ddl
from transom.db.models import Case, Value, When
from transom.db.models.functions import Coalesce, Lower, Now, Upper
from transom.db.models.indexes import expression_names
from transom.db.sql.metadata import Vendor
from transom.validators import ValidationError


class Room(models.Model):
    building = models.CharField(max_length=10)
    number = models.IntegerField()
    nickname = models.CharField(max_length=10, null=True)
    main = models.BooleanField(default=False)
    size = models.IntegerField(default=10)
    used = models.IntegerField(default=0)

    class Meta:
        app_label = "hotel"
        unique_together = [("building", "number")]
        indexes = [
            models.Index(fields=["building", "-size"]),
            models.Index(fields=["number"], condition=Q(main=True), name="main_numbers"),
            models.Index(F("size") - F("used"), name="free"),
            models.Index(fields=["size"], include=["used"], name="size_used"),
            models.BrinIndex(fields=["number"], pages_per_range=4),
            models.HashIndex(fields=["building"]),
            models.GinIndex(fields=["tags"], opclasses=["jsonb_path_ops"]),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(used__lte=F("size")) & ~Q(building="it's 100%"), name="fits"),
            models.UniqueConstraint(fields=["building"], condition=Q(main=True), name="one_main"),
            models.UniqueConstraint(fields=["nickname", "size"], nulls_distinct=False, name="nicknames"),
            models.UniqueConstraint(F("number") + F("size"), name="sums"),
        ]

    tags = models.JSONField(default=list)


async def test_tables_are_created_with_all_of_them(database: Backend) -> None:
    if database.vendor == "mysql":
        pytest.skip("a Room is unique under a condition, which MariaDB cannot hold")
    await create_tables(Room)
    catalogue = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
        "postgresql": "SELECT indexname FROM pg_indexes WHERE tablename = 'hotel_room' AND indexname NOT LIKE 'pk%'",
    }
    names = {row[0] for row in await database.fetch(catalogue[database.vendor])}
    everywhere = {
        "ix_hotel_room_building_size_desc",
        "main_numbers",
        "free",
        "size_used",
        "one_main",
        "nicknames",
        "sums",
        "uq_hotel_room_building_number",
    }
    special = {"ix_hotel_room_number_brin", "ix_hotel_room_building_hash", "ix_hotel_room_tags_gin"}
    assert names == (everywhere if database.vendor == "sqlite" else everywhere | special)


@pytest.mark.parametrize(
    ("values", "error", "name"),
    [
        ({"number": 1, "nickname": "z", "size": 50}, UniqueViolation, "uq_hotel_room_building_number"),
        ({"number": 2, "used": 99}, CheckViolation, "fits"),
        ({"number": 2, "building": "it's 100%"}, CheckViolation, "fits"),
        ({"number": 2, "main": True, "nickname": "z", "size": 50}, UniqueViolation, "one_main"),
        ({"number": 2}, UniqueViolation, "nicknames"),
        ({"number": 3, "size": 8, "nickname": "z"}, UniqueViolation, "sums"),
    ],
)
async def test_violations_name_the_constraint(
    database: Backend, values: dict[str, Any], error: type[Any], name: str
) -> None:
    if database.vendor == "mysql":
        pytest.skip("a Room is unique under a condition, which MariaDB cannot hold")
    await create_tables(Room)
    await Room.objects.create(building="a", number=1, main=True)
    with pytest.raises(error) as caught:
        await Room.objects.create(**{"building": "a", **values})
    assert caught.value.constraint == name


async def test_what_constraints_allow(database: Backend) -> None:
    if database.vendor == "mysql":
        pytest.skip("a Room is unique under a condition, which MariaDB cannot hold")
    await create_tables(Room)
    await Room.objects.create(building="a", number=1, main=True)
    await Room.objects.create(building="a", number=2, size=11)
    await Room.objects.create(building="a", number=5, size=12, nickname="x")
    await Room.objects.create(building="b", number=1, size=30, main=True)
    assert await Room.objects.count() == 4


async def test_a_deferred_constraint_is_checked_at_the_end(database: Backend) -> None:
    class Seat(models.Model):
        place = models.IntegerField()

        class Meta:
            constraints = [
                models.UniqueConstraint(fields=["place"], deferrable=models.Deferrable.DEFERRED, name="place")
            ]

    if database.vendor == "mysql":
        with pytest.raises(FieldError, match=r"place is checked at once.*drop deferrable"):
            await create_tables(Seat)
        return
    await create_tables(Seat)
    await Seat.objects.bulk_create([Seat(place=1), Seat(place=2)])
    if database.vendor == "postgresql":
        async with atomic():
            await Seat.objects.filter(place=1).update(place=2)
            await Seat.objects.filter(pk=2).update(place=1)
        assert await Seat.objects.order_by("pk").values_list("place", flat=True) == [2, 1]
    with pytest.raises(UniqueViolation) as caught:
        async with atomic():
            await Seat.objects.filter(pk=1).update(place=1)
            await Seat.objects.filter(pk=2).update(place=1)
    assert caught.value.constraint == "place"


async def test_exclusion_constraints(database: Backend) -> None:
    class Booking(models.Model):
        guest = models.CharField(max_length=9)

        class Meta:
            constraints = [
                models.ExclusionConstraint(expressions=[("guest", "=")], index_type="hash", name="once")
            ]

    if database.vendor != "postgresql":
        with pytest.raises(FieldError, match="once needs PostgreSQL"):
            await create_tables(Booking)
        return
    await create_tables(Booking)
    await Booking.objects.create(guest="a")
    await Booking.objects.create(guest="b")
    with pytest.raises(ExclusionViolation) as caught:
        await Booking.objects.create(guest="a")
    assert caught.value.constraint == "once"


class Everything(models.Model):
    text = models.CharField(max_length=30, null=True)
    number = models.IntegerField(null=True)
    price = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    weight = models.FloatField(null=True)
    flag = models.BooleanField(null=True)
    moment = models.DateTimeField(null=True)
    day = models.DateField(null=True)
    hour = models.TimeField(null=True)
    code = models.UUIDField(null=True)
    raw = models.BinaryField(null=True)
    address = models.GenericIPAddressField(null=True)
    data = models.JSONField(null=True)


@pytest.mark.parametrize(
    ("condition", "allowed", "refused"),
    [
        (Q(text="it's \\ a 'quote' %s :x"), {"text": "it's \\ a 'quote' %s :x"}, {"text": "x"}),
        (Q(text__in=["a", "b"]), {"text": "b"}, {"text": "c"}),
        (Q(text__startswith="50%_"), {"text": "50%_!"}, {"text": "50xx"}),
        (Q(text__icontains="é'A"), {"text": "xé'ay"}, {"text": "xay"}),
        (~Q(text__contains="x"), {"text": "abc"}, {"text": "axc"}),
        (Q(number__range=(-3, 5)), {"number": -3}, {"number": 6}),
        (
            Q(number__gt=F("price") * 2),
            {"number": 5, "price": Decimal(2)},
            {"number": 4, "price": Decimal(2)},
        ),
        (Q(price__gte=Decimal("1.50")), {"price": Decimal("10")}, {"price": Decimal("1.49")}),
        (Q(weight__lt=1e-7), {"weight": 1e-8}, {"weight": 1.0}),
        (Q(flag=True), {"flag": True}, {"flag": False}),
        (
            Q(moment__gt=datetime(2026, 1, 1, tzinfo=UTC)),
            {"moment": datetime(2026, 1, 2, tzinfo=UTC)},
            {"moment": datetime(2025, 1, 1, tzinfo=UTC)},
        ),
        (Q(day__lt=date(2026, 1, 1)), {"day": date(2025, 1, 1)}, {"day": date(2027, 1, 1)}),
        (Q(hour=time(9, 30)), {"hour": time(9, 30)}, {"hour": time(9, 31)}),
        (Q(code=UUID(int=5)), {"code": UUID(int=5)}, {"code": UUID(int=6)}),
        (Q(raw=b"\x00'"), {"raw": b"\x00'"}, {"raw": b""}),
        (Q(address="192.0.2.1"), {"address": "192.0.2.1"}, {"address": "::1"}),
        (Q(Q(number=1) | Q(text=None)), {"number": 2}, {"number": 2, "text": "x"}),
    ],
)
async def test_values_in_conditions_are_what_they_are(
    database: Backend, condition: Q, allowed: dict[str, Any], refused: dict[str, Any]
) -> None:
    """DDL takes no parameters, so values are written into it."""

    checked = type(
        "Checked",
        (models.Model,),
        {
            "__module__": __name__,
            "Meta": type("Meta", (), {"constraints": [models.CheckConstraint(condition=condition)]}),
            **{field.name: field.clone() for field in Everything._meta.fields if not field.primary_key},
        },
    )
    await create_tables(checked)  # type: ignore[arg-type]
    model: Any = checked
    await model.objects.create(**allowed)
    with pytest.raises(CheckViolation) as caught:
        await model.objects.create(**refused)
    assert caught.value.constraint == model._meta.constraints[0].name


def statements(vendor: Vendor, **meta: Any) -> list[str]:
    """Return the statements after that of the table."""
    made = type(
        "Thing",
        (models.Model,),
        {
            "__module__": __name__,
            "Meta": type("Meta", (), meta),
            "a": models.IntegerField(),
            "b": models.IntegerField(null=True, db_column="bee"),
        },
    )
    return ddl.create_tables([made._meta], vendor)  # type: ignore[attr-defined]


def test_statements_come_in_one_order() -> None:
    indexes = [models.Index(fields=[name]) for name in ("b", "a")]
    assert [line.split()[2] for line in statements("sqlite", indexes=indexes)[1:]] == [
        "ix_test_models_constraints_thing_a",
        "ix_test_models_constraints_thing_b",
    ]


def test_what_postgresql_alone_knows_is_passed_over() -> None:
    index = models.GistIndex(fields=["a"], name="x", fillfactor=70)
    assert statements("sqlite", indexes=[index])[1:] == []
    assert statements("postgresql", indexes=[index])[1:] == [
        "CREATE INDEX x ON test_models_constraints_thing USING gist (a) WITH (fillfactor = 70)"
    ]
    covering = models.UniqueConstraint(fields=["a"], include=["b"], name="y")
    assert statements("sqlite", constraints=[covering])[1:] == [
        "CREATE UNIQUE INDEX y ON test_models_constraints_thing (a)"
    ]
    assert statements("postgresql", constraints=[covering])[1:] == [
        "CREATE UNIQUE INDEX y ON test_models_constraints_thing (a) INCLUDE (bee)"
    ]


def test_names_are_short_enough_and_tell_items_apart() -> None:
    fields = [f"a_rather_long_name_of_a_field_{number}" for number in range(3)]
    owner: Any = type("Owner", (), {"app_label": "x", "model_name": "y", "db_table": "x_y"})
    names = {
        models.Index(fields=chosen).for_model(owner).name for chosen in (fields, fields[::-1], fields[:1])
    }
    names |= {
        models.CheckConstraint(condition=condition).for_model(owner).name
        for condition in (Q(a=1), Q(a=2), Q(a__gt=1))
    }
    assert len(names) == 6
    assert max(len(name.encode()) for name in names) <= 63
    assert (
        models.Index(fields=fields).for_model(owner).name == models.Index(fields=fields).for_model(owner).name
    )


def test_names_may_speak_of_the_model() -> None:
    class Shelf(models.Model):
        a = models.IntegerField()

        class Meta:
            app_label = "shop"
            indexes = [models.Index(fields=["a"], name="%(app_label)s_%(class)s_a")]

    assert [index.name for index in Shelf._meta.indexes] == ["shop_shelf_a"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: models.Index(), "either expressions or fields"),
        (lambda: models.Index(F("a"), fields=["a"]), "either expressions or fields"),
        (lambda: models.Index(fields=["a"], opclasses=["x", "y"]), "one operator class for each"),
        (lambda: models.GinIndex(fields=["a"], opclasses=["x); DROP"]), "no operator class"),
        (lambda: models.GinIndex(fields=["a"], speed=3), "no option 'speed'"),
        (lambda: models.UniqueConstraint(), "either expressions or fields"),
        (
            lambda: models.UniqueConstraint(
                fields=["a"], condition=Q(a=1), deferrable=models.Deferrable.DEFERRED
            ),
            "deferrable UniqueConstraint takes neither",
        ),
        (lambda: models.ExclusionConstraint(expressions=[]), "at least one pair"),
        (lambda: models.ExclusionConstraint(expressions=[("a", "x")]), "'x' is no operator"),
        (lambda: models.ExclusionConstraint(expressions=[("a", "=")], index_type="a b"), "no kind of index"),
        (
            lambda: statements("sqlite", indexes=[models.Index(fields=["a"], name="x" * 64)]),
            "more than 63 bytes",
        ),
        (
            lambda: statements("sqlite", indexes=[models.Index(fields=[x], name="n") for x in "ab"]),
            "the name 'n'",
        ),
    ],
)
def test_wrong_declarations_are_refused(make: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        make()


@pytest.mark.parametrize(
    "meta",
    [
        {"indexes": [models.Index(fields=["nope"])]},
        {"constraints": [models.UniqueConstraint(fields=["nope"])]},
        {"constraints": [models.CheckConstraint(condition=Q(nope=1))]},
        {"constraints": [models.CheckConstraint(condition=Q(a__nope=1))]},
        {"constraints": [models.CheckConstraint(condition=Q(a__in=Room.objects.all()))]},
        {"unique_together": ["a", "nope"]},
    ],
)
def test_unknown_names_are_refused(meta: dict[str, Any]) -> None:
    with pytest.raises(FieldError):
        statements("sqlite", **meta)


def test_conditions_across_relations_are_refused() -> None:
    class Stay(models.Model):
        room = models.ForeignKey(Room, models.CASCADE)

        class Meta:
            constraints = [models.CheckConstraint(condition=Q(room__size__gt=3))]

    with pytest.raises(FieldError, match="only use its own columns, not room"):
        ddl.create_tables([Stay._meta], "sqlite")


async def test_functions_of_the_database_stand_in_indexes_and_constraints(database: Backend) -> None:
    class Word(models.Model):
        text = models.CharField(max_length=9)
        kind = models.IntegerField(default=0)
        low = models.GeneratedField(expression=Lower("text"), output_field=models.CharField(max_length=9))
        made = models.DateTimeField(db_default=Now())

        class Meta:
            indexes = [models.Index(Case(When(kind__gt=3, then="kind"), default=Value(0)), name="kinds")]
            constraints = [
                models.UniqueConstraint(Lower("text"), F("kind") + 1, name="words"),
                models.CheckConstraint(condition=~Q(text=Upper("text")), name="not_loud"),
            ]

    if database.vendor == "mysql":
        with pytest.raises(FieldError):
            await create_tables(Word)
        return
    await create_tables(Word)
    word = await Word.objects.create(text="Abc")
    await word.full_clean()
    assert word.low == "abc"
    for wrong, name in ((Word(text="aBC"), "words"), (Word(text="ABC", kind=2), "not_loud")):
        with pytest.raises(ValidationError):
            await wrong.full_clean()
        with pytest.raises(IntegrityError) as caught:
            await wrong.save()
        assert caught.value.constraint == name


def test_names_in_expressions_are_found() -> None:
    expression = Case(When(Q(a=1) | Q(b__gt=F("c")), then=Lower("d") + F("e")), default=Coalesce("f", "g"))
    assert expression_names(expression) == set("abcdefg")


def test_an_expression_that_is_no_default_of_a_column_is_refused() -> None:
    with pytest.raises(TypeError, match="must be a constant"):
        models.CharField(max_length=3, db_default=Lower("a"))  # type: ignore[call-overload]


async def test_mysql_has_the_rest(database: Backend) -> None:
    if database.vendor != "mysql":
        pytest.skip("the tests above are about this database")

    class Cabin(models.Model):
        deck = models.CharField(max_length=9)
        number = models.IntegerField()

        class Meta:
            app_label = "ship"
            indexes = [
                models.Index(fields=["-number"], name="by_number"),
                models.Index(fields=["number"], condition=models.Q(deck="a"), name="left_out"),
            ]
            constraints = [
                models.UniqueConstraint(fields=["deck", "number"], name="once"),
                models.CheckConstraint(
                    condition=models.Q(number__gt=0) | models.Q(deck="it's 5%"), name="above"
                ),
            ]

    await create_tables(Cabin)
    await Cabin.objects.create(deck="a", number=1)
    await Cabin.objects.create(deck="it's 5%", number=-1)
    for values, error, name in (
        ({"deck": "a", "number": 1}, UniqueViolation, "once"),
        ({"deck": "a", "number": 0}, CheckViolation, "above"),
    ):
        with pytest.raises(error) as caught:
            await Cabin.objects.create(**values)
        assert caught.value.constraint == name
    with pytest.raises(FieldError, match="one_main is unique under a condition, which mysql cannot hold"):
        await create_tables(Room)
