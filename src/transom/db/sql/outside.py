"""Conditions on what windows compute.

Windows see the rows that WHERE and HAVING let through, so a condition on them can only be asked of the whole: the query
becomes a table, and the condition stands in a query around it. Conditions of the other kinds stay within, whatever the
order of the calls, as in Django. Where OR joins them to a condition on a window, they go along with it.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.sql import visitors

from transom.db.exceptions import FieldError
from transom.db.sql.joins import Joins
from transom.db.sql.shapes import ColumnOperand, Junction
from transom.db.sql.walk import bare_columns

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from transom.db.sql.builder import Builder
    from transom.db.sql.metadata import Hop
    from transom.db.sql.shapes import ColumnPath, ConditionShape, ExpressionShape, Grouping

    # Any: columns of every type
    Column = sa.ColumnElement[Any]


class Outside(Joins):
    """A query as the query around it sees it: what is asked for is selected within, and is a column here.

    Attributes:
        name: of the table that the query is.
        columns: what is selected within, by its name there.
        conditions: of the query around.
    """

    def __init__(self, builder: Builder, name: str) -> None:
        self._builder = builder
        self._within = (builder.joins, builder.annotations)
        self.tables, self.options = builder.joins.tables, builder.joins.options
        self.name = name
        self.columns: dict[str, Column] = {}
        self.conditions: list[sa.ColumnElement[bool]] = []
        self.annotations = _Annotations(self, builder.annotations)

    def take(self, column: Column) -> Column:
        """Select something within, and return it as it is called here; the same again if it was taken before."""
        inner = column.element if isinstance(column, sa.Label) else column
        name = next((name for name, known in self.columns.items() if _is_same(known, inner)), None)
        if name is None:
            name = f"c{len(self.columns)}"
            self.columns[name] = inner
        taken: Column = sa.literal_column(f"{self.name}.{name}", inner.type)
        return taken.label(column.name) if isinstance(column, sa.Label) else taken

    def take_expression(self, shape: ExpressionShape, scope: int | None) -> Column:
        """Compute something within."""
        builder = self._builder
        before = builder.joins, builder.annotations
        builder.joins, builder.annotations = self._within
        builder.outside = None
        try:
            return self.take(builder.expression(shape, scope))
        finally:
            builder.joins, builder.annotations = before
            builder.outside = self

    @contextmanager
    def around(self) -> Generator[None]:
        """Build what stands in the query around."""
        builder = self._builder
        builder.joins, builder.annotations, builder.outside = self, self.annotations, self
        try:
            yield
        finally:
            builder.joins, builder.annotations = self._within
            builder.outside = None

    def enclose(self, query: sa.Select[Any], selected: Sequence[Column]) -> sa.Select[Any]:
        """Return the query around one whose columns are those taken."""
        named = [
            each if isinstance(each, sa.Label) else each.label(f"s{place}")
            for place, each in enumerate(selected)
        ]
        return sa.select(*named).where(*self.conditions).select_from(query.subquery(self.name))

    def column(self, path: ColumnPath, scope: int | None = None) -> Column:
        """Return a column, selecting it within."""
        return self.take(self._within[0].column(path, scope))

    def all_tables(self) -> list[sa.FromClause]:
        """Return no table: columns go by names of ours."""
        return []

    def require(self, hops: tuple[Hop, ...], scope: int | None) -> None:
        """Do nothing: what does not matter here, windows have seen all the same."""


class _Annotations(dict[str, "Column"]):
    """What is annotated within, taken when it is asked for."""

    def __init__(self, outside: Outside, within: dict[str, Column]) -> None:
        self._outside = outside
        self._annotated = within

    def __missing__(self, name: str) -> Column:
        return self._outside.take(self._annotated[name])


def _is_same(one: Column, other: Column) -> bool:
    """Whether two columns are the same; those with values in them only if they are one object."""
    if one is other:
        return True
    # Two aliases of one table are the same to compare(), so what comes from tables must be one object.
    ours, theirs = _leaves(one), _leaves(other)
    if len(ours) != len(theirs) or any(
        a is not b or isinstance(a, sa.BindParameter) for a, b in zip(ours, theirs, strict=True)
    ):
        return False
    return not isinstance(one, sa.Column) and one.compare(other)


def _leaves(column: Column) -> list[object]:
    """Return what a column is computed of: columns of tables, and values."""
    return [part for part in visitors.iterate(column) if isinstance(part, sa.Column | sa.BindParameter)]


def conjuncts(shape: ConditionShape) -> Iterator[ConditionShape]:
    """Yield the conditions that must all hold."""
    if isinstance(shape, Junction) and shape.is_conjunction:
        for child in shape.children:
            yield from conjuncts(child)
    else:
        yield shape


def check_groups(shape: ConditionShape, grouping: Grouping | None) -> None:
    """Refuse a condition that would have to look into groups from outside.

    Raises:
        FieldError: it speaks of a column that differs within a group.
    """
    if grouping is None:
        return
    for path in bare_columns(shape):
        if path.is_many if grouping.columns is None else ColumnOperand(path) not in grouping.columns:
            raise FieldError(
                f"a condition on a Window over groups cannot speak of {path.field.name!r}, which differs within a group, "
                "in the same breath (OR, or under a NOT); ask for that in a filter() of its own, or by a Subquery"
            )
