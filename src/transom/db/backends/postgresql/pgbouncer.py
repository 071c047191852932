"""What is different behind PgBouncer in transaction mode: `?pgbouncer=true`.

There a connection of ours is one of the server's for as long as a transaction lasts, and the next transaction may get
another. So nothing may be left on the server for later. asyncpg is told to keep no prepared statements; the unnamed one, which
it uses then, it parses and runs before the one Sync that ends both, so they meet the same session. Its cursors alone need a
name, which would outlive the transaction: they are made by SQL instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transom.db.backends.base import Args, Row

    from .connection import Connection


class DeclaredCursor:
    """A cursor made by SQL: asyncpg's own needs a statement with a name, which would stay on the server."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self._name = name

    async def fetch(self, n: int) -> Sequence[Row]:
        """Return the next rows."""
        return await self._connection.fetch(f'FETCH {n} FROM "{self._name}"')


async def declare_cursor(connection: Connection, name: str, sql: str, args: Args) -> DeclaredCursor:
    """Open a cursor in the transaction, which ends with it."""
    await connection.execute(f'DECLARE "{name}" NO SCROLL CURSOR FOR {sql}', *args)
    return DeclaredCursor(connection, name)
