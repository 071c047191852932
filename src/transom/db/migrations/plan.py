"""Which migrations to apply or undo, in which order, to get from what a database has to what is asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from transom.db.migrations.loader import MigrationLoader
    from transom.db.migrations.migration import MigrationKey

ZERO = "zero"


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One migration to apply, or to undo.

    Attributes:
        key: the migration.
        backwards: True to undo it.
    """

    key: MigrationKey
    backwards: bool = False

    def __str__(self) -> str:
        return str(self.key)


OnProgress: TypeAlias = Callable[[PlanStep, bool], None]
"""Called before each step with False, and after it with True."""


def build_plan(
    loader: MigrationLoader, applied: Collection[MigrationKey], app_label: str | None, target: str | None
) -> list[PlanStep]:
    """Return the steps to a target.

    Args:
        loader: the migrations there are.
        applied: those the database has.
        app_label: whose migrations; None for those of all apps.
        target: the last migration to be applied, by its name or the beginning of it; `"zero"` for none; None for all.

    Raises:
        LookupError: no such app is installed.
        UnknownMigration: no migration, or more than one, has this name.
    """
    if target is None:
        if app_label is not None:
            loader.names(app_label)  # refuses an unknown app
        return _forwards(loader, loader.graph.leaf_nodes(app_label), applied)
    if app_label is None:
        raise ValueError(f"target {target!r} without an app_label; say whose migration it is")
    if target == ZERO:
        loader.names(app_label)
        return _backwards(loader, (key for key in loader.graph.nodes if key.app_label == app_label), applied)
    key = loader.find(app_label, target)
    if key not in applied:
        return _forwards(loader, [key], applied)
    # What follows in this app goes, with all that depends on it; what depends on the target alone stays.
    followers = (child for child in loader.graph.children[key] if child.app_label == app_label)
    return _backwards(loader, followers, applied)


def _forwards(
    loader: MigrationLoader, targets: Collection[MigrationKey], applied: Collection[MigrationKey]
) -> list[PlanStep]:
    return [PlanStep(key) for key in loader.graph.forwards_plan(*targets) if key not in applied]


def _backwards(
    loader: MigrationLoader, roots: Iterable[MigrationKey], applied: Collection[MigrationKey]
) -> list[PlanStep]:
    return [PlanStep(key, backwards=True) for key in loader.graph.backwards_plan(*roots) if key in applied]
