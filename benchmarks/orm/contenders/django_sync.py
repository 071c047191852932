"""Django's synchronous queries, without an event loop."""

from orm import data
from orm.contenders import django_models as site
from orm.contenders.django_models import Entry, Item
from orm.timing import main_without_loop


def get(key):
    """Return the name of an item."""
    return Item.objects.get(pk=key).name


def page(key):
    """Return the names of 20 items."""
    return [item.name for item in site.some_items(key)]


def rows(key):
    """Return how many items there are, and values of the first."""
    found = list(site.many_items(key))
    return len(found), found[0].price, found[0].created


def join(key):
    """Return posts with the name of their author."""
    return [(post.title, post.author.name) for post in site.joined_posts(key)]


def prefetch(key):
    """Return authors with the titles of their posts."""
    return [
        (author.name, [post.title for post in author.posts.all()]) for author in site.prefetched_authors(key)
    ]


def insert(key):
    """Insert an entry."""
    return Entry.objects.create(**data.entry(key)).pk > 0


def bulk(_key):
    """Insert many entries."""
    return len(Entry.objects.bulk_create([Entry(**row) for row in data.entries()]))


def update(key):
    """Change an item without reading it."""
    return Item.objects.filter(pk=key).update(note="updated")


def delete(key):
    """Delete an entry without reading it."""
    return Entry.objects.filter(pk=key).delete()[0]


def aggregate(key):
    """Aggregate 100 items."""
    return tuple(site.hundred_items(key).aggregate(**site.AGGREGATES).values())


if __name__ == "__main__":
    main_without_loop(
        {
            "prepare": site.prepare,
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
        }
    )
