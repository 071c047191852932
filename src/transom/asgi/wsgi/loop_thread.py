"""An event loop in a thread of its own, with the life of one ASGI application."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import os
import threading
from typing import TYPE_CHECKING, Any

from transom.asgi.lifespan import Lifespan

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from transom.asgi.types import ASGIApplication

logger = logging.getLogger("transom.asgi")


class LoopThread:
    """Runs the application's lifespan, and what is given to its loop between start-up and shutdown.

    The thread is a daemon: an application that does not stop does not hold up the end of the process.

    Args:
        app: the application.
        loop_factory: makes the loop; None for asyncio's own.
        timeout: seconds that tasks have to finish at the end, and again that the application has to shut down.
    """

    def __init__(
        self,
        app: ASGIApplication,
        loop_factory: Callable[[], asyncio.AbstractEventLoop] | None,
        timeout: float,
    ) -> None:
        self._lifespan = Lifespan(app)
        self._loop_factory = loop_factory
        self._timeout = timeout
        self._started = threading.Event()
        self._error: Exception | None = None
        self._stop: asyncio.Event
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False
        self._lock = threading.Lock()  # of `_closing`: what was begun before it is not forgotten
        self._pid = os.getpid()
        self.loop: asyncio.AbstractEventLoop
        self._thread = threading.Thread(target=self._run, name="transom-asgi", daemon=True)

    @property
    def state(self) -> dict[str, Any] | None:  # Any: as in a scope
        """What the application keeps for its requests; None if it has no lifespan."""
        return self._lifespan.state

    @property
    def is_running(self) -> bool:
        """Whether it runs, in this process: threads are not copied by a fork."""
        return self._pid == os.getpid() and self._thread.is_alive()

    def start(self) -> None:
        """Start the thread and the application; return when it is up.

        Raises:
            RuntimeError: the application said that it cannot start. The thread has ended.
        """
        self._thread.start()
        self._started.wait()
        if self._error is not None:
            self._thread.join()
            raise self._error

    def call(self, callback: Callable[[], None]) -> None:
        """Have something called in the loop, in the context of this thread.

        Raises:
            RuntimeError: it was closed; nothing is called.
        """
        with self._lock:
            if self._closing:
                raise RuntimeError("the adapter was closed")
            self.loop.call_soon_threadsafe(callback, context=contextvars.copy_context())

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine as a task. To be called in the loop."""
        task = self.loop.create_task(coroutine)
        self._tasks.add(task)  # a loop alone does not keep its tasks alive
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Let what runs finish, shut the application down, and end the thread; return when that is so, or took too long."""
        with self._lock:
            self._closing = True
            self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(2 * self._timeout)
        if self._thread.is_alive():
            logger.warning("an ASGI application has not shut down in time; it ends with the process")

    def _run(self) -> None:
        # The runner cancels the tasks that are left, and closes the loop.
        with asyncio.Runner(loop_factory=self._loop_factory) as runner:
            runner.run(self._live())

    async def _live(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        try:
            await self._lifespan.startup()
        except Exception as exc:
            self._error = exc
            return
        finally:
            self._started.set()
        await self._stop.wait()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._timeout)
        try:
            await self._lifespan.shutdown()
        except RuntimeError as exc:
            logger.error("%s", exc)
