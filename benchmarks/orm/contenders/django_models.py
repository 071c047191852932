"""Django's models, with a persistent connection, by psycopg 3 on PostgreSQL: what is common to both of its APIs."""

import os
import sys
from urllib.parse import urlsplit

import django
from django.conf import settings

from orm import data

PARTS = urlsplit(sys.argv[2])
POSTGRESQL = {
    "ENGINE": "django.db.backends.postgresql",
    "NAME": PARTS.path[1:],
    "USER": PARTS.username,
    "PASSWORD": PARTS.password or "",
    "HOST": PARTS.hostname,
    "PORT": PARTS.port or 5432,
}
SQLITE = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": PARTS.path[1:],
    "OPTIONS": {
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode = wal; PRAGMA synchronous = normal",
    },
}
settings.configure(
    DATABASES={"default": {**(SQLITE if PARTS.scheme == "sqlite" else POSTGRESQL), "CONN_MAX_AGE": None}},
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
os.environ.pop("DJANGO_SETTINGS_MODULE", None)
django.setup()

from django.db import connection, models  # noqa: E402  # Django's models need its settings first


class Item(models.Model):
    """Ten columns of mixed types."""

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=100)
    description = models.TextField()
    quantity = models.IntegerField()
    price = models.DecimalField(max_digits=10, decimal_places=2)
    weight = models.FloatField()
    active = models.BooleanField()
    created = models.DateTimeField()
    code = models.UUIDField()
    note = models.CharField(max_length=100, null=True)

    class Meta:
        app_label = "bench"
        db_table = "item"


class Author(models.Model):
    """Who has posts."""

    name = models.CharField(max_length=100)
    email = models.CharField(max_length=100)

    class Meta:
        app_label = "bench"
        db_table = "author"


class Post(models.Model):
    """What an author wrote."""

    author = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="posts")
    title = models.CharField(max_length=200)
    body = models.TextField()
    created = models.DateTimeField()

    class Meta:
        app_label = "bench"
        db_table = "post"


class Entry(models.Model):
    """What is inserted and deleted."""

    name = models.CharField(max_length=100)
    quantity = models.IntegerField()
    price = models.DecimalField(max_digits=10, decimal_places=2)
    created = models.DateTimeField()

    class Meta:
        app_label = "bench"
        db_table = "entry"


def prepare():
    """Make and fill the tables."""
    with connection.schema_editor() as editor:
        for model in (Item, Author, Post, Entry):
            editor.create_model(model)
    Item.objects.bulk_create([Item(**row) for row in data.items()])
    Author.objects.bulk_create([Author(**row) for row in data.authors()])
    Post.objects.bulk_create([Post(**row) for row in data.posts()])


def some_items(key):
    """Return the query of 20 items."""
    return Item.objects.filter(id__gt=key, active=True).order_by("id")[: data.PAGE]


def many_items(key):
    """Return the query of 1000 items."""
    return Item.objects.filter(id__gt=key).order_by("id")[: data.LIST]


def joined_posts(key):
    """Return the query of posts with their author."""
    return Post.objects.filter(id__gt=key).select_related("author").order_by("id")[: data.JOINED]


def prefetched_authors(key):
    """Return the query of authors with their posts."""
    return Author.objects.filter(id__gt=key).prefetch_related("posts").order_by("id")[: data.JOINED]


def hundred_items(key):
    """Return the query of what is aggregated."""
    return Item.objects.filter(id__gt=key, id__lte=key + data.AGGREGATED)


AGGREGATES = {"count": models.Count("id"), "average": models.Avg("weight"), "largest": models.Max("quantity")}
