"""In which state a connection and a stream are, and what a client may send then: RFC 9113 as data.

A connection goes through four phases (sections 3.4 and 6.10), a stream through the states of section 5.1.

The state is the server's view. Reserved states are missing: we push nothing, and a client cannot. PUSH_PROMISE is refused
wherever it comes, and CONTINUATION belongs to the HEADERS before it, so neither is in the table; nor are the frames of the
connection.
"""

from __future__ import annotations

from collections import deque
from enum import IntEnum
from typing import Final

from transom.server.http2.errors import ErrorCode, SessionError, StreamError
from transom.server.http2.frames.header import FrameType


class Phase(IntEnum):
    """Of a connection: what its client has to send next."""

    PREFACE = 0
    """The 24 bytes that every connection begins with. They are no frame."""
    SETTINGS = 1
    """The frame behind them."""
    OPEN = 2
    """Any frame of any stream, as the stream's state has it."""
    FIELD_BLOCK = 3
    """The CONTINUATION of a field block that has not ended."""


class State(IntEnum):
    """Of a stream; what is CLOSED to the RFC are four states here, which differ in what may still come."""

    IDLE = 0
    OPEN = 1
    HALF_CLOSED_LOCAL = 2
    """Answered to the end, but the request goes on."""
    HALF_CLOSED_REMOTE = 3
    """The request is complete."""
    CLOSED = 4
    """Ended by both sides, or reset by the client."""
    RESET = 5
    """Reset by us: the client may not know yet."""
    SKIPPED = 6
    """Closed because a stream with a higher number was opened first (RFC 9113 section 5.1.1)."""


class Verdict(IntEnum):
    """What to do with a frame."""

    ALLOWED = 0
    IGNORED = 1
    """Account for it (windows, field block, budgets), then forget it."""
    RESET_STREAM = 2
    """A stream error of type STREAM_CLOSED."""
    CLOSED = 3
    """A connection error of type STREAM_CLOSED."""
    FORBIDDEN = 4
    """A connection error of type PROTOCOL_ERROR."""


_A, _I, _R, _C, _F = Verdict
_PHASES: Final = {
    #                   SETTINGS CONTINUATION others
    Phase.SETTINGS:    (_A, _F, _F),
    Phase.OPEN:        (_A, _F, _A),
    Phase.FIELD_BLOCK: (_F, _A, _F),
}  # fmt: skip
_COLUMNS: Final = {FrameType.SETTINGS.value: 0, FrameType.CONTINUATION.value: 1}
_COMPLAINTS: Final = {
    Phase.SETTINGS: "the first frame is not SETTINGS (RFC 9113 section 3.4)",
    Phase.OPEN: "CONTINUATION without HEADERS (RFC 9113 section 6.10)",
    Phase.FIELD_BLOCK: "another frame within a field block (RFC 9113 section 6.10)",
}


def check_phase(phase: Phase, frame_type: int) -> None:
    """Check whether a frame of this type may come in this phase of the connection.

    Raises:
        SessionError: PROTOCOL_ERROR, it may not.
    """
    column = _COLUMNS.get(frame_type, 2)
    if _PHASES[phase][column] == Verdict.FORBIDDEN:
        raise out_of_phase(phase)


def out_of_phase(phase: Phase) -> SessionError:
    """Return the error of a frame that may not come in this phase."""
    return SessionError(ErrorCode.PROTOCOL_ERROR, _COMPLAINTS[phase])


_FRAMES: Final = (
    FrameType.DATA, FrameType.HEADERS, FrameType.PRIORITY, FrameType.RST_STREAM, FrameType.WINDOW_UPDATE,
)  # fmt: skip
_TABLE: Final = {
    #                         DATA HEADERS PRIORITY RST_STREAM WINDOW_UPDATE
    State.IDLE:               (_F, _A, _A, _F, _F),
    State.OPEN:               (_A, _A, _A, _A, _A),
    State.HALF_CLOSED_LOCAL:  (_A, _A, _A, _A, _I),
    State.HALF_CLOSED_REMOTE: (_R, _R, _A, _A, _A),
    State.CLOSED:             (_C, _C, _A, _I, _I),
    State.RESET:              (_I, _I, _A, _I, _I),
    State.SKIPPED:            (_C, _F, _A, _I, _I),
}  # fmt: skip


def _build_row(verdicts: tuple[Verdict, ...]) -> tuple[Verdict, ...]:
    row = [_F] * (max(_FRAMES) + 1)
    for frame_type, verdict in zip(_FRAMES, verdicts, strict=True):
        row[frame_type] = verdict
    return tuple(row)


RULES: Final = tuple(_build_row(_TABLE[state]) for state in State)
"""`RULES[state][frame type]` is the verdict on a frame of a stream, for the types up to WINDOW_UPDATE."""

ENDED_BY_CLIENT: Final = (
    State.IDLE, State.HALF_CLOSED_REMOTE, State.CLOSED, State.HALF_CLOSED_REMOTE, State.CLOSED, State.RESET, State.SKIPPED,
)  # fmt: skip
"""`ENDED_BY_CLIENT[state]` is the state behind a frame with END_STREAM that was received."""
ENDED_BY_US: Final = (
    State.IDLE, State.HALF_CLOSED_LOCAL, State.HALF_CLOSED_LOCAL, State.CLOSED, State.CLOSED, State.RESET, State.SKIPPED,
)  # fmt: skip
"""`ENDED_BY_US[state]` is the state behind a frame with END_STREAM that was sent."""


def refuse(verdict: Verdict, state: State, frame_type: FrameType, stream_id: int) -> None:
    """Raise the error that a verdict stands for, if it does.

    Raises:
        StreamError: for RESET_STREAM.
        SessionError: for CLOSED and FORBIDDEN.
    """
    message = f"{frame_type.name} on stream {stream_id}, which is {state.name.lower()} (RFC 9113 section 5.1)"
    if verdict == Verdict.RESET_STREAM:
        raise StreamError(ErrorCode.STREAM_CLOSED, stream_id, message)
    if verdict == Verdict.CLOSED:
        raise SessionError(ErrorCode.STREAM_CLOSED, message)
    if verdict == Verdict.FORBIDDEN:
        raise SessionError(ErrorCode.PROTOCOL_ERROR, message)


MAX_RESETS: Final = 256  # remembered; more than are closed while a frame travels, with the usual 100 streams
MAX_GAPS: Final = 8


class EndedStreams:
    """What is known of streams that are not there (any more): numbers only, and only those of which there is something to say.

    Args:
        max_resets: how many of those that we have reset are remembered.

    Attributes:
        highest: the last stream that the client opened.
    """

    __slots__ = ("_gaps", "_max_resets", "_resets", "highest")

    def __init__(self, max_resets: int = MAX_RESETS) -> None:
        self.highest = 0
        self._max_resets = max_resets
        self._resets: dict[int, None] = {}
        self._gaps: deque[range] = deque(maxlen=MAX_GAPS)  # what was skipped

    def open(self, stream_id: int) -> None:
        """Note that the client opens this stream, which is idle.

        Raises:
            SessionError: it has an even number, which only we could open.
        """
        if not stream_id & 1:
            raise SessionError(
                ErrorCode.PROTOCOL_ERROR,
                f"HEADERS open stream {stream_id}, which is even (RFC 9113 section 5.1.1)",
            )
        if stream_id > self.highest + 2:
            self._gaps.append(range(self.highest + 1, stream_id))
        self.highest = stream_id

    def reset(self, stream_id: int) -> None:
        """Note that we reset this stream."""
        if len(self._resets) >= self._max_resets:
            del self._resets[next(iter(self._resets))]
        self._resets[stream_id] = None

    def state_of(self, stream_id: int) -> State:
        """Return the state of a stream that is neither open nor half-closed."""
        if stream_id > self.highest or not stream_id & 1:
            return State.IDLE
        if stream_id in self._resets:
            return State.RESET
        return State.SKIPPED if any(stream_id in gap for gap in self._gaps) else State.CLOSED
