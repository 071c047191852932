"""The sending side of a session: frames in the order in which they leave, DATA as windows and priorities allow."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from transom.server.http2.blocks import BlockEncoder
from transom.server.http2.errors import ErrorCode
from transom.server.http2.frames import data as data_frames
from transom.server.http2.frames import header, headers, rst_stream
from transom.server.http2.priorities import SendOrder
from transom.server.http2.states import ENDED_BY_US, State
from transom.server.http2.stream import HIGH_WATER
from transom.server.http2.windows import DEFAULT_SIZE, increase

if TYPE_CHECKING:
    from transom.server.http2.fields import Pair
    from transom.server.http2.priorities import Priority
    from transom.server.http2.stream import Stream
    from transom.server.http2.streams import Streams

_pack: Final = header.pack
_END_HEADERS: Final = header.END_HEADERS
_END_STREAM: Final = header.END_STREAM
_HEAD = int(header.FrameType.HEADERS)
_DATA = int(header.FrameType.DATA)
_HALF_CLOSED_REMOTE: Final = State.HALF_CLOSED_REMOTE
_CLOSED: Final = State.CLOSED
_LOW_WATER: Final = HIGH_WATER // 4
_CRUMB: Final = 128  # bytes; a client that gives room for fewer at a time makes more work than it takes


class Sender:
    """What one connection sends. `take` returns what may be written now.

    Attributes:
        window: bytes of DATA that we may send on all streams together.
        initial_window: of a stream, as the client has set it.
        max_frame_size: the client's.
        encoder: of field blocks; each must be sent as soon as it is made.
        data_frames: DATA frames sent since somebody set this to 0, without those that a window has made tiny.
    """

    __slots__ = (
        "_order",
        "_out",
        "_pending",
        "_streams",
        "data_frames",
        "encoder",
        "initial_window",
        "max_frame_size",
        "window",
    )

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._out: list[bytes] = []
        self._order = SendOrder()
        self._pending: dict[int, Stream] = {}  # streams with something that could not be sent at once
        self.window = DEFAULT_SIZE
        self.initial_window = DEFAULT_SIZE
        self.max_frame_size = header.DEFAULT_MAX_FRAME_SIZE
        self.encoder = BlockEncoder()
        self.data_frames = 0

    @property
    def pending(self) -> list[Stream]:
        """Streams with DATA that waits."""
        return list(self._pending.values())

    @property
    def has_output(self) -> bool:
        """Whether `take` would return anything, room granted."""
        return bool(self._out or (self._pending and self.window > 0 and self._order))

    @property
    def waiting_size(self) -> int:
        """Bytes of frames that no window holds back, and that nobody has taken yet."""
        return sum(map(len, self._out))

    def add(self, frame: bytes) -> None:
        """Send a frame that no window holds back."""
        self._out.append(frame)

    def send_whole(
        self, stream: Stream, status: int, fields: tuple[Pair, ...], literals: bytes, body: bytes
    ) -> None:
        """Send a response whose body is one piece.

        Args:
            stream: whose.
            status: a final one.
            fields: checked.
            literals: further fields, encoded by `encode_literals`.
            body: may be empty.
        """
        encoder = self.encoder
        block = (encoder.blocks.get((status, fields)) or encoder.encode(status, fields)) + literals
        size, room = len(body), self.max_frame_size
        if (
            not size
            or size > room
            or size > self.window
            or size > stream.window
            or self._pending
            or len(block) > room
        ):
            self._out.append(headers.build(stream.stream_id, block, not body, room))
            if body:
                self.send_data(stream, body, end_stream=True)
            else:
                self._end(stream)
            return
        self.window -= size  # the stream's own ends with it
        self.data_frames += 1
        stream_id = stream.stream_id
        self._out += (
            _pack(len(block) << 8 | _HEAD, _END_HEADERS, stream_id),
            block,
            _pack(size << 8 | _DATA, _END_STREAM, stream_id),
            body,
        )
        if stream.state is _HALF_CLOSED_REMOTE:
            self._streams.end(stream, _CLOSED)
        else:
            self._end(stream)

    def send_head(
        self, stream: Stream, status: int, fields: tuple[Pair, ...], literals: bytes, *, end_stream: bool
    ) -> None:
        """Send the head of a response, or an informational one."""
        block = self.encoder.encode(status, fields) + literals
        self._out.append(headers.build(stream.stream_id, block, end_stream, self.max_frame_size))
        if end_stream:
            self._end(stream)

    def send_data(self, stream: Stream, data: bytes, *, end_stream: bool) -> None:
        """Send a piece of a body, at once or when there is room for it."""
        if data:
            if stream.pending is None:
                stream.pending = deque()
            stream.pending.append(data)
            stream.pending_size += len(data)
        stream.is_ending = end_stream
        stream_id = stream.stream_id
        if stream.pending_size or end_stream:
            self._pending[stream_id] = stream
            if stream.window > 0 or not stream.pending_size:
                self._order.add(stream_id, stream.priority)
            stream.writing_paused = stream.pending_size > HIGH_WATER

    def send_trailers(self, stream: Stream, fields: tuple[Pair, ...]) -> None:
        """Send the end of a body, with trailers if there are any."""
        stream.trailers = fields
        self.send_data(stream, b"", end_stream=True)

    def reset(self, stream: Stream, code: ErrorCode) -> None:
        """Give a stream up; what waits on it is dropped."""
        self._out.append(rst_stream.build(stream.stream_id, code))
        self.forget(stream, State.RESET)

    def forget(self, stream: Stream, state: State) -> None:
        """Drop what waits on a stream that is closed in this way."""
        if self._pending.pop(stream.stream_id, None) is not None:
            self._order.remove(stream.stream_id)
        stream.pending, stream.pending_size = None, 0
        self._streams.end(stream, state)

    def set_priority(self, stream: Stream, priority: Priority) -> None:
        """Give a stream another priority."""
        stream.priority = priority
        if stream.stream_id in self._order:
            self._order.add(stream.stream_id, priority)

    def increase_window(self, increment: int) -> None:
        """Apply a WINDOW_UPDATE of the connection.

        Raises:
            SessionError: as `windows.increase`.
        """
        self.window = increase(self.window, increment)

    def increase_stream_window(self, stream: Stream, increment: int) -> None:
        """Apply a WINDOW_UPDATE of a stream.

        Raises:
            StreamError: as `windows.increase`.
        """
        stream.window = increase(stream.window, increment, stream.stream_id)
        self._resume(stream)

    def set_initial_window(self, size: int) -> None:
        """Apply SETTINGS_INITIAL_WINDOW_SIZE to the streams that are open, and to those that will be.

        Raises:
            SessionError: the window of a stream would be too large.
        """
        delta, self.initial_window = size - self.initial_window, size
        for stream in self._streams.open.values():
            stream.window = increase(stream.window, delta)
            self._resume(stream)

    def _resume(self, stream: Stream) -> None:
        if stream.pending_size:
            if stream.window > 0:
                self._order.add(stream.stream_id, stream.priority)
            else:
                self._order.remove(stream.stream_id)

    def take(self, room: int, drained: list[Stream]) -> list[bytes]:
        """Return what may be written now.

        Args:
            room: bytes after which no more DATA is taken; frames that are not DATA always are.
            drained: streams are added that were full and are not any more.
        """
        order, out = self._order, self._out
        while self._pending and order and room > 0:
            stream = self._pending[order.take_turn()]
            if stream.pending_size:
                if self.window <= 0:
                    # Who has nothing but its end to send needs no window.
                    self._end_without_window()
                    break
                room -= self._send_piece(stream, drained)
            if not stream.pending_size:
                self._finish(stream)
        self._out = []
        return out

    def _send_piece(self, stream: Stream, drained: list[Stream]) -> int:
        pending = stream.pending
        assert pending is not None  # noqa: S101  it is where `pending_size` is
        piece = pending[0]
        size = min(len(piece), stream.window, self.window, self.max_frame_size)
        is_whole = size == len(piece)
        if is_whole:
            pending.popleft()
        else:
            # A view: what is left of a piece is not copied for each frame.
            pending[0], piece = memoryview(piece)[size:], piece[:size]
        self.window -= size
        stream.window -= size
        stream.pending_size -= size
        if is_whole or size >= _CRUMB:
            self.data_frames += 1
        ends = stream.is_ending and not stream.pending_size and stream.trailers is None
        self._out.append(data_frames.build(stream.stream_id, piece, ends))
        if ends:
            stream.is_ending = False
            self._out_ended(stream)
        elif stream.window <= 0:
            self._order.remove(stream.stream_id)
        if stream.writing_paused and stream.pending_size <= _LOW_WATER:
            stream.writing_paused = False
            drained.append(stream)
        return size

    def _out_ended(self, stream: Stream) -> None:
        del self._pending[stream.stream_id]
        self._order.remove(stream.stream_id)
        self._end(stream)

    def _finish(self, stream: Stream) -> None:
        """Take a stream out of the order that has nothing more to send, and send its end if that is still missing."""
        if self._pending.pop(stream.stream_id, None) is None:
            return
        self._order.remove(stream.stream_id)
        if not stream.is_ending:
            return
        stream.is_ending = False
        if stream.trailers:
            block = self.encoder.encode_trailers(stream.trailers)
            self._out.append(headers.build(stream.stream_id, block, True, self.max_frame_size))
        else:
            self._out.append(data_frames.build(stream.stream_id, b"", True))
        self._end(stream)

    def _end_without_window(self) -> None:
        for stream in self.pending:
            if not stream.pending_size:
                self._finish(stream)

    def _end(self, stream: Stream) -> None:
        """Note that we have ended a stream; if its client has not, it may stop now (RFC 9113 section 8.1)."""
        state = ENDED_BY_US[stream.state]
        if state == State.HALF_CLOSED_LOCAL and stream.is_tunnel:
            stream.state = state
        elif state == State.HALF_CLOSED_LOCAL:
            self.reset(stream, ErrorCode.NO_ERROR)
        else:
            self._streams.end(stream, state)
