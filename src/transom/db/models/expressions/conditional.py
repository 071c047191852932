"""Values that depend on conditions: `Case(When(votes__gt=10, then=Value("many")), default=Value("few"))`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transom.db.models.expressions.base import Bound, Expression
from transom.db.models.expressions.conditions import Q
from transom.db.models.expressions.references import F
from transom.db.sql.shapes import CaseOperand, NullOperand, TruthOperand

if TYPE_CHECKING:
    from transom.db.models.expressions.base import Binder
    from transom.db.sql.shapes import ConditionShape, ExpressionShape


class When:
    """One branch of a `Case`.

    Args:
        conditions: Q objects and other conditions, all of which must hold.
        then: the value; a str is the name of a column. Any: of any type.
        lookups: further conditions, as in filter(). Any: each lookup takes its own type.
    """

    __slots__ = ("condition", "then")

    def __init__(self, *conditions: Q | Expression, then: Any, **lookups: Any) -> None:
        if not conditions and not lookups:
            raise TypeError("When needs a condition")
        self.condition = Q(*conditions, **lookups)
        self.then = F(then) if isinstance(then, str) else then

    def __repr__(self) -> str:
        return f"When({self.condition!r}, then={self.then!r})"


class Case(Expression):
    """The value of the first branch whose condition holds, else the default.

    Args:
        branches: When objects.
        default: the value if no condition holds; a str is the name of a column. Any: of any type.
        output_field: the field whose values it has, if not that of the first branch. Any: any field.
    """

    __slots__ = ("branches", "default", "output_field")

    def __init__(self, *branches: When, default: Any = None, output_field: Any = None) -> None:
        if not branches:
            raise TypeError("Case needs a When")
        self.branches = branches
        self.default = F(default) if isinstance(default, str) else default
        self.output_field = output_field

    def bind(self, binder: Binder) -> Bound:
        """Return the branches, bound one after the other, each condition before its value."""
        field: Any = None if self.output_field is None else binder.output(self.output_field)
        branches: list[tuple[ConditionShape, ExpressionShape]] = []
        for branch in self.branches:
            condition = binder.condition(branch.condition)
            value = binder.bind(branch.then, field)
            field = value.field if field is None else field
            branches.append((condition, value.shape))
        default = NullOperand(field) if self.default is None else binder.bind(self.default).shape
        return Bound(CaseOperand(tuple(branches), default), field)

    def __repr__(self) -> str:
        return f"Case({', '.join(map(repr, self.branches))}, default={self.default!r})"


class Truth(Expression):
    """Whether a condition holds, as a value: `annotate(popular=Truth(votes__gt=10))`. A Q in its place means the same.

    Args:
        conditions: as in filter().
        lookups: as in filter(). Any: each lookup takes its own type.
    """

    __slots__ = ("condition",)

    def __init__(self, *conditions: Q | Expression, **lookups: Any) -> None:
        self.condition = Q(*conditions, **lookups)

    def bind(self, binder: Binder) -> Bound:
        """Return the condition as a boolean."""
        return Bound(TruthOperand(binder.condition(self.condition)), binder.field("boolean"))

    def __repr__(self) -> str:
        return f"Truth({self.condition!r})"
