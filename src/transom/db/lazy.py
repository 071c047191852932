"""A transaction that begins with its first statement."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType

    from .backends.base import Args, Row, TransactionExecutor, Vendor


class LazyTransaction:
    """Stands for a backend's transaction, which it enters when the first statement comes.

    Until then no connection is taken and no lock is held, however long the block lasts; without a statement there is
    nothing to commit.

    Args:
        vendor: the dialect of the backend.
        context: the backend's transaction, not entered yet.

    Attributes:
        has_begun: whether there was a statement.
    """

    def __init__(self, vendor: Vendor, context: AbstractAsyncContextManager[TransactionExecutor]) -> None:
        self.vendor: Vendor = vendor
        self._context = context
        self._executor: TransactionExecutor | None = None

    @property
    def has_begun(self) -> bool:
        """Whether there is a transaction to commit."""
        return self._executor is not None

    async def __aenter__(self) -> LazyTransaction:
        """Do nothing yet."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Commit, or roll back on an error, what has begun."""
        if self._executor is not None:
            await self._context.__aexit__(kind, error, traceback)

    async def _begin(self) -> TransactionExecutor:
        if self._executor is None:
            self._executor = await self._context.__aenter__()
        return self._executor

    async def fetch(self, sql: str, args: Args = ()) -> Sequence[Row]:
        """Run a statement that only reads, and return all its rows."""
        return await (self._executor or await self._begin()).fetch(sql, args)

    async def fetch_named(self, sql: str, args: Args = ()) -> tuple[Sequence[str], Sequence[Row]]:
        """Run a statement that only reads, and return the names of its columns, and all its rows."""
        return await (self._executor or await self._begin()).fetch_named(sql, args)

    async def execute(self, sql: str, args: Args = ()) -> int:
        """Run a statement that writes, and return how many rows it touched."""
        return await (self._executor or await self._begin()).execute(sql, args)

    async def execute_returning(self, sql: str, args: Args = ()) -> Sequence[Row]:
        """Run a statement that writes and has a RETURNING clause, and return its rows."""
        return await (self._executor or await self._begin()).execute_returning(sql, args)

    async def execute_many(self, sql: str, rows: Sequence[Args]) -> None:
        """Run one writing statement for each row of arguments, all of them or none."""
        await (self._executor or await self._begin()).execute_many(sql, rows)

    async def stream(
        self, sql: str, args: Args = (), *, chunk_size: int = 2000
    ) -> AsyncGenerator[Sequence[Row]]:
        """Run a reading statement and yield its rows in chunks."""
        executor = await self._begin()
        async with aclosing(executor.stream(sql, args, chunk_size=chunk_size)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def savepoint(self, name: str) -> None:
        """Set a savepoint."""
        await (await self._begin()).savepoint(name)

    async def rollback_to_savepoint(self, name: str) -> None:
        """Undo everything since the savepoint, and forget it."""
        await (await self._begin()).rollback_to_savepoint(name)

    async def release_savepoint(self, name: str) -> None:
        """Forget the savepoint, keeping what was done since."""
        await (await self._begin()).release_savepoint(name)
