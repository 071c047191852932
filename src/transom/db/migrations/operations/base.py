"""What every operation of a migration can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from transom.db.migrations.schema_editor import SchemaEditor
    from transom.db.migrations.state import ProjectState


class Operation:
    """One change: of the state of the models, and of the database with it.

    An operation is told both states and keeps none, so it can run any number of times, on any database.

    Attributes:
        reversible: whether `database_backwards` undoes it.
    """

    # Any: constructor arguments, as the file gives them; `deconstruct` hands them to the writer.
    _arguments: dict[str, Any]
    # Arguments that are left out of the file while they have this value.
    _defaults: ClassVar[dict[str, Any]] = {}

    outside_transactions: ClassVar[bool] = False
    """Whether PostgreSQL refuses to run it in a transaction, so that its migration must say `atomic = False`."""

    def __init__(self, **arguments: Any) -> None:
        self._arguments = arguments

    @property
    def reversible(self) -> bool:
        """Whether `database_backwards` undoes it."""
        return True

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Change the state as the operation changes the models."""
        raise NotImplementedError

    async def database_forwards(
        self, app_label: str, editor: SchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Carry the change out on the database."""
        raise NotImplementedError

    async def database_backwards(
        self, app_label: str, editor: SchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Undo the change on the database; `from_state` has it, `to_state` does not."""
        raise NotImplementedError

    @property
    def about(self) -> str | None:
        """Name of the model that it changes, in lower case; None where it is not about one. Routers are told."""
        for argument in ("model_name", "old_name", "name"):
            if isinstance(name := self._arguments.get(argument), str):
                return name.lower()
        return None

    def describe(self) -> str:
        """Return what it does in a few words, for progress and for the head of the file."""
        return f"{type(self).__name__}: {self._arguments}"

    @property
    def name_fragment(self) -> str | None:
        """What it adds to the name of a new migration, or None where it has nothing to say."""
        return None

    def deconstruct(self) -> tuple[str, dict[str, Any]]:
        """Return the name of its class and the arguments to build it again."""
        return type(self).__name__, {
            name: value
            for name, value in self._arguments.items()
            if name not in self._defaults or value != self._defaults[name]
        }

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.describe()!r}>"
