"""One HTTP/1.1 connection: the transport, the reader and writer of `http1`, and the cycle of the request in progress.

    data_received -> RequestReader -> _advance() -> HTTPCycle -> application
    transport.write <- ResponseWriter <- Exchange methods <- HTTPCycle

One request is in progress at a time. Bytes behind it wait, unparsed, in the reader; when there are too many, reading pauses.
`_advance` is the only place where events are taken, and never runs inside itself: a response that is complete before the
application's first wait is followed by the next request in the same loop, not by a deeper call.

What must stay true: `_cycle` is not None exactly while a request is in progress, which ends when its response is complete *and*
its body has been read to the end; and a connection whose framing is in doubt is never read as requests again.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from math import inf
from typing import TYPE_CHECKING, cast

from transom.server.cycle import HTTPCycle
from transom.server.forwarded import resolve
from transom.server.http1 import (
    CONTINUE,
    NEED_DATA,
    Data,
    RemoteProtocolError,
    Request,
    RequestReader,
    ResponseHead,
    ResponseWriter,
    build_error,
    build_fields,
    build_head,
    build_informational,
    parse_tokens,
)
from transom.server.http2 import PREFACE
from transom.server.http2_connection import HTTP2Connection
from transom.server.logs.access import Access
from transom.server.outgoing import FileSender, count_unsent, descriptor_of
from transom.server.progress import BodyProgress, WriteProgress
from transom.server.scope import Peer, build_scope, build_websocket_scope
from transom.server.websocket import build_accept_response
from transom.server.websocket_cycle import WebSocketCycle

if TYPE_CHECKING:
    from collections.abc import Iterable

    from transom.server.proxy_protocol import ProxyHeader
    from transom.server.state import ServerState

logger = logging.getLogger("transom.server")

MAX_IN_ONE_GO = 16  # requests of one connection answered before others have their turn
MAX_DRAIN = 65_536  # bytes of an unread body that are read and dropped to keep a connection
LINGER = 2.0  # seconds a closing connection is read so that the client can read our last words (RFC 9112 section 9.6)
JOIN_LIMIT = 65_536  # bytes of pipelined responses gathered into one write


class HTTP1Connection(asyncio.Protocol):
    """Serves one client over HTTP/1.1, until it closes or asks for a WebSocket."""

    __slots__ = (
        "_advancing",
        "_client_goes_on",
        "_cycle",
        "_deadline",
        "_drained",
        "_eof",
        "_expect_continue",
        "_file_sender",
        "_gathered",
        "_holding",
        "_idle",
        "_lingering",
        "_peer",
        "_progress",
        "_reader",
        "_reading_paused",
        "_state",
        "_takes_trailers",
        "_transport",
        "_websocket",
        "_write_progress",
        "_writer",
        "proxied",
        "writing_paused",
    )

    def __init__(self, state: ServerState) -> None:
        self._state = state
        self._reader = RequestReader(state.limits, state.head_parser)
        self._writer = ResponseWriter()
        self._cycle: HTTPCycle | None = None
        self._websocket: WebSocketCycle | None = None
        self._advancing = False
        self._client_goes_on = False  # it did not say that this request is its last
        self._deadline = inf  # loop time at which the connection is closed; only between requests
        self._drained = 0  # bytes of the body dropped since the response was complete
        self._eof = False  # the client will send nothing more
        self._expect_continue = False
        self._file_sender: FileSender | None = None  # while a file is being sent
        self._gathered: list[bytes] | None = None  # pipelined responses on their way to one write
        self._idle = False  # between requests, with nothing read ahead; not before the first one
        self._holding = False  # what is gathered waits for the file that follows
        self._progress: BodyProgress | None = None  # of a body that did not come with its head
        self._write_progress: WriteProgress | None = None  # while something waits for the client to read
        self._lingering = False
        self._reading_paused = False
        self._takes_trailers = False
        self.proxied: ProxyHeader | None = None  # set before the connection is made
        self.writing_paused = False

    # From the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first request."""
        state = self._state
        if not state.admit(self, transport):
            return
        self._transport = cast("asyncio.Transport", transport)
        self._peer = Peer.of_transport(transport, state.forwarders, self.proxied)
        self._deadline = state.deadline(state.config.timeout_header)
        if state.is_stopping:
            self._deadline = min(self._deadline, state.idle_deadline)
        tls = transport.get_extra_info("ssl_object")
        if tls is not None and tls.selected_alpn_protocol() == "h2":
            self._hand_over(b"")

    def data_received(self, data: bytes) -> None:
        """Take bytes, and answer requests that are complete with them.

        Most reads are one request that differs from the one before at most in its line: it goes straight to the application.
        """
        state = self._state
        if self._idle:
            self._idle = False
            if not (self.writing_paused or state.is_stopping):
                line = self._reader.read_repeat(data)
                if line is not None:
                    self._deadline = inf
                    state.requests += 1
                    peer = self._peer
                    scope = build_scope(state, peer, line, self._reader.headers.copy())
                    self._cycle = cycle = HTTPCycle(self, state, peer, scope, False)
                    state.spawn(cycle.run(), cycle)
                    return
        if self._websocket is not None:
            self._websocket.data_received(data)
        elif not self._lingering:
            self._reader.receive_data(data)
            self._advance()

    def eof_received(self) -> bool:
        """Keep our side open while there is something to answer. Source: RFC 9112 section 9.6, on half-closed clients."""
        if self._peer.tls is not None:
            # No event loop keeps our half of TLS open: who closes his is gone.
            if self._websocket is not None:
                self._websocket.eof_received()
            elif self._cycle is not None:
                self._cycle.disconnect()
            return False
        if self._websocket is not None:
            return self._websocket.eof_received()
        self._eof = True
        if self._cycle is None:
            if self._reader.buffered and not self._lingering:
                self._state.loop.call_soon(self._advance)  # answers what is whole, then closes
                return True
            return False
        if self._reader.in_body:
            self._cycle.disconnect()  # the body will never be whole
            return False
        self._cycle.peer_closed()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection, and tell the application."""
        self._state.forget(self)
        self._deadline = inf
        self.writing_paused = False
        if self._file_sender is not None:
            self._file_sender.wake(lost=True)
        if self._websocket is not None:
            self._websocket.connection_lost(exc)
        elif self._cycle is not None:
            self._cycle.disconnect()
            self._cycle = None

    def pause_writing(self) -> None:
        """The client reads slower than the application writes."""
        self.writing_paused = True
        if self._websocket is not None:
            self._websocket.pause_writing()

    def resume_writing(self) -> None:
        """The client has caught up."""
        self.writing_paused = False
        if self._file_sender is not None:
            self._file_sender.wake()
        if self._websocket is not None:
            self._websocket.resume_writing()
        elif self._cycle is not None:
            self._cycle.resume_writing()
        else:
            self._advance()

    # From the server.

    def tick(self, now: float) -> None:
        """Close if the client is too late: with a head, with a body, with reading, or with anything at all."""
        config = self._state.config
        if self._is_write_stalled(now):
            logger.info("client %s does not read; closing", self._peer.client_host)
            self._transport.abort()
        elif self._transport.is_closing():
            self._end_closing(now)
        elif self._websocket is not None:
            self._websocket.tick(now)
        elif self._progress is not None and (
            complaint := self._progress.complain(
                now,
                is_paused=self._reading_paused or self._expect_continue,
                timeout=config.timeout_body,
                rate=config.limit_body_rate,
            )
        ):
            self._refuse(RemoteProtocolError(complaint, 408))
        elif now >= self._deadline:
            if self._reader.buffered and not self._lingering:
                self._refuse(RemoteProtocolError("request head did not arrive in time", 408))
            else:
                self._close()

    def _end_closing(self, now: float) -> None:
        """Wait a moment for the client's last word, from when it has taken everything."""
        if self._write_progress is not None:
            self._deadline = inf
        elif self._deadline == inf:
            self._deadline = self._state.deadline(LINGER)
        elif now >= self._deadline:
            self._transport.abort()

    def _is_write_stalled(self, now: float) -> bool:
        looks_below = self._file_sender is not None or self._peer.tls is not None
        unsent = count_unsent(self._transport, looks_below=looks_below)
        if not unsent:
            self._write_progress = None
            return False
        progress = self._write_progress
        if progress is None:
            progress = self._write_progress = WriteProgress()
        return progress.is_stalled(now, unsent, self._state.config.timeout_write)

    def shutdown(self) -> None:
        """Answer the request in progress, or the one that may be on its way, and say that it is the last; then close."""
        if self._websocket is not None:
            self._websocket.shutdown()
        elif self._cycle is None:
            if not self._reader.buffered:
                self._deadline = min(self._deadline, self._state.idle_deadline)
        elif not self._cycle.head_sent:
            self._writer.keep_alive = False
        # Where the head has left without it, the client may count on the connection: the next response will say it.

    def end_streams(self, *, streams_only: bool) -> None:
        """Tell the application, if it asks, that this is the end: first those whose response has none of its own."""
        cycle = self._cycle
        if cycle is not None:
            if cycle.is_event_stream:
                self._writer.keep_alive = False  # its client comes back, and should find another worker
            cycle.tell_to_end(streams_only=streams_only)

    def abort(self) -> None:
        """Close at once; what was not written is lost, so that the client sees that the response is not whole."""
        self._transport.abort()

    # Requests.

    def _advance(self) -> None:
        """Take events until bytes are missing or a request is in progress that wants none.

        One function and not three, because it runs for every read.
        """
        if self._advancing:
            return
        self._advancing = True
        reader, started = self._reader, 0
        try:
            # The end of a body may be an event without bytes of its own.
            while reader.buffered or reader.in_body:
                if self._cycle is None:
                    # Answers that nobody reads must not pile up.
                    if self.writing_paused or not self._writer.keep_alive:
                        break
                elif not reader.in_body:
                    break
                event = reader.next_event()
                if isinstance(event, Request):
                    self._begin(event)
                    started += 1
                    if started == MAX_IN_ONE_GO and reader.buffered:
                        self._state.loop.call_soon(self._advance)
                        break
                elif event is NEED_DATA:
                    self._wait_for_data()
                    return
                elif isinstance(event, Data):
                    self._take_data(event.data)
                else:
                    self._end_body()
            if reader.buffered and reader.buffered > self._state.config.limit_pipelined:
                self.pause_reading()
        except RemoteProtocolError as exc:
            rest = reader.take_rest()
            begins_http2 = len(rest) >= 16 and rest.startswith(PREFACE[: len(rest)])
            if begins_http2 and self._peer.line is None and self._state.config.http2:
                self._hand_over(rest)
            else:
                self._refuse(exc)
        finally:
            self._advancing = False
            if self._gathered is not None:
                self._flush()

    def _hand_over(self, data: bytes) -> None:
        """Leave the transport to HTTP/2, which its client has chosen: by ALPN, or by how it begins (RFC 9113 section 3)."""
        state = self._state
        connection = HTTP2Connection(state, self._transport, self._peer)
        state.connections.discard(self)
        state.connections.add(connection)
        connection.begin(data)

    def _wait_for_data(self) -> None:
        if self._eof:
            if self._cycle is not None:
                self._cycle.disconnect()
            self._close()
        elif self._reader.in_body:
            if self._progress is None:
                self._progress = BodyProgress(self._state.now)
        elif self._cycle is None:
            # Once per head, from its first byte: further bytes do not buy more time.
            self._deadline = min(self._deadline, self._state.deadline(self._state.config.timeout_header))

    def _begin(self, request: Request) -> None:
        self._deadline = inf
        state, peer, facts = self._state, self._peer, request.facts
        state.requests += 1
        if facts.forwarded and peer.is_trusted:
            style = state.config.forwarded_fields
            peer, request.headers = resolve(peer, request.headers, style, state.trusted)
        if facts.upgrade and b"websocket" in parse_tokens(facts.upgrade):
            self._upgrade(request, peer)
            return
        self._expect_continue = facts.expect_continue
        self._takes_trailers = facts.trailers
        self._client_goes_on = facts.keep_alive
        self._writer.start(request.line.http_version, facts.keep_alive and not state.is_stopping)
        scope = build_scope(state, peer, request.line, request.headers)
        if facts.length:
            self._cycle = cycle = HTTPCycle(self, state, peer, scope, True)
            self._take_early_body(cycle)
        else:
            self._cycle = cycle = HTTPCycle(self, state, peer, scope, False)
            if self._reader.buffered and self._gathered is None:
                self._gathered = []  # pipelined: answers are joined as far as they are ready
        if self._eof:
            cycle.peer_closed()
        state.spawn(cycle.run(), cycle)

    def _take_early_body(self, cycle: HTTPCycle) -> None:
        """Hand over the part of a body that arrived with its head, so that the application need not wait for it."""
        while self._reader.in_body:
            event = self._reader.next_event()
            if event is NEED_DATA:
                return
            self._expect_continue = False  # the client did not wait
            if isinstance(event, Data):
                cycle.feed(event.data)
            else:
                cycle.end_body()

    def _take_data(self, data: bytes) -> None:
        cycle = self._cycle
        self._expect_continue = False
        if self._progress is not None:
            self._progress.size += len(data)
        if cycle is None or cycle.response_complete:
            self._drained += len(data)
            if self._drained > MAX_DRAIN:
                self._linger()
        else:
            cycle.feed(data)

    def _end_body(self) -> None:
        cycle = self._cycle
        self._progress = None
        if cycle is None:
            return
        if cycle.response_complete:
            self.response_complete()
        else:
            cycle.end_body()

    def _refuse(self, error: RemoteProtocolError) -> None:
        """Say why if nothing was said yet, and close: where the next request begins is not known."""
        self._state.note_refusal(self._peer.client_host, error.status, str(error))
        cycle, self._cycle = self._cycle, None
        self._flush()
        if cycle is None or not cycle.head_sent:
            self._transport.write(
                build_error(error.status, str(error).partition(" (")[0], self._state.fields)
            )
        if cycle is not None:
            cycle.disconnect()
            if cycle.head_sent and not cycle.response_complete:
                self._transport.abort()
                return
        self._linger()

    def _linger(self) -> None:
        """Close in two steps: a close with unread bytes makes the system reset the connection and lose our response."""
        self._lingering = True
        self._writer.keep_alive = False
        self._cycle = None
        self._reader.take_rest()
        self._deadline = self._state.deadline(LINGER)
        self._resume_reading()
        if self._transport.can_write_eof():
            try:
                self._transport.write_eof()
            except OSError:  # reset by the client, which the loop has not told us yet
                self._transport.abort()
        else:
            self._close()

    def _close(self) -> None:
        """Close once everything is written; with TLS also the client has to say so, which `tick` waits for."""
        self._deadline = inf
        if (
            not self._transport.is_closing()
        ):  # closed twice, asyncio's transport for TLS cannot even be aborted any more
            self._transport.close()

    def _upgrade(self, request: Request, peer: Peer) -> None:
        if request.line.method != "GET" or request.facts.length:
            raise RemoteProtocolError("a WebSocket handshake is a GET without body (RFC 6455 section 4.1)")
        self._flush()
        self._writer.start(request.line.http_version, False)  # whatever follows the response is not HTTP
        self._state.websockets += 1
        scope = build_websocket_scope(self._state, peer, request.line, request.headers)
        self._websocket = socket = WebSocketCycle(
            self._transport,
            self,
            self._state,
            scope,
            partial(self._forget_websocket, Access(scope, peer.client_host)),
        )
        if self._state.is_stopping:
            socket.shutdown()  # refuses the handshake
            return
        socket.start()
        rest = self._reader.take_rest()
        if rest:
            socket.data_received(rest)

    def _forget_websocket(self, access: Access) -> None:
        self._state.forget(self)
        self._state.websockets -= 1
        if self._state.access_log is not None and self._websocket is not None:
            # 499 as for a request: the client left before there was an answer.
            self._state.access_log.record(access.finish(self._websocket.status or 499, 0))

    # The exchange: what the cycle asks for. See `exchange.Exchange`.

    build_head = staticmethod(build_head)

    def accept_websocket(self, key: bytes, fields: Iterable[tuple[bytes, bytes]]) -> None:
        """Write the 101 that completes a handshake."""
        self._transport.write(build_accept_response(key, fields))

    def send_informational(self, status: int, fields: Iterable[tuple[bytes, bytes]]) -> None:
        """Write an informational response; HTTP/1.0 has none."""
        encoded = build_fields(fields)
        if self._writer.is_1_1:
            self._write(build_informational(status, encoded))

    def send_head(
        self,
        head: ResponseHead,
        length: int | None,
        body: bytes,
        more_body: bool,
        has_body: bool,
        has_trailers: bool,
    ) -> None:
        """Write a head and the first piece of the body."""
        self._write(self._frame_head(head, length, body, more_body, has_body, has_trailers))

    def _frame_head(
        self,
        head: ResponseHead,
        length: int | None,
        body: bytes,
        more_body: bool = False,
        has_body: bool = True,
        has_trailers: bool = False,
    ) -> bytes:
        writer, server_fields = self._writer, self._state.fields
        if self._expect_continue and self._reader.in_body:
            # The client may send the body or may not: there is no telling where the next request would begin.
            writer.keep_alive = False
        if head.has_date or head.has_server:
            server_fields = self._state.fields_without(date=head.has_date, server=head.has_server)
        return writer.send_head(head, server_fields, length, body, more_body, has_body, has_trailers)

    def send_whole(self, head: ResponseHead, body: bytes) -> None:
        """Write a head and the whole body, and go on."""
        state, writer, reader = self._state, self._writer, self._reader
        if head.stamp is state.fields and writer.keep_alive and writer.is_1_1 and not reader.in_body:
            data = head.whole + body  # most heads were sent before, a moment ago
        else:
            data = self._frame_head(head, len(body), body)
        if self._gathered is None:
            self._transport.write(data)
        else:
            self._gather(self._gathered, data)
        if reader.in_body or reader.buffered or self._reading_paused or self._eof or not writer.keep_alive:
            self.response_complete()
        else:
            self._cycle = None
            self._deadline = state.idle_deadline
            self._idle = True

    def send_body(self, body: bytes, more_body: bool) -> None:
        """Write the next piece of the body."""
        data = self._writer.send_body(body, more_body)
        if data:
            self._write(data)
            if more_body and self._transport.is_closing():
                # The client is gone, of which the loop will tell; an application that never waits must give it the time to.
                self.writing_paused = True

    def hold(self) -> None:
        """Keep what is written until `send_file`."""
        self._holding = True
        if self._gathered is None:
            self._gathered = []

    async def send_file(self, descriptor: int, offset: int, count: int) -> int:
        """Write what was held, then a part of a file, if the socket is plain and the body not chunked."""
        held, self._gathered, self._holding = b"".join(self._gathered or ()), None, False
        transport = self._transport
        is_plain = transport.get_extra_info("ssl_object") is None and descriptor_of(transport) != -1
        if self._writer.is_chunked or not is_plain:
            if held:
                transport.write(held)
            return 0
        self._file_sender = sender = FileSender(transport, self._state.loop)
        try:
            return await sender.send(held, descriptor, offset, count)
        finally:
            self._file_sender = None

    def send_trailers(self, fields: Iterable[tuple[bytes, bytes]]) -> None:
        """Write the end of a chunked body; with trailers only if the client takes them (RFC 9110 section 6.5.1)."""
        encoded = build_fields(fields)
        if self._writer.is_chunked:
            self._write(self._writer.send_trailers(encoded if self._takes_trailers else b""))

    def want_body(self) -> None:
        """Read on; tell a client that waits for it to send the body."""
        if self._expect_continue:
            self._expect_continue = False
            self._flush()
            self._transport.write(CONTINUE)
        self._resume_reading()

    def pause_reading(self) -> None:
        """Let the client wait."""
        if not self._reading_paused:
            self._reading_paused = True
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._reading_paused:
            self._reading_paused = False
            self._transport.resume_reading()

    def response_complete(self) -> None:
        """Go on to the next request or close, if the request is complete too; else first read what is left of its body."""
        buffered = self._reader.buffered
        if self._reader.in_body:
            self._drain()
        elif not self._writer.keep_alive or (self._eof and not buffered):
            self._cycle = None
            self._flush()
            if self._client_goes_on and not self._eof:
                self._linger()  # it may have sent another request already, and must not lose the answer to this one
            else:
                self._close()
        else:
            self._cycle = None
            self._deadline = self._state.idle_deadline
            self._idle = not buffered
            if self._reading_paused and buffered <= self._state.config.limit_pipelined:
                self._resume_reading()
            if buffered and not self._advancing:
                self._state.loop.call_soon(self._advance)

    def _drain(self) -> None:
        self._drained = 0
        if not self._writer.keep_alive:
            self._flush()
            self._linger()
            return
        self._deadline = self._state.deadline(self._state.config.timeout_header)
        self._resume_reading()

    def _write(self, data: bytes) -> None:
        if self._gathered is None:
            self._transport.write(data)
        else:
            self._gather(self._gathered, data)

    def _gather(self, gathered: list[bytes], data: bytes) -> None:
        gathered.append(data)
        if not (self._advancing or self._holding) or len(data) > JOIN_LIMIT:
            self._flush()

    def _flush(self) -> None:
        gathered, self._gathered = self._gathered, None
        if gathered:
            self._transport.write(b"".join(gathered))
