"""HTTP/2 between a real client and an application: flow control both ways, the end of either side, time. Real sockets.

What is on the wire is held to the RFCs by `tests/conformance/http2`.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

import h2.events
import h2.settings
import httpx
import pytest
import trustme

from transom.server.http2.stream import HIGH_WATER
from transom.server.state import TICK

pytestmark = pytest.mark.each_loop


async def answer(scope, receive, send):
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": scope["http_version"].encode()})


async def settle() -> None:
    """Let both sides do all that they can."""
    for _ in range(20):
        await asyncio.sleep(0)


# Choosing the protocol


@pytest.fixture
def tls(tmp_path) -> tuple[dict[str, str], ssl.SSLContext]:
    """Options of a server with a certificate, and the context of a client that trusts it."""
    ca = trustme.CA()
    ca.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "server.pem"))
    context = ssl.create_default_context()
    ca.configure_trust(context)
    return {"ssl_certfile": str(tmp_path / "server.pem")}, context


@pytest.mark.parametrize(
    ("offered", "option", "version"),
    [(True, True, "HTTP/2"), (True, False, "HTTP/1.1"), (False, True, "HTTP/1.1")],
    ids=["both", "not the server", "not the client"],
)
async def test_tls_client_gets_the_protocol_that_both_speak(serve, tls, offered, option, version):
    options, context = tls
    running = await serve(answer, http2=option, **options)
    async with httpx.AsyncClient(http2=offered, verify=context) as client:
        for _ in range(2):
            response = await client.get(f"https://localhost:{running.port}/")
            assert (response.http_version, response.status_code) == (version, 200)
            assert response.text == version.removeprefix("HTTP/")


async def test_plain_client_gets_the_protocol_that_it_begins_with(serve, connect_http2):
    running = await serve(answer)
    async with connect_http2(running) as client:
        assert await client.body(await client.ask()) == b"2"
    assert (await (await running.connect()).get()).body == b"1.1"


async def test_http2_may_be_turned_off(serve):
    running = await serve(answer, http2=False)
    client = await running.connect()
    await client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    assert (await client.read()).status == 400


async def test_http2_is_not_begun_in_the_middle_of_a_connection(serve):
    client = await (await serve(answer)).connect()
    await client.get()
    await client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    assert (await client.read()).status == 400


# Flow control


async def test_body_that_came_with_its_head_is_there_when_the_application_begins(serve, connect_http2):
    """It need not wait for what has arrived already, which most bodies have."""
    took: list[Any] = []

    async def app(scope, receive, send):
        if scope["type"] == "http":
            try:
                receive().send(None)
            except StopIteration as stop:
                took.append(stop.value)
            await answer(scope, receive, send)

    async with connect_http2(await serve(app)) as client:
        stream = client.connection.get_next_available_stream_id()
        client.connection.send_headers(
            stream, [(":method", "POST"), (":scheme", "http"), (":authority", "example.org"), (":path", "/")]
        )
        client.connection.send_data(stream, b"one")
        client.connection.send_data(stream, b"two", end_stream=True)
        await client.flush()
        await client.event(h2.events.StreamEnded, stream)
    assert took == [{"type": "http.request", "body": b"onetwo", "more_body": False}]


async def test_application_that_does_not_receive_stops_its_client_and_no_other(serve, connect_http2):
    gate = asyncio.Event()

    async def app(scope, receive, send):
        received = 0
        if scope["path"] == "/slow":
            await gate.wait()
        more = True
        while more:
            message = await receive()
            received += len(message["body"])
            more = message["more_body"]
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"%d" % received})

    async with connect_http2(await serve(app)) as client:
        slow = await client.ask("POST", "/slow", ends=False)
        await client.event(h2.events.RemoteSettingsChanged)
        total = client.connection.local_flow_control_window(slow)
        sent = 0
        while room := min(client.connection.local_flow_control_window(slow), 16_384):
            client.connection.send_data(slow, bytes(room))
            sent += room
        await client.flush()
        assert sent == total
        other = await client.ask("POST", "/fast", ends=False)
        client.connection.send_data(other, b"abc", end_stream=True)
        await client.flush()
        assert await client.body(other) == b"3"
        assert client.connection.local_flow_control_window(slow) == 0
        gate.set()
        await client.event(h2.events.WindowUpdated, slow)
        client.connection.send_data(slow, b"end", end_stream=True)
        await client.flush()
        assert await client.body(slow) == b"%d" % (total + 3)


async def test_client_that_gives_no_room_stops_the_application(serve, connect_http2):
    sent = 0

    async def app(scope, receive, send):
        nonlocal sent
        await send({"type": "http.response.start", "status": 200})
        for _ in range(100):
            await send({"type": "http.response.body", "body": bytes(16_384), "more_body": True})
            sent += 16_384
        await send({"type": "http.response.body"})

    async with connect_http2(await serve(app)) as client:
        stream = await client.ask()
        while (await client.event(h2.events.DataReceived)).flow_controlled_length and sent < 65_535:
            await settle()
        await settle()
        assert 65_535 <= sent <= 65_535 + HIGH_WATER + 2 * 16_384
        client.connection.increment_flow_control_window(2**30)
        client.connection.increment_flow_control_window(2**30, stream)
        await client.flush()
        await client.event(h2.events.StreamEnded)
        assert sent == 100 * 16_384


async def test_large_responses_of_many_streams_arrive_whole(serve, connect_http2):
    async def app(scope, receive, send):
        piece = scope["path"].encode() * 10_000
        await send({"type": "http.response.start", "status": 200})
        for _ in range(5):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body"})

    async with connect_http2(await serve(app)) as client:
        streams = {await client.ask(path=f"/{number}"): b"/%d" % number for number in range(8)}
        for stream, path in streams.items():
            assert await client.body(stream) == path * 50_000


@pytest.mark.slow
@pytest.mark.parametrize("is_secure", [False, True], ids=["plain", "TLS"])
async def test_client_that_does_not_read_is_not_read_either_until_it_does(
    serve, connect_http2, tls, is_secure
):
    """No window holds heads back: what waits of them would grow with each request."""

    async def app(scope, receive, send):
        await send(
            {"type": "http.response.start", "status": 204, "headers": [(b"set-cookie", bytes(b"x" * 16_000))]}
        )
        await send({"type": "http.response.body"})

    options, context = tls
    context.set_alpn_protocols(["h2"])
    running = await serve(app, timeout_header=1, **options if is_secure else {})
    async with connect_http2(
        running, **{"ssl": context, "server_hostname": "localhost"} if is_secure else {}
    ) as client:
        (connection,) = await connections_of(running, 1)
        asked = 0
        while not connection._is_reading_paused:
            asked += len([await client.ask() for _ in range(20)])
            await settle()
            assert asked < 20_000
        Clock(running).advance(10)
        assert connection.session.failure is None, "what it has not sent, it cannot"
        for _ in range(asked):
            await client.event(h2.events.StreamEnded)
        assert not connection._is_reading_paused
        await client.ask()
        await client.event(h2.events.StreamEnded)


async def connections_of(running: Any, count: int) -> list[Any]:
    while len(running.server.state.connections) < count or not all(
        hasattr(each, "session") for each in running.server.state.connections
    ):
        await asyncio.sleep(0)
    return list(running.server.state.connections)


# Ends


async def test_reset_reaches_the_application_at_once(serve, connect_http2):
    events = []

    async def app(scope, receive, send):
        while True:
            events.append(await receive())
            if events[-1]["type"] == "http.disconnect":
                with pytest.raises(OSError, match="the client is gone"):
                    await send({"type": "http.response.start", "status": 200})
                return

    async with connect_http2(await serve(app)) as client:
        stream = await client.ask()
        while not events:
            await asyncio.sleep(0)
        client.connection.reset_stream(stream)
        await client.flush()
        while len(events) < 2:
            await asyncio.sleep(0)
        assert [event["type"] for event in events] == ["http.request", "http.disconnect"]


async def test_lost_connection_reaches_all_applications(serve, connect_http2):
    begun, left = [], []

    async def app(scope, receive, send):
        begun.append(await receive())
        left.append((await receive())["type"])

    running = await serve(app)
    async with connect_http2(running) as client:
        for _ in range(3):
            await client.ask()
        while len(begun) < 3:
            await asyncio.sleep(0)
    while len(left) < 3:
        await asyncio.sleep(0)
    assert left == ["http.disconnect"] * 3


async def test_mistake_of_the_application_is_500_or_a_reset(serve, connect_http2):
    async def app(scope, receive, send):
        if scope["path"] == "/late":
            await send({"type": "http.response.start", "status": 200})
            await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise RuntimeError("mistake")

    async with connect_http2(await serve(app)) as client:
        await client.ask(path="/early")
        assert dict((await client.event(h2.events.ResponseReceived)).headers)[":status"] == "500"
        stream = await client.ask(path="/late")
        assert (await client.event(h2.events.StreamReset, stream)).error_code == 2


async def test_stopping_server_serves_what_is_on_its_way_and_says_so(serve, connect_http2):
    gate = asyncio.Event()

    async def app(scope, receive, send):
        if scope["path"] == "/wait":
            await gate.wait()
        await answer(scope, receive, send)

    running = await serve(app, timeout_graceful_shutdown=10)
    async with connect_http2(running) as client:
        waiting = await client.ask(path="/wait")
        assert await client.body(await client.ask()) == b"2"
        stopping = asyncio.create_task(running.server.stop())
        assert (await client.event(h2.events.ConnectionTerminated)).last_stream_id == 2**31 - 1
        gate.set()
        # What comes now is in order, but more than the library takes after a GOAWAY.
        rest = await asyncio.wait_for(client.reader.read(-1), 5)
        assert rest.count(b"\x07\x00\x00\x00\x00\x00") == 1, "a last GOAWAY"
        assert b"\x00\x00\x01\x00\x01" + waiting.to_bytes(4, "big") + b"2" in rest
        client.writer.close()
        await asyncio.wait_for(stopping, 5)


# Time


class Clock:
    """Lets the worker's ticks happen when the test says so."""

    def __init__(self, running):
        self._state = running.server.state
        self._state.stop_timer()
        self.now = self._state.now

    def advance(self, seconds):
        for _ in range(round(seconds / TICK)):
            self.now += TICK
            self._state.now = self.now
            for connection in tuple(self._state.connections):
                connection.tick(self.now)


async def test_response_that_gets_no_room_is_given_up(serve, connect_http2):
    """One stream that its client has forgotten must not keep an application for ever."""

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": bytes(1_000_000)})

    running = await serve(app, timeout_write=20)
    async with connect_http2(running) as client:
        stream = await client.ask()
        for _ in range(4):
            await client.event(h2.events.DataReceived)
        clock = Clock(running)
        clock.advance(20)
        await settle()
        assert len(running.server.state.connections) == 1
        clock.advance(2)
        assert (await client.event(h2.events.StreamReset, stream)).error_code == 8
        client.connection.ping(b"12345678")
        await client.flush()
        await client.event(h2.events.PingAckReceived)


async def test_body_that_does_not_come_is_given_up(serve, connect_http2):
    begun = asyncio.Event()

    async def app(scope, receive, send):
        begun.set()
        while (await receive())["type"] != "http.disconnect":
            pass

    running = await serve(app, timeout_body=20)
    async with connect_http2(running) as client:
        stream = await client.ask("POST", ends=False)
        await begun.wait()
        Clock(running).advance(23)
        assert (await client.event(h2.events.StreamReset, stream)).error_code == 8


async def test_client_that_does_not_begin_is_closed(serve):
    running = await serve(answer, timeout_header=10)
    client = await running.connect()
    await client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    while not (await client.reader.read(9)):
        await asyncio.sleep(0)
    Clock(running).advance(12)
    assert b"did not arrive in time" in await client.read_to_end()


async def test_idle_connection_is_closed_with_goaway(serve, connect_http2):
    running = await serve(answer, timeout_keep_alive=30)
    async with connect_http2(running) as client:
        assert await client.body(await client.ask()) == b"2"
        Clock(running).advance(33)
        assert (await client.event(h2.events.ConnectionTerminated)).error_code == 0
