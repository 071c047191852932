"""`dates()` and `datetimes()`: the days, months and so on that there are in a column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from transom.db.exceptions import FieldError
from transom.db.models.expressions import F
from transom.db.models.expressions.functions.dates import (
    TruncDay,
    TruncHour,
    TruncMinute,
    TruncMonth,
    TruncSecond,
    TruncYear,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transom.db.models.query.base import Query
    from transom.db.sql.column_type import ColumnKind

Q = TypeVar("Q", bound="Query[Any]")  # Any: a query of any model

_OF_DATES: Final = {"year": TruncYear, "month": TruncMonth, "day": TruncDay}
_OF_DATETIMES: Final = {**_OF_DATES, "hour": TruncHour, "minute": TruncMinute, "second": TruncSecond}
_KINDS: Final[Mapping[ColumnKind, Mapping[str, Any]]] = {"date": _OF_DATES, "datetime": _OF_DATETIMES}


def with_moments(query: Q, name: str, column: ColumnKind, kind: str, order: str) -> Q:
    """Annotate rows with when the part of time began that a column is in, as `datefield`, and put them in that order.

    Args:
        query: of which rows; those with NULL are left out.
        name: of the field.
        column: what the field must be.
        kind: the part of time: `"year"`, `"month"` and so on.
        order: `"ASC"` or `"DESC"`.

    Raises:
        FieldError: there is no such field, or it holds something else.
        ValueError: an unknown kind or order.
    """
    truncs = _KINDS[column]
    if kind not in truncs:
        raise ValueError(f"{kind!r} is no part of a {column}; choose from {', '.join(truncs)}")
    if order not in ("ASC", "DESC"):
        raise ValueError(f"the order is 'ASC' or 'DESC', not {order!r}")
    field = query._binder([]).column(name).field
    if field.column_type().kind != column:
        raise FieldError(f"{column}s() takes the name of a {column} field, and {field.label} is none")
    known = query.filter(**{f"{name}__isnull": False}).annotate(datefield=truncs[kind](F(name)))
    return known.order_by("-datefield" if order == "DESC" else "datefield")
