"""The rows that every contender stores and asks for, made by a rule, so that answers can be checked without asking back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

ITEMS = 10_000
AUTHORS = 1_000
POSTS_EACH = 10  # posts of an author
ENTRIES = 50_000  # rows that `delete` finds at most
BULK = 10_000  # rows of one bulk insert
PAGE = 20
LIST = 1_000
JOINED = 100  # posts with their author, authors with their posts
AGGREGATED = 100
GATHERED = 50
LAST_KEY = ITEMS - LIST  # so that a whole list follows each key

START = datetime(2026, 1, 1, tzinfo=UTC)
Row = dict[str, Any]  # values by column


def item(key: int) -> Row:
    """Return an item: ten columns of mixed types, one of them null in two rows of three."""
    return {
        "id": key,
        "name": f"item {key}",
        "description": "text " * 10,
        "quantity": key % 100,
        "price": Decimal(key) / 100,
        "weight": key / 4,
        "active": key % 2 == 0,
        "created": START + timedelta(minutes=key),
        "code": UUID(int=key),
        "note": None if key % 3 else f"note {key}",
    }


def author(key: int) -> Row:
    """Return an author."""
    return {"id": key, "name": f"author {key}", "email": f"author{key}@example.com"}


def post(key: int) -> Row:
    """Return a post; ten in a row have one author."""
    return {
        "id": key,
        "author_id": (key - 1) // POSTS_EACH + 1,
        "title": f"post {key}",
        "body": "text " * 20,
        "created": START + timedelta(minutes=key),
    }


def entry(key: int) -> Row:
    """Return an entry without its key, which the database makes."""
    return {
        "name": f"entry {key}",
        "quantity": key % 100,
        "price": Decimal(key % 10_000) / 100,
        "created": START + timedelta(seconds=key),
    }


def items() -> Iterator[Row]:
    """Yield all items."""
    return map(item, range(1, ITEMS + 1))


def authors() -> Iterator[Row]:
    """Yield all authors."""
    return map(author, range(1, AUTHORS + 1))


def posts() -> Iterator[Row]:
    """Yield all posts."""
    return map(post, range(1, AUTHORS * POSTS_EACH + 1))


@cache
def entries() -> list[Row]:
    """Return what each bulk insert stores; made once, for it is the storing that is measured."""
    return [entry(number) for number in range(BULK)]
