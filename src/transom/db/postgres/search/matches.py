"""Whether words fit a query."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transom.db.models.expressions import Bound, Expression
from transom.db.postgres.search.lexemes import CombinableLexeme
from transom.db.postgres.search.queries import CombinableQuery
from transom.db.postgres.search.vectors import vector_of
from transom.db.sql.shapes import FunctionOperand

if TYPE_CHECKING:
    from transom.db.models.expressions import Binder


class Matches(Expression):
    """Whether words fit a query.

    Args:
        vector: the words, or a text, which is read in the language of the query.
        query: the query, or a text, which is read in the language of the vector. Any: expressions.
    """

    __slots__ = ("query", "vector")

    is_condition = True

    def __init__(self, vector: Any, query: Any) -> None:
        self.vector = vector
        self.query = query

    def bind(self, binder: Binder) -> Bound:
        """Return the comparison, the vector first."""
        left = self._bind_vector(binder)
        right = binder.bind(self.query)
        field = binder.field("boolean")
        shapes = (left.shape, right.shape)
        return Bound(FunctionOperand(self._name(right), shapes, field.column_type()), field)

    def _name(self, right: Bound) -> str:
        """Return the entry of `sql/search.py`."""
        if right.field is not None and right.field.column_type().kind == "tsquery":
            return "matches"
        return "matches_lexemes" if isinstance(self.query, CombinableLexeme) else "matches_words"

    def _bind_vector(self, binder: Binder) -> Bound:
        bound = binder.bind(self.vector)
        if bound.field is None or bound.field.column_type().kind == "tsvector":
            return bound
        config = self.query.config if isinstance(self.query, CombinableQuery) else None
        if config is None:
            return vector_of("vector", bound.shape)
        return vector_of("vector_read_in", bound.shape, binder.bind(config).shape)
