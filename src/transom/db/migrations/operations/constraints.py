"""Operations on constraints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transom.db.migrations.operations.items import AddItem, RemoveItem

if TYPE_CHECKING:
    from transom.db.migrations.model_state import AnyItem
    from transom.db.models.constraints import BaseConstraint


class AddConstraint(AddItem):
    """Add a constraint to a model and its table; rows that break it make it fail.

    Args:
        model_name: name of the model, in any case.
        constraint: the constraint; it has a name.
    """

    kind = "constraints"
    word = "constraint"

    def __init__(self, model_name: str, constraint: BaseConstraint) -> None:
        self.constraint = constraint
        super().__init__(model_name=model_name, constraint=constraint)

    @property
    def item(self) -> AnyItem:
        """The constraint."""
        return self.constraint


class RemoveConstraint(RemoveItem):
    """Remove a constraint from a model and its table.

    Args:
        model_name: name of the model, in any case.
        name: name of the constraint.
    """

    kind = "constraints"
    word = "constraint"
