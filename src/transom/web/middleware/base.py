"""The one shape of middleware, and how layers become one callable."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol, TypeAlias

from transom.web.request import Request
from transom.web.response import Response

if TYPE_CHECKING:
    from collections.abc import Sequence

CallNext: TypeAlias = Callable[[Request], Awaitable[Response]]
ErrorResponder: TypeAlias = Callable[[Request, Exception], Awaitable[Response]]


class Middleware(Protocol):
    """A layer around every view: a coroutine function, or an object with an async `__call__`.

    `call_next` gives the response of the layers inside, never an exception of theirs: an error has become its page by then.
    What a layer itself raises becomes a response right there, so that the layers outside still see one.
    """

    def __call__(self, request: Request, call_next: CallNext, /) -> Awaitable[Response]:
        """Return the response, the inner one or another."""
        ...


def compose(middleware: Sequence[Middleware], view: CallNext, respond: ErrorResponder) -> CallNext:
    """Return one callable of all layers, the first outermost; done once, at start-up.

    Args:
        middleware: the layers.
        view: what is innermost.
        respond: makes a response of an exception, or raises it again where nobody is to answer.
    """
    call_next = _guard(view, respond)
    for layer in reversed(middleware):
        call_next = _wrap(layer, call_next, respond)
    return call_next


def _guard(view: CallNext, respond: ErrorResponder) -> CallNext:
    async def call_view(request: Request) -> Response:
        try:
            return await view(request)
        except Exception as exc:
            return await respond(request, exc)

    return call_view


def _wrap(layer: Middleware, call_next: CallNext, respond: ErrorResponder) -> CallNext:
    async def call_layer(request: Request) -> Response:
        try:
            return await layer(request, call_next)
        except Exception as exc:
            return await respond(request, exc)

    return call_layer
