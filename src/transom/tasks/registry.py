"""`tasks`: the task backend of the running event loop.

Each event loop has a backend of its own, made when it is first used, as a backend's workers belong to its loop.
"""

from __future__ import annotations

import asyncio
import weakref
from typing import TYPE_CHECKING

from transom.tasks.backends.memory import MemoryBackend

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from transom.tasks.backend import TaskBackend

__all__ = ["Tasks", "tasks"]


class Tasks:
    """Where tasks are enqueued: the backend of whichever event loop is running.

    Args:
        factory: makes the backend of a loop; called inside that loop.
    """

    def __init__(self, factory: Callable[[], TaskBackend] = MemoryBackend) -> None:
        self._factory = factory
        # Weak: a loop takes its backend along when it goes.
        self._backends: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, TaskBackend] = (
            weakref.WeakKeyDictionary()
        )

    def configure(self, factory: Callable[[], TaskBackend]) -> None:
        """Use another backend from now on; one that runs finishes what it has."""
        self._factory = factory
        self._backends.clear()

    @property
    def backend(self) -> TaskBackend:
        """The backend of the running event loop.

        Raises:
            RuntimeError: no event loop is running.
        """
        loop = asyncio.get_running_loop()
        backend = self._backends.get(loop)
        if backend is None:
            backend = self._backends[loop] = self._factory()
        return backend

    def running(self, app: object = None, /) -> AbstractAsyncContextManager[None]:
        """Run tasks inside `async with`; as a lifespan, while the site is up: `App(..., lifespan=tasks.running)`.

        Args:
            app: what a lifespan is given; tasks do not need it.
        """
        return self.backend.running()


tasks = Tasks()
"""The tasks of this process."""
