"""Tasks cancelled at hundreds of random points, and a pool that is asked for more than it has."""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing

import pytest

from transom.db import connections
from transom.db.backends.base import Backend
from transom.db.exceptions import PoolTimeout
from transom.db.transaction import atomic, on_commit

OPEN = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid() AND (state <> 'idle' OR xact_start IS NOT NULL)"
)


class Undo(Exception):
    pass


@pytest.fixture
async def items(database: Backend) -> Backend:
    await database.execute("CREATE TABLE item (id INTEGER PRIMARY KEY)")
    return database


def pools(backend: Backend) -> list:
    if backend.vendor == "sqlite":
        return [backend._writer, backend._readers]  # type: ignore[attr-defined]
    return [backend.pool]  # type: ignore[attr-defined]


async def add(*keys: int) -> None:
    for key in keys:
        await connections.executor().execute(f"INSERT INTO item (id) VALUES ({key})")


async def write_pair(key: int) -> None:
    async with atomic():
        await add(key)
        async with atomic():
            await add(key + 1)


async def write_pair_around_an_undone_row(key: int) -> None:
    async with atomic():
        await add(key)
        try:
            async with atomic():
                await add(key + 2)
                raise Undo
        except Undo:
            pass
        await add(key + 1)


async def write_one_row_on_commit(key: int) -> None:
    async with atomic():
        await add(key)
        await add(key + 1)
        on_commit(lambda: add(key + 3))


async def read(key: int) -> None:
    await connections.executor().fetch("SELECT id FROM item ORDER BY id")


async def stream(key: int) -> None:
    async with aclosing(connections.executor().stream("SELECT id FROM item", chunk_size=3)) as chunks:
        async for _ in chunks:
            await read(key)


async def write_alone(key: int) -> None:
    await add(key + 3)


WORK = [write_pair, write_pair_around_an_undone_row, write_one_row_on_commit, read, stream, write_alone]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
async def test_cancellation_at_random_points_leaks_nothing(items: Backend, seed: int):
    """120 tasks per seed, cancelled after a random number of turns of the loop or a random time."""
    chance = random.Random(seed)

    async def cancel_some_time(task: asyncio.Task[None]) -> None:
        if chance.random() < 0.5:
            for _ in range(chance.randrange(40)):
                await asyncio.sleep(0)
        else:
            await asyncio.sleep(chance.random() * 0.004)
        task.cancel()

    for turn in range(20):
        tasks = [asyncio.create_task(work(turn * 100 + number * 10)) for number, work in enumerate(WORK)]
        chance.shuffle(tasks)
        await asyncio.gather(*map(cancel_some_time, tasks))
        results = await asyncio.gather(*tasks, return_exceptions=True)
        unexpected = [result for result in results if not isinstance(result, asyncio.CancelledError | None)]
        assert unexpected == []
    async with asyncio.timeout(5):
        while any(pool.in_use for pool in pools(items)):
            await asyncio.sleep(0.001)
    stored = {row[0] for row in await items.fetch("SELECT id FROM item")}
    assert {key for key in stored if key % 10 == 0} == {key - 1 for key in stored if key % 10 == 1}
    assert not {key for key in stored if key % 10 == 2}
    if items.vendor == "postgresql":
        assert (await items.fetch(OPEN))[0][0] == 0
    await write_pair(10_000)


async def test_exhausted_pool_says_so_and_recovers(database_url: str):
    """The message names the limit and the option that raises it."""
    is_sqlite = database_url.startswith("sqlite")
    options = "busy_timeout=0.01" if is_sqlite else "pool_max=2&pool_timeout=0.01"
    connections.configure({"default": f"{database_url}?{options}"})
    free = asyncio.Event()

    async def hold() -> None:
        async with atomic():
            await free.wait()

    async with asyncio.TaskGroup() as group:
        for _ in range(1 if is_sqlite else 2):
            group.create_task(hold())
        await asyncio.sleep(0)
        while not any(pool.in_use for pool in pools(connections.backend())):
            await asyncio.sleep(0)
        while not is_sqlite and pools(connections.backend())[0].in_use < 2:
            await asyncio.sleep(0)
        limit = "another task holds the one writer" if is_sqlite else r"all 2 are in use \(pool_max\)"
        for _ in range(3):
            with pytest.raises(PoolTimeout, match=rf"came free in 0\.01 s.*: {limit}"):
                async with atomic():
                    pass
        free.set()
    async with atomic():
        pass
    await connections.aclose()
    connections.configure({})
