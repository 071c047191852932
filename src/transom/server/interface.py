"""What kind of application it is, found by looking at it; and each kind as the one that the server calls, ASGI 3.

Nothing is called to find out. An application says what it is by a hint (asgiref's attributes), by being a coroutine function,
or by how many arguments it takes:

    ASGI 3  app(scope, receive, send)                       ASGI 2  app(scope)(receive, send)
    WSGI    app(environ, start_response)

A class is called as its `__init__` says. What cannot be told is taken for ASGI 3.
"""

from __future__ import annotations

import functools
import inspect
import logging
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, cast

from transom.asgi.wsgi import WSGIToASGI
from transom.server.exceptions import LoadError

if TYPE_CHECKING:
    from collections.abc import Callable
    from wsgiref.types import WSGIApplication

    from transom.asgi.types import ASGIApplication, Receive, Scope, Send
    from transom.server.config import Config

Application: TypeAlias = "Callable[..., Any]"  # Any: of one of these interfaces, which is found out here
Interface: TypeAlias = Literal["asgi3", "asgi2", "wsgi"]

logger = logging.getLogger("transom.server")

_ARGUMENTS: Final[dict[Interface, tuple[str, ...]]] = {
    "asgi3": ("scope", "receive", "send"),
    "asgi2": ("scope",),
    "wsgi": ("environ", "start_response"),
}
_TITLES: Final[dict[Interface, str]] = {"asgi3": "ASGI 3", "asgi2": "ASGI 2", "wsgi": "WSGI"}


def adapt(app: Application, config: Config) -> ASGIApplication:
    """Return an application as ASGI 3, whatever it is; `config.interface` says what, or to look.

    Raises:
        LoadError: it cannot be called as that.
    """
    if not callable(app):
        raise LoadError(f"{app!r} cannot be called; it must be an ASGI or WSGI application")
    interface = detect(app) if config.interface == "auto" else config.interface
    _check(app, interface)
    if interface == "asgi2":
        return double_to_single(app)
    if interface == "wsgi":
        logger.info("the application is WSGI: %d threads run it", config.wsgi_threads)
        return WSGIToASGI(
            cast("WSGIApplication", app), threads=config.wsgi_threads, multiprocess=config.workers > 1
        )
    return cast("ASGIApplication", app)


def detect(app: Application) -> Interface:
    """Return the interface of an application.

    Source: asgiref `compatibility.py` for the hints, and for that classes are ASGI 2.
    """
    if getattr(app, "_asgi_single_callable", False):
        return "asgi3"
    if getattr(app, "_asgi_double_callable", False):
        return "asgi2"
    if _is_async(app):
        return "asgi3"
    signature = _find_signature(app)
    if signature is None:
        return "asgi3"
    if inspect.isclass(app):
        # What is made is the answer: for two arguments an iterable (PEP 3333), for three an awaitable (Starlette's endpoints).
        answers: dict[int | None, Interface] = {2: "wsgi", 3: "asgi3"}
        return answers.get(_find_count(signature), "asgi2")
    first = next(iter(signature.parameters), "")
    if first in ("environ", "env") or (_find_count(signature) == 2 and first != "scope"):
        return "wsgi"
    return "asgi2" if _find_count(signature) == 1 else "asgi3"


def double_to_single(app: Application) -> ASGIApplication:
    """Return an ASGI 2 application, `app(scope)(receive, send)`, as ASGI 3."""

    async def single(scope: Scope, receive: Receive, send: Send) -> None:
        legacy = {**scope, "asgi": {**scope["asgi"], "version": "2.0"}}
        await app(legacy)(receive, send)

    return single


def _check(app: Application, interface: Interface) -> None:
    """Refuse what every request would fail with.

    Raises:
        LoadError: the application cannot be called as that interface says.
    """
    if inspect.isclass(app) and interface == "asgi2" and not _has_legacy_instances(app):
        raise LoadError(
            f"{_describe(app)} is a class; name an instance of it, such as app = {app.__name__}(...)"
        )
    if interface == "wsgi" and _is_async(app):
        raise LoadError(
            f"{_describe(app)} is asynchronous, which WSGI is not; use --interface asgi3, or auto"
        )
    arguments = _ARGUMENTS[interface]
    # Not what a decorator says the signature is, but what it will be called with.
    signature = _find_signature(app, follow_wrapped=False)
    if signature is None or _takes(signature, len(arguments)):
        return
    if not signature.parameters:
        raise LoadError(
            f"{_describe(app)} takes no arguments; if it makes the application, call it: module:name(), or use --factory"
        )
    raise LoadError(
        f"{_describe(app)} takes {signature}, but {_TITLES[interface]} calls it with ({', '.join(arguments)}); see --interface"
    )


def _is_async(app: Application) -> bool:
    while isinstance(app, functools.partial):
        app = app.func
    call = None if inspect.isclass(app) else type(app).__call__
    return inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(call)


def _find_signature(app: Application, *, follow_wrapped: bool = True) -> inspect.Signature | None:
    try:
        return inspect.signature(app, follow_wrapped=follow_wrapped)
    except (TypeError, ValueError):
        return None  # written in C, or it lies


def _takes(signature: inspect.Signature, count: int) -> bool:
    """Tell whether that many positional arguments fit."""
    try:
        signature.bind(*[None] * count)
    except TypeError:
        return False
    return True


def _find_count(signature: inspect.Signature) -> int | None:
    """Return the one number of positional arguments that fits, or None if there are more."""
    fitting = [count for count in range(6) if _takes(signature, count)]
    return fitting[0] if len(fitting) == 1 else None


def _has_legacy_instances(cls: type) -> bool:
    """Tell whether instances of a class are called with (receive, send), as those of ASGI 2 are."""
    call = next((vars(base)["__call__"] for base in cls.__mro__ if "__call__" in vars(base)), None)
    if call is None or not inspect.iscoroutinefunction(call):
        return False
    return _takes(inspect.signature(call), 3)  # with self


def _describe(app: Application) -> str:
    return f"application {getattr(app, '__qualname__', None) or type(app).__qualname__!s}"
