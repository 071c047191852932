"""What type checkers must make of arrays and ranges: each `reveal_type` has the expected type beside it."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from transom.db import models
from transom.db.postgres import (
    ArrayField,
    BigIntegerRangeField,
    DateRangeField,
    DateTimeRangeField,
    DecimalRangeField,
    IntegerRangeField,
    Range,
)

if TYPE_CHECKING:
    from typing import reveal_type


class Post(models.Model):
    tags = ArrayField(models.CharField(max_length=10), default=list)
    scores = ArrayField(models.IntegerField(null=True), null=True)
    board = ArrayField(ArrayField(models.IntegerField()), size=3)
    ages = IntegerRangeField()
    big = BigIntegerRangeField(null=True)
    days = DateRangeField(null=True)
    moments = DateTimeRangeField(default=Range())
    price = DecimalRangeField("price", help_text="in euros")


def fields(post: Post) -> None:
    reveal_type(post.tags)  # list[str]
    reveal_type(post.scores)  # list[int | None] | None
    reveal_type(post.board)  # list[list[int]]
    reveal_type(post.ages)  # Range[int]
    reveal_type(post.big)  # Range[int] | None
    reveal_type(post.days)  # Range[date] | None
    reveal_type(post.moments)  # Range[datetime]
    reveal_type(post.price.lower)  # Decimal | None
    post.tags = ["a"]
    post.ages = Range(1, 5, "[]")


def columns() -> None:
    reveal_type(Post.tags)  # ArrayColumn[list[str]]
    reveal_type(Post.tags[0])  # Column[str]
    reveal_type(Post.tags[0:2])  # ArrayColumn[list[str]]
    reveal_type(Post.scores[0])  # Column[int | None]
    reveal_type(Post.tags.len > 2)  # Q
    reveal_type(Post.tags.overlap(["a"]))  # Q
    reveal_type(Post.tags.contains(Post.objects.values_list("tags__0")))  # Q
    reveal_type(Post.ages.startswith)  # Column[int]
    reveal_type(Post.days.endswith)  # Column[date]
    reveal_type(Post.ages.contains(3) & Post.ages.contains(Range(1, 2)))  # Q
    reveal_type(Post.days.contains(date(2024, 1, 1)))  # Q


USED = (datetime, Decimal)
