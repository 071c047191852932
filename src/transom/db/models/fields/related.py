"""Foreign keys, and the relation each one makes between two models."""

from __future__ import annotations

from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, overload

from transom.db import router
from transom.db.exceptions import FieldError, NotLoaded
from transom.db.models.expressions import RelationColumn
from transom.db.models.fields.base import Field, FieldOptions
from transom.db.sql.metadata import Hop, OnDeleteRule, Reference

if TYPE_CHECKING:
    from typing import Unpack

    from transom.db.models.fields.base import Converter
    from transom.db.sql.column_type import ColumnType
    from transom.db.sql.metadata import Vendor

T = TypeVar("T")
Target = TypeVar("Target")


class OnDelete(Enum):
    """What becomes of a row when the row it refers to is deleted. The database itself sees to it."""

    CASCADE = "cascade"
    """Delete it too."""
    PROTECT = "protect"
    """Refuse the deletion (ForeignKeyViolation)."""
    RESTRICT = "restrict"
    """Refuse the deletion, unless the row goes in the same cascade by another way."""
    SET_NULL = "set_null"
    """Let it refer to nothing; the field needs null=True."""
    SET_DEFAULT = "set_default"
    """Let it refer to the field's default, which must be a constant."""
    DO_NOTHING = "do_nothing"
    """Leave it; as the database knows the constraint, this refuses the deletion if nothing else is done before."""

    @property
    def rule(self) -> OnDeleteRule:
        """The clause of the foreign key."""
        return _RULES[self]


# Django's RESTRICT lets a row go that goes in the same cascade by another way. So does NO ACTION in SQL, which looks once
# the statement is done; SQL's RESTRICT looks at once, as PROTECT does.
_RULES: dict[OnDelete, OnDeleteRule] = {
    OnDelete.CASCADE: "CASCADE",
    OnDelete.PROTECT: "RESTRICT",
    OnDelete.RESTRICT: "NO ACTION",
    OnDelete.SET_NULL: "SET NULL",
    OnDelete.SET_DEFAULT: "SET DEFAULT",
    OnDelete.DO_NOTHING: "NO ACTION",
}

CASCADE = OnDelete.CASCADE
PROTECT = OnDelete.PROTECT
RESTRICT = OnDelete.RESTRICT
SET_NULL = OnDelete.SET_NULL
SET_DEFAULT = OnDelete.SET_DEFAULT
DO_NOTHING = OnDelete.DO_NOTHING


class ManyToOneRelation:
    """A foreign key seen from the model it points to.

    Attributes:
        field: the foreign key.
        model: the model it points to, or its name until that model is defined. Any: any model.
        on_delete: what becomes of the rows that point.
        related_name: the name on the other model, as declared.
    """

    def __init__(
        self, field: ForeignKey[Any], model: type[Any] | str, on_delete: OnDelete, related_name: str | None
    ) -> None:
        self.field = field
        self.model = model
        self.on_delete = on_delete
        self.related_name = related_name

    def for_field(self, field: ForeignKey[Any]) -> ManyToOneRelation:
        """Return the same relation for the copy of its field on another model."""
        return ManyToOneRelation(field, self.model, self.on_delete, self.related_name)

    @property
    def related_model(self) -> type[Any]:
        """The model that holds the foreign key."""
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
        return self.related_name or self.related_model._meta.model_name

    @cached_property
    def hop(self) -> Hop:
        """The step from the other model to the rows that point at it."""
        return Hop(
            self.query_name,
            self.related_model._meta,
            local_column=self.target._meta.pk.column,
            remote_column=self.field.column,
            many=True,
            nullable=True,
        )

    def __repr__(self) -> str:
        return f"<ManyToOneRelation: {self.field.label} to {self.model!r}>"


class ForeignKey(Field[T]):
    """A reference to a row of another model.

    The instance has two attributes: `choice.question`, the object, once it is loaded, and `choice.question_id`, the
    key. Reading an object that is not loaded raises NotLoaded: nothing is fetched by itself.

    Args:
        to: the model, or its name where it is defined later: "Question", "polls.Question", or "self".
        on_delete: what becomes of this row when the other is deleted.
        related_name: the accessor on the other model, `choice_set` if not given; ending with "+" for none.
        null: whether it may refer to nothing.
        verbose_name: see `Field`.
        options: see `Field`; db_index is True unless said otherwise.
    """

    column_class = RelationColumn

    @overload
    def __init__(
        self: ForeignKey[Target],
        to: type[Target],
        on_delete: OnDelete,
        *,
        related_name: str | None = None,
        null: Literal[False] = False,
        verbose_name: str | None = None,
        **options: Unpack[FieldOptions[Any]],
    ) -> None: ...
    @overload
    def __init__(
        self: ForeignKey[Target | None],
        to: type[Target],
        on_delete: OnDelete,
        *,
        related_name: str | None = None,
        null: Literal[True],
        verbose_name: str | None = None,
        **options: Unpack[FieldOptions[Any]],
    ) -> None: ...
    @overload
    def __init__(  # Any: what a name stands for is said by an annotation: `parent: ForeignKey["Node | None"] = …`
        self: ForeignKey[Any],
        to: str,
        on_delete: OnDelete,
        *,
        related_name: str | None = None,
        null: bool = False,
        verbose_name: str | None = None,
        **options: Unpack[FieldOptions[Any]],
    ) -> None: ...
    def __init__(
        self,
        to: type[Any] | str,
        on_delete: OnDelete,
        *,
        related_name: str | None = None,
        null: bool = False,
        verbose_name: str | None = None,
        **options: Unpack[FieldOptions[Any]],
    ) -> None:
        super().__init__(verbose_name, null=null, **options)
        self.db_index = options.get("db_index", True)
        if on_delete is SET_NULL and not null:
            raise TypeError("on_delete=SET_NULL needs null=True")
        if on_delete is SET_DEFAULT and (not self.has_default() or callable(self.default)):
            raise TypeError("on_delete=SET_DEFAULT needs a constant default")
        self._relation = ManyToOneRelation(self, to, on_delete, related_name)

    @property
    def remote_field(self) -> ManyToOneRelation:
        """The relation as seen from the other model."""
        return self._relation

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type[Any]) -> RelationColumn[T]: ...
        @overload
        def __get__(self, instance: object, owner: type[Any]) -> T: ...
        def __get__(self, instance: object | None, owner: type[Any]) -> Any: ...

        def __set__(self, instance: object, value: T) -> None: ...

    def attribute_name(self, name: str) -> str:
        """Return the name of the key beside the object: `question_id`."""
        return f"{name}_id"

    def contribute_to_class(self, model: type[Any], name: str) -> None:
        """Put two descriptors on the model: one for the object, one for the key."""
        self.set_name(name)
        self.model = model
        setattr(model, name, ForwardRelation(self))
        setattr(model, self.attname, ForeignKeyId(self))

    def clone(self) -> ForeignKey[T]:
        """Return a copy with a relation of its own."""
        made = super().clone()
        made.__dict__.pop("hop", None)
        made._relation = self._relation.for_field(made)
        return made

    @property
    def target_field(self) -> Field[Any]:
        """The primary key of the other model."""
        return self._relation.target._meta.pk

    def _key_field(self) -> Field[Any]:
        """Return the other model's key under our name, for errors about a value given to us."""
        field = self.target_field.clone()
        field.name, field.model = self.name, self.model
        return field

    @cached_property
    def hop(self) -> Hop:
        """The step from this model to the other."""
        return Hop(
            self.name,
            self._relation.target._meta,
            local_column=self.column,
            remote_column=self.target_field.column,
            many=False,
            nullable=self.null,
        )

    def column_type(self) -> ColumnType:
        """Return the type of the key referred to."""
        return self.target_field.column_type().referring()

    def reference(self) -> Reference:
        """Return the table and column referred to."""
        options = self._relation.target._meta
        return Reference(options.db_table, options.pk.column, self._relation.on_delete.rule)

    def server_default(self, vendor: Vendor) -> Any:
        """Return the default for SET DEFAULT, which the database carries out."""
        return self.encoder(vendor)(self.default) if self._relation.on_delete is SET_DEFAULT else None

    def encoder(self, vendor: Vendor) -> Converter:
        """Return the encoder of the key referred to."""
        return self._key_field().encoder(vendor)

    def writer(self, vendor: Vendor) -> Converter:
        """Return the writer of the key referred to."""
        return self._key_field().writer(vendor)

    def decoder(self, vendor: Vendor) -> Converter | None:
        """Return the decoder of the key referred to."""
        return self.target_field.decoder(vendor)

    def pre_save(self, instance: Any, *, adding: bool) -> Any:
        """Return the key; that of an object which was assigned before it was saved is known only now.

        Raises:
            FieldError: the object assigned is still not saved.
        """
        key = super().pre_save(instance, adding=adding)
        assigned: Any = instance.__dict__.get(f"_loaded_{self.name}")
        if key is not None or assigned is None:
            return key
        if assigned.pk is None:
            raise FieldError(
                f"{self.label} refers to {assigned!r}, which has no key yet; save that object first"
            )
        setattr(instance, self.attname, assigned.pk)
        return assigned.pk

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """Add the relation; the model goes by its name."""
        name, path, arguments, keywords = super().deconstruct()
        keywords.pop("db_index", None)
        if not self.db_index:
            keywords["db_index"] = False
        to = self._relation.model
        keywords.update(to=to if isinstance(to, str) else to._meta.label, on_delete=self._relation.on_delete)
        if self._relation.related_name:
            keywords["related_name"] = self._relation.related_name
        return name, path, arguments, keywords


class ForeignKeyId(Generic[T]):
    """The key of a relation: `choice.question_id`. Its value lives in the instance, as that of any field."""

    def __init__(self, field: ForeignKey[T]) -> None:
        self.field = field

    def __get__(self, instance: object | None, owner: type[Any]) -> Any:
        if instance is None:
            return RelationColumn[Any](self.field.attname, owner)
        raise NotLoaded(f"{self.field.label}_id was not loaded; call `await obj.refresh()` first")


class ForwardRelation(Generic[T]):
    """The object of a relation: `choice.question`. What is loaded lies in the instance beside the key."""

    def __init__(self, field: ForeignKey[T]) -> None:
        self.field = field
        self.cache_name = f"_loaded_{field.name}"

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        field = self.field
        if instance is None:
            return RelationColumn[Any](field.name, owner)
        key = getattr(instance, field.attname)
        loaded = instance.__dict__.get(self.cache_name)
        if key is None and (loaded is None or loaded.pk is None):
            return loaded
        # The key may have been set by hand since; and an object assigned before it was saved has one now.
        if loaded is None or (loaded.pk != key and key is not None):
            raise NotLoaded(
                f"{field.label} is not loaded, and nothing loads by itself; query with "
                f"select_related({field.name!r}) or call `await obj.load({field.name!r})`"
            )
        return loaded

    def __set__(self, instance: Any, value: Any) -> None:
        field = self.field
        if value is not None and not isinstance(value, field.remote_field.target):
            raise field.wrong_type(value, f"a {field.remote_field.target.__name__}")
        if router.active and value is not None:
            router.check_relation(instance, value)
        setattr(instance, field.attname, None if value is None else value.pk)
        instance.__dict__[self.cache_name] = value
