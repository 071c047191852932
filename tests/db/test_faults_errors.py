"""Errors of a database are typed, and of one class with one SQLSTATE on every vendor where it makes sense."""

from __future__ import annotations

import asyncio
import pickle
import sqlite3
from pathlib import Path

import asyncpg
import pytest

from transom.db import connections
from transom.db import exceptions as errors
from transom.db.backends.base import Backend
from transom.db.backends.postgresql.errors import has_left_no_trace, translate, translate_write
from transom.db.transaction import atomic, independent


@pytest.fixture
async def items(database: Backend) -> Backend:
    await database.execute(
        "CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE CHECK (name <> 'x'), "
        "parent_id INTEGER REFERENCES item (id))"
    )
    return database


@pytest.mark.parametrize(
    ("values", "expected", "state"),
    [
        ("1, 'a', NULL", errors.UniqueViolation, "23505"),
        ("2, 'b', 9", errors.ForeignKeyViolation, "23503"),
        ("2, NULL, NULL", errors.NotNullViolation, "23502"),
        ("2, 'x', NULL", errors.CheckViolation, "23514"),
    ],
)
async def test_integrity_errors_have_their_states(items: Backend, values: str, expected: type, state: str):
    await items.execute("INSERT INTO item VALUES (1, 'a', NULL)")
    with pytest.raises(expected) as caught:
        await items.execute(f"INSERT INTO item VALUES ({values})")
    assert caught.value.sqlstate == state


async def test_write_where_only_reads_are_allowed(items: Backend):
    with pytest.raises(errors.ReadOnlyViolation) as caught:
        async with atomic(readonly=True):
            await connections.executor().execute("INSERT INTO item VALUES (1, 'a', NULL)")
    assert caught.value.sqlstate == "25006"


async def test_statement_that_is_wrong(items: Backend):
    with pytest.raises(errors.ProgrammingError) as caught:
        await items.fetch("SELECT nothing FROM item")
    assert caught.value.sqlstate is not None
    assert caught.value.sqlstate.startswith("42")


async def test_lock_that_somebody_else_keeps(items: Backend, tmp_path: Path):
    await items.execute("INSERT INTO item VALUES (1, 'a', NULL)")
    if items.vendor == "sqlite":
        await items.aclose()
        connections.configure({"default": f"sqlite:///{tmp_path / 'test.sqlite3'}?busy_timeout=0.01"})
        other = sqlite3.connect(tmp_path / "test.sqlite3", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(errors.LockNotAvailable) as caught:
            async with atomic():
                pass
        other.close()
    else:
        async with atomic():
            await connections.executor().execute("UPDATE item SET name = 'b'")
            with independent(), pytest.raises(errors.LockNotAvailable) as caught:
                async with atomic():
                    await connections.executor().fetch("SELECT id FROM item FOR UPDATE NOWAIT")
            with independent(), pytest.raises(errors.LockNotAvailable):
                async with atomic():
                    limit = {
                        "postgresql": "SET LOCAL lock_timeout = '1ms'",
                        "mysql": "SET innodb_lock_wait_timeout = 0",
                    }
                    await connections.executor().execute(limit[items.vendor])
                    await connections.executor().execute("UPDATE item SET name = 'c'")
    assert caught.value.sqlstate == "55P03"


@pytest.mark.postgres
async def test_statement_that_takes_too_long(postgres_url: str):
    connections.configure({"default": postgres_url})
    with pytest.raises(errors.QueryCanceled, match="statement timeout") as caught:
        async with atomic():
            await connections.executor().execute("SET LOCAL statement_timeout = '1ms'")
            await connections.executor().fetch("SELECT pg_sleep(5)")
    assert caught.value.sqlstate == "57014"
    await connections.aclose()
    connections.configure({})


@pytest.mark.postgres
async def test_deadlock_ends_one_of_two(postgres_url: str):
    connections.configure({"default": postgres_url})
    backend = connections.backend()
    await backend.execute("CREATE TABLE pair (id INTEGER PRIMARY KEY, votes INTEGER)")
    await backend.execute("INSERT INTO pair VALUES (1, 0), (2, 0)")
    both = asyncio.Barrier(2)

    async def lock(first: int, second: int) -> None:
        async with atomic():
            executor = connections.executor()
            await executor.execute("SET LOCAL deadlock_timeout = '5ms'")
            await executor.execute(f"UPDATE pair SET votes = votes + 1 WHERE id = {first}")
            await both.wait()
            await executor.execute(f"UPDATE pair SET votes = votes + 1 WHERE id = {second}")

    results = await asyncio.gather(lock(1, 2), lock(2, 1), return_exceptions=True)
    (found,) = [result for result in results if result is not None]
    assert isinstance(found, errors.DeadlockDetected)
    assert found.sqlstate == "40P01"
    assert [row[0] for row in await backend.fetch("SELECT votes FROM pair")] == [1, 1]
    await backend.execute("DROP TABLE pair")
    await connections.aclose()
    connections.configure({})


def report(state: str) -> Exception:
    """An error of the server as asyncpg makes it."""
    return asyncpg.PostgresError.new({"C": state, "M": "what the server says", "S": "FATAL"})


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("08006", errors.ConnectionLost),
        ("08001", errors.ConnectionFailed),
        ("25P03", errors.ConnectionLost),
        ("25P04", errors.ConnectionLost),
        ("57P01", errors.ConnectionLost),
        ("57P02", errors.ConnectionLost),
        ("57P03", errors.ConnectionFailed),
        ("57P05", errors.ConnectionLost),
        ("53300", errors.ConnectionFailed),
        ("28P01", errors.ConnectionFailed),
        ("23001", errors.ForeignKeyViolation),
        ("22003", errors.DataError),
        ("53100", errors.OperationalError),
        ("XX000", errors.OperationalError),
    ],
)
def test_state_of_postgresql_decides_on_the_class(state: str, expected: type):
    found = translate(report(state))
    assert (type(found), found.sqlstate) == (expected, state)


def lost(cause: BaseException | None) -> Exception:
    """What asyncpg raises if the connection ends before the answer does."""
    error = asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "may_read_again", "in_doubt"),
    [
        (asyncpg.InterfaceError("connection is closed"), True, False),  # never sent
        (
            asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress"),
            True,
            False,
        ),
        (
            report("57P01"),
            True,
            True,
        ),  # ended, and so undone; but a COMMIT may have been waiting for a replica
        (lost(report("57P01")), True, True),
        (lost(None), False, True),
        (ConnectionResetError(), False, True),
        (BrokenPipeError(), False, True),
    ],
    ids=repr,
)
def test_what_is_known_of_a_statement_whose_connection_is_lost(
    error: Exception, may_read_again: bool, in_doubt: bool
):
    assert has_left_no_trace(error) is may_read_again
    found = translate_write(error)
    assert isinstance(found, errors.ConnectionLost)
    assert found.in_doubt is in_doubt


def test_other_errors_are_nothing_to_run_again():
    assert not has_left_no_trace(asyncpg.InterfaceError("the server expects 1 argument"))
    assert not has_left_no_trace(report("23505"))


def test_every_error_that_a_database_raises_has_a_state_and_survives_pickling():
    without = {"PoolTimeout", "OperationalError", "ConfigurationError", "TransactionError"}
    for kind in errors.OperationalError.__subclasses__() + errors.IntegrityError.__subclasses__():
        assert (kind("x").sqlstate is None) == (kind.__name__ in without), kind
    kept = errors.ConnectionLost("gone", in_doubt=True)
    kept.sqlstate = "57P01"
    copy = pickle.loads(pickle.dumps(kept))
    assert (str(copy), copy.in_doubt, copy.sqlstate) == ("gone", True, "57P01")
