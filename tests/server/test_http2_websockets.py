"""Many WebSockets on one HTTP/2 connection (RFC 8441): one that is slow, that ends or that breaks does not concern the others."""

from __future__ import annotations

import asyncio
from typing import Any

import h2.events
import pytest
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import Frame, Opcode
from websockets.headers import build_extension, parse_extension
from websockets.protocol import Protocol, Side

from transom.server.http2.stream import HIGH_WATER

pytestmark = pytest.mark.each_loop

SOCKETS = 50
WINDOW = 65_535  # bytes of a stream, as HTTP/2 begins
MESSAGE = bytes(4096)


class Socket:
    """One WebSocket of a client: the protocol of the library `websockets` in the DATA of a stream.

    Attributes:
        stream: its number.
        fields: of the response that opened it.
    """

    def __init__(self, client: Any, stream: int, fields: dict[str, str]) -> None:
        self.stream = stream
        self.fields = fields
        self.wire_size = 0  # bytes of DATA that came
        self._client = client
        self.protocol = Protocol(Side.CLIENT, max_size=None)
        self._received: list[Frame] = []

    async def send(self, text: str) -> None:
        self.protocol.send_text(text.encode())
        await self._flush()

    async def close(self, code: int) -> None:
        self.protocol.send_close(code)
        await self._flush()

    async def _flush(self) -> None:
        for data in self.protocol.data_to_send():
            self._client.connection.send_data(self.stream, data, end_stream=not data)
        await self._client.flush()

    async def receive(self) -> Frame:
        """Return the next frame, and give room for it."""
        while not self._received:
            event = await self._client.event(h2.events.DataReceived, self.stream)
            self.wire_size += event.flow_controlled_length
            self.protocol.receive_data(event.data)
            self._received += self.protocol.events_received()
            if event.stream_ended is None:
                self._client.connection.acknowledge_received_data(event.flow_controlled_length, self.stream)
            await self._client.flush()
        return self._received.pop(0)

    async def echo(self, text: str) -> None:
        """Send a text and expect it back."""
        await self.send(text)
        frame = await self.receive()
        assert (frame.opcode, frame.data) == (Opcode.TEXT, text.encode())


async def open_socket(client: Any, path: str = "/", **fields: str) -> Socket:
    opening = {":protocol": "websocket", "sec-websocket-version": "13", **fields}
    stream = await client.ask("CONNECT", path, ends=False, **opening)
    head = dict((await client.event(h2.events.ResponseReceived, stream)).headers)
    assert head[":status"] == "200"
    return Socket(client, stream, head)


async def open_sockets(client: Any, *paths: str) -> list[Socket]:
    """Open one for each path, then ordinary ones until there are enough; let them take all of the connection's window."""
    client.connection.increment_flow_control_window(1 << 24)
    ordinary = [f"/{number}" for number in range(SOCKETS - len(paths))]
    return [await open_socket(client, path) for path in (*paths, *ordinary)]


class Site:
    """Sends everything back; on `/flood` sends without end, on `/deaf` receives nothing until the gate is opened.

    Attributes:
        gate: of `/deaf`.
        flooded: bytes that were sent on `/flood`, all together.
        ends: of each path, what the application was told at the end.
    """

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.flooded = 0
        self.ends: dict[str, int] = {}

    async def __call__(self, scope, receive, send):
        assert (await receive())["type"] == "websocket.connect"
        await send({"type": "websocket.accept"})
        path = scope["path"]
        if path.startswith("/flood"):
            await self._flood(send)
        if path.startswith("/deaf"):
            await self.gate.wait()
        while (message := await receive())["type"] == "websocket.receive":
            if message["text"] == "close":
                await send({"type": "websocket.close", "code": 3001})
            elif path != "/deaf":
                await send({"type": "websocket.send", "text": message["text"]})
        self.ends[path] = message["code"]

    async def _flood(self, send):
        try:
            while True:
                await send({"type": "websocket.send", "bytes": MESSAGE})
                self.flooded += len(MESSAGE)
        except OSError:
            pass


async def test_slow_reader_waits_and_the_others_go_on(serve, connect_http2):
    site = Site()
    async with connect_http2(await serve(site)) as client:
        slow, *others = await open_sockets(client, "/flood")
        for number in range(3):
            for socket in others:
                await socket.echo(f"message {number}")
        # It has what the window holds and what may wait behind it, and no more.
        flooded = site.flooded
        assert WINDOW <= flooded <= WINDOW + HIGH_WATER + 2 * len(MESSAGE)
        for _ in range(20):
            await others[0].echo("later")
        assert site.flooded == flooded
        while site.flooded < 3 * flooded:
            assert (await slow.receive()).data == MESSAGE


async def test_client_that_reads_nothing_makes_all_wait(serve, connect_http2):
    """What waits is bounded for each stream, and for all together by what one stream may have."""
    site = Site()
    running = await serve(site)
    async with connect_http2(running) as client:
        sockets = await open_sockets(client, *(f"/flood/{number}" for number in range(SOCKETS)))
        (connection,) = running.server.state.connections
        before = -1
        while before != site.flooded:
            before = site.flooded
            for _ in range(50):
                await asyncio.sleep(0)
        waiting = [stream.pending_size for stream in connection.session.streams.open.values()]
        assert len(waiting) == len(sockets)
        assert max(waiting) <= HIGH_WATER + len(MESSAGE) + 4
    while len(site.ends) < SOCKETS:
        await asyncio.sleep(0)
    assert set(site.ends.values()) == {1006}


async def test_application_that_does_not_receive_stops_its_own_socket(serve, connect_http2):
    site = Site()
    async with connect_http2(await serve(site)) as client:
        deaf, *others = await open_sockets(client, "/deaf")
        await others[0].echo("settings have come")
        window = client.connection.local_flow_control_window
        sent = 0
        text = "x" * 10_000
        while window(deaf.stream) > len(text) + 100:
            await deaf.send(text)
            sent += 1
            for socket in others[:5]:
                await socket.echo("meanwhile")
        site.gate.set()
        while window(deaf.stream) <= len(text) + 100:
            await others[0].echo("until there is room")
        await deaf.send("end")
        await deaf.close(1000)
        while "/deaf" not in site.ends:
            await others[0].echo("until it ends")
        assert site.ends == {"/deaf": 1000}


@pytest.mark.parametrize("end", ["close", "close of the server", "reset", "end of the stream", "mistake"])
async def test_end_of_one_leaves_the_others(serve, connect_http2, end):
    site = Site()
    async with connect_http2(await serve(site)) as client:
        one, *others = await open_sockets(client, "/one")
        code = 1006
        if end == "close":
            await one.close(3000)
            assert (await one.receive()).opcode is Opcode.CLOSE
            code = 3000
        elif end == "close of the server":
            await one.send("close")
            frame = await one.receive()
            assert (frame.opcode, frame.data) == (Opcode.CLOSE, (3001).to_bytes(2, "big"))
            code = 3001
        elif end == "reset":
            client.connection.reset_stream(one.stream, 8)
        elif end == "end of the stream":
            client.connection.end_stream(one.stream)
        else:
            client.connection.send_data(one.stream, b"\xff\xff")
            code = 1002
        await client.flush()
        while "/one" not in site.ends:
            await others[0].echo("until it ends")
        assert site.ends == {"/one": code}
        for socket in others:
            await socket.echo("still here")
        await (await open_socket(client, "/new")).echo("another")


async def test_lost_connection_reaches_every_application(serve, connect_http2):
    """Also where all that the server sees is the end of the bytes: the streams end with it."""
    site = Site()
    running = await serve(site)
    async with connect_http2(running) as client:
        sockets = await open_sockets(client, "/deaf")
        await sockets[-1].echo("all are open")
        client.writer.transport.abort()
    site.gate.set()
    while len(site.ends) < SOCKETS:
        await asyncio.sleep(0)
    assert set(site.ends.values()) == {1006}
    while running.server.state.connections:
        await asyncio.sleep(0)
    assert running.server.state.websockets == 0


async def test_client_that_ends_before_it_is_accepted_is_reset(serve, connect_http2):
    """DATA that ends the stream would be no response without a head."""
    gate, told = asyncio.Event(), []

    async def app(scope, receive, send):
        await receive()
        await gate.wait()
        told.append(await receive())

    async with connect_http2(await serve(app)) as client:
        opening = {":protocol": "websocket", "sec-websocket-version": "13"}
        stream = await client.ask("CONNECT", "/", ends=False, **opening)
        client.connection.end_stream(stream)
        await client.flush()
        assert (await client.event(h2.events.StreamReset, stream)).error_code == 8
        gate.set()
        while not told:
            await asyncio.sleep(0)
        assert told == [{"type": "websocket.disconnect", "code": 1006, "reason": ""}]


async def test_messages_are_compressed(serve, connect_http2):
    """permessage-deflate is negotiated as over HTTP/1.1, and what repeats is small from then on."""
    async with connect_http2(await serve(Site())) as client:
        deflate = ClientPerMessageDeflateFactory(client_max_window_bits=True)
        offer = build_extension([(deflate.name, deflate.get_request_params())])
        socket = await open_socket(client, **{"sec-websocket-extensions": offer})
        ((name, parameters),) = parse_extension(socket.fields["sec-websocket-extensions"])
        assert name == "permessage-deflate"
        socket.protocol.extensions = [deflate.process_response_params(parameters, [])]
        plain = await open_socket(client)
        assert "sec-websocket-extensions" not in plain.fields
        text = "".join(f"{number:x} Grüße " for number in range(100))
        sizes: list[int] = []
        for _ in range(3):
            await socket.echo(text)
            await plain.echo(text)
            sizes.append(socket.wire_size)
        assert sizes[0] < len(text) / 2
        assert sizes[2] - sizes[1] < sizes[0] / 5
        assert plain.wire_size > 3 * len(text)
