"""Rows chosen by what windows compute: the condition stands in a query around, whatever else the query does."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from typing import Any

import pytest

from transom.db import F, FieldError, Q, atomic, connections, create_tables, models
from transom.db.backends.base import Backend
from transom.db.models import Avg, Count, Exists, Max, OuterRef, Subquery, Sum, Value, Window
from transom.db.models.functions import Lag, Lower, Rank, RowNumber
from transom.db.models.query.plans import PLANS


class Team(models.Model):
    runners: models.Related[Runner]
    name = models.CharField(max_length=20)


class Runner(models.Model):
    team = models.ForeignKey(Team, models.CASCADE, related_name="runners", null=True)
    team_id: int | None
    name = models.CharField(max_length=20)
    points = models.IntegerField(default=0)
    rival: models.ForeignKey[Runner | None] = models.ForeignKey(
        "self", models.SET_NULL, null=True, related_name="+"
    )
    fee = models.DecimalField(max_digits=6, decimal_places=2, default=Decimal(0))


ROWS = [("a", 0, 30), ("b", 0, 20), ("c", 0, 10), ("d", 1, 25), ("e", 1, 5), ("f", None, 15), ("g", None, 15)]


@pytest.fixture
async def runners(database: Backend) -> list[Runner]:
    await create_tables(Team, Runner)
    teams = await Team.objects.bulk_create([Team(name="red"), Team(name="blue")])
    return await Runner.objects.bulk_create(
        Runner(name=name, team=None if team is None else teams[team], points=points, fee=Decimal(points))
        for name, team, points in ROWS
    )


PLACE = Window(RowNumber(), partition_by="team", order_by=["-points", "pk"])
PLACED = Runner.objects.annotate(place=PLACE).order_by("name")


async def names(query: Any) -> str:
    return "".join(await query.values_list("name", flat=True))


async def test_rows_are_chosen_by_a_window(runners: list[Runner]) -> None:
    first = PLACED.filter(place=1)
    assert await names(first) == "adf"
    assert [(runner.name, vars(runner)["place"]) for runner in await first] == [("a", 1), ("d", 1), ("f", 1)]
    assert await names(PLACED.exclude(place=1)) == "bceg"
    assert await names(PLACED.filter(place__in=[2, 3])) == "bceg"
    assert await names(PLACED.filter(place__range=(2, 2)).filter(place__lt=3)) == "beg"
    assert await names(PLACED.alias(next=F("place") + 1).filter(next=2)) == "adf"
    assert await names(Runner.objects.alias(place=PLACE).filter(place=1).order_by("-name")) == "fda"


async def test_ordinary_conditions_stay_within_whatever_the_order_of_the_calls(runners: list[Runner]) -> None:
    assert await names(PLACED.filter(place=1).filter(points__lt=30)) == "bdf"
    assert await names(PLACED.filter(points__lt=30).filter(place=1)) == "bdf"
    assert await names(PLACED.filter(points__lt=30, place=1)) == "bdf"
    assert await names(PLACED.filter(Q(Q(place=1), points__lt=30), team__name="red")) == "b"
    assert await names(PLACED.filter(Q(place=1) | Q(points=5), points__lt=30)) == "bdef"


async def test_alternatives_and_negations_go_along(runners: list[Runner]) -> None:
    assert await names(PLACED.filter(Q(place=1) | Q(name="c"))) == "acdf"
    assert await names(PLACED.filter(Q(place=3) | Q(team__name="blue"))) == "cde"
    assert await names(PLACED.exclude(place=1, team__name="red")) == "bcdefg"
    assert await names(PLACED.filter(~Q(Q(place=1) | Q(team__name="red")))) == "eg"
    by_team = Team.objects.annotate(n=Window(RowNumber(), order_by="-name")).order_by("name")
    assert await names(by_team.filter(~Q(Q(runners__name="a") | Q(n=3)))) == "blue"
    assert (
        await names(by_team.filter(Q(n=2) | Exists(Runner.objects.filter(team=OuterRef("pk"), name="a"))))
        == "bluered"
    )
    assert (
        await names(by_team.filter(Q(n=7) | Exists(Runner.objects.filter(team=OuterRef("pk"), name="a"))))
        == "red"
    )


async def test_a_window_may_stand_on_the_right_side(runners: list[Runner]) -> None:
    average = Window(Avg("points"), partition_by="team")
    assert await names(Runner.objects.filter(points__gt=average).order_by("name")) == "ad"
    before = Window(Lag("points"), order_by="name")
    assert await names(Runner.objects.filter(points__lt=before).order_by("name")) == "bce"
    assert await names(PLACED.filter(place=F("points") / 10).order_by("name")) == "bf"
    assert await names(PLACED.annotate(rest=F("points") - 19).filter(rest=F("place") - 1)) == "b"


async def test_order_slices_and_what_comes_out(runners: list[Runner]) -> None:
    rest = PLACED.filter(place__gt=1)
    assert await names(rest.order_by("-points", "name")) == "bgce"
    assert await names(rest.order_by("-points", "name")[1:3]) == "gc"
    assert await names(rest[2:]) == "eg"
    assert await names(rest.order_by(Lower("name").desc())[:1]) == "g"
    assert await names(rest.reverse()) == "gecb"
    assert await rest.values("name", "place", "team__name").first() == {
        "name": "b",
        "place": 2,
        "team__name": "red",
    }
    assert await rest.values_list("place", flat=True).distinct().order_by("-place") == [3, 2]
    teams = rest.filter(place=2).order_by("-points").values_list("team__name", flat=True)
    assert await teams.distinct() == ["red", None, "blue"]
    first = await rest.first()
    last = await rest.last()
    assert (first and first.name, last and last.name) == ("b", "g")
    assert (await PLACED.get(place=3)).name == "c"
    assert [runner.name async for runner in rest.iterator()] == ["b", "c", "e", "g"]


async def test_the_same_column_of_a_table_that_is_joined_twice_is_two(runners: list[Runner]) -> None:
    a, b, c, *_ = runners
    await Runner.objects.filter(pk=a.pk).update(rival=b)
    await Runner.objects.filter(pk=b.pk).update(rival=c)
    chosen = PLACED.filter(place__gt=0, rival__rival__isnull=False)
    assert await chosen.values_list("name", "rival__name", "rival__rival__name") == [("a", "b", "c")]
    upper = chosen.annotate(x=Lower("rival__name"), y=Lower("rival__rival__name"))
    assert await upper.values_list("y", "x") == [("c", "b")]


async def test_what_is_loaded_beside(runners: list[Runner]) -> None:
    found = await PLACED.filter(place=2).select_related("team")
    assert [runner.team and runner.team.name for runner in found] == ["red", "blue", None]
    only = await PLACED.filter(place=1).only("name", "team").prefetch_related("team")
    assert [runner.team and runner.team.name for runner in only] == ["red", "blue", None]


async def test_questions(runners: list[Runner]) -> None:
    rest = PLACED.filter(place__gt=1)
    assert await rest.count() == 4
    assert await rest[:3].count() == 3
    assert await rest.filter(points__lt=0).count() == 0
    assert await rest.exists()
    assert not await rest.filter(place=9).exists()
    assert await rest.aggregate(n=Count("*"), most=Max("points"), fees=Sum("fee"), last=Max("place")) == {
        "n": 4, "most": 20, "fees": 50, "last": 3,
    }  # fmt: skip
    assert await rest[:2].aggregate(Sum("points")) == {"points__sum": 30}
    assert await PLACED.aggregate(Max("place"), n=Count("pk", filter=Q(place=1))) == {"place__max": 3, "n": 3}
    assert await rest.none().count() == 0
    assert list(await rest.filter(place=3).in_bulk()) == [runners[2].pk]


async def test_together_with_other_queries(runners: list[Runner]) -> None:
    first = PLACED.filter(place=1)
    assert await names(Runner.objects.filter(pk__in=first).order_by("name")) == "adf"
    assert await names(Runner.objects.exclude(pk__in=first.values("pk")).order_by("name")) == "bceg"
    assert await names(Team.objects.filter(pk__in=first.values("team")).order_by("name")) == "bluered"
    assert await Team.objects.exclude(pk__in=first.values("team")).count() == 0
    assert await names(Runner.objects.filter(pk__in=first.order_by("-points")[:2]).order_by("name")) == "ad"
    assert await first.values_list("name").union(PLACED.filter(place=3).values_list("name")).order_by("name") == [
        ("a",), ("c",), ("d",), ("f",),
    ]  # fmt: skip
    assert await Team.objects.annotate(
        best=Subquery(first.filter(points__gt=25).values("name")[:1])
    ).order_by("pk").values_list("best", flat=True) == ["a", "a"]


async def test_a_query_around_may_be_spoken_of_but_on_mariadb(
    runners: list[Runner], database: Backend
) -> None:
    second = Runner.objects.filter(team=OuterRef("pk")).annotate(
        place=Window(RowNumber(), order_by="-points")
    )
    query = Team.objects.annotate(second=Subquery(second.filter(place=2).values("name"))).order_by("name")
    if database.vendor == "mysql":
        with pytest.raises(FieldError, match="on MariaDB"):
            await query
        return
    assert await query.values_list("name", "second") == [("blue", "e"), ("red", "b")]
    assert await names(Team.objects.filter(Exists(second.filter(place=3)))) == "red"


async def test_groups_are_chosen_by_a_window_over_them(runners: list[Runner]) -> None:
    ranked = Team.objects.annotate(total=Sum("runners__points")).annotate(
        rank=Window(Rank(), order_by="-total")
    )
    assert await names(ranked.filter(rank=1)) == "red"
    assert await names(ranked.filter(rank=1, total__lt=40)) == "blue"
    assert await names(ranked.filter(Q(rank=1) | Q(name="blue")).order_by("name")) == "bluered"
    assert await names(ranked.filter(Q(rank=1) | Q(total__lt=40)).order_by("-total")) == "redblue"
    assert await ranked.filter(rank__lte=2).count() == 2
    per_team = Runner.objects.values("team__name").annotate(n=Count("*"))
    few = per_team.annotate(rank=Window(Rank(), order_by="n")).filter(rank=1).order_by("team__name")
    assert [(row["team__name"], row["n"]) for row in await few.exclude(team=None)] == [("blue", 2)]


async def test_columns_that_differ_within_a_group_cannot_go_along(runners: list[Runner]) -> None:
    ranked = Team.objects.annotate(total=Sum("runners__points")).annotate(
        rank=Window(Rank(), order_by="-total")
    )
    with pytest.raises(FieldError, match="differs within a group"):
        await ranked.filter(Q(rank=1) | Q(runners__points=5))
    per_team = (
        Runner.objects.values("team").annotate(n=Count("*")).annotate(rank=Window(Rank(), order_by="n"))
    )
    with pytest.raises(FieldError, match="differs within a group"):
        await per_team.filter(Q(rank=1) | Q(name="a"))


async def test_rows_to_change_are_chosen_by_a_window(runners: list[Runner], database: Backend) -> None:
    assert await Runner.objects.annotate(place=PLACE).filter(place=2).update(points=F("points") + 100) == 3
    assert await names(Runner.objects.filter(points__gt=100).order_by("name")) == "beg"
    assert await Runner.objects.annotate(place=PLACE).filter(place__gt=1, team__name="red").delete() == 2
    assert await names(Runner.objects.order_by("name")) == "bdefg"
    if database.vendor != "mysql":
        made = await Runner.objects.annotate(place=PLACE).filter(place=1).returning("name").update(points=0)
        assert sorted(row["name"] for row in made) == ["b", "e", "g"]


async def test_locks_of_such_rows_are_refused(runners: list[Runner]) -> None:
    async with atomic():
        with pytest.raises(FieldError, match="cannot lock rows that were chosen by a Window"):
            await PLACED.filter(place=1).select_for_update()
        assert (
            await names(
                Runner.objects.select_for_update().filter(pk__in=PLACED.filter(place=1)).order_by("name")
            )
            == "adf"
        )


async def test_distinct_on_of_such_rows(runners: list[Runner], database: Backend) -> None:
    query = PLACED.filter(place__gt=1).order_by("team__name", Lower("name")).distinct("team__name")
    if database.vendor != "postgresql":
        with pytest.raises(FieldError, match="PostgreSQL's"):
            await query
        return
    assert await names(query) == "ebg"
    assert await names(PLACED.filter(place__gt=1).order_by(Lower("name")).distinct(Lower("name"))) == "bceg"
    assert await PLACED.filter(place__gt=1).order_by(Lower("name").desc()).values_list("name").distinct() == [
        ("g",), ("e",), ("c",), ("b",),
    ]  # fmt: skip


# -- SQL


class Recorder:
    alias = "default"

    def __init__(self) -> None:
        self.vendor: Any = "postgresql"
        self.statements: list[tuple[str, tuple[Any, ...]]] = []

    async def fetch(self, sql: str, args: Sequence[Any] = ()) -> list[Any]:
        self.statements.append((re.sub(r"\s+", " ", sql), tuple(args)))
        return []

    async def aclose(self) -> None:
        pass


@pytest.fixture
async def recorder() -> AsyncIterator[Recorder]:
    PLANS.clear()
    recorder = Recorder()
    connections.substitute("default", recorder)  # type: ignore[arg-type]
    yield recorder
    connections.substitute("default", None)
    PLANS.clear()


async def test_a_query_around_has_the_condition_and_a_shape_is_compiled_once(recorder: Recorder) -> None:
    for low, high in ((1, 2), (3, 4)):
        await (
            Runner.objects.alias(before=Window(Lag("points", 1, Value(low)), order_by="pk"))
            .filter(Q(before__lt=high) | Q(name="x"))
            .filter(points__gt=5)
            .order_by(F("points") * 7)
            .values_list("name")[9:11]
        )
    assert len(PLANS) == 1
    assert recorder.statements[0] == (
        "SELECT rows1.c1 AS s0 FROM (SELECT lag(test_query_windows_runner.points, CAST($1::BIGINT AS INTEGER), $2::BIGINT) "
        "OVER (ORDER BY test_query_windows_runner.id ASC) AS c0, test_query_windows_runner.name AS c1, "
        "(test_query_windows_runner.points * $3::BIGINT) AS c2 FROM test_query_windows_runner "
        "WHERE test_query_windows_runner.points > $4::BIGINT) AS rows1 "
        "WHERE rows1.c0 < $5::BIGINT OR rows1.c1 = $6::VARCHAR ORDER BY rows1.c2 ASC LIMIT $7::BIGINT OFFSET $8::BIGINT",
        (1, 1, 7, 5, 2, "x", 2, 9),
    )
    assert recorder.statements[1] == (recorder.statements[0][0], (1, 3, 7, 5, 4, "x", 2, 9))
