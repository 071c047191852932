"""A fixed number of threads that work off a queue."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

Job: TypeAlias = "Callable[[], object]"


@dataclass(frozen=True, slots=True)
class _Stop:
    """Ends the thread that takes it from the queue."""

    on_stopped: Callable[[], object]


class Threads:
    """Runs jobs in the order they come, as many at once as there are threads.

    concurrent.futures makes a future with a lock of its own for each job, which nobody here looks at; and it holds up the end of
    the process until every job has ended, however long one blocks. These threads are daemons: `aclose` waits for them in the
    good case, and the process can end in the bad one.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._queue: SimpleQueue[Job | _Stop] = SimpleQueue()
        self._started = 0
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start the threads, unless they run."""
        with self._lock:
            for number in range(self._started, self._size):
                threading.Thread(target=self._work, name=f"transom-wsgi-{number}", daemon=True).start()
            self._started = self._size

    def submit(self, job: Job) -> None:
        """Queue a job. It must not raise."""
        if not self._started:
            self.start()
        self._queue.put(job)

    async def aclose(self, timeout: float) -> int:
        """Let the threads end after the jobs that are queued; return how many still ran when the time was over."""
        loop, ended = asyncio.get_running_loop(), asyncio.Queue[None]()

        def tell() -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: it took too long
                loop.call_soon_threadsafe(ended.put_nowait, None)

        with self._lock:
            running, self._started = self._started, 0
        for _ in range(running):
            self._queue.put(_Stop(tell))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while running:
                    await ended.get()
                    running -= 1
        return running

    def _work(self) -> None:
        while True:
            job = self._queue.get()
            if isinstance(job, _Stop):
                job.on_stopped()
                return
            job()
            del job  # and with it the request, however long the next one takes to come
