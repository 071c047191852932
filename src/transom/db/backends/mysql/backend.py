"""A MariaDB database: each statement takes a connection, runs, and gives it back without another round trip."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from transom.db.exceptions import TransactionError

from .errors import DRIVER_ERRORS, has_left_no_trace
from .source import ConnectionSource
from .transaction import MySQLTransaction, build_begin

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

    from transom.db.backends.base import Args, Row, Vendor
    from transom.db.url import DatabaseURL, MySQLOptions

    from .connection import Connection

T = TypeVar("T")


class MySQLBackend:
    """One MariaDB database in one event loop."""

    vendor: Vendor = "mysql"

    def __init__(self, alias: str, url: DatabaseURL, options: MySQLOptions) -> None:
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
        return await self._read(lambda connection: connection.fetch(sql, args), sql)

    async def fetch_named(self, sql: str, args: Args = ()) -> tuple[Sequence[str], Sequence[Row]]:
        """Run a statement as `fetch`, and return the names of its columns, and all its rows."""
        return await self._read(lambda connection: connection.fetch_named(sql, args), sql)

    async def _read(self, read: Callable[[Connection], Awaitable[T]], sql: str) -> T:
        while True:
            idle = self.pool.take_nowait()
            connection = idle or await self.pool.take()
            try:
                result = await read(connection)
            except DRIVER_ERRORS as exc:
                error = await self._source.release_failed(connection, exc, sql)
                if idle is None or not has_left_no_trace(exc):
                    raise error from exc
            except BaseException:
                self._source.abandon(connection)
                raise
            else:
                self._source.release(connection)
                return result

    async def execute(self, sql: str, args: Args = ()) -> int:
        """Run a statement that writes, and return how many rows it touched; an UPDATE, how many it matched."""
        return await self._run(lambda connection: connection.execute(sql, args), sql)

    async def execute_returning(self, sql: str, args: Args = ()) -> Sequence[Row]:
        """Run a statement that writes and has a RETURNING clause, and return its rows."""
        return await self._run(lambda connection: connection.fetch(sql, args), sql)

    async def execute_many(self, sql: str, rows: Sequence[Args]) -> None:
        """Run one writing statement for each row of arguments, all of them or none."""
        async with self.transaction() as transaction:
            await transaction.execute_many(sql, rows)

    async def stream(
        self, sql: str, args: Args = (), *, chunk_size: int = 2000
    ) -> AsyncGenerator[Sequence[Row]]:
        """Run a reading statement and yield its rows in chunks, as the server sends them on a connection of its own.

        Who stops early costs that connection: nothing but its end stops the server from sending.
        """
        connection = await self._source.take_and_run("DO 0")
        try:
            stream = await connection.open_stream(sql, args)
            while chunk := await stream.fetch(chunk_size):
                yield chunk
        except DRIVER_ERRORS as exc:
            raise await self._source.release_failed(connection, exc, sql) from exc
        except BaseException:  # cancelled, or left early
            self._source.abandon(connection)
            raise
        self._source.release(connection)

    def transaction(
        self, *, isolation: str | None = None, readonly: bool = False, deferrable: bool = False
    ) -> MySQLTransaction:
        """Return the context of a transaction on a connection of its own."""
        return MySQLTransaction(self._source, build_begin(isolation, readonly, deferrable))

    async def aclose(self) -> None:
        """Close every connection; the next statement opens new ones."""
        await self._source.aclose()

    async def _run(self, statement: Callable[[Connection], Awaitable[T]], sql: str) -> T:
        connection = self.pool.take_nowait() or await self.pool.take()
        try:
            result = await statement(connection)
        except DRIVER_ERRORS as exc:
            raise await self._source.release_failed(connection, exc, sql, is_write=True) from exc
        except BaseException:
            self._source.abandon(connection)
            raise
        left_open = connection.is_in_transaction()
        self._source.release(connection)
        if left_open:
            raise TransactionError("a statement outside atomic() opened a transaction; use atomic() instead")
        return result
