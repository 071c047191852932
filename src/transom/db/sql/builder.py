"""What building one statement carries along: its tables, and the places for values met so far."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import sqlalchemy as sa

from transom.db.sql.joins import Joins
from transom.db.sql.parameters import Parameter, value_converter
from transom.db.sql.shapes import ColumnOperand, RowOperand
from transom.db.sql.tables import Tables
from transom.db.sql.types import TextualType, parameter_type

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from sqlalchemy.types import TypeEngine

    from transom.db.sql.metadata import FieldLike, OptionsLike, Vendor
    from transom.db.sql.parameters import Converter
    from transom.db.sql.shapes import (
        ConditionShape,
        ExpressionShape,
        Lookup,
        SelectShape,
        SubqueryOperand,
    )

    # Any: columns of every type
    Column = sa.ColumnElement[Any]


T = TypeVar("T")


class Around(Protocol):
    """The query around the one at hand, while conditions are built there; it is `Outside` of `outside.py`."""

    def take_expression(self, shape: ExpressionShape, scope: int | None) -> Column:
        """Compute something within the query, and return it as it is called in the one around."""
        ...


class Builder:
    """The state of building one statement: its joins, and the parameters met so far. Mutable, used once.

    Attributes:
        vendor: whose SQL.
        joins: the tables of the query at hand.
        around: those of the queries around it, the nearest last.
        annotations: what the query at hand has annotated so far.
        aggregates: the names among them that are computed of groups.
        ctes: what stands before the statement, by name.
        joined: the CTEs that the query at hand joins, by name.
        outside: the query around the one at hand, while a condition on a window is built there; else None.
        parameters: where the arguments come from, of the places met so far.
        moved: what aggregates over a whole query are called with, by the name that it has as a column of that query; None
            where aggregates are part of the query itself.
    """

    def __init__(self, options: OptionsLike, vendor: Vendor) -> None:
        self.vendor: Vendor = vendor
        self.joins = Joins(options, Tables(vendor))
        self.around: list[Joins] = []
        self.annotations: dict[str, Column] = {}
        self.aggregates: set[str] = set()
        self.ctes: dict[str, sa.CTE] = {}
        self.joined: dict[str, sa.FromClause] = {}
        self.outside: Around | None = None
        self.parameters: list[Parameter] = []
        self.moved: dict[str, Column] | None = None
        self._tables_made = 0

    @contextmanager
    def within(self, joins: Joins) -> Generator[None]:
        """Build another query, within the one at hand."""
        before = self.joins, self.annotations, self.aggregates, self.joined, self.outside
        self.around.append(self.joins)
        self.joins, self.annotations, self.aggregates, self.joined, self.outside = joins, {}, set(), {}, None
        try:
            yield
        finally:
            self.joins, self.annotations, self.aggregates, self.joined, self.outside = before
            self.around.pop()

    def table_name(self) -> str:
        """Return a name for a query that becomes a table of the statement."""
        self._tables_made += 1
        return f"rows{self._tables_made}"

    def tables_around(self) -> list[sa.FromClause]:
        """Return the tables of the queries around the one at hand."""
        return [table for joins in self.around for table in joins.all_tables()]

    @contextmanager
    def using_joins(self, joins: Joins) -> Generator[None]:
        """Resolve paths in another set of tables, which are those of the same query read once more."""
        outer, self.joins = self.joins, joins
        try:
            yield
        finally:
            self.joins = outer

    def parameter(self, convert: Converter | None, kind: TypeEngine[Any], *, again: bool = False) -> Column:
        """Return the place of an argument made of the next value; or, once more, of the last one. Any: of any type."""
        if isinstance(kind, TextualType):
            return sa.cast(self.parameter(convert, sa.Text(), again=again), kind)
        place = self.parameters[-1].place + (not again) if self.parameters else 0
        self.parameters.append(Parameter(place, convert))
        return sa.bindparam(f"p{len(self.parameters) - 1}", type_=kind)

    def value(self, field: FieldLike) -> Column:
        """Return the place of the next value, one of a field's."""
        kind = parameter_type(field.column_type(), self.vendor)
        return comparable(self.parameter(value_converter(field, self.vendor), kind), field, self)

    def move(self, column: sa.ColumnElement[T]) -> sa.ColumnElement[T]:
        """Make something a column of the query at hand, and return that column as the query around it sees it."""
        moved = self.moved
        if moved is None:
            raise AssertionError("no query around this one asks for aggregates of it")
        name = f"a{len(moved)}"
        moved[name] = column
        return sa.column(name, column.type)

    def left(self, lookup: Lookup, scope: int | None) -> Column:
        """Return the left side of a comparison: a column as it is stored, or what is computed.

        Of a key of several columns it is the first one, which is NULL where all of them are.
        """
        if isinstance(lookup.left, RowOperand):
            return self.expression(lookup.left.parts[0], scope)
        if isinstance(lookup.left, ColumnOperand):
            return self.joins.column(lookup.left.path, scope)
        return self.expression(lookup.left, scope)

    # What stands above this module, in `expressions.py`, `conditions.py` and `statement.py`; StatementBuilder knows it all.

    def expression(self, shape: ExpressionShape, scope: int | None) -> Column:
        """Return what the database computes; `scope` as in `Joins.column`."""
        raise NotImplementedError

    def condition(self, shape: ConditionShape, scope: int | None) -> sa.ColumnElement[bool]:
        """Return a condition that decides over no row by itself."""
        raise NotImplementedError

    def column(self, shape: ExpressionShape) -> Column:
        """Return what is to be selected: a column as it is stored, or what is computed."""
        raise NotImplementedError

    def select(self, shape: SelectShape, columns: Callable[[], Sequence[Column]]) -> sa.Select[Any]:
        """Return a query of the columns, which are asked for once the tables of its conditions are joined."""
        raise NotImplementedError

    def members(self, operand: SubqueryOperand) -> sa.Select[Any]:
        """Return another query as the right side of IN. Any: a column of any type."""
        raise NotImplementedError

    def subselect(self, shape: SelectShape, column: ExpressionShape) -> sa.Select[Any]:
        """Return a query of one column, within the one at hand. Any: a column of any type."""
        raise NotImplementedError


def comparable(column: Column, field: FieldLike, builder: Builder) -> Column:
    """Return the column as it compares: SQLite holds decimals as text, which would sort as text."""
    if builder.vendor == "sqlite" and field.column_type().kind == "decimal":
        return sa.cast(column, sa.Numeric())
    return column
