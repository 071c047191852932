"""One WebSocket between a transport and an application: the ASGI conversation, backpressure, keep-alive, the end.

How it works: the codec in `websocket/` is pulled, never pushed. `_read_events()` takes events while the application's inbox has
room, then pauses the transport; `receive()` makes room and goes on. So memory is bounded and, after a lost connection, what
had arrived is still delivered before the disconnect. `Phase` is the application's side of the conversation; whoever ends it
first decides the code in `websocket.disconnect`. What must stay true: after `_end()` nothing reaches the application but what
is in the inbox, and the transport is gone after CLOSE_TIMEOUT seconds (and two ticks) at the latest.

Source: ASGI WebSocket spec 2.5; RFC 6455 sections 5.5 and 7.
"""

from __future__ import annotations

import logging
from enum import Enum
from math import inf
from typing import TYPE_CHECKING, Any, Final, cast

from transom.server.exceptions import ClientDisconnected, MessageError, is_client_disconnect
from transom.server.logs.request_id import describe_request
from transom.server.websocket import (
    NEED_DATA,
    Agreement,
    Close,
    CloseCode,
    Handshake,
    HandshakeError,
    Ping,
    RemoteProtocolError,
    WebSocketConnection,
    build_accept_fields,
    negotiate,
    parse_extended_connect,
    parse_handshake,
)
from transom.server.websocket_denial import DenialResponse
from transom.server.websocket_inbox import WebSocketInbox
from transom.server.websocket_keepalive import KeepAlive
from transom.server.websocket_transport import WebSocketTransport

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping

    from transom.asgi.types import WebSocketScope
    from transom.server.exchange import Exchange
    from transom.server.state import ServerState

    Message = Mapping[str, Any]  # Any: what the application sends; checked here, key by key

# Seconds for the closing handshake and the last bytes, as in websockets and Bandit.
CLOSE_TIMEOUT: Final = 10.0
# Seconds an application has to answer messages that came before the client's close frame.
LAST_WORDS: Final = 1.0
EARLY_DATA: Final = 64 * 1024  # bytes held of a client that does not wait for the 101
MAX_IN_ONE_GO: Final = 256  # events of one connection taken before others have their turn

logger = logging.getLogger("transom.error")


class Phase(Enum):
    """How far the application's side of the conversation is."""

    CONNECTING = "CONNECTING"  # neither accepted nor refused
    OPEN = "OPEN"
    DENYING = "DENYING"  # the HTTP response of a refusal is being sent
    CLOSED = "CLOSED"  # refused, closed by either side, failed or lost


_OPEN, _CLOSED = Phase.OPEN, Phase.CLOSED


class WebSocketCycle:
    """Serves one WebSocket; takes over the transport's callbacks after an upgrade request.

    Args:
        transport: the client's connection.
        exchange: sends the HTTP response where the handshake is refused.
        state: the application, options and clock of the worker.
        scope: of the request; the denial response extension is added to it.
        on_closed: called once, when the transport is lost.

    Attributes:
        status: what the handshake was answered with.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        exchange: Exchange,
        state: ServerState,
        scope: WebSocketScope,
        on_closed: Callable[[], None],
    ) -> None:
        config = state.config
        self.status: int | None = None
        self._exchange = exchange
        self._state = state
        self._scope = scope
        self._on_closed = on_closed
        self._connection = WebSocketConnection(max_size=config.ws_max_size)
        self._inbox = WebSocketInbox(config.ws_max_queue, state.loop)
        self._phase = Phase.CONNECTING
        self._handshake: Handshake  # set by start(), before the application can accept
        self._denial: DenialResponse | None = None
        self._transport = WebSocketTransport(transport, state.loop)
        self._keep_alive = KeepAlive(self, config.ws_ping_interval, config.ws_ping_timeout)
        self._ending: Close | RemoteProtocolError | None = None  # what the peer ended the connection with
        self._deadline = inf  # loop time: while open, of an ending that is held; then of the transport
        self._pending_pong: bytes | None = None  # RFC 6455 5.5.3: only the latest ping needs an answer

    def start(self) -> None:
        """Run the application, or refuse a handshake that is not valid; the 101 waits for the application's accept."""
        try:
            headers, version = self._scope["headers"], self._scope["http_version"]
            self._handshake = (
                parse_extended_connect(headers)
                if version == "2"
                else parse_handshake("GET", version, headers)
            )
        except HandshakeError as exc:
            self._refuse(exc.status, str(exc), *exc.headers)
            return
        # One grammar decides what was offered, for the answer and for the application.
        self._scope["subprotocols"] = list(self._handshake.subprotocols)
        self._scope["extensions"] = {**self._scope.get("extensions", {}), "websocket.http.response": {}}
        self._state.spawn(self._run())

    # From the transport

    def data_received(self, data: bytes) -> None:
        """Take bytes; before the handshake is answered they are held."""
        self._keep_alive.heard = True
        self._connection.receive_data(data)
        if self._phase is _OPEN or self._phase is _CLOSED:
            if not self._transport.is_reading_paused and self._ending is None:
                self._take_events()
        elif self._connection.buffered > EARLY_DATA:
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """Take the end of the stream; the transport closes, unless the application may still answer what came before."""
        if not self._is_ending_held:
            self._end_of_stream()
        return self._is_ending_held

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the application, at once if it sends and in order if it receives."""
        self._transport.is_lost = True
        self._end_of_stream()
        self._take_held_ending()
        self._keep_alive.stop()
        self.resume_writing()
        self._on_closed()

    def pause_writing(self) -> None:
        """Let `send()` wait from now on."""
        self._transport.pause_writing()

    def resume_writing(self) -> None:
        """Let every waiting `send()` go on."""
        self._transport.resume_writing()
        if self._pending_pong is not None and self._phase is Phase.OPEN:
            self._transport.write(self._connection.send_pong(self._pending_pong))
        self._pending_pong = None

    # From the server

    def tick(self, now: float) -> None:
        """Look at the deadlines, once a second. Nothing here has a timer of its own."""
        self._keep_alive.tick(now)
        self._connection.tick()
        if now >= self._deadline:
            self._deadline = inf
            if self._phase is Phase.CLOSED:
                self._transport.abort()
            else:
                self._take_ending()

    def shutdown(self) -> None:
        """Begin to close because the server stops: 1012, or 503 where the handshake is not answered yet."""
        if self._phase is Phase.CONNECTING:
            self._inbox.end(CloseCode.SERVICE_RESTART, "")
            self._refuse(503, "the server is restarting")
        elif self._phase is Phase.OPEN:
            self._close(CloseCode.SERVICE_RESTART, "")

    def _end_of_stream(self) -> None:
        self._connection.receive_data(b"")
        if self._phase is Phase.OPEN:
            # With a full inbox the rest waits for receive(): nothing that arrived whole is lost.
            self._read_events()
        else:
            self._end(CloseCode.ABNORMAL_CLOSURE, "")

    # Events

    def _read_events(self) -> None:
        """Take events from the codec if there is room for them."""
        if self._phase is _OPEN and self._inbox.is_full:
            self._transport.pause_reading()
        elif self._ending is None:
            self._take_events()

    def _take_events(self) -> None:
        """Take events until the inbox is full, bytes are missing, or the connection ends."""
        inbox, next_event, is_open = self._inbox, self._connection.next_event, self._phase is _OPEN
        for taken in range(MAX_IN_ONE_GO):
            try:
                event = next_event()
            except RemoteProtocolError as exc:
                self._hold_ending(exc)
                return
            if event is NEED_DATA:
                if self._transport.is_reading_paused:
                    self._transport.resume_reading()
                return
            if taken == 1:
                self._transport.gather()  # the answers to several
            if isinstance(event, (str, bytes)):
                # After our close frame only the peer's matters.
                if is_open and inbox.put(event):
                    self._transport.pause_reading()
                    return
            elif isinstance(event, Close):
                self._hold_ending(event)
                return
            elif isinstance(event, Ping) and is_open:
                self._answer_ping(event.payload)
        self._transport.pause_reading()
        self._state.loop.call_soon(self._read_events)

    def _hold_ending(self, ending: Close | RemoteProtocolError) -> None:
        """End the connection, but let the application answer first what came before.

        It has answered when it waits for more; one that does not receive cannot hold up the end for long.
        """
        self._ending = ending
        cut_off = (
            self._transport.is_lost or ending.code == CloseCode.ABNORMAL_CLOSURE
        )  # nobody is left to answer
        if self._phase is not Phase.OPEN or self._inbox.is_empty or cut_off:
            self._take_ending()
        else:
            self._deadline = self._state.deadline(LAST_WORDS)

    def _take_ending(self) -> None:
        if isinstance(self._ending, Close):
            self._peer_closed(self._ending)
        elif self._ending is not None:
            self._fail(self._ending.code, str(self._ending))

    @property
    def _is_ending_held(self) -> bool:
        return self._ending is not None and self._phase is Phase.OPEN

    def _take_held_ending(self) -> None:
        if self._is_ending_held:
            self._take_ending()

    def _answer_ping(self, payload: bytes) -> None:
        if self._transport.is_full:
            self._pending_pong = payload
        else:
            self._transport.write(self._connection.send_pong(payload))

    def _peer_closed(self, event: Close) -> None:
        if not self._connection.is_closed:
            self._transport.write(self._connection.echo_close())
        self._end(event.code, event.reason)
        # RFC 6455 7.1.1: the server closes the TCP connection first.
        self._transport.close()

    # Ends

    def _close(self, code: int, reason: str) -> None:
        """Begin the closing handshake."""
        self._transport.write(self._connection.send_close(code, reason))
        self._end(code, reason)
        # The peer's close frame may be here already, held for the application or behind a full inbox.
        self._take_ending()
        self._read_events()

    def _fail(self, code: int, reason: str) -> None:
        """Fail the connection: say why and end the stream, without waiting for a closing handshake.

        What the peer still sends is dropped.  Source: RFC 6455 section 7.1.7.
        """
        if self._phase is Phase.OPEN:
            self._transport.write(self._connection.send_close(code, reason))
        self._end(code, reason)
        self._transport.resume_reading()
        self._transport.close_our_half()

    def _refuse(self, status: int, message: str, *headers: tuple[bytes, bytes]) -> None:
        """Answer the handshake with a plain response."""
        self.status = status
        body = f"{message}\n".encode()
        fields = [*headers, (b"content-type", b"text/plain; charset=utf-8")]
        head = self._exchange.build_head(status, fields)
        self._exchange.send_head(head, len(body), body, False, True, False)
        self._exchange.response_complete()
        self._end(CloseCode.ABNORMAL_CLOSURE, "")

    def _end(self, code: int, reason: str) -> None:
        """Close the conversation for the application, and bound the time the transport has left."""
        self._inbox.end(code, reason)
        if self._phase is not Phase.CLOSED:
            self._phase = Phase.CLOSED
            self._keep_alive.stop()
            self.resume_writing()
            self._deadline = self._state.deadline(CLOSE_TIMEOUT)

    # Keep-alive

    def send_ping(self) -> None:
        """Write one ping, unless the peer cannot answer: what it does not read is limited elsewhere, or we do not read it."""
        if self._transport.is_full or self._transport.is_reading_paused:
            self._keep_alive.heard = True
        else:
            self._transport.write(self._connection.send_ping())

    def drop_silent_peer(self) -> None:
        """Fail the connection: nothing was heard after a ping."""
        self._fail(CloseCode.INTERNAL_ERROR, "no pong in time")

    # The application

    async def _run(self) -> None:
        code = CloseCode.INTERNAL_ERROR
        try:
            await self._state.app(self._scope, self.receive, self.send)
            code = CloseCode.NORMAL_CLOSURE
        except Exception as exc:
            if not is_client_disconnect(exc):
                logger.exception("exception in the application on %s", self._describe())
        finally:
            self._application_ended(code)

    def _application_ended(self, code: CloseCode) -> None:
        if self._phase is Phase.OPEN:
            self._close(code, "")
        elif self._phase is not Phase.CLOSED:
            begun = self._denial is not None and self._denial.has_begun
            if code is CloseCode.NORMAL_CLOSURE:
                logger.error("application returned without an answer on %s", self._describe())
            if begun:
                self._transport.abort()  # the client must see that the response is cut off
            else:
                self._refuse(500, "Internal Server Error")

    def _describe(self) -> str:
        return describe_request(self._scope, with_id=self._state.gives_request_ids)

    async def receive(self) -> Any:  # Any: as in asgi.types.Receive
        """Return connect, then each message, then disconnect for ever.

        Cancellation: no message is lost.
        """
        inbox = self._inbox
        message = inbox.take()
        if message is None:
            if self._ending is not None:
                self._take_held_ending()
                message = inbox.take()
            while message is None:
                await inbox.new_waiter()
                message = inbox.take()
        if self._transport.is_reading_paused and self._phase is _OPEN and not inbox.is_full:
            self._read_events()
        return message

    async def send(self, message: Any) -> None:  # Any: as in asgi.types.Send
        """Write one message; return once the transport's buffer is below its high-water mark.

        Cancellation: the message is written whole or not at all.

        Raises:
            ClientDisconnected: the WebSocket is closed; nothing was written. Closing it again is no error.
            MessageError: the message is malformed, unknown or out of order.
            LocalProtocolError: a header, subprotocol, close code or reason may not be sent.
        """
        kind = message.get("type")
        # A lost connection stays OPEN while what had arrived waits for room in the inbox.
        if self._phase is _OPEN and not self._transport.is_lost:
            if kind != "websocket.send":
                self._send_open(kind, message)
            elif isinstance(text := message.get("text"), str) and message.get("bytes") is None:
                self._transport.write(self._connection.send_text(text))
            else:
                self._send_bytes(text, message.get("bytes"))
        elif self._phase is Phase.CONNECTING:
            self._send_connecting(kind, message)
        elif self._denial is not None and self._phase is Phase.DENYING:
            self._send_denial(self._denial, kind, message)
        elif kind != "websocket.close":
            raise ClientDisconnected(f"the WebSocket is closed; {kind!r} was not sent")
        if self._transport.is_full:
            await self._transport.drain()

    def _send_bytes(self, text: object, data: object) -> None:
        if text is not None or not isinstance(data, (bytes, bytearray, memoryview)):
            raise MessageError(
                f"websocket.send takes either text as str or bytes as bytes; text is {type(text).__name__},"
                f" bytes is {type(data).__name__}"
            )
        self._transport.write(self._connection.send_bytes(bytes(cast("bytes", data))))

    def _send_open(self, kind: object, message: Message) -> None:
        if kind != "websocket.close":
            raise MessageError(
                f"message {kind!r} on an open WebSocket; choose from websocket.send and websocket.close"
            )
        self._close(message.get("code", CloseCode.NORMAL_CLOSURE.value), message.get("reason") or "")
        self._inbox.clear()

    def _send_connecting(self, kind: object, message: Message) -> None:
        if kind == "websocket.accept":
            self._accept(message)
        elif kind == "websocket.close":
            self._refuse(403, "Forbidden")
        elif kind == "websocket.http.response.start":
            self._denial = DenialResponse(self._exchange, message)
            self.status = self._denial.status
            self._phase = Phase.DENYING
        else:
            raise MessageError(
                f"message {kind!r} before the handshake is answered; choose from websocket.accept, websocket.close and"
                " websocket.http.response.start"
            )

    def _accept(self, message: Message) -> None:
        agreement = self._negotiate()
        fields = build_accept_fields(
            self._handshake,
            message.get("subprotocol"),
            message.get("headers") or (),
            extensions=agreement.response if agreement else b"",
        )
        self._exchange.accept_websocket(self._handshake.key, fields)
        if agreement is not None:
            self._connection.enable_deflate(agreement, self._state.config.ws_max_ratio)
        self.status = 101
        self._phase = Phase.OPEN
        self._keep_alive.start(self._state.deadline(self._state.config.ws_ping_interval))
        self._read_events()

    def _negotiate(self) -> Agreement | None:
        return negotiate(self._handshake.extensions) if self._state.config.ws_per_message_deflate else None

    def _send_denial(self, denial: DenialResponse, kind: object, message: Message) -> None:
        if kind != "websocket.http.response.body":
            raise MessageError(
                f"message {kind!r} in a denial response; only websocket.http.response.body may follow"
            )
        more_body = message.get("more_body", False)
        denial.send_body(message.get("body", b""), more_body)
        if not more_body:
            self._end(CloseCode.ABNORMAL_CLOSURE, "")
