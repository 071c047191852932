"""What is special about PostgreSQL: the pool under trouble, isolation, cursors, the server's errors."""

# what raises is often an `async with` block

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable

import asyncpg
import pytest

from transom.db.backends.postgresql import PostgreSQLBackend
from transom.db.backends.postgresql.errors import translate
from transom.db.exceptions import (
    ConnectionFailed,
    ConnectionLost,
    DataError,
    DeadlockDetected,
    ExclusionViolation,
    ForeignKeyViolation,
    LockNotAvailable,
    OperationalError,
    PoolTimeout,
    ProgrammingError,
    QueryCanceled,
    ReadOnlyViolation,
    SerializationFailure,
    TransactionError,
    UniqueViolation,
)
from transom.db.url import DatabaseURL, PostgreSQLOptions

pytestmark = pytest.mark.postgres


def make(url: str) -> PostgreSQLBackend:
    parsed = DatabaseURL.parse(url)
    assert isinstance(parsed.options, PostgreSQLOptions)
    return PostgreSQLBackend("default", parsed, parsed.options)


@pytest.fixture
async def backend(postgres_url: str) -> AsyncIterator[PostgreSQLBackend]:
    backend = make(f"{postgres_url}?pool_max=3&pool_timeout=2")
    await backend.execute("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT UNIQUE)")
    yield backend
    await backend.execute("DROP TABLE item")
    await backend.aclose()


@pytest.fixture
async def admin(postgres_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection outside of the pool, to look from and to do harm with."""
    connection = await asyncpg.connect(postgres_url)
    yield connection
    await connection.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


async def kill_others(admin: asyncpg.Connection) -> int:
    """End every other session of this database, and wait until they are gone."""
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    killed = len(await admin.fetch(f"SELECT pg_terminate_backend(pid, 2000) {others}"))
    assert await admin.fetchval(f"SELECT count(*) {others}") == 0
    return killed


async def test_gathered_statements_run_at_the_same_time(backend: PostgreSQLBackend):
    """Each holds a lock that the next needs to see held."""
    async with backend.transaction() as first, backend.transaction() as second:
        pids = {row[0] for tx in (first, second) for row in await tx.fetch("SELECT pg_backend_pid()")}
        assert len(pids) == 2
        assert (await backend.fetch("SELECT pg_backend_pid()"))[0][0] not in pids
    results = await asyncio.gather(
        *(backend.fetch("SELECT pg_backend_pid(), pg_sleep(0.01)") for _ in range(3))
    )
    assert len({rows[0][0] for rows in results}) == 3


async def test_statement_costs_one_round_trip(backend: PostgreSQLBackend, admin: asyncpg.Connection):
    """The last statement of the session is ours, not a reset."""
    await backend.fetch("SELECT 41 + 1")
    last = "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    assert [row[0] for row in await admin.fetch(last)] == ["SELECT 41 + 1"]


async def test_pool_timeout_names_the_limit(postgres_url: str):
    backend = make(f"{postgres_url}?pool_max=1&pool_timeout=0.01")
    async with backend.transaction():
        with pytest.raises(PoolTimeout, match=r"0\.01 s: all 1 are in use \(pool_max\)"):
            await backend.fetch("SELECT 1")
    await backend.fetch("SELECT 1")
    await backend.aclose()


@pytest.mark.slow
@pytest.mark.parametrize("noticed", [True, False], ids=["noticed", "unnoticed"])
async def test_reads_heal_after_the_server_ended_the_connections(
    backend: PostgreSQLBackend, admin: asyncpg.Connection, noticed: bool
):
    """`unnoticed`: what the server said last is read only after the next statement was sent."""
    await asyncio.gather(*(backend.fetch("SELECT pg_sleep(0.005)") for _ in range(3)))
    idle = list(backend.pool._state.idle)
    for connection in idle:
        if not noticed:
            connection._transport.pause_reading()
    assert await kill_others(admin) == 3
    if noticed:
        await until(lambda: all(connection.is_closed() for connection in idle))
    for connection in idle:
        assert connection.is_closed() == noticed
        if not noticed:
            connection._transport.resume_reading()
    results = await asyncio.gather(*(backend.fetch("SELECT 1") for _ in range(6)))
    assert [rows[0][0] for rows in results] == [1] * 6
    assert backend.pool.size <= 3


@pytest.mark.slow
async def test_transactions_heal_after_the_server_ended_the_connections(
    backend: PostgreSQLBackend, admin: asyncpg.Connection
):
    await asyncio.gather(*(backend.fetch("SELECT pg_sleep(0.005)") for _ in range(3)))
    await kill_others(admin)
    async with backend.transaction() as transaction:
        await transaction.execute("INSERT INTO item (id) VALUES (1)")
    assert len(await backend.fetch("SELECT id FROM item")) == 1


@pytest.mark.slow
async def test_connection_lost_in_a_transaction_is_an_error_and_is_replaced(
    backend: PostgreSQLBackend, admin: asyncpg.Connection
):
    with pytest.raises(ConnectionFailed):
        async with backend.transaction() as transaction:
            await transaction.execute("INSERT INTO item (id) VALUES (1)")
            await kill_others(admin)
            await transaction.execute("INSERT INTO item (id) VALUES (2)")
    assert await backend.fetch("SELECT id FROM item") == []
    assert backend.pool.in_use == 0


@pytest.mark.slow
async def test_commit_on_a_lost_connection_is_an_error(backend: PostgreSQLBackend, admin: asyncpg.Connection):
    with pytest.raises(ConnectionFailed):
        async with backend.transaction() as transaction:
            await transaction.execute("INSERT INTO item (id) VALUES (1)")
            await kill_others(admin)
    assert await backend.fetch("SELECT id FROM item") == []


@pytest.mark.slow
async def test_error_in_the_block_outweighs_the_lost_connection(
    backend: PostgreSQLBackend, admin: asyncpg.Connection
):
    with pytest.raises(ZeroDivisionError):
        async with backend.transaction():
            await kill_others(admin)
            raise ZeroDivisionError
    assert await backend.fetch("SELECT 1")


async def test_cancelled_statement_stops_on_the_server_and_the_connection_is_kept(
    backend: PostgreSQLBackend, admin: asyncpg.Connection
):
    pid = (await backend.fetch("SELECT pg_backend_pid()"))[0][0]
    task = asyncio.create_task(backend.fetch("SELECT pg_sleep(60)"))
    active = (
        "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND query LIKE '%sleep%' AND state = 'active'"
    )
    async with asyncio.timeout(5):
        while not await admin.fetchval(active, pid):
            await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: backend.pool.in_use == 0)
    assert (await backend.fetch("SELECT pg_backend_pid()"))[0][0] == pid


@pytest.mark.slow
@pytest.mark.parametrize("work", ["fetch", "execute", "transaction", "stream"])
async def test_cancellation_at_any_point_leaks_no_connection(backend: PostgreSQLBackend, work: str):
    async def run() -> None:
        if work == "transaction":
            async with backend.transaction() as transaction:
                await transaction.execute("UPDATE item SET name = 'x'")
        elif work == "stream":
            async for _ in backend.stream("SELECT generate_series(1, 10)", chunk_size=3):
                pass
        else:
            await getattr(backend, work)("SELECT 1")

    for turns in range(24):
        tasks = [asyncio.create_task(run()) for _ in range(5)]
        for _ in range(turns):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(result) for result in results} <= {type(None), asyncio.CancelledError}
        await until(lambda: backend.pool.in_use == 0)
        assert backend.pool.size <= 3
    assert (await backend.fetch("SELECT 1"))[0][0] == 1


async def test_commit_survives_cancellation(backend: PostgreSQLBackend):
    """It is on its way when the task is cancelled; the answer is waited for, then the cancellation raised."""

    async def write() -> None:
        async with backend.transaction() as transaction:
            await transaction.execute("INSERT INTO item (id) VALUES (1)")
            asyncio.get_running_loop().call_soon(task.cancel)

    task = asyncio.create_task(write())
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(await backend.fetch("SELECT id FROM item")) == 1
    assert backend.pool.in_use == 0


async def test_commit_of_a_failed_transaction_is_an_error(backend: PostgreSQLBackend):
    """The server would answer ROLLBACK, and nobody would know."""
    with pytest.raises(TransactionError, match="its error was swallowed"):
        async with backend.transaction() as transaction:
            await transaction.execute("INSERT INTO item (id) VALUES (1)")
            with pytest.raises(UniqueViolation):
                await transaction.execute("INSERT INTO item (id) VALUES (1)")
            with pytest.raises(TransactionError, match="an earlier statement"):
                await transaction.fetch("SELECT 1")
    assert await backend.fetch("SELECT id FROM item") == []


@pytest.mark.parametrize("level", ["read committed", "repeatable read", "serializable"])
async def test_isolation_level_is_the_servers(backend: PostgreSQLBackend, level: str):
    async with backend.transaction(isolation=level, readonly=True) as transaction:
        assert (await transaction.fetch("SHOW transaction_isolation"))[0][0] == level
        assert (await transaction.fetch("SHOW transaction_read_only"))[0][0] == "on"


async def test_serialization_failure_says_so(backend: PostgreSQLBackend):
    await backend.execute("INSERT INTO item (id, name) VALUES (1, 'a')")
    with pytest.raises(SerializationFailure):
        async with backend.transaction(isolation="repeatable read") as transaction:
            await transaction.fetch("SELECT * FROM item")
            await backend.execute("UPDATE item SET name = 'b'")
            await transaction.execute("UPDATE item SET name = 'c'")


async def test_begin_by_hand_is_refused(backend: PostgreSQLBackend):
    with pytest.raises(TransactionError, match="use atomic"):
        await backend.execute("BEGIN")
    assert backend.pool.size == 0


async def test_stream_reads_from_a_cursor_and_frees_it(backend: PostgreSQLBackend):
    sizes = [
        len(chunk) async for chunk in backend.stream("SELECT generate_series(1, $1::int)", (7,), chunk_size=3)
    ]
    assert sizes == [3, 3, 1]
    assert backend.pool.in_use == 0


async def test_statements_may_go_between_the_chunks_of_a_stream(backend: PostgreSQLBackend):
    async with backend.transaction() as transaction:
        async for (row,) in transaction.stream("SELECT generate_series(1, 3)", chunk_size=1):
            await transaction.execute("INSERT INTO item (id) VALUES ($1)", tuple(row))
    assert len(await backend.fetch("SELECT id FROM item")) == 3


async def test_schema_change_under_a_prepared_statement_is_no_error(backend: PostgreSQLBackend):
    await backend.fetch("SELECT * FROM item")
    await backend.execute("ALTER TABLE item ADD COLUMN extra INTEGER")
    assert await backend.fetch("SELECT * FROM item") == []


async def test_schema_change_before_a_transaction_ends_it_once(postgres_url: str, backend: PostgreSQLBackend):
    """The transaction cannot go on, but another attempt can: as after any conflict."""
    one = make(f"{postgres_url}?pool_max=1")
    await one.fetch("SELECT * FROM item")
    await backend.execute("ALTER TABLE item ADD COLUMN extra INTEGER")
    with pytest.raises(SerializationFailure, match="run the transaction again"):
        async with one.transaction() as transaction:
            await transaction.fetch("SELECT * FROM item")
    async with one.transaction() as transaction:
        assert await transaction.fetch("SELECT * FROM item") == []
    await one.aclose()


async def test_json_goes_in_and_out_as_text(backend: PostgreSQLBackend):
    assert (await backend.fetch("SELECT $1::jsonb", ('{"a": [1]}',)))[0][0] == '{"a": [1]}'


async def test_no_prepared_statements_behind_pgbouncer(postgres_url: str):
    backend = make(f"{postgres_url}?statement_cache_size=0&pool_max=1")
    await backend.fetch("SELECT $1::int", (1,))
    assert await backend.fetch("SELECT name FROM pg_prepared_statements WHERE name LIKE '__asyncpg%'") == []
    await backend.aclose()


async def test_value_of_the_wrong_type_is_a_data_error(backend: PostgreSQLBackend):
    with pytest.raises(DataError):
        await backend.execute("INSERT INTO item (id) VALUES ($1)", ("one",))
    with pytest.raises(DataError):
        await backend.execute("INSERT INTO item (id, name) VALUES (1, $1)", ("a\0b",))


async def test_foreign_key_violation_names_table_columns_and_constraint(backend: PostgreSQLBackend):
    await backend.execute("CREATE TABLE part (item_id INTEGER CONSTRAINT part_item REFERENCES item (id))")
    with pytest.raises(ForeignKeyViolation) as caught:
        await backend.execute("INSERT INTO part VALUES (9)")
    assert (caught.value.table, caught.value.columns) == ("part", ("item_id",))
    assert caught.value.constraint == "part_item"
    await backend.execute("DROP TABLE part")


async def test_unique_index_on_an_expression_has_no_columns(backend: PostgreSQLBackend):
    await backend.execute("CREATE UNIQUE INDEX item_lower ON item (lower(name))")
    await backend.execute("INSERT INTO item (id, name) VALUES (1, 'a')")
    with pytest.raises(UniqueViolation) as caught:
        await backend.execute("INSERT INTO item (id, name) VALUES (2, 'A')")
    assert (caught.value.columns, caught.value.constraint) == ((), "item_lower")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (asyncpg.DeadlockDetectedError("x"), DeadlockDetected),
        (asyncpg.TooManyConnectionsError("x"), ConnectionFailed),
        (asyncpg.InvalidPasswordError("x"), ConnectionFailed),
        (asyncpg.CannotConnectNowError("x"), ConnectionFailed),
        (asyncpg.ExclusionViolationError("x"), ExclusionViolation),
        (asyncpg.QueryCanceledError("x"), QueryCanceled),
        (asyncpg.LockNotAvailableError("x"), LockNotAvailable),
        (asyncpg.ReadOnlySQLTransactionError("x"), ReadOnlyViolation),
        (asyncpg.UndefinedColumnError("x"), ProgrammingError),
        (asyncpg.InterfaceError("connection is closed"), ConnectionLost),
        (asyncpg.ConnectionDoesNotExistError("connection was closed in the middle"), ConnectionLost),
        (asyncpg.InterfaceError("the server expects 1 argument"), ProgrammingError),
        (asyncpg.InternalClientError("x"), OperationalError),
        (ConnectionResetError(), ConnectionLost),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else type(value).__name__,
)
def test_driver_error_becomes_ours(error: Exception, expected: type[Exception]):
    assert type(translate(error)) is expected


async def test_unknown_database_names_url_and_cause(postgres_url: str):
    backend = make(postgres_url.rpartition("/")[0] + "/there_is_none")
    with pytest.raises(ConnectionFailed, match='there_is_none: database "there_is_none" does not exist'):
        await backend.fetch("SELECT 1")
    await backend.aclose()


@pytest.mark.parametrize(
    ("options", "expected"), [("", (1, 60, 60_000)), ("?keepalives_idle=0&tcp_user_timeout=5", (0, None, 5))]
)
async def test_kernel_watches_over_the_network(postgres_url: str, options: str, expected: tuple):
    backend = make(f"{postgres_url}{options}")
    connection = await backend.pool.take()
    sock = connection._transport.get_extra_info("socket")
    assert bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)) == expected[0]
    if expected[0]:
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == expected[1]
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == expected[2]
    backend.pool.give_back(connection)
    await backend.aclose()


async def test_ssl_options_reach_the_driver(postgres_url: str):
    plain, wrong = make(f"{postgres_url}?sslmode=disable"), make(f"{postgres_url}?sslmode=maybe")
    assert len(await plain.fetch("SELECT 1")) == 1
    with pytest.raises(ConnectionFailed, match="must be one of: disable"):
        await wrong.fetch("SELECT 1")
    await plain.aclose()
    await wrong.aclose()
