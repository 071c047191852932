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
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from . import connections
from .backends.shared import SharedConnectionBackend
from .blocks import Block, Characteristics, JoiningBlock, OutermostBlock, SavepointBlock
from .callbacks import CommitCallback, call
from .exceptions import TransactionError
from .open_transaction import OpenTransaction, find_open, innermost
from .replicas import replicas_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
    from types import TracebackType

P = ParamSpec("P")
T = TypeVar("T")


class Atomic:
    """One `atomic()`: a context manager for one block, or a decorator for any number of calls."""

    def __init__(
        self, using: str, characteristics: Characteristics, *, savepoint: bool = True, durable: bool = False
    ) -> None:
        self._using = using
        self._characteristics = characteristics
        self._savepoint = savepoint
        self._durable = durable
        self._block: Block | None = None

    @property
    def is_committed(self) -> bool:
        """Whether the block was the outermost one and its COMMIT succeeded, whatever went wrong after that."""
        return self._block is not None and self._block.is_committed

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
        return Atomic(self._using, self._characteristics, savepoint=self._savepoint, durable=self._durable)

    def _choose_block(self) -> Block:
        outer = find_open(self._using)
        if outer is None:
            return OutermostBlock(self._using, self._characteristics)
        outer.check_usable()
        if self._durable:
            raise TransactionError("atomic(durable=True) must be the outermost block; it is inside another")
        if self._characteristics._replace(lazy=False) != Characteristics():
            raise TransactionError(
                "isolation, readonly and deferrable are for the outermost atomic(); this is inside it"
            )
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
    deferrable: bool = ...,
    lazy: bool = ...,
) -> Atomic: ...
def atomic(
    using: str | Callable[..., Any] = connections.DEFAULT,  # Any: the signature of what is decorated
    *,
    savepoint: bool = True,
    durable: bool = False,
    isolation: str | None = None,
    readonly: bool = False,
    deferrable: bool = False,
    lazy: bool = False,
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
        readonly: refuse writes, with ReadOnlyViolation; on SQLite it lets a writer go on beside it.
        deferrable: with `isolation="serializable"` and `readonly`, wait at the start for a moment from which on nothing can
            end it with SerializationFailure: for long reports and backups. Other databases than PostgreSQL need no wait.
        lazy: begin with the first statement, and take no connection before; inside another block it means nothing.

    Raises:
        TransactionError: wrong use, or a commit that could not be because an error inside was swallowed.

    Cancellation: inside the block it rolls back. During COMMIT it is raised after the database has answered; the
    transaction is committed then, and the callbacks of `on_commit` do not run.
    """
    if callable(using):
        return atomic()(using)
    characteristics = check_characteristics(Characteristics(isolation, readonly, deferrable, lazy))
    return Atomic(using, characteristics, savepoint=savepoint, durable=durable)


def check_characteristics(characteristics: Characteristics) -> Characteristics:
    """Refuse what makes no sense on any database.

    Raises:
        TransactionError: deferrable without being serializable and read-only.
    """
    isolation, readonly, deferrable, _ = characteristics
    if deferrable and not (readonly and isolation == "serializable"):
        raise TransactionError(
            'deferrable=True waits for a safe snapshot to read; it needs isolation="serializable" and readonly=True'
        )
    return characteristics


def set_rollback(rollback: bool, *, using: str = connections.DEFAULT) -> None:
    """Let the innermost `atomic()` block of this context be undone when it is left, without an error.

    Until then its statements are refused. A block without a savepoint takes the next outer one with it.

    Args:
        rollback: False calls it off again.
        using: alias of the database.

    Raises:
        TransactionError: outside a transaction, or it is called off though an error made the undoing necessary.
    """
    require_open(using, "set_rollback").request_rollback(rollback)


def get_rollback(*, using: str = connections.DEFAULT) -> bool:
    """Return whether the innermost `atomic()` block of this context will be undone when it is left.

    Raises:
        TransactionError: outside a transaction.
    """
    return require_open(using, "get_rollback").rollback_cause is not None


def require_open(using: str, what: str) -> OpenTransaction:
    """Return the transaction of this context.

    Raises:
        TransactionError: there is none.
    """
    transaction = find_open(using)
    if transaction is None:
        raise TransactionError(f"{what}() outside a transaction on {using!r}; call it inside atomic()")
    return transaction


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
    `isolation`, `readonly` and `deferrable` of that block are not applied, and a stream is read whole. Replicas
    that a `ReplicaRouter` knows of read here too: their own connections would see nothing of it.
    """
    own = connections.backend(using)
    context = own.transaction()
    executor = await context.__aenter__()
    try:
        shared = SharedConnectionBackend(using, executor)
        with ExitStack() as stack:
            for alias in (using, *replicas_of(using)):
                stack.enter_context(connections.stand_in(alias, shared))
            yield
    finally:
        undo = TransactionError("undone by rollback_after()")
        await context.__aexit__(type(undo), undo, None)
