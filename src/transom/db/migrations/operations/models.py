"""Operations on whole models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from transom.db.migrations.model_state import ModelState
from transom.db.migrations.operations.base import Operation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from transom.db.migrations.model_state import AnyField
    from transom.db.migrations.schema_editor import SchemaEditor
    from transom.db.migrations.state import ProjectState


class CreateModel(Operation):
    """Create a model and its table.

    Args:
        name: name of the class, e.g. `"Question"`.
        fields: `(name, field)` in the order of the columns.
        options: what its `Meta` says, e.g. `{"db_table": "questions"}`.
    """

    _defaults: ClassVar[dict[str, Any]] = {"options": {}}

    def __init__(
        self,
        name: str,
        fields: Sequence[tuple[str, AnyField]],
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.fields = list(fields)
        self.options = dict(options or {})
        super().__init__(name=name, fields=self.fields, options=self.options)

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Add the model."""
        state.add_model(ModelState(app_label, self.name, dict(self.fields), self.options))

    async def database_forwards(
        self, app_label: str, editor: SchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Create the table."""
        await editor.create_model(to_state.get_model(app_label, self.name))

    async def database_backwards(
        self, app_label: str, editor: SchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Drop the table, with its rows."""
        await editor.delete_model(from_state.get_model(app_label, self.name))

    def describe(self) -> str:
        """Return what it does."""
        return f"create model {self.name}"

    @property
    def name_fragment(self) -> str:
        """The name of the model."""
        return self.name.lower()


class DeleteModel(Operation):
    """Delete a model, its table and all its rows.

    Args:
        name: name of the class.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(name=name)

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Remove the model."""
        state.remove_model(app_label, self.name)

    async def database_forwards(
        self, app_label: str, editor: SchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Drop the table."""
        await editor.delete_model(from_state.get_model(app_label, self.name))

    async def database_backwards(
        self, app_label: str, editor: SchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Create the table again, empty."""
        await editor.create_model(to_state.get_model(app_label, self.name))

    def describe(self) -> str:
        """Return what it does."""
        return f"delete model {self.name}"

    @property
    def name_fragment(self) -> str:
        """`delete_` and the name of the model."""
        return f"delete_{self.name.lower()}"
