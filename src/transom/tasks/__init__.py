"""Tasks: work that a request leaves to be done after it."""

from transom.tasks.backend import TaskBackend, TaskCall
from transom.tasks.backends.immediate import ImmediateBackend
from transom.tasks.backends.memory import MemoryBackend
from transom.tasks.exceptions import (
    BackendNotRunning,
    InvalidTask,
    QueueFull,
    TaskException,
    TaskResultDoesNotExist,
)
from transom.tasks.registry import Tasks, tasks
from transom.tasks.result import TaskError, TaskResult, TaskStatus
from transom.tasks.task import Task, task

__all__ = [
    "BackendNotRunning",
    "ImmediateBackend",
    "InvalidTask",
    "MemoryBackend",
    "QueueFull",
    "Task",
    "TaskBackend",
    "TaskCall",
    "TaskError",
    "TaskException",
    "TaskResult",
    "TaskResultDoesNotExist",
    "TaskStatus",
    "Tasks",
    "task",
    "tasks",
]
