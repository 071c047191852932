"""A program that writes the results of Django to its standard output: a pickle of (result or None, error) per query."""

from __future__ import annotations

import pickle
import sys
from typing import Any

import django
from django.conf import settings
from oracle_queries import Query, build, comparable, make_queries, make_rows

settings.configure(
    INSTALLED_APPS=[
        "oracle_queries"
    ],  # Django follows relations backwards only between installed apps: any module is one
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    USE_TZ=True,
    TIME_ZONE="UTC",
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()

from django.db import connection, models  # noqa: E402  Django wants its settings before
from django.db.models import functions  # noqa: E402


class Author(models.Model):
    name = models.CharField(max_length=50)
    born = models.IntegerField(null=True)
    active = models.BooleanField()
    mentor = models.ForeignKey("self", models.SET_NULL, null=True, related_name="proteges")

    class Meta:
        app_label = "oracle_queries"


class Tag(models.Model):
    name = models.CharField(max_length=50)

    class Meta:
        app_label = "oracle_queries"


class Book(models.Model):
    author = models.ForeignKey(Author, models.SET_NULL, null=True, related_name="books")
    title = models.CharField(max_length=50)
    note = models.TextField(null=True)
    pages = models.IntegerField(null=True)
    price = models.DecimalField(max_digits=8, decimal_places=2)
    published = models.DateTimeField()
    tags = models.ManyToManyField(Tag, through="Tagging", related_name="books")

    class Meta:
        app_label = "oracle_queries"


class Tagging(models.Model):
    book = models.ForeignKey(Book, models.CASCADE, related_name="taggings")
    tag = models.ForeignKey(Tag, models.CASCADE, related_name="taggings")
    weight = models.IntegerField()

    class Meta:
        app_label = "oracle_queries"


class Review(models.Model):
    book = models.ForeignKey(Book, models.CASCADE, related_name="reviews")
    stars = models.IntegerField()
    text = models.TextField(null=True)

    class Meta:
        app_label = "oracle_queries"


MODELS = {model.__name__: model for model in (Author, Tag, Book, Tagging, Review)}
NAMES: dict[str, Any] = {**vars(models), **vars(functions), **MODELS}


def answer(query: Query) -> tuple[Any, str]:
    """Return the result, or why there is none."""
    try:
        found = build(query, NAMES)
        result = list(found) if isinstance(found, models.QuerySet) else found
        return comparable(query, result), ""
    except Exception as error:
        return None, f"{type(error).__name__}: {error}"


def main() -> None:
    with connection.schema_editor() as editor:
        for model in MODELS.values():
            editor.create_model(model)
    for name, rows in make_rows().items():
        MODELS[name].objects.bulk_create([MODELS[name](**row) for row in rows])
    sys.stdout.buffer.write(pickle.dumps([answer(query) for query in make_queries()]))


main()
