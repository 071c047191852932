"""WebSockets over real sockets, with the `websockets` library as the client."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

PLAIN = {"compression": None, "proxy": None}


async def echo(scope: Any, receive: Any, send: Any) -> None:
    assert (await receive())["type"] == "websocket.connect"
    subprotocols = scope["subprotocols"]
    await send({"type": "websocket.accept", "subprotocol": subprotocols[0] if subprotocols else None})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"], "bytes": message["bytes"]})


async def test_echo_of_text_bytes_and_fragments(serve: Any) -> None:
    running = await serve(echo)
    async with connect(f"ws://127.0.0.1:{running.port}/", subprotocols=["chat"], **PLAIN) as socket:
        assert socket.subprotocol == "chat"
        for message in ("", "Grüße €", b"\x00\xff" * 100, "x" * 70_000):
            await socket.send(message)
            assert await socket.recv() == message
        await socket.send(["a", "b", "c"])
        assert await socket.recv() == "abc"
        await (await socket.ping())


async def test_compression_both_ways(serve: Any) -> None:
    """W14."""
    running = await serve(echo)
    async with connect(f"ws://127.0.0.1:{running.port}/", proxy=None) as socket:
        assert [extension.name for extension in socket.protocol.extensions] == ["permessage-deflate"]
        for message in ("short", "Grüße € " * 100, b"\x00\xff" * 1000, "", "x" * 60_000, "Grüße € " * 100):
            await socket.send(message)
            assert await socket.recv() == message
        await socket.send(["a" * 1000, "b" * 1000, "c"])
        assert await socket.recv() == "a" * 1000 + "b" * 1000 + "c"


async def test_compression_can_be_switched_off(serve: Any) -> None:
    """W14."""
    running = await serve(echo, ws_per_message_deflate=False)
    async with connect(f"ws://127.0.0.1:{running.port}/", proxy=None) as socket:
        assert socket.protocol.extensions == []
        await socket.send("plain" * 100)
        assert await socket.recv() == "plain" * 100


async def test_compression_bomb_is_1009(serve: Any) -> None:
    """W14."""
    running = await serve(echo)
    async with connect(f"ws://127.0.0.1:{running.port}/", proxy=None) as socket:
        await socket.send(bytes(500_000))
        with pytest.raises(ConnectionClosed) as caught:
            await socket.recv()
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1009


async def test_large_message_to_a_slow_reader_waits(serve: Any) -> None:
    """Far more than the socket buffers hold: the application's sends wait until the client reads."""
    sent = 0

    async def flood(scope: Any, receive: Any, send: Any) -> None:
        nonlocal sent
        await receive()
        await send({"type": "websocket.accept"})
        for _ in range(40):
            await send({"type": "websocket.send", "bytes": bytes(500_000)})
            sent += 1

    running = await serve(flood)
    async with connect(f"ws://127.0.0.1:{running.port}/", max_queue=1, **PLAIN) as socket:
        first = await socket.recv()
        assert sent < 40
        rest = [len(message) async for message in socket]
        assert [len(first), *rest] == [500_000] * 40
    assert sent == 40


async def test_refusal_and_crash_are_http_answers(serve: Any) -> None:
    async def refuse(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/crash":
            raise RuntimeError("boom")
        await send({"type": "websocket.close"})

    running = await serve(refuse, checked=False)
    for path, status in (("/", 403), ("/crash", 500)):
        with pytest.raises(InvalidStatus) as caught:
            await connect(f"ws://127.0.0.1:{running.port}{path}", **PLAIN)
        assert caught.value.response.status_code == status


async def test_client_learns_code_and_reason(serve: Any) -> None:
    async def close(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 4321, "reason": "enough"})

    running = await serve(close)
    async with connect(f"ws://127.0.0.1:{running.port}/", **PLAIN) as socket:
        with pytest.raises(ConnectionClosed) as caught:
            await socket.recv()
        assert caught.value.rcvd is not None
        assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (4321, "enough")


async def test_too_big_message_is_1009_though_much_of_it_is_unread(serve: Any) -> None:
    """The close frame must not be lost to a reset caused by the bytes that we do not read."""
    running = await serve(echo, ws_max_size=1000)
    async with connect(f"ws://127.0.0.1:{running.port}/", **PLAIN) as socket:
        with contextlib.suppress(ConnectionClosed):
            await socket.send(bytes(2_000_000))
        with pytest.raises(ConnectionClosed) as caught:
            await socket.recv()
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1009


async def test_server_that_stops_says_1012(serve: Any) -> None:
    codes: list[int] = []

    async def stay(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        codes.append((await receive())["code"])

    running = await serve(stay, timeout_graceful_shutdown=5.0)
    async with connect(f"ws://127.0.0.1:{running.port}/", **PLAIN) as socket:
        stopping = asyncio.ensure_future(running.server.stop())
        with pytest.raises(ConnectionClosed) as caught:
            await socket.recv()
        await stopping
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1012
    assert codes == [1012]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ((b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Version: 12"), b"426"),
        ((b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", b"X: y"), b"400"),
        ((b"GET", b"POST"), b"400"),
    ],
)
async def test_bad_handshake_is_refused(serve: Any, change: tuple[bytes, bytes], status: bytes) -> None:
    request = (
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    running = await serve(echo)
    client = await running.connect()
    await client.send(request.replace(*change))
    assert (await client.read_to_end()).split(b" ")[1] == status


async def test_frames_sent_with_the_handshake_are_not_lost(serve: Any) -> None:
    """A client must wait for the 101; one that does not is served all the same."""
    running = await serve(echo)
    client = await running.connect()
    await client.send(
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\x81\x82\x00\x00\x00\x00hi\x88\x80\x00\x00\x00\x00"
    )
    assert (await client.read_head()).status == 101
    assert await client.read_to_end() == b"\x81\x02hi\x88\x00"
