"""References to columns, and constants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transom.db.models.expressions.base import Expression

if TYPE_CHECKING:
    from transom.db.models.expressions.base import Binder, Bound


class F(Expression):
    """The value of a column of the row at hand: `F("votes")`, or across relations `F("question__published")`.

    What was annotated goes by its name too, and parts of values by their transforms: `F("published__year")`.
    """

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        self.path = path

    def bind(self, binder: Binder) -> Bound:
        """Return the column."""
        return binder.column(self.path)

    def __repr__(self) -> str:
        return f"F({self.path!r})"


class OuterRef(F):
    """In a query for `Subquery` or `Exists`: a column of the query around it. `OuterRef(OuterRef("pk"))` goes further out."""

    __slots__ = ("levels",)

    def __init__(self, path: str | OuterRef) -> None:
        super().__init__(path if isinstance(path, str) else path.path)
        self.levels: int = 0 if isinstance(path, str) else path.levels + 1

    def bind(self, binder: Binder) -> Bound:
        """Return the name, which is resolved when the query around binds this one."""
        return binder.outer(self.path, self.levels)

    def __repr__(self) -> str:
        return f"OuterRef({self.path!r})"


class Value(Expression):
    """A constant, for where a plain one would be taken for something else.

    Args:
        value: of a type that a field takes, or None.
        output_field: the field whose value it is; made of the type of the value if not given. Any: any field.
    """

    __slots__ = ("output_field", "value")

    def __init__(self, value: Any, output_field: Any = None) -> None:
        self.value = value
        self.output_field = output_field

    def bind(self, binder: Binder) -> Bound:
        """Return a place for the value."""
        like = None if self.output_field is None else binder.output(self.output_field)
        return binder.bind(self.value, like)

    def __repr__(self) -> str:
        return f"Value({self.value!r})"


class Settled(Expression):
    """Something that was bound before, as an operand of what is not."""

    __slots__ = ("bound",)

    def __init__(self, bound: Bound) -> None:
        self.bound = bound

    def bind(self, binder: Binder) -> Bound:
        """Return it as it is."""
        return self.bound


class Given(Expression):
    """A value of a field that is known, and may be one of a model. Any: of any type; any field."""

    __slots__ = ("field", "value")

    def __init__(self, value: Any, field: Any) -> None:
        self.value = value
        self.field = field

    def bind(self, binder: Binder) -> Bound:
        """Return a place for the value."""
        return binder.bind(self.value, self.field)

    def __repr__(self) -> str:
        return f"Value({self.value!r})"
