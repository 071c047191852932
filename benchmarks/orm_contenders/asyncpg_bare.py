"""The floor: one bare asyncpg connection, records left as they come."""

from contextlib import asynccontextmanager

import asyncpg

from orm_contenders._timing import main

COLUMNS = "id, name, description, quantity, price, weight, active, created, code, note"
GET = f"SELECT {COLUMNS} FROM item WHERE id = $1"
LIST = f"SELECT {COLUMNS} FROM item WHERE id > $1 ORDER BY id LIMIT 1000"


@asynccontextmanager
async def connect(url):
    """Open the connection."""
    connection = await asyncpg.connect(url)
    try:
        yield {
            "get": lambda key: connection.fetchrow(GET, key),
            "list": lambda key: connection.fetch(LIST, key % 9000),
        }
    finally:
        await connection.close()


if __name__ == "__main__":
    main(connect)
