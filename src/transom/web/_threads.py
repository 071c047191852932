"""Blocking file work, off the event loop."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


async def to_thread(function: Callable[[], T]) -> T:
    """Run a blocking function in the loop's default pool and return its result.

    Cancellation: waits for the function to end, then passes on, however often it comes; so that no thread still works on a
    file that the caller closes as it leaves.
    """
    future = asyncio.get_running_loop().run_in_executor(None, function)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        while not future.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([future])
        if not future.cancelled():
            future.exception()  # seen, so that it is not reported as lost
        raise
