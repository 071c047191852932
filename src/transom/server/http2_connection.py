"""One HTTP/2 connection: the transport, the session of `http2`, and the cycles of its requests.

    data_received -> Session -> events -> HTTPCycle -> application
    transport.write <- Session <- HTTP2Stream <- HTTPCycle

What all streams send within one turn of the loop is one write. While the client does not read, nothing is taken out of the
session, where each stream holds its application back; so what waits is bounded.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Final, cast

from transom.server.cycle import HTTPCycle
from transom.server.forwarded import resolve
from transom.server.http2 import (
    DataReceived,
    ErrorCode,
    RequestRefused,
    Session,
    SessionError,
    State,
    StreamClosed,
    build_head,
    encode_length,
)
from transom.server.http2_stream import HTTP2Stream, StreamTransport
from transom.server.logs.access import Access
from transom.server.outgoing import count_unsent
from transom.server.progress import BodyProgress, WriteProgress
from transom.server.scope import build_scope, build_websocket_scope
from transom.server.websocket_cycle import WebSocketCycle

if TYPE_CHECKING:
    from transom.server.http2 import Pair, RequestHead, ResponseHead
    from transom.server.scope import Peer
    from transom.server.state import ServerState

logger = logging.getLogger("transom.server")

LINGER: Final = 2.0  # seconds a closing connection is read so that the client can read our last words
ROOM: Final = 262_144  # bytes of bodies in one write
MAX_WAITING: Final = 65_536  # bytes of answers that a client does not read, before we do not read from it
_ERROR_FIELDS: Final = [(b"content-type", b"text/plain; charset=utf-8")]


class HTTP2Connection(asyncio.Protocol):
    """Serves one client over HTTP/2. It takes over a transport that is connected already; see `HTTP1Connection`."""

    __slots__ = (
        "_begun",
        "_deadline",
        "_is_ending",
        "_is_lingering",
        "_is_reading_paused",
        "_peer",
        "_state",
        "_transport",
        "_websockets",
        "_write_progress",
        "is_write_due",
        "session",
        "writing_paused",
    )

    def __init__(self, state: ServerState, transport: asyncio.Transport, peer: Peer) -> None:
        self._state = state
        self._transport = transport
        self._peer = peer
        self.session = Session(state.limits, state.http2, HTTP2Stream, state.now)
        self._deadline = state.deadline(state.config.timeout_header)  # for a head, or when idle
        self._begun: list[HTTP2Stream] = []  # requests of this read; their applications wait for its end
        self._is_ending = False  # it ends with the last of its streams
        self._is_lingering = False
        self._is_reading_paused = False
        self._websockets: list[HTTP2Stream] = []
        self._write_progress: WriteProgress | None = None
        self.is_write_due = False  # at the end of this turn, or of what is being read
        self.writing_paused = False

    def begin(self, data: bytes) -> None:
        """Take over, with what was read already."""
        self._transport.set_protocol(self)
        if self._state.is_stopping:
            self.shutdown()
        if data:
            self.data_received(data)
        else:
            self._write()

    # From the transport.

    def data_received(self, data: bytes) -> None:
        """Take bytes, act on what they say, and write all answers that are ready."""
        if self._is_lingering:
            return
        session = self.session
        session.now = self._state.now
        self.is_write_due = True
        try:
            for event in session.receive_data(data):
                if isinstance(event, HTTP2Stream):
                    self._begin(event, event.head)
                else:
                    self._act(event)
            if self._begun:
                self._run_begun()
        finally:
            self.is_write_due = False
        if session.failure is not None:
            self._state.note_failure(self._peer.client_host, str(session.failure))
        if session.is_head_pending:
            # Once per head: further bytes do not buy more time.
            self._deadline = min(self._deadline, self._state.deadline(self._state.config.timeout_header))
        elif not session.streams.busy:
            self._deadline = self._state.idle_deadline
        else:
            self._deadline = inf
        self._write()
        if self.writing_paused and session.sender.waiting_size > MAX_WAITING:
            self._pause_reading()

    def eof_received(self) -> bool:
        """Answer what has begun, then close; with TLS, no event loop keeps our half open."""
        self._is_ending = True
        if self._peer.tls is not None or not self.session.streams.open:
            return False
        self.session.end_tunnels()
        for stream in self._open_streams():
            if stream.cycle is not None:
                stream.cycle.peer_closed()
            elif stream.socket is not None:
                self._end_frames(stream, stream.socket)
        self.write_soon()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection, and tell the applications."""
        self._state.forget(self)
        self._deadline = inf
        self._is_lingering = True
        for stream in self._open_streams():
            self._disconnect(stream)

    def pause_writing(self) -> None:
        """The client reads slower than we write."""
        self.writing_paused = True

    def resume_writing(self) -> None:
        """The client has caught up."""
        self.writing_paused = False
        self._resume_reading()
        self._write()

    def _pause_reading(self) -> None:
        """Take nothing more from a client that does not read: to answer it costs memory, and no window holds answers back."""
        if not self._is_reading_paused and not self._transport.is_closing():
            self._is_reading_paused = True
            self._transport.pause_reading()
            self._deadline = inf  # what it must send, it cannot; it has the time it takes to stall

    def _resume_reading(self) -> None:
        if self._is_reading_paused and not self._transport.is_closing():
            self._is_reading_paused = False
            self._transport.resume_reading()
            if self.session.is_head_pending:
                self._deadline = self._state.deadline(self._state.config.timeout_header)
            else:
                self.look_whether_idle()

    # From the server.

    def tick(self, now: float) -> None:
        """Close if the client is too late, and reset streams on which it is."""
        if self._is_write_stalled(now):
            logger.info("client %s does not read; closing", self._peer.client_host)
            self._transport.abort()
        elif self._is_lingering or self._transport.is_closing():
            if self._deadline == inf:
                self._deadline = self._state.deadline(LINGER)
            elif now >= self._deadline:
                self._transport.abort()
        elif now >= self._deadline:
            self._end_in_time()
        else:
            self._look_at_streams(now)

    def _end_in_time(self) -> None:
        if self.session.is_head_pending:
            self._state.note_refusal(self._peer.client_host, 408, "request head did not arrive in time")
            self.session.fail(
                SessionError(ErrorCode.ENHANCE_YOUR_CALM, "request head did not arrive in time")
            )
        else:
            self.session.go_away(last=True)
            self._is_ending = True
        self._write()

    def _is_write_stalled(self, now: float) -> bool:
        unsent = count_unsent(self._transport, looks_below=self._peer.tls is not None)
        if not unsent:
            self._write_progress = None
            return False
        if self._write_progress is None:
            self._write_progress = WriteProgress()
        return self._write_progress.is_stalled(now, unsent, self._state.config.timeout_write)

    def _look_at_streams(self, now: float) -> None:
        """Reset streams whose body does not come, or whose response is not taken."""
        config = self._state.config
        for stream in self._open_streams():
            complaint = ""
            if stream.socket is not None:
                stream.socket.tick(now)
            elif stream.state == State.OPEN and stream.received is not None:
                if stream.progress is None:
                    stream.progress = BodyProgress(now)
                complaint = stream.progress.complain(
                    now,
                    is_paused=self._is_reading_paused or stream.expect_continue or stream.received.left <= 0,
                    timeout=config.timeout_body,
                    rate=config.limit_body_rate,
                )
            if stream.pending_size:
                stream.write_progress = stream.write_progress or WriteProgress()
                if stream.write_progress.is_stalled(now, stream.pending_size, config.timeout_write):
                    complaint = "the client gives no room for the response"
            if complaint:
                logger.info("reset a stream of %s: %s", self._peer.client_host, complaint)
                self._drop(stream, ErrorCode.CANCEL)
        self._write()

    def shutdown(self) -> None:
        """Say that the connection is about to end, and serve what is on its way."""
        self.session.go_away(last=False)
        for stream in self._open_streams():
            if stream.socket is not None:
                stream.socket.shutdown()
        self._write()
        self._state.loop.call_at(self._state.idle_deadline, self._end)

    def _end(self) -> None:
        """Take no more requests; close after the last."""
        if not self._is_ending and not self._is_lingering:
            self._is_ending = True
            self.session.go_away(last=True)
            self._write()

    def end_streams(self, *, streams_only: bool) -> None:
        """Tell the applications, if they ask, that this is the end: first those whose response has none of its own."""
        for stream in self._open_streams():
            if stream.cycle is not None:
                stream.cycle.tell_to_end(streams_only=streams_only)

    def abort(self) -> None:
        """Close at once; what was not written is lost."""
        self._transport.abort()

    # Requests.

    def _open_streams(self) -> list[HTTP2Stream]:
        return cast("list[HTTP2Stream]", list(self.session.streams.open.values()))

    def _begin(self, stream: HTTP2Stream, head: RequestHead) -> None:
        state, peer, headers = self._state, self._peer, head.headers.copy()
        stream.connection = self
        state.requests += 1
        if not head.is_plain:
            if head.forwarded and peer.is_trusted:
                peer, headers = resolve(peer, headers, state.config.forwarded_fields, state.trusted)
            if head.protocol:
                self._open_tunnel(stream, head, headers, peer)
                return
            stream.expect_continue = head.expect_continue
            stream.takes_trailers = head.trailers
        scope = build_scope(state, peer, head.line, headers)
        stream.cycle = HTTPCycle(stream, state, peer, scope, stream.has_body)
        self._begun.append(stream)

    def _run_begun(self) -> None:
        """Call the applications, now that they have all of their bodies that came with the heads.

        Most bodies are small and come with their head: the application that asks for one need not wait.
        """
        begun, self._begun = self._begun, []
        spawn = self._state.spawn
        for stream in begun:
            cycle = stream.cycle
            if cycle is None:
                continue  # its client has reset it since
            if spawn(cycle.run(), cycle).done():
                stream.part_from_cycle()
            else:
                cycle.on_end = stream.part_from_cycle

    def _open_tunnel(self, stream: HTTP2Stream, head: RequestHead, headers: list[Pair], peer: Peer) -> None:
        """Begin the handshake of a WebSocket; of other protocols nothing is known here."""
        state = self._state
        if not stream.has_body:
            self._refuse(stream, 400, "an opening of a WebSocket with its end (RFC 8441 section 5)")
            return
        if head.protocol.lower() != b"websocket":
            self._refuse(stream, 501, f"protocol {head.protocol!r} is not known (RFC 9220 section 3)")
            return
        state.websockets += 1
        scope = build_websocket_scope(state, peer, head.line, headers)
        stream.transport = transport = StreamTransport(self, stream)
        self._websockets.append(stream)
        forget = partial(self._forget_websocket, stream, Access(scope, peer.client_host))
        stream.socket = socket = WebSocketCycle(transport, stream, state, scope, forget)
        if state.is_stopping:
            socket.shutdown()  # refuses the handshake
        else:
            socket.start()

    def _forget_websocket(self, stream: HTTP2Stream, access: Access) -> None:
        self._state.websockets -= 1
        if self._state.access_log is not None and stream.socket is not None:
            self._state.access_log.record(access.finish(stream.socket.status or 499, 0))
        self.look_whether_idle()

    def abort_websocket(self, stream: HTTP2Stream) -> None:
        """Reset the stream of a WebSocket, which is then lost."""
        self.session.reset_stream(stream, ErrorCode.CANCEL)
        self.write_soon()
        self._lose_websocket(stream)

    def _lose_websocket(self, stream: HTTP2Stream) -> None:
        """Tell a WebSocket, once, that its stream is closed."""
        if stream.socket is not None and stream.is_waiting:
            self.session.streams.release(stream)
            stream.socket.connection_lost(None)

    def look_whether_idle(self) -> None:
        """Give the client the time of an idle connection if nothing is in progress any more."""
        if not self.session.streams.busy and self._deadline == inf:
            self._deadline = self._state.idle_deadline
            if self._is_ending:
                self.write_soon()

    def _act(self, event: object) -> None:
        if isinstance(event, DataReceived):
            self._take_data(event.stream, event.data, event.is_complete)
        elif isinstance(event, StreamClosed):
            self._disconnect(event.stream)
        elif isinstance(event, RequestRefused):
            self._refuse(event.stream, event.status, event.reason)

    def _take_data(self, stream: HTTP2Stream, data: bytes, is_complete: bool) -> None:
        cycle = stream.cycle
        stream.expect_continue = False
        if stream.socket is not None:
            self._take_frames(stream, stream.socket, data, is_complete)
            return
        if cycle is None or cycle.response_complete:
            self.session.give_back(stream, len(data))
            return
        if data:
            if stream.progress is not None:
                stream.progress.size += len(data)
            cycle.feed(data)
        if is_complete:
            cycle.end_body()

    def _take_frames(
        self, stream: HTTP2Stream, socket: WebSocketCycle, data: bytes, is_complete: bool
    ) -> None:
        """Hand over what came for a WebSocket; the end of the client's side is the end of its connection."""
        transport = cast("StreamTransport", stream.transport)
        if data:
            socket.data_received(data)
            transport.give_back()
        if is_complete:
            self._end_frames(stream, socket)

    def _end_frames(self, stream: HTTP2Stream, socket: WebSocketCycle) -> None:
        """Tell a WebSocket that nothing more will come; it ends at once, or when its application has answered the close."""
        if not socket.eof_received():
            cast("StreamTransport", stream.transport).close()

    def _disconnect(self, stream: HTTP2Stream) -> None:
        """Tell whoever serves a stream that its client is gone."""
        if stream.socket is not None:
            self._lose_websocket(stream)
        elif stream.cycle is not None:
            stream.cycle.disconnect()
        else:
            self.session.streams.release(stream)

    def _refuse(self, stream: HTTP2Stream, status: int, reason: str) -> None:
        """Answer a request that reaches no application."""
        self._state.note_refusal(self._peer.client_host, status, reason)
        body = f"{reason.partition(' (')[0]}\n".encode()
        head = build_head(status, _ERROR_FIELDS)
        literals = self.literals_for(head, len(body))
        self.session.sender.send_whole(stream, status, head.fields, literals, body)
        self.session.streams.release(stream)

    def _drop(self, stream: HTTP2Stream, code: ErrorCode) -> None:
        self.session.reset_stream(stream, code)
        self._disconnect(stream)

    # Writing.

    def literals_for(self, head: ResponseHead, length: int | None) -> bytes:
        """Return the encoded fields that the server adds to a head, and the length of the body if it is known."""
        stamp = self._state.literals
        if head.stamp is stamp and length == head.content_length:
            return head.literals  # most heads were sent before, a moment ago
        literals = stamp
        if head.has_date or head.has_server:
            literals = self._state.literals_without(date=head.has_date, server=head.has_server)
        if length is not None:
            literals += encode_length(length)
            if length == head.content_length:
                head.stamp, head.literals = stamp, literals
        return literals

    def write_soon(self) -> None:
        """Write with the end of this turn of the loop what is to be written by then."""
        if not self.is_write_due:
            self.is_write_due = True
            self._state.loop.call_soon(self._write)

    def _write(self) -> None:
        """Write what may be written, and let applications go on that waited for it."""
        self.is_write_due = False
        session, transport = self.session, self._transport
        while not (self.writing_paused or self._is_lingering or transport.is_closing()):
            data, drained = session.take_output(ROOM)
            if data:
                transport.write(data)
            for event in drained:
                stream = event.stream
                waiting = stream.socket or stream.cycle
                if waiting is not None:
                    waiting.resume_writing()
            if not session.sender.has_output:
                break
        if self._websockets:
            self._lose_ended_websockets()
        if (self._is_ending or session.failure is not None) and not self._is_lingering:
            self._close_when_done()

    def _lose_ended_websockets(self) -> None:
        is_open = self.session.streams.open
        for stream in [each for each in self._websockets if each.stream_id not in is_open]:
            self._websockets.remove(stream)
            self._lose_websocket(stream)

    def _close_when_done(self) -> None:
        session = self.session
        if session.failure is not None or not (session.streams.open or session.streams.busy):
            self._linger()

    def _linger(self) -> None:
        """Close in two steps: a close with unread bytes makes the system reset the connection and lose our last words."""
        self._is_lingering = True
        self._deadline = self._state.deadline(LINGER)
        self._resume_reading()
        if self._transport.can_write_eof():
            try:
                self._transport.write_eof()
            except OSError:  # reset by the client, which the loop has not told us yet
                self._transport.abort()
        elif not self._transport.is_closing():
            self._transport.close()
