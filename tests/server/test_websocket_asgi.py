"""The WebSocket part of the ASGI conformance list over real sockets: W1 to W14 and W16, each named in the test that shows it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import struct
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from transom.server.exceptions import ClientDisconnected, MessageError
from transom.server.state import TICK
from transom.server.websocket import LocalProtocolError
from transom.server.websocket.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, build_frame

FIELDS = (
    b"Connection: Upgrade",
    b"Upgrade: websocket",
    b"Sec-WebSocket-Version: 13",
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)
MASK = b"\x01\x02\x03\x04"


def handshake(*fields: bytes, line: bytes = b"GET /live HTTP/1.1") -> bytes:
    return b"\r\n".join([line, b"Host: example.org", *(fields or FIELDS), b"", b""])


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True) -> bytes:
    return build_frame(opcode, payload, fin=fin, mask=MASK)


def close_frame(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, struct.pack("!H", code) + reason)


class Conversation:
    """An application that a test drives: what `receive` and `send` do is decided step by step, on the server's side."""

    def __init__(self) -> None:
        self.scope: Any = None
        self.receive: Callable[[], Awaitable[Any]] = self._not_yet
        self.send: Callable[[Any], Awaitable[None]] = self._not_yet
        self.called = asyncio.Event()
        self.may_end = asyncio.Event()
        self.failure: Exception | None = None

    async def _not_yet(self, *_: Any) -> None:
        raise AssertionError("the application was not called")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope, self.receive, self.send = scope, receive, send
        self.called.set()
        await self.may_end.wait()
        if self.failure is not None:
            raise self.failure


class Client:
    """One client over a real socket, and the application at the other end."""

    def __init__(self, raw: Any, app: Conversation, running: Any) -> None:
        self.raw = raw
        self.app = app
        self.running = running

    async def connect(self, *fields: bytes, early: bytes = b"") -> None:
        """Send the handshake, and wait until the application has received it."""
        await self.raw.send(handshake(*FIELDS, *fields) + early)
        await asyncio.wait_for(self.app.called.wait(), 10)
        assert await self.receive() == {"type": "websocket.connect"}

    async def open(self, *fields: bytes) -> None:
        """Complete the handshake."""
        await self.connect(*fields)
        await self.app.send({"type": "websocket.accept"})
        assert (await self.raw.read_head()).status == 101

    async def receive(self) -> Any:
        """What the application receives next."""
        return await asyncio.wait_for(self.app.receive(), 10)

    async def frame(self) -> tuple[int, bytes]:
        """Return first byte and payload of the next frame from the server."""
        first, length = await asyncio.wait_for(self.raw.reader.readexactly(2), 10)
        if length == 126:
            (length,) = struct.unpack("!H", await self.raw.reader.readexactly(2))
        return first, await self.raw.reader.readexactly(length)

    async def close_code(self) -> int:
        """Return the code of the close frame that must come next."""
        first, payload = await self.frame()
        assert first == 0x80 | CLOSE
        return int.from_bytes(payload[:2], "big")

    def tick(self, seconds: float) -> None:
        """Let that much time pass for the server."""
        state = self.running.server._state
        state.stop_timer()
        state.now += seconds + TICK
        for connection in tuple(state.connections):
            connection.tick(state.now)


Open = Callable[..., Awaitable[Client]]


@pytest.fixture
def client(serve: Any) -> Open:
    async def start(**options: Any) -> Client:
        app = Conversation()
        running = await serve(app, checked=False, **options)
        return Client(await running.connect(), app, running)

    return start


def received(text: str | None = None, data: bytes | None = None) -> dict[str, Any]:
    return {"type": "websocket.receive", "text": text, "bytes": data}


def disconnect(code: int, reason: str = "") -> dict[str, Any]:
    return {"type": "websocket.disconnect", "code": code, "reason": reason}


# The handshake


async def test_application_is_asked_before_the_101_and_early_frames_are_held(client: Open) -> None:
    """W1."""
    one = await client()
    await one.connect(early=frame(TEXT, b"early"))
    waiting = asyncio.ensure_future(one.receive())
    # What the server would have written by now is here once a whole exchange on another connection is.
    other = await one.running.connect()
    await other.send(b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n")
    assert (await other.read()).status == 426
    assert not waiting.done()
    assert one.raw.reader._buffer == b""
    await one.app.send({"type": "websocket.accept"})
    assert await waiting == received("early")
    assert (await one.raw.read_head()).status == 101


async def test_client_that_leaves_before_the_answer_is_told(client: Open) -> None:
    """W1."""
    one = await client()
    await one.connect()
    one.raw.writer.close()
    assert await one.receive() == disconnect(1006)
    with pytest.raises(ClientDisconnected):
        await one.app.send({"type": "websocket.accept"})


async def test_accept_carries_subprotocol_and_headers(client: Open) -> None:
    """W2: and the scope has the subprotocols of all lines in order."""
    one = await client()
    await one.connect(b"Sec-WebSocket-Protocol: v2 ,v1", b"sec-websocket-protocol: v0")
    assert one.app.scope["subprotocols"] == ["v2", "v1", "v0"]
    assert "method" not in one.app.scope
    assert one.app.scope["scheme"] == "ws"
    for wrong in (
        {"headers": [(b"sec-websocket-protocol", b"v1")]},
        {"headers": [(b":status", b"200")]},
        {"headers": [(b"x", b"a\r\nset-cookie: b=1")]},
        {"subprotocol": "v9"},
    ):
        with pytest.raises(LocalProtocolError):
            await one.app.send({"type": "websocket.accept", **wrong})
    await one.app.send(
        {
            "type": "websocket.accept",
            "subprotocol": "v1",
            "headers": [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")],
        }
    )
    reply = await one.raw.read_head()
    assert reply.status == 101
    assert reply[b"sec-websocket-protocol"] == b"v1"
    assert reply[b"sec-websocket-accept"] == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert [value for name, value in reply.headers if name == b"set-cookie"] == [b"a=1", b"b=2"]


async def test_close_before_accept_is_403_and_a_disconnect(client: Open) -> None:
    """W3."""
    one = await client()
    await one.connect()
    await one.app.send({"type": "websocket.close", "code": 4000})
    assert (await one.raw.read()).status == 403
    assert await one.receive() == disconnect(1006)
    assert await one.raw.read_to_end() == b""


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        (FIELDS[:3], 400),  # no key
        ((*FIELDS[:3], b"Sec-WebSocket-Key: c2hvcnQ="), 400),
        ((*FIELDS[:3], b"Sec-WebSocket-Key: not base64 at all!!"), 400),
        ((*FIELDS, FIELDS[3]), 400),
        ((*FIELDS[:2], FIELDS[3]), 426),  # no version
        ((*FIELDS[:2], FIELDS[3], b"Sec-WebSocket-Version: 8"), 426),
        ((*FIELDS[:2], FIELDS[3], b"Sec-WebSocket-Version: 013"), 426),
        ((*FIELDS, b"Sec-WebSocket-Protocol: chat\xe9"), 400),
        ((*FIELDS, b"Sec-WebSocket-Protocol: chat\x85"), 400),
        ((*FIELDS, b"Sec-WebSocket-Protocol: two words"), 400),
        ((*FIELDS, b"Sec-WebSocket-Protocol: chat\x0bother"), 400),
        ((*FIELDS, b"Sec-WebSocket-Extensions: permessage-deflate; ="), 400),
    ],
)
async def test_invalid_handshake_is_refused_unseen(
    client: Open, fields: tuple[bytes, ...], status: int
) -> None:
    """W13."""
    one = await client()
    await one.raw.send(handshake(*fields))
    reply = await one.raw.read()
    assert reply.status == status
    assert reply.body
    assert reply[b"sec-websocket-version"] == (b"13" if status == 426 else None)
    assert not one.app.called.is_set()
    assert await one.raw.read_to_end() == b""


@pytest.mark.parametrize("line", [b"POST / HTTP/1.1", b"GET / HTTP/1.0", b"HEAD / HTTP/1.1"])
async def test_handshake_with_another_method_or_version_is_400(client: Open, line: bytes) -> None:
    """W13."""
    one = await client()
    await one.raw.send(handshake(line=line))
    assert (await one.raw.read()).status == 400
    assert not one.app.called.is_set()


@pytest.mark.parametrize("connection", [b"Connection: keep-alive", b"Connection: upgraded"])
async def test_no_upgrade_without_the_token_in_connection(client: Open, connection: bytes) -> None:
    """W13: it is a plain request."""
    one = await client()
    await one.raw.send(handshake(connection, *FIELDS[1:]))
    await asyncio.wait_for(one.app.called.wait(), 10)
    assert one.app.scope["type"] == "http"


# Messages


async def test_messages_arrive_whole_and_of_their_type(client: Open) -> None:
    """W5."""
    one = await client()
    await one.open()
    await one.raw.send(
        frame(TEXT, "Grü".encode(), fin=False)
        + frame(PING)
        + frame(CONTINUATION, "ße €".encode())
        + frame(BINARY, b"\x00\xff")
        + frame(TEXT)
        + frame(BINARY)
    )
    assert [await one.receive() for _ in range(4)] == [
        received("Grüße €"),
        received(data=b"\x00\xff"),
        received(""),
        received(data=b""),
    ]
    await one.raw.send(frame(TEXT, b"\xff"))
    assert (await one.receive())["code"] == 1007


async def test_messages_are_sent_as_text_or_binary_frames(client: Open) -> None:
    """W6."""
    one = await client()
    await one.open()
    for wrong in (
        {},
        {"text": None, "bytes": None},
        {"text": "a", "bytes": b"a"},
        {"text": b"a"},
        {"bytes": "a"},
    ):
        with pytest.raises(MessageError, match="either text as str or bytes as bytes"):
            await one.app.send({"type": "websocket.send", **wrong})
    for message in (
        {"text": "é", "bytes": None},
        {"bytes": b"\xff"},
        {"text": ""},
        {"text": None, "bytes": b""},
    ):
        await one.app.send({"type": "websocket.send", **message})
    assert [await one.frame() for _ in range(4)] == [
        (0x81, b"\xc3\xa9"),
        (0x82, b"\xff"),
        (0x81, b""),
        (0x82, b""),
    ]


async def test_messages_out_of_order_raise_and_change_nothing(client: Open) -> None:
    """W9."""
    one = await client()
    await one.connect()
    for kind in ("websocket.send", "http.response.start", "websocket.http.response.body", "nonsense"):
        with pytest.raises(MessageError):
            await one.app.send({"type": kind, "text": "a", "status": 200})
    await one.app.send({"type": "websocket.accept"})
    for kind in ("websocket.accept", "http.response.body", "websocket.http.response.start", "nonsense"):
        with pytest.raises(MessageError):
            await one.app.send({"type": kind, "status": 200})
    await one.app.send({"type": "websocket.send", "text": "still here"})
    assert (await one.raw.read_head()).status == 101
    assert await one.frame() == (0x81, b"still here")


# Ends


@pytest.mark.parametrize(
    ("close", "payload"),
    [
        ({}, b"\x03\xe8"),
        ({"code": 4321, "reason": "größer"}, b"\x10\xe1" + "größer".encode()),
        ({"code": 1001, "reason": None}, b"\x03\xe9"),
        ({"code": 1013, "reason": "x" * 123}, b"\x03\xf5" + b"x" * 123),
    ],
)
async def test_close_carries_code_and_reason(client: Open, close: dict[str, Any], payload: bytes) -> None:
    """W4, W7: the application is told its own code."""
    one = await client()
    await one.open()
    await one.app.send({"type": "websocket.close", **close})
    assert await one.frame() == (0x88, payload)
    assert await one.receive() == disconnect(close.get("code", 1000), close.get("reason") or "")


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000])
async def test_close_codes_that_may_not_be_sent_raise(client: Open, code: int) -> None:
    """W4."""
    one = await client()
    await one.open()
    with pytest.raises(LocalProtocolError, match="may not be sent"):
        await one.app.send({"type": "websocket.close", "code": code})
    with pytest.raises(LocalProtocolError, match="124 bytes"):
        await one.app.send({"type": "websocket.close", "reason": "x" * 124})
    await one.app.send({"type": "websocket.send", "text": "still here"})
    assert await one.frame() == (0x81, b"still here")


@pytest.mark.parametrize(
    ("last", "told"),
    [
        (close_frame(4001, b"bye"), disconnect(4001, "bye")),
        (close_frame(1000), disconnect(1000)),
        (frame(CLOSE), disconnect(1005)),
        (b"", disconnect(1006)),
        (frame(TEXT, b"cut off", fin=False), disconnect(1006)),
    ],
)
async def test_disconnect_says_how_the_client_left_and_goes_on_saying_it(
    client: Open, last: bytes, told: dict[str, Any]
) -> None:
    """W7."""
    one = await client()
    await one.open()
    await one.raw.send(last)
    one.raw.writer.write_eof()
    assert [await one.receive() for _ in range(3)] == [told] * 3


@pytest.mark.parametrize("wrapped", [False, True])
async def test_send_after_the_end_raises_an_oserror_that_is_not_logged(
    client: Open, wrapped: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """W8: also inside an exception group. Closing what is closed is no error."""
    caplog.set_level(logging.INFO)
    one = await client(access_log=False)
    await one.open()
    one.raw.writer.transport.abort()
    assert await one.receive() == disconnect(1006)
    caplog.clear()
    with pytest.raises(OSError, match=r"'websocket\.send' was not sent") as caught:
        await one.app.send({"type": "websocket.send", "text": "late"})
    await one.app.send({"type": "websocket.close"})
    one.app.failure = ExceptionGroup("tasks", [caught.value]) if wrapped else caught.value
    one.app.may_end.set()
    await wait_until_idle(one)
    assert caplog.records == []


async def wait_until_idle(one: Client) -> None:
    state = one.running.server._state
    while state.tasks:
        await asyncio.wait(state.tasks)
        await asyncio.sleep(0)


@pytest.mark.parametrize("failure", [None, ValueError("boom")])
@pytest.mark.parametrize("accepted", [False, True])
async def test_application_that_ends_ends_the_socket(
    client: Open, accepted: bool, failure: Exception | None, caplog: pytest.LogCaptureFixture
) -> None:
    """W10."""
    one = await client()
    await (one.open() if accepted else one.connect())
    one.app.failure = failure
    one.app.may_end.set()
    if accepted:
        assert await one.close_code() == (1011 if failure else 1000)
        await one.raw.send(close_frame(1000))
    else:
        assert (await one.raw.read()).status == 500
    assert await one.raw.read_to_end() == b""
    assert ("boom" in caplog.text) is (failure is not None)


async def test_ping_is_answered_and_silence_after_ours_ends_the_connection(client: Open) -> None:
    """W11: none of it reaches the application but the end."""
    one = await client(ws_ping_interval=20.0, ws_ping_timeout=20.0)
    await one.open()
    await one.raw.send(frame(PING, b"payload"))
    assert await one.frame() == (0x8A, b"payload")
    one.tick(20)
    assert await one.frame() == (0x89, b"")
    await one.raw.send(frame(PONG) + frame(TEXT, b"here"))
    assert await one.receive() == received("here")
    one.tick(20)
    assert await one.frame() == (0x89, b"")
    one.tick(20)
    assert await one.close_code() == 1011
    assert (await one.receive())["code"] == 1011


@pytest.mark.slow
async def test_pings_come_by_the_workers_own_timer(client: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """W11."""
    monkeypatch.setattr("transom.server.state.TICK", 0.05)
    one = await client(ws_ping_interval=0.1)
    await one.open()
    assert await one.frame() == (0x89, b"")


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"\xc1\x80" + MASK, 1002),  # RSV1 without an extension
        (b"\x91\x80" + MASK, 1002),  # RSV3
        (b"\x83\x80" + MASK, 1002),  # reserved opcode
        (b"\x8f\x80" + MASK, 1002),
        (b"\x09\x80" + MASK, 1002),  # fragmented control frame
        (b"\x89\xfe\x00\x7e" + MASK, 1002),  # control frame of 126 bytes
        (frame(CONTINUATION, b"x"), 1002),
        (frame(TEXT, b"x", fin=False) + frame(TEXT, b"y"), 1002),
        (build_frame(TEXT, b"unmasked"), 1002),
        (b"\x82\xfe\x00\x7d" + MASK, 1002),  # a length that is not minimal
        (frame(CLOSE, b"\x03"), 1002),
        (close_frame(1005), 1002),
        (close_frame(999), 1002),
        (close_frame(1000, b"\xff"), 1007),
        (frame(TEXT, b"\xed\xa0\x80"), 1007),
        (frame(TEXT, b"ok\xff".ljust(100, b"x"))[:20], 1007),  # before the frame is whole
        (frame(TEXT, b"x" * 1001), 1009),
        (close_frame(3000) + b"\xff\xff", 3000),  # what follows a close is ignored
        (frame(TEXT, b"half", fin=False) + close_frame(1000), 1000),
    ],
)
async def test_what_breaks_the_protocol_fails_the_connection(client: Open, sent: bytes, code: int) -> None:
    """W12: after all that was whole before it has been delivered and answered."""
    one = await client(ws_max_size=1000)
    await one.open()
    await one.raw.send(frame(TEXT, b"before") + sent)
    assert await one.receive() == received("before")
    await one.app.send({"type": "websocket.send", "text": "answer"})
    assert (await one.receive())["code"] == code
    assert await one.frame() == (0x81, b"answer")
    assert await one.close_code() == code
    assert await one.raw.read_to_end() == b""


async def test_both_sides_may_close_at_once(client: Open) -> None:
    """W12."""
    one = await client()
    await one.open()
    await one.app.send({"type": "websocket.close", "code": 4002})
    await one.raw.send(close_frame(4001))
    assert await one.close_code() == 4002
    assert await one.raw.read_to_end() == b""
    assert await one.receive() == disconnect(4002)


async def test_compression_is_negotiated_and_bombs_are_refused(client: Open) -> None:
    """W14."""
    one = await client(ws_max_size=200_000)
    await one.connect(b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits")
    await one.app.send({"type": "websocket.accept"})
    agreed = b"permessage-deflate; server_max_window_bits=12; client_max_window_bits=12"
    assert (await one.raw.read_head())[b"sec-websocket-extensions"] == agreed
    await one.raw.send(
        b"\xc1\x87"
        + MASK
        + bytes(a ^ b for a, b in zip(bytes.fromhex("f248cdc9c90700"), MASK * 2, strict=False))
    )
    assert await one.receive() == received("Hello")
    await one.app.send({"type": "websocket.send", "text": "x" * 1000})
    first, payload = await one.frame()
    assert first == 0xC1
    assert len(payload) < 50
    deflater = zlib.compressobj(wbits=-12)
    bomb = (deflater.compress(bytes(200_001)) + deflater.flush(zlib.Z_SYNC_FLUSH))[:-4]
    await one.raw.send(build_frame(BINARY, bomb, compressed=True, mask=MASK))
    assert (await one.receive())["code"] == 1009
    assert await one.close_code() == 1009


async def test_server_that_stops_closes_with_1012(client: Open) -> None:
    """W16."""
    one = await client(timeout_graceful_shutdown=10.0)
    await one.open()
    stopping = asyncio.ensure_future(one.running.server.stop())
    assert await one.close_code() == 1012
    assert await one.receive() == disconnect(1012)
    one.app.may_end.set()
    await one.raw.send(close_frame(1012))
    await stopping


# The denial response


async def test_denial_response_is_a_response_in_full(client: Open) -> None:
    """X1."""
    one = await client()
    await one.connect()
    assert "websocket.http.response" in one.app.scope["extensions"]
    await one.app.send(
        {"type": "websocket.http.response.start", "status": 401, "headers": [(b"www-authenticate", b"Basic")]}
    )
    await one.app.send({"type": "websocket.http.response.body", "body": b"log in"})
    reply = await one.raw.read()
    assert (reply.status, reply.body, reply[b"www-authenticate"]) == (401, b"log in", b"Basic")
    assert reply[b"date"]
    assert await one.receive() == disconnect(1006)
    assert await one.raw.read_to_end() == b""


@pytest.mark.slow
async def test_denial_response_streams(client: Open) -> None:
    """X1: each piece leaves when it is sent; afterwards no other message may."""
    one = await client()
    await one.connect()
    await one.app.send({"type": "websocket.http.response.start", "status": 403, "headers": []})
    await one.app.send({"type": "websocket.http.response.body", "body": b"first", "more_body": True})
    reply = await one.raw.read_head()
    assert reply[b"transfer-encoding"] == b"chunked"
    assert await one.raw.reader.readexactly(10) == b"5\r\nfirst\r\n"
    with pytest.raises(MessageError):
        await one.app.send({"type": "websocket.accept"})
    large = bytes(16_000_000)
    sending = asyncio.ensure_future(
        one.app.send({"type": "websocket.http.response.body", "body": large, "more_body": True})
    )
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0):
            await asyncio.shield(sending)
    assert not sending.done()  # it waits for the client to read
    assert (
        await asyncio.wait_for(one.raw.reader.readexactly(8 + len(large) + 2), 10)
        == b"f42400\r\n" + large + b"\r\n"
    )
    await sending
    await one.app.send({"type": "websocket.http.response.body"})
    assert await one.raw.read_to_end() == b"0\r\n\r\n"
    assert await one.receive() == disconnect(1006)
