"""What operations on indexes and on constraints share: both are named members of a list in `Meta`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from transom.db.migrations.exceptions import StateError
from transom.db.migrations.operations.base import Operation

if TYPE_CHECKING:
    from transom.db.migrations.model_state import AnyItem, ItemKind
    from transom.db.migrations.schema_editor import SchemaEditor
    from transom.db.migrations.state import ProjectState


class AddItem(Operation):
    """Add an index or a constraint."""

    kind: ClassVar[ItemKind]
    word: ClassVar[str]

    def __init__(self, **arguments: Any) -> None:  # Any: those of the subclass
        self.model_name: str = arguments["model_name"]
        super().__init__(**arguments)
        if not self.item.name:
            raise StateError(f"the {self.word} of a migration needs a name: {self.item!r} has none")

    @property
    def item(self) -> AnyItem:
        """What is added."""
        raise NotImplementedError(f"{type(self).__name__} must say its item")

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Add it to the model."""
        items = [*state.items(app_label, self.model_name, self.kind), self.item]
        state.set_items(app_label, self.model_name, self.kind, items)

    async def database_forwards(
        self, app_label: str, editor: SchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Add it to the table."""
        await editor.add_item(to_state.get_model(app_label, self.model_name), self.item.name)

    async def database_backwards(
        self, app_label: str, editor: SchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Remove it from the table."""
        having, without = (state.get_model(app_label, self.model_name) for state in (from_state, to_state))
        await editor.remove_item(having, without, self.item.name)

    def describe(self) -> str:
        """Return what it does."""
        return f"add {self.word} {self.item.name} to {self.model_name}"

    @property
    def name_fragment(self) -> str:
        """The name of the model and its own."""
        return f"{self.model_name}_{self.item.name}".lower()


class RemoveItem(Operation):
    """Remove an index or a constraint."""

    kind: ClassVar[ItemKind]
    word: ClassVar[str]

    def __init__(self, model_name: str, name: str) -> None:
        self.model_name = model_name
        self.name = name
        super().__init__(model_name=model_name, name=name)

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Remove it from the model."""
        gone = state.find_item(app_label, self.model_name, self.kind, self.name)
        items = [item for item in state.items(app_label, self.model_name, self.kind) if item is not gone]
        state.set_items(app_label, self.model_name, self.kind, items)

    async def database_forwards(
        self, app_label: str, editor: SchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Remove it from the table."""
        having, without = (state.get_model(app_label, self.model_name) for state in (from_state, to_state))
        await editor.remove_item(having, without, self.name)

    async def database_backwards(
        self, app_label: str, editor: SchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Add it to the table again."""
        await editor.add_item(to_state.get_model(app_label, self.model_name), self.name)

    def describe(self) -> str:
        """Return what it does."""
        return f"remove {self.word} {self.name} from {self.model_name}"

    @property
    def name_fragment(self) -> str:
        """`remove_`, the name of the model and its own."""
        return f"remove_{self.model_name}_{self.name}".lower()
