"""Transom's models."""

import asyncio
from contextlib import asynccontextmanager

from orm import data
from orm.timing import main
from transom.db import connections, create_tables, models


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


async def prepare():
    """Make and fill the tables."""
    await create_tables(Item, Author, Post, Entry)
    await Item.objects.bulk_create([Item(**row) for row in data.items()])
    await Author.objects.bulk_create([Author(**row) for row in data.authors()])
    await Post.objects.bulk_create([Post(**row) for row in data.posts()])


async def get(key):
    """Return the name of an item."""
    return (await Item.objects.get(pk=key)).name


async def page(key):
    """Return the names of 20 items."""
    return [
        item.name async for item in Item.objects.filter(id__gt=key, active=True).order_by("id")[: data.PAGE]
    ]


async def rows(key):
    """Return how many items there are, and values of the first."""
    found = await Item.objects.filter(id__gt=key).order_by("id")[: data.LIST]
    return len(found), found[0].price, found[0].created


async def join(key):
    """Return posts with the name of their author."""
    posts = Post.objects.filter(id__gt=key).select_related("author").order_by("id")[: data.JOINED]
    return [(post.title, post.author.name) for post in await posts]


async def prefetch(key):
    """Return authors with the titles of their posts."""
    authors = Author.objects.filter(id__gt=key).prefetch_related("posts").order_by("id")[: data.JOINED]
    return [(author.name, [post.title for post in author.posts.loaded]) for author in await authors]


async def insert(key):
    """Insert an entry."""
    return (await Entry.objects.create(**data.entry(key))).pk > 0


async def bulk(_key):
    """Insert many entries."""
    return len(await Entry.objects.bulk_create([Entry(**row) for row in data.entries()]))


async def update(key):
    """Change an item without reading it."""
    return await Item.objects.filter(pk=key).update(note="updated")


async def delete(key):
    """Delete an entry without reading it."""
    return await Entry.objects.filter(pk=key).delete()


async def aggregate(key):
    """Aggregate 100 items."""
    found = await Item.objects.filter(id__gt=key, id__lte=key + data.AGGREGATED).aggregate(
        count=models.Count("id"), average=models.Avg("weight"), largest=models.Max("quantity")
    )
    return found["count"], found["average"], found["largest"]


async def gather(key):
    """Get 50 items at a time."""
    return await asyncio.gather(*(get((key + number) % data.ITEMS + 1) for number in range(data.GATHERED)))


@asynccontextmanager
async def connect(url):
    """Name the database."""
    connections.configure({"default": url})
    try:
        yield {
            "prepare": prepare,
            "get": get,
            "page": page,
            "list": rows,
            "join": join,
            "prefetch": prefetch,
            "insert": insert,
            "bulk": bulk,
            "update": update,
            "delete": delete,
            "aggregate": aggregate,
            "gather": gather,
        }
    finally:
        await connections.aclose()


if __name__ == "__main__":
    main(connect)
