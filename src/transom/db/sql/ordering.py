"""Terms of ORDER BY, of queries, windows and aggregates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa
from sqlalchemy.sql.elements import ClauseList

if TYPE_CHECKING:
    from transom.db.sql.builder import Builder
    from transom.db.sql.metadata import Vendor
    from transom.db.sql.shapes import Ordering

    # Any: columns of every type
    Column = sa.ColumnElement[Any]


def build_ordering(ordering: Ordering, builder: Builder, scope: int | None) -> Column:
    """Return a term of ORDER BY."""
    if ordering.expression is None:
        return sa.func.random()
    return direct(builder.expression(ordering.expression, scope), ordering, builder.vendor)


def direct(column: Column, ordering: Ordering, vendor: Vendor) -> Column:
    """Return what is ordered by with its direction, and where NULL stands."""
    nulls = column.is_(None)
    column = column.desc() if ordering.descending else column.asc()
    if ordering.nulls is None:
        return column
    if vendor == "mysql":  # it has no word for it: what is false comes first
        return cast(
            "Column",
            ClauseList(nulls.asc() if ordering.nulls == "last" else nulls.desc(), column, group=False),
        )
    return column.nulls_first() if ordering.nulls == "first" else column.nulls_last()
