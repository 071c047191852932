"""Hostile names and values: a value only ever travels as an argument, and a name is known or refused before any SQL."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transom.db import (
    DatabaseError,
    DataError,
    F,
    FieldError,
    ObjectDoesNotExist,
    Q,
    connections,
    create_tables,
    execute_sql,
    fetch_sql,
    models,
)
from transom.db.backends.base import Backend, Vendor
from transom.db.models import (
    CTE,
    Case,
    Count,
    Exists,
    Func,
    Max,
    OuterRef,
    Prefetch,
    RawSQL,
    StringAgg,
    Subquery,
    Sum,
    Value,
    When,
    Window,
)
from transom.db.models.functions import Cast, Coalesce, Concat, Lag, Length, Lower, Replace, RowNumber
from transom.db.models.query.plans import PLANS


class Owner(models.Model):
    name = models.TextField()


class Thing(models.Model):
    owner = models.ForeignKey(Owner, models.CASCADE, related_name="things")
    title = models.TextField()
    size = models.BigIntegerField(default=0)
    price = models.DecimalField(max_digits=8, decimal_places=2, default=Decimal(0))
    made = models.DateTimeField(default=datetime(2024, 1, 1, tzinfo=UTC))
    data = models.JSONField(null=True)


class Place(models.Model):
    pk = models.CompositePrimaryKey("shelf", "title")
    shelf = models.IntegerField()
    title = models.TextField()


class Recorder:
    """An executor that notes statements and has no rows."""

    alias = "default"

    def __init__(self, vendor: Any) -> None:
        self.vendor = vendor
        self.statements: list[tuple[str, tuple[Any, ...]]] = []

    async def fetch(self, sql: str, args: Any = ()) -> list[Any]:
        self.statements.append((sql, tuple(args)))
        return []

    execute_returning = fetch

    async def fetch_named(self, sql: str, args: Any = ()) -> tuple[list[str], list[Any]]:
        return [], await self.fetch(sql, args)

    async def execute(self, sql: str, args: Any = ()) -> int:
        await self.fetch(sql, args)
        return 1

    async def aclose(self) -> None:
        pass


@pytest.fixture(autouse=True)
def fresh_plans() -> Iterator[None]:
    PLANS.clear()
    yield
    PLANS.clear()


Statements = list[tuple[str, tuple[Any, ...]]]


Ask = Callable[[Any, str], Statements]


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    """A function that returns the statements of a query, or of a coroutine, for a vendor."""
    with asyncio.Runner() as runner:

        async def note(made: Any, recorder: Recorder) -> None:
            connections.substitute("default", recorder)  # type: ignore[arg-type]
            try:
                await made
            except (ObjectDoesNotExist, IndexError, ValueError):  # there are no rows, where some ask for one
                if not recorder.statements:
                    raise
            finally:
                connections.substitute("default", None)

        def ask(made: Any, vendor: str) -> Statements:
            recorder = Recorder(vendor)
            runner.run(note(made, recorder))
            return recorder.statements

        yield ask


VENDORS = get_args(Vendor)
FRAGMENTS = [
    "'; DROP TABLE thing; --", '"; DROP TABLE thing; --', "' OR '1'='1", "/* */", "\\'; --", "%s", "%(x)s", "$1", "?",
    ":p0", "{}", "{0}", "\0", "\ud800", "\u2019", "\u02bc", "`", ")", "))--", "%", "_", "!", "!%", "\\", "*", "[", ";",
    "\n", " UNION SELECT 1", "title", "NULL", "CAST(1 AS int)", "1=1", "::text", "||", "\u202e", "x" * 3000,
]  # fmt: skip
hostile_text = st.one_of(
    st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=3).map("".join),
    st.text(st.characters(exclude_categories=()), min_size=1, max_size=40),
)

# -- names

STEMS = [
    "title",
    "owner",
    "owner__name",
    "owner__",
    "title__",
    "title__exact",
    "size__",
    "pk",
    "things",
    "x",
    "_",
    "id",
]


def spell(stem: str, middle: str, end: str) -> str:
    return stem + middle + end


hostile_name: st.SearchStrategy[str] = st.builds(
    spell,
    st.sampled_from(STEMS),
    hostile_text.filter(lambda text: not text.replace("_", "a").isalnum()),
    st.sampled_from(["", *STEMS]),
)
Named = Callable[[str], Any]
things = Thing.objects
NAMED: dict[str, Named] = {
    "filter": lambda name: things.filter(**{name: 1}),
    "exclude": lambda name: things.exclude(**{name: 1}),
    "Q": lambda name: things.filter(Q(title="x") | ~Q(**{name: "x"})),
    "filter by F": lambda name: things.filter(title=F(name)),
    "get": lambda name: things.get(**{name: 1}),
    "order_by": lambda name: things.order_by(name),
    "order_by, descending": lambda name: things.order_by("-" + name),
    "order_by F": lambda name: things.order_by(F(name).desc(nulls_last=True)),
    "earliest": lambda name: things.earliest(name),
    "latest": lambda name: things.latest(name),
    "annotate F": lambda name: things.annotate(a=F(name)),
    "alias F": lambda name: things.alias(a=F(name)),
    "annotate function": lambda name: things.annotate(a=Lower(name)),
    "annotate several": lambda name: things.annotate(a=Concat(Coalesce("title", name), Value("x"))),
    "annotate aggregate": lambda name: things.annotate(a=Sum(name)),
    "annotate filtered": lambda name: things.annotate(a=Count("pk", filter=Q(**{name: 1}))),
    "annotate Case": lambda name: things.annotate(a=Case(When(**{name: 1}, then=Value(1)))),
    "annotate sum": lambda name: things.annotate(a=F("size") + F(name)),
    "annotate Cast": lambda name: things.annotate(a=Cast(name, models.TextField())),
    "partition_by": lambda name: things.annotate(a=Window(RowNumber(), partition_by=name)),
    "order of Window": lambda name: things.annotate(a=Window(Lag("title"), order_by=name)),
    "StringAgg": lambda name: things.annotate(a=StringAgg(name, Value(","))),
    "aggregate": lambda name: things.aggregate(a=Max(name)),
    "aggregate, unnamed": lambda name: things.aggregate(Max(name)),
    "Subquery": lambda name: Owner.objects.annotate(a=Subquery(things.filter(owner=OuterRef("pk")).values(name)[:1])),
    "OuterRef": lambda name: Owner.objects.filter(Exists(things.filter(title=OuterRef(name)))),
    "values": lambda name: things.values(name),
    "values_list": lambda name: things.values_list("title", name),
    "values_list, flat": lambda name: things.values_list(name, flat=True),
    "values_list, named": lambda name: things.values_list(name, named=True),
    "update": lambda name: things.update(**{name: 1}),
    "update to F": lambda name: things.update(title=F(name)),
    "create": lambda name: things.create(**{name: 1}),
    "get_or_create": lambda name: things.get_or_create(**cast("dict[str, Any]", {name: 1})),
    "bulk_update": lambda name: things.bulk_update([Thing(pk=1)], [name]),
    "only": lambda name: things.only(name),
    "defer": lambda name: things.defer(name),
    "distinct": lambda name: things.distinct(name),
    "in_bulk": lambda name: things.in_bulk([1], field_name=name),
    "select_related": lambda name: things.select_related(name),
    "select_for_update": lambda name: things.select_for_update(of=(name,)),
    "prefetch_related": lambda name: things.prefetch_related(name),
    "Prefetch": lambda name: Owner.objects.prefetch_related(Prefetch(name, things.all())),
    "returning": lambda name: things.all().returning(name).delete(),
    "Func of a column": lambda name: things.annotate(a=Func(name, function="lower", output_field=models.TextField())),
    "name of a CTE": lambda name: CTE(things.all(), name).queryset(),
    "column of a CTE": lambda name: things.annotate(a=getattr(CTE(things.all()).col, name)),
    "join of a CTE": lambda name: CTE(things.all()).join(Owner, **cast("dict[str, Any]", {name: 1})),
    "translations": lambda name: things.raw("SELECT id AS x FROM thing", translations={"x": name}),
    "RawSQL beside a name": lambda name: things.filter(**{name: RawSQL("SELECT 1")}),
    "name of a Func": lambda name: things.annotate(a=Func("title", function=name, output_field=models.TextField())),
}  # fmt: skip


@pytest.mark.slow
@settings(max_examples=2500)
@given(method=st.sampled_from(list(NAMED)), name=hostile_name)
def test_a_hostile_name_is_refused_before_any_sql(ask: Ask, method: str, name: str) -> None:
    statements: Statements = []
    with pytest.raises((FieldError, TypeError)):
        statements = ask(NAMED[method](name), "postgresql")
    assert statements == []


ALIASED: dict[str, Named] = {
    "annotate": lambda name: things.annotate(**{name: Lower("title")}),
    "alias, filter": lambda name: things.alias(**{name: Lower("title")}).filter(**{name: "x"}),
    "annotate, order_by": lambda name: things.annotate(**{name: Length("title")}).order_by(F(name).desc()),
    "annotate, values": lambda name: things.annotate(**{name: Length("title")}).values(name),
    "values": lambda name: things.values(**{name: Length("title")}).annotate(n=Count("pk")),
    "CTE": lambda name: CTE(things.values("title", **{name: Length("title")})).queryset().filter(**{name: 1}),
    "aggregate": lambda name: Owner.objects.annotate(**{name: Count("things")}).filter(**{f"{name}__gt": 1}),
    "of all": lambda name: things.all()[:3].aggregate(**{name: Count("pk")}),
    "Subquery": lambda name: Owner.objects.filter(pk__in=things.annotate(**{name: F("owner")}).values(name)),
    "union": lambda name: things.values(**{name: F("title")}).union(things.values(**{name: F("title")})),
}


@pytest.mark.slow
@settings(max_examples=600)
@given(use=st.sampled_from(list(ALIASED)), name=hostile_name, vendor=st.sampled_from(VENDORS))
def test_the_name_of_a_result_is_refused_or_no_part_of_the_sql(
    ask: Ask, use: str, name: str, vendor: str
) -> None:
    try:
        statements = ask(ALIASED[use](name), vendor)
    except (FieldError, TypeError):
        return
    assert [sql for sql, _ in statements] == [sql for sql, _ in ask(ALIASED[use]("harmless"), vendor)]


# -- values


def cannot_be_stored(text: str) -> bool:
    """Whether a text has NUL in it, or half a character of UTF-16, which is no character."""
    return "\0" in text or any("\ud800" <= each <= "\udfff" for each in text)


TEXT_LOOKUPS = [
    "exact", "iexact", "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "gt", "lte", "regex",
    "lower", "upper__contains", "trim__startswith",
]  # fmt: skip
VALUED: dict[str, Callable[[str], Any]] = {
    **{f"filter {lookup}": lambda text, lookup=lookup: things.filter(**{f"title__{lookup}": text}) for lookup in TEXT_LOOKUPS},
    "filter in": lambda text: things.filter(title__in=[text, "x"]),
    "filter range": lambda text: things.filter(title__range=(text, text)),
    "exclude": lambda text: things.exclude(owner__name=text),
    "exclude many": lambda text: Owner.objects.exclude(things__title__contains=text),
    "typed column": lambda text: things.filter(Thing.title == text),
    "Value": lambda text: things.filter(title=Value(text)),
    "annotate": lambda text: things.annotate(a=Value(text)),
    "alias": lambda text: things.alias(a=Concat("title", Value(text))).filter(a=text),
    "order_by": lambda text: things.order_by(Concat("title", Value(text)), "pk"),
    "Case": lambda text: things.annotate(a=Case(When(title=text, then=Value(text)), default=Value(text))),
    "Coalesce": lambda text: things.annotate(a=Coalesce("title", Value(text))),
    "Replace": lambda text: things.annotate(a=Replace("title", Value(text), Value(text))),
    "Lag": lambda text: things.annotate(a=Window(Lag("title", 1, Value(text)), order_by="pk")),
    "Func": lambda text: things.annotate(
        a=Func("title", Value(text), template="({} || '%s?$1' || {})", output_field=models.TextField())
    ),
    "filter of Count": lambda text: Owner.objects.annotate(a=Count("things", filter=Q(things__title=text))),
    "StringAgg": lambda text: Owner.objects.annotate(a=StringAgg("things__title", Value(text))),
    "aggregate": lambda text: things.aggregate(a=Max("title", filter=Q(title__contains=text))),
    "Exists": lambda text: Owner.objects.filter(Exists(things.filter(owner=OuterRef("pk"), title=text))),
    "in subquery": lambda text: Owner.objects.filter(pk__in=things.filter(title=text).values("owner")),
    "RawSQL": lambda text: things.annotate(a=RawSQL("title || %s || '%%s'", [text], models.TextField())).filter(a__gt="x"),
    "RawSQL by name": lambda text: things.filter(RawSQL("title = %(a)s OR title < %(a)s", {"a": text}, models.BooleanField())),
    "RawSQL, order_by": lambda text: things.order_by(RawSQL("CASE WHEN title = %s THEN 1 ELSE 2 END", [text])),
    "in RawSQL": lambda text: things.filter(pk__in=RawSQL("SELECT id FROM x WHERE title LIKE 'a%%' AND title = %s", [text])),
    "raw": lambda text: things.raw("SELECT * FROM x WHERE title = %s AND title LIKE 'a%%' AND size < %s", [text, 5]),
    "raw by name": lambda text: things.raw("SELECT * FROM x WHERE title = %(a)s OR title > %(a)s", {"a": text}),
    "CTE": lambda text: CTE(things.filter(title=text).values("title", a=Value(text))).queryset().filter(a=text),
    "join of a CTE": lambda text: (c := CTE(Owner.objects.filter(name=text))).join(things.filter(title=text), title=c.col.name),
    "in a CTE": lambda text: Owner.objects.filter(name=text, pk__in=CTE(things.filter(title=text)).queryset().values("owner")),
    "recursive CTE": lambda text: CTE.recursive(
        Owner.objects.filter(name=text).values("id", a=Value(text)),
        lambda c: c.join(Owner.objects.filter(name__gt=text), pk=c.col.id).values("id", a=Concat(c.col.a, Value(text))),
    ).queryset(),
    "raw of a list": lambda text: things.raw("SELECT * FROM x WHERE title = ANY(%s)", [[text, "x"]]),
    "fetch_sql": lambda text: fetch_sql("SELECT * FROM x WHERE title = %s", [text]),
    "execute_sql": lambda text: execute_sql("UPDATE x SET title = %s WHERE data = %s", [text, {"a": text}]),
    "union": lambda text: things.filter(title=text).values("title").union(things.exclude(title=text).values("title")),
    "values": lambda text: things.values("title", a=Value(text)),
    "values_list": lambda text: things.filter(title=text).values_list("title", flat=True),
    "only": lambda text: things.only("title").filter(title=text),
    "select_related": lambda text: things.select_related("owner").filter(owner__name=text),
    "update": lambda text: things.filter(title=text).update(title=text),
    "update to an expression": lambda text: things.update(title=Concat("title", Value(text))),
    "delete": lambda text: Owner.objects.filter(name=text).delete(),
    "count": lambda text: things.filter(title=text).distinct().count(),
    "exists": lambda text: things.filter(title=text).exists(),
    "JSON": lambda text: things.filter(data=text),
    "key of several": lambda text: Place.objects.filter(pk=(1, text)),
    "keys of several": lambda text: Place.objects.exclude(pk__in=[(1, text), (2, "x")]),
    "order of keys": lambda text: Place.objects.filter(pk__gt=(1, text), pk__lte=(2, text)).order_by("-pk"),
    "update by such a key": lambda text: Place.objects.filter(pk__in=Place.objects.filter(pk=(1, text))).update(title=text),
}  # fmt: skip


@pytest.mark.slow
@settings(max_examples=1900)
@given(use=st.sampled_from(list(VALUED)), text=hostile_text, vendor=st.sampled_from(VENDORS))
def test_a_hostile_value_travels_as_an_argument(ask: Ask, use: str, text: str, vendor: str) -> None:
    harmless = ask(VALUED[use]("harmless"), vendor)
    try:
        statements = ask(VALUED[use](text), vendor)
    except DataError:
        assert cannot_be_stored(text)
        return
    assert [sql for sql, _ in statements] == [sql for sql, _ in harmless]
    assert [len(arguments) for _, arguments in statements] == [len(arguments) for _, arguments in harmless]


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("use", VALUED)
def test_no_sql_is_written_of_a_value_when_it_is_the_first(ask: Ask, use: str, vendor: str) -> None:
    """Plans are remembered; here each is made anew, of the hostile value and of the harmless one."""
    found: list[list[str]] = []
    for text in ("'; DROP TABLE thing; -- %s ? $1 {}", "harmless"):
        PLANS.clear()
        found.append([sql for sql, _ in ask(VALUED[use](text), vendor)])
    assert found[0] == found[1]
    assert "thing; --" not in "".join(found[0])


# -- real databases


@pytest.fixture
async def owner(database: Backend) -> Owner:
    await create_tables(Owner, Thing)
    return await Owner.objects.create(name="ada")


TABLE = Thing._meta.db_table
TEXTS = [
    "'; DROP TABLE test_injection_thing; --", "'; DROP TABLE test_injection_thing CASCADE; SELECT '", "\\'; --", "a\0b",
    "\0", "\ud800", "a\udfffb", "x" * 1_000_000, "%", "_", "!", "[a]*?", "$1", "?", "\u202e\uffff\U0010ffff", "", " ", "\r\n",
]  # fmt: skip


@pytest.mark.slow
async def test_text_comes_back_as_it_was_stored_or_is_refused(owner: Owner) -> None:
    refused: list[str] = []
    for text in TEXTS:
        try:
            made = await things.create(owner=owner, title=text)
        except DatabaseError:
            refused.append(text)
            continue
        assert (await things.get(pk=made.pk)).title == text
        for lookup in ("exact", "contains", "startswith", "endswith", "in"):
            found = things.filter(**{f"title__{lookup}": [text] if lookup == "in" else text})
            with contextlib.suppress(DataError) if len(text) > 50_000 else contextlib.nullcontext():
                # SQLite takes no longer patterns.
                assert made.pk in await found.values_list("pk", flat=True), (lookup, text[:50])
        assert await things.filter(pk=made.pk).annotate(a=Value(text)).values_list("a", flat=True) == [text]
        assert [row.pk for row in await things.raw(f"SELECT id FROM {TABLE} WHERE title = %s", [text])] == [
            made.pk
        ]
        assert await things.filter(RawSQL("title = %s", [text], models.BooleanField())).count() == 1
        assert await things.filter(title=text).update(title=Concat(Value(text), Value(text))) == 1
        assert (await things.get(pk=made.pk)).title == text + text
        assert await things.filter(title=text + text, pk=made.pk).delete() == 1
    assert all(map(cannot_be_stored, refused))
    assert await things.count() == 0


@pytest.mark.slow
async def test_text_that_cannot_be_stored_cannot_be_asked_for_either(owner: Owner) -> None:
    """An error of ours or no rows, and the connection goes on; never an error of a driver."""
    for text in TEXTS:
        for lookup in TEXT_LOOKUPS:
            with contextlib.suppress(DatabaseError):
                await things.filter(**{f"title__{lookup}": text}).count()
        for made in (lambda: things.filter(data=text).count(), lambda: things.update(title=text)):  # noqa: B023
            with contextlib.suppress(DatabaseError):
                await made()
    assert await Owner.objects.count() == 1


NUMBERS = [1 << 62, (1 << 63) - 1, -(1 << 63), 1 << 63, -(1 << 63) - 1, 1 << 64, 10**40, -(10**40), 10**400]


async def test_numbers_come_back_as_they_were_stored_or_are_refused(owner: Owner) -> None:
    for number in NUMBERS:
        fits = -(1 << 63) <= number < 1 << 63
        if fits:
            made = await things.create(owner=owner, title="x", size=number)
            assert (await things.get(size=number, pk=made.pk)).size == number
            assert await things.filter(size__lt=number).count() == 0
        else:
            with pytest.raises(DatabaseError):
                await things.create(owner=owner, title="x", size=number)
            with pytest.raises(DatabaseError):
                await things.update(size=number)
        assert await things.filter(size=number).count() == fits
        assert await things.filter(pk=number).count() == 0
        assert await things.filter(size__in=[number]).count() == fits
        assert await things.filter(size__range=(number, number)).count() == fits
        with contextlib.suppress(DatabaseError):
            await things.filter(price__lt=number).count()
        with contextlib.suppress(DatabaseError):
            await things.filter(size__lt=F("size") + number).count()
        with contextlib.suppress(DatabaseError):
            await things.annotate(a=Value(number)).values_list("a")
        with contextlib.suppress(DatabaseError):
            await things.order_by("pk")[: abs(number)]
        await things.all().delete()
    assert await Owner.objects.count() == 1


WRONG: list[Any] = [
    "'; DROP TABLE x",
    b"\0",
    "1 OR 1=1",
    1.5,
    Decimal("NaN"),
    float("inf"),
    [1],
    {"a": 1},
    object(),
]


async def test_a_value_of_the_wrong_kind_is_no_more_than_an_error(owner: Owner) -> None:
    thing = await things.create(owner=owner, title="x")
    for value in WRONG:
        for name in ("title", "size", "price", "made", "owner", "pk", "size__gt", "price__lt", "made__year"):
            with contextlib.suppress(DatabaseError):
                await things.filter(**{name: value}).count()
    assert await things.get() == thing
