"""Each limit of a WebSocket at its edge and one above, over real sockets; and attacks that a limit must end."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import struct
import tracemalloc
import zlib
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import pytest

from transom.server.websocket.deflate import FREE_SIZE
from transom.server.websocket.frames import BINARY, CONTINUATION, PING, build_frame

MASK = b"\x01\x02\x03\x04"
MIB = 1024 * 1024
HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits; client_no_context_takeover\r\n\r\n"
)
NOISE = Random(1).randbytes(100_000)


def deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-12)
    return (compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


def message(data: bytes, *, compressed: bool, fragments: int) -> bytes:
    """Frames of one binary message, in that many fragments."""
    payload = deflate(data) if compressed else data
    step = -(-len(payload) // fragments)
    return b"".join(
        build_frame(
            CONTINUATION if index else BINARY,
            payload[index * step : (index + 1) * step],
            fin=index == fragments - 1,
            compressed=compressed and not index,
            mask=MASK,
        )
        for index in range(fragments)
    )


async def measure(scope: Any, receive: Any, send: Any) -> None:
    """Answer each message with its size."""
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": str(len(event["bytes"]))})


Open = Callable[..., Awaitable[Any]]


@pytest.fixture
def socket(serve: Any) -> Open:
    """Open a WebSocket with compression and return the raw client."""

    async def start(app: Any = measure, **options: Any) -> Any:
        running = await serve(app, **options)
        client = await running.connect()
        client.state = running.server._state
        await client.send(HANDSHAKE)
        assert (await client.read_head()).status == 101
        return client

    return start


async def outcome(client: Any) -> int:
    """Return the size that the application saw, or the code of the close frame."""
    first, length = await asyncio.wait_for(client.reader.readexactly(2), 10)
    payload = await client.reader.readexactly(length)
    return int(payload) if first == 0x81 else struct.unpack("!H", payload[:2])[0]


@pytest.mark.parametrize("fragments", [1, 2, 7])
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(("size", "expected"), [(99_999, 99_999), (100_000, 100_000), (100_001, 1009)])
async def test_size_of_a_message(
    socket: Open, size: int, expected: int, compressed: bool, fragments: int
) -> None:
    client = await socket(ws_max_size=100_000)
    data = (NOISE + b"x")[:size]
    await client.send(message(data, compressed=compressed, fragments=fragments))
    assert await outcome(client) == expected


async def test_size_is_refused_by_the_frame_header_alone(socket: Open) -> None:
    client = await socket(ws_max_size=100_000)
    await client.send(b"\x82\xff" + struct.pack("!Q", 100_001) + MASK)
    assert await outcome(client) == 1009


@pytest.mark.parametrize("fragments", [1, 7])
@pytest.mark.parametrize(
    ("ratio", "size", "expected"),
    [(10, FREE_SIZE, FREE_SIZE), (10, FREE_SIZE + 1, 1009), (0, FREE_SIZE + 1, FREE_SIZE + 1)],
)
async def test_ratio_of_a_compressed_message(
    socket: Open, ratio: int, size: int, expected: int, fragments: int
) -> None:
    client = await socket(ws_max_ratio=ratio)
    await client.send(message(bytes(size), compressed=True, fragments=fragments))
    assert await outcome(client) == expected


@pytest.mark.parametrize("extra", [0, 1])
async def test_messages_that_wait_for_the_application(socket: Open, extra: int) -> None:
    """At the limit the server stops reading; what was sent beyond it is read when there is room, and nothing is lost."""
    arrived, go = asyncio.Event(), asyncio.Event()

    async def busy(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        arrived.set()
        await go.wait()
        sizes = [len((await receive())["bytes"]) for _ in range(3 + extra)]
        await send({"type": "websocket.send", "text": str(sum(sizes))})
        await receive()

    client = await socket(busy, ws_max_queue=4)
    (connection,) = client.state.connections
    await client.send(message(b"first", compressed=False, fragments=1))
    await asyncio.wait_for(arrived.wait(), 10)
    await client.send(message(b"x" * 10, compressed=False, fragments=1) * (3 + extra))
    cycle = connection._websocket
    while len(cycle._inbox._messages) < 3 + extra:
        await asyncio.sleep(0)
    assert cycle._transport.is_reading_paused is bool(extra)
    go.set()
    assert await outcome(client) == 10 * (3 + extra)
    assert not cycle._transport.is_reading_paused


# Attacks


@contextlib.contextmanager
def memory_stays_below(limit: int) -> Any:
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < limit


async def send_until_closed(client: Any, piece: bytes) -> None:
    """Send the same bytes until the server has had enough."""
    with contextlib.suppress(ConnectionError):
        for _ in range(1000):
            await client.send(piece)
            if client.reader._buffer:
                return
    raise AssertionError("the server took it all")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "piece", "code"),
    [
        # A million empty fragments, and more.
        (
            build_frame(BINARY, b"", fin=False, mask=MASK),
            build_frame(CONTINUATION, b"", fin=False, mask=MASK) * 1000,
            1008,
        ),
        # Fragments of one byte: a thousand of them cost as much as a message.
        (
            build_frame(BINARY, b"", fin=False, mask=MASK),
            build_frame(CONTINUATION, b"x", fin=False, mask=MASK) * 1000,
            1008,
        ),
        # Fragments that grow into more than a message may be.
        (
            build_frame(BINARY, b"", fin=False, mask=MASK),
            build_frame(CONTINUATION, bytes(65_536), fin=False, mask=MASK),
            1009,
        ),
    ],
)
async def test_fragments_without_end(socket: Open, first: bytes, piece: bytes, code: int) -> None:
    client = await socket()
    with memory_stays_below(4 * MIB):
        await client.send(first)
        await send_until_closed(client, piece)
    assert await outcome(client) == code


@pytest.mark.slow
async def test_flood_of_pings_whose_pongs_are_not_read(socket: Open) -> None:
    client = await socket()
    with memory_stays_below(4 * MIB):
        pings = build_frame(PING, bytes(125), mask=MASK) * 100
        with contextlib.suppress(ConnectionError):
            for _ in range(1000):
                await client.send(pings)
    data = await client.read_to_end()
    assert data.count(b"\x8a\x7d") <= 1001
    assert struct.unpack("!H", data[data.index(b"\x88") + 2 :][:2]) == (1008,)


@pytest.mark.slow
async def test_bomb_of_a_thousand_to_one(socket: Open) -> None:
    bomb = message(bytes(64 * MIB), compressed=True, fragments=1)
    assert len(bomb) < 70_000
    client = await socket(ws_max_ratio=0)
    with memory_stays_below(3 * MIB):
        await client.send(bomb)
        assert await outcome(client) == 1009


@pytest.mark.slow
async def test_application_that_sends_to_a_client_that_reads_nothing_waits(socket: Open) -> None:
    sent = itertools.count()

    async def flood(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while True:
            await send({"type": "websocket.send", "bytes": bytes(100_000)})
            next(sent)

    client = await socket(flood)
    client.writer.transport.pause_reading()
    with memory_stays_below(2 * MIB):
        before = -1
        while (now := next(sent)) - before > 1:  # until nothing is sent any more between two looks
            before = now
            for _ in range(100):
                await asyncio.sleep(0)
    client.writer.transport.abort()
