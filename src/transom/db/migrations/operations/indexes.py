"""Operations on indexes."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from transom.db.migrations.operations.base import Operation
from transom.db.migrations.operations.items import AddItem, RemoveItem

if TYPE_CHECKING:
    from transom.db.migrations.model_state import AnyItem
    from transom.db.migrations.schema_editor import SchemaEditor
    from transom.db.migrations.state import ProjectState
    from transom.db.models.indexes import Index


class AddIndex(AddItem):
    """Add an index to a model and its table.

    Args:
        model_name: name of the model, in any case.
        index: the index; it has a name.
    """

    kind = "indexes"
    word = "index"

    def __init__(self, model_name: str, index: Index) -> None:
        self.index = index
        super().__init__(model_name=model_name, index=index)

    @property
    def item(self) -> AnyItem:
        """The index."""
        return self.index


class RemoveIndex(RemoveItem):
    """Remove an index from a model and its table.

    Args:
        model_name: name of the model, in any case.
        name: name of the index.
    """

    kind = "indexes"
    word = "index"


class RenameIndex(Operation):
    """Rename an index.

    Args:
        model_name: name of the model, in any case.
        new_name: what it is to be called.
        old_name: what it is called.
    """

    def __init__(self, model_name: str, new_name: str, old_name: str) -> None:
        self.model_name = model_name
        self.new_name = new_name
        self.old_name = old_name
        super().__init__(model_name=model_name, new_name=new_name, old_name=old_name)

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Rename the index."""
        renamed = copy.copy(state.find_item(app_label, self.model_name, "indexes", self.old_name))
        renamed.name = self.new_name
        items = [
            renamed if item.name == self.old_name else item
            for item in state.items(app_label, self.model_name, "indexes")
        ]
        state.set_items(app_label, self.model_name, "indexes", items)

    async def database_forwards(
        self, app_label: str, editor: SchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Rename the index."""
        old, new = (state.get_model(app_label, self.model_name) for state in (from_state, to_state))
        await editor.rename_index(old, new, self.old_name, self.new_name)

    async def database_backwards(
        self, app_label: str, editor: SchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Give it the old name."""
        old, new = (state.get_model(app_label, self.model_name) for state in (from_state, to_state))
        await editor.rename_index(old, new, self.new_name, self.old_name)

    def describe(self) -> str:
        """Return what it does."""
        return f"rename index {self.old_name} on {self.model_name} to {self.new_name}"

    @property
    def name_fragment(self) -> str:
        """`rename_` and the names."""
        return f"rename_{self.old_name}_{self.new_name}".lower()
