"""What a server may send: every frame that arrives in any test of the suite is held to these rules.

The referee sees both directions, because what the server may say depends on what it was told. It keeps one record per stream, the
windows of both sides and the state of field compression; a frame that breaks a rule raises `Violation` with the section.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import hpack

from .frames import (
    ACK,
    DEFAULT_MAX_FRAME_SIZE,
    DEFAULT_WINDOW,
    END_HEADERS,
    END_STREAM,
    MAX_WINDOW,
    PADDED,
    PRIORITY,
    Frame,
    Setting,
    Type,
    parse_integer,
    parse_settings,
)

Fields = list[tuple[bytes, bytes]]

FIELD_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+")
FORBIDDEN_IN_VALUE = re.compile(rb"[\0\r\n]|^[ \t]|[ \t]$")
OF_ONE_CONNECTION = {
    b"connection",
    b"proxy-connection",
    b"keep-alive",
    b"transfer-encoding",
    b"upgrade",
    b"te",
}
KNOWN_FLAGS: dict[int, int] = {
    Type.DATA: END_STREAM | PADDED,
    Type.HEADERS: END_STREAM | END_HEADERS | PADDED | PRIORITY,
    Type.PRIORITY: 0,
    Type.RST_STREAM: 0,
    Type.SETTINGS: ACK,
    Type.PING: ACK,
    Type.GOAWAY: 0,
    Type.WINDOW_UPDATE: 0,
    Type.CONTINUATION: END_HEADERS,
}
ON_STREAMS: set[int] = {Type.DATA, Type.HEADERS, Type.PRIORITY, Type.RST_STREAM, Type.CONTINUATION}
ON_THE_CONNECTION: set[int] = {Type.SETTINGS, Type.PING, Type.GOAWAY}
LENGTHS: dict[int, int] = {Type.PRIORITY: 5, Type.RST_STREAM: 4, Type.PING: 8, Type.WINDOW_UPDATE: 4}


class Violation(AssertionError):
    """The server broke a rule of the RFC."""


@dataclass
class Stream:
    """One request and what has come back for it."""

    window: int
    """How much the server may send."""
    credit: int
    """How much we may send."""
    method: bytes = b""
    request_ended: bool = False
    interim: list[Fields] = field(default_factory=list)
    head: Fields | None = None
    body: bytearray = field(default_factory=bytearray)
    trailers: Fields | None = None
    ended: bool = False
    reset: int | None = None
    """The code of the server's RST_STREAM."""

    @property
    def status(self) -> int | None:
        return int(dict(self.head)[b":status"]) if self.head else None

    @property
    def closed(self) -> bool:
        return self.ended or self.reset is not None

    def get(self, name: bytes) -> bytes | None:
        """Return the value of a field of the response."""
        return dict(self.head or []).get(name)


class Referee:
    """The state of one connection, as the client knows it."""

    def __init__(self) -> None:
        self.streams: dict[int, Stream] = {}
        self.settings: dict[int, int] = {}
        """What the server has announced."""
        self.preface_seen = False
        self.goaway: tuple[int, int] | None = None
        """The last stream and the code of the last GOAWAY."""
        self.window = self.credit = DEFAULT_WINDOW
        self.blocks: list[bytes] = []
        """The field blocks of the server, as they came."""
        self._initial_window = DEFAULT_WINDOW
        self._max_frame_size = DEFAULT_MAX_FRAME_SIZE
        self._decoder = hpack.Decoder()
        self._unacknowledged: list[list[tuple[int, int]]] = []
        self._pings: list[bytes] = []
        self._block: tuple[int, bool, bytearray] | None = None

    @property
    def settings_acknowledged(self) -> bool:
        return not self._unacknowledged

    # What we send

    def sent(self, frame: Frame) -> None:
        """Note what the server is told; frames that mean nothing are passed over."""
        stream, payload = self.streams.get(frame.stream), frame.payload
        match frame.type:
            case Type.HEADERS if frame.stream % 2:
                stream = self.streams.setdefault(frame.stream, self._new_stream())
                stream.request_ended |= frame.has(END_STREAM)
            case Type.DATA:
                self.credit -= len(payload)
                if stream:
                    stream.credit -= len(payload)
                    stream.request_ended |= frame.has(END_STREAM)
            case Type.SETTINGS if not frame.has(ACK) and len(payload) % 6 == 0:
                self._unacknowledged.append(parse_settings(payload))
                self._raise_limits(self._unacknowledged[-1])
            case Type.PING if not frame.has(ACK):
                self._pings.append(payload)
            case Type.WINDOW_UPDATE if len(payload) == 4:
                increment = parse_integer(payload) & MAX_WINDOW
                if stream:
                    stream.window += increment
                elif not frame.stream:
                    self.window += increment

    def _new_stream(self) -> Stream:
        credit = self.settings.get(Setting.INITIAL_WINDOW_SIZE, DEFAULT_WINDOW)
        return Stream(window=self._initial_window, credit=credit)

    def _raise_limits(self, settings: list[tuple[int, int]]) -> None:
        """Allow more as soon as it is said; less is in force once it is acknowledged."""
        for key, value in settings:
            if key == Setting.INITIAL_WINDOW_SIZE and value > self._initial_window:
                self._set_initial_window(value)
            elif key == Setting.MAX_FRAME_SIZE:
                self._max_frame_size = max(value, self._max_frame_size)
            elif key == Setting.HEADER_TABLE_SIZE:
                table = max(value, self._decoder.max_allowed_table_size)
                self._decoder.max_allowed_table_size = table

    def _set_initial_window(self, value: int) -> None:
        for stream in self.streams.values():
            stream.window += value - self._initial_window
        self._initial_window = value

    # What the server sends

    def received(self, frame: Frame) -> None:
        """Hold a frame to the rules and note what it says.

        Raises:
            Violation: the server must not send this frame, or not now.
        """
        self._check_header(frame)
        match frame.type:
            case Type.DATA:
                self._receive_data(frame)
            case Type.HEADERS | Type.CONTINUATION:
                self._receive_fragment(frame)
            case Type.RST_STREAM:
                self._stream_of(frame).reset = parse_integer(frame.payload)
            case Type.SETTINGS:
                self._receive_settings(frame)
            case Type.PUSH_PROMISE:
                raise Violation("PUSH_PROMISE, where nothing is pushed (RFC 9113 6.5.2 and 8.4)")
            case Type.PING if frame.has(ACK):
                if frame.payload not in self._pings:
                    raise Violation(
                        f"a PING that was not sent is acknowledged: {frame.payload!r} (RFC 9113 6.7)"
                    )
                self._pings.remove(frame.payload)
            case Type.GOAWAY:
                self._receive_goaway(frame)
            case Type.WINDOW_UPDATE:
                self._receive_window_update(frame)
            case Type.PRIORITY_UPDATE:
                raise Violation("PRIORITY_UPDATE from a server (RFC 9218 7.1)")

    def _check_header(self, frame: Frame) -> None:
        if not self.preface_seen and (frame.type != Type.SETTINGS or frame.has(ACK)):
            raise Violation(f"the first frame is {frame}, not SETTINGS (RFC 9113 3.4)")
        if self._block and (frame.type != Type.CONTINUATION or frame.stream != self._block[0]):
            raise Violation(f"{frame} within a field block (RFC 9113 4.3)")
        if not self._block and frame.type == Type.CONTINUATION:
            raise Violation(f"{frame} outside of a field block (RFC 9113 6.10)")
        if len(frame.payload) > self._max_frame_size:
            raise Violation(f"a frame of {len(frame.payload)} bytes (RFC 9113 4.2)")
        if len(frame.payload) != LENGTHS.get(frame.type, len(frame.payload)):
            raise Violation(f"a frame of a wrong length: {frame} (RFC 9113 4.2)")
        if frame.reserved:
            raise Violation(f"the reserved bit is set in {frame} (RFC 9113 4.1)")
        if frame.flags & ~KNOWN_FLAGS.get(frame.type, 0xFF):
            raise Violation(f"an unused flag is set in {frame} (RFC 9113 4.1)")
        if (frame.stream and frame.type in ON_THE_CONNECTION) or (
            not frame.stream and frame.type in ON_STREAMS
        ):
            raise Violation(f"a wrong stream: {frame} (RFC 9113 6)")

    def _stream_of(self, frame: Frame) -> Stream:
        stream = self.streams.get(frame.stream)
        if stream is None and frame.stream % 2 and frame.stream < max(self.streams, default=0):
            stream = self.streams[frame.stream] = self._new_stream()  # closed by opening a higher one
        if stream is None:
            raise Violation(f"{frame} on an idle stream (RFC 9113 5.1)")
        if stream.reset is not None:
            raise Violation(f"{frame} after RST_STREAM (RFC 9113 5.4.2)")
        if stream.ended and frame.type in (Type.DATA, Type.HEADERS):
            raise Violation(f"{frame} after END_STREAM (RFC 9113 5.1)")
        return stream

    def _receive_data(self, frame: Frame) -> None:
        stream = self._stream_of(frame)
        if len(frame.payload) > max(0, min(stream.window, self.window)):
            windows = f"{stream.window} of the stream and {self.window} of the connection"
            raise Violation(f"{frame} where the windows are {windows} (RFC 9113 6.9.1)")
        stream.window -= len(frame.payload)
        self.window -= len(frame.payload)
        if stream.head is None:
            raise Violation(f"{frame} before the header section (RFC 9113 8.1)")
        stream.body += unpad(frame)
        if stream.body and (stream.method == b"HEAD" or stream.status in (204, 304)):
            raise Violation(f"{frame}, though the response has no content (RFC 9113 8.1.1)")
        if frame.has(END_STREAM):
            self._end(stream)

    def _receive_fragment(self, frame: Frame) -> None:
        if frame.type == Type.HEADERS:
            self._stream_of(frame)
            fragment = unpad(frame)
            if frame.has(PRIORITY):
                fragment = fragment[5:]
            self._block = (frame.stream, frame.has(END_STREAM), bytearray(fragment))
        else:
            assert self._block
            self._block[2].extend(frame.payload)
        if frame.has(END_HEADERS):
            assert self._block
            number, last, block = self._block
            self._block = None
            self._receive_block(self.streams[number], bytes(block), last=last)

    def _receive_block(self, stream: Stream, block: bytes, *, last: bool) -> None:
        self.blocks.append(block)
        try:
            fields: Fields = [(n, v) for n, v in self._decoder.decode(block, raw=True)]
        except hpack.HPACKError as exc:
            raise Violation(f"a field block that cannot be decoded: {exc} (RFC 9113 4.3)") from exc
        pseudo = [value for name, value in fields if name.startswith(b":")]
        check_fields(fields[len(pseudo) :])
        if stream.head is not None:
            if pseudo or not last:
                raise Violation(f"a second header section, or trailers that go on: {fields} (RFC 9113 8.1)")
            stream.trailers = fields
        else:
            if len(pseudo) != 1 or fields[0][0] != b":status" or not re.fullmatch(rb"[1-5]\d\d", pseudo[0]):
                raise Violation(f"a response without a status: {fields} (RFC 9113 8.3.2)")
            if pseudo[0].startswith(b"1"):
                if last or pseudo[0] == b"101":
                    raise Violation(f"an interim response that cannot be: {fields} (RFC 9113 8.1 and 8.6)")
                stream.interim.append(fields)
            else:
                stream.head = fields
        if last:
            self._end(stream)

    def _end(self, stream: Stream) -> None:
        stream.ended = True
        length = stream.get(b"content-length")
        if length is None or stream.method == b"HEAD" or stream.status in (204, 304):
            return
        if int(length) != len(stream.body):
            message = f"content-length is {length.decode()}, and {len(stream.body)} bytes came"
            raise Violation(f"{message} (RFC 9113 8.1.1)")

    def _receive_settings(self, frame: Frame) -> None:
        if frame.has(ACK):
            if frame.payload or not self._unacknowledged:
                raise Violation(f"{frame}: an acknowledgment of nothing, or with a payload (RFC 9113 6.5)")
            self._apply(self._unacknowledged.pop(0))
            return
        self.preface_seen = True
        if len(frame.payload) % 6:
            raise Violation(f"a frame of a wrong length: {frame} (RFC 9113 6.5)")
        for key, value in parse_settings(frame.payload):
            self._check_setting(key, value)
            if key == Setting.INITIAL_WINDOW_SIZE:
                change = value - self.settings.get(key, DEFAULT_WINDOW)
                for stream in self.streams.values():
                    stream.credit += change
            self.settings[key] = value

    def _check_setting(self, key: int, value: int) -> None:
        allowed: dict[int, bool] = {
            Setting.ENABLE_PUSH: value == 0,
            Setting.INITIAL_WINDOW_SIZE: value <= MAX_WINDOW,
            Setting.MAX_FRAME_SIZE: 2**14 <= value < 2**24,
            Setting.ENABLE_CONNECT_PROTOCOL: value in (0, 1) and value >= self.settings.get(key, 0),
            Setting.NO_RFC7540_PRIORITIES: value in (0, 1),
        }
        if not allowed.get(key, True):
            raise Violation(f"a server must not announce {Setting(key).name} {value} (RFC 9113 6.5.2)")

    def _apply(self, settings: list[tuple[int, int]]) -> None:
        """Hold the server to what it has acknowledged."""
        for key, value in settings:
            if key == Setting.INITIAL_WINDOW_SIZE:
                self._set_initial_window(value)
            elif key == Setting.MAX_FRAME_SIZE:
                self._max_frame_size = value
            elif key == Setting.HEADER_TABLE_SIZE:
                self._decoder.max_allowed_table_size = value

    def _receive_goaway(self, frame: Frame) -> None:
        if len(frame.payload) < 8:
            raise Violation(f"a frame of a wrong length: {frame} (RFC 9113 6.8)")
        last, code = parse_integer(frame.payload[:4]) & MAX_WINDOW, parse_integer(frame.payload[4:8])
        if self.goaway and last > self.goaway[0]:
            raise Violation(f"{frame}: a higher last stream than in the one before (RFC 9113 6.8)")
        if last != MAX_WINDOW and last > max(self.streams, default=0):
            raise Violation(f"{frame}: there was no such stream (RFC 9113 6.8)")
        self.goaway = last, code

    def _receive_window_update(self, frame: Frame) -> None:
        increment = parse_integer(frame.payload)
        if not 0 < increment <= MAX_WINDOW:
            raise Violation(f"{frame}: no such increment (RFC 9113 6.9)")
        if frame.stream:
            stream = self._stream_of(frame)
            stream.credit += increment
        else:
            self.credit += increment
        if max(self.credit, *(each.credit for each in self.streams.values()), 0) > MAX_WINDOW:
            raise Violation(f"{frame}: the window is larger than it can be (RFC 9113 6.9.1)")


def unpad(frame: Frame) -> bytes:
    """Return the payload without its padding."""
    if not frame.has(PADDED):
        return frame.payload
    if not frame.payload or frame.payload[0] >= len(frame.payload):
        raise Violation(f"{frame}: more padding than payload (RFC 9113 6.1)")
    return frame.payload[1 : len(frame.payload) - frame.payload[0]]


def check_fields(fields: Fields) -> None:
    """Hold the fields of a response to RFC 9113 section 8.2."""
    for name, value in fields:
        if not FIELD_NAME.fullmatch(name) or FORBIDDEN_IN_VALUE.search(value):
            raise Violation(f"a field that cannot be: {name!r}: {value!r} (RFC 9113 8.2.1)")
        if name in OF_ONE_CONNECTION:
            raise Violation(f"a field of one connection: {name!r}: {value!r} (RFC 9113 8.2.2)")
