"""The test client."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import httpx

from transom.testing.scopes import build_websocket_scope
from transom.testing.transport import ASGITransport
from transom.testing.websocket import WebSocketSession

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from transom.asgi.types import ASGIApplication

WEBSOCKET_FIELDS = {
    "connection": "upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": base64.b64encode(b"transom testing!").decode(),
}


class Client(httpx.AsyncClient):
    """An httpx client that calls an ASGI application in this event loop, without a socket.

    `async with Client(app) as client:` runs the application's lifespan around the block. Everything of
    `httpx.AsyncClient` works: cookies are kept, `client.stream(...)` gets a response while it is sent, and closing it
    early is a disconnect for the application. Nothing is sent that the test did not ask for: to post as a page of the
    site would, send the form's token, or `headers={"Sec-Fetch-Site": "same-origin"}` as browsers do.

    Args:
        app: any ASGI 3 application.
        base_url: what relative URLs are joined to; a Transom site answers to `testserver` in tests.
        raise_exceptions: raise in the test what the application raises. Off, a failure before the response is a 500
            response, and one inside it `httpx.RemoteProtocolError`.
        headers: sent with every request.
        cookies: the jar's first content.
        timeout: seconds each wait for the application may take before `httpx.ReadTimeout` (`TimeoutError` for a
            WebSocket); None waits forever.
        follow_redirects: whether to follow redirects by default.
    """

    def __init__(
        self,
        app: ASGIApplication,
        base_url: str = "http://testserver",
        raise_exceptions: bool = True,
        *,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        timeout: float | None = 5.0,
        follow_redirects: bool = False,
    ) -> None:
        self._app_transport = ASGITransport(app, raise_exceptions=raise_exceptions)
        super().__init__(
            transport=self._app_transport,
            base_url=base_url,
            headers=dict(headers or {}),
            cookies=dict(cookies or {}),
            timeout=timeout,
            follow_redirects=follow_redirects,
            trust_env=False,
        )

    @property
    def app(self) -> ASGIApplication:
        """The application under test."""
        return self._app_transport.app

    @property
    def state(self) -> dict[str, Any]:  # Any: the application decides what it keeps
        """What the application keeps from its lifespan; each request gets a copy."""
        return self._app_transport.state

    def websocket(
        self,
        url: str,
        *,
        subprotocols: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> WebSocketSession:
        """Prepare a WebSocket: `async with client.websocket("/live/3/") as ws: await ws.receive_json()`.

        Cookies and headers are those of the client; `Origin` is that of `base_url`, as a browser would send it.
        """
        request = self._build_websocket_request(url, subprotocols, headers or {}, params)
        transport = self._app_transport

        def keep_cookies(accept_headers: list[tuple[bytes, bytes]]) -> None:
            self.cookies.extract_cookies(httpx.Response(101, headers=accept_headers, request=request))

        return WebSocketSession(
            transport.app,
            build_websocket_scope(
                request, list(subprotocols), transport.state, raise_exceptions=transport.raise_exceptions
            ),
            context=transport.copy_context(),
            raise_exceptions=transport.raise_exceptions,
            timeout=self.timeout.read,
            on_accept=keep_cookies,
        )

    def _build_websocket_request(
        self,
        url: str,
        subprotocols: Sequence[str],
        headers: Mapping[str, str],
        params: Mapping[str, str] | None,
    ) -> httpx.Request:
        fields = WEBSOCKET_FIELDS | {"origin": str(self.base_url).rstrip("/")}
        if subprotocols:
            fields["sec-websocket-protocol"] = ", ".join(subprotocols)
        return self.build_request("GET", url, headers=fields | dict(headers), params=params)
