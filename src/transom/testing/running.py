"""An application under test, running in a task of its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from transom.testing.exceptions import is_client_gone

if TYPE_CHECKING:
    import contextvars
    from collections.abc import Awaitable, Callable

    from transom.asgi.types import ASGIApplication, Receive, Scope, Send

T = TypeVar("T")

CANCEL_TIMEOUT = 5.0  # seconds; as long as our server gives an application that it has cancelled


class RunningApplication:
    """One call of an ASGI application.

    Attributes:
        error: what the application raised, unless it only said that the client had left. Take it with `take_error`.
    """

    def __init__(
        self,
        app: ASGIApplication,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        context: contextvars.Context,
        on_done: Callable[[RunningApplication], None],
    ) -> None:
        self.error: BaseException | None = None
        self._call = app, scope, receive, send
        self._on_done = on_done
        self._task = asyncio.get_running_loop().create_task(self._run(), context=context)

    @property
    def done(self) -> bool:
        """Whether the application has returned."""
        return self._task.done()

    async def _run(self) -> None:
        app, scope, receive, send = self._call
        try:
            await app(scope, receive, send)
        except (asyncio.CancelledError, KeyboardInterrupt, SystemExit):
            raise
        except BaseException as exc:  # pytest's own outcomes, such as pytest.fail(), are no Exceptions
            if not is_client_gone(exc):
                self.error = exc
        finally:
            self._on_done(self)

    async def wait(self, timeout: float | None, what: str) -> None:
        """Wait until the application has returned; cancel it if it does not in time.

        Raises:
            TimeoutError: it did not; the message says that it was `what`.
        """
        await asyncio.wait([self._task], timeout=timeout)
        if not self._task.done():
            await self.cancel()
            raise TimeoutError(f"{what}, but did not return within {timeout} s; it was cancelled")

    async def cancel(self) -> None:
        """Cancel the application and wait for it to stop.

        Raises:
            TimeoutError: it swallows the cancellation.
        """
        self._task.cancel()
        await asyncio.wait([self._task], timeout=CANCEL_TIMEOUT)
        if not self._task.done():
            raise TimeoutError(f"the application was cancelled, but went on for {CANCEL_TIMEOUT} s")

    def take_error(self) -> BaseException | None:
        """Return the error once, then None: a test sees each exception a single time."""
        error, self.error = self.error, None
        return error


async def wait_for(awaitable: Awaitable[T], timeout: float | None, what: str) -> T:
    """Await something the application has to do.

    Raises:
        TimeoutError: it did not happen within `timeout` seconds; the message says that it waited for `what`.
    """
    try:
        async with asyncio.timeout(timeout):
            return await awaitable
    except TimeoutError:
        raise TimeoutError(f"waited {timeout} s for {what}") from None
