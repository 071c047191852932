"""All models as the migrations have made them so far, told apart from what `models.py` says today."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from transom.db.migrations.exceptions import StateError
from transom.db.migrations.model_state import ModelKey, ModelState, clone_field, find_model
from transom.db.migrations.rendering import StateApps, render_with_targets

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from transom.db.migrations.model_state import AnyField, AnyItem, ItemKind
    from transom.db.models import Model


class ProjectState:
    """All models at one point of history; operations change it in place."""

    def __init__(self, models: Iterable[ModelState] = ()) -> None:
        self.models: dict[ModelKey, ModelState] = {model.key: model for model in models}

    @classmethod
    def from_models(cls, models: Iterable[type[Model]]) -> ProjectState:
        """Return the state that model classes are in now."""
        own_table = [model for model in models if not model._meta.proxy]
        return cls(map(ModelState.from_model, own_table))

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

    def items(self, app_label: str, model_name: str, kind: ItemKind) -> list[AnyItem]:
        """Return the indexes or the constraints of a model.

        Raises:
            StateError: there is no such model.
        """
        return list(self.model_state(app_label, model_name).options.get(kind, ()))

    def find_item(self, app_label: str, model_name: str, kind: ItemKind, name: str) -> AnyItem:
        """Return an index or a constraint of a model by its name.

        Raises:
            StateError: there is none.
        """
        items = self.items(app_label, model_name, kind)
        for item in items:
            if item.name == name:
                return item
        known = ", ".join(item.name for item in items) or "none"
        label = self.model_state(app_label, model_name).label
        raise StateError(f"{label} has no {name!r} among its {kind}; choose from {known}")

    def set_items(self, app_label: str, model_name: str, kind: ItemKind, items: Sequence[AnyItem]) -> None:
        """Give a model other indexes or constraints.

        Raises:
            StateError: there is no such model, or two of them have one name.
        """
        model = self.model_state(app_label, model_name)
        names = [item.name for item in items]
        twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
        if twice is not None:
            raise StateError(
                f"{model.label} has {twice!r} among its {kind} already; an earlier operation added it"
            )
        options = {key: value for key, value in model.options.items() if key != kind}
        self.models[model.key] = replace(model, options={**options, kind: list(items)} if items else options)

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
