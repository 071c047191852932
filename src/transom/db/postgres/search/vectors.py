"""The words of texts, as full-text search compares them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from transom.db.exceptions import FieldError
from transom.db.models.expressions import Bound, Expression, F
from transom.db.postgres.search.config import SearchConfig
from transom.db.postgres.search.fields import VECTOR
from transom.db.sql.shapes import FunctionOperand

if TYPE_CHECKING:
    from transom.db.models.expressions import Binder
    from transom.db.sql.shapes import ExpressionShape

Weight: TypeAlias = Literal["A", "B", "C", "D"]
"""How much words count; A counts most."""


def vector_of(name: str, *operands: ExpressionShape) -> Bound:
    """Return an entry of `sql/search.py` that makes a vector, called with operands."""
    return Bound(FunctionOperand(name, operands, VECTOR.column_type()), VECTOR)


class CombinableVector(Expression):
    """What can be put together with `+`, for the words of all."""

    __slots__ = ()

    config: SearchConfig | None

    # Sums of vectors are none of numbers.
    def __add__(self, other: Any) -> CombinedSearchVector:  # pyright: ignore[reportIncompatibleMethodOverride]
        return CombinedSearchVector(self, other)

    def __radd__(self, other: Any) -> CombinedSearchVector:  # pyright: ignore[reportIncompatibleMethodOverride]
        return CombinedSearchVector(other, self)


class SearchVector(CombinableVector):
    """The words of one or several texts: `SearchVector("title", "author__name", config="english")`.

    NULL counts as an empty text, and what is no text is read as one.

    Args:
        expressions: names of columns, and expressions. Any: of any type.
        weight: how much these words count in a `SearchRank`; "D" if not given.
        config: the configuration; that of the database if not given.

    Raises:
        TypeError: there is no text, or no such weight.
    """

    __slots__ = ("config", "expressions", "weight")

    def __init__(
        self,
        *expressions: Any,
        weight: Weight | Expression | None = None,
        config: str | Expression | None = None,
    ) -> None:
        if not expressions:
            raise TypeError("a SearchVector is made of at least one text: SearchVector('title')")
        if weight is not None and not isinstance(weight, Expression) and weight not in ("A", "B", "C", "D"):
            raise TypeError(f"weight={weight!r} is none; choose from A, B, C, D")
        self.expressions = tuple([F(each) if isinstance(each, str) else each for each in expressions])
        self.weight = weight
        self.config = SearchConfig.of(config)

    def bind(self, binder: Binder) -> Bound:
        """Return the words: of the configuration, the texts, then the weight."""
        config = [] if self.config is None else [binder.bind(self.config).shape]
        texts = [binder.bind(each).shape for each in self.expressions]
        vector = vector_of("vector_in" if config else "vector", *config, *texts)
        if self.weight is None:
            return vector
        return vector_of("vector_weighted", vector.shape, binder.bind(self.weight).shape)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return what makes an equal one."""
        given: dict[str, Any] = {"weight": self.weight, "config": self.config and self.config.config}
        keywords = {name: value for name, value in given.items() if value is not None}
        names = [each.path if type(each) is F else each for each in self.expressions]
        return "transom.db.postgres.SearchVector", names, keywords

    def __repr__(self) -> str:
        _, names, keywords = self.deconstruct()
        options = [f"{name}={value!r}" for name, value in keywords.items()]
        return f"SearchVector({', '.join([*map(repr, names), *options])})"


class CombinedSearchVector(CombinableVector):
    """Two vectors as one, the words of the second behind those of the first. Any: expressions."""

    __slots__ = ("left", "right")

    def __init__(self, left: Any, right: Any) -> None:
        for side in (left, right):
            if not isinstance(side, Expression):
                raise TypeError(f"a SearchVector is combined with another one, not with {side!r}")
        self.left = left
        self.right = right

    @property
    def config(self) -> SearchConfig | None:  # pyright: ignore[reportIncompatibleVariableOverride]  # read alone
        """The configuration of the first."""
        return getattr(self.left, "config", None)

    def bind(self, binder: Binder) -> Bound:
        """Return both, bound one after the other."""
        sides = [_check_vector(binder.bind(side), side).shape for side in (self.left, self.right)]
        return vector_of("vector_and", *sides)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return what makes an equal one."""
        return "transom.db.postgres.CombinedSearchVector", [self.left, self.right], {}

    def __repr__(self) -> str:
        return f"({self.left!r} + {self.right!r})"


def _check_vector(bound: Bound, side: object) -> Bound:
    if bound.field is not None and bound.field.column_type().kind != "tsvector":
        raise FieldError(
            f"a SearchVector is combined with another one, not with {side!r}; wrap it: SearchVector(…)"
        )
    return bound
