"""Queries of some columns as plain Python values, without objects."""

from __future__ import annotations

from collections import namedtuple
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from transom.db.models.expressions import Expression, F
from transom.db.models.query.compound import CompoundQuery
from transom.db.models.query.moments import with_moments
from transom.db.models.query.plans import values_plan
from transom.db.models.query.rows import RowsQuery
from transom.db.models.record import Record
from transom.db.sql.shapes import Grouping, RowOperand, SubqueryOperand, spread
from transom.db.sql.walk import is_aggregate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime, tzinfo

    from transom.db.backends.base import Executor
    from transom.db.models.expressions import Bound, Q
    from transom.db.models.query.asking import AskingQuery
    from transom.db.models.query.base import Query
    from transom.db.models.query.plans import Plan

M = TypeVar("M", bound=Record)
Row = TypeVar("Row")
Form = Literal["dict", "tuple", "flat", "named"]


class ChoosingQuery(RowsQuery[M, Row]):
    """A query whose results can be given another form."""

    __slots__ = ()

    def values(self, *names: str, **expressions: Expression | Q) -> ValuesQuery[M, dict[str, Any]]:
        """Return dicts of these columns. Any: columns of all types.

        Args:
            names: of columns, also of related rows, of their parts (`published__year`) and of annotations; all if none are given.
            expressions: further ones to compute, by name.
        """
        return ValuesQuery(self, names, expressions, "dict")

    @overload
    def values_list(
        self, *names: str | Expression, flat: Literal[False] = False, named: bool = False
    ) -> ValuesQuery[M, tuple[Any, ...]]: ...
    @overload
    def values_list(self, name: str | Expression, /, *, flat: Literal[True]) -> ValuesQuery[M, Any]: ...
    def values_list(
        self, *names: str | Expression, flat: bool = False, named: bool = False
    ) -> ValuesQuery[M, Any]:
        """Return tuples of these columns, or with `flat` the values of one. Any: columns of all types.

        Args:
            names: as in values(), and expressions.
            flat: whether to give the values of the one column.
            named: whether the tuples have the names as attributes.
        """
        if flat and named:
            raise TypeError("values_list() takes flat or named, not both")
        if flat and len(names) != 1:
            raise TypeError(f"values_list(flat=True) takes one name, not {len(names)}")
        expressions = {
            f"expression{place}": each for place, each in enumerate(names) if isinstance(each, Expression)
        }
        words = [each if isinstance(each, str) else f"expression{place}" for place, each in enumerate(names)]
        return ValuesQuery(self, words, expressions, "flat" if flat else "named" if named else "tuple")

    def dates(self, field: str, kind: str, order: str = "ASC") -> ValuesQuery[M, date]:
        """Return the years, months, weeks or days of which the rows have any, each once, by its first day.

        Args:
            field: the name of a DateField.
            kind: `"year"`, `"quarter"`, `"month"`, `"week"` or `"day"`.
            order: `"ASC"` or `"DESC"`.

        Raises:
            FieldError: there is no such field, or it holds something else.
            ValueError: an unknown kind or order.
        """
        moments = with_moments(self, field, "date", kind, order)
        return moments.values_list("datefield", flat=True).distinct()

    def datetimes(
        self, field_name: str, kind: str, order: str = "ASC", tzinfo: tzinfo | str | None = None
    ) -> ValuesQuery[M, datetime]:
        """Return the years, months, days, hours, minutes or seconds of which the rows have any, by when they began.

        Args:
            field_name: the name of a DateTimeField.
            kind: as of `dates`, or `"hour"`, `"minute"`, `"second"`.
            order: `"ASC"` or `"DESC"`.
            tzinfo: the zone, or its name; the current one if not given.

        Raises:
            FieldError: there is no such field, or it holds something else; there is no such zone.
            ValueError: an unknown kind or order.
        """
        moments = with_moments(self, field_name, "datetime", kind, order, tzinfo)
        return moments.values_list("datefield", flat=True).distinct()

    def union(self, *others: AskingQuery[Any], all: bool = False) -> CompoundQuery[Any]:
        """Return the rows of this query and of others; equal ones once, unless `all`.

        Args:
            others: with as many columns; what comes out is of this query's form. Any: of any model.
            all: whether equal rows stay.
        """
        return CompoundQuery.of(self, others, "UNION ALL" if all else "UNION")

    def intersection(self, *others: AskingQuery[Any]) -> CompoundQuery[Any]:
        """Return the rows of this query that are in all others too. Any: see `union`."""
        return CompoundQuery.of(self, others, "INTERSECT")

    def difference(self, *others: AskingQuery[Any]) -> CompoundQuery[Any]:
        """Return the rows of this query that are in none of the others. Any: see `union`."""
        return CompoundQuery.of(self, others, "EXCEPT")


class ValuesQuery(ChoosingQuery[M, Row]):
    """What `values()` and `values_list()` return: awaiting it gives a list of dicts, tuples or single values.

    What is annotated from here on is one more column, and an aggregate is over all rows that are equal in the others.

    Args:
        query: of which rows.
        names: of columns and annotations; all if there are none.
        expressions: what to compute beside them; where a name here is among `names`, its place is that.
        form: of the results.
    """

    __slots__ = ("_form", "_names", "_row_columns")

    def __init__(
        self, query: Query[M], names: Sequence[str], expressions: Mapping[str, Expression | Q], form: Form
    ) -> None:
        super(ValuesQuery, query)._copy_to(self) if isinstance(query, ValuesQuery) else query._copy_to(self)
        self._related, self._columns = (), None
        self._form: Form = form
        self._row_columns: tuple[Bound, ...] = ()
        self._names: tuple[str, ...] = ()
        if not names and not expressions:
            names = [*(field.attname for field in self._options.fields), *self._selected]
        for name in dict.fromkeys((*names, *expressions)):
            if name in expressions:
                self._add_annotation(name, expressions[name], select=True)
            else:
                self._add_name(name)

    def _copy_to(self, made: Query[M]) -> None:
        super()._copy_to(made)
        if isinstance(made, ValuesQuery):
            made._names, made._form, made._row_columns = self._names, self._form, self._row_columns

    def _add_name(self, name: str) -> None:
        values: list[Any] = []
        column = self._binder(values).column(name)
        if values:  # which have their place among those of the steps
            self._add_annotation(name, F(name), select=True)
        else:
            self._add_column(name, column)

    def _add_column(self, name: str, column: Bound) -> None:
        self._names = (*self._names, name)
        self._row_columns = (*self._row_columns, column)

    def _add_annotation(self, name: str, expression: Expression | Q, *, select: bool) -> None:
        super()._add_annotation(name, expression, select=select)
        if select:
            self._add_column(name, self._annotation(name))

    def _make_grouping(self) -> Grouping:
        """Return what groups the rows when the first aggregate is annotated: equal values."""
        return Grouping(
            tuple([column.shape for column in self._result_columns() if not is_aggregate(column.shape, ())])
        )

    def _result_columns(self) -> list[Bound]:
        return [
            column._replace(shape=part, field=field)
            for column in self._row_columns
            for part, field in zip(spread(column.shape), column.field.parts, strict=True)
        ]

    def _plan(self, executor: Executor, using: str) -> Plan:
        form = "tuple" if self._form == "named" else self._form
        return values_plan(self._shape(), self._row_columns, self._names, form, executor.vendor)

    def _result_names(self) -> list[str]:
        """Return the names of the columns of each result; in place of a key of several those of its parts."""
        names: list[str] = []
        for name, column in zip(self._names, self._row_columns, strict=True):
            parts = column.field.parts
            names += [name] if len(parts) == 1 else [part.attname for part in parts]
        return names

    def _form_results(self, rows: list[Any]) -> list[Any]:
        """Return the results in their form; those with names have a class of their own."""
        if self._form != "named":
            return rows
        # Any: its names are known only now
        make: Any = namedtuple("Row", self._names)  # pyright: ignore[reportUntypedNamedTuple]
        return [make(*row) for row in rows]

    async def in_bulk(
        self, id_list: Iterable[Any] | None = None, *, field_name: str = "pk"
    ) -> dict[Any, Row]:
        """Return the results of the rows with these keys by their keys. Any: keys of any type; see `QuerySet.in_bulk`.

        Raises:
            FieldError: the field is not unique.
            TypeError: these are groups, which have no keys, or keys are given and the query is sliced.
        """
        if self._grouping is not None and self._grouping.columns is not None:
            raise TypeError("in_bulk() is for rows, and these are groups, which have no keys")
        query, field = self._with_keys(id_list, field_name)
        keyed = query._clone()
        keyed._form = "tuple"
        keyed._row_columns = (*query._row_columns, self._binder([]).column(field.attname))
        keyed._names = (*query._names, "")
        rows: list[Any] = await keyed._fetch()
        return dict(zip([row[-1] for row in rows], query._formed([row[:-1] for row in rows]), strict=True))

    def _formed(self, rows: list[tuple[Any, ...]]) -> list[Row]:
        """Return tuples (of values of any type) in the form of this query."""
        match self._form:
            case "dict":
                made: list[Any] = [dict(zip(self._names, row, strict=True)) for row in rows]
                return made
            case "flat":
                return [row[0] for row in rows]
            case _:
                return self._form_results(rows)

    async def _finish(self, rows: list[Any]) -> list[Row]:
        return self._form_results(rows)

    def _subquery_column(self) -> Bound:
        """Return the one column that the query has within another.

        Raises:
            TypeError: it has several.
        """
        if len(self._row_columns) != 1:
            raise TypeError(
                f"a queryset within another needs one column, not {len(self._row_columns)}: .values_list('pk', flat=True)"
            )
        return self._row_columns[0]

    def as_operand(self) -> tuple[SubqueryOperand, tuple[Any, ...]]:
        """Return the query as the right side of `__in`; with several columns, for keys of as many."""
        if len(self._row_columns) == 1:
            return super().as_operand()
        shape, _, values = self.as_subquery(one_column=False)
        row = RowOperand(self._any_column())
        return SubqueryOperand(shape, row, null=True), values

    def _any_column(self) -> tuple[Any, ...]:  # Any: shapes of expressions
        return tuple([column.shape for column in self._result_columns()])
