"""The life of an ASGI application that no ASGI server runs.

Source: ASGI lifespan protocol 2.0.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transom.asgi.types import ASGIApplication


class Lifespan:
    """Tells an application that it starts and stops. One that raises before it has answered has no lifespan.

    Args:
        app: the application; it runs in a task of its own, from its start to its stop.
    """

    def __init__(self, app: ASGIApplication) -> None:
        self._app = app
        self._state: dict[str, Any] = {}  # Any: the application decides what it keeps there
        self._events: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        self._answer: asyncio.Future[dict[str, Any]] | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def state(self) -> dict[str, Any] | None:
        """What the application keeps for its requests; None if it has no lifespan."""
        return None if self._task is None else self._state

    async def startup(self) -> None:
        """Start the application and wait until it is up.

        Raises:
            RuntimeError: it said that it cannot.
        """
        self._task = asyncio.create_task(self._run())
        if not await self._tell("startup", self._task):
            self._task = None

    async def shutdown(self) -> None:
        """Tell the application that it is over, and wait for its end.

        Raises:
            RuntimeError: it said that something went wrong.
        """
        if self._task is not None and not self._task.done() and await self._tell("shutdown", self._task):
            await asyncio.wait({self._task})

    async def _tell(self, event: str, task: asyncio.Task[None]) -> bool:
        """Send an event; return whether it was answered."""
        answer = self._answer = asyncio.get_running_loop().create_future()
        self._events.put_nowait({"type": f"lifespan.{event}"})
        await asyncio.wait({answer, task}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            answer.cancel()
            return False
        message = answer.result()
        if message["type"] == f"lifespan.{event}.failed":
            task.cancel()
            await asyncio.wait({task})
            raise RuntimeError(f"application {event} failed: {message.get('message') or 'no reason given'}")
        return True

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self._state}
        try:
            await self._app(scope, self._events.get, self._send)
        except Exception:
            # Before an answer: it has no lifespan. After it: it has said all that it had to say.
            return

    async def _send(self, message: dict[str, Any]) -> None:  # Any: ASGI messages are open dicts
        if self._answer is None or self._answer.done():
            raise RuntimeError(f"lifespan message {message.get('type')!r} answers no event")
        self._answer.set_result(message)
