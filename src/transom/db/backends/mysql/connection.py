"""A connection through asyncmy: opening it, its options, and what the backend asks of it.

What must stay true:

- A statement with arguments is a prepared statement of the server, kept by asyncmy per connection: values never are part
  of its text. Only a stream has them written into it, by the driver, which cannot read a prepared statement in pieces.
- A statement without arguments goes as it is; with them, `%s` is a place and `%%` a percent sign.
- While a stream is open nothing else can be sent. `Stream` reads no more than it is asked for, so that the server waits.
- asyncmy closes the connection when a call is cancelled that waits for the server.
"""

from __future__ import annotations

import asyncio
import re
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol, cast

import asyncmy
from asyncmy.cursors import SSCursor

from transom.db.backends.network import watch_network
from transom.db.exceptions import ConfigurationError, ConnectionFailed

from .errors import DRIVER_ERRORS, describe
from .tls import build_ssl_context

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from transom.db.backends.base import Args, Row
    from transom.db.url import DatabaseURL, MySQLOptions

FOUND_ROWS = 2  # of the protocol's capabilities: an UPDATE counts the rows it matched, not those it changed
OLDEST = (10, 6)  # the first MariaDB with JSON_TABLE

SQL_MODE = (
    "STRICT_ALL_TABLES",  # a value that does not fit is an error
    "NO_ZERO_DATE",
    "NO_ZERO_IN_DATE",
    "ERROR_FOR_DIVISION_BY_ZERO",
    "NO_ENGINE_SUBSTITUTION",
    "NO_AUTO_VALUE_ON_ZERO",  # a key may be 0
    "PIPES_AS_CONCAT",
    "SIMULTANEOUS_ASSIGNMENT",  # UPDATE computes with the values before it, as in standard SQL
)
# A consumer of a stream may take its time over a chunk; the server ends connections that do not read (default: a minute).
STREAM_PATIENCE = 3600
SET_UP = (
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; "
    f"SET sql_mode = '{','.join(SQL_MODE)}', time_zone = '+00:00', sql_notes = 0, "
    f"collation_connection = 'utf8mb4_nopad_bin', net_write_timeout = {STREAM_PATIENCE}, "
    "max_recursive_iterations = 4294967295"  # by default it is 1000, and the rows beyond are left out with a warning
)

# Any: keywords of many types, listed in build_arguments
connect = cast("Callable[..., Awaitable[Driver]]", asyncmy.connect)  # pyright: ignore[reportUnknownMemberType]
VERSION = re.compile(r"(?:5\.5\.5-)?(\d+)\.(\d+)\.\d+-MariaDB", re.IGNORECASE)


class Cursor(Protocol):
    """What we use of asyncmy's cursors, which have no complete types."""

    description: Sequence[tuple[str, Any]] | None  # Any: what else is known of a column

    async def execute(self, query: str, args: Args | None = None) -> int:
        """Run a statement and return how many rows it touched, or has."""
        ...

    async def executemany(self, query: str, args: Sequence[Args]) -> int:
        """Run a statement for each row."""
        ...

    async def fetchall(self) -> Sequence[Row]:
        """Return the rows that are left."""
        ...

    async def fetchmany(self, size: int) -> Sequence[Row]:
        """Return the next rows."""
        ...

    async def nextset(self) -> bool | None:
        """Go on to the answer of the next statement, if there were several in one text."""
        ...


class Driver(Protocol):
    """What we use of an asyncmy connection."""

    # Both are the driver's own business. Its pool looks at the one as we do; for the other there is no public name.
    _stream_broken: bool
    _transport: asyncio.Transport | None

    @property
    def connected(self) -> bool:
        """Whether it was opened and not closed."""
        ...

    def cursor(self, cursor: type[Any] | None = None) -> Cursor:  # Any: one of asyncmy's cursor classes
        """Return a cursor."""
        ...

    def get_transaction_status(self) -> bool:
        """Whether the server said last that a transaction is open."""
        ...

    def get_server_info(self) -> str:
        """Return the server's version."""
        ...

    def thread_id(self) -> int:
        """Return the number that KILL takes."""
        ...

    def close(self) -> None:
        """Close at once."""
        ...

    async def ensure_closed(self) -> None:
        """Close politely."""
        ...


class Connection:
    """One connection, as the pool, the backend and transactions use it."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self.stream: Stream | None = None
        self.thread_id = driver.thread_id()

    async def fetch(self, sql: str, args: Args = ()) -> list[Row]:
        """Run a prepared statement and return its rows."""
        return list(await (await self._read(sql, args)).fetchall())

    async def fetch_named(self, sql: str, args: Args = ()) -> tuple[list[str], list[Row]]:
        """Run a prepared statement and return the names of its columns, and its rows."""
        cursor = await self._read(sql, args)
        return [column[0] for column in cursor.description or ()], list(await cursor.fetchall())

    async def _read(self, sql: str, args: Args) -> Cursor:
        cursor = self._driver.cursor()
        # Prepared even without arguments, if there is no percent sign that would be taken for a place.
        await cursor.execute(sql, tuple(args) if args or "%" not in sql else None)
        return cursor

    async def execute(self, sql: str, args: Args = ()) -> int:
        """Run a statement, or without arguments several in one text; return how many rows the first one touched."""
        cursor = self._driver.cursor()
        if args:
            return await cursor.execute(sql, tuple(args))
        touched = await cursor.execute(sql)
        while await cursor.nextset():
            pass
        return touched

    async def execute_many(self, sql: str, rows: Sequence[Args]) -> None:
        """Run a statement for each row, in one message where the driver can put them into one."""
        await self._driver.cursor().executemany(sql, [tuple(row) for row in rows])

    async def open_stream(self, sql: str, args: Args = ()) -> Stream:
        """Run a reading statement whose rows are read later; `stream` is that until all of them are."""
        cursor = self._driver.cursor(SSCursor)
        await cursor.execute(sql, tuple(args) or None)
        self.stream = Stream(self, cursor, self._driver._transport)
        return self.stream

    def is_in_transaction(self) -> bool:
        """Whether the server said with its last answer that a transaction is open."""
        return self._driver.get_transaction_status()

    def is_closed(self) -> bool:
        """Whether the connection is closed, or known to be lost."""
        return not self._driver.connected or self._driver._stream_broken

    async def close(self) -> None:
        """Close politely."""
        await self._driver.ensure_closed()

    def terminate(self) -> None:
        """Close at once, without sending what is still to be sent."""
        if self._driver._transport is not None:
            self._driver._transport.abort()
        self._driver.close()


class Stream:
    """The rows of one statement, read as they are asked for.

    The transport is paused in between: asyncmy would take in all that the server sends.
    """

    def __init__(self, connection: Connection, cursor: Cursor, transport: asyncio.Transport | None) -> None:
        self._connection = connection
        self._cursor = cursor
        self._transport = transport
        self._kept: Iterator[Row] = iter(())
        self._finished = False
        self.wanted = True
        self._pause()

    async def fetch(self, size: int) -> Sequence[Row]:
        """Return the next rows; fewer than `size` at the end."""
        if self._finished:
            return list(islice(self._kept, size))
        self._resume()
        chunk = await self._cursor.fetchmany(size)
        if len(chunk) < size:
            self._finish()
        else:
            self._pause()
        return chunk

    async def make_way(self) -> None:
        """Read to the end, so that another statement can run; the rows are kept if somebody still wants them."""
        kept: list[Row] = []
        while not self._finished:
            rows = await self.fetch(2000)
            if self.wanted:
                kept += rows
        self._kept = iter(kept)

    def _finish(self) -> None:
        self._finished = True
        self._connection.stream = None

    def _pause(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def _resume(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()


async def open_connection(url: DatabaseURL, options: MySQLOptions) -> Connection:
    """Connect, and set the session up.

    Raises:
        ConnectionFailed: naming the URL without its password and how it failed.
        ConfigurationError: the server is too old, or MySQL.

    Cancellation: leaves no socket behind.
    """
    try:
        async with asyncio.timeout(options.connect_timeout):
            driver = await connect(**build_arguments(url, options))
            try:
                check_version(driver.get_server_info(), url)
                watch_network(driver._transport, options)
                connection = Connection(driver)
                await connection.execute(SET_UP)
            except BaseException:
                driver.close()
                raise
            return connection
    except TimeoutError as exc:
        raise ConnectionFailed(
            f"could not connect to {url.safe}: no answer within {options.connect_timeout:g} s (connect_timeout)"
        ) from exc
    except DRIVER_ERRORS as exc:
        raise ConnectionFailed(f"could not connect to {url.safe}: {describe(exc)}") from exc


def build_arguments(url: DatabaseURL, options: MySQLOptions) -> dict[str, Any]:  # Any: asyncmy's keywords
    """Return the keywords for `asyncmy.connect`."""
    return {
        "host": url.host or "localhost",
        "port": url.port or 3306,
        "user": url.username,
        "password": (url.password or "").encode(),
        "database": url.database,
        "unix_socket": options.unix_socket or None,
        "connect_timeout": options.connect_timeout + 1,  # ours, around all of it, comes first
        "charset": "utf8mb4",
        "autocommit": True,
        "client_flag": FOUND_ROWS,
        "stmt_cache_size": options.statement_cache_size,
        "binary_prefix": True,
        "program_name": options.application_name,
        "ssl": build_ssl_context(options),
    }


def check_version(version: str, url: DatabaseURL) -> None:
    """Refuse a server that lacks what our SQL needs.

    Raises:
        ConfigurationError: with what the server is.
    """
    match = VERSION.match(version)
    if match is None or (int(match[1]), int(match[2])) < OLDEST:
        raise ConfigurationError(
            f"{url.safe} is {'MySQL' if match is None else 'MariaDB'} {version}; expected MariaDB 10.6 or later, "
            "for it has INSERT … RETURNING and JSON_TABLE"
        )
