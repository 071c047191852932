"""`inspectdb`: the models it prints can be imported, and read and write the rows of tables that others made."""

from __future__ import annotations

import ast
import re
import sys
import types
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

import pytest

from transom.db import connections, create_tables, models
from transom.db.backends.base import Backend
from transom.db.introspection import inspect_database
from transom.db.models import registry

_numbers = count()


@pytest.fixture(autouse=True)
def own_registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(registry, "_models", {})
    monkeypatch.setattr(registry, "_waiting", defaultdict(list))
    known = set(sys.modules)
    yield
    for name in sys.modules.keys() - known:
        if name.startswith("inspected_"):
            del sys.modules[name]


def load(source: str) -> Any:
    """Run a module's text; models are known by the module's name, so each has one of its own."""
    module = types.ModuleType(f"inspected_{next(_numbers)}")
    sys.modules[module.__name__] = module
    exec(compile(source, module.__name__, "exec"), vars(module))
    return module


def on_one_line(source: str) -> str:
    """Return the text without the lines that long calls are laid out over."""
    return re.sub(r",? ([\])])", r"\1", re.sub(r"([\[(]) ", r"\1", " ".join(source.split())))


async def run(*statements: str) -> None:
    for statement in statements:
        await connections.executor().execute(statement)


def library() -> tuple[Any, ...]:
    class Author(models.Model):
        name = models.CharField(max_length=30, unique=True)
        mentor: models.ForeignKey[Any] = models.ForeignKey("self", models.SET_NULL, null=True)

        class Meta:
            app_label = "library"

    class Profile(models.Model):
        author = models.OneToOneField(Author, models.CASCADE, primary_key=True)
        text = models.TextField(null=True)

        class Meta:
            app_label = "library"

    class Book(models.Model):
        key = models.UUIDField(primary_key=True)
        author = models.ForeignKey(Author, models.CASCADE)
        editor = models.ForeignKey(Author, models.PROTECT, null=True, related_name="edited")
        title = models.CharField(max_length=80, db_index=True)
        pages = models.PositiveIntegerField(default=1)
        size = models.SmallIntegerField(default=0)
        sold = models.BigIntegerField(db_default=0)
        price = models.DecimalField(max_digits=8, decimal_places=2)
        weight = models.FloatField(null=True)
        cover = models.BinaryField(null=True)
        published = models.DateField(null=True)
        added = models.DateTimeField()
        state = models.CharField(max_length=8, db_default="new")
        double = models.GeneratedField(
            expression=models.F("sold") * 2, output_field=models.BigIntegerField(null=True)
        )
        tags = models.ManyToManyField("Tag")

        class Meta:
            app_label = "library"
            indexes = [models.Index(fields=["author", "-published"], name="by_author")]
            constraints = [
                models.UniqueConstraint(fields=["author", "title"], name="title_once"),
                models.CheckConstraint(condition=models.Q(price__gte=0, price__lt=5000), name="price_range"),
            ]

    class Tag(models.Model):
        word = models.SlugField(primary_key=True)

        class Meta:
            app_label = "library"

    return Author, Profile, Book, Tag


async def fill(author_model: Any, profile_model: Any, book_model: Any, tag_model: Any) -> Any:
    mentor = await author_model.objects.create(name="Mentor")
    author = await author_model.objects.create(name="Ada", mentor=mentor)
    await profile_model.objects.create(author=author, text="wrote")
    book = await book_model.objects.create(
        key=UUID(int=5),
        author=author,
        editor=mentor,
        title="Notes",
        pages=7,
        price=Decimal("12.50"),
        weight=0.5,
        cover=b"\x00\xff",
        published=date(1843, 7, 10),
        added=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    )
    await book.tags.add(await tag_model.objects.create(word="engine"))
    return book


async def test_models_come_back_from_their_tables_with_the_same_rows(database: Backend):
    originals = library()
    await create_tables(*originals)
    await fill(*originals)
    found = load(await inspect_database())
    book = await found.LibraryBook.objects.select_related("author", "editor").get()
    assert (book.title, book.pages, book.sold, book.state) == ("Notes", 7, 0, "new")
    assert (book.author.name, book.editor.name, book.double) == ("Ada", "Mentor", 0)
    assert (book.weight, bytes(book.cover)) == (0.5, b"\x00\xff")
    author = await found.LibraryAuthor.objects.select_related("mentor").get(name="Ada")
    assert author.mentor == book.editor
    assert await author.librarybook_set.all() == [book]
    profile = await found.LibraryProfile.objects.get(author=author)
    assert (profile.pk, profile.text) == (author.pk, "wrote")
    (link,) = await found.LibraryBookTags.objects.all()
    assert (link.book_id, link.tag_id) == (book.pk, "engine")
    if database.vendor != "sqlite":  # which has text for these
        assert (book.published, book.price) == (date(1843, 7, 10), Decimal("12.50"))
        assert book.added == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


async def test_models_that_were_printed_write_rows(database: Backend):
    originals = library()
    await create_tables(*originals)
    await fill(*originals)
    found = load(await inspect_database())
    author = await found.LibraryAuthor.objects.create(name="Grace")
    book = await found.LibraryBook.objects.get()
    book.author, book.state = author, "sold"
    await book.save(update_fields=["author", "state"])
    assert await originals[2].objects.filter(author__name="Grace", state="sold").count() == 1
    new = await found.LibraryTag.objects.create(word="new")
    await new.full_clean()
    assert await originals[3].objects.filter(word="new").exists()


async def test_what_the_fields_say(database: Backend):
    await create_tables(*library())
    source = await inspect_database()
    for line in (
        "id = models.BigAutoField(primary_key=True)",
        "name = models.CharField(max_length=30, unique=True)",
        'mentor = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True)',
        "author = models.OneToOneField(",
        "author = models.ForeignKey(LibraryAuthor, on_delete=models.CASCADE)",
        'related_name="librarybook_editor_set"',
        "title = models.CharField(max_length=80, db_index=True)",
        "pages = models.PositiveIntegerField()",
        "size = models.SmallIntegerField()",
        "sold = models.BigIntegerField(db_default=0)",
        'state = models.CharField(max_length=8, db_default="new")',
        'expression=models.F("sold") * 2',
        "managed = False",
        'db_table = "library_book"',
        'models.UniqueConstraint(fields=["author", "title"], name="title_once")',
    ):
        assert line in on_one_line(source), f"{line}\n{source}"
    assert 'models.Index(fields=["author", "-published"], name="by_author")' in source
    if database.vendor != "sqlite":  # where decimals are text, with which no number is compared
        assert "price__gte=" in source
    ast.parse(source)
    assert all(len(line) <= 100 for line in source.splitlines())


async def test_migrations_and_create_tables_leave_the_tables_alone(database: Backend):
    await create_tables(*library())
    found = load(await inspect_database())
    await run("DROP TABLE library_book_tags")
    assert await create_tables(found.LibraryBookTags) == []


QUOTE = {"sqlite": '"', "postgresql": '"', "mysql": "`"}


async def test_names_that_python_does_not_take(database: Backend):
    def quoted(name: str) -> str:
        mark = QUOTE[database.vendor]
        return f"{mark}{name.replace(mark, mark * 2)}{mark}"

    columns = ["class", "1st", "two words", "a__b", "_under", "tail_", "Mixed", "save", "objects", "models"]
    columns += ["per%cent", 'quo"te', "back`tick", "se;mi", "co:lon", "ümläut", "a_b", "id"]
    definitions = ", ".join(f"{quoted(name)} VARCHAR(20)" for name in columns)
    table = 'odd "name`%s: class'
    await run(f"CREATE TABLE {quoted(table)} (k INTEGER NOT NULL PRIMARY KEY, {definitions})")
    found = load(await inspect_database())
    (model,) = [each for each in vars(found).values() if isinstance(each, type)]
    fields = {field.column: field.name for field in model._meta.fields}
    assert set(fields) == {"k", *columns}
    assert model._meta.db_table == table
    assert fields["class"] == "class_field"
    assert len(set(fields.values())) == len(fields)
    row = await model.objects.create(k=1, **{name: name for column, name in fields.items() if column != "k"})
    assert await model.objects.filter(**{fields["per%cent"]: fields["per%cent"]}).get() == row
    assert vars(await model.objects.get(k=1))[fields["two words"]] == fields["two words"]
    await model.objects.filter(k=1).update(**{fields['quo"te']: "new"})
    assert await model.objects.values_list(fields['quo"te'], flat=True) == ["new"]


async def test_tables_whose_names_become_the_same_class(database: Backend):
    await run(
        "CREATE TABLE blog_post (id INTEGER NOT NULL PRIMARY KEY)",
        "CREATE TABLE blogpost (id INTEGER NOT NULL PRIMARY KEY)",
        "CREATE TABLE none (id INTEGER NOT NULL PRIMARY KEY)",
    )
    found = load(await inspect_database())
    assert found.BlogPost._meta.db_table == "blog_post"
    assert found.Blogpost2._meta.db_table == "blogpost"
    assert await found.TableNone.objects.count() == 0


async def test_relations_whose_names_would_clash(database: Backend):
    await run(
        "CREATE TABLE place (id INTEGER NOT NULL PRIMARY KEY, road VARCHAR(9), road_set VARCHAR(9))",
        "CREATE TABLE road (id INTEGER NOT NULL PRIMARY KEY, start_id INTEGER, start VARCHAR(9), goal INTEGER,"
        " via_id INTEGER UNIQUE, FOREIGN KEY (start_id) REFERENCES place (id), FOREIGN KEY (goal) REFERENCES place (id),"
        " FOREIGN KEY (via_id) REFERENCES place (id))",
    )
    await run(
        "INSERT INTO place (id, road) VALUES (1, 'a'), (2, 'b')",
        "INSERT INTO road VALUES (1, 1, 's', 2, 1)",
    )
    found = load(await inspect_database())
    road = await found.Road.objects.get(goal__road="b")
    names = {field.column: field.name for field in found.Road._meta.fields}
    assert names["goal"] == "goal"
    assert (getattr(road, names["start"]), road.goal_id) == ("s", 2)
    place = await found.Place.objects.get(**{"road_goal_set__pk": 1})
    assert (place.pk, place.road) == (2, "b")
    first = await found.Place.objects.get(road_via__pk=1)
    assert await first.load("road_via") is None
    assert first.road_via == road


async def test_tables_that_refer_to_each_other(database: Backend):
    await run(
        "CREATE TABLE hen (id INTEGER NOT NULL PRIMARY KEY, egg_id INTEGER)",
        "CREATE TABLE egg (id INTEGER NOT NULL PRIMARY KEY, hen_id INTEGER, FOREIGN KEY (hen_id) REFERENCES hen (id))",
    )
    if database.vendor != "sqlite":
        await run("ALTER TABLE hen ADD FOREIGN KEY (egg_id) REFERENCES egg (id)")
    found = load(await inspect_database())
    hen = await found.Hen.objects.create(id=1)
    egg = await found.Egg.objects.create(id=1, hen=hen)
    assert await found.Egg.objects.filter(hen__id=1).get() == egg
    if database.vendor != "sqlite":
        assert await found.Hen.objects.filter(egg__hen__id=1).exists() is False


async def test_keys_of_several_columns_are_kept_and_references_to_them_said_in_comments(database: Backend):
    await run(
        "CREATE TABLE seat (number INTEGER NOT NULL, hall INTEGER NOT NULL, PRIMARY KEY (hall, number))",
        "CREATE TABLE ticket (id INTEGER NOT NULL PRIMARY KEY, hall INTEGER, number INTEGER,"
        " FOREIGN KEY (hall, number) REFERENCES seat (hall, number))",
    )
    source = await inspect_database()
    assert 'pk = models.CompositePrimaryKey("hall", "number")' in source
    assert "(hall, number) refers to seat (hall, number)" in source
    found = load(source)
    seat = await found.Seat.objects.create(hall=1, number=2)
    assert await found.Seat.objects.get(pk=(1, 2)) == seat
    ticket = await found.Ticket.objects.create(id=1, hall=1, number=2)
    assert await found.Ticket.objects.filter(number=2).get() == ticket


async def test_a_key_of_several_columns_that_no_model_can_have_is_said_in_a_comment(database: Backend):
    if database.vendor == "sqlite":
        pytest.skip("has no such keys")
    if database.vendor == "mysql":
        await run(
            "CREATE TABLE seat (hall INTEGER NOT NULL AUTO_INCREMENT, number INTEGER NOT NULL, PRIMARY KEY (hall, number))"
        )
    else:
        await run(
            "CREATE TABLE seat (hall INTEGER GENERATED BY DEFAULT AS IDENTITY, number INTEGER, PRIMARY KEY (hall, number))"
        )
    source = await inspect_database()
    assert "(hall, number), of which one is computed or counted up" in " ".join(
        source.replace("#", "").split()
    )
    assert load(source).Seat._meta.pk.name == "hall"


async def test_tables_without_a_key_can_be_read(database: Backend):
    await run(
        "CREATE TABLE log (line VARCHAR(9), code INTEGER)",
        "CREATE TABLE mark (note VARCHAR(9), code INTEGER NOT NULL UNIQUE)",
        "INSERT INTO log VALUES ('a', 1), ('b', 2)",
    )
    source = await inspect_database()
    assert "this unique column stands in" in source
    found = load(source)
    assert found.Mark._meta.pk.name == "code"
    assert await found.Log.objects.order_by("code").values_list("line", flat=True) == ["a", "b"]


async def test_rules_for_deletion_are_those_of_the_database(database: Backend):
    rules = {"CASCADE": "CASCADE", "SET NULL": "SET_NULL", "RESTRICT": "PROTECT"}
    if database.vendor != "mysql":
        rules |= {"NO ACTION": "DO_NOTHING", "SET DEFAULT": "SET_DEFAULT"}
    await run("CREATE TABLE owner (id INTEGER NOT NULL PRIMARY KEY)")
    for at, rule in enumerate(rules):
        await run(
            f"CREATE TABLE t{at} (id INTEGER NOT NULL PRIMARY KEY, owner_id INTEGER DEFAULT 7,"
            f" FOREIGN KEY (owner_id) REFERENCES owner (id) ON DELETE {rule})"
        )
    found = load(await inspect_database())
    for at, word in enumerate(rules.values()):
        field = getattr(found, f"T{at}")._meta.get_field("owner")
        assert field.remote_field.on_delete is getattr(models, word)


async def test_set_null_for_a_column_that_takes_none_is_said(database: Backend):
    if database.vendor == "mysql":
        pytest.skip("refuses such a table")
    await run(
        "CREATE TABLE owner (id INTEGER NOT NULL PRIMARY KEY)",
        "CREATE TABLE pet (id INTEGER NOT NULL PRIMARY KEY, owner_id INTEGER NOT NULL,"
        " FOREIGN KEY (owner_id) REFERENCES owner (id) ON DELETE SET NULL)",
    )
    source = await inspect_database()
    assert "ON DELETE SET NULL, which the column does not take" in source
    load(source)


async def test_defaults_are_values_where_they_are_constants(database: Backend):
    await run(
        "CREATE TABLE d (id INTEGER NOT NULL PRIMARY KEY, n INTEGER NOT NULL DEFAULT -3,"
        " word VARCHAR(20) NOT NULL DEFAULT 'it''s \"so\"', empty VARCHAR(3) NOT NULL DEFAULT '',"
        " price DECIMAL(6,2) NOT NULL DEFAULT 1.50, none VARCHAR(5) DEFAULT NULL)"
    )
    found = load(await inspect_database())
    row = await found.D.objects.create(id=1)
    await row.refresh()
    assert (row.n, row.word, row.empty, row.price) == (-3, 'it\'s "so"', "", Decimal("1.50"))
    assert row.none is None
    assert not found.D._meta.get_field("none").has_db_default()


async def test_a_default_that_is_computed_is_said_in_a_comment(database: Backend):
    await run(
        "CREATE TABLE d (id INTEGER NOT NULL PRIMARY KEY, word VARCHAR(20) NOT NULL DEFAULT (lower('ABC')))"
    )
    source = await inspect_database()
    assert "# the database fills it in: " in source
    load(source)


async def test_conditions_become_conditions_where_models_can_say_them(database: Backend):
    await run(
        "CREATE TABLE c (id INTEGER NOT NULL PRIMARY KEY, low INTEGER NOT NULL, high INTEGER, word VARCHAR(9),"
        " CONSTRAINT in_order CHECK (low < high), CONSTRAINT words CHECK (word IN ('a', 'b''c')),"
        " CONSTRAINT range_or_none CHECK (high IS NULL OR high BETWEEN 1 AND 9),"
        " CONSTRAINT odd CHECK (abs(low) < 50))"
    )
    source = await inspect_database()
    assert "# check odd: " in source
    constraints = {each.name: each for each in load(source).C._meta.constraints}
    assert set(constraints) == {"in_order", "words", "range_or_none"}
    assert repr(constraints["in_order"].condition) == repr(models.Q(low__lt=models.F("high")))
    assert repr(constraints["words"].condition) == repr(models.Q(word__in=["a", "b'c"]))
    told = repr(constraints["range_or_none"].condition)
    assert all(part in told for part in ("high__isnull", "high__gte", "high__lte", "OR"))


async def test_full_clean_knows_the_conditions(database: Backend):
    await run(
        "CREATE TABLE c (id INTEGER NOT NULL PRIMARY KEY, low INTEGER, high INTEGER, CHECK (low < high))"
    )
    found = load(await inspect_database())
    with pytest.raises(Exception, match="breaks the constraint"):
        await found.C(id=1, low=5, high=2).full_clean()
    await found.C(id=1, low=1, high=2).full_clean()


async def test_indexes_with_conditions_and_expressions(database: Backend):
    await run("CREATE TABLE i (id INTEGER NOT NULL PRIMARY KEY, a INTEGER, b VARCHAR(20))")
    await run("CREATE INDEX i_desc ON i (a DESC, b)")
    if database.vendor != "mysql":
        await run(
            "CREATE UNIQUE INDEX i_some ON i (b) WHERE a > 5",
            "CREATE INDEX i_lower ON i (lower(b))",
            "CREATE UNIQUE INDEX i_odd ON i (b) WHERE abs(a) > 5",
        )
    source = await inspect_database()
    meta = load(source).I._meta
    if database.vendor == "mysql":
        return
    assert 'models.Index(fields=["-a", "b"], name="i_desc")' in source
    assert repr(meta.constraints[0].condition) == repr(models.Q(a__gt=5))
    assert "# index i_lower: lower(" in source
    assert "# unique index i_odd: b where " in source


async def test_columns_that_are_computed_are_not_written(database: Backend):
    await run(
        "CREATE TABLE g (id INTEGER NOT NULL PRIMARY KEY, w INTEGER, h INTEGER, v VARCHAR(9),"
        " area INTEGER GENERATED ALWAYS AS (w * (h + 1)) STORED, word VARCHAR(9) GENERATED ALWAYS AS (substr(v, 2)) STORED)"
    )
    source = await inspect_database()
    assert "the database computes it, as " in source
    found = load(source)
    row = found.G(id=1, w=3, h=4)
    assert row._meta.get_field("area").db_expression() is not None
    await run("INSERT INTO g (id, w, h, v) VALUES (2, 3, 4, '.x')")
    assert await found.G.objects.values_list("area", "word") == [(15, "x")]


async def test_views_only_where_they_are_wanted(database: Backend):
    await run(
        "CREATE TABLE v (id INTEGER NOT NULL PRIMARY KEY, n INTEGER)",
        "CREATE VIEW big AS SELECT id, n FROM v WHERE n > 5",
        "INSERT INTO v VALUES (1, 3), (2, 7)",
    )
    assert "class Big" not in await inspect_database()
    for source in (await inspect_database(include_views=True), await inspect_database(["big"])):
        assert "the view has no primary key" in source
        assert await load(source).Big.objects.values_list("n", flat=True) == [7]


async def test_named_tables_alone_with_what_they_refer_to_in_comments(database: Backend):
    await create_tables(*library())
    source = await inspect_database(["library_profile"])
    assert "# refers to library_author (id), which is not among these models" in source
    assert source.count("\nclass ") == 1
    assert await load(source).LibraryProfile.objects.count() == 0


async def test_a_table_that_is_not_there_is_named(database: Backend):
    await run("CREATE TABLE author (id INTEGER NOT NULL PRIMARY KEY)")
    with pytest.raises(LookupError, match="no table 'autor' in the database; did you mean 'author'"):
        await inspect_database(["autor"])


async def test_an_empty_database_gives_a_module_without_models(database: Backend):
    source = await inspect_database()
    assert not [each for each in vars(load(source)).values() if isinstance(each, type)]


async def test_comments_of_the_database_cannot_leave_their_lines(database: Backend):
    if database.vendor == "sqlite":
        pytest.skip("keeps no comments")
    text = 'two\nlines """ and \\ a \rreturn'
    literal = text.replace("'", "''")
    if database.vendor == "mysql":
        literal = literal.replace("\\", "\\\\")
        await run(f"CREATE TABLE t (id INTEGER PRIMARY KEY COMMENT '{literal}') COMMENT '{literal}'")
    else:
        await run(
            "CREATE TABLE t (id INTEGER PRIMARY KEY)",
            f"COMMENT ON TABLE t IS '{literal}'",
            f"COMMENT ON COLUMN t.id IS '{literal}'",
        )
    source = await inspect_database()
    assert '    # two lines """ and \\ a return' in source
    assert load(source).T.__doc__ == 'two lines """ and \\ a return'


async def test_types_of_postgresql(database: Backend):
    if database.vendor != "postgresql":
        pytest.skip("types of PostgreSQL")
    await run(
        "CREATE TYPE mood AS ENUM ('sad', 'it''s ok')",
        "CREATE DOMAIN short AS varchar(7)",
        "CREATE TABLE t (id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, s smallserial, m mood, d short,"
        " u uuid DEFAULT gen_random_uuid(), j jsonb DEFAULT '{\"a\": [1]}', i inet, n numeric, v varchar, b bytea,"
        " t timestamptz DEFAULT now(), day date, h time, l interval, f float4, x xml, a integer[])",
        "CREATE INDEX t_j ON t USING gin (j jsonb_path_ops)",
        "CREATE UNIQUE INDEX t_nulls ON t (d, day) NULLS NOT DISTINCT",
        "ALTER TABLE t ADD CONSTRAINT later UNIQUE (v, f) DEFERRABLE INITIALLY DEFERRED",
        "ALTER TABLE t ADD CONSTRAINT apart EXCLUDE USING gist (i inet_ops WITH &&)",
    )
    source = await inspect_database()
    for line in (
        "id = models.AutoField(primary_key=True)",
        'choices=[("sad", "sad"), ("it\'s ok", "it\'s ok")]',
        "d = models.CharField(max_length=7, null=True, blank=True)",
        "db_default=models.RandomUUID()",
        'db_default={"a": [1]}',
        "db_default=models.Now()",
        "# this type is a guess: the column is integer[]",
        'models.GinIndex(fields=["j"], name="t_j", opclasses=["jsonb_path_ops"])',
        "nulls_distinct=False",
        'deferrable=models.Deferrable["DEFERRED"]',
        "# constraint apart: EXCLUDE USING gist",
    ):
        assert line in on_one_line(source), f"{line}\n{source}"
    found = load(source)
    await run("INSERT INTO t (m, a, n, l) VALUES ('sad', '{1,2}', 1.25, '1 hour')")
    row = await found.T.objects.get(pk=1)
    assert (row.m, row.a, row.n, row.j) == ("sad", [1, 2], Decimal("1.25"), {"a": [1]})
    assert isinstance(row.u, UUID)
    assert isinstance(row.t, datetime)


async def test_partitions_of_postgresql(database: Backend):
    if database.vendor != "postgresql":
        pytest.skip("partitions are tables only on PostgreSQL")
    await run(
        "CREATE TABLE measure (day date NOT NULL, value integer, PRIMARY KEY (day)) PARTITION BY RANGE (day)",
        "CREATE TABLE measure_2026 PARTITION OF measure FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
    )
    assert "Measure2026" not in await inspect_database()
    found = load(await inspect_database(include_partitions=True))
    await found.Measure.objects.create(day=date(2026, 5, 1), value=3)
    assert await found.Measure2026.objects.values_list("value", flat=True) == [3]


async def test_types_of_mariadb(database: Backend):
    if database.vendor != "mysql":
        pytest.skip("types of MariaDB")
    await run(
        "CREATE TABLE t (id int unsigned AUTO_INCREMENT PRIMARY KEY, b tinyint(1) DEFAULT 1, s tinyint,"
        " u int unsigned, y year, e enum('a','it''s') DEFAULT 'a', z set('x','y'), j json, k uuid DEFAULT uuid(),"
        " a inet6, n binary(4), bits bit(3), dt datetime(6) DEFAULT current_timestamp(6),"
        " up timestamp DEFAULT current_timestamp() ON UPDATE current_timestamp(), long_text longtext,"
        " FULLTEXT KEY words (long_text), KEY beginnings (long_text(10)))"
    )
    source = await inspect_database()
    for line in (
        "id = models.BigAutoField(primary_key=True)",
        "b = models.BooleanField(null=True, blank=True, db_default=True)",
        "s = models.SmallIntegerField(",
        "u = models.PositiveBigIntegerField(",
        'choices=[("a", "a"), ("it\'s", "it\'s")]',
        "# this type is a guess: the column is set('x','y')",
        "j = models.JSONField(",
        "k = models.UUIDField(null=True, blank=True, db_default=models.RandomUUID())",
        "# the database sets it to the present whenever the row changes",
        "# index words: long_text (its kind is fulltext)",
        "# index beginnings: long_text (it is about the beginnings of the values)",
    ):
        assert line in on_one_line(source), f"{line}\n{source}"
    found = load(source)
    row = await found.T.objects.create(j={"a": 1}, n=b"abcd", z="x,y", a="::1")
    await row.refresh()
    assert (row.b, row.e, row.j, row.n, row.z, row.a) == (True, "a", {"a": 1}, b"abcd", "x,y", "::1")
    assert isinstance(row.k, UUID)
    assert await found.T.objects.get(k=row.k) == row


async def test_types_of_sqlite(database: Backend):
    if database.vendor != "sqlite":
        pytest.skip("types of SQLite")
    await run(
        "CREATE TABLE parent ([odd key] TEXT PRIMARY KEY)",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, b BOOLEAN DEFAULT 1, d datetime, ours datetime,"
        " p Decimal ( 8 , 2 ), bare, odd GEOMETRY, up TEXT REFERENCES PARENT, -- CHECK (b > 5)\n"
        " w varchar(9) /* CHECK (x) */, CHECK (w <> ')') )",
        "INSERT INTO t (d, ours, p) VALUES ('2026-01-01 10:00:00', '2026-01-01T10:00:00.000000+00:00', 2.5)",
    )
    source = await inspect_database()
    for line in (
        "id = models.BigAutoField(primary_key=True)",
        "b = models.BooleanField(null=True, blank=True, db_default=True)",
        "# datetime, but not written as DateTimeField does it",
        "ours = models.DateTimeField(null=True, blank=True)",
        "p = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)",
        "# this type is a guess: the column has no type",
        "# this type is a guess: the column is GEOMETRY",
        "up = models.ForeignKey(",
        "# check : w <> ')'",
    ):
        assert line in on_one_line(source), f"{line}\n{source}"
    row = await load(source).T.objects.get(b=True)
    assert (row.d, row.ours) == ("2026-01-01 10:00:00", datetime(2026, 1, 1, 10, tzinfo=UTC))
    assert row.p == Decimal("2.50")
