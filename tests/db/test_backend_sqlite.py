"""What is special about SQLite: the deadline, the threads, the one writer, other processes."""

# what raises is often an `async with` block

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from time import thread_time

import pytest

from transom.db.backends.sqlite import SQLiteBackend
from transom.db.backends.sqlite import connection as sqlite_connection
from transom.db.backends.sqlite.connection import SQLiteConnection
from transom.db.backends.sqlite.transaction import Pace
from transom.db.exceptions import (
    DataError,
    OperationalError,
    PoolTimeout,
    ProgrammingError,
    TransactionClosed,
    TransactionError,
    UniqueViolation,
)
from transom.db.url import DatabaseURL, SQLiteOptions

COUNT = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT max(i) FROM n"
LONG, ENDLESS = COUNT.format(100_000), COUNT.format(10**12)
LONG_WRITE = f"INSERT INTO item (id) {COUNT.format(100_000)}"
ENDLESS_WRITE = f"INSERT INTO item (id) {ENDLESS}"


def make(url: str) -> SQLiteBackend:
    parsed = DatabaseURL.parse(url)
    assert isinstance(parsed.options, SQLiteOptions)
    return SQLiteBackend("default", parsed, parsed.options)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "test.sqlite3"


@pytest.fixture
async def backend(path: Path) -> AsyncIterator[SQLiteBackend]:
    backend = make(f"sqlite:///{path}?busy_timeout=0.05")
    await backend.execute("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT UNIQUE)")
    yield backend
    await backend.aclose()


@pytest.fixture
def threads_used(monkeypatch: pytest.MonkeyPatch) -> list[Callable[..., object]]:
    """The calls that went to a thread."""
    calls: list[Callable[..., object]] = []
    original = SQLiteConnection.run_on_thread

    async def record(self, call, *args, **options):
        calls.append(call)
        return await original(self, call, *args, **options)

    monkeypatch.setattr(SQLiteConnection, "run_on_thread", record)
    return calls


async def keys(backend: SQLiteBackend) -> list[int]:
    return [row[0] for row in await backend.fetch("SELECT id FROM item ORDER BY id")]


def transom_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("transom-sqlite")]


async def test_file_is_set_up_for_many_readers_and_one_writer(backend: SQLiteBackend, path: Path):
    assert await backend.fetch("PRAGMA journal_mode") == [("wal",)]
    assert await backend.execute_returning("PRAGMA foreign_keys") == [(1,)]
    assert await backend.execute_returning("PRAGMA synchronous") == [(1,)]


async def test_short_statements_run_inline(backend: SQLiteBackend, threads_used: list):
    await backend.execute("INSERT INTO item (id) VALUES (1)")
    assert await keys(backend) == [1]
    assert threads_used == []


async def test_long_read_moves_to_a_thread_and_the_loop_goes_on(
    backend: SQLiteBackend, threads_used: list, monkeypatch: pytest.MonkeyPatch
):
    """The read waits for the loop in the middle: if it held up the loop, this would never end."""
    turned = threading.Event()
    original = sqlite_connection.fetch_all

    def fetch_all(driver, sql, args):
        if threading.current_thread() is not threading.main_thread():
            assert turned.wait(5)
        return original(driver, sql, args)

    monkeypatch.setattr("transom.db.backends.sqlite.backend.fetch_all", fetch_all)
    task = asyncio.create_task(backend.fetch(LONG))
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_later(0.001, turned.set)
    assert await task == [(100_000,)]
    assert threads_used == [fetch_all]


async def test_inline_part_of_a_long_read_is_short(backend: SQLiteBackend):
    await backend.fetch("SELECT 1")
    reader = backend._inline
    assert reader is not None
    started = thread_time()  # which does not go on while others have the processor
    with pytest.raises(sqlite_connection.Overdue):
        reader.attempt(sqlite_connection.fetch_all, ENDLESS, ())
    assert thread_time() - started < 0.2  # a millisecond


async def test_long_read_in_a_transaction_sees_what_it_wrote(backend: SQLiteBackend, threads_used: list):
    async with backend.transaction() as transaction:
        await transaction.execute("INSERT INTO item (id) VALUES (1)")
        threads_used.clear()
        assert await transaction.fetch(f"SELECT (SELECT count(*) FROM item), ({LONG})") == [(1, 100_000)]
        assert len(threads_used) == 1
    assert await keys(backend) == [1]


async def test_long_write_is_undone_and_runs_again_on_the_thread(backend: SQLiteBackend, threads_used: list):
    assert await backend.execute(LONG_WRITE) == 1
    assert threads_used == [sqlite_connection.execute]
    assert await keys(backend) == [100_000]


async def test_long_execute_many_is_undone_and_runs_again(backend: SQLiteBackend, threads_used: list):
    await backend.execute_many(
        "INSERT INTO item (id, name) VALUES (?, ?)", [(i, str(i)) for i in range(20_000)]
    )
    assert threads_used == [sqlite_connection.execute_many]
    assert await backend.fetch("SELECT count(*) FROM item") == [(20_000,)]


async def test_write_in_a_transaction_runs_inline_once_it_was_quick(
    backend: SQLiteBackend, threads_used: list
):
    backend._pace.record("INSERT INTO item (id) VALUES (?)", 0.00001)
    async with backend.transaction() as transaction:
        await transaction.execute("INSERT INTO item (id) VALUES (?)", (1,))
        assert threads_used == []
        await transaction.execute(LONG_WRITE)
        assert threads_used == [sqlite_connection.timed]
        assert not backend._pace.is_quick(LONG_WRITE)


def test_pace_forgets_a_statement_that_became_slow():
    pace = Pace(capacity=2)
    for sql in ("a", "b"):
        pace.record(sql, 0.0)
    pace.record("a", 1.0)
    assert (pace.is_quick("a"), pace.is_quick("b")) == (False, True)
    for sql in ("c", "d"):
        pace.record(sql, 0.0)
    assert pace.is_quick("d")
    assert not pace.is_quick("b")


@pytest.mark.parametrize("method", ["fetch", "execute"])
async def test_cancelled_long_statement_stops_on_its_thread(backend: SQLiteBackend, method: str):
    task = asyncio.create_task(getattr(backend, method)(ENDLESS_WRITE if method == "execute" else ENDLESS))
    while not transom_threads():
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await keys(backend) == []
    await backend.execute("INSERT INTO item (id) VALUES (1)")


async def test_write_cancelled_in_a_transaction_ends_the_transaction(backend: SQLiteBackend):
    """SQLite rolls back; what comes after must not run in autocommit, nor the commit succeed."""
    with pytest.raises(TransactionClosed, match="rolled back"):
        async with backend.transaction() as transaction:
            await transaction.execute("INSERT INTO item (id) VALUES (1)")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.005):
                    await transaction.execute(ENDLESS_WRITE)
            with pytest.raises(TransactionClosed):
                await transaction.execute("INSERT INTO item (id) VALUES (2)")
    assert await keys(backend) == []


async def test_read_cancelled_in_a_transaction_harms_nothing(backend: SQLiteBackend):
    async with backend.transaction() as transaction:
        await transaction.execute("INSERT INTO item (id) VALUES (1)")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.005):
                await transaction.fetch(ENDLESS)
        await transaction.execute("INSERT INTO item (id) VALUES (2)")
    assert await keys(backend) == [1, 2]


async def test_close_joins_every_thread(backend: SQLiteBackend):
    await backend.fetch(LONG)
    await backend.execute(LONG_WRITE)
    assert transom_threads()
    await backend.aclose()
    assert transom_threads() == []


async def test_close_while_a_statement_runs_stops_it(backend: SQLiteBackend, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("transom.db.pool.CLOSE_TIMEOUT", 0.001)
    task = asyncio.create_task(backend.fetch(ENDLESS))
    while not transom_threads():
        await asyncio.sleep(0)
    await backend.aclose()
    with pytest.raises(OperationalError):
        await task
    assert transom_threads() == []


async def test_lock_of_another_connection_is_waited_for_without_holding_up_the_loop(
    backend: SQLiteBackend, path: Path
):
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    tasks = [asyncio.create_task(backend.execute("INSERT INTO item (id) VALUES (1)"))]
    for _ in range(5):
        await asyncio.sleep(0)
    assert not tasks[0].done()
    other.execute("COMMIT")
    assert await tasks[0] == 1
    other.close()


@pytest.mark.parametrize("inside", [False, True])
async def test_lock_that_stays_is_an_error_that_names_the_file(
    backend: SQLiteBackend, path: Path, inside: bool
):
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError, match=r"test\.sqlite3\S* is locked: .* 0\.05 s \(busy_timeout\)"):
        if inside:
            async with backend.transaction():
                pass
        else:
            await backend.execute("INSERT INTO item (id) VALUES (1)")
    other.close()
    await backend.execute("INSERT INTO item (id) VALUES (2)")


async def test_writer_held_too_long_is_a_pool_timeout(backend: SQLiteBackend):
    async with backend.transaction():
        with pytest.raises(PoolTimeout, match="another task holds the one writer"):
            await backend.execute("INSERT INTO item (id) VALUES (1)")


async def test_readers_go_on_beside_an_open_transaction(backend: SQLiteBackend):
    async with backend.transaction() as transaction:
        await transaction.execute("INSERT INTO item (id) VALUES (1)")
        async with backend.transaction(readonly=True) as reading:
            assert await reading.fetch("SELECT id FROM item") == []
        assert await keys(backend) == []


async def test_stream_shows_one_moment(backend: SQLiteBackend):
    await backend.execute_many("INSERT INTO item (id) VALUES (?)", [(i,) for i in range(4)])
    seen: list[int] = []
    async for chunk in backend.stream("SELECT id FROM item ORDER BY id", chunk_size=2):
        seen.extend(row[0] for row in chunk)
        await backend.execute("INSERT INTO item (id) VALUES (?)", (100 + len(seen),))
    assert seen == [0, 1, 2, 3]


async def test_write_through_fetch_is_refused(backend: SQLiteBackend):
    with pytest.raises(OperationalError, match="readonly"):
        await backend.fetch("INSERT INTO item (id) VALUES (1)")


async def test_begin_by_hand_is_refused(backend: SQLiteBackend):
    with pytest.raises(TransactionError, match="use atomic"):
        await backend.execute("BEGIN")
    await backend.execute("INSERT INTO item (id) VALUES (1)")
    assert await keys(backend) == [1]


@pytest.mark.parametrize(
    ("value", "error"),
    [(2**70, DataError), ("\ud800", DataError), (object(), ProgrammingError)],
    ids=["big", "surrogate", "object"],
)
async def test_value_that_sqlite_cannot_hold(backend: SQLiteBackend, value: object, error: type[Exception]):
    with pytest.raises(error):
        await backend.execute("INSERT INTO item (name) VALUES (?)", (value,))


async def test_unique_index_on_an_expression_is_named(backend: SQLiteBackend):
    await backend.execute("CREATE UNIQUE INDEX item_lower ON item (lower(name))")
    await backend.execute("INSERT INTO item (name) VALUES ('a')")
    with pytest.raises(UniqueViolation) as caught:
        await backend.execute("INSERT INTO item (name) VALUES ('A')")
    assert (caught.value.columns, caught.value.constraint) == ((), "item_lower")


async def test_deferred_constraint_fails_the_commit_and_rolls_back(backend: SQLiteBackend):
    await backend.execute(
        "CREATE TABLE part (id INTEGER PRIMARY KEY, item INTEGER REFERENCES item DEFERRABLE INITIALLY DEFERRED)"
    )
    with pytest.raises(Exception, match="FOREIGN KEY"):
        async with backend.transaction() as transaction:
            await transaction.execute("INSERT INTO part VALUES (1, 99)")
    assert await backend.fetch("SELECT * FROM part") == []
    await backend.execute("INSERT INTO item (id) VALUES (1)")


async def test_memory_database_lives_as_long_as_its_backend():
    backend = make("sqlite://:memory:")
    await backend.execute("CREATE TABLE item (id INTEGER)")
    await asyncio.gather(
        *(backend.execute("INSERT INTO item VALUES (?)", (number,)) for number in range(5)),
        backend.fetch(LONG),
    )
    assert len(await keys(backend)) == 5
    await backend.aclose()


async def test_memory_reader_waits_for_an_open_transaction():
    """One connection: without the wait it would see what is not committed."""
    backend = make("sqlite://:memory:")
    await backend.execute("CREATE TABLE item (id INTEGER)")
    async with backend.transaction() as transaction:
        await transaction.execute("INSERT INTO item VALUES (1)")
        reading = asyncio.create_task(keys(backend))
        await asyncio.sleep(0)
        assert not reading.done()
        await transaction.execute("DELETE FROM item")
    assert await reading == []
    await backend.aclose()


async def test_log_is_moved_into_the_file_beside_the_writes(
    backend: SQLiteBackend, path: Path, threads_used: list
):
    rows = [(i, "x" * 100) for i in range(300)]
    await backend.execute_many("INSERT INTO item (id, name) VALUES (?, ? || hex(randomblob(8)))", rows)
    task = backend._checkpoints._task
    assert task is not None
    before = path.stat().st_size
    await task
    assert path.stat().st_size > before
    async with backend.transaction() as transaction:
        await transaction.execute(f"DELETE FROM item WHERE id < {250}")
    assert backend._checkpoints._task is not None


WRITE_MANY = """
import asyncio, sys
from transom.db import connections
from transom.db.transaction import atomic

async def main(url, first):
    connections.configure({"default": url})
    for number in range(first, first + 50):
        async with atomic():
            rows = await connections.executor().fetch("SELECT count(*) FROM item")
            await connections.executor().execute("INSERT INTO item (id) VALUES (?)", (number,))
    await connections.aclose()

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


@pytest.mark.slow
async def test_two_processes_write_and_nothing_is_lost(backend: SQLiteBackend, path: Path):
    command = [sys.executable, "-c", WRITE_MANY, f"sqlite:///{path}?busy_timeout=20"]
    processes = [await asyncio.create_subprocess_exec(*command, str(first)) for first in (0, 1000)]
    assert [await process.wait() for process in processes] == [0, 0]
    assert await keys(backend) == [*range(50), *range(1000, 1050)]


@pytest.mark.slow
def test_sqlite_needs_no_asyncpg():
    code = (
        "import sys; sys.modules['asyncpg'] = None; import transom.db.backends.sqlite, transom.db.transaction"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
