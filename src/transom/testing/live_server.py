"""A real server around an application, for tests that need a socket: browsers, other HTTP clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transom.server import Config, Server

if TYPE_CHECKING:
    from types import TracebackType

    from transom.asgi.types import ASGIApplication

SHUTDOWN_TIMEOUT = 2.0  # seconds; a test does not wait for what a visitor left open


class LiveServer:
    """Serves an application on a free port of 127.0.0.1, in this event loop, while its `async with` block runs.

    The application's lifespan runs around the block. It shares the loop with the test, so it sees what the test wrote
    within the `db` fixture; the test must await, never block, while it talks to the server.
    """

    def __init__(self, app: ASGIApplication) -> None:
        config = Config(
            host="127.0.0.1", port=0, access_log=False, timeout_graceful_shutdown=SHUTDOWN_TIMEOUT
        )
        self._server = Server(app, config)

    @property
    def url(self) -> str:
        """The address without a slash at its end: `http://127.0.0.1:50123`.

        Raises:
            RuntimeError: the server does not run.
        """
        if not self._server.addresses:
            raise RuntimeError("the live server does not run; use it inside `async with`")
        host, port = self._server.addresses[0]
        return f"http://{host}:{port}"

    async def __aenter__(self) -> LiveServer:
        await self._server.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._server.__aexit__(exc_type, exc_value, traceback)
