"""asyncpg's own pool, as its documentation uses it."""

from contextlib import asynccontextmanager

import asyncpg

from orm_contenders._timing import main
from orm_contenders.asyncpg_bare import GET, LIST


@asynccontextmanager
async def connect(url):
    """Open the pool."""
    async with asyncpg.create_pool(url) as pool:
        yield {"get": lambda key: pool.fetchrow(GET, key), "list": lambda key: pool.fetch(LIST, key % 9000)}


if __name__ == "__main__":
    main(connect)
