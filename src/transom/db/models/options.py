"""What a model knows of itself: names, table, fields, relations. Read as `Model._meta`."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NoReturn
from weakref import WeakSet

from transom.db import constraint_names
from transom.db.exceptions import FieldError
from transom.db.models.constraints import BaseConstraint, UniqueConstraint
from transom.db.models.expressions.registration import ON_CHANGE
from transom.db.models.fields import (
    UNIQUE_FOR,
    CompositePrimaryKey,
    Field,
    ForeignKey,
    ManyToManyBase,
    ManyToManyRelation,
    ManyToOneRelation,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

    from transom.db.models.fields import Relation
    from transom.db.models.indexes import Index
    from transom.db.sql.shapes import ColumnPath, Lookup, Ordering

    End: TypeAlias = ManyToOneRelation | ManyToManyBase | ManyToManyRelation

META_OPTIONS = (
    "abstract",
    "app_label",
    "auto_created",
    "base_manager_name",
    "constraints",
    "db_table",
    "default_manager_name",
    "default_related_name",
    "get_latest_by",
    "indexes",
    "managed",
    "ordering",
    "proxy",
    "unique_together",
    "verbose_name",
    "verbose_name_plural",
)


class Options:
    """The metadata of one model.

    Filled while the class is made; later only `related_objects` grows, as models that point here are defined.

    Attributes:
        app_label: the application: `"polls"`.
        object_name: the class: `"Question"`.
        model_name: the same in lower case.
        db_table: the table: `"polls_question"`.
        ordering: what querysets order by unless told otherwise; names as in `order_by`.
        get_latest_by: what `latest()` and `earliest()` order by unless told; names as in `order_by`.
        abstract: whether it has no table and is only there to inherit from.
        managed: whether the table is ours to create and change; False for one that something else made.
        proxy: whether it is another class for the rows of another model.
        auto_created: the model whose many-to-many field made this one; None for models that people wrote.
        default_manager_name: the manager that `_default_manager` is, if not the first one.
        default_related_name: the related name of relations that declare none.
        base_manager_name: the manager that `_base_manager` is, if not a plain one.
        model: the class. Any: any model.
        fields: the fields, in the order of the columns.
        pk: the primary key; a CompositePrimaryKey is not among the fields.
        many_to_many: the many-to-many fields, which have no column.
        indexes: the indexes of `class Meta`, which all have names. Those of single fields are not among them.
        constraints: the constraints of `class Meta`, the same; `unique_together` is among them.
        unique_together: groups of names of fields.
        database_defaults: those of the fields that have a db_default.
        related_objects: the relations of foreign keys that point here.
        managers: those that were asked for before, for `metaclass.py`.
        lookups: names of lookups that were resolved before, for `query/lookups.py`.
        paths: the same for names of columns.
        bound_ordering: the shape of `ordering`, once it was asked for; for `query/binder.py`.
    """

    def __init__(
        self, model_name: str, app_label: str, meta: dict[str, Any]
    ) -> None:  # Any: options differ in type
        unknown = meta.keys() - set(META_OPTIONS)
        if unknown:
            raise TypeError(
                f"class Meta of {model_name} has an unknown option {min(unknown)!r}; choose from {', '.join(META_OPTIONS)}"
            )
        self.object_name = model_name
        self.model_name = model_name.lower()
        self.app_label = app_label
        self.db_table: str = meta.get("db_table") or f"{app_label}_{self.model_name}"
        self.ordering: tuple[str, ...] = tuple(meta.get("ordering", ()))
        self.get_latest_by: tuple[str, ...] = _names(meta.get("get_latest_by", ()))
        self.abstract: bool = meta.get("abstract", False)
        self.managed: bool = meta.get("managed", True)
        self.proxy: bool = meta.get("proxy", False)
        self.auto_created: type[Any] | None = meta.get("auto_created")
        self.default_manager_name: str | None = meta.get("default_manager_name")
        self.default_related_name: str | None = meta.get("default_related_name")
        self.base_manager_name: str | None = meta.get("base_manager_name")
        self.verbose_name: str = meta.get("verbose_name") or _words(model_name)
        self.verbose_name_plural: str = meta.get("verbose_name_plural") or f"{self.verbose_name}s"
        together = _together(meta)
        self.indexes: tuple[Index, ...] = tuple([each.for_model(self) for each in meta.get("indexes", ())])
        self.constraints: tuple[BaseConstraint, ...] = tuple(
            [each.for_model(self) for each in (*meta.get("constraints", ()), *together)]
        )
        self.unique_together = tuple([constraint.fields for constraint in together])
        self._check_names()
        self.fields: tuple[Field[Any], ...] = ()  # Any: fields of every type
        self.many_to_many: tuple[ManyToManyBase, ...] = ()
        self.model: type[Any]
        self._concrete = self
        self._related: dict[tuple[str, str], ManyToOneRelation | ManyToManyRelation] = {}
        self.managers: dict[str, Any] = {}  # Any: managers stand above this module
        self._pk: Field[Any] | None = None
        self.lookups: dict[str, Lookup] = {}
        self.paths: dict[str, ColumnPath] = {}
        self.bound_ordering: tuple[Ordering, ...] | None = None
        self.database_defaults: tuple[Field[Any], ...] = ()
        self._by_name: dict[str, Field[Any]] = {}
        self._relations: dict[str, End] = {}
        _ALL.add(self)

    def forget_names(self) -> None:
        """Forget what names in queries mean: they may mean something else now."""
        self.lookups.clear()
        self.paths.clear()
        self.bound_ordering = None

    @property
    def label(self) -> str:
        """The model with its application: `"polls.Question"`."""
        return f"{self.app_label}.{self.object_name}"

    @property
    def pk(self) -> Field[Any]:
        """The primary key."""
        if self._pk is None:
            raise FieldError(f"{self.object_name} is abstract and has no primary key")
        return self._pk

    @property
    def pk_fields(self) -> tuple[Field[Any], ...]:
        """The fields of the primary key: one, or those that a CompositePrimaryKey names, in its order."""
        return self.pk.parts

    @cached_property
    def auto_field(self) -> Field[Any] | None:
        """The primary key, if the database counts it up."""
        (field, *others) = self.pk_fields
        return field if not others and field.column_type().is_generated else None

    @property
    def declared(self) -> tuple[Field[Any], ...]:
        """All that class bodies declare: the fields, many-to-many fields, and a key of several."""
        keys = (self._pk,) if isinstance(self._pk, CompositePrimaryKey) else ()
        return (*keys, *self.fields, *self.many_to_many)

    def split_key(self, key: Any) -> dict[str, Any]:
        """Return a primary key as values by the names of fields. Any: a key of any type, and its parts.

        Raises:
            FieldError: it has not as many parts as the key of the model.
        """
        return self._pk.split(key) if isinstance(self._pk, CompositePrimaryKey) else {self.pk.name: key}

    def _check_names(self) -> None:
        names = [item.name for item in (*self.indexes, *self.constraints)]
        twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
        if twice is not None:
            raise TypeError(
                f"class Meta of {self.object_name} gives two indexes or constraints the name {twice!r}"
            )

    def finish(self) -> None:
        """Check what `class Meta` says of fields, and tell what unique constraints are called.

        Raises:
            FieldError: an index or constraint names a field that the model lacks.
        """
        for index in self.indexes:
            for name in (*(name for name, _ in index.field_orders()), *index.include):
                self.get_column(name)
        for constraint in self.constraints:
            for name in constraint.field_names():
                self.get_field(name)
            for name in (
                (*constraint.fields, *constraint.include) if isinstance(constraint, UniqueConstraint) else ()
            ):
                self.get_column(name)
        for field in self.fields:
            self._check_unique_for(field)
        constraint_names.remember(self.db_table, self._unique_columns())

    def _check_unique_for(self, field: Field[Any]) -> None:
        for option in UNIQUE_FOR:
            name = getattr(field, option)
            if name is not None and self.get_field(name).column_type().kind not in ("date", "datetime"):
                raise TypeError(
                    f"{field.label} has {option}={name!r}, which is no DateField or DateTimeField"
                )

    def _unique_columns(self) -> Iterable[tuple[str, tuple[str, ...]]]:
        """Yield name and columns of each unique constraint that has nothing but columns, and of the primary key."""
        if self._pk is not None:
            yield f"pk_{self.db_table}", tuple([field.column for field in self.pk_fields])
        for field in self.fields:
            if field.unique and not field.primary_key:
                yield f"uq_{self.db_table}_{field.column}", (field.column,)
        for constraint in self.constraints:
            if isinstance(constraint, UniqueConstraint) and not constraint.expressions:
                yield constraint.name, tuple([self.get_field(name).column for name in constraint.fields])

    def add_field(self, field: Field[Any]) -> None:
        """Append a field that knows its name.

        Raises:
            TypeError: the name is taken, or a second primary key is declared.
        """
        for name in {field.name, field.attname}:
            if name in self._by_name:
                raise TypeError(f"{self.object_name} has two fields named {name!r}")
        if field.primary_key:
            self.set_key(field)
        self.fields = (*self.fields, field)
        if field.has_db_default():
            self.database_defaults = (*self.database_defaults, field)
        self._by_name[field.name] = self._by_name[field.attname] = field

    def set_key(self, field: Field[Any]) -> None:
        """Take the primary key; that of several fields is no field itself.

        Raises:
            TypeError: there is one already.
        """
        if self._pk is not None:
            raise TypeError(f"{self.object_name} has two primary keys; a model takes one")
        self._pk = field

    def settle_key(self) -> None:
        """Find the fields of a key of several, once all are there; those of an abstract model may still come below it.

        Raises:
            TypeError: they are none that can be a key.
        """
        key = self._pk
        if isinstance(key, CompositePrimaryKey) and not (
            self.abstract and set(key.names) - self._by_name.keys()
        ):
            key.settle(self._by_name)

    def add_many_to_many(self, field: ManyToManyBase) -> None:
        """Append a many-to-many field that knows its name.

        Raises:
            TypeError: the name is taken.
        """
        if field.name in self._by_name or field.name in self._relations:
            raise TypeError(f"{self.object_name} has two fields named {field.name!r}")
        self.many_to_many = (*self.many_to_many, field)
        self._relations[field.name] = field

    def add_relation(self, relation: ManyToOneRelation | ManyToManyRelation) -> None:
        """Append a relation that points here.

        Raises:
            TypeError: its name is that of a field or of another relation.
        """
        if self._concrete is not self:
            self._concrete.add_relation(relation)
            return
        name = relation.query_name
        taken = self._relations.get(name)
        self.forget_names()
        if name in self._by_name or (taken and not _is_same(taken, relation)):
            raise TypeError(
                f"the reverse name {name!r} of {relation.field.label} is taken on {self.object_name}; "
                f"give the field another related_name"
            )
        self._relations[name] = relation
        key = _identity(relation)
        self._related.pop(key, None)
        self._related[key] = relation

    def become_proxy(self, concrete: Options) -> None:
        """Take the fields, the table and the relations of another model, also those that it gets later."""
        self._concrete = concrete._concrete
        self.db_table, self.fields, self._pk = concrete.db_table, concrete.fields, concrete._pk
        self.many_to_many, self.unique_together = concrete.many_to_many, concrete.unique_together
        self.indexes, self.constraints = concrete.indexes, concrete.constraints
        self.database_defaults, self.managed = concrete.database_defaults, concrete.managed
        self._by_name, self._relations = concrete._by_name, concrete._relations
        self.lookups, self.paths = concrete.lookups, concrete.paths

    @property
    def concrete_model(self) -> type[Any]:
        """The model that has the table: that of which this one is a proxy, else this one."""
        return self._concrete.model

    @property
    def related_objects(self) -> tuple[ManyToOneRelation, ...]:
        """The relations of foreign keys and one-to-one fields that point here."""
        related = self._concrete._related.values()
        return tuple([relation for relation in related if isinstance(relation, ManyToOneRelation)])

    def find_relation(self, name: str) -> ForeignKey[Any] | End:
        """Return a relation by the attribute that leads to it: a field, or the accessor of one that points here.

        Raises:
            FieldError: there is none; the message names the choices.
        """
        ends: dict[str, ForeignKey[Any] | End] = {key.name: key for key in self.foreign_keys}
        ends.update({field.name: field for field in self.many_to_many})
        related = self._concrete._related.values()
        ends.update({relation.accessor_name: relation for relation in related if not relation.is_hidden})
        if name in ends:
            return ends[name]
        close = get_close_matches(name, ends, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"choose from {', '.join(sorted(ends)) or 'none'}"
        raise FieldError(f"{self.object_name} has no relation {name!r}; {hint}")

    def get_field(self, name: str) -> Field[Any]:
        """Return a field by its name, the name of its key (`question_id`), or `"pk"`.

        Raises:
            FieldError: there is none; the message names the choices.
        """
        if name == "pk":
            return self.pk
        field = self._by_name.get(name)
        if field is None and isinstance(self._relations.get(name), ManyToManyBase):
            raise FieldError(
                f"{self.object_name}.{name} is a relation without a column of {self.object_name}"
            )
        return field if field is not None else self.unknown(name)

    def get_column(self, name: str) -> Field[Any]:
        """Return a field, as `get_field`, that has one column.

        Raises:
            FieldError: there is none, or it is a key of several.
        """
        field = self.get_field(name)
        if isinstance(field, CompositePrimaryKey):
            field.column_type()  # says what to do instead
        return field

    def get_columns(self, names: Iterable[str]) -> tuple[Field[Any], ...]:
        """Return fields that have one column each, in place of a key of several those of it.

        Raises:
            FieldError: there is no such field.
        """
        return tuple([part for name in names for part in self.get_field(name).parts])

    def find(self, name: str) -> Field[Any] | End | None:
        """Return the field or relation of one word of a lookup, or None."""
        if name == "pk":
            return self.pk
        return self._by_name.get(name) or self._relations.get(name)

    def unknown(self, name: str) -> NoReturn:
        """Raise the error for a name that is neither a field nor a relation."""
        choices = self.choices()
        close = get_close_matches(name, choices, 1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise FieldError(f"{self.object_name} has no field {name!r}; {hint}choose from {', '.join(choices)}")

    @property
    def field_names(self) -> list[str]:
        """Every name that the constructor takes: `question` and `question_id` alike."""
        return list(self._by_name)

    def choices(self) -> list[str]:
        """Return every word a lookup may begin with, for messages."""
        visible = [name for name, end in self._relations.items() if not _is_hidden(end)]
        return sorted({*self._by_name, *visible})

    @property
    def foreign_keys(self) -> tuple[ForeignKey[Any], ...]:
        """The fields that refer to other models."""
        return tuple(field for field in self.fields if isinstance(field, ForeignKey))

    def __repr__(self) -> str:
        return f"<Options: {self.label}>"


def _names(said: str | Iterable[str]) -> tuple[str, ...]:
    return (said,) if isinstance(said, str) else tuple(said)


def _together(meta: dict[str, Any]) -> list[UniqueConstraint]:
    """Return the constraints that `unique_together` says: one sequence of names, or several."""
    groups: Any = meta.get("unique_together", ())
    if groups and isinstance(groups[0], str):
        groups = [groups]
    return [UniqueConstraint(fields=tuple(names)) for names in groups]


def _is_hidden(end: End) -> bool:
    return not isinstance(end, ManyToManyBase) and end.is_hidden


def _identity(relation: Relation) -> tuple[str, str]:
    """Return what a relation is known by, also after the module of its model was run again."""
    return relation.related_model._meta.label, relation.field.name


def _is_same(end: End, relation: Relation) -> bool:
    return not isinstance(end, ManyToManyBase) and _identity(end) == _identity(relation)


def _words(name: str) -> str:
    """Return `"blog entry"` for `"BlogEntry"`."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()


_ALL: Final[WeakSet[Options]] = WeakSet()


def _forget_names() -> None:
    for options in list(_ALL):
        options.forget_names()


ON_CHANGE.append(_forget_names)
