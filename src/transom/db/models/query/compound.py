"""The rows of several queries together: union, intersection, difference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar, overload

from transom.db.exceptions import FieldError
from transom.db.models.query.beside import merge_ctes
from transom.db.models.query.plans import compound_count_plan, compound_plan
from transom.db.sql.shapes import CompoundShape

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Generator, Sequence
    from typing import Self

    from transom.db.models.query.asking import AskingQuery
    from transom.db.models.query.beside import AnyCTE

Row = TypeVar("Row")
Operator: TypeAlias = Literal["UNION", "UNION ALL", "INTERSECT", "EXCEPT"]


class CompoundQuery(Generic[Row]):
    """What `union()` and its like return: awaiting it gives a list of results, in the form of those of the first query.

    It can be ordered, sliced and counted, and put together with more by the same operator. What else is to be asked, ask the
    queries before they are put together.
    Immutable, as querysets are.
    """

    __slots__ = ("_high", "_low", "_operator", "_ordering", "_queries")

    def __init__(self, queries: tuple[AskingQuery[Any], ...], operator: Operator) -> None:
        self._queries = queries  # Any: of any model
        self._operator: Operator = operator
        self._ordering: tuple[tuple[int, bool], ...] = ()
        self._low = 0
        self._high: int | None = None

    @classmethod
    def of(
        cls, query: AskingQuery[Any], others: Sequence[AskingQuery[Any]], operator: Operator
    ) -> CompoundQuery[Any]:
        """Return the queries put together. Any: of any model, with results of any form.

        Raises:
            FieldError: they have not the same number of columns.
            TypeError: there are no others, or one reads related rows along.
        """
        if not others:
            raise TypeError("there is nothing to put this query together with")
        return cls._checked((query, *others), operator)

    @classmethod
    def _checked(cls, queries: tuple[AskingQuery[Any], ...], operator: Operator) -> CompoundQuery[Any]:
        count = len(queries[0]._result_columns())
        for each in queries:
            each._refuse_related("put together with others")
            if len(each._result_columns()) != count:
                raise FieldError(
                    f"queries that are put together have the same columns: {each!r} has "
                    f"{len(each._result_columns())}, the first has {count}; choose some by values_list()"
                )
        return cls(queries, operator)

    def union(self, *others: AskingQuery[Any], all: bool = False) -> CompoundQuery[Row]:
        """See `ChoosingQuery.union`. Any, here and below: of any model."""
        return self._with(others, "UNION ALL" if all else "UNION")

    def intersection(self, *others: AskingQuery[Any]) -> CompoundQuery[Row]:
        """See `ChoosingQuery.intersection`."""
        return self._with(others, "INTERSECT")

    def difference(self, *others: AskingQuery[Any]) -> CompoundQuery[Row]:
        """See `ChoosingQuery.difference`."""
        return self._with(others, "EXCEPT")

    def _with(self, others: Sequence[AskingQuery[Any]], operator: Operator) -> CompoundQuery[Row]:
        if operator != self._operator or self._ordering or self._low or self._high is not None:
            raise TypeError(
                f"what is put together by {self._operator} takes more queries by {self._operator} only, before it is ordered "
                "or sliced; for others filter by a query: .filter(pk__in=…)"
            )
        return self._checked((*self._queries, *others), operator)

    def order_by(self, *names: str) -> Self:
        """Order by columns of the results, by their names; with `-` before them for the largest first.

        Raises:
            FieldError: the first query has no such column.
        """
        known = self._queries[0]._result_names()
        terms: list[tuple[int, bool]] = []
        for name in names:
            word = name.removeprefix("-")
            if word not in known:
                raise FieldError(f"the results have no column {word!r}; choose from {', '.join(known)}")
            terms.append((known.index(word), name.startswith("-")))
        made = self._clone()
        made._ordering = tuple(terms)
        return made

    def _clone(self) -> Self:
        made = type(self)(self._queries, self._operator)
        made._ordering, made._low, made._high = self._ordering, self._low, self._high
        return made

    @overload
    def __getitem__(self, part: int) -> Awaitable[Row]: ...
    @overload
    def __getitem__(self, part: slice) -> Self: ...
    def __getitem__(self, part: int | slice) -> Self | Awaitable[Row]:
        if isinstance(part, int):
            return self._at(part)
        if part.step is not None or (part.start or 0) < 0 or (part.stop or 0) < 0:
            raise ValueError("a query takes neither a step nor negative bounds in a slice")
        made = self._clone()
        made._low = self._low + (part.start or 0)
        if part.stop is not None:
            high = self._low + part.stop
            made._high = high if self._high is None else min(high, self._high)
        return made

    async def _at(self, index: int) -> Row:
        found = await self[index : index + 1]
        if not found:
            raise IndexError(f"{self!r} has no result at index {index}")
        return found[0]

    def __await__(
        self,
    ) -> Generator[Any, None, list[Row]]:  # Any: what the event loop and futures say to each other
        return self._fetch().__await__()

    async def _fetch(self) -> list[Row]:
        using, executor = self._queries[0]._where()
        load = self._queries[0]._result_loader(executor, using)  # as by itself
        plan = compound_plan(self._shape(), load, executor.vendor)
        return self._queries[0]._form_results(
            plan.load(await executor.fetch(plan.sql, plan.encode(self._arguments())))
        )

    async def __aiter__(self) -> AsyncIterator[Row]:
        for row in await self._fetch():
            yield row

    async def count(self) -> int:
        """Return the number of results."""
        _, executor = self._queries[0]._where()
        plan = compound_count_plan(self._shape(), executor.vendor)
        rows = await executor.fetch(plan.sql, plan.encode(self._arguments()))
        return int(rows[0][0])

    async def exists(self) -> bool:
        """Return whether there is any result."""
        return bool(await self[:1].count())

    async def first(self) -> Row | None:
        """Return the first result, or None."""
        found = await self[:1]._fetch()
        return found[0] if found else None

    def _shape(self) -> CompoundShape:
        parts = tuple([query._as_part()[:2] for query in self._queries])
        ctes = tuple([cte.shape for cte in self._ctes()])
        return CompoundShape(
            self._operator, parts, self._ordering, bool(self._low), self._high is not None, ctes
        )

    def _ctes(self) -> tuple[AnyCTE, ...]:
        """Return what stands before all of the queries."""
        return merge_ctes((), [cte for query in self._queries if query._beside for cte in query._beside.ctes])

    def _arguments(self) -> tuple[Any, ...]:
        values = [value for cte in self._ctes() for value in cte.values]
        values += [value for query in self._queries for value in query._as_part()[2]]
        if self._low:
            values.append(self._low)
        if self._high is not None:
            values.append(max(self._high - self._low, 0))
        return tuple(values)

    def __repr__(self) -> str:
        return f"<CompoundQuery of {len(self._queries)} queries: await it for its results>"
