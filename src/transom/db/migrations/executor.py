"""Carries a plan out on one database.

Each migration runs in one transaction together with its record, so one that fails half way leaves the database as it
was. At the head of that transaction stands a lock: another process that migrates waits there, and finds on its turn
that the step is done. PostgreSQL has an advisory lock for it; SQLite's transactions begin by locking the file.

MySQL commits before and after each change of a table, so there a migration runs in no transaction, and one that fails
half way leaves what it had done; only the functions of RunPython get transactions of their own. The lock is held on a
connection beside.

SQLite must be told before the transaction not to enforce foreign keys where a table is to be made anew: dropping the
old one would otherwise delete the rows that refer to it. All references are checked before the commit instead.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from transom.db import connections
from transom.db.cancellation import outlast
from transom.db.exceptions import ForeignKeyViolation
from transom.db.migrations.exceptions import MigrationError
from transom.db.migrations.recorder import MigrationRecorder
from transom.db.migrations.schema_editor import SchemaEditor
from transom.db.transaction import atomic

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable

    from transom.db.backends.base import Backend, Executor
    from transom.db.migrations.loader import MigrationLoader
    from transom.db.migrations.migration import Migration, MigrationKey
    from transom.db.migrations.plan import OnProgress, PlanStep
    from transom.db.migrations.state import ProjectState

_rebuilding: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()

LOCK = 0x7472616E736F6D01  # any number that nobody else takes: "transom" and a one
LOCK_NAME = "CONCAT('transom ', SHA1(DATABASE()))"  # MySQL's locks are the server's, and their names have 64 characters
LOCK_TIMEOUT = 31_536_000  # seconds: a year


class MigrationExecutor:
    """Applies and undoes migrations.

    Args:
        loader: the migrations there are.
        using: alias of the database.
        on_progress: told of each step before and after it.
    """

    def __init__(
        self, loader: MigrationLoader, using: str = "default", on_progress: OnProgress | None = None
    ) -> None:
        self._loader = loader
        self._using = using
        self._on_progress = on_progress or _say_nothing

    async def run(
        self, plan: Iterable[PlanStep], applied: Iterable[MigrationKey], *, fake: bool = False
    ) -> list[PlanStep]:
        """Carry out the steps in order, and return those that were not already done by another process.

        Args:
            plan: steps that follow each other.
            applied: the migrations the database has.
            fake: only write the record.

        Raises:
            IrreversibleMigration: a step cannot be undone.
            DatabaseError: a statement failed. The steps before stay done; the step itself has left no trace, unless
                its migration says `atomic = False` or the database is MySQL. A note of the error says which.

        Cancellation: as an error in the step that is under way.
        """
        have = set(applied)
        done: list[PlanStep] = []
        for step in plan:
            self._on_progress(step, False)
            have.discard(step.key)  # now the migrations before the step, whichever way it goes
            if await self._run_step(step, self._loader.project_state(have), fake=fake):
                done.append(step)
            if not step.backwards:
                have.add(step.key)
            self._on_progress(step, True)
        return done

    async def _run_step(self, step: PlanStep, state: ProjectState, *, fake: bool) -> bool:
        migration = self._loader.graph.nodes[step.key]
        rebuilds = not fake and await self._rebuilds_tables(step, migration, state)
        block = changing_tables(self._using, atomically=migration.atomic)
        try:
            async with self._foreign_keys_off() if rebuilds else nullcontext(), block:
                executor = connections.executor(self._using)
                if rebuilds:
                    await _refuse_enforced_foreign_keys(executor)
                done = await self._run_unless_done(step, migration, state, fake=fake)
                if rebuilds:
                    await _check_foreign_keys(executor)
                return done
        except Exception as exc:
            exc.add_note(
                f"while {'undoing' if step.backwards else 'applying'} migration {step}; {self._left(migration)}"
            )
            raise

    def _left(self, migration: Migration) -> str:
        """Say what a failed migration leaves behind."""
        if not migration.atomic:
            return "atomic is False: what it did before stays"
        if can_undo_tables(self._using):
            return "nothing of it is left"
        return (
            "MySQL cannot undo changes of tables, so what it did before stays: undo that by hand and migrate again, "
            "or finish it by hand and migrate with fake"
        )

    async def _run_unless_done(
        self, step: PlanStep, migration: Migration, state: ProjectState, *, fake: bool
    ) -> bool:
        executor = connections.executor(self._using)
        recorder = MigrationRecorder(executor)
        await recorder.ensure_table()
        if (step.key in await recorder.applied()) is not step.backwards:
            return False
        if not fake:
            apart = migration.atomic and not can_undo_tables(self._using)
            editor = SchemaEditor(executor.vendor, executor, self._using, python_apart=apart)
            await _change(step, migration, state, editor)
        if step.backwards:
            await recorder.record_unapplied(step.key)
        else:
            await recorder.record_applied(step.key)
        return True

    async def _rebuilds_tables(self, step: PlanStep, migration: Migration, state: ProjectState) -> bool:
        """Whether the migration drops a table on SQLite, which only lets a rebuilt one be so without enforcement."""
        vendor = connections.executor(self._using).vendor
        if vendor != "sqlite":
            return False
        rehearsal = SchemaEditor(vendor, None, self._using)
        await _change(step, migration, state.clone(), rehearsal)
        return any(statement.startswith("DROP TABLE") for statement in rehearsal.statements)

    @asynccontextmanager
    async def _foreign_keys_off(self) -> AsyncGenerator[None]:
        # SQLite ignores this pragma inside a transaction. The backend has one connection that writes: this one. A second
        # migration in this process must not switch enforcement on again between our pragma and our BEGIN.
        backend = connections.backend(self._using)
        async with _rebuilding.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
            await backend.execute("PRAGMA foreign_keys = OFF")
            try:
                yield
            finally:
                await outlast(asyncio.ensure_future(backend.execute("PRAGMA foreign_keys = ON")))


async def _change(step: PlanStep, migration: Migration, state: ProjectState, editor: SchemaEditor) -> None:
    if step.backwards:
        await migration.unapply(state, editor)
    else:
        await migration.apply(state, editor)


def can_undo_tables(using: str) -> bool:
    """Whether changes of tables can be part of a transaction."""
    return connections.executor(using).vendor != "mysql"


@asynccontextmanager
async def changing_tables(using: str, *, atomically: bool = True) -> AsyncGenerator[None]:
    """Change tables when nobody else does, in one transaction if that is asked for and the database can do it.

    Raises:
        MigrationError: on MySQL, inside of a transaction, which the first change would commit.
    """
    if atomically and can_undo_tables(using):
        async with atomic(using):
            await _take_lock(connections.executor(using))
            yield
        return
    if not can_undo_tables(using) and connections.executor(using) is not connections.backend(using):
        raise MigrationError(
            "changing a table on MySQL commits the open transaction; create tables and migrate outside atomic()"
        )
    async with _lock_beside(connections.backend(using)):
        yield


@asynccontextmanager
async def _lock_beside(backend: Backend) -> AsyncGenerator[None]:
    """Hold the lock in a transaction of its own, for changes that are made outside any."""
    if backend.vendor == "sqlite":  # its lock would keep the changes themselves out
        yield
        return
    # A transaction with a snapshot would keep CREATE INDEX CONCURRENTLY waiting, and so us.
    isolation = "read committed" if backend.vendor == "postgresql" else None
    async with backend.transaction(isolation=isolation) as executor:
        await _take_lock(executor)
        try:
            yield
        finally:
            await _let_go_of_lock(executor)


async def _take_lock(executor: Executor) -> None:
    """Wait until nobody else changes tables of this database; PostgreSQL's lock is let go with the transaction."""
    if executor.vendor == "postgresql":
        # Without arguments: the driver then leaves no portal open, which would hold a snapshot (see `_lock_beside`).
        await executor.execute(f"SELECT pg_advisory_xact_lock({LOCK})")
    elif executor.vendor == "mysql":
        await executor.fetch(f"SELECT GET_LOCK({LOCK_NAME}, {LOCK_TIMEOUT})")


async def _let_go_of_lock(executor: Executor) -> None:
    if executor.vendor == "mysql":  # its lock is the session's, which goes back to the pool
        await executor.fetch(f"SELECT RELEASE_LOCK({LOCK_NAME})")


async def _refuse_enforced_foreign_keys(executor: Executor) -> None:
    rows = await executor.execute_returning("PRAGMA foreign_keys")  # asks the connection that writes
    if rows[0][0]:
        raise MigrationError(
            "the migration makes a table of SQLite anew, which cannot be done inside an open transaction; "
            "call migrate() outside atomic()"
        )


async def _check_foreign_keys(executor: Executor) -> None:
    rows = await executor.execute_returning("PRAGMA foreign_key_check")
    if rows:
        table, row_id, parent, _ = rows[0]
        raise ForeignKeyViolation(
            f"{len(rows)} rows refer to rows that do not exist, the first one row {row_id} of {table} to {parent}. "
            "A migration that makes a table anew runs without ON DELETE; put deletions into a migration of their own",
            table=table,
        )


def _say_nothing(_step: PlanStep, _finished: bool) -> None:
    """Be told and do nothing."""
