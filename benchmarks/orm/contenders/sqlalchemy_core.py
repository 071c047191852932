"""SQLAlchemy Core: statements made of tables, rows as they come; a connection of the pool for each operation."""

import asyncio
from contextlib import asynccontextmanager

from sqlalchemy import delete as delete_from
from sqlalchemy import func, select
from sqlalchemy import insert as insert_into
from sqlalchemy import update as update_of

from orm import data
from orm.contenders.sqlalchemy_tables import Author, Entry, Item, Post, open_engine
from orm.contenders.sqlalchemy_tables import prepare as prepare_tables
from orm.timing import main

item, author, post, entry = (model.__table__ for model in (Item, Author, Post, Entry))


@asynccontextmanager
async def connect(url):
    """Open the engine."""
    async with open_engine(url) as engine:

        async def get(key):
            async with engine.connect() as connection:
                return (await connection.execute(select(item).where(item.c.id == key))).one().name

        async def page(key):
            query = select(item).where(item.c.id > key, item.c.active).order_by(item.c.id).limit(data.PAGE)
            async with engine.connect() as connection:
                return [row.name for row in await connection.execute(query)]

        async def rows(key):
            query = select(item).where(item.c.id > key).order_by(item.c.id).limit(data.LIST)
            async with engine.connect() as connection:
                found = (await connection.execute(query)).all()
                return len(found), found[0].price, found[0].created

        async def join(key):
            columns = (*post.c, author.c.id, author.c.name.label("author"), author.c.email)
            query = select(*columns).join_from(post, author).where(post.c.id > key).order_by(post.c.id)
            async with engine.connect() as connection:
                return [(row.title, row.author) for row in await connection.execute(query.limit(data.JOINED))]

        async def prefetch(key):
            async with engine.connect() as connection:
                query = select(author).where(author.c.id > key).order_by(author.c.id).limit(data.JOINED)
                authors = (await connection.execute(query)).all()
                posts = {row.id: [] for row in authors}
                for row in await connection.execute(select(post).where(post.c.author_id.in_(posts))):
                    posts[row.author_id].append(row.title)
                return [(row.name, posts[row.id]) for row in authors]

        async def insert(key):
            async with engine.begin() as connection:
                query = insert_into(entry).returning(entry.c.id)
                return (await connection.execute(query, data.entry(key))).scalar_one() > 0

        async def bulk(_key):
            async with engine.begin() as connection:
                query = insert_into(entry).returning(entry.c.id)
                return len((await connection.execute(query, data.entries())).all())

        async def update(key):
            async with engine.begin() as connection:
                query = update_of(item).where(item.c.id == key).values(note="updated")
                return (await connection.execute(query)).rowcount

        async def delete(key):
            async with engine.begin() as connection:
                return (await connection.execute(delete_from(entry).where(entry.c.id == key))).rowcount

        async def aggregate(key):
            columns = func.count(item.c.id), func.avg(item.c.weight), func.max(item.c.quantity)
            query = select(*columns).where(item.c.id > key, item.c.id <= key + data.AGGREGATED)
            async with engine.connect() as connection:
                return tuple((await connection.execute(query)).one())

        async def gather(key):
            return await asyncio.gather(
                *(get((key + number) % data.ITEMS + 1) for number in range(data.GATHERED))
            )

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
