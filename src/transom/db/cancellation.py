"""Waiting for what must not be left half done."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


async def outlast(future: asyncio.Future[T], on_cancel: Callable[[], object] | None = None) -> T:
    """Wait for the end of `future` even if cancelled meanwhile, then raise the cancellation.

    Args:
        future: what to wait for; it is never cancelled by this.
        on_cancel: called at each cancellation, to hurry the future.

    Cancellation: raised after the future is done, in place of its result or error.
    """
    cancelled: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait((future,))
        except asyncio.CancelledError as exc:
            cancelled = exc
            if on_cancel is not None:
                on_cancel()
    if cancelled is None:
        return future.result()
    if not future.cancelled():
        future.exception()  # retrieved, or asyncio would report it as lost
    raise cancelled
