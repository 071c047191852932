"""A PostgreSQL server that is restarted, crashes or is killed while it is being worked with."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count

import pytest
from postgres_cluster import PostgresCluster, running_cluster

from transom.db.backends.postgresql import PostgreSQLBackend
from transom.db.exceptions import ConnectionFailed, ConnectionLost, DatabaseError
from transom.db.url import DatabaseURL, PostgreSQLOptions

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

INSERT = "INSERT INTO kept (id) VALUES ($1)"
HEALS_WITHIN = 1.0  # seconds


def make(url: str) -> PostgreSQLBackend:
    parsed = DatabaseURL.parse(url)
    assert isinstance(parsed.options, PostgreSQLOptions)
    return PostgreSQLBackend("default", parsed, parsed.options)


@pytest.fixture(scope="module")
def postgres_cluster(next_port: Callable[[], int]) -> Iterator[PostgresCluster]:
    with running_cluster(next_port()) as cluster:
        yield cluster


@pytest.fixture
async def backend(postgres_cluster: PostgresCluster) -> AsyncIterator[PostgreSQLBackend]:
    backend = make(f"{postgres_cluster.url}?pool_max=4&pool_timeout=5")
    await backend.execute("CREATE TABLE kept (id INTEGER PRIMARY KEY)")
    yield backend
    await backend.execute("DROP TABLE kept")
    await backend.aclose()


class Load:
    """Tasks that read and write without end, and remember what became of each row."""

    def __init__(self, backend: PostgreSQLBackend) -> None:
        self.committed: set[int] = set()
        self.refused: set[int] = set()
        self.in_doubt: set[int] = set()
        self.errors: set[type[BaseException]] = set()
        self.reads = 0
        self._backend = backend
        self._keys = count()
        self._stopping = False

    def start(self, group: asyncio.TaskGroup) -> None:
        for work in (self._insert, self._insert, self._insert_in_transaction, self._insert_in_transaction):
            group.create_task(self._write(work))
        group.create_task(self._read())
        group.create_task(self._read())

    def stop(self) -> None:
        self._stopping = True

    async def make_progress(self) -> None:
        """Return once every kind of work has succeeded a few times more."""
        writes, reads = len(self.committed) + 20, self.reads + 20
        while len(self.committed) < writes or self.reads < reads:
            await asyncio.sleep(0.001)

    async def _insert(self, key: int) -> None:
        await self._backend.execute(INSERT, (key,))

    async def _insert_in_transaction(self, key: int) -> None:
        async with self._backend.transaction() as transaction:
            await transaction.execute(INSERT, (key,))
            await transaction.fetch("SELECT 1")

    async def _write(self, work) -> None:
        while not self._stopping:
            key = next(self._keys)
            try:
                await work(key)
            except DatabaseError as exc:
                is_open = isinstance(exc, ConnectionLost) and exc.in_doubt
                (self.in_doubt if is_open else self.refused).add(key)
                await self._note(exc)
            else:
                self.committed.add(key)

    async def _read(self) -> None:
        while not self._stopping:
            try:
                await self._backend.fetch("SELECT count(*) FROM kept")
                self.reads += 1
            except DatabaseError as exc:
                await self._note(exc)

    async def _note(self, error: DatabaseError) -> None:
        self.errors.add(type(error))
        await asyncio.sleep(0.002)  # there is no server, and no use in asking without a pause


@pytest.mark.parametrize("how", ["fast", "immediate", "kill", "crash"])
async def test_nothing_is_lost_and_the_pool_heals(
    postgres_cluster: PostgresCluster, backend: PostgreSQLBackend, how: str
):
    """What was committed is there, what failed for certain is not, and only what was in doubt may be either."""
    load = Load(backend)
    async with asyncio.TaskGroup() as group:
        load.start(group)
        await load.make_progress()
        if how == "crash":
            pid = (await backend.fetch("SELECT pg_backend_pid()"))[0][0]
            os.kill(pid, signal.SIGKILL)  # upon which the server ends all sessions and recovers
            while ConnectionLost not in load.errors:
                await asyncio.sleep(0.001)
            await asyncio.to_thread(wait_for_answer, postgres_cluster)
        else:
            stop = postgres_cluster.kill if how == "kill" else lambda: postgres_cluster.stop(how)
            await asyncio.to_thread(stop)
            await asyncio.to_thread(postgres_cluster.start)
        async with asyncio.timeout(HEALS_WITHIN):
            await load.make_progress()
        load.stop()
    stored = {row[0] for row in await backend.fetch("SELECT id FROM kept")}
    assert load.committed - stored == set()
    assert load.refused & stored == set()
    assert stored <= load.committed | load.in_doubt
    assert load.errors <= {ConnectionFailed, ConnectionLost}
    assert (backend.pool.in_use, backend.pool.size <= 4) == (0, True)
    assert await open_transactions(backend) == 0


def wait_for_answer(cluster: PostgresCluster) -> None:
    async def connect() -> None:
        while True:
            try:
                return await cluster.wait_for_answer()
            except Exception:
                await asyncio.sleep(0.005)

    asyncio.run(asyncio.wait_for(connect(), 10))


async def open_transactions(backend: PostgreSQLBackend) -> int:
    rows = await backend.fetch(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'transom' "
        "AND pid <> pg_backend_pid() AND state <> 'idle'"
    )
    return rows[0][0]


async def test_write_whose_answer_never_came_is_in_doubt(backend: PostgreSQLBackend):
    """And it was not sent again."""
    with pytest.raises(ConnectionLost) as caught:
        await backend.execute("INSERT INTO kept SELECT $1 WHERE pg_terminate_backend(pg_backend_pid())", (1,))
    assert caught.value.in_doubt
    assert await backend.fetch("SELECT id FROM kept") == []


async def test_statement_of_a_transaction_is_never_in_doubt(backend: PostgreSQLBackend):
    with pytest.raises(ConnectionLost) as caught:
        async with backend.transaction() as transaction:
            await transaction.execute(INSERT, (1,))
            await transaction.fetch("SELECT pg_terminate_backend(pg_backend_pid())")
    assert not caught.value.in_doubt
    assert await backend.fetch("SELECT id FROM kept") == []


async def test_read_that_may_have_run_is_not_run_again(backend: PostgreSQLBackend):
    """The session dies without a word in the middle of it: who knows what a function has done."""
    await backend.fetch(
        "SELECT 1"
    )  # so that there is an idle connection, which is where a read may be run again
    task = asyncio.create_task(backend.fetch("SELECT pg_sleep(60)"))
    await asyncio.sleep(0)
    sleeping: list = []
    while not sleeping:
        sleeping = await backend.fetch("SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
    pid = sleeping[0][0]
    sockets = [connection for connection in backend.pool._lent if connection.get_server_pid() == pid]
    assert len(sockets) == 1
    sockets[0]._transport.abort()
    with pytest.raises(ConnectionLost):
        await task
    assert backend.pool.in_use == 0
    await backend.fetch("SELECT pg_terminate_backend($1, 2000)", (pid,))


async def test_server_that_is_down_is_said_to_be(
    postgres_cluster: PostgresCluster, backend: PostgreSQLBackend
):
    await backend.fetch("SELECT 1")
    await asyncio.to_thread(postgres_cluster.stop, "fast")
    try:
        with pytest.raises(ConnectionFailed, match=r"could not connect to \S+: Connection refused") as caught:
            await backend.fetch("SELECT 1")
        assert caught.value.sqlstate == "08001"
    finally:
        await asyncio.to_thread(postgres_cluster.start)
    assert len(await backend.fetch("SELECT 1")) == 1
