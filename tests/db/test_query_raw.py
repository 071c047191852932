"""SQL of one's own: raw(), RawSQL, and rows without a model; its placeholders are the same on every database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from transom.db import (
    DatabaseError,
    FieldError,
    NotLoaded,
    ProgrammingError,
    atomic,
    connections,
    create_tables,
    execute_sql,
    fetch_sql,
    models,
)
from transom.db.backends.base import Backend
from transom.db.models import Count, F, Func, OuterRef, Prefetch, RawSQL, Value, Window
from transom.db.models.functions import Coalesce, RowNumber
from transom.db.models.query.plans import PLANS
from transom.db.sql.placeholders import parse_placeholders, write_placeholders


class Shelf(models.Model):
    books: models.Related[Volume]
    name = models.CharField(max_length=50)


class Volume(models.Model):
    shelf = models.ForeignKey(Shelf, models.CASCADE, related_name="books", null=True)
    shelf_id: int | None
    title = models.CharField(max_length=50)
    pages = models.IntegerField(db_column="page_count")
    price = models.DecimalField(max_digits=8, decimal_places=2)
    added = models.DateTimeField()

    class Meta:
        db_table = "volume"


DAY = datetime(2024, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
async def volumes(database: Backend) -> list[Volume]:
    await create_tables(Shelf, Volume)
    shelf = await Shelf.objects.create(name="one")
    return await Volume.objects.bulk_create(
        [
            Volume(title="Atlas", pages=300, price=Decimal("30.10"), added=DAY, shelf=shelf),
            Volume(title="Birds", pages=90, price=Decimal("12.00"), added=DAY, shelf=shelf),
            Volume(title="100%", pages=120, price=Decimal("8.95"), added=DAY),
        ]
    )


# -- raw()


async def test_columns_become_fields_by_their_names(volumes: list[Volume]) -> None:
    found = await Volume.objects.raw("SELECT * FROM volume WHERE page_count > %s ORDER BY page_count", [100])
    assert found == [volumes[2], volumes[0]]
    assert (found[1].title, found[1].pages, found[1].price) == ("Atlas", 300, Decimal("30.10"))
    assert (found[1].added, found[1].shelf_id, found[0].shelf_id) == (DAY, volumes[0].shelf_id, None)
    found[1].title = "Maps"
    await found[1].save()
    assert await Volume.objects.filter(title="Maps").count() == 1


async def test_what_is_missing_is_not_loaded_and_what_is_over_becomes_an_attribute(
    volumes: list[Volume],
) -> None:
    sql = "SELECT id, page_count * 2 AS twice FROM volume WHERE title = %(title)s OR title = %(title)s"
    (found,) = await Volume.objects.raw(sql, {"title": "Birds"})
    assert vars(found)["twice"] == 180
    with pytest.raises(NotLoaded):
        _ = found.title
    await found.refresh()
    assert found.title == "Birds"


async def test_translations_name_the_fields_of_columns(volumes: list[Volume]) -> None:
    sql = (
        "SELECT id AS number, title AS heading, price FROM volume WHERE title LIKE 'A%%' AND page_count = %s"
    )
    (found,) = await Volume.objects.raw(sql, [300], translations={"number": "pk", "heading": "title"})
    assert (found.pk, found.title, found.price) == (volumes[0].pk, "Atlas", Decimal("30.10"))


async def test_percent_signs_stay_where_there_are_no_params(volumes: list[Volume]) -> None:
    sql = "SELECT * FROM volume WHERE title LIKE '%0%'"
    assert await Volume.objects.raw(sql, None) == [volumes[2]]
    assert await Volume.objects.raw(sql.replace("%", "%%")) == [volumes[2]]
    assert await Volume.objects.raw("SELECT * FROM volume WHERE title = %s", ["100%"]) == [volumes[2]]
    assert await Volume.objects.raw("SELECT * FROM volume WHERE title LIKE '%%0%%' AND id > %s", [0]) == [
        volumes[2]
    ]


async def test_it_is_awaited_or_iterated_and_loads_what_hangs_on_its_objects(volumes: list[Volume]) -> None:
    raw = Volume.objects.all().raw("SELECT * FROM volume ORDER BY id")
    assert [volume.title async for volume in raw.prefetch_related("shelf")] == ["Atlas", "Birds", "100%"]
    first, _, last = await raw.prefetch_related("shelf")
    assert first.shelf is not None
    assert first.shelf.name == "one"
    assert last.shelf is None
    with pytest.raises(NotLoaded):
        _ = (await raw)[0].shelf
    (shelf,) = await Shelf.objects.raw("SELECT id FROM test_query_raw_shelf").prefetch_related(
        Prefetch("books", Volume.objects.order_by("-pages"))
    )
    assert [book.title for book in shelf.books.loaded] == ["Atlas", "Birds"]
    assert await raw.prefetch_related("shelf").prefetch_related(None) == volumes
    with pytest.raises(FieldError, match="no relation 'shelve'"):
        raw.prefetch_related("shelve")


async def test_it_reads_inside_a_transaction_and_from_a_database_by_name(
    volumes: list[Volume], database: Backend
) -> None:
    async with atomic():
        await Volume.objects.filter(title="Birds").delete()
        assert len(await Volume.objects.raw("SELECT id FROM volume")) == 2
    connections.substitute("other", database)
    try:
        (found, _) = await Volume.objects.raw("SELECT id FROM volume").using("other")
    finally:
        connections.substitute("other", None)
    assert vars(found)["_using"] == "other"
    with pytest.raises(DatabaseError, match="no database 'nowhere'"):
        await Volume.objects.using("nowhere").raw("SELECT id FROM volume")


async def test_no_rows_are_no_objects(volumes: list[Volume]) -> None:
    assert await Volume.objects.raw("SELECT * FROM volume WHERE page_count < %s", [0]) == []


WRONG_COLUMNS = [
    (
        "SELECT title, price FROM volume",
        r"needs the key Volume\.id among the columns; there are title, price",
    ),
    ("SELECT v.*, s.* FROM volume v JOIN volume s ON s.id = v.id", "raw.. got 'id' twice"),
    ("SELECT id, title AS pk FROM volume", "has an attribute 'pk'"),
    ("SELECT id, title AS shelf FROM volume", "has an attribute 'shelf'"),
    ("SELECT id, title AS save FROM volume", "has an attribute 'save'"),
]


@pytest.mark.parametrize(("sql", "message"), WRONG_COLUMNS)
async def test_columns_that_make_no_object_are_refused(volumes: list[Volume], sql: str, message: str) -> None:
    with pytest.raises(FieldError, match=message):
        await Volume.objects.raw(sql)


async def test_an_attribute_may_have_any_name(volumes: list[Volume]) -> None:
    hostile = 'x"; import os #'
    quoted = hostile.replace('"', '""')
    quote = "`" if connections.backend("default").vendor == "mysql" else '"'
    sql = f"SELECT id, title AS {quote}{hostile if quote == '`' else quoted}{quote} FROM volume ORDER BY id"
    found = await Volume.objects.raw(sql)
    assert vars(found[0])[hostile] == "Atlas"


async def test_objects_of_rows_with_the_same_columns_share_a_loader(volumes: list[Volume]) -> None:
    PLANS.clear()
    for pages in range(5):
        await Volume.objects.raw(f"SELECT id, title FROM volume WHERE page_count > {pages} + %s", [pages])
    assert len(PLANS) == 1


# -- params


VALUES: list[tuple[str, Any]] = [
    ("title", "Atlas"),
    ("page_count", 300),
    ("price", Decimal("30.10")),
    ("added", DAY),
]


@pytest.mark.parametrize(("column", "value"), VALUES)
async def test_values_are_encoded_as_the_fields_of_their_types_do(
    volumes: list[Volume], column: str, value: Any
) -> None:
    assert await Volume.objects.raw(f"SELECT * FROM volume WHERE {column} = %s", [value]) == [
        volume for volume in volumes if getattr(volume, {"page_count": "pages"}.get(column, column)) == value
    ]


async def test_null_and_lists_are_values_too(volumes: list[Volume]) -> None:
    vendor = connections.backend("default").vendor
    assert await Volume.objects.raw("SELECT * FROM volume WHERE COALESCE(%s, title) = 'Birds'", [None]) == [
        volumes[1]
    ]
    members = {
        "postgresql": "page_count = ANY(%s)",
        "sqlite": "page_count IN (SELECT value FROM json_each(%s))",
        "mysql": "page_count IN (SELECT n FROM JSON_TABLE(%s, '$[*]' COLUMNS (n BIGINT PATH '$')) AS t)",
    }[vendor]
    for pages in ([90, 300], (90, 300)):
        assert len(await Volume.objects.raw(f"SELECT * FROM volume WHERE {members}", [pages])) == 2


WRONG_PARAMS: list[tuple[str, Any, type[Exception], str]] = [
    ("SELECT %s, %s", [1], FieldError, r"has 2 places \(%s\) and there are 1 params"),
    ("SELECT 1", [1], FieldError, "has 0 places"),
    ("SELECT %s", (), FieldError, "has 1 places"),
    ("SELECT %(a)s", {"b": 1}, FieldError, "no param is called 'a'; the SQL has a"),
    ("SELECT %(a)s", {"a": 1, "b": 1}, FieldError, "no place is there for the param 'b'"),
    ("SELECT %(a)s, %s", {"a": 1}, FieldError, "from a list of params"),
    ("SELECT %(a)s", [1], FieldError, "from a dict of params"),
    ("SELECT %d", [1], FieldError, "write %% for a percent sign, not '%d'"),
    ("SELECT %()s", [1], FieldError, "write %% for a percent sign"),
    ("SELECT 5 % 3", (), FieldError, "write %% for a percent sign, not '% 3'"),
    ("SELECT 5 %", (), FieldError, "write %% for a percent sign"),
    ("SELECT %s", "x", TypeError, "a list, a tuple or a dict"),
    ("SELECT %s", 5, TypeError, "a list, a tuple or a dict"),
    ("SELECT %s", {1}, TypeError, "a list, a tuple or a dict"),
]


@pytest.mark.parametrize(("sql", "params", "error", "message"), WRONG_PARAMS)
@pytest.mark.parametrize("use", [Volume.objects.raw, RawSQL])
def test_params_that_do_not_fit_are_refused_before_any_sql(
    use: Callable[..., Any], sql: str, params: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        use(sql, params)


def test_what_is_no_sql_and_no_field_is_refused() -> None:
    with pytest.raises(TypeError, match="SQL is a str"):
        Volume.objects.raw(b"SELECT 1")  # type: ignore[arg-type]
    with pytest.raises(FieldError, match="Volume has no field 'heading'"):
        Volume.objects.raw("SELECT 1", translations={"x": "heading"})


async def test_values_of_no_known_type_and_too_large_numbers_are_refused(volumes: list[Volume]) -> None:
    for wrong in (object(), 1 << 64, datetime(2024, 1, 1), "a\0b"):
        with pytest.raises(DatabaseError):
            await Volume.objects.raw("SELECT * FROM volume WHERE title = %s", [wrong])
    with pytest.raises(FieldError, match="no NUL"):
        await Volume.objects.raw("SELECT * FROM volume WHERE title = '\0'")


QUOTED = [
    "title = '%s'",
    "title = 'it''s %s'",
    'title = "%s"',
    "title = 'x' -- %s\n",
    "title = 'x' /* %s */",
]


@pytest.mark.parametrize("where", QUOTED)
async def test_a_place_within_quotes_is_refused(volumes: list[Volume], where: str) -> None:
    """The driver of MariaDB would write the value into the text, and so out of the quotes."""
    with pytest.raises(FieldError, match="stands alone, not within"):
        await Volume.objects.raw(f"SELECT * FROM volume WHERE {where}", ["' OR 1=1 -- "])
    with pytest.raises(FieldError, match="stands alone, not within"):
        await Volume.objects.filter(RawSQL(where, ["' OR 1=1 -- "], models.BooleanField()))
    template = where.replace("%s", "{}")
    with pytest.raises(FieldError, match="stands alone, not within"):
        await Volume.objects.annotate(
            a=Func(Value("x"), template=template, output_field=models.BooleanField())
        )


WRITTEN = [
    (r"a = 'C:\' AND b = %s", "postgresql", r"a = 'C:\' AND b = $1"),
    (r"a = E'\'' AND b = %s", "postgresql", r"a = E'\'' AND b = $1"),
    ("a = $$'$$ AND b = %s", "postgresql", "a = $$'$$ AND b = $1"),
    ("a ? 'b' AND c = %s AND d = %s", "postgresql", "a ? 'b' AND c = $1 AND d = $2"),
    (r"a = 'C:\' AND b = %s", "sqlite", r"a = 'C:\' AND b = ?"),
    ("a = '?' AND b LIKE 'x%%' AND c = %s", "sqlite", "a = '?' AND b LIKE 'x%' AND c = ?"),
    (r"a = '\'' AND b = %s", "mysql", r"a = '\'' AND b = %s"),
    ("a = `'` AND b LIKE 'x%%' AND c = %s # it's", "mysql", "a = `'` AND b LIKE 'x%%' AND c = %s # it's"),
    ("a--%s", "mysql", "a--%s"),
]


@pytest.mark.parametrize(("sql", "vendor", "written"), WRITTEN)
def test_placeholders_become_those_of_the_driver(sql: str, vendor: Any, written: str) -> None:
    assert write_placeholders(parse_placeholders(sql, [1] * sql.count("%s")).pieces, vendor) == written


def test_escaped_quotes_are_read_as_the_database_reads_them() -> None:
    sql = parse_placeholders(r"a = '\' AND b = %s'", [1]).pieces
    with pytest.raises(FieldError, match="stands alone"):
        write_placeholders(sql, "mysql")


async def test_wrong_sql_is_a_programming_error(volumes: list[Volume]) -> None:
    with pytest.raises(ProgrammingError):
        await Volume.objects.raw("SELECT * FROM nowhere WHERE a = %s", [1])


# -- RawSQL


def twice(*, plus: int = 0) -> RawSQL:
    return RawSQL("page_count * 2 + CAST(%s AS DECIMAL)", [plus], models.IntegerField())


async def test_an_expression_of_ones_own_sql(volumes: list[Volume]) -> None:
    query = Volume.objects.annotate(twice=twice(plus=1)).order_by("pk")
    assert await query.values_list("twice", flat=True) == [601, 181, 241]
    assert await query.filter(twice__gt=200).values_list("title", flat=True) == ["Atlas", "100%"]
    assert await query.annotate(more=F("twice") + F("pages")).values_list("more", flat=True) == [
        901,
        271,
        361,
    ]
    assert await Volume.objects.order_by(RawSQL("page_count %% %s", [100]).desc(), "title").values_list(
        "title", flat=True
    ) == ["Birds", "100%", "Atlas"]
    assert (
        await Volume.objects.filter(
            RawSQL("page_count > %(least)s", {"least": 100}, models.BooleanField())
        ).count()
        == 2
    )
    assert await Volume.objects.filter(pages__gt=RawSQL("SELECT AVG(page_count) FROM volume")).count() == 1
    assert await Volume.objects.update(pages=RawSQL("page_count + %s", [1])) == 3
    assert await Volume.objects.annotate(
        n=Window(RowNumber(), order_by=RawSQL("page_count").desc())
    ).order_by("n").values_list("title", flat=True) == ["Atlas", "100%", "Birds"]


async def test_members_of_ones_own_sql(volumes: list[Volume]) -> None:
    thick = RawSQL("SELECT id FROM volume WHERE page_count > %s", [100])
    assert await Volume.objects.filter(pk__in=thick).order_by("pk") == [volumes[0], volumes[2]]
    assert await Volume.objects.exclude(pk__in=thick) == [volumes[1]]
    nothing = RawSQL("SELECT shelf_id FROM volume WHERE title = %s", ["100%"])
    assert await Volume.objects.exclude(shelf__in=nothing).count() == 3


async def test_values_of_sql_are_in_the_order_of_the_places(volumes: list[Volume]) -> None:
    query = (
        Volume.objects.filter(pages__gt=1)
        .annotate(a=RawSQL("page_count + %s * CAST(%s AS DECIMAL)", [7, 1], models.IntegerField()))
        .filter(title__in=["Atlas", "Birds"])
        .order_by(RawSQL("page_count * %s", [-1]))
    )
    assert await query[:1].values_list("a", flat=True) == [307]
    PLANS.clear()
    for plus in (1, 100_000_000_000):
        assert await Volume.objects.annotate(a=twice(plus=plus)).filter(a__gt=0).count() == 3
    assert len(PLANS) == 1


async def test_what_nobody_knows_the_type_of_is_refused_where_that_matters(volumes: list[Volume]) -> None:
    bare = RawSQL("page_count")
    with pytest.raises(FieldError, match="give it an output_field"):
        Volume.objects.annotate(a=bare)
    with pytest.raises(FieldError, match="neither true nor false"):
        Volume.objects.filter(bare)
    for expression in (
        Coalesce(bare, 0),
        Coalesce(OuterRef("pk"), 0),
        models.Sum(bare),
        models.Max(bare),
        models.Avg(bare),
    ):
        with pytest.raises(FieldError, match="give an output_field"):
            Volume.objects.annotate(a=expression)
    assert await Volume.objects.aggregate(a=Count(bare)) == {"a": 3}


# -- rows without a model


async def test_rows_of_a_statement_by_the_names_of_their_columns(volumes: list[Volume]) -> None:
    sql = "SELECT title, page_count AS n FROM volume WHERE page_count > %(n)s ORDER BY title"
    assert await fetch_sql(sql, {"n": 100}) == [{"title": "100%", "n": 120}, {"title": "Atlas", "n": 300}]
    async with atomic():
        assert await execute_sql("UPDATE volume SET title = %s WHERE page_count = %s", ["%s", 90]) == 1
        assert await fetch_sql("SELECT title FROM volume WHERE title = '%s'", None) == [{"title": "%s"}]
    assert await fetch_sql("SELECT title FROM volume WHERE title = %s", ["none"]) == []
    with pytest.raises(FieldError, match="the same name"):
        await fetch_sql("SELECT title, title FROM volume")
    with pytest.raises(FieldError, match="has 1 places"):
        await execute_sql("DELETE FROM volume WHERE id = %s")


async def test_a_key_may_be_a_uuid(database: Backend) -> None:
    await create_tables(Token)
    made = await Token.objects.create(id=UUID(int=5), data={"a": [1]})
    (found,) = await Token.objects.raw("SELECT * FROM test_query_raw_token WHERE id = %s", [made.pk])
    assert (found.id, found.data) == (UUID(int=5), {"a": [1]})


class Token(models.Model):
    id = models.UUIDField(primary_key=True)
    data = models.JSONField()
