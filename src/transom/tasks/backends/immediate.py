"""The backend for tests: a task is done before `enqueue` returns."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

from transom.tasks.exceptions import TaskResultDoesNotExist
from transom.tasks.worker import ready, run, start

if TYPE_CHECKING:
    from transom.tasks.backend import TaskCall
    from transom.tasks.result import TaskResult

__all__ = ["ImmediateBackend"]

R = TypeVar("R")


class ImmediateBackend:
    """A `TaskBackend` that runs each task in the task that enqueues it, inside its transaction if there is one.

    What the task raises is logged and kept in the result, as with every backend, and does not reach who enqueued it.

    Args:
        max_results: results kept before the oldest is dropped.
    """

    def __init__(self, *, max_results: int = 1_000) -> None:
        self._max_results = max_results
        self._results: OrderedDict[str, TaskResult[Any]] = OrderedDict()  # Any: results of all tasks

    async def enqueue(self, call: TaskCall[R]) -> TaskResult[R]:
        """Run the call; return its finished result."""
        result = await run(call, start(ready(call)))
        self._results[result.id] = result
        if len(self._results) > self._max_results:
            self._results.popitem(last=False)
        return result

    async def get_result(self, id: str) -> TaskResult[Any]:  # Any: see TaskBackend
        """Return a finished result.

        Raises:
            TaskResultDoesNotExist: the id is unknown, or the result was dropped.
        """
        try:
            return self._results[id]
        except KeyError:
            raise TaskResultDoesNotExist(f"no result {id!r}") from None

    def running(self) -> AbstractAsyncContextManager[None]:
        """Return a context manager to which nothing is left to do: tasks need no worker here."""
        return nullcontext()
