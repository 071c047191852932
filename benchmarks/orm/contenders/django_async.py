"""Django's asynchronous queries."""

import asyncio
from contextlib import asynccontextmanager

from asgiref.sync import sync_to_async

from orm import data
from orm.contenders import django_models as site
from orm.contenders.django_models import Entry, Item
from orm.timing import main


async def get(key):
    """Return the name of an item."""
    return (await Item.objects.aget(pk=key)).name


async def page(key):
    """Return the names of 20 items."""
    return [item.name async for item in site.some_items(key)]


async def rows(key):
    """Return how many items there are, and values of the first."""
    found = [item async for item in site.many_items(key)]
    return len(found), found[0].price, found[0].created


async def join(key):
    """Return posts with the name of their author."""
    return [(post.title, post.author.name) async for post in site.joined_posts(key)]


async def prefetch(key):
    """Return authors with the titles of their posts."""
    return [
        (author.name, [post.title for post in author.posts.all()])
        async for author in site.prefetched_authors(key)
    ]


async def insert(key):
    """Insert an entry."""
    return (await Entry.objects.acreate(**data.entry(key))).pk > 0


async def bulk(_key):
    """Insert many entries."""
    return len(await Entry.objects.abulk_create([Entry(**row) for row in data.entries()]))


async def update(key):
    """Change an item without reading it."""
    return await Item.objects.filter(pk=key).aupdate(note="updated")


async def delete(key):
    """Delete an entry without reading it."""
    return (await Entry.objects.filter(pk=key).adelete())[0]


async def aggregate(key):
    """Aggregate 100 items."""
    return tuple((await site.hundred_items(key).aaggregate(**site.AGGREGATES)).values())


async def gather(key):
    """Get 50 items at a time."""
    return await asyncio.gather(*(get((key + number) % data.ITEMS + 1) for number in range(data.GATHERED)))


@asynccontextmanager
async def connect(url):
    """Django connects by itself."""
    yield {
        "prepare": sync_to_async(site.prepare),
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
