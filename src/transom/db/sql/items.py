"""Indexes and constraints of a table, as data: what `sql/schema.py` makes DDL of.

Conditions and expressions come as shapes with the values that travel beside them, as in queries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from transom.db.sql.shapes import ConditionShape, ExpressionShape

Deferral: TypeAlias = Literal["DEFERRED", "IMMEDIATE"]
"""When a deferrable constraint is checked, unless the transaction says otherwise: at its end, or at each statement."""


class BoundCondition(NamedTuple):
    """A condition on columns of one table. Any: values of every type."""

    shape: ConditionShape
    values: tuple[Any, ...]


class BoundExpression(NamedTuple):
    """Something computed of columns of one table. Any: values of every type."""

    shape: ExpressionShape
    values: tuple[Any, ...]


class IndexKey(NamedTuple):
    """One part of an index.

    Attributes:
        subject: the name of a column, or an expression.
        descending: whether the largest comes first.
        opclass: the operator class, on PostgreSQL.
    """

    subject: str | BoundExpression
    descending: bool = False
    opclass: str | None = None


class IndexItem(NamedTuple):
    """An index, unique or not.

    Attributes:
        name: of the index.
        keys: its parts.
        unique: whether it is there to refuse a second row.
        condition: which rows it is about; None for all.
        include: columns that are only kept in it.
        method: `"gin"`, `"gist"` and so on, which PostgreSQL alone knows; None for a sorted one.
        storage: its storage parameters, on PostgreSQL.
        nulls_distinct: False where NULL equals NULL.
    """

    name: str
    keys: tuple[IndexKey, ...]
    unique: bool = False
    condition: BoundCondition | None = None
    include: tuple[str, ...] = ()
    method: str | None = None
    storage: tuple[tuple[str, Any], ...] = ()  # Any: numbers and words
    nulls_distinct: bool | None = None


class UniqueItem(NamedTuple):
    """A constraint that columns are unique together."""

    name: str
    columns: tuple[str, ...]
    deferrable: Deferral | None = None
    nulls_distinct: bool | None = None


class CheckItem(NamedTuple):
    """A condition that every row must meet."""

    name: str
    condition: BoundCondition


class ExclusionItem(NamedTuple):
    """Refuses two rows of which all the comparisons hold.

    Attributes:
        name: of the constraint.
        parts: keys, each with the operator that compares it.
        method: of the index behind it.
        condition: which rows it is about; None for all.
        deferrable: as in `UniqueItem`.
    """

    name: str
    parts: tuple[tuple[IndexKey, str], ...]
    method: str
    condition: BoundCondition | None = None
    deferrable: Deferral | None = None


class GeneratedItem(NamedTuple):
    """What a column always is."""

    column: str
    expression: BoundExpression


TableItem: TypeAlias = IndexItem | UniqueItem | CheckItem | ExclusionItem | GeneratedItem
