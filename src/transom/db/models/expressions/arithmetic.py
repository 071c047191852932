"""Values computed by the database: references to columns, constants, and sums of them."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

Operator: TypeAlias = Literal["+", "-", "*", "/", "%"]


class Expression:
    """Something the database computes for each row. Immutable.

    Operands that are no expressions travel as parameters. Any: an operand may be of any type a field takes; whether
    it fits is for the field beside which it stands.
    """

    __slots__ = ()

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


class F(Expression):
    """The value of a column of the row at hand: `F("votes")`, or across relations `F("question__published")`."""

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        self.path = path

    def __repr__(self) -> str:
        return f"F({self.path!r})"


class Value(Expression):
    """A constant, for where a plain one would be taken for something else."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:  # Any: a constant of any type a field takes
        self.value = value

    def __repr__(self) -> str:
        return f"Value({self.value!r})"


class Combined(Expression):
    """Two operands and the operator between them."""

    __slots__ = ("left", "operator", "right")

    def __init__(self, left: Any, operator: Operator, right: Any) -> None:  # Any: see Expression
        self.left: Expression = left if isinstance(left, Expression) else Value(left)
        self.operator: Operator = operator
        self.right: Expression = right if isinstance(right, Expression) else Value(right)

    def __repr__(self) -> str:
        return f"({self.left!r} {self.operator} {self.right!r})"
