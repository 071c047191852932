"""What everything that the database computes has in common, and what binding asks of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeAlias

from transom.db.exceptions import FieldError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

    from transom.db.sql.column_type import ColumnKind
    from transom.db.sql.shapes import ConditionShape, ExpressionShape, Ordering, SelectShape


Operator: TypeAlias = Literal["+", "-", "*", "/", "%"]


class Bound(NamedTuple):
    """An expression bound to a query.

    Attributes:
        shape: what the SQL depends on.
        field: whose values it has; None where nobody knows. Any: a field of any type; fields stand above this module.
    """

    shape: ExpressionShape
    field: Any

    @property
    def known_field(self) -> Any:
        """The field.

        Raises:
            FieldError: nobody knows it.
        """
        if self.field is None:
            raise FieldError(
                "OuterRef and SQL of one's own have values of no known type here; give an output_field"
            )
        return self.field


class Binder(Protocol):
    """The query that an expression is bound to, and the values bound so far. Any: values, models and fields of any type."""

    def bind(self, expression: object, like: Any = None) -> Bound:
        """Return an expression or a plain value bound, appending its values.

        Args:
            expression: which; a str is a value here and not a name.
            like: the field that a plain value belongs to, if that is known.
        """
        ...

    def bare(self, value: Any) -> ExpressionShape:
        """Return a place for a value in SQL of one's own, appending the value."""
        ...

    def column(self, name: str, model: type[Any] | None = None) -> Bound:
        """Return a column, an annotation, or a part of one, by its name as in a lookup."""
        ...

    def outer(self, name: str, levels: int) -> Bound:
        """Return a column of a query around this one."""
        ...

    def condition(self, condition: object) -> ConditionShape:
        """Return the shape of a Q or of an expression that is a condition, appending its values."""
        ...

    def ordering(self, terms: Iterable[str | OrderBy | Expression]) -> tuple[Ordering, ...]:
        """Return the shape of terms to order by, appending their values."""
        ...

    def query(
        self, queryset: Any, *, one_column: bool = True, ordered: bool = False
    ) -> tuple[SelectShape, Bound]:
        """Return another query, within this one, and its one column, if it matters which one that is, or in which order."""
        ...

    def field(self, kind: ColumnKind, zone: tzinfo | None = None) -> Any:
        """Return the field of computed values of this kind; of points in time, which come back in this zone."""
        ...

    def output(self, field: Any) -> Any:
        """Return the field that an expression was told to have, which is the same for all that are equal."""
        ...

    def combine(self, left: Bound, operator: Operator, right: Bound) -> Bound:
        """Return two operands combined."""
        ...


class Expression:
    """Something the database computes for each row. Immutable.

    Operands that are no expressions travel as parameters. Any: an operand may be of any type a field takes; whether
    it fits is for the field beside which it stands.
    """

    __slots__ = ()

    is_condition = False
    """Whether it can stand in filter() by itself: it is true or false."""

    def bind(self, binder: Binder) -> Bound:
        """Return the shape of this expression in a query."""
        raise NotImplementedError(f"{type(self).__name__} must say its bind()")

    def asc(self, *, nulls_first: bool = False, nulls_last: bool = False) -> OrderBy:
        """Order by this, smallest first; NULL where the database puts it, if not said otherwise."""
        return OrderBy(self, False, _nulls(nulls_first, nulls_last))

    def desc(self, *, nulls_first: bool = False, nulls_last: bool = False) -> OrderBy:
        """Order by this, largest first; NULL where the database puts it, if not said otherwise."""
        return OrderBy(self, True, _nulls(nulls_first, nulls_last))

    def __add__(self, other: Any) -> Combined:
        return Combined(self, "+", other)

    def __radd__(self, other: Any) -> Combined:
        return Combined(other, "+", self)

    def __sub__(self, other: Any) -> Combined:
        return Combined(self, "-", other)

    def __rsub__(self, other: Any) -> Combined:
        return Combined(other, "-", self)

    def __mul__(self, other: Any) -> Combined:
        return Combined(self, "*", other)

    def __rmul__(self, other: Any) -> Combined:
        return Combined(other, "*", self)

    def __truediv__(self, other: Any) -> Combined:
        return Combined(self, "/", other)

    def __rtruediv__(self, other: Any) -> Combined:
        return Combined(other, "/", self)

    def __mod__(self, other: Any) -> Combined:
        return Combined(self, "%", other)

    def __rmod__(self, other: Any) -> Combined:
        return Combined(other, "%", self)

    def __neg__(self) -> Combined:
        return Combined(self, "*", -1)


class Combined(Expression):
    """Two operands and the operator between them; an operand that is no expression is a value."""

    __slots__ = ("left", "operator", "right")

    def __init__(self, left: Any, operator: Operator, right: Any) -> None:  # Any: see Expression
        self.left = left
        self.operator: Operator = operator
        self.right = right

    def bind(self, binder: Binder) -> Bound:
        """Return both operands, bound one after the other, and what they make."""
        left = binder.bind(self.left)
        return binder.combine(left, self.operator, binder.bind(self.right))

    def __repr__(self) -> str:
        return f"({self.left!r} {self.operator} {self.right!r})"


Nulls: TypeAlias = Literal["first", "last"] | None


class OrderBy(NamedTuple):
    """One thing to order by.

    Attributes:
        expression: what.
        descending: the largest first.
        nulls: where NULL stands; None for where the database puts it.
    """

    expression: Expression
    descending: bool = False
    nulls: Nulls = None


def _nulls(first: bool, last: bool) -> Nulls:
    if first and last:
        raise TypeError("nulls_first and nulls_last exclude each other")
    return "first" if first else "last" if last else None
