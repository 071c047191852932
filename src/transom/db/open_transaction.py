"""The transaction of a context: who may use it, until when, and what runs after it.

Only this lives in a context variable, and a task inherits the context of the task that started it. So every statement
asks two things: is the transaction still open, and is this the task that opened it? Neither answer is ever papered
over by running the statement somewhere else.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from .exceptions import TransactionClosed, TransactionError, TransactionOwnerError
from .lazy import LazyTransaction

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from .backends.base import Args, Row, TransactionExecutor, Vendor
    from .callbacks import CommitCallback

innermost: ContextVar[OpenTransaction | None] = ContextVar("transom.db.transaction", default=None)


class RollbackRequested(TransactionError):
    """No error: `set_rollback(True)` was called, and the block is undone in silence."""


class OpenTransaction:
    """An executor that is one task's transaction on one database.

    Attributes:
        alias: the database.
        outer: the transaction on another database around this one.
        callbacks: to be run after commit, in order; a savepoint remembers how many there were.
        rollback_cause: the error that makes this transaction impossible to go on with or to commit.
    """

    def __init__(self, alias: str, executor: TransactionExecutor, outer: OpenTransaction | None) -> None:
        self.alias = alias
        self.outer = outer
        self.callbacks: list[CommitCallback] = []
        self.rollback_cause: BaseException | None = None
        self._executor = executor
        self._owner = asyncio.current_task()  # a strong reference: an id could be another task's tomorrow
        self._closed = False
        self._savepoints = 0

    @property
    def vendor(self) -> Vendor:
        """Which dialect the statements must be written in."""
        return self._executor.vendor

    @property
    def has_begun(self) -> bool:
        """Whether there is anything to commit: false before the first statement of a lazy transaction."""
        return not isinstance(self._executor, LazyTransaction) or self._executor.has_begun

    @property
    def is_owned(self) -> bool:
        """Whether the running task is the one that opened the transaction."""
        return asyncio.current_task() is self._owner

    async def fetch(self, sql: str, args: Args = ()) -> Sequence[Row]:
        """Run a statement that only reads, and return all its rows."""
        self.check_usable()
        return await self._executor.fetch(sql, args)

    async def fetch_named(self, sql: str, args: Args = ()) -> tuple[Sequence[str], Sequence[Row]]:
        """Run a statement that only reads, and return the names of its columns, and all its rows."""
        self.check_usable()
        return await self._executor.fetch_named(sql, args)

    async def execute(self, sql: str, args: Args = ()) -> int:
        """Run a statement that writes, and return how many rows it touched."""
        self.check_usable()
        return await self._executor.execute(sql, args)

    async def execute_returning(self, sql: str, args: Args = ()) -> Sequence[Row]:
        """Run a statement that writes and has a RETURNING clause, and return its rows."""
        self.check_usable()
        return await self._executor.execute_returning(sql, args)

    async def execute_many(self, sql: str, rows: Sequence[Args]) -> None:
        """Run one writing statement for each row of arguments, all of them or none."""
        self.check_usable()
        await self._executor.execute_many(sql, rows)

    async def stream(
        self, sql: str, args: Args = (), *, chunk_size: int = 2000
    ) -> AsyncGenerator[Sequence[Row]]:
        """Run a reading statement and yield its rows in chunks, never holding more than one chunk."""
        self.check_usable()
        async with aclosing(self._executor.stream(sql, args, chunk_size=chunk_size)) as chunks:
            async for chunk in chunks:
                yield chunk
                self.check_usable()  # the connection may be somebody else's by now

    def check_usable(self) -> None:
        """Refuse a statement that would run outside the transaction or beside it.

        Raises:
            TransactionClosed: the block of the transaction has been left.
            TransactionOwnerError: another task runs this than the one that opened the transaction.
            TransactionError: an inner block without a savepoint failed.
        """
        if self._closed:
            raise TransactionClosed(
                f"the transaction on {self.alias!r} that this code was started in has ended; "
                "await the work inside the atomic() block, or wrap it in independent() to run it on its own"
            )
        if asyncio.current_task() is not self._owner:
            raise TransactionOwnerError(
                f"the transaction on {self.alias!r} belongs to {describe(self._owner)}, "
                f"and {describe(asyncio.current_task())} tried to use it; await the statements one after another "
                "in the task that opened it, gather outside atomic(), or wrap the child's work in independent()"
            )
        if self.rollback_cause is None:
            return
        if isinstance(self.rollback_cause, RollbackRequested):
            raise TransactionError(
                f"set_rollback(True) was called in the transaction on {self.alias!r}, which runs no more statements "
                "until the block is left; leave it, or call set_rollback(False)"
            )
        raise TransactionError(
            f"the transaction on {self.alias!r} can only be rolled back: a block inside failed without going "
            "back to a savepoint; leave this block, or use atomic() with its savepoint inside"
        ) from self.rollback_cause

    def request_rollback(self, wanted: bool) -> None:
        """Let the innermost block be undone when it is left, or no longer.

        Raises:
            TransactionError: it is called off though an error has made the undoing necessary.
        """
        before = self.rollback_cause
        if before is not None and not isinstance(before, RollbackRequested):
            if not wanted:
                self.check_usable()  # which it is not, and says why
            return
        self.rollback_cause = None
        try:
            self.check_usable()
        finally:
            self.rollback_cause = before
        self.rollback_cause = RollbackRequested("set_rollback(True)") if wanted else None

    def close(self) -> None:
        """End it: every later statement raises TransactionClosed."""
        self._closed = True

    async def set_savepoint(self) -> str:
        """Set a savepoint under a name that was never used in this transaction."""
        self.check_usable()
        self._savepoints += 1
        name = f"transom_{self._savepoints}"
        await self._executor.savepoint(name)
        return name

    async def roll_back_to(self, name: str, callbacks: int) -> None:
        """Undo what was done since the savepoint, and forget what was to run after its commit."""
        del self.callbacks[callbacks:]
        await self._executor.rollback_to_savepoint(name)

    async def release(self, name: str) -> None:
        """Keep what was done since the savepoint."""
        await self._executor.release_savepoint(name)


def find_open(alias: str) -> OpenTransaction | None:
    """Return the transaction of this context on a database, whether it may be used or not."""
    transaction = innermost.get()
    while transaction is not None and transaction.alias != alias:
        transaction = transaction.outer
    return transaction


def describe(task: asyncio.Task[Any] | None) -> str:
    """Name a task for a message."""
    return f"task {task.get_name()!r}" if task is not None else "no task"
