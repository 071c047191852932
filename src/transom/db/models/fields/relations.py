"""Relations as seen from the model they lead to: what they are called there, and the way back."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from transom.db.exceptions import FieldError
from transom.db.models.expressions import Q
from transom.db.sql.metadata import Hop

if TYPE_CHECKING:
    from typing import Self

    from transom.db.models.fields.base import Field
    from transom.db.models.fields.on_delete import OnDelete

# Any: lookups take values of every type
Choices: TypeAlias = Q | Mapping[str, Any]
LimitChoices: TypeAlias = Choices | Callable[[], Choices] | None
"""Which rows may be chosen: a condition, lookups, or a function that makes them when forms ask."""


class Relation:
    """A relation seen from the model it points to.

    Attributes:
        field: what declares it, on the other model.
        model: the model it points to, or its name until that model is defined. Any: any model.
        related_name: the accessor on the model pointed to, as declared.
        related_query_name: the word in lookups from there, as declared.
        limit_choices_to: which rows forms offer.
    """

    def __init__(
        self,
        field: Field[Any],
        model: type[Any] | str,
        *,
        related_name: str | None = None,
        related_query_name: str | None = None,
        limit_choices_to: LimitChoices = None,
    ) -> None:
        self.field = field
        self.model = model
        self.related_name = related_name
        self.related_query_name = related_query_name
        self.limit_choices_to = limit_choices_to

    def for_field(self, field: Field[Any]) -> Self:
        """Return the same relation for the copy of its field on another model."""
        made = copy.copy(self)
        made.__dict__.pop("hop", None)
        made.field = field
        return made

    def settle_names(self, model: type[Any]) -> None:
        """Fill the names of the model that holds the field into `"%(app_label)s_%(class)s"`."""
        meta = model._meta
        words = {"class": meta.model_name, "model_name": meta.model_name, "app_label": meta.app_label}
        self.related_name = self.related_name and self.related_name % words
        self.related_query_name = self.related_query_name and self.related_query_name % words

    @property
    def related_model(self) -> type[Any]:
        """The model that holds the field."""
        return self.field.model

    @property
    def target(self) -> type[Any]:
        """The model pointed to.

        Raises:
            FieldError: no model of that name is defined yet.
        """
        if isinstance(self.model, str):
            raise FieldError(
                f"{self.field.label} refers to {self.model!r}, which is not defined; import its module first"
            )
        return self.model

    @property
    def is_hidden(self) -> bool:
        """Whether the other model has no accessor: the related name ends with a plus sign."""
        return bool(self.related_name and self.related_name.endswith("+"))

    @property
    def accessor_name(self) -> str:
        """The attribute on the other model's instances: the related name, else `choice_set`."""
        return self.related_name or f"{self.related_model._meta.model_name}_set"

    @property
    def query_name(self) -> str:
        """The name in lookups from the other model: the related name, else `choice`."""
        if self.is_hidden:  # a word of our own, for our own queries
            meta = self.related_model._meta
            return re.sub(r"\W|__+", "_", f"_{meta.app_label}_{meta.model_name}_{self.field.name}")
        return self.related_query_name or self.related_name or self.related_model._meta.model_name

    @property
    def cache_name(self) -> str:
        """The key under which instances of the model pointed to keep what was loaded."""
        return f"_loaded_{self.accessor_name}"

    def limit(self) -> Q:
        """Return the condition on the rows that forms offer; an empty one for all."""
        choices = self.limit_choices_to
        if callable(choices):
            choices = choices()
        return choices if isinstance(choices, Q) else Q(**(choices or {}))

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.field.label} to {self.model!r}>"


class ManyToOneRelation(Relation):
    """A foreign key seen from the model it points to.

    Attributes:
        on_delete: what becomes of the rows that point.
        field_name: the field it refers to; None for the primary key.
    """

    on_delete: OnDelete
    field_name: str | None

    @property
    def target_field(self) -> Field[Any]:
        """The field referred to: the other model's primary key, or a unique one."""
        meta = self.target._meta
        return meta.pk if self.field_name is None else meta.get_field(self.field_name)

    @cached_property
    def hop(self) -> Hop:
        """The step from the other model to the rows that point at it."""
        return Hop(
            self.query_name,
            self.related_model._meta,
            local_column=self.target_field.column,
            remote_column=self.field.column,
            many=True,
            nullable=True,
        )


class OneToOneRelation(ManyToOneRelation):
    """A one-to-one field seen from the model it points to: one row there, or none."""

    @property
    def accessor_name(self) -> str:
        """The attribute on the other model's instances: the related name, else `profile`."""
        return self.related_name or self.related_model._meta.model_name

    @cached_property
    def hop(self) -> Hop:
        """The step from the other model to the row that points at it."""
        return Hop(
            self.query_name if self.is_hidden else self.accessor_name,
            self.related_model._meta,
            local_column=self.target_field.column,
            remote_column=self.field.column,
            many=False,
            nullable=True,
            back=self.field.name,
        )
