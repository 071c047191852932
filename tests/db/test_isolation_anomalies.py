"""The ten anomalies of Hermitage, through models and atomic(): what each isolation level lets happen.

The scripts are those of https://github.com/ept/hermitage (Martin Kleppmann), whose names come from Adya, "Weak Consistency"
(1999). What PostgreSQL promises is in section 13.2 of its manual: read committed sees what is committed at each statement,
repeatable read is snapshot isolation, serializable is what it says. SQLite: "all transactions in SQLite show serializable
isolation" (https://www.sqlite.org/isolation.html); here each begins by taking the one write lock. MariaDB: at repeatable read
only reads see a snapshot, at serializable they take locks (https://mariadb.com/kb/en/set-transaction/).

A transaction that the database ends with SerializationFailure or DeadlockDetected has prevented the anomaly.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from transom.db import (
    DeadlockDetected,
    F,
    SerializationFailure,
    TransactionError,
    atomic,
    connections,
    create_tables,
    models,
)
from transom.db.backends.base import Backend

Step = Callable[[], Awaitable[Any]]

LEVELS = {
    "postgresql": {
        "read committed": {"PMP", "PMP-write", "P4", "G-single", "G2-item", "G2"},
        "repeatable read": {"G2-item", "G2"},
        "serializable": set(),
    },
    "mysql": {  # whose writes look at what is committed last, not at the snapshot: hence no PMP-write
        "read committed": {"PMP", "P4", "G-single", "G2-item", "G2"},
        "repeatable read": {"P4", "G2-item", "G2"},
        "serializable": set(),
    },
    "sqlite": {"serializable": set()},
}
"""Vendor to level to the anomalies that it allows; the table "Summary of test results" of Hermitage."""

BLOCKED = {
    "postgresql": "SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND wait_event_type = 'Lock'",
    "mysql": "SELECT 1 FROM information_schema.innodb_trx "
    "WHERE trx_mysql_thread_id = %s AND trx_state = 'LOCK WAIT'",
}
"""Vendor to what finds out whether a session waits for a lock."""
STALE = 0.11  # seconds: InnoDB brings that table up to date only if nobody has read it for 0.1 s


class Item(models.Model):
    value = models.IntegerField()


class Undo(Exception):
    pass


class Session:
    """One transaction, in a task of its own, which takes one step after another and may have to wait for others.

    It begins with its first step. A step that the database answers with an error ends it; what is left of the script then
    does nothing, and its results are None.
    """

    def __init__(self, isolation: str, backend: Backend) -> None:
        self.is_committed = False
        self.error: Exception | None = None
        self._isolation = isolation
        self._backend = backend
        self._steps: asyncio.Queue[tuple[Step | None, asyncio.Future[Any]]] = asyncio.Queue()
        self._results: list[asyncio.Future[Any]] = []
        self._connection: Any = None
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, step: Step | None) -> asyncio.Future[Any]:
        """Take a step; return when it is done, or waits for another session. None is COMMIT."""
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        result: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self._task.done():
            result.set_result(None)
            return result
        self._results.append(result)
        self._steps.put_nowait((step, result))
        while not (result.done() or await self._is_blocked()):
            await asyncio.sleep(0)
        return result

    async def commit(self) -> None:
        """End the transaction."""
        await self(None)

    async def roll_back(self) -> None:
        """Undo the transaction."""
        await self(undo)

    async def end(self) -> None:
        """Wait until it is over."""
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        try:
            async with atomic(isolation=self._isolation):
                self._connection = connections.executor()._executor._connection  # type: ignore[attr-defined]
                await self._take_steps()
            self.is_committed = True
        except Exception as exc:
            self.error = exc
        for result in self._results:
            if not result.done():
                result.set_result(None)

    async def _take_steps(self) -> None:
        while True:
            step, result = await self._steps.get()
            if step is None:
                return
            result.set_result(await step())

    async def _is_blocked(self) -> bool:
        if self._backend.vendor == "sqlite":
            await asyncio.sleep(0)
            return self._connection is None and bool(self._backend._writer._state.waiters)  # type: ignore[attr-defined]
        if self._connection is None:
            return False
        if self._backend.vendor == "postgresql":
            return bool(
                await self._backend.fetch(BLOCKED["postgresql"], (self._connection.get_server_pid(),))
            )
        done, _ = await asyncio.wait((self._results[-1],), timeout=STALE)
        return not done and bool(await self._backend.fetch(BLOCKED["mysql"], (self._connection.thread_id,)))


async def undo() -> None:
    raise Undo


def read(key: int) -> Step:
    async def step() -> int:
        return (await Item.objects.get(pk=key)).value

    return step


def read_all() -> Step:
    async def step() -> list[int]:
        return [item.value for item in await Item.objects.order_by("pk")]

    return step


def read_where(**lookups: Any) -> Step:
    async def step() -> list[int]:
        return [item.pk for item in await Item.objects.filter(**lookups).order_by("pk")]

    return step


def write(key: int, value: int) -> Step:
    return lambda: Item.objects.filter(pk=key).update(value=value)


def insert(key: int, value: int) -> Step:
    return lambda: Item.objects.create(id=key, value=value)


async def g0(t1: Session, t2: Session, t3: Session) -> bool:
    """Write cycles: the changes of two transactions are interleaved."""
    await t1(write(1, 11))
    await t2(write(1, 12))
    await t1(write(2, 21))
    await t1.commit()
    await t2(write(2, 22))
    await t2.commit()
    await t2.end()
    return await read_all()() in ([11, 22], [12, 21])


async def g1a(t1: Session, t2: Session, t3: Session) -> bool:
    """Aborted reads: what was undone has been seen."""
    await t1(write(1, 101))
    seen = [await t2(read(1))]
    await t1.roll_back()
    seen.append(await t2(read(1)))
    await t2.commit()
    await t2.end()
    return 101 in [step.result() for step in seen]


async def g1b(t1: Session, t2: Session, t3: Session) -> bool:
    """Intermediate reads: what was only written on the way has been seen."""
    await t1(write(1, 101))
    seen = [await t2(read(1))]
    await t1(write(1, 11))
    await t1.commit()
    seen.append(await t2(read(1)))
    await t2.commit()
    await t2.end()
    return 101 in [step.result() for step in seen]


async def g1c(t1: Session, t2: Session, t3: Session) -> bool:
    """Circular information flow: each has seen what the other wrote."""
    await t1(write(1, 11))
    await t2(write(2, 22))
    first = await t1(read(2))
    second = await t2(read(1))
    await t1.commit()
    await t2.commit()
    await t2.end()
    return first.result() == 22 and second.result() == 11


async def otv(t1: Session, t2: Session, t3: Session) -> bool:
    """Observed transaction vanishes: of what a transaction did, some has been seen, and then no longer."""
    await t1(write(1, 11))
    await t1(write(2, 19))
    await t2(write(1, 12))
    await t1.commit()
    seen = [await t3(read(1))]
    await t2(write(2, 18))
    seen.append(await t3(read(2)))
    await t2.commit()
    seen += [await t3(read(2)), await t3(read(1))]
    await t3.commit()
    await t3.end()
    writers = {10: 0, 20: 0, 11: 1, 19: 1, 12: 2, 18: 2}
    order = [writers[step.result()] for step in seen if step.result() is not None]
    return order != sorted(order)


async def pmp(t1: Session, t2: Session, t3: Session) -> bool:
    """Predicate-many-preceders: the same condition finds a row that was not there before."""
    before = await t1(read_where(value__gte=30))
    await t2(insert(3, 30))
    await t2.commit()
    after = await t1(read_where(value__gte=30))
    await t1.commit()
    await t1.end()
    return (before.result(), after.result()) == ([], [3])


async def pmp_write(t1: Session, t2: Session, t3: Session) -> bool:
    """The same for a write: a row that the condition finds afterwards was not deleted."""
    await t1(lambda: Item.objects.update(value=F("value") + 10))
    deleted = await t2(lambda: Item.objects.filter(value=20).delete())
    await t1.commit()
    left = await t2(read_where(value=20))
    await t2.commit()
    await t2.end()
    return deleted.result() == 0 and left.result() == [1]


async def p4(t1: Session, t2: Session, t3: Session) -> bool:
    """Lost update: both have read the same, and one has overwritten the other."""
    first = await t1(read(1))
    second = await t2(read(1))
    await t1(write(1, 11))
    await t2(write(1, 12))
    await t1.commit()
    await t2.commit()
    await t2.end()
    return t1.is_committed and t2.is_committed and first.result() == second.result() == 10


async def g_single(t1: Session, t2: Session, t3: Session) -> bool:
    """Read skew: of two rows that changed together, the old one and the new one have been seen."""
    first = await t1(read(1))
    await t2(write(1, 12))
    await t2(write(2, 18))
    await t2.commit()
    second = await t1(read(2))
    await t1.commit()
    await t1.end()
    return (first.result(), second.result()) == (10, 18)


async def g2_item(t1: Session, t2: Session, t3: Session) -> bool:
    """Write skew: each has changed what the other has read."""
    first = await t1(read_all())
    second = await t2(read_all())
    await t1(write(1, 11))
    await t2(write(2, 21))
    await t1.commit()
    await t2.commit()
    await t2.end()
    return t1.is_committed and t2.is_committed and first.result() == second.result() == [10, 20]


async def g2(t1: Session, t2: Session, t3: Session) -> bool:
    """Anti-dependency cycle: each has added a row that the other's condition would have found."""
    first = await t1(read_where(value__gte=30))
    second = await t2(read_where(value__gte=30))
    await t1(insert(3, 30))
    await t2(insert(4, 42))
    await t1.commit()
    await t2.commit()
    await t2.end()
    return t1.is_committed and t2.is_committed and first.result() == second.result() == []


SCRIPTS = {
    "G0": g0,
    "G1a": g1a,
    "G1b": g1b,
    "G1c": g1c,
    "OTV": otv,
    "PMP": pmp,
    "PMP-write": pmp_write,
    "P4": p4,
    "G-single": g_single,
    "G2-item": g2_item,
    "G2": g2,
}


@pytest.fixture
async def items(database: Backend) -> Backend:
    if database.vendor not in LEVELS:
        pytest.skip(f"no table of anomalies for {database.vendor}")
    await create_tables(Item)
    await Item.objects.bulk_create([Item(id=1, value=10), Item(id=2, value=20)])
    return database


@pytest.mark.slow
@pytest.mark.parametrize("level", ["read committed", "repeatable read", "serializable"])
@pytest.mark.parametrize("anomaly", SCRIPTS)
async def test_anomaly(items: Backend, level: str, anomaly: str):
    if level not in LEVELS[items.vendor]:
        with pytest.raises(TransactionError, match="are all serializable"):
            async with atomic(isolation=level):
                pass
        return
    sessions = [Session(level, items) for _ in range(3)]
    async with asyncio.timeout(20):
        happened = await SCRIPTS[anomaly](*sessions)
        for session in sessions:
            await session.end()
            assert isinstance(session.error, SerializationFailure | DeadlockDetected | Undo | None)
    assert happened == (anomaly in LEVELS[items.vendor][level])
