"""Whole statements: from a shape to SQL text and the converters of its arguments.

This is the cold path: it runs once per shape, and what it returns keeps no hold of SQLAlchemy's objects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

import sqlalchemy as sa

from transom.db.sql.builder import Builder, comparable
from transom.db.sql.conditions import Position, build_condition
from transom.db.sql.dialects import dialect
from transom.db.sql.joins import Joins
from transom.db.sql.parameters import Parameter
from transom.db.sql.shapes import ColumnPath, Mark, SubqueryOperand
from transom.db.sql.types import parameter_type

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.sql.compiler import SQLCompiler

    from transom.db.sql.metadata import FieldLike, OptionsLike, Vendor
    from transom.db.sql.shapes import Assignment, SelectShape

    # Any: columns of every type
    Column = sa.ColumnElement[Any]


class Statement(NamedTuple):
    """SQL text, and for each of its placeholders, in their order, where the argument comes from."""

    sql: str
    parameters: tuple[Parameter, ...]


class StatementBuilder(Builder):
    """A builder that knows whole queries."""

    def subquery(self, operand: SubqueryOperand) -> sa.Select[Any]:
        """Return another query with one column, without NULL, which would make NOT IN undecided."""
        inner = Joins(operand.select.options, self.joins.tables, alias=True)
        column = inner.base.c[operand.column.column]
        with self.using_joins(inner):
            query = self.select(operand.select, lambda: [column])
        return query.where(column.is_not(None)) if operand.column.null else query

    def select(self, shape: SelectShape, columns: Callable[[], Sequence[Column]]) -> sa.Select[Any]:
        """Return a query of the columns, which are asked for once the tables of the conditions are joined.

        The values are met in the order filters, offset, limit.
        """
        conditions = [
            build_condition(part, self, Position(scope)) for scope, part in enumerate(shape.filters)
        ]
        ordering = [self._order(path, descending) for path, descending in shape.ordering]
        query = sa.select(*columns()).where(*conditions).order_by(*ordering)
        query = self._slice(query, shape)
        if shape.distinct:
            query = query.distinct()
        return query.select_from(self.joins.from_clause())

    def _slice(self, query: sa.Select[Any], shape: SelectShape) -> sa.Select[Any]:
        """Add LIMIT and OFFSET. For SQLite, SQLAlchemy would fill in the one that is missing by a parameter."""
        complete = self.vendor == "sqlite" and shape.offset != shape.limit
        if shape.offset:
            query = query.offset(self.parameter(None, sa.BigInteger()))
        elif complete:
            query = query.offset(sa.literal_column("0"))
        if shape.limit:
            query = query.limit(self.parameter(None, sa.BigInteger()))
        elif complete:
            query = query.limit(sa.literal_column("-1"))
        return query

    def _order(self, path: ColumnPath | None, descending: bool) -> Column:
        if path is None:
            return sa.func.random()
        column = comparable(self.joins.column(path), path.field, self)
        return column.desc() if descending else column.asc()

    def assignment(self, assignment: Assignment) -> Any:
        """Return the new value of a column. Any: of the column's type."""
        field, operand = assignment
        if operand is Mark.NULL:
            return sa.null()
        if operand is Mark.PARAMETER:
            kind = parameter_type(field.column_type(), self.vendor)
            return self.parameter(field.writer(self.vendor), kind)
        return self.operand(operand, field, None)

    def finish(self, statement: sa.ClauseElement) -> Statement:
        """Compile a statement to text."""
        compiled = statement.compile(dialect=dialect(self.vendor))
        names = cast("SQLCompiler", compiled).positiontup or ()
        places = [int(name.removeprefix("p")) for name in names]
        return Statement(str(compiled), tuple(Parameter(place, self.converters[place]) for place in places))


def select_rows(shape: SelectShape, paths: Sequence[ColumnPath], vendor: Vendor) -> Statement:
    """Compile the query of some columns."""
    builder = StatementBuilder(shape.options, vendor)
    return builder.finish(builder.select(shape, lambda: [builder.joins.column(path) for path in paths]))


def count_rows(shape: SelectShape, vendor: Vendor) -> Statement:
    """Compile the number of rows of a query."""
    builder = StatementBuilder(shape.options, vendor)
    sliced = shape.offset or shape.limit
    if not sliced:
        shape = shape._replace(ordering=())
    if not (shape.distinct or sliced):
        return builder.finish(builder.select(shape, lambda: [sa.func.count()]))
    paths = [ColumnPath((), field) for field in shape.options.fields]
    paths += shape.spare_columns(paths)
    inner = builder.select(shape, lambda: [builder.joins.column(path) for path in paths]).subquery()
    return builder.finish(sa.select(sa.func.count()).select_from(inner))


def any_row(shape: SelectShape, vendor: Vendor) -> Statement:
    """Compile whether a query has rows: one row if so, none if not."""
    builder = StatementBuilder(shape.options, vendor)
    if not (shape.offset or shape.limit):
        shape = shape._replace(ordering=())
    query = builder.select(shape._replace(distinct=False), lambda: [sa.literal_column("1")])
    if not shape.limit:
        query = query.limit(sa.literal_column("1"))
        if vendor == "sqlite" and not shape.offset:
            query = query.offset(sa.literal_column("0"))
    return builder.finish(query)


def update_rows(shape: SelectShape, assignments: Sequence[Assignment], vendor: Vendor) -> Statement:
    """Compile the change of columns in the rows of a query."""
    builder = StatementBuilder(shape.options, vendor)
    where = _row_condition(builder, shape)
    values = {assignment.field.column: builder.assignment(assignment) for assignment in assignments}
    return builder.finish(sa.update(builder.joins.tables.of(shape.options)).values(values).where(*where))


def delete_rows(shape: SelectShape, vendor: Vendor) -> Statement:
    """Compile the deletion of the rows of a query."""
    builder = StatementBuilder(shape.options, vendor)
    where = _row_condition(builder, shape)
    return builder.finish(sa.delete(builder.joins.tables.of(shape.options)).where(*where))


def _row_condition(builder: StatementBuilder, shape: SelectShape) -> list[Column]:
    """Return what says which rows to change: the conditions themselves, or the keys of a query where these join."""
    trial = StatementBuilder(shape.options, builder.vendor)
    trial.select(shape, list)
    if trial.joins:
        pk = shape.options.pk
        return [builder.joins.base.c[pk.column].in_(builder.subquery(SubqueryOperand(shape, pk)))]
    return [build_condition(part, builder, Position(scope)) for scope, part in enumerate(shape.filters)]


def insert_row(
    options: OptionsLike, fields: Sequence[FieldLike], returning: Sequence[FieldLike], vendor: Vendor
) -> Statement:
    """Compile the insertion of one row; the values are those of `fields`."""
    builder = StatementBuilder(options, vendor)
    table = builder.joins.tables.of(options)
    values = {
        field.column: builder.parameter(field.writer(vendor), parameter_type(field.column_type(), vendor))
        for field in fields
    }
    insert = sa.insert(table).values(values)
    if returning:
        insert = insert.returning(*(table.c[field.column] for field in returning))
    return builder.finish(insert)
