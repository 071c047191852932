"""The SQL and arguments that querysets come to, seen by a recording executor; and what is refused before any SQL."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from typing import Any

import pytest

from transom.db import F, FieldError, Q, connections, models
from transom.db.models import Case, Value, When
from transom.db.models.query.plans import PLANS, Plan, PlanCache


class Poll(models.Model):
    text = models.CharField(max_length=200)
    note = models.TextField(null=True)
    open = models.BooleanField(default=True)


class Answer(models.Model):
    poll = models.ForeignKey(Poll, models.CASCADE, related_name="answers")
    text = models.CharField(max_length=200)
    votes = models.IntegerField(default=0)


class Recorder:
    """An executor that notes statements and returns the rows it was given."""

    alias = "default"

    def __init__(self, vendor: Any) -> None:
        self.vendor = vendor
        self.statements: list[tuple[str, tuple[Any, ...]]] = []
        self.rows: list[Sequence[Any]] = []

    async def fetch(self, sql: str, args: Sequence[Any] = ()) -> list[Sequence[Any]]:
        self.statements.append((re.sub(r"\s+", " ", sql), tuple(args)))
        return self.rows

    execute_returning = fetch

    async def execute(self, sql: str, args: Sequence[Any] = ()) -> int:
        await self.fetch(sql, args)
        return 1

    async def aclose(self) -> None:
        pass

    @property
    def last(self) -> tuple[str, tuple[Any, ...]]:
        return self.statements[-1]


@pytest.fixture(autouse=True)
def fresh_plans() -> Iterator[None]:
    PLANS.clear()
    yield
    PLANS.clear()


async def run(
    query: Awaitable[Any] | Callable[[], Awaitable[Any]], vendor: str = "sqlite", rows: Any = ()
) -> Recorder:
    recorder = Recorder(vendor)
    recorder.rows = list(rows)
    connections.substitute("default", recorder)  # type: ignore[arg-type]
    try:
        await (query() if callable(query) else query)
    finally:
        connections.substitute("default", None)
    return recorder


async def test_values_travel_as_parameters_and_names_come_from_the_model() -> None:
    query = Poll.objects.filter(text="'; DROP TABLE poll; --", note__contains="%").order_by("-text")
    sql, args = (await run(query, "postgresql")).last
    assert sql == (
        "SELECT test_query_sql_poll.id, test_query_sql_poll.text, test_query_sql_poll.note, test_query_sql_poll.open "
        "FROM test_query_sql_poll WHERE test_query_sql_poll.text = $1::VARCHAR "
        "AND test_query_sql_poll.note LIKE $2::VARCHAR ESCAPE '!' ORDER BY test_query_sql_poll.text DESC"
    )
    assert args == ("'; DROP TABLE poll; --", "%!%%")


async def test_one_shape_is_compiled_once_whatever_its_values() -> None:
    recorder = [
        await run(Poll.objects.filter(pk__in=keys, text=text))
        for keys, text in (([1], "a"), ([1, 2, 3], "b"))
    ]
    assert len(PLANS) == 1
    assert recorder[0].last[0] == recorder[1].last[0]
    assert [r.last[1] for r in recorder] == [("[1]", "a"), ("[1, 2, 3]", "b")]


async def test_null_and_a_value_in_one_place_are_two_shapes() -> None:
    for default in (None, Value("many")):
        size = Case(When(open=True, then=Value("few")), default=default, output_field=models.TextField())
        sql, args = (await run(Poll.objects.annotate(size=size))).last
        assert ("NULL" in sql, len(args)) == (default is None, 3 if default else 2)
    assert len(PLANS) == 2


async def test_slices_are_parameters_and_null_is_shape() -> None:
    for low in range(5):
        await run(Poll.objects.order_by("pk")[low : low + 10])
    assert len(PLANS) == 2  # with and without an offset
    sql, args = (await run(Poll.objects.filter(note=None))).last
    assert "note IS NULL" in sql
    assert args == ()
    assert len(PLANS) == 3


async def test_membership_is_one_parameter() -> None:
    postgresql = await run(Poll.objects.filter(pk__in=[3, 1]), "postgresql")
    assert postgresql.last[0].endswith("WHERE test_query_sql_poll.id = ANY ($1::BIGINT[])")
    assert postgresql.last[1] == ([3, 1],)


async def test_mysql_reads_lists_out_of_json_and_folds_both_sides() -> None:
    keys = await run(Poll.objects.filter(pk__in=[3, 1]), "mysql")
    assert keys.last[0].endswith(
        "WHERE test_query_sql_poll.id IN (SELECT anon_1.c0 FROM JSON_TABLE(%s, '$[*]' COLUMNS "
        "(n FOR ORDINALITY, c0 BIGINT PATH '$' ERROR ON ERROR)) AS anon_1)"
    )
    assert keys.last[1] == ("[3, 1]",)
    folded = await run(Poll.objects.filter(text__icontains="A%"), "mysql")
    assert "lower(test_query_sql_poll.text) LIKE lower(%s) ESCAPE '!'" in folded.last[0]
    assert folded.last[1] == ("%A!%%",)


async def test_mysql_joins_the_keys_of_rows_to_change_where_conditions_read_tables() -> None:
    plain = await run(lambda: Poll.objects.filter(text="a").update(open=False), "mysql")
    assert plain.last[0] == "UPDATE test_query_sql_poll SET open=%s WHERE test_query_sql_poll.text = %s"
    joined = await run(lambda: Poll.objects.filter(answers__votes=7, pk__in=[1]).update(open=False), "mysql")
    assert joined.last[0].startswith(
        "UPDATE test_query_sql_poll, (SELECT DISTINCT test_query_sql_poll_1.id AS id FROM "
    )
    assert joined.last[0].endswith(
        "AS matched SET test_query_sql_poll.open=%s WHERE test_query_sql_poll.id = matched.id"
    )
    assert sorted(joined.last[1], key=repr) == sorted((7, "[1]", 0), key=repr)


async def test_percent_signs_are_doubled_only_beside_arguments() -> None:
    """A driver that is given no arguments looks for no places."""
    alone = await run(Answer.objects.filter(votes=F("votes") % F("id")), "mysql")
    assert "% test_query_sql_answer.id" in alone.last[0]
    assert "%%" not in alone.last[0]
    beside = await run(Answer.objects.filter(votes=F("votes") % F("id"), text="a"), "mysql")
    assert "%% test_query_sql_answer.id" in beside.last[0]


async def test_whole_numbers_divide_to_whole_numbers_on_mysql() -> None:
    whole = await run(lambda: Answer.objects.update(votes=F("votes") / 2), "mysql")
    assert "votes=(test_query_sql_answer.votes DIV %s)" in whole.last[0]
    other = await run(Answer.objects.filter(votes=F("votes") / 2.0), "mysql")
    assert "votes / %s" in other.last[0]


async def test_arguments_follow_the_placeholders_wherever_sql_puts_them() -> None:
    """UPDATE has SET before WHERE; the values of the query were bound first."""
    recorder = await run(
        lambda: Answer.objects.filter(poll=7, votes__lt=5).update(votes=F("votes") + 1, text="x")
    )
    sql, args = recorder.last
    assert sql == (
        "UPDATE test_query_sql_answer SET text=?, votes=(test_query_sql_answer.votes + ?) "
        "WHERE test_query_sql_answer.poll_id = ? AND test_query_sql_answer.votes < ?"
    )
    assert args == ("x", 1, 7, 5)


async def test_the_key_of_a_relation_needs_no_join() -> None:
    for query in (
        Answer.objects.filter(poll__id=1),
        Answer.objects.filter(poll__pk=1),
        Answer.objects.filter(poll_id=1),
        Answer.objects.filter(poll=Poll(pk=1)),
        Answer.objects.filter(poll__in=[1]),
        Answer.objects.filter(poll__isnull=False),
    ):
        assert "JOIN" not in (await run(query)).last[0]


async def test_joins_are_shared_inner_where_rows_are_required_and_outer_where_not() -> None:
    inner = (await run(Poll.objects.filter(answers__votes=1, answers__text="x"))).last[0]
    assert inner.count("JOIN") == 1
    assert "OUTER" not in inner
    outer = (await run(Poll.objects.filter(Q(answers__votes=1) | Q(text="x")))).last[0]
    assert outer.count("LEFT OUTER JOIN") == 1


async def test_excluding_related_rows_asks_whether_any_exists() -> None:
    sql, args = (await run(Poll.objects.exclude(answers__votes__gt=1))).last
    assert "NOT (EXISTS (SELECT 1" in sql
    assert args == (1,)


async def test_nothing_is_asked_of_the_database_for_nothing() -> None:
    recorder = await run(lambda: Poll.objects.none().count())
    await run(Poll.objects.all()[3:3])
    assert recorder.statements == []


async def test_rows_become_objects_without_the_constructor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Poll, "__init__", None)
    connections.substitute("default", recorder := Recorder("sqlite"))  # type: ignore[arg-type]
    recorder.rows = [(1, 9, "a", 3, 9, "poll", None, 1), (2, 9, "b", 4, 9, "poll", None, 0)]
    answers = await Answer.objects.select_related("poll")
    connections.substitute("default", None)
    assert [(a.pk, a.text, a.votes, a.poll.text, a.poll.note, a.poll.open) for a in answers] == [
        (1, "a", 3, "poll", None, True),
        (2, "b", 4, "poll", None, False),
    ]


def test_querysets_do_not_change() -> None:
    base = Poll.objects.all()
    derived = base.filter(text="x").order_by("text").select_related(None)[:5].using("other")
    assert base._shape() == Poll.objects.all()._shape()
    assert derived._shape() != base._shape()


def test_shapes_of_equal_queries_are_equal_and_hold_no_values() -> None:
    def shape(text: str, votes: list[int]) -> Any:
        return Answer.objects.filter(Q(text=text) | ~Q(votes__in=votes), poll__text__startswith=text)._shape()

    assert shape("a", [1]) == shape("secret", [])
    assert hash(shape("a", [1])) == hash(shape("b", [2]))
    assert "secret" not in repr(shape("secret", []))


REFUSED: list[tuple[Callable[[], Any], str]] = [
    (
        lambda: Poll.objects.filter(txt=1),
        "Poll has no field 'txt'; did you mean 'text'\\? choose from answers, id,",
    ),
    (lambda: Poll.objects.filter(answers__vote=1), "Answer has no field 'vote'; did you mean 'votes'"),
    (
        lambda: Poll.objects.filter(text__icontain=1),
        "Poll.text has no lookup 'icontain'.*did you mean 'icontains'",
    ),
    (lambda: Poll.objects.filter(text__exact__gt=1), "has no lookup"),
    (
        lambda: Answer.objects.filter(votes__contains="1"),
        "Answer.votes has no lookup 'contains'; choose from exact, in",
    ),
    (lambda: Poll.objects.filter(open__gt=True), "Poll.open has no lookup 'gt'"),
    (lambda: Poll.objects.order_by("txt"), "no field 'txt'"),
    (lambda: Poll.objects.order_by("text__exact"), "no lookup 'exact'|no field"),
    (lambda: Answer.objects.select_related("pol"), "no foreign key 'pol' .*choose from poll"),
    (lambda: Answer.objects.select_related("text"), "no foreign key 'text'"),
    (lambda: Poll.objects.values("txt"), "no field 'txt'"),
    (lambda: Poll.objects.filter(text__gt=None), "cannot be compared with None by 'gt'; use isnull"),
    (lambda: Poll.objects.filter(text__isnull=1), "isnull takes True or False, not 1"),
    (lambda: Poll.objects.filter(text__in="abc"), "in takes a list"),
    (lambda: Poll.objects.filter(text__range=("a",)), "range takes two values"),
    (lambda: Answer.objects.filter(poll=Poll(text="new")), "no primary key yet"),
    (lambda: Answer.objects.filter(poll=Answer(pk=1)), "Answer.poll takes a Poll"),
    (lambda: Answer.objects.filter(text=Poll(pk=1)), "Answer.text is no relation"),
    (lambda: Answer.objects.filter(Poll.text == "x"), "Poll.text__exact is no column of Answer.*follow"),
    (lambda: Answer.objects.filter(votes=F("vots")), "no field 'vots'"),
    (lambda: Answer.objects.filter(votes=F("votes") + "1"), "arithmetic takes int, float, Decimal"),
]


@pytest.mark.parametrize(("build", "message"), REFUSED)
def test_wrong_names_and_values_are_refused_when_the_query_is_built(
    build: Callable[[], Any], message: str
) -> None:
    with pytest.raises(FieldError, match=message):
        build()


async def test_wrong_updates_are_refused_before_any_sql() -> None:
    with pytest.raises(FieldError, match="no field 'txt'"):
        await Poll.objects.update(txt=1)
    with pytest.raises(FieldError, match="only use columns of Answer itself"):
        await Answer.objects.update(text=F("poll__text"))
    with pytest.raises(TypeError, match="at least one"):
        await Poll.objects.update()


@pytest.mark.parametrize("method", ["filter", "exclude", "order_by", "reverse", "distinct"])
def test_a_sliced_queryset_cannot_be_narrowed(method: str) -> None:
    with pytest.raises(TypeError, match=f"{method}|filter"):
        getattr(Poll.objects.all()[:5], method)(**({"pk": 1} if method in ("filter", "exclude") else {}))


async def test_a_sliced_queryset_cannot_be_changed() -> None:
    with pytest.raises(TypeError, match="delete\\(\\) after a slice"):
        await Poll.objects.all()[:5].delete()
    with pytest.raises(TypeError, match="update\\(\\) after a slice"):
        await Poll.objects.all()[:5].update(text="x")


def test_an_unevaluated_queryset_is_no_list() -> None:
    queryset = Poll.objects.all()
    uses: tuple[tuple[Callable[[Any], object], str], ...] = (
        (bool, "await queryset.exists"),
        (len, "await queryset.count"),
        (iter, "async for"),
        (lambda query: 1 in query, "exists"),
    )
    for use, fix in uses:
        with pytest.raises(TypeError, match=fix):
            use(queryset)
    with pytest.raises(TypeError, match="truth value"):
        bool(Poll.text == "x")
    with pytest.raises(ValueError, match="negative"):
        queryset[-1]
    with pytest.raises(TypeError, match="step"):
        queryset[::2]


def test_the_plan_cache_keeps_what_is_used() -> None:
    cache, built = PlanCache(size=4), list[int]()

    def ask(key: int) -> Plan:
        def build() -> Plan:
            built.append(key)
            return Plan(str(key), tuple, list)

        return cache.get(key, build)

    for key in range(10):
        assert ask(key).sql == str(key)
        assert ask(0).sql == "0"
    assert built == list(range(10))
    assert len(cache) <= 4


async def test_an_iterator_that_is_left_early_lets_go_of_its_stream() -> None:
    closed: list[bool] = []

    class Streaming(Recorder):
        async def stream(self, sql: str, args: Sequence[Any] = (), *, chunk_size: int = 2000) -> Any:
            try:
                for key in range(10):
                    yield [(key, "text", None, True)]
            finally:
                closed.append(True)

    connections.substitute("default", Streaming("sqlite"))  # type: ignore[arg-type]
    try:
        async with aclosing(Poll.objects.order_by("pk").iterator(chunk_size=1)) as polls:
            async for poll in polls:
                assert poll.pk == 0
                break
            assert closed == []
        assert closed == [True]
    finally:
        connections.substitute("default", None)
