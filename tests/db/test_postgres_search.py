"""Full-text search: what PostgreSQL finds, what travels to it, and what is refused before."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from transom.db import (
    DataError,
    F,
    FieldError,
    ProgrammingError,
    Q,
    atomic,
    connections,
    create_tables,
    models,
)
from transom.db.backends.base import Backend
from transom.db.migrations.serializer import serialize
from transom.db.models import OuterRef, Subquery, Value
from transom.db.models.functions import Upper
from transom.db.models.query.plans import PLANS
from transom.db.postgres.functions import TransactionNow
from transom.db.postgres.search import (
    CombinedSearchVector,
    Lexeme,
    SearchConfig,
    SearchHeadline,
    SearchLookup,
    SearchQuery,
    SearchRank,
    SearchVector,
    SearchVectorField,
)

pytestmark = pytest.mark.postgres


class Scene(models.Model):
    setting = models.CharField(max_length=100, null=True)


class Line(models.Model):
    """A line of a play; the language is the name of a configuration."""

    scene = models.ForeignKey(Scene, models.CASCADE, related_name="lines")
    dialogue = models.TextField(null=True)
    language = models.CharField(max_length=20, default="english")
    number = models.IntegerField(default=7)
    words = SearchVectorField(null=True)
    kept = models.GeneratedField(
        expression=SearchVector("dialogue", config="english", weight="B")
        + SearchVector("number", config="simple"),
        output_field=SearchVectorField(),
    )

    class Meta:
        indexes = [
            models.GinIndex(SearchVector("dialogue", config="english"), name="by_dialogue", fastupdate=False),
            models.GinIndex(fields=["words"], name="by_words"),
        ]


lines = Line.objects
MINSTREL = "Bravely bold Sir Robin rode forth from Camelot"
BRAVE = "He was not at all afraid to be killed in nasty ways, brave Sir Robin"
FRENCH = "Ces chevaliers continuaient sans fromage"


@pytest.fixture
async def postgres(postgres_url: str) -> AsyncIterator[Backend]:
    connections.configure({"default": postgres_url})
    backend = connections.backend("default")
    ((name, config),) = await backend.fetch(
        "SELECT current_database(), current_setting('default_text_search_config')"
    )
    if (
        config != "pg_catalog.english"
    ):  # the language in which plain texts are read; it is the server's own otherwise
        setting = "default_text_search_config = 'pg_catalog.english'"
        await backend.execute(f'ALTER DATABASE "{name}" SET {setting}')
        await connections.aclose()
    yield connections.backend("default")
    await connections.backend("default").execute("DROP SCHEMA public CASCADE")
    await connections.backend("default").execute("CREATE SCHEMA public")
    await connections.aclose()
    connections.configure({})


@pytest.fixture
async def play(postgres: Backend) -> dict[str, int]:
    """The keys of three lines, by a word."""
    await create_tables(Scene, Line)
    forest = await Scene.objects.create(setting="A dark forest with knights")
    castle = await Scene.objects.create(setting=None)
    made = {
        "bold": await lines.create(scene=forest, dialogue=MINSTREL),
        "nasty": await lines.create(scene=forest, dialogue=BRAVE),
        "french": await lines.create(scene=castle, dialogue=FRENCH, language="french"),
    }
    return {name: line.pk for name, line in made.items()}


async def keys(query: Any, play: dict[str, int]) -> list[str]:
    """Return the words by which the lines that were found are known."""
    found = await query.order_by("pk").values_list("pk", flat=True)
    return [name for name, key in play.items() if key in found]


# -- the lookup


async def test_all_words_must_be_there_whatever_their_endings(play: dict[str, int]) -> None:
    assert await keys(lines.filter(dialogue__search="Robin"), play) == ["bold", "nasty"]
    assert await keys(lines.filter(dialogue__search="killing way"), play) == ["nasty"]
    assert await keys(lines.filter(dialogue__search="bold & nasty"), play) == []
    assert await keys(lines.filter(Line.dialogue.lookup("search", "camelots")), play) == ["bold"]
    assert await keys(lines.exclude(dialogue__search="Robin"), play) == ["french"]
    assert await keys(lines.filter(Q(dialogue__search="bold") | Q(dialogue__search="fromage")), play) == [
        "bold",
        "french",
    ]


async def test_null_is_no_text_with_words(play: dict[str, int]) -> None:
    await lines.filter(pk=play["nasty"]).update(dialogue=None)
    assert await keys(lines.filter(dialogue__search="Robin"), play) == ["bold"]
    assert await keys(lines.exclude(dialogue__search="Robin"), play) == ["nasty", "french"]


async def test_texts_of_related_rows_are_searched(play: dict[str, int]) -> None:
    assert await keys(lines.filter(scene__setting__search="knight"), play) == ["bold", "nasty"]
    assert await keys(lines.exclude(scene__setting__search="knight"), play) == ["french"]
    assert await Scene.objects.filter(lines__dialogue__search="bold").count() == 1
    assert await Scene.objects.exclude(lines__dialogue__search="Robin").values_list("setting", flat=True) == [
        None
    ]


async def test_a_text_is_read_in_the_language_of_the_query(play: dict[str, int]) -> None:
    french = SearchQuery("chevalier continuer", config="french")
    assert await keys(lines.filter(dialogue__search=french), play) == ["french"]
    assert await keys(lines.filter(dialogue__search=SearchQuery("continuer", config="english")), play) == []
    assert await keys(lines.filter(dialogue__search=french | SearchQuery("bold")), play) == ["bold", "french"]


async def test_the_lookup_stands_for_itself_too(play: dict[str, int]) -> None:
    assert await keys(lines.filter(SearchLookup("dialogue", "bold")), play) == ["bold"]
    assert await keys(lines.filter(~SearchLookup(Upper("dialogue"), "bold")), play) == ["nasty", "french"]


# -- vectors


async def test_several_columns_make_one_vector(play: dict[str, int]) -> None:
    words = lines.annotate(words_of=SearchVector("dialogue", "scene__setting", "number"))
    assert await keys(words.filter(words_of="robin forest"), play) == ["bold", "nasty"]
    assert await keys(words.filter(words_of__search="fromage 7"), play) == ["french"]
    assert await keys(words.exclude(words_of="forest"), play) == ["french"]
    assert await words.filter(words_of="robin").count() == 2
    assert await keys(words.filter(words_of=SearchQuery("bold") & ~SearchQuery("nasty")), play) == ["bold"]


async def test_vectors_add_up_in_their_order_with_their_weights(play: dict[str, int]) -> None:
    both = SearchVector(Value("fat cats"), weight="A", config="english") + SearchVector(
        Value("rats"), weight="C", config="simple"
    )
    query = lines.filter(pk=play["bold"])
    assert await query.annotate(v=both).values_list("v", flat=True) == ["'cat':2A 'fat':1A 'rats':3C"]
    of_column = SearchVector(Value("x"), config="simple") + F("kept")
    assert (await query.annotate(v=of_column).values_list("v", flat=True))[0].startswith("'7':10 'bold':3B")
    three = both + SearchVector(Value("mice"), weight=Value("B"), config="simple")
    assert (await query.annotate(v=three).values_list("v", flat=True))[0].endswith("'mice':4B 'rats':3C")


async def test_a_plain_text_is_read_in_the_language_of_the_vector(play: dict[str, int]) -> None:
    for vector in (
        SearchVector("dialogue", config="french"),
        SearchVector("dialogue", config=SearchConfig("french"), weight="A"),
        SearchVector("dialogue", config="french") + SearchVector(Value("x"), config="english"),
    ):
        assert await keys(lines.annotate(v=vector).filter(v="continuer"), play) == ["french"]
        assert await keys(lines.annotate(v=vector).filter(v=Lexeme("continuer")), play) == ["french"]
    english = lines.annotate(v=SearchVector("dialogue", config="english"))
    assert await keys(english.filter(v="continuer"), play) == []


async def test_each_row_can_be_in_a_language_of_its_own(play: dict[str, int]) -> None:
    words = lines.annotate(v=SearchVector("dialogue", config=F("language")))
    assert await keys(words.filter(v="continuer"), play) == ["french"]
    assert await keys(words.filter(v="killing"), play) == ["nasty"]
    query = SearchQuery("continuer", config=F("language"))
    assert await keys(lines.filter(dialogue__search=query), play) == ["french"]
    assert await keys(lines.filter(dialogue__search=SearchQuery(F("dialogue"))), play) == list(play)


# -- columns of words


async def test_a_column_of_words_is_written_by_an_update_and_searched(play: dict[str, int]) -> None:
    assert await lines.update(words=SearchVector("dialogue", config=F("language"), weight="A")) == 3
    assert await keys(lines.filter(words="robin"), play) == ["bold", "nasty"]
    assert await keys(lines.filter(words__search="killing"), play) == ["nasty"]
    assert await keys(lines.filter(Line.words.search(SearchQuery("fromage", config="french"))), play) == [
        "french"
    ]
    assert await keys(lines.filter(words=SearchQuery("robin:B", search_type="raw")), play) == []
    assert await keys(lines.filter(scene__lines__words="fromage"), play) == ["french"]


async def test_words_are_stored_as_they_are_given_and_come_back(play: dict[str, int]) -> None:
    line = await lines.create(scene_id=1, words="'fat':2A cat:1")
    assert await lines.values_list("words", flat=True).get(pk=line.pk) == "'cat':1 'fat':2A"
    line.words = None
    await line.save()
    assert await keys(lines.filter(words=None), play) == list(play)
    assert await keys(lines.filter(words__isnull=False), play) == []
    made = await lines.bulk_create([Line(scene_id=1, words="rat"), Line(scene_id=1, words="b")])
    assert [each.kept for each in made] == ["'7':1", "'7':1"]
    assert await lines.filter(words="rat").count() == 1


async def test_a_generated_column_is_always_right(play: dict[str, int]) -> None:
    assert await keys(lines.filter(kept="robins 7"), play) == ["bold", "nasty"]
    await lines.filter(pk=play["bold"]).update(dialogue="A newt")
    assert await keys(lines.filter(kept="newts"), play) == ["bold"]
    line = await lines.create(scene_id=1, dialogue="Shrubbery")
    assert line.kept == "'7':2 'shrubberi':1B"


async def test_an_index_of_a_vector_is_used_by_the_lookup(play: dict[str, int]) -> None:
    """What is searched is said by the query as the index says it, though its configuration is a parameter."""
    by_dialogue = lines.annotate(v=SearchVector("dialogue", config="english")).filter(v="bold")
    for index, query in {"by_dialogue": by_dialogue, "by_words": lines.filter(words="bold")}.items():
        sql, args = await statement_of(query)
        async with atomic():
            executor = connections.executor()
            await executor.execute("SET LOCAL enable_seqscan = off")
            plan = [row[0] for row in await executor.fetch(f"EXPLAIN {sql}", args)]
        assert any(f"Bitmap Index Scan on {index}" in line for line in plan), plan


async def statement_of(query: Any, vendor: str = "postgresql") -> tuple[str, tuple[Any, ...]]:
    """Return the statement that a query of objects would run, and its arguments."""

    class Recorder:
        alias = "default"

        async def fetch(self, sql: str, args: Any = ()) -> list[Any]:
            self.ran = (sql, tuple(args))
            return []

    recorder: Any = Recorder()
    recorder.vendor = vendor
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connections, "executor", lambda using="default": recorder)
        await query
    return recorder.ran


# -- queries


async def test_a_text_is_read_in_four_ways(play: dict[str, int]) -> None:
    async def found(text: str, kind: Any) -> list[str]:
        return await keys(lines.filter(dialogue__search=SearchQuery(text, search_type=kind)), play)

    assert await found("robin bold", "plain") == ["bold"]
    assert await found("robin bold", "phrase") == []
    assert await found("bold sir robin", "phrase") == ["bold"]
    assert await found("robin & (bold | nasty) & !camelot", "raw") == ["nasty"]
    assert await found('"sir robin" -camelot or fromage', "websearch") == ["nasty", "french"]


async def test_queries_are_combined_and_negated(play: dict[str, int]) -> None:
    robin, bold, cheese = SearchQuery("robin"), SearchQuery("bold"), SearchQuery("fromage")
    for query, wanted in [
        (robin & ~bold, ["nasty"]),
        (bold | cheese, ["bold", "french"]),
        (~(bold | cheese), ["nasty"]),
        (~~robin, ["bold", "nasty"]),
        ((robin & ~bold) | cheese, ["nasty", "french"]),
        (SearchQuery("robin", invert=True), ["french"]),
        (~SearchQuery("robin", invert=True) & bold, ["bold"]),
    ]:
        assert await keys(lines.filter(dialogue__search=query), play) == wanted, query


async def test_lexemes_are_the_words_that_they_are(play: dict[str, int]) -> None:
    async def found(lexeme: Any) -> list[str]:
        return await keys(lines.filter(dialogue__search=SearchQuery(lexeme)), play)

    assert await found(Lexeme("cam", prefix=True)) == ["bold"]
    assert await found(Lexeme("cam")) == []
    assert await found(Lexeme("robin") & ~Lexeme("bold")) == ["nasty"]
    assert await found(Lexeme("bold") | Lexeme("fromage")) == ["bold", "french"]
    assert await found(~(Lexeme("bold") | Lexeme("fromage"))) == ["nasty"]
    assert await found(~~Lexeme("bold")) == ["bold"]
    assert await found(Lexeme("robin", invert=True)) == ["french"]
    assert await found(Lexeme("sir robin") & Lexeme("bold")) == ["bold"]
    weighted = lines.filter(kept=SearchQuery(Lexeme("bold", weight="B")))
    assert await keys(weighted, play) == ["bold"]
    assert await keys(lines.filter(kept=SearchQuery(Lexeme("bo", prefix=True, weight="A"))), play) == []
    assert await keys(lines.filter(kept=Lexeme("bold") & Lexeme("7")), play) == ["bold"]


HOSTILE = [
    "'", "''", "\\", "\\'", "' | 'robin", "a':*", "!", "&", "|", "()", "<->", ":*", "a' & !b --", '"', "$1", "%s", "{}",
    "'; DROP TABLE test_postgres_search_line; --", "\u2019", "\t\n", "x" * 1500, "'x':A", "\\x'", "a\\", " ",
]  # fmt: skip


async def test_a_hostile_lexeme_is_a_word_or_an_error_of_ours(play: dict[str, int]) -> None:
    for text in HOSTILE:
        for lexeme in (Lexeme(text), Lexeme(text, prefix=True, weight="A"), Lexeme("robin") & Lexeme(text)):
            await lines.filter(dialogue__search=SearchQuery(lexeme)).count()
        found = lines.annotate(v=SearchVector(Value(f"x {text} y"), config="simple")).filter(
            v=SearchQuery(Lexeme(text), config="simple")
        )
        has_words = any(character.isalnum() for character in text)
        assert await found.count() == (3 if has_words else 0), text
    with pytest.raises(DataError, match="NUL"):
        await lines.filter(dialogue__search=SearchQuery(Lexeme("a\0b"))).count()


async def test_a_hostile_text_of_a_query_is_a_parameter(play: dict[str, int]) -> None:
    for text in HOSTILE:
        for kind in ("plain", "phrase", "websearch"):
            assert await lines.filter(dialogue__search=SearchQuery(text, search_type=kind)).count() in range(
                4
            )
        with suppress(DataError):
            await lines.filter(dialogue__search=SearchQuery(text, search_type="raw")).count()
    assert await lines.count() == 3


@pytest.mark.parametrize("text", HOSTILE)
async def test_no_sql_is_written_of_a_value(text: str) -> None:
    async def statement(word: str) -> tuple[str, int]:
        PLANS.clear()
        query = SearchQuery(Lexeme(word) & ~Lexeme(word), config=word) | SearchQuery(word, search_type="raw")
        vector = SearchVector(Value(word), config=word, weight="A") + SearchVector(
            "dialogue", config=Value(word)
        )
        made = lines.annotate(
            v=vector, r=SearchRank(vector, query), h=SearchHeadline("dialogue", word, config=word)
        )
        marked = made.annotate(m=SearchHeadline("dialogue", query, start_sel=word, fragment_delimiter=word))
        sql, args = await statement_of(
            marked.filter(v=word, dialogue__search=query).exclude(words=Lexeme(word))
        )
        return sql, len(args)

    assert await statement(text) == await statement("harmless")


async def test_a_raw_query_that_cannot_be_read_is_an_error_of_data(play: dict[str, int]) -> None:
    with pytest.raises(DataError, match='no operand in tsquery: "robin &"') as caught:
        await lines.filter(dialogue__search=SearchQuery("robin &", search_type="raw"))
    assert caught.value.sqlstate == "42601"
    with pytest.raises(ProgrammingError):  # a statement with an error of its own is still that
        await connections.executor().execute("SELECT tsquery tsquery tsquery")


async def test_a_configuration_that_is_not_there_is_no_more_than_an_error(play: dict[str, int]) -> None:
    for config in (
        "klingon",
        "english'; DROP TABLE x; --",
        "no.such.name.of.it",
        "'",
        '"',
        "pg_catalog.klingon",
    ):
        for made in (
            lines.filter(dialogue__search=SearchQuery("x", config=config)),
            lines.annotate(v=SearchVector("dialogue", config=config)),
            lines.annotate(h=SearchHeadline("dialogue", "x", config=config)),
            lines.annotate(v=SearchVector("dialogue", config=Value(config))),
        ):
            with pytest.raises(ProgrammingError):
                await made
    qualified = SearchQuery("robin", config="pg_catalog.english")
    assert await keys(lines.filter(dialogue__search=qualified), play) == ["bold", "nasty"]


# -- ranks and headlines


async def test_rows_are_ordered_by_their_rank(play: dict[str, int]) -> None:
    await lines.filter(pk=play["bold"]).update(dialogue="robin robin robin")
    ranked = lines.annotate(rank=SearchRank("dialogue", "robin")).filter(rank__gt=0)
    assert await ranked.order_by("-rank").values_list("pk", flat=True) == [play["bold"], play["nasty"]]
    assert await lines.order_by(SearchRank("dialogue", SearchQuery("fromage")).desc()).values_list(
        "pk", flat=True
    )[:1] == [play["french"]]
    assert isinstance((await ranked[0]).rank, float)  # type: ignore[attr-defined]  # annotated


async def test_weights_normalization_and_cover_density_say_how_a_rank_is_made(play: dict[str, int]) -> None:
    vector = SearchVector(Value("robin a b c d e"), weight="A", config="simple") + SearchVector(
        Value("brave"), weight="C", config="simple"
    )

    async def rank(query: str, **options: Any) -> float:
        made = SearchRank(vector, SearchQuery(query, config="simple"), **options)
        return await lines.filter(pk=play["bold"]).annotate(r=made).values_list("r", flat=True).get()

    plain = await rank("robin")
    assert await rank("brave") < plain
    assert await rank("brave", weights=[0, 1.0, 0, 0.5]) > await rank("robin", weights=[0, 1, 0, 0.5])
    assert await rank("robin", normalization=2) == pytest.approx(plain / 7)
    assert await rank("robin", normalization=2 | 32) < plain / 7
    assert await rank("robin", normalization=Value(2)) == pytest.approx(plain / 7)
    near, far = await rank("robin & a", cover_density=True), await rank("robin & e", cover_density=True)
    assert near == far or near > far
    assert await rank(
        "robin & a", cover_density=True, weights=[0, 0, 0, 1], normalization=2
    ) == pytest.approx(await rank("robin & a", cover_density=True, weights=[0, 0, 0, 1]) / 7)


async def test_a_headline_marks_the_words(play: dict[str, int]) -> None:
    async def headline(query: Any, **options: Any) -> str:
        made = SearchHeadline("dialogue", query, **options)
        return await lines.filter(pk=play["nasty"]).annotate(h=made).values_list("h", flat=True).get()

    assert "brave Sir <b>Robin</b>" in await headline("robin", highlight_all=True)
    assert await headline("robin", max_words=4, min_words=3, short_word=1) == "brave Sir <b>Robin</b>"
    assert "<mark>killed</mark>" in await headline("killing", start_sel="<mark>", stop_sel="</mark>")
    fragments = await headline(
        SearchQuery("afraid") | SearchQuery("robin"),
        max_fragments=2,
        max_words=2,
        min_words=1,
        fragment_delimiter=" | ",
    )
    assert fragments == "<b>afraid</b> | <b>Robin</b>"
    assert "<b>" not in await headline("killing", config="simple")
    assert "<b>" in await headline(SearchQuery("kill", config="english"), config="english")


async def test_hostile_options_of_a_headline_stand_in_it_as_they_are(play: dict[str, int]) -> None:
    for text in [*HOSTILE, "a, StopSel=b", "a = b", "\\\\"]:
        made = SearchHeadline("dialogue", "bold", start_sel=text, stop_sel=text + "]", highlight_all=True)
        found = await lines.filter(pk=play["bold"]).annotate(h=made).values_list("h", flat=True).get()
        assert found == MINSTREL.replace("bold", f"{text}bold{text}]"), text
    with pytest.raises(DataError, match="NUL"):
        await lines.annotate(h=SearchHeadline("dialogue", "x", start_sel="\0"))
    with pytest.raises(DataError):
        await lines.annotate(h=SearchHeadline("dialogue", "x", min_words=9, max_words=3))


async def test_search_stands_in_subqueries_conditions_and_aggregates(play: dict[str, int]) -> None:
    robin = lines.filter(scene=OuterRef("pk"), dialogue__search="robin").order_by("pk")
    scenes = Scene.objects.annotate(first=Subquery(robin.values("dialogue")[:1])).order_by("pk")
    assert await scenes.values_list("first", flat=True) == [MINSTREL, None]
    count = models.Count("lines", filter=Q(lines__dialogue__search="robin"))
    assert await Scene.objects.annotate(n=count).order_by("pk").values_list("n", flat=True) == [2, 0]
    case = models.Case(models.When(dialogue__search="bold", then=Value(1)), default=Value(0))
    assert await lines.annotate(c=case).order_by("pk").values_list("c", flat=True) == [1, 0, 0]
    assert await lines.filter(dialogue__search="bold").delete() == 1


async def test_the_time_of_the_transaction_stands_still(play: dict[str, int]) -> None:
    query = lines.annotate(at=TransactionNow()).values_list("at", flat=True)[:1]
    async with atomic():
        first = await query
        await connections.executor().fetch("SELECT pg_sleep(0.002)")
        assert await query == first
    assert await query != first


# -- what is refused, and where


REFUSED: dict[str, Any] = {
    "no text": lambda: SearchVector(),
    "choose from A, B, C, D": lambda: SearchVector("dialogue", weight="E"),  # type: ignore[arg-type]
    "none; choose from A": lambda: Lexeme("x", weight="'; DROP TABLE x"),  # type: ignore[arg-type]
    "not empty": lambda: Lexeme(""),
    "as a str": lambda: Lexeme(3),  # type: ignore[arg-type]
    "with another one, not with 'x'": lambda: Lexeme("x") & "x",
    "SearchQuery is combined with": lambda: SearchQuery("x") & "x",
    "SearchVector is combined with": lambda: SearchVector("dialogue") + "x",
    "made of a text": lambda: SearchQuery(3),  # type: ignore[arg-type]
    "choose from plain, phrase, raw, websearch": lambda: SearchQuery("x", search_type="fuzzy"),  # type: ignore[arg-type]
    "a configuration has a name": lambda: SearchConfig(""),
    "such as 'english'": lambda: SearchVector("dialogue", config=3),  # type: ignore[arg-type]
    "four numbers": lambda: SearchRank("dialogue", "x", weights=[1, 2, 3, 4]),
    "for D, C, B and A": lambda: SearchRank("dialogue", "x", weights="0123"),  # type: ignore[arg-type]
    "take a number such as 2": lambda: SearchRank("dialogue", "x", normalization="2; DROP"),  # type: ignore[arg-type]
    "start_sel=3: give a str": lambda: SearchHeadline("dialogue", "x", start_sel=3),  # type: ignore[arg-type]
    "max_words='3': give an int": lambda: SearchHeadline("dialogue", "x", max_words="3"),  # type: ignore[arg-type]
    "highlight_all=1: give a bool": lambda: SearchHeadline("dialogue", "x", highlight_all=1),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("message", [message for message in REFUSED if message != "no text"])
def test_what_cannot_be_is_refused_when_it_is_made(message: str) -> None:
    with pytest.raises(TypeError, match=message):
        REFUSED[message]()


def test_a_vector_needs_a_text() -> None:
    with pytest.raises(TypeError, match="at least one text"):
        SearchVector()


def test_what_is_no_vector_or_query_is_refused_when_it_is_bound() -> None:
    with pytest.raises(FieldError, match=r"wrap it: SearchVector\(…\)"):
        lines.annotate(v=SearchVector("dialogue") + F("dialogue"))
    with pytest.raises(FieldError, match=r"wrap it: SearchQuery\(…\)"):
        lines.annotate(v=SearchQuery("x") & Value("y"))
    with pytest.raises(FieldError, match="no lookup 'icontains'; choose from isnull, search, exact"):
        lines.filter(words__icontains="x")
    with pytest.raises(FieldError, match="has no lookup 'search'"):
        lines.filter(number__search="x")
    for name in ("no_such", "dialogue__no_such", "scene__no_such", "'; DROP TABLE x"):
        with pytest.raises(FieldError):
            lines.annotate(v=SearchVector(name))


async def test_a_value_of_the_wrong_kind_is_refused_before_any_sql(play: dict[str, int]) -> None:
    with pytest.raises(FieldError, match="takes a str"):
        await lines.filter(words=3)
    with pytest.raises(FieldError, match=r"Line\.words takes a str"):
        await lines.create(scene_id=1, words=3)
    with pytest.raises(DataError):  # PostgreSQL cannot read it
        await lines.create(scene_id=1, words="'a")


@pytest.mark.parametrize("vendor", ["sqlite", "mysql"])
async def test_other_databases_refuse_before_any_sql_and_say_what_to_do(vendor: Any) -> None:
    from transom.db.migrations.ddl import create_tables

    with pytest.raises(FieldError, match=f"{vendor} has none; filter texts by icontains there"):
        create_tables([Line._meta], vendor)
    plain = Scene.objects.order_by()
    for query in (
        plain.filter(setting__search="x"),
        plain.annotate(v=SearchVector("setting", config="english", weight="A")),
        plain.annotate(v=SearchVector("setting", weight="A") + SearchVector("setting")),
        plain.annotate(v=SearchRank("setting", SearchQuery("x") & ~SearchQuery("y"))),
        plain.annotate(v=SearchHeadline("setting", "x")),
        plain.annotate(v=TransactionNow()),
    ):
        with pytest.raises(FieldError, match=f"PostgreSQL.*{vendor}"):
            await statement_of(query, vendor)


# -- shapes and source code


async def test_one_plan_serves_all_texts_and_configurations(play: dict[str, int]) -> None:
    PLANS.clear()
    for text, config in [("robin", "english"), ("' OR 1=1", "french"), ("x", "simple")]:
        vector = SearchVector("dialogue", config=config, weight="A")
        query = SearchQuery(Lexeme(text) | Lexeme("y"), config=config)
        made = lines.annotate(v=vector, r=SearchRank(vector, query, weights=[0, 0, 0, 1], normalization=2))
        await (
            made.annotate(h=SearchHeadline("dialogue", query, start_sel=text)).filter(v=query).filter(v=text)
        )
        await lines.filter(dialogue__search=text)
    assert len(PLANS) == 2


def test_what_models_declare_is_written_into_migrations_as_it_was() -> None:
    for expression in (
        SearchVector("dialogue", "scene", weight="A", config="english"),
        SearchVector(Upper("dialogue"), config=F("language")),
        SearchVector("dialogue") + SearchVector("number", config="simple"),
        SearchConfig("english"),
    ):
        code = serialize(expression)
        assert "transom.db.postgres" in "".join(code.iter_imports())
        names: dict[str, Any] = {"transom": __import__("transom"), "models": models}
        again = eval(code.layout(), names)
        assert repr(again) == repr(expression)
        assert type(again) in (SearchVector, CombinedSearchVector, SearchConfig)
