"""Piccolo on asyncpg or aiosqlite."""

import asyncio
import os
import sys
from contextlib import asynccontextmanager

from piccolo.columns import (
    UUID,
    BigInt,
    BigSerial,
    Boolean,
    DoublePrecision,
    ForeignKey,
    Integer,
    Numeric,
    Text,
    Timestamptz,
    Varchar,
)
from piccolo.engine.postgres import PostgresEngine
from piccolo.engine.sqlite import SQLiteEngine
from piccolo.query.functions.aggregate import Avg, Count, Max
from piccolo.table import Table, create_db_tables

from orm import data
from orm.timing import main

URL = sys.argv[2]
IS_SQLITE = URL.startswith("sqlite")
DB = SQLiteEngine(path=URL.removeprefix("sqlite:///")) if IS_SQLITE else PostgresEngine(config={"dsn": URL})
os.environ.pop("PICCOLO_CONF", None)
Key = Integer if IS_SQLITE else BigInt
Serial = Integer if IS_SQLITE else BigSerial


class Item(Table, tablename="item", db=DB):
    """Ten columns of mixed types."""

    id = Key(primary_key=True)
    name = Varchar(length=100)
    description = Text()
    quantity = Integer()
    price = Numeric(digits=(10, 2))
    weight = DoublePrecision()
    active = Boolean()
    created = Timestamptz()
    code = UUID()
    note = Varchar(length=100, null=True, default=None)


class Author(Table, tablename="author", db=DB):
    """Who has posts."""

    id = Key(primary_key=True)
    name = Varchar(length=100)
    email = Varchar(length=100)


class Post(Table, tablename="post", db=DB):
    """What an author wrote."""

    id = Key(primary_key=True)
    author = ForeignKey(Author, index=True)
    title = Varchar(length=200)
    body = Text()
    created = Timestamptz()


class Entry(Table, tablename="entry", db=DB):
    """What is inserted and deleted; Piccolo adds the key."""

    name = Varchar(length=100)
    quantity = Integer()
    price = Numeric(digits=(10, 2))
    created = Timestamptz()


def chunks(rows):
    """Yield rows in statements that have few enough parameters for SQLite and PostgreSQL."""
    for start in range(0, len(rows), 1000):
        yield rows[start : start + 1000]


async def prepare():
    """Make and fill the tables."""
    await create_db_tables(Item, Author, Post, Entry)
    for row in chunks([Item(**row) for row in data.items()]):
        await Item.insert(*row)
    await Author.insert(*(Author(**row) for row in data.authors()))
    for row in chunks([Post(author=row.pop("author_id"), **row) for row in data.posts()]):
        await Post.insert(*row)


async def get(key):
    """Return the name of an item."""
    return (await Item.objects().get(Item.id == key)).name


async def page(key):
    """Return the names of 20 items."""
    items = Item.objects().where((Item.id > key) & (Item.active == True))  # noqa: E712  # makes a condition
    return [item.name for item in await items.order_by(Item.id).limit(data.PAGE)]


async def rows(key):
    """Return how many items there are, and values of the first."""
    found = await Item.objects().where(Item.id > key).order_by(Item.id).limit(data.LIST)
    return len(found), found[0].price, found[0].created


async def join(key):
    """Return posts with the name of their author: a nested object by a join."""
    posts = await Post.objects(Post.author).where(Post.id > key).order_by(Post.id).limit(data.JOINED)
    return [(post.title, post.author.name) for post in posts]


async def prefetch(key):
    """Return authors with the titles of their posts: Piccolo does not prefetch this way, so its documentation asks twice."""
    authors = await Author.objects().where(Author.id > key).order_by(Author.id).limit(data.JOINED)
    posts = {author.id: [] for author in authors}
    for post in await Post.objects().where(Post.author.is_in(list(posts))):
        posts[post.author].append(post.title)
    return [(author.name, posts[author.id]) for author in authors]


async def insert(key):
    """Insert an entry."""
    entry = Entry(**data.entry(key))
    await entry.save()
    return entry.id > 0


async def bulk(_key):
    """Insert many entries."""
    inserted = 0
    async with DB.transaction():
        for some in chunks([Entry(**row) for row in data.entries()]):
            inserted += len(await Entry.insert(*some))
    return inserted


async def update(key):
    """Change an item without reading it."""
    return len(await Item.update({Item.note: "updated"}).where(Item.id == key).returning(Item.id))


async def delete(key):
    """Delete an entry without reading it."""
    return len(await Entry.delete().where(Entry.id == key).returning(Entry.id))


async def aggregate(key):
    """Aggregate 100 items."""
    query = Item.select(
        Count(Item.id, alias="count"), Avg(Item.weight, alias="average"), Max(Item.quantity, alias="largest")
    )
    row = await query.where((Item.id > key) & (Item.id <= key + data.AGGREGATED)).first()
    return row["count"], row["average"], row["largest"]


async def gather(key):
    """Get 50 items at a time."""
    return await asyncio.gather(*(get((key + number) % data.ITEMS + 1) for number in range(data.GATHERED)))


@asynccontextmanager
async def connect(_url):
    """Start the pool, as its documentation says."""
    if not IS_SQLITE:
        await DB.start_connection_pool(min_size=1, max_size=10)
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
        if not IS_SQLITE:
            await DB.close_connection_pool()


if __name__ == "__main__":
    main(connect)
