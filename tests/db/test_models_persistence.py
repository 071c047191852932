"""Saving, deleting and reading objects again, on real databases."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from transom.db import (
    DataError,
    FieldError,
    ForeignKeyViolation,
    NotLoaded,
    NotNullViolation,
    UniqueViolation,
    atomic,
    create_tables,
    models,
)
from transom.db.backends.base import Backend
from transom.db.exceptions import ConfigurationError


class Shelf(models.Model):
    code = models.UUIDField(primary_key=True, default=uuid4)
    name = models.CharField(max_length=10, unique=True)


class Book(models.Model):
    shelf = models.ForeignKey(Shelf, models.PROTECT, related_name="books")
    sequel: models.ForeignKey[Book | None] = models.ForeignKey("self", models.SET_NULL, null=True)
    title = models.CharField(max_length=10)
    pages = models.SmallIntegerField(default=0)
    price = models.DecimalField(max_digits=6, decimal_places=2, null=True)
    weight = models.FloatField(null=True)
    data = models.JSONField(default=dict)
    lent = models.BooleanField(default=False)
    added = models.DateTimeField(auto_now_add=True)
    changed = models.DateTimeField(auto_now=True)


class Page(models.Model):
    book = models.ForeignKey(Book, models.CASCADE)


class Bookmark(models.Model):
    book: models.ForeignKey[Book] = models.ForeignKey(Book, models.SET_DEFAULT, default=1, related_name="+")


@pytest.fixture
async def shelf(database: Backend) -> Shelf:
    await create_tables(Shelf, Book, Page)
    return await Shelf.objects.create(name="top")


async def test_every_type_comes_back_as_it_went(shelf: Shelf) -> None:
    document = {"a": [1, 2.5, None, True, "ü"]}
    made = await Book.objects.create(
        shelf=shelf, title="ü'\"", pages=-5, price=Decimal("-1234.5"), weight=0.1, data=document, lent=True
    )
    found = await Book.objects.get(pk=made.pk)
    assert found == made
    assert isinstance(found.shelf_id, UUID)  # type: ignore[attr-defined]
    assert (found.title, found.pages, found.weight, found.data, found.lent) == (
        "ü'\"",
        -5,
        0.1,
        document,
        True,
    )
    assert str(found.price) == "-1234.50"
    assert found.added == made.added
    assert found.added.tzinfo is not None


async def test_bulk_create_gives_keys_in_the_order_of_the_objects(shelf: Shelf) -> None:
    books = await Book.objects.bulk_create(
        Book(
            shelf=shelf,
            title=f"b{number}",
            data=[number],
            weight=None if number % 2 else 1.5,
            lent=number > 5,
        )
        for number in range(20)
    )
    found = await Book.objects.order_by("pk")
    assert [(b.pk, b.title, b.data, b.weight, b.lent) for b in found] == [
        (b.pk, b.title, b.data, b.weight, b.lent) for b in books
    ]
    assert await Book.objects.bulk_create([]) == []


class NumberedField(models.CharField[str]):
    """A field of a site's own that makes its values."""

    def pre_save(self, instance: Any, *, adding: bool) -> Any:
        setattr(instance, self.attname, f"#{instance.number}")
        return super().pre_save(instance, adding=adding)


class Ticket(models.Model):
    number = models.IntegerField()
    label = NumberedField(max_length=10)


async def test_bulk_create_asks_fields_that_make_their_values(database: Backend) -> None:
    await create_tables(Ticket)
    tickets = await Ticket.objects.bulk_create([Ticket(number=1), Ticket(number=2)])
    assert [ticket.label for ticket in tickets] == ["#1", "#2"]
    assert await Ticket.objects.order_by("number").values_list("label", flat=True) == ["#1", "#2"]


async def test_a_uuid_that_another_program_wrote_with_dashes_is_read(database: Backend) -> None:
    await create_tables(Shelf)
    code = uuid4()
    await Shelf.objects.create(code=code, name="x")
    if database.vendor == "sqlite":
        await database.execute(f"UPDATE {Shelf._meta.db_table} SET code = ?", (str(code),))
    (found,) = await Shelf.objects.all()
    assert found.code == code
    assert hash(found.code) == hash(code)


async def test_bulk_create_is_all_or_nothing(shelf: Shelf) -> None:
    with pytest.raises(UniqueViolation):
        await Shelf.objects.bulk_create([Shelf(name="new"), Shelf(name="top")])
    assert await Shelf.objects.count() == 1


async def test_save_inserts_then_updates(shelf: Shelf) -> None:
    book = Book(shelf=shelf, title="a")
    await book.save()
    key, changed = book.pk, book.changed
    book.title, book.pages = "b", 3
    await book.save(update_fields=["title"])
    found = await Book.objects.get(pk=key)
    assert (found.title, found.pages) == ("b", 0)
    await book.save()
    await found.refresh()
    assert (found.pages, await Book.objects.count()) == (3, 1)
    assert found.changed > changed
    assert found.added == book.added


async def test_save_with_a_given_key_updates_or_inserts(shelf: Shelf) -> None:
    await Book(pk=50, shelf=shelf, title="a").save()
    await Book(pk=50, shelf=shelf, title="b").save()
    assert [b.title for b in await Book.objects.all()] == ["b"]
    with pytest.raises(UniqueViolation):
        await Book(pk=50, shelf=shelf, title="c").save(force_insert=True)


async def test_saving_a_row_that_is_gone_is_an_error(shelf: Shelf) -> None:
    book = await Book.objects.create(shelf=shelf, title="a")
    await Book.objects.filter(pk=book.pk).delete()
    with pytest.raises(Book.DoesNotExist, match="no longer"):
        await book.save()
    with pytest.raises(Book.DoesNotExist):
        await book.refresh()
    assert await book.delete() == 0


async def test_relations_are_loaded_only_on_request(shelf: Shelf) -> None:
    await Book.objects.create(shelf=shelf, title="a")
    book = await Book.objects.get(title="a")
    with pytest.raises(NotLoaded, match=r"select_related\('shelf'\).*await obj.load\('shelf'\)"):
        _ = book.shelf
    await book.load("shelf")
    assert book.shelf == shelf
    assert book.sequel is None
    await book.load("sequel")
    other = await Shelf.objects.create(name="low")
    book.shelf_id = other.pk  # type: ignore[attr-defined]
    with pytest.raises(NotLoaded):
        _ = book.shelf
    with pytest.raises(
        FieldError, match="has no relation 'title'; choose from book_set, page_set, sequel, shelf"
    ):
        await book.load("title")


async def test_an_object_assigned_before_it_was_saved_gives_its_key_later(shelf: Shelf) -> None:
    first = Book(shelf=shelf, title="1")
    second = Book(shelf=shelf, title="2", sequel=first)
    with pytest.raises(FieldError, match="save that object first"):
        await second.save()
    await first.save()
    await second.save()
    assert (await Book.objects.get(title="2")).sequel_id == first.pk  # type: ignore[attr-defined]
    assert second.sequel is first


async def test_on_delete_is_carried_out_by_the_database(shelf: Shelf) -> None:
    first = await Book.objects.create(pk=2, shelf=shelf, title="1")
    second = await Book.objects.create(pk=3, shelf=shelf, title="2", sequel=first)
    await Page.objects.create(book=first)
    await Page.objects.create(book=second)
    assert await first.delete() == 1
    await second.refresh()
    assert second.sequel is None
    assert await Page.objects.count() == 1
    with pytest.raises(ForeignKeyViolation, match=r"Shelf cannot be deleted .*Book.shelf \(PROTECT\)"):
        await shelf.delete()
    assert await Shelf.objects.exists()


async def test_set_default_is_carried_out_by_the_database_or_refused(shelf: Shelf, database: Backend) -> None:
    if database.vendor == "mysql":
        with pytest.raises(ConfigurationError, match=r"book_id has on_delete=SET_DEFAULT.*choose CASCADE"):
            await create_tables(Bookmark)
        return
    await create_tables(Bookmark)
    default, other = [await Book.objects.create(pk=key, shelf=shelf, title="a") for key in (1, 2)]
    bookmark = await Bookmark.objects.create(book=other)
    await other.delete()
    await bookmark.refresh()
    assert bookmark.book_id == default.pk  # type: ignore[attr-defined]


async def test_values_that_do_not_fit_are_named_before_they_reach_the_database(shelf: Shelf) -> None:
    cases: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({"title": 5}, FieldError, "Book.title takes a str, not 5"),
        ({"title": "x" * 11}, DataError, "Book.title takes at most 10 characters"),
        ({"title": "\0"}, DataError, "NUL"),
        ({"pages": "5"}, FieldError, "Book.pages takes an int, not '5'"),
        ({"pages": 40_000}, DataError, "from -32768 to 32767"),
        ({"price": 1.5}, FieldError, "a Decimal, not 1.5"),
        ({"price": Decimal("12345.678")}, DataError, "takes 6 digits, 2 of them after the point"),
        ({"price": Decimal("NaN")}, DataError, "finite"),
        ({"weight": "1"}, FieldError, "a float"),
        ({"data": {1, 2}}, FieldError, "what JSON can say"),
        ({"lent": 1}, FieldError, "a bool, not 1"),
        ({"sequel_id": "no"}, FieldError, "Book.sequel takes an int"),
        ({"shelf": 3}, FieldError, "Book.shelf takes a Shelf, not 3"),
    ]
    for values, error, message in cases:
        with pytest.raises(error, match=message):
            await Book.objects.create(**{"shelf": shelf, "title": "a", **values})
    with pytest.raises(FieldError, match="with a time zone"):
        await Book.objects.filter(added=datetime(2024, 1, 1))
    with pytest.raises(NotNullViolation):
        await Book.objects.create(shelf=shelf, title=None)
    await Book.objects.create(shelf=shelf, title="a")
    with pytest.raises(NotNullViolation):
        await Book.objects.update(title=None)


async def test_get_or_create_makes_one_and_finds_it(shelf: Shelf) -> None:
    made, new = await Shelf.objects.get_or_create({"code": uuid4()}, name="low")
    again, new_again = await Shelf.objects.get_or_create(name="low")
    assert (new, new_again, again) == (True, False, made)
    async with atomic():
        with pytest.raises(UniqueViolation):
            await Shelf.objects.get_or_create({"name": "top"}, code=uuid4())
        assert await Shelf.objects.count() == 2


async def test_objects_can_be_pickled_with_what_they_loaded(shelf: Shelf) -> None:
    await Book.objects.create(shelf=shelf, title="a")
    book = await Book.objects.select_related("shelf").get()
    copy: Book = pickle.loads(pickle.dumps(book))
    assert (copy, copy.shelf.name) == (book, "top")


async def test_identity_is_the_model_and_the_key(shelf: Shelf) -> None:
    book = await Book.objects.create(shelf=shelf, title="a")
    assert book == await Book.objects.get()
    assert len({book, await Book.objects.get()}) == 1
    assert book != Page(pk=book.pk)
    assert Book(title="x") != Book(title="x")
    with pytest.raises(TypeError, match="no primary key yet"):
        hash(Book())


async def test_times_come_back_in_utc_to_the_microsecond(shelf: Shelf) -> None:
    await Book.objects.create(shelf=shelf, title="a")
    moment = datetime(2024, 2, 29, 23, 59, 59, 999_999, tzinfo=UTC)
    await Book.objects.update(added=moment)
    found = await Book.objects.get()
    assert found.added == moment
    assert found.added.utcoffset() == UTC.utcoffset(None)
