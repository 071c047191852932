"""What `on_commit` was given, and how it is called after the commit."""

from __future__ import annotations

import inspect
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger("transom.db")


@dataclass(frozen=True, slots=True)
class CommitCallback:
    """What `on_commit` was given."""

    function: Callable[[], object]
    robust: bool


async def run_callbacks(callbacks: list[CommitCallback]) -> None:
    """Call what was to run after the commit."""
    for callback in callbacks:
        result = call(callback)
        if not inspect.isawaitable(result):
            continue
        try:
            await result
        except Exception:
            if not callback.robust:
                raise
            log_failure(callback)


def call(callback: CommitCallback) -> object:
    """Call the function, heeding `robust`."""
    try:
        return callback.function()
    except Exception:
        if not callback.robust:
            raise
        log_failure(callback)
        return None


def log_failure(callback: CommitCallback) -> None:
    """Log the exception being handled."""
    logger.exception("on_commit callback %r failed; the transaction is committed", callback.function)
