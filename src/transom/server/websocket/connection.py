"""One WebSocket connection after the handshake, without I/O: bytes in, events out; calls in, bytes out.

How it works: `receive_data()` keeps the bytes, `next_event()` takes one event from their front. A frame's payload is taken as
it arrives, not when the frame is whole, so that bad UTF-8 and oversized messages fail at once. What must stay true: the events
do not depend on how the bytes were cut; every event before a protocol error is returned before the error is raised; and
after a close event or an error nothing more is read.

Source: RFC 6455; RFC 7692 for compressed messages.
"""

from __future__ import annotations

import os
from enum import Enum
from typing import TYPE_CHECKING, Final

from transom.server.websocket.close import CloseCode, build_close_payload, parse_close_payload
from transom.server.websocket.deflate import Agreement, Deflater, Inflater
from transom.server.websocket.events import NEED_DATA, Close, Event, NeedData, Ping, Pong
from transom.server.websocket.exceptions import LocalProtocolError, RemoteProtocolError
from transom.server.websocket.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    FIN_BINARY,
    FIN_TEXT,
    LENGTH_16,
    LENGTH_64,
    MASKED,
    MAX_CONTROL_SIZE,
    PING,
    PONG,
    RSV1,
    TEXT,
    FrameHeader,
    apply_mask,
    build_frame,
    parse_frame_header,
)
from transom.server.websocket.message import PartialMessage

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_MAX_SIZE: Final = 1024 * 1024
# A frame that is cheap to send must not be dear to receive: control frames, and fragments below so many bytes.
LIGHT: Final = 64
MAX_LIGHT_FRAMES: Final = 1000  # a second
_PLAIN: Final = frozenset({FIN_TEXT, FIN_BINARY})  # first bytes of frames that are whole messages
_COMPRESSED: Final = frozenset({FIN_TEXT | RSV1, FIN_BINARY | RSV1})
_TEXT_HEADS: Final = tuple(bytes((FIN_TEXT, length)) for length in range(LENGTH_16))
_BINARY_HEADS: Final = tuple(bytes((FIN_BINARY, length)) for length in range(LENGTH_16))


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
        "_deflater",
        "_done_reading",
        "_eof",
        "_header",
        "_inflater",
        "_is_between_messages",
        "_is_client",
        "_light_frames",
        "_mask_source",
        "_max_size",
        "_message",
        "_plain",
        "_position",
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
        self._deflater: Deflater | None = None
        self._inflater: Inflater | None = None
        self._buffer = b""
        self._position = 0  # everything before it has been turned into events
        self._header: FrameHeader | None = None  # of the frame whose payload is being read
        self._unread = 0  # payload bytes of that frame still to come
        self._message: PartialMessage | None = None  # begun and not finished
        self._is_between_messages = True  # neither of the two above
        self._plain = frozenset[int]() if self._is_client else _PLAIN  # first bytes that need no further look
        self._light_frames = 0  # since the last tick
        self._eof = False
        self._done_reading = False  # a close event was returned or an error raised
        self._close_code: int | None = None  # of the peer's close frame
        self._close_sent = False

    def enable_deflate(self, agreement: Agreement, max_ratio: int = 0) -> None:
        """Compress and inflate messages from now on; call it before the first frame.

        Args:
            agreement: what the handshake said.
            max_ratio: bytes that one compressed byte of a message may become, beyond 64 KiB; 0 for any.
        """
        ours, theirs = agreement.server, agreement.client
        if self._is_client:
            ours, theirs = theirs, ours
        else:
            self._plain = _PLAIN | _COMPRESSED
        self._deflater = Deflater(ours)
        self._inflater = Inflater(theirs, self._max_size, max_ratio)

    @property
    def is_closed(self) -> bool:
        """Whether both close frames went over the wire, or the stream ended or failed: nothing is left to wait for."""
        return self._done_reading and (self._close_sent or self._close_code is None)

    @property
    def buffered(self) -> int:
        """Bytes received and not yet turned into events."""
        return len(self._buffer) - self._position + (self._message.size if self._message else 0)

    def tick(self) -> None:
        """Once a second: allow the peer another `MAX_LIGHT_FRAMES`, and give back memory that lies idle."""
        self._light_frames = 0
        if self._deflater is not None:
            self._deflater.tick()

    # Receiving

    def receive_data(self, data: bytes) -> None:
        """Take bytes from the peer; empty bytes mean that the stream has ended. What follows the last event is dropped."""
        if self._done_reading:
            return
        if self._position == len(self._buffer):
            self._buffer = data
        else:
            self._buffer = self._buffer[self._position :] + data
        self._position = 0
        if not data:
            self._eof = True

    def next_event(self) -> Event | NeedData:
        """Return the next event, or NEED_DATA.

        Raises:
            RemoteProtocolError: the peer broke the protocol; send a close frame with the error's code and close.
        """
        # Once reading is done the buffer stays empty.
        if self._position == len(self._buffer) and (self._done_reading or not self._eof):
            return NEED_DATA
        try:
            if self._is_between_messages and (message := self._read_plain_message()) is not None:
                return message
            event = self._read_event()
        except RemoteProtocolError:
            self._finish_reading()
            raise
        except UnicodeDecodeError as exc:
            self._finish_reading()
            raise RemoteProtocolError("text is not UTF-8", CloseCode.INVALID_PAYLOAD) from exc
        if event is NEED_DATA and self._eof:
            event = Close(CloseCode.ABNORMAL_CLOSURE.value)
        if isinstance(event, Close):
            self._finish_reading()
        return event

    def _finish_reading(self) -> None:
        self._done_reading = True
        self._is_between_messages = False
        self._buffer, self._position = b"", 0
        self._header = self._message = self._inflater = None

    def _read_plain_message(self) -> str | bytes | None:
        """Return a message of less than 64 KiB in one frame that has arrived whole; None for whatever else there is.

        Most messages are such, and need no header object. What is wrong with a header is left for `_read_event` to say.
        """
        buffer, start = self._buffer, self._position
        if len(buffer) < start + 6:
            return None
        first, length, payload = buffer[start], buffer[start + 1] - MASKED, start + 6
        if length >= LENGTH_16:
            if length == LENGTH_64 or (length := buffer[start + 2] << 8 | buffer[start + 3]) < LENGTH_16:
                return None
            payload += 2
        end = payload + length
        if not 0 <= length <= self._max_size or end > len(buffer) or first not in self._plain:
            return None
        self._position = end
        data = apply_mask(buffer[payload:end], buffer[payload - 4 : payload])
        if first & RSV1 and self._inflater is not None:
            data = self._inflater.inflate_message(data)
        return data.decode() if first & 0x0F == TEXT else data

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
        header = parse_frame_header(self._buffer, self._position, may_compress=self._inflater is not None)
        if header is None:
            return None
        # RFC 6455 5.1: a client masks every frame, a server none; the other side must fail the connection.
        if bool(header.mask) is self._is_client:
            raise RemoteProtocolError("frame masked or unmasked against its role", CloseCode.PROTOCOL_ERROR)
        if header.is_control:
            self._count_light_frame()
        else:
            self._check_data_header(header)
        self._position += header.size
        self._header = header
        self._is_between_messages = False
        self._unread = header.length
        return header

    def _check_data_header(self, header: FrameHeader) -> None:
        message = self._message
        # RFC 6455 5.4: fragments of two messages are never interleaved.
        if (header.opcode == CONTINUATION) is (message is None):
            raise RemoteProtocolError(
                "continuation of no message, or a message inside another", CloseCode.PROTOCOL_ERROR
            )
        if header.length < LIGHT and not (header.fin and message is None):
            self._count_light_frame()
        inflater = self._inflater_of(header) if message is None else message.inflater
        if inflater is not None:
            inflater.expect(header.length, first=message is None)
            return
        # Refused by its declared length: the payload is never waited for.
        size = header.length + (message.size if message else 0)
        if size > self._max_size:
            raise RemoteProtocolError(
                f"message of {size} bytes or more; the limit is {self._max_size}", CloseCode.MESSAGE_TOO_BIG
            )

    def _count_light_frame(self) -> None:
        """Refuse a peer that keeps us busy with frames that carry next to nothing: control frames and tiny fragments."""
        self._light_frames += 1
        if self._light_frames > MAX_LIGHT_FRAMES:
            raise RemoteProtocolError(
                f"more than {MAX_LIGHT_FRAMES} control frames and fragments under {LIGHT} bytes in a second",
                CloseCode.POLICY_VIOLATION,
            )

    def _read_control(self, header: FrameHeader) -> Event | NeedData:
        if len(self._buffer) - self._position < header.length:
            return NEED_DATA
        payload = self._take(header.length, header.mask)
        self._header = None
        self._is_between_messages = self._message is None
        if header.opcode == PING:
            return Ping(payload)
        if header.opcode == PONG:
            return Pong(payload)
        self._close_code, reason = parse_close_payload(payload)
        return Close(self._close_code, reason)

    def _read_data(self, header: FrameHeader) -> str | bytes | NeedData | None:
        if self._message is None:
            if header.fin and len(self._buffer) - self._position >= header.length:
                return self._read_whole(header)
            self._message = PartialMessage(header.opcode, self._inflater_of(header))
        message = self._message
        # How far into the payload we are decides which byte of the key comes first.
        turn = (header.length - self._unread) % 4
        piece = self._take(self._unread, header.mask[turn:] + header.mask[:turn])
        self._unread -= len(piece)
        is_last = header.fin and not self._unread
        message.add(piece, last=is_last)
        if self._unread:
            return NEED_DATA
        self._header = None
        if not is_last:
            return None
        self._message = None
        self._is_between_messages = True
        return message.to_event()

    def _read_whole(self, header: FrameHeader) -> str | bytes:
        """Read a message in one frame that arrived whole: no buffer of its own is needed."""
        self._header = None
        self._is_between_messages = True
        payload = self._take(header.length, header.mask)
        inflater = self._inflater_of(header)
        if inflater is not None:
            payload = inflater.inflate(payload, last=True)
        return payload if header.opcode == BINARY else payload.decode()

    def _inflater_of(self, header: FrameHeader) -> Inflater | None:
        return self._inflater if header.compressed else None

    def _take(self, size: int, mask: bytes) -> bytes:
        """Take up to `size` bytes from the front of the buffer and unmask them."""
        data = self._buffer[self._position : self._position + size]
        self._position += len(data)
        return apply_mask(data, mask) if mask and data else data

    # Sending

    def send_text(self, text: str) -> bytes:
        """Return a text message in one frame."""
        payload = text.encode()
        if len(payload) < LENGTH_16 and not self._is_client and not self._close_sent:
            return _TEXT_HEADS[len(payload)] + payload
        return self._build_message(TEXT, payload)

    def send_bytes(self, data: bytes) -> bytes:
        """Return a binary message in one frame."""
        if len(data) < LENGTH_16 and not self._is_client and not self._close_sent:
            return _BINARY_HEADS[len(data)] + data
        return self._build_message(BINARY, data)

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
        self._check_open()
        frame = build_frame(CLOSE, payload, mask=self._new_mask())
        self._close_sent = True
        return frame

    def _build_control(self, opcode: int, payload: bytes) -> bytes:
        if len(payload) > MAX_CONTROL_SIZE:
            raise LocalProtocolError(
                f"control payload of {len(payload)} bytes; the most is {MAX_CONTROL_SIZE} (RFC 6455 5.5)"
            )
        self._check_open()
        return build_frame(opcode, payload, mask=self._new_mask())

    def _build_message(self, opcode: int, payload: bytes) -> bytes:
        self._check_open()
        deflater = self._deflater
        compressed = deflater is not None and deflater.accepts(len(payload))
        if compressed and deflater is not None:
            payload = deflater.compress(payload)
        return build_frame(opcode, payload, compressed=compressed, mask=self._new_mask())

    def _check_open(self) -> None:
        # After the peer's close frame, and even after an error, what was under way may still go out before ours does.
        if self._close_sent:
            raise LocalProtocolError("nothing may be sent after a close frame (RFC 6455 5.5.1)")

    def _new_mask(self) -> bytes:
        return self._mask_source(4) if self._is_client else b""
