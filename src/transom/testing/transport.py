"""The httpx transport that calls an ASGI application."""

from __future__ import annotations

import contextvars
from typing import TYPE_CHECKING

import httpx

from transom.testing.exchange import HTTPExchange
from transom.testing.lifespan import Lifespan
from transom.testing.scopes import build_http_scope

if TYPE_CHECKING:
    from types import TracebackType

    from transom.asgi.types import ASGIApplication
    from transom.testing.scopes import State


class ASGITransport(httpx.AsyncBaseTransport):
    """Carries requests to an application in this event loop; as a context manager it runs the application's lifespan.

    The application runs in copies of the context this object was made in, not in the caller's: like behind a server,
    it does not see a transaction or a variable that the test has open.
    """

    def __init__(self, app: ASGIApplication, *, raise_exceptions: bool) -> None:
        self.app = app
        self.raise_exceptions = raise_exceptions
        self._context = contextvars.copy_context()
        self._lifespan: Lifespan | None = None
        self._exchanges: set[HTTPExchange] = set()

    @property
    def state(self) -> State:
        """What the application keeps from its lifespan; empty without one."""
        return self._lifespan.state if self._lifespan else {}

    def copy_context(self) -> contextvars.Context:
        """Return the context for one call of the application."""
        return self._context.copy()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Call the application; return when it has sent the head of its response."""
        self._exchanges = {exchange for exchange in self._exchanges if not exchange.done}
        exchange = HTTPExchange(
            self.app,
            request,
            build_http_scope(request, self.state, raise_exceptions=self.raise_exceptions),
            context=self.copy_context(),
            raise_exceptions=self.raise_exceptions,
        )
        self._exchanges.add(exchange)
        return await exchange.respond()

    async def __aenter__(self) -> ASGITransport:
        self._lifespan = Lifespan(self.app, self.copy_context())
        await self._lifespan.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Cancel what still runs, then shut the application down."""
        for exchange in self._exchanges:
            await exchange.cancel()
        self._exchanges.clear()
        if self._lifespan is not None:
            lifespan, self._lifespan = self._lifespan, None
            await lifespan.stop()
