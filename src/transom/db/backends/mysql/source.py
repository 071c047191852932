"""Where statements get their connections from, and what becomes of a connection after trouble."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from transom.db.exceptions import ConnectionFailed, DatabaseError, UniqueViolation
from transom.db.pool import Pool

from .connection import Connection, open_connection
from .errors import DRIVER_ERRORS, translate, translate_write

if TYPE_CHECKING:
    from transom.db.url import DatabaseURL, MySQLOptions

KILL_TIMEOUT = 5.0  # seconds for the server to stop the statements of cancelled calls
KEY_COLUMNS = (
    "SELECT column_name FROM information_schema.statistics "
    "WHERE table_schema = DATABASE() AND table_name = %s AND index_name = %s ORDER BY seq_in_index"
)


class ConnectionSource:
    """The pool of one database, and the statements that are to be stopped on the server."""

    def __init__(self, url: DatabaseURL, options: MySQLOptions) -> None:
        self._open = partial(open_connection, url, options)
        self.pool: Pool[Connection] = Pool(
            self._open,
            name=url.safe,
            max_size=options.pool_max,
            min_size=options.pool_min,
            timeout=options.pool_timeout,
            idle_lifetime=options.pool_idle,
            exhausted=f"all {options.pool_max} are in use (pool_max)",
        )
        self._orphans: list[int] = []  # threads of the server whose statement nobody waits for
        self._killer: asyncio.Task[None] | None = None

    async def take_and_run(self, statement: str) -> Connection:
        """Take a connection and run a statement that may be run twice, such as START TRANSACTION.

        A connection may have been lost while it was idle, and the loss not be noticed yet: then another is tried, and
        at last one that is new.
        """
        while True:
            idle = self.pool.take_nowait()
            connection = idle or await self.pool.take()
            try:
                await connection.execute(statement)
            except DRIVER_ERRORS as exc:
                error = await self.release_failed(connection, exc, statement)
                if idle is None or not isinstance(error, ConnectionFailed):
                    raise error from exc
            except BaseException:
                self.abandon(connection)
                raise
            else:
                return connection

    def release(self, connection: Connection) -> None:
        """Give a connection back; one that is lost, in a transaction or in the middle of a stream is thrown away."""
        if connection.is_closed() or connection.is_in_transaction() or connection.stream is not None:
            self.pool.discard(connection)
        else:
            self.pool.give_back(connection)

    async def release_failed(
        self, connection: Connection, exc: BaseException, sql: str, *, is_write: bool = False
    ) -> DatabaseError:
        """Give a connection back after an error of the driver, and return our error for it."""
        error = translate_write(exc, sql) if is_write else translate(exc, sql)
        if isinstance(error, ConnectionFailed):  # it may not know yet that it is lost
            self.pool.discard(connection)
            return error
        try:
            await name_columns(connection, error)
        except BaseException:
            self.abandon(connection)
            raise
        self.release(connection)
        return error

    def abandon(self, connection: Connection) -> None:
        """Throw away a connection on which a statement may still run, and have the server end it.

        The server would notice only when it sends the result that nobody is there to read.
        """
        self.pool.discard(connection)
        self._orphans.append(connection.thread_id)
        if self._killer is None:
            self._killer = asyncio.get_running_loop().create_task(self._kill_orphans())

    async def aclose(self) -> None:
        """Close every connection."""
        if self._killer is not None:
            await asyncio.wait((self._killer,))
        await self.pool.aclose()

    async def _kill_orphans(self) -> None:
        # A connection beside the pool, which may be exhausted by what is to be killed. What cannot be killed ends by
        # itself, as late as it may be.
        try:
            async with asyncio.timeout(KILL_TIMEOUT):
                connection = await self._open()
                try:
                    while self._orphans:
                        with suppress(*DRIVER_ERRORS):  # most have ended already
                            await connection.execute(f"KILL {self._orphans.pop()}")
                finally:
                    connection.terminate()
        except (DatabaseError, TimeoutError):
            self._orphans.clear()
        finally:
            self._killer = None


async def name_columns(connection: Connection, error: DatabaseError) -> None:
    """Add the columns of the key to a UniqueViolation, which the server does not name."""
    if isinstance(error, UniqueViolation) and error.table and error.constraint and not error.columns:
        with suppress(*DRIVER_ERRORS):
            rows = await connection.fetch(KEY_COLUMNS, (error.table, error.constraint))
            error.columns = tuple(str(row[0]) for row in rows)
