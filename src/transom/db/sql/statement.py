"""Whole statements: from a shape to SQL text and the converters of its arguments.

This is the cold path: it runs once per shape, and what it returns keeps no hold of SQLAlchemy's objects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.sql import visitors

from transom.db.exceptions import FieldError
from transom.db.sql.builder import Builder
from transom.db.sql.conditions import Position, build_condition
from transom.db.sql.ctes import add_cte, check_names, join_cte, read_cte
from transom.db.sql.dialects import dialect, undouble
from transom.db.sql.expressions import build_expression
from transom.db.sql.joins import Joins, column_of
from transom.db.sql.ordering import direct
from transom.db.sql.outside import Outside, check_groups, conjuncts
from transom.db.sql.rows import equal
from transom.db.sql.shapes import (
    Annotation,
    ColumnOperand,
    ColumnPath,
    CTEJoin,
    CTESource,
    Mark,
    RangeOperand,
    RowOperand,
    SubqueryOperand,
    spread,
)
from transom.db.sql.types import parameter_type
from transom.db.sql.walk import (
    asks_windows,
    filters_by_window,
    is_aggregate,
    is_window,
    reaches_out,
    window_names,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.sql.compiler import SQLCompiler

    from transom.db.sql.metadata import FieldLike, OptionsLike, Vendor
    from transom.db.sql.parameters import Parameter
    from transom.db.sql.shapes import (
        Assignment,
        CompoundShape,
        ConditionShape,
        ExpressionShape,
        Grouping,
        Lock,
        Ordering,
        SelectShape,
    )

    # Any: columns of every type
    Column = sa.ColumnElement[Any]


Q = TypeVar("Q", bound="sa.GenerativeSelect")


class Statement(NamedTuple):
    """SQL text, and for each of its placeholders, in their order, where the argument comes from."""

    sql: str
    parameters: tuple[Parameter, ...]


class Chosen(NamedTuple):
    """The conditions of a query.

    Attributes:
        where: on rows.
        having: on groups.
        outside: on what windows compute, in a query around; None if there are none.
    """

    where: list[Column]
    having: list[Column]
    outside: Outside | None = None


class StatementBuilder(Builder):
    """A builder that knows whole queries."""

    @classmethod
    def of(
        cls,
        shape: SelectShape | CompoundShape,
        options: OptionsLike,
        vendor: Vendor,
        *,
        nesting: bool = False,
    ) -> StatementBuilder:
        """Return the builder of a statement, with its CTEs built; `nesting` as in `add_cte`."""
        builder = cls(options, vendor)
        for cte in shape.ctes:
            add_cte(cte, builder, nesting=nesting)
        return builder

    def expression(self, shape: ExpressionShape, scope: int | None) -> Column:
        """Return what the database computes."""
        return build_expression(shape, self, scope)

    def condition(self, shape: ConditionShape, scope: int | None) -> sa.ColumnElement[bool]:
        """Return a condition that decides over no row by itself."""
        return build_condition(shape, self, Position(scope, required=False))

    def column(self, shape: ExpressionShape) -> Column:
        """Return what is to be selected: a column as it is stored, or what is computed."""
        if isinstance(shape, ColumnOperand):
            return self.joins.column(shape.path)
        return self.expression(shape, None)

    def members(self, operand: SubqueryOperand) -> sa.Select[Any]:
        """Return another query as the right side of IN: without NULL, which would make NOT IN undecided."""
        query, columns = self._inner(operand.select, spread(operand.column))
        # MySQL takes no LIMIT directly inside of IN.
        if (operand.select.offset or operand.select.limit) and (operand.null or self.vendor == "mysql"):
            labels = [column.label(f"member{number or ''}") for number, column in enumerate(columns)]
            rows = query.with_only_columns(*labels).subquery()
            members = cast("sa.Select[Any]", sa.select(*rows.c))
            return members.where(*(column.is_not(None) for column in rows.c)) if operand.null else members
        if not operand.null:
            return query
        known = [column.is_not(None) for column in columns]
        return query.where(*known) if not query._group_by_clauses else query.having(*known)

    def subselect(self, shape: SelectShape, column: ExpressionShape) -> sa.Select[Any]:
        """Return a query of one column, within the one at hand."""
        return self._inner(shape, [column])[0]

    def _inner(
        self, shape: SelectShape, columns: Sequence[ExpressionShape]
    ) -> tuple[sa.Select[Any], list[Column]]:
        with self.within(Joins(shape.options, self.joins.tables, alias=True)):
            query = self.select(shape, lambda: [self.column(each) for each in columns])
            # What a column of the query around joins there is known only now.
            query = query.correlate(*self.tables_around())
        return query, list(query.selected_columns)

    def select(self, shape: SelectShape, columns: Callable[[], Sequence[Column]]) -> sa.Select[Any]:
        """Return a query of the columns, which are asked for once the tables of the conditions are joined.

        The values are met in the order of the steps, then those of ordering, offset, limit.
        """
        for step in shape.steps:
            if isinstance(step, CTESource):
                read_cte(step, self)
        chosen = self._take_steps(shape)
        keys = [self._key(order) for order in shape.ordering]
        selected = list(columns())
        firsts = self._distinct_columns(shape)
        outside = chosen.outside
        if outside is None:
            query = self._choose(shape, chosen, selected, selected, keys)
        else:
            within, selected = selected, [outside.take(each) for each in selected]
            within = (
                within
                if shape.grouping and shape.grouping.columns is not None
                else [*outside.columns.values()]
            )
            grouped_keys, keys = keys, [outside.take(each) for each in keys]
            firsts = [outside.take(each) for each in firsts]
            taken = [column.label(name) for name, column in outside.columns.items()]
            rows = self._choose(shape, chosen, taken, within, grouped_keys).correlate(*self.tables_around())
            query = outside.enclose(rows, selected)
        query = query.order_by(
            *(direct(key, order, self.vendor) for key, order in zip(keys, shape.ordering, strict=True))
        )
        query = self.cut(query, offset=shape.offset, limit=shape.limit)
        if shape.distinct is True:
            query = query.distinct()
        elif firsts:
            query = query.ext(distinct_on(*firsts))
        return query if shape.lock is None else self._lock(query, shape.lock)

    def _distinct_columns(self, shape: SelectShape) -> list[Column]:
        """Return what rows must differ in."""
        if isinstance(shape.distinct, bool):
            return []
        if self.vendor != "postgresql":
            raise FieldError("distinct() on columns is PostgreSQL's; elsewhere choose the rows by a Subquery")
        return [self.expression(each, None) for each in shape.distinct]

    def _choose(
        self,
        shape: SelectShape,
        chosen: Chosen,
        selected: Sequence[Column],
        grouped: Sequence[Column],
        keys: Sequence[Column],
    ) -> sa.Select[Any]:
        """Return a query of columns without its order; `grouped` and `keys` are what its groups must know."""
        query = sa.select(*selected).where(*chosen.where)
        if shape.grouping is not None:
            query = query.group_by(*self._group(shape, shape.grouping, grouped, keys)).having(*chosen.having)
        return query.select_from(self.joins.from_clause())

    def _take_steps(self, shape: SelectShape) -> Chosen:
        """Note what is annotated, and return the conditions."""
        chosen = Chosen([], [])
        windows = window_names(shape.steps)
        for scope, step in enumerate(shape.steps):
            if isinstance(step, CTESource):
                continue
            if isinstance(step, CTEJoin):
                self._join(step, scope)
                continue
            if isinstance(step, Annotation):
                self.annotations[step.name] = self.column(step.expression)
                if is_aggregate(step.expression, self.aggregates):
                    self.aggregates.add(step.name)
                continue
            for part in conjuncts(step):
                if asks_windows(part, windows):
                    chosen = self._ask_outside(chosen, part, scope, shape)
                    continue
                side = chosen.having if is_aggregate(part, self.aggregates) else chosen.where
                side.append(build_condition(part, self, Position(scope)))
        return chosen

    def _join(self, step: CTEJoin, scope: int) -> None:
        table = join_cte(step.cte, self)
        on: sa.ColumnElement[bool] = sa.true()
        if step.condition is not None:
            on = build_condition(step.condition, self, Position(scope, required=False))
        self.joins.join(table, on, outer=step.outer)

    def _ask_outside(self, chosen: Chosen, part: ConditionShape, scope: int, shape: SelectShape) -> Chosen:
        """Put a condition on what a window computes into a query around this one."""
        check_groups(part, shape.grouping)
        if shape.lock is not None:
            raise FieldError(
                "select_for_update() cannot lock rows that were chosen by a Window; lock .filter(pk__in=those)"
            )
        if self.vendor == "mysql" and reaches_out((shape.steps, shape.ordering)):
            raise FieldError(
                "on MariaDB, a query that is filtered by a Window cannot speak of a query around it (OuterRef)"
            )
        outside = Outside(self, self.table_name()) if chosen.outside is None else chosen.outside
        with outside.around():
            outside.conditions.append(build_condition(part, self, Position(scope, required=False)))
        return chosen._replace(outside=outside)

    def _group(
        self, shape: SelectShape, grouping: Grouping, selected: Sequence[Column], keys: Sequence[Column]
    ) -> list[Column]:
        """Return what rows of one group are equal in; `keys` are what they are ordered by."""
        columns = [each.element if isinstance(each, sa.Label) else each for each in selected]
        if grouping.columns is not None:
            groups = [self.column(each) for each in grouping.columns]
            # What values() behind the first aggregate has chosen in the place of these.
            groups += [each for each in columns if isinstance(each, sa.Column)]
        else:
            # All columns of a table depend on its key.
            keyed = {self.joins.base: shape.options}
            for hops in shape.related:
                for length in range(1, len(hops) + 1):
                    keyed[self.joins.table(hops[:length])] = hops[length - 1].target
            groups: list[Column] = [
                column_of(table, field.column)
                for table, options in keyed.items()
                for field in options.pk_fields
            ]
            # Columns of other tables, of values().
            groups += [each for each in columns if isinstance(each, sa.Column) and each.table not in keyed]
            groups += [
                self.annotations[step.name]
                for step in shape.steps
                if isinstance(step, Annotation)
                and not is_aggregate(step.expression, self.aggregates)
                and not is_window(step.expression)
            ]
        for key, order in zip(keys, shape.ordering, strict=True):
            if order.expression is not None and not is_aggregate(order.expression, self.aggregates):
                groups.append(key)
        return list(dict.fromkeys(groups))

    def _lock(self, query: sa.Select[Any], lock: Lock) -> sa.Select[Any]:
        if self.vendor == "sqlite":
            return query  # whoever writes has the whole database for himself
        of = (
            None
            if lock.of is None or self.vendor == "mysql"
            else [self.joins.table(hops) for hops in lock.of]
        )
        return query.with_for_update(
            nowait=lock.nowait, skip_locked=lock.skip_locked, of=of, key_share=lock.no_key
        )

    def part(self, shape: SelectShape, columns: Sequence[ExpressionShape]) -> sa.Select[Any]:
        """Return one query of several whose rows are put together; its columns are `c0`, `c1` and so on."""
        with self.within(Joins(shape.options, self.joins.tables, alias=True)):
            query = self.select(
                shape, lambda: [self.column(each).label(f"c{place}") for place, each in enumerate(columns)]
            )
        if not (shape.offset or shape.limit):
            return query
        rows = query.subquery()  # SQLite allows no parentheses around a part, which a slice would need
        return sa.select(*rows.c)

    def cut(self, query: Q, *, offset: bool, limit: bool) -> Q:
        """Add LIMIT and OFFSET. For SQLite, SQLAlchemy would fill in the one that is missing by a parameter."""
        complete = self.vendor == "sqlite" and offset != limit
        if offset:
            query = query.offset(self.parameter(None, sa.BigInteger()))
        elif complete:
            query = query.offset(sa.literal_column("0"))
        if limit:
            query = query.limit(self.parameter(None, sa.BigInteger()))
        elif complete:
            query = query.limit(sa.literal_column("-1"))
        return query

    def _key(self, ordering: Ordering) -> Column:
        """Return what is ordered by."""
        return sa.func.random() if ordering.expression is None else self.expression(ordering.expression, None)

    def assignment(self, assignment: Assignment) -> Any:
        """Return the new value of a column. Any: of the column's type."""
        field, operand = assignment
        if operand is Mark.NULL:
            return sa.null()
        if operand is Mark.PARAMETER:
            kind = parameter_type(field.column_type(), self.vendor)
            return self.parameter(field.writer(self.vendor), kind)
        if isinstance(operand, Mark | RangeOperand | SubqueryOperand):
            raise AssertionError(f"no value for a column: {operand!r}")
        return self.expression(operand, None)

    def finish(self, statement: sa.ClauseElement) -> Statement:
        """Compile a statement to text."""
        check_names(self)
        compiled = statement.compile(dialect=dialect(self.vendor))
        names = cast("SQLCompiler", compiled).positiontup or ()
        parameters = tuple([self.parameters[int(name.removeprefix("p"))] for name in names])
        return Statement(str(compiled) if parameters else undouble(str(compiled), self.vendor), parameters)


def select_rows(shape: SelectShape, columns: Sequence[ExpressionShape], vendor: Vendor) -> Statement:
    """Compile the query of some columns."""
    builder = StatementBuilder.of(shape, shape.options, vendor)
    return builder.finish(builder.select(shape, lambda: [builder.column(each) for each in columns]))


def count_rows(shape: SelectShape, columns: Sequence[ExpressionShape], vendor: Vendor) -> Statement:
    """Compile the number of rows of a query, which are those of these columns."""
    builder = StatementBuilder.of(shape, shape.options, vendor)
    is_sliced = shape.offset or shape.limit
    if not is_sliced and not isinstance(shape.distinct, tuple):
        shape = shape._replace(ordering=())
    if not (shape.distinct or is_sliced or shape.grouping or filters_by_window(shape.steps)):
        return builder.finish(builder.select(shape, lambda: [sa.func.count()]))
    return builder.finish(sa.select(sa.func.count()).select_from(_rows(builder, shape, columns)))


def _rows(builder: StatementBuilder, shape: SelectShape, columns: Sequence[ExpressionShape]) -> sa.Subquery:
    """Return the rows of a query as a table, whose columns are `c0`, `c1` and so on."""
    wanted = [*columns, *shape.spare_columns(columns)]
    return builder.select(
        shape, lambda: [builder.column(each).label(f"c{number}") for number, each in enumerate(wanted)]
    ).subquery()


def aggregate_rows(
    shape: SelectShape,
    columns: Sequence[ExpressionShape],
    aggregates: Sequence[ExpressionShape],
    vendor: Vendor,
) -> Statement:
    """Compile aggregates over the rows of a query, one row with one column for each.

    Args:
        shape: the query.
        columns: what it selects, which matters where equal rows count once.
        aggregates: what to compute. Their values are met behind those of the ordering.
        vendor: whose SQL.
    """
    builder = StatementBuilder.of(shape, shape.options, vendor)
    is_sliced = shape.offset or shape.limit
    if not is_sliced and not isinstance(shape.distinct, tuple):
        shape = shape._replace(ordering=())
    if shape.distinct or is_sliced or shape.grouping or asks_windows(shape.steps, ()):
        return builder.finish(_aggregate_table(builder, shape, columns, aggregates))
    return builder.finish(builder.select(shape, lambda: [builder.column(each) for each in aggregates]))


def _aggregate_table(
    builder: StatementBuilder,
    shape: SelectShape,
    columns: Sequence[ExpressionShape],
    aggregates: Sequence[ExpressionShape],
) -> sa.Select[Any]:
    """Return aggregates over a query as a table, which has what they are called with among its columns."""
    outer: list[Column] = []

    def select_columns() -> list[Column]:
        selected = {f"c{number}": builder.column(each) for number, each in enumerate(columns)}
        builder.moved = {}
        outer.extend(builder.column(each) for each in aggregates)
        moved, builder.moved = builder.moved, None
        return [column.label(name) for name, column in (selected | moved).items()]

    rows = builder.select(shape, select_columns).subquery("rows")
    return sa.select(*outer).select_from(rows)


def any_row(shape: SelectShape, vendor: Vendor) -> Statement:
    """Compile whether a query has rows: one row if so, none if not."""
    builder = StatementBuilder.of(shape, shape.options, vendor)
    if not (shape.offset or shape.limit):
        shape = shape._replace(ordering=())
    query = builder.select(shape._replace(distinct=False, lock=None), lambda: [sa.literal_column("1")])
    if not shape.limit:
        query = query.limit(sa.literal_column("1"))
        if vendor == "sqlite" and not shape.offset:
            query = query.offset(sa.literal_column("0"))
    return builder.finish(query)


# MariaDB has no WITH there, and with one in front Python's sqlite3 counts no rows.
_WITH_CHANGES: Final = ("postgresql",)


def update_rows(
    shape: SelectShape, assignments: Sequence[Assignment], vendor: Vendor, returning: Sequence[FieldLike] = ()
) -> Statement:
    """Compile the change of columns in the rows of a query, which gives back columns of them if any are wanted."""
    builder = StatementBuilder.of(shape, shape.options, vendor, nesting=vendor not in _WITH_CHANGES)
    where = _row_condition(builder, shape)
    values = {assignment.field.column: builder.assignment(assignment) for assignment in assignments}
    table = builder.joins.tables.of(shape.options)
    if returning and vendor == "mysql":
        raise FieldError(
            "returning() of an update needs RETURNING, which MySQL has not there; query the rows afterwards"
        )
    update: Any = sa.update(table).values(values).where(*where)  # Any: RETURNING is a class of its own
    if returning:
        update = update.returning(*(table.c[field.column] for field in returning))
    return builder.finish(update)


def delete_rows(shape: SelectShape, vendor: Vendor, returning: Sequence[FieldLike] = ()) -> Statement:
    """Compile the deletion of the rows of a query, which gives back columns of them if any are wanted."""
    builder = StatementBuilder.of(shape, shape.options, vendor, nesting=vendor not in _WITH_CHANGES)
    where = _row_condition(builder, shape, may_join=not returning)
    table = builder.joins.tables.of(shape.options)
    delete: Any = sa.delete(table).where(*where)  # Any: see above
    if returning:
        delete = delete.returning(*(table.c[field.column] for field in returning))
    return builder.finish(delete)


def _row_condition(builder: StatementBuilder, shape: SelectShape, *, may_join: bool = True) -> list[Column]:
    """Return what says which rows to change: the conditions themselves, or the keys of a query where these join.

    Without `may_join` no other table is added to the statement, as MySQL asks of one with RETURNING.
    """
    if any(isinstance(step, CTESource) for step in shape.steps):
        raise FieldError(
            "the rows of a CTE cannot be changed; change those of the model: .filter(pk__in=cte.queryset().values('pk'))"
        )
    trial = StatementBuilder.of(shape, shape.options, builder.vendor)
    query = trial.select(shape, list)
    fields = shape.options.pk_fields
    operand = SubqueryOperand(
        shape, RowOperand(tuple(ColumnOperand(ColumnPath((), field)) for field in fields)), False
    )
    key = [builder.joins.base.c[field.column] for field in fields]
    if builder.vendor == "mysql" and (trial.joins or shape.grouping or _has_subquery(query)):
        matched = _matched_key(builder, operand)
        return [equal(key, matched) if may_join else _beside(key).in_(sa.select(*matched))]
    if trial.joins or shape.grouping or filters_by_window(shape.steps):
        return [_beside(key).in_(builder.members(operand))]
    return builder._take_steps(shape).where


def _beside(columns: Sequence[Column]) -> Any:  # Any: a column, or several side by side
    return columns[0] if len(columns) == 1 else sa.tuple_(*columns)


def _has_subquery(query: sa.Select[Any]) -> bool:
    return any(isinstance(part, sa.Select) and part is not query for part in visitors.iterate(query))


def _matched_key(builder: StatementBuilder, operand: SubqueryOperand) -> list[Column]:
    """Return the columns of the keys of a query as a table to join with.

    MySQL neither changes a table that a subquery reads, nor finds the rows of a subquery by an index in UPDATE and DELETE.
    DISTINCT has it find the keys before it changes anything.
    """
    return list(builder.members(operand).distinct().subquery("matched").c)


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


def compound_rows(shape: CompoundShape, vendor: Vendor) -> Statement:
    """Compile the rows of several queries together."""
    builder = StatementBuilder.of(shape, shape.parts[0][0].options, vendor)
    return builder.finish(_compound(builder, shape))


def count_compound_rows(shape: CompoundShape, vendor: Vendor) -> Statement:
    """Compile the number of rows of several queries together."""
    builder = StatementBuilder.of(shape, shape.parts[0][0].options, vendor)
    rows = _compound(builder, shape).subquery("rows")
    return builder.finish(sa.select(sa.func.count()).select_from(rows))


def _compound(builder: StatementBuilder, shape: CompoundShape) -> sa.CompoundSelect[Any]:
    parts = [builder.part(select, columns) for select, columns in shape.parts]
    query = _COMPOUNDS[shape.operator](*parts)
    for place, descending in shape.ordering:
        column: Column = sa.literal_column(f"c{place}")
        query = query.order_by(column.desc() if descending else column.asc())
    return builder.cut(query, offset=shape.offset, limit=shape.limit)


_COMPOUNDS: Final = {
    "UNION": sa.union,
    "UNION ALL": sa.union_all,
    "INTERSECT": sa.intersect,
    "EXCEPT": sa.except_,
}
