"""Oxyde: Pydantic models over a core in Rust, which has its own drivers and threads."""

import asyncio
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from oxyde import Avg, Count, Field, Max, Model, PoolSettings, create_tables, db, get_connection

from orm import data
from orm.timing import main


class Item(Model):
    """Ten columns of mixed types."""

    id: int | None = Field(default=None, db_pk=True)
    name: str = Field(max_length=100)
    description: str = Field(db_type="TEXT")
    quantity: int
    price: Decimal = Field(max_digits=10, decimal_places=2)
    weight: float
    active: bool
    created: datetime = Field(db_type="TIMESTAMPTZ")
    code: UUID
    note: str | None = Field(default=None, max_length=100)

    class Meta:
        is_table = True
        table_name = "item"


class Author(Model):
    """Who has posts."""

    id: int | None = Field(default=None, db_pk=True)
    name: str = Field(max_length=100)
    email: str = Field(max_length=100)
    posts: list["Post"] = Field(db_reverse_fk="author")

    class Meta:
        is_table = True
        table_name = "author"


class Post(Model):
    """What an author wrote."""

    id: int | None = Field(default=None, db_pk=True)
    author: Author | None = Field(default=None, db_on_delete="CASCADE", db_index=True)
    title: str = Field(max_length=200)
    body: str = Field(db_type="TEXT")
    created: datetime = Field(db_type="TIMESTAMPTZ")

    class Meta:
        is_table = True
        table_name = "post"


class Entry(Model):
    """What is inserted and deleted."""

    id: int | None = Field(default=None, db_pk=True)
    name: str = Field(max_length=100)
    quantity: int
    price: Decimal = Field(max_digits=10, decimal_places=2)
    created: datetime = Field(db_type="TIMESTAMPTZ")

    class Meta:
        is_table = True
        table_name = "entry"


async def prepare():
    """Make and fill the tables."""
    await create_tables(await get_connection())
    await Item.objects.bulk_create([Item(**row) for row in data.items()], batch_size=1000)
    await Author.objects.bulk_create([Author(**row) for row in data.authors()])
    await Post.objects.bulk_create([Post(**row) for row in data.posts()], batch_size=1000)


async def get(key):
    """Return the name of an item."""
    return (await Item.objects.get(id=key)).name


async def page(key):
    """Return the names of 20 items."""
    items = await Item.objects.filter(id__gt=key, active=True).order_by("id").limit(data.PAGE).all()
    return [item.name for item in items]


async def rows(key):
    """Return how many items there are, and values of the first."""
    found = await Item.objects.filter(id__gt=key).order_by("id").limit(data.LIST).all()
    return len(found), found[0].price, found[0].created


async def join(key):
    """Return posts with the name of their author."""
    posts = await Post.objects.filter(id__gt=key).join("author").order_by("id").limit(data.JOINED).all()
    return [(post.title, post.author.name) for post in posts]


async def prefetch(key):
    """Return authors with the titles of their posts."""
    authors = (
        await Author.objects.filter(id__gt=key).prefetch("posts").order_by("id").limit(data.JOINED).all()
    )
    return [(author.name, [post.title for post in author.posts]) for author in authors]


async def insert(key):
    """Insert an entry."""
    return (await Entry.objects.create(**data.entry(key))).id > 0


async def bulk(_key):
    """Insert many entries."""
    return len(await Entry.objects.bulk_create([Entry(**row) for row in data.entries()], batch_size=1000))


async def update(key):
    """Change an item without reading it."""
    return await Item.objects.filter(id=key).update(note="updated")


async def delete(key):
    """Delete an entry without reading it."""
    return await Entry.objects.filter(id=key).delete()


async def aggregate(key):
    """Aggregate 100 items."""
    items = Item.objects.filter(id__gt=key, id__lte=key + data.AGGREGATED)
    query = items.values("count", "average", "largest").annotate(
        count=Count("id"), average=Avg("weight"), largest=Max("quantity")
    )
    (row,) = await query.all()
    return row["count"], row["average"], row["largest"]


async def gather(key):
    """Get 50 items at a time."""
    return await asyncio.gather(*(get((key + number) % data.ITEMS + 1) for number in range(data.GATHERED)))


@asynccontextmanager
async def connect(url):
    """Open Oxyde's pool of ten connections."""
    async with db.connect(url, settings=PoolSettings(max_connections=10)):
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


if __name__ == "__main__":
    main(connect)
