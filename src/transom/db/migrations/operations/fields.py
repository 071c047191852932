"""Operations on single fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from transom.db.migrations.operations.base import Operation

if TYPE_CHECKING:
    from transom.db.migrations.model_state import AnyField
    from transom.db.migrations.schema_editor import SchemaEditor
    from transom.db.migrations.state import ProjectState


class AddField(Operation):
    """Add a field to a model, and its column to the table.

    Rows that exist get the field's default, worked out once; without a default the field must take NULL. The default
    is not kept in the database: later rows get theirs from the model.

    Args:
        model_name: name of the model, in any case.
        name: name of the field.
        field: the field.
        preserve_default: False where the default serves only the rows that exist and is no part of the model.
    """

    _defaults: ClassVar[dict[str, Any]] = {"preserve_default": True}

    def __init__(self, model_name: str, name: str, field: AnyField, preserve_default: bool = True) -> None:
        self.model_name = model_name
        self.name = name
        self.field = field
        self.preserve_default = preserve_default
        super().__init__(model_name=model_name, name=name, field=field, preserve_default=preserve_default)

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Add the field."""
        state.add_field(app_label, self.model_name, self.name, self.field, keep_default=self.preserve_default)

    async def database_forwards(
        self, app_label: str, editor: SchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Add the column."""
        await editor.add_field(to_state.get_model(app_label, self.model_name), self.name, self.field)

    async def database_backwards(
        self, app_label: str, editor: SchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Remove the column, with its values."""
        await editor.remove_field(from_state.get_model(app_label, self.model_name), self.name)

    def describe(self) -> str:
        """Return what it does."""
        return f"add field {self.name} to {self.model_name}"

    @property
    def name_fragment(self) -> str:
        """The names of model and field."""
        return f"{self.model_name}_{self.name}".lower()


class RemoveField(Operation):
    """Remove a field from a model, and its column with all values from the table.

    Undoing it needs a default, or NULL, for the rows that exist.

    Args:
        model_name: name of the model, in any case.
        name: name of the field.
    """

    def __init__(self, model_name: str, name: str) -> None:
        self.model_name = model_name
        self.name = name
        super().__init__(model_name=model_name, name=name)

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Remove the field."""
        state.remove_field(app_label, self.model_name, self.name)

    async def database_forwards(
        self, app_label: str, editor: SchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Remove the column."""
        await editor.remove_field(from_state.get_model(app_label, self.model_name), self.name)

    async def database_backwards(
        self, app_label: str, editor: SchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Add the column again; its values are gone."""
        field = to_state.model_state(app_label, self.model_name).fields[self.name]
        await editor.add_field(to_state.get_model(app_label, self.model_name), self.name, field)

    def describe(self) -> str:
        """Return what it does."""
        return f"remove field {self.name} from {self.model_name}"

    @property
    def name_fragment(self) -> str:
        """`remove_` and the names of model and field."""
        return f"remove_{self.model_name}_{self.name}".lower()
