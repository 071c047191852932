"""Functions that only PostgreSQL has."""

from __future__ import annotations

from transom.db.models.expressions.function import Function


class TransactionNow(Function):
    """The time at which the transaction began, the same for all of its statements; `Now()` is that of the statement."""

    __slots__ = ()

    name = "transaction_now"
    output = "datetime"
    arity = (0, 0)
