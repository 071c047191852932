"""The window of the connection: what a stream takes of it comes back, however the stream ends. RFC 9113 section 6.9."""

from __future__ import annotations

import pytest

from transom.server.http1 import Limits
from transom.server.http2 import PREFACE, ErrorCode, Session, SessionConfig, Stream, encode_literals
from transom.server.http2.frames import data, headers, rst_stream, settings
from transom.server.http2.frames.header import PADDED

HEAD = [(b":method", b"POST"), (b":scheme", b"http"), (b":authority", b"a"), (b":path", b"/")]
PIECE = bytes(1000)


def begin(*more: tuple[bytes, bytes], initial_window_size: int = 2500) -> Session:
    """Return a session on which stream 1 has sent a piece that no application has taken."""
    session = Session(Limits(), SessionConfig(initial_window_size=initial_window_size), Stream, 0.0)
    block = encode_literals([*HEAD, *more])
    session.receive_data(PREFACE + settings.build([]) + headers.build(1, block, False))
    session.receive_data(data.build(1, PIECE, False))
    assert session._received.held == len(PIECE)
    return session


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
