"""A SQLite database: one connection that writes, one that reads inline, a few that read on threads.

A database in memory lives in its connection, so there it is one connection for everything, in turn.
"""

from __future__ import annotations

from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from transom.db.exceptions import TransactionError
from transom.db.pool import Pool

from .checkpoint import Checkpoints
from .connection import (
    NotNow,
    SQLiteConnection,
    execute,
    execute_many,
    fetch_all,
    fetch_named,
    open_connection,
    release,
    stream_chunks,
)
from .transaction import Pace, SQLiteTransaction

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from transom.db.backends.base import Args, Row, Vendor
    from transom.db.url import DatabaseURL, SQLiteOptions

T = TypeVar("T")


class SQLiteBackend:
    """One SQLite database in one event loop."""

    vendor: Vendor = "sqlite"

    def __init__(self, alias: str, url: DatabaseURL, options: SQLiteOptions) -> None:
        self._alias = alias
        self._url = url
        self._options = options
        self._pace = Pace()
        self._writer = self._make_pool(1, query_only=False)
        self._readers = self._writer if url.is_memory else self._make_pool(options.readers, query_only=True)
        self._checkpoints = Checkpoints(partial(open_connection, url, options))
        self._inline: SQLiteConnection | None = (
            None  # only ever used between two awaits, so nobody else can be in it
        )

    @property
    def alias(self) -> str:
        """The name in `databases`."""
        return self._alias

    async def fetch(self, sql: str, args: Args = ()) -> Sequence[Row]:
        """Run a statement that only reads, and return all its rows.

        It runs inline; if that takes longer than a millisecond, it is stopped and starts anew on a thread.
        """
        connection = self._inline or await self._open_inline()
        if connection is not None:
            try:
                return connection.attempt(fetch_all, sql, args)
            except NotNow:
                pass
        return await self._run(self._readers, fetch_all, sql, args, inline=connection is None)

    async def fetch_named(self, sql: str, args: Args = ()) -> tuple[Sequence[str], Sequence[Row]]:
        """Run a statement that only reads, and return the names of its columns, and all its rows."""
        return await self._run(self._readers, fetch_named, sql, args)

    async def execute(self, sql: str, args: Args = ()) -> int:
        """Run a statement that writes, and return how many rows it touched."""
        return await self._run(self._writer, execute, sql, args)

    async def execute_returning(self, sql: str, args: Args = ()) -> Sequence[Row]:
        """Run a statement that writes and has a RETURNING clause, and return its rows."""
        return await self._run(self._writer, fetch_all, sql, args)

    async def execute_many(self, sql: str, rows: Sequence[Args]) -> None:
        """Run one writing statement for each row of arguments, all of them or none."""
        await self._run(self._writer, execute_many, "", sql, rows)

    async def stream(
        self, sql: str, args: Args = (), *, chunk_size: int = 2000
    ) -> AsyncGenerator[Sequence[Row]]:
        """Run a reading statement and yield its rows in chunks, each of them one trip to a thread.

        The rows are those of one moment, whatever is written meanwhile. A database in memory is read whole first: its
        one connection must be free for what the consumer does with the rows.
        """
        if self._readers is self._writer:
            rows = await self.fetch(sql, args)
            for start in range(0, len(rows), chunk_size):
                yield rows[start : start + chunk_size]
            return
        connection = self._readers.take_nowait() or await self._readers.take()
        try:
            async with aclosing(stream_chunks(connection, sql, args, chunk_size)) as chunks:
                async for chunk in chunks:
                    yield chunk
        finally:
            release(self._readers, connection)

    def transaction(
        self, *, isolation: str | None = None, readonly: bool = False, deferrable: bool = False
    ) -> SQLiteTransaction:
        """Return the context of a transaction: on the writer, or on a reader if it is readonly."""
        if isolation not in (None, "serializable"):
            raise TransactionError(
                f"isolation {isolation!r} on SQLite, whose transactions are all serializable; leave it out"
            )
        if readonly:
            return SQLiteTransaction(self._readers, self._pace, readonly=True)
        checkpoints = None if self._url.is_memory else self._checkpoints
        return SQLiteTransaction(self._writer, self._pace, checkpoints=checkpoints)

    async def aclose(self) -> None:
        """Close every connection and join every thread."""
        if self._inline is not None:
            self._inline.terminate()
            self._inline = None
        await self._readers.aclose()
        await self._writer.aclose()
        await self._checkpoints.aclose()

    async def _run(
        self, pool: Pool[SQLiteConnection], call: Callable[..., T], *args: object, inline: bool = True
    ) -> T:
        connection = pool.take_nowait() or await pool.take()
        try:
            result = await connection.run(call, *args, inline=inline)
        finally:
            left_open = release(pool, connection)
            if pool is self._writer and not self._url.is_memory:
                self._checkpoints.record_write(connection)
        if left_open:
            raise TransactionError("a statement outside atomic() opened a transaction; use atomic() instead")
        return result

    async def _open_inline(self) -> SQLiteConnection | None:
        if self._readers is self._writer:
            return None
        opened = await open_connection(self._url, self._options, query_only=True)
        if self._inline is not None:  # another task was faster
            opened.terminate()
        else:
            self._inline = opened
        return self._inline

    def _make_pool(self, size: int, *, query_only: bool) -> Pool[SQLiteConnection]:
        return Pool(
            partial(open_connection, self._url, self._options, query_only=query_only),
            name=self._url.safe,
            max_size=size,
            timeout=self._options.busy_timeout,
            exhausted=f"all {size} are in use (readers)"
            if query_only
            else "another task holds the one writer",
        )
