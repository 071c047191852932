"""What can be asked of queries whatever the form of their results: all, one by one, one of them."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from transom.db.exceptions import FieldError
from transom.db.models.query.asking import AskingQuery
from transom.db.models.record import Record
from transom.db.sql.shapes import ColumnOperand, ColumnPath

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterable
    from typing import Self

    from transom.db.backends.base import Executor
    from transom.db.models.expressions import Expression, OrderBy, Q
    from transom.db.models.fields import Field
    from transom.db.models.query.loader import Load
    from transom.db.models.query.plans import Plan

M = TypeVar("M", bound=Record)
Row = TypeVar("Row")


class RowsQuery(AskingQuery[M], Generic[M, Row]):
    """A query whose results are of one type; awaiting it gives the list. Nothing is kept: it asks each time."""

    __slots__ = ()

    def __await__(
        self,
    ) -> Generator[Any, None, list[Row]]:  # Any: what the event loop and futures say to each other
        return self._fetch().__await__()

    async def _fetch(self) -> list[Row]:
        if self._empty:
            return []
        using, executor = self._where()
        plan = self._plan(executor, using)
        return await self._finish(plan.load(await executor.fetch(plan.sql, plan.encode(self._arguments()))))

    def _plan(self, executor: Executor, using: str) -> Plan:
        """Return the plan of the query."""
        raise NotImplementedError(f"{type(self).__name__} must say its plan")

    async def _finish(self, rows: list[Any]) -> list[Row]:
        """Return the results of what the plan has loaded. Any: results in the form of the plan."""
        raise NotImplementedError(f"{type(self).__name__} must say what its results are")

    def _result_loader(self, executor: Executor, using: str) -> Load:
        """Return what makes results of rows, before they are finished."""
        return self._plan(executor, using).load

    async def __aiter__(self) -> AsyncIterator[Row]:
        for row in await self._fetch():
            yield row

    async def iterator(self, chunk_size: int = 2000) -> AsyncGenerator[Row]:
        """Yield the results while they are read, never holding more than one chunk of rows.

        The connection is kept until the last row, or until the generator is closed: wrap it in `contextlib.aclosing`
        where the loop may be left early.
        """
        if self._empty:
            return
        using, executor = self._where()
        plan = self._plan(executor, using)
        stream = executor.stream(plan.sql, plan.encode(self._arguments()), chunk_size=chunk_size)
        async with aclosing(stream):
            async for rows in stream:
                for row in await self._finish(plan.load(rows)):
                    yield row

    @overload
    def __getitem__(self, index: int) -> OneRow[Row]: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Self | OneRow[Row]:
        if isinstance(index, slice):
            return self._slice(index)
        if index < 0:
            raise ValueError("a queryset takes no negative index; use last(), or reverse() the order")
        return OneRow(self._slice(slice(index, index + 1)), index)

    async def get(self, *conditions: Q | Expression, **lookups: Any) -> Row:
        """Return the one result for which the conditions hold.

        Args:
            conditions: as in filter().
            lookups: as in filter(). Any: each lookup takes its own type.

        Raises:
            DoesNotExist: there is none; the model's own class.
            MultipleObjectsReturned: there are more; the model's own class.
        """
        query = self.filter(*conditions, **lookups) if conditions or lookups else self._clone()
        if not query._is_sliced:
            query._high = 2  # it is ours alone; a second row is one too many
        found = await query._fetch()
        if len(found) == 1:
            return found[0]
        wanted = ", ".join(
            [*map(repr, conditions), *(f"{name}={value!r}" for name, value in lookups.items())]
        )
        if not found:
            raise self.model.DoesNotExist(f"no {self.model.__name__} matches ({wanted})")
        raise self.model.MultipleObjectsReturned(f"more than one {self.model.__name__} matches ({wanted})")

    async def first(self) -> Row | None:
        """Return the first result, in the order of the primary key if no other is settled; None if there is none."""
        found = await self._by_key_unless_ordered()._slice(slice(0, 1))._fetch()
        return found[0] if found else None

    async def last(self) -> Row | None:
        """Return the last result, in the order of the primary key if no other is settled; None if there is none."""
        return await self._by_key_unless_ordered().reverse().first()

    def _by_key_unless_ordered(self) -> Self:
        is_settled = (
            self.ordered or self._is_sliced or (self._grouping and self._grouping.columns is not None)
        )
        return self if is_settled else self.order_by("pk")

    async def earliest(self, *names: str | OrderBy | Expression) -> Row:
        """Return the first result in this order; in that of `get_latest_by` of the model if none is given.

        Raises:
            DoesNotExist: there is none; the model's own class.
            TypeError: nobody says in which order.
        """
        return await self._first_by(names, "earliest", reverse=False)

    async def latest(self, *names: str | OrderBy | Expression) -> Row:
        """Return the last result in this order; in that of `get_latest_by` of the model if none is given.

        Raises:
            DoesNotExist: there is none; the model's own class.
            TypeError: nobody says in which order.
        """
        return await self._first_by(names, "latest", reverse=True)

    async def _first_by(
        self, names: tuple[str | OrderBy | Expression, ...], method: str, *, reverse: bool
    ) -> Row:
        names = names or self._options.get_latest_by
        if not names:
            raise TypeError(f"{method}() needs what to order by: here, or as get_latest_by in class Meta")
        query = self.order_by(*names)
        found = await (query.reverse() if reverse else query)._slice(slice(0, 1))._fetch()
        if not found:
            raise self.model.DoesNotExist(f"no {self.model.__name__} is the {method}: there is none")
        return found[0]

    def _with_keys(self, id_list: Iterable[Any] | None, field_name: str) -> tuple[Self, Field[Any]]:
        """Return the query of the rows with these keys, and the field that they are of. Any: keys of any type."""
        field = self._options.get_field(field_name)
        if not field.unique and self._distinct != (ColumnOperand(ColumnPath((), field)),):
            raise FieldError(f"in_bulk() needs a unique field, and {field.label} is not")
        return self if id_list is None else self.filter(**{f"{field_name}__in": list(id_list)}), field


class OneRow(Generic[Row]):
    """One result by its index: `await queryset[3]`."""

    __slots__ = ("_index", "_query")

    def __init__(self, query: RowsQuery[Any, Row], index: int) -> None:
        self._query = query  # Any: of any model
        self._index = index

    def __await__(self) -> Generator[Any, None, Row]:
        return self._get().__await__()

    async def _get(self) -> Row:
        found = await self._query._fetch()
        if not found:
            raise IndexError(f"{self._query.model.__name__} has no row at index {self._index}")
        return found[0]
