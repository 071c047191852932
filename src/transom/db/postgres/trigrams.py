"""How alike texts are, by the groups of three characters that they share; it needs the extension `pg_trgm`.

What counts as alike is said by settings of PostgreSQL, such as `pg_trgm.similarity_threshold`; a `GinIndex` or `GistIndex`
with the operator class `gin_trgm_ops` or `gist_trgm_ops` makes the lookups fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from transom.db.models import Value
from transom.db.models.expressions import Bound, Expression
from transom.db.models.expressions.function import Function
from transom.db.models.fields.text import BaseTextField
from transom.db.models.lookups import Lookup
from transom.db.sql.shapes import FunctionOperand

if TYPE_CHECKING:
    from transom.db.models.expressions import Binder


class _BetweenTexts(Function):
    """A number that two texts have."""

    __slots__ = ()

    output = "float"
    arity = (2, 2)


class _OfColumn(_BetweenTexts):
    """Such a number, of a column and a text.

    Args:
        expression: the column by its name, or an expression. Any: of any type.
        string: the text, or an expression.
        output_field: see `Function`. Any: any field.
    """

    __slots__ = ()

    def __init__(self, expression: Any, string: str | Expression, *, output_field: Any = None) -> None:
        super().__init__(expression, _text(string), output_field=output_field)


class _OfWord(_BetweenTexts):
    """Such a number, of a text and the part of a column that is most like it.

    Args:
        string: the text, or an expression.
        expression: the column by its name, or an expression. Any: of any type.
        output_field: see `Function`. Any: any field.
    """

    __slots__ = ()

    def __init__(self, string: str | Expression, expression: Any, *, output_field: Any = None) -> None:
        super().__init__(_text(string), expression, output_field=output_field)


def _text(string: str | Expression) -> Expression:
    if not isinstance(cast("object", string), str | Expression):
        raise TypeError(f"likeness is that of a text, not of {string!r}")
    return Value(string) if isinstance(string, str) else string


class TrigramSimilarity(_OfColumn):
    """How alike two texts are, from 0 to 1: `TrigramSimilarity("name", "middelburg")`."""

    __slots__ = ()

    name = "similarity"


class TrigramDistance(_OfColumn):
    """1 less the similarity."""

    __slots__ = ()

    name = "trigram_distance"


class TrigramWordSimilarity(_OfWord):
    """How alike a text is to the part of another that is most like it: `TrigramWordSimilarity("middel", "name")`."""

    __slots__ = ()

    name = "word_similarity"


class TrigramWordDistance(_OfWord):
    """1 less the word similarity."""

    __slots__ = ()

    name = "trigram_word_distance"


class TrigramStrictWordSimilarity(_OfWord):
    """How alike a text is to the whole words of another that are most like it."""

    __slots__ = ()

    name = "strict_word_similarity"


class TrigramStrictWordDistance(_OfWord):
    """1 less the strict word similarity."""

    __slots__ = ()

    name = "trigram_strict_word_distance"


class _Alike(Expression):
    """Whether two texts are alike, by an entry of `sql/search.py`. Any: expressions of texts."""

    __slots__ = ("left", "name", "right")

    is_condition = True

    def __init__(self, name: str, left: Any, right: Any) -> None:
        self.name = name
        self.left = left
        self.right = right

    def bind(self, binder: Binder) -> Bound:
        """Return the comparison, the left side first."""
        field = binder.field("boolean")
        shapes = (binder.bind(self.left).shape, binder.bind(self.right).shape)
        return Bound(FunctionOperand(self.name, shapes, field.column_type()), field)

    def __repr__(self) -> str:
        return f"{self.name}({self.left!r}, {self.right!r})"


class _AlikeLookup(Lookup):
    def as_condition(self, lhs: Any, rhs: Any) -> Expression:
        """Return whether both sides are alike. Any: expressions."""
        return _Alike(type(self).lookup_name, lhs, rhs)


@BaseTextField.register_lookup
class TrigramSimilar(_AlikeLookup):
    """Whether the similarity of two texts is above the threshold, which is 0.3: `name__trigram_similar="middelburg"`."""

    lookup_name = "trigram_similar"


@BaseTextField.register_lookup
class TrigramWordSimilar(_AlikeLookup):
    """Whether the word similarity is above its threshold, which is 0.6."""

    lookup_name = "trigram_word_similar"


@BaseTextField.register_lookup
class TrigramStrictWordSimilar(_AlikeLookup):
    """Whether the strict word similarity is above its threshold, which is 0.5."""

    lookup_name = "trigram_strict_word_similar"
