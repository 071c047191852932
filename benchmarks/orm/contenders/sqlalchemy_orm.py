"""SQLAlchemy's ORM: a session for each operation."""

import asyncio
from contextlib import asynccontextmanager

from sqlalchemy import delete as delete_from
from sqlalchemy import func, select
from sqlalchemy import update as update_of
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlalchemy.orm import joinedload, selectinload

from orm import data
from orm.contenders.sqlalchemy_tables import Author, Entry, Item, Post, open_engine
from orm.contenders.sqlalchemy_tables import prepare as prepare_tables
from orm.timing import main

Session = async_sessionmaker(expire_on_commit=False)


async def get(key):
    """Return the name of an item."""
    async with Session() as session:
        return (await session.get_one(Item, key)).name


async def page(key):
    """Return the names of 20 items."""
    query = select(Item).where(Item.id > key, Item.active).order_by(Item.id).limit(data.PAGE)
    async with Session() as session:
        return [item.name for item in await session.scalars(query)]


async def rows(key):
    """Return how many items there are, and values of the first."""
    async with Session() as session:
        query = select(Item).where(Item.id > key).order_by(Item.id).limit(data.LIST)
        found = (await session.scalars(query)).all()
        return len(found), found[0].price, found[0].created


async def join(key):
    """Return posts with the name of their author."""
    query = (
        select(Post)
        .where(Post.id > key)
        .options(joinedload(Post.author))
        .order_by(Post.id)
        .limit(data.JOINED)
    )
    async with Session() as session:
        return [(post.title, post.author.name) for post in await session.scalars(query)]


async def prefetch(key):
    """Return authors with the titles of their posts."""
    query = (
        select(Author)
        .where(Author.id > key)
        .options(selectinload(Author.posts))
        .order_by(Author.id)
        .limit(data.JOINED)
    )
    async with Session() as session:
        return [
            (author.name, [post.title for post in author.posts]) for author in await session.scalars(query)
        ]


async def insert(key):
    """Insert an entry."""
    async with Session() as session:
        entry = Entry(**data.entry(key))
        session.add(entry)
        await session.commit()
        return entry.id > 0


async def bulk(_key):
    """Insert many entries."""
    async with Session() as session:
        entries = [Entry(**row) for row in data.entries()]
        session.add_all(entries)
        await session.commit()
        return len(entries)


async def update(key):
    """Change an item without reading it."""
    async with Session() as session:
        done = await session.execute(update_of(Item).where(Item.id == key).values(note="updated"))
        await session.commit()
        return done.rowcount


async def delete(key):
    """Delete an entry without reading it."""
    async with Session() as session:
        done = await session.execute(delete_from(Entry).where(Entry.id == key))
        await session.commit()
        return done.rowcount


async def aggregate(key):
    """Aggregate 100 items."""
    query = select(func.count(Item.id), func.avg(Item.weight), func.max(Item.quantity)).where(
        Item.id > key, Item.id <= key + data.AGGREGATED
    )
    async with Session() as session:
        return tuple((await session.execute(query)).one())


async def gather(key):
    """Get 50 items at a time."""
    return await asyncio.gather(*(get((key + number) % data.ITEMS + 1) for number in range(data.GATHERED)))


@asynccontextmanager
async def connect(url):
    """Open the engine."""
    async with open_engine(url) as engine:
        Session.configure(bind=engine)
        yield {
            "prepare": lambda: prepare_tables(engine),
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
