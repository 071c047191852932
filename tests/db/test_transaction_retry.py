"""retry_on_conflict: what is run again, how often, and what never is."""

from __future__ import annotations

import asyncio

import pytest

from transom.db import connections, retry
from transom.db.backends.base import Backend
from transom.db.exceptions import (
    DeadlockDetected,
    LockNotAvailable,
    SerializationFailure,
    TransactionError,
)
from transom.db.retry import choose_wait, retry_on_conflict
from transom.db.transaction import atomic, on_commit


@pytest.fixture
async def items(database: Backend) -> Backend:
    await database.execute("CREATE TABLE item (id INTEGER PRIMARY KEY, votes INTEGER NOT NULL DEFAULT 0)")
    return database


async def add(key: int) -> None:
    await connections.executor().execute(f"INSERT INTO item (id) VALUES ({key})")


async def stored() -> list[int]:
    return [row[0] for row in await connections.executor().fetch("SELECT id FROM item ORDER BY id")]


@pytest.mark.parametrize("conflict", [SerializationFailure, DeadlockDetected])
async def test_conflict_rolls_back_and_runs_again(items: Backend, conflict: type[Exception]):
    calls: list[int] = []

    @retry_on_conflict(wait=0)
    async def work(key: int) -> int:
        """Docs."""
        calls.append(key)
        await add(key)
        if len(calls) < 3:
            raise conflict("again")
        return key

    assert await work(7) == 7
    assert (calls, await stored()) == ([7, 7, 7], [7])
    assert (work.__name__, work.__doc__) == ("work", "Docs.")


async def test_attempts_are_bounded_and_the_last_conflict_is_raised(items: Backend):
    calls = 0

    @retry_on_conflict(attempts=3, wait=0)
    async def work() -> None:
        nonlocal calls
        calls += 1
        await add(calls)
        raise SerializationFailure("never in order")

    with pytest.raises(SerializationFailure, match="never in order") as caught:
        await work()
    assert caught.value.__notes__ == ["retry_on_conflict gave up after 3 attempts"]
    assert (calls, await stored()) == (3, [])


@pytest.mark.parametrize("error", [ZeroDivisionError, LockNotAvailable])
async def test_other_errors_are_not_retried(items: Backend, error: type[Exception]):
    calls = 0

    @retry_on_conflict
    async def work() -> None:
        nonlocal calls
        calls += 1
        raise error

    with pytest.raises(error):
        await work()
    assert calls == 1


async def test_inside_a_transaction_it_is_refused(items: Backend):
    @retry_on_conflict
    async def work() -> None:
        raise AssertionError("is not called")

    async with atomic():
        with pytest.raises(TransactionError, match="put it around the outermost block"):
            await work()
        await add(1)
    assert await stored() == [1]


async def test_blocks_inside_are_savepoints(items: Backend):
    @retry_on_conflict
    async def work() -> None:
        await add(1)
        async with atomic():
            await add(2)

    await work()
    assert await stored() == [1, 2]


async def test_conflict_of_a_callback_does_not_repeat_what_is_committed(items: Backend):
    """The callback runs after COMMIT: another attempt would do everything twice."""
    calls = 0

    async def meet_conflict() -> None:
        raise SerializationFailure("in another transaction")

    @retry_on_conflict(wait=0)
    async def work() -> None:
        nonlocal calls
        calls += 1
        await add(calls)
        on_commit(meet_conflict)

    with pytest.raises(SerializationFailure):
        await work()
    assert (calls, await stored()) == (1, [1])


async def test_callbacks_of_failed_attempts_do_not_run(items: Backend):
    seen: list[int] = []
    calls = 0

    @retry_on_conflict(wait=0)
    async def work() -> None:
        nonlocal calls
        calls += 1
        on_commit(lambda number=calls: seen.append(number))
        if calls < 3:
            raise SerializationFailure("again")

    await work()
    assert seen == [3]


async def test_conflict_at_commit_is_retried(items: Backend, monkeypatch: pytest.MonkeyPatch):
    """And what the function returned is not taken for done."""
    calls = 0
    transaction = type(items.transaction())
    leave = transaction.__aexit__

    async def fail_once(self, kind, error, traceback):
        if kind is None and calls == 1:
            await leave(self, SerializationFailure, SerializationFailure("at commit"), None)
            raise SerializationFailure("at commit")
        await leave(self, kind, error, traceback)

    monkeypatch.setattr(transaction, "__aexit__", fail_once)

    @retry_on_conflict(wait=0)
    async def work() -> int:
        nonlocal calls
        calls += 1
        await add(calls)
        return calls

    assert await work() == 2
    assert await stored() == [2]


async def test_rivals_all_get_through(items: Backend):
    """Each reads, then writes what it has read plus one: without the retries votes would be lost, or calls fail."""
    await add(1)

    @retry_on_conflict(isolation="serializable", attempts=50, wait=0.001)
    async def vote() -> None:
        executor = connections.executor()
        ((votes,),) = await executor.fetch("SELECT votes FROM item WHERE id = 1")
        await executor.execute(f"UPDATE item SET votes = {votes + 1} WHERE id = 1")

    await asyncio.gather(*(vote() for _ in range(5)))
    assert (await items.fetch("SELECT votes FROM item"))[0][0] == 5


async def test_cancellation_ends_the_waiting(items: Backend, monkeypatch: pytest.MonkeyPatch):
    waits: list[float] = []

    def wait_long(first: float, number: int) -> float:
        waits.append(first)
        return 60

    monkeypatch.setattr(retry, "choose_wait", wait_long)

    @retry_on_conflict(wait=0.5)
    async def work() -> None:
        await add(1)
        raise SerializationFailure("again")

    task = asyncio.create_task(work())
    while not waits:
        await asyncio.sleep(0)
    assert await stored() == []  # no connection is held meanwhile: on SQLite there is one that writes
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert waits == [0.5]


def test_waits_are_random_below_a_limit_that_doubles():
    for number, limit in ((1, 0.1), (2, 0.2), (3, 0.4), (60, retry.LONGEST_WAIT)):
        waits = {choose_wait(0.1, number) for _ in range(50)}
        assert len(waits) > 40
        assert 0 <= min(waits) <= max(waits) <= limit
        assert max(waits) > limit / 2


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="attempts"):
        retry_on_conflict(attempts=0)
    with pytest.raises(TypeError, match="async def"):
        retry_on_conflict(lambda: None)  # type: ignore[arg-type]
