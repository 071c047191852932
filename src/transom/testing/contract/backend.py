"""What every database backend must do, as tests.

    class TestMyBackend(BackendContract):
        @pytest.fixture
        async def backend(self):
            backend = MyBackend("default", ...)   # an empty database
            yield backend
            await backend.aclose()

pytest collects the tests from the subclass; they are coroutines, so pytest-asyncio (or the like) must run them.
"""

# ruff: noqa: S101  # these are tests: assert is how they speak

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest

from transom.db.exceptions import (
    CheckViolation,
    DatabaseError,
    ForeignKeyViolation,
    NotNullViolation,
    ProgrammingError,
    UniqueViolation,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from transom.db.backends.base import Backend, Executor, Row

TABLES = (
    "CREATE TABLE author (id INTEGER PRIMARY KEY, name TEXT NOT NULL, born INTEGER, "
    "CONSTRAINT author_age CHECK (born > 0), CONSTRAINT author_once UNIQUE (name, born))",
    "CREATE TABLE book (id INTEGER PRIMARY KEY, author_id INTEGER NOT NULL REFERENCES author (id))",
)


class Undo(Exception):
    """Raised by a test to leave a transaction."""


def placeholders(executor: Executor, count: int) -> str:
    """Return so many placeholders in the vendor's spelling, separated by commas."""
    if executor.vendor == "sqlite":
        return ", ".join("?" * count)
    if executor.vendor == "mysql":
        return ", ".join(["%s"] * count)
    return ", ".join(f"${number}" for number in range(1, count + 1))


async def add(executor: Executor, key: int, name: str | None, born: int | None = 1) -> int:
    """Insert an author."""
    sql = f"INSERT INTO author (id, name, born) VALUES ({placeholders(executor, 3)})"  # noqa: S608  # no value
    return await executor.execute(sql, (key, name, born))


async def keys(executor: Executor) -> list[int]:
    """Return the keys of all authors, in order."""
    return [row[0] for row in await executor.fetch("SELECT id FROM author ORDER BY id")]


def chunks_of(executor: Executor, chunk_size: int) -> AsyncGenerator[Sequence[Row]]:
    """Stream the keys of all authors."""
    return executor.stream("SELECT id FROM author ORDER BY id", chunk_size=chunk_size)


class BackendContract:
    """Tests that need only the fixture `backend`, a `Backend` on an empty database."""

    @pytest.fixture(autouse=True)
    async def tables(self, backend: Backend) -> None:
        """Make the tables that the tests use."""
        for table in TABLES:
            await backend.execute(table)

    async def test_write_reports_the_number_of_rows(self, backend: Backend) -> None:
        """INSERT, UPDATE, DELETE and DDL."""
        assert await add(backend, 1, "a") == 1
        await add(backend, 2, "b")
        assert await backend.execute("UPDATE author SET born = 3") == 2
        assert await backend.execute("DELETE FROM author WHERE id = 9") == 0
        assert await backend.execute("CREATE TABLE empty (id INTEGER)") == 0

    async def test_rows_are_sequences_in_order(self, backend: Backend) -> None:
        """Rows unpack by position."""
        await add(backend, 1, "a", None)
        ((key, name, born),) = await backend.fetch("SELECT id, name, born FROM author")
        assert (key, name, born) == (1, "a", None)

    async def test_rows_come_with_the_names_of_their_columns(self, backend: Backend) -> None:
        """Alike by the backend and by a transaction."""
        await add(backend, 1, "a", None)
        sql = "SELECT id, name AS called FROM author"
        names, rows = await backend.fetch_named(sql)
        assert (list(names), [tuple(row) for row in rows]) == (["id", "called"], [(1, "a")])
        async with backend.transaction() as transaction:
            names, rows = await transaction.fetch_named(sql)
        assert (list(names), [tuple(row) for row in rows]) == (["id", "called"], [(1, "a")])
        _, none = await backend.fetch_named("SELECT id FROM author WHERE id = 2")
        assert list(none) == []

    async def test_returning_gives_rows_of_a_write(self, backend: Backend) -> None:
        """RETURNING, and the write stays."""
        sql = f"INSERT INTO author (id, name) VALUES ({placeholders(backend, 2)}) RETURNING id, name"  # noqa: S608
        assert [tuple(row) for row in await backend.execute_returning(sql, (1, "a"))] == [(1, "a")]
        assert await keys(backend) == [1]

    @pytest.mark.parametrize("inside", [False, True], ids=["autocommit", "transaction"])
    async def test_execute_many_is_all_or_nothing(self, backend: Backend, inside: bool) -> None:
        """A row that fails takes the others with it."""
        sql = f"INSERT INTO author (id, name, born) VALUES ({placeholders(backend, 3)})"  # noqa: S608
        await backend.execute_many(sql, [(1, "a", 1), (2, "b", 1)])

        async def fail(executor: Executor) -> None:
            await executor.execute_many(sql, [(3, "c", 1), (1, "d", 1)])

        async def fail_inside() -> None:
            async with backend.transaction() as transaction:
                await fail(transaction)

        with pytest.raises(UniqueViolation):
            await (fail_inside() if inside else fail(backend))
        assert await keys(backend) == [1, 2]

    @pytest.mark.parametrize("inside", [False, True], ids=["autocommit", "transaction"])
    async def test_stream_yields_chunks(self, backend: Backend, inside: bool) -> None:
        """Full chunks, then the rest; the consumer may stop early and use the backend meanwhile."""
        for key in range(5):
            await add(backend, key, "a", key + 1)
        if inside:
            async with backend.transaction() as transaction, aclosing(chunks_of(transaction, 2)) as chunks:
                assert [len(chunk) async for chunk in chunks] == [2, 2, 1]
        else:
            async with aclosing(chunks_of(backend, 2)) as chunks:
                async for chunk in chunks:
                    assert [row[0] for row in chunk] == [0, 1]
                    await add(backend, 9, "i", 1)
                    break
        assert len(await keys(backend)) == 5 + (not inside)

    async def test_unique_violation_names_table_and_columns(self, backend: Backend) -> None:
        """The columns come in the order of the constraint."""
        await add(backend, 1, "a")
        with pytest.raises(UniqueViolation) as caught:
            await add(backend, 2, "a")
        assert (caught.value.table, caught.value.columns) == ("author", ("name", "born"))

    async def test_not_null_violation_names_the_column(self, backend: Backend) -> None:
        """Table and column."""
        with pytest.raises(NotNullViolation) as caught:
            await add(backend, 1, None)
        assert (caught.value.table, caught.value.columns) == ("author", ("name",))

    async def test_check_violation_names_the_constraint(self, backend: Backend) -> None:
        """The constraint's name."""
        with pytest.raises(CheckViolation) as caught:
            await add(backend, 1, "a", -1)
        assert caught.value.constraint == "author_age"

    async def test_foreign_keys_are_enforced(self, backend: Backend) -> None:
        """On the side that refers."""
        with pytest.raises(ForeignKeyViolation):
            await backend.execute("INSERT INTO book (id, author_id) VALUES (1, 77)")

    @pytest.mark.parametrize("sql", ["SELECT nothing FROM author", "SELECT 1 FROM nowhere", "SELEKT 1"])
    async def test_wrong_statement_is_a_programming_error(self, backend: Backend, sql: str) -> None:
        """Unknown column, unknown table, syntax."""
        with pytest.raises(ProgrammingError):
            await backend.fetch(sql)

    async def test_wrong_number_of_arguments_is_a_database_error(self, backend: Backend) -> None:
        """Never the driver's own class."""
        sql = f"SELECT id FROM author WHERE id IN ({placeholders(backend, 2)})"  # noqa: S608
        with pytest.raises(DatabaseError):
            await backend.fetch(sql, (1,))
        assert await keys(backend) == []

    async def test_transaction_commits(self, backend: Backend) -> None:
        """Others see its rows only afterwards."""
        async with backend.transaction() as transaction:
            await add(transaction, 1, "a")
            assert await keys(transaction) == [1]
        assert await keys(backend) == [1]

    async def test_transaction_rolls_back_on_an_error(self, backend: Backend) -> None:
        """The error comes through."""

        async def fail() -> None:
            async with backend.transaction() as transaction:
                await add(transaction, 1, "a")
                raise Undo

        with pytest.raises(Undo):
            await fail()
        assert await keys(backend) == []

    async def test_savepoints_undo_a_part(self, backend: Backend) -> None:
        """An inner one goes with the outer one."""
        async with backend.transaction() as transaction:
            await add(transaction, 1, "a")
            await transaction.savepoint("one")
            await add(transaction, 2, "b")
            await transaction.savepoint("two")
            await add(transaction, 3, "c")
            await transaction.release_savepoint("two")
            await transaction.rollback_to_savepoint("one")
            await transaction.savepoint("three")
            await add(transaction, 4, "d")
            await transaction.release_savepoint("three")
        assert await keys(backend) == [1, 4]

    async def test_savepoint_makes_an_error_harmless(self, backend: Backend) -> None:
        """The transaction goes on after going back to it."""
        async with backend.transaction() as transaction:
            await add(transaction, 1, "a")
            await transaction.savepoint("one")
            with pytest.raises(UniqueViolation):
                await add(transaction, 1, "b")
            await transaction.rollback_to_savepoint("one")
            await add(transaction, 2, "b")
        assert await keys(backend) == [1, 2]

    async def test_readonly_transaction_refuses_writes(self, backend: Backend) -> None:
        """And the next transaction may write again."""
        with pytest.raises(DatabaseError):
            async with backend.transaction(readonly=True) as transaction:
                await add(transaction, 1, "a")
        async with backend.transaction() as transaction:
            await add(transaction, 2, "b")
        assert await keys(backend) == [2]

    async def test_deferrable_transaction_reads(self, backend: Backend) -> None:
        """It may wait for a safe moment; with nobody else at work there is nothing to wait for."""
        await add(backend, 1, "a")
        async with backend.transaction(
            isolation="serializable", readonly=True, deferrable=True
        ) as transaction:
            assert await keys(transaction) == [1]

    async def test_statements_may_be_gathered(self, backend: Backend) -> None:
        """More of them than there are connections."""
        await asyncio.gather(*(add(backend, key, "a", key + 1) for key in range(20)))
        found: list[Any] = await asyncio.gather(*(keys(backend) for _ in range(20)))
        assert found == [list(range(20))] * 20

    async def test_cancelled_transaction_rolls_back(self, backend: Backend) -> None:
        """And leaves the backend usable."""
        begun = asyncio.Event()

        async def write() -> None:
            async with backend.transaction() as transaction:
                await add(transaction, 1, "a")
                begun.set()
                await asyncio.get_running_loop().create_future()

        task = asyncio.create_task(write())
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await add(backend, 2, "b")
        assert await keys(backend) == [2]

    async def test_opens_again_after_close(self, backend: Backend) -> None:
        """Closing is not the end."""
        await backend.aclose()
        assert len(await backend.fetch("SELECT 1")) == 1
