"""`atomic()`, `on_commit()` and their company.

The outermost `atomic()` of a task takes a connection and begins; those inside it are savepoints. Two hazards cannot be
taken away, only made loud:

- An `atomic()` block inside an async generator stays open while the generator is suspended, and the code that iterates
  sees the transaction too. If the generator is dropped half way, the loop closes it in another task: the transaction is
  rolled back then, and the context it was opened in keeps raising TransactionClosed. Wrap such generators in
  `contextlib.aclosing`, or better, do not yield inside `atomic()`.
- A task started inside the block and still running after it holds a closed transaction, and its statements raise
  TransactionClosed. `independent()` is the way out for work that shall not be part of the transaction.
"""

from __future__ import annotations

import functools
import inspect
import logging
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar, overload

from . import connections
from .backends.shared import SharedConnectionBackend
from .exceptions import DatabaseError, TransactionError, TransactionOwnerError
from .open_transaction import CommitCallback, OpenTransaction, find_open, innermost

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
    from contextvars import Token
    from types import TracebackType

    from .backends.base import TransactionExecutor

P = ParamSpec("P")
T = TypeVar("T")

logger = logging.getLogger("transom.db")


class Atomic:
    """One `atomic()`: a context manager for one block, or a decorator for any number of calls."""

    def __init__(
        self, using: str, *, savepoint: bool, durable: bool, isolation: str | None, readonly: bool
    ) -> None:
        self._using = using
        self._savepoint = savepoint
        self._durable = durable
        self._isolation = isolation
        self._readonly = readonly
        self._block: Block | None = None

    async def __aenter__(self) -> None:
        """Begin, or set a savepoint."""
        if self._block is not None:
            raise TransactionError("this atomic() block was entered before; call atomic() again for another")
        self._block = self._choose_block()
        await self._block.enter()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Commit or keep; on an error, undo."""
        if self._block is not None:
            await self._block.leave(error)

    def __call__(self, function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        """Wrap an `async def` function: each call is a block of its own."""
        if not inspect.iscoroutinefunction(function):
            raise TypeError(
                f"atomic cannot wrap {function!r}; expected an `async def` function that does not yield"
            )

        @functools.wraps(function)
        async def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
            async with self._copy():
                return await function(*args, **kwargs)

        return wrapper

    def _copy(self) -> Atomic:
        return Atomic(
            self._using,
            savepoint=self._savepoint,
            durable=self._durable,
            isolation=self._isolation,
            readonly=self._readonly,
        )

    def _choose_block(self) -> Block:
        outer = find_open(self._using)
        if outer is None:
            return OutermostBlock(self._using, self._isolation, self._readonly)
        outer.check_usable()
        if self._durable:
            raise TransactionError("atomic(durable=True) must be the outermost block; it is inside another")
        if self._isolation is not None or self._readonly:
            raise TransactionError("isolation and readonly are for the outermost atomic(); this is inside it")
        return SavepointBlock(outer) if self._savepoint else JoiningBlock(outer)


@overload
def atomic(using: Callable[P, Coroutine[Any, Any, T]], /) -> Callable[P, Coroutine[Any, Any, T]]: ...
@overload
def atomic(
    using: str = ...,
    *,
    savepoint: bool = ...,
    durable: bool = ...,
    isolation: str | None = ...,
    readonly: bool = ...,
) -> Atomic: ...
def atomic(
    using: str | Callable[..., Any] = connections.DEFAULT,  # Any: the signature of what is decorated
    *,
    savepoint: bool = True,
    durable: bool = False,
    isolation: str | None = None,
    readonly: bool = False,
) -> Any:  # Any: the overloads say
    """Run a block, or each call of an `async def` function, all or nothing.

    The transaction belongs to the task that opens it: another task that tries to use it gets TransactionOwnerError.

    Args:
        using: alias of the database.
        savepoint: inside another block, undo only this one on an error. False saves the savepoint; then an error here
            makes the whole transaction impossible to commit.
        durable: refuse to be inside another block, so that leaving this one means committed.
        isolation: "read committed", "repeatable read" or "serializable", on the outermost block only; None is the
            database's default. SQLite is always serializable.
        readonly: refuse writes; on SQLite it lets a writer go on beside it.

    Raises:
        TransactionError: wrong use, or a commit that could not be because an error inside was swallowed.

    Cancellation: inside the block it rolls back. During COMMIT it is raised after the database has answered; the
    transaction is committed then, and the callbacks of `on_commit` do not run.
    """
    if callable(using):
        return atomic()(using)
    return Atomic(using, savepoint=savepoint, durable=durable, isolation=isolation, readonly=readonly)


class Block(Protocol):
    """What an `atomic()` turns out to be once it is entered."""

    async def enter(self) -> None:
        """Begin."""
        ...

    async def leave(self, error: BaseException | None) -> None:
        """End, with the error that the block is left with."""
        ...


class OutermostBlock:
    """The block that is the transaction."""

    def __init__(self, using: str, isolation: str | None, readonly: bool) -> None:
        self._using = using
        self._context: AbstractAsyncContextManager[TransactionExecutor] = connections.backend(
            using
        ).transaction(isolation=isolation, readonly=readonly)
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
            await self._context.__aexit__(None, None, None)
            await run_callbacks(transaction.callbacks)
        else:
            await self._context.__aexit__(type(failure), failure, failure.__traceback__)
            if error is None:
                raise failure

    def _find_failure(self) -> TransactionError | None:
        transaction = self._transaction
        if not transaction.is_owned:
            return TransactionOwnerError(
                "atomic() was left in another task than it was entered in; rolled back"
            )
        if transaction.rollback_cause is None:
            return None
        failure = TransactionError(
            "rolled back: a block inside failed without going back to a savepoint, and its error was swallowed"
        )
        failure.__cause__ = transaction.rollback_cause
        return failure

    def _forget(self) -> None:
        # ValueError: another context closes us. The one we were opened in keeps the closed transaction, and says so.
        with suppress(ValueError):
            innermost.reset(self._token)


class SavepointBlock:
    """A block inside another, which can be undone by itself."""

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
        if error is None:
            raise failure

    def _find_failure(self) -> TransactionError | None:
        cause = self._transaction.rollback_cause
        if cause is None:
            return None
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

    def __init__(self, transaction: OpenTransaction) -> None:
        self._transaction = transaction

    async def enter(self) -> None:
        """Do nothing: the outer block has begun."""

    async def leave(self, error: BaseException | None) -> None:
        """On an error, make sure that the outer block rolls back."""
        if error is not None and self._transaction.rollback_cause is None:
            self._transaction.rollback_cause = error


def on_commit(
    callback: Callable[[], Awaitable[object] | object],
    *,
    using: str = connections.DEFAULT,
    robust: bool = False,
) -> None:
    """Call a function without arguments after the transaction of this context has been committed.

    Callbacks run in the order they were given, in the same task, outside the transaction; one may open its own. Those
    given inside a savepoint are dropped if it is rolled back. Outside a transaction the function is called at once.

    Args:
        callback: a plain function or one that returns an awaitable.
        using: alias of the database.
        robust: log an exception of the callback, and go on; otherwise it comes out of the `atomic()` block, and the
            remaining callbacks do not run, though everything is committed.

    Raises:
        TransactionError: outside a transaction, the callback must be awaited: only the caller can do that.
    """
    transaction = find_open(using)
    if transaction is not None:
        transaction.check_usable()
        transaction.callbacks.append(CommitCallback(callback, robust))
        return
    result = call(CommitCallback(callback, robust))
    if inspect.isawaitable(result):
        if inspect.iscoroutine(result):
            result.close()
        raise TransactionError(
            f"on_commit({callback!r}) outside a transaction cannot wait; "
            "await the callback yourself, or open atomic() around the write"
        )


async def run_callbacks(callbacks: list[CommitCallback]) -> None:
    """Call what was to run after the commit."""
    for callback in callbacks:
        result = call(callback)
        if not inspect.isawaitable(result):
            continue
        try:
            await result
        except Exception:
            if not callback.robust:
                raise
            log_failure(callback)


def call(callback: CommitCallback) -> object:
    """Call the function, heeding `robust`."""
    try:
        return callback.function()
    except Exception:
        if not callback.robust:
            raise
        log_failure(callback)
        return None


def log_failure(callback: CommitCallback) -> None:
    """Log the exception being handled."""
    logger.exception("on_commit callback %r failed; the transaction is committed", callback.function)


@contextmanager
def independent() -> Generator[None]:
    """Run a block outside the transactions of this context, on connections of its own.

    For work in a child task that shall not be part of the transaction it was started in. On SQLite a write in here
    waits for the one writer, so never wait in a transaction for an independent write.
    """
    token = innermost.set(None)
    try:
        yield
    finally:
        innermost.reset(token)


@asynccontextmanager
async def rollback_after(using: str = connections.DEFAULT) -> AsyncGenerator[None]:
    """Run everything of this event loop on one connection, and undo it all at the end. For tests.

    Every task sees what every other wrote. Statements take turns; `atomic()` is a savepoint that holds the turn until
    it ends; `on_commit` callbacks run when the outermost `atomic()` of their task is left, as after a real commit.
    `isolation` and `readonly` of that block are not applied, and a stream is read whole.
    """
    own = connections.backend(using)
    context = own.transaction()
    executor = await context.__aenter__()
    try:
        with connections.stand_in(using, SharedConnectionBackend(using, executor)):
            yield
    finally:
        undo = TransactionError("undone by rollback_after()")
        await context.__aexit__(type(undo), undo, None)
