"""Tables straight from models, without migrations: for single-file applications, scripts and tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transom.db import connections, router

if TYPE_CHECKING:
    from collections.abc import Iterable

    from transom.db.models import Model


async def create_tables(*models: type[Model], using: str = "default") -> list[str]:
    """Create the tables that are missing, of these models and of those they refer to.

    Tables that exist are left as they are, whatever their columns; those of models with `managed = False`, and those that
    a router keeps out of the database by `allow_migrate`, are not made. All or none, for it is one transaction; except
    on MySQL, which has no such transactions.

    Args:
        models: the models; by default all that are defined, except those of installed apps that have migrations.
        using: alias of the database.

    Returns:
        The names of the tables created.

    Raises:
        DatabaseError: a statement failed; no table was created, on MySQL none after it.
    """
    from transom.db.migrations import ddl
    from transom.db.migrations.executor import changing_tables
    from transom.db.migrations.introspection import existing_tables

    wanted = list(_with_targets(models or _models_without_migrations()))
    created: list[str] = []
    async with changing_tables(using):
        executor = connections.executor(using)
        existing = await existing_tables(executor)
        missing = [
            model
            for model in wanted
            if model._meta.managed
            and model._meta.db_table not in existing
            and router.allows_migration(using, model._meta.app_label, model._meta.object_name.lower())
        ]
        for statement in ddl.create_tables([model._meta for model in missing], executor.vendor):
            await executor.execute(statement)
        created += (model._meta.db_table for model in missing)
    return created


def _with_targets(models: Iterable[type[Model]]) -> Iterable[type[Model]]:
    """Return the models and all they refer to."""
    found: dict[type[Model], None] = {}
    waiting = list(models)
    while waiting:
        model = waiting.pop(0)._meta.concrete_model
        if model not in found:
            found[model] = None
            waiting += (field.related_model for field in model._meta.foreign_keys)
            for many in model._meta.many_to_many:
                waiting += (many.related_model, many.through)
    return found


def _models_without_migrations() -> list[type[Model]]:
    from transom.db.migrations.loader import MigrationLoader
    from transom.db.models import registry

    migrated = MigrationLoader().migrated_apps()
    return [model for model in registry.get_models() if model._meta.app_label not in migrated]
