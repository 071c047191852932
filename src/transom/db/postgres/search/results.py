"""How well a row fits a query, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from transom.db.models.expressions import Bound, Expression, F
from transom.db.postgres.search.config import SearchConfig
from transom.db.postgres.search.queries import SearchQuery
from transom.db.postgres.search.vectors import SearchVector
from transom.db.sql.shapes import FunctionOperand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transom.db.models.expressions import Binder


class SearchRank(Expression):
    """How well a row fits a query, a float; the more, the better. Order by it: `order_by(SearchRank("title", "cat").desc())`.

    Args:
        vector: the words; of a str, those of the column of this name.
        query: what is searched for; a str is the text of a `SearchQuery`.
        weights: what words of the weights D, C, B and A count, from 0 to 1; 0.1, 0.2, 0.4 and 1.0 if not given.
        normalization: how the length of a text counts: PostgreSQL's numbers, such as 2 for dividing by it, added up.
        cover_density: whether it counts how near to each other the words are.

    Raises:
        TypeError: the weights or the normalization are none.
    """

    __slots__ = ("cover_density", "normalization", "query", "vector", "weights")

    def __init__(
        self,
        vector: str | Expression,
        query: str | Expression,
        *,
        weights: Sequence[float] | Expression | None = None,
        normalization: int | Expression | None = None,
        cover_density: bool = False,
    ) -> None:
        self.vector = SearchVector(vector) if isinstance(vector, str) else vector
        self.query = SearchQuery(query) if isinstance(query, str) else query
        self.weights = weights if weights is None or isinstance(weights, Expression) else _array(weights)
        if (
            normalization is not None
            and not isinstance(normalization, Expression)
            and type(normalization) is not int
        ):
            raise TypeError(
                f"normalization={normalization!r} is none; take a number such as 2, or several added up"
            )
        self.normalization = normalization
        self.cover_density = cover_density

    def bind(self, binder: Binder) -> Bound:
        """Return the rank: of the weights, the vector, the query, then the normalization."""
        operands = (self.weights, self.vector, self.query, self.normalization)
        shapes = tuple([binder.bind(each).shape for each in operands if each is not None])
        name = f"ts_rank{'_cd' if self.cover_density else ''}{'' if self.weights is None else '_weighted'}"
        field = binder.field("float")
        return Bound(FunctionOperand(name, shapes, field.column_type()), field)

    def __repr__(self) -> str:
        return f"SearchRank({self.vector!r}, {self.query!r})"


def _array(weights: Sequence[float]) -> str:
    given = cast("Sequence[object]", weights)
    if isinstance(given, str) or len(given) != 4 or not all(_is_share(each) for each in given):
        raise TypeError(f"weights={weights!r}: give four numbers from 0 to 1, for D, C, B and A")
    return "{" + ",".join(repr(float(each)) for each in weights) + "}"


def _is_share(weight: object) -> bool:
    return isinstance(weight, int | float) and not isinstance(weight, bool) and 0 <= weight <= 1


_OPTIONS: Final = {
    "start_sel": ("StartSel", str),
    "stop_sel": ("StopSel", str),
    "max_words": ("MaxWords", int),
    "min_words": ("MinWords", int),
    "short_word": ("ShortWord", int),
    "highlight_all": ("HighlightAll", bool),
    "max_fragments": ("MaxFragments", int),
    "fragment_delimiter": ("FragmentDelimiter", str),
}


class SearchHeadline(Expression):
    """The part of a text where the words of a query are, and these marked: `SearchHeadline("body", "cat", start_sel="<b>")`.

    The text itself is left as it is: what users have written there may be HTML. Escape before you mark a page as safe.

    Args:
        expression: the text; a str is the name of a column.
        query: what is searched for; a str is the text of a `SearchQuery` with the same configuration.
        config: the configuration; that of the database if not given.
        start_sel: what stands before a word that fits; `<b>` if not given.
        stop_sel: what stands behind it; `</b>`.
        max_words: how long it is at most; 35.
        min_words: how long it is at least; 15.
        short_word: words of at most so many characters are left out at both ends; 3.
        highlight_all: whether it is the whole text.
        max_fragments: how many parts there are at most; 0 for one, chosen in another way.
        fragment_delimiter: what stands between the parts; ` ... `.

    Raises:
        TypeError: an option is none.
    """

    __slots__ = ("config", "expression", "options", "query")

    def __init__(
        self,
        expression: str | Expression,
        query: str | Expression,
        *,
        config: str | Expression | None = None,
        start_sel: str | None = None,
        stop_sel: str | None = None,
        max_words: int | None = None,
        min_words: int | None = None,
        short_word: int | None = None,
        highlight_all: bool | None = None,
        max_fragments: int | None = None,
        fragment_delimiter: str | None = None,
    ) -> None:
        self.expression = F(expression) if isinstance(expression, str) else expression
        self.config = SearchConfig.of(config)
        self.query = SearchQuery(query, config=config) if isinstance(query, str) else query
        self.options = _write_options(
            start_sel=start_sel,
            stop_sel=stop_sel,
            max_words=max_words,
            min_words=min_words,
            short_word=short_word,
            highlight_all=highlight_all,
            max_fragments=max_fragments,
            fragment_delimiter=fragment_delimiter,
        )

    def bind(self, binder: Binder) -> Bound:
        """Return the headline: of the configuration, the text, the query, then the options."""
        operands = (self.config, self.expression, self.query, self.options or None)
        shapes = tuple([binder.bind(each).shape for each in operands if each is not None])
        field = binder.field("text")
        name = "headline" if self.config is None else "headline_in"
        return Bound(FunctionOperand(name, shapes, field.column_type()), field)

    def __repr__(self) -> str:
        return f"SearchHeadline({self.expression!r}, {self.query!r})"


def _write_options(**options: Any) -> str:
    """Return options as PostgreSQL reads them, each in quotes. Any: of the types in the table."""
    return ", ".join(_write_option(name, value) for name, value in options.items() if value is not None)


def _write_option(name: str, value: object) -> str:
    written, kind = _OPTIONS[name]
    if type(value) is not kind and not (kind is str and isinstance(value, str)):
        raise TypeError(f"{name}={value!r}: give {'an' if kind is int else 'a'} {kind.__name__}")
    quoted = str(value).lower() if kind is bool else str(value).replace("\\", "\\\\").replace("'", "''")
    return f"{written}='{quoted}'"
