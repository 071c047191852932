"""The shape of a statement: all that its SQL depends on, and none of its values.

Shapes are tuples and interned objects, cheap to hash, and serve as keys of the plan cache. The values that a shape
has places for travel beside it in a flat list; compiling a shape meets the places in the same order as binding did.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transom.db.sql.column_type import ColumnKind
    from transom.db.sql.metadata import FieldLike, Hop, OptionsLike

LookupName: TypeAlias = Literal[
    "exact",
    "iexact",
    "contains",
    "icontains",
    "startswith",
    "istartswith",
    "endswith",
    "iendswith",
    "in",
    "gt",
    "gte",
    "lt",
    "lte",
    "range",
    "isnull",
]


class ColumnPath(NamedTuple):
    """A column, and the way to it from the model that the statement is about."""

    hops: tuple[Hop, ...]
    field: FieldLike

    @property
    def is_many(self) -> bool:
        """Whether the way leads through a relation with several rows at its end."""
        return any(hop.many for hop in self.hops)

    @property
    def is_nullable(self) -> bool:
        """Whether NULL can be found at the end."""
        return self.field.null or any(hop.nullable for hop in self.hops)


@dataclass(frozen=True, slots=True, eq=False)
class Lookup:
    """The left side of a comparison and its kind. Interned per model and name, so equal only to itself."""

    path: ColumnPath
    name: LookupName


class Mark(Enum):
    """A right side without a value."""

    PARAMETER = "?"
    """One value, which travels beside the shape."""
    NULL = "is null"
    NOT_NULL = "is not null"
    NEVER = "never"
    """A value that no row can match: a number too large for the column."""
    ALWAYS = "always"
    """A value that every row matches that has one at all: less than a number too large for the column."""


class ColumnOperand(NamedTuple):
    """The value of a column."""

    path: ColumnPath


class ConstantOperand(NamedTuple):
    """A value in arithmetic, of the type that Python gave it."""

    kind: ColumnKind


class CombinedOperand(NamedTuple):
    """Two operands and the operator between them."""

    left: ExpressionShape
    operator: str
    right: ExpressionShape


ExpressionShape: TypeAlias = ColumnOperand | ConstantOperand | CombinedOperand


class RangeOperand(NamedTuple):
    """Both ends of a range."""

    low: Operand
    high: Operand


class SubqueryOperand(NamedTuple):
    """The rows of another query, by one of its columns."""

    select: SelectShape
    column: FieldLike


Operand: TypeAlias = Mark | ExpressionShape | RangeOperand | SubqueryOperand


class Comparison(NamedTuple):
    """A lookup and what it is compared with."""

    lookup: Lookup
    operand: Operand


class Junction(NamedTuple):
    """Conditions that all (AND) or some (OR) must hold, or must not."""

    connector: Literal["AND", "OR"]
    negated: bool
    children: tuple[ConditionShape, ...]


ConditionShape: TypeAlias = Comparison | Junction


class Ordering(NamedTuple):
    """One column to order by; None for random order."""

    path: ColumnPath | None
    descending: bool


class SelectShape(NamedTuple):
    """The rows of a query: which, in which order, with which related rows.

    Each element of `filters` is one call of filter() or exclude(): conditions on a relation with several rows
    speak of the same row within one call, and of any rows in different calls.
    """

    options: OptionsLike
    filters: tuple[ConditionShape, ...]
    ordering: tuple[Ordering, ...]
    distinct: bool
    related: tuple[tuple[Hop, ...], ...]
    offset: bool
    limit: bool

    def spare_columns(self, paths: Sequence[ColumnPath]) -> list[ColumnPath]:
        """Return the columns to select beside those asked for: SELECT DISTINCT can only be ordered by its columns."""
        if not self.distinct:
            return []
        return [path for path, _ in self.ordering if path is not None and path not in paths]


class Assignment(NamedTuple):
    """A column and its new value."""

    field: FieldLike
    operand: Operand
