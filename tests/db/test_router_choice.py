"""Routers: who decides which database a query goes to, and when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from transom.db import (
    FieldError,
    ReplicaRouter,
    Router,
    atomic,
    connections,
    create_tables,
    independent,
    models,
    router,
)
from transom.db.exceptions import ConfigurationError
from transom.db.migrations.migration import Migration
from transom.db.migrations.operations import AddField, CreateModel, RunSQL
from transom.db.migrations.schema_editor import SchemaEditor
from transom.db.migrations.state import ProjectState
from transom.db.transaction import rollback_after

ALIASES = ("default", "one", "two")


class Shelf(models.Model):
    name = models.CharField(max_length=10)


class Book(models.Model):
    code = models.UUIDField(primary_key=True, default=uuid4)
    shelf = models.ForeignKey(Shelf, models.CASCADE, related_name="books")
    title = models.CharField(max_length=10)


class Genre(models.Model):
    name = models.CharField(max_length=10)
    shelves = models.ManyToManyField(Shelf, related_name="genres")


@pytest.fixture
async def urls(tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    """Three databases, each with a shelf that is named after it."""
    urls = {alias: f"sqlite:///{tmp_path}/{alias}.sqlite3" for alias in ALIASES}
    connections.configure(urls)
    for alias in ALIASES:
        await create_tables(Shelf, Book, using=alias)
        await Shelf.objects.using(alias).create(id=1, name=alias)
    yield urls
    await connections.aclose()
    connections.configure({})


class Recorder(Router):
    """Answers from a table, and remembers what it was asked."""

    def __init__(
        self, read: str | None = None, write: str | None = None, relation: bool | None = None
    ) -> None:
        self.read, self.write, self.relation = read, write, relation
        self.asked: list[tuple[str, str, dict[str, Any]]] = []

    def db_for_read(self, model: type[Any], **hints: Any) -> str | None:
        self.asked.append(("read", model.__name__, hints))
        return self.read

    def db_for_write(self, model: type[Any], **hints: Any) -> str | None:
        self.asked.append(("write", model.__name__, hints))
        return self.write

    def allow_relation(self, first: Any, second: Any, **hints: Any) -> bool | None:
        return self.relation


async def names() -> list[str]:
    return [shelf.name for shelf in await Shelf.objects.all()]


async def test_first_router_with_an_opinion_decides(urls: dict[str, str]):
    silent, loud, unheard = Recorder(), Recorder("one", "two"), Recorder("default", "default")
    connections.configure(urls, [silent, loud, unheard])
    assert await names() == ["one"]
    made = await Shelf.objects.create(name="new")
    assert made._using == "two"
    assert (len(silent.asked), unheard.asked) == (2, [])


async def test_without_an_opinion_it_is_the_default(urls: dict[str, str]):
    connections.configure(urls, [Recorder()])
    assert await names() == ["default"]
    assert (await Shelf.objects.create(name="new"))._using == "default"


async def test_code_that_names_a_database_is_not_routed(urls: dict[str, str]):
    recorder = Recorder("one", "one")
    connections.configure(urls, [recorder])
    assert (await Shelf.objects.using("default").get()).name == "default"
    shelf = await Shelf.objects.using("two").create(name="new")
    shelf.name = "newer"
    await shelf.save(using="two")
    await shelf.refresh(using="two")
    await shelf.delete(using="two")
    assert recorder.asked == []


async def test_queries_ask_when_they_run(urls: dict[str, str]):
    recorder = Recorder("one", "one")
    connections.configure(urls, [recorder])
    query = Shelf.objects.filter(id=1)
    assert recorder.asked == []
    assert (await query.get()).name == "one"
    recorder.read = "two"
    assert (await query.get()).name == "two"
    assert await query.values_list("name", flat=True) == ["two"]
    assert [row.name async for row in query.iterator()] == ["two"]


@pytest.mark.parametrize("work", ["count", "exists", "first", "update", "delete", "get_or_create", "bulk"])
async def test_each_method_goes_where_it_belongs(urls: dict[str, str], work: str):
    """Changes, and what is read for the sake of a change, go to the database for writing."""
    recorder = Recorder("one", "two")
    connections.configure(urls, [recorder])
    await {
        "count": lambda: Shelf.objects.filter(name="one").count(),
        "exists": lambda: Shelf.objects.filter(name="one").exists(),
        "first": lambda: Shelf.objects.all().first(),
        "update": lambda: Shelf.objects.update(name="x"),
        "delete": lambda: Shelf.objects.all().delete(),
        "get_or_create": lambda: Shelf.objects.get_or_create(name="two"),
        "bulk": lambda: Shelf.objects.bulk_create([Shelf(name="x")]),
    }[work]()
    kind = "read" if work in ("count", "exists", "first") else "write"
    assert [(asked[0], asked[1]) for asked in recorder.asked] == [(kind, "Shelf")]


async def test_object_is_a_hint_and_its_database_the_last_word(urls: dict[str, str]):
    recorder = Recorder()
    connections.configure(urls, [recorder])
    shelf = await Shelf.objects.using("one").get()
    shelf.name = "changed"
    await shelf.save()
    assert (await Shelf.objects.using("one").get()).name == "changed"
    book = await shelf.books.create(title="new")
    assert (book._using, await shelf.books.count()) == ("one", 1)
    again = await Book.objects.using("one").get()
    await again.load("shelf")
    assert again.shelf.name == "changed"
    await again.refresh()
    await again.delete()
    assert [asked[2]["instance"] for asked in recorder.asked] == [shelf, shelf, shelf, again, again, again]


async def test_object_of_a_replica_is_saved_on_the_primary(urls: dict[str, str]):
    """Its row is changed there, even where the key comes from a default: it is no new object."""
    code = uuid4()
    for alias in ALIASES:
        await Book.objects.using(alias).create(code=code, shelf_id=1, title="old")
    connections.configure(urls, [ReplicaRouter("one")])
    book = await Book.objects.get()
    assert book._using == "one"
    book.title = "new"
    await book.save()
    assert book._using == "default"
    assert [(await Book.objects.using(alias).get()).title for alias in ("default", "one")] == ["new", "old"]


async def test_unknown_alias_of_a_router_is_named(urls: dict[str, str]):
    connections.configure(urls, [Recorder("nowhere")])
    with pytest.raises(ConfigurationError, match="no database 'nowhere'; choose from default, one, two"):
        await names()


async def test_router_without_some_methods_has_no_opinion(urls: dict[str, str]):
    class Partial:
        def db_for_read(self, model: type[Any], **hints: Any) -> str:
            return "two"

    connections.configure(urls, [Partial()])  # type: ignore[list-item]
    assert await names() == ["two"]
    assert (await Shelf.objects.create(name="new"))._using == "default"


@pytest.mark.parametrize(("answer", "allowed"), [(None, False), (False, False), (True, True)])
async def test_relation_between_databases_needs_to_be_allowed(
    urls: dict[str, str], answer: bool | None, allowed: bool
):
    connections.configure(urls, [Recorder("one", "one", answer)])
    here, there = await Shelf.objects.using("one").get(), await Shelf.objects.using("two").get()
    book = await Book.objects.using("one").create(shelf=here, title="a")
    if allowed:
        book.shelf = there
    else:
        with pytest.raises(FieldError, match=r"of database 'one' cannot refer to .* of 'two'"):
            book.shelf = there
    Book(shelf=there)  # a new object belongs nowhere yet


async def test_replicas_are_read_in_turn(urls: dict[str, str]):
    connections.configure(urls, [ReplicaRouter("one", "two")])
    assert [await names() for _ in range(4)] == [["one"], ["two"], ["one"], ["two"]]


async def test_open_transaction_reads_what_it_wrote(urls: dict[str, str]):
    connections.configure(urls, [ReplicaRouter("one", "two")])
    async with atomic(readonly=True):
        assert await names() == ["default"]
        with independent():
            assert await names() == ["one"]
    assert await names() == ["two"]


@pytest.mark.parametrize("how", ["model", "using", "atomic"])
async def test_context_reads_what_it_wrote_and_others_do_not_wait_for_it(urls: dict[str, str], how: str):
    connections.configure(urls, [ReplicaRouter("one", "two")])

    async def request() -> tuple[list[str], list[str]]:
        before = await names()
        if how == "atomic":
            async with atomic():
                await connections.executor().execute(f"UPDATE {Shelf._meta.db_table} SET name = 'y'")
        else:
            query = Shelf.objects.using("default") if how == "using" else Shelf.objects.all()
            await query.update(name="y")
        return before, await names()

    assert await asyncio.create_task(request()) == (["one"], ["y"])
    assert await names() == ["two"]


async def test_stickiness_can_end(urls: dict[str, str], monkeypatch: pytest.MonkeyPatch):
    now = 100.0
    monkeypatch.setattr(router, "monotonic", lambda: now)
    connections.configure(urls, [ReplicaRouter("one", sticky=5)])
    await Shelf.objects.update(name="new")
    now = 105.0
    assert await names() == ["new"]
    now = 105.1
    assert await names() == ["one"]


async def test_replica_router_leaves_other_databases_alone(urls: dict[str, str]):
    connections.configure(urls, [ReplicaRouter("one")])
    stranger = await Shelf.objects.using("two").get()
    book = await stranger.books.create(title="a")
    assert (book._using, await stranger.books.count()) == ("two", 1)


async def test_links_are_written_to_the_primary_and_read_from_replicas(urls: dict[str, str]):
    """Whatever database the object came from: of what routers say, it is but a hint."""
    for alias in ALIASES:
        await create_tables(Genre, using=alias)
        await Genre.objects.using(alias).create(id=1, name=alias)
    connections.configure(urls, [ReplicaRouter("one")])

    async def link() -> list[str]:
        genre = await Genre.objects.get(pk=1)
        assert genre._using == "one"
        await genre.shelves.add(await Shelf.objects.get(pk=1))
        await genre.shelves.create(name="new")
        await genre.shelves.set(await genre.shelves.all())
        return sorted(await genre.shelves.values_list("name", flat=True))

    assert await asyncio.create_task(link()) == ["default", "new"]
    genre = await Genre.objects.prefetch_related("shelves").get(pk=1)
    assert genre.shelves.loaded == []
    await genre.shelves.clear()
    assert await Genre.objects.using("default").filter(shelves__id=1).count() == 0


async def test_relations_within_the_family_are_allowed(urls: dict[str, str]):
    connections.configure(urls, [ReplicaRouter("one")])
    shelf = await Shelf.objects.get()
    assert shelf._using == "one"
    book = await Book.objects.create(shelf=shelf, title="a")
    book.shelf = shelf


@pytest.mark.parametrize("replicas", [(), ("default",)])
def test_replica_router_needs_replicas(replicas: tuple[str, ...]):
    with pytest.raises(ConfigurationError, match="at least one other alias"):
        ReplicaRouter(*replicas)


async def test_tests_see_on_replicas_what_they_wrote(urls: dict[str, str]):
    connections.configure(urls, [ReplicaRouter("one", "two")])
    async with rollback_after():
        await asyncio.create_task(Shelf.objects.filter(id=1).update(name="mine"))
        assert await names() == ["mine"]
        assert (await Shelf.objects.using("two").get()).name == "mine"
    assert await names() == ["two"]
    assert (await Shelf.objects.using("default").get()).name == "default"


async def test_tables_are_made_where_they_may_be(tmp_path: Path):
    connections.configure(
        {alias: f"sqlite:///{tmp_path}/new_{alias}.sqlite3" for alias in ALIASES}, [ReplicaRouter("one")]
    )
    assert len(await create_tables(Shelf, Book)) == 2
    assert await create_tables(Shelf, Book, using="one") == []
    await connections.aclose()
    connections.configure({})


class ByModel(Router):
    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str | None]] = []

    def allow_migrate(
        self, db: str, app_label: str, model_name: str | None = None, **hints: Any
    ) -> bool | None:
        self.asked.append((db, app_label, model_name))
        return model_name not in ("shelf", None)


async def test_operations_are_left_out_where_a_router_says_so():
    rules = ByModel()
    connections.configure({}, [rules])

    class Change(Migration):
        operations = [
            CreateModel("Shelf", [("id", models.BigAutoField(primary_key=True))]),
            CreateModel("Book", [("id", models.BigAutoField(primary_key=True))]),
            AddField("Book", "pages", models.IntegerField(default=0)),
            AddField("Shelf", "width", models.IntegerField(default=0)),
            RunSQL("SELECT 1", RunSQL.noop),
        ]

    editor = SchemaEditor("sqlite", None, "other")
    state = ProjectState()
    await Change("0001_initial", "library").apply(state, editor)
    assert all("library_book" in statement for statement in editor.statements)
    assert not any("shelf" in statement or statement == "SELECT 1" for statement in editor.statements)
    assert state.get_model("library", "Shelf")._meta.get_field("width")
    assert rules.asked == [("other", "library", name) for name in ("shelf", "book", "book", "shelf", None)]
    connections.configure({})


def test_routing_costs_nothing_without_routers():
    assert not router.active
    assert Shelf.objects.all()._using == "default"
