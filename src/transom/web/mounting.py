"""Other ASGI applications below prefixes: their life, their requests, and what they see of the address."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

from transom.asgi.lifespan import Lifespan
from transom.conf import ImproperlyConfigured
from transom.web.response import Response

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable

    from transom.asgi.types import ASGIApplication, HTTPScope, Receive, Send, WebSocketScope


class Mounts:
    """The mounted applications of a site, and the state that their lifespans keep for their requests."""

    def __init__(self) -> None:
        # By identity: an application need not be hashable, and the URLconf keeps it.
        self._states: dict[int, dict[str, Any]] = {}  # Any: an application decides what it keeps

    @asynccontextmanager
    async def running(self, mounts: Iterable[tuple[str, ASGIApplication]]) -> AsyncGenerator[None]:
        """Run the lifespans of applications, given by prefix; each once, also where it is mounted twice.

        They start in order and stop in the reverse. One that has no lifespan is left alone.

        Raises:
            ImproperlyConfigured: an application said that it cannot start.
            RuntimeError: an application said that it could not stop; the others have been stopped.
        """
        async with AsyncExitStack() as stack:
            for prefix, application in mounts:
                if id(application) not in self._states:
                    await self._start(prefix, application, stack)
            yield

    async def _start(self, prefix: str, application: ASGIApplication, stack: AsyncExitStack) -> None:
        lifespan = Lifespan(application)
        try:
            await lifespan.startup()
        except RuntimeError as exc:
            raise ImproperlyConfigured(f"what is mounted at {'/' + prefix!r} cannot start: {exc}") from exc
        self._states[id(application)] = lifespan.state or {}
        stack.callback(self._states.pop, id(application))
        stack.push_async_callback(lifespan.shutdown)

    def build_scope(
        self, scope: HTTPScope | WebSocketScope, application: ASGIApplication, prefix: str
    ) -> dict[str, object]:
        """Return the scope for a mounted application: `path` whole, `root_path` longer by the prefix, and its own state.

        Source: ASGI HTTP scope, `path` and `root_path`; lifespan state.
        """
        root_path = scope.get("root_path", "")
        below = f"{root_path}/{prefix.removesuffix('/')}" if prefix else root_path
        state = {**scope.get("state", {}), **self._states.get(id(application), {})}
        return {**cast("dict[str, object]", scope), "root_path": below, "state": state}


class MountedResponse(Response):
    """The response of a mounted application, made when it is sent.

    Middleware sees no status or body, but what it puts into `headers` is added to what the application sends, unless the
    application sends a field of that name itself.

    Args:
        application: the ASGI application.
        prefix: the text of its mount.
        mounts: what makes its scope.
    """

    def __init__(self, application: ASGIApplication, prefix: str, mounts: Mounts) -> None:
        super().__init__()
        self.headers.raw.clear()
        self._application = application
        self._prefix = prefix
        self._mounts = mounts

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        """Run the application; what it raises is for the server, as if it were served alone."""
        added = self.headers.raw

        async def send_with_headers(message: Any) -> None:  # Any: see Send
            if message["type"] == "http.response.start" and added:
                lines = list(message.get("headers", ()))
                present = {bytes(name).lower() for name, _ in lines}
                lines += [line for line in added if line[0] == b"set-cookie" or line[0] not in present]
                message = {**message, "headers": lines}
            await send(message)

        below = self._mounts.build_scope(scope, self._application, self._prefix)
        await self._application(below, receive, send_with_headers)


def route_path(scope: HTTPScope | WebSocketScope) -> str:
    """Return the path below `root_path`, with its leading slash.

    A server or proxy that leaves the root path out of `path`, against the specification, is understood as well.
    """
    path = scope["path"]
    root_path = scope.get("root_path", "").rstrip("/")
    if root_path and path.startswith(root_path) and path[len(root_path) : len(root_path) + 1] in ("", "/"):
        return path[len(root_path) :] or "/"
    return path
