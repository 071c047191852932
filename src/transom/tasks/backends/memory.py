"""The in-process backend: tasks of this event loop, run beside its requests.

A call waits in a bounded queue until one of N slots is free; it then runs as an asyncio task of its own, in the TaskGroup
that `running()` holds open, and in a copy of the context in which that was entered: nothing of the request that enqueued
it, its transaction least of all, is seen by it, and nothing it sets is seen by the next.

What must stay true: calls wait only while every slot is taken (`_fill` runs after each change of either); every accepted
call ends with a finished result, also where it is cancelled before its first step.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import time
from collections import OrderedDict, deque
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from transom.tasks.exceptions import BackendNotRunning, QueueFull, TaskResultDoesNotExist
from transom.tasks.worker import fail, ready, run, start

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from transom.tasks.backend import TaskCall
    from transom.tasks.result import TaskResult

__all__ = ["MemoryBackend"]

R = TypeVar("R")

logger = logging.getLogger("transom.tasks")


class MemoryBackend:
    """A `TaskBackend` inside one event loop. What is queued is lost when the process is killed.

    Args:
        workers: tasks that run at the same time.
        capacity: tasks that wait, beside those that run, before `enqueue` refuses more.
        shutdown_timeout: seconds that tasks have to finish when the backend is stopped; then they are cancelled.
        max_results: finished results kept before the oldest is dropped.
        result_expiry: seconds that a finished result is kept.
        clock: a clock in seconds that never goes back, for the expiry.

    Raises:
        ValueError: a number is below 1, or a time below 0.
    """

    def __init__(
        self,
        *,
        workers: int = 4,
        capacity: int = 1_000,
        shutdown_timeout: float = 10.0,
        max_results: int = 1_000,
        result_expiry: float = 3_600.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if min(workers, capacity, max_results) < 1:
            raise ValueError(f"{workers=}, {capacity=}, {max_results=}; expected at least 1 each")
        if shutdown_timeout < 0 or result_expiry < 0:
            raise ValueError(f"{shutdown_timeout=}, {result_expiry=}; expected 0 or more seconds")
        self._workers = workers
        self._capacity = capacity
        self._shutdown_timeout = shutdown_timeout
        self._group: asyncio.TaskGroup | None = None  # open while tasks are accepted or run
        self._accepting = False
        self._context = contextvars.Context()
        self._queue: deque[tuple[TaskCall[Any], str]] = deque()  # calls with the ids of their results
        self._slots: set[asyncio.Task[None]] = set()
        self._results = _Results(max_results, result_expiry, clock)

    async def enqueue(self, call: TaskCall[R]) -> TaskResult[R]:
        """Queue a call; see `TaskBackend.enqueue`."""
        if not self._accepting:
            state = "not running" if self._group is None else "being stopped"
            raise BackendNotRunning(
                f"task {call.name} cannot be enqueued: the backend is {state}; "
                "tasks run inside `async with tasks.running()`, or with App(..., lifespan=tasks.running)"
            )
        if len(self._queue) >= self._capacity:
            raise QueueFull(
                f"task {call.name} cannot be enqueued: {len(self._queue)} wait already; enqueue less, or raise capacity or "
                "workers"
            )
        result = self._results.put(ready(call))
        self._queue.append((call, result.id))
        self._fill()
        return result

    async def get_result(self, id: str) -> TaskResult[Any]:  # Any: see TaskBackend
        """Return how a task stands; see `TaskBackend.get_result`."""
        return self._results.get(id)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Accept and run tasks inside the block.

        At its end no more are accepted, and those that run or wait have `shutdown_timeout` to finish; what is left is then
        cancelled, its results say so, and an error is logged.

        Cancellation: of whoever is inside, or leaves the block, cancels the tasks at once.

        Raises:
            RuntimeError: it runs already.
        """
        if self._group is not None:
            raise RuntimeError("the task backend runs already; enter running() once, in the lifespan")
        self._context = contextvars.copy_context()
        failure: Exception | None = None
        try:
            async with asyncio.TaskGroup() as self._group:
                self._accepting = True
                try:
                    yield
                    await self._finish()
                except Exception as exc:  # kept from the group, which would wrap it
                    failure = exc
                finally:
                    self._accepting = False
                    self._abandon()
        finally:
            self._group = None
            self._context = contextvars.Context()
        if failure is not None:
            raise failure

    def _fill(self) -> None:
        """Start as many of the calls that wait as there are free slots."""
        while self._queue and len(self._slots) < self._workers and self._group is not None:
            call, id = self._queue.popleft()
            task = self._group.create_task(self._run(call, id), context=self._context.copy())
            self._slots.add(task)
            task.add_done_callback(partial(self._free, id))

    async def _run(self, call: TaskCall[Any], id: str) -> None:
        result = self._results.put(start(self._results.get(id)))
        self._results.finish(await run(call, result))

    def _free(self, id: str, task: asyncio.Task[None]) -> None:
        """Give the slot of a task that is done to the next call."""
        self._slots.discard(task)
        if task.cancelled():
            self._cancel(id)
        self._fill()

    async def _finish(self) -> None:
        """Refuse new calls, and wait until the accepted ones are done or the time is over."""
        self._accepting = False
        try:
            async with asyncio.timeout(self._shutdown_timeout):
                while self._slots:
                    await asyncio.wait(self._slots)
        except TimeoutError:
            pass

    def _abandon(self) -> None:
        """Cancel what runs and drop what waits."""
        if not self._slots:
            return
        logger.error("stopped with %d tasks running and %d waiting", len(self._slots), len(self._queue))
        for _, id in self._queue:
            self._cancel(id)
        self._queue.clear()
        for task in self._slots:
            task.cancel()

    def _cancel(self, id: str) -> None:
        result = self._results.get(id)
        logger.error("task %s %s was cancelled", result.task, id)
        self._results.finish(fail(result, asyncio.CancelledError("cancelled before it was done")))


class _Results:
    """Results by id: all of those unfinished, and of the finished so many for so long."""

    def __init__(self, max_results: int, expiry: float, clock: Callable[[], float]) -> None:
        self._max_results = max_results
        self._expiry = expiry
        self._clock = clock
        self._pending: dict[str, TaskResult[Any]] = {}  # Any: results of all tasks
        self._finished: OrderedDict[str, tuple[float, TaskResult[Any]]] = (
            OrderedDict()
        )  # with when they expire

    def put(self, result: TaskResult[R]) -> TaskResult[R]:
        """Keep the present state of an unfinished result."""
        self._pending[result.id] = result
        return result

    def finish(self, result: TaskResult[Any]) -> None:
        """Keep a finished result for a while."""
        del self._pending[result.id]
        self._finished[result.id] = (self._clock() + self._expiry, result)
        self._drop_old()

    def get(self, id: str) -> TaskResult[Any]:
        """Return a result.

        Raises:
            TaskResultDoesNotExist: the id is unknown, or the result was dropped.
        """
        self._drop_old()
        if id in self._pending:
            return self._pending[id]
        if id not in self._finished:
            raise TaskResultDoesNotExist(f"no result {id!r}; it never was, or was finished and dropped since")
        return self._finished[id][1]

    def _drop_old(self) -> None:
        """Drop finished results, the oldest first, that are too many or too old."""
        now = self._clock()
        while self._finished:
            expires, _ = next(iter(self._finished.values()))
            if expires > now and len(self._finished) <= self._max_results:
                break
            self._finished.popitem(last=False)
