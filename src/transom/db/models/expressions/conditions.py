"""Conditions on rows, joined with `&`, `|`, `^` and `~`."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, NoReturn, TypeAlias

from transom.db.models.expressions.base import Expression

Connector: TypeAlias = Literal["AND", "OR", "XOR"]


class Condition(NamedTuple):
    """One comparison: the left side by name (`"choices__votes__gt"`), and what it is compared with."""

    name: str
    value: Any  # whatever the lookup takes
    model: type[Any] | None = None  # the model that the name starts from, where a typed column said so


class Q:
    """A condition for `filter` and `exclude`; immutable.

    `Q(text="x", votes__gt=3)` holds where both hold. `a & b`, `a | b` and `~a` make new ones; `a ^ b ^ c` holds where an
    odd number of them does.
    The comparisons of typed columns (`Question.text == "x"`) are Q objects too, and `Exists` can stand in the place of one.
    Migrations write `_connector="OR"` for `|`, and `_negated=True` for `~`.

    Args:
        conditions: Q objects, and expressions that are true or false.
        lookups: as in filter(). Any: each lookup takes its own type.
    """

    __slots__ = ("children", "connector", "negated")

    def __init__(self, *conditions: Q | Expression, **lookups: Any) -> None:
        # No parameters of their own, or checkers would not take a dict of lookups: Q(**lookups).
        self.connector: Connector = lookups.pop("_connector", "AND")
        self.negated: bool = lookups.pop("_negated", False)
        self.children: tuple[Child, ...] = (
            *conditions,
            *(Condition(name, value) for name, value in lookups.items()),
        )

    @classmethod
    def _build(cls, children: tuple[Child, ...], connector: Connector = "AND", negated: bool = False) -> Q:
        made = cls.__new__(cls)
        made.children, made.connector, made.negated = children, connector, negated
        return made

    @classmethod
    def of(cls, name: str, value: Any, model: type[Any] | None) -> Q:
        """Return the condition of one comparison. Any: a value of any type; a model of any class."""
        return cls._build((Condition(name, value, model),))

    def _combine(self, other: Q | Expression, connector: Connector) -> Q:
        if isinstance(other, Expression):
            other = Q(other)
        if not self.children:
            return other
        if not other.children:
            return self
        return self._build((*self._parts(connector), *other._parts(connector)), connector)

    def _parts(self, connector: Connector) -> tuple[Child, ...]:
        """Return what may be spliced into a condition of this connector: keeps long chains flat."""
        flat = not self.negated and (self.connector == connector or len(self.children) == 1)
        return self.children if flat else (self,)

    def __and__(self, other: Q | Expression) -> Q:
        return self._combine(other, "AND")

    def __or__(self, other: Q | Expression) -> Q:
        return self._combine(other, "OR")

    def __xor__(self, other: Q | Expression) -> Q:
        return self._combine(other, "XOR")

    def __invert__(self) -> Q:
        return self._build(self.children, self.connector, not self.negated)

    def __bool__(self) -> NoReturn:
        raise TypeError(
            f"the condition {self!r} has no truth value in Python; pass it to filter() or exclude()"
        )

    def __repr__(self) -> str:
        inner = f" {self.connector} ".join(
            f"{child.name}={child.value!r}" if isinstance(child, Condition) else repr(child)
            for child in self.children
        )
        return f"{'~' if self.negated else ''}Q({inner})"


Child: TypeAlias = Q | Condition | Expression
