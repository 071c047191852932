"""Where statements get their connections from, and what becomes of a connection after trouble."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from asyncpg import InternalClientError  # type: ignore[import-untyped]  # it has no stubs

from transom.db.exceptions import ConnectionFailed, DatabaseError
from transom.db.pool import Pool

from .connection import Connection, open_connection
from .errors import DRIVER_ERRORS, translate, translate_write

if TYPE_CHECKING:
    from transom.db.url import DatabaseURL, PostgreSQLOptions

RECOVERY_TIMEOUT = 5.0  # seconds for the server to confirm that it has cancelled a statement


class ConnectionSource:
    """The pool of one PostgreSQL database, and the connections that recover before they go back to it.

    Attributes:
        pool: lends the connections.
        pgbouncer: whether what a statement leaves on the server may be another client's in the next transaction.
    """

    def __init__(self, url: DatabaseURL, options: PostgreSQLOptions) -> None:
        self.pool: Pool[Connection] = Pool(
            partial(open_connection, url, options),
            name=url.safe,
            max_size=options.pool_max,
            min_size=options.pool_min,
            timeout=options.pool_timeout,
            idle_lifetime=options.pool_idle,
            exhausted=f"all {options.pool_max} are in use (pool_max)",
        )
        self.pgbouncer = options.pgbouncer
        self._recoveries: set[asyncio.Task[None]] = set()

    async def take_and_run(self, statement: str) -> Connection:
        """Take a connection and run a statement that may be run twice, such as BEGIN.

        A connection may have been lost while it was idle, and the loss not be noticed yet: then another is tried, and
        at last one that is new.
        """
        while True:
            idle = self.pool.take_nowait()
            connection = idle or await self.pool.take()
            try:
                await connection.execute(statement)
            except DRIVER_ERRORS as exc:
                error = self.release_failed(connection, exc)
                if idle is None or not isinstance(error, ConnectionFailed):
                    raise error from exc
            except BaseException:
                self.recover(connection)
                raise
            else:
                return connection

    def release(self, connection: Connection) -> None:
        """Give a connection back; one that is lost, or still in a transaction, is thrown away."""
        if connection.is_closed() or connection.is_in_transaction():
            self.pool.discard(connection)
        else:
            self.pool.give_back(connection)

    def release_failed(
        self, connection: Connection, exc: BaseException, *, is_write: bool = False
    ) -> DatabaseError:
        """Give a connection back after an error of the driver, and return our error for it."""
        error = translate_write(exc) if is_write else translate(exc)
        # It may not know yet that it is lost; and what an error of the driver itself leaves behind, nobody knows.
        if isinstance(error, ConnectionFailed) or isinstance(exc, InternalClientError):
            self.pool.discard(connection)
        else:
            self.release(connection)
        return error

    def recover(self, connection: Connection) -> None:
        """Give a connection back once the server has cancelled what it was doing."""
        task = asyncio.get_running_loop().create_task(self._recover(connection))
        self._recoveries.add(task)
        task.add_done_callback(self._recoveries.discard)

    async def aclose(self) -> None:
        """Close every connection."""
        if self._recoveries:
            await asyncio.wait(self._recoveries)
        await self.pool.aclose()

    async def _recover(self, connection: Connection) -> None:
        # asyncpg has sent a cancel request; it runs nothing else on this connection before that is answered. The
        # statement after it takes the blow if the request came late, so that nobody else's does.
        try:
            await connection.execute("SELECT 1", timeout=RECOVERY_TIMEOUT)
        except (*DRIVER_ERRORS, TimeoutError):
            self.pool.discard(connection)
        except BaseException:
            self.pool.discard(connection)
            raise
        else:
            self.release(connection)
