"""Choices: enums with labels, pairs, groups."""

from __future__ import annotations

import enum
import pickle
from typing import Any

import pytest

from transom.db import Q, create_tables, models
from transom.db.backends.base import Backend
from transom.db.migrations.model_state import ModelState
from transom.validators import ValidationError


class Status(models.TextChoices):
    DRAFT = "d", "A draft"
    PUT_OUT = "p"


class Level(models.IntegerChoices):
    LOW = 1
    HIGH = 9, "Very high"

    __empty__ = "None yet"


class Colour(enum.StrEnum):
    RED = "r"


GROUPED = [("Disks", [("v", "Vinyl"), ("c", "CD")]), ("x", "Other")]


class Record(models.Model):
    status = models.CharField(max_length=1, choices=Status, default=Status.DRAFT)
    level = models.IntegerField(choices=Level, null=True, blank=True)
    medium = models.CharField(max_length=1, choices=GROUPED, default="v")
    colour = models.TextField(choices=Colour, default=Colour.RED)


def test_an_enum_knows_its_labels() -> None:
    assert Status.choices == [("d", "A draft"), ("p", "Put Out")]
    assert (Status.values, Status.labels, Status.names) == (
        ["d", "p"],
        ["A draft", "Put Out"],
        ["DRAFT", "PUT_OUT"],
    )
    assert Level.choices == [(None, "None yet"), (1, "Low"), (9, "Very high")]
    assert (Status("d"), Status.DRAFT.label, str(Status.DRAFT), str(Level.HIGH)) == (
        Status.DRAFT,
        "A draft",
        "d",
        "9",
    )
    assert "d" in Status
    assert "x" not in Status
    assert pickle.loads(pickle.dumps(Status.DRAFT)) is Status.DRAFT


def test_auto_is_the_name() -> None:
    class Size(models.TextChoices):
        SMALL = enum.auto()
        LARGE = enum.auto(), "XXL"

    assert Size.choices == [("SMALL", "Small"), ("LARGE", "XXL")]


def test_two_members_of_one_value_are_refused() -> None:
    with pytest.raises(ValueError, match="duplicate"):

        class Twice(models.TextChoices):
            A = "a"
            B = "a"


async def test_values_are_members_of_the_enum(database: Backend) -> None:
    await create_tables(Record)
    made = await Record.objects.create(status=Status.PUT_OUT, level=Level.HIGH)
    found = await Record.objects.get(status=Status.PUT_OUT, level__in=[Level.HIGH])
    assert (found.pk, found.status, found.level, found.colour) == (
        made.pk,
        Status.PUT_OUT,
        Level.HIGH,
        Colour.RED,
    )
    assert type(found.status) is Status
    assert type(found.level) is Level
    assert await Record.objects.values_list("status", flat=True) == [Status.PUT_OUT]
    await Record.objects.bulk_create([Record(), Record(status=Status.PUT_OUT)])
    assert await Record.objects.filter(Q(status=Status.DRAFT)).count() == 1


async def test_a_value_that_no_member_has_stays_as_it_is(database: Backend) -> None:
    await create_tables(Record)
    await Record.objects.create()
    await database.execute(f"UPDATE {Record._meta.db_table} SET status = 'z'")
    assert (await Record.objects.get()).status == "z"


def test_the_label_is_displayed() -> None:
    record: Any = Record(level=Level.HIGH, medium="c")
    assert record.get_status_display() == "A draft"
    assert record.get_level_display() == "Very high"
    assert record.get_medium_display() == "CD"
    record.medium, record.level = "?", None
    assert (record.get_medium_display(), record.get_level_display()) == ("?", "None yet")


def test_a_method_of_the_model_wins_and_is_inherited() -> None:
    class Base(models.Model):
        status = models.CharField(max_length=1, choices=Status, default="p")

        class Meta:
            abstract = True

        def get_status_display(self) -> str:
            return "mine"

    class Child(Base):
        pass

    child: Any = Child()
    assert child.get_status_display() == "mine"
    assert child.status is Status.PUT_OUT


def test_choices_of_every_kind_become_pairs() -> None:
    assert models.CharField(max_length=1, choices={"Disks": {"v": "Vinyl"}, "x": "Other"}).choices == [
        ("Disks", [("v", "Vinyl")]),
        ("x", "Other"),
    ]
    assert models.CharField(max_length=1, choices=lambda: [("a", "A")]).flatchoices == [("a", "A")]
    assert models.TextField(choices=Colour).choices == [("r", "Red")]
    assert models.TextField().choices is None


def test_what_is_no_choice_is_not_valid() -> None:
    field = models.CharField(max_length=1, choices=GROUPED)
    assert field.clean("c", None) == "c"
    with pytest.raises(ValidationError) as caught:
        field.clean("z", None)
    assert caught.value.code == "invalid_choice"
    assert models.IntegerField(choices=Level).clean("9", None) is Level.HIGH


def test_wrong_choices_are_refused() -> None:
    class Plain(enum.Enum):
        A = object()

    with pytest.raises(TypeError, match="neither text nor whole numbers"):
        models.CharField(max_length=1, choices=Plain)
    with pytest.raises(TypeError, match="'z' is no member of Status"):
        models.CharField(max_length=1, choices=Status, default="z")


def test_migrations_do_not_see_choices() -> None:
    state = ModelState.from_model(Record)
    assert "choices" not in state.fields["status"].deconstruct()[3]
    assert state.fields["status"].deconstruct()[3]["default"] == "d"
