"""Values that the database makes: absent before the row is inserted, there afterwards."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from transom.db import FieldError, NotLoaded, create_tables, models
from transom.db.backends.base import Backend


class Note(models.Model):
    text = models.CharField(max_length=20, db_default="it's \\ 100% :a")
    made = models.DateTimeField(db_default=models.Now())
    day = models.DateField(db_default=models.Now())
    hour = models.TimeField(db_default=models.Now())
    price = models.DecimalField(max_digits=5, decimal_places=2, db_default=Decimal("1.50"))
    open = models.BooleanField(db_default=True)
    data = models.JSONField(db_default={"a": "'"})
    span = models.DurationField(db_default=timedelta(days=-1, seconds=5))
    raw = models.BinaryField(db_default=b"\x00'")
    weight = models.FloatField(db_default=1.5)
    since = models.DateTimeField(db_default=datetime(2026, 1, 1, tzinfo=UTC))
    rank = models.IntegerField(default=7, db_default=3)


class Token(models.Model):
    id: models.UUIDField[UUID] = models.UUIDField(primary_key=True, db_default=models.RandomUUID())
    name = models.CharField(max_length=9)


EXPECTED: dict[str, Any] = {
    "text": "it's \\ 100% :a",
    "price": Decimal("1.50"),
    "open": True,
    "data": {"a": "'"},
    "span": timedelta(days=-1, seconds=5),
    "raw": b"\x00'",
    "weight": 1.5,
    "since": datetime(2026, 1, 1, tzinfo=UTC),
    "rank": 7,
}


def values(note: Note) -> dict[str, Any]:
    return {name: getattr(note, name) for name in EXPECTED}


async def test_a_new_object_has_what_the_database_made(database: Backend) -> None:
    await create_tables(Note)
    note = Note()
    with pytest.raises(NotLoaded, match=r"Note\.made"):
        _ = note.made
    assert note.rank == 7
    await note.save()
    assert values(note) == EXPECTED
    assert abs(datetime.now(UTC) - note.made) < timedelta(seconds=60)
    assert note.day in (date.today(), datetime.now(UTC).date())
    found = await Note.objects.get()
    assert (values(found), found.made, found.hour) == (EXPECTED, note.made, note.hour)


async def test_what_is_given_wins(database: Backend) -> None:
    await create_tables(Note)
    note = await Note.objects.create(text="x", open=False, rank=1)
    assert (note.text, note.open, note.rank) == ("x", False, 1)
    note.price = Decimal(2)
    await note.save()
    found = await Note.objects.get(text="x")
    assert (found.price, found.made) == (2, note.made)


async def test_many_at_once(database: Backend) -> None:
    await create_tables(Note)
    notes = [Note(text="a"), Note(), Note(text="b"), Note(id=77), Note(id=78, text="c")]
    await Note.objects.bulk_create(notes)
    assert [note.text for note in notes] == ["a", EXPECTED["text"], "b", EXPECTED["text"], "c"]
    rows = {note.pk: note async for note in Note.objects.all()}
    assert {note.pk: (note.text, note.made) for note in notes} == {
        pk: (row.text, row.made) for pk, row in rows.items()
    }


async def test_an_object_with_a_key_leaves_what_it_lacks_alone(database: Backend) -> None:
    await create_tables(Note)
    made = await Note.objects.create(text="first")
    await Note(pk=made.pk, rank=2).save()
    found = await Note.objects.get()
    assert (found.text, found.rank) == ("first", 2)


async def test_a_key_may_come_from_the_database(database: Backend) -> None:
    await create_tables(Token)
    token = Token(name="a")
    assert token.pk is None
    await token.save()
    assert token.pk.version == 4
    assert await Token.objects.get(pk=token.pk) == token
    with pytest.raises(FieldError, match=r"which row got which Token\.id"):
        await Token.objects.bulk_create([Token(name="b"), Token(name="c")])
    assert await Token.objects.count() == 1
    (made,) = await Token.objects.bulk_create([Token(name="b")])
    assert (await Token.objects.get(name="b")).pk == made.pk


async def test_an_expression_that_makes_no_such_value_is_refused(database: Backend) -> None:
    class Wrong(models.Model):
        number = models.IntegerField(db_default=models.Now())

    with pytest.raises(FieldError, match=r"Now\(\) makes no integer"):
        await create_tables(Wrong)


async def test_a_foreign_key_may_have_one(database: Backend) -> None:
    class Shelf(models.Model):
        pass

    class Book(models.Model):
        shelf = models.ForeignKey(Shelf, models.CASCADE, db_default=1)

    await create_tables(Book)
    shelf = await Shelf.objects.create()
    book = await Book.objects.create()
    assert book.shelf_id == shelf.pk
    await book.load("shelf")
    assert book.shelf == shelf
