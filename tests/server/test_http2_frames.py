"""Frames: what RFC 9113 section 6 says of each, in its order, and the same bytes as hyperframe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hyperframe import frame as hyper
from hypothesis import given
from hypothesis import strategies as st

from transom.server.http2.errors import ErrorCode, HTTP2Error, SessionError, StreamError
from transom.server.http2.frames import (
    ACK,
    END_HEADERS,
    END_STREAM,
    PADDED,
    PRIORITY,
    FrameType,
    continuation,
    data,
    goaway,
    header,
    headers,
    ping,
    priority,
    priority_update,
    push_promise,
    rst_stream,
    settings,
    window_update,
)
from transom.server.http2.frames.settings import Setting

STREAM_IDS = st.integers(min_value=1, max_value=2**31 - 1)
WORDS = st.integers(min_value=0, max_value=2**32 - 1)
PAYLOADS = st.binary(max_size=300)


def refused(
    code: ErrorCode, parse: Callable[[int, int, bytes], Any], flags: int, stream_id: int, payload: bytes
) -> HTTP2Error:
    """Return the error, which has this code and names the section of an RFC."""
    with pytest.raises(HTTP2Error, match=r"\(RFC \d+ section [\d.]+\)$") as caught:
        parse(flags, stream_id, payload)
    assert caught.value.code is code
    return caught.value


def reread(frame: bytes) -> tuple[hyper.Frame, bytes]:
    """Return what hyperframe makes of a frame of ours, and what follows it."""
    found, length = hyper.Frame.parse_frame_header(memoryview(frame[:9]))
    found.parse_body(memoryview(frame[9 : 9 + length]))
    return found, frame[9 + length :]


def take(frame: hyper.Frame) -> tuple[int, int, bytes]:
    """Return flags, stream and payload of a frame that hyperframe wrote."""
    wire = frame.serialize()
    length, frame_type, flags, stream_id = header.parse(wire)
    assert (length, frame_type) == (len(wire) - 9, frame.type)
    return flags, stream_id, wire[9:]


# Section 3.4 and 4: preface, header


def test_preface():
    assert header.PREFACE.hex() == "505249202a20485454502f322e300d0a0d0a534d0d0a0d0a"


@given(
    length=st.integers(0, 16_384),
    frame_type=st.integers(0, 255),
    flags=st.integers(0, 255),
    stream_id=st.integers(0, 2**31 - 1),
)
def test_header_round_trip(length: int, frame_type: int, flags: int, stream_id: int):
    wire = header.build(length, frame_type, flags, stream_id)
    assert len(wire) == header.SIZE
    assert header.parse(b"x" + wire, 1) == (length, frame_type, flags, stream_id)


def test_reserved_bit_is_ignored():
    assert header.parse(bytes.fromhex("000000 00 00 80000001")) == (0, 0, 0, 1)


def test_frame_over_the_size_that_we_allow_ends_the_connection():
    assert header.parse(header.build(16_384, 0, 0, 1))[0] == 16_384
    with pytest.raises(SessionError, match=r"16385 bytes, over 16384 \(RFC 9113 section 4.2\)") as caught:
        header.parse(header.build(16_385, 0, 0, 1))
    assert caught.value.code is ErrorCode.FRAME_SIZE_ERROR
    assert header.parse(header.build(16_385, 0, 0, 1), max_size=20_000)[0] == 16_385


# Section 6.1: DATA


@given(stream_id=STREAM_IDS, payload=PAYLOADS, padding=st.none() | st.integers(0, 255))
def test_data_is_read_as_hyperframe_writes_it(stream_id: int, payload: bytes, padding: int | None):
    frame = hyper.DataFrame(stream_id, payload)
    if padding is not None:
        frame.flags.add("PADDED")
        frame.pad_length = padding
    assert data.parse(*take(frame)) == (payload, frame.flow_controlled_length)


@given(stream_id=STREAM_IDS, payload=PAYLOADS, end_stream=st.booleans())
def test_data_is_written_as_hyperframe_reads_it(stream_id: int, payload: bytes, end_stream: bool):
    frame, rest = reread(data.build(stream_id, payload, end_stream))
    assert isinstance(frame, hyper.DataFrame)
    assert (frame.stream_id, frame.data, "END_STREAM" in frame.flags, rest) == (
        stream_id,
        payload,
        end_stream,
        b"",
    )


def test_data_without_padding_is_not_copied():
    payload = b"a" * 100
    assert data.parse(END_STREAM, 1, payload)[0] is payload


def test_data_needs_a_stream():
    refused(ErrorCode.PROTOCOL_ERROR, data.parse, 0, 0, b"a")


@pytest.mark.parametrize("parse", [data.parse, headers.parse])
def test_padding_must_be_shorter_than_the_payload(parse: Callable[[int, int, bytes], Any]):
    assert parse(PADDED, 1, b"\x02ab\x00\x00")[0] == b"ab"
    assert parse(PADDED, 1, b"\x02\x00\x00")[0] == b""
    assert isinstance(refused(ErrorCode.PROTOCOL_ERROR, parse, PADDED, 1, b"\x03\x00\x00"), SessionError)
    assert isinstance(refused(ErrorCode.FRAME_SIZE_ERROR, parse, PADDED, 1, b""), SessionError)


@pytest.mark.parametrize("parse", [data.parse, headers.parse])
def test_padding_must_be_zero(parse: Callable[[int, int, bytes], Any]):
    assert isinstance(refused(ErrorCode.PROTOCOL_ERROR, parse, PADDED, 1, b"\x02ab\x00\x01"), SessionError)


# Section 6.2: HEADERS


@given(
    stream_id=STREAM_IDS,
    block=PAYLOADS,
    padding=st.none() | st.integers(0, 255),
    dependency=st.none() | st.tuples(st.integers(0, 2**31 - 1), st.booleans(), st.integers(0, 255)),
)
def test_headers_are_read_as_hyperframe_writes_them(
    stream_id: int, block: bytes, padding: int | None, dependency: tuple[int, bool, int] | None
):
    frame = hyper.HeadersFrame(stream_id, block)
    if padding is not None:
        frame.flags.add("PADDED")
        frame.pad_length = padding
    expected = None
    if dependency is not None:
        if dependency[0] == stream_id:
            dependency = (0, *dependency[1:])
        frame.flags.add("PRIORITY")
        frame.depends_on, frame.exclusive, frame.stream_weight = dependency
        expected = priority.Dependency(dependency[0], dependency[1], dependency[2] + 1)
    assert headers.parse(*take(frame)) == (block, expected)


@given(stream_id=STREAM_IDS, block=PAYLOADS, end_stream=st.booleans(), max_size=st.integers(1, 100))
def test_headers_are_written_as_hyperframe_reads_them(
    stream_id: int, block: bytes, end_stream: bool, max_size: int
):
    first, rest = reread(headers.build(stream_id, block, end_stream, max_size))
    assert isinstance(first, hyper.HeadersFrame)
    assert ("END_STREAM" in first.flags) is end_stream
    frames: list[Any] = [first]
    while rest:
        frame, rest = reread(rest)
        assert isinstance(frame, hyper.ContinuationFrame)
        frames.append(frame)
    assert b"".join(frame.data for frame in frames) == block
    assert all(len(frame.data) <= max_size for frame in frames)
    assert all(frame.data for frame in frames[1:])
    assert ["END_HEADERS" in frame.flags for frame in frames] == [False] * (len(frames) - 1) + [True]


def test_headers_need_a_stream():
    refused(ErrorCode.PROTOCOL_ERROR, headers.parse, END_HEADERS, 0, b"\x82")


def test_headers_with_half_a_priority_end_the_connection():
    error = refused(ErrorCode.FRAME_SIZE_ERROR, headers.parse, PRIORITY, 1, b"\x00\x00\x00\x00")
    assert isinstance(error, SessionError), "a frame with a field block (RFC 9113 section 4.2)"


def test_headers_say_what_they_depend_on():
    """That it may not be the stream itself is judged behind the block, which must be decoded first."""
    payload = bytes.fromhex("80000005 0f 82")
    assert headers.parse(PRIORITY, 1, payload) == (b"\x82", priority.Dependency(5, True, 16))
    assert headers.parse(PRIORITY, 5, payload) == (b"\x82", priority.Dependency(5, True, 16))


# Section 6.3: PRIORITY


@given(
    stream_id=STREAM_IDS, other=st.integers(0, 2**31 - 1), exclusive=st.booleans(), weight=st.integers(0, 255)
)
def test_priority_is_read_as_hyperframe_writes_it(stream_id: int, other: int, exclusive: bool, weight: int):
    frame = hyper.PriorityFrame(stream_id, depends_on=other, stream_weight=weight, exclusive=exclusive)
    if other == stream_id:
        assert isinstance(refused(ErrorCode.PROTOCOL_ERROR, priority.parse, *take(frame)), StreamError)
    else:
        assert priority.parse(*take(frame)) == (other, exclusive, weight + 1)


def test_priority_of_a_wrong_length_resets_the_stream():
    for size in (0, 4, 6):
        error = refused(ErrorCode.FRAME_SIZE_ERROR, priority.parse, 0, 3, bytes(size))
        assert isinstance(error, StreamError)
        assert error.stream_id == 3


def test_priority_needs_a_stream():
    assert isinstance(refused(ErrorCode.PROTOCOL_ERROR, priority.parse, 0, 0, bytes(5)), SessionError)


# Section 6.4: RST_STREAM


@given(stream_id=STREAM_IDS, code=WORDS)
def test_rst_stream_is_read_as_hyperframe_writes_it(stream_id: int, code: int):
    assert rst_stream.parse(*take(hyper.RstStreamFrame(stream_id, code))) == code


@given(stream_id=STREAM_IDS, code=st.sampled_from(ErrorCode))
def test_rst_stream_is_written_as_hyperframe_writes_it(stream_id: int, code: ErrorCode):
    assert rst_stream.build(stream_id, code) == hyper.RstStreamFrame(stream_id, code).serialize()


def test_rst_stream_needs_a_stream_and_four_bytes():
    refused(ErrorCode.PROTOCOL_ERROR, rst_stream.parse, 0, 0, bytes(4))
    for size in (0, 3, 5):
        assert isinstance(
            refused(ErrorCode.FRAME_SIZE_ERROR, rst_stream.parse, 0, 1, bytes(size)), SessionError
        )


# Section 6.5: SETTINGS


@pytest.mark.parametrize(
    ("setting", "value", "code"),
    [
        (Setting.HEADER_TABLE_SIZE, 2**32 - 1, None),
        (Setting.ENABLE_PUSH, 0, None),
        (Setting.ENABLE_PUSH, 1, None),
        (Setting.ENABLE_PUSH, 2, ErrorCode.PROTOCOL_ERROR),
        (Setting.MAX_CONCURRENT_STREAMS, 0, None),
        (Setting.INITIAL_WINDOW_SIZE, 2**31 - 1, None),
        (Setting.INITIAL_WINDOW_SIZE, 2**31, ErrorCode.FLOW_CONTROL_ERROR),
        (Setting.MAX_FRAME_SIZE, 16_383, ErrorCode.PROTOCOL_ERROR),
        (Setting.MAX_FRAME_SIZE, 16_384, None),
        (Setting.MAX_FRAME_SIZE, 2**24 - 1, None),
        (Setting.MAX_FRAME_SIZE, 2**24, ErrorCode.PROTOCOL_ERROR),
        (Setting.MAX_HEADER_LIST_SIZE, 0, None),
        (Setting.ENABLE_CONNECT_PROTOCOL, 1, None),
        (Setting.ENABLE_CONNECT_PROTOCOL, 2, ErrorCode.PROTOCOL_ERROR),
        (Setting.NO_RFC7540_PRIORITIES, 1, None),
        (Setting.NO_RFC7540_PRIORITIES, 2, ErrorCode.PROTOCOL_ERROR),
    ],
)
def test_values_of_settings(setting: Setting, value: int, code: ErrorCode | None):
    wire = settings.build([(setting, value)])
    assert header.parse(wire) == (6, FrameType.SETTINGS, 0, 0)
    if code is None:
        assert settings.parse(0, 0, wire[9:]) == [(setting, value)]
    else:
        assert isinstance(refused(code, settings.parse, 0, 0, wire[9:]), SessionError)


@given(
    pairs=st.lists(
        st.tuples(st.sampled_from([Setting.HEADER_TABLE_SIZE, Setting.MAX_CONCURRENT_STREAMS]), WORDS),
        max_size=8,
    )
)
def test_settings_keep_their_order(pairs: list[tuple[Setting, int]]):
    """Section 6.5.3: they are processed in the order they appear, the same one twice, too."""
    wire = settings.build(pairs)
    assert settings.parse(0, 0, wire[9:]) == pairs
    frame, _ = reread(wire)
    assert isinstance(frame, hyper.SettingsFrame)
    assert frame.settings == dict(pairs)


def test_unknown_settings_are_ignored():
    wire = bytes.fromhex("0000 00000001 0007 ffffffff fa0a 00000001 0003 00000064")
    assert settings.parse(0, 0, wire) == [(Setting.MAX_CONCURRENT_STREAMS, 100)]


def test_acknowledgment_of_settings():
    assert hyper.SettingsFrame(flags=["ACK"]).serialize() == settings.ACKNOWLEDGMENT
    assert settings.parse(ACK, 0, b"") is None
    refused(ErrorCode.FRAME_SIZE_ERROR, settings.parse, ACK, 0, bytes(6))


def test_settings_are_of_the_connection_and_of_six_bytes_each():
    assert settings.parse(0, 0, b"") == []
    refused(ErrorCode.PROTOCOL_ERROR, settings.parse, 0, 1, b"")
    refused(ErrorCode.FRAME_SIZE_ERROR, settings.parse, 0, 0, bytes(5))


# Section 6.6: PUSH_PROMISE


def test_client_cannot_push():
    assert isinstance(
        refused(ErrorCode.PROTOCOL_ERROR, push_promise.parse, END_HEADERS, 1, bytes.fromhex("00000002 82")),
        SessionError,
    )


# Section 6.7: PING


@given(payload=st.binary(min_size=8, max_size=8), is_ack=st.booleans())
def test_ping_is_as_hyperframe_has_it(payload: bytes, is_ack: bool):
    frame = hyper.PingFrame(0, payload, flags=["ACK"] if is_ack else [])
    assert ping.build(payload, is_ack) == frame.serialize()
    assert ping.parse(*take(frame)) == payload


def test_ping_is_of_the_connection_and_of_eight_bytes():
    refused(ErrorCode.PROTOCOL_ERROR, ping.parse, 0, 1, bytes(8))
    for size in (0, 7, 9):
        refused(ErrorCode.FRAME_SIZE_ERROR, ping.parse, 0, 0, bytes(size))


# Section 6.8: GOAWAY


@given(last=st.integers(0, 2**31 - 1), code=st.sampled_from(ErrorCode), debug=PAYLOADS)
def test_goaway_is_as_hyperframe_has_it(last: int, code: ErrorCode, debug: bytes):
    frame = hyper.GoAwayFrame(0, last, code, debug)
    assert goaway.build(last, code, debug) == frame.serialize()
    assert goaway.parse(*take(frame)) == (last, code, debug)


def test_goaway_is_of_the_connection_and_has_eight_bytes_at_least():
    refused(ErrorCode.PROTOCOL_ERROR, goaway.parse, 0, 1, bytes(8))
    refused(ErrorCode.FRAME_SIZE_ERROR, goaway.parse, 0, 0, bytes(7))


# Section 6.9: WINDOW_UPDATE


@given(stream_id=st.just(0) | STREAM_IDS, increment=st.integers(1, 2**31 - 1))
def test_window_update_is_as_hyperframe_has_it(stream_id: int, increment: int):
    frame = hyper.WindowUpdateFrame(stream_id, increment)
    assert window_update.build(stream_id, increment) == frame.serialize()
    assert window_update.parse(*take(frame)) == increment


@pytest.mark.parametrize("payload", [bytes(4), bytes.fromhex("80000000")])
def test_increment_of_zero(payload: bytes):
    error = refused(ErrorCode.PROTOCOL_ERROR, window_update.parse, 0, 7, payload)
    assert isinstance(error, StreamError)
    assert error.stream_id == 7
    assert isinstance(refused(ErrorCode.PROTOCOL_ERROR, window_update.parse, 0, 0, payload), SessionError)


def test_window_update_has_four_bytes():
    for stream_id in (0, 1):
        for size in (0, 3, 5):
            error = refused(ErrorCode.FRAME_SIZE_ERROR, window_update.parse, 0, stream_id, bytes(size))
            assert isinstance(error, SessionError)


# Section 6.10: CONTINUATION


def test_continuation_needs_a_stream():
    fragment = b"\x82" * 3
    assert continuation.parse(END_HEADERS, 1, fragment) is fragment
    refused(ErrorCode.PROTOCOL_ERROR, continuation.parse, END_HEADERS, 0, fragment)


# RFC 9218 section 7.1: PRIORITY_UPDATE


def test_priority_update():
    assert priority_update.parse(0, 0, bytes.fromhex("80000005") + b"u=1") == (5, b"u=1")
    assert priority_update.parse(0, 0, bytes.fromhex("00000001")) == (1, b"")
    refused(ErrorCode.PROTOCOL_ERROR, priority_update.parse, 0, 1, bytes.fromhex("00000001"))
    refused(ErrorCode.FRAME_SIZE_ERROR, priority_update.parse, 0, 0, bytes(3))


@pytest.mark.parametrize("target", [0, 2])
def test_priority_update_is_of_a_stream_that_a_client_opens(target: int):
    refused(ErrorCode.PROTOCOL_ERROR, priority_update.parse, 0, 0, target.to_bytes(4, "big"))


# Errors


def test_what_is_quoted_is_bounded():
    assert str(SessionError(ErrorCode.NO_ERROR, "a" * 300)) == "a" * 200 + "..."
    assert ErrorCode.HTTP_1_1_REQUIRED == 13
