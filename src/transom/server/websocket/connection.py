"""One WebSocket connection after the handshake, without I/O: bytes in, events out; calls in, bytes out.

How it works: `receive_data()` appends to a buffer, `next_event()` takes one event from its front. A frame's payload is taken as
it arrives, not when the frame is whole, so that bad UTF-8 and oversized messages fail at once. What must stay true: the events
do not depend on how the bytes were cut; every event before a protocol error is returned before the error is raised; and
after a close event or an error nothing more is read.

Source: RFC 6455.
"""

from __future__ import annotations

import os
from enum import Enum
from typing import TYPE_CHECKING, Final

from transom.server.websocket.close import CloseCode, build_close_payload, parse_close_payload
from transom.server.websocket.events import (
    NEED_DATA,
    BytesMessage,
    Close,
    Event,
    NeedData,
    Ping,
    Pong,
    TextMessage,
)
from transom.server.websocket.exceptions import LocalProtocolError, RemoteProtocolError
from transom.server.websocket.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    MAX_CONTROL_SIZE,
    PING,
    PONG,
    TEXT,
    FrameHeader,
    apply_mask,
    build_frame,
    parse_frame_header,
)
from transom.server.websocket.message import PartialMessage, build_message

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_MAX_SIZE: Final = 1024 * 1024


class Role(Enum):
    """The side a connection object plays: a client masks what it sends, a server does not."""

    SERVER = "SERVER"
    CLIENT = "CLIENT"


class WebSocketConnection:
    """The frames of one connection.

    The `send_` methods return the bytes to write and raise `LocalProtocolError` after our own close frame. Pings are not
    answered and close frames not echoed by themselves: the caller does so with `send_pong()` and `echo_close()`.

    Args:
        role: which side this is.
        max_size: bytes of the largest message accepted, all fragments together; default 1 MiB.
        mask_source: returns that many random bytes; only a client needs it (RFC 6455 10.3: unpredictable).
    """

    __slots__ = (
        "_buffer",
        "_close_code",
        "_close_sent",
        "_done_reading",
        "_eof",
        "_header",
        "_is_client",
        "_mask_source",
        "_max_size",
        "_message",
        "_unread",
    )

    def __init__(
        self,
        role: Role = Role.SERVER,
        *,
        max_size: int = DEFAULT_MAX_SIZE,
        mask_source: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._is_client = role is Role.CLIENT
        self._max_size = max_size
        self._mask_source = mask_source
        self._buffer = bytearray()
        self._header: FrameHeader | None = None  # of the frame whose payload is being read
        self._unread = 0  # payload bytes of that frame still to come
        self._message: PartialMessage | None = None  # begun and not finished
        self._eof = False
        self._done_reading = False  # a close event was returned or an error raised
        self._close_code: int | None = None  # of the peer's close frame
        self._close_sent = False

    @property
    def is_closed(self) -> bool:
        """Whether both close frames went over the wire, or the stream ended or failed: nothing is left to wait for."""
        return self._done_reading and (self._close_sent or self._close_code is None)

    @property
    def buffered(self) -> int:
        """Bytes received and not yet turned into events."""
        return len(self._buffer) + (self._message.size if self._message else 0)

    # Receiving

    def receive_data(self, data: bytes) -> None:
        """Take bytes from the peer; empty bytes mean that the stream has ended. What follows the last event is dropped."""
        if not self._done_reading:
            self._buffer += data
            self._eof = self._eof or not data

    def next_event(self) -> Event | NeedData:
        """Return the next event, or NEED_DATA.

        Raises:
            RemoteProtocolError: the peer broke the protocol; send a close frame with the error's code and close.
        """
        if self._done_reading:
            return NEED_DATA
        try:
            event = self._read_event()
        except RemoteProtocolError:
            self._finish_reading()
            raise
        if event is NEED_DATA and self._eof:
            event = Close(CloseCode.ABNORMAL_CLOSURE.value)
        if isinstance(event, Close):
            self._finish_reading()
        return event

    def _finish_reading(self) -> None:
        self._done_reading = True
        self._buffer.clear()
        self._header = self._message = None

    def _read_event(self) -> Event | NeedData:
        while True:
            header = self._header or self._read_header()
            if header is None:
                return NEED_DATA
            event = self._read_control(header) if header.is_control else self._read_data(header)
            # None: a fragment ended without ending its message.
            if event is not None:
                return event

    def _read_header(self) -> FrameHeader | None:
        header = parse_frame_header(self._buffer)
        if header is None:
            return None
        # RFC 6455 5.1: a client masks every frame, a server none; the other side must fail the connection.
        if bool(header.mask) is self._is_client:
            raise RemoteProtocolError("frame masked or unmasked against its role", CloseCode.PROTOCOL_ERROR)
        if not header.is_control:
            self._check_data_header(header)
        del self._buffer[: header.size]
        self._header = header
        self._unread = header.length
        return header

    def _check_data_header(self, header: FrameHeader) -> None:
        # RFC 6455 5.4: fragments of two messages are never interleaved.
        if (header.opcode == CONTINUATION) is (self._message is None):
            raise RemoteProtocolError(
                "continuation of no message, or a message inside another", CloseCode.PROTOCOL_ERROR
            )
        # Refused by its declared length: the payload is never waited for.
        size = header.length + (self._message.size if self._message else 0)
        if size > self._max_size:
            raise RemoteProtocolError(
                f"message of {size} bytes or more; the limit is {self._max_size}", CloseCode.MESSAGE_TOO_BIG
            )

    def _read_control(self, header: FrameHeader) -> Event | NeedData:
        if len(self._buffer) < header.length:
            return NEED_DATA
        payload = self._take(header.length, header.mask)
        self._header = None
        if header.opcode == PING:
            return Ping(payload)
        if header.opcode == PONG:
            return Pong(payload)
        self._close_code, reason = parse_close_payload(payload)
        return Close(self._close_code, reason)

    def _read_data(self, header: FrameHeader) -> TextMessage | BytesMessage | NeedData | None:
        if self._message is None:
            if header.fin and len(self._buffer) >= header.length:
                self._header = None
                return build_message(header.opcode, self._take(header.length, header.mask))
            self._message = PartialMessage(header.opcode)
        # How far into the payload we are decides which byte of the key comes first.
        turn = (header.length - self._unread) % 4
        piece = self._take(self._unread, header.mask[turn:] + header.mask[:turn])
        self._unread -= len(piece)
        is_last = header.fin and not self._unread
        self._message.add(piece, last=is_last)
        if self._unread:
            return NEED_DATA
        self._header = None
        if not is_last:
            return None
        event, self._message = self._message.to_event(), None
        return event

    def _take(self, size: int, mask: bytes) -> bytes:
        """Remove up to `size` bytes from the front of the buffer and unmask them."""
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return apply_mask(data, mask) if mask and data else data

    # Sending

    def send_text(self, text: str) -> bytes:
        """Return a text message in one frame."""
        return self._build(TEXT, text.encode())

    def send_bytes(self, data: bytes) -> bytes:
        """Return a binary message in one frame."""
        return self._build(BINARY, data)

    def send_ping(self, payload: bytes = b"") -> bytes:
        """Return a ping with a payload of at most 125 bytes."""
        return self._build_control(PING, payload)

    def send_pong(self, payload: bytes = b"") -> bytes:
        """Return a pong with a payload of at most 125 bytes."""
        return self._build_control(PONG, payload)

    def send_close(self, code: int = CloseCode.NORMAL_CLOSURE, reason: str = "") -> bytes:
        """Return the one close frame of this side, of its own accord or after a protocol error.

        Raises:
            LocalProtocolError: one was sent before, the code may not be sent, or the reason exceeds 123 bytes.
        """
        return self._build_close(build_close_payload(code, reason))

    def echo_close(self) -> bytes:
        """Return the answer to the peer's close frame: the same code, or none where it held none (RFC 6455 5.5.1)."""
        if self._close_code is None:
            raise LocalProtocolError("no close frame was received that could be echoed")
        no_status = self._close_code == CloseCode.NO_STATUS_RECEIVED
        return self._build_close(b"" if no_status else build_close_payload(self._close_code))

    def _build_close(self, payload: bytes) -> bytes:
        if self._close_sent:
            raise LocalProtocolError("a close frame was already sent (RFC 6455 5.5.1)")
        self._close_sent = True
        return self._frame(CLOSE, payload)

    def _build_control(self, opcode: int, payload: bytes) -> bytes:
        if len(payload) > MAX_CONTROL_SIZE:
            raise LocalProtocolError(
                f"control payload of {len(payload)} bytes; the most is {MAX_CONTROL_SIZE} (RFC 6455 5.5)"
            )
        return self._build(opcode, payload)

    def _build(self, opcode: int, payload: bytes) -> bytes:
        # After the peer's close frame, and even after an error, what was under way may still go out before ours does.
        if self._close_sent:
            raise LocalProtocolError("nothing may be sent after a close frame (RFC 6455 5.5.1)")
        return self._frame(opcode, payload)

    def _frame(self, opcode: int, payload: bytes) -> bytes:
        return build_frame(opcode, payload, mask=self._mask_source(4) if self._is_client else b"")
