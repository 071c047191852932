"""The other side of foreign keys: `question.choices`, a manager, and `user.profile`, an object."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, overload

from transom.db.exceptions import NotLoaded, ObjectDoesNotExist
from transom.db.models.expressions import RelationColumn
from transom.db.models.manager import Manager
from transom.db.models.query import QuerySet, saved_key
from transom.db.models.record import Record
from transom.db.transaction import atomic

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from transom.db.models.fields import ManyToOneRelation

M = TypeVar("M", bound=Record)


class RelatedQueries(Manager[M]):
    """What the managers of all relations share: the rows of one object, loaded or not."""

    _instance: Record
    _cache_name: str
    _accessor_name: str

    def _base(self) -> QuerySet[M]:
        """Return the queryset of all rows there, as the model's own manager has it."""
        model: Any = self._model  # of a class that this module is below
        return cast("QuerySet[M]", model._default_manager.all()._of(self._instance))

    def _rows(self) -> QuerySet[M]:
        """Return the queryset of all rows there, for changing them."""
        return QuerySet(self._model, self._using, self._instance)

    @property
    def loaded(self) -> list[M]:
        """The rows that were loaded: by `prefetch_related()` of a query, or by `await obj.load(...)`.

        Raises:
            NotLoaded: they were not, or they were changed since.
        """
        rows: list[M] | None = self._instance.__dict__.get(self._cache_name)
        if rows is None:
            name = self._accessor_name
            raise NotLoaded(
                f"{type(self._instance).__name__}.{name} is not loaded, and nothing loads by itself; query with "
                f"prefetch_related({name!r}) or call `await obj.load({name!r})`"
            )
        return rows

    def _with_loaded(self, queryset: QuerySet[M]) -> QuerySet[M]:
        rows: list[M] | None = self._instance.__dict__.get(self._cache_name)
        return queryset if rows is None else queryset._holding(rows)

    def _forget(self) -> None:
        """Forget what was loaded, for the rows have changed."""
        self._instance.__dict__.pop(self._cache_name, None)

    async def __aiter__(self) -> AsyncIterator[M]:
        async for row in self.get_queryset():
            yield row


def manager_class(kind: type, model: Any) -> Any:
    """Return a class of related managers that has the methods of a model's default manager too.

    Any: any model, and a class that callers know but for its parameter.
    """
    default: object = model._default_manager
    return _combine(kind, type(default)) if _has_methods(default) else kind


def _has_methods(default: object) -> bool:
    return isinstance(default, Manager) and type(cast("object", default)) is not Manager


@cache
def _combine(kind: type, default: type) -> type:
    return type(f"{kind.__name__}Of{default.__name__}", (kind, default), {})


class RelatedManager(RelatedQueries[M]):
    """The way to the rows that refer to one object: `question.choices`.

    `all()` answers with what was loaded, if it was; everything else asks the database.
    """

    def __init__(self, relation: ManyToOneRelation, instance: Record) -> None:
        self._model = relation.related_model
        self._using = None  # routers choose, else it is the object's
        self._field = relation.field
        self._instance = instance
        self._cache_name = relation.cache_name
        self._accessor_name = relation.accessor_name
        self._key_name = relation.target_field.attname

    def get_queryset(self) -> QuerySet[M]:
        """Return the queryset of the rows that refer to the object; each has the object loaded.

        Raises:
            FieldError: the object has no key yet, so nothing can refer to it.
        """
        name = self._field.name
        rows = self._base().filter(**{name: self._instance})._knowing(f"_loaded_{name}", self._instance)
        return self._with_loaded(rows)

    async def create(self, **values: Any) -> M:
        """Insert a row that refers to the object."""
        self._forget()
        return await self._rows().create(**{self._field.name: self._instance, **values})

    async def get_or_create(self, defaults: dict[str, Any] | None = None, **lookups: Any) -> tuple[M, bool]:
        """See `QuerySet.get_or_create`; a new row refers to the object."""
        self._forget()
        return await self._rows().get_or_create(defaults, **{self._field.name: self._instance, **lookups})

    async def update_or_create(
        self,
        defaults: dict[str, Any] | None = None,
        create_defaults: dict[str, Any] | None = None,
        **lookups: Any,
    ) -> tuple[M, bool]:
        """See `QuerySet.update_or_create`; only rows that refer to the object are changed, and a new row does, too."""
        self._forget()
        mine = {self._field.name: self._instance, **lookups}
        return await self._rows().update_or_create(defaults, create_defaults, **mine)

    async def bulk_create(
        self, objects: Iterable[M], batch_size: int | None = None, **options: Any
    ) -> list[M]:
        """Insert rows with one statement, and let them refer to the object; options as in `QuerySet.bulk_create`."""
        rows = list(objects)
        for row in rows:
            setattr(row, self._field.name, self._instance)
        self._forget()
        return await self._rows().bulk_create(rows, batch_size, **options)

    async def add(self, *objects: M) -> None:
        """Let saved objects refer to this one, with one statement. Only the foreign key is written.

        Raises:
            FieldError: an object was never saved, or is of another model.
        """
        keys = [self._key_of(row) for row in objects]
        if keys:
            await self._rows().filter(pk__in=keys).update(**{self._field.name: self._instance})
        for row in objects:
            setattr(row, self._field.name, self._instance)
        self._forget()

    def _key_of(self, row: M) -> Any:
        if not isinstance(row, self._model._meta.concrete_model):
            raise self._field.wrong_type(row, f"references of {self._model.__name__} objects")
        return saved_key(row, self._model._meta.pk.attname)

    async def remove(self, *objects: M) -> None:
        """Let objects refer to nothing, with one statement.

        Raises:
            DoesNotExist: one of them refers to another object.
            TypeError: the foreign key takes no NULL.
        """
        self._refuse_not_null("remove")
        ours = saved_key(self._instance, self._key_name)
        keys = [self._key_of(row) for row in objects]
        for row in objects:
            if getattr(row, self._field.attname) != ours:
                raise self._model.DoesNotExist(
                    f"{row!r} does not refer to {self._instance!r} by {self._field.name}"
                )
        if keys:
            mine = self._rows().filter(**{self._field.name: self._instance, "pk__in": keys})
            await mine.update(**{self._field.name: None})
        for row in objects:
            setattr(row, self._field.name, None)
        self._forget()

    async def clear(self) -> None:
        """Let all rows refer to nothing, with one statement.

        Raises:
            TypeError: the foreign key takes no NULL.
        """
        self._refuse_not_null("clear")
        await self._rows().filter(**{self._field.name: self._instance}).update(**{self._field.name: None})
        self._forget()

    async def set(self, objects: Iterable[M], *, clear: bool = False) -> None:
        """Let these objects refer to this one, and no others, where the foreign key takes NULL; else add them.

        Args:
            objects: saved objects.
            clear: whether to let go of all rows first, also those that stay.

        Raises:
            FieldError: an object was never saved, or is of another model.
        """
        rows = list(objects)
        keys = [self._key_of(row) for row in rows]
        async with atomic(self._rows()._written_to):
            if self._field.null:
                mine = self._rows().filter(**{self._field.name: self._instance})
                gone = mine if clear else mine.exclude(pk__in=keys)
                await gone.update(**{self._field.name: None})
            await self.add(*rows)
        self._forget()

    def _refuse_not_null(self, method: str) -> None:
        if not self._field.null:
            raise TypeError(
                f"{method}() would set {self._field.label} to NULL, which it does not take; delete the rows instead, "
                "or give the field null=True"
            )


class Related(Generic[M]):
    """The accessor that a foreign key puts on the model it points to.

    Type checkers do not see it by themselves; an annotation in the class body tells them, and nothing else changes:
    `choices: models.Related["Choice"]`.
    """

    def __init__(self, relation: ManyToOneRelation) -> None:
        self.relation = relation

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> RelationColumn[M]: ...  # Any: the model pointed to
    @overload
    def __get__(self, instance: Record, owner: type[Any]) -> RelatedManager[M]: ...
    def __get__(self, instance: Record | None, owner: type[Any]) -> RelationColumn[M] | RelatedManager[M]:
        if instance is None:
            return RelationColumn(self.relation.query_name, owner)
        made: type[RelatedManager[M]] = manager_class(RelatedManager, self.relation.related_model)
        return made(self.relation, instance)

    def __set__(self, instance: Record, value: object) -> None:
        name = self.relation.accessor_name
        raise AttributeError(
            f"{type(instance).__name__}.{name} cannot be set; call `await obj.{name}.set(...)`, or save rows that "
            "refer to the object"
        )


class RelatedObjectDoesNotExist(ObjectDoesNotExist, AttributeError):
    """No row refers to the object; the model's own class derives from its `DoesNotExist` too."""


class RelatedObject(Generic[M]):
    """The accessor that a one-to-one field puts on the model it points to: the object that refers to this one.

    Type checkers are told by an annotation, as with `Related`: `profile: models.RelatedObject["Profile"]`.
    """

    def __init__(self, relation: ManyToOneRelation) -> None:
        self.relation = relation

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> RelationColumn[M]: ...  # Any: the model pointed to
    @overload
    def __get__(self, instance: Record, owner: type[Any]) -> M: ...
    def __get__(self, instance: Record | None, owner: type[Any]) -> RelationColumn[M] | M:
        relation = self.relation
        if instance is None:
            return RelationColumn(relation.query_name, owner)
        if relation.cache_name not in instance.__dict__:
            name = relation.accessor_name
            raise NotLoaded(
                f"{type(instance).__name__}.{name} is not loaded, and nothing loads by itself; query with "
                f"select_related({relation.query_name!r}) or call `await obj.load({name!r})`"
            )
        found: M | None = instance.__dict__[relation.cache_name]
        if found is None:
            raise self._nothing(instance)
        return found

    def _nothing(self, instance: Record) -> Exception:
        model = self.relation.related_model
        bases = (RelatedObjectDoesNotExist, model.DoesNotExist)
        error = type("RelatedObjectDoesNotExist", bases, {"__module__": model.__module__})
        return error(f"{instance!r} has no {self.relation.accessor_name}: no {model.__name__} refers to it")

    def __set__(self, instance: Record, value: M | None) -> None:
        relation = self.relation
        before: Any = instance.__dict__.get(relation.cache_name)
        if value is None:
            if before is not None:
                setattr(before, relation.field.name, None)
            instance.__dict__[relation.cache_name] = None
        elif isinstance(value, relation.related_model._meta.concrete_model):
            setattr(value, relation.field.name, instance)
        else:
            name = f"{type(instance).__name__}.{relation.accessor_name}"
            raise TypeError(f"{name} takes a {relation.related_model.__name__}, not {value!r}")
