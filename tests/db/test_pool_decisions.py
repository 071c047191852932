"""The pool: who gets which connection, and what is left after cancellation and failure."""

from __future__ import annotations

import asyncio

import pytest

from transom.db.exceptions import ConnectionFailed, PoolTimeout
from transom.db.pool import VACANCY, Pool, PoolState


class FakeConnection:
    def __init__(self, number: int) -> None:
        self.number = number
        self.closed = False
        self.said_goodbye = False

    def is_closed(self) -> bool:
        return self.closed

    async def close(self) -> None:
        self.said_goodbye = self.closed = True

    def terminate(self) -> None:
        self.closed = True


class Opener:
    """Opens fake connections; may be told to fail or to wait."""

    def __init__(self) -> None:
        self.opened: list[FakeConnection] = []
        self.error: Exception | None = None
        self.gate: asyncio.Event | None = None

    async def __call__(self) -> FakeConnection:
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        self.opened.append(FakeConnection(len(self.opened)))
        return self.opened[-1]


@pytest.fixture
def opener() -> Opener:
    return Opener()


def make_pool(opener: Opener, max_size: int = 1, timeout: float = 5, **options) -> Pool[FakeConnection]:
    return Pool(opener, name="fake://", max_size=max_size, timeout=timeout, exhausted="all in use", **options)


async def turn(times: int = 3) -> None:
    for _ in range(times):
        await asyncio.sleep(0)


class FakeWaiter:
    def __init__(self, present: bool = True) -> None:
        self.present = present
        self.got: object = None

    def deliver(self, grant: object) -> bool:
        if self.present:
            self.got = grant
        return self.present


def test_state_opens_up_to_the_limit_then_queues():
    state: PoolState[FakeConnection] = PoolState(2)
    assert [state.take(), state.take(), state.take()] == [VACANCY, VACANCY, None]


def test_state_hands_over_to_the_first_waiter_who_is_still_there():
    state: PoolState[FakeConnection] = PoolState(1)
    state.take()
    waiters = [FakeWaiter(present=False), FakeWaiter(), FakeWaiter()]
    for waiter in waiters:
        state.enqueue(waiter)
    connection = FakeConnection(0)
    state.give_back(connection)
    assert [waiter.got for waiter in waiters] == [None, connection, None]
    assert not state.idle


def test_state_gives_the_place_of_a_lost_connection_to_a_waiter():
    state: PoolState[FakeConnection] = PoolState(1)
    state.take()
    waiter = FakeWaiter()
    state.enqueue(waiter)
    state.give_up()
    assert (waiter.got, state.size) == (VACANCY, 1)
    state.give_up()
    assert state.size == 0


async def test_last_used_connection_is_lent_first(opener: Opener):
    pool = make_pool(opener, 2)
    first, second = await pool.take(), await pool.take()
    pool.give_back(first)
    pool.give_back(second)
    assert await pool.take() is second


async def test_waiters_are_served_in_order(opener: Opener):
    pool = make_pool(opener)
    connection = await pool.take()
    order: list[int] = []

    async def work(number: int) -> None:
        taken = await pool.take()
        order.append(number)
        pool.give_back(taken)

    tasks = [asyncio.create_task(work(number)) for number in range(5)]
    await turn()
    pool.give_back(connection)
    await asyncio.gather(*tasks)
    assert order == list(range(5))
    assert len(opener.opened) == 1


async def test_timeout_names_pool_limit_and_time(opener: Opener):
    pool = make_pool(opener, timeout=0.001)
    await pool.take()
    with pytest.raises(PoolTimeout, match=r"fake:// came free in 0\.001 s: all in use"):
        await pool.take()


async def test_timed_out_waiter_leaves_the_queue(opener: Opener):
    pool = make_pool(opener, timeout=0.001)
    connection = await pool.take()
    with pytest.raises(PoolTimeout):
        await pool.take()
    pool.give_back(connection)
    assert await pool.take() is connection


async def test_closed_connection_is_replaced(opener: Opener):
    pool = make_pool(opener)
    connection = await pool.take()
    pool.give_back(connection)
    connection.closed = True
    assert (await pool.take()).number == 1
    assert pool.size == 1


async def test_broken_connection_makes_room_for_a_waiter(opener: Opener):
    pool = make_pool(opener)
    connection = await pool.take()
    waiting = asyncio.create_task(pool.take())
    await turn()
    pool.discard(connection)
    assert (await waiting).number == 1
    assert connection.closed


async def test_failure_to_open_is_each_waiters_own(opener: Opener):
    pool = make_pool(opener)
    opener.gate = asyncio.Event()
    opener.error = ConnectionFailed("down")
    tasks = [asyncio.create_task(pool.take()) for _ in range(3)]
    await turn()
    opener.gate.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [ConnectionFailed] * 3
    assert pool.size == 0
    opener.error = None
    assert (await pool.take()).number == 0


async def test_cancelled_opening_leaves_room(opener: Opener):
    pool = make_pool(opener)
    opener.gate = asyncio.Event()
    task = asyncio.create_task(pool.take())
    await turn()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert pool.size == 0


async def test_connection_delivered_to_a_cancelled_waiter_goes_on(opener: Opener):
    """Cancelled in the very turn of the loop in which the connection was handed over."""
    pool = make_pool(opener)
    connection = await pool.take()
    first, second = asyncio.create_task(pool.take()), asyncio.create_task(pool.take())
    await turn()
    pool.give_back(connection)
    first.cancel()
    assert await second is connection
    with pytest.raises(asyncio.CancelledError):
        await first
    assert pool.in_use == 1


async def test_room_delivered_to_a_cancelled_waiter_goes_on(opener: Opener):
    pool = make_pool(opener)
    connection = await pool.take()
    first, second = asyncio.create_task(pool.take()), asyncio.create_task(pool.take())
    await turn()
    pool.discard(connection)
    first.cancel()
    assert (await second).number == 1
    with pytest.raises(asyncio.CancelledError):
        await first
    assert pool.size == 1


async def test_close_says_goodbye_and_the_pool_opens_again(opener: Opener):
    pool = make_pool(opener, 2)
    pool.give_back(await pool.take())
    await pool.aclose()
    assert opener.opened[0].said_goodbye
    assert pool.size == 0
    assert (await pool.take()).number == 1


async def test_close_waits_for_lent_connections(opener: Opener):
    pool = make_pool(opener)
    connection = await pool.take()
    closing = asyncio.create_task(pool.aclose())
    await turn()
    assert not closing.done()
    pool.give_back(connection)
    await closing
    assert connection.closed
    assert pool.size == 0


async def test_close_ends_connections_that_do_not_come_back(opener: Opener, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("transom.db.pool.CLOSE_TIMEOUT", 0.001)
    pool = make_pool(opener)
    connection = await pool.take()
    await pool.aclose()
    assert connection.closed
    pool.give_back(connection)
    assert pool.size == 0


async def test_connections_nobody_needed_are_closed_down_to_the_minimum(opener: Opener):
    pool = make_pool(opener, 3, min_size=1, idle_lifetime=0.001)
    for connection in [await pool.take() for _ in range(3)]:
        pool.give_back(connection)
    while pool.size > 1:
        await asyncio.sleep(0.001)
    await pool.aclose()
    assert [connection.said_goodbye for connection in opener.opened] == [False, False, True]
