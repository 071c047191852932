"""The migrations of all apps and what each must come after: a directed graph without rings.

Plans are deterministic: among migrations that may come in any order the one with the smaller key comes first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from transom.db.migrations.exceptions import CircularDependency, NodeNotFound
from transom.db.migrations.migration import MigrationKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from transom.db.migrations.migration import Migration


class MigrationGraph:
    """Migrations as nodes, dependencies as edges from child to parent."""

    def __init__(self, migrations: Iterable[Migration] = ()) -> None:
        self.nodes: dict[MigrationKey, Migration] = {
            migration.key: migration for migration in sorted(migrations, key=lambda migration: migration.key)
        }
        self.parents: dict[MigrationKey, set[MigrationKey]] = {key: set() for key in self.nodes}
        self.children: dict[MigrationKey, set[MigrationKey]] = {key: set() for key in self.nodes}
        for key, migration in self.nodes.items():
            for dependency in migration.dependencies:
                self._add_dependency(key, MigrationKey(*dependency))
        _refuse_rings(self.parents, self.children)

    def _add_dependency(self, child: MigrationKey, parent: MigrationKey) -> None:
        if parent not in self.nodes:
            known = ", ".join(key.name for key in self.nodes if key.app_label == parent.app_label)
            raise NodeNotFound(
                f"migration {child} depends on {parent}, which does not exist; "
                + (
                    f"choose from {known}"
                    if known
                    else f"no app {parent.app_label!r} with migrations is installed"
                )
            )
        self.parents[child].add(parent)
        self.children[parent].add(child)

    def leaf_nodes(self, app_label: str | None = None) -> list[MigrationKey]:
        """Return the migrations which no other one of the same app follows: one per app, unless branches wait for a merge."""
        return [
            key
            for key in self.nodes
            if app_label in (None, key.app_label)
            and not any(child.app_label == key.app_label for child in self.children[key])
        ]

    def forwards_plan(self, *targets: MigrationKey) -> list[MigrationKey]:
        """Return the targets and everything they depend on, parents first."""
        return _in_order(targets, self.parents.__getitem__)

    def backwards_plan(self, *targets: MigrationKey) -> list[MigrationKey]:
        """Return the targets and everything that depends on them, children first."""
        return _in_order(targets, self.children.__getitem__)

    def full_plan(self) -> list[MigrationKey]:
        """Return every migration, parents first."""
        return self.forwards_plan(*self.nodes)

    def conflicts(self) -> dict[str, list[str]]:
        """Return the names of the last migrations of each app that has more than one."""
        leaves: dict[str, list[str]] = {}
        for key in self.leaf_nodes():
            leaves.setdefault(key.app_label, []).append(key.name)
        return {label: names for label, names in leaves.items() if len(names) > 1}


def _in_order(
    targets: Iterable[MigrationKey], needs: Callable[[MigrationKey], set[MigrationKey]]
) -> list[MigrationKey]:
    """Return the targets and what they need, needs first, by a depth-first walk without recursion."""
    done: dict[MigrationKey, None] = {}
    stack = [(key, False) for key in sorted(set(targets), reverse=True)]
    while stack:
        key, needs_are_done = stack.pop()
        if key in done:
            continue
        if needs_are_done:
            done[key] = None
        else:
            stack.append((key, True))
            stack.extend((need, False) for need in sorted(needs(key), reverse=True))
    return list(done)


def _refuse_rings(
    parents: Mapping[MigrationKey, set[MigrationKey]], children: Mapping[MigrationKey, set[MigrationKey]]
) -> None:
    # Take away what waits for nothing until nothing is left; what stays waits for itself.
    waiting = {key: set(needs) for key, needs in parents.items()}
    free = [key for key, needs in waiting.items() if not needs]
    while free:
        key = free.pop()
        del waiting[key]
        for child in children[key]:
            waiting[child].discard(key)
            if not waiting[child]:
                free.append(child)
    if waiting:
        raise CircularDependency(
            f"migrations depend on each other: {_show_ring(waiting)}; take one dependency out of the ring"
        )


def _show_ring(waiting: Mapping[MigrationKey, set[MigrationKey]]) -> str:
    key = min(waiting)
    path: list[MigrationKey] = []
    while key not in path:
        path.append(key)
        key = min(waiting[key])
    return " -> ".join(map(str, [*path[path.index(key) :], key]))
