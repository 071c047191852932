"""`dates()` and `datetimes()`: the days, months and so on that there are in a column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from transom.db.exceptions import FieldError
from transom.db.models.expressions import F
from transom.db.models.expressions.functions.dates import TRUNCS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import tzinfo

    from transom.db.models.query.base import Query
    from transom.db.sql.column_type import ColumnKind

Q = TypeVar("Q", bound="Query[Any]")  # Any: a query of any model

_OF_DATES: Final = ("year", "quarter", "month", "week", "day")
_KINDS: Final[Mapping[ColumnKind, Sequence[str]]] = {"date": _OF_DATES, "datetime": tuple(TRUNCS)}


def with_moments(
    query: Q, name: str, column: ColumnKind, kind: str, order: str, zone: tzinfo | str | None = None
) -> Q:
    """Annotate rows with when the part of time began that a column is in, as `datefield`, and put them in that order.

    Args:
        query: of which rows; those with NULL are left out.
        name: of the field.
        column: what the field must be.
        kind: the part of time: `"year"`, `"month"` and so on.
        order: `"ASC"` or `"DESC"`.
        zone: of points in time; the current one if not given.

    Raises:
        FieldError: there is no such field, or it holds something else.
        ValueError: an unknown kind or order.
    """
    if kind not in _KINDS[column]:
        raise ValueError(f"{kind!r} is no part of a {column}; choose from {', '.join(_KINDS[column])}")
    if order not in ("ASC", "DESC"):
        raise ValueError(f"the order is 'ASC' or 'DESC', not {order!r}")
    field = query._binder([]).column(name).field
    if field.column_type().kind != column:
        raise FieldError(f"{column}s() takes the name of a {column} field, and {field.label} is none")
    known = query.filter(**{f"{name}__isnull": False}).annotate(datefield=TRUNCS[kind](F(name), tzinfo=zone))
    return known.order_by("-datefield" if order == "DESC" else "datefield")
