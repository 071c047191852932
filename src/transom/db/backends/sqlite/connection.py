"""One sqlite3 connection: run a call inline for a millisecond at most, or on the connection's own thread.

SQLite calls the progress handler every couple of thousand steps of its virtual machine, in the thread that runs the
statement. The handler stops the statement once `_stop_at` has passed. One number thus serves three uses: the inline
deadline (now + 1 ms), no deadline (infinity), and the cancellation of a call on the thread (minus infinity).

A connection runs one call at a time; whoever has it from a pool has it alone.
"""

from __future__ import annotations

import asyncio
import math
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, repeat
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar

from transom.db.cancellation import outlast
from transom.db.exceptions import ConnectionFailed, DatabaseError, LockNotAvailable

from .errors import DRIVER_ERRORS, is_busy, is_interrupted, translate
from .functions import install

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from transom.db.backends.base import Args, Row
    from transom.db.pool import Pool
    from transom.db.url import DatabaseURL, SQLiteOptions

T = TypeVar("T")

INLINE_DEADLINE = 0.001  # seconds that one statement may hold up the event loop
PROGRESS_STEPS = 2000  # virtual machine steps between looks at the clock: some 50 us, at no measurable cost
CACHED_STATEMENTS = 512
AUTO_CHECKPOINT = (
    4000  # pages of 4 KiB in the log after which a COMMIT moves them; see checkpoint.py, which is earlier
)
BUSY_DELAYS = (
    0.001,
    0.002,
    0.005,
    0.01,
    0.015,
    0.02,
    0.025,
    0.05,
    0.1,
)  # SQLite's own busy handler does alike


class NotNow(Exception):  # no error: the call goes on by other means
    """The call could not be finished inline and has changed nothing."""


class Overdue(NotNow):
    """The inline deadline passed."""


class Busy(NotNow):
    """Another connection holds a lock."""


class SQLiteConnection:
    """A sqlite3 connection with a deadline and, from the first long call on, a thread."""

    def __init__(self, url: DatabaseURL, options: SQLiteOptions, *, query_only: bool = False) -> None:
        self.driver = connect(url)
        self.query_only = query_only
        self._name = url.safe
        self._busy_timeout = options.busy_timeout
        self._stop_at = math.inf
        self._thread: ThreadPoolExecutor | None = None
        self._closed = False
        try:
            configure(self.driver, options, query_only=query_only)
        except BaseException:
            self.driver.close()
            raise
        self.driver.set_progress_handler(self._is_overdue, PROGRESS_STEPS)

    def attempt(self, call: Callable[..., T], *args: object) -> T:
        """Run `call(driver, *args)` here and now.

        Raises:
            NotNow: it takes too long, or a lock is held; outside a transaction nothing has changed then.
        """
        self._stop_at = perf_counter() + INLINE_DEADLINE
        try:
            return call(self.driver, *args)
        except DRIVER_ERRORS as exc:
            if is_interrupted(exc):
                raise Overdue from exc
            if is_busy(exc):
                raise Busy from exc
            raise translate(exc) from exc

    def run_unlimited(self, call: Callable[..., T], *args: object) -> T:
        """Run `call(driver, *args)` here and now, however long it takes."""
        self._stop_at = math.inf
        try:
            return call(self.driver, *args)
        except DRIVER_ERRORS as exc:
            raise translate(exc) from exc

    async def run(self, call: Callable[..., T], *args: object, inline: bool = True) -> T:
        """Run `call(driver, *args)` inline, then on the thread if that took too long; wait while a lock is held.

        Only for calls that may start anew: reads, and writes outside a transaction, which SQLite undoes when it stops.

        Raises:
            LockNotAvailable: another connection kept its lock for the whole `busy_timeout`.
        """
        give_up_at = perf_counter() + self._busy_timeout
        delays = chain(BUSY_DELAYS, repeat(BUSY_DELAYS[-1]))
        while True:
            try:
                return self.attempt(call, *args) if inline else await self.run_on_thread(call, *args)
            except Overdue:
                inline = False
            except Busy as busy:
                if perf_counter() > give_up_at:
                    raise LockNotAvailable(
                        f"{self._name} is locked: another connection kept its lock for "
                        f"{self._busy_timeout:g} s (busy_timeout)"
                    ) from busy
                await asyncio.sleep(next(delays))

    async def run_on_thread(self, call: Callable[..., T], *args: object, interruptible: bool = True) -> T:
        """Run `call(driver, *args)` on the connection's thread.

        Raises:
            Busy: another connection holds a lock.

        Cancellation: interrupts the statement (unless told not to) and waits until the thread has let go of it.
        """
        self._stop_at = math.inf
        future = asyncio.wrap_future(self._own_thread().submit(call, self.driver, *args))
        try:
            return await outlast(future, self.interrupt if interruptible else None)
        except DRIVER_ERRORS as exc:
            if is_busy(exc):
                raise Busy from exc
            raise translate(exc) from exc

    def interrupt(self) -> None:
        """Stop what runs on the thread, or is about to."""
        self._stop_at = -math.inf
        self.driver.interrupt()

    def is_closed(self) -> bool:
        """Whether the connection was closed."""
        return self._closed

    async def close(self) -> None:
        """Close the connection and join its thread."""
        self.terminate()

    def terminate(self) -> None:
        """Close the connection and join its thread, stopping what it runs."""
        if self._closed:
            return
        self._closed = True
        if self._thread is not None:
            self.interrupt()
            self._thread.shutdown(wait=True)
        self.driver.close()

    def _own_thread(self) -> ThreadPoolExecutor:
        if self._closed:
            raise ConnectionFailed(f"the connection to {self._name} was closed")
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="transom-sqlite")
        return self._thread

    def _is_overdue(self) -> bool:
        return perf_counter() > self._stop_at


def connect(url: DatabaseURL) -> sqlite3.Connection:
    """Open the file, making it if it is not there.

    Raises:
        ConnectionFailed: the file cannot be opened.
    """
    try:
        return sqlite3.connect(
            url.database,
            timeout=0,  # a lock is waited for in the event loop, never in SQLite
            isolation_level=None,  # we say BEGIN
            check_same_thread=False,
            cached_statements=CACHED_STATEMENTS,
        )
    except sqlite3.Error as exc:
        raise ConnectionFailed(f"could not open {url.safe}: {exc}") from exc


def configure(driver: sqlite3.Connection, options: SQLiteOptions, *, query_only: bool) -> None:
    """Set what SQLite keeps per connection, and write-ahead logging in the file.

    Raises:
        sqlite3.Error: the file is no database, or is locked.
    """
    if driver.execute("PRAGMA journal_mode").fetchone()[0] not in ("wal", "memory"):
        driver.execute("PRAGMA journal_mode = WAL")
    driver.execute(f"PRAGMA synchronous = {options.synchronous}")
    driver.execute(f"PRAGMA wal_autocheckpoint = {AUTO_CHECKPOINT}")
    driver.execute("PRAGMA foreign_keys = ON")
    driver.create_function("transom_unhex", 1, _unhex, deterministic=True)  # SQLite has its own since 3.41
    install(driver)
    if query_only:
        driver.execute("PRAGMA query_only = ON")


def _unhex(text: str | None) -> bytes | None:
    """Return the bytes of hexadecimal digits, as which they travel in JSON."""
    return None if text is None else bytes.fromhex(text)


async def open_connection(
    url: DatabaseURL, options: SQLiteOptions, *, query_only: bool = False
) -> SQLiteConnection:
    """Open a connection, waiting while another process sets up or recovers the file.

    Raises:
        ConnectionFailed: the file cannot be opened, is no database, or stays locked.
    """
    give_up_at = perf_counter() + options.busy_timeout
    while True:
        try:
            return SQLiteConnection(url, options, query_only=query_only)
        except sqlite3.Error as exc:
            if not is_busy(exc) or perf_counter() > give_up_at:
                raise ConnectionFailed(f"could not open {url.safe}: {exc}") from exc
        await asyncio.sleep(BUSY_DELAYS[3])


# What runs on a connection, inline or on its thread.


def fetch_all(driver: sqlite3.Connection, sql: str, args: Args) -> list[Row]:
    """Run one statement and return its rows."""
    return driver.execute(sql, args).fetchall()


def fetch_named(driver: sqlite3.Connection, sql: str, args: Args) -> tuple[list[str], list[Row]]:
    """Run one statement and return the names of its columns, and its rows."""
    cursor = driver.execute(sql, args)
    return [column[0] for column in cursor.description or ()], cursor.fetchall()


def execute(driver: sqlite3.Connection, sql: str, args: Args = ()) -> int:
    """Run one statement and return how many rows it touched."""
    return max(driver.execute(sql, args).rowcount, 0)  # -1 where rows make no sense, as for CREATE


def execute_many(driver: sqlite3.Connection, savepoint: str, sql: str, rows: Sequence[Args]) -> None:
    """Run one statement for each row, all or nothing."""
    driver.execute(f"SAVEPOINT {savepoint}" if savepoint else "BEGIN IMMEDIATE")
    try:
        driver.executemany(sql, rows)
        driver.execute(f"RELEASE {savepoint}" if savepoint else "COMMIT")
    except BaseException:
        if driver.in_transaction and savepoint:
            driver.execute(f"ROLLBACK TO {savepoint}")
            driver.execute(f"RELEASE {savepoint}")
        elif driver.in_transaction:
            driver.execute("ROLLBACK")
        raise


def start(driver: sqlite3.Connection, cursor: sqlite3.Cursor, sql: str, args: Args) -> None:
    """Run one statement, whose rows are to be fetched from its cursor."""
    cursor.execute(sql, args)


def fetch_chunk(
    driver: sqlite3.Connection, cursor: sqlite3.Cursor, size: int
) -> list[Any]:  # Any: driver's columns
    """Return the next rows of a cursor."""
    return cursor.fetchmany(size)


def timed(driver: sqlite3.Connection, call: Callable[..., T], *args: object) -> tuple[T, float]:
    """Run another call, and return its result and the seconds it took."""
    started = perf_counter()
    return call(driver, *args), perf_counter() - started


async def stream_chunks(
    connection: SQLiteConnection, sql: str, args: Args, size: int
) -> AsyncGenerator[Sequence[Row]]:
    """Read in chunks, each of them one trip to the connection's thread."""
    # Made here and not by the thread: a cancelled call gives nothing back, and a cursor that nobody closes would keep its
    # statement running, and SQLite would stop every other until that one is over, as it was told to interrupt.
    cursor = connection.driver.cursor()
    try:
        await connection.run_on_thread(start, cursor, sql, args)
        while chunk := await connection.run_on_thread(fetch_chunk, cursor, size):
            yield chunk
    finally:
        cursor.close()


def release(pool: Pool[SQLiteConnection], connection: SQLiteConnection) -> bool:
    """Give a connection back without any transaction; return whether one was open."""
    try:
        if was_open := connection.driver.in_transaction:
            connection.run_unlimited(execute, "ROLLBACK")
    except (DatabaseError, sqlite3.Error):
        pool.discard(connection)
        return True
    pool.give_back(connection)
    return was_open
