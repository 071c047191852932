"""Managers: from a model to querysets."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar, cast, overload

from transom.db.exceptions import FieldError
from transom.db.models.query import QuerySet, QuerySetManager, ValuesQuery
from transom.db.models.record import Record

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
    from datetime import date, datetime, tzinfo
    from typing import Self

    from transom.db.models.expressions import Aggregate, Expression, OrderBy, Q
    from transom.db.models.query import Prefetch, RawQuerySet
    from transom.db.models.query.asking import AskingQuery
    from transom.db.models.query.compound import CompoundQuery
    from transom.db.models.query.queryset import ReturningQuery
    from transom.db.sql.placeholders import Params

M = TypeVar("M", bound=Record)
ManagerT = TypeVar("ManagerT", bound="Manager[Any]")  # Any: a manager of any model


class Manager(Generic[M]):
    """The way to the rows of a model: `Question.objects`.

    Subclass it to give a model methods of its own, or another base of all its queries, and put an instance into the
    class: `class Polls(Manager["Question"])`, `objects: ClassVar[Polls] = Polls()`. (Only mypy needs the annotation.)
    """

    _model: type[M]
    _queryset_class: ClassVar[type[QuerySet[Any]]] = QuerySet  # Any: of the model of the manager

    @classmethod
    def from_queryset(cls, queryset_class: type[QuerySet[Any]], class_name: str | None = None) -> type[Self]:
        """Return a manager class with the methods of a queryset class beside its own.

        Those whose names begin with `_` stay behind, and those with `queryset_only = True`. Type checkers see only the
        manager's own: where they are to see the queryset's, let `objects` be `PostQuerySet.as_manager()`.

        Args:
            queryset_class: of which `get_queryset()` makes an instance. Any: of any model.
            class_name: of the new class; made of both names if None.
        """
        methods: dict[str, Any] = {
            name: _on_queryset(name, method)
            for name, method in inspect.getmembers(queryset_class, inspect.isfunction)
            if not hasattr(QuerySet, name) and not hasattr(cls, name) and _goes_along(name, method)
        }
        methods["_queryset_class"] = queryset_class
        made = type(class_name or f"{cls.__name__}From{queryset_class.__name__}", (cls,), methods)
        return cast("type[Self]", made)

    @property
    def model(self) -> type[M]:
        """The model whose rows it leads to."""
        return self._model

    def __init__(self) -> None:
        self._using: str | None = None

    # Not Self: mypy would lose the subclass.
    def __get__(self: ManagerT, instance: None, owner: type[Any]) -> ManagerT:  # Any: any class
        if instance is not None:
            raise AttributeError(f"managers are reached from the class: {owner.__name__}.objects")
        if getattr(self, "_model", None) is owner:
            return self
        made = type(self).__new__(type(self))
        made.__dict__.update(self.__dict__)
        made._model = owner
        return made

    def get_queryset(self) -> QuerySet[M]:
        """Return the queryset that every method here starts from; override it to narrow them all."""
        return self._queryset_class(self._model, self._using)

    def using(self, alias: str) -> QuerySet[M]:
        """See `Query.using`."""
        return self.get_queryset().using(alias)

    def all(self) -> QuerySet[M]:
        """Return the queryset of all rows."""
        return self.get_queryset()

    def none(self) -> QuerySet[M]:
        """See `Query.none`."""
        return self.get_queryset().none()

    def filter(
        self, *conditions: Q | Expression, **lookups: Any
    ) -> QuerySet[M]:  # Any: as in Query.filter, here and below
        """See `Query.filter`."""
        return self.get_queryset().filter(*conditions, **lookups)

    def exclude(self, *conditions: Q | Expression, **lookups: Any) -> QuerySet[M]:
        """See `Query.exclude`."""
        return self.get_queryset().exclude(*conditions, **lookups)

    def order_by(self, *terms: str | OrderBy | Expression) -> QuerySet[M]:
        """See `Query.order_by`."""
        return self.get_queryset().order_by(*terms)

    def reverse(self) -> QuerySet[M]:
        """See `Query.reverse`."""
        return self.get_queryset().reverse()

    def distinct(self, *terms: str | Expression) -> QuerySet[M]:
        """See `Query.distinct`."""
        return self.get_queryset().distinct(*terms)

    def annotate(self, *aggregates: Aggregate, **expressions: Expression | Q) -> QuerySet[M]:
        """See `Query.annotate`."""
        return self.get_queryset().annotate(*aggregates, **expressions)

    def alias(self, *aggregates: Aggregate, **expressions: Expression | Q) -> QuerySet[M]:
        """See `Query.alias`."""
        return self.get_queryset().alias(*aggregates, **expressions)

    async def aggregate(self, *aggregates: Aggregate, **expressions: Expression) -> dict[str, Any]:
        """See `AskingQuery.aggregate`."""
        return await self.get_queryset().aggregate(*aggregates, **expressions)

    def select_related(self, *names: str | None) -> QuerySet[M]:
        """See `Query.select_related`."""
        return self.get_queryset().select_related(*names)

    def prefetch_related(self, *lookups: str | Prefetch | None) -> QuerySet[M]:
        """See `QuerySet.prefetch_related`."""
        return self.get_queryset().prefetch_related(*lookups)

    def fetch_peers(self) -> QuerySet[M]:
        """See `QuerySet.fetch_peers`."""
        return self.get_queryset().fetch_peers()

    def only(self, *names: str) -> QuerySet[M]:
        """See `Query.only`."""
        return self.get_queryset().only(*names)

    def defer(self, *names: str | None) -> QuerySet[M]:
        """See `Query.defer`."""
        return self.get_queryset().defer(*names)

    def raw(
        self, sql: str, params: Params = (), translations: Mapping[str, str] | None = None
    ) -> RawQuerySet[M]:
        """See `QuerySet.raw`."""
        return self.get_queryset().raw(sql, params, translations)

    def select_for_update(
        self, *, nowait: bool = False, skip_locked: bool = False, of: Sequence[str] = (), no_key: bool = False
    ) -> QuerySet[M]:
        """See `Query.select_for_update`."""
        return self.get_queryset().select_for_update(
            nowait=nowait, skip_locked=skip_locked, of=of, no_key=no_key
        )

    async def in_bulk(self, id_list: Iterable[Any] | None = None, *, field_name: str = "pk") -> dict[Any, M]:
        """See `QuerySet.in_bulk`."""
        return await self.get_queryset().in_bulk(id_list, field_name=field_name)

    async def earliest(self, *names: str | OrderBy | Expression) -> M:
        """See `QuerySet.earliest`."""
        return await self.get_queryset().earliest(*names)

    async def latest(self, *names: str | OrderBy | Expression) -> M:
        """See `QuerySet.latest`."""
        return await self.get_queryset().latest(*names)

    async def update_or_create(
        self,
        defaults: dict[str, Any] | None = None,
        create_defaults: dict[str, Any] | None = None,
        **lookups: Any,
    ) -> tuple[M, bool]:
        """See `QuerySet.update_or_create`."""
        return await self.get_queryset().update_or_create(defaults, create_defaults, **lookups)

    def values(self, *names: str, **expressions: Expression | Q) -> ValuesQuery[M, dict[str, Any]]:
        """See `QuerySet.values`."""
        return self.get_queryset().values(*names, **expressions)

    @overload
    def values_list(
        self, *names: str | Expression, flat: Literal[False] = False, named: bool = False
    ) -> ValuesQuery[M, tuple[Any, ...]]: ...
    @overload
    def values_list(self, name: str | Expression, /, *, flat: Literal[True]) -> ValuesQuery[M, Any]: ...
    def values_list(
        self, *names: str | Expression, flat: bool = False, named: bool = False
    ) -> ValuesQuery[M, Any]:
        """See `QuerySet.values_list`."""
        values_list: Any = self.get_queryset().values_list  # Any: of all its forms
        return values_list(*names, flat=flat, named=named)

    def dates(self, field: str, kind: str, order: str = "ASC") -> ValuesQuery[M, date]:
        """See `QuerySet.dates`."""
        return self.get_queryset().dates(field, kind, order)

    def datetimes(
        self, field_name: str, kind: str, order: str = "ASC", tzinfo: tzinfo | str | None = None
    ) -> ValuesQuery[M, datetime]:
        """See `QuerySet.datetimes`."""
        return self.get_queryset().datetimes(field_name, kind, order, tzinfo)

    async def get(self, *conditions: Q | Expression, **lookups: Any) -> M:
        """See `QuerySet.get`."""
        return await self.get_queryset().get(*conditions, **lookups)

    async def first(self) -> M | None:
        """See `QuerySet.first`."""
        return await self.get_queryset().first()

    async def last(self) -> M | None:
        """See `QuerySet.last`."""
        return await self.get_queryset().last()

    async def count(self) -> int:
        """See `QuerySet.count`."""
        return await self.get_queryset().count()

    async def contains(self, instance: Record) -> bool:
        """See `QuerySet.contains`."""
        return await self.get_queryset().contains(instance)

    async def exists(self) -> bool:
        """See `QuerySet.exists`."""
        return await self.get_queryset().exists()

    async def create(self, **values: Any) -> M:
        """See `QuerySet.create`."""
        return await self.get_queryset().create(**values)

    async def get_or_create(self, defaults: dict[str, Any] | None = None, **lookups: Any) -> tuple[M, bool]:
        """See `QuerySet.get_or_create`."""
        return await self.get_queryset().get_or_create(defaults, **lookups)

    async def bulk_create(
        self,
        objects: Iterable[M],
        batch_size: int | None = None,
        *,
        ignore_conflicts: bool = False,
        update_conflicts: bool = False,
        update_fields: Sequence[str] = (),
        unique_fields: Sequence[str] = (),
    ) -> list[M]:
        """See `QuerySet.bulk_create`."""
        return await self.get_queryset().bulk_create(
            objects,
            batch_size=batch_size,
            ignore_conflicts=ignore_conflicts,
            update_conflicts=update_conflicts,
            update_fields=update_fields,
            unique_fields=unique_fields,
        )

    async def bulk_update(
        self, objects: Iterable[M], fields: Sequence[str], batch_size: int | None = None
    ) -> int:
        """See `QuerySet.bulk_update`."""
        return await self.get_queryset().bulk_update(objects, fields, batch_size=batch_size)

    async def update(self, **values: Any) -> int:
        """See `QuerySet.update`."""
        return await self.get_queryset().update(**values)

    def returning(self, *names: str) -> ReturningQuery[M]:
        """See `QuerySet.returning`."""
        return self.get_queryset().returning(*names)

    def union(self, *others: AskingQuery[Any], all: bool = False) -> CompoundQuery[Any]:
        """See `QuerySet.union`."""
        return self.get_queryset().union(*others, all=all)

    def intersection(self, *others: AskingQuery[Any]) -> CompoundQuery[Any]:
        """See `QuerySet.intersection`."""
        return self.get_queryset().intersection(*others)

    def difference(self, *others: AskingQuery[Any]) -> CompoundQuery[Any]:
        """See `QuerySet.difference`."""
        return self.get_queryset().difference(*others)

    def iterator(self, chunk_size: int = 2000) -> AsyncGenerator[M]:
        """See `QuerySet.iterator`."""
        return self.get_queryset().iterator(chunk_size)

    async def explain(self, format: str | None = None, **options: bool) -> str:
        """See `QuerySet.explain`."""
        return await self.get_queryset().explain(format, **options)


def _goes_along(name: str, method: object) -> bool:
    return not getattr(method, "queryset_only", name.startswith("_"))


def _on_queryset(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method of a manager that calls that of its queryset. Any: a method of any kind."""

    @functools.wraps(method)
    def call(self: Manager[Any], *args: Any, **keywords: Any) -> Any:
        return getattr(self.get_queryset(), name)(*args, **keywords)

    return call


class DefaultManager:
    """The `objects` of a model that declares none; it stands on the metaclass, so that a class may have its own."""

    # mypy takes what stands on a metaclass for the class's own attribute: hence the first form, which Python never uses.
    @overload
    def __get__(self, model: None, owner: type[M]) -> Manager[M]: ...
    @overload
    def __get__(self, model: type[M], owner: type[Any]) -> Manager[M]: ...  # Any: the metaclass
    def __get__(self, model: type[M] | None, owner: type[Any]) -> Manager[M]:
        assert model is not None  # noqa: S101
        return bound_manager(model)


def bound_manager(model: type[M]) -> Manager[M]:
    """Return the plain manager of a model: all its rows."""
    managers = model._meta.managers
    found: Manager[M] | None = managers.get("plain")
    if found is None:
        managers["plain"] = found = Manager()
        found._model = model
    return found


def find_manager(model: type[M], name: str | None) -> Manager[M] | QuerySet[M]:
    """Return a manager of a model by its name; without one the first that the class, or else a base, has.

    Raises:
        FieldError: there is none of that name.
    """
    found: dict[str, Manager[M] | QuerySet[M]] = {}
    for base in model.__mro__:
        values: dict[str, Any] = dict(vars(base))
        for key, value in values.items():
            if isinstance(value, Manager | QuerySetManager):
                manager = cast("Manager[M]", value)
                found.setdefault(key, manager.__get__(None, model))
    if name is None:
        return next(iter(found.values()), bound_manager(model))
    if name not in found:
        raise FieldError(
            f"{model.__name__} has no manager {name!r}, which its Meta names; choose from {', '.join(found) or 'none'}"
        )
    return found[name]
