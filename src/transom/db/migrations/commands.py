"""What people ask of migrations: make them, run them, show them. The command line calls these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from transom.conf import apps as installed_apps
from transom.db import connections
from transom.db.migrations.autodetector import detect_changes
from transom.db.migrations.exceptions import MigrationError
from transom.db.migrations.executor import MigrationExecutor
from transom.db.migrations.loader import MigrationLoader
from transom.db.migrations.plan import build_plan
from transom.db.migrations.questioner import NonInteractiveQuestioner
from transom.db.migrations.recorder import MigrationRecorder
from transom.db.migrations.schema_editor import SchemaEditor
from transom.db.migrations.state import ProjectState
from transom.db.migrations.writer import migration_source, write_migration

if TYPE_CHECKING:
    import datetime
    from collections.abc import Collection
    from pathlib import Path

    from transom.db.backends.base import Vendor
    from transom.db.migrations.migration import Migration, MigrationKey
    from transom.db.migrations.plan import OnProgress, PlanStep
    from transom.db.migrations.questioner import Questioner


@dataclass(frozen=True, slots=True)
class NewMigration:
    """A migration that `makemigrations` found to be needed.

    Attributes:
        app_label: the app.
        name: name of the migration, and of its file without `.py`.
        changes: what each operation does, in a few words.
        source: the text of the file.
        path: the file; None where none was written.
    """

    app_label: str
    name: str
    changes: tuple[str, ...]
    source: str
    path: Path | None


@dataclass(frozen=True, slots=True)
class MigrationStatus:
    """A migration and whether a database has it.

    Attributes:
        app_label: the app.
        name: name of the migration.
        applied: when, in UTC; None where it is not.
    """

    app_label: str
    name: str
    applied: datetime.datetime | None


async def migrate(
    using: str = "default",
    app_label: str | None = None,
    target: str | None = None,
    fake: bool = False,
    on_progress: OnProgress | None = None,
) -> list[PlanStep]:
    """Bring a database to a migration, forwards or backwards.

    Args:
        using: alias of the database.
        app_label: only this app, and what its migrations depend on.
        target: the last migration of the app to be applied, by its name or the beginning of it; `"zero"` undoes all.
        fake: write the record and change nothing else: the tables are as they shall be already.
        on_progress: called with each step, before it with False and after it with True.

    Returns:
        The steps that were done, in order.

    Raises:
        MigrationError: the files, the record or the plan are not in order; nothing was changed.
        DatabaseError: a step failed and left no trace; the steps before it stay done.

    Cancellation: the step under way is undone, the steps before it stay done.
    """
    loader = MigrationLoader()
    loader.check_conflicts()
    applied = await MigrationRecorder(connections.executor(using)).applied()
    loader.check_consistent_history(applied, using)
    plan = build_plan(loader, applied, app_label, target)
    return await MigrationExecutor(loader, using, on_progress).run(plan, applied, fake=fake)


def makemigrations(
    app_labels: Collection[str] | None = None,
    *,
    dry_run: bool = False,
    check: bool = False,
    questioner: Questioner | None = None,
    name: str | None = None,
) -> list[NewMigration]:
    """Write the migrations that bring the tables to what the models of the installed apps say.

    No database is asked: what the migration files say is compared to the models.

    Args:
        app_labels: only these apps, and what their migrations need of others; all installed apps by default.
        dry_run: write no file.
        check: write no file and ask nothing; the result tells whether something is missing.
        questioner: asked for what cannot be seen from the models; by default nobody is, and that is an error.
        name: what the names say after the number, instead of what the operations do.

    Returns:
        The new migrations; none where models and migrations agree.

    Raises:
        LookupError: no app has one of the labels.
        UnsupportedChange: the models changed in ways no operation stands for.
        DefaultNeeded: a new field has no value for rows that exist.
        ConflictingMigrations: an app has two last migrations.
        Unserializable: a default cannot be written into a file.
    """
    configs = {label: installed_apps.get_app_config(label) for label in app_labels or ()}
    loader = MigrationLoader()
    loader.check_conflicts()
    migrations = detect_changes(
        loader.project_state(),
        _installed_models(loader),
        loader.graph,
        _AnyDefault() if check else questioner or NonInteractiveQuestioner(),
    )
    if app_labels is not None:
        migrations = _keep(migrations, configs)
    if name is not None:
        _rename(migrations, name)
    sources = [migration_source(migration) for migration in migrations]  # all, before a file is written
    return [
        NewMigration(
            migration.app_label,
            migration.name,
            tuple(operation.describe() for operation in migration.operations),
            source,
            None if dry_run or check else write_migration(migration, loader.app_configs[migration.app_label]),
        )
        for migration, source in zip(migrations, sources, strict=True)
    ]


async def show(using: str = "default", app_labels: Collection[str] | None = None) -> list[MigrationStatus]:
    """Return the migrations of the installed apps, each app's in order of application, and when each was applied.

    Raises:
        LookupError: no app has one of the labels.
    """
    loader = MigrationLoader()
    labels = [installed_apps.get_app_config(label).label for label in app_labels or loader.app_configs]
    applied = await MigrationRecorder(connections.executor(using)).applied()
    plan = loader.graph.full_plan()
    return [
        MigrationStatus(*key, applied.get(key)) for label in labels for key in plan if key.app_label == label
    ]


async def sqlmigrate(
    app_label: str,
    name: str,
    *,
    using: str = "default",
    vendor: Vendor | None = None,
    backwards: bool = False,
) -> list[str]:
    """Return the statements of a migration without running them.

    Args:
        app_label: the app.
        name: name of the migration, or the beginning of it.
        using: alias of the database whose dialect to use; no connection is made.
        vendor: the dialect, instead of that of `using`.
        backwards: the statements that undo it.

    Raises:
        UnknownMigration: no migration, or more than one, has this name.
    """
    loader = MigrationLoader()
    key = loader.find(app_label, name)
    before = set(loader.graph.forwards_plan(key)) - {key}
    editor = SchemaEditor(vendor or connections.backend(using).vendor, None, using)
    state = loader.project_state(before)
    migration = loader.graph.nodes[key]
    await (migration.unapply if backwards else migration.apply)(state, editor)
    return editor.statements


def _installed_models(loader: MigrationLoader) -> ProjectState:
    from transom.db.models import registry

    models = (model for label in loader.app_configs for model in registry.get_models(label))
    return ProjectState.from_models(models)


def _keep(migrations: Collection[Migration], labels: Collection[str]) -> list[Migration]:
    """Return the migrations of some apps, and those they depend on, in the order given."""
    by_key = {migration.key: migration for migration in migrations}
    kept: set[MigrationKey] = set()
    waiting = [key for key in by_key if key.app_label in labels]
    while waiting:
        key = waiting.pop()
        if key in by_key and key not in kept:
            kept.add(key)
            waiting.extend(other for other in by_key if tuple(other) in set(by_key[key].dependencies))
    return [migration for key, migration in by_key.items() if key in kept]


def _rename(migrations: Collection[Migration], name: str) -> None:
    """Give new migrations another name after the number, in their dependencies too."""
    if not name.isidentifier():
        raise MigrationError(
            f"{name!r} cannot be the name of a file of Python; use letters, digits and underscores"
        )
    names = {tuple(migration.key): f"{migration.name[:4]}_{name}" for migration in migrations}
    for migration in migrations:
        migration.dependencies = [
            (label, names.get((label, other), other)) for label, other in migration.dependencies
        ]
        migration.name = names[tuple(migration.key)]


class _AnyDefault:
    """Answers anything: what is asked for is not written."""

    def ask_default(self, model_label: str, field_name: str) -> None:
        """Return None."""
