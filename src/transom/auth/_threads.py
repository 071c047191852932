"""A few threads for work that takes long and much memory, with a bound on what may wait for them."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from transom.auth.exceptions import PasswordHashingBusy

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class BoundedThreads:
    """Runs functions in at most `threads` threads, with at most `waiting` more in the queue.

    One object serves all event loops of the process. The threads start with the first call.
    """

    def __init__(self, threads: int, waiting: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="transom-passwords")
        self._free = threading.Semaphore(threads + waiting)

    async def run(self, function: Callable[[], T]) -> T:
        """Run the function in a thread and return its result.

        Raises:
            PasswordHashingBusy: the queue is full; nothing was run.

        Cancellation: a function that waits is not run; one that runs ends by itself, and its result is dropped.
        """
        if not self._free.acquire(blocking=False):
            raise PasswordHashingBusy
        try:
            future = self._executor.submit(function)
        except BaseException:
            self._free.release()
            raise
        # Released by the thread and not by the awaiting task: a cancelled task must not make room for its running thread.
        future.add_done_callback(lambda _: self._free.release())
        return await asyncio.wrap_future(future)
