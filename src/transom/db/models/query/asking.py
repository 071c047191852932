"""The questions that queries of any form of results can be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transom.db import connections
from transom.db.exceptions import FieldError, TransactionError
from transom.db.models.query.base import M, Query, named_expressions
from transom.db.models.query.plans import aggregate_plan, count_plan, exists_plan
from transom.db.open_transaction import find_open
from transom.db.sql.shapes import spread
from transom.db.sql.walk import is_aggregate

if TYPE_CHECKING:
    from transom.db.backends.base import Executor
    from transom.db.models.expressions import Aggregate, Bound, Expression
    from transom.db.models.query.loader import Load
    from transom.db.sql.shapes import SelectShape


class AskingQuery(Query[M]):
    """A query that can be counted."""

    __slots__ = ()

    def _where(self) -> tuple[str, Executor]:
        """Return the alias of the database to ask, and what runs the query there.

        Raises:
            TransactionError: it locks rows, and no transaction is open that would hold the locks.
        """
        if self._beside is None or self._beside.lock is None:
            using = self._using
            return using, connections.executor(using)
        using = self._written_to  # nobody writes to what is locked in a replica
        if find_open(using) is None:
            raise TransactionError(
                "select_for_update() locks until the end of a transaction, and there is none; ask inside atomic()"
            )
        return using, connections.executor(using)

    # -- together with others --------------------------------------------------------------------------------------

    def _result_names(self) -> list[str]:
        """Return the names of the columns of each result."""
        return [*(field.attname for field in self._options.fields), *self._selected]

    def _result_loader(self, executor: Executor, using: str) -> Load:
        """Return what makes results of rows."""
        raise NotImplementedError(f"{type(self).__name__} must say what makes its results")

    def _form_results(self, rows: list[Any]) -> list[Any]:
        """Return the results in their form. Any: results of any form."""
        return rows

    def _refuse_related(self, what: str) -> None:
        """Refuse what cannot be done with rows that are read along, or with some columns only."""
        if self._related or self._columns is not None:
            raise TypeError(f"{self!r} cannot be {what}: drop select_related(), only() and defer()")

    def _as_part(self) -> tuple[SelectShape, tuple[Any, ...], tuple[Any, ...]]:
        """Return the query as one of several: shape, columns and values. Any: shapes and values of all types."""
        made = self._with_false() if self._empty else self
        is_ordered = made._is_sliced or isinstance(made._distinct, tuple)
        shape = made._shape(ordered=is_ordered)._replace(lock=None, ctes=())
        columns = tuple([column.shape for column in made._result_columns()])
        return shape, columns, made._own_arguments(ordered=is_ordered)

    # -- questions -------------------------------------------------------------------------------------------------

    def _column_shapes(self) -> tuple[Any, ...]:  # Any: shapes of expressions
        """Return what results are made of, where it matters for how many there are."""
        if self._distinct or self._grouping is not None:
            return tuple([column.shape for column in self._result_columns()])
        return ()

    async def count(self) -> int:
        """Return the number of results."""
        if self._empty:
            return 0
        executor = connections.executor(self._using)
        is_ordered = self._is_sliced or isinstance(self._distinct, tuple)
        shape = self._shape(ordered=is_ordered)._replace(lock=None)
        plan = count_plan(shape, self._column_shapes() or self._any_column(), executor.vendor)
        rows = await executor.fetch(plan.sql, plan.encode(self._arguments(ordered=is_ordered)))
        return int(rows[0][0])

    def _any_column(self) -> tuple[Any, ...]:  # Any: shapes of expressions
        """Return one column, for a table of which only the number of rows matters."""
        return spread(self._subquery_column().shape)[:1]

    async def exists(self) -> bool:
        """Return whether there is any result."""
        if self._empty:
            return False
        executor = connections.executor(self._using)
        shape = self._shape(ordered=self._is_sliced)
        plan = exists_plan(shape, executor.vendor)
        return bool(await executor.fetch(plan.sql, plan.encode(self._arguments(ordered=self._is_sliced))))

    async def aggregate(self, *aggregates: Aggregate, **expressions: Expression) -> dict[str, Any]:
        """Return aggregates over all results, by name: `await Choice.objects.aggregate(total=Sum("votes"))`.

        Any: values of all types; None where no row counts and there is no default.

        Args:
            aggregates: over one column each; their names are as `votes__sum`.
            expressions: aggregates, and what is computed of them, by name.

        Raises:
            FieldError: an unknown name, or something that is no aggregate.
        """
        named = named_expressions(aggregates, expressions)
        values: list[Any] = []
        binder = self._binder(values)
        bound = tuple([self._check_aggregate(name, binder.bind(each)) for name, each in named.items()])
        if not bound:
            return {}
        query = self._with_false() if self._empty else self
        if binder.ctes:
            query = query._clone()
            query._attach(binder.ctes)
        is_ordered = query._is_sliced or isinstance(query._distinct, tuple)
        executor = connections.executor(self._using)
        shape = query._shape(ordered=is_ordered)._replace(related=(), lock=None)
        plan = aggregate_plan(shape, self._column_shapes() or self._any_column(), bound, executor.vendor)
        arguments = query._arguments(ordered=is_ordered, selected=values)
        (row,) = plan.load(await executor.fetch(plan.sql, plan.encode(arguments)))
        return dict(zip(named, row, strict=True))

    def _check_aggregate(self, name: str, bound: Bound) -> Bound:
        if not is_aggregate(bound.shape, ()):
            raise FieldError(
                f"aggregate({name}=…) takes aggregates, such as Sum({name!r}), and what is computed of them"
            )
        return bound
