"""One migration: a step between two states of the models, and of the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from transom.db.migrations.exceptions import IrreversibleMigration, MigrationError
from transom.db.migrations.model_state import ModelKey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transom.db.migrations.operations.base import Operation
    from transom.db.migrations.schema_editor import SchemaEditor
    from transom.db.migrations.state import ProjectState


class MigrationKey(NamedTuple):
    """What a migration is known by: the label of its app and the name of its file."""

    app_label: str
    name: str

    def __str__(self) -> str:
        return f"{self.app_label}.{self.name}"


class Migration:
    """The base of the `Migration` class in each migration file.

    Attributes:
        dependencies: `(app label, name)` of each migration that must be applied before this one.
        operations: what to do, in order.
        atomic: run the whole migration, and its record, in one transaction. Without it a failure leaves what was done
            before; only for statements that refuse to run in a transaction.
    """

    dependencies: Sequence[tuple[str, str]] = []
    operations: Sequence[Operation] = []
    atomic: bool = True

    def __init__(self, name: str, app_label: str) -> None:
        self.name = name
        self.app_label = app_label

    @property
    def key(self) -> MigrationKey:
        """The app label and the name."""
        return MigrationKey(self.app_label, self.name)

    def __repr__(self) -> str:
        return f"<Migration {self.key}>"

    def mutate_state(self, state: ProjectState) -> None:
        """Change the state as this migration changes the models; the database stays out of it."""
        for operation in self.operations:
            operation.state_forwards(self.app_label, state)

    async def apply(self, state: ProjectState, editor: SchemaEditor) -> None:
        """Carry out the operations on the database; `state` becomes the one after them.

        Raises:
            MigrationError: an operation runs outside transactions alone, and the migration is one; nothing was done yet.
        """
        self._check_atomic(editor)
        for operation in self.operations:
            before = state.clone()
            operation.state_forwards(self.app_label, state)
            if self._reaches_database(operation, editor, before, state):
                await operation.database_forwards(self.app_label, editor, before, state.clone())

    async def unapply(self, state: ProjectState, editor: SchemaEditor) -> None:
        """Undo the operations on the database, last first; `state` is the one before this migration.

        Raises:
            IrreversibleMigration: an operation cannot be undone; nothing was done yet.
            MigrationError: as `apply`.
        """
        self._check_atomic(editor)
        steps: list[tuple[Operation, ProjectState, ProjectState]] = []
        for operation in self.operations:
            if not operation.reversible:
                raise IrreversibleMigration(
                    f"{self.key} cannot be undone: {operation.describe()!r} does not say how; give it the reverse"
                )
            before = state.clone()
            operation.state_forwards(self.app_label, state)
            steps.append((operation, before, state.clone()))
        for operation, before, after in reversed(steps):
            if self._reaches_database(operation, editor, before, after):
                await operation.database_backwards(self.app_label, editor, after, before)

    def _reaches_database(
        self, operation: Operation, editor: SchemaEditor, before: ProjectState, after: ProjectState
    ) -> bool:
        """Whether an operation is about tables of this database, and about one that is ours to change."""
        if operation.about is None:
            return editor.allows(self.app_label, None)
        key = ModelKey.of(self.app_label, operation.about)
        model = after.models.get(key) or before.models.get(key)
        return editor.allows(self.app_label, operation.about) and (model is None or model.is_managed)

    def _check_atomic(self, editor: SchemaEditor) -> None:
        if not self.atomic or editor.vendor != "postgresql":
            return
        for operation in self.operations:
            if operation.outside_transactions:
                raise MigrationError(
                    f"{self.key}: PostgreSQL runs {operation.describe()!r} in no transaction; "
                    "write `atomic = False` in the class Migration, and put operations that should be undone together "
                    "into another migration"
                )
