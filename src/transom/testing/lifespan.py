"""The lifespan of an application under test."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from transom.testing.exceptions import ClientGone, LifespanFailed
from transom.testing.running import RunningApplication, wait_for
from transom.testing.scopes import build_lifespan_scope

if TYPE_CHECKING:
    import contextvars

    from transom.asgi.types import ASGIApplication, LifespanShutdownEvent, LifespanStartupEvent
    from transom.testing.scopes import State

TIMEOUT = 30.0  # seconds; start-up may connect to services


class Lifespan:
    """Starts an application up and shuts it down, in one task of its own.

    An application that raises before it reads `lifespan.startup`, or returns, has no lifespan; that is no error.

    Attributes:
        state: what the application keeps for its requests.
    """

    def __init__(self, app: ASGIApplication, context: contextvars.Context) -> None:
        self.state: State = {}
        self._app = app
        self._context = context
        self._running: RunningApplication | None = None
        self._asked = False
        self._failure: str | None = None
        self._started = asyncio.Event()
        self._stopping = asyncio.Event()

    async def start(self) -> None:
        """Start the application up.

        Raises:
            LifespanFailed: the application says that it cannot start.
            TimeoutError: it said nothing in time.

        What the application raises at its start is raised here.
        """
        self._running = RunningApplication(
            self._app,
            build_lifespan_scope(self.state),
            self._receive,
            self._send,
            context=self._context,
            on_done=self._application_returned,
        )
        try:
            await wait_for(self._started.wait(), TIMEOUT, "lifespan.startup.complete from the application")
        except BaseException:
            await self._running.cancel()
            raise
        if self._failure is not None:
            await self._running.wait(TIMEOUT, "the application sent lifespan.startup.failed")
        self._raise_failure(self._running)

    async def stop(self) -> None:
        """Shut the application down; what it raises or reports as a failure is raised here."""
        if self._running is None:
            return
        self._stopping.set()
        await self._running.wait(TIMEOUT, "the application was sent lifespan.shutdown")
        self._raise_failure(self._running)

    def _raise_failure(self, running: RunningApplication) -> None:
        error = running.take_error()
        if self._failure is not None:
            message, self._failure = self._failure, None
            raise LifespanFailed(message or "the application gave no message") from error
        if error is not None and self._asked:
            raise error

    async def _receive(self) -> LifespanStartupEvent | LifespanShutdownEvent:
        if not self._asked:
            self._asked = True
            return {"type": "lifespan.startup"}
        await self._stopping.wait()
        if self._failure is not None:
            raise ClientGone("the application failed to start: there is no shutdown to wait for")
        return {"type": "lifespan.shutdown"}

    async def _send(self, message: Any) -> None:  # Any: an application may send anything; it is checked here
        match message["type"]:
            case "lifespan.startup.complete":
                self._started.set()
            case "lifespan.startup.failed" | "lifespan.shutdown.failed":
                self._failure = message.get("message", "")
                self._started.set()
                self._stopping.set()
            case "lifespan.shutdown.complete":
                pass  # it returns next, and that is waited for
            case other:
                raise RuntimeError(f"unexpected message {other!r}; expected one of the lifespan")

    def _application_returned(self, running: RunningApplication) -> None:
        self._started.set()
