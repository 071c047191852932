"""What a session keeps of its client, and for how long: windows, heads that have begun, priorities."""

from __future__ import annotations

import pytest

from transom.server.http1 import Limits
from transom.server.http2 import (
    PREFACE,
    ErrorCode,
    Session,
    SessionConfig,
    Stream,
    StreamClosed,
    encode_literals,
)
from transom.server.http2.frames import data, header, headers, rst_stream, settings
from transom.server.http2.frames.header import PADDED, FrameType
from transom.server.http2.priorities import Priority

HEAD = [(b":method", b"POST"), (b":scheme", b"http"), (b":authority", b"a"), (b":path", b"/")]
HEAD_BLOCK = encode_literals(HEAD)
PIECE = bytes(1000)


def begin(*more: tuple[bytes, bytes], initial_window_size: int = 2500) -> Session:
    """Return a session on which stream 1 has sent a piece that no application has taken."""
    session = Session(Limits(), SessionConfig(initial_window_size=initial_window_size), Stream, 0.0)
    block = encode_literals([*HEAD, *more])
    session.receive_data(PREFACE + settings.build([]) + headers.build(1, block, False))
    session.receive_data(data.build(1, PIECE, False))
    assert session._received.held == len(PIECE)
    return session


# The window of the connection: what a stream takes of it comes back, however the stream ends. RFC 9113 section 6.9.


@pytest.mark.parametrize(
    ("fields", "frames"),
    [
        ([], rst_stream.build(1, ErrorCode.CANCEL)),
        ([(b"content-length", b"1500")], data.build(1, PIECE, False)),
        ([(b"content-length", b"1500")], data.build(1, b"", True)),
        ([], data.build(1, PIECE * 2, False)),
        ([], headers.build(1, encode_literals([(b":path", b"/")]), True)),
    ],
    ids=["reset", "more than was promised", "less than was promised", "beyond its window", "bad trailers"],
)
def test_stream_that_is_reset_gives_all_back(fields: list[tuple[bytes, bytes]], frames: bytes):
    session = begin(*fields)
    session.receive_data(frames)
    assert (session.failure, session.streams.open, session._received.held) == (None, {}, 0)


def test_data_for_a_stream_that_is_gone_is_given_back():
    session = begin()
    session.reset_stream(session.streams.open[1], ErrorCode.CANCEL)
    for _ in range(3):
        session.receive_data(data.build(1, PIECE, False))
    assert (session.failure, session._received.held) == (None, 0)


def test_padding_is_given_back_at_once():
    session = begin()
    payload = b"\x63" + b"a" + bytes(99)
    session.receive_data(len(payload).to_bytes(3, "big") + bytes([0, PADDED, 0, 0, 0, 1]) + payload)
    assert session._received.held == len(PIECE) + 1


# Heads


@pytest.mark.parametrize(
    ("frame", "size", "is_pending"),
    [
        (headers.build(3, HEAD_BLOCK, True), -1, True),
        (headers.build(3, HEAD_BLOCK, True), 8, True),
        (headers.build(3, HEAD_BLOCK, True), None, False),
        (data.build(1, PIECE, False), 8, True),
        (data.build(1, PIECE, False), 9, False),
        (data.build(1, PIECE, False), None, False),
    ],
    ids=["head", "its beginning", "whole head", "beginning of a frame", "body", "whole body"],
)
def test_head_is_pending_from_its_first_byte(frame: bytes, size: int | None, is_pending: bool):
    session = begin()
    for index in range(len(frame[:size])):
        session.receive_data(frame[index : index + 1])
    assert (session.failure, session.is_head_pending) == (None, is_pending)


# Priorities


def test_priority_that_comes_before_its_stream_is_kept_and_nothing_else_of_the_frame():
    session = begin()
    session.receive_data(update_priority(3, b"u=1,i" + bytes(1)) + update_priority(5, b"u=1,i"))
    assert session._early_priorities == {3: Priority(), 5: Priority(1, True)}
    session.receive_data(headers.build(5, encode_literals([*HEAD, (b"priority", b"u=7")]), True))
    assert session.streams.open[5].priority == Priority(1, True), "it wins: RFC 9218 section 7"
    assert session._early_priorities == {3: Priority()}


def test_priorities_of_streams_that_were_skipped_do_not_count_for_ever():
    session = begin()
    for stream_id in range(3, 2003, 4):
        head = headers.build(stream_id + 2, encode_literals(HEAD), True)
        cancel = rst_stream.build(stream_id + 2, ErrorCode.CANCEL)
        begun, closed = session.receive_data(update_priority(stream_id, b"u=1") + head + cancel)
        assert isinstance(begun, Stream)
        assert closed == StreamClosed(begun, "reset by the client with code 8")
        session.streams.release(begun)
        session.now += 1.0
    assert session.failure is None
    assert len(session._early_priorities) < 100


@pytest.mark.parametrize(("count", "is_too_much"), [(99, False), (100, True)], ids=["edge", "beyond"])
def test_priorities_of_streams_to_come_are_limited_as_streams_are(count: int, is_too_much: bool):
    session = begin()
    session.receive_data(b"".join(update_priority(2 * n + 3, b"u=1") for n in range(count)))
    assert (session.failure is not None) is is_too_much


def update_priority(stream_id: int, value: bytes) -> bytes:
    payload = stream_id.to_bytes(4, "big") + value
    return header.build(len(payload), FrameType.PRIORITY_UPDATE, 0, 0) + payload
