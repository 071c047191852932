"""The referee objects to what a server must not send, and to nothing else."""

from __future__ import annotations

import hpack
import pytest
from http2.frames import (
    ACK,
    END_HEADERS,
    END_STREAM,
    MAX_WINDOW,
    PADDED,
    Frame,
    Setting,
    Type,
    build_settings,
)
from http2.referee import Referee, Violation

OK = [(":status", "200")]


def build_head(
    fields: list[tuple[str, str]],
    flags: int = END_HEADERS,
    stream: int = 1,
    encoder: hpack.Encoder | None = None,
) -> Frame:
    return Frame(Type.HEADERS, flags, stream, (encoder or hpack.Encoder()).encode(fields))


def build_update(increment: int, stream: int = 0) -> Frame:
    return Frame(Type.WINDOW_UPDATE, 0, stream, increment.to_bytes(4, "big"))


def build_goaway(last: int) -> Frame:
    return Frame(Type.GOAWAY, 0, 0, last.to_bytes(4, "big") + b"\0" * 4)


@pytest.fixture
def referee() -> Referee:
    """A referee who has seen the preface and a request on stream 1."""
    referee = Referee()
    referee.received(Frame(Type.SETTINGS))
    referee.sent(Frame(Type.HEADERS, END_HEADERS | END_STREAM, 1))
    return referee


HEAD = build_head(OK)
END = Frame(Type.DATA, END_STREAM, 1)
RESET = Frame(Type.RST_STREAM, 0, 1, b"\0\0\0\1")

ALLOWED = {
    "response": [HEAD, Frame(Type.DATA, 0, 1, b"body"), END],
    "padding": [HEAD, Frame(Type.DATA, END_STREAM | PADDED, 1, b"\3body\0\0\0")],
    "length": [build_head([*OK, ("content-length", "4")]), Frame(Type.DATA, END_STREAM, 1, b"body")],
    "full-window": [HEAD, *[Frame(Type.DATA, 0, 1, b"x" * 13_107)] * 5],
    "unknown-type": [Frame(0xFA, 0xFF, 0, b"test")],
    "no-error-behind-the-end": [HEAD, END, Frame(Type.RST_STREAM, 0, 1, b"\0\0\0\0")],
    "window-update-behind-the-end": [HEAD, END, build_update(1, 1)],
    "two-goaways": [build_goaway(2**31 - 1), build_goaway(1)],
    "reset-of-a-skipped-stream": [Frame(Type.RST_STREAM, 0, 1, b"\0\0\0\5")],
}
FORBIDDEN = {
    "unused-flag": [Frame(Type.PING, 0x02, 0, b"8 octets")],
    "reserved-bit": [Frame(Type.SETTINGS, reserved=True)],
    "too-long": [HEAD, Frame(Type.DATA, 0, 1, b"x" * 16_385)],
    "wrong-length": [Frame(Type.WINDOW_UPDATE, 0, 0, b"\0\0\1")],
    "data-on-stream-0": [Frame(Type.DATA, 0, 0, b"test")],
    "settings-on-a-stream": [Frame(Type.SETTINGS, 0, 1)],
    "idle": [build_head(OK, stream=3)],
    "stream-of-the-server": [build_head(OK, stream=2)],
    "within-a-block": [Frame(Type.HEADERS, 0, 1, b"\x88"), Frame(Type.SETTINGS)],
    "outside-of-a-block": [Frame(Type.CONTINUATION, END_HEADERS, 1, b"\x88")],
    "bad-block": [Frame(Type.HEADERS, END_HEADERS, 1, b"\x80")],
    "data-before-the-head": [Frame(Type.DATA, 0, 1, b"test")],
    "no-status": [build_head([("x-field", "value")])],
    "two-statuses": [build_head([*OK, *OK])],
    "status-behind-a-field": [build_head([("x-field", "value"), *OK])],
    "status-in-trailers": [HEAD, build_head(OK, END_HEADERS | END_STREAM)],
    "second-head": [HEAD, build_head([("x-field", "value")])],
    "101": [build_head([(":status", "101")])],
    "interim-that-ends": [build_head([(":status", "103")], END_HEADERS | END_STREAM)],
    "upper-case": [build_head([*OK, ("X-Field", "value")])],
    "line-break": [build_head([*OK, ("x-field", "a\nb")])],
    "connection": [build_head([*OK, ("connection", "close")])],
    "content-of-204": [build_head([(":status", "204")]), Frame(Type.DATA, 0, 1, b"test")],
    "short-content": [build_head([*OK, ("content-length", "5")]), Frame(Type.DATA, END_STREAM, 1, b"four")],
    "window": [HEAD, *[Frame(Type.DATA, 0, 1, b"x" * 16_384)] * 4],
    "behind-the-end": [HEAD, END, Frame(Type.DATA, 0, 1)],
    "behind-a-reset": [RESET, build_update(1, 1)],
    "second-reset": [RESET, RESET],
    "push": [Frame(Type.PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\2\x82")],
    "enable-push": [Frame(Type.SETTINGS, 0, 0, build_settings({Setting.ENABLE_PUSH: 1}))],
    "ack-of-nothing": [Frame(Type.SETTINGS, ACK)],
    "ping-of-nobody": [Frame(Type.PING, ACK, 0, b"8 octets")],
    "increment-of-0": [build_update(0)],
    "window-too-large": [build_update(MAX_WINDOW)],
    "goaway-that-grows": [build_goaway(0), build_goaway(1)],
    "goaway-of-no-stream": [build_goaway(3)],
    "priority-update": [Frame(Type.PRIORITY_UPDATE, 0, 0, b"\0\0\0\1u=1")],
}


@pytest.mark.parametrize("frames", ALLOWED.values(), ids=ALLOWED.keys())
def test_what_a_server_may_send(referee: Referee, frames: list[Frame]):
    for frame in frames:
        referee.received(frame)


@pytest.mark.parametrize("frames", FORBIDDEN.values(), ids=FORBIDDEN.keys())
def test_what_a_server_must_not_send(referee: Referee, frames: list[Frame]):
    for frame in frames[:-1]:
        referee.received(frame)
    with pytest.raises(Violation):
        referee.received(frames[-1])


def test_the_first_frame_is_settings():
    with pytest.raises(Violation, match="the first frame"):
        Referee().received(Frame(Type.PING, 0, 0, b"8 octets"))


def test_less_is_in_force_when_it_is_acknowledged(referee: Referee):
    referee.received(HEAD)
    referee.sent(Frame(Type.SETTINGS, 0, 0, build_settings({Setting.INITIAL_WINDOW_SIZE: 5})))
    referee.received(Frame(Type.DATA, 0, 1, b"six..."))
    referee.received(Frame(Type.SETTINGS, ACK))
    assert referee.streams[1].window == -1
    with pytest.raises(Violation, match="the windows are -1"):
        referee.received(Frame(Type.DATA, 0, 1, b"x"))
    referee.received(END)


def test_more_is_in_force_at_once(referee: Referee):
    referee.received(HEAD)
    referee.sent(Frame(Type.SETTINGS, 0, 0, build_settings({Setting.MAX_FRAME_SIZE: 20_000})))
    referee.received(Frame(Type.DATA, END_STREAM, 1, b"x" * 20_000))


def test_a_smaller_table_must_be_confirmed(referee: Referee):
    encoder = hpack.Encoder()
    referee.received(build_head([*OK, ("x-field", "value")], END_HEADERS | END_STREAM, 1, encoder))
    referee.sent(Frame(Type.SETTINGS, 0, 0, build_settings({Setting.HEADER_TABLE_SIZE: 0})))
    referee.received(Frame(Type.SETTINGS, ACK))
    referee.sent(Frame(Type.HEADERS, END_HEADERS | END_STREAM, 3))
    with pytest.raises(Violation, match="table size"):
        referee.received(build_head(OK, END_HEADERS | END_STREAM, 3, encoder))
