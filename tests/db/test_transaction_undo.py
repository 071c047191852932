"""set_rollback(): undoing a block without an error; and deferrable transactions."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from transom.db import connections
from transom.db.backends.base import Backend
from transom.db.exceptions import TransactionClosed, TransactionError, TransactionOwnerError
from transom.db.transaction import atomic, get_rollback, on_commit, set_rollback


class Undo(Exception):
    pass


@pytest.fixture
async def items(database: Backend) -> Backend:
    await database.execute("CREATE TABLE item (id INTEGER PRIMARY KEY)")
    return database


async def add(*keys: int) -> None:
    for key in keys:
        await connections.executor().execute(f"INSERT INTO item (id) VALUES ({key})")


async def stored() -> list[int]:
    return [row[0] for row in await connections.executor().fetch("SELECT id FROM item ORDER BY id")]


async def test_block_is_undone_in_silence(items: Backend):
    seen: list[int] = []
    async with atomic():
        await add(1)
        on_commit(partial(seen.append, 1))
        assert not get_rollback()
        set_rollback(True)
        assert get_rollback()
    assert (await stored(), seen) == ([], [])


async def test_inner_block_is_undone_by_itself(items: Backend):
    async with atomic():
        await add(1)
        async with atomic():
            await add(2)
            set_rollback(True)
        assert not get_rollback()
        await add(3)
    assert await stored() == [1, 3]


async def test_block_without_savepoint_takes_the_outer_one_with_it(items: Backend):
    async with atomic():
        await add(1)
        async with atomic(savepoint=False):
            await add(2)
            set_rollback(True)
        assert get_rollback()
    assert await stored() == []


async def test_statements_are_refused_until_the_block_is_left(items: Backend):
    async with atomic():
        set_rollback(True)
        with pytest.raises(TransactionError, match=r"set_rollback\(True\) was called"):
            await add(1)
        set_rollback(False)
        await add(2)
    assert await stored() == [2]


async def test_error_comes_through_all_the_same(items: Backend):
    with pytest.raises(Undo):
        async with atomic():
            set_rollback(True)
            raise Undo
    assert await stored() == []


async def test_error_cannot_be_called_off(items: Backend):
    async def swallow() -> None:
        async with atomic():
            await add(1)
            with pytest.raises(Undo):
                async with atomic(savepoint=False):
                    raise Undo
            set_rollback(True)
            with pytest.raises(TransactionError, match="can only be rolled back"):
                set_rollback(False)

    with pytest.raises(TransactionError, match="swallowed"):
        await swallow()
    assert await stored() == []


async def test_outside_and_elsewhere_it_is_refused(items: Backend):
    with pytest.raises(TransactionError, match=r"call it inside atomic\(\)"):
        set_rollback(True)
    with pytest.raises(TransactionError, match=r"get_rollback\(\) outside"):
        get_rollback()

    async def child(value: bool) -> None:
        set_rollback(value)

    async with atomic():
        with pytest.raises(TransactionOwnerError):
            await asyncio.create_task(child(True))
        set_rollback(True)
        with pytest.raises(TransactionOwnerError):
            await asyncio.create_task(child(False))
        late = asyncio.create_task(child(True))
    with pytest.raises(TransactionClosed):
        await late


async def test_deferrable_is_a_serializable_read(items: Backend):
    await add(1)
    async with atomic(isolation="serializable", readonly=True, deferrable=True):
        assert await stored() == [1]
        if items.vendor == "postgresql":
            shown = await connections.executor().fetch("SHOW transaction_deferrable")
            assert shown[0][0] == "on"


@pytest.mark.parametrize(
    "options", [{}, {"readonly": True}, {"isolation": "serializable"}, {"isolation": "repeatable read"}]
)
def test_deferrable_needs_the_other_two(options: dict):
    with pytest.raises(TransactionError, match="safe snapshot"):
        atomic(deferrable=True, **options)
