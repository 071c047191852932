"""atomic(), on_commit(), independent() and rollback_after(), on each database."""

# what raises is the `async with` block itself

from __future__ import annotations

import asyncio
import gc
from contextlib import aclosing
from functools import partial

import pytest

from transom.db import connections
from transom.db.backends.base import Backend
from transom.db.exceptions import (
    DatabaseError,
    PoolTimeout,
    TransactionClosed,
    TransactionError,
    TransactionOwnerError,
    UniqueViolation,
)
from transom.db.open_transaction import find_open
from transom.db.transaction import atomic, independent, on_commit, rollback_after, set_rollback


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
    """What is committed, or visible in the transaction."""
    return [row[0] for row in await connections.executor().fetch("SELECT id FROM item ORDER BY id")]


async def test_block_commits(items: Backend):
    async with atomic():
        await add(1)
        assert [row[0] for row in await items.fetch("SELECT id FROM item")] == []
    assert await stored() == [1]


async def test_block_rolls_back_on_an_error(items: Backend):
    with pytest.raises(Undo):
        async with atomic():
            await add(1)
            raise Undo
    assert await stored() == []


async def test_decorator_makes_each_call_a_block(items: Backend):
    @atomic
    async def keep(key: int) -> int:
        """Docs."""
        await add(key)
        return key

    @atomic(using="default")
    async def fail(key: int) -> None:
        await add(key)
        raise Undo

    assert [await keep(1), await keep(2)] == [1, 2]
    with pytest.raises(Undo):
        await fail(3)
    assert await stored() == [1, 2]
    assert keep.__name__ == "keep"


def test_decorator_refuses_what_it_cannot_await():
    with pytest.raises(TypeError, match="async def"):
        atomic(lambda: None)  # type: ignore[arg-type]


async def test_same_object_cannot_be_entered_twice(items: Backend):
    block = atomic()
    async with block:
        pass
    with pytest.raises(TransactionError, match="call atomic\\(\\) again"):
        async with block:
            pass


async def test_inner_block_is_undone_by_itself(items: Backend):
    async with atomic():
        await add(1)
        with pytest.raises(UniqueViolation):
            async with atomic():
                await add(2, 1)
        async with atomic():
            await add(3)
    assert await stored() == [1, 3]


async def test_inner_block_goes_with_the_outer(items: Backend):
    with pytest.raises(Undo):
        async with atomic():
            async with atomic():
                await add(1)
            raise Undo
    assert await stored() == []


async def test_savepoint_names_are_never_used_again(items: Backend):
    names: list[str] = []
    async with atomic():
        transaction = connections.executor()
        original = transaction._executor.savepoint  # type: ignore[attr-defined]

        async def record(name: str) -> None:
            names.append(name)
            await original(name)

        transaction._executor.savepoint = record  # type: ignore[attr-defined]
        for _ in range(3):
            async with atomic():
                pass
    assert len(set(names)) == 3


async def test_failed_block_without_savepoint_dooms_the_outer(items: Backend):
    async def swallow() -> None:
        async with atomic():
            await add(1)
            with pytest.raises(Undo):
                async with atomic(savepoint=False):
                    await add(2)
                    raise Undo
            with pytest.raises(TransactionError, match="can only be rolled back"):
                await add(3)

    with pytest.raises(TransactionError, match="rolled back") as caught:
        await swallow()
    assert isinstance(caught.value.__cause__, Undo)
    assert await stored() == []


async def test_savepoint_around_saves_the_rest(items: Backend):
    async with atomic():
        await add(1)
        with pytest.raises(TransactionError, match="rolled back to the savepoint"):
            async with atomic():
                with pytest.raises(Undo):
                    async with atomic(savepoint=False):
                        await add(2)
                        raise Undo
        await add(3)
    assert await stored() == [1, 3]


async def test_inner_block_that_swallowed_an_error_of_a_statement(items: Backend):
    """PostgreSQL runs nothing more until the savepoint is rolled back: the block fails, the outer one goes on."""
    async with atomic():
        await add(1)
        try:
            async with atomic():
                await add(2)
                with pytest.raises(UniqueViolation):
                    await add(1)
        except TransactionError:
            assert items.vendor == "postgresql"
        await add(3)
    assert await stored() == ([1, 3] if items.vendor == "postgresql" else [1, 2, 3])


async def test_inner_block_left_in_another_task_dooms_the_outer(items: Backend):
    async def swallow() -> None:
        async with atomic():
            inner = atomic()
            await inner.__aenter__()
            await add(1)
            with pytest.raises(TransactionOwnerError):
                await asyncio.create_task(inner.__aexit__(None, None, None))

    with pytest.raises(TransactionError, match="rolled back"):
        await swallow()
    assert await stored() == []


async def test_outer_block_left_in_another_task_rolls_back(items: Backend):
    block = atomic()
    await block.__aenter__()
    await add(1)
    with pytest.raises(TransactionOwnerError, match="left in another task"):
        await asyncio.create_task(block.__aexit__(None, None, None))
    with pytest.raises(TransactionClosed):
        await stored()
    with independent():
        assert await stored() == []


async def test_durable_refuses_to_be_inside(items: Backend):
    async with atomic(durable=True):
        await add(1)
        with pytest.raises(TransactionError, match="outermost"):
            async with atomic(durable=True):
                pass
    assert await stored() == [1]


@pytest.mark.parametrize("options", [{"isolation": "serializable"}, {"readonly": True}])
async def test_isolation_is_for_the_outermost(items: Backend, options: dict):
    async with atomic():
        with pytest.raises(TransactionError, match="outermost"):
            async with atomic(**options):
                pass


async def test_unknown_isolation_names_the_choices(items: Backend):
    with pytest.raises(TransactionError, match="serializable"):
        async with atomic(isolation="chaos"):
            pass


async def test_serializable_is_accepted(items: Backend):
    async with atomic(isolation="serializable"):
        await add(1)
    assert await stored() == [1]


async def test_readonly_block_refuses_writes(items: Backend):
    with pytest.raises(DatabaseError):
        async with atomic(readonly=True):
            assert await stored() == []
            await add(1)
    assert await stored() == []


async def test_another_task_is_refused_and_told_why(items: Backend):
    async with atomic():
        await add(1)
        with pytest.raises(TransactionOwnerError, match=r"independent\(\)"):
            await asyncio.gather(add(2))
        await add(3)
    assert await stored() == [1, 3]


async def test_child_cannot_open_a_block_in_the_parents_transaction(items: Backend):
    async def child() -> None:
        async with atomic():
            await add(2)

    async with atomic():
        with pytest.raises(TransactionOwnerError):
            await asyncio.create_task(child())


async def test_task_that_outlives_the_block_is_refused(items: Backend):
    """It must not run in autocommit, nor on a connection that is somebody else's now."""
    go = asyncio.Event()

    async def late() -> None:
        await go.wait()
        await add(1)

    async with atomic():
        task = asyncio.create_task(late())
        await asyncio.sleep(0)
    go.set()
    with pytest.raises(TransactionClosed, match="independent"):
        await task
    assert await stored() == []


async def test_executor_kept_beyond_the_block_is_refused(items: Backend):
    async with atomic():
        executor = connections.executor()
    with pytest.raises(TransactionClosed):
        await executor.fetch("SELECT 1")


async def test_stream_kept_beyond_the_block_is_refused(items: Backend):
    await add(*range(5))
    async with atomic():
        chunks = connections.executor().stream("SELECT id FROM item", chunk_size=2)
        assert len(await anext(chunks)) == 2
    with pytest.raises(TransactionClosed):
        await anext(chunks)


async def test_independent_runs_outside_the_transaction(items: Backend):
    with pytest.raises(Undo):
        async with atomic():
            await add(1)
            with independent():
                assert connections.executor() is connections.backend()
                assert await stored() == []
                if items.vendor != "sqlite":  # SQLite has one writer, and the transaction has it
                    await add(2)
            assert 1 in await stored()
            raise Undo
    assert await stored() == ([2] if items.vendor != "sqlite" else [])


async def test_gather_outside_a_transaction_is_allowed(items: Backend):
    await asyncio.gather(*(add(key) for key in range(5)))
    assert await stored() == list(range(5))


async def test_concurrent_blocks_keep_apart(items: Backend):
    async def work(key: int) -> None:
        async with atomic():
            await add(key)
            await asyncio.sleep(0)
            if key % 2:
                raise Undo

    await asyncio.gather(*(work(key) for key in range(6)), return_exceptions=True)
    assert await stored() == [0, 2, 4]


async def test_dropped_generator_rolls_back_and_frees_the_connection(items: Backend):
    async def generate():
        async with atomic():
            await add(1)
            yield 1

    async def consume() -> None:
        async for _ in generate():
            break

    await asyncio.create_task(consume())
    gc.collect()
    while innermost_is_busy(items):
        await asyncio.sleep(0.001)
    assert await stored() == []
    await add(2)


def innermost_is_busy(backend: Backend) -> bool:
    pool = backend.pool if backend.vendor != "sqlite" else backend._writer  # type: ignore[attr-defined]
    return pool.in_use > 0


@pytest.mark.slow
async def test_cancellation_at_any_point_leaves_nothing_behind(items: Backend):
    """Cancelled after each number of turns of the loop that the work takes."""

    async def work(key: int) -> None:
        async with atomic():
            await add(key)
            async with atomic():
                await add(key + 1)
        await add(key + 2)

    finished = 0
    for turns in range(40):
        task = asyncio.create_task(work(turns * 10))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        try:
            await task
            finished += 1
        except asyncio.CancelledError:
            pass
        kept = [key % 10 for key in await stored() if key // 10 == turns]
        assert kept in ([], [0, 1], [0, 1, 2])
    await items.aclose()
    assert not innermost_is_busy(items)
    async with atomic():
        await add(1000)


async def test_callbacks_run_in_order_after_commit_outside_the_transaction(items: Backend):
    seen: list[object] = []

    async def wait() -> None:
        seen.append(await stored())
        seen.append(connections.executor() is connections.backend())

    async with atomic():
        on_commit(partial(seen.append, "plain"))
        on_commit(wait)
        await add(1)
        assert seen == []
    assert seen == ["plain", [1], True]


async def test_callbacks_are_dropped_with_their_savepoint(items: Backend):
    seen: list[int] = []
    async with atomic():
        on_commit(partial(seen.append, 1))
        with pytest.raises(Undo):
            async with atomic():
                on_commit(partial(seen.append, 2))
                async with atomic():
                    on_commit(partial(seen.append, 3))
                raise Undo
        async with atomic():
            on_commit(partial(seen.append, 4))
    assert seen == [1, 4]


async def test_callbacks_are_dropped_with_the_transaction(items: Backend):
    seen: list[int] = []
    with pytest.raises(Undo):
        async with atomic():
            on_commit(partial(seen.append, 1))
            raise Undo
    assert seen == []


async def test_failing_callback_leaves_everything_committed(items: Backend):
    seen: list[int] = []

    async def fail() -> None:
        raise Undo

    with pytest.raises(Undo):
        async with atomic():
            await add(1)
            on_commit(fail)
            on_commit(partial(seen.append, 1))
    assert seen == []
    assert await stored() == [1]


@pytest.mark.parametrize("is_async", [True, False])
async def test_robust_callback_is_logged(items: Backend, caplog: pytest.LogCaptureFixture, is_async: bool):
    seen: list[int] = []

    def fail() -> None:
        raise Undo

    async def fail_later() -> None:
        raise Undo

    async with atomic():
        on_commit(fail_later if is_async else fail, robust=True)
        on_commit(partial(seen.append, 1))
    assert seen == [1]
    assert "on_commit callback" in caplog.text


async def test_on_commit_outside_a_transaction(items: Backend):
    seen: list[int] = []

    async def wait() -> None:
        seen.append(2)

    on_commit(partial(seen.append, 1))
    with pytest.raises(TransactionError, match="await the callback yourself"):
        on_commit(wait)
    assert seen == [1]


async def test_rollback_after_undoes_what_every_task_did(items: Backend):
    async with rollback_after():
        await add(1)
        async with atomic():
            await add(2)
        await asyncio.gather(add(3), add(4))
        assert await stored() == [1, 2, 3, 4]
    assert await stored() == []
    assert connections.backend() is items


async def test_rollback_after_keeps_going_after_an_error(items: Backend):
    async with rollback_after():
        await add(1)
        with pytest.raises(UniqueViolation):
            await add(1)
        with pytest.raises(Undo):
            async with atomic():
                await add(2)
                raise Undo
        assert await stored() == [1]


async def test_rollback_after_runs_callbacks_as_after_a_commit(items: Backend):
    seen: list[int] = []
    async with rollback_after():
        async with atomic(durable=True):
            on_commit(partial(seen.append, 1))
            async with atomic():
                on_commit(partial(seen.append, 2))
            assert seen == []
        assert seen == [1, 2]


async def test_rollback_after_outlives_an_application_that_closes_its_connections(items: Backend):
    async with rollback_after():
        await add(1)
        await connections.aclose()
        assert await stored() == [1]
        async with rollback_after():
            await add(2)
            await connections.aclose()
            assert await stored() == [1, 2]
        assert await stored() == [1]
    assert await stored() == []
    assert connections.backend() is items


async def test_rollback_after_says_who_waits_for_whom(items: Backend, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("transom.db.backends.shared.TURN_TIMEOUT", 0.001)
    async with rollback_after(), atomic():
        with independent(), pytest.raises(PoolTimeout, match="rollback_after"):
            await stored()


async def test_lazy_block_begins_with_its_first_statement(items: Backend):
    async with atomic(lazy=True):
        opened = find_open("default")
        assert opened is not None
        assert not opened.has_begun
        await add(1)
        assert opened.has_begun
    assert await stored() == [1]


async def test_lazy_block_without_a_statement_commits_nothing_and_runs_callbacks(items: Backend):
    ran: list[str] = []
    async with atomic(lazy=True):
        on_commit(lambda: ran.append("callback"))
    assert ran == ["callback"]


async def test_lazy_block_rolls_back_on_an_error(items: Backend):
    with pytest.raises(ZeroDivisionError):
        async with atomic(lazy=True):
            await add(1)
            raise ZeroDivisionError
    assert await stored() == []


async def test_lazy_block_takes_savepoints_and_streams(items: Backend):
    async with atomic(lazy=True):
        async with atomic():
            await add(1)
        async with atomic():
            await add(2)
            set_rollback(True)
        rows = connections.executor().stream("SELECT id FROM item")
        async with aclosing(rows):
            found = [row async for chunk in rows for row in chunk]
        assert len(found) == 1
    assert await stored() == [1]


async def test_lazy_inside_another_block_means_nothing(items: Backend):
    async with atomic():
        async with atomic(lazy=True):
            await add(1)
            set_rollback(True)
        await add(2)
    assert await stored() == [2]
