"""What is known of one enqueued task at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Generic, TypeVar

from transom.tasks.encoding import decode

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["TaskError", "TaskResult", "TaskStatus"]

R_co = TypeVar("R_co", covariant=True)


class TaskStatus(Enum):
    """How far a task has come."""

    READY = "READY"
    RUNNING = "RUNNING"
    FAILED = "FAILED"
    SUCCESSFUL = "SUCCESSFUL"


@dataclass(frozen=True, slots=True)
class TaskError:
    """What a task raised.

    Args:
        exception_class_path: its type, as in `builtins.ValueError`.
        traceback: as text; it may hold values, so it is for developers' eyes.
    """

    exception_class_path: str
    traceback: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult(Generic[R_co]):
    """An enqueued task as it was when this was asked for; `await task.get_result(id)` tells the present state.

    Args:
        id: names it, for the backend; cannot be guessed.
        task: the name of the task.
        status: how far it has come.
        enqueued_at: aware, in UTC, as the others.
        started_at: None until it runs.
        finished_at: None until it is done, well or not.
        errors: what it raised; empty unless it failed.
        content: the returned value as JSON, for backends; see `return_value`.
    """

    id: str
    task: str
    status: TaskStatus
    enqueued_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    errors: tuple[TaskError, ...] = ()
    content: bytes | None = None

    @property
    def is_finished(self) -> bool:
        """Whether it is done, well or not."""
        return self.finished_at is not None

    @property
    def return_value(self) -> R_co:
        """A copy of what the task returned.

        Raises:
            ValueError: it has not, or not yet.
        """
        if self.content is None:
            raise ValueError(
                f"task {self.task!r} has returned nothing yet: its status is {self.status.value}"
                + ("; see errors" if self.errors else "; ask get_result() again later")
            )
        value: R_co = decode(self.content)
        return value
