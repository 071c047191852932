"""One request of an HTTP/2 connection: what its cycle asks for, in frames; and what a WebSocket takes for its transport.

Over HTTP/2 a WebSocket is a stream that stays open (RFC 8441 section 5): its frames are in DATA, the end of a side is END_STREAM,
and a reset is a lost connection.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from transom.server.http2 import ErrorCode, State, Stream, build_fields, build_head

if TYPE_CHECKING:
    from collections.abc import Iterable

    from transom.server.cycle import HTTPCycle
    from transom.server.http2 import Pair, ResponseHead, Session
    from transom.server.progress import BodyProgress, WriteProgress
    from transom.server.websocket_cycle import WebSocketCycle


class Connection(Protocol):
    """What a stream asks of its connection."""

    session: Session
    is_write_due: bool

    def literals_for(self, head: ResponseHead, length: int | None) -> bytes:
        """Return the encoded fields that the server adds to a head, and the length of the body if it is known."""
        ...

    def write_soon(self) -> None:
        """Write with the end of this turn of the loop what is to be written by then."""
        ...

    def look_whether_idle(self) -> None:
        """Look whether anything is in progress; called when the last application has ended."""
        ...

    def abort_websocket(self, stream: HTTP2Stream) -> None:
        """Reset the stream of a WebSocket, which is then lost."""
        ...


class HTTP2Stream(Stream):
    """A stream, and the lower half of its cycle: `exchange.Exchange` for HTTP/2.

    Attributes:
        connection: whose stream it is; set before it has a cycle.
        cycle: of the request; None if it was refused, or opens a WebSocket.
        socket: the WebSocket that it opened, on `transport`.
        expect_continue: the client waits for a 100 before it sends the body.
        takes_trailers: the client said that it does.
        progress: of the request body; None before the first look at it.
        write_progress: of what waits to be sent.
    """

    connection: Connection
    cycle: HTTPCycle | None = None
    socket: WebSocketCycle | None = None
    transport: StreamTransport | None = None
    expect_continue = False
    takes_trailers = False
    progress: BodyProgress | None = None
    write_progress: WriteProgress | None = None

    build_head = staticmethod(build_head)

    def part_from_cycle(self) -> None:
        """Note that the application is done. Two that know each other, only the garbage collector could free."""
        self.cycle = None
        connection = self.connection
        streams = connection.session.streams
        streams.release(self)
        if not streams.busy:
            connection.look_whether_idle()

    def send_informational(self, status: int, fields: Iterable[Pair]) -> None:
        """Send an informational response."""
        checked = build_fields(fields)
        self.connection.session.sender.send_head(self, status, checked, b"", end_stream=False)
        self.connection.write_soon()

    def send_whole(self, head: ResponseHead, body: bytes) -> None:
        """Send a head and the whole body."""
        connection = self.connection
        literals = connection.literals_for(head, len(body))
        connection.session.sender.send_whole(self, head.status, head.fields, literals, body)
        if not connection.is_write_due:
            connection.write_soon()

    def send_head(
        self,
        head: ResponseHead,
        length: int | None,
        body: bytes,
        more_body: bool,
        has_body: bool,
        has_trailers: bool,
    ) -> None:
        """Send a head and the first piece of the body."""
        connection = self.connection
        sender, literals = connection.session.sender, connection.literals_for(head, length)
        goes_on = has_body and (more_body or has_trailers)
        sender.send_head(self, head.status, head.fields, literals, end_stream=not (goes_on or body))
        if body:
            sender.send_data(self, body, end_stream=not goes_on)
        connection.write_soon()

    def send_body(self, body: bytes, more_body: bool) -> None:
        """Send the next piece of the body."""
        if body or not more_body:
            self.connection.session.sender.send_data(self, body, end_stream=not more_body)
            self.connection.write_soon()

    def accept_websocket(self, key: bytes, fields: Iterable[Pair]) -> None:
        """Send the head that opens a WebSocket (RFC 8441 section 5)."""
        head = build_head(200, fields)
        self.is_tunnel = True
        literals = self.connection.literals_for(head, None)
        self.connection.session.sender.send_head(self, 200, head.fields, literals, end_stream=False)
        self.connection.write_soon()

    def hold(self) -> None:
        """Do nothing: what is sent in one turn of the loop is one write anyway."""

    async def send_file(self, descriptor: int, offset: int, count: int) -> int:
        """Return 0: bodies are cut into frames, which the system cannot do."""
        return 0

    def send_trailers(self, fields: Iterable[Pair]) -> None:
        """Send the end of the body; with trailers if the client takes them (RFC 9110 section 6.5.1)."""
        checked = build_fields(fields)
        self.connection.session.sender.send_trailers(self, checked if self.takes_trailers else ())
        self.connection.write_soon()

    def want_body(self) -> None:
        """Give the client room for as much as the application has taken; tell it to send if it waits for that."""
        if self.received is not None:
            if self.expect_continue:
                self.expect_continue = False
                self.send_informational(100, ())
            self.connection.session.give_back(self, self.received.held)
            self.connection.write_soon()

    def pause_reading(self) -> None:
        """Do nothing: the client has no more room than the application has given back."""

    def response_complete(self) -> None:
        """Do nothing: the last frame ends the stream."""

    def abort(self) -> None:
        """Reset the stream, so that the client sees that the response is not whole."""
        self.connection.session.reset_stream(self, ErrorCode.INTERNAL_ERROR)
        self.connection.write_soon()


class StreamTransport(asyncio.Transport):
    """What a `WebSocketCycle` asks of a transport, on one stream."""

    __slots__ = ("_connection", "_has_ended", "_stream", "is_reading_paused")

    def __init__(self, connection: Connection, stream: HTTP2Stream) -> None:
        super().__init__()
        self._connection = connection
        self._stream = stream
        self._has_ended = False
        self.is_reading_paused = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send DATA."""
        if not self.is_closing():
            self._connection.session.sender.send_data(self._stream, bytes(data), end_stream=False)
            self._connection.write_soon()
            if self._stream.writing_paused and self._stream.socket is not None:
                self._stream.socket.pause_writing()

    def is_closing(self) -> bool:
        """Whether our side has ended, or the stream has."""
        return self._has_ended or self._stream.stream_id not in self._connection.session.streams.open

    def can_write_eof(self) -> bool:
        """Always: each side of a stream ends by itself."""
        return True

    def write_eof(self) -> None:
        """End our side; reset a stream that was not opened, for DATA alone would be no response."""
        if not self.is_closing() and not self._stream.is_tunnel:
            self.abort()
        elif not self.is_closing():
            self._has_ended = True
            self._connection.session.sender.send_data(self._stream, b"", end_stream=True)
            self._connection.write_soon()

    def close(self) -> None:
        """End our side; the stream is closed when the client has ended its own."""
        self.write_eof()

    def abort(self) -> None:
        """Reset the stream."""
        self._has_ended = True
        self._connection.abort_websocket(self._stream)

    def pause_reading(self) -> None:
        """Give no more room to the client."""
        self.is_reading_paused = True

    def resume_reading(self) -> None:
        """Give back the room of all that came."""
        self.is_reading_paused = False
        self.give_back()

    def give_back(self) -> None:
        """Give room for what was taken, unless reading is paused."""
        received = self._stream.received
        if not self.is_reading_paused and received is not None and self._stream.state != State.CLOSED:
            self._connection.session.give_back(self._stream, received.held)
            self._connection.write_soon()
