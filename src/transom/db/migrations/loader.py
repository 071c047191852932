"""Reads the migrations of the installed apps from their `migrations` packages."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from typing import TYPE_CHECKING

from transom.conf import apps as installed_apps
from transom.db.migrations.exceptions import (
    BadMigration,
    ConflictingMigrations,
    InconsistentHistory,
    UnknownMigration,
)
from transom.db.migrations.graph import MigrationGraph
from transom.db.migrations.migration import Migration, MigrationKey
from transom.db.migrations.state import ProjectState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from types import ModuleType

    from transom.conf import AppConfig


class MigrationLoader:
    """The migrations of some apps, as a graph.

    Args:
        app_configs: whose migrations to read; the installed apps by default.

    Raises:
        BadMigration: a file does not hold a migration.
        NodeNotFound: a migration depends on one that does not exist.
        CircularDependency: migrations depend on each other in a ring.
    """

    def __init__(self, app_configs: Iterable[AppConfig] | None = None) -> None:
        configs = installed_apps.get_app_configs() if app_configs is None else app_configs
        self.app_configs = {config.label: config for config in configs}
        self.graph = MigrationGraph(
            migration for config in self.app_configs.values() for migration in _load_app(config)
        )

    def migrated_apps(self) -> set[str]:
        """Return the labels of the apps that have a migration."""
        return {key.app_label for key in self.graph.nodes}

    def project_state(self, keys: Collection[MigrationKey] | None = None) -> ProjectState:
        """Return the state after some migrations, all by default; the set must hold what its members depend on."""
        state = ProjectState()
        for key in self.graph.full_plan():
            if keys is None or key in keys:
                self.graph.nodes[key].mutate_state(state)
        return state

    def find(self, app_label: str, prefix: str) -> MigrationKey:
        """Return the one migration of an app whose name is, or starts with, what is given.

        Raises:
            UnknownMigration: there is none, or more than one.
        """
        names = self.names(app_label)
        found = [prefix] if prefix in names else [name for name in names if name.startswith(prefix)]
        if len(found) == 1:
            return MigrationKey(app_label, found[0])
        what = "more than one migration" if found else "no migration"
        raise UnknownMigration(
            f"{what} of {app_label} is named {prefix!r}; choose from {', '.join(found or names) or 'none'}"
        )

    def names(self, app_label: str) -> list[str]:
        """Return the names of an app's migrations, in order of the name.

        Raises:
            LookupError: no such app is installed.
        """
        if app_label not in self.app_configs:
            installed_apps.get_app_config(app_label)  # its error names the choices
        return [key.name for key in self.graph.nodes if key.app_label == app_label]

    def check_conflicts(self) -> None:
        """Refuse an app with two last migrations.

        Raises:
            ConflictingMigrations: names them.
        """
        for label, names in self.graph.conflicts().items():
            raise ConflictingMigrations(
                f"app {label!r} has {len(names)} last migrations: {', '.join(names)}; "
                "make one depend on the other, in its dependencies"
            )

    def check_consistent_history(self, applied: Collection[MigrationKey], using: str) -> None:
        """Refuse a database that has a migration without one it depends on.

        Raises:
            InconsistentHistory: names both.
        """
        for key in sorted(self.graph.nodes.keys() & set(applied)):
            for parent in sorted(self.graph.parents[key] - set(applied)):
                raise InconsistentHistory(
                    f"database {using!r} has migration {key} applied, but not {parent}, on which it depends; "
                    f"apply {parent} by hand and record it with fake=True, or restore the dependency it had"
                )


def import_migrations_package(config: AppConfig) -> ModuleType | None:
    """Import and return the `migrations` package of an app, or None where it has none."""
    importlib.invalidate_caches()  # files may have been written since the last look
    name = f"{config.name}.migrations"
    if importlib.util.find_spec(name) is None:
        return None
    module = importlib.import_module(name)
    if not hasattr(module, "__path__"):
        raise BadMigration(
            f"{name} is a single module; migrations live in a package (a folder with an __init__.py)"
        )
    return module


def _load_app(config: AppConfig) -> Iterator[Migration]:
    package = import_migrations_package(config)
    if package is None:
        return
    for info in pkgutil.iter_modules(package.__path__):
        if not info.ispkg and not info.name.startswith(("_", "~")):
            module = importlib.import_module(f"{package.__name__}.{info.name}")
            yield _migration_of(module, config.label, info.name)


def _migration_of(module: ModuleType, app_label: str, name: str) -> Migration:
    found = getattr(module, "Migration", None)
    if not (isinstance(found, type) and issubclass(found, Migration)):
        raise BadMigration(
            f"{module.__name__} has no class Migration(migrations.Migration); add it, or move the module elsewhere"
        )
    return found(name, app_label)
