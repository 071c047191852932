"""The models as the migrations have made them so far, told apart from what `models.py` says today.

`ModelState` is one model, as data. `ProjectState` is all of them. `StateApps` makes real model classes of them when an
operation needs some: to describe tables, and for the queries of `RunPython`.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from transom.db.migrations.exceptions import StateError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from transom.db.models import Model
    from transom.db.models.fields import Field

    AnyField: TypeAlias = Field[Any]  # Any: fields of every type


class ModelKey(NamedTuple):
    """What a model is known by: the label of its app and its name in lower case."""

    app_label: str
    model_name: str

    @classmethod
    def of(cls, app_label: str, name: str) -> ModelKey:
        """Return the key of a model named in any case of letters."""
        return cls(app_label, name.lower())

    def __str__(self) -> str:
        return f"{self.app_label}.{self.model_name}"


def clone_field(source: AnyField, *, without: Collection[str] = (), **changes: Any) -> AnyField:
    """Return an equal field that belongs to no model, less some keyword arguments, and with others changed.

    Any: arguments of every type.
    """
    _, path, args, kwargs = source.deconstruct()
    module, _, name = path.rpartition(".")
    kept = {key: value for key, value in kwargs.items() if key not in without}
    return getattr(importlib.import_module(module), name)(*args, **{**kept, **changes})


def has_value_for_rows(field: AnyField) -> bool:
    """Whether rows that exist get a value for this new field without anybody saying more."""
    return field.null or field.has_default()


@dataclass(frozen=True, slots=True)
class ModelState:
    """One model at one point of history. Never changed: a change makes another.

    Attributes:
        app_label: the app.
        name: name of the class.
        fields: fields that belong to no model class, in the order of the columns.
        options: what `Meta` says. Any: options of every type.
    """

    app_label: str
    name: str
    fields: Mapping[str, AnyField]
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @classmethod
    def from_model(cls, model: type[Model]) -> ModelState:
        """Return the state of a model class as it is now."""
        meta = model._meta
        options: dict[str, Any] = {}
        if meta.db_table != f"{meta.app_label}_{meta.model_name}":
            options["db_table"] = meta.db_table
        if meta.ordering:
            options["ordering"] = list(meta.ordering)
        fields = {item.name: clone_field(item) for item in meta.fields}
        return cls(meta.app_label, meta.object_name, fields, options)

    @property
    def key(self) -> ModelKey:
        """The app label and the name in lower case."""
        return ModelKey.of(self.app_label, self.name)

    @property
    def label(self) -> str:
        """The model with its app: `"polls.Question"`."""
        return f"{self.app_label}.{self.name}"

    @property
    def pk_name(self) -> str | None:
        """The name of the primary key, or None where the state has none yet."""
        return next((name for name, item in self.fields.items() if item.primary_key), None)

    def targets(self) -> dict[str, ModelKey]:
        """Return which model each foreign key refers to."""
        found: dict[str, ModelKey] = {}
        for name, item in self.fields.items():
            to = item.deconstruct()[3].get("to")
            if isinstance(to, str):
                found[name] = self._resolve(to)
        return found

    def _resolve(self, to: str) -> ModelKey:
        if to == "self":
            return self.key
        app_label, _, name = to.rpartition(".")
        return ModelKey.of(app_label or self.app_label, name)


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
        from transom.db.migrations.rendering import render_with_targets

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


def find_model(models: Mapping[ModelKey, ModelState], key: ModelKey) -> ModelState:
    """Return a model of a state.

    Raises:
        StateError: there is none; the message names close ones.
    """
    try:
        return models[key]
    except KeyError:
        known = [model.label for model in models.values()]
        close = get_close_matches(str(key), [str(other) for other in models], n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"choose from {', '.join(known) or 'none'}"
        raise StateError(f"no model {key} at this point of the migrations; {hint}") from None


class StateApps:
    """The models of one state as classes, made when first asked for, unknown to the registry of real models."""

    def __init__(self, models: Mapping[ModelKey, ModelState]) -> None:
        self._states = dict(models)

    def get_model(self, app_label: str, name: str) -> type[Any]:
        """Return the class of a model: its fields and a plain `objects`, none of its methods.

        Any: no type checker can know the fields a model had back then.

        Raises:
            StateError: there is no such model at this point, or one that it refers to is missing.
        """
        return self._classes[find_model(self._states, ModelKey.of(app_label, name)).key]

    def get_models(self) -> list[type[Any]]:
        """Return the classes of all models of this point."""
        return list(self._classes.values())

    @cached_property
    def _classes(self) -> dict[ModelKey, type[Model]]:
        from transom.db.migrations.rendering import render_models

        return render_models(self._states)
