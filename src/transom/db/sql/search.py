"""Full-text search and trigrams, which PostgreSQL alone has, as entries of `functions.py`.

A configuration, which says in which language texts are read, is the first operand of entries whose name ends with `_in`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, REGCONFIG, TSQUERY, TSVECTOR
from sqlalchemy.sql.elements import BinaryExpression, Grouping
from sqlalchemy.sql.functions import Function

from transom.db.exceptions import FieldError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy.types import TypeEngine

    from transom.db.sql.column_type import ColumnType
    from transom.db.sql.metadata import Vendor

# Any: columns of every type
Column: TypeAlias = "sa.ColumnElement[Any]"
Build: TypeAlias = "Callable[[Sequence[Column], ColumnType | None, Vendor], Column]"
Compose: TypeAlias = "Callable[[Sequence[Column]], Column]"


class _Letter(sa.types.UserDefinedType[str]):
    """One byte, which is how PostgreSQL takes weights."""

    cache_ok = True

    def get_col_spec(self, **_options: Any) -> str:
        """Return the name of the type. Any: options of SQLAlchemy's own."""
        return '"char"'


_REAL: Final[sa.Float[Any]] = sa.REAL()


def _only_here(what: str, remedy: str, compose: Compose) -> Build:
    """Return an entry that other databases do not have."""

    def build(operands: Sequence[Column], output: ColumnType | None, vendor: Vendor) -> Column:
        if vendor != "postgresql":
            raise FieldError(f"{what} needs PostgreSQL, and this database is {vendor}; {remedy}")
        return compose(operands)

    return build


def _search(compose: Compose) -> Build:
    return _only_here(
        "full-text search", "filter by icontains here, or ask another database by using()", compose
    )


def _trigrams(compose: Compose) -> Build:
    return _only_here(
        "similarity by trigrams", "filter by icontains here, or ask another database by using()", compose
    )


def _call(name: str, operands: Sequence[Column], kind: TypeEngine[Any]) -> Column:
    return getattr(sa.func, name)(*operands, type_=kind)


def _in_language(operands: Sequence[Column]) -> list[Column]:
    """Return the operands with the first one as the name of a configuration."""
    config, *others = operands
    return [config if isinstance(config.type, REGCONFIG) else sa.cast(config, REGCONFIG()), *others]


def _text(operand: Column) -> Column:
    return operand if isinstance(operand.type, sa.String) else sa.cast(operand, sa.Text())


def _vector(operands: Sequence[Column], config: Sequence[Column] = ()) -> Column:
    """Return the words of several texts; NULL counts as empty."""
    empty, blank = sa.literal_column("''", sa.Text()), sa.literal_column("' '", sa.Text())
    texts: list[Column] = [sa.func.coalesce(_text(operand), empty, type_=sa.Text()) for operand in operands]
    joined = texts[0]
    for text in texts[1:]:
        joined = joined.op("||", return_type=sa.Text())(blank).op("||", return_type=sa.Text())(text)
    return _call("to_tsvector", [*config, joined], TSVECTOR())


def _vector_in(operands: Sequence[Column]) -> Column:
    config, *texts = _in_language(operands)
    return _vector(texts, [config])


def _vector_read_in(operands: Sequence[Column]) -> Column:
    """Return the same of one text and, behind it, the configuration."""
    return _vector_in(operands[::-1])


def _weighted(operands: Sequence[Column]) -> Column:
    vector, weight = operands
    return _call("setweight", [vector, sa.cast(weight, _Letter())], TSVECTOR())


def _infix(operator: str, kind: TypeEngine[Any]) -> Compose:
    def compose(operands: Sequence[Column]) -> Column:
        left, right = operands
        return left.self_group().op(operator, return_type=kind)(right.self_group()).self_group()

    return compose


def _query(name: str) -> Compose:
    return lambda operands: _call(name, operands, TSQUERY())


def _query_in(name: str) -> Compose:
    return lambda operands: _call(name, _in_language(operands), TSQUERY())


def _rank(name: str) -> Compose:
    """Return a rank, of vector, query and the number that says how it minds the length."""

    def compose(operands: Sequence[Column]) -> Column:
        vector, query, *normalization = operands
        numbers = [sa.cast(number, sa.Integer()) for number in normalization]
        return _call(name, [vector, query, *numbers], _REAL)

    return compose


def _weighted_rank(name: str) -> Compose:
    """Return the same, of what the letters D, C, B and A weigh, as text or array, and the others."""

    def compose(operands: Sequence[Column]) -> Column:
        weights, vector, query, *normalization = operands
        numbers = [sa.cast(number, sa.Integer()) for number in normalization]
        return _call(name, [sa.cast(weights, ARRAY(_REAL)), vector, query, *numbers], _REAL)

    return compose


def _headline(operands: Sequence[Column]) -> Column:
    text, *others = operands
    return _call("ts_headline", [_text(text), *others], sa.Text())


def _headline_in(operands: Sequence[Column]) -> Column:
    config, text, *others = _in_language(operands)
    return _call("ts_headline", [config, _text(text), *others], sa.Text())


def _matches_text(name: str) -> Compose:
    """Return whether a vector fits the query of a text, which is read in the vector's own language."""

    def compose(operands: Sequence[Column]) -> Column:
        vector, text = operands
        config = _config_of(vector)
        query = _call(name, [text] if config is None else [config, text], TSQUERY())
        return _infix("@@", sa.Boolean())([vector, query])

    return compose


def _config_of(vector: Column) -> Column | None:
    """Return the configuration of a vector that is made here; of several together, that of the first."""
    match vector:
        case Grouping():
            return _config_of(cast("Column", vector.element))
        case BinaryExpression():
            return _config_of(vector.left)
        case Function(name="to_tsvector"):
            config, *text = vector.clauses
            return config if text else None
        case Function(name="setweight"):
            return _config_of(next(iter(vector.clauses)))
        case _:
            return None


def _similarity(name: str) -> Compose:
    return lambda operands: _call(name, list(map(_text, operands)), _REAL)


QUERIES: Final = {
    "plain": "plainto_tsquery",
    "phrase": "phraseto_tsquery",
    "raw": "to_tsquery",
    "websearch": "websearch_to_tsquery",
}
"""The functions that make a query of a text, by the kind of the text."""

SEARCH_FUNCTIONS: Final[Mapping[str, Build]] = {
    "vector": _search(_vector),
    "vector_in": _search(_vector_in),
    "vector_read_in": _search(_vector_read_in),
    "vector_weighted": _search(_weighted),
    "vector_and": _search(_infix("||", TSVECTOR())),
    **{f"query_{kind}": _search(_query(name)) for kind, name in QUERIES.items()},
    **{f"query_{kind}_in": _search(_query_in(name)) for kind, name in QUERIES.items()},
    "query_and": _search(_infix("&&", TSQUERY())),
    "query_or": _search(_infix("||", TSQUERY())),
    "query_not": _search(_query("tsquery_not")),
    "matches": _search(_infix("@@", sa.Boolean())),
    "matches_words": _search(_matches_text(QUERIES["plain"])),
    "matches_lexemes": _search(_matches_text(QUERIES["raw"])),
    "ts_rank": _search(_rank("ts_rank")),
    "ts_rank_cd": _search(_rank("ts_rank_cd")),
    "ts_rank_weighted": _search(_weighted_rank("ts_rank")),
    "ts_rank_cd_weighted": _search(_weighted_rank("ts_rank_cd")),
    "headline": _search(_headline),
    "headline_in": _search(_headline_in),
    **{
        name: _trigrams(_similarity(name))
        for name in ("similarity", "word_similarity", "strict_word_similarity")
    },
    **{
        name: _trigrams(_infix(operator, kind))
        for name, operator, kind in [
            ("trigram_similar", "%", sa.Boolean()),
            ("trigram_word_similar", "%>", sa.Boolean()),
            ("trigram_strict_word_similar", "%>>", sa.Boolean()),
            ("trigram_distance", "<->", _REAL),
            ("trigram_word_distance", "<<->", _REAL),
            ("trigram_strict_word_distance", "<<<->", _REAL),
        ]
    },
    "unaccent": _only_here(
        "unaccent",
        "leave the accents where they are",
        lambda operands: _call("unaccent", operands, sa.Text()),
    ),
    "transaction_now": _only_here(
        "TransactionNow", "take Now()", lambda _: sa.func.now(type_=sa.DateTime(timezone=True))
    ),
}
"""The entries, all for PostgreSQL alone."""
