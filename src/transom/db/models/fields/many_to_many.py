"""Many-to-many relations: two foreign keys of a model in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict, cast

from transom.db.exceptions import FieldError
from transom.db.models.fields.base import Field
from transom.db.models.fields.relations import LimitChoices, Relation

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from transom.db.models.expressions import Q
    from transom.db.models.fields.foreign_key import ForeignKey
    from transom.db.sql.metadata import Hop

    AnyKey = ForeignKey[Any]  # Any: a foreign key to any model


class ManyToManyOptions(TypedDict, total=False):
    """The options of a many-to-many field; see `ManyToManyField`."""

    related_name: str | None
    related_query_name: str | None
    limit_choices_to: LimitChoices
    symmetrical: bool | None
    through: type[Any] | str | None
    through_fields: Sequence[str] | None
    db_table: str | None
    verbose_name: str | None
    blank: bool
    editable: bool
    help_text: str


class ManyToManyBase(Field[Any]):
    """A many-to-many field without its accessor, which stands above querysets; see `ManyToManyField`.

    It has no column: its rows are those of `through`. Any: any model, here and below.
    """

    def __init__(
        self,
        to: type[Any] | str,
        *,
        related_name: str | None = None,
        related_query_name: str | None = None,
        limit_choices_to: LimitChoices = None,
        symmetrical: bool | None = None,
        through: type[Any] | str | None = None,
        through_fields: Sequence[str] | None = None,
        db_table: str | None = None,
        verbose_name: str | None = None,
        blank: bool = False,
        editable: bool = True,
        help_text: str = "",
    ) -> None:
        super().__init__(verbose_name, blank=blank, editable=editable, help_text=help_text)
        if through is not None and db_table is not None:
            raise TypeError("db_table names the table of an automatic through model; give one of the two")
        if through_fields is not None and (through is None or len(through_fields) != 2):
            raise TypeError("through_fields takes two foreign keys of a through model: (ours, theirs)")
        if symmetrical and to != "self":
            raise TypeError('symmetrical=True is for a relation of a model to itself: to="self"')
        self.symmetrical = to == "self" if symmetrical is None else symmetrical
        self.db_table = db_table
        self.through_fields = None if through_fields is None else tuple(through_fields)
        self.declared_through = through
        self._through: type[Any] | None = None
        self._relation = ManyToManyRelation(
            self,
            to,
            related_name="+" if self.symmetrical else related_name,
            related_query_name=related_query_name,
            limit_choices_to=limit_choices_to,
        )

    @property
    def remote_field(self) -> ManyToManyRelation:
        """The relation as seen from the other model."""
        return self._relation

    @property
    def related_model(self) -> type[Any]:
        """The other model."""
        return self._relation.target

    @property
    def cache_name(self) -> str:
        """The key under which instances keep what was loaded."""
        return f"_loaded_{self.name}"

    @property
    def accessor_name(self) -> str:
        """The attribute on instances."""
        return self.name

    def clone(self) -> Self:
        """Return a copy with a relation and a through model of its own."""
        made = super().clone()
        made._through = None
        made._relation = self._relation.for_field(made)
        return made

    def get_limit_choices_to(self) -> Q:
        """Return the condition on the rows that forms offer; an empty one for all."""
        return self._relation.limit()

    # -- the model in between --------------------------------------------------------------------------------------

    @property
    def through(self) -> type[Any]:
        """The model in between, each of whose rows links two.

        Raises:
            FieldError: it, or the model pointed to, is not defined yet.
        """
        if self._through is None:
            missing = self.declared_through or self._relation.model
            raise FieldError(f"{self.label} needs {missing!r}, which is not defined; import its module first")
        return self._through

    @through.setter
    def through(self, model: type[Any]) -> None:
        self._through = model

    @property
    def source_key(self) -> AnyKey:
        """The foreign key of the model in between that refers to our model."""
        return self._keys()[0]

    @property
    def target_key(self) -> AnyKey:
        """The foreign key of the model in between that refers to the other model."""
        return self._keys()[1]

    def _keys(self) -> tuple[AnyKey, AnyKey]:
        if self.through_fields is not None:
            ours, theirs = (
                cast("AnyKey", self.through._meta.get_field(name)) for name in self.through_fields
            )
            return ours, theirs
        sources, targets = self._keys_to(self.model), self._keys_to(self.related_model)
        if sources == targets and len(sources) == 2:  # a relation of a model to itself
            return sources[0], sources[1]
        if len(sources) != 1 or len(targets) != 1 or sources == targets:
            raise FieldError(
                f"{self.through.__name__} does not say which of its foreign keys {self.label} goes by; "
                f"give through_fields=(key to {self.model.__name__}, key to {self.related_model.__name__})"
            )
        return sources[0], targets[0]

    def _keys_to(self, model: type[Any]) -> list[AnyKey]:
        concrete = model._meta.concrete_model
        return [
            key
            for key in self.through._meta.foreign_keys
            if key.remote_field.target._meta.concrete_model is concrete
        ]

    # -- no column -------------------------------------------------------------------------------------------------

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """Return the relation; models go by their names, and an automatic through model is left out."""
        name, path, arguments, keywords = super().deconstruct()
        relation = self._relation
        keywords["to"] = _label(relation.model)
        options = {
            "related_name": None if self.symmetrical else relation.related_name,
            "related_query_name": relation.related_query_name,
            "through": self.declared_through and _label(self.declared_through),
            "through_fields": self.through_fields,
            "db_table": self.db_table,
        }
        keywords.update({option: value for option, value in options.items() if value})
        if not self.symmetrical and self._is_to_self():
            keywords["symmetrical"] = False
        elif self.symmetrical:
            keywords["to"] = "self"
        return name, path, arguments, keywords

    def _is_to_self(self) -> bool:
        to = self._relation.model
        return to == "self" or to is getattr(self, "model", None)


def _label(model: type[Any] | str) -> str:
    return model if isinstance(model, str) else model._meta.concrete_model._meta.label


class ManyToManyRelation(Relation):
    """A many-to-many field seen from the model it points to; it has all that the field has, the other way around."""

    @property
    def _field(self) -> ManyToManyBase:
        return cast("ManyToManyBase", self.field)

    @property
    def through(self) -> type[Any]:
        """The model in between."""
        return self._field.through

    @property
    def symmetrical(self) -> bool:
        """Whether each row in between goes with one the other way around."""
        return self._field.symmetrical

    @property
    def source_key(self) -> AnyKey:
        """The foreign key of the model in between that refers to the model pointed to."""
        return self._field.target_key

    @property
    def target_key(self) -> AnyKey:
        """The foreign key of the model in between that refers to the model that holds the field."""
        return self._field.source_key


def links(end: ManyToManyBase | ManyToManyRelation) -> tuple[Hop, AnyKey]:
    """Return the step from a model to the rows in between, and the foreign key by which one goes on from there."""
    return end.source_key.remote_field.hop, end.target_key


def path_back(end: ManyToManyBase | ManyToManyRelation) -> str:
    """Return the name, in lookups of the other model, of what the rows in between refer to on this side."""
    return f"{end.target_key.remote_field.query_name}__{end.source_key.name}"
