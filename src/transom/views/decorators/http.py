"""Which methods a view answers, and when it need not answer at all: conditional requests.

Source: RFC 9110 sections 13 and 15.5.6.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import wraps
from hashlib import sha256
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias

from transom.views.decorators.base import DecoratedView, View, around, check_async, find_request
from transom.web import HTTPException, MethodNotAllowed, Response
from transom.web.conditional import ETAG, Validators, evaluate_preconditions

if TYPE_CHECKING:
    from datetime import datetime

    from transom.web import Request

P = ParamSpec("P")
# Any: the arguments of the view, the request first; what they are is for the two to agree on.
ETagFunction: TypeAlias = Callable[..., "str | Awaitable[str | None] | None"]
LastModifiedFunction: TypeAlias = Callable[..., "datetime | Awaitable[datetime | None] | None"]
# RFC 9110 15.4.5: what a 304 repeats of the response it stands for; `set-cookie` belongs to the visitor, not the page.
REPEATED = (
    "cache-control",
    "content-location",
    "date",
    "etag",
    "expires",
    "last-modified",
    "set-cookie",
    "vary",
)


def require_http_methods(methods: Iterable[str]) -> Callable[[View[P]], DecoratedView[P]]:
    """Answer only these methods: `@require_http_methods(["GET", "POST"])`.

    As with `path(methods=...)`, GET brings HEAD with it, any other method is answered 405 with `allow`, and OPTIONS with 204.

    Raises:
        TypeError: `methods` is a text and no list.
    """
    if isinstance(methods, str):
        raise TypeError(f"require_http_methods got the text {methods!r}; give a list, e.g. [{methods!r}]")
    chosen = {method.upper() for method in methods}
    allowed = frozenset(chosen | {"HEAD"} if "GET" in chosen else chosen)

    async def answer(request: Request, call: Callable[[], Awaitable[Response]]) -> Response:
        if request.method in allowed:
            return await call()
        if request.method == "OPTIONS":
            return Response(status=204, headers={"allow": ", ".join(sorted(allowed | {"OPTIONS"}))})
        raise MethodNotAllowed(allowed | {"OPTIONS"})

    return lambda view: around(view, answer)


def require_GET(view: View[P], /) -> DecoratedView[P]:
    """Answer only GET, and HEAD with it."""
    return require_http_methods(["GET"])(view)


def require_POST(view: View[P], /) -> DecoratedView[P]:
    """Answer only POST."""
    return require_http_methods(["POST"])(view)


def require_safe(view: View[P], /) -> DecoratedView[P]:
    """Answer only GET and HEAD, which change nothing."""
    return require_http_methods(["GET", "HEAD"])(view)


def condition(
    etag_func: ETagFunction | None = None, last_modified_func: LastModifiedFunction | None = None
) -> Callable[[View[P]], DecoratedView[P]]:
    """Call the view only where the client's copy is out of date; answer 304 or 412 without it where it is not.

    Both functions get what the view gets (in a class-based view without `self`) and may be async. What they return is put
    into the response to GET and HEAD, unless the view has set it. None means that it is not known, or that there is nothing.

    Args:
        etag_func: returns the entity tag of what the view would show: `"v7"`, in quotes or not; `W/"v7"` is a weak one.
        last_modified_func: returns when that last changed, as an aware datetime.

    Raises:
        TypeError: neither is given.
        ValueError: by the request: a tag is malformed, or a datetime is naive.
    """
    if etag_func is None and last_modified_func is None:
        raise TypeError("condition takes a function for the etag, for the time of the last change, or both")

    def decorate(view: View[P]) -> DecoratedView[P]:
        check_async(view)

        @wraps(view)
        async def conditional(*args: P.args, **kwargs: P.kwargs) -> Response:
            request = find_request(args)
            given = args[args.index(request) :]
            state = Validators(
                _quoted(await _call(etag_func, given, kwargs)),
                _in_seconds(await _call(last_modified_func, given, kwargs)),
            )
            status = evaluate_preconditions(request.method, request.headers, state)
            if status == 412:
                raise HTTPException(412, "what the request was made for is not what is here now")
            response = await view(*args, **kwargs) if status is None else Response(status=304)
            if request.method in ("GET", "HEAD"):
                _add_validators(response, state)
            return response

        return conditional

    return decorate


def etag(etag_func: ETagFunction) -> Callable[[View[P]], DecoratedView[P]]:
    """Call the view only for clients whose copy has another entity tag; see `condition`."""
    return condition(etag_func=etag_func)


def last_modified(last_modified_func: LastModifiedFunction) -> Callable[[View[P]], DecoratedView[P]]:
    """Call the view only for clients whose copy is older; see `condition`."""
    return condition(last_modified_func=last_modified_func)


def conditional_page(view: View[P], /) -> DecoratedView[P]:
    """Make the entity tag of the content itself: the view runs, but a client that has just this gets 304 in its place.

    For responses to GET whose content is at hand: those that stream, and those that no cache may store, stay as they are.
    """

    async def answer(request: Request, call: Callable[[], Awaitable[Response]]) -> Response:
        response = await call()
        if not _can_be_compared(request, response):
            return response
        if "etag" not in response.headers:
            response.headers["etag"] = f'"{sha256(response.body).hexdigest()[:32]}"'
        state = Validators(response.headers["etag"], None)
        if evaluate_preconditions(request.method, request.headers, state) != 304:
            return response
        kept = [(name, value) for name, value in response.headers.multi_items() if name in REPEATED]
        return Response(status=304, headers=kept)

    return around(view, answer)


def _quoted(tag: str | None) -> str | None:
    if tag is None or ETAG.fullmatch(tag):
        return tag
    if ETAG.fullmatch(quoted := f'"{tag}"'):
        return quoted
    raise ValueError(f"entity tag {tag!r} is malformed; use visible ASCII characters without quotes inside")


def _in_seconds(modified: datetime | None) -> datetime | None:
    if modified is None:
        return None
    if modified.tzinfo is None:
        raise ValueError(f"the time of the last change, {modified!r}, is naive; return an aware datetime")
    return modified.replace(microsecond=0)  # HTTP dates have whole seconds


def _add_validators(response: Response, state: Validators) -> None:
    if state.etag is not None:
        response.headers.setdefault("etag", state.etag)
    if state.last_modified is not None:
        response.headers.setdefault("last-modified", state.http_date)


def _can_be_compared(request: Request, response: Response) -> bool:
    if request.method not in ("GET", "HEAD") or response.status != 200 or not response.body:
        return False
    return "no-store" not in response.headers.get("cache-control", "").lower()


async def _call(
    function: Callable[..., Any] | None, args: tuple[object, ...], kwargs: dict[str, Any]
) -> Any:  # Any: see ETagFunction
    if function is None:
        return None
    result = function(*args, **kwargs)
    return await result if isawaitable(result) else result
