"""How the related rows of many objects are asked for at once, and handed out: one class for each kind of relation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from transom.db.exceptions import FieldError
from transom.db.models.expressions import Q
from transom.db.models.fields import (
    ForeignKey,
    ManyToManyBase,
    ManyToManyRelation,
    ManyToOneRelation,
    OneToOneField,
    OneToOneRelation,
    path_back,
)

if TYPE_CHECKING:
    from transom.db.models.options import Options
    from transom.db.models.record import Record

    # Any, here and below: querysets of any model, which stand above this module; keys of any type
    AnyQuery: TypeAlias = Any
    Key: TypeAlias = Any


class RelatedRows:
    """The rows that one relation leads to.

    Attributes:
        options: the model they are of.
        cache_name: the key under which objects keep them.
        many: whether there can be several for one object.
        back: the key under which they keep the object, or None.
    """

    many: ClassVar[bool] = False
    options: Options
    cache_name: str
    back: str | None = None

    def base(self) -> AnyQuery:
        """Return the queryset to ask if nobody gave another."""
        return self.options.model._default_manager.all()

    def narrow(self, queryset: AnyQuery, keys: list[Key]) -> AnyQuery:
        """Return the queryset of the rows that belong to objects with these keys."""
        raise NotImplementedError

    def _part(self, queryset: AnyQuery, keys: list[Key]) -> AnyQuery:
        """Return the same, where a slice of the queryset is one for each object."""
        if not queryset._is_sliced:
            return self.narrow(queryset, keys)
        low, high = queryset._low, queryset._high
        return self.narrow(queryset._unsliced(), keys)._numbered(self.key_name, low, high)

    @property
    def key_name(self) -> str:
        """The name, in lookups of the rows, of what an object is found by."""
        raise NotImplementedError

    def key_of(self, instance: Record) -> Key | None:
        """Return what an object is found by; None if it has no such rows."""
        raise NotImplementedError

    def owner_key(self, row: Record) -> Key:
        """Return the key of the object that a row belongs to. Asked once for each row."""
        raise NotImplementedError

    def is_loaded(self, instance: Record) -> bool:
        """Whether the object keeps the rows already."""
        return self.cache_name in instance.__dict__

    async def fetch(self, instances: list[Record], queryset: AnyQuery, name: str) -> None:
        """Ask for the rows of all the objects with one statement, and let each keep its own under a name."""
        owners: dict[Key, list[Record]] = {}
        for instance in instances:
            owners.setdefault(self.key_of(instance), []).append(instance)
        keys = [key for key in owners if key is not None]
        rows: list[Record] = await self._part(queryset, keys) if keys else []
        groups: dict[Key, list[Record]] = {}
        for row in rows:
            key = self.owner_key(row)
            groups.setdefault(key, []).append(row)
            if self.back is not None:
                row.__dict__[self.back] = owners[key][0]
        for key, group in owners.items():
            for owner in group:
                self.keep(owner, groups.get(key, []), name)

    def keep(self, owner: Record, rows: list[Record], name: str) -> None:
        """Let an object keep its rows: a list of its own, or the one row or None."""
        owner.__dict__[name] = list(rows) if self.many else (rows[0] if rows else None)


class ForwardRows(RelatedRows):
    """What a foreign key leads to."""

    def __init__(self, field: ForeignKey[Any]) -> None:
        self._field = field
        self.options = field.related_model._meta
        self.cache_name = f"_loaded_{field.name}"
        if isinstance(field, OneToOneField) and not field.remote_field.is_hidden:
            self.back = field.remote_field.cache_name

    def base(self) -> AnyQuery:
        """Return the queryset of all rows: a reference holds whatever the default manager hides."""
        return self.options.model._base_manager.all()

    def narrow(self, queryset: AnyQuery, keys: list[Key]) -> AnyQuery:
        """Return the rows with these values in the field referred to."""
        return queryset.filter(**{f"{self.key_name}__in": keys})._loading(self.key_name)

    @property
    def key_name(self) -> str:
        """The field referred to."""
        return self._field.target_field.name

    def key_of(self, instance: Record) -> Key | None:
        """Return the value of the foreign key."""
        return getattr(instance, self._field.attname)

    def owner_key(self, row: Record) -> Key:
        """Return the value of the field referred to."""
        return getattr(row, self._field.target_field.attname)

    def is_loaded(self, instance: Record) -> bool:
        """Whether the object is there and still the one that the key names."""
        return self._field.is_loaded(instance)

    def keep(self, owner: Record, rows: list[Record], name: str) -> None:
        """Keep the row; one that is gone, or that the queryset left out, stays not loaded."""
        if rows or name != self.cache_name or self.key_of(owner) is None:
            super().keep(owner, rows, name)


class ReverseRows(RelatedRows):
    """The rows whose foreign key refers to an object."""

    def __init__(self, relation: ManyToOneRelation) -> None:
        self._relation = relation
        self._attname = relation.field.attname
        self.options = relation.related_model._meta
        self.cache_name = relation.cache_name
        self.back = f"_loaded_{relation.field.name}"

    many = True

    def narrow(self, queryset: AnyQuery, keys: list[Key]) -> AnyQuery:
        """Return the rows that refer to these keys."""
        return queryset.filter(**{f"{self.key_name}__in": keys})._loading(self._attname)

    @property
    def key_name(self) -> str:
        """The foreign key."""
        return self._relation.field.name

    def key_of(self, instance: Record) -> Key:
        """Return what the rows refer to."""
        return saved_key(instance, self._relation.target_field.attname)

    def owner_key(self, row: Record) -> Key:
        """Return the value of the foreign key."""
        return getattr(row, self._attname)


class ReverseObject(ReverseRows):
    """The one row whose one-to-one field refers to an object."""

    many = False


class LinkedRows(RelatedRows):
    """The rows that a many-to-many relation leads to.

    They are asked for together with the rows in between, which say whose they are; as these are joined to the rows
    anyway, that is one statement.
    """

    many = True

    def __init__(self, end: ManyToManyBase | ManyToManyRelation) -> None:
        self._source, self._target = end.source_key, end.target_key
        self._path_back = path_back(end)
        self._link = end.target_key.remote_field.hop
        self._link_name = f"_loaded_{self._link.name}"
        self.options = end.target_key.related_model._meta
        self.cache_name = end.cache_name

    async def fetch(self, instances: list[Record], queryset: AnyQuery, name: str) -> None:
        """Ask as other relations do; but rows with aggregates by themselves, which count more than the links at hand."""
        if queryset._grouping is None:
            await super().fetch(instances, queryset, name)
            return
        source, target = self._source.attname, self._target.attname
        ours = [self.key_of(instance) for instance in instances]
        between = self._source.model._base_manager.all()._of(instances[0])
        linked = await between.filter(**{f"{self._source.name}__in": ours}).values_list(source, target)
        owners: dict[Key, list[Key]] = {}
        for ours_key, key in linked:
            owners.setdefault(key, []).append(ours_key)
        there = self._target.target_field
        found = queryset._unsliced().filter(**{f"{there.name}__in": list(owners)})._loading(there.name)
        groups: dict[Key, list[Record]] = {}
        for row in await found:
            for key in owners[getattr(row, there.attname)]:
                groups.setdefault(key, []).append(row)
        for instance, key in zip(instances, ours, strict=True):
            self.keep(instance, groups.get(key, [])[queryset._low : queryset._high], name)

    def narrow(self, queryset: AnyQuery, keys: list[Key]) -> AnyQuery:
        """Return the rows that are linked with these keys, each with the row in between."""
        return queryset._linked(Q(**{f"{self.key_name}__in": keys}), self._link)

    @property
    def key_name(self) -> str:
        """The foreign key of the rows in between."""
        return self._path_back

    def key_of(self, instance: Record) -> Key:
        """Return what the rows in between refer to."""
        return saved_key(instance, self._source.target_field.attname)

    def owner_key(self, row: Record) -> Key:
        """Take the row in between away, and return whose it is."""
        return getattr(row.__dict__.pop(self._link_name), self._source.attname)


def saved_key(instance: Record, name: str) -> Key:
    """Return the value that other rows refer to an object by.

    Raises:
        FieldError: there is none, since the object was never saved.
    """
    key = getattr(instance, name)
    if key is None:
        raise FieldError(f"{instance!r} has no {name} yet, so no row can refer to it; save it first")
    return key


def rows_of(options: Options, name: str) -> RelatedRows:
    """Return how to get what an attribute of a model's objects leads to.

    Raises:
        FieldError: it is no relation; the message names the choices.
    """
    end = options.find_relation(name)
    if isinstance(end, ForeignKey):
        return ForwardRows(end)
    if isinstance(end, OneToOneRelation):
        return ReverseObject(end)
    return ReverseRows(end) if isinstance(end, ManyToOneRelation) else LinkedRows(end)
