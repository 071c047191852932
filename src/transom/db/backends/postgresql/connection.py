"""Opening an asyncpg connection: its options, and a plain word when it fails.

No codecs are set: json and jsonb go in and out as text, as on SQLite, and the field does the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast
from urllib.parse import urlencode

import asyncpg  # type: ignore[import-untyped]  # it has no stubs

from transom.db.backends.network import watch_network
from transom.db.exceptions import ConnectionFailed

from .errors import DRIVER_ERRORS, describe

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from transom.db.backends.base import Args, Row
    from transom.db.url import DatabaseURL, PostgreSQLOptions

# Any: keywords of many types, listed in build_arguments
connect = cast("Callable[..., Awaitable[Connection]]", asyncpg.connect)  # pyright: ignore[reportUnknownMemberType]


def name_columns(rows: Sequence[Row]) -> list[str]:
    """Return the names of the columns, which asyncpg's rows know; none if there are no rows."""
    return list(cast("Record", rows[0]).keys()) if rows else []


class Record(Protocol):
    """What we use of a row beside its values."""

    def keys(self) -> Iterable[str]:
        """Return the names of the columns."""
        ...


class Cursor(Protocol):
    """What we use of asyncpg's cursor."""

    async def fetch(self, n: int) -> Sequence[Row]:
        """Return the next rows."""
        ...


class Connection(Protocol):
    """What we use of an asyncpg connection, which has no complete types of its own."""

    _transport: asyncio.Transport

    async def fetch(self, query: str, *args: object) -> Sequence[Row]:
        """Run a prepared statement and return its rows."""
        ...

    async def execute(self, query: str, *args: object, timeout: float | None = None) -> str:
        """Run a statement and return its command tag."""
        ...

    async def executemany(self, command: str, args: Iterable[Args]) -> None:
        """Run a statement for each row, in one implicit transaction."""
        ...

    async def cursor(self, query: str, *args: object) -> Cursor:
        """Open a cursor in the transaction."""
        ...

    def is_in_transaction(self) -> bool:
        """Whether BEGIN was sent and not ended."""
        ...

    def is_closed(self) -> bool:
        """Whether the connection is closed or lost."""
        ...

    async def close(self) -> None:
        """Close politely."""
        ...

    def terminate(self) -> None:
        """Close at once."""
        ...


async def open_connection(url: DatabaseURL, options: PostgreSQLOptions) -> Connection:
    """Connect.

    Raises:
        ConnectionFailed: naming the URL without its password and how it failed.

    Cancellation: leaves no socket behind.
    """
    try:
        connection = await connect(**build_arguments(url, options))
    except TimeoutError as exc:
        raise ConnectionFailed(
            f"could not connect to {url.safe}: no answer within {options.connect_timeout:g} s (connect_timeout)"
        ) from exc
    except (*DRIVER_ERRORS, ValueError) as exc:
        failure = ConnectionFailed(f"could not connect to {url.safe}: {describe(exc)}")
        failure.sqlstate = getattr(exc, "sqlstate", None) or failure.sqlstate
        raise failure from exc
    watch_network(connection._transport, options)
    return connection


def build_arguments(
    url: DatabaseURL, options: PostgreSQLOptions
) -> dict[str, Any]:  # Any: asyncpg's keywords
    """Return the keywords for `asyncpg.connect`; what the URL leaves out, asyncpg takes from libpq's environment."""
    named = {
        "host": url.host,
        "port": url.port,
        "user": url.username,
        "password": url.password,
        "database": url.database,
    }
    return {
        **{name: value for name, value in named.items() if value is not None},
        "dsn": build_ssl_dsn(options),
        "timeout": options.connect_timeout,
        "statement_cache_size": 0 if options.pgbouncer else options.statement_cache_size,
        "max_cached_statement_lifetime": 0,  # a statement in use is never prepared again for its age
        "max_cacheable_statement_size": 0,  # however long
        "server_settings": {"application_name": options.application_name},
    }


def build_ssl_dsn(options: PostgreSQLOptions) -> str | None:
    """Return a DSN that holds nothing but the SSL options: asyncpg builds their context only from a DSN."""
    names = ("sslmode", "sslrootcert", "sslcert", "sslkey")
    given = {name: value for name in names if (value := getattr(options, name))}
    return f"postgresql://?{urlencode(given)}" if given else None
