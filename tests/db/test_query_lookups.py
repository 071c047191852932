"""Lookups and transforms of an application's own, by name and as expressions, against Python."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from transom.db import F, FieldError, Q, connections, create_tables, models
from transom.db.backends.base import Backend
from transom.db.exceptions import CheckViolation, UniqueViolation
from transom.db.models import Case, Count, Exists, Expression, Func, Lookup, OuterRef, Transform, Value, When
from transom.db.models import functions as of
from transom.db.models.lookups import (
    Contains,
    EndsWith,
    Exact,
    GreaterThan,
    IContains,
    IEndsWith,
    IExact,
    In,
    IRegex,
    IsNull,
    IStartsWith,
    LessThan,
    Range,
    Regex,
    StartsWith,
)
from transom.db.models.query.plans import PLANS
from transom.testing import register_lookup


class Team(models.Model):
    name = models.CharField(max_length=50)
    data = models.JSONField(default=dict)

    class Meta:
        ordering = ("pk",)


class Player(models.Model):
    team_id: Any
    team = models.ForeignKey(Team, models.CASCADE, related_name="players", null=True)
    name = models.CharField(max_length=50)
    nick = models.CharField(max_length=50, null=True)
    change = models.IntegerField()

    class Meta:
        ordering = ("pk",)


class NotEqual(Lookup):
    lookup_name = "ne"
    template = "{lhs} <> {rhs}"


class AbsoluteValue(Transform):
    lookup_name = "abs"
    function = "ABS"


class AbsoluteValueLessThan(Lookup):
    lookup_name = "lt"

    def as_condition(self, lhs: Any, rhs: Any) -> Q:
        return Q(LessThan(lhs.lhs, rhs), GreaterThan(lhs.lhs, -rhs))


class UpperCase(Transform):
    lookup_name = "upcase"
    function = "UPPER"
    bilateral = True


class Near(Lookup):
    """A side that stands twice, and another field on the right."""

    lookup_name = "near"
    template = "{lhs} >= {rhs} - 1 AND {lhs} <= {rhs} + 1"
    rhs_field = models.IntegerField()


class Distinct(Lookup):
    lookup_name = "differs"
    template = {
        "postgresql": "{lhs} IS DISTINCT FROM {rhs}",
        "sqlite": "{lhs} IS NOT {rhs}",
        "mysql": "NOT ({lhs} <=> {rhs})",
    }
    can_use_none_as_rhs = True


PLAYERS = [
    ("Ann", None, -5, 0),
    ("bo", "Bo", 3, 0),
    ("Cy", "cy!", 30, 1),
    ("di", "%", -4, None),
    ("Ann", "A", 0, 1),
]


@pytest.fixture
async def players(database: Backend) -> list[Player]:
    await create_tables(Team, Player)
    teams = await Team.objects.bulk_create(
        [Team(name="Reds", data={"no": 4}), Team(name="blues"), Team(name="x")]
    )
    return await Player.objects.bulk_create(
        Player(name=name, nick=nick, change=change, team=None if team is None else teams[team])
        for name, nick, change, team in PLAYERS
    )


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    with (
        register_lookup(models.Field, NotEqual, Distinct),
        register_lookup(models.IntegerField, AbsoluteValue, Near),
        register_lookup(AbsoluteValue, AbsoluteValueLessThan),
        register_lookup(models.CharField, UpperCase),
    ):
        yield


async def names(query: Any) -> list[str]:
    return await query.order_by("pk").values_list("name", flat=True)


def wanted(players: list[Player], holds: Callable[[Player], bool]) -> list[str]:
    return [player.name for player in players if holds(player)]


HOLD: dict[str, tuple[Any, Callable[[Player], bool]]] = {
    "ne": (Q(name__ne="Ann"), lambda p: p.name != "Ann"),
    "ne of what may be NULL": (Q(nick__ne="Bo"), lambda p: p.nick not in (None, "Bo")),
    "ne of a column": (Q(name__ne=F("nick")), lambda p: p.nick is not None and p.name != p.nick),
    "ne behind a transform": (Q(name__length__ne=2), lambda p: len(p.name) != 2),
    "ne of a foreign key": (Q(team__ne=1), lambda p: p.team_id not in (None, 1)),
    "ne over a relation": (Q(team__name__ne="Reds"), lambda p: p.team_id == 2),
    "ne over a relation, of a part": (Q(team__name__length__ne=4), lambda p: p.team_id == 2),
    "abs": (Q(change__abs=5), lambda p: abs(p.change) == 5),
    "abs with a common lookup": (Q(change__abs__gte=4), lambda p: abs(p.change) >= 4),
    "abs in a list": (Q(change__abs__in=[3, 4]), lambda p: abs(p.change) in (3, 4)),
    "abs with its own lookup": (Q(change__abs__lt=4), lambda p: abs(p.change) < 4),
    "its own lookup and a column": (
        Q(change__abs__lt=F("change") + 1),
        lambda p: abs(p.change) < p.change + 1,
    ),
    "a side that stands twice": (Q(change__near=-4), lambda p: p.change in (-5, -4, -3)),
    "sides for each database": (Q(nick__differs="Bo"), lambda p: p.nick != "Bo"),
    "None where it may stand": (Q(nick__differs=None), lambda p: p.nick is not None),
    "NULL for want of a related row": (Q(team__name__differs="Reds"), lambda p: p.team_id != 1),
    "both sides": (Q(name__upcase="ANN"), lambda p: p.name.upper() == "ANN"),
    "both sides, the value changed": (Q(name__upcase="aNN"), lambda p: p.name.upper() == "ANN"),
    "both sides of a column": (Q(name__upcase=F("nick")), lambda p: p.name.upper() == (p.nick or "").upper()),
    "both sides in a list": (
        Q(name__upcase__in=["BO", "Di", None]),
        lambda p: p.name.upper() in ("BO", "DI"),
    ),
    "both sides in nothing": (Q(name__upcase__in=[]), lambda p: False),
    "both sides of a range": (Q(name__upcase__range=("b", "cz")), lambda p: p.name in ("bo", "Cy")),
    "both sides of a part of text": (Q(name__upcase__contains="n"), lambda p: "N" in p.name.upper()),
    "both sides of a beginning": (Q(name__upcase__startswith="b"), lambda p: p.name == "bo"),
    "both sides, another lookup": (Q(name__upcase__ne="ann"), lambda p: p.name.upper() != "ANN"),
    "both sides, NULL": (Q(nick__upcase__isnull=True), lambda p: p.nick is None),
    "a lookup without a name": (NotEqual("name", "Ann"), lambda p: p.name != "Ann"),
    "a lookup of two columns": (
        NotEqual("name", F("nick")),
        lambda p: p.nick is not None and p.name != p.nick,
    ),
    "a lookup over a relation": (NotEqual("team__name", "Reds"), lambda p: p.team_id == 2),
    "a common lookup of what is computed": (GreaterThan(F("change") * 2, 5), lambda p: p.change * 2 > 5),
    "lookups joined": (NotEqual("name", "Ann") & GreaterThan("change", 3), lambda p: p.name == "Cy"),
    "lookups, either": (NotEqual("name", "Ann") | Q(change=0), lambda p: p.name != "Ann" or p.change == 0),
    "lookups, one of two": (
        NotEqual("nick", "Bo") ^ Q(change__gt=0),
        lambda p: (p.nick not in (None, "Bo")) != (p.change > 0),
    ),
    "a lookup negated": (~NotEqual("nick", "Bo"), lambda p: p.nick in (None, "Bo")),
}


async def test_filter_and_exclude_take_lookups_of_ones_own(players: list[Player]) -> None:
    for case in HOLD:
        await check_condition(case, players)


async def check_condition(case: str, players: list[Player]) -> None:
    condition, holds = HOLD[case]
    kept = wanted(players, holds)
    assert await names(Player.objects.filter(condition)) == kept, case
    left_out = await Player.objects.exclude(condition).values_list("pk", flat=True)
    assert left_out == [player.pk for player in players if not holds(player)]
    assert await names(Player.objects.filter(Q(condition) | Q(pk=-1))) == kept
    assert await names(Player.objects.annotate(kept=Q(condition)).filter(kept=True)) == kept
    assert await Player.objects.annotate(n=Case(When(condition, then=1), default=0)).filter(
        n=1
    ).count() == len(kept)
    assert await Player.objects.aggregate(n=Count("pk", filter=Q(condition))) == {"n": len(kept)}


async def test_excluding_over_several_rows_asks_for_any_of_them(players: list[Player]) -> None:
    teams = Team.objects.exclude(players__change__ne=3).values_list("name", flat=True)
    assert await teams == ["x"]
    assert await Team.objects.exclude(players__change__abs__lt=4).values_list("name", flat=True) == ["x"]
    assert await Team.objects.exclude(players__name__upcase="ann").values_list("name", flat=True) == ["x"]
    assert await Team.objects.filter(players__change__ne=3).order_by("pk").distinct().count() == 2


async def test_transforms_of_ones_own_are_parts_of_names_everywhere(players: list[Player]) -> None:
    query = Player.objects.annotate(size=F("change__abs"), big=F("name__upcase"), twice=F("change") * 2)
    assert await query.order_by("-change__abs", "pk").values_list("size", flat=True) == [30, 5, 4, 3, 0]
    assert await query.filter(size__ne=5, twice__abs__lt=100, size__near=4).values_list("big", flat=True) == [
        "BO",
        "DI",
    ]
    assert await Player.objects.values_list("change__abs", flat=True).distinct().order_by("change__abs") == [
        0,
        3,
        4,
        5,
        30,
    ]
    groups = Player.objects.values(length=F("name__length")).annotate(n=Count("*")).order_by("length")
    assert [(group["length"], group["n"]) for group in await groups] == [(2, 3), (3, 2)]
    assert (
        await Player.objects.filter(team__name__upcase__startswith="RE", change__lt=F("change__abs")).count()
        == 1
    )
    mates = Player.objects.filter(
        team=OuterRef("pk"), name__ne=OuterRef("name"), change__abs__lt=OuterRef("pk") + 3
    )
    assert await Team.objects.filter(Exists(mates)).values_list("name", flat=True) == ["Reds", "blues"]
    await Player.objects.filter(name__ne="Ann").update(change=F("change__abs"))
    assert await Player.objects.order_by("pk").values_list("change", flat=True) == [-5, 3, 30, 4, 0]
    assert await Player.objects.filter(name__ne="Ann", change__abs__lt=4).delete() == 1


async def test_functions_of_the_database_can_be_registered(players: list[Player]) -> None:
    with (
        register_lookup(models.CharField, of.Length, lookup_name="chars"),
        register_lookup(models.IntegerField, of.Sign),
    ):
        assert await names(Player.objects.filter(name__chars__gt=2)) == ["Ann", "Ann"]
        assert await names(Player.objects.filter(change__sign=-1)) == ["Ann", "di"]
    with pytest.raises(FieldError, match="has no lookup 'chars'"):
        Player.objects.filter(name__chars=2)


async def test_one_field_can_have_a_lookup_of_its_own(players: list[Player]) -> None:
    field = Player._meta.get_field("nick")
    with register_lookup(field, of.Upper, lookup_name="turned"):
        assert await Player.objects.filter(nick__turned="A").count() == 1
        with pytest.raises(FieldError, match=re.escape("Player.name has no lookup 'turned'")):
            Player.objects.filter(name__turned="A")
        assert "turned" not in Team._meta.get_field("name").get_lookups()
    assert "turned" not in field.get_lookups()


async def test_parts_of_documents_have_them_too(players: list[Player]) -> None:
    class Size(Transform):
        lookup_name = "size"
        template = {
            "postgresql": "length(CAST({} AS text))",
            "sqlite": "length({})",
            "mysql": "char_length({})",
        }
        output_field = models.IntegerField()

    class Is(Lookup):
        lookup_name = "is"
        template = "{lhs} = {rhs}"

    with register_lookup(models.JSONField, Size, Is):
        assert await Team.objects.filter(data__no__size=1).values_list("name", flat=True) == ["Reds"]
        assert await Team.objects.filter(data__no__is=4).count() == 1
    assert await Team.objects.filter(data__size=1).count() == 0  # a key again


async def test_common_lookups_take_computed_text_on_the_right(players: list[Player]) -> None:
    first = of.Left("name", 1)
    query = Player.objects.order_by("pk")
    cases: list[tuple[type[Lookup], Expression, Callable[[str], bool]]] = [
        (Contains, of.Upper(first), lambda name: name[0].upper() in name),
        (IContains, of.Upper(first), lambda name: True),
        (StartsWith, of.Lower(first), lambda name: name[0].islower()),
        (IStartsWith, of.Lower(first), lambda name: True),
        (EndsWith, of.Right("name", 1), lambda name: True),
        (IEndsWith, of.Upper(of.Right("name", 1)), lambda name: True),
        (EndsWith, of.Upper(of.Right("name", 1)), lambda name: False),
        (IExact, of.Upper("name"), lambda name: True),
        (Regex, of.Concat(Value("^"), first), lambda name: True),
        (IRegex, of.Concat(Value("^"), of.Upper(first)), lambda name: True),
    ]
    for lookup, right, holds in cases:
        assert await names(query.filter(lookup("name", right))) == [
            p.name for p in players if holds(p.name)
        ], lookup
    assert await names(query.filter(name__contains=F("nick"))) == ["Ann"]
    assert await names(query.filter(name__icontains=F("nick"))) == ["bo", "Ann"]
    assert await names(query.filter(nick__startswith=Value("%"))) == ["di"]
    assert await query.filter(Range("change", (F("change") - 1, 3))).count() == 4
    assert await query.filter(In("change", [3, 30]), IsNull("nick", False), ~Exact("name", "bo")).count() == 1


async def test_a_lookup_is_part_of_the_shape_and_its_value_is_not(database: Backend) -> None:
    await create_tables(Team)
    PLANS.clear()
    for value in ("a", "b", "'; --"):
        await Team.objects.filter(name__ne=value)
    assert len(PLANS) == 1

    class NotEqualEither(Lookup):
        lookup_name = "ne"
        template = "NOT ({lhs} = {rhs})"

    with register_lookup(models.CharField, NotEqualEither):
        await Team.objects.filter(name__ne="a")
    assert len(PLANS) == 2
    await Team.objects.filter(name__ne="a")
    assert len(PLANS) == 2


class Walled(models.Model):
    name = models.CharField(max_length=20)
    size = models.IntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(size__abs__lt=10) & ~Q(name__ne=F("name")), name="walled_small"
            ),
            models.CheckConstraint(condition=Q(NotEqual("name", "none")), name="walled_named"),
        ]
        indexes = [models.Index(AbsoluteValue("size"), name="walled_abs")]


async def test_constraints_and_indexes_hold_them(database: Backend) -> None:
    await create_tables(Walled)
    await Walled.objects.create(name="a", size=-9)
    for wrong in ({"name": "a", "size": -10}, {"name": "none", "size": 1}):
        with pytest.raises(CheckViolation):
            await Walled.objects.create(**wrong)
        with pytest.raises(Exception, match="walled_"):
            await Walled(**wrong).validate_constraints()


class NickOnce(models.Model):
    nick = models.CharField(max_length=20)
    size = models.IntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["nick"], condition=Q(size__ne=0), name="nick_once")]


async def test_conditions_of_unique_constraints_hold_them(database: Backend) -> None:
    if database.vendor == "mysql":
        pytest.skip("MariaDB has no unique constraints under conditions")
    await create_tables(NickOnce)
    for size in (0, 0, 1):
        await NickOnce.objects.create(nick="a", size=size)
    with pytest.raises(UniqueViolation):
        await NickOnce.objects.create(nick="a", size=2)


async def test_a_database_without_sql_for_a_lookup_says_so(players: list[Player]) -> None:
    class Odd(Lookup):
        lookup_name = "odd"
        template = {"postgresql": "{lhs} % 2 = {rhs}"}

    query = Player.objects.filter(Odd("change", 1))
    vendor = connections.backend("default").vendor
    if vendor == "postgresql":
        assert await query.count() == 1
    else:
        with pytest.raises(FieldError, match=f"Odd has no SQL for {vendor}, only for postgresql"):
            await query


UNKNOWN: Any = {"oracle": "soundex"}
REFUSED: list[tuple[Callable[[], object], type[Exception], str]] = [
    (
        lambda: Player.objects.filter(name__ne=None),
        FieldError,
        "cannot be compared with None by 'ne'; use isnull",
    ),
    (lambda: Player.objects.filter(change__ne=1 << 70), FieldError, "at most 64 bits"),
    (
        lambda: Player.objects.filter(name__na="x"),
        FieldError,
        "choose from exact.*, ne, differs,? .*or a part: .*, upcase",
    ),
    (lambda: Player.objects.filter(name__ne__gt="x"), FieldError, "has no lookup 'ne'"),
    (lambda: Player.objects.filter(change__upcase="x"), FieldError, "has no lookup 'upcase'"),
    (lambda: Player.objects.filter(name__upcase__in="x"), FieldError, "takes a list of values"),
    (lambda: Player.objects.filter(name__upcase__range=3), FieldError, "takes two values"),
    (lambda: Player.objects.filter(name__ne=Team(pk=1)), FieldError, "is no relation"),
    (lambda: Player.objects.order_by("name__ne"), FieldError, "has no lookup 'ne'"),
    (lambda: models.Field.register_lookup(3), FieldError, "a Lookup or a Transform can be registered, not 3"),  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
    (lambda: models.Field.register_lookup(NotEqual, "a__b"), FieldError, "cannot be the name of NotEqual"),
    (lambda: models.Field.register_lookup(Lookup), FieldError, "give it a lookup_name"),
    (lambda: models.Field.register_lookup(of.Coalesce, "either"), FieldError, "takes several operands"),
    (lambda: models.Field.unregister_lookup(AbsoluteValue), FieldError, "is not registered as 'abs'"),
    (lambda: AbsoluteValue("a", "b"), TypeError, "positional argument"),  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    (
        lambda: Func("a", function=UNKNOWN, output_field=models.TextField()),
        FieldError,
        "no database 'oracle'",
    ),
    (lambda: Player.objects.filter(Lookup("name", "x")), NotImplementedError, "needs a template"),
]


@pytest.mark.parametrize("case", range(len(REFUSED)))
def test_what_makes_no_sense_is_refused_before_any_sql(case: int) -> None:
    build, error, message = REFUSED[case]
    with pytest.raises(error, match=message):
        build()


async def test_text_around_places_stands_for_itself(players: list[Player]) -> None:
    class Odd(Lookup):
        lookup_name = "odd"
        template = "{lhs} || '%s?$1{}{0}:x' <> {rhs}"

    assert await Player.objects.filter(Odd("name", "Ann%s?$1{}{0}:x")).count() == 3


async def test_values_inside_of_a_transform_travel_as_parameters(players: list[Player]) -> None:
    class Initial(of.Substr):
        lookup_name = "initial"
        arity = (1, 3)

        def __init__(self, lhs: Any, **options: Any) -> None:
            super().__init__(lhs, Value(1), Value(1), **options)

    with register_lookup(models.CharField, Initial):
        query = Player.objects.filter(change__lt=100, name__initial="A", team__name__initial__in=["b", "q"])
        assert await query.order_by("name__initial").values_list("name__initial", "change") == [("A", 0)]
