"""One HTTP request and its response, between httpx and an ASGI application in the same event loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from transom.testing.pipe import Pipe
from transom.testing.running import RunningApplication, wait_for

if TYPE_CHECKING:
    import contextvars
    from collections.abc import AsyncIterator, Awaitable

    from transom.asgi.types import (
        ASGIApplication,
        Headers,
        HTTPDisconnectEvent,
        HTTPRequestEvent,
        HTTPResponseBodyEvent,
        HTTPResponseStartEvent,
        HTTPScope,
    )

T = TypeVar("T")


class HTTPExchange:
    """Feeds a request to the application and takes its response.

    As on our server the head is held back until the first body message, and the body flows while it is sent, with
    backpressure. The response ends when the application *returns*: what it does and raises after its last message
    belongs to the request.
    """

    def __init__(
        self,
        app: ASGIApplication,
        request: httpx.Request,
        scope: HTTPScope,
        *,
        context: contextvars.Context,
        raise_exceptions: bool,
    ) -> None:
        self._request = request
        self._timeout: float | None = request.extensions.get("timeout", {}).get("read")
        self._raise_exceptions = raise_exceptions
        self._request_body = RequestBody(request)
        self._response_body: Pipe[bytes] = Pipe()
        self._head: tuple[int, Headers] | None = None
        self._answered = asyncio.Event()  # the head has left, or the application has returned
        self._started = False  # the head has left, with the first body message
        self._complete = False
        self._disconnected = asyncio.Event()
        self._app = RunningApplication(
            app, scope, self._receive, self._send, context=context, on_done=self._application_returned
        )

    # What the application calls.

    async def _receive(self) -> HTTPRequestEvent | HTTPDisconnectEvent:
        if not self._disconnected.is_set() and not self._request_body.exhausted:
            return await self._request_body.read()
        await self._disconnected.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:  # Any: an application may send anything; it is checked here
        match message["type"]:
            case "http.response.start":
                self._start(message)
            case "http.response.body":
                await self._write(message)
            case other:
                raise RuntimeError(f"unexpected message {other!r}; expected http.response.start or .body")

    def _start(self, message: HTTPResponseStartEvent) -> None:
        if self._head is not None:
            raise RuntimeError("http.response.start was sent twice")
        self._head = message["status"], [(bytes(n), bytes(v)) for n, v in message.get("headers", ())]

    async def _write(self, message: HTTPResponseBodyEvent) -> None:
        if self._head is None:
            raise RuntimeError("http.response.body was sent before http.response.start")
        if self._complete:
            return  # ASGI: messages after the last one are ignored
        self._started = True
        self._answered.set()
        body = message.get("body", b"") if self._request.method != "HEAD" else b""
        if body:
            await self._response_body.write(bytes(body), len(body))
        if not message.get("more_body", False):
            self._complete = True
            self._disconnected.set()
            self._response_body.end()

    def _application_returned(self, running: RunningApplication) -> None:
        if not self._complete and not self._disconnected.is_set() and running.error is None:
            what = "completing" if self._started else "sending"
            running.error = RuntimeError(f"the application returned without {what} its response")
        self._answered.set()
        self._response_body.end()

    # What the client calls.

    @property
    def done(self) -> bool:
        """Whether the application has returned."""
        return self._app.done

    async def respond(self) -> httpx.Response:
        """Wait for the head of the response; the body is read from the stream that comes with it."""
        try:
            await self._wait(self._answered.wait(), "the application to start its response")
        except BaseException:
            # Too late, or the test was cancelled: the application hears that the client is gone, and may end.
            self.disconnect()
            raise
        if self._app.done and not self._complete:
            self._raise_error()
        status, headers = self._head if self._head and self._started else self._fail()
        return httpx.Response(status, headers=headers, stream=ResponseStream(self), request=self._request)

    def _fail(self) -> tuple[int, Headers]:
        """Return the head of the response a server gives for an application that failed before its first byte."""
        self._complete = True
        return 500, [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"0")]

    async def read(self) -> bytes | None:
        """Return the next piece of the body, None at its end."""
        return await self._wait(self._response_body.read(), "more of the response body")

    async def finish(self) -> None:
        """Wait for the application to return, after the last piece was read."""
        await self._join("the response was sent or the application failed")
        if not self._complete:
            raise httpx.RemoteProtocolError(
                "the response ends early: the application failed", request=self._request
            )

    async def close(self) -> None:
        """Leave: the application is told (http.disconnect), and is given as long as the timeout to return."""
        self.disconnect()
        await self._join("the client closed the response and the application was sent http.disconnect")

    async def cancel(self) -> None:
        """Cancel the application; what it raised is dropped."""
        self.disconnect()
        await self._app.cancel()

    def disconnect(self) -> None:
        """Tell the application that the client has left; wait for nothing."""
        self._disconnected.set()
        self._response_body.break_off()

    async def _join(self, what: str) -> None:
        try:
            await self._app.wait(self._timeout, f"{self._label}: {what}")
        except TimeoutError as exc:
            raise httpx.ReadTimeout(str(exc), request=self._request) from None
        self._raise_error()

    def _raise_error(self) -> None:
        error = self._app.take_error()
        if error is not None and self._raise_exceptions:
            raise error

    async def _wait(self, awaitable: Awaitable[T], what: str) -> T:
        try:
            return await wait_for(awaitable, self._timeout, what)
        except TimeoutError as exc:
            raise httpx.ReadTimeout(f"{self._label}: {exc}", request=self._request) from None

    @property
    def _label(self) -> str:
        return f"{self._request.method} {self._request.url}"


class RequestBody:
    """The body of an httpx request as ASGI messages, pulled from the test as the application asks for it."""

    def __init__(self, request: httpx.Request) -> None:
        if not isinstance(request.stream, httpx.AsyncByteStream):
            raise TypeError("the body of a request to an asynchronous client is bytes or an async iterator")
        self._chunks = aiter(request.stream)
        self._remaining = self._read_length(request.headers)
        self.exhausted = False

    def _read_length(self, headers: httpx.Headers) -> int | None:
        """Return how many bytes are to come, None if nobody knows."""
        if "transfer-encoding" in headers:
            return None
        return int(headers.get("content-length", "0"))

    async def read(self) -> HTTPRequestEvent:
        """Return the next message; the last one is marked as such where the length is known."""
        chunk = b"" if self._remaining == 0 else await anext(self._chunks, None)
        if self._remaining is not None and chunk:
            self._remaining -= len(chunk)
        self.exhausted = chunk is None or self._remaining == 0
        return {"type": "http.request", "body": chunk or b"", "more_body": not self.exhausted}


class ResponseStream(httpx.AsyncByteStream):
    """The body of a response, for httpx."""

    def __init__(self, exchange: HTTPExchange) -> None:
        self._exchange = exchange

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (chunk := await self._exchange.read()) is not None:
            yield chunk
        await self._exchange.finish()

    async def aclose(self) -> None:
        """Leave, if the application still runs; see `HTTPExchange.close`."""
        await self._exchange.close()
