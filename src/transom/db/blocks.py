"""What an `atomic()` is once it is entered: the transaction itself, a savepoint in it, or a part of it."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, suppress
from typing import TYPE_CHECKING, NamedTuple, Protocol

from . import connections
from .callbacks import run_callbacks
from .exceptions import DatabaseError, TransactionError, TransactionOwnerError
from .lazy import LazyTransaction
from .open_transaction import OpenTransaction, RollbackRequested, innermost
from .router import record_write

if TYPE_CHECKING:
    from contextvars import Token

    from .backends.base import TransactionExecutor


class Characteristics(NamedTuple):
    """What the outermost block may ask of its transaction; see `atomic`."""

    isolation: str | None = None
    readonly: bool = False
    deferrable: bool = False
    lazy: bool = False


class Block(Protocol):
    """What an `atomic()` turns out to be once it is entered."""

    is_committed: bool
    """Whether this block has committed a transaction."""

    async def enter(self) -> None:
        """Begin."""
        ...

    async def leave(self, error: BaseException | None) -> None:
        """End, with the error that the block is left with."""
        ...


class OutermostBlock:
    """The block that is the transaction."""

    def __init__(self, using: str, characteristics: Characteristics) -> None:
        self.is_committed = False
        self._using = using
        self._readonly = characteristics.readonly
        self._context: AbstractAsyncContextManager[TransactionExecutor] = _make(using, characteristics)
        self._transaction: OpenTransaction
        self._token: Token[OpenTransaction | None]

    async def enter(self) -> None:
        """Begin."""
        executor = await self._context.__aenter__()
        self._transaction = OpenTransaction(self._using, executor, innermost.get())
        self._token = innermost.set(self._transaction)

    async def leave(self, error: BaseException | None) -> None:
        """Commit and run the callbacks, or roll back."""
        transaction = self._transaction
        failure = error or self._find_failure()
        transaction.close()
        self._forget()
        if failure is None:
            if not self._readonly and transaction.has_begun:
                record_write(self._using)
            await self._context.__aexit__(None, None, None)
            self.is_committed = True
            await run_callbacks(transaction.callbacks)
        else:
            await self._context.__aexit__(type(failure), failure, failure.__traceback__)
            if error is None and not isinstance(failure, RollbackRequested):
                raise failure

    def _find_failure(self) -> TransactionError | None:
        transaction = self._transaction
        if not transaction.is_owned:
            return TransactionOwnerError(
                "atomic() was left in another task than it was entered in; rolled back"
            )
        cause = transaction.rollback_cause
        if cause is None or isinstance(cause, RollbackRequested):
            return cause
        failure = TransactionError(
            "rolled back: a block inside failed without going back to a savepoint, and its error was swallowed"
        )
        failure.__cause__ = cause
        return failure

    def _forget(self) -> None:
        # ValueError: another context closes us. The one we were opened in keeps the closed transaction, and says so.
        with suppress(ValueError):
            innermost.reset(self._token)


def _make(using: str, characteristics: Characteristics) -> AbstractAsyncContextManager[TransactionExecutor]:
    backend = connections.backend(using)
    isolation, readonly, deferrable, lazy = characteristics
    context = backend.transaction(isolation=isolation, readonly=readonly, deferrable=deferrable)
    return LazyTransaction(backend.vendor, context) if lazy else context


class SavepointBlock:
    """A block inside another, which can be undone by itself."""

    is_committed = False

    def __init__(self, transaction: OpenTransaction) -> None:
        self._transaction = transaction
        self._callbacks = len(transaction.callbacks)
        self._name = ""

    async def enter(self) -> None:
        """Set the savepoint."""
        self._name = await self._transaction.set_savepoint()

    async def leave(self, error: BaseException | None) -> None:
        """Forget the savepoint, or go back to it."""
        failure = error or self._find_failure() or await self._release()
        if failure is None:
            return
        await self._roll_back()
        if error is None and not isinstance(failure, RollbackRequested):
            raise failure

    def _find_failure(self) -> TransactionError | None:
        cause = self._transaction.rollback_cause
        if cause is None or isinstance(cause, RollbackRequested):
            return cause
        failure = TransactionError(
            "rolled back to the savepoint: a block inside failed without one, and its error was swallowed"
        )
        failure.__cause__ = cause
        return failure

    async def _release(self) -> DatabaseError | None:
        transaction = self._transaction
        try:
            transaction.check_usable()
            await transaction.release(self._name)
        except DatabaseError as exc:  # PostgreSQL: a statement failed, and its error was swallowed
            return exc
        except BaseException as exc:
            transaction.rollback_cause = (
                exc  # cancelled: who awaits the block sees it fail, so it must not be kept
            )
            raise
        return None

    async def _roll_back(self) -> None:
        transaction = self._transaction
        transaction.rollback_cause = None
        try:
            transaction.check_usable()
            await transaction.roll_back_to(self._name, self._callbacks)
        except BaseException as exc:
            transaction.rollback_cause = (
                exc  # undone only half, for all we know: the outer block must not commit
            )
            if not isinstance(exc, Exception):
                raise


class JoiningBlock:
    """A block inside another that has no savepoint: it fails together with the outer one."""

    is_committed = False

    def __init__(self, transaction: OpenTransaction) -> None:
        self._transaction = transaction

    async def enter(self) -> None:
        """Do nothing: the outer block has begun."""

    async def leave(self, error: BaseException | None) -> None:
        """On an error, make sure that the outer block rolls back."""
        if error is not None and self._transaction.rollback_cause is None:
            self._transaction.rollback_cause = error
