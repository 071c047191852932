"""`Task` and the decorator that makes one of a function."""

from __future__ import annotations

import inspect
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

from transom.tasks.backend import TaskCall
from transom.tasks.encoding import encode
from transom.tasks.exceptions import InvalidTask, TaskResultDoesNotExist
from transom.tasks.registry import tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from transom.tasks.result import TaskResult

__all__ = ["Task", "task"]

P = ParamSpec("P")
R = TypeVar("R")


class Task(Generic[P, R]):
    """A function that can be enqueued; called, it runs at once, like the function itself.

    Args:
        function: a coroutine function at the top level of a module, where a worker can find it.

    Raises:
        InvalidTask: it is not one.

    Attributes:
        name: module and name of the function.
        function: the function itself.
    """

    def __init__(self, function: Callable[P, Coroutine[Any, Any, R]]) -> None:  # Any: see TaskCall
        _check_function(function)
        self.function = function
        self.name = f"{function.__module__}.{function.__qualname__}"
        self._signature = inspect.signature(function)
        update_wrapper(self, function)

    def __repr__(self) -> str:
        return f"<Task {self.name}>"

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the function here and now, in the caller's task."""
        return await self.function(*args, **kwargs)

    async def enqueue(self, *args: P.args, **kwargs: P.kwargs) -> TaskResult[R]:
        """Have the function called later, by a worker; return as soon as that is arranged.

        The arguments are those of the function, and travel as JSON: a model instance is passed by its primary key. Inside a
        transaction, enqueue from `on_commit`, since a worker must not look for rows that may be rolled back:
        `on_commit(lambda: send_report.enqueue(question.pk))`.

        Raises:
            TypeError: the arguments do not fit the function, or one would come back from JSON changed.
            BackendNotRunning: nobody would run it.
            QueueFull: too many wait already.
        """
        self._signature.bind(*args, **kwargs)
        arguments = _encode_arguments(args, kwargs)
        return await tasks.backend.enqueue(TaskCall(self.name, self.function, arguments))

    async def get_result(self, id: str) -> TaskResult[R]:
        """Return how a call of this task stands.

        Raises:
            TaskResultDoesNotExist: there is no such result, or it belongs to another task.
        """
        result = await tasks.backend.get_result(id)
        if result.task != self.name:
            raise TaskResultDoesNotExist(f"result {id!r} is one of {result.task}, not of {self.name}")
        return result


def task(function: Callable[P, Coroutine[Any, Any, R]]) -> Task[P, R]:  # Any: see TaskCall
    """Make a function a task, as a decorator.

    Raises:
        InvalidTask: it is no coroutine function at the top level of a module.
    """
    return Task(function)


def _encode_arguments(args: tuple[object, ...], kwargs: dict[str, object]) -> bytes:
    for number, value in enumerate(args, 1):
        encode(value, f"argument {number}")
    for name, value in kwargs.items():
        encode(value, f"argument {name!r}")
    return encode([list(args), kwargs], "the list of arguments")


def _check_function(function: Callable[..., object]) -> None:
    if not inspect.iscoroutinefunction(function):
        raise InvalidTask(
            f"task {function!r} is not async; write `async def`, and give long work to a thread inside"
        )
    if "<" in function.__qualname__ or "." in function.__qualname__:
        raise InvalidTask(
            f"task {function.__qualname__!r} is not at the top level of a module; move it there, so that a worker can import it"
        )
