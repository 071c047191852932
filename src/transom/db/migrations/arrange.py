"""Puts the steps the autodetector found into migrations, and gives these names and dependencies."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from transom.db.migrations.exceptions import UnsupportedChange
from transom.db.migrations.migration import Migration, MigrationKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from transom.db.migrations.graph import MigrationGraph
    from transom.db.migrations.operations import Operation

LONGEST_FRAGMENT = 52


@dataclass(eq=False, slots=True)
class Step:
    """An operation, with the steps that must come before it.

    Attributes:
        needs: steps of this run.
        refers_to: labels of apps whose earlier migrations it builds on.
    """

    app_label: str
    operation: Operation
    needs: list[Step] = field(default_factory=list["Step"])
    refers_to: set[str] = field(default_factory=set[str])


@dataclass(eq=False, slots=True)
class Draft:
    """A migration in the making: steps of one app, and the drafts they come after."""

    app_label: str
    number: int
    steps: list[Step] = field(default_factory=list[Step])
    parents: list[Draft] = field(default_factory=list["Draft"])

    def comes_after(self, other: Draft) -> bool:
        """Whether this draft is the other one, or needs it, directly or not."""
        return self is other or any(parent.comes_after(other) for parent in self.parents)

    def name(self) -> str:
        """Return the number and what the operations do, e.g. `0002_choice_votes`."""
        operations = [step.operation for step in self.steps]
        return f"{self.number:04d}_{'initial' if self.number == 1 else name_of(operations)}"


def arrange(steps: Iterable[Step], graph: MigrationGraph) -> list[Migration]:
    """Return migrations that do the steps, in the order of their keys.

    Steps of one app share a migration, unless one of them needs a step of another app that itself needs this
    migration: then the app gets a second one.

    Args:
        steps: each after those it needs.
        graph: the migrations there are.

    Raises:
        UnsupportedChange: a step refers to an app that has no migrations.
    """
    drafts: list[Draft] = []
    latest: dict[str, Draft] = {}
    placed: dict[Step, Draft] = {}
    for step in steps:
        needed = {placed[need] for need in step.needs}
        draft = latest.get(step.app_label)
        if draft is None or any(other.comes_after(draft) for other in needed if other is not draft):
            draft = Draft(
                step.app_label, _next_number(step.app_label, draft, graph), [], [draft] if draft else []
            )
            drafts.append(draft)
            latest[step.app_label] = draft
        draft.steps.append(step)
        draft.parents.extend(other for other in needed if other not in (draft, *draft.parents))
        placed[step] = draft
    migrations = [_build_migration(draft, graph) for draft in drafts]
    return sorted(migrations, key=lambda migration: migration.key)


def name_of(operations: Sequence[Operation]) -> str:
    """Return what the operations do, as the second part of a migration's name.

    Stable, of letters, digits and underscores, and cut to a length that reads well.
    """
    fragments = [fragment for operation in operations if (fragment := operation.name_fragment)]
    if not fragments:
        return "custom"
    name = fragments[0]
    for fragment in fragments[1:]:
        if len(name) + 1 + len(fragment) > LONGEST_FRAGMENT:
            return f"{name}_and_more"
        name = f"{name}_{fragment}"
    return name


def next_number(app_label: str, graph: MigrationGraph) -> int:
    """Return the number after the greatest that a migration of the app begins with."""
    names = [key.name for key in graph.nodes if key.app_label == app_label]
    return 1 + max((int(match[0]) for name in names if (match := re.match(r"\d+", name))), default=0)


def _next_number(app_label: str, before: Draft | None, graph: MigrationGraph) -> int:
    return before.number + 1 if before else next_number(app_label, graph)


def _build_migration(draft: Draft, graph: MigrationGraph) -> Migration:
    migration = Migration(draft.name(), draft.app_label)
    migration.operations = [step.operation for step in draft.steps]
    dependencies = {(parent.app_label, parent.name()) for parent in draft.parents}
    if all(parent.app_label != draft.app_label for parent in draft.parents):
        dependencies.update(graph.leaf_nodes(draft.app_label))
    for step in draft.steps:
        for label in step.refers_to - {draft.app_label}:
            dependencies.add(_leaf_of(label, step, graph))
    migration.dependencies = sorted((label, name) for label, name in dependencies)
    return migration


def _leaf_of(app_label: str, step: Step, graph: MigrationGraph) -> MigrationKey:
    for leaf in graph.leaf_nodes(app_label):
        return leaf
    raise UnsupportedChange(
        f"{step.app_label}: {step.operation.describe()} refers to app {app_label!r}, which has no migrations; "
        "add it to installed_apps, so that it gets them too"
    )
