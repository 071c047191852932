"""Full-text search of PostgreSQL."""

from transom.db.postgres.search.config import SearchConfig
from transom.db.postgres.search.fields import SearchQueryField, SearchVectorField
from transom.db.postgres.search.lexemes import CombinedLexeme, Lexeme
from transom.db.postgres.search.lookups import SearchLookup, SearchVectorExact
from transom.db.postgres.search.queries import CombinedSearchQuery, SearchQuery
from transom.db.postgres.search.results import SearchHeadline, SearchRank
from transom.db.postgres.search.vectors import CombinedSearchVector, SearchVector

__all__ = [
    "CombinedLexeme",
    "CombinedSearchQuery",
    "CombinedSearchVector",
    "Lexeme",
    "SearchConfig",
    "SearchHeadline",
    "SearchLookup",
    "SearchQuery",
    "SearchQueryField",
    "SearchRank",
    "SearchVector",
    "SearchVectorExact",
    "SearchVectorField",
]
