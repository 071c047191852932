"""Opening an asyncpg connection: its options, its JSON codecs, and a plain word when it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast

import asyncpg  # type: ignore[import-untyped]  # it has no stubs
import msgspec

from transom.db.exceptions import ConnectionFailed

from .errors import DRIVER_ERRORS, describe

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from transom.db.backends.base import Args, Row
    from transom.db.url import DatabaseURL, PostgreSQLOptions

# Any: keywords of many types, listed in build_arguments
connect = cast("Callable[..., Awaitable[Connection]]", asyncpg.connect)  # pyright: ignore[reportUnknownMemberType]
JSONB_VERSION = b"\x01"  # the first byte of jsonb on the wire


class Cursor(Protocol):
    """What we use of asyncpg's cursor."""

    async def fetch(self, n: int) -> Sequence[Row]:
        """Return the next rows."""
        ...


class Connection(Protocol):
    """What we use of an asyncpg connection, which has no complete types of its own."""

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

    async def set_type_codec(
        self,
        typename: str,
        *,
        schema: str,
        encoder: Callable[[Any], bytes],  # Any: every JSON value
        decoder: Callable[[bytes], Any],
        format: str,
    ) -> None:
        """Convert a type on the way in and out."""
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
    """Connect and prepare the session.

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
        raise ConnectionFailed(f"could not connect to {url.safe}: {describe(exc)}") from exc
    try:
        await set_codecs(connection)
    except DRIVER_ERRORS as exc:
        connection.terminate()
        raise ConnectionFailed(f"could not set up a connection to {url.safe}: {describe(exc)}") from exc
    except BaseException:
        connection.terminate()
        raise
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
        "statement_cache_size": options.statement_cache_size,
        "max_cached_statement_lifetime": 0,  # a statement in use is never prepared again for its age
        "max_cacheable_statement_size": 0,  # however long
        "server_settings": {"application_name": options.application_name},
    }


def build_ssl_dsn(options: PostgreSQLOptions) -> str | None:
    """Return a DSN that holds nothing but the SSL options: asyncpg builds their context only from a DSN."""
    from urllib.parse import urlencode

    names = ("sslmode", "sslrootcert", "sslcert", "sslkey")
    given = {name: value for name in names if (value := getattr(options, name))}
    return f"postgresql://?{urlencode(given)}" if given else None


async def set_codecs(connection: Connection) -> None:
    """Let json and jsonb columns take and give Python values."""
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=encode_jsonb, decoder=decode_jsonb, format="binary"
    )
    await connection.set_type_codec(
        "json", schema="pg_catalog", encoder=msgspec.json.encode, decoder=msgspec.json.decode, format="binary"
    )


def encode_jsonb(value: object) -> bytes:
    """Return the wire form of a jsonb value."""
    return JSONB_VERSION + msgspec.json.encode(value)


def decode_jsonb(data: bytes) -> Any:  # Any: every JSON value
    """Read the wire form of a jsonb value."""
    return msgspec.json.decode(memoryview(data)[1:])
