"""What a task backend is: the seam between tasks and whatever queues and runs them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from contextlib import AbstractAsyncContextManager

    from transom.tasks.result import TaskResult

__all__ = ["TaskBackend", "TaskCall"]

R_co = TypeVar("R_co", covariant=True)
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class TaskCall(Generic[R_co]):
    """One call of a task, checked and ready to be stored.

    Args:
        name: of the task, where a worker in another process can import it: `polls.tasks.send_report`.
        function: the function itself.
        arguments: `[args, kwargs]` as JSON.
    """

    name: str
    # Any, Any: what a coroutine yields and is sent concerns the event loop only; `...`: checked when it was enqueued.
    function: Callable[..., Coroutine[Any, Any, R_co]]
    arguments: bytes


class TaskBackend(Protocol):
    """Queues calls of tasks, has them run, and keeps their results for a while."""

    async def enqueue(self, call: TaskCall[R]) -> TaskResult[R]:
        """Take a call over; return how it stands.

        Raises:
            BackendNotRunning: nobody would run it.
            QueueFull: too many wait already.
        """
        ...

    async def get_result(self, id: str) -> TaskResult[Any]:  # Any: the backend does not know which task it is
        """Return how an enqueued task stands.

        Raises:
            TaskResultDoesNotExist: the id is unknown, or the result has expired.
        """
        ...

    def running(self) -> AbstractAsyncContextManager[None]:
        """Run, inside `async with`, what has to run in this process for tasks to be done."""
        ...
