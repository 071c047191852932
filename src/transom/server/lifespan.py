"""The lifespan conversation: tell the application that the worker starts and stops.

One task runs the application's lifespan from start to end. `startup` and `shutdown` send it an event and wait for the answer,
for the end of the task, or for the clock. In mode "auto" an application that raises before it has answered has no lifespan.

Source: ASGI lifespan protocol 2.0.
"""

from __future__ import annotations

import asyncio
import logging
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Final

from transom.server.exceptions import MessageError, StartupError

if TYPE_CHECKING:
    from transom.asgi.types import ASGIApplication
    from transom.server.config import Config

END_TIMEOUT: Final = 5.0  # seconds for the task to end after its last answer

logger = logging.getLogger("transom.server")


class _Phase(Enum):
    STARTING = auto()
    RUNNING = auto()
    STOPPING = auto()
    ENDED = auto()


class Lifespan:
    """The lifespan of one application in one worker."""

    def __init__(self, app: ASGIApplication, config: Config) -> None:
        self._app = app
        self._mode = config.lifespan
        self._timeout = config.timeout_lifespan
        self._phase = _Phase.STARTING
        self._events: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        self._answered = asyncio.Event()
        self._failure: str | None = None
        self._error: Exception | None = None
        self._task: asyncio.Task[None] | None = None
        self._state: dict[str, Any] = {}  # Any: as in LifespanScope

    @property
    def state(self) -> dict[str, Any] | None:
        """What the application keeps for its requests; None if it has no lifespan."""
        return self._state if self._task is not None else None

    async def startup(self) -> None:
        """Start the application's lifespan and wait until it is up.

        Cancellation: the application's lifespan is cancelled too.

        Raises:
            StartupError: the application said so, raised (in mode "on"), or did not answer in time.
        """
        if self._mode == "off":
            return
        task = self._task = asyncio.create_task(self._run(), name="lifespan")
        try:
            await self._exchange("lifespan.startup", task)
        except asyncio.CancelledError:
            self._failure = "the server was stopped meanwhile"
            await self._end(task)
            raise
        if self._failure is not None:
            await self._end(task)
            raise StartupError(f"application start-up failed: {self._failure}") from self._error
        if not self._answered.is_set():
            self._withdraw()
        self._phase = _Phase.RUNNING

    async def shutdown(self) -> None:
        """Tell the application that the worker stops, and wait for its end. Errors are logged: nothing can be done about them."""
        task = self._task
        if task is None:
            return
        if not task.done():
            self._answered.clear()
            self._phase = _Phase.STOPPING
            await self._exchange("lifespan.shutdown", task)
        await self._end(task)
        if self._failure is not None:
            logger.error("application shutdown failed: %s", self._failure, exc_info=self._error)

    async def _exchange(self, kind: str, task: asyncio.Task[None]) -> None:
        self._events.put_nowait({"type": kind})
        answered = asyncio.create_task(self._answered.wait())
        try:
            done, _ = await asyncio.wait(
                {answered, task}, timeout=self._timeout, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            answered.cancel()
        if not done:
            self._failure = f"no answer to {kind} within {self._timeout:g} s"

    def _withdraw(self) -> None:
        """Decide what it means that the application ended without an answer."""
        if self._error is not None and self._mode == "on":
            raise StartupError(f"application raised in its lifespan: {self._error!r}") from self._error
        if isinstance(self._error, TypeError) and "positional argument" in str(self._error):
            logger.warning(
                "application may not be ASGI 3, see --interface; its lifespan raised %r", self._error
            )
        elif self._error is not None:
            logger.debug("application has no lifespan: %r", self._error)
        self._task = None

    async def _end(self, task: asyncio.Task[None]) -> None:
        """Wait for the end of the task; it has answered, or nothing it says would matter any more."""
        if self._failure is not None:
            task.cancel()
        _, pending = await asyncio.wait({task}, timeout=min(self._timeout, END_TIMEOUT))
        if pending:
            task.cancel()
            _, pending = await asyncio.wait({task}, timeout=min(1.0, END_TIMEOUT))
        if pending:
            logger.warning("the application's lifespan goes on although it was cancelled; leaving it")

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self._state}
        try:
            await self._app(scope, self._receive, self._send)
        except Exception as exc:
            self._error = exc
            # One that raises in the same step as it answers is up, too.
            is_up = self._phase is _Phase.STARTING and self._answered.is_set() and self._failure is None
            if self._phase is _Phase.RUNNING or is_up:
                logger.exception("application raised in its lifespan after start-up")
            elif self._phase is _Phase.STOPPING:
                self._failure = self._failure or repr(exc)

    async def _receive(self) -> dict[str, str]:
        return await self._events.get()

    async def _send(self, message: dict[str, Any]) -> None:  # Any: ASGI messages are open dicts
        kind = message.get("type")
        name = {_Phase.STARTING: "startup", _Phase.STOPPING: "shutdown"}.get(self._phase)
        if (
            name is None
            or self._answered.is_set()
            or kind not in (f"lifespan.{name}.complete", f"lifespan.{name}.failed")
        ):
            raise MessageError(f"lifespan message {kind!r} is not an answer to any event at this point")
        if kind.endswith("failed"):
            self._failure = message.get("message") or "no reason given"
        self._answered.set()
