"""Hundreds of generated queries, whose rows must be Django's.

Django answers in a process of its own, on an SQLite database of its own with the same rows: it stores decimals and
datetimes in other forms than we do. See `django_oracle/oracle_queries.py` for how queries are made, and for where the two
differ on purpose.
"""

from __future__ import annotations

import functools
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from oracle_queries import Query, build, comparable, make_queries, make_rows

from transom.db import F, Q, create_tables, models
from transom.db.backends.base import Backend
from transom.db.models import functions

BATCH = 100
QUERIES = make_queries()


class Author(models.Model):
    name = models.CharField(max_length=50)
    born = models.IntegerField(null=True)
    active = models.BooleanField()
    mentor: models.ForeignKey[Author | None] = models.ForeignKey(
        "self", models.SET_NULL, null=True, related_name="proteges"
    )


class Tag(models.Model):
    name = models.CharField(max_length=50)


class Book(models.Model):
    author: models.ForeignKey[Author | None] = models.ForeignKey(
        Author, models.SET_NULL, null=True, related_name="books"
    )
    title = models.CharField(max_length=50)
    note = models.TextField(null=True)
    pages = models.IntegerField(null=True)
    price = models.DecimalField(max_digits=8, decimal_places=2)
    published = models.DateTimeField()
    tags = models.ManyToManyField(Tag, through="Tagging", related_name="books")


class Tagging(models.Model):
    book = models.ForeignKey(Book, models.CASCADE, related_name="taggings")
    tag = models.ForeignKey(Tag, models.CASCADE, related_name="taggings")
    weight = models.IntegerField()


class Review(models.Model):
    book = models.ForeignKey(Book, models.CASCADE, related_name="reviews")
    stars = models.IntegerField()
    text = models.TextField(null=True)


MODELS: dict[str, Any] = {model.__name__: model for model in (Author, Tag, Book, Tagging, Review)}
NAMES: dict[str, Any] = {**vars(models), **vars(functions), **MODELS, "F": F, "Q": Q}


@functools.cache
def answers_of_django() -> list[tuple[Any, str]]:
    program = Path(__file__).parent / "django_oracle" / "oracle_django.py"
    done = subprocess.run([sys.executable, str(program)], check=True, capture_output=True)
    return pickle.loads(done.stdout)


async def answer(query: Query) -> Any:
    try:
        found = build(query, NAMES)
        return comparable(query, await found)
    except Exception as error:
        error.add_note(f"of {query!r}")
        raise


def test_django_answers_every_query_and_few_come_to_nothing() -> None:
    answers = answers_of_django()
    assert [f"{query!r}: {error}" for query, (_, error) in zip(QUERIES, answers, strict=True) if error] == []
    assert len({repr(query) for query in QUERIES}) >= 300
    assert sum(result not in ((), 0, False) for result, _ in answers) > len(answers) * 0.6


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, len(QUERIES), BATCH))
async def test_the_rows_are_those_of_django(first: int, database: Backend) -> None:
    await create_tables(*MODELS.values())
    for name, rows in make_rows().items():
        await MODELS[name].objects.bulk_create([MODELS[name](**row) for row in rows])
    differing: list[str] = []
    part = slice(first, first + BATCH)
    for query, (expected, _) in zip(QUERIES[part], answers_of_django()[part], strict=True):
        try:
            found = await answer(query)
        except Exception as error:
            found = f"{type(error).__name__}: {error}"
        if found != expected:
            differing.append(f"{query!r}\n  django {expected}\n  ours   {found}")
    assert not differing, "\n".join([f"{len(differing)} differ", *differing])
