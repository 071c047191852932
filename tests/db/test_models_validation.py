"""`full_clean()` and its parts."""

from __future__ import annotations

from typing import Any

import pytest

from transom.db import Q, create_tables, models
from transom.db.backends.base import Backend
from transom.validators import MinLengthValidator, RegexValidator, ValidationError


class Venue(models.Model):
    name = models.CharField(max_length=5, unique=True, error_messages={"unique": "Taken."})


class Event(models.Model):
    venue = models.ForeignKey(Venue, models.CASCADE)
    title = models.CharField(
        max_length=10,
        validators=[MinLengthValidator(3), RegexValidator("^[a-z]", code="letter")],
        error_messages={"letter": "Begin with a letter."},
    )
    seats = models.PositiveSmallIntegerField(default=1)
    price = models.IntegerField(null=True, blank=True)
    row = models.CharField(max_length=3, blank=True, default="")
    open = models.BooleanField(default=True)
    code = models.CharField(max_length=3, db_default="x")

    class Meta:
        unique_together = ["venue", "row"]
        constraints = [
            models.CheckConstraint(
                condition=Q(price__isnull=True) | Q(price__lt=100),
                name="cheap",
                violation_error_message="Too much for {name}.",
                violation_error_code="dear",
            ),
            models.CheckConstraint(condition=Q(seats__gt=models.F("price") - 50), name="seats_for_money"),
            models.UniqueConstraint(fields=["title"], condition=Q(open=True), name="open_title"),
            models.UniqueConstraint(fields=["price", "seats"], nulls_distinct=False, name="price_and_seats"),
        ]

    async def clean(self) -> None:
        if self.title == "forbidden":
            raise ValidationError({"title": "Not this one."})
        if self.row == "no":
            raise ValidationError("Not so.")


@pytest.fixture
async def venue(database: Backend) -> Venue:
    if database.vendor == "mysql":
        pytest.skip("an Event is unique under a condition, which MariaDB cannot hold")
    await create_tables(Event)
    return await Venue.objects.create(name="hall")


async def errors(instance: models.Model, **options: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        await instance.full_clean(**options)
    return caught.value.message_dict


async def test_a_valid_object_passes_before_and_after_it_is_saved(venue: Venue) -> None:
    event: Any = Event(venue=venue, title="party", seats="4")
    await event.full_clean()
    assert event.seats == 4
    await event.save()
    await event.full_clean()
    await venue.full_clean()


async def test_every_field_says_what_is_wrong(venue: Venue) -> None:
    event: Any = Event(venue_id=venue.pk + 1, title="X", seats=-1, price="much", open="maybe")
    assert await errors(event) == {
        "venue": ["There is no venue with this key."],
        "title": ["Use at least 3 characters; these are 1.", "Begin with a letter."],
        "seats": ["Enter 0 or more."],
        "price": ["Enter a whole number."],
        "open": ["This is not valid."],
    }


async def test_what_is_empty(venue: Venue) -> None:
    assert await errors(Event(title="")) == {
        "venue": ["Please fill this in."],
        "title": ["Please fill this in."],
    }


async def test_excluded_fields_are_left_out(venue: Venue) -> None:
    event = Event(title="X", seats=-1)
    assert set(await errors(event, exclude=["title"])) == {"venue", "seats"}
    await event.full_clean(exclude=["title", "venue", "seats"])


async def test_fields_are_checked_together(venue: Venue) -> None:
    assert await errors(Event(venue=venue, title="forbidden")) == {"title": ["Not this one."]}
    assert await errors(Event(venue=venue, title="party", row="no")) == {"__all__": ["Not so."]}


async def test_unique_values(venue: Venue) -> None:
    assert await errors(Venue(name="hall")) == {"name": ["Taken."]}
    assert await errors(Venue(id=venue.pk, name="other")) == {"id": ["There is already one with this value."]}
    await Venue(name="hall").full_clean(validate_unique=False)


async def test_values_that_are_unique_together(venue: Venue) -> None:
    await Event.objects.create(venue=venue, title="party", row="a")
    event = Event(venue=venue, title="fair", row="a", seats=2)
    assert await errors(event, validate_constraints=False) == {
        "__all__": ["There is already one with these values."]
    }
    with pytest.raises(ValidationError):
        await event.validate_unique()
    await event.validate_unique(exclude=["row"])


async def test_check_constraints(venue: Venue) -> None:
    event = Event(venue=venue, title="party", price=120, seats=90)
    with pytest.raises(ValidationError) as caught:
        await event.full_clean()
    assert caught.value.message_dict == {"__all__": ["Too much for cheap."]}
    assert [error.code for error in caught.value.error_list] == ["dear"]
    assert await errors(Event(venue=venue, title="party", price=90)) == {
        "__all__": ["This breaks the constraint “seats_for_money”."]
    }
    await event.full_clean(validate_constraints=False)


async def test_unique_constraints_with_a_condition(venue: Venue) -> None:
    saved = await Event.objects.create(venue=venue, title="party", row="a")
    twin = Event(venue=venue, title="party", row="b", seats=2)
    assert await errors(twin) == {"__all__": ["There is already one with this value."]}
    twin.open = False
    await twin.full_clean()
    await saved.full_clean()


async def test_nulls_that_equal_each_other(venue: Venue) -> None:
    await Event.objects.create(venue=venue, title="party", row="a", seats=5)
    assert await errors(Event(venue=venue, title="fair", row="b", seats=5)) == {
        "__all__": ["There is already one with these values."]
    }


async def test_expressions_that_are_unique(database: Backend) -> None:
    if database.vendor == "mysql":
        pytest.skip("MariaDB has no index of an expression")

    class Pair(models.Model):
        a = models.IntegerField()
        b = models.IntegerField(null=True, blank=True)
        used = models.BooleanField(default=True)

        class Meta:
            constraints = [
                models.UniqueConstraint(
                    models.F("a") * 10 + models.F("b"), condition=Q(used=True), name="sum"
                )
            ]

    await create_tables(Pair)
    saved = await Pair.objects.create(a=1, b=12)
    await saved.full_clean()
    assert await errors(Pair(a=2, b=2)) == {"__all__": ["There is already one with these values."]}
    for allowed in (Pair(a=2, b=3), Pair(a=2, b=2, used=False), Pair(a=2)):
        await allowed.full_clean()


async def test_exclusion_constraints(venue: Venue, database: Backend) -> None:
    if database.vendor != "postgresql":
        pytest.skip("exclusion constraints are PostgreSQL's")

    class Network(models.Model):
        address = models.GenericIPAddressField()
        used = models.BooleanField(default=True)

        class Meta:
            constraints = [
                models.ExclusionConstraint(
                    expressions=[("address", "&&")],
                    opclasses=["inet_ops"],
                    condition=Q(used=True),
                    name="apart",
                )
            ]

    await create_tables(Network)
    saved = await Network.objects.create(address="192.0.2.1")
    await saved.full_clean()
    assert await errors(Network(address="192.0.2.1")) == {"__all__": ["This breaks the constraint “apart”."]}
    await Network(address="192.0.2.1", used=False).full_clean()
    await Network(address="192.0.2.2").full_clean()
