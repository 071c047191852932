"""What is searched for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast, get_args

from transom.db.exceptions import FieldError
from transom.db.models.expressions import Bound, Expression
from transom.db.postgres.search.config import SearchConfig
from transom.db.postgres.search.fields import QUERY
from transom.db.postgres.search.lexemes import CombinableLexeme
from transom.db.sql.shapes import FunctionOperand

if TYPE_CHECKING:
    from transom.db.models.expressions import Binder
    from transom.db.sql.shapes import ExpressionShape

SearchType: TypeAlias = Literal["plain", "phrase", "raw", "websearch"]
"""How a text is read: as words of which all must be there; one directly after the other; in PostgreSQL's own notation; as in
the search engines of the web."""


def _query_of(name: str, *operands: ExpressionShape) -> Bound:
    return Bound(FunctionOperand(name, operands, QUERY.column_type()), QUERY)


class CombinableQuery(Expression):
    """What can be put together with `&` and `|`, and negated with `~`."""

    __slots__ = ()

    config: SearchConfig | None

    def __and__(self, other: Any) -> CombinedSearchQuery:
        return CombinedSearchQuery(self, "and", other)

    def __or__(self, other: Any) -> CombinedSearchQuery:
        return CombinedSearchQuery(self, "or", other)


class SearchQuery(CombinableQuery):
    """What is searched for: `SearchQuery("fat cats") & ~SearchQuery("dog")`.

    Args:
        value: the text, which travels as a parameter; an expression; or a `Lexeme`, which says its own notation.
        config: the configuration; that of the database if not given.
        invert: whether it must not fit; the same as `~`.
        search_type: how the text is read. Only `"raw"` can be written wrongly: a DataError.

    Raises:
        TypeError: the value is no text, or the search_type none.
    """

    __slots__ = ("config", "invert", "search_type", "value")

    def __init__(
        self,
        value: str | Expression,
        *,
        config: str | Expression | None = None,
        invert: bool = False,
        search_type: SearchType = "plain",
    ) -> None:
        if not isinstance(cast("object", value), str | Expression):
            raise TypeError(f"a SearchQuery is made of a text, not of {value!r}")
        if search_type not in get_args(SearchType):
            raise TypeError(
                f"search_type={search_type!r} is none; choose from {', '.join(get_args(SearchType))}"
            )
        self.value = value
        self.config = SearchConfig.of(config)
        self.invert = invert
        self.search_type: SearchType = "raw" if isinstance(value, CombinableLexeme) else search_type

    def bind(self, binder: Binder) -> Bound:
        """Return the query: of the configuration, then the text."""
        config = [] if self.config is None else [binder.bind(self.config).shape]
        name = f"query_{self.search_type}{'_in' if config else ''}"
        query = _query_of(name, *config, binder.bind(self.value).shape)
        return _query_of("query_not", query.shape) if self.invert else query

    def __invert__(self) -> SearchQuery:
        return SearchQuery(
            self.value, config=self.config, invert=not self.invert, search_type=self.search_type
        )

    def __repr__(self) -> str:
        config = "" if self.config is None else f", config={self.config.config!r}"
        return f"{'~' if self.invert else ''}SearchQuery({self.value!r}{config}, search_type={self.search_type!r})"


class CombinedSearchQuery(CombinableQuery):
    """Two queries, both of which must fit, or one of them. Any: expressions."""

    __slots__ = ("connector", "invert", "left", "right")

    def __init__(
        self, left: Any, connector: Literal["and", "or"], right: Any, *, invert: bool = False
    ) -> None:
        for side in (left, right):
            if not isinstance(side, Expression):
                raise TypeError(f"a SearchQuery is combined with another one, not with {side!r}")
        self.left = left
        self.connector: Literal["and", "or"] = connector
        self.right = right
        self.invert = invert

    @property
    def config(self) -> SearchConfig | None:  # pyright: ignore[reportIncompatibleVariableOverride]  # read alone
        """The configuration of the first."""
        return getattr(self.left, "config", None)

    def bind(self, binder: Binder) -> Bound:
        """Return both, bound one after the other."""
        sides = [_check_query(binder.bind(side), side).shape for side in (self.left, self.right)]
        query = _query_of(f"query_{self.connector}", *sides)
        return _query_of("query_not", query.shape) if self.invert else query

    def __invert__(self) -> CombinedSearchQuery:
        return CombinedSearchQuery(self.left, self.connector, self.right, invert=not self.invert)

    def __repr__(self) -> str:
        sign = "&" if self.connector == "and" else "|"
        return f"{'~' if self.invert else ''}({self.left!r} {sign} {self.right!r})"


def _check_query(bound: Bound, side: object) -> Bound:
    if bound.field is not None and bound.field.column_type().kind != "tsquery":
        raise FieldError(
            f"a SearchQuery is combined with another one, not with {side!r}; wrap it: SearchQuery(…)"
        )
    return bound
