"""Operations that run what the author of the migration wrote."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from transom.db.migrations.operations.base import Operation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transom.db.migrations.rendering import StateApps
    from transom.db.migrations.schema_editor import DataMigration, SchemaEditor
    from transom.db.migrations.state import ProjectState

Statement: TypeAlias = "str | tuple[str, Sequence[Any]]"  # Any: arguments as the driver takes them


class RunPython(Operation):
    """Run a coroutine function on the models of this point of history.

        async def fill(apps, schema_editor):
            Question = apps.get_model("polls", "Question")
            await Question.objects.filter(text="").update(text="?")

    The models have the fields of that time and a plain `objects`, but none of the methods written in `models.py`.

    Args:
        code: called with `(apps, schema_editor)`.
        reverse_code: undoes it; `RunPython.noop` where there is nothing to undo. Without it the migration is
            irreversible.
    """

    _defaults: ClassVar[dict[str, Any]] = {"reverse_code": None}

    def __init__(self, code: DataMigration, reverse_code: DataMigration | None = None) -> None:
        for function in filter(None, (code, reverse_code)):
            _refuse_plain_function(function)
        self.code = code
        self.reverse_code = reverse_code
        super().__init__(code=code, reverse_code=reverse_code)

    @property
    def reversible(self) -> bool:
        """Whether `reverse_code` was given."""
        return self.reverse_code is not None

    @staticmethod
    async def noop(apps: StateApps, schema_editor: SchemaEditor, /) -> None:
        """Do nothing."""

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Leave the models as they are."""

    async def database_forwards(
        self, app_label: str, editor: SchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Run `code`."""
        await editor.run_python(self.code, from_state.apps)

    async def database_backwards(
        self, app_label: str, editor: SchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Run `reverse_code`."""
        if self.reverse_code is not None:
            await editor.run_python(self.reverse_code, to_state.apps)

    def describe(self) -> str:
        """Return what it does."""
        return f"run {getattr(self.code, '__name__', 'Python code')}"


class RunSQL(Operation):
    """Run SQL as it is written, in the dialect of the database.

    Args:
        sql: one statement; or several, each a string or `(string, arguments)` with the database's own placeholders.
        reverse_sql: undoes it; `RunSQL.noop` where there is nothing to undo. Without it the migration is irreversible.
        state_operations: operations that stand for what the SQL does to the models; only their states count.
    """

    noop = ""
    _defaults: ClassVar[dict[str, Any]] = {"reverse_sql": None, "state_operations": []}

    def __init__(
        self,
        sql: str | Sequence[Statement],
        reverse_sql: str | Sequence[Statement] | None = None,
        state_operations: Sequence[Operation] = (),
    ) -> None:
        self.sql = sql
        self.reverse_sql = reverse_sql
        self.state_operations = list(state_operations)
        super().__init__(sql=sql, reverse_sql=reverse_sql, state_operations=self.state_operations)

    @property
    def reversible(self) -> bool:
        """Whether `reverse_sql` was given."""
        return self.reverse_sql is not None

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Change the state as `state_operations` do."""
        for operation in self.state_operations:
            operation.state_forwards(app_label, state)

    async def database_forwards(
        self, app_label: str, editor: SchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Run `sql`."""
        await _run(editor, self.sql)

    async def database_backwards(
        self, app_label: str, editor: SchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Run `reverse_sql`."""
        if self.reverse_sql is not None:
            await _run(editor, self.reverse_sql)

    def describe(self) -> str:
        """Return what it does."""
        return "run SQL"


async def _run(editor: SchemaEditor, sql: str | Sequence[Statement]) -> None:
    for statement in [sql] if isinstance(sql, str) else sql:
        text, args = (statement, ()) if isinstance(statement, str) else statement
        if text.strip():
            await editor.execute(text, args)


def _refuse_plain_function(function: Any) -> None:
    # Any: the whole point is that a file may hold the wrong thing.
    if not inspect.iscoroutinefunction(function):
        name = getattr(function, "__qualname__", repr(function))
        raise TypeError(
            f"RunPython was given {name!r}, which is not a coroutine function; write `async def {name}(apps, schema_editor)`"
        )
