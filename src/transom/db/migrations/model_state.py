"""One model as the migrations have made it so far, as data."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from transom.db.migrations.exceptions import StateError
from transom.db.models import CompositePrimaryKey, ManyToManyField
from transom.db.models.fields import UNIQUE_FOR

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from transom.db.models import Model
    from transom.db.models.constraints import BaseConstraint
    from transom.db.models.fields import Field
    from transom.db.models.indexes import Index

    AnyField: TypeAlias = Field[Any]  # Any: fields of every type
    AnyItem: TypeAlias = Index | BaseConstraint

ItemKind: TypeAlias = Literal["indexes", "constraints"]
"""The option of `Meta` that holds them."""


ONLY_IN_PYTHON: Final = ("choices", "validators", "error_messages", *UNIQUE_FOR)
"""Options of a field that the database sees nothing of, and that would tie migrations to code of the application."""


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
    return field.null or field.has_default() or field.has_db_default() or isinstance(field, ManyToManyField)


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
        if not meta.managed:
            options["managed"] = False
        if meta.ordering:
            options["ordering"] = list(meta.ordering)
        if meta.indexes:
            options["indexes"] = list(meta.indexes)
        if meta.constraints:
            options["constraints"] = list(meta.constraints)
        fields = {item.name: clone_field(item, without=ONLY_IN_PYTHON) for item in meta.declared}
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
    def is_managed(self) -> bool:
        """Whether migrations create and change the table."""
        return bool(self.options.get("managed", True))

    @property
    def pk_name(self) -> str | None:
        """The name of the primary key, or None where the state has none yet."""
        return next((name for name, item in self.fields.items() if item.primary_key), None)

    @property
    def key_fields(self) -> tuple[str, ...]:
        """The names of the fields of the primary key, in its order; none where the state has none yet."""
        name = self.pk_name
        key = self.fields.get(name or "")
        if not isinstance(key, CompositePrimaryKey):
            return () if name is None else (name,)
        names = {item.attribute_name(name): name for name, item in self.fields.items()}
        return tuple([names.get(part, part) for part in key.names])

    def targets(self) -> dict[str, ModelKey]:
        """Return which model each foreign key and many-to-many field refers to."""
        return self._named("to")

    def throughs(self) -> dict[str, ModelKey]:
        """Return the model in between of each many-to-many field that names one."""
        return self._named("through")

    def references(self) -> list[tuple[str, ModelKey]]:
        """Return fields and the models they need, both of the above."""
        return [*self.targets().items(), *self.throughs().items()]

    def _named(self, argument: str) -> dict[str, ModelKey]:
        found: dict[str, ModelKey] = {}
        for name, item in self.fields.items():
            model = item.deconstruct()[3].get(argument)
            if isinstance(model, str):
                found[name] = self._resolve(model)
        return found

    def _resolve(self, to: str) -> ModelKey:
        if to == "self":
            return self.key
        app_label, _, name = to.rpartition(".")
        return ModelKey.of(app_label or self.app_label, name)


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
