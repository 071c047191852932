"""Stream states: RFC 9113 section 5.1, sentence by sentence."""

from __future__ import annotations

import pytest

from transom.server.http2.errors import ErrorCode, SessionError, StreamError
from transom.server.http2.frames import FrameType
from transom.server.http2.states import (
    ENDED_BY_CLIENT,
    ENDED_BY_US,
    MAX_GAPS,
    MAX_RESETS,
    RULES,
    EndedStreams,
    Phase,
    State,
    Verdict,
    check_phase,
    refuse,
)

STREAM_FRAMES = {
    FrameType.DATA,
    FrameType.HEADERS,
    FrameType.PRIORITY,
    FrameType.RST_STREAM,
    FrameType.WINDOW_UPDATE,
}
CLOSED = {State.CLOSED, State.RESET, State.SKIPPED}


def frames_with(state: State, verdict: Verdict) -> set[FrameType]:
    return {frame_type for frame_type in STREAM_FRAMES if RULES[state][frame_type] is verdict}


@pytest.mark.parametrize(
    ("phase", "may_come"),
    [
        (Phase.SETTINGS, {FrameType.SETTINGS}),
        (Phase.OPEN, set(FrameType) - {FrameType.CONTINUATION}),
        (Phase.FIELD_BLOCK, {FrameType.CONTINUATION}),
    ],
)
def test_phases_of_a_connection(phase: Phase, may_come: set[FrameType]):
    """Sections 3.4 and 6.10."""
    for frame_type in (*FrameType, 0xFF):
        if frame_type in may_come or (frame_type == 0xFF and phase is Phase.OPEN):
            check_phase(phase, frame_type)
        else:
            with pytest.raises(SessionError, match=r"RFC 9113 section (3\.4|6\.10)") as caught:
                check_phase(phase, frame_type)
            assert caught.value.code == ErrorCode.PROTOCOL_ERROR


def test_idle():
    """Any frame other than HEADERS or PRIORITY is a connection error of type PROTOCOL_ERROR."""
    assert frames_with(State.IDLE, Verdict.ALLOWED) == {FrameType.HEADERS, FrameType.PRIORITY}
    assert frames_with(State.IDLE, Verdict.FORBIDDEN) == STREAM_FRAMES - {
        FrameType.HEADERS,
        FrameType.PRIORITY,
    }


def test_open():
    assert frames_with(State.OPEN, Verdict.ALLOWED) == STREAM_FRAMES


def test_half_closed_local():
    """Any type of frame can be received; WINDOW_UPDATE can be ignored, nothing is sent any more."""
    assert frames_with(State.HALF_CLOSED_LOCAL, Verdict.IGNORED) == {FrameType.WINDOW_UPDATE}
    assert frames_with(State.HALF_CLOSED_LOCAL, Verdict.ALLOWED) == STREAM_FRAMES - {FrameType.WINDOW_UPDATE}


def test_half_closed_remote():
    """Frames other than WINDOW_UPDATE, PRIORITY or RST_STREAM are a stream error of type STREAM_CLOSED."""
    assert frames_with(State.HALF_CLOSED_REMOTE, Verdict.RESET_STREAM) == {FrameType.DATA, FrameType.HEADERS}
    assert len(frames_with(State.HALF_CLOSED_REMOTE, Verdict.ALLOWED)) == 3


@pytest.mark.parametrize("state", CLOSED)
def test_closed(state: State):
    """PRIORITY can be received in any state, WINDOW_UPDATE and RST_STREAM may cross with what closed the stream."""
    assert frames_with(state, Verdict.ALLOWED) == {FrameType.PRIORITY}
    assert frames_with(state, Verdict.IGNORED) >= {FrameType.WINDOW_UPDATE, FrameType.RST_STREAM}


def test_closed_by_the_client():
    """Data or headers behind its END_STREAM or RST_STREAM are a connection error of type STREAM_CLOSED."""
    assert frames_with(State.CLOSED, Verdict.CLOSED) == {FrameType.DATA, FrameType.HEADERS}


def test_reset_by_us():
    """The client may have sent any frame before it learned of that: processed minimally, then discarded."""
    assert frames_with(State.RESET, Verdict.IGNORED) == STREAM_FRAMES - {FrameType.PRIORITY}


def test_skipped():
    """Section 5.1.1: to open a stream below one that was opened is a connection error of type PROTOCOL_ERROR."""
    assert frames_with(State.SKIPPED, Verdict.FORBIDDEN) == {FrameType.HEADERS}
    assert frames_with(State.SKIPPED, Verdict.CLOSED) == {FrameType.DATA}


def test_what_is_not_of_a_stream_is_never_allowed_on_one():
    others = {FrameType.SETTINGS, FrameType.PUSH_PROMISE, FrameType.PING, FrameType.GOAWAY}
    assert all(RULES[state][other] is Verdict.FORBIDDEN for state in State for other in others)
    assert len(RULES) == len(State)


def test_ends():
    assert ENDED_BY_CLIENT[State.OPEN] is State.HALF_CLOSED_REMOTE
    assert ENDED_BY_CLIENT[State.HALF_CLOSED_LOCAL] is State.CLOSED
    assert ENDED_BY_US[State.OPEN] is State.HALF_CLOSED_LOCAL
    assert ENDED_BY_US[State.HALF_CLOSED_REMOTE] is State.CLOSED
    for table, others in (
        (ENDED_BY_CLIENT, set(State) - {State.OPEN, State.HALF_CLOSED_LOCAL}),
        (ENDED_BY_US, set(State) - {State.OPEN, State.HALF_CLOSED_REMOTE}),
    ):
        assert all(table[state] is state for state in others)
        assert len(table) == len(State)


def test_refusals():
    refuse(Verdict.ALLOWED, State.OPEN, FrameType.DATA, 1)
    refuse(Verdict.IGNORED, State.RESET, FrameType.DATA, 1)
    with pytest.raises(
        StreamError, match=r"^DATA on stream 3, which is half_closed_remote \(RFC 9113 section 5.1\)$"
    ) as reset:
        refuse(Verdict.RESET_STREAM, State.HALF_CLOSED_REMOTE, FrameType.DATA, 3)
    assert (reset.value.code, reset.value.stream_id) == (ErrorCode.STREAM_CLOSED, 3)
    for verdict, code in (
        (Verdict.CLOSED, ErrorCode.STREAM_CLOSED),
        (Verdict.FORBIDDEN, ErrorCode.PROTOCOL_ERROR),
    ):
        with pytest.raises(SessionError, match=r"RFC 9113 section 5.1") as ended:
            refuse(verdict, State.CLOSED, FrameType.HEADERS, 3)
        assert ended.value.code is code


# Streams that are not there


def test_streams_begin_idle():
    streams = EndedStreams()
    assert {streams.state_of(number) for number in (1, 2, 3)} == {State.IDLE}


def test_stream_that_was_opened_and_is_gone_is_closed():
    streams = EndedStreams()
    for number in (1, 3, 5):
        streams.open(number)
    assert streams.highest == 5
    assert [streams.state_of(number) for number in (1, 3, 5, 7)] == [State.CLOSED] * 3 + [State.IDLE]


def test_streams_of_even_number_stay_idle_and_cannot_be_opened():
    streams = EndedStreams()
    streams.open(7)
    assert streams.state_of(2) is State.IDLE
    with pytest.raises(SessionError, match=r"stream 8, which is even \(RFC 9113 section 5.1.1\)") as caught:
        streams.open(8)
    assert caught.value.code is ErrorCode.PROTOCOL_ERROR
    assert streams.highest == 7


def test_skipped_streams_are_known():
    streams = EndedStreams()
    for number in (5, 7, 13):
        streams.open(number)
    states = {number: streams.state_of(number) for number in range(1, 16, 2)}
    assert {number for number, state in states.items() if state is State.SKIPPED} == {1, 3, 9, 11}
    assert {number for number, state in states.items() if state is State.CLOSED} == {5, 7, 13}


def test_gaps_are_bounded():
    streams = EndedStreams()
    for number in range(1, 4 * MAX_GAPS + 8, 4):
        streams.open(number)
    assert streams.state_of(3) is State.CLOSED, "forgotten"
    assert streams.state_of(streams.highest - 2) is State.SKIPPED
    assert len(streams._gaps) == MAX_GAPS


def test_resets_are_remembered_and_bounded():
    streams = EndedStreams()
    for number in range(1, 2 * MAX_RESETS + 3, 2):
        streams.open(number)
        streams.reset(number)
    assert streams.state_of(1) is State.CLOSED, "forgotten"
    assert streams.state_of(3) is State.RESET
    assert streams.state_of(streams.highest) is State.RESET
    assert len(streams._resets) == MAX_RESETS
