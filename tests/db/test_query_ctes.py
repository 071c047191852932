"""Queries with names: read, joined, filtered by, recursive, one upon another, and in changes."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Sequence
from decimal import Decimal
from typing import Any

import pytest

from transom.db import F, FieldError, Q, connections, create_tables, models
from transom.db.backends.base import Backend
from transom.db.models import CTE, Count, Exists, Max, OuterRef, Prefetch, Subquery, Sum, Value, Window
from transom.db.models.functions import Concat, RowNumber, Upper
from transom.db.models.query.plans import PLANS


class Node(models.Model):
    parent: models.ForeignKey[Node | None] = models.ForeignKey(
        "self", models.CASCADE, null=True, related_name="children"
    )
    parent_id: int | None
    name = models.CharField(max_length=20)
    cost = models.DecimalField(max_digits=6, decimal_places=2, default=Decimal(0))

    class Meta:
        ordering = ("name",)


class Item(models.Model):
    node = models.ForeignKey(Node, models.CASCADE, related_name="items")
    label = models.CharField(max_length=20)
    count = models.IntegerField()


# a has b and c, b has d; x has y.
NODES = [("a", None), ("b", 0), ("c", 0), ("d", 1), ("x", None), ("y", 4)]
ITEMS = [(0, "one", 1), (1, "two", 2), (1, "three", 3), (3, "four", 4), (5, "five", 5)]


@pytest.fixture
async def nodes(database: Backend) -> list[Node]:
    await create_tables(Node, Item)
    made: list[Node] = []
    for name, parent in NODES:
        made.append(
            await Node.objects.create(
                name=name, parent=None if parent is None else made[parent], cost=Decimal(len(made)) / 4
            )
        )
    await Item.objects.bulk_create(
        Item(node=made[node], label=label, count=count) for node, label, count in ITEMS
    )
    return made


def totals(least: int = 0, name: str = "totals") -> CTE[Any]:
    per_node = Item.objects.filter(count__gt=least).values("node").annotate(total=Sum("count"), n=Count("*"))
    return CTE(per_node, name=name)


def tree(*, name: str = "tree", **root: Any) -> CTE[models.QuerySet[Node]]:
    """The nodes below some, with their depth and the path to them."""
    return CTE.recursive(
        Node.objects.filter(**root).annotate(depth=Value(0), path=F("name")),
        lambda cte: cte.join(Node, parent=cte.col.id).annotate(
            depth=cte.col.depth + 1, path=Concat(cte.col.path, Value("/"), F("name"))
        ),
        name=name,
    )


async def names(query: Any) -> str:
    return "".join(await query.order_by("name").values_list("name", flat=True))


# -- read


async def test_a_cte_of_objects_gives_objects(nodes: list[Node]) -> None:
    cte = CTE(Node.objects.filter(parent=None).annotate(upper=Upper("name")), name="roots")
    found = await cte.queryset().order_by("name")
    assert found == [nodes[0], nodes[4]]
    assert [(node.cost, vars(node)["upper"]) for node in found] == [(Decimal(0), "A"), (Decimal(1), "X")]
    assert await names(cte.queryset().filter(upper="X")) == "x"
    assert await cte.queryset().filter(cost__lt=Decimal("0.5")).count() == 1
    assert await cte.queryset().exclude(children__name="b").values_list("name", flat=True) == ["x"]
    assert await cte.queryset().annotate(n=Count("children")).order_by("name").values_list(
        "n", flat=True
    ) == [2, 1]
    first = await cte.queryset().order_by("-name").prefetch_related("children").first()
    assert first is not None
    assert len(vars(first)["_loaded_children"]) == 1


async def test_a_cte_of_values_gives_values(nodes: list[Node]) -> None:
    cte = totals()
    assert await cte.queryset().order_by("node") == [
        {"node": nodes[0].pk, "total": 1, "n": 1},
        {"node": nodes[1].pk, "total": 5, "n": 2},
        {"node": nodes[3].pk, "total": 4, "n": 1},
        {"node": nodes[5].pk, "total": 5, "n": 1},
    ]
    assert await cte.queryset().filter(total=5, node__name="b").values_list("n", flat=True) == [2]
    assert await cte.queryset().aggregate(most=Max("total"), n=Count("*")) == {"most": 5, "n": 4}
    pairs = CTE(Item.objects.values_list("label", "node__name"))
    assert ("two", "b") in await pairs.queryset()
    assert await pairs.queryset().filter(node__name="y") == [("five", "y")]


async def test_a_cte_keeps_its_order_only_for_its_slice(nodes: list[Node]) -> None:
    first = CTE(Item.objects.order_by("-count")[:2])
    assert sorted([item.label async for item in first.queryset()]) == ["five", "four"]


# -- joined and filtered by


async def test_a_cte_is_joined(nodes: list[Node]) -> None:
    cte = totals()
    query = cte.join(Node, pk=cte.col.node).annotate(total=cte.col.total, more=cte.col.total * 2 + cte.col.n)
    assert await query.values_list("name", "total", "more") == [
        ("a", 1, 3),
        ("b", 5, 12),
        ("d", 4, 9),
        ("y", 5, 11),
    ]
    assert await query.filter(total__gt=4).order_by("-name").values_list("name", flat=True) == ["y", "b"]
    assert await query.count() == 4
    assert await query.filter(parent__name="a").exists()
    assert await query.aggregate(Sum("total")) == {"total__sum": 15}
    outer = cte.join(Node.objects.filter(parent=None), Q(pk=cte.col.node), outer=True).annotate(
        total=cte.col.total
    )
    assert await outer.values_list("name", "total") == [("a", 1), ("x", None)]
    over = cte.join(Node).filter(pk=cte.col.node, name="b")
    assert await over.order_by(cte.col.total).values_list("name", flat=True) == ["b"]
    grouped = query.annotate(children_=Count("children")).values_list("name", "total", "children_")
    assert await grouped == [("a", 1, 2), ("b", 5, 1), ("d", 4, 0), ("y", 5, 0)]
    placed = query.annotate(place=Window(RowNumber(), order_by=["-total", "name"]))
    assert await placed.filter(Q(place=1) | Q(name="d")).values_list("name", "total") == [("b", 5), ("d", 4)]
    beside = await query.select_related("parent").filter(name="d")
    assert beside[0].parent == nodes[1]


async def test_a_cte_is_filtered_by_in_queries_within(nodes: list[Node]) -> None:
    cte = totals(least=1)
    assert await names(Node.objects.filter(pk__in=cte.queryset().values("node"))) == "bdy"
    assert await names(Node.objects.exclude(pk__in=cte.queryset().filter(total=5).values("node"))) == "acdx"
    assert await names(Node.objects.filter(Exists(cte.queryset().filter(node=OuterRef("pk"), n=2)))) == "b"
    total = Subquery(cte.queryset().filter(node=OuterRef("pk")).values("total"))
    assert await Node.objects.annotate(total=total).filter(total__gt=4).values_list("name", "total") == [
        ("b", 5),
        ("y", 5),
    ]
    assert await Node.objects.order_by(total.desc(nulls_last=True), "name").values_list(
        "name", flat=True
    ) == list("bydacx")
    both = Node.objects.filter(pk__in=cte.queryset().values("node")).filter(
        Exists(cte.queryset().filter(node=OuterRef("pk")))
    )
    assert await names(both) == "bdy"
    joined = (
        cte.join(Node, pk=cte.col.node)
        .values_list("name")
        .union(Node.objects.filter(name="x").values_list("name"))
    )
    assert await joined.order_by("name") == [("b",), ("d",), ("x",), ("y",)]
    assert await joined.count() == 4
    of_items = Prefetch("items", Item.objects.filter(node__in=cte.queryset().filter(n=2).values("node")))
    assert [
        len(node.__dict__["_loaded_items"]) for node in await Node.objects.prefetch_related(of_items)
    ] == [0, 2, 0, 0, 0, 0]


async def test_several_ctes_and_one_upon_another(nodes: list[Node]) -> None:
    few, many = totals(), totals(least=1, name="larger")
    query = few.join(many.join(Node, pk=many.col.node), pk=few.col.node)
    assert await query.annotate(a=few.col.total, b=many.col.n).values_list("name", "a", "b") == [
        ("b", 5, 2), ("d", 4, 1), ("y", 5, 1),
    ]  # fmt: skip
    upon = CTE(few.queryset().filter(total__gt=1).values("total").annotate(nodes=Count("*")), name="upon")
    assert await upon.queryset().order_by("total") == [{"total": 4, "nodes": 1}, {"total": 5, "nodes": 2}]
    items = upon.join(Item.objects.filter(count__gt=3), count=upon.col.total).order_by("label")
    assert await items.values_list("label", flat=True) == ["five", "four"]
    also = upon.join(few.join(Node, pk=few.col.node), outer=True).filter(name="b").annotate(n=upon.col.nodes)
    assert sorted(await also.values_list("n", flat=True)) == [1, 2]


# -- recursive


async def test_descendants_with_depth_and_path(nodes: list[Node]) -> None:
    found = await tree(pk=nodes[0].pk).queryset().order_by("path")
    assert [(vars(node)["depth"], vars(node)["path"]) for node in found] == [
        (0, "a"), (1, "a/b"), (2, "a/b/d"), (1, "a/c"),
    ]  # fmt: skip
    assert found == [nodes[0], nodes[1], nodes[3], nodes[2]]
    all_of = tree(parent=None)
    assert await names(all_of.queryset().filter(depth=1)) == "bcy"
    counted = all_of.join(Item, node=all_of.col.id).annotate(depth=all_of.col.depth)
    assert sorted(await counted.values_list("label", "depth")) == [
        ("five", 1), ("four", 2), ("one", 0), ("three", 1), ("two", 1),
    ]  # fmt: skip
    assert await names(Node.objects.filter(pk__in=tree(pk=nodes[1].pk).queryset().values("pk"))) == "bd"
    assert await all_of.queryset().aggregate(Max("depth"), total=Sum("cost")) == {
        "depth__max": 2, "total": Decimal("3.75"),
    }  # fmt: skip


async def test_ancestors(nodes: list[Node]) -> None:
    ancestors = CTE.recursive(
        Node.objects.filter(pk=nodes[3].pk).values("id", "parent", "name", up=Value(0)),
        lambda cte: cte.join(Node, pk=cte.col.parent).values("id", "parent", "name", up=cte.col.up + 1),
        "ancestors",
    )
    rows = await ancestors.queryset().order_by("up")
    assert [(row["name"], row["up"]) for row in rows] == [("d", 0), ("b", 1), ("a", 2)]


async def test_a_long_chain_and_a_circle_come_to_their_end(nodes: list[Node]) -> None:
    numbers = CTE.recursive(
        Node.objects.filter(pk=nodes[0].pk).values(n=Value(1)),
        lambda cte: (
            cte.join(Node.objects.filter(pk=nodes[0].pk), Q())
            .alias(at=cte.col.n)
            .filter(at__lt=1500)
            .values(n=cte.col.n + 1)
        ),
        "numbers",
    )
    assert await numbers.queryset().aggregate(Max("n"), Sum("n")) == {
        "n__max": 1500, "n__sum": 1500 * 1501 // 2,
    }  # fmt: skip
    await Node.objects.filter(pk=nodes[0].pk).update(parent=nodes[3])
    circle = CTE.recursive(
        Node.objects.filter(pk=nodes[1].pk).values("id", "parent"),
        lambda cte: cte.join(Node, pk=cte.col.parent).values("id", "parent"),
        all=False,
    )
    assert await circle.queryset().count() == 3


async def test_text_grows_beyond_what_it_began_with(nodes: list[Node]) -> None:
    texts = CTE.recursive(
        Node.objects.filter(pk=nodes[0].pk).values("id", text=F("name")),
        lambda cte: (
            cte.join(Node, pk=cte.col.id)
            .alias(grown=cte.col.text)
            .filter(grown__length__lt=40_000)
            .values("id", text=Concat(cte.col.text, Value("x" * 10_000)))
        ),
    )
    assert await texts.queryset().values_list("text__length", flat=True).order_by("text__length") == [
        1, 10_001, 20_001, 30_001, 40_001,
    ]  # fmt: skip


# -- hints, changes


@pytest.mark.parametrize("materialized", [True, False])
async def test_the_hint_is_the_databases_where_it_has_one(nodes: list[Node], materialized: bool) -> None:
    cte = CTE(Node.objects.filter(parent=None), "roots", materialized=materialized)
    assert await names(cte.queryset()) == "ax"


async def test_changes_of_rows_that_a_cte_names(nodes: list[Node], database: Backend) -> None:
    below = tree(pk=nodes[1].pk)
    assert await Node.objects.filter(pk__in=below.queryset().values("pk")).update(cost=Decimal(9)) == 2
    assert await names(Node.objects.filter(cost=9)) == "bd"
    cte = totals()
    assert (
        await cte.join(Node, pk=cte.col.node).filter(name__gt="c").update(name=Concat("name", Value("!")))
        == 2
    )
    assert await names(Node.objects.filter(name__endswith="!")) == "d!y!"
    total = Subquery(cte.queryset().filter(node=OuterRef("pk")).values("total"))
    assert await Node.objects.filter(name="b").update(cost=total) == 1
    assert (await Node.objects.get(name="b")).cost == 5
    assert await Item.objects.filter(node__in=below.queryset().values("pk")).delete() == 3
    if database.vendor != "mysql":
        gone = (
            await Node.objects.filter(pk__in=below.queryset().filter(depth__gt=0).values("pk"))
            .returning("name")
            .delete()
        )
        assert gone == [{"name": "d!"}]
    with pytest.raises(FieldError, match="rows of a CTE cannot be changed"):
        await below.queryset().update(cost=0)
    with pytest.raises(FieldError, match="rows of a CTE cannot be changed"):
        await below.queryset().delete()


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


async def test_a_shape_is_compiled_once_and_values_are_in_the_order_of_the_places(recorder: Recorder) -> None:
    for low, high in ((1, 2), (3, 4)):
        cte = CTE(
            Item.objects.filter(count__gt=low).values("node").annotate(total=Sum("count") + low),
            materialized=True,
        )
        query = (
            cte.join(Node.objects.filter(name="x"), pk=cte.col.node)
            .filter(name__lt="y")
            .annotate(t=cte.col.total + high)
        )
        await query.order_by(F("cost") * 7).values_list("t", flat=True)[5:9]
    assert len(PLANS) == 1
    (sql, args), (_, others) = recorder.statements
    assert sql.startswith("WITH cte AS MATERIALIZED (SELECT")
    places = [int(place) for place in re.findall(r"\$(\d+)", sql)]
    assert sorted(set(places)) == list(range(1, len(args) + 1))
    assert sorted(map(str, args)) == sorted(map(str, (1, 1, "x", "y", 2, 7, 4, 5)))
    changed = [(one, other) for one, other in zip(args, others, strict=True) if one != other]
    assert sorted(changed) == [(1, 3), (1, 3), (2, 4)]


async def test_a_cte_that_is_used_twice_is_written_once(recorder: Recorder) -> None:
    cte = totals()
    query = Node.objects.filter(pk__in=cte.queryset().values("node")).exclude(
        pk__in=cte.queryset().filter(n=1).values("node")
    )
    await cte.join(query, pk=cte.col.node)
    ((sql, args),) = recorder.statements
    assert sql.count(" AS (SELECT") == 1
    assert sorted(map(str, args)) == ["0", "1"]


# -- what is refused


def twice() -> Any:
    cte = totals()
    return cte.join(cte.join(Node, pk=cte.col.node), pk=cte.col.node)


REFUSED: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: CTE(Node.objects.all(), "a; --"), FieldError, "no name for a CTE"),
    (lambda: CTE(Node.objects.all(), ""), FieldError, "no name for a CTE"),
    (lambda: CTE(Node), TypeError, "made of a queryset"),  # type: ignore[type-var]
    (lambda: CTE(Node.objects.select_related("parent")), TypeError, "drop select_related"),
    (lambda: CTE(Node.objects.only("name")), TypeError, "drop select_related"),
    (lambda: CTE(Node.objects.filter(pk=OuterRef("pk"))), FieldError, "cannot speak of a query around it"),
    (lambda: totals().col.nothing, FieldError, "has no column 'nothing'; choose from node, total, n"),
    (twice, FieldError, "joins the CTE 'totals' already"),
    (lambda: totals().join(Node.objects.all()[:3]), TypeError, "after a slice"),
    (lambda: totals().join(Node, nothing=1), FieldError, "no field 'nothing'"),
    (lambda: totals().join(totals().join(Node)), FieldError, "already"),
    (
        lambda: Node.objects.filter(
            pk__in=totals().queryset().values("node"), name__in=totals(5).queryset().values("node")
        ),
        FieldError,
        "two CTEs of one query are called 'totals'",
    ),
    (
        lambda: CTE.recursive(
            Node.objects.all(), lambda cte: cte.join(Node, parent=cte.col.id).values("name")
        ),
        FieldError,
        "has the columns name; expected id, parent_id, name, cost",
    ),
    (
        lambda: CTE.recursive(Node.objects.all(), lambda cte: cte.join(Node, parent=cte.col.id)[:3]),
        FieldError,
        "neither be sliced nor grouped",
    ),
    (lambda: CTE.recursive(Node.objects.all(), lambda cte: 3), TypeError, "returns a queryset"),  # type: ignore[arg-type, return-value]
]


@pytest.mark.parametrize(("make", "error", "message"), REFUSED)
def test_what_makes_no_sense_is_refused(
    make: Callable[[], Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        make()


async def test_what_the_statement_cannot_have_is_refused_before_any_sql(recorder: Recorder) -> None:
    cte = totals()
    with pytest.raises(FieldError, match="needs a query that joins it"):
        await Node.objects.annotate(total=cte.col.total)
    with pytest.raises(FieldError, match="has no column 'label'"):
        await cte.queryset().filter(label="x")
    with pytest.raises(FieldError, match="cannot be called as the table"):
        await totals(name="test_query_ctes_item").queryset()
    assert recorder.statements == []


async def test_nothing_is_asked_for_nothing_but_a_cte_may_be_empty(nodes: list[Node]) -> None:
    assert await CTE(Node.objects.none()).queryset() == []
    assert await totals().queryset().none() == []
