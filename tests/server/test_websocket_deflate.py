"""permessage-deflate: what is agreed on, what is inflated, and what is refused (RFC 7692)."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transom.server.websocket import (
    NEED_DATA,
    Agreement,
    Event,
    HandshakeError,
    Offer,
    Ping,
    RemoteProtocolError,
    Role,
    WebSocketConnection,
    Window,
    negotiate,
)
from transom.server.websocket.deflate import FREE_SIZE, MAX_IDLE, MAX_SIZE, MAX_STREAMS, MIN_SIZE
from transom.server.websocket.extensions import parse_extensions
from transom.server.websocket.frames import BINARY, CONTINUATION, PING, TEXT, build_frame, parse_frame_header

MASK = b"\x01\x02\x03\xfe"
MIB = 1024 * 1024
LIMIT = 200_000
BOTH_FORGET = Agreement(Window(12, False), Window(12, False), b"")
BOTH_KEEP = Agreement(Window(12, True), Window(12, True), b"")


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, compressed: bool = True) -> bytes:
    return build_frame(opcode, payload, fin=fin, compressed=compressed, mask=MASK)


def deflate(data: bytes, bits: int = 12) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -bits)
    return (compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


def server(
    agreement: Agreement = BOTH_KEEP, *, max_size: int = LIMIT, ratio: int = 25
) -> WebSocketConnection:
    connection = WebSocketConnection(max_size=max_size)
    connection.enable_deflate(agreement, ratio)
    return connection


def read(connection: WebSocketConnection, pieces: Iterable[bytes]) -> list[Event | int]:
    """All events there are; a protocol error is its close code."""
    events: list[Event | int] = []
    for piece in pieces:
        connection.receive_data(piece)
        try:
            while (event := connection.next_event()) is not NEED_DATA:
                events.append(event)
        except RemoteProtocolError as exc:
            events.append(exc.code)
    return events


# The offer


@pytest.mark.parametrize(
    ("value", "offers"),
    [
        (b"", ()),
        (b"permessage-deflate", (Offer("permessage-deflate"),)),
        (
            b'a ; b;c=1; d = "2",, e ;c=x',
            (Offer("a", (("b", None), ("c", "1"), ("d", "2"))), Offer("e", (("c", "x"),))),
        ),
        (b" ,a;b;b , ", (Offer("a", (("b", None), ("b", None))),)),
    ],
)
def test_extensions_are_parsed_by_the_grammar(value: bytes, offers: tuple[Offer, ...]) -> None:
    assert parse_extensions([value]) == offers


@pytest.mark.parametrize(
    "value", [b";", b"a b", b"a;", b"a;=1", b'a;b="', b'a;b="x y"', b"a;b=", b"\x80", b"a;b=1=2"]
)
def test_malformed_extensions_fail_the_handshake(value: bytes) -> None:
    with pytest.raises(HandshakeError) as caught:
        parse_extensions([b"fine", value])
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("value", "response"),
    [
        # What browsers and most libraries send.
        (
            b"permessage-deflate; client_max_window_bits",
            b"permessage-deflate; server_max_window_bits=12; client_max_window_bits=12",
        ),
        # The client cannot limit its window: it is asked to forget it instead.
        (b"permessage-deflate", b"permessage-deflate; server_max_window_bits=12; client_no_context_takeover"),
        (
            b"permessage-deflate; client_max_window_bits=9; server_max_window_bits=10",
            b"permessage-deflate; server_max_window_bits=10; client_max_window_bits=9",
        ),
        (
            b"permessage-deflate; client_max_window_bits=8; server_max_window_bits=15",
            b"permessage-deflate; server_max_window_bits=12; client_max_window_bits=8",
        ),
        (
            b"permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits=15",
            b"permessage-deflate; server_max_window_bits=12; client_max_window_bits=12; server_no_context_takeover;"
            b" client_no_context_takeover",
        ),
        # The first offer that can be granted is.
        (
            b"x-webkit-deflate-frame, permessage-deflate; mystery, permessage-deflate; server_max_window_bits=9",
            b"permessage-deflate; server_max_window_bits=9; client_no_context_takeover",
        ),
    ],
)
def test_first_offer_that_can_be_granted_is_agreed_on(value: bytes, response: bytes) -> None:
    """W14."""
    agreement = negotiate(parse_extensions([value]))
    assert agreement is not None
    assert agreement.response == response


@pytest.mark.parametrize(
    "parameters",
    [
        "unknown",
        "server_no_context_takeover=1",
        "client_no_context_takeover=1",
        "server_no_context_takeover; server_no_context_takeover",
        "client_max_window_bits; client_max_window_bits=9",
        "server_max_window_bits",
        "server_max_window_bits=8",  # zlib cannot
        "server_max_window_bits=7",
        "server_max_window_bits=16",
        "server_max_window_bits=09",
        "client_max_window_bits=7",
        "client_max_window_bits=16",
        "client_max_window_bits=010",
        "client_max_window_bits=x",
    ],
)
def test_offer_with_a_bad_or_repeated_parameter_is_declined(parameters: str) -> None:
    """RFC 7692 section 7.1."""
    assert negotiate(parse_extensions([f"permessage-deflate; {parameters}".encode()])) is None


# Frames


def test_examples_of_the_rfc_inflate() -> None:
    """RFC 7692 section 7.2.3: one block, two fragments, a repetition out of the window, a stored block, BFINAL, two blocks."""
    hello = bytes.fromhex("f248cdc9c90700")
    examples = [
        frame(TEXT, hello),
        frame(TEXT, hello[:3], fin=False) + frame(CONTINUATION, hello[3:], compressed=False),
        frame(TEXT, bytes.fromhex("f200110000")),
        frame(TEXT, bytes.fromhex("000500faff48656c6c6f00")),
        frame(TEXT, bytes.fromhex("f348cdc9c9070000")),
        frame(TEXT, bytes.fromhex("f248050000 00ffffcac9c90700")),
    ]
    assert read(server(), examples) == ["Hello"] * 6


def test_only_the_first_frame_of_a_message_says_that_it_is_compressed() -> None:
    """RFC 7692 section 6.1."""
    for wire in (
        frame(TEXT, deflate(b"x"), fin=False) + frame(CONTINUATION, b"\x00"),
        frame(PING, b"x"),
        b"\xa1\x80" + MASK,
        b"\xd1\x80" + MASK,
    ):
        assert read(server(), [wire]) == [1002]
    assert read(WebSocketConnection(), [frame(TEXT, deflate(b"x"))]) == [1002]
    with pytest.raises(RemoteProtocolError):
        parse_frame_header(b"\xc0\x80", may_compress=True)


def test_uncompressed_messages_may_stand_between_compressed_ones() -> None:
    wire = (
        frame(TEXT, deflate(b"one")) + frame(TEXT, b"two", compressed=False) + frame(TEXT, deflate(b"three"))
    )
    assert read(server(BOTH_FORGET), [wire]) == ["one", "two", "three"]


LOREM = " ".join(random.Random(7).choices(["lorem", "ipsum", "dolor", "Grüße", "€"], k=400))
CONVERSATIONS: dict[str, tuple[bytes, list[Event | int]]] = {
    "whole": (frame(TEXT, deflate(LOREM.encode())), [LOREM]),
    "fragments with a ping between": (
        frame(TEXT, deflate(LOREM.encode())[:50], fin=False)
        + frame(PING, b"p", compressed=False)
        + frame(CONTINUATION, deflate(LOREM.encode())[50:], compressed=False),
        [Ping(b"p"), LOREM],
    ),
    "empty first and last fragment": (
        frame(BINARY, fin=False)
        + frame(CONTINUATION, deflate(b"abc"), fin=False, compressed=False)
        + frame(CONTINUATION, compressed=False),
        [b"abc"],
    ),
    "empty message": (frame(TEXT, b"\x00"), [""]),
    "bad UTF-8": (frame(TEXT, deflate(b"ok \xff")), [1007]),
    "text that ends inside a character": (frame(TEXT, deflate(b"ok \xe2\x82")), [1007]),
    "surrogate": (frame(TEXT, deflate(b"ok \xed\xa0\x80")), [1007]),
    "no DEFLATE": (frame(BINARY, b"\xff\xff\xff\xff"), [1007]),
    "message at the limit": (
        frame(BINARY, deflate(random.Random(1).randbytes(LIMIT))),
        [random.Random(1).randbytes(LIMIT)],
    ),
    "message over the limit": (frame(BINARY, deflate(random.Random(1).randbytes(LIMIT + 1))), [1009]),
    "bomb": (frame(BINARY, deflate(bytes(LIMIT))), [1009]),
    "bomb in fragments": (
        frame(BINARY, deflate(bytes(LIMIT))[:10], fin=False)
        + frame(CONTINUATION, deflate(bytes(LIMIT))[10:], compressed=False),
        [1009],
    ),
}


@pytest.mark.parametrize("name", CONVERSATIONS)
@pytest.mark.parametrize("step", [1, 2, 7, 1000, 1 << 30])
def test_conversation_however_it_is_cut(name: str, step: int) -> None:
    data, expected = CONVERSATIONS[name]
    if len(data) > 10_000 and step < 1000:
        step = 999
    assert read(server(), (data[i : i + step] for i in range(0, len(data), step))) == expected


def test_bad_utf8_fails_before_the_frame_is_whole() -> None:
    """Fail-fast holds for inflated text too: of a fragment that stays incomplete only the beginning is sent."""
    text = b"ok \xff" + random.Random(3).randbytes(50_000)
    wire = frame(TEXT, deflate(text))
    assert read(server(), [wire[:20_000]]) == [1007]


@settings(max_examples=40, deadline=None)
@given(
    messages=st.lists(
        st.one_of(st.text("aß€😀", max_size=600), st.binary(max_size=600), st.just("x" * 5000)), max_size=5
    ),
    step=st.integers(1, 400),
    takeover=st.booleans(),
    bits=st.integers(9, 15),
)
def test_what_one_side_compresses_the_other_reads(
    messages: list[str | bytes], step: int, takeover: bool, bits: int
) -> None:
    agreement = Agreement(Window(bits, takeover), Window(bits, takeover), b"")
    for sender, receiver in ((Role.CLIENT, Role.SERVER), (Role.SERVER, Role.CLIENT)):
        one, other = WebSocketConnection(sender), WebSocketConnection(receiver)
        one.enable_deflate(agreement)
        other.enable_deflate(agreement)
        wire = b"".join(one.send_text(m) if isinstance(m, str) else one.send_bytes(m) for m in messages)
        assert read(other, (wire[i : i + step] for i in range(0, len(wire), step))) == messages


@pytest.mark.parametrize(
    ("size", "compressed"), [(MIN_SIZE - 1, False), (MIN_SIZE, True), (MAX_SIZE, True), (MAX_SIZE + 1, False)]
)
def test_short_and_huge_messages_are_sent_as_they_are(size: int, compressed: bool) -> None:
    sent = server().send_bytes(bytes(size))
    assert bool(sent[0] & 0x40) is compressed
    assert (len(sent) < size) is compressed


def test_context_is_kept_or_forgotten_as_agreed() -> None:
    text = "".join(random.Random(5).choices("abcdefghijklmnopqrstuvwxyz", k=500))
    keeps, forgets = server(BOTH_KEEP), server(BOTH_FORGET)
    assert len(keeps.send_text(text)) > 4 * len(keeps.send_text(text))
    assert len(forgets.send_text(text)) == len(forgets.send_text(text))


def test_client_that_promised_to_forget_its_context_cannot_refer_to_it() -> None:
    hello, again = bytes.fromhex("f248cdc9c90700"), bytes.fromhex("f200110000")
    assert read(server(BOTH_FORGET), [frame(TEXT, hello) + frame(TEXT, again)]) == ["Hello", 1007]


def test_unused_compressor_is_forgotten_and_the_client_does_not_notice() -> None:
    text = "".join(random.Random(5).choices("abcdefghijklmnopqrstuvwxyz", k=500))
    one, client = server(), WebSocketConnection(Role.CLIENT)
    client.enable_deflate(BOTH_KEEP)
    first = one.send_text(text)
    for _ in range(MAX_IDLE):
        one.tick()
    kept = one.send_text(text)
    for _ in range(MAX_IDLE + 1):
        one.tick()
    forgotten = one.send_text(text)
    assert len(kept) < len(forgotten) == len(first)
    assert read(client, [first + kept + forgotten]) == [text] * 3


# Limits


@pytest.mark.parametrize("fragments", [1, 2])
@pytest.mark.parametrize(("size", "outcome"), [(FREE_SIZE, bytes(FREE_SIZE)), (FREE_SIZE + 1, 1009)])
def test_ratio_counts_beyond_64_kib(size: int, outcome: bytes | int, fragments: int) -> None:
    payload = deflate(bytes(size))
    assert len(payload) * 25 < FREE_SIZE
    wire = frame(BINARY, payload)
    if fragments == 2:
        wire = frame(BINARY, payload[:50], fin=False) + frame(CONTINUATION, payload[50:], compressed=False)
    assert read(server(), [wire]) == [outcome]


def test_ratio_at_its_limit_and_one_above() -> None:
    payload = deflate(bytes(150_000) + random.Random(1).randbytes(5000))
    ratio, rest = divmod(155_000, len(payload))
    assert rest
    for allowed, outcome in ((ratio + 1, 155_000), (ratio, 1009), (0, 155_000)):
        (event,) = read(server(ratio=allowed), [frame(BINARY, payload)])
        assert (event if isinstance(event, int) else len(event)) == outcome  # type: ignore[arg-type]


def test_bomb_is_refused_without_being_inflated() -> None:
    """1000:1, in the first piece of a frame that never ends: no more is inflated than a message may hold."""
    import tracemalloc

    payload = deflate(bytes(8 * MIB))
    connection = server(max_size=MIB // 4, ratio=0)
    wire = frame(BINARY, payload)
    tracemalloc.start()
    assert read(connection, [wire]) == [1009]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MIB


def test_compressed_data_that_becomes_nothing_is_limited_too() -> None:
    """Empty stored blocks inflate to no bytes at all."""
    empty = b"\x00\x00\x00\xff\xff" * 10_000
    connection = server(max_size=100_000)
    wire = frame(BINARY, empty, fin=False)
    events = read(connection, [wire, *[frame(CONTINUATION, empty, fin=False, compressed=False)] * 2])
    assert events == [1009]


@pytest.mark.parametrize(("streams", "outcome"), [(MAX_STREAMS - 1, b""), (MAX_STREAMS, 1008)])
def test_number_of_streams_in_a_message_is_limited(streams: int, outcome: bytes | int) -> None:
    """Each end of a stream (BFINAL) costs a new decompressor; half a million of them fit into a mebibyte."""
    assert read(server(), [frame(BINARY, b"\x03\x00" * streams + b"\x00")]) == [outcome]


def test_a_message_after_one_that_ended_its_stream() -> None:
    final = zlib.compressobj(9, zlib.DEFLATED, -12)
    payload = final.compress(b"one") + final.flush() + b"\x00"
    assert read(server(), [frame(BINARY, payload) + frame(BINARY, deflate(b"two"))]) == [b"one", b"two"]
    # Cut where the stream ends.
    wire = frame(BINARY, payload)
    assert read(server(), [wire[:-1], wire[-1:]]) == [b"one"]


# Anything


@st.composite
def wires(draw: st.DrawFn) -> bytes:
    """Frames as a client with a bad day might send them: mostly right, in any order, compressed or not."""
    wire = b""
    for _ in range(draw(st.integers(1, 6))):
        payload = draw(st.one_of(st.binary(max_size=140), st.text("aß€😀", max_size=40).map(str.encode)))
        compressed = draw(st.booleans())
        wire += build_frame(
            draw(st.sampled_from([TEXT, BINARY, CONTINUATION, CONTINUATION, PING, 8, 3])),
            deflate(payload) if compressed and draw(st.integers(0, 9)) else payload,
            fin=draw(st.booleans()),
            compressed=compressed,
            mask=MASK if draw(st.integers(0, 19)) else b"",
        )
    return wire + draw(st.one_of(st.just(b""), st.binary(max_size=20)))


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(wire=wires(), step=st.integers(1, 30), agreement=st.sampled_from([None, BOTH_KEEP, BOTH_FORGET]))
def test_whatever_comes_is_read_alike_however_it_is_cut(
    wire: bytes, step: int, agreement: Agreement | None
) -> None:
    """Events or a protocol error, and nothing else."""

    def read_in(pieces: Iterable[bytes]) -> list[Event | int]:
        connection = WebSocketConnection(max_size=200)
        if agreement is not None:
            connection.enable_deflate(agreement, 25)
        return read(connection, pieces)

    whole = read_in([wire])
    assert read_in(wire[i : i + step] for i in range(0, len(wire), step)) == whole
    assert read_in(wire[i : i + 1] for i in range(len(wire))) == whole
