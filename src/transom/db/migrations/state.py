"""All models as the migrations have made them so far, told apart from what `models.py` says today."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from transom.db.migrations.exceptions import StateError
from transom.db.migrations.model_state import ModelKey, ModelState, clone_field, find_model
from transom.db.migrations.rendering import StateApps, render_with_targets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from transom.db.migrations.model_state import AnyField
    from transom.db.models import Model


class ProjectState:
    """All models at one point of history; operations change it in place."""

    def __init__(self, models: Iterable[ModelState] = ()) -> None:
        self.models: dict[ModelKey, ModelState] = {model.key: model for model in models}

    @classmethod
    def from_models(cls, models: Iterable[type[Model]]) -> ProjectState:
        """Return the state that model classes are in now."""
        return cls(map(ModelState.from_model, models))

    def clone(self) -> ProjectState:
        """Return a copy that changes by itself."""
        return ProjectState(self.models.values())

    @property
    def apps(self) -> StateApps:
        """The model classes of this state, for queries."""
        return StateApps(self.models)

    def get_model(self, app_label: str, name: str) -> type[Model]:
        """Return the class of one model, for its table.

        Raises:
            StateError: there is no such model at this point, or one that it refers to is missing.
        """
        return render_with_targets(self.models, ModelKey.of(app_label, name))

    def model_state(self, app_label: str, name: str) -> ModelState:
        """Return a model as data.

        Raises:
            StateError: there is none.
        """
        return find_model(self.models, ModelKey.of(app_label, name))

    def add_model(self, model: ModelState) -> None:
        """Add a model.

        Raises:
            StateError: there is one of this name.
        """
        if model.key in self.models:
            raise StateError(f"model {model.label} is there already; an earlier migration created it")
        self.models[model.key] = model

    def remove_model(self, app_label: str, name: str) -> None:
        """Remove a model.

        Raises:
            StateError: there is none.
        """
        del self.models[self.model_state(app_label, name).key]

    def add_field(
        self, app_label: str, model_name: str, name: str, added: AnyField, *, keep_default: bool
    ) -> None:
        """Add a field to a model, after the others.

        Args:
            app_label: the app of the model.
            model_name: the model, in any case of letters.
            name: name of the field.
            added: the field.
            keep_default: False to leave its default out.

        Raises:
            StateError: the model is missing, or has such a field.
        """
        model = self.model_state(app_label, model_name)
        if name in model.fields:
            raise StateError(f"{model.label} has a field {name!r} already; an earlier operation added it")
        kept = added if keep_default else clone_field(added, without=("default",))
        self.models[model.key] = replace(model, fields={**model.fields, name: kept})

    def remove_field(self, app_label: str, model_name: str, name: str) -> None:
        """Remove a field from a model.

        Raises:
            StateError: the model or the field is missing.
        """
        model = self.model_state(app_label, model_name)
        if name not in model.fields:
            raise StateError(f"{model.label} has no field {name!r}; choose from {', '.join(model.fields)}")
        fields = {other: item for other, item in model.fields.items() if other != name}
        self.models[model.key] = replace(model, fields=fields)
