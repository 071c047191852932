"""What can go wrong with tasks.

    TaskException
    ├── InvalidTask
    ├── BackendNotRunning
    ├── QueueFull
    └── TaskResultDoesNotExist

What a task itself raises is in the errors of its result.
"""

from __future__ import annotations

__all__ = ["BackendNotRunning", "InvalidTask", "QueueFull", "TaskException", "TaskResultDoesNotExist"]


class TaskException(Exception):
    """The base of all of these."""


class InvalidTask(TaskException):
    """A function cannot be a task."""


class BackendNotRunning(TaskException):
    """No worker would run the task: the backend is not started, or is being stopped."""


class QueueFull(TaskException):
    """More tasks wait than the backend may keep; the task was not enqueued."""


class TaskResultDoesNotExist(TaskException):
    """There is no such result: it never was, has expired, or belongs to another task."""
