"""Tortoise ORM on asyncpg or aiosqlite."""

import asyncio
from contextlib import asynccontextmanager

from tortoise import Tortoise, fields
from tortoise.functions import Avg, Count, Max
from tortoise.models import Model

from orm import data
from orm.timing import main


class Item(Model):
    """Ten columns of mixed types."""

    id = fields.BigIntField(primary_key=True)
    name = fields.CharField(max_length=100)
    description = fields.TextField()
    quantity = fields.IntField()
    price = fields.DecimalField(max_digits=10, decimal_places=2)
    weight = fields.FloatField()
    active = fields.BooleanField()
    created = fields.DatetimeField()
    code = fields.UUIDField()
    note = fields.CharField(max_length=100, null=True)

    class Meta:
        table = "item"


class Author(Model):
    """Who has posts."""

    id = fields.BigIntField(primary_key=True)
    name = fields.CharField(max_length=100)
    email = fields.CharField(max_length=100)

    class Meta:
        table = "author"


class Post(Model):
    """What an author wrote."""

    id = fields.BigIntField(primary_key=True)
    author = fields.ForeignKeyField("models.Author", related_name="posts", db_index=True)
    title = fields.CharField(max_length=200)
    body = fields.TextField()
    created = fields.DatetimeField()

    class Meta:
        table = "post"


class Entry(Model):
    """What is inserted and deleted."""

    id = fields.BigIntField(primary_key=True)
    name = fields.CharField(max_length=100)
    quantity = fields.IntField()
    price = fields.DecimalField(max_digits=10, decimal_places=2)
    created = fields.DatetimeField()

    class Meta:
        table = "entry"


async def prepare():
    """Make and fill the tables."""
    await Tortoise.generate_schemas()
    await Item.bulk_create([Item(**row) for row in data.items()])
    await Author.bulk_create([Author(**row) for row in data.authors()])
    await Post.bulk_create([Post(**row) for row in data.posts()])


async def get(key):
    """Return the name of an item."""
    return (await Item.get(id=key)).name


async def page(key):
    """Return the names of 20 items."""
    return [item.name for item in await Item.filter(id__gt=key, active=True).order_by("id").limit(data.PAGE)]


async def rows(key):
    """Return how many items there are, and values of the first."""
    found = await Item.filter(id__gt=key).order_by("id").limit(data.LIST)
    return len(found), found[0].price, found[0].created


async def join(key):
    """Return posts with the name of their author."""
    posts = await Post.filter(id__gt=key).select_related("author").order_by("id").limit(data.JOINED)
    return [(post.title, post.author.name) for post in posts]


async def prefetch(key):
    """Return authors with the titles of their posts."""
    authors = await Author.filter(id__gt=key).prefetch_related("posts").order_by("id").limit(data.JOINED)
    return [(author.name, [post.title for post in author.posts]) for author in authors]


async def insert(key):
    """Insert an entry."""
    return (await Entry.create(**data.entry(key))).id > 0


async def bulk(_key):
    """Insert many entries."""
    entries = [Entry(**row) for row in data.entries()]
    await Entry.bulk_create(entries)
    return len(entries)


async def update(key):
    """Change an item without reading it."""
    return await Item.filter(id=key).update(note="updated")


async def delete(key):
    """Delete an entry without reading it."""
    return await Entry.filter(id=key).delete()


async def aggregate(key):
    """Aggregate 100 items."""
    items = Item.filter(id__gt=key, id__lte=key + data.AGGREGATED)
    return (
        await items.annotate(count=Count("id"), average=Avg("weight"), largest=Max("quantity"))
        .first()
        .values_list("count", "average", "largest")
    )


async def gather(key):
    """Get 50 items at a time."""
    return await asyncio.gather(*(get((key + number) % data.ITEMS + 1) for number in range(data.GATHERED)))


def tortoise_url(url):
    """Return the URL as Tortoise spells it, with ten connections."""
    if url.startswith("sqlite"):
        return url.replace("sqlite:///", "sqlite://") + "?synchronous=NORMAL"
    return url.replace("postgresql://", "asyncpg://") + "?minsize=1&maxsize=10"


@asynccontextmanager
async def connect(url):
    """Open Tortoise's connections."""
    await Tortoise.init(db_url=tortoise_url(url), modules={"models": [__name__]}, use_tz=True)
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
        await Tortoise.close_connections()


if __name__ == "__main__":
    main(connect)
