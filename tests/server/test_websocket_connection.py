"""The codec: messages, fragments, control frames and failures, however the bytes are cut (RFC 6455 sections 5 to 7)."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transom.server.websocket import (
    NEED_DATA,
    Close,
    CloseCode,
    Event,
    LocalProtocolError,
    Ping,
    Pong,
    RemoteProtocolError,
    Role,
    WebSocketConnection,
)
from transom.server.websocket.connection import LIGHT, MAX_LIGHT_FRAMES
from transom.server.websocket.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, build_frame

MASK = b"\x01\x02\x03\xfe"
MAX_SIZE = 200


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True) -> bytes:
    return build_frame(opcode, payload, fin=fin, mask=MASK)


def close_frame(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, code.to_bytes(2, "big") + reason)


def read_all(connection: WebSocketConnection) -> list[Event | int]:
    """All events there are; a protocol error is its close code."""
    events: list[Event | int] = []
    while True:
        try:
            event = connection.next_event()
        except RemoteProtocolError as exc:
            events.append(exc.code)
            continue
        if event is NEED_DATA:
            return events
        events.append(event)


def feed(pieces: Iterable[bytes]) -> list[Event | int]:
    connection = WebSocketConnection(max_size=MAX_SIZE)
    events: list[Event | int] = []
    for piece in pieces:
        connection.receive_data(piece)
        events += read_all(connection)
    return events


# name: (bytes from a client, what must come of them)
CONVERSATIONS: dict[str, tuple[bytes, list[Event | int]]] = {
    "text": (frame(TEXT, "Grüße €".encode()), ["Grüße €"]),
    "empty text": (frame(TEXT), [""]),
    "empty binary": (frame(BINARY), [b""]),
    "binary with a two-byte length": (frame(BINARY, bytes(range(150))), [bytes(range(150))]),
    "several messages": (
        frame(TEXT, b"a") + frame(BINARY, b"b") + frame(TEXT, b"c"),
        ["a", b"b", "c"],
    ),
    "control frames between fragments": (
        frame(TEXT, "Gr\u00fc".encode()[:3], fin=False)
        + frame(PING, b"p")
        + frame(CONTINUATION, "Gr\u00fc".encode()[3:], fin=False)
        + frame(PONG)
        + frame(CONTINUATION, b"n"),
        [Ping(b"p"), Pong(b""), "Grün"],
    ),
    "empty fragments": (
        frame(TEXT, fin=False) + frame(CONTINUATION, fin=False) + frame(CONTINUATION),
        [""],
    ),
    "binary fragments are not checked as UTF-8": (
        frame(BINARY, b"\xff", fin=False) + frame(CONTINUATION, b"\xfe"),
        [b"\xff\xfe"],
    ),
    "ping of 125 bytes": (frame(PING, bytes(125)), [Ping(bytes(125))]),
    "close with reason": (close_frame(4000, b"bye"), [Close(4000, "bye")]),
    "close without code": (frame(CLOSE), [Close(1005)]),
    "close in mid-message is clean": (frame(TEXT, b"half", fin=False) + close_frame(1000), [Close(1000)]),
    "data after close is ignored": (close_frame(1001) + frame(TEXT, b"late") + b"\xff\xff", [Close(1001)]),
    "message before a bad frame is delivered": (frame(TEXT, b"ok") + b"\xc1\x80", ["ok", 1002]),
    "nothing after a bad frame": (b"\x83\x80" + frame(TEXT, b"late"), [1002]),
    "unmasked frame": (build_frame(TEXT, b"x"), [1002]),
    "continuation of nothing": (frame(CONTINUATION, b"x"), [1002]),
    "message inside a message": (frame(TEXT, b"x", fin=False) + frame(TEXT, b"y"), [1002]),
    "close code not allowed": (close_frame(1005), [1002]),
    "close with one byte": (frame(CLOSE, b"\x03"), [1002]),
    "close reason not UTF-8": (close_frame(1000, b"\xff"), [1007]),
    "text not UTF-8": (frame(TEXT, b"ok \xff"), [1007]),
    "text that ends inside a character": (frame(TEXT, b"ok \xe2\x82"), [1007]),
    "fragments that end inside a character": (
        frame(TEXT, b"\xe2", fin=False) + frame(CONTINUATION, b"\x82"),
        [1007],
    ),
    "surrogate over two fragments": (
        frame(TEXT, b"\xed", fin=False) + frame(CONTINUATION, b"\xa0\x80"),
        [1007],
    ),
    "message of the largest size": (frame(BINARY, bytes(MAX_SIZE)), [bytes(MAX_SIZE)]),
    "message too big": (frame(BINARY, bytes(MAX_SIZE + 1)), [1009]),
    "message too big over fragments": (
        frame(BINARY, bytes(MAX_SIZE), fin=False) + frame(CONTINUATION, b"x"),
        [1009],
    ),
}


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_conversation_whole_and_byte_by_byte(name: str) -> None:
    data, expected = CONVERSATIONS[name]
    assert feed([data]) == expected
    assert feed(data[i : i + 1] for i in range(len(data))) == expected


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(sorted(CONVERSATIONS)), data=st.data())
def test_conversation_at_random_cuts(name: str, data: st.DataObject) -> None:
    wire, expected = CONVERSATIONS[name]
    cuts = data.draw(st.lists(st.integers(1, len(wire) - 1), unique=True, max_size=8).map(sorted))
    # An empty piece would mean the end of the stream, so no cut is at an end.
    assert feed(wire[a:b] for a, b in zip([0, *cuts], [*cuts, len(wire)], strict=True)) == expected


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.one_of(st.text("aß€😀", max_size=40), st.binary(max_size=40)), max_size=5), st.integers(1, 9)
)
def test_what_a_client_sends_a_server_reads(messages: list[str | bytes], step: int) -> None:
    client = WebSocketConnection(Role.CLIENT)
    wire = b"".join(client.send_text(m) if isinstance(m, str) else client.send_bytes(m) for m in messages)
    assert feed(wire[i : i + step] for i in range(0, len(wire), step)) == messages


@pytest.mark.parametrize("text", [b"\xce\xba\xe1\xbd\xb9\xf4\x90", b"ok\xed\xa0", b"\xc0", b"\xf5"])
def test_bad_utf8_fails_before_the_frame_is_whole(text: bytes) -> None:
    """Autobahn 6.4: the connection fails at the byte that proves the text bad, not at the end of the frame."""
    wire = frame(TEXT, text.ljust(100, b"x"))
    assert feed([wire[: 6 + len(text)]]) == [1007]


def test_too_big_fails_before_any_payload_arrives() -> None:
    assert feed([b"\x82\xff" + (1 << 40).to_bytes(8, "big") + MASK]) == [1009]


def test_empty_fragments_are_not_kept() -> None:
    connection = WebSocketConnection()
    connection.receive_data(frame(BINARY, b"a", fin=False) + frame(CONTINUATION, fin=False) * 500)
    assert connection.next_event() is NEED_DATA
    assert connection.buffered == 1


@pytest.mark.parametrize(
    ("light", "heavy"),
    [
        (frame(PING), frame(TEXT, b"short")),
        (frame(PONG, bytes(125)), frame(BINARY)),
        (frame(TEXT, fin=False) + frame(CONTINUATION), frame(TEXT)),
        (frame(BINARY, bytes(LIGHT - 1), fin=False) + frame(CONTINUATION, b"x"), frame(BINARY, bytes(LIGHT))),
    ],
)
def test_number_of_frames_that_carry_next_to_nothing_is_limited(light: bytes, heavy: bytes) -> None:
    """Control frames and tiny fragments; whole messages count for nothing, however short: they fill the inbox."""
    frames = 1 if light[0] & 8 else 2
    connection = WebSocketConnection()
    for _ in range(2):
        connection.receive_data(light * (MAX_LIGHT_FRAMES // frames) + heavy * 10)
        assert 1008 not in read_all(connection)
        connection.tick()
    connection.receive_data(light * (MAX_LIGHT_FRAMES // frames) + light + heavy)
    assert read_all(connection)[-1] == 1008


def test_fragments_that_carry_something_are_not_limited() -> None:
    connection = WebSocketConnection()
    body = frame(CONTINUATION, bytes(LIGHT), fin=False) * (2 * MAX_LIGHT_FRAMES)
    connection.receive_data(frame(BINARY, fin=False) + body + frame(CONTINUATION))
    assert read_all(connection) == [bytes(LIGHT * 2 * MAX_LIGHT_FRAMES)]


def test_end_of_stream_without_close_frame_is_1006() -> None:
    connection = WebSocketConnection()
    connection.receive_data(frame(TEXT, b"whole") + frame(TEXT, b"cut")[:-1])
    connection.receive_data(b"")
    assert read_all(connection) == ["whole", Close(1006)]
    assert connection.is_closed


def test_end_of_stream_after_close_frame_adds_nothing() -> None:
    assert feed([close_frame(1000), b""]) == [Close(1000)]


def test_client_refuses_masked_frames() -> None:
    client = WebSocketConnection(Role.CLIENT)
    client.receive_data(frame(TEXT, b"x"))
    assert read_all(client) == [1002]


def test_client_masks_with_its_source_and_server_does_not_mask() -> None:
    client = WebSocketConnection(Role.CLIENT, mask_source=lambda size: b"\x01\x01\x01\x01"[:size])
    assert client.send_text("ab") == b"\x81\x82\x01\x01\x01\x01`c"
    assert WebSocketConnection().send_text("ab") == b"\x81\x02ab"


@pytest.mark.parametrize(("code", "echo"), [(4001, b"\x88\x02\x0f\xa1"), (None, b"\x88\x00")])
def test_peer_closes_and_is_echoed(code: int | None, echo: bytes) -> None:
    server = WebSocketConnection()
    server.receive_data(frame(CLOSE) if code is None else close_frame(code, b"why"))
    assert isinstance(server.next_event(), Close)
    assert not server.is_closed
    assert server.echo_close() == echo
    assert server.is_closed
    with pytest.raises(LocalProtocolError, match="nothing may be sent"):
        server.echo_close()


def test_we_close_and_wait_for_the_echo() -> None:
    server = WebSocketConnection()
    assert server.send_close(1001, "bye") == b"\x88\x05\x03\xe9bye"
    assert not server.is_closed
    server.receive_data(frame(TEXT, b"on its way") + close_frame(1001))
    assert read_all(server) == ["on its way", Close(1001)]
    assert server.is_closed


def test_failure_lets_one_close_frame_through() -> None:
    server = WebSocketConnection()
    server.receive_data(b"\xff\xff")
    with pytest.raises(RemoteProtocolError) as caught:
        server.next_event()
    with pytest.raises(LocalProtocolError, match="no close frame was received"):
        server.echo_close()
    assert server.send_text("the answer to an earlier message")
    assert server.send_close(caught.value.code).startswith(b"\x88\x02")
    with pytest.raises(LocalProtocolError, match="nothing may be sent"):
        server.send_text("late")
    assert server.is_closed


def test_pings_and_pongs_are_built_and_limited() -> None:
    server = WebSocketConnection()
    assert server.send_ping(b"1") == b"\x89\x011"
    assert server.send_pong() == b"\x8a\x00"
    with pytest.raises(LocalProtocolError, match="126 bytes"):
        server.send_ping(bytes(126))


def test_sending_after_close_is_refused() -> None:
    server = WebSocketConnection()
    server.send_close()
    for send in (lambda: server.send_bytes(b""), server.send_ping, server.send_close):
        with pytest.raises(LocalProtocolError):
            send()


def test_refused_close_code_leaves_the_connection_open() -> None:
    server = WebSocketConnection()
    with pytest.raises(LocalProtocolError):
        server.send_close(CloseCode.NO_STATUS_RECEIVED)
    assert server.send_text("still here")
