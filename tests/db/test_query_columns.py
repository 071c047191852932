"""Which columns are loaded, which rows are found by keys and order, and which are locked or made."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest

from transom.db import (
    F,
    FieldError,
    NotLoaded,
    OperationalError,
    TransactionError,
    UniqueViolation,
    atomic,
    create_tables,
    models,
)
from transom.db.backends.base import Backend


class Team(models.Model):
    name = models.CharField(max_length=50, unique=True)
    city = models.CharField(max_length=50)


class Player(models.Model):
    team = models.ForeignKey(Team, models.CASCADE, related_name="players")
    name = models.CharField(max_length=50)
    number = models.IntegerField()
    goals = models.IntegerField(default=0)


class Dated(models.Model):
    day = models.DateField()

    class Meta:
        abstract = True
        get_latest_by = ("day", "-pk")


class Match(Dated):
    name = models.CharField(max_length=50)


@pytest.fixture
async def team(database: Backend) -> Team:
    await create_tables(Team, Player)
    team = await Team.objects.create(name="Reds", city="York")
    await Player.objects.bulk_create(
        [Player(team=team, name=name, number=number) for number, name in enumerate("abc")]
    )
    return team


def loaded(instance: models.Model) -> set[str]:
    return {name for name in vars(instance) if not name.startswith("_")}


# -- columns


async def test_only_and_defer_leave_columns_that_then_say_so(team: Team) -> None:
    player = await Player.objects.only("name").get(number=1)
    assert loaded(player) == {"id", "name"}
    with pytest.raises(NotLoaded, match=r"Player\.goals was not loaded"):
        _ = player.goals
    assert loaded(await Player.objects.defer("goals", "team").get(number=1)) == {"id", "name", "number"}
    assert loaded(await Player.objects.defer("goals").defer("name").get(number=1)) == {
        "id",
        "number",
        "team_id",
    }
    assert loaded(await Player.objects.only("name", "goals").defer("goals").get(number=1)) == {"id", "name"}
    assert loaded(await Player.objects.only("team_id").get(number=1)) == {"id", "team_id"}


async def test_only_and_defer_reach_rows_that_are_read_along(team: Team) -> None:
    player = await Player.objects.select_related("team").only("name", "team", "team__city").get(number=1)
    assert loaded(player) == {"id", "name", "team_id"}
    assert loaded(player.team) == {"id", "city"}
    player = await Player.objects.select_related("team").defer("team__city").get(number=1)
    assert loaded(player.team) == {"id", "name"}
    assert loaded(player) == {"id", "name", "number", "goals", "team_id"}


async def test_saving_writes_only_what_was_loaded(team: Team) -> None:
    player = await Player.objects.only("name").get(number=1)
    await Player.objects.filter(number=1).update(goals=5)
    player.name = "z"
    await player.save()
    assert await Player.objects.filter(number=1).values_list("name", "goals") == [("z", 5)]


async def test_columns_that_there_are_not(team: Team) -> None:
    for method in (Player.objects.only, Player.objects.defer):
        with pytest.raises(FieldError, match="no field 'nme'"):
            method("nme")


# -- distinct in some columns


async def test_the_first_row_of_those_that_are_equal_in_a_column(team: Team, database: Backend) -> None:
    await Player.objects.create(team=team, name="a", number=9)
    query = Player.objects.distinct("name").order_by("name", "-number").values_list("name", "number")
    if database.vendor != "postgresql":
        with pytest.raises(FieldError, match="on columns is PostgreSQL's"):
            await query
        return
    assert await query == [("a", 9), ("b", 1), ("c", 2)]
    assert await query.count() == 3
    assert await query[1:] == [("b", 1), ("c", 2)]


# -- by keys and order


async def test_objects_by_their_keys(team: Team) -> None:
    players = await Player.objects.order_by("number")
    first, second, third = players
    assert await Player.objects.in_bulk([first.pk, third.pk, 999]) == {first.pk: first, third.pk: third}
    assert set(await Player.objects.in_bulk()) == {first.pk, second.pk, third.pk}
    assert await Player.objects.in_bulk([]) == {}
    assert await Team.objects.in_bulk(["Reds"], field_name="name") == {"Reds": team}
    with pytest.raises(FieldError, match=r"needs a unique field, and Player\.name is not"):
        await Player.objects.in_bulk(["a"], field_name="name")


async def test_the_first_and_last_in_an_order(team: Team) -> None:
    assert (await Player.objects.earliest("number")).name == "a"
    assert (await Player.objects.latest("number")).name == "c"
    assert (await Player.objects.latest("goals", "-number")).name == "a"
    with pytest.raises(Player.DoesNotExist):
        await Player.objects.filter(number=9).latest("number")
    with pytest.raises(TypeError, match=r"latest\(\) needs what to order by"):
        await Player.objects.latest()


async def test_a_model_and_those_that_inherit_from_it_say_what_the_latest_row_is(database: Backend) -> None:
    await create_tables(Match)
    days = [date(2024, 1, 2), date(2024, 1, 2), date(2024, 1, 1)]
    await Match.objects.bulk_create(
        [Match(name=name, day=day) for name, day in zip("abc", days, strict=True)]
    )
    assert (await Match.objects.latest()).name == "a"
    assert (await Match.objects.earliest()).name == "c"
    assert (await Match.objects.latest("pk")).name == "c"


async def test_how_the_database_finds_rows(team: Team) -> None:
    plan = await Player.objects.filter(number=1).explain()
    assert "player" in plan.lower()


# -- made or changed


async def test_update_or_create_changes_or_makes(team: Team) -> None:
    player, is_new = await Player.objects.update_or_create({"goals": 3}, name="d", number=4, team=team)
    assert (player.goals, is_new) == (3, True)
    player, is_new = await Player.objects.update_or_create({"goals": 4}, {"goals": 9}, name="d")
    assert (player.goals, is_new) == (4, False)
    assert await Player.objects.filter(name="d").values_list("goals", "number") == [(4, 4)]
    made, is_new = await Player.objects.update_or_create(
        {"goals": 1}, {"goals": 9, "number": 7, "team": team}, name="e"
    )
    assert (made.goals, is_new) == (9, True)


async def test_update_or_create_at_once_makes_one_and_loses_nothing(team: Team, database: Backend) -> None:
    if database.vendor == "mysql":
        pytest.skip(
            "MariaDB ends one of two that insert the same key at once as a deadlock; see retry_on_conflict"
        )
    await asyncio.gather(*(Team.objects.update_or_create({"city": str(n)}, name="Blues") for n in range(5)))
    assert await Team.objects.filter(name="Blues").count() == 1


# -- many at once


async def names_and_cities() -> list[tuple[str, str]]:
    return await Team.objects.order_by("name").values_list("name", "city")


async def test_new_rows_that_are_there_already_are_left_out_or_change_those(team: Team) -> None:
    with pytest.raises(UniqueViolation):
        await Team.objects.bulk_create([Team(name="Blues", city="x"), Team(name="Reds", city="y")])
    assert await names_and_cities() == [("Reds", "York")]
    await Team.objects.bulk_create(
        [Team(name="Blues", city="x"), Team(name="Reds", city="y")], ignore_conflicts=True
    )
    assert await names_and_cities() == [("Blues", "x"), ("Reds", "York")]
    made = await Team.objects.bulk_create(
        [Team(name="Greens", city="z"), Team(name="Reds", city="new")],
        update_conflicts=True,
        update_fields=["city"],
        unique_fields=["name"],
    )
    assert await names_and_cities() == [("Blues", "x"), ("Greens", "z"), ("Reds", "new")]
    assert made[1].pk == team.pk
    assert (await Team.objects.get(name="Greens")).pk == made[0].pk


async def test_batches_are_all_made_or_none(team: Team) -> None:
    teams = await Team.objects.bulk_create([Team(name=str(n), city="x") for n in range(7)], batch_size=3)
    assert len({each.pk for each in teams}) == 7
    with pytest.raises(UniqueViolation):
        await Team.objects.bulk_create([Team(name=f"new {n % 5}", city="x") for n in range(7)], batch_size=3)
    assert await Team.objects.filter(name__startswith="new").count() == 0


async def test_many_rows_are_changed_with_one_statement(team: Team) -> None:
    players = await Player.objects.order_by("number")
    for player in players:
        player.goals, player.name = player.number * 10, f"new {player.name}"
    assert await Player.objects.bulk_update(players, ["goals", "name"]) == 3
    assert await Player.objects.order_by("number").values_list("goals", "name", "number") == [
        (0, "new a", 0), (10, "new b", 1), (20, "new c", 2),
    ]  # fmt: skip
    assert await Player.objects.bulk_update([], ["goals"]) == 0
    players[0].goals = 7
    assert (
        await Player.objects.bulk_update([players[0], Player(pk=999, goals=1)], ["goals"], batch_size=1) == 1
    )
    assert (await Player.objects.get(number=0)).goals == 7


async def test_options_of_many_that_do_not_go_together_are_refused(team: Team) -> None:
    with pytest.raises(TypeError, match="exclude each other"):
        await Team.objects.bulk_create([], ignore_conflicts=True, update_conflicts=True)
    with pytest.raises(TypeError, match="needs update_fields and unique_fields"):
        await Team.objects.bulk_create([], update_conflicts=True)
    with pytest.raises(TypeError, match="are for update_conflicts"):
        await Team.objects.bulk_create([], unique_fields=["name"])
    with pytest.raises(TypeError, match="was never saved"):
        await Team.objects.bulk_update([Team(name="x", city="y")], ["city"])
    with pytest.raises(FieldError, match="cannot change it"):
        await Team.objects.bulk_update([team], ["pk"])
    with pytest.raises(TypeError, match="needs fields"):
        await Team.objects.bulk_update([team], [])


async def test_changes_give_columns_of_the_rows_back(team: Team, database: Backend) -> None:
    if database.vendor == "mysql":
        pytest.skip("MariaDB has no UPDATE with RETURNING")
    players = Player.objects.filter(number__gte=1)
    changed = await players.returning("name", "goals").update(goals=F("number") + 1)
    assert sorted(changed, key=lambda row: row["name"]) == [
        {"name": "b", "goals": 2},
        {"name": "c", "goals": 3},
    ]
    third = await Player.objects.get(number=2)
    gone = await Player.objects.filter(team__name="Reds", number=2).returning("pk", "name").delete()
    assert gone == [{"pk": third.pk, "name": "c"}]
    assert await Player.objects.none().returning("name").update(goals=1) == []
    (whole,) = await Player.objects.filter(number=0).returning().delete()
    assert set(whole) == {"id", "team_id", "name", "number", "goals"}
    assert await Player.objects.values_list("name", flat=True) == ["b"]


# -- together


async def test_rows_of_several_queries_together(team: Team) -> None:
    players = Player.objects.values_list("name", flat=True)
    low, high = players.filter(number__lte=1), players.filter(number__gte=1)
    assert await low.union(high).order_by("name") == ["a", "b", "c"]
    assert await low.union(high, all=True).order_by("-name") == ["c", "b", "b", "a"]
    assert await low.intersection(high) == ["b"]
    assert await low.difference(high) == ["a"]
    assert await low.union(high).count() == 3
    assert await low.union(high).order_by("name")[1:2] == ["b"]
    assert await low.union(high, high).order_by("name")[1:].count() == 2
    assert await players.filter(number=9).union(players.none()).exists() is False
    assert sorted(await low.union(Team.objects.values_list("name", flat=True))) == ["Reds", "a", "b"]
    best = players.order_by("-number")[:1]
    assert await best.union(players.filter(number=0)).order_by("name") == ["a", "c"]


async def test_objects_of_several_queries_together(team: Team) -> None:
    low, high = Player.objects.filter(number=0), Player.objects.filter(number=2)
    found = await low.union(high).order_by("-number")
    assert [(player.name, player.number) for player in found] == [("c", 2), ("a", 0)]
    assert await low.union(high).order_by("name").first() == found[1]


async def test_queries_of_other_columns_are_not_put_together(team: Team) -> None:
    with pytest.raises(FieldError, match="have the same columns"):
        Player.objects.values_list("name").union(Player.objects.values_list("name", "number"))
    with pytest.raises(TypeError, match="drop select_related"):
        Player.objects.select_related("team").union(Player.objects.all())
    with pytest.raises(TypeError, match="nothing to put"):
        Player.objects.all().union()
    with pytest.raises(FieldError, match="no column 'goals'"):
        Player.objects.values_list("name").union(Player.objects.values_list("name")).order_by("goals")


# -- locked


async def test_rows_are_locked_in_a_transaction_only(team: Team) -> None:
    with pytest.raises(TransactionError, match="there is none; ask inside atomic"):
        await Player.objects.select_for_update().get(number=1)
    async with atomic():
        player = await Player.objects.select_for_update().get(number=1)
        assert await Player.objects.select_for_update(no_key=True).filter(number=1).count() == 1
    assert player.name == "b"


async def test_what_others_have_locked_is_refused_or_left_out(team: Team, database: Backend) -> None:
    if database.vendor == "sqlite":
        pytest.skip("a transaction that may write is the only one")
    has_locked, may_end = asyncio.Event(), asyncio.Event()
    # By its key: MariaDB locks all rows that it looks at to find those it is asked for.
    second = (await Player.objects.get(number=1)).pk
    locking = Player.objects.select_for_update()
    if database.vendor == "postgresql":
        locking = Player.objects.select_for_update(of=["self"]).select_related("team")

    async def hold() -> None:
        async with atomic():
            await locking.get(pk=second)
            has_locked.set()
            await may_end.wait()

    holder = asyncio.create_task(hold())
    await has_locked.wait()
    try:
        with pytest.raises(OperationalError):
            async with atomic():
                await Player.objects.select_for_update(nowait=True).get(pk=second)
        async with atomic():
            free: Any = Player.objects.select_for_update(skip_locked=True).order_by("number")
            assert [player.number for player in await free] == [0, 2]
            assert await Team.objects.select_for_update(nowait=True).get() == team
    finally:
        may_end.set()
        await holder


def test_contradictions_are_refused() -> None:
    with pytest.raises(TypeError, match="exclude each other"):
        Player.objects.select_for_update(nowait=True, skip_locked=True)
    with pytest.raises(FieldError, match="no foreign key 'name'"):
        Player.objects.select_for_update(of=["name"])
