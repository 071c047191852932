"""An open transaction on a SQLite connection.

Reads run inline under the deadline and start anew on the thread: SQLite undoes nothing when it stops a read. A write
is another matter: if SQLite stops one inside a transaction it rolls back the whole transaction. So a write here has no
deadline, and runs on the thread unless the same statement was quick the last time it ran; then it runs inline.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, TypeVar, cast

from transom.db.exceptions import TransactionClosed

from .connection import (
    INLINE_DEADLINE,
    NotNow,
    SQLiteConnection,
    execute,
    execute_many,
    fetch_all,
    fetch_named,
    release,
    stream_chunks,
    timed,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence
    from types import TracebackType

    from transom.db.backends.base import Args, Row, Vendor
    from transom.db.pool import Pool

    from .checkpoint import Checkpoints

T = TypeVar("T")

INLINE_CHANGES = 100  # rows a transaction may have changed for its COMMIT to run inline


class Pace:
    """Remembers which statements were quick the last time."""

    def __init__(self, capacity: int = 512) -> None:
        self._capacity = capacity
        self._quick: set[str] = set()

    def is_quick(self, sql: str) -> bool:
        """Whether the statement took less than the inline deadline."""
        return sql in self._quick

    def record(self, sql: str, seconds: float) -> None:
        """Remember how long a run took."""
        if seconds > INLINE_DEADLINE:
            self._quick.discard(sql)
        elif sql not in self._quick:
            if len(self._quick) >= self._capacity:
                self._quick.clear()  # as cheap as it is rare: each statement proves itself again
            self._quick.add(sql)


class SQLiteTransaction:
    """The statements between BEGIN and COMMIT; entered and left by `atomic()`."""

    vendor: Vendor = "sqlite"

    def __init__(
        self,
        pool: Pool[SQLiteConnection],
        pace: Pace,
        *,
        readonly: bool = False,
        checkpoints: Checkpoints | None = None,
    ) -> None:
        self._pool = pool
        self._checkpoints = checkpoints
        self._pace = pace
        self._readonly = readonly
        self._savepoints = 0
        self._changes = 0
        self._connection: SQLiteConnection

    async def __aenter__(self) -> SQLiteTransaction:
        """Take the connection and begin."""
        self._connection = connection = self._pool.take_nowait() or await self._pool.take()
        try:
            if self._readonly:
                connection.run_unlimited(execute, "PRAGMA query_only = ON")
            # IMMEDIATE takes the write lock now: a read that later turns into a write cannot wait for it and fails.
            await connection.run(execute, "BEGIN" if self._readonly else "BEGIN IMMEDIATE")
            self._changes = connection.driver.total_changes
        except BaseException:
            self._release()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Commit, or roll back on an error."""
        try:
            if kind is None:
                self._check_open()
                await self._commit()
        finally:
            self._release()

    async def fetch(self, sql: str, args: Args = ()) -> Sequence[Row]:
        """Run a statement that only reads, and return all its rows."""
        self._check_open()
        try:
            return self._connection.attempt(fetch_all, sql, args)
        except NotNow:
            self._check_open()
            return await self._connection.run(fetch_all, sql, args, inline=False)

    async def fetch_named(self, sql: str, args: Args = ()) -> tuple[Sequence[str], Sequence[Row]]:
        """Run a statement that only reads, and return the names of its columns, and all its rows."""
        self._check_open()
        return await self._connection.run(fetch_named, sql, args)

    async def execute(self, sql: str, args: Args = ()) -> int:
        """Run a statement that writes, and return how many rows it touched."""
        return await self._write(sql, execute, sql, args)

    async def execute_returning(self, sql: str, args: Args = ()) -> Sequence[Row]:
        """Run a statement that writes and has a RETURNING clause, and return its rows."""
        return await self._write(sql, fetch_all, sql, args)

    async def execute_many(self, sql: str, rows: Sequence[Args]) -> None:
        """Run one writing statement for each row of arguments, all of them or none."""
        self._check_open()
        self._savepoints += 1
        # The pace of one call says nothing about the next, which may have a thousand times the rows: on the thread.
        await self._connection.run_on_thread(execute_many, f"transom_many_{self._savepoints}", sql, rows)

    async def stream(
        self, sql: str, args: Args = (), *, chunk_size: int = 2000
    ) -> AsyncGenerator[Sequence[Row]]:
        """Run a reading statement and yield its rows in chunks; each chunk is one trip to the thread."""
        self._check_open()
        async with aclosing(stream_chunks(self._connection, sql, args, chunk_size)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def savepoint(self, name: str) -> None:
        """Set a savepoint."""
        self._run_short(f'SAVEPOINT "{name}"')

    async def rollback_to_savepoint(self, name: str) -> None:
        """Undo everything since the savepoint, and forget it."""
        self._run_short(f'ROLLBACK TO "{name}"')
        self._run_short(f'RELEASE "{name}"')

    async def release_savepoint(self, name: str) -> None:
        """Forget the savepoint, keeping what was done since."""
        self._run_short(f'RELEASE "{name}"')

    def _run_short(self, sql: str) -> None:
        self._check_open()
        self._connection.run_unlimited(execute, sql)

    async def _write(self, sql: str, call: Callable[..., T], *args: object) -> T:
        self._check_open()
        if self._pace.is_quick(sql):
            result, seconds = self._connection.run_unlimited(timed, call, *args)
        else:
            result, seconds = await self._connection.run_on_thread(timed, call, *args)
        self._pace.record(sql, seconds)
        return cast("T", result)  # `timed` passes the type of `call` through, but its parameters hide that

    async def _commit(self) -> None:
        connection = self._connection
        if connection.driver.total_changes - self._changes <= INLINE_CHANGES:
            connection.run_unlimited(execute, "COMMIT")
        else:
            await connection.run_on_thread(execute, "COMMIT", interruptible=False)

    def _check_open(self) -> None:
        # SQLite ends a transaction by itself when the disk is full or a write in it was interrupted.
        if not self._connection.driver.in_transaction:
            raise TransactionClosed(
                "SQLite has rolled back this transaction, because a write in it was cancelled or the disk failed; "
                "leave the atomic() block"
            )

    def _release(self) -> None:
        connection = self._connection
        release(self._pool, connection)
        if self._readonly and not connection.query_only and not connection.is_closed():
            connection.run_unlimited(execute, "PRAGMA query_only = OFF")
        if self._checkpoints is not None:
            self._checkpoints.record_write(connection)
