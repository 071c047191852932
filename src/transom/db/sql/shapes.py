"""The shape of a statement: all that its SQL depends on, and none of its values.

Shapes are tuples and interned objects, cheap to hash, and serve as keys of the plan cache. The values that a shape
has places for travel beside it in a flat list; compiling a shape meets the places in the same order as binding did.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transom.db.sql.column_type import ColumnType
    from transom.db.sql.metadata import FieldLike, Hop, OptionsLike, Vendor

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
    "regex",
    "iregex",
    "contained_by",
    "has_key",
    "has_keys",
    "has_any_keys",
    "overlap",
    "fully_lt",
    "fully_gt",
    "not_lt",
    "not_gt",
    "adjacent_to",
    "custom",
]
"""What is compared with what, and how; "custom" is whatever the operand of the comparison says."""


BETWEEN_SETS: Final[dict[LookupName, str]] = {
    "contains": "@>",
    "contained_by": "<@",
    "overlap": "&&",
    "fully_lt": "<<",
    "fully_gt": ">>",
    "not_lt": "&>",
    "not_gt": "&<",
    "adjacent_to": "-|-",
}
"""Lookups between arrays, and between ranges, as PostgreSQL writes them."""


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
    """The left side of a comparison and its kind. Interned, so equal only to itself.

    Attributes:
        left: what is compared: a column, or something computed of columns.
        field: whose values the left side has; it makes arguments of what is compared with.
        name: the kind.
        paths: the columns on the left side.
        source: the left side before it was bound, where each use of the lookup binds it anew; None where `left` is all there
            is to it. Any: an expression, of which this layer knows nothing.
        custom: the class of an application's own lookup. Any: as above.
    """

    left: ExpressionShape
    field: FieldLike
    name: LookupName
    paths: tuple[ColumnPath, ...]
    source: Any = None
    custom: Any = None

    @property
    def is_many(self) -> bool:
        """Whether the left side is on the far side of a relation with several rows."""
        return any(path.is_many for path in self.paths)

    @property
    def is_nullable(self) -> bool:
        """Whether the left side can be NULL. Of what is computed, nobody knows."""
        if isinstance(self.left, ColumnOperand | RowOperand):
            return any(path.is_nullable for path in self.paths)
        return True


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


class RowOperand(NamedTuple):
    """Several values side by side: a key of several columns. It is compared, counted and selected, and nothing else.

    Attributes:
        parts: the values.
    """

    parts: tuple[ExpressionShape, ...]


def spread(shape: ExpressionShape) -> tuple[ExpressionShape, ...]:
    """Return the values side by side that a shape is: those of a row, else the one that it is."""
    return shape.parts if isinstance(shape, RowOperand) else (shape,)


class OuterName(NamedTuple):
    """A column of the query around this one, by name as long as that query is not known.

    Attributes:
        name: the path, as in a lookup.
        levels: how many queries further out.
    """

    name: str
    levels: int


class OuterColumn(NamedTuple):
    """A column of the query around this one.

    Attributes:
        path: the way to it, from the model of that query.
        levels: how many queries further out.
    """

    path: ColumnPath
    levels: int


class AnnotationOperand(NamedTuple):
    """What was annotated under this name, in the same query."""

    name: str


class ConstantOperand(NamedTuple):
    """A value, which travels beside the shape; the field makes an argument of it."""

    field: FieldLike


class NullOperand(NamedTuple):
    """NULL, of the type of the field.

    Attributes:
        field: which.
        is_null: what sets it apart from a `ConstantOperand`, for tuples of different classes are equal if their parts are.
    """

    field: FieldLike
    is_null: Literal[True] = True


class CombinedOperand(NamedTuple):
    """Two operands and the operator between them."""

    left: ExpressionShape
    operator: str
    right: ExpressionShape


class FunctionOperand(NamedTuple):
    """A function of `sql/functions.py`.

    Attributes:
        name: which.
        operands: what it is called with.
        output: what it returns, where that is not the same for all operands.
    """

    name: str
    operands: tuple[ExpressionShape, ...]
    output: ColumnType | None = None


Pieces: TypeAlias = tuple[str | int, ...]
"""Text, and the numbers of the operands that stand in it."""
Template: TypeAlias = "tuple[tuple[Vendor | None, Pieces], ...]"
"""The text for each database that has one; None for all of them."""


class TemplateOperand(NamedTuple):
    """SQL of the application's own source code, with operands in it.

    Attributes:
        template: the text.
        operands: what stands in it.
        output: what it returns; None where nobody has said.
        owner: the class that says so, for errors.
    """

    template: Template
    operands: tuple[ExpressionShape, ...]
    output: ColumnType | None
    owner: str


class BareOperand(NamedTuple):
    """A value, which travels beside the shape, in SQL of the application's own: what it is there, only the database knows."""

    field: FieldLike


class CTEColumn(NamedTuple):
    """A column of a CTE that the query joins.

    Attributes:
        cte: its name.
        column: the name of the column in SQL.
        field: whose values it has.
    """

    cte: str
    column: str
    field: FieldLike


class DocumentPart(NamedTuple):
    """A part of a JSON document.

    Attributes:
        document: the column, or what is computed.
        steps: keys of objects and places in arrays, from the outermost on.
        form: what is wanted: the part as JSON, its text, or the number or text that it is.
    """

    document: ExpressionShape
    steps: tuple[str | int, ...]
    form: Literal["json", "text", "value"]


class CaseOperand(NamedTuple):
    """The value of the first branch whose condition holds, else the default."""

    branches: tuple[tuple[ConditionShape, ExpressionShape], ...]
    default: ExpressionShape


class TruthOperand(NamedTuple):
    """Whether a condition holds, as a value."""

    condition: ConditionShape


class AggregateOperand(NamedTuple):
    """A function over the rows of a group.

    Attributes:
        name: which, of `sql/aggregates.py`.
        operands: what it is called with, for each row; none for the number of rows.
        distinct: whether equal values count once.
        condition: which rows count; None for all.
        output: what it returns.
        order_by: in which order they count, where that matters.
    """

    name: str
    operands: tuple[ExpressionShape, ...]
    distinct: bool
    condition: ConditionShape | None
    output: ColumnType
    order_by: tuple[Ordering, ...] = ()


class WindowOperand(NamedTuple):
    """A function over the rows around each row.

    Attributes:
        function: of aggregates, or of the functions that only windows have.
        partition_by: rows that are equal in these are around each other.
        order_by: their order.
        frame: unit, first and last row, as SQL has them; None for SQL's own choice.
    """

    function: ExpressionShape
    partition_by: tuple[ExpressionShape, ...]
    order_by: tuple[Ordering, ...]
    frame: Frame | None


class Frame(NamedTuple):
    """The rows of a window, relative to the row at hand; None is as far as there are any."""

    unit: Literal["ROWS", "RANGE"]
    start: int | None
    end: int | None


class ScalarOperand(NamedTuple):
    """The first row of another query, by one column."""

    select: SelectShape
    column: ExpressionShape


class ExistsOperand(NamedTuple):
    """Whether another query has rows."""

    select: SelectShape


ExpressionShape: TypeAlias = (
    ColumnOperand
    | RowOperand
    | OuterName
    | OuterColumn
    | AnnotationOperand
    | ConstantOperand
    | NullOperand
    | CombinedOperand
    | FunctionOperand
    | TemplateOperand
    | BareOperand
    | CTEColumn
    | DocumentPart
    | CaseOperand
    | TruthOperand
    | AggregateOperand
    | WindowOperand
    | ScalarOperand
    | ExistsOperand
)


class RangeOperand(NamedTuple):
    """Both ends of a range."""

    low: Operand
    high: Operand


class SubqueryOperand(NamedTuple):
    """The rows of another query, by one of its columns, or a row of them.

    Attributes:
        select: the query.
        column: which.
        null: whether NULL can be among them.
    """

    select: SelectShape
    column: ExpressionShape
    null: bool


Operand: TypeAlias = Mark | ExpressionShape | RangeOperand | SubqueryOperand


class Comparison(NamedTuple):
    """A lookup and what it is compared with."""

    lookup: Lookup
    operand: Operand


class Junction(NamedTuple):
    """Conditions of which all (AND), some (OR) or an odd number (XOR) must hold, or must not."""

    connector: Literal["AND", "OR", "XOR"]
    negated: bool
    children: tuple[ConditionShape, ...]

    @property
    def is_conjunction(self) -> bool:
        """Whether it comes to the same to ask for each of its children."""
        return self.connector == "AND" and not self.negated


class Truth(NamedTuple):
    """A condition that is an expression of its own, such as EXISTS."""

    expression: ExpressionShape


ConditionShape: TypeAlias = Comparison | Junction | Truth


class Ordering(NamedTuple):
    """One thing to order by; None for random order.

    Attributes:
        expression: what.
        descending: the largest first.
        nulls: where NULL stands, if not where the database puts it.
    """

    expression: ExpressionShape | None
    descending: bool
    nulls: Literal["first", "last"] | None = None


class Annotation(NamedTuple):
    """A value that each row gets under a name."""

    name: str
    expression: ExpressionShape


class CTESource(NamedTuple):
    """That a query reads a CTE in the place of the model's table.

    Attributes:
        cte: its name.
        annotations: what the CTE has beside columns of the model, by the names that they have in the query.
    """

    cte: str
    annotations: tuple[tuple[str, CTEColumn], ...]


class CTEJoin(NamedTuple):
    """A CTE joined to a query.

    Attributes:
        cte: its name.
        condition: which of its rows go with a row of the query; None for all.
        outer: whether rows of the query stay that have none.
    """

    cte: str
    condition: ConditionShape | None
    outer: bool


Step: TypeAlias = ConditionShape | Annotation | CTESource | CTEJoin


class CTEShape(NamedTuple):
    """A query with a name, which stands before the statement that speaks of it.

    Attributes:
        name: by which it is spoken of.
        columns: the names of its columns in SQL.
        types: what they hold.
        parts: the query, and where it is recursive, the query of further rows, which speaks of it; each with its columns.
        all: whether rows that are found again, by the second part, stay.
        materialized: whether it is computed once and by itself; None to leave that to the database.
    """

    name: str
    columns: tuple[str, ...]
    types: tuple[ColumnType, ...]
    parts: tuple[tuple[SelectShape, tuple[ExpressionShape, ...]], ...]
    all: bool
    materialized: bool | None


class Grouping(NamedTuple):
    """What makes a group of rows: the expressions, or None for the row of the model."""

    columns: tuple[ExpressionShape, ...] | None


class Lock(NamedTuple):
    """How the rows that are read are locked until the end of the transaction.

    Attributes:
        nowait: whether to fail where a row is locked already.
        skip_locked: whether to leave such rows out.
        of: paths to the related rows to lock; the empty path is the model's own. None for all.
        no_key: whether rows that refer to these may still be written.
    """

    nowait: bool
    skip_locked: bool
    of: tuple[tuple[Hop, ...], ...] | None
    no_key: bool


class SelectShape(NamedTuple):
    """The rows of a query: which, in which order, with which related rows.

    Attributes:
        options: the model.
        steps: the calls of filter(), exclude(), annotate() and alias(), in their order. Conditions on a relation with several
            rows speak of the same row within one call, and of any rows in different calls; what is annotated speaks of the
            rows that the calls before it have chosen.
        ordering: in which order.
        distinct: True for rows that differ in any column, expressions for those that differ in these.
        related: the ways to related rows that are read with each row.
        offset: whether rows are skipped at the beginning; how many is a value.
        limit: whether there are at most so many.
        grouping: what a group is; None where nothing is grouped.
        lock: how rows are locked; None if they are not.
        ctes: what stands before the statement; none in queries within others.
    """

    options: OptionsLike
    steps: tuple[Step, ...]
    ordering: tuple[Ordering, ...]
    distinct: bool | tuple[ExpressionShape, ...]
    related: tuple[tuple[Hop, ...], ...]
    offset: bool
    limit: bool
    grouping: Grouping | None = None
    lock: Lock | None = None
    ctes: tuple[CTEShape, ...] = ()

    def spare_columns(self, columns: Sequence[ExpressionShape]) -> list[ExpressionShape]:
        """Return what to select beside the columns asked for: SELECT DISTINCT can only be ordered by what it selects."""
        if self.distinct is not True:
            return []
        spare = [order.expression for order in self.ordering]
        return [each for each in spare if each is not None and each not in columns]


class Assignment(NamedTuple):
    """A column and its new value."""

    field: FieldLike
    operand: Operand


class Conflict(NamedTuple):
    """What becomes of a new row that a unique constraint refuses.

    Attributes:
        unique: the columns of the constraint; none for any.
        update: the columns of the row that is there to set to the new values; none to leave it.
    """

    unique: tuple[FieldLike, ...]
    update: tuple[FieldLike, ...]


class CompoundShape(NamedTuple):
    """The rows of several queries together.

    Attributes:
        operator: how they are put together.
        parts: each query, and what it selects; all as many columns.
        ordering: the columns to order by, by their place, and whether the largest comes first.
        offset: whether rows are skipped at the beginning; how many is a value.
        limit: whether there are at most so many.
        ctes: what stands before the statement.
    """

    operator: Literal["UNION", "UNION ALL", "INTERSECT", "EXCEPT"]
    parts: tuple[tuple[SelectShape, tuple[ExpressionShape, ...]], ...]
    ordering: tuple[tuple[int, bool], ...]
    offset: bool
    limit: bool
    ctes: tuple[CTEShape, ...] = ()
