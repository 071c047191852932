"""An open transaction on a PostgreSQL connection."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from transom.db.cancellation import outlast
from transom.db.exceptions import TransactionError

from .connection import name_columns
from .errors import DRIVER_ERRORS, translate, translate_write
from .pgbouncer import declare_cursor

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Sequence
    from types import TracebackType

    from transom.db.backends.base import Args, Row, Vendor

    from .connection import Connection, Cursor
    from .source import ConnectionSource

T = TypeVar("T")

ANSWER_TIMEOUT = (
    10.0  # seconds for the server to answer ROLLBACK, and anything else once the task is cancelled
)
ISOLATION_LEVELS = ("read committed", "repeatable read", "serializable")


class PostgreSQLTransaction:
    """The statements between BEGIN and COMMIT; entered and left by `atomic()`."""

    vendor: Vendor = "postgresql"

    def __init__(
        self, source: ConnectionSource, *, isolation: str | None, readonly: bool, deferrable: bool = False
    ) -> None:
        self._source = source
        self._begin = build_begin(isolation, readonly, deferrable)
        self._cursors = 0
        self._connection: Connection

    async def __aenter__(self) -> PostgreSQLTransaction:
        """Take a connection and begin; a connection that broke while it was idle is replaced once."""
        self._connection = await self._source.take_and_run(self._begin)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Commit, or roll back on an error; the connection is given back if it is sound, else thrown away.

        Raises:
            TransactionError: the server rolled back instead, because a statement had failed.
            ConnectionLost: and `in_doubt` says whether the COMMIT was on its way.
        """
        try:
            if kind is None:
                await self._commit()
            else:
                await self._roll_back()
        finally:
            self._source.release(self._connection)

    async def fetch(self, sql: str, args: Args = ()) -> Sequence[Row]:
        """Run a statement that only reads, and return all its rows."""
        try:
            return await self._connection.fetch(sql, *args)
        except DRIVER_ERRORS as exc:
            raise translate(exc) from exc

    async def fetch_named(self, sql: str, args: Args = ()) -> tuple[Sequence[str], Sequence[Row]]:
        """Run a statement that only reads, and return the names of its columns, and all its rows."""
        rows = await self.fetch(sql, args)
        return name_columns(rows), rows

    async def execute(self, sql: str, args: Args = ()) -> int:
        """Run a statement that writes, and return how many rows it touched."""
        return count_rows(await self._translating(self._connection.execute(sql, *args)))

    async def execute_returning(self, sql: str, args: Args = ()) -> Sequence[Row]:
        """Run a statement that writes and has a RETURNING clause, and return its rows."""
        return await self.fetch(sql, args)

    async def execute_many(self, sql: str, rows: Sequence[Args]) -> None:
        """Run one writing statement for each row of arguments, all of them or none."""
        await self._translating(self._connection.executemany(sql, rows))

    async def stream(
        self, sql: str, args: Args = (), *, chunk_size: int = 2000
    ) -> AsyncGenerator[Sequence[Row]]:
        """Run a reading statement and yield its rows in chunks, from a cursor on the server."""
        cursor = await self._translating(self._open_cursor(sql, args))
        while chunk := await self._translating(cursor.fetch(chunk_size)):
            yield chunk
            if len(chunk) < chunk_size:
                return

    async def savepoint(self, name: str) -> None:
        """Set a savepoint."""
        await self._translating(self._finish(f'SAVEPOINT "{name}"'))

    async def rollback_to_savepoint(self, name: str) -> None:
        """Undo everything since the savepoint, and forget it."""
        await self._translating(self._finish(f'ROLLBACK TO SAVEPOINT "{name}"; RELEASE SAVEPOINT "{name}"'))

    async def release_savepoint(self, name: str) -> None:
        """Forget the savepoint, keeping what was done since."""
        await self._translating(self._finish(f'RELEASE SAVEPOINT "{name}"'))

    async def _open_cursor(self, sql: str, args: Args) -> Cursor:
        if not self._source.pgbouncer:
            return await self._connection.cursor(sql, *args)
        self._cursors += 1
        return await declare_cursor(self._connection, f"transom_{self._cursors}", sql, args)

    async def _translating(self, result: Awaitable[T]) -> T:
        try:
            return await result
        except DRIVER_ERRORS as exc:
            raise translate(exc) from exc

    async def _commit(self) -> None:
        try:
            tag = await self._finish("COMMIT")
        except DRIVER_ERRORS as exc:
            raise translate_write(exc) from exc
        if tag != "COMMIT":  # the server answers ROLLBACK, and no error, if the transaction had failed
            raise TransactionError(
                "rolled back: a statement of this transaction failed and its error was swallowed; "
                "wrap a statement that may fail in an atomic() of its own"
            )

    async def _roll_back(self) -> None:
        try:
            await self._finish("ROLLBACK", ANSWER_TIMEOUT)
        except (*DRIVER_ERRORS, TimeoutError):
            self._connection.terminate()  # which rolls back as well; what went wrong inside is the error to see

    async def _finish(self, statement: str, timeout: float | None = None) -> str:
        """Run what must be whole: a cancellation is raised only after the server has answered."""
        if self._connection.is_closed():
            return await self._connection.execute(statement)  # says how it was lost
        task = asyncio.ensure_future(self._connection.execute(statement, timeout=timeout))
        hurry: list[asyncio.TimerHandle] = []

        def limit_wait() -> None:
            loop = asyncio.get_running_loop()
            hurry.append(loop.call_later(ANSWER_TIMEOUT, self._connection.terminate))

        try:
            return await outlast(task, limit_wait)
        finally:
            for timer in hurry:
                timer.cancel()


def build_begin(isolation: str | None, readonly: bool, deferrable: bool) -> str:
    """Return the BEGIN statement."""
    if isolation is not None and isolation not in ISOLATION_LEVELS:
        raise TransactionError(
            f"unknown isolation level {isolation!r}; choose from {', '.join(ISOLATION_LEVELS)}"
        )
    level = f" ISOLATION LEVEL {isolation.upper()}" if isolation else ""
    return f"BEGIN{level}{' READ ONLY' if readonly else ''}{' DEFERRABLE' if deferrable else ''}"


def count_rows(tag: str) -> int:
    """Return the number at the end of a command tag: "UPDATE 3", "INSERT 0 1", "CREATE TABLE"."""
    last = tag.rpartition(" ")[2]
    return int(last) if last.isdigit() else 0
