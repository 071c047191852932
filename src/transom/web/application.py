"""The application: settings, URLconf and middleware behind one ASGI callable.

A request goes: `__call__` -> the URLconf finds the route -> middleware, outermost first -> the view -> its response, back
through the middleware -> `response(scope, receive, send)`. An exception becomes a response where it leaves the view or a
layer (`failures.respond_to`), so middleware always sees a response. What fails while a response is already being sent goes
to the server, which can only break the connection.

Built once at start-up, and only read after it: the URLconf and the chain of middleware.
"""

from __future__ import annotations

import importlib
import inspect
import logging
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import cached_property
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from transom.conf import CheckMessage, ImproperlyConfigured, Settings, Severity, apps, run_checks
from transom.web.errors import ClientDisconnect
from transom.web.failures import TESTING_EXTENSION, answer_miss, respond_to
from transom.web.hosts import find_host, is_allowed_host
from transom.web.lifespan import serve_lifespan
from transom.web.middleware import DEFAULT_MIDDLEWARE, allowed_hosts, compose, csrf, security_headers
from transom.web.middleware.phases import Phase, find_misplaced, phase_of
from transom.web.mounting import MountedResponse, Mounts, route_path
from transom.web.request import Request
from transom.web.response import Response
from transom.web.staticfiles import StaticFiles
from transom.web.templating import find_error_pages, find_static_dirs, make_engine
from transom.web.threadpools import ThreadPools
from transom.web.transactions import call_atomically, is_atomic
from transom.web.urls import Current, URLconf, current, include, path
from transom.web.urls.checks import describe_view, is_async_callable
from transom.web.websockets import WebSocket, find_refusal, serve_view

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
    from types import ModuleType

    from transom.asgi.types import HTTPScope, Receive, Send, WebSocketScope
    from transom.db import Router
    from transom.templates import Engine
    from transom.web.middleware import CallNext, Middleware
    from transom.web.urls import Query, ResolverMatch, URLPattern

    Lifespan = Callable[["App"], AbstractAsyncContextManager[None] | Awaitable[None]]

# A host that only this machine can mean, in debug.
LOCAL_HOSTS = ("localhost", ".localhost", "127.0.0.1", "[::1]")
TEST_HOST = "testserver"

logger = logging.getLogger("transom.request")


class App:
    """A site, as an ASGI application.

        app = App(urlpatterns, installed_apps=["polls"])

    Making one imports the installed apps and names the databases; nothing is opened. The routes are compiled and checked
    at start-up: when the lifespan starts, or with the first request where a server runs none.

    Args:
        urls: list of routes, or dotted name of a module with `urlpatterns`. None for the `urlpatterns` of the module
            that makes the App, looked up at start-up, so that views may be defined below it.
        settings: None to read them from `overrides`, the environment and `.env`.
        middleware: all layers, outermost first; None for `DEFAULT_MIDDLEWARE`, and a list usually begins with it:
            `[*DEFAULT_MIDDLEWARE, mine]`.
        lifespan: a function of the App that returns an async context manager, open while the site serves; or an `async def`,
            awaited at start-up, where there is nothing to undo.
        overrides: settings by name.

    Raises:
        ImproperlyConfigured: a setting or an installed app is wrong.

    Attributes:
        settings: the settings of the site.
        threads: the pools that `@threaded` functions run in.
    """

    def __init__(
        self,
        urls: Sequence[URLPattern] | ModuleType | str | None = None,
        *,
        settings: Settings | None = None,
        middleware: Sequence[Middleware] | None = None,
        lifespan: Lifespan | None = None,
        **overrides: Any,  # each setting has a type of its own, checked by Settings
    ) -> None:
        if settings is not None and overrides:
            raise TypeError(f"App got settings and also {', '.join(overrides)}; put them into the Settings")
        self.settings = _with_local_hosts(Settings(**overrides) if settings is None else settings)
        self._urls = urls
        self._caller = _caller_globals() if urls is None else {}
        self._middleware = tuple(DEFAULT_MIDDLEWARE if middleware is None else middleware)
        self._lifespan = lifespan
        self._urlconf: URLconf | None = None
        self._handler: CallNext | None = None
        self.threads = ThreadPools()
        self._mounts = Mounts()
        self._current = Current(self)
        current.set(self._current)
        apps.populate(self.settings.installed_apps)
        self._atomic = [alias for alias in self.settings.atomic_requests if alias in self.settings.databases]
        if self.settings.databases:
            from transom.db import connections
            from transom.db.timezone import set_default_timezone

            routers = [_make_router(name) for name in self.settings.database_routers]
            connections.configure(self.settings.databases, routers)
            set_default_timezone(self.settings.time_zone)

    @property
    def urlconf(self) -> URLconf:
        """The routes, those of static files included; compiled when first asked for."""
        if self._urlconf is None:
            self._urlconf = URLconf([*self._declared_urls(), *self._static_urls()])
        return self._urlconf

    @property
    def middleware(self) -> tuple[Middleware, ...]:
        """All layers, the outermost first."""
        return self._middleware

    @cached_property
    def templates(self) -> Engine:
        """The template engine, made when it is first asked for."""
        return make_engine(self.settings)

    def reverse(
        self,
        name: str,
        /,
        *args: object,
        query: Query | None = None,
        fragment: str | None = None,
        current_app: str | None = None,
        **kwargs: object,
    ) -> str:
        """Return the path of a named route of this site; see `transom.web.reverse`.

        Within a request of this site it includes the root path the site is served under.
        """
        here = current.get(self._current)
        here = here if here.site is self else self._current
        return here.reverse(name, args, kwargs, query=query, fragment=fragment, current_app=current_app)

    def check(self) -> list[CheckMessage]:
        """Return what is wrong with routes and middleware, the worst first."""
        messages = [
            *self.urlconf.checks,
            *_check_hosts(self.urlconf, self.settings.allowed_hosts),
            *_check_middleware(self._middleware),
            *self._check_key(),
        ]
        # What a view or layer needs of the site, it knows itself: other layers, installed apps, databases.
        messages += [
            message
            for part in (*self.urlconf.views, *self._middleware)
            if (check_app := getattr(part, "check_app", None)) is not None
            for message in check_app(self)
        ]
        return sorted(messages, key=lambda message: -message.severity)

    def _check_key(self) -> list[CheckMessage]:
        """Without a key the first form would fail, and in production that is too late to find out."""
        if self.settings.debug or self.settings.secret_key is not None or csrf not in self._middleware:
            return []
        hint = "set TRANSOM_SECRET_KEY to the output of `python -c 'import secrets; print(secrets.token_urlsafe(50))'`"
        return [
            CheckMessage(
                "web.E011", "secret_key is not set, and CSRF protection signs its tokens with it", hint
            )
        ]

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:  # Any: one of Scope
        """Serve one request, WebSocket or lifespan.

        Raises:
            ValueError: the scope is of another type; the ASGI specification asks for an error.
        """
        kind = scope["type"]
        if kind == "http":
            await self._serve_http(scope, receive, send)
        elif kind == "websocket":
            await self._serve_websocket(scope, receive, send)
        elif kind == "lifespan":
            current.set(self._current)
            await serve_lifespan(self._running(), receive, send)
        else:
            raise ValueError(f"scope type {kind!r} is not served; expected 'http', 'websocket' or 'lifespan'")

    async def _serve_http(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        urlconf = self.urlconf
        request = Request(scope, receive, app=self)
        handler = self._enter(request, urlconf)
        host = find_host(scope)[0] if urlconf.has_hosts else ""
        request.resolver_match = urlconf.resolve(route_path(scope), request.method, host)
        try:
            response = await handler(request)
            await response(scope, receive, send)
        except ClientDisconnect:
            return
        finally:
            await request.aclose()

    async def _serve_websocket(self, scope: WebSocketScope, receive: Receive, send: Send) -> None:
        urlconf = self.urlconf
        socket = WebSocket(scope, receive, send, app=self)
        self._enter(socket, urlconf)
        host = find_host(scope)[0]
        socket.resolver_match = match = urlconf.resolve_websocket(route_path(scope), host)
        refusal = "no route leads there" if match is None else find_refusal(socket, match.matched)
        if match is None or refusal:
            logger.warning("WebSocket %r refused: %s", socket.path, refusal)
            await socket.close()
        elif match.is_mount:
            await match.view(self._mounts.build_scope(scope, match.view, match.route), receive, send)
        else:
            await serve_view(socket, match.view, match.kwargs)

    def _enter(self, connection: Request | WebSocket, urlconf: URLconf) -> CallNext:
        """Make this the current site, started; return the middleware chain."""
        scope = connection.scope
        root_path = scope.get("root_path", "").rstrip("/")
        if urlconf.needs_connection:
            current.set(Current(self, root_path, connection))
        else:
            current.set(Current(self, root_path) if root_path else self._current)
        if (
            TESTING_EXTENSION in (scope.get("extensions") or ())
            and TEST_HOST not in self.settings.allowed_hosts
        ):
            self.settings.allowed_hosts.append(TEST_HOST)
        return self._handler or self._start()

    def _start(self) -> CallNext:
        """Compile and check; done once.

        Raises:
            ImproperlyConfigured: a check found an error; the message holds all findings.
        """
        messages = [*run_checks(self.settings), *self.check()]
        if any(message.severity >= Severity.ERROR for message in messages):
            raise ImproperlyConfigured("the site cannot start:\n" + "\n".join(map(str, messages)))
        for message in messages:
            logger.warning("%s", message)
        pages = frozenset[int]() if self.settings.debug else find_error_pages(self.settings)

        async def respond(request: Request, exc: Exception) -> Response:
            return await respond_to(request, exc, self.urlconf, pages)

        self._handler = compose(self._middleware, self._call_view, respond)
        return self._handler

    async def _call_view(self, request: Request) -> Response:
        match = request.resolver_match
        if match is None:
            return await answer_miss(request, self.urlconf)
        if match.is_mount:
            return MountedResponse(match.view, match.route, self._mounts)
        if request.is_safe or not self._atomic or not is_atomic(match.view):
            return await _call(request, match)
        return await call_atomically(request, self._atomic, lambda: _call(request, match))

    @asynccontextmanager
    async def _running(self) -> AsyncGenerator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.threads.aclose)
            if self.settings.databases:
                from transom.db import connections

                stack.push_async_callback(connections.aclose)
                # What compiles queries takes 0.15 s to import: now, not while the first request waits.
                importlib.import_module("transom.db.sql.statement")
            self._start()
            if self._lifespan is not None:
                begun = self._lifespan(self)
                if isinstance(begun, AbstractAsyncContextManager):
                    await stack.enter_async_context(begun)
                else:
                    await begun
            await stack.enter_async_context(self._mounts.running(self.urlconf.mounts))
            yield

    def _declared_urls(self) -> Sequence[URLPattern]:
        urls = self._caller.get("urlpatterns") if self._urls is None else self._urls
        if urls is None:
            raise ImproperlyConfigured(
                f"module {self._caller.get('__name__')!r} has no urlpatterns; add the list, or give App one"
            )
        return [path("", include(urls))]

    def _static_urls(self) -> Sequence[URLPattern]:
        folders = find_static_dirs(self.settings)
        prefix = self.settings.static_url.lstrip("/")
        return [path(f"{prefix}<path:path>", StaticFiles(folders))] if folders else []


async def _call(request: Request, match: ResolverMatch) -> Response:
    response = await match.view(request, **match.kwargs)
    if not isinstance(response, Response):
        raise TypeError(
            f"view {describe_view(match.view)} returned {type(response).__name__}, expected a Response"
        )
    return response


def _caller_globals() -> dict[str, Any]:  # Any: the globals of a module
    """Return the globals of the module that calls `App`."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_globals is globals():
        frame = frame.f_back
    return {} if frame is None else frame.f_globals


def _make_router(name: str) -> Router:
    """Return the router of a dotted name; a class becomes an instance.

    Raises:
        ImproperlyConfigured: there is nothing of that name.
    """
    try:
        found = resolve_name(name)
    except (ImportError, AttributeError, ValueError) as exc:
        raise ImproperlyConfigured(
            f"database_routers: cannot import {name!r} ({exc}); expected `package.module:name` of a router"
        ) from exc
    return found() if isinstance(found, type) else found


def _with_local_hosts(settings: Settings) -> Settings:
    """Return settings of our own to add hosts to; in debug with the names of this machine."""
    added = LOCAL_HOSTS if settings.debug else ()
    return settings.model_copy(update={"allowed_hosts": [*settings.allowed_hosts, *added]})


def _check_hosts(urlconf: URLconf, allowed: Sequence[str]) -> list[CheckMessage]:
    """Routes of a host that the site does not answer to are never reached."""
    return [
        CheckMessage(
            "web.W013",
            f"routes are limited to host {host.text!r}, which allowed_hosts does not hold; they are answered 400",
            f"add {host.suffix!r} to allowed_hosts",
        )
        for host in urlconf.hosts
        if not is_allowed_host(host.suffix if host.is_text else f"x{host.suffix}", allowed)
    ]


def _check_middleware(middleware: Sequence[Middleware]) -> list[CheckMessage]:
    messages = [
        CheckMessage(
            "web.E008",
            f"middleware {describe_view(layer)} is not async",
            "write `async def middleware(request, call_next)` and return `await call_next(request)`",
        )
        for layer in middleware
        if not is_async_callable(layer)
    ]
    messages += [
        CheckMessage(
            "web.W019",
            f"middleware {describe_view(layer)} ({phase_of(layer).name}) stands inside {describe_view(outside)} "
            f"({phase_of(outside).name})",
            f"put it before; the order is {', '.join(phase.name for phase in Phase)}",
        )
        for layer, outside in find_misplaced(middleware)
    ]
    left_out = [layer for layer in (security_headers, allowed_hosts, csrf) if layer not in middleware]
    return messages + [
        CheckMessage(
            "web.W009",
            f"middleware leaves out {describe_view(layer)}",
            "begin the list with *DEFAULT_MIDDLEWARE",
        )
        for layer in left_out
    ]
