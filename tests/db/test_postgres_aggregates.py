"""Aggregates that PostgreSQL alone has, against Python; and texts joined in an order, where databases can."""

from __future__ import annotations

import functools
import statistics
from decimal import Decimal
from typing import Any

import pytest

from transom.db import F, FieldError, Q, create_tables, models
from transom.db.backends.base import Backend
from transom.db.models import Aggregate, Count, StringAgg, Value, Window
from transom.db.models.functions import Upper
from transom.db.postgres import (
    ArrayAgg,
    ArrayField,
    BitAnd,
    BitOr,
    BitXor,
    BoolAnd,
    BoolOr,
    Corr,
    CovarPop,
    JSONBAgg,
    RegrAvgX,
    RegrAvgY,
    RegrCount,
    RegrIntercept,
    RegrR2,
    RegrSlope,
    RegrSXX,
    RegrSXY,
    RegrSYY,
    Statistic,
)

on_postgresql = pytest.mark.parametrize(
    "database_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
on_others = pytest.mark.parametrize(
    "database_url", ["sqlite", pytest.param("mysql", marks=pytest.mark.mysql)], indirect=True
)


class AggregatePoll(models.Model):
    title = models.CharField(max_length=20)


class AggregateVote(models.Model):
    poll = models.ForeignKey(AggregatePoll, models.CASCADE, related_name="votes")
    word = models.CharField(max_length=10, null=True)
    x = models.IntegerField(default=0)
    y = models.FloatField(default=0.0)
    price = models.DecimalField(max_digits=6, decimal_places=2, default=Decimal(0))


class AggregateTags(models.Model):
    tags = ArrayField(models.TextField())


ROWS = [("c", 6, 1.0), ("a", 3, 2.5), (None, 5, -1.0), ("b", 7, 4.0), ("a", 1, 0.5)]


@pytest.fixture
async def poll(database: Backend) -> AggregatePoll:
    await create_tables(AggregatePoll, AggregateVote)
    made = await AggregatePoll.objects.create(title="first")
    await AggregatePoll.objects.create(title="empty")
    await AggregateVote.objects.bulk_create(
        [AggregateVote(poll=made, word=word, x=x, y=y, price=Decimal(x) / 4) for word, x, y in ROWS]
    )
    return made


@on_postgresql
class TestCollections:
    async def test_values_of_a_group_are_an_array_in_an_order(self, poll: AggregatePoll) -> None:
        polls = AggregatePoll.objects.order_by("pk")
        words = [word for word, _, _ in ROWS]

        async def ask(aggregate: Aggregate) -> list[Any]:
            return await polls.annotate(found=aggregate).values_list("found", flat=True)

        assert await ask(ArrayAgg("votes__word", order_by="votes__pk")) == [words, [None]]
        assert await ask(
            ArrayAgg("votes__word", order_by=["-votes__x"], filter=Q(votes__word__isnull=False))
        ) == [
            ["b", "c", "a", "a"],
            None,
        ]
        assert (
            await ask(ArrayAgg("votes__word", filter=Q(votes__x__gt=9), default=["n'one"])) == [["n'one"]] * 2
        )
        by_word = F("votes__word").desc(nulls_last=True)
        assert await ask(ArrayAgg("votes__word", distinct=True, order_by=by_word)) == [
            ["c", "b", "a", None],
            [None],
        ]
        assert await ask(ArrayAgg(Upper("votes__word"), order_by=(F("votes__x") % 2, "votes__x"))) == [
            ["C", "A", "A", None, "B"],
            [None],
        ]
        prices = [sorted(Decimal(x) / 4 for _, x, _ in ROWS), []]
        assert (
            await ask(ArrayAgg("votes__price", order_by="votes__price", filter=Q(votes__x__gt=0), default=[]))
            == prices
        )

    async def test_keys_and_foreign_keys_are_collected(self, poll: AggregatePoll) -> None:
        keys = await AggregateVote.objects.order_by("pk").values_list("pk", flat=True)
        found = await AggregateVote.objects.aggregate(
            keys=ArrayAgg("pk", order_by="-pk"), polls=ArrayAgg("poll", distinct=True)
        )
        assert found == {"keys": keys[::-1], "polls": [poll.pk]}

    async def test_arrays_of_groups_are_asked_as_arrays_are(self, poll: AggregatePoll) -> None:
        polls = AggregatePoll.objects.annotate(words=ArrayAgg("votes__word"))
        assert await polls.filter(words__contains=["a", "b"], words__len=5).get() == poll
        assert await polls.exclude(words__overlap=["a"]).values_list("title", flat=True) == ["empty"]
        assert await polls.filter(words__0="x").count() == 0

    async def test_aggregates_over_slices_and_in_groups_keep_their_order(self, poll: AggregatePoll) -> None:
        first = AggregateVote.objects.order_by("pk")[:3]
        assert await first.aggregate(words=ArrayAgg("word", order_by="-x")) == {"words": ["c", None, "a"]}
        groups = (
            AggregateVote.objects.values("word").annotate(xs=ArrayAgg("x", order_by="x")).order_by("word")
        )
        assert await groups.values_list("word", "xs") == [("a", [1, 3]), ("b", [7]), ("c", [6]), (None, [5])]
        nobody = AggregateVote.objects.filter(x=99)
        assert await nobody.aggregate(a=ArrayAgg("x"), b=ArrayAgg("x", default=[])) == {"a": None, "b": []}

    async def test_arrays_are_collected_into_rows(self, database: Backend) -> None:
        await create_tables(AggregateTags)
        await AggregateTags.objects.bulk_create(
            [AggregateTags(tags=tags) for tags in (["a", "b"], ["c", "d"])]
        )
        assert await AggregateTags.objects.aggregate(all=ArrayAgg("tags", order_by="pk")) == {
            "all": [["a", "b"], ["c", "d"]]
        }

    async def test_values_of_a_group_are_a_document(self, poll: AggregatePoll) -> None:
        found = await AggregateVote.objects.aggregate(
            words=JSONBAgg("word", order_by="pk"),
            none=JSONBAgg("word", filter=Q(x=99), default=[{"a": 1}]),
            xs=JSONBAgg("x", distinct=True, order_by="x"),
        )
        assert found == {"words": [word for word, _, _ in ROWS], "none": [{"a": 1}], "xs": [1, 3, 5, 6, 7]}

    async def test_bits_and_truths_are_put_together(self, poll: AggregatePoll) -> None:
        xs = [x for _, x, _ in ROWS]
        found = await AggregateVote.objects.aggregate(
            bits_and=BitAnd("x", filter=Q(x__gt=4)),
            bits_or=BitOr("x"),
            bits_xor=BitXor("x"),
            all_small=BoolAnd(Q(x__lt=8)),
            any_large=BoolOr(Q(x__gte=8)),
            nothing=BoolAnd(Q(x=1), filter=Q(x=99)),
            default=BoolOr(Q(x=1), filter=Q(x=99), default=False),
        )
        assert found == {
            "bits_and": 6 & 5 & 7,
            "bits_or": functools.reduce(lambda one, other: one | other, xs),
            "bits_xor": functools.reduce(lambda one, other: one ^ other, xs),
            "all_small": True,
            "any_large": False,
            "nothing": None,
            "default": False,
        }

    def test_orders_that_cannot_be_are_refused(self, database: Backend) -> None:
        with pytest.raises(FieldError, match="cannot have a random order"):
            AggregateVote.objects.annotate(found=ArrayAgg("x", order_by="?"))
        with pytest.raises(FieldError, match="has the order of the window"):
            Window(ArrayAgg("x", order_by="x"))

    async def test_windows_collect_too(self, poll: AggregatePoll) -> None:
        rows = AggregateVote.objects.annotate(so_far=Window(ArrayAgg("x"), order_by="pk")).order_by("pk")
        assert await rows.values_list("so_far", flat=True) == [
            [x for _, x, _ in ROWS[: n + 1]] for n in range(5)
        ]


@on_postgresql
class TestStatistics:
    async def test_pairs_of_numbers_are_measured(self, poll: AggregatePoll) -> None:
        xs, ys = [float(x) for _, x, _ in ROWS], [y for _, _, y in ROWS]
        mean_x, mean_y = statistics.mean(xs), statistics.mean(ys)
        sxx = sum((x - mean_x) ** 2 for x in xs)
        syy = sum((y - mean_y) ** 2 for y in ys)
        sxy = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
        slope, intercept = statistics.linear_regression(xs, ys)
        corr = statistics.correlation(xs, ys)
        kinds: list[tuple[Statistic, float]] = [
            (Corr("y", "x"), corr), (CovarPop("y", "x"), sxy / 5), (CovarPop("y", "x", sample=True), sxy / 4),
            (RegrAvgX("y", "x"), mean_x), (RegrAvgY("y", "x"), mean_y), (RegrIntercept("y", "x"), intercept),
            (RegrR2("y", "x"), corr**2), (RegrSlope("y", "x"), slope), (RegrSXX("y", "x"), sxx), (RegrSXY("y", "x"), sxy),
            (RegrSYY("y", "x"), syy), (RegrAvgX("y", F("x") * 2), 2 * mean_x), (RegrAvgX("y", "price"), mean_x / 4),
        ]  # fmt: skip
        found = await AggregateVote.objects.aggregate(**{f"a{n}": each for n, (each, _) in enumerate(kinds)})
        assert list(found.values()) == pytest.approx([expected for _, expected in kinds])

    async def test_counts_filters_and_defaults(self, poll: AggregatePoll) -> None:
        found = await AggregateVote.objects.aggregate(
            n=RegrCount("y", "x", filter=Q(x__gt=4)), none=Corr("y", "x", filter=Q(x=99), default=0.5)
        )
        assert found == {"n": 3, "none": 0.5}
        assert type(found["n"]) is int
        with pytest.raises(FieldError, match="needs a name"):
            await AggregateVote.objects.aggregate(Corr("y", "x"))


@on_others
@pytest.mark.parametrize(
    "aggregate", [ArrayAgg("x"), JSONBAgg("x"), BitXor("x"), BoolAnd(Q(x=1)), Corr("y", "x")], ids=repr
)
async def test_other_databases_refuse(poll: AggregatePoll, database: Backend, aggregate: Aggregate) -> None:
    with pytest.raises(FieldError, match=r"PostgreSQL alone has"):
        await AggregateVote.objects.aggregate(found=aggregate)


async def test_texts_are_joined_in_an_order_and_once(poll: AggregatePoll, database: Backend) -> None:
    ordered = StringAgg("votes__word", Value("; "), order_by=["-votes__word", "votes__x"])
    once = StringAgg("votes__word", Value("|"), distinct=True, order_by="votes__word")
    polls = AggregatePoll.objects.order_by("pk")
    if database.vendor == "sqlite":
        for aggregate in (ordered, once):
            with pytest.raises(FieldError, match="StringAgg takes neither distinct nor order_by on sqlite"):
                await polls.annotate(found=aggregate)
        return
    rows = polls.annotate(n=Count("votes"), ordered=ordered, once=once)
    assert await rows.values_list("ordered", "once", "n") == [("c; b; a; a", "a|b|c", 5), (None, None, 0)]
    some = polls.annotate(
        found=StringAgg("votes__word", Value(","), order_by="votes__x", filter=Q(votes__x__lt=6))
    )
    assert await some.values_list("found", flat=True) == ["a,a", None]
