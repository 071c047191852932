"""What one client sends over an HTTP/2 connection, mostly right and a little wrong, built from a row of random bytes.

The library h2 is the client: what it sends is valid, unless bytes decide for fields that are not. Then bytes decide for another
cut of field blocks, for frames that h2 does not have, and for damage. As in `http1_streams`, a zero decides for what is plain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from struct import Struct
from typing import Final, TypeAlias

import h2.config
import h2.connection
import h2.exceptions
from h2.settings import SettingCodes
from http1_streams import Choices

Pair: TypeAlias = tuple[bytes, bytes]

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = (
    range(10)
)
PRIORITY_UPDATE: Final = 0x10
ACK = END_STREAM = 0x1
END_HEADERS, PADDED, HAS_PRIORITY = 0x4, 0x8, 0x20
_HEADER: Final = Struct(">HBBBL")
_CONFIG: Final = h2.config.H2Configuration(
    client_side=True, validate_outbound_headers=False, normalize_outbound_headers=False
)

METHODS = (b"POST", b"PUT", b"HEAD", b"OPTIONS", b"CONNECT", b"get", b"FOO", b"G T", b"")
# The first ones decide when there is an answer, see `http2_oracles`.
PATHS = (b"/", b"/now", b"/never", b"/never", b"/now?a=b", b"/a?b?c", b"/?", b"/%00%2f", b"//")
ODD_PATHS = (b"*", b"", b"a", b"/a b", b"/\xff", b"/#f", b"/\x00", b"http://a/", b"/\t")
SCHEMES = (b"http", b"HTTPS", b"ftp", b"")
AUTHORITIES = (b"A.example:80", b"[::1]:80", b"", b"u@a", b"a b", b"a/b", b"a:x", b"\xff", b"a,b")
FIELDS = (
    (b"accept", b"*/*"), (b"user-agent", b"x" * 60), (b"cookie", b"a=b"), (b"cookie", b"c=d"), (b"x-empty", b""),
    (b"x-tab", b"a\tb"), (b"x-latin", b"\xe9"), (b"te", b"trailers"), (b"priority", b"u=1, i"), (b"authorization", b"secret"),
    (b"content-type", b"text/plain"), (b"expect", b"100-continue"), (b"x-long", b"y" * 3000), (b"accept", b"text/html"),
    (b"content-length", b"0"), (b"content-length", b"5"), (b"x-forwarded-for", b"192.0.2.1"), (b"accept-encoding", b"gzip"),
)  # fmt: skip
ODD_FIELDS = (
    (b"Accept", b"*/*"), (b"connection", b"close"), (b"te", b"gzip"), (b"te", b"Trailers"), (b"transfer-encoding", b"chunked"),
    (b"upgrade", b"h2c"), (b"keep-alive", b"5"), (b"proxy-connection", b"close"), (b"", b"a"), (b"x y", b"a"), (b"x:y", b"a"),
    (b"x\xe9", b"a"), (b"x@", b"a"), (b"x", b" a"), (b"x", b"a\t"), (b"x", b"a\x00b"), (b"x", b"a\nb"), (b"x", b"a\rb"),
    (b"x", b"a\x01b"), (b"x", b"a\x7f"), (b"host", b"a"), (b"host", b"A"), (b"host", b"b"), (b"host", b""), (b":path", b"/b"),
    (b":status", b"200"), (b":protocol", b"websocket"), (b":odd", b"a"), (b"content-length", b"05"), (b"content-length", b"+5"),
    (b"content-length", b"5, 5"), (b"content-length", b""), (b"content-length", b"9" * 20), (b"content-length", b"5" * 30),
    (b"content-type", b"a"), (b"expect", b"tea"), (b"x" * 9000, b""), (b"trailer", b"x"),
)  # fmt: skip
TRAILERS = (
    (b"x-checksum", b"abc"),
    (b"x-other", b""),
    (b"content-length", b"5"),
    (b":path", b"/"),
    (b"host", b"a"),
)
SIZES = (0, 1, 5, 5, 100, 400, 999, 1001, 5000)
INCREMENTS = (1, 1000, 70_000, 2**31 - 1 - 65_535, 2**31 - 1)
SETTING_VALUES = (
    (SettingCodes.INITIAL_WINDOW_SIZE, (0, 1, 65_535, 1_000_000, 2**31 - 1)),
    (SettingCodes.MAX_FRAME_SIZE, (16_384, 16_385, 2**24 - 1)),
    (SettingCodes.HEADER_TABLE_SIZE, (0, 100, 4096, 65_536)),
    (SettingCodes.MAX_CONCURRENT_STREAMS, (0, 1, 100)),
    (SettingCodes.MAX_HEADER_LIST_SIZE, (0, 100, 65_536)),
    (SettingCodes.ENABLE_PUSH, (0,)),
)


@dataclass
class Frame:
    """One frame; what its header says of its length may be wrong."""

    type: int
    flags: int
    stream_id: int
    payload: bytes
    length: int | None = None

    def build(self) -> bytes:
        length = len(self.payload) if self.length is None else self.length
        return _HEADER.pack(length >> 8, length & 0xFF, self.type, self.flags, self.stream_id) + self.payload


def split_frames(data: bytes) -> Iterator[bytes]:
    """Cut bytes where a reader finds the next frame; what is no whole frame comes last."""
    position = 0
    while position < len(data):
        end = position + 9 + int.from_bytes(data[position : position + 3], "big")
        yield data[position:end]
        position = end


def parse_frame(data: bytes) -> Frame:
    """Return the frame that these bytes are, or begin."""
    high, low, kind, flags, stream_id = _HEADER.unpack_from(data.ljust(9, b"\0"))
    length, payload = high << 8 | low, data[9:]
    return Frame(kind, flags, stream_id & 0x7FFF_FFFF, payload, length if length != len(payload) else None)


class Conversation:
    """A client that does what bytes decide.

    Attributes:
        frames: what it has sent behind its preface.
        is_valid: whether a client may send all of that.
    """

    def __init__(self, data: bytes, greeting: bytes) -> None:
        self.frames: list[Frame] = []
        self.is_valid = True
        self._choices = Choices(data)
        self._open: list[int] = []
        self._client = h2.connection.H2Connection(_CONFIG)
        self._client.initiate_connection()
        self._client.receive_data(greeting)
        self._collect()
        for _ in range(2 + self._choices.below(12)):
            # What h2 knows to be wrong on its side, such as DATA beyond a window, is not done.
            with suppress(h2.exceptions.ProtocolError):
                self._choices.pick(_ACTIONS)(self)
            self._collect()
        if self._choices.below(2):
            self.is_valid = False
            for _ in range(1 + self._choices.below(2)):
                self._choices.pick(_DAMAGES)(self)

    @property
    def pieces(self) -> list[bytes]:
        """What was sent, cut where a reader finds the next frame."""
        return [PREFACE, *split_frames(b"".join(frame.build() for frame in self.frames))]

    def _collect(self) -> None:
        for data in split_frames(self._client.data_to_send().removeprefix(PREFACE)):
            frame = parse_frame(data)
            self.frames += self._restyle(frame) if frame.type == HEADERS else [frame]

    def _restyle(self, frame: Frame) -> list[Frame]:
        """Return HEADERS as h2 writes them, or in another form that means the same."""
        below = self._choices.below
        style = below(8)
        block, extra, padding = frame.payload, b"", b""
        if style & 1:
            frame.flags |= HAS_PRIORITY
            extra = bytes([below(2) * 128, 0, 0, below(4) * 2, below(256)])
            self.is_valid &= extra[3] != frame.stream_id
        if style & 2:
            frame.flags |= PADDED
            extra, padding = bytes([size := below(40)]) + extra, bytes(size)
        if not style & 4:
            frame.payload = extra + block + padding
            return [frame]
        cuts = sorted(below(len(block) + 1) for _ in range(1 + below(3)))
        first, *rest = [block[start:end] for start, end in pairwise([0, *cuts, len(block)])]
        frame.payload, frame.flags = extra + first + padding, frame.flags & ~END_HEADERS
        parts = [Frame(CONTINUATION, 0, frame.stream_id, part) for part in rest]
        parts[-1].flags = END_HEADERS
        return [frame, *parts]

    # Actions

    def _ask(self) -> None:
        choices, stream = self._choices, self._client.get_next_available_stream_id()
        head = [
            (b":method", self._usually(choices.pick((b"GET", b"POST")), METHODS)),
            (b":scheme", self._usually(b"http", SCHEMES)),
            (b":authority", self._usually(b"a", AUTHORITIES)),
            (b":path", self._usually(choices.pick(PATHS), ODD_PATHS)),
        ]
        fields = [choices.pick(FIELDS) for _ in range(choices.below(6))]
        self.is_valid &= not any(
            name.startswith(b"content-") for name, _ in fields
        )  # may be twice, or too much
        head += fields
        if choices.below(8) == 7:
            self.is_valid = False
            head.insert(4 + choices.below(len(head) - 3) if choices.below(4) else 0, choices.pick(ODD_FIELDS))
            if choices.below(4) == 3:
                del head[choices.below(4)]
        ends = bool(choices.below(2))
        self._client.send_headers(stream, head, end_stream=ends)
        if not ends:
            self._open.append(stream)

    def _usually(self, plain: bytes, odd: Sequence[bytes]) -> bytes:
        value = self._choices.usually(plain, odd)
        self.is_valid &= value == plain
        return value

    def _pick_open(self) -> int:
        if not self._open:
            raise h2.exceptions.NoSuchStreamError(0)
        return self._choices.pick(self._open)

    def _close(self) -> int:
        stream = self._pick_open()
        self._open.remove(stream)
        return stream

    def _send_data(self) -> None:
        below = self._choices.below
        padding = below(256) if below(4) == 3 else None
        self._client.send_data(self._pick_open(), b"d" * self._choices.pick(SIZES), pad_length=padding)

    def _end(self) -> None:
        self._client.end_stream(self._close())

    def _send_trailers(self) -> None:
        trailers = [self._choices.pick(TRAILERS) for _ in range(1 + self._choices.below(2))]
        self.is_valid &= all(name.startswith(b"x-") for name, _ in trailers)
        self._client.send_headers(self._close(), trailers, end_stream=True)

    def _reset(self) -> None:
        self._client.reset_stream(self._close(), self._choices.below(16))

    def _give_room(self) -> None:
        stream = self._choices.pick([0, *self._open])
        increment = self._choices.pick(INCREMENTS)
        self.is_valid &= increment <= 1000  # else the sum may be too much
        self._add(WINDOW_UPDATE, increment.to_bytes(4, "big"), stream)

    def _set(self) -> None:
        settings: list[bytes] = []
        for _ in range(1 + self._choices.below(2)):
            code, values = self._choices.pick(SETTING_VALUES)
            value = self._choices.pick(values)
            self.is_valid &= code != SettingCodes.INITIAL_WINDOW_SIZE or value < 2**30
            settings.append(code.to_bytes(2, "big") + value.to_bytes(4, "big"))
        self._add(SETTINGS, b"".join(settings))

    def _resize_table(self) -> None:
        self.is_valid &= (
            not self._client.encoder.table_size_changes
        )  # it tells each, not the smallest and the last
        self._client.encoder.header_table_size = self._choices.pick((0, 50, 200, 4096))

    def _ping(self) -> None:
        self._client.ping(bytes([self._choices.below(256)] * 8))

    def _prioritize(self) -> None:
        self._client.prioritize(1 + 2 * self._choices.below(4), weight=1 + self._choices.below(256))

    def _update_priority(self) -> None:
        stream = 1 + 2 * self._choices.below(4)
        self._add(PRIORITY_UPDATE, stream.to_bytes(4, "big") + self._choices.pick((b"u=0", b"i", b"", b"?")))

    def _say_unknown(self) -> None:
        self._add(0x20 + self._choices.below(200), b"?" * self._choices.below(20), self._choices.below(4))

    def _leave(self) -> None:
        if self._choices.below(4) == 3:
            self._add(GOAWAY, bytes(8) + b"bye")

    def _add(self, kind: int, payload: bytes, stream_id: int = 0) -> None:
        self._collect()
        self.frames.append(Frame(kind, 0, stream_id, payload))

    # Damages

    def _damage(self) -> tuple[int, Frame]:
        index = self._choices.below(len(self.frames))
        return index, self.frames[index]

    def _flip(self) -> None:
        """Flip one bit."""
        index, frame = self._damage()
        data = bytearray(frame.build())
        data[self._place(len(data))] ^= 1 << self._choices.below(8)
        self.frames[index] = parse_frame(bytes(data))

    def _place(self, length: int) -> int:
        below = self._choices.below
        return below(min(length, 32)) if below(2) else (below(256) * 256 + below(256)) % length

    def _change_length(self) -> None:
        _, frame = self._damage()
        frame.length = max(0, len(frame.payload) + self._choices.pick((-1, 1, -5, 9, 20_000)))

    def _change_payload(self) -> None:
        _, frame = self._damage()
        cut = frame.payload[: self._place(len(frame.payload) + 1)]
        frame.payload = self._choices.pick((cut, frame.payload + b"\0", frame.payload + b"abc", b""))

    def _change_stream(self) -> None:
        _, frame = self._damage()
        frame.stream_id = self._choices.pick((0, 1, 2, 3, 5, 101, 0x7FFF_FFFF, 0x8000_0001))

    def _change_flags(self) -> None:
        _, frame = self._damage()
        frame.flags ^= self._choices.pick((END_STREAM, END_HEADERS, PADDED, HAS_PRIORITY, 0xFF, 0x40))

    def _change_type(self) -> None:
        _, frame = self._damage()
        frame.type = self._choices.below(11)

    def _drop(self) -> None:
        index, _ = self._damage()
        if len(self.frames) > 1:
            del self.frames[index]

    def _repeat(self) -> None:
        _, frame = self._damage()
        self.frames.insert(self._choices.below(len(self.frames) + 1), replace(frame))

    def _swap(self) -> None:
        index, frame = self._damage()
        self.frames[index] = self.frames[index - 1]
        self.frames[index - 1] = frame

    def _insert(self) -> None:
        below = self._choices.below
        payload = bytes(below(256) for _ in range(self._choices.pick((0, 1, 4, 5, 8, 12))))
        frame = Frame(below(18), below(256), below(8), payload)
        self.frames.insert(below(len(self.frames) + 1), frame)


_Step: TypeAlias = Callable[[Conversation], None]
_ACTIONS: Final[tuple[_Step, ...]] = (
    Conversation._ask, Conversation._ask, Conversation._ask, Conversation._ask, Conversation._send_data, Conversation._send_data,
    Conversation._send_data, Conversation._end, Conversation._end, Conversation._send_trailers, Conversation._reset,
    Conversation._give_room, Conversation._set, Conversation._resize_table, Conversation._ping, Conversation._prioritize,
    Conversation._update_priority, Conversation._say_unknown, Conversation._leave,
)  # fmt: skip
_DAMAGES: Final[tuple[_Step, ...]] = (
    Conversation._flip, Conversation._flip, Conversation._change_length, Conversation._change_payload,
    Conversation._change_stream, Conversation._change_flags, Conversation._change_type, Conversation._drop, Conversation._repeat,
    Conversation._swap, Conversation._insert,
)  # fmt: skip
