"""Texts that are alike, texts without accents, and the indexes that find them, on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from transom.db import FieldError, ProgrammingError, Q, atomic, connections, create_tables, models
from transom.db.backends.base import Backend
from transom.db.migrations.serializer import serialize
from transom.db.models import BloomIndex, GinIndex, GistIndex, OpClass
from transom.db.models.functions import Upper
from transom.db.models.query.plans import PLANS
from transom.db.postgres import (
    TrigramDistance,
    TrigramSimilarity,
    TrigramStrictWordDistance,
    TrigramStrictWordSimilarity,
    TrigramWordDistance,
    TrigramWordSimilarity,
    Unaccent,
)

pytestmark = pytest.mark.postgres


class Country(models.Model):
    motto = models.CharField(max_length=50, default="")


class Town(models.Model):
    country = models.ForeignKey(Country, models.CASCADE, null=True, related_name="towns")
    name = models.CharField(max_length=100)
    code = models.IntegerField(default=0)


towns = Town.objects
NAMES = ["Middlesbrough", "Middelburg in Zeeland", "Hélène", "Helene's place", "Paris"]


@pytest.fixture
async def postgres(postgres_url: str) -> AsyncIterator[Backend]:
    connections.configure({"default": postgres_url})
    yield connections.backend("default")
    await connections.backend("default").execute("DROP SCHEMA public CASCADE")
    await connections.backend("default").execute("CREATE SCHEMA public")
    await connections.aclose()
    connections.configure({})


async def extend(backend: Backend, name: str) -> None:
    """Create an extension, or skip the test where this PostgreSQL was installed without it."""
    available = "SELECT 1 FROM pg_available_extensions WHERE name = $1"
    if not await backend.fetch(available, (name,)):
        pytest.skip(f"this PostgreSQL has no extension {name}")
    await backend.execute(f"CREATE EXTENSION {name}")


@pytest.fixture
async def trigrams(postgres: Backend) -> Backend:
    await extend(postgres, "pg_trgm")
    await create_tables(Country, Town)
    low = await Country.objects.create(motto="Je maintiendrai")
    await towns.bulk_create([Town(name=name, country=low if "Zee" in name else None) for name in NAMES])
    return postgres


@pytest.fixture
async def accents(trigrams: Backend) -> Backend:
    await extend(trigrams, "unaccent")
    return trigrams


async def names(query: Any) -> list[str]:
    return await query.order_by("pk").values_list("name", flat=True)


async def test_texts_are_alike_wholly_or_by_words(trigrams: Backend) -> None:
    assert await names(towns.filter(name__trigram_similar="Middlesborough")) == NAMES[:1]
    assert await names(towns.filter(name__trigram_word_similar="Middelborg")) == NAMES[1:2]
    assert await names(towns.filter(name__trigram_strict_word_similar="Zeelant")) == NAMES[1:2]
    assert await names(towns.exclude(name__trigram_similar="Middlesborough")) == NAMES[1:]
    assert await names(towns.filter(~Q(name__trigram_word_similar="Zeeland"))) == [NAMES[0], *NAMES[2:]]
    assert await names(towns.filter(country__motto__trigram_word_similar="maintendrai")) == NAMES[1:2]
    assert await names(towns.filter(name__lower__trigram_similar=Upper("name"))) == NAMES
    assert await Country.objects.filter(towns__name__trigram_word_similar="Zeeland").count() == 1


SIMILARITIES = [
    (TrigramSimilarity("name", "Paris"), TrigramDistance("name", "Paris")),
    (TrigramWordSimilarity("Paris", "name"), TrigramWordDistance("Paris", "name")),
    (TrigramStrictWordSimilarity("Paris", "name"), TrigramStrictWordDistance("Paris", "name")),
]


@pytest.mark.parametrize(("similarity", "distance"), SIMILARITIES)
async def test_similarity_and_distance_make_one(trigrams: Backend, similarity: Any, distance: Any) -> None:
    found = towns.annotate(similarity=similarity, distance=distance).order_by("-similarity")
    first, *_, last = await found.values_list("name", "similarity", "distance")
    assert first == ("Paris", 1.0, 0.0)
    assert last[1] < 0.5
    assert last[1] + last[2] == pytest.approx(1)
    assert await found.filter(similarity__gt=0.9).count() == 1
    assert await towns.order_by(distance).values_list("name", flat=True)[:1] == ["Paris"]


async def test_the_text_and_the_column_stand_in_their_order(trigrams: Backend) -> None:
    query = towns.filter(name=NAMES[1])
    of_word = query.annotate(
        a=TrigramWordSimilarity("Zeeland", "name"), b=TrigramSimilarity("name", "Zeeland")
    )
    ((whole, part),) = await of_word.values_list("a", "b")
    assert whole == 1.0
    assert part < 0.5


async def test_accents_are_left_out_on_both_sides(accents: Backend) -> None:
    assert await names(towns.filter(name__unaccent="Helene")) == ["Hélène"]
    assert await names(towns.filter(name__unaccent="Hélène")) == ["Hélène"]
    assert await names(towns.filter(name__unaccent__icontains="HÉLÈNE")) == ["Hélène", "Helene's place"]
    assert await names(towns.filter(name__unaccent__startswith="Hélè")) == ["Hélène", "Helene's place"]
    assert await names(towns.filter(name__unaccent__in=["Hélene", "Páris"])) == ["Hélène", "Paris"]
    assert await names(towns.filter(name__unaccent__lower__trigram_similar="helene")) == [
        "Hélène",
        "Helene's place",
    ]
    assert await names(towns.filter(country__motto__unaccent__icontains="máint")) == NAMES[1:2]
    assert await names(towns.exclude(name__unaccent__icontains="hélène")) == [*NAMES[:2], "Paris"]
    plain = towns.annotate(plain=Unaccent("name")).filter(plain="Helene")
    assert await plain.values_list("plain", flat=True) == ["Helene"]


async def test_percent_signs_and_quotes_in_what_is_searched_are_values(accents: Backend) -> None:
    for text in [
        "%",
        "'; DROP TABLE test_postgres_trigrams_town; --",
        "$1",
        "%%s",
        "{}",
        "_",
        "\\",
        "''",
        "",
    ]:
        await towns.filter(name__trigram_similar=text, name__unaccent__icontains=text).count()
        await towns.annotate(s=TrigramSimilarity("name", text), w=TrigramStrictWordDistance(text, "name"))
    town = await towns.create(name="100 % pure")
    assert await names(towns.filter(name__unaccent__icontains="0 %")) == [town.name]
    assert await towns.count() == 6


async def test_one_plan_serves_all_texts(trigrams: Backend) -> None:
    PLANS.clear()
    for text in ("a", "b", "c"):
        await towns.filter(name__trigram_similar=text).annotate(s=TrigramSimilarity("name", text))
    assert len(PLANS) == 1


async def test_without_the_extension_it_is_an_error_that_says_what_is_missing(postgres: Backend) -> None:
    await create_tables(Country, Town)
    with pytest.raises(ProgrammingError, match="function unaccent"):
        await towns.filter(name__unaccent="x")
    with pytest.raises(ProgrammingError, match="function similarity"):
        await towns.annotate(s=TrigramSimilarity("name", "x"))


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(TypeError, match="likeness is that of a text, not of 3"):
        TrigramSimilarity("name", 3)  # type: ignore[arg-type]  # what is refused
    with pytest.raises(TypeError, match="likeness"):
        TrigramWordDistance(None, "name")  # type: ignore[arg-type]  # what is refused
    with pytest.raises(FieldError, match="has no lookup 'trigram_similar'"):
        towns.filter(code__trigram_similar="x")
    with pytest.raises(FieldError, match="no lookup 'unaccent'"):
        towns.filter(code__unaccent="x")


@pytest.mark.parametrize("vendor", ["sqlite", "mysql"])
async def test_other_databases_refuse_before_any_sql_and_say_what_to_do(vendor: Any) -> None:
    ran: list[str] = []

    class Recorder:
        alias = "default"

        async def fetch(self, sql: str, args: Any = ()) -> list[Any]:
            ran.append(sql)
            return []

    recorder: Any = Recorder()
    recorder.vendor = vendor
    connections.substitute("default", recorder)
    try:
        for query in (
            towns.filter(name__trigram_similar="x"),
            towns.filter(name__trigram_word_similar="x"),
            towns.annotate(s=TrigramSimilarity("name", "x")),
            towns.order_by(TrigramWordDistance("x", "name")),
            towns.filter(name__unaccent__icontains="x"),
        ):
            with pytest.raises(FieldError, match=f"needs PostgreSQL, and this database is {vendor}; "):
                await query
    finally:
        connections.substitute("default", None)
    assert ran == []


# -- indexes


class Indexed(models.Model):
    name = models.CharField(max_length=100)
    text = models.TextField()
    number = models.IntegerField(default=0)

    class Meta:
        indexes = [
            GinIndex(OpClass(Upper("name"), name="gin_trgm_ops"), name="by_upper_name"),
            GistIndex(OpClass("text", name="gist_trgm_ops"), name="by_text"),
            GinIndex(fields=["text"], opclasses=["gin_trgm_ops"], name="by_gin", fastupdate=False),
            models.BrinIndex(fields=["number"], pages_per_range=16, name="by_number"),
            models.SpGistIndex(fields=["text"], name="by_beginning"),
            models.HashIndex(fields=["text"], name="by_hash"),
            models.Index(fields=["-name"], opclasses=["varchar_pattern_ops"], name="by_last"),
        ]


class Bloomed(models.Model):
    a = models.IntegerField()
    b = models.IntegerField()

    class Meta:
        indexes = [BloomIndex(fields=["a", "b"], length=64, columns=[2, 4], name="bloomed")]


async def definitions(backend: Backend, table: str) -> dict[str, str]:
    sql = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = $1"
    return {row[0]: row[1].partition(" USING ")[2] for row in await backend.fetch(sql, (table,))}


async def test_each_kind_of_index_is_made_with_its_classes_and_parameters(postgres: Backend) -> None:
    await extend(postgres, "pg_trgm")
    await create_tables(Indexed)
    made = await definitions(postgres, Indexed._meta.db_table)
    assert made["by_upper_name"] == "gin (upper((name)::text) gin_trgm_ops)"
    assert made["by_text"] == "gist (text gist_trgm_ops)"
    assert made["by_gin"] == "gin (text gin_trgm_ops) WITH (fastupdate='false')"
    assert made["by_number"] == "brin (number) WITH (pages_per_range='16')"
    assert made["by_beginning"] == "spgist (text)"
    assert made["by_hash"] == "hash (text)"
    assert made["by_last"] == "btree (name varchar_pattern_ops DESC)"


async def test_a_bloom_index_has_its_bits(postgres: Backend) -> None:
    await extend(postgres, "bloom")
    await create_tables(Bloomed)
    made = await definitions(postgres, Bloomed._meta.db_table)
    assert made["bloomed"] == "bloom (a, b) WITH (length='64', col1='2', col2='4')"


async def test_an_index_with_an_operator_class_is_used(postgres: Backend) -> None:
    await extend(postgres, "pg_trgm")
    await create_tables(Indexed)
    async with atomic():
        executor = connections.executor()
        for kind in ("seqscan", "indexscan"):
            await executor.execute(f"SET LOCAL enable_{kind} = off")
        table = Indexed._meta.db_table
        plan = await executor.fetch(f"EXPLAIN SELECT * FROM {table} WHERE upper(name) LIKE '%ABC%'")
        assert any("by_upper_name" in row[0] for row in plan)


async def test_operator_classes_change_nothing_on_other_databases(database: Backend) -> None:
    class Named(models.Model):
        name = models.CharField(max_length=100)

        class Meta:
            indexes = [models.Index(OpClass("name", name="text_pattern_ops"), name="by_pattern")]

    await create_tables(Named)
    await Named.objects.create(name="x")
    assert await Named.objects.filter(name__startswith="x").count() == 1


def test_indexes_are_written_into_migrations_as_they_were() -> None:
    for index in [*Indexed._meta.indexes, *Bloomed._meta.indexes]:
        again: Any = eval(serialize(index).layout(), {"models": models, "transom": __import__("transom")})
        assert again.deconstruct()[2].keys() == index.deconstruct()[2].keys()
        assert serialize(again).layout() == serialize(index).layout()


def test_what_an_index_cannot_be_is_refused() -> None:
    with pytest.raises(TypeError, match="is no operator class"):
        OpClass("name", name="x) ; DROP TABLE x")
    with pytest.raises(TypeError, match="at most 32 fields"):
        BloomIndex(fields=["a"], columns=[1, 2])
    with pytest.raises(TypeError, match="a length of 1 to 4096 bits"):
        BloomIndex(fields=["a"], length=5000)
    with pytest.raises(TypeError, match="4095 for each"):
        BloomIndex(fields=["a"], columns=[0])
