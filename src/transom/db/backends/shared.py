"""A backend that is one connection in one transaction, for all tasks in turn: what `rollback_after` puts in place."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from transom.db.exceptions import PoolTimeout

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from .base import Args, Row, TransactionExecutor, Vendor

TURN_TIMEOUT = 10.0  # seconds; a test that waits longer waits for itself


class SharedConnectionBackend:
    """Each statement, and each transaction, is a savepoint in the transaction around it."""

    def __init__(self, alias: str, executor: TransactionExecutor) -> None:
        self._alias = alias
        self._executor = executor
        self._turn = asyncio.Lock()
        self._savepoints = 0

    @property
    def alias(self) -> str:
        """The name in `databases`."""
        return self._alias

    @property
    def vendor(self) -> Vendor:
        """Which dialect the statements must be written in."""
        return self._executor.vendor

    async def fetch(self, sql: str, args: Args = ()) -> Sequence[Row]:
        """Run a statement that only reads, and return all its rows."""
        async with self.transaction() as executor:
            return await executor.fetch(sql, args)

    async def fetch_named(self, sql: str, args: Args = ()) -> tuple[Sequence[str], Sequence[Row]]:
        """Run a statement that only reads, and return the names of its columns, and all its rows."""
        async with self.transaction() as executor:
            return await executor.fetch_named(sql, args)

    async def execute(self, sql: str, args: Args = ()) -> int:
        """Run a statement that writes, and return how many rows it touched."""
        async with self.transaction() as executor:
            return await executor.execute(sql, args)

    async def execute_returning(self, sql: str, args: Args = ()) -> Sequence[Row]:
        """Run a statement that writes and has a RETURNING clause, and return its rows."""
        async with self.transaction() as executor:
            return await executor.execute_returning(sql, args)

    async def execute_many(self, sql: str, rows: Sequence[Args]) -> None:
        """Run one writing statement for each row of arguments, all of them or none."""
        async with self.transaction() as executor:
            await executor.execute_many(sql, rows)

    async def stream(
        self, sql: str, args: Args = (), *, chunk_size: int = 2000
    ) -> AsyncGenerator[Sequence[Row]]:
        """Read everything, then yield it in chunks: who consumes them may need the connection."""
        rows = await self.fetch(sql, args)
        for start in range(0, len(rows), chunk_size):
            yield rows[start : start + chunk_size]

    @asynccontextmanager
    async def transaction(
        self, *, isolation: str | None = None, readonly: bool = False, deferrable: bool = False
    ) -> AsyncGenerator[TransactionExecutor]:
        """Take the turn and set a savepoint; keep what was done, or undo it."""
        await self._take_turn()
        try:
            self._savepoints += 1
            name = f"transom_shared_{self._savepoints}"
            await self._executor.savepoint(name)
            try:
                yield self._executor
            except BaseException:
                await self._executor.rollback_to_savepoint(name)
                raise
            await self._executor.release_savepoint(name)
        finally:
            self._turn.release()

    async def aclose(self) -> None:
        """Do nothing: the connection belongs to the transaction around."""

    async def _take_turn(self) -> None:
        try:
            async with asyncio.timeout(TURN_TIMEOUT):
                await self._turn.acquire()
        except TimeoutError as exc:
            raise PoolTimeout(
                f"waited {TURN_TIMEOUT:g} s for the one connection of rollback_after() on {self._alias!r}: "
                "another task holds it in atomic(); does that block wait for this task?"
            ) from exc
