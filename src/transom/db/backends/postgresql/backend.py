"""A PostgreSQL database: each statement takes a connection, runs, and gives it back without another round trip."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, TypeVar

from transom.db.exceptions import TransactionError

from .connection import name_columns
from .errors import DRIVER_ERRORS, has_left_no_trace
from .source import ConnectionSource
from .transaction import PostgreSQLTransaction, count_rows

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

    from transom.db.backends.base import Args, Row, Vendor
    from transom.db.url import DatabaseURL, PostgreSQLOptions

    from .connection import Connection

T = TypeVar("T")


class PostgreSQLBackend:
    """One PostgreSQL database in one event loop."""

    vendor: Vendor = "postgresql"

    def __init__(self, alias: str, url: DatabaseURL, options: PostgreSQLOptions) -> None:
        self._alias = alias
        self._source = ConnectionSource(url, options)
        self.pool = self._source.pool

    @property
    def alias(self) -> str:
        """The name in `databases`."""
        return self._alias

    async def fetch(self, sql: str, args: Args = ()) -> Sequence[Row]:
        """Run a statement that only reads, and return all its rows.

        It is run again, on another connection, if the first was lost while it was idle, or the server reports that it has
        ended the session. Where the connection broke without a word, the statement may have run: that is an error.
        """
        while True:
            idle = self.pool.take_nowait()
            connection = idle or await self.pool.take()
            try:
                rows = await connection.fetch(sql, *args)
            except DRIVER_ERRORS as exc:
                error = self._source.release_failed(connection, exc)
                if idle is None or not has_left_no_trace(exc):
                    raise error from exc
            except BaseException:
                self._source.recover(connection)
                raise
            else:
                self._source.release(connection)
                return rows

    async def fetch_named(self, sql: str, args: Args = ()) -> tuple[Sequence[str], Sequence[Row]]:
        """Run a statement that only reads, and return the names of its columns, and all its rows."""
        rows = await self.fetch(sql, args)
        return name_columns(rows), rows

    async def execute(self, sql: str, args: Args = ()) -> int:
        """Run a statement that writes, and return how many rows it touched."""
        return count_rows(await self._run(lambda connection: connection.execute(sql, *args)))

    async def execute_returning(self, sql: str, args: Args = ()) -> Sequence[Row]:
        """Run a statement that writes and has a RETURNING clause, and return its rows."""
        return await self._run(lambda connection: connection.fetch(sql, *args))

    async def execute_many(self, sql: str, rows: Sequence[Args]) -> None:
        """Run one writing statement for each row of arguments, all of them or none."""
        await self._run(lambda connection: connection.executemany(sql, rows))

    async def stream(
        self, sql: str, args: Args = (), *, chunk_size: int = 2000
    ) -> AsyncGenerator[Sequence[Row]]:
        """Run a reading statement and yield its rows in chunks, in a transaction of its own."""
        async with (
            self.transaction(readonly=True) as transaction,
            aclosing(transaction.stream(sql, args, chunk_size=chunk_size)) as chunks,
        ):
            async for chunk in chunks:
                yield chunk

    def transaction(
        self, *, isolation: str | None = None, readonly: bool = False, deferrable: bool = False
    ) -> PostgreSQLTransaction:
        """Return the context of a transaction on a connection of its own."""
        return PostgreSQLTransaction(
            self._source, isolation=isolation, readonly=readonly, deferrable=deferrable
        )

    async def aclose(self) -> None:
        """Close every connection; the next statement opens new ones."""
        await self._source.aclose()

    async def _run(self, statement: Callable[[Connection], Awaitable[T]]) -> T:
        connection = self.pool.take_nowait() or await self.pool.take()
        try:
            result = await statement(connection)
        except DRIVER_ERRORS as exc:
            raise self._source.release_failed(connection, exc, is_write=True) from exc
        except BaseException:
            self._source.recover(connection)
            raise
        left_open = connection.is_in_transaction()
        self._source.release(connection)
        if left_open:
            raise TransactionError("a statement outside atomic() opened a transaction; use atomic() instead")
        return result
