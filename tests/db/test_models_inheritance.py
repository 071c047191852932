"""Proxies, what abstract models hand down, and the managers of models."""

from __future__ import annotations

import copy
import pickle
from typing import Any, ClassVar

import pytest

from transom.db import create_tables, models
from transom.db.backends.base import Backend


class Shown(models.Manager["Note"]):
    def get_queryset(self) -> models.QuerySet[Note]:
        return super().get_queryset().filter(hidden=False)

    def after(self, text: str) -> models.QuerySet[Note]:
        return self.filter(text__gt=text)


class Noted(models.Model):
    text = models.CharField(max_length=20)

    class Meta:
        abstract = True
        ordering = ("text",)
        verbose_name = "remark"


class Book(models.Model):
    notes: models.Related[Note]


class Note(Noted):
    hidden = models.BooleanField(default=False)
    book = models.ForeignKey(Book, models.CASCADE, null=True, related_name="notes")

    objects: ClassVar[Shown] = Shown()
    everything: ClassVar[models.Manager[Note]] = models.Manager()


class Loud(Note):
    class Meta:
        proxy = True
        ordering = ("-text",)

    def shout(self) -> str:
        return self.text.upper()


class Reply(models.Model):
    note = models.ForeignKey(Loud, models.CASCADE, related_name="replies")


class ItemQuerySet(models.QuerySet["Item"]):
    def heavy(self) -> ItemQuerySet:
        return self.filter(weight__gt=5)


class Item(models.Model):
    weight = models.IntegerField()

    objects: ClassVar[models.QuerySetManager[ItemQuerySet]] = ItemQuerySet.as_manager()


@pytest.fixture
async def notes(database: Backend) -> list[Note]:
    await create_tables(Reply, Loud, Item)
    return await Note.everything.bulk_create([Note(text="a"), Note(text="b"), Note(text="c", hidden=True)])


async def test_a_proxy_is_another_class_for_the_same_rows(notes: list[Note]) -> None:
    loud = await Loud.objects.filter(Note.text == "a", Loud.text == "a").get()
    assert type(loud) is Loud
    assert loud.shout() == "A"
    assert loud == notes[0]
    assert hash(loud) == hash(notes[0])
    assert [note.text for note in await Loud.objects.all()] == ["b", "a"]
    made = await Loud.objects.create(text="z")
    assert await Note.objects.filter(pk=made.pk) == [made]
    assert pickle.loads(pickle.dumps(made)) == made
    with pytest.raises(Note.DoesNotExist):
        await Loud.objects.get(text="nope")


async def test_relations_know_a_proxy_for_its_model(notes: list[Note]) -> None:
    reply = await Reply.objects.create(note=notes[0])
    assert await Reply.objects.filter(note=notes[0], note__text="a") == [reply]
    assert await Note.objects.filter(replies=reply) == [notes[0]]
    found = await Reply.objects.select_related("note").get()
    assert type(found.note) is Loud
    again = await Loud.objects.prefetch_related("replies").get(text="a")
    assert vars(again)["_loaded_replies"] == [reply]
    assert Loud._meta.related_objects == Note._meta.related_objects


def test_a_proxy_has_no_table_of_its_own() -> None:
    assert Loud._meta.db_table == Note._meta.db_table
    assert Loud._meta.concrete_model is Note
    field = Reply._meta.get_field("note")
    assert field.deconstruct()[3]["to"] == Note._meta.label
    with pytest.raises(TypeError, match="no field 'extra'"):
        type(models.Model)(
            "Wrong",
            (Note,),
            {
                "__module__": __name__,
                "extra": models.TextField(),
                "Meta": type("Meta", (), {"proxy": True}),
            },
        )
    with pytest.raises(TypeError, match="must inherit from one model with a table, not 0"):
        type(models.Model)(
            "Wrong", (Noted,), {"__module__": __name__, "Meta": type("Meta", (), {"proxy": True})}
        )


def test_meta_is_handed_down_unless_there_is_one() -> None:
    class Plain(Noted):
        pass

    class Other(Noted):
        class Meta(Noted.Meta):
            verbose_name = "other"

    assert (Note._meta.ordering, Note._meta.verbose_name, Note._meta.abstract) == (("text",), "remark", False)
    assert Plain._meta.verbose_name == "remark"
    assert (Other._meta.ordering, Other._meta.verbose_name, Other._meta.abstract) == (
        ("text",),
        "other",
        False,
    )


async def test_relations_use_the_default_manager(notes: list[Note], statements: list[str]) -> None:
    book = await Book.objects.create()
    await Note.everything.update(book=book)
    assert [note.text for note in await book.notes.all()] == ["a", "b"]
    (loaded,) = await Book.objects.prefetch_related("notes")
    assert [note.text for note in loaded.notes.loaded] == ["a", "b"]
    related: Any = book.notes  # checkers are told of a plain manager
    assert [note.text for note in await related.after("a")] == ["b"]
    hidden = await Note.everything.get(text="c")
    reply = await Reply.objects.create(note=hidden)
    found = await Reply.objects.get(pk=reply.pk)
    await found.load("note")  # a reference holds whatever the default manager hides
    assert found.note == hidden
    await hidden.refresh()


def test_the_first_manager_is_the_default_one_unless_meta_names_another() -> None:
    class Named(models.Model):
        objects: ClassVar[models.Manager[Any]] = models.Manager()
        few: ClassVar[models.Manager[Any]] = Shown()

        class Meta:
            default_manager_name = "few"
            base_manager_name = "objects"

    class Child(Noted):
        shown = Shown()

    assert isinstance(Note._default_manager, Shown)
    assert type(Note._base_manager) is models.Manager
    assert isinstance(Named._default_manager, Shown)
    assert type(Named._base_manager) is models.Manager
    assert isinstance(Child._default_manager, Shown)
    assert isinstance(Loud._default_manager, Shown)


async def test_a_queryset_class_may_be_the_manager(notes: list[Note]) -> None:
    await Item.objects.bulk_create([Item(weight=1), Item(weight=9)])
    assert [item.weight for item in await Item.objects.heavy()] == [9]
    assert await Item.objects.filter(weight__lt=100).heavy().count() == 1
    assert await Item._default_manager.all().count() == 2
    with pytest.raises(AttributeError, match="from the class"):
        _ = Item(weight=1).objects


async def test_a_queryset_is_not_pickled_but_its_rows_are(notes: list[Note]) -> None:
    with pytest.raises(TypeError, match=r"pickle.dumps\(await queryset\)"):
        pickle.dumps(Note.objects.all())
    assert await copy.deepcopy(Note.objects.all()) == await copy.copy(Note.objects.all()) == notes[:2]
    assert pickle.loads(pickle.dumps(await Note.objects.all())) == notes[:2]
