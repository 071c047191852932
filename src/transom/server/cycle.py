"""One HTTP request and its response: where events of the wire meet ASGI messages.

Everything here is HTTP semantics (RFC 9110) and the same for every HTTP version. Below is an `Exchange`, which frames:

    receive() <- feed(), end_body(), disconnect()     <- the connection, as bytes arrive
    send()    -> Exchange.build_head/send_head/send_body -> the connection, as bytes leave

The head of a response is held until the first piece of its body, so that both leave in one write and so that an error in
between can still become a 500. A cycle that never waits makes no future, no event and no timer.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, NoReturn, cast

from transom.server.exceptions import ClientDisconnected, MessageError, is_client_disconnect
from transom.server.logs.access import Access
from transom.server.logs.request_id import NAME, describe_request, find_request_id
from transom.server.request_body import RequestBody
from transom.server.response_files import PIECE, FilePart, open_part, read_piece

if TYPE_CHECKING:
    from collections.abc import Callable

    from transom.asgi.types import HTTPScope
    from transom.server.exchange import Exchange
    from transom.server.scope import Peer
    from transom.server.state import ServerState

logger = logging.getLogger("transom.server")


class _Response(Enum):
    NONE = auto()  # no start message yet
    HELD = auto()  # started, nothing has left
    SENDING = auto()  # the head has left
    TRAILING = auto()  # the body has left, trailers are to come
    COMPLETE = auto()


_BODILESS = frozenset({204, 205, 304})
_NONE, _HELD, _SENDING, _COMPLETE = _Response.NONE, _Response.HELD, _Response.SENDING, _Response.COMPLETE
_TRAILING = _Response.TRAILING
_KINDS = (
    "'http.response.start', 'http.response.body', 'http.response.early_hint', 'http.response.trailers', "
    "'http.response.zerocopysend', 'http.response.pathsend'"
)


class HTTPCycle:
    """Runs the application for one request and translates between its messages and the exchange.

    Without `__slots__`: objects that live as short as this one are made and freed faster without (CPython 3.13).
    """

    _head: Any  # the exchange's own ResponseHead, between start message and first piece of the body
    _left: int | None  # bytes the application still owes of the content-length it promised
    _bodiless: bool  # the response has no body, whatever the application sends
    _has_trailers: bool  # the application promised trailers
    _trailers: list[tuple[bytes, bytes]]  # those it has sent so far
    _told_to_end = False  # because the server stops
    task: asyncio.Task[None] | None = (
        None  # that runs it, unless it was done at once; registered in the state
    )
    on_end: Callable[[], None] | None = None  # called at the end of `task`

    def __init__(
        self, exchange: Exchange, state: ServerState, peer: Peer, scope: HTTPScope, has_body: bool
    ) -> None:
        self.scope = scope
        self._exchange = exchange
        self._state = state
        self._body = RequestBody() if has_body else None
        self._body_told = False  # the application has been given the end of the body
        self._response = _NONE
        self._is_head = scope["method"] == "HEAD"  # looked at now: the application may change the scope
        self._status = 0
        self._sent = 0
        self._disconnected = False  # nothing can be written any more
        self._peer_gone = False  # the client will send nothing more; it may still read
        self._waiters: list[asyncio.Future[None]] | None = None
        self._access = Access(scope, peer.client_host) if state.access_log is not None else None

    @property
    def response_complete(self) -> bool:
        """Whether the last byte of the response was written."""
        return self._response is _COMPLETE

    @property
    def head_sent(self) -> bool:
        """Whether it is too late for another status."""
        return self._response is not _NONE and self._response is not _HELD

    # From below.

    def feed(self, data: bytes) -> None:
        """Take a piece of the request body."""
        if self._body is not None and self._response is not _COMPLETE:
            self._body.feed(data)
            self._wake()
            if self._body.is_full:
                self._exchange.pause_reading()

    def end_body(self) -> None:
        """The request body is complete."""
        if self._body is not None:
            self._body.is_complete = True
            self._wake()

    def peer_closed(self) -> None:
        """The client has ended its side. A complete request is still answered, but who asks is told that the client left."""
        self._peer_gone = True
        self._wake()

    def disconnect(self) -> None:
        """The connection is lost."""
        if not self._disconnected and self._response is not _COMPLETE:
            self._log_access()
        self._disconnected = True
        self._body = None  # nobody will take it, and its client may have the room again
        self._wake()

    def tell_to_end(self, *, streams_only: bool) -> None:
        """The server stops: an application that asks, once it has the whole request, is told that this is the end.

        It may still complete its response. An event stream has no end of its own, so it is told first, and when the others are
        told, it is ended: its client sees a whole response, its application that the client is gone.
        """
        if self.is_event_stream and self._told_to_end and not streams_only:
            self._end_stream()
        elif self.is_event_stream or not streams_only:
            self._told_to_end = True
            self._wake()

    @property
    def is_event_stream(self) -> bool:
        """Whether a response without an end of its own is being sent."""
        return self._response is _SENDING and self._head.is_event_stream and self._left is None

    def _end_stream(self) -> None:
        self._send_body(b"", False)
        self.disconnect()

    def resume_writing(self) -> None:
        """Enough has been written."""
        self._wake()

    # From above.

    async def receive(self) -> dict[str, Any]:  # Any: one of ReceiveMessage
        """Return the next event: a piece of the body, or `http.disconnect` after the end of either side or of the server."""
        while True:
            if self._disconnected or self._response is _COMPLETE:
                return {"type": "http.disconnect"}
            if not self._body_told and (self._body is None or self._body.has_news):
                return self._take_body()
            if self._peer_gone or (self._told_to_end and self._body_told):
                return {"type": "http.disconnect"}
            if not self._body_told:
                self._exchange.want_body()
            await self._wait()

    async def send(self, message: dict[str, Any]) -> None:  # Any: one of SendMessage
        """Write one message; return once the write buffer is below its high-water mark.

        Raises:
            ClientDisconnected: nobody is there to read it.
            MessageError: the message is out of order or malformed; nothing of it was written.

        Cancellation: the message is written whole or not at all.  Source: ASGI HTTP spec, "Response Start" and "Response Body".
        """
        if self._disconnected:
            raise ClientDisconnected("the client is gone")
        kind = message.get("type")
        if kind == "http.response.body":
            body, more_body = message.get("body", b""), message.get("more_body", False)
            if (
                type(body) is bytes
                and self._response is _HELD
                and not (more_body or self._bodiless or self._has_trailers)
                and ((head := self._head).content_length is None or head.content_length == len(body))
            ):
                # Most responses are one head and one piece.
                self._response = _COMPLETE
                self._sent = len(body)
                self._exchange.send_whole(head, body)
                if self._access is not None or self._waiters is not None:
                    self._tell_complete()
                return
            self._send_body(body, more_body)
        elif kind == "http.response.start":
            self._start_response(message)
            return  # of which nothing is written yet
        else:
            await self._send_extension(kind, message)
        # After the last piece the exchange itself waits before it takes another request.
        while self._exchange.writing_paused and self._response is not _COMPLETE:
            if self._disconnected:
                raise ClientDisconnected("the client is gone")
            await self._wait()

    async def _send_extension(self, kind: object, message: dict[str, Any]) -> None:  # Any: as in send
        if self._response is _COMPLETE:
            return  # ASGI: messages after the end are ignored
        if kind == "http.response.early_hint":
            self._send_early_hint(message)
        elif kind == "http.response.trailers":
            self._send_trailers(message)
        elif kind == "http.response.zerocopysend" or kind == "http.response.pathsend":
            await self._send_file(message)
        else:
            raise MessageError(f"unknown message type {kind!r}; choose from {_KINDS}")

    async def _send_file(self, message: dict[str, Any]) -> None:  # Any: as in send
        """Write a part of a file as a piece of the body; a path is the whole body.

        Source: ASGI extensions "Zero Copy Send" and "Path Send".
        """
        is_path = message["type"] == "http.response.pathsend"
        if self._response is not _HELD and (is_path or self._response is not _SENDING):
            raise MessageError(
                f"{message['type']!r} is out of order: after 'http.response.start', a path before any body"
            )
        more_body = not is_path and message.get("more_body", False)
        with open_part(message, self._left if is_path else None) as part:
            if self._bodiless or not part.size:
                self._send_no_part(part.size, more_body)
                return
            self._send_file_head(part, more_body)
            await self._send_part(part)
        self._sent += part.size
        self._exchange.send_body(b"", more_body or self._has_trailers)
        if not more_body:
            self._end_body()

    def _send_no_part(self, count: int, more_body: bool) -> None:
        """Do for a file what `_send_body` does for bytes where nothing of it is written: HEAD, 204, 304, an empty part."""
        if not self._bodiless:
            self._send_body(b"", more_body)
            return
        if self._response is _HELD:
            self._send_bare_head(None if more_body else count)
        if not more_body:
            self._complete()

    def _send_file_head(self, part: FilePart, more_body: bool) -> None:
        if self._left is not None:
            self._left = left = self._left - part.size
            if left and (left < 0 or not more_body):
                self._break_promise(left)
        if self._response is _HELD:
            length = self._head.content_length
            if length is None and not more_body:
                length = part.size
            self._response = _SENDING
            self._exchange.hold()
            self._exchange.send_head(self._head, length, b"", True, True, self._has_trailers)

    async def _send_part(self, part: FilePart) -> None:
        exchange, (descriptor, offset, count) = self._exchange, part
        sent = await exchange.send_file(descriptor, offset, count)
        while sent < count:
            while exchange.writing_paused and not self._disconnected:
                await self._wait()
            if self._disconnected:
                raise ClientDisconnected("the client is gone")
            piece = await read_piece(descriptor, offset + sent, min(PIECE, count - sent))
            if not piece:
                exchange.abort()
                raise MessageError(f"the file ended {count - sent} bytes early; it was cut off meanwhile")
            exchange.send_body(piece, True)
            sent += len(piece)

    def _send_early_hint(self, message: dict[str, Any]) -> None:  # Any: as in send
        """Write a 103 before the head of the response; once that has left it is too late, which is no error.

        Source: ASGI extension "Early Hints"; RFC 8297.
        """
        if not self.head_sent:
            try:
                links = [(b"link", link) for link in message.get("links", ())]
                self._exchange.send_informational(103, links)
            except (TypeError, ValueError) as exc:
                raise MessageError(f"malformed 'http.response.early_hint': {exc}") from exc

    def _send_trailers(self, message: dict[str, Any]) -> None:  # Any: as in send
        """Collect trailers, and end the response with the last of them.

        Source: ASGI extension "HTTP Trailers"; RFC 9110 section 6.5.
        """
        if self._response is not _TRAILING:
            raise MessageError("'http.response.trailers' was not promised, or the body is not complete")
        trailers = [*self._trailers, *message.get("headers", ())]
        if message.get("more_trailers", False):
            self._trailers = trailers
            return
        try:
            self._exchange.send_trailers(trailers)
        except (TypeError, ValueError) as exc:
            raise MessageError(f"malformed 'http.response.trailers': {exc}") from exc
        self._complete()

    def _take_body(self) -> dict[str, Any]:  # Any: as in receive
        body = self._body
        if body is None:
            self._body_told = True
            return {"type": "http.request", "body": b"", "more_body": False}
        self._body_told = body.is_complete
        data = body.take()
        self._exchange.want_body()
        return {"type": "http.request", "body": data, "more_body": not body.is_complete}

    def _start_response(self, message: dict[str, Any]) -> None:
        if self._response is not _NONE:
            raise MessageError("'http.response.start' was sent twice")
        status = message.get("status")
        if type(status) is not int or not 200 <= status <= 599:
            status = _check_status(status)
        fields = message.get("headers") or ()
        if self._access is not None and self._state.log_response_headers:
            fields = self._access.response_headers = list(fields)
        try:
            self._head = head = self._exchange.build_head(status, fields)
        except ValueError as exc:
            raise MessageError(f"malformed 'http.response.start': {exc}") from exc
        self._status = status
        self._response = _HELD
        self._bodiless = bodiless = self._is_head or status in _BODILESS
        self._left = None if bodiless else head.content_length
        self._has_trailers = False
        if message.get("trailers"):
            self._has_trailers, self._trailers = not bodiless, []

    def _send_body(self, body: object, more_body: bool) -> None:
        """Write a piece of the body, the first one with the head before it, and after the last one end the response."""
        if not isinstance(body, bytes):
            if not isinstance(body, (bytearray, memoryview)):
                raise MessageError(f"body must be bytes, not {type(body).__name__}")
            body = bytes(cast("bytearray", body))  # the caller may change it before it is written
        response = self._response
        if response is _COMPLETE:
            return  # ASGI: messages after the end are ignored
        if response is _NONE:
            raise MessageError("'http.response.body' was sent before 'http.response.start'")
        size = len(body)
        if self._left is not None:
            self._left = left = self._left - size
            if left and (left < 0 or not more_body):
                self._break_promise(left)
        if self._bodiless:
            if response is _HELD:
                self._send_bare_head(None if more_body else size)
        elif response is _HELD:
            head = self._head
            length = head.content_length
            if length is None and not more_body:
                length = size
            self._response = _SENDING
            self._sent = size
            self._exchange.send_head(head, length, body, more_body, True, self._has_trailers)
        elif response is _SENDING:
            self._sent += size
            self._exchange.send_body(body, more_body or self._has_trailers)
        else:
            raise MessageError(
                "'http.response.body' was sent after the end of the body; trailers are to come"
            )
        if not more_body:
            self._end_body()

    def _end_body(self) -> None:
        if self._has_trailers:
            self._response = _TRAILING
        else:
            self._complete()

    def _complete(self) -> None:
        self._response = _COMPLETE
        self._body = None  # as after the end of the client
        self._exchange.response_complete()
        self._tell_complete()

    def _tell_complete(self) -> None:
        if self._access is not None:
            self._log_access()
        if self._waiters is not None:
            self._wake()

    def _send_bare_head(self, size: int | None) -> None:
        """Write the head of a response that never has a body; `size` is that of the body it would have had, if known.

        Source: RFC 9110 section 8.6: no length with 204; with 304 only what the application knows; 205 has an empty body.
        """
        self._response = _SENDING
        status, length = self._status, self._head.content_length
        if status == 204:
            length = None
        elif status == 205:
            length = 0
        elif status != 304 and length is None:
            length = size
        self._exchange.send_head(self._head, length, b"", False, False, False)

    def _break_promise(self, left: int) -> NoReturn:
        """Refuse a body of another length than promised; if the head has left, the client must see that it is not whole."""
        if self._response is _HELD:
            self._response = _NONE
        else:
            self._exchange.abort()
        longer = f"{-left} bytes longer" if left < 0 else f"{left} bytes shorter"
        raise MessageError(f"body is {longer} than its content-length")

    # The application.

    async def run(self) -> None:
        """Call the application, and see to it that the response ends however the application does."""
        try:
            await self._state.app(self.scope, self.receive, self.send)
        except asyncio.CancelledError:
            self._fail()
            raise
        except Exception as exc:
            self._log_error(exc)
            self._fail()
        else:
            if self._response is not _COMPLETE and not self._disconnected:
                self._end_for_application()
        finally:
            if self.task is not None:
                self._state.forget_task(self.task)
                if self.on_end is not None:
                    self.on_end()

    def _end_for_application(self) -> None:
        """The application returned without completing the response: a mistake, unless it was told to end."""
        if not self._told_to_end:
            logger.error("application returned without completing the response to %s", self._describe())
        if self._told_to_end and self.is_event_stream:
            self._send_body(b"", False)  # whole wherever it ends
        else:
            self._fail()

    def _fail(self) -> None:
        """Answer 500 while that is possible, or 503 when the server stops; else cut the response off."""
        if self._disconnected or self._response is _COMPLETE:
            return
        if self.head_sent:
            self._exchange.abort()
            return
        self._response = _NONE
        fields = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
        if self._state.gives_request_ids and (request_id := find_request_id(self.scope)) is not None:
            fields.append((NAME, request_id))
        status, body = (500, b"Internal Server Error\n")
        if self._state.is_stopping:
            status, body = (503, b"Service Unavailable\n")
        self._start_response({"status": status, "headers": fields})
        self._send_body(body, False)

    def _log_error(self, error: Exception) -> None:
        if is_client_disconnect(error) or (self._disconnected and _is_about_disconnect(error)):
            logger.debug("client left during %s", self._describe())
        else:
            logger.error("application raised in %s", self._describe(), exc_info=error)

    def _describe(self) -> str:
        return describe_request(self.scope, with_id=self._state.gives_request_ids)

    def _log_access(self) -> None:
        access = self._access
        if access is not None and self._state.access_log is not None:
            self._state.access_log.record(access.finish(self._status or 499, self._sent))

    # Waiting.

    async def _wait(self) -> None:
        """Wait for anything to happen; callers look again at what they wait for."""
        waiter = self._state.loop.create_future()
        if self._waiters is None:
            self._waiters = []
        self._waiters.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            # Who asks with a timeout, again and again, must not leave one behind each time.
            with contextlib.suppress(ValueError, AttributeError):  # it was woken meanwhile
                self._waiters.remove(waiter)
            raise

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, None
        for waiter in waiters or ():
            if not waiter.done():
                waiter.set_result(None)


def _check_status(status: object) -> int:
    """Return a status that is an int by some other name, such as `HTTPStatus.OK`."""
    if not isinstance(status, int) or not 200 <= status <= 599:
        raise MessageError(f"status {status!r} is not a final status; choose an int from 200 to 599")
    return int(status)


def _is_about_disconnect(error: BaseException) -> bool:
    """Tell whether an error only passes on that the client is gone: frameworks raise one of their own in its place."""
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        return all(_is_about_disconnect(each) for each in group.exceptions)
    origin = error.__cause__ or error.__context__
    return is_client_disconnect(error) or (origin is not None and _is_about_disconnect(origin))
