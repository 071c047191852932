"""Queries of some columns as plain Python values, without objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from transom.db import connections
from transom.db.models.query.base import Query
from transom.db.models.query.lookups import resolve_path
from transom.db.models.query.plans import values_plan
from transom.db.models.record import Record

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator
    from typing import Self

    from transom.db.sql.shapes import SubqueryOperand

M = TypeVar("M", bound=Record)
Row = TypeVar("Row")


class ValuesQuery(Query[M], Generic[M, Row]):
    """What `values()` and `values_list()` return: awaiting it gives a list of dicts, tuples or single values."""

    __slots__ = ("_form", "_names", "_paths")

    def __init__(
        self, query: Query[M], names: tuple[str, ...], form: Literal["dict", "tuple", "flat"]
    ) -> None:
        query._copy_to(self)
        self._names = names
        self._form: Literal["dict", "tuple", "flat"] = form
        self._paths = tuple([resolve_path(self._options, name) for name in names])
        self._related = ()

    def _copy_to(self, made: Query[M]) -> None:
        super()._copy_to(made)
        if isinstance(made, ValuesQuery):
            made._names, made._form, made._paths = self._names, self._form, self._paths

    def __await__(
        self,
    ) -> Generator[Any, None, list[Row]]:  # Any: what the event loop and futures say to each other
        return self._fetch().__await__()

    async def _fetch(self) -> list[Row]:
        if self._empty:
            return []
        executor = connections.executor(self._using)
        plan = values_plan(self._shape(), self._paths, self._names, self._form, executor.vendor)
        return plan.load(await executor.fetch(plan.sql, plan.encode(self._arguments())))

    async def __aiter__(self) -> AsyncIterator[Row]:
        for row in await self._fetch():
            yield row

    def __getitem__(self, part: slice) -> Self:
        return self._slice(part)

    def as_operand(self) -> tuple[SubqueryOperand, tuple[Any, ...]]:
        """Return the query as the right side of `__in`, by its one column.

        Raises:
            TypeError: it has several columns, or one of another model.
        """
        if len(self._paths) != 1 or self._paths[0].hops:
            raise TypeError(
                "a queryset beside __in needs one column of its own model: .values_list('pk', flat=True)"
            )
        operand, values = super().as_operand()
        return operand._replace(column=self._paths[0].field), values
