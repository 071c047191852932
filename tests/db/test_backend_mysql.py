"""What is special about MariaDB: the pool under trouble, transactions that the server ends, streams, its errors."""

# what raises is often an `async with` block

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from asyncmy import errors as driver

from transom.db.backends.mysql import MySQLBackend
from transom.db.backends.mysql.connection import check_version
from transom.db.backends.mysql.errors import translate
from transom.db.backends.mysql.tls import build_ssl_context
from transom.db.backends.mysql.transaction import build_begin
from transom.db.exceptions import (
    CheckViolation,
    ConfigurationError,
    ConnectionFailed,
    ConnectionLost,
    DataError,
    DeadlockDetected,
    ForeignKeyViolation,
    LockNotAvailable,
    NotNullViolation,
    OperationalError,
    PoolTimeout,
    ProgrammingError,
    QueryCanceled,
    ReadOnlyViolation,
    SerializationFailure,
    TransactionClosed,
    TransactionError,
    UniqueViolation,
)
from transom.db.url import DatabaseURL, MySQLOptions

pytestmark = pytest.mark.mysql


def make(url: str) -> MySQLBackend:
    parsed = DatabaseURL.parse(url)
    assert isinstance(parsed.options, MySQLOptions)
    return MySQLBackend("default", parsed, parsed.options)


@pytest.fixture
async def backend(mysql_url: str) -> AsyncIterator[MySQLBackend]:
    backend = make(f"{mysql_url}?pool_max=3&pool_timeout=2")
    await backend.execute("CREATE TABLE item (id INTEGER PRIMARY KEY, name VARCHAR(20) UNIQUE)")
    yield backend
    await backend.execute("DROP TABLE item")
    await backend.aclose()


@pytest.fixture
async def admin(mysql_url: str) -> AsyncIterator[MySQLBackend]:
    """A connection outside of the pool, to look from and to do harm with."""
    backend = make(f"{mysql_url}?pool_max=1&application_name=admin")
    yield backend
    await backend.aclose()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


async def others(admin: MySQLBackend) -> list[int]:
    """Return the other sessions of this database."""
    sql = "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()"
    return [row[0] for row in await admin.fetch(sql)]


async def kill_others(admin: MySQLBackend) -> int:
    """End every other session of this database, and wait until they are gone."""
    found = await others(admin)
    for thread in found:
        await admin.execute(f"KILL {thread}")
    async with asyncio.timeout(5):
        while await others(admin):
            await asyncio.sleep(0.001)
    return len(found)


ACTIVE = (
    "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND info LIKE '%SLEEP(60)'"
)


async def ids(backend: Any) -> list[int]:
    return [row[0] for row in await backend.fetch("SELECT id FROM item ORDER BY id")]


async def insert(backend: Any, *keys: int) -> None:
    for key in keys:
        await backend.execute("INSERT INTO item (id) VALUES (%s)", (key,))


async def test_gathered_statements_run_at_the_same_time(backend: MySQLBackend):
    async with backend.transaction() as first, backend.transaction() as second:
        threads = {row[0] for tx in (first, second) for row in await tx.fetch("SELECT CONNECTION_ID()")}
        assert len(threads) == 2
        assert (await backend.fetch("SELECT CONNECTION_ID()"))[0][0] not in threads


async def test_statement_costs_one_round_trip(mysql_url: str):
    """Neither a reset nor a question whether the connection lives; and the statement is prepared only once."""
    backend = make(f"{mysql_url}?pool_max=1")

    async def questions() -> int:
        return int((await backend.fetch("SHOW SESSION STATUS LIKE 'Questions'"))[0][1])

    await questions()
    await backend.fetch("SELECT %s + 1", (41,))
    before = await questions()
    await backend.fetch("SELECT %s + 1", (1,))
    assert await questions() - before == 2
    assert (await backend.fetch("SHOW SESSION STATUS LIKE 'Com_stmt_prepare'"))[0][1] == "3"
    await backend.aclose()


async def test_pool_timeout_names_the_limit(mysql_url: str):
    backend = make(f"{mysql_url}?pool_max=1&pool_timeout=0.01")
    async with backend.transaction():
        with pytest.raises(PoolTimeout, match=r"0\.01 s: all 1 are in use \(pool_max\)"):
            await backend.fetch("SELECT 1")
    await backend.fetch("SELECT 1")
    await backend.aclose()


@pytest.mark.slow
@pytest.mark.parametrize("noticed", [True, False], ids=["noticed", "unnoticed"])
async def test_reads_heal_after_the_server_ended_the_connections(
    backend: MySQLBackend, admin: MySQLBackend, noticed: bool
):
    """`unnoticed`: what the server said last is read only after the next statement was sent."""
    await asyncio.gather(*(backend.fetch("SELECT SLEEP(0.005)") for _ in range(3)))
    idle = list(backend.pool._state.idle)
    transports = [connection._driver._transport for connection in idle]
    for transport in transports:
        assert transport is not None
        if not noticed:
            transport.pause_reading()
    assert await kill_others(admin) == 3
    if noticed:
        await until(lambda: all(connection.is_closed() for connection in idle))
    for connection, transport in zip(idle, transports, strict=True):
        assert connection.is_closed() == noticed
        if not noticed:
            transport.resume_reading()
    results = await asyncio.gather(*(backend.fetch("SELECT 1") for _ in range(6)))
    assert [rows[0][0] for rows in results] == [1] * 6
    assert backend.pool.size <= 3


@pytest.mark.slow
async def test_transactions_and_streams_heal_after_the_server_ended_the_connections(
    backend: MySQLBackend, admin: MySQLBackend
):
    for _ in range(2):
        await asyncio.gather(*(backend.fetch("SELECT SLEEP(0.005)") for _ in range(3)))
        await kill_others(admin)
        async with backend.transaction() as transaction:
            await transaction.execute("REPLACE INTO item (id) VALUES (1)")
        await kill_others(admin)
        assert [len(chunk) async for chunk in backend.stream("SELECT id FROM item")] == [1]


@pytest.mark.slow
async def test_connection_lost_in_a_transaction_is_an_error_and_is_replaced(
    backend: MySQLBackend, admin: MySQLBackend
):
    with pytest.raises(ConnectionFailed):
        async with backend.transaction() as transaction:
            await insert(transaction, 1)
            await kill_others(admin)
            await insert(transaction, 2)
    assert await ids(backend) == []
    assert backend.pool.in_use == 0


@pytest.mark.slow
async def test_commit_on_a_lost_connection_is_an_error(backend: MySQLBackend, admin: MySQLBackend):
    with pytest.raises(ConnectionLost) as caught:
        async with backend.transaction() as transaction:
            await insert(transaction, 1)
            await kill_others(admin)
            await until(transaction._connection.is_closed)
    assert not caught.value.in_doubt
    assert await ids(backend) == []


@pytest.mark.slow
async def test_write_without_an_answer_is_in_doubt(backend: MySQLBackend, admin: MySQLBackend):
    await insert(backend, 1)
    task = asyncio.create_task(backend.execute("UPDATE item SET name = SLEEP(60)"))
    async with asyncio.timeout(5):
        while not (await admin.fetch(ACTIVE))[0][0]:
            await asyncio.sleep(0.001)
    await kill_others(admin)
    with pytest.raises(ConnectionLost) as caught:
        await task
    assert caught.value.in_doubt


@pytest.mark.slow
async def test_error_in_the_block_outweighs_the_lost_connection(backend: MySQLBackend, admin: MySQLBackend):
    with pytest.raises(ZeroDivisionError):
        async with backend.transaction():
            await kill_others(admin)
            raise ZeroDivisionError
    assert await backend.fetch("SELECT 1")


@pytest.mark.parametrize("inside", [False, True], ids=["autocommit", "transaction"])
async def test_cancelled_statement_is_stopped_on_the_server(
    backend: MySQLBackend, admin: MySQLBackend, inside: bool
):
    async def sleep() -> None:
        if not inside:
            await backend.fetch("SELECT SLEEP(60)")
        async with backend.transaction() as transaction:
            await insert(transaction, 1)
            await transaction.fetch("SELECT SLEEP(60)")

    task = asyncio.create_task(sleep())
    async with asyncio.timeout(5):
        while not (await admin.fetch(ACTIVE))[0][0]:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert backend.pool.in_use == 0
        while (await admin.fetch(ACTIVE))[0][0]:
            await asyncio.sleep(0)
    await insert(backend, 1)  # waits for nobody's lock


@pytest.mark.slow
@pytest.mark.parametrize("work", ["fetch", "execute", "transaction", "stream"])
async def test_cancellation_at_any_point_leaks_no_connection(backend: MySQLBackend, work: str):
    async def run() -> None:
        if work == "transaction":
            async with backend.transaction() as transaction:
                await transaction.execute("UPDATE item SET name = 'x'")
        elif work == "stream":
            async for _ in backend.stream("SELECT seq FROM seq_1_to_10", chunk_size=3):
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
        assert backend.pool.in_use == 0
        assert backend.pool.size <= 3
    assert (await backend.fetch("SELECT 1"))[0][0] == 1


async def test_commit_survives_cancellation(backend: MySQLBackend):
    """It is on its way when the task is cancelled; the answer is waited for, then the cancellation raised."""

    async def write() -> None:
        async with backend.transaction() as transaction:
            await insert(transaction, 1)
            asyncio.get_running_loop().call_soon(task.cancel)

    task = asyncio.create_task(write())
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await ids(backend) == [1]
    assert (backend.pool.in_use, backend.pool.size) == (0, 1)


@pytest.mark.slow
async def test_deadlock_ends_the_transaction_and_nothing_runs_after_it(backend: MySQLBackend):
    """The server rolls it back at once; the next statement would run in autocommit."""
    await insert(backend, 1, 2)
    both = asyncio.Barrier(2)

    async def work(first: int, second: int) -> list[type[BaseException]]:
        raised: list[type[BaseException]] = []
        update = "UPDATE item SET name = %s WHERE id = %s"
        try:
            async with backend.transaction() as transaction:
                await transaction.execute(update, (f"{first}{first}", first))
                await both.wait()
                for key in (second, 3):
                    try:
                        await transaction.execute(update, (f"{first}{key}", key))
                        await transaction.execute("INSERT INTO item (id) VALUES (%s)", (first * 10 + key,))
                    except (DeadlockDetected, TransactionClosed) as exc:
                        raised.append(type(exc))
        except TransactionClosed as exc:
            raised.append(type(exc))
        return raised

    results = await asyncio.gather(work(1, 2), work(2, 1))
    assert sorted(results, key=len) == [[], [DeadlockDetected, TransactionClosed, TransactionClosed]]
    assert len(await ids(backend)) == 4  # the winner's two
    assert backend.pool.in_use == 0


async def test_lock_that_is_not_got_in_time_leaves_the_transaction_open(backend: MySQLBackend):
    await insert(backend, 1)
    async with backend.transaction() as holder:
        await holder.execute("UPDATE item SET name = 'a'")
        async with backend.transaction() as other:
            await insert(other, 2)
            with pytest.raises(LockNotAvailable, match="Lock wait timeout"):
                await other.execute(
                    "SET STATEMENT innodb_lock_wait_timeout = 0 FOR UPDATE item SET name = 'b' WHERE id = 1"
                )
            await insert(other, 3)
    assert await ids(backend) == [1, 2, 3]


async def test_statement_that_commits_by_itself_is_an_error(backend: MySQLBackend):
    with pytest.raises(TransactionError, match=r"has committed this transaction.*outside atomic\(\)"):
        async with backend.transaction() as transaction:
            await insert(transaction, 1)
            await transaction.execute("CREATE TABLE other (id INTEGER)")
    async with backend.transaction() as transaction:
        await insert(transaction, 2)
    with pytest.raises(TransactionClosed):
        async with backend.transaction() as transaction:
            await insert(transaction, 3)
            with pytest.raises(TransactionError):
                await transaction.execute("DROP TABLE other")
            await insert(transaction, 4)
    assert await ids(backend) == [1, 2, 3]


async def test_isolation_is_read_committed_unless_another_is_asked_for(backend: MySQLBackend):
    for level, seen in ((None, [1]), ("repeatable read", []), ("serializable", [])):
        async with backend.transaction(isolation=level, readonly=level == "serializable") as transaction:
            assert await ids(transaction) == []
            if level != "serializable":  # there, a read has locked the table
                await insert(backend, 1)
            assert await ids(transaction) == seen
        await backend.execute("DELETE FROM item")
    assert build_begin("read uncommitted", True, False) == (
        "SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED; START TRANSACTION READ ONLY"
    )
    with pytest.raises(
        TransactionError, match="unknown isolation level 'chaos'; choose from read uncommitted"
    ):
        backend.transaction(isolation="chaos")


async def test_begin_by_hand_is_refused(backend: MySQLBackend):
    with pytest.raises(TransactionError, match="use atomic"):
        await backend.execute("BEGIN")
    assert backend.pool.size == 0


async def test_stream_reads_in_chunks_and_frees_its_connection(backend: MySQLBackend):
    sizes = [
        len(chunk)
        async for chunk in backend.stream("SELECT seq FROM seq_1_to_7 WHERE seq < %s", (7,), chunk_size=3)
    ]
    assert sizes == [3, 3]
    assert (backend.pool.in_use, backend.pool.size) == (0, 1)


async def test_stream_left_early_costs_its_connection(backend: MySQLBackend):
    async with aclosing(backend.stream("SELECT seq FROM seq_1_to_100000", chunk_size=3)) as chunks:
        assert [row[0] for row in await anext(chunks)] == [1, 2, 3]
    assert (backend.pool.in_use, backend.pool.size) == (0, 0)


async def test_statements_may_go_between_the_chunks_of_a_stream(backend: MySQLBackend):
    async with backend.transaction() as transaction:
        async for (row,) in transaction.stream("SELECT seq FROM seq_1_to_4000", chunk_size=1):
            await insert(transaction, row[0])
            if row[0] == 5:
                break
        await insert(transaction, 9)
    assert await ids(backend) == [1, 2, 3, 4, 5, 9]


async def test_slow_consumer_holds_the_server_up_instead_of_memory(backend: MySQLBackend):
    """The rows are a hundred times what sockets hold between the two."""
    sql = "SELECT seq, REPEAT('x', 100000) FROM seq_1_to_300"
    async with (
        backend.transaction() as transaction,
        aclosing(transaction.stream(sql, chunk_size=1)) as chunks,
    ):
        await anext(chunks)
        connection = transaction._connection
        assert connection.stream is not None
        for _ in range(50):
            await asyncio.sleep(0)
        transport: Any = connection._driver._transport
        assert not transport.is_reading()


async def test_percent_signs_mean_themselves_without_arguments(backend: MySQLBackend):
    assert (await backend.fetch("SELECT '100%'"))[0][0] == "100%"
    assert (await backend.fetch("SELECT CONCAT(%s, '%%')", ("100",)))[0][0] == "100%"
    await backend.execute("INSERT INTO item (id, name) VALUES (1, '1%'), (2, '%s')")
    assert len(await backend.fetch("SELECT id FROM item WHERE name LIKE '%'")) == 2


async def test_several_statements_may_stand_in_one_text(backend: MySQLBackend):
    assert await backend.execute("INSERT INTO item (id) VALUES (1), (2); UPDATE item SET name = NULL") == 2
    with pytest.raises(UniqueViolation):
        await backend.execute("INSERT INTO item (id) VALUES (3); INSERT INTO item (id) VALUES (3)")
    assert await ids(backend) == [1, 2, 3]


async def test_schema_change_under_a_prepared_statement_is_no_error(backend: MySQLBackend):
    await insert(backend, 1)
    assert await backend.fetch("SELECT * FROM item WHERE id = %s", (1,)) == [(1, None)]
    await backend.execute("ALTER TABLE item ADD COLUMN extra INTEGER DEFAULT 7")
    assert await backend.fetch("SELECT * FROM item WHERE id = %s", (1,)) == [(1, None, 7)]


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        ("BIGINT", -(2**63)),
        ("DOUBLE", 0.1),
        ("DECIMAL(30, 10)", Decimal("12345678901234567890.0123456789")),
        ("DATETIME(6)", datetime(9999, 12, 31, 23, 59, 59, 999_999)),
        ("BLOB", bytes(range(256))),
        ("LONGTEXT CHARACTER SET utf8mb4", 'it\'s \\ "ü" 日本 😀 \n %s %% ?'),
        ("JSON", '{"a": [1]}'),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isupper() else "",
)
async def test_values_come_back_as_they_went(backend: MySQLBackend, declared: str, value: object):
    """By a prepared statement, and by a stream, whose text the driver writes."""
    await backend.execute(f"CREATE TABLE held (value {declared})")
    try:
        await backend.execute("INSERT INTO held VALUES (%s)", (value,))
        assert await backend.fetch("SELECT value FROM held") == [(value,)]
        sql = "SELECT value, %s FROM held WHERE value = %s"
        chunks = [chunk async for chunk in backend.stream(sql, (value, value))]
        assert [row[0] for chunk in chunks for row in chunk] == [value]
    finally:
        await backend.execute("DROP TABLE held")


async def test_update_counts_the_rows_it_matched(backend: MySQLBackend):
    await insert(backend, 1, 2)
    assert await backend.execute("UPDATE item SET name = NULL") == 2


async def test_update_computes_with_the_values_before_it(backend: MySQLBackend):
    await backend.execute("INSERT INTO item VALUES (1, '5')")
    await backend.execute("UPDATE item SET id = name, name = id")
    assert await backend.fetch("SELECT id, name FROM item") == [(5, "1")]


async def test_session_is_strict_and_in_utc(backend: MySQLBackend):
    assert (await backend.fetch("SELECT @@time_zone, TIMESTAMPDIFF(SECOND, NOW(), UTC_TIMESTAMP())"))[0] == (
        "+00:00",
        0,
    )
    for value, message in (("x" * 21, "Data too long for column 'name'"), (None, "")):
        if value:
            with pytest.raises(DataError, match=message):
                await backend.execute("INSERT INTO item VALUES (1, %s)", (value,))
    with pytest.raises(DataError, match="Out of range value for column 'id'"):
        await insert(backend, 2**40)
    with pytest.raises(DataError):
        await backend.execute("INSERT INTO item (id) VALUES (%s)", ("one",))
    with pytest.raises(DataError):
        await backend.execute("INSERT INTO item (id) VALUES (%s)", (2**70,))


async def test_foreign_key_violation_names_table_columns_and_constraint(backend: MySQLBackend):
    await backend.execute(
        "CREATE TABLE part (item_id INTEGER, CONSTRAINT part_item FOREIGN KEY (item_id) REFERENCES item (id))"
    )
    try:
        await insert(backend, 1)
        await backend.execute("INSERT INTO part VALUES (1)")
        for sql in ("INSERT INTO part VALUES (9)", "DELETE FROM item"):
            with pytest.raises(ForeignKeyViolation) as caught:
                await backend.execute(sql)
            assert (caught.value.table, caught.value.columns) == ("part", ("item_id",))
            assert caught.value.constraint == "part_item"
    finally:
        await backend.execute("DROP TABLE part")


@pytest.mark.parametrize("inside", [False, True], ids=["autocommit", "transaction"])
async def test_unique_violation_names_the_columns_of_the_key(backend: MySQLBackend, inside: bool):
    await backend.execute("INSERT INTO item VALUES (1, 'a')")

    async def fail(sql: str) -> UniqueViolation:
        with pytest.raises(UniqueViolation) as caught:
            if not inside:
                await backend.execute(sql)
            async with backend.transaction() as transaction:
                await transaction.execute(sql)
        return caught.value

    found = await fail("INSERT INTO item VALUES (1, 'b')")
    assert (found.table, found.constraint, found.columns) == ("item", "PRIMARY", ("id",))
    found = await fail("INSERT INTO `item` VALUES (2, 'a')")
    assert (found.table, found.constraint, found.columns) == ("item", "name", ("name",))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (driver.OperationalError(1213, "Deadlock found"), DeadlockDetected),
        (driver.OperationalError(1020, "Record has changed"), SerializationFailure),
        (driver.OperationalError(1205, "Lock wait timeout"), LockNotAvailable),
        (driver.OperationalError(1317, "Query execution was interrupted"), QueryCanceled),
        (
            driver.OperationalError(1792, "Cannot execute statement in a READ ONLY transaction"),
            ReadOnlyViolation,
        ),
        (driver.OperationalError(1040, "Too many connections"), ConnectionFailed),
        (driver.OperationalError(1927, "Connection was killed"), ConnectionLost),
        (driver.OperationalError(2013, "Lost connection"), ConnectionLost),
        (driver.InterfaceError(0, "Not connected"), ConnectionLost),
        (driver.InternalError("Packet sequence number wrong"), ConnectionLost),
        (driver.DataError(1264, "Out of range"), DataError),
        (driver.IntegrityError(1048, "Column 'x' cannot be null"), NotNullViolation),
        (driver.OperationalError(4025, "CONSTRAINT `c` failed for `d`.`t`"), CheckViolation),
        (driver.MySQLError("x"), OperationalError),
        (TypeError("not enough arguments"), ProgrammingError),
        (ValueError("out of range"), DataError),
        (ConnectionResetError(), ConnectionLost),
    ],
    ids=str,
)
def test_errors_of_the_driver_become_ours(error: Exception, expected: type[Exception]):
    assert type(translate(error)) is expected


def test_errors_without_a_number_of_ours_go_by_their_sqlstate():
    for state, expected in (("42S02", ProgrammingError), ("22003", DataError), ("28000", ConnectionFailed)):
        error = driver.OperationalError(9999, "x")
        error.sqlstate = state
        found = translate(error)
        assert (type(found), found.sqlstate) == (expected, "08001" if expected is ConnectionFailed else state)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("root@", "nobody:wrong@"), r"nobody:\*\*\*@.*Access denied"),
        (("transom_test", "no_such"), "Unknown database"),
    ],
)
async def test_refused_connection_says_why(mysql_url: str, change: tuple[str, str], message: str):
    backend = make(mysql_url.replace(*change))
    with pytest.raises(ConnectionFailed, match=message):
        await backend.fetch("SELECT 1")
    assert backend.pool.size == 0


@pytest.mark.parametrize("version", ["8.0.36", "10.5.29-MariaDB-1", "5.5.5-10.3.1-MariaDB"])
def test_servers_without_what_we_need_are_refused(version: str):
    with pytest.raises(ConfigurationError, match=r"expected MariaDB 10\.6 or later"):
        check_version(version, DatabaseURL.parse("mysql://h/n"))
    for good in ("10.6.0-MariaDB", "5.5.5-10.11.2-MariaDB-log", "11.4.2-MariaDB-deb12"):
        check_version(good, DatabaseURL.parse("mysql://h/n"))


@pytest.mark.parametrize(
    ("options", "verify", "hostname"),
    [
        (MySQLOptions(ssl_mode="REQUIRED"), ssl.CERT_NONE, False),
        (MySQLOptions(ssl_mode="VERIFY_CA"), ssl.CERT_REQUIRED, False),
        (MySQLOptions(ssl_mode="VERIFY_IDENTITY"), ssl.CERT_REQUIRED, True),
    ],
    ids=lambda value: value.ssl_mode if isinstance(value, MySQLOptions) else "",
)
def test_tls_checks_what_its_mode_says(options: MySQLOptions, verify: ssl.VerifyMode, hostname: bool):
    context = build_ssl_context(options)
    assert context is not None
    assert (context.verify_mode, context.check_hostname) == (verify, hostname)
    assert build_ssl_context(MySQLOptions()) is None


async def test_tls_is_never_left_out_where_it_is_asked_for(mysql_url: str, backend: MySQLBackend):
    if (await backend.fetch("SELECT @@have_ssl"))[0][0] == "YES":
        pytest.skip("this server speaks TLS")
    secure = make(f"{mysql_url}?ssl_mode=REQUIRED")
    with pytest.raises(ConnectionFailed):
        await secure.fetch("SELECT 1")


async def test_missing_certificates_are_a_failed_connection(mysql_url: str):
    backend = make(f"{mysql_url}?ssl_ca=/no/such/file")
    with pytest.raises(ConnectionFailed, match="No such file"):
        await backend.fetch("SELECT 1")
