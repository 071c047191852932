"""Changes the tables of one database, or writes down how it would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from transom.db import connections, router
from transom.db.transaction import atomic

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from transom.db.backends.base import Executor, Vendor
    from transom.db.migrations.model_state import AnyField
    from transom.db.migrations.rendering import StateApps
    from transom.db.models import Model
    from transom.db.models.fields import ManyToManyBase


class DataMigration(Protocol):
    """What `RunPython` runs."""

    def __call__(self, apps: StateApps, schema_editor: SchemaEditor, /) -> Awaitable[None]:
        """Change rows, with the models as they were at this point of history."""
        ...


class SchemaEditor:
    """What operations call to change the database; also given to the functions of `RunPython`.

    Args:
        vendor: the dialect of the statements.
        executor: runs them; None to run nothing.
        alias: of the database, for routers to say which tables belong into it; None for all.
        python_apart: whether functions of `RunPython` get a transaction of their own, for the migration has none.

    Attributes:
        vendor: the dialect: `"sqlite"`, `"postgresql"` or `"mysql"`.
        statements: the SQL so far, in order; arguments are shown in comments.
    """

    def __init__(
        self,
        vendor: Vendor,
        executor: Executor | None = None,
        alias: str | None = None,
        *,
        python_apart: bool = False,
    ) -> None:
        self._alias = alias
        self.vendor: Vendor = vendor
        self.statements: list[str] = []
        self._executor = executor
        self._python_apart = python_apart

    def allows(self, app_label: str, model_name: str | None) -> bool:
        """Return whether the tables of an app, or of one of its models, belong into this database."""
        return self._alias is None or router.allows_migration(self._alias, app_label, model_name)

    async def execute(self, sql: str, args: Sequence[Any] = ()) -> None:
        """Run one statement.

        Args:
            sql: in the database's dialect, with its placeholders.
            args: values as the driver takes them. Any: whatever that is.
        """
        self.statements.append(f"{sql} -- with {tuple(args)!r}" if args else sql)
        if self._executor is not None:
            await self._executor.execute(sql, args)

    async def create_model(self, model: type[Model]) -> None:
        """Create the table of a model, and those of its many-to-many fields."""
        from transom.db.migrations import ddl

        between = [
            field.through._meta for field in model._meta.many_to_many if field.through._meta.auto_created
        ]
        await self._run(ddl.create_tables([model._meta, *between], self.vendor))

    async def delete_model(self, model: type[Model]) -> None:
        """Drop the table of a model, and those of its many-to-many fields."""
        from transom.db.migrations import ddl

        for field in model._meta.many_to_many:
            await self._remove_between(field)
        await self._run(ddl.drop_table(model._meta, self.vendor))

    async def add_field(self, model: type[Model], name: str, declared: AnyField) -> None:
        """Add the column of a field, or the table of a many-to-many field.

        Args:
            model: the model with the field.
            name: name of the field.
            declared: the field as the operation declares it; its default is for the rows that exist.
        """
        from transom.db.migrations import ddl

        many = _many_to_many(model, name)
        if many is not None:
            if many.through._meta.auto_created:
                await self._run(ddl.create_tables([many.through._meta], self.vendor))
            return
        field = model._meta.get_field(name)
        default = None if declared.has_db_default() else declared.get_default()
        encoded = None if default is None else field.writer(self.vendor)(default)
        await self._run(ddl.add_column(model._meta, field.column, encoded, self.vendor))

    async def remove_field(self, model: type[Model], name: str) -> None:
        """Remove the column of a field, or the table of a many-to-many field.

        Args:
            model: the model that still has the field.
            name: name of the field.
        """
        from transom.db.migrations import ddl

        many = _many_to_many(model, name)
        if many is not None:
            await self._remove_between(many)
            return
        await self._run(ddl.remove_column(model._meta, model._meta.get_field(name).column, self.vendor))

    async def _remove_between(self, field: ManyToManyBase) -> None:
        from transom.db.migrations import ddl

        if field.through._meta.auto_created:
            await self._run(ddl.drop_table(field.through._meta, self.vendor))

    async def add_item(self, model: type[Model], name: str, **postgresql: bool) -> None:
        """Add an index or a constraint that the model has.

        Args:
            model: the model with it.
            name: of the index or constraint.
            postgresql: how PostgreSQL does it: `concurrently` or `not_valid`. Other databases pass over these.
        """
        from transom.db.migrations import ddl

        await self._run(ddl.add_item(model._meta, name, self.vendor, **postgresql))

    async def remove_item(
        self, model: type[Model], without: type[Model], name: str, **postgresql: bool
    ) -> None:
        """Remove an index or a constraint.

        Args:
            model: the model that still has it.
            without: the model that no longer has it.
            name: of the index or constraint.
            postgresql: as `add_item`.
        """
        from transom.db.migrations import ddl

        await self._run(ddl.remove_item(model._meta, without._meta, name, self.vendor, **postgresql))

    async def validate_constraint(self, model: type[Model], name: str) -> None:
        """Check the rows that were there before a constraint was added `not_valid`; other databases have done it then."""
        from transom.db.migrations import ddl

        await self._run(ddl.validate_constraint(model._meta, name, self.vendor))

    async def rename_index(self, old: type[Model], new: type[Model], old_name: str, new_name: str) -> None:
        """Rename an index.

        Args:
            old: the model with the old name.
            new: the model with the new one.
            old_name: of the index.
            new_name: of the index.
        """
        from transom.db.migrations import ddl

        await self._run(ddl.rename_index(old._meta, new._meta, old_name, new_name, self.vendor))

    async def run_python(self, code: DataMigration, apps: StateApps) -> None:
        """Run the function of a `RunPython`, unless nothing is to be run."""
        if self._executor is None:
            name = getattr(code, "__qualname__", repr(code))
            self.statements.append(f"-- Python: {name}(apps, schema_editor)")
        elif self._python_apart and self._alias is not None:
            await self._run_in_transaction(code, apps, self._alias)
        else:
            await code(apps, self)

    async def _run_in_transaction(self, code: DataMigration, apps: StateApps, using: str) -> None:
        outside = self._executor
        async with atomic(using):
            self._executor = connections.executor(using)
            try:
                await code(apps, self)
            finally:
                self._executor = outside

    async def _run(self, statements: Sequence[str]) -> None:
        for statement in statements:
            await self.execute(statement)


def _many_to_many(model: type[Model], name: str) -> ManyToManyBase | None:
    return next((field for field in model._meta.many_to_many if field.name == name), None)
