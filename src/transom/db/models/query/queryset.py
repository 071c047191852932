"""QuerySet: the queries of a model's objects, and the questions and changes one can await of them."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, overload

from transom.db import connections
from transom.db.exceptions import UniqueViolation
from transom.db.models.query.base import Query
from transom.db.models.query.binding import bind_assignment
from transom.db.models.query.persistence import delete_where, insert, insert_many
from transom.db.models.query.plans import count_plan, exists_plan, select_plan, update_plan
from transom.db.models.query.prefetch import Extras, build_tree
from transom.db.models.query.values import ValuesQuery
from transom.db.models.record import Record
from transom.db.transaction import atomic

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterable
    from typing import NoReturn, Self

    from transom.db.models.expressions import Q
    from transom.db.models.query.prefetch import Prefetch
    from transom.db.sql.metadata import Hop

M = TypeVar("M", bound=Record)
QuerySetT = TypeVar("QuerySetT", bound="QuerySet[Any]")  # Any: a queryset of any model


class QuerySet(Query[M]):
    """Objects of a model, by the methods of Query; awaiting one gives the list.

    `await queryset` asks the database each time: nothing is kept.
    """

    __slots__ = ("_extras", "_rows")

    def __init__(self, model: type[M], using: str | None = None, instance: Record | None = None) -> None:
        super().__init__(model, using, instance)
        self._extras: Extras | None = None
        self._rows: list[M] | None = (
            None  # what a related manager's object has loaded; only all() hands it on
        )

    def _copy_to(self, made: Query[M]) -> None:
        super()._copy_to(made)
        if isinstance(made, QuerySet):
            made._extras = self._extras
            made._rows = None

    @classmethod
    def as_manager(cls) -> QuerySetManager[Self]:
        """Return a manager for a class body, so that `objects` is a queryset of this class, with its methods."""
        return QuerySetManager(cls)

    def __copy__(self) -> Self:
        return self._clone()

    def __deepcopy__(self, memo: object) -> Self:
        return self._clone()

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a queryset is a question to the database and cannot be pickled; pickle its answer: "
            "pickle.dumps(await queryset)"
        )

    # -- objects ---------------------------------------------------------------------------------------------------

    def __await__(
        self,
    ) -> Generator[Any, None, list[M]]:  # Any: what the event loop and futures say to each other
        return self._fetch().__await__()

    async def _fetch(self) -> list[M]:
        if self._rows is not None:
            return list(self._rows)
        if self._empty:
            return []
        using = self._using
        executor = connections.executor(using)
        plan = select_plan(self._shape(), executor.vendor, using)
        rows = plan.load(await executor.fetch(plan.sql, plan.encode(self._arguments())))
        if self._extras is not None:
            await self._extras.apply(rows, self._related)
        return rows

    async def __aiter__(self) -> AsyncIterator[M]:
        for row in await self._fetch():
            yield row

    async def iterator(self, chunk_size: int = 2000) -> AsyncGenerator[M]:
        """Yield the objects while they are read, never holding more than one chunk of rows.

        The connection is kept until the last row, or until the generator is closed: wrap it in `contextlib.aclosing`
        where the loop may be left early.
        """
        if self._empty:
            return
        using = self._using
        executor = connections.executor(using)
        plan = select_plan(self._shape(), executor.vendor, using)
        stream = executor.stream(plan.sql, plan.encode(self._arguments()), chunk_size=chunk_size)
        async with aclosing(stream):
            async for rows in stream:
                loaded = plan.load(rows)
                if self._extras is not None:
                    await self._extras.apply(loaded, self._related)
                for row in loaded:
                    yield row

    @overload
    def __getitem__(self, index: int) -> _Row[M]: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Self | _Row[M]:
        if isinstance(index, slice):
            return self._slice(index)
        if index < 0:
            raise ValueError("a queryset takes no negative index; use last(), or reverse() the order")
        return _Row(self._slice(slice(index, index + 1)), index)

    async def get(self, *conditions: Any, **lookups: Any) -> M:
        """Return the one object for which the conditions hold.

        Args:
            conditions: as in filter(). (Any there and here: each lookup takes its own type.)
            lookups: as in filter().

        Raises:
            DoesNotExist: there is none; the model's own class.
            MultipleObjectsReturned: there are more; the model's own class.
        """
        query = self.filter(*conditions, **lookups) if conditions or lookups else self
        if not query._is_sliced:
            query = query._slice(slice(0, 2))
        found = await query._fetch()
        if len(found) == 1:
            return found[0]
        wanted = ", ".join(
            [*map(repr, conditions), *(f"{name}={value!r}" for name, value in lookups.items())]
        )
        if not found:
            raise self.model.DoesNotExist(f"no {self.model.__name__} matches ({wanted})")
        raise self.model.MultipleObjectsReturned(f"more than one {self.model.__name__} matches ({wanted})")

    async def first(self) -> M | None:
        """Return the first object, in the order of the primary key if no other is settled; None if there is none."""
        query = self if self.ordered or self._is_sliced else self.order_by("pk")
        found = await query._slice(slice(0, 1))._fetch()
        return found[0] if found else None

    async def last(self) -> M | None:
        """Return the last object, in the order of the primary key if no other is settled; None if there is none."""
        query = self if self.ordered or self._is_sliced else self.order_by("pk")
        return await query.reverse().first()

    def values(self, *names: str) -> ValuesQuery[M, dict[str, Any]]:
        """Return dicts of these columns (of all, if none are named). Any: columns of all types."""
        return ValuesQuery(self, self._value_names(names), "dict")

    @overload
    def values_list(self, *names: str, flat: Literal[False] = False) -> ValuesQuery[M, tuple[Any, ...]]: ...
    @overload
    def values_list(self, name: str, /, *, flat: Literal[True]) -> ValuesQuery[M, Any]: ...
    def values_list(self, *names: str, flat: bool = False) -> ValuesQuery[M, Any]:
        """Return tuples of these columns (of all, if none are named), or with `flat` the values of one."""
        if flat and len(names) != 1:
            raise TypeError(f"values_list(flat=True) takes one name, not {len(names)}")
        return ValuesQuery(self, self._value_names(names), "flat" if flat else "tuple")

    def _value_names(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return names or tuple(field.attname for field in self._options.fields)

    # -- what is loaded beside them --------------------------------------------------------------------------------

    def prefetch_related(self, *lookups: str | Prefetch | None) -> Self:
        """Load what the objects are related to, with one more statement for each word of the names.

        What was loaded is read by `question.choices.loaded`, or `await question.choices.all()`.

        Args:
            lookups: relations of every kind, by the attributes of objects, and paths of them: `"choices"`,
                `"tags__author"`; or Prefetch objects. None alone takes back what was named before.

        Raises:
            FieldError: a name is no relation.
            ValueError: one relation is to be loaded in two ways.
        """
        extras = self._extras or Extras()
        names = [lookup for lookup in lookups if lookup is not None]
        kept = (*extras.lookups, *names) if names else ()
        made = self._clone()
        made._extras = replace(extras, lookups=kept, tree=build_tree(self._options, kept))
        return made

    def fetch_peers(self) -> Self:
        """Let `await row.load("author")` load for all objects of this result at once, as far as they are still in use."""
        made = self._clone()
        made._extras = replace(self._extras or Extras(), peers=True)
        return made

    def _knowing(self, name: str, instance: Record) -> Self:
        """Let every object keep another one under a name."""
        made = self._clone()
        made._extras = replace(self._extras or Extras(), known=((name, instance),))
        return made

    def _holding(self, rows: list[M]) -> Self:
        """Answer with these rows, and ask no database."""
        made = self._clone()
        made._rows = rows
        return made

    def _linked(self, condition: Q, link: Hop) -> Self:
        """Keep the rows linked so, each with the row in between that the condition is about."""
        made = self._narrowed(condition)
        made._related = (*made._related, (link,))
        return made

    # -- questions -------------------------------------------------------------------------------------------------

    async def count(self) -> int:
        """Return the number of rows."""
        if self._rows is not None:
            return len(self._rows)
        if self._empty:
            return 0
        executor = connections.executor(self._using)
        plan = count_plan(self._shape(ordered=self._is_sliced), executor.vendor)
        rows = await executor.fetch(plan.sql, plan.encode(self._arguments()))
        return int(rows[0][0])

    async def exists(self) -> bool:
        """Return whether there is any row."""
        if self._rows is not None:
            return bool(self._rows)
        if self._empty:
            return False
        executor = connections.executor(self._using)
        plan = exists_plan(self._shape(ordered=self._is_sliced), executor.vendor)
        return bool(await executor.fetch(plan.sql, plan.encode(self._arguments())))

    # -- changes ---------------------------------------------------------------------------------------------------

    async def create(self, **values: Any) -> M:
        """Insert a row and return its object. Any: the fields know their types.

        Raises:
            IntegrityError: a constraint refuses it (UniqueViolation and so on).
            FieldError: a value of the wrong type.
        """
        made = self.model(**values)
        await insert(made, self._written_to)
        return made

    async def get_or_create(self, defaults: dict[str, Any] | None = None, **lookups: Any) -> tuple[M, bool]:
        """Return the object with these values, making it if there is none, and whether it was made.

        Two tasks that do so at once get the same object, provided that a unique constraint covers the lookups.

        Args:
            defaults: further values of a new object. Any: the fields know their types.
            lookups: values to look for, which a new object gets too.
        """
        written_to = self._written_to
        here = self.using(written_to)  # to look in a replica could miss what is about to be made
        try:
            return await here.get(**lookups), False
        except self.model.DoesNotExist:
            try:
                async with atomic(written_to):
                    return await here.create(**{**lookups, **(defaults or {})}), True
            except UniqueViolation as violation:
                try:
                    return await here.get(**lookups), False
                except self.model.DoesNotExist:
                    raise violation from None

    async def bulk_create(self, objects: Iterable[M]) -> list[M]:
        """Insert objects with one statement, all or none, and return them with their keys.

        Raises:
            IntegrityError: a constraint refuses a row.
            FieldError: a value of the wrong type.
        """
        rows = list(objects)
        if rows:
            await insert_many(self.model, rows, self._written_to)
        return rows

    async def update(self, **values: Any) -> int:
        """Set columns in all the rows, and return how many there were.

        Values may be computed from the columns of the same row: `update(votes=F("votes") + 1)`. Any: the fields
        know their types.

        Raises:
            FieldError: an unknown field, or a value of the wrong type.
            TypeError: the queryset is sliced, or nothing is to be set.
        """
        self._refuse_sliced("update")
        if not values:
            raise TypeError("update() needs at least one field=value")
        arguments: list[Any] = list(self._values)
        assignments = tuple(
            [
                bind_assignment(self._options.get_field(name), value, self._options, arguments)
                for name, value in values.items()
            ]
        )
        if self._empty:
            return 0
        executor = connections.executor(self._written_to)
        plan = update_plan(self._shape(ordered=False)._replace(related=()), assignments, executor.vendor)
        return await executor.execute(plan.sql, plan.encode(arguments))

    async def delete(self) -> int:
        """Delete the rows and return how many there were; rows that refer to them fare by their on_delete.

        Rows that go in a cascade are not counted, even if the query would have come to them later.

        Raises:
            ForeignKeyViolation: a row is protected; nothing is deleted.
            TypeError: the queryset is sliced.
        """
        self._refuse_sliced("delete")
        if self._empty:
            return 0
        shape = self._shape(ordered=False)._replace(related=())
        return await delete_where(shape, self._values, self._written_to)

    def __repr__(self) -> str:
        return f"<QuerySet of {self.model.__name__}: await it for its rows>"


class QuerySetManager(Generic[QuerySetT]):
    """What `as_manager()` puts into a class: reading it gives the queryset of all rows."""

    def __init__(self, queryset_class: type[QuerySetT]) -> None:
        self._queryset_class = queryset_class

    def __get__(self, instance: None, owner: type[Any]) -> QuerySetT:  # Any: any model
        if instance is not None:
            raise AttributeError(f"managers are reached from the class: {owner.__name__}.objects")
        return self._queryset_class(owner)


class _Row(Generic[M]):
    """One row by its index: `await queryset[3]`."""

    __slots__ = ("_index", "_query")

    def __init__(self, query: QuerySet[M], index: int) -> None:
        self._query = query
        self._index = index

    def __await__(self) -> Generator[Any, None, M]:
        return self._get().__await__()

    async def _get(self) -> M:
        found = await self._query._fetch()
        if not found:
            raise IndexError(f"{self._query.model.__name__} has no row at index {self._index}")
        return found[0]
