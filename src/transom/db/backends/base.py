"""The seam between the models above and the databases below: what a backend is asked to do."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

Vendor: TypeAlias = Literal["sqlite", "postgresql", "mysql"]
Row: TypeAlias = Sequence[Any]  # Any: what the driver makes of a column
Args: TypeAlias = Sequence[Any]  # Any: values as the driver takes them


class Executor(Protocol):
    """Runs statements: a backend by itself (each in autocommit) or a transaction on one connection.

    Statements carry the vendor's own placeholders: `$1` on PostgreSQL, `?` on SQLite, `%s` on MySQL (where `%%` is a
    percent sign if there are arguments). Driver errors come out as the classes of `transom.db.exceptions`. Cancelling a
    call leaves no connection behind in an unknown state.
    """

    @property
    def vendor(self) -> Vendor:
        """Which dialect the statements must be written in."""
        ...

    async def fetch(self, sql: str, args: Args = ()) -> Sequence[Row]:
        """Run a statement that only reads, and return all its rows."""
        ...

    async def fetch_named(self, sql: str, args: Args = ()) -> tuple[Sequence[str], Sequence[Row]]:
        """Run a statement that only reads, and return the names of its columns, and all its rows.

        PostgreSQL names no columns where there are no rows.
        """
        ...

    async def execute(self, sql: str, args: Args = ()) -> int:
        """Run a statement that writes, and return how many rows it touched."""
        ...

    async def execute_returning(self, sql: str, args: Args = ()) -> Sequence[Row]:
        """Run a statement that writes and has a RETURNING clause, and return its rows."""
        ...

    async def execute_many(self, sql: str, rows: Sequence[Args]) -> None:
        """Run one writing statement for each row of arguments, all of them or none."""
        ...

    def stream(self, sql: str, args: Args = (), *, chunk_size: int = 2000) -> AsyncGenerator[Sequence[Row]]:
        """Run a reading statement and yield its rows in chunks, never holding more than one chunk.

        Who may stop before the end wraps it in `contextlib.aclosing`: the connection is free only then.
        """
        ...


class Backend(Executor, Protocol):
    """One database, with its connections."""

    @property
    def alias(self) -> str:
        """The name in `databases`, e.g. `"default"`."""
        ...

    def transaction(
        self, *, isolation: str | None = None, readonly: bool = False, deferrable: bool = False
    ) -> AbstractAsyncContextManager[TransactionExecutor]:
        """Take a connection, begin; commit on a clean exit and roll back on an error; give the connection back.

        `deferrable` comes only with a serializable, read-only transaction: no conflict may end it. Where none could
        anyway, there is nothing to do.
        """
        ...

    async def aclose(self) -> None:
        """Close every connection; the next statement opens new ones."""
        ...


class TransactionExecutor(Executor, Protocol):
    """The statements of one open transaction, in order, on its one connection."""

    async def savepoint(self, name: str) -> None:
        """Set a savepoint."""
        ...

    async def rollback_to_savepoint(self, name: str) -> None:
        """Undo everything since the savepoint, and forget it."""
        ...

    async def release_savepoint(self, name: str) -> None:
        """Forget the savepoint, keeping what was done since."""
        ...
