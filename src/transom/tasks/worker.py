"""What happens to a call from the start of its function to the end."""

from __future__ import annotations

import logging
import secrets
import traceback
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from transom.tasks.encoding import decode, encode
from transom.tasks.result import TaskError, TaskResult, TaskStatus

if TYPE_CHECKING:
    from transom.tasks.backend import TaskCall

__all__ = ["fail", "ready", "run", "start"]

R = TypeVar("R")

logger = logging.getLogger("transom.tasks")


def ready(call: TaskCall[R]) -> TaskResult[R]:
    """Return the result of a call that was just enqueued."""
    return TaskResult(
        id=secrets.token_urlsafe(16), task=call.name, status=TaskStatus.READY, enqueued_at=datetime.now(UTC)
    )


def start(result: TaskResult[R]) -> TaskResult[R]:
    """Return the result of a call that now runs."""
    return replace(result, status=TaskStatus.RUNNING, started_at=datetime.now(UTC))


def fail(result: TaskResult[R], exc: BaseException) -> TaskResult[R]:
    """Return the result of a call that ended with an exception."""
    cls = type(exc)
    error = TaskError(f"{cls.__module__}.{cls.__qualname__}", "".join(traceback.format_exception(exc)))
    return replace(result, status=TaskStatus.FAILED, finished_at=datetime.now(UTC), errors=(error,))


async def run(call: TaskCall[R], result: TaskResult[R]) -> TaskResult[R]:
    """Call the function; return the finished result. What it raises is logged and kept, and raised to nobody.

    Cancellation: goes on to the caller, who knows what it means.
    """
    args: list[Any]  # Any: JSON values, which fit the function as they did when they were enqueued
    kwargs: dict[str, Any]
    args, kwargs = decode(call.arguments)
    try:
        value = await call.function(*args, **kwargs)
        content = encode(value, "the returned value")
    except Exception as exc:
        logger.error("task %s %s failed", call.name, result.id, exc_info=exc)
        return fail(result, exc)
    return replace(result, status=TaskStatus.SUCCESSFUL, finished_at=datetime.now(UTC), content=content)
