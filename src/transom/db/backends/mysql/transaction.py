"""An open transaction on a MariaDB connection.

The server may end a transaction by itself: a deadlock rolls it back, and every CREATE, ALTER and DROP commits it. The next
statement would then run in autocommit. So it is asked whether the transaction is still there after each statement (the
answer says so) and, after an error that may have ended it, before the next one.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from transom.db.cancellation import outlast
from transom.db.exceptions import DatabaseError, OperationalError, TransactionClosed, TransactionError

from .errors import DRIVER_ERRORS, translate, translate_write
from .source import name_columns

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
    from types import TracebackType

    from transom.db.backends.base import Args, Row, Vendor

    from .connection import Connection
    from .source import ConnectionSource

T = TypeVar("T")

ANSWER_TIMEOUT = (
    10.0  # seconds for the server to answer ROLLBACK, and anything else once the task is cancelled
)
ISOLATION_LEVELS = ("read uncommitted", "read committed", "repeatable read", "serializable")
COMMITTED = (
    "the last statement has committed this transaction, as every CREATE, ALTER and DROP does on MariaDB; "
    "run it outside atomic()"
)
ROLLED_BACK = (
    "MariaDB has rolled this transaction back because of {!r}; leave the atomic() block, and run it again"
)


class MySQLTransaction:
    """The statements between START TRANSACTION and COMMIT; entered and left by `atomic()`."""

    vendor: Vendor = "mysql"

    def __init__(self, source: ConnectionSource, begin: str) -> None:
        self._source = source
        self._begin = begin
        self._connection: Connection
        self._doubt: OperationalError | None = None
        self._ended = ""
        self._interrupted = False

    async def __aenter__(self) -> MySQLTransaction:
        """Take a connection and begin; a connection that broke while it was idle is replaced."""
        self._connection = await self._source.take_and_run(self._begin)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Commit, or roll back on an error; the connection is given back if it is sound, else thrown away.

        Raises:
            TransactionClosed: the server had ended the transaction before.
            ConnectionLost: and `in_doubt` says whether the COMMIT was on its way.
        """
        try:
            if kind is None:
                await self._commit()
            else:
                await self._roll_back()
        finally:
            if self._interrupted:
                self._source.abandon(self._connection)
            else:
                self._source.release(self._connection)

    async def fetch(self, sql: str, args: Args = ()) -> Sequence[Row]:
        """Run a statement that only reads, and return all its rows."""
        return await self._run(lambda: self._connection.fetch(sql, args), sql)

    async def fetch_named(self, sql: str, args: Args = ()) -> tuple[Sequence[str], Sequence[Row]]:
        """Run a statement that only reads, and return the names of its columns, and all its rows."""
        return await self._run(lambda: self._connection.fetch_named(sql, args), sql)

    async def execute(self, sql: str, args: Args = ()) -> int:
        """Run a statement that writes, and return how many rows it touched; an UPDATE, how many it matched."""
        return await self._run(lambda: self._connection.execute(sql, args), sql)

    async def execute_returning(self, sql: str, args: Args = ()) -> Sequence[Row]:
        """Run a statement that writes and has a RETURNING clause, and return its rows."""
        return await self.fetch(sql, args)

    async def execute_many(self, sql: str, rows: Sequence[Args]) -> None:
        """Run one writing statement for each row of arguments, all of them or none."""
        await self.savepoint("transom_many")
        try:
            await self._run(lambda: self._connection.execute_many(sql, rows), sql)
        except DatabaseError:
            with suppress(TransactionClosed):  # of a deadlock nothing is left to undo
                await self.rollback_to_savepoint("transom_many")
            raise
        await self.release_savepoint("transom_many")

    async def stream(
        self, sql: str, args: Args = (), *, chunk_size: int = 2000
    ) -> AsyncGenerator[Sequence[Row]]:
        """Run a reading statement and yield its rows in chunks, as the server sends them.

        Another statement in between has to wait for the last row: then what is left is read into memory first.
        """
        stream = await self._run(lambda: self._connection.open_stream(sql, args), sql)
        try:
            while chunk := await self._translating(lambda: stream.fetch(chunk_size), sql):
                yield chunk
        finally:
            stream.wanted = False

    async def savepoint(self, name: str) -> None:
        """Set a savepoint."""
        await self._run(lambda: self._finish(f"SAVEPOINT `{name}`"))

    async def rollback_to_savepoint(self, name: str) -> None:
        """Undo everything since the savepoint, and forget it."""
        await self._run(lambda: self._finish(f"ROLLBACK TO SAVEPOINT `{name}`; RELEASE SAVEPOINT `{name}`"))

    async def release_savepoint(self, name: str) -> None:
        """Forget the savepoint, keeping what was done since."""
        await self._run(lambda: self._finish(f"RELEASE SAVEPOINT `{name}`"))

    async def _run(self, statement: Callable[[], Awaitable[T]], sql: str = "") -> T:
        await self._make_ready()
        result = await self._translating(statement, sql)
        if not self._connection.is_in_transaction():
            self._ended = COMMITTED
            raise TransactionError(COMMITTED)
        return result

    async def _make_ready(self) -> None:
        """Read what is left of a stream, and refuse to go on where the server has ended the transaction."""
        stream = self._connection.stream
        if stream is not None:
            await self._translating(stream.make_way)
        if self._doubt is not None and not self._ended:
            await self._translating(lambda: self._connection.execute("DO 0"))
            if not self._connection.is_in_transaction():
                self._ended = ROLLED_BACK.format(str(self._doubt))
            self._doubt = None
        if self._ended:
            raise TransactionClosed(self._ended)

    async def _translating(self, statement: Callable[[], Awaitable[T]], sql: str = "") -> T:
        try:
            return await statement()
        except DRIVER_ERRORS as exc:
            error = translate(exc, sql)
            if isinstance(error, OperationalError):
                self._doubt = error
            await self._name_columns(error)
            raise error from exc
        except BaseException:
            self._interrupted = self._connection.is_closed()
            raise

    async def _name_columns(self, error: DatabaseError) -> None:
        try:
            await name_columns(self._connection, error)
        except BaseException:
            self._interrupted = self._connection.is_closed()
            raise

    async def _commit(self) -> None:
        await self._make_ready()
        try:
            await self._finish("COMMIT")
        except DRIVER_ERRORS as exc:
            raise translate_write(exc) from exc

    async def _roll_back(self) -> None:
        # A stream would have to be read to its end before ROLLBACK could be sent.
        if self._interrupted or self._connection.is_closed() or self._connection.stream is not None:
            self._connection.terminate()  # which rolls back as well
            return
        try:
            await self._finish("ROLLBACK", hurry=True)
        except DRIVER_ERRORS:
            self._connection.terminate()  # what went wrong inside is the error to see

    async def _finish(self, statement: str, *, hurry: bool = False) -> int:
        """Run what must be whole: a cancellation is raised only after the server has answered.

        The answer is waited for only so long once there is one, or from the beginning (`hurry`).
        """
        task = asyncio.ensure_future(self._connection.execute(statement))
        timers: list[asyncio.TimerHandle] = []

        def limit_wait() -> None:
            loop = asyncio.get_running_loop()
            timers.append(loop.call_later(ANSWER_TIMEOUT, self._connection.terminate))

        if hurry:
            limit_wait()
        try:
            return await outlast(task, limit_wait)
        finally:
            for timer in timers:
                timer.cancel()


def build_begin(isolation: str | None, readonly: bool, deferrable: bool) -> str:
    """Return the statements that begin.

    Reads of a serializable transaction take locks, and so may end in a deadlock. One that is deferrable reads from a
    snapshot instead: that is serializable too, as long as nothing is written.
    """
    if deferrable:
        return "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"
    if isolation is not None and isolation not in ISOLATION_LEVELS:
        raise TransactionError(
            f"unknown isolation level {isolation!r}; choose from {', '.join(ISOLATION_LEVELS)}"
        )
    level = f"SET TRANSACTION ISOLATION LEVEL {isolation.upper()}; " if isolation else ""
    return f"{level}START TRANSACTION{' READ ONLY' if readonly else ''}"
