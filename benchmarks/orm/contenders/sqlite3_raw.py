"""The floor on SQLite: the driver of the standard library without an event loop, tuples of what SQLite has for types."""

import sqlite3
import sys
from pathlib import Path
from urllib.parse import urlsplit

from orm import data
from orm.timing import main_without_loop

COLUMNS = "id, name, description, quantity, price, weight, active, created, code, note"
TABLES = """
PRAGMA journal_mode = wal;
CREATE TABLE item (
    id integer PRIMARY KEY, name text NOT NULL, description text NOT NULL, quantity integer NOT NULL, price text NOT NULL,
    weight real NOT NULL, active integer NOT NULL, created text NOT NULL, code text NOT NULL, note text
);
CREATE TABLE author (id integer PRIMARY KEY, name text NOT NULL, email text NOT NULL);
CREATE TABLE post (
    id integer PRIMARY KEY, author_id integer NOT NULL REFERENCES author, title text NOT NULL, body text NOT NULL,
    created text NOT NULL
);
CREATE INDEX post_author ON post (author_id);
CREATE TABLE entry (
    id integer PRIMARY KEY AUTOINCREMENT, name text NOT NULL, quantity integer NOT NULL, price text NOT NULL,
    created text NOT NULL
);
"""
GET = f"SELECT {COLUMNS} FROM item WHERE id = ?"
PAGE = f"SELECT {COLUMNS} FROM item WHERE id > ? AND active ORDER BY id LIMIT {data.PAGE}"
LIST = f"SELECT {COLUMNS} FROM item WHERE id > ? ORDER BY id LIMIT {data.LIST}"
JOIN = f"""
SELECT post.id, post.title, post.body, post.created, author.id, author.name, author.email
FROM post JOIN author ON author.id = post.author_id WHERE post.id > ? ORDER BY post.id LIMIT {data.JOINED}
"""
AUTHORS = f"SELECT id, name, email FROM author WHERE id > ? ORDER BY id LIMIT {data.JOINED}"
INSERT = "INSERT INTO entry (name, quantity, price, created) VALUES (?, ?, ?, ?)"
AGGREGATE = (
    f"SELECT count(id), avg(weight), max(quantity) FROM item WHERE id > ? AND id <= ? + {data.AGGREGATED}"
)

PATH = Path(urlsplit(sys.argv[2]).path[1:])
CONNECTION = sqlite3.connect(PATH, isolation_level=None, cached_statements=512)
CONNECTION.executescript("PRAGMA synchronous = normal; PRAGMA foreign_keys = on")


def stored(row):
    """Return the values of a row in types that the driver takes."""
    return [value if isinstance(value, int | float | str | None) else str(value) for value in row.values()]


def prepare():
    """Make and fill the tables."""
    CONNECTION.executescript(TABLES)
    CONNECTION.execute("BEGIN")
    for table, rows in (("item", data.items()), ("author", data.authors()), ("post", data.posts())):
        values = list(map(stored, rows))
        places = ", ".join("?" * len(values[0]))
        CONNECTION.executemany(f"INSERT INTO {table} VALUES ({places})", values)
    CONNECTION.execute("COMMIT")


def get(key):
    """Return the name of an item."""
    return CONNECTION.execute(GET, (key,)).fetchone()[1]


def page(key):
    """Return the names of 20 items."""
    return [row[1] for row in CONNECTION.execute(PAGE, (key,)).fetchall()]


def rows(key):
    """Return how many items there are, and values of the first."""
    found = CONNECTION.execute(LIST, (key,)).fetchall()
    return len(found), found[0][4], found[0][7]


def join(key):
    """Return posts with the name of their author."""
    return [(row[1], row[5]) for row in CONNECTION.execute(JOIN, (key,)).fetchall()]


def prefetch(key):
    """Return authors with the titles of their posts."""
    authors = CONNECTION.execute(AUTHORS, (key,)).fetchall()
    posts = {row[0]: [] for row in authors}
    query = f"SELECT id, author_id, title, body, created FROM post WHERE author_id IN ({', '.join('?' * len(posts))})"
    for row in CONNECTION.execute(query, list(posts)).fetchall():
        posts[row[1]].append(row[2])
    return [(row[1], posts[row[0]]) for row in authors]


def insert(key):
    """Insert an entry."""
    return CONNECTION.execute(INSERT, stored(data.entry(key))).lastrowid > 0


def bulk(_key):
    """Insert many entries."""
    CONNECTION.execute("BEGIN IMMEDIATE")
    count = CONNECTION.executemany(INSERT, map(stored, data.entries())).rowcount
    CONNECTION.execute("COMMIT")
    return count


def update(key):
    """Change an item."""
    return CONNECTION.execute("UPDATE item SET note = ? WHERE id = ?", ("updated", key)).rowcount


def delete(key):
    """Delete an entry."""
    return CONNECTION.execute("DELETE FROM entry WHERE id = ?", (key,)).rowcount


def aggregate(key):
    """Aggregate 100 items."""
    return CONNECTION.execute(AGGREGATE, (key, key)).fetchone()


def gather(key):
    """Get 50 items, one after the other: nothing waits."""
    return [get((key + number) % data.ITEMS + 1) for number in range(data.GATHERED)]


if __name__ == "__main__":
    main_without_loop(
        {
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
    )
