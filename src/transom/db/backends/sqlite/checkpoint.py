"""Moving the write-ahead log into the database file beside the writes, not in the middle of one.

SQLite by itself does it inside the COMMIT that makes the log longer than 1000 pages, and syncs the file to disk twice:
milliseconds, in which the event loop would stand still. Here a thread does it earlier, on a connection of its own; a
passive checkpoint waits for nobody and keeps nobody waiting. SQLite's own stays on, for logs that grow faster still.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from transom.db.exceptions import DatabaseError

from .connection import Busy, fetch_all

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .connection import SQLiteConnection

CHANGES = 250  # rows changed between checkpoints: most change a few pages each

logger = logging.getLogger("transom.db")


class Checkpoints:
    """Starts a checkpoint once enough was written, one at a time."""

    def __init__(self, connect: Callable[[], Awaitable[SQLiteConnection]]) -> None:
        self._connect = connect
        self._connection: SQLiteConnection | None = None
        self._task: asyncio.Task[None] | None = None
        self._seen = 0

    def record_write(self, writer: SQLiteConnection) -> None:
        """Look at how much was written; called after each write with the connection that did it."""
        if writer.is_closed():
            self._seen = 0  # the next writer counts from nought
            return
        changes = writer.driver.total_changes
        if changes - self._seen >= CHANGES and self._task is None:
            self._seen = changes
            self._task = asyncio.get_running_loop().create_task(self._run())
            self._task.add_done_callback(self._forget)

    async def aclose(self) -> None:
        """Let the running checkpoint end, and join the thread."""
        if self._task is not None:
            await asyncio.wait((self._task,))
        if self._connection is not None:
            self._connection.terminate()
        self._connection, self._seen = None, 0

    async def _run(self) -> None:
        try:
            if self._connection is None:
                self._connection = await self._connect()
            await self._connection.run_on_thread(fetch_all, "PRAGMA wal_checkpoint(PASSIVE)", ())
        except Busy:
            pass  # another process is at it
        except DatabaseError:
            logger.exception("a checkpoint of the write-ahead log failed; the next will catch up")

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._task = None
