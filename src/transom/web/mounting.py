"""Another ASGI application below a prefix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from transom.web.response import Response

if TYPE_CHECKING:
    from transom.asgi.types import ASGIApplication, HTTPScope, Receive, Send, WebSocketScope


class MountedResponse(Response):
    """The response of a mounted application, made when it is sent.

    Middleware sees no status or body, but what it puts into `headers` is added to what the application sends, unless the
    application sends a field of that name itself.

    Args:
        application: the ASGI application.
        prefix: the text of its mount.
    """

    def __init__(self, application: ASGIApplication, prefix: str) -> None:
        super().__init__()
        self.headers.raw.clear()
        self._application = application
        self._prefix = prefix

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

        await self._application(mounted_scope(scope, self._prefix), receive, send_with_headers)


def mounted_scope(scope: HTTPScope | WebSocketScope, prefix: str) -> dict[str, object]:
    """Return the scope for an application mounted at a prefix: `path` whole, `root_path` longer by the prefix.

    Source: ASGI HTTP scope, `path` and `root_path`.
    """
    root_path = scope.get("root_path", "")
    below = f"{root_path}/{prefix.removesuffix('/')}" if prefix else root_path
    return {**cast("dict[str, object]", scope), "root_path": below}


def route_path(scope: HTTPScope | WebSocketScope) -> str:
    """Return the path below `root_path`, with its leading slash.

    A server or proxy that leaves the root path out of `path`, against the specification, is understood as well.
    """
    path = scope["path"]
    root_path = scope.get("root_path", "").rstrip("/")
    if root_path and path.startswith(root_path) and path[len(root_path) : len(root_path) + 1] in ("", "/"):
        return path[len(root_path) :] or "/"
    return path
