"""Makes model classes of states: real ones, but unknown to the registry, so that old and new may exist side by side."""

from __future__ import annotations

import types
from functools import cached_property
from typing import TYPE_CHECKING, Any

from transom.db.migrations.exceptions import StateError
from transom.db.migrations.model_state import ModelKey, ModelState, clone_field, find_model
from transom.db.models import Model
from transom.db.models.metaclass import add_exceptions, relate, relate_many

if TYPE_CHECKING:
    from collections.abc import Mapping


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
        return render_models(self._states)


def render_with_targets(models: Mapping[ModelKey, ModelState], key: ModelKey) -> type[Model]:
    """Return the class of one model, tied to those it refers to and nothing more: all that its table needs.

    Raises:
        StateError: the model, or one referred to, is missing.
    """
    needed: dict[ModelKey, ModelState] = {}
    waiting = [key]
    while waiting:
        model = find_model(models, waiting.pop())
        needed[model.key] = model
        waiting.extend(target for _, target in model.references() if target not in needed)
    return render_models(needed)[key]


def render_models(models: Mapping[ModelKey, ModelState]) -> dict[ModelKey, type[Model]]:
    """Return the classes of all these models, tied to each other.

    Raises:
        StateError: a model refers to one that is missing.
    """
    classes = {key: _render(model) for key, model in models.items()}
    for key, model in models.items():
        for name, target in model.references():
            if target not in classes:
                raise StateError(
                    f"{model.label}.{name} refers to {target}, which does not exist at this point of the migrations; "
                    "add the migration that creates it to the dependencies"
                )
        _relate(classes[key], model, classes)
    return classes


def _render(model: ModelState) -> type[Model]:
    # Declared abstract while the class is made: an abstract model is neither registered nor tied to others.
    meta = type("Meta", (), {"ordering": (), **model.options, "app_label": model.app_label, "abstract": True})
    fields = {name: clone_field(field) for name, field in model.fields.items()}
    module = f"{__name__}.{model.app_label}"
    body = {"__module__": module, "Meta": meta, **fields}
    rendered: Any = types.new_class(model.name, (Model,), exec_body=lambda namespace: namespace.update(body))
    rendered._meta.abstract = False
    add_exceptions(rendered)
    return rendered


def _relate(rendered: type[Model], model: ModelState, classes: Mapping[ModelKey, type[Model]]) -> None:
    targets, throughs = model.targets(), model.throughs()
    for key in rendered._meta.foreign_keys:
        relate(key, classes[targets[key.name]])
    for field in rendered._meta.many_to_many:
        if field.name in throughs:
            field.through = classes[throughs[field.name]]
        relate_many(field, classes[targets[field.name]], registered=False)
