"""One HTTP/2 connection, the server's side: bytes in, events out; calls in, bytes out.

    receive_data() -> frames/ -> states, windows, budgets -> events        sending.py -> take_output()
                      blocks.py + fields.py: heads of requests

Errors are dealt with here: a stream error resets its stream, and its application hears of it by an event; an error of the
connection ends it with GOAWAY, and what came before it in the same read is still valid.

What must stay true, whatever comes: field blocks are decoded in order, also those that nobody waits for, or the connection ends;
each byte of DATA is given back to the window of the connection exactly once.

Source: RFC 9113.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from transom.server.http2 import frames
from transom.server.http2.blocks import BlockDecoder
from transom.server.http2.budgets import DEFAULTS, Budget, Budgets, Cost
from transom.server.http2.errors import ErrorCode, RefusedRequest, SessionError, StreamError
from transom.server.http2.events import (
    DataReceived,
    Event,
    RequestRefused,
    StreamClosed,
    StreamDrained,
)
from transom.server.http2.frames.header import (
    DEFAULT_MAX_FRAME_SIZE,
    END_HEADERS,
    END_STREAM,
    MAX_STREAM_ID,
    PADDED,
    PREFACE,
    PRIORITY,
    SIZE,
    FrameType,
    unpack,
)
from transom.server.http2.frames.settings import Setting
from transom.server.http2.priorities import parse_priority
from transom.server.http2.sending import Sender
from transom.server.http2.states import (
    ENDED_BY_CLIENT,
    RULES,
    Phase,
    State,
    Verdict,
    check_phase,
    out_of_phase,
    refuse,
)
from transom.server.http2.streams import Streams
from transom.server.http2.windows import DEFAULT_SIZE, ReceiveWindow

if TYPE_CHECKING:
    from collections.abc import Callable

    from transom.server.http1.limits import Limits
    from transom.server.http2.fields import RequestHead
    from transom.server.http2.priorities import Priority
    from transom.server.http2.stream import Stream

_HEADERS: Final = int(FrameType.HEADERS)
_CONTINUATION: Final = int(FrameType.CONTINUATION)
_PREFACE_DUE: Final = Phase.PREFACE
_OPEN: Final = Phase.OPEN
_DEPENDS_ON_ITSELF: Final = 0x100  # kept beside the flags of HEADERS

_Handler: TypeAlias = "Callable[[Session, int, int, bytes, list[Event]], None]"


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """What a client may do at a time.

    Attributes:
        max_concurrent_streams: requests whose application is not done, reset ones too.
        initial_window_size: bytes of a body that nobody has taken yet.
        connection_window_size: bytes of all bodies together.
        max_block_size: encoded bytes of a field block, with all its CONTINUATION frames; at least a frame's.
        budgets: what frames that do no work may cost, by `Cost`.
    """

    max_concurrent_streams: int = 100
    initial_window_size: int = 262_144
    connection_window_size: int = 1_048_576
    max_block_size: int = 32_768
    budgets: tuple[Budget, ...] = DEFAULTS


class _Block:
    """A field block that has not ended."""

    __slots__ = ("flags", "parts", "size", "stream_id")

    def __init__(self, stream_id: int, flags: int, part: bytes) -> None:
        self.stream_id = stream_id
        self.flags = flags
        self.parts = [part]
        self.size = len(part)


class Session:
    """The protocol of one connection. Give bytes to `receive_data`, act on its events, write what `take_output` returns.

    Args:
        limits: what a head may be, as for HTTP/1.1.
        config: what a client may do at a time.
        make_stream: makes what events and calls carry, from number, state and send window.
        now: seconds, of any clock that does not go back.

    Attributes:
        now: the same clock; whoever calls may renew it as seldom as once a second.
        streams: open and ended ones.
        sender: sends responses.
        failure: what the connection ended with, None while it goes on.
    """

    __slots__ = (
        "_block",
        "_budgets",
        "_buffer",
        "_config",
        "_decoder",
        "_early_priorities",
        "_last_stream_id",
        "_no_rfc7540_priorities",
        "_phase",
        "_received",
        "failure",
        "now",
        "sender",
        "streams",
    )

    def __init__(
        self,
        limits: Limits,
        config: SessionConfig,
        make_stream: Callable[[int, State, int], Stream],
        now: float,
    ) -> None:
        self._config = config
        self._buffer = b""
        self._block: _Block | None = None
        self._budgets = Budgets(now, config.budgets)
        self._decoder = BlockDecoder(limits, allows_connect=True)
        self._early_priorities: dict[int, Priority] = {}
        self._phase = _PREFACE_DUE
        self._last_stream_id: int | None = None  # what GOAWAY has said
        self._no_rfc7540_priorities: int | None = None  # what the client's first SETTINGS said
        self._received = ReceiveWindow(config.connection_window_size)
        self.failure: SessionError | None = None
        self.now = now
        self.streams = Streams(make_stream, config.max_concurrent_streams)
        self.sender = Sender(self.streams)
        self._greet()

    def _greet(self) -> None:
        config = self._config
        settings = [
            (Setting.MAX_CONCURRENT_STREAMS, config.max_concurrent_streams),
            (Setting.INITIAL_WINDOW_SIZE, config.initial_window_size),
            (Setting.MAX_HEADER_LIST_SIZE, self._decoder.max_size),
            (Setting.ENABLE_CONNECT_PROTOCOL, 1),
            (Setting.NO_RFC7540_PRIORITIES, 1),
        ]
        self.sender.add(frames.settings.build(settings))
        if config.connection_window_size > DEFAULT_SIZE:
            self.sender.add(frames.window_update.build(0, config.connection_window_size - DEFAULT_SIZE))

    @property
    def is_head_pending(self) -> bool:
        """Whether the client owes us the rest of what it must send in one go: its preface, or a head, in one frame or many."""
        begun = self._buffer
        return self._phase is not _OPEN or (begun != b"" and (len(begun) < SIZE or begun[3] == _HEADERS))

    # What comes.

    def receive_data(self, data: bytes) -> list[Event]:
        """Take bytes and return what they say. After a failure they say nothing."""
        events: list[Event] = []
        if self.failure is None:
            try:
                position = self._complete_frame(data, events) if self._buffer else 0
                if position < len(data):
                    self._read(data, position, events)
            except SessionError as exc:
                self._fail(exc, events)
        return events

    def _complete_frame(self, data: bytes, events: list[Event]) -> int:
        """Take the frame whose beginning came with the last read, and return how much of this read belongs to it.

        Only that frame is put together; a read may be many times as long.
        """
        begun = self._buffer
        stop = len(data)
        if self._phase is not _PREFACE_DUE and len(begun) >= SIZE:
            stop = min(stop, SIZE + (unpack(begun, 0)[0] >> 8) - len(begun))
        self._read(begun + data[:stop], 0, events)
        return stop

    def _read(self, buffer: bytes, position: int, events: list[Event]) -> None:
        """Take frames one by one, from `position` on, and keep what is left."""
        end = len(buffer)
        if self._phase is _PREFACE_DUE:
            if end < len(PREFACE) and PREFACE.startswith(buffer):
                self._buffer = buffer
                return
            if not buffer.startswith(PREFACE):
                raise SessionError(ErrorCode.PROTOCOL_ERROR, "no preface of HTTP/2 (RFC 9113 section 3.4)")
            self._phase = Phase.SETTINGS
            position = len(PREFACE)
        ended = self.streams.ended
        is_open = self._phase is _OPEN
        while end - position >= SIZE:
            word, flags, stream_id = unpack(buffer, position)
            start = position + SIZE
            stop = start + (word >> 8)
            if word >> 8 > DEFAULT_MAX_FRAME_SIZE:
                frames.header.parse(buffer, position)  # raises
            if stop > end:
                break
            position = stop
            kind = word & 0xFF
            try:
                if (
                    kind == _HEADERS
                    and is_open
                    and flags & ~END_STREAM == END_HEADERS
                    and MAX_STREAM_ID >= stream_id > ended.highest
                ):
                    # By far the most frequent frame of most clients.
                    self._begin(stream_id, flags != END_HEADERS, buffer[start:stop], events)
                else:
                    stream_id &= MAX_STREAM_ID
                    handle = self._choose_handler(kind, flags, stream_id)
                    handle(self, flags, stream_id, buffer[start:stop], events)
                    is_open = self._phase is _OPEN
            except StreamError as exc:
                self._reset(exc, events)
        self._buffer = buffer[position:] if position < end else b""

    def _choose_handler(self, kind: int, flags: int, stream_id: int) -> _Handler:
        """Return what deals with a frame, if it may come now.

        Raises:
            SessionError: it may not.
        """
        phase = self._phase
        if phase is not _OPEN or kind == _CONTINUATION:
            check_phase(phase, kind)
            if self._block is not None and stream_id != self._block.stream_id:
                raise out_of_phase(phase)
            if phase is Phase.SETTINGS:
                if flags & frames.ACK:
                    raise out_of_phase(phase)
                self._phase = _OPEN
        return _HANDLERS.get(kind, Session._on_unknown)

    # Heads.

    def _on_headers(self, flags: int, stream_id: int, payload: bytes, events: list[Event]) -> None:
        fragment = payload
        if flags & (PADDED | PRIORITY) or not stream_id:
            fragment, dependency = frames.headers.parse(flags, stream_id, payload)
            if dependency is not None and dependency.stream_id == stream_id:
                flags |= _DEPENDS_ON_ITSELF
        if flags & END_HEADERS:
            self._take_block(stream_id, flags, fragment, events)
        else:
            self._block, self._phase = _Block(stream_id, flags, fragment), Phase.FIELD_BLOCK

    def _on_continuation(self, flags: int, stream_id: int, payload: bytes, events: list[Event]) -> None:
        block = self._block
        assert block is not None  # noqa: S101  it is where the phase is FIELD_BLOCK
        fragment = frames.continuation.parse(flags, stream_id, payload)
        self._budgets.spend(Cost.CONTINUATION, self.now)
        block.parts.append(fragment)
        block.size += len(fragment)
        if block.size > self._config.max_block_size:  # looked at while it arrives, not when it is there
            raise SessionError(
                ErrorCode.ENHANCE_YOUR_CALM,
                f"field block of over {self._config.max_block_size} bytes (RFC 9113 section 10.5.1)",
            )
        if flags & END_HEADERS:
            self._block, self._phase = None, _OPEN
            self._take_block(stream_id, block.flags, b"".join(block.parts), events)

    def _take_block(self, stream_id: int, flags: int, block: bytes, events: list[Event]) -> None:
        # Even ones are ours, and idle for ever: to open one is an error whatever its number.
        is_new = stream_id > self.streams.ended.highest or not stream_id & 1
        if flags & _DEPENDS_ON_ITSELF:
            self._decoder.discard(block)
            if is_new:
                self.streams.ended.open(stream_id)
            raise StreamError(
                ErrorCode.PROTOCOL_ERROR,
                stream_id,
                f"stream {stream_id} depends on itself (RFC 7540 section 5.3.1)",
            )
        if is_new:
            self._begin(stream_id, bool(flags & END_STREAM), block, events)
            return
        stream = self.streams.open.get(stream_id)
        state = self.streams.ended.state_of(stream_id) if stream is None else stream.state
        verdict = RULES[state][_HEADERS]
        if stream is None or verdict != Verdict.ALLOWED:
            self._decoder.discard(block)
            refuse(verdict, state, FrameType.HEADERS, stream_id)
            self._budgets.spend(Cost.CONTROL, self.now)
        elif stream.is_tunnel:
            self._decoder.discard(block)
            raise StreamError(
                ErrorCode.PROTOCOL_ERROR, stream_id, "HEADERS in a tunnel (RFC 9113 section 8.5)"
            )
        elif not flags & END_STREAM:
            self._decoder.discard(block)
            raise StreamError(
                ErrorCode.PROTOCOL_ERROR, stream_id, "trailers without END_STREAM (RFC 9113 section 8.1)"
            )
        else:
            self._decoder.decode_trailers(block, stream_id)
            self._complete(stream)
            events.append(DataReceived(stream, b"", True))

    def _begin(self, stream_id: int, is_complete: bool, block: bytes, events: list[Event]) -> None:
        """Open a stream with the head of its request."""
        streams = self.streams
        ended = streams.ended
        if stream_id == ended.highest + 2 and stream_id & 1:
            ended.highest = stream_id  # as every stream but the first of most clients
        else:
            ended.open(stream_id)
        if self._last_stream_id is not None or streams.busy >= self._config.max_concurrent_streams:
            self._turn_away(stream_id, block)
            return
        decoder = self._decoder
        try:
            head = decoder.heads.get(block) or decoder.decode_request(block, stream_id)
        except RefusedRequest as exc:
            stream = streams.begin(stream_id, is_complete, self.sender.initial_window)
            if not is_complete:
                stream.received = ReceiveWindow(self._config.initial_window_size, stream_id)
            events.append(RequestRefused(stream, exc.status, str(exc)))
            return
        stream = streams.begin(stream_id, is_complete, self.sender.initial_window)
        stream.head = head
        if not (is_complete and head.is_plain):
            self._prepare(stream, head, is_complete)
        if self._early_priorities:
            stream.priority = self._early_priorities.pop(stream_id, stream.priority)
        events.append(stream)

    def _prepare(self, stream: Stream, head: RequestHead, is_complete: bool) -> None:
        """Set what a head says of the stream that it begins."""
        if not is_complete:
            stream.has_body = True
            stream.body_left = head.content_length
            stream.received = ReceiveWindow(self._config.initial_window_size, stream.stream_id)
        elif head.content_length:
            self.streams.release(stream)
            raise _wrong_length(stream.stream_id)
        if head.priority is not None:
            stream.priority = parse_priority(head.priority)

    def _turn_away(self, stream_id: int, block: bytes) -> None:
        """Refuse a stream that is one too many, or that was begun after our GOAWAY; its client may try again elsewhere."""
        self._decoder.discard(block)
        self._budgets.spend(Cost.REFUSED_STREAM, self.now)
        self.streams.ended.reset(stream_id)
        self.sender.add(frames.rst_stream.build(stream_id, ErrorCode.REFUSED_STREAM))

    # Bodies.

    def _on_data(self, flags: int, stream_id: int, payload: bytes, events: list[Event]) -> None:
        data, length = frames.data.parse(flags, stream_id, payload)
        self._received.receive(length)
        stream = self.streams.open.get(stream_id)
        state = self.streams.ended.state_of(stream_id) if stream is None else stream.state
        verdict = RULES[state][FrameType.DATA]
        if stream is None or stream.received is None or verdict != Verdict.ALLOWED:
            self._give_back_to_connection(length)
            refuse(verdict, state, FrameType.DATA, stream_id)
            self._budgets.spend(Cost.CONTROL, self.now)
            return
        # Whatever is wrong from here on, the reset gives back all that the stream holds, this frame too.
        stream.received.receive(length)
        if stream.body_left is not None:
            stream.body_left -= len(data)
            if stream.body_left < 0:
                raise _wrong_length(stream_id)
        if length != len(data):
            self.give_back(stream, length - len(data))
        if flags & END_STREAM:
            self._complete(stream)
        elif not data:
            self._budgets.spend(Cost.EMPTY_DATA, self.now)
        events.append(DataReceived(stream, data, bool(flags & END_STREAM)))

    def _complete(self, stream: Stream) -> None:
        """Note that the client has ended a stream."""
        if stream.body_left:
            raise _wrong_length(stream.stream_id)
        state = ENDED_BY_CLIENT[stream.state]
        if state == State.CLOSED:
            self._close(stream, state)
        else:
            stream.state = state

    def end_tunnels(self) -> None:
        """Note that no bytes will come any more: the client's side of what ends by itself has ended."""
        for stream in list(self.streams.open.values()):
            if stream.is_tunnel:
                self._complete(stream)

    def give_back(self, stream: Stream, length: int) -> None:
        """Give room for so many bytes of a body back, on its stream and on the connection: the application has taken them."""
        received = stream.received
        if received is None or not length:
            return
        increment = received.give_back(length)
        if increment and stream.state == State.OPEN:
            self.sender.add(frames.window_update.build(stream.stream_id, increment))
        self._give_back_to_connection(length)

    def _give_back_to_connection(self, length: int) -> None:
        increment = self._received.give_back(length)
        if increment:
            self.sender.add(frames.window_update.build(0, increment))

    # The rest.

    def _on_priority(self, flags: int, stream_id: int, payload: bytes, events: list[Event]) -> None:
        self._budgets.spend(Cost.CONTROL, self.now)
        try:
            frames.priority.parse(flags, stream_id, payload)  # and nothing else: RFC 9113 section 5.3.2
        except StreamError as exc:
            if self.streams.ended.state_of(stream_id) == State.IDLE:
                raise SessionError(exc.code, str(exc)) from exc
            raise

    def _on_rst_stream(self, flags: int, stream_id: int, payload: bytes, events: list[Event]) -> None:
        code = frames.rst_stream.parse(flags, stream_id, payload)
        stream = self.streams.open.get(stream_id)
        if stream is None:
            state = self.streams.ended.state_of(stream_id)
            refuse(RULES[state][FrameType.RST_STREAM], state, FrameType.RST_STREAM, stream_id)
            self._budgets.spend(Cost.CONTROL, self.now)
            return
        self._budgets.spend(Cost.CLIENT_RESET, self.now)
        self._close(stream, State.CLOSED)
        events.append(StreamClosed(stream, f"reset by the client with code {code}"))

    def _on_settings(self, flags: int, stream_id: int, payload: bytes, events: list[Event]) -> None:
        settings = frames.settings.parse(flags, stream_id, payload)
        # One frame has room for thousands, of which each may change the windows of all streams.
        self._budgets.spend(Cost.CONTROL, self.now, len(settings or ()) or 1)
        if settings is None:
            return
        sender = self.sender
        for setting, value in settings:
            if setting == Setting.HEADER_TABLE_SIZE:
                sender.encoder.resize(value)
            elif setting == Setting.INITIAL_WINDOW_SIZE:
                sender.set_initial_window(value)
            elif setting == Setting.MAX_FRAME_SIZE:
                sender.max_frame_size = value
        self._check_priorities_setting(dict(settings))
        sender.add(frames.settings.ACKNOWLEDGMENT)

    def _check_priorities_setting(self, settings: dict[Setting, int]) -> None:
        value = settings.get(Setting.NO_RFC7540_PRIORITIES, self._no_rfc7540_priorities or 0)
        if self._no_rfc7540_priorities is None:
            self._no_rfc7540_priorities = value
        elif value != self._no_rfc7540_priorities:
            raise SessionError(
                ErrorCode.PROTOCOL_ERROR, "SETTINGS_NO_RFC7540_PRIORITIES has changed (RFC 9218 section 2.1)"
            )

    def _on_push_promise(self, flags: int, stream_id: int, payload: bytes, events: list[Event]) -> None:
        frames.push_promise.parse(flags, stream_id, payload)

    def _on_ping(self, flags: int, stream_id: int, payload: bytes, events: list[Event]) -> None:
        self._budgets.spend(Cost.CONTROL, self.now)
        data = frames.ping.parse(flags, stream_id, payload)
        if not flags & frames.ACK:
            self.sender.add(frames.ping.build(data, is_ack=True))

    def _on_goaway(self, flags: int, stream_id: int, payload: bytes, events: list[Event]) -> None:
        self._budgets.spend(Cost.CONTROL, self.now)
        frames.goaway.parse(flags, stream_id, payload)  # about streams that we open, which are none

    def _on_window_update(self, flags: int, stream_id: int, payload: bytes, events: list[Event]) -> None:
        sender = self.sender
        if sender.data_frames:
            self._budgets.earn(Cost.WINDOW_UPDATE, 2 * sender.data_frames)
            sender.data_frames = 0
        self._budgets.spend(Cost.WINDOW_UPDATE, self.now)
        stream = self.streams.open.get(stream_id)
        if stream_id and stream is None:
            state = self.streams.ended.state_of(stream_id)
            refuse(RULES[state][FrameType.WINDOW_UPDATE], state, FrameType.WINDOW_UPDATE, stream_id)
            frames.window_update.check_size(payload)
            return
        increment = frames.window_update.parse(flags, stream_id, payload)
        if not stream_id:
            sender.increase_window(increment)
        elif stream is not None:
            sender.increase_stream_window(stream, increment)

    def _on_priority_update(self, flags: int, stream_id: int, payload: bytes, events: list[Event]) -> None:
        self._budgets.spend(Cost.CONTROL, self.now)
        target, value = frames.priority_update.parse(flags, stream_id, payload)
        stream = self.streams.open.get(target)
        if stream is not None:
            self.sender.set_priority(stream, parse_priority(value))
        elif target > self.streams.ended.highest:
            self._early_priorities[target] = parse_priority(value)
            if self._has_too_many_streams:
                self._forget_missed_priorities()
            if self._has_too_many_streams:
                raise SessionError(
                    ErrorCode.PROTOCOL_ERROR,
                    "PRIORITY_UPDATE for more streams than there may be (RFC 9218 section 7.1)",
                )

    @property
    def _has_too_many_streams(self) -> bool:
        """Whether there are more, with those to come that the client has spoken of, than there may be."""
        return len(self._early_priorities) + len(self.streams.open) > self._config.max_concurrent_streams

    def _forget_missed_priorities(self) -> None:
        """Forget the priorities of streams that were skipped or refused, and will not come any more."""
        highest = self.streams.ended.highest
        self._early_priorities = {
            stream_id: priority
            for stream_id, priority in self._early_priorities.items()
            if stream_id > highest
        }

    def _on_unknown(self, flags: int, stream_id: int, payload: bytes, events: list[Event]) -> None:
        self._budgets.spend(Cost.CONTROL, self.now)

    # The end.

    def _reset(self, error: StreamError, events: list[Event]) -> None:
        """Reset a stream for what its client has sent on it."""
        stream = self.streams.open.get(error.stream_id)
        if isinstance(error, RefusedRequest) and stream is not None:
            error = StreamError(
                ErrorCode.PROTOCOL_ERROR, error.stream_id, str(error)
            )  # of trailers: too late to answer
        self._budgets.spend(Cost.SERVER_RESET, self.now)
        if stream is None:
            if self.streams.ended.state_of(error.stream_id) != State.RESET:
                self.sender.add(frames.rst_stream.build(error.stream_id, error.code))
                self.streams.ended.reset(error.stream_id)
        else:
            self.reset_stream(stream, error.code)
            events.append(StreamClosed(stream, str(error)))

    def reset_stream(self, stream: Stream, code: ErrorCode) -> None:
        """Give a stream up, at once; nothing if it is closed."""
        if stream.stream_id in self.streams.open:
            self._give_back_held(stream)
            self.sender.reset(stream, code)

    def _close(self, stream: Stream, state: State) -> None:
        self._give_back_held(stream)
        self.sender.forget(stream, state)

    def _give_back_held(self, stream: Stream) -> None:
        received, stream.received = stream.received, None
        if received is not None and received.held:
            self._give_back_to_connection(received.held)

    def go_away(self, *, last: bool) -> None:
        """Say that the connection is about to end: once before, so that what is on its way is still served, and then finally.

        Source: RFC 9113 section 6.8.
        """
        if last and self._last_stream_id is None:
            self._last_stream_id = self.streams.ended.highest
        last_stream_id = MAX_STREAM_ID if self._last_stream_id is None else self._last_stream_id
        self.sender.add(frames.goaway.build(last_stream_id, ErrorCode.NO_ERROR))

    def _fail(self, error: SessionError, events: list[Event]) -> None:
        """End the connection for what its client has sent."""
        self.fail(error)
        for stream in list(self.streams.open.values()):
            self._close(stream, State.CLOSED)
            events.append(StreamClosed(stream, str(error)))

    def fail(self, error: SessionError) -> None:
        """Say GOAWAY with an error; the bytes are to be written, then the connection closed."""
        self.failure = error
        self._buffer = b""
        self.sender.add(frames.goaway.build(self.streams.ended.highest, error.code, str(error).encode()))

    def take_output(self, room: int) -> tuple[bytes, list[StreamDrained]]:
        """Return what may be written now, at most about `room` bytes of bodies, and the streams on which more may be sent."""
        drained: list[Stream] = []
        data = b"".join(self.sender.take(room, drained))
        return data, [StreamDrained(stream) for stream in drained]


def _wrong_length(stream_id: int) -> StreamError:
    return StreamError(
        ErrorCode.PROTOCOL_ERROR,
        stream_id,
        "body is not as long as its content-length (RFC 9113 section 8.1.1)",
    )


_HANDLERS: Final[dict[int, _Handler]] = {
    FrameType.DATA.value: Session._on_data,
    FrameType.HEADERS.value: Session._on_headers,
    FrameType.PRIORITY.value: Session._on_priority,
    FrameType.RST_STREAM.value: Session._on_rst_stream,
    FrameType.SETTINGS.value: Session._on_settings,
    FrameType.PUSH_PROMISE.value: Session._on_push_promise,
    FrameType.PING.value: Session._on_ping,
    FrameType.GOAWAY.value: Session._on_goaway,
    FrameType.WINDOW_UPDATE.value: Session._on_window_update,
    FrameType.CONTINUATION.value: Session._on_continuation,
    FrameType.PRIORITY_UPDATE.value: Session._on_priority_update,
}
