"""What type checkers must make of full-text search: each `reveal_type` has the expected type beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transom.db import F, models
from transom.db.postgres import (
    Lexeme,
    SearchQuery,
    SearchRank,
    SearchVector,
    SearchVectorField,
    TrigramSimilarity,
)

if TYPE_CHECKING:
    from typing import reveal_type


class Post(models.Model):
    text = models.TextField()
    words = SearchVectorField()
    more = SearchVectorField(null=True)
    kept = models.GeneratedField(
        expression=SearchVector("text", config="english"), output_field=SearchVectorField()
    )

    class Meta:
        indexes = [models.GinIndex(models.OpClass("text", name="gin_trgm_ops"), name="by_text")]


def fields(post: Post) -> None:
    reveal_type(post.words)  # str
    reveal_type(post.more)  # str | None
    reveal_type(post.kept)  # str
    reveal_type(Post.words)  # SearchVectorColumn[str]
    reveal_type(Post.words.search("x"))  # Q


def expressions() -> None:
    reveal_type(SearchVector("text", weight="A") + SearchVector("more"))  # CombinedSearchVector
    reveal_type(SearchQuery("x") & ~SearchQuery("y"))  # CombinedSearchQuery
    reveal_type(~SearchQuery("x"))  # SearchQuery
    reveal_type(Lexeme("x", prefix=True) | ~Lexeme("y"))  # CombinedLexeme
    SearchRank(F("words"), SearchQuery(Lexeme("x")), weights=[0, 0, 0.5, 1], normalization=2)
    TrigramSimilarity("text", "x")
