"""The graph of migrations: order, rings, missing nodes, branches."""

from __future__ import annotations

import pytest

from transom.db.migrations.exceptions import CircularDependency, NodeNotFound
from transom.db.migrations.graph import MigrationGraph
from transom.db.migrations.migration import Migration, MigrationKey


def migration(app_label: str, name: str, *dependencies: tuple[str, str]) -> Migration:
    made = Migration(name, app_label)
    made.dependencies = dependencies
    return made


def names(keys: list[MigrationKey]) -> list[str]:
    return [str(key) for key in keys]


@pytest.fixture
def graph() -> MigrationGraph:
    return MigrationGraph(
        [
            migration("polls", "0002", ("polls", "0001"), ("auth", "0001")),
            migration("auth", "0002", ("auth", "0001")),
            migration("auth", "0001"),
            migration("polls", "0001"),
        ]
    )


def test_forwards_plan_puts_dependencies_of_other_apps_first(graph: MigrationGraph) -> None:
    plan = graph.forwards_plan(MigrationKey("polls", "0002"))
    assert names(plan) == ["auth.0001", "polls.0001", "polls.0002"]


def test_backwards_plan_puts_dependents_first(graph: MigrationGraph) -> None:
    plan = graph.backwards_plan(MigrationKey("auth", "0001"))
    assert names(plan) == ["auth.0002", "polls.0002", "auth.0001"]


def test_full_plan_does_not_depend_on_the_order_given() -> None:
    made = [
        migration("b", "0001"),
        migration("a", "0002", ("a", "0001")),
        migration("a", "0001", ("b", "0001")),
    ]
    plans = {
        tuple(MigrationGraph(order).full_plan()) for order in (made, made[::-1], [made[1], made[0], made[2]])
    }
    assert [names(list(plan)) for plan in plans] == [["b.0001", "a.0001", "a.0002"]]


def test_leaf_nodes_are_one_per_app(graph: MigrationGraph) -> None:
    assert names(graph.leaf_nodes()) == ["auth.0002", "polls.0002"]
    assert names(graph.leaf_nodes("auth")) == ["auth.0002"]


def test_two_leaves_of_an_app_are_a_conflict() -> None:
    graph = MigrationGraph(
        [
            migration("polls", "0001"),
            migration("polls", "0002_a", ("polls", "0001")),
            migration("polls", "0002_b", ("polls", "0001")),
        ]
    )
    assert graph.conflicts() == {"polls": ["0002_a", "0002_b"]}


def test_ring_is_refused_and_shown() -> None:
    with pytest.raises(CircularDependency, match=r"a\.0001 -> b\.0001 -> a\.0001"):
        MigrationGraph(
            [
                migration("a", "0001", ("b", "0001")),
                migration("b", "0001", ("a", "0001")),
                migration("c", "0001", ("b", "0001")),
            ]
        )


def test_missing_dependency_names_the_choices() -> None:
    with pytest.raises(NodeNotFound, match=r"polls\.0002 depends on polls\.0009.*choose from 0001, 0002"):
        MigrationGraph([migration("polls", "0001"), migration("polls", "0002", ("polls", "0009"))])


def test_dependency_on_an_app_without_migrations_says_so() -> None:
    with pytest.raises(NodeNotFound, match="no app 'shop' with migrations is installed"):
        MigrationGraph([migration("polls", "0001", ("shop", "0001"))])


def test_long_history_needs_no_recursion() -> None:
    chain = [migration("a", f"{n:05d}", *([("a", f"{n - 1:05d}")] if n else [])) for n in range(3000)]
    graph = MigrationGraph(chain)
    assert len(graph.forwards_plan(MigrationKey("a", "02999"))) == 3000
