"""What the decorators are made with: a view around a view, its signature kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeAlias

from transom.web import Request, Response
from transom.web.urls.checks import is_async_callable

P = ParamSpec("P")
View: TypeAlias = Callable[P, Awaitable[Response]]
DecoratedView: TypeAlias = Callable[P, Coroutine[Any, Any, Response]]


def around(
    view: View[P], answer: Callable[[Request, Callable[[], Awaitable[Response]]], Awaitable[Response]]
) -> DecoratedView[P]:
    """Return a view that is answered by `answer(request, call)`, where `call()` gives the response of the view.

    Raises:
        TypeError: the view is not async; a decorator would hide that from the check at start-up.
    """
    check_async(view)

    @wraps(view)
    async def decorated(*args: P.args, **kwargs: P.kwargs) -> Response:
        return await answer(find_request(args), lambda: view(*args, **kwargs))

    return decorated


def changing(view: View[P], change: Callable[[Response], None]) -> DecoratedView[P]:
    """Return a view whose response is changed.

    Raises:
        TypeError: the view is not async.
    """
    check_async(view)

    @wraps(view)
    async def decorated(*args: P.args, **kwargs: P.kwargs) -> Response:
        response = await view(*args, **kwargs)
        change(response)
        return response

    return decorated


def find_request(args: tuple[object, ...]) -> Request:
    """Return the request a view was called with: its first argument, and behind `self` in a method."""
    for arg in args[:2]:
        if isinstance(arg, Request):
            return arg
    raise TypeError("a decorated view was called without a request; give it as the first argument")


def check_async(view: Callable[..., object]) -> None:
    """Refuse a view that is not async."""
    if not is_async_callable(view):
        name = getattr(view, "__qualname__", repr(view))
        raise TypeError(
            f"view {name} is not async; write `async def`; or, if it has to block, put `@threaded` below this decorator"
        )
