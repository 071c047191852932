"""Foreign keys: a column that holds the key of another model's row."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar, overload

from transom.db.exceptions import FieldError
from transom.db.models.expressions import RelationColumn
from transom.db.models.fields.base import Field, FieldOptions
from transom.db.models.fields.forward import ForeignKeyId, ForwardRelation
from transom.db.models.fields.on_delete import SET_DEFAULT, SET_NULL, OnDelete
from transom.db.models.fields.relations import LimitChoices, ManyToOneRelation
from transom.db.sql.metadata import Hop, Reference

if TYPE_CHECKING:
    from typing import Unpack

    from transom.db.models.expressions import Expression, Q
    from transom.db.models.fields.base import Converter
    from transom.db.sql.column_type import ColumnType
    from transom.db.sql.metadata import Vendor

T = TypeVar("T")
Target = TypeVar("Target")


class ForeignKeyOptions(FieldOptions[Any], total=False):
    """The options of foreign keys beside those of all fields; see `ForeignKey`. Any: a key of any type."""

    related_name: str | None
    related_query_name: str | None
    to_field: str | None
    limit_choices_to: LimitChoices
    verbose_name: str | None


class ForeignKey(Field[T]):
    """A reference to a row of another model.

    The instance has two attributes: `choice.question`, the object, once it is loaded, and `choice.question_id`, the
    key. Reading an object that is not loaded raises NotLoaded: nothing is fetched by itself.

    Args:
        to: the model, or its name where it is defined later: "Question", "polls.Question", or "self".
        on_delete: what becomes of this row when the other is deleted.
        null: whether it may refer to nothing.
        options: see `Field`; db_index is True unless said otherwise. Beside these:
            `related_name`, the accessor on the other model, `choice_set` if not given; ending with "+" for none.
            `related_query_name`, the word in lookups from there, if not the same.
            `to_field`, a unique field of the other model to refer to, in place of its primary key.
            `limit_choices_to`, a Q, a dict of lookups, or a function that returns one: which rows forms offer.
    """

    column_class = RelationColumn
    relation_class: ClassVar[type[ManyToOneRelation]] = ManyToOneRelation
    forward_class: ClassVar[type[ForwardRelation]] = ForwardRelation

    @overload
    def __init__(
        self: ForeignKey[Target],
        to: type[Target],
        on_delete: OnDelete,
        *,
        null: Literal[False] = False,
        **options: Unpack[ForeignKeyOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: ForeignKey[Target | None],
        to: type[Target],
        on_delete: OnDelete,
        *,
        null: Literal[True],
        **options: Unpack[ForeignKeyOptions],
    ) -> None: ...
    @overload
    def __init__(  # Any: what a name stands for is said by an annotation: `parent: ForeignKey["Node | None"] = …`
        self: ForeignKey[Any],
        to: str,
        on_delete: OnDelete,
        *,
        null: bool = False,
        **options: Unpack[ForeignKeyOptions],
    ) -> None: ...
    def __init__(
        self, to: type[Any] | str, on_delete: OnDelete, *, null: bool = False, **options: Any
    ) -> None:
        names = {
            name: options.pop(name, None)
            for name in ("related_name", "related_query_name", "limit_choices_to")
        }
        to_field = options.pop("to_field", None)
        super().__init__(options.pop("verbose_name", None), null=null, **options)
        self.db_index = options.get("db_index", True)
        if on_delete is SET_NULL and not null:
            raise TypeError("on_delete=SET_NULL needs null=True")
        if on_delete is SET_DEFAULT and (not self.has_default() or callable(self.default)):
            raise TypeError("on_delete=SET_DEFAULT needs a constant default")
        self._relation = self.relation_class(self, to, **names)
        self._relation.on_delete = on_delete
        self._relation.field_name = to_field

    @property
    def remote_field(self) -> ManyToOneRelation:
        """The relation as seen from the other model."""
        return self._relation

    @property
    def related_model(self) -> type[Any]:
        """The other model. Any: any model."""
        return self._relation.target

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
        setattr(model, name, self.forward_class(self))
        setattr(model, self.attname, ForeignKeyId(self))

    def clone(self) -> ForeignKey[T]:
        """Return a copy with a relation of its own."""
        made = super().clone()
        made.__dict__.pop("hop", None)
        made._relation = self._relation.for_field(made)
        return made

    @property
    def target_field(self) -> Field[Any]:
        """The field referred to: the other model's primary key, or the one that `to_field` names."""
        return self._relation.target_field

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

    def is_loaded(self, instance: Any) -> bool:
        """Whether reading the object (of any model) needs no query: it is there, or there is none."""
        key = getattr(instance, self.attname)
        loaded = instance.__dict__.get(f"_loaded_{self.name}")
        return key is None or (loaded is not None and getattr(loaded, self.target_field.attname) == key)

    def get_limit_choices_to(self) -> Q:
        """Return the condition on the rows that forms offer; an empty one for all."""
        return self._relation.limit()

    def get_lookups(self) -> dict[str, type[Expression]]:
        """Return what is registered for the key referred to, and for foreign keys."""
        return {**self.target_field.get_lookups(), **super().get_lookups()}

    def column_type(self) -> ColumnType:
        """Return the type of the key referred to."""
        return self.target_field.column_type().referring()

    def reference(self) -> Reference:
        """Return the table and column referred to."""
        table = self._relation.target._meta.db_table
        return Reference(table, self.target_field.column, self._relation.on_delete.rule)

    def server_default(self, vendor: Vendor) -> Any:
        """Return the default for SET DEFAULT, which the database carries out; else the db_default."""
        carried_out = self._relation.on_delete is SET_DEFAULT
        return self.encoder(vendor)(self.default) if carried_out else super().server_default(vendor)

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
        key = getattr(assigned, self.target_field.attname)
        if key is None:
            raise FieldError(
                f"{self.label} refers to {assigned!r}, which has no key yet; save that object first"
            )
        setattr(instance, self.attname, key)
        return key

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """Add the relation; the model goes by its name."""
        name, path, arguments, keywords = super().deconstruct()
        keywords.pop("db_index", None)
        if not self.db_index:
            keywords["db_index"] = False
        to = self._relation.model
        # A proxy has no table, and migrations know nothing of it.
        label = to if isinstance(to, str) else to._meta.concrete_model._meta.label
        keywords.update(to=label, on_delete=self._relation.on_delete)
        for option, value in (
            ("related_name", self._relation.related_name),
            ("related_query_name", self._relation.related_query_name),
            ("to_field", self._relation.field_name),
        ):
            if value:
                keywords[option] = value
        return name, path, arguments, keywords
