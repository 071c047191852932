"""Running a transaction again that a conflict with another has ended.

It is a decorator, and no loop of `async with` blocks: a `return` in such a block would go through although the COMMIT
behind it met a conflict, which is where serializable transactions meet them.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import random
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar, overload

from .exceptions import DatabaseError, DeadlockDetected, SerializationFailure, TransactionError
from .open_transaction import find_open
from .router import DEFAULT
from .transaction import atomic

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from .transaction import Atomic

P = ParamSpec("P")
T = TypeVar("T")

CONFLICTS: Final = (SerializationFailure, DeadlockDetected)
LONGEST_WAIT = 2.0  # seconds that the doubling of waits stops at


class RetryOnConflict:
    """Makes of a function one whose calls are transactions that are tried again."""

    def __init__(
        self, using: str, *, attempts: int, wait: float, isolation: str | None, readonly: bool
    ) -> None:
        if attempts < 1 or wait < 0:
            raise ValueError(
                f"retry_on_conflict(attempts={attempts!r}, wait={wait!r}); expected attempts of at least 1 and a wait "
                "of at least 0 seconds"
            )
        self._using = using
        self._attempts = attempts
        self._wait = wait
        self._isolation = isolation
        self._readonly = readonly

    def __call__(self, function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        """Wrap an `async def` function."""
        if not inspect.iscoroutinefunction(function):
            raise TypeError(
                f"retry_on_conflict cannot wrap {function!r}; expected an `async def` function that does not yield"
            )

        @functools.wraps(function)
        async def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
            return await self._run(functools.partial(function, *args, **kwargs))

        return wrapper

    async def _run(self, function: Callable[[], Coroutine[Any, Any, T]]) -> T:
        number = 1
        while True:
            refuse_inside(self._using)
            block = self._make_block()
            try:
                async with block:
                    return await function()
            except CONFLICTS as exc:
                if not self._may_go_on(block, exc, number):
                    raise
            await asyncio.sleep(choose_wait(self._wait, number))
            number += 1

    def _make_block(self) -> Atomic:
        return atomic(self._using, durable=True, isolation=self._isolation, readonly=self._readonly)

    def _may_go_on(self, block: Atomic, error: DatabaseError, number: int) -> bool:
        if block.is_committed:  # an on_commit callback met the conflict; what is committed is not done twice
            return False
        if number >= self._attempts:
            error.add_note(f"retry_on_conflict gave up after {number} attempts")
            return False
        return True


@overload
def retry_on_conflict(
    using: Callable[P, Coroutine[Any, Any, T]], /
) -> Callable[P, Coroutine[Any, Any, T]]: ...
@overload
def retry_on_conflict(
    using: str = ...,
    *,
    attempts: int = ...,
    wait: float = ...,
    isolation: str | None = ...,
    readonly: bool = ...,
) -> RetryOnConflict: ...
def retry_on_conflict(
    using: str | Callable[..., Any] = DEFAULT,  # Any: the signature of what is decorated
    *,
    attempts: int = 5,
    wait: float = 0.02,
    isolation: str | None = None,
    readonly: bool = False,
) -> Any:  # Any: the overloads say
    """Make each call of an `async def` function a transaction, and run it again if a conflict with another ends it.

        @retry_on_conflict(isolation="serializable")
        async def transfer(source, target, amount): ...

    Tried again are SerializationFailure and DeadlockDetected, those of COMMIT too. The whole function runs again, with
    the same arguments: let it read inside what it depends on, and hand what must not happen twice (mail, payments) to
    `on_commit`. Between two attempts everything is rolled back, no connection is held, and the task waits for a random
    part of a limit that doubles each time, so that rivals part.

    Args:
        using: alias of the database.
        attempts: how often to try at most; the conflict of the last one is raised.
        wait: seconds, at most, before the second attempt.
        isolation: as for `atomic`.
        readonly: as for `atomic`.

    Raises:
        TransactionError: at the call, inside another transaction: only the whole of that could be run again.
        SerializationFailure: at the call, if the last attempt ended with it; likewise DeadlockDetected.
    """
    if callable(using):
        return retry_on_conflict()(using)
    return RetryOnConflict(using, attempts=attempts, wait=wait, isolation=isolation, readonly=readonly)


def choose_wait(first: float, number: int) -> float:
    """Return the seconds to wait after an attempt that failed."""
    return random.uniform(0, min(first * 2 ** (number - 1), LONGEST_WAIT))  # noqa: S311  # no secret


def refuse_inside(using: str) -> None:
    """Refuse to be inside a transaction.

    Raises:
        TransactionError: one is open in this context.
    """
    if find_open(using) is not None:
        raise TransactionError(
            f"retry_on_conflict is inside a transaction on {using!r}, and only the whole of it can be run again; "
            "put it around the outermost block"
        )
