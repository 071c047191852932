"""The ASGI conversation of a WebSocket over a transport in memory; W numbers are those of the conformance checklist."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from transom.server.config import Config
from transom.server.connection import HTTP1Connection
from transom.server.exceptions import ClientDisconnected, MessageError
from transom.server.state import TICK, ServerState
from transom.server.websocket import (
    NEED_DATA,
    Close,
    Event,
    LocalProtocolError,
    Ping,
    Pong,
    Role,
    WebSocketConnection,
)
from transom.server.websocket.frames import TEXT, build_frame
from transom.server.websocket_cycle import CLOSE_TIMEOUT, EARLY_DATA, LAST_WORDS, MAX_IN_ONE_GO
from transom.server.websocket_transport import JOIN_LIMIT

HEADERS = [
    (b"host", b"test"),
    (b"connection", b"Upgrade"),
    (b"upgrade", b"websocket"),
    (b"sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="),
    (b"sec-websocket-version", b"13"),
    (b"sec-websocket-protocol", b"v2, v1"),
]


class MemoryTransport(asyncio.Transport):
    """Records what is written and what is asked of it."""

    def __init__(self, *, half_close: bool = True) -> None:
        super().__init__()
        self.wire = b""
        self.writes = 0
        self.reading = True
        self.closed = self.aborted = self.wrote_eof = False
        self.half_close = half_close
        self.unread = 0

    def write(self, data: Any) -> None:
        assert not self.closed
        self.wire += data
        self.writes += 1

    def get_write_buffer_size(self) -> int:
        return self.unread

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True

    def can_write_eof(self) -> bool:
        return self.half_close

    def write_eof(self) -> None:
        self.wrote_eof = True

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


class Peer:
    """A client at the other end of the memory transport, and the application as a script that the test drives."""

    def __init__(
        self, app: Any = None, *, headers: Any = HEADERS, half_close: bool = True, **options: Any
    ) -> None:
        self.transport = MemoryTransport(half_close=half_close)
        self.client = WebSocketConnection(Role.CLIENT)
        self.receive: Any = None
        self.send: Any = None
        self.scope: Any = None
        self.finish = asyncio.Event()
        config = Config(**{"ws_ping_interval": 0.0, "access_log": False, **options})
        self.state = ServerState(app or self._scripted, config, asyncio.get_running_loop())
        self.connection = HTTP1Connection(self.state)
        self._headers = headers

    async def _scripted(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope, self.receive, self.send = scope, receive, send
        await self.finish.wait()

    def tick(self, now: float) -> None:
        """Let it be that many seconds after the start, a tick later than asked for."""
        self.state.now = now + TICK
        self.connection.tick(self.state.now)

    async def start(self, early: bytes = b"") -> Peer:
        self.connection.connection_made(self.transport)
        lines = [b"GET /live HTTP/1.1", *(b": ".join(field) for field in self._headers), b"", early]
        self.connection.data_received(b"\r\n".join(lines))
        await turn()
        return self

    async def accept(self) -> Peer:
        await self.start()
        assert await self.receive() == {"type": "websocket.connect"}
        await self.send({"type": "websocket.accept"})
        self.head()
        return self

    def head(self) -> bytes:
        """Take the response head off the wire."""
        head, _, self.transport.wire = self.transport.wire.partition(b"\r\n\r\n")
        return head

    def events(self) -> list[Event]:
        """What the client reads."""
        if self.transport.wire:
            self.client.receive_data(self.transport.wire)
            self.transport.wire = b""
        found: list[Event] = []
        while (event := self.client.next_event()) is not NEED_DATA:
            found.append(event)
            if isinstance(event, Close):
                break
        return found


async def echo(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})


async def turn() -> None:
    """Let every ready task run."""
    for _ in range(5):
        await asyncio.sleep(0)


def text(value: str) -> dict[str, Any]:
    return {"type": "websocket.receive", "text": value, "bytes": None}


def disconnect(code: int, reason: str = "") -> dict[str, Any]:
    return {"type": "websocket.disconnect", "code": code, "reason": reason}


# The handshake


async def test_101_waits_for_accept_and_carries_headers_and_subprotocol() -> None:
    """W1, W2."""
    peer = await Peer().start()
    assert await peer.receive() == {"type": "websocket.connect"}
    assert peer.transport.wire == b""
    await peer.send({"type": "websocket.accept", "subprotocol": "v1", "headers": [(b"set-cookie", b"a=1")]})
    head = peer.head()
    assert head.startswith(b"HTTP/1.1 101 ")
    assert b"\r\nsec-websocket-protocol: v1" in head
    assert b"\r\nset-cookie: a=1" in head


async def test_refused_accept_can_be_tried_again() -> None:
    peer = await Peer().start()
    with pytest.raises(LocalProtocolError, match="was not offered"):
        await peer.send({"type": "websocket.accept", "subprotocol": "v3"})
    await peer.send({"type": "websocket.accept", "headers": None})
    assert peer.head().startswith(b"HTTP/1.1 101 ")


async def test_early_frames_are_held_until_accept() -> None:
    """W1."""
    peer = await Peer().start()
    assert await peer.receive() == {"type": "websocket.connect"}
    peer.connection.data_received(peer.client.send_text("early"))
    waiting = asyncio.ensure_future(peer.receive())
    await turn()
    assert not waiting.done()
    await peer.send({"type": "websocket.accept"})
    assert await waiting == text("early")


async def test_too_much_early_data_pauses_reading_until_accept() -> None:
    peer = await Peer().start()
    peer.connection.data_received(peer.client.send_bytes(bytes(EARLY_DATA)))
    assert not peer.transport.reading
    await peer.send({"type": "websocket.accept"})
    assert peer.transport.reading


async def test_close_before_accept_is_403() -> None:
    """W3."""
    peer = await Peer().start()
    await peer.send({"type": "websocket.close", "code": 4000})
    assert peer.head().startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert peer.transport.closed
    assert await peer.receive() == {"type": "websocket.connect"}
    assert await peer.receive() == disconnect(1006)


async def test_client_that_leaves_before_accept_is_told_as_1006() -> None:
    peer = await Peer().start()
    assert not peer.connection.eof_received()
    peer.connection.connection_lost(None)
    await peer.receive()
    assert await peer.receive() == disconnect(1006)
    with pytest.raises(ClientDisconnected):
        await peer.send({"type": "websocket.accept"})
    assert not peer.state.connections


async def test_invalid_handshake_never_reaches_the_application() -> None:
    """W13."""
    peer = await Peer(headers=[field for field in HEADERS if field[0] != b"sec-websocket-key"]).start()
    assert peer.head().startswith(b"HTTP/1.1 400 ")
    assert not peer.state.tasks
    assert peer.receive is None
    assert peer.transport.closed


@pytest.mark.parametrize(
    ("message", "raised"),
    [
        ({"type": "websocket.send", "text": "x"}, MessageError),
        ({"type": "http.response.body"}, MessageError),
        ({}, MessageError),
        ({"type": "websocket.http.response.start", "status": 99}, MessageError),
        ({"type": "websocket.http.response.start", "status": 401, "headers": [(b"x", b"\n")]}, MessageError),
    ],
)
async def test_wrong_message_before_accept_raises_and_changes_nothing(
    message: dict[str, Any], raised: type[Exception]
) -> None:
    """W9."""
    peer = await Peer().start()
    with pytest.raises(raised):
        await peer.send(message)
    await peer.send({"type": "websocket.accept"})
    assert peer.head().startswith(b"HTTP/1.1 101 ")


# Denial response


async def test_denial_response_in_one_piece() -> None:
    """X1."""
    peer = await Peer().start()
    assert peer.scope["extensions"] == {"websocket.http.response": {}}
    fields = [(b"X-Why", b"no"), (b"transfer-encoding", b"gzip")]
    await peer.send({"type": "websocket.http.response.start", "status": 401, "headers": fields})
    assert peer.transport.wire == b""
    await peer.send({"type": "websocket.http.response.body", "body": b"log in"})
    assert peer.head() == (
        b"HTTP/1.1 401 Unauthorized\r\nx-why: no\r\ncontent-length: 6\r\nconnection: close"
    )
    assert peer.transport.wire == b"log in"
    assert peer.transport.closed
    await peer.receive()
    assert await peer.receive() == disconnect(1006)


async def test_denial_response_in_pieces_is_chunked() -> None:
    """X1: streaming."""
    peer = await Peer().start()
    await peer.send({"type": "websocket.http.response.start", "status": 599})
    with pytest.raises(MessageError, match="denial"):
        await peer.send({"type": "websocket.accept"})
    await peer.send({"type": "websocket.http.response.body", "body": b"a", "more_body": True})
    assert not peer.transport.closed
    await peer.send({"type": "websocket.http.response.body", "body": bytearray(b"b"), "more_body": False})
    head = b"HTTP/1.1 599 \r\ntransfer-encoding: chunked\r\nconnection: close"
    assert peer.head() == head
    assert peer.transport.wire == b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n"
    assert peer.transport.closed


async def test_denial_response_in_pieces_of_a_known_length() -> None:
    peer = await Peer().start()
    start = {
        "type": "websocket.http.response.start",
        "status": 403,
        "headers": [(b"content-length", b"2")],
    }
    await peer.send(start)
    await peer.send({"type": "websocket.http.response.body", "body": b"a", "more_body": True})
    await peer.send({"type": "websocket.http.response.body", "body": b"b"})
    assert peer.head().endswith(b"\r\ncontent-length: 2\r\nconnection: close")
    assert peer.transport.wire == b"ab"


@pytest.mark.parametrize(("status", "length"), [(204, None), (304, b"9")])
async def test_denial_response_without_body(status: int, length: bytes | None) -> None:
    peer = await Peer().start()
    fields = [(b"content-length", length)] if length else []
    await peer.send({"type": "websocket.http.response.start", "status": status, "headers": fields})
    await peer.send({"type": "websocket.http.response.body", "body": b"dropped"})
    assert b"content-length" not in peer.head()
    assert peer.transport.wire == b""
    assert peer.transport.closed


async def test_denial_response_of_the_wrong_length_never_breaks_framing() -> None:
    fields = [(b"content-length", b"2")]
    start = {"type": "websocket.http.response.start", "status": 403, "headers": fields}
    early = await Peer().start()
    await early.send(start)
    with pytest.raises(MessageError, match="1 bytes longer"):
        await early.send({"type": "websocket.http.response.body", "body": b"abc"})
    with pytest.raises(MessageError, match="must be bytes"):
        await early.send({"type": "websocket.http.response.body", "body": "abc"})
    early.finish.set()
    await turn()
    assert early.head().startswith(b"HTTP/1.1 500 ")
    late = await Peer().start()
    await late.send(start)
    await late.send({"type": "websocket.http.response.body", "body": b"a", "more_body": True})
    with pytest.raises(MessageError, match="1 bytes shorter"):
        await late.send({"type": "websocket.http.response.body"})
    assert late.transport.aborted


@pytest.mark.parametrize("begun", [False, True])
async def test_denial_response_that_is_never_finished(begun: bool, caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.http.response.start", "status": 401})
        if begun:
            await send({"type": "websocket.http.response.body", "body": b"a", "more_body": True})

    peer = await Peer(app).start()
    assert peer.head().startswith(b"HTTP/1.1 401" if begun else b"HTTP/1.1 500")
    assert peer.transport.aborted is begun
    assert "without an answer" in caplog.text


# Messages


async def test_messages_go_both_ways() -> None:
    """W5, W6."""
    peer = await Peer().accept()
    peer.connection.data_received(peer.client.send_text("") + peer.client.send_bytes(b"\x00"))
    assert await peer.receive() == text("")
    assert await peer.receive() == {"type": "websocket.receive", "text": None, "bytes": b"\x00"}
    await peer.send({"type": "websocket.send", "text": ""})
    await peer.send({"type": "websocket.send", "bytes": bytearray(b"a"), "text": None})
    await peer.send({"type": "websocket.send", "bytes": memoryview(b"b")})
    await turn()
    assert peer.events() == ["", b"a", b"b"]


@pytest.mark.parametrize(
    ("message", "raised"),
    [
        ({"type": "websocket.send"}, MessageError),
        ({"type": "websocket.send", "text": "a", "bytes": b"b"}, MessageError),
        ({"type": "websocket.send", "text": 1}, MessageError),
        ({"type": "websocket.send", "bytes": "a"}, MessageError),
        ({"type": "websocket.accept"}, MessageError),
        ({"type": "http.response.start"}, MessageError),
        ({"type": "websocket.close", "code": 1005}, LocalProtocolError),
        ({"type": "websocket.close", "code": 1000, "reason": "x" * 124}, LocalProtocolError),
    ],
)
async def test_wrong_message_on_an_open_socket_raises_and_changes_nothing(
    message: dict[str, Any], raised: type[Exception]
) -> None:
    """W4, W6, W9."""
    peer = await Peer().accept()
    peer.connection.data_received(peer.client.send_text("kept"))
    with pytest.raises(raised):
        await peer.send(message)
    assert await peer.receive() == text("kept")
    await peer.send({"type": "websocket.send", "text": "still open"})
    assert peer.events() == ["still open"]


async def test_ping_is_answered_with_its_payload_and_pong_is_ignored() -> None:
    """W11."""
    peer = await Peer().accept()
    peer.connection.data_received(peer.client.send_ping(b"42") + peer.client.send_pong(b"unasked"))
    assert peer.events() == [Pong(b"42")]


async def test_full_inbox_pauses_reading_and_receive_resumes_it() -> None:
    peer = await Peer(ws_max_queue=2).accept()
    peer.connection.data_received(b"".join(peer.client.send_text(str(i)) for i in range(5)))
    assert not peer.transport.reading
    peer.connection.data_received(peer.client.send_text("5"))  # a read that was already under way
    assert [await peer.receive() for _ in range(6)] == [text(str(i)) for i in range(6)]
    assert peer.transport.reading


async def test_bytes_fill_the_inbox_too() -> None:
    peer = await Peer().accept()
    peer.connection.data_received(peer.client.send_bytes(bytes(256 * 1024)))
    assert not peer.transport.reading
    await peer.receive()
    assert peer.transport.reading


async def test_send_waits_while_the_transport_is_full() -> None:
    peer = await Peer().accept()
    peer.connection.pause_writing()
    sends = [asyncio.ensure_future(peer.send({"type": "websocket.send", "text": each})) for each in "ab"]
    await turn()
    assert not any(send.done() for send in sends)
    sends[0].cancel()  # one that gives up does not wake or lose the other
    await turn()
    assert not sends[1].done()
    peer.connection.resume_writing()
    await sends[1]
    assert peer.events() == ["a", "b"]


async def test_only_the_latest_ping_is_answered_once_the_transport_drains() -> None:
    """A client that pings and never reads must not fill our memory with pongs."""
    peer = await Peer().accept()
    peer.connection.pause_writing()
    peer.connection.data_received(peer.client.send_ping(b"1") + peer.client.send_ping(b"2"))
    assert peer.transport.wire == b""
    peer.connection.resume_writing()
    await turn()
    assert peer.events() == [Pong(b"2")]


async def test_peer_that_reads_nothing_for_too_long_is_cut_off() -> None:
    peer = await Peer(timeout_write=30.0, ws_ping_interval=5.0).accept()
    peer.transport.unread = 1000
    peer.connection.pause_writing()
    peer.tick(5.0)
    peer.connection.data_received(peer.client.send_ping())  # a sign of life, but nothing was read
    peer.tick(34.9)
    assert not peer.transport.closed
    assert peer.transport.wire == b""  # no ping either, it would only pile up
    peer.tick(35.0)
    assert peer.transport.aborted


async def test_peer_that_reads_slowly_is_waited_for() -> None:
    peer = await Peer(timeout_write=30.0).accept()
    peer.transport.unread = 1000
    peer.connection.pause_writing()
    for now in range(0, 200, 20):
        peer.transport.unread -= 1
        peer.tick(now)
    peer.transport.unread = 0
    peer.connection.resume_writing()
    peer.tick(500.0)
    assert not peer.transport.closed


async def test_events_beyond_a_share_wait_for_the_next_turn() -> None:
    """A read full of tiny frames must not hold up the other connections."""
    peer = await Peer().accept()
    peer.connection.data_received(peer.client.send_ping(b"p") * (MAX_IN_ONE_GO + 1))
    assert not peer.transport.reading
    await turn()
    assert peer.events() == [Pong(b"p")] * (MAX_IN_ONE_GO + 1)
    assert peer.transport.reading


async def test_answers_to_what_came_in_one_read_are_one_write() -> None:
    peer = await Peer(echo).start()
    peer.head()
    before = peer.transport.writes
    peer.connection.data_received(peer.client.send_text("a") * 20)
    peer.connection.data_received(peer.client.send_text("a") * 5)  # in the same turn of the loop
    await turn()
    assert peer.events() == ["a"] * 25
    assert peer.transport.writes == before + 1
    peer.connection.data_received(peer.client.send_text("b"))
    await turn()
    assert peer.events() == ["b"]
    assert peer.transport.writes == before + 2


async def test_large_answers_do_not_wait_for_each_other() -> None:
    """What is gathered is not in the transport, which must be able to say that it is full."""
    peer = await Peer().accept()
    before = peer.transport.writes
    peer.connection.data_received(peer.client.send_text("a") * 2)
    for _ in range(4):
        await peer.send({"type": "websocket.send", "bytes": bytes(JOIN_LIMIT // 2)})
    assert peer.transport.writes == before + 3  # the first two together, then each by itself
    await turn()
    assert peer.events() == [bytes(JOIN_LIMIT // 2)] * 4


@pytest.mark.parametrize("half_close", [True, False])
async def test_answers_leave_before_the_connection_is_closed(half_close: bool) -> None:
    peer = await Peer(half_close=half_close).accept()
    peer.connection.data_received(peer.client.send_text("a") * 2)
    await peer.receive()
    await peer.receive()
    await peer.send({"type": "websocket.send", "text": "answer"})
    peer.connection.data_received(b"\xff\xff")
    answer, close = peer.events()
    assert answer == "answer"
    assert isinstance(close, Close)
    assert peer.transport.wrote_eof or peer.transport.closed


async def test_answers_to_a_client_that_is_gone_are_dropped() -> None:
    peer = await Peer().accept()
    peer.connection.data_received(peer.client.send_text("a") * 2)
    await peer.send({"type": "websocket.send", "text": "answer"})
    peer.transport.abort()
    await turn()
    await peer.send({"type": "websocket.send", "text": "before the loop says so"})
    peer.connection.data_received(peer.client.send_close())
    assert peer.transport.wire == b""


@pytest.mark.parametrize("takes_turns", [False, True])
async def test_two_receivers_each_get_a_message(takes_turns: bool) -> None:
    peer = await Peer().accept()
    for _ in range(3):  # those who give up leave nothing behind
        gone = asyncio.ensure_future(peer.receive())
        await turn()
        gone.cancel()
        await turn()
    receivers = [asyncio.ensure_future(peer.receive()) for _ in "ab"]
    await turn()
    peer.connection.data_received(peer.client.send_text("a"))
    if takes_turns:
        await turn()
    else:
        late = asyncio.ensure_future(peer.receive())
        late.cancel()
    peer.connection.data_received(peer.client.send_text("b"))
    got = [(await each)["text"] for each in receivers]
    assert sorted(got) == ["a", "b"]


async def test_receiver_cancelled_as_the_message_arrives_loses_nothing() -> None:
    peer = await Peer().accept()
    receiver = asyncio.ensure_future(peer.receive())
    await turn()
    receiver.cancel()
    peer.connection.data_received(peer.client.send_text("a"))
    await turn()
    assert receiver.cancelled()
    assert await peer.receive() == text("a")


async def test_lost_connection_wakes_a_waiting_send() -> None:
    peer = await Peer().accept()
    peer.connection.pause_writing()
    send = asyncio.ensure_future(peer.send({"type": "websocket.send", "text": "a"}))
    await turn()
    peer.connection.connection_lost(ConnectionResetError())
    await send
    with pytest.raises(ClientDisconnected):
        await peer.send({"type": "websocket.send", "text": "b"})


# Ends


async def test_client_closes_and_is_echoed_with_its_code() -> None:
    """W7, W8: the disconnect repeats, sending raises an OSError, closing again does not."""
    peer = await Peer().accept()
    peer.connection.data_received(peer.client.send_close(4001, "bye"))
    assert peer.events() == [Close(4001)]
    assert peer.transport.closed
    assert [await peer.receive() for _ in range(2)] == [disconnect(4001, "bye")] * 2
    with pytest.raises(OSError, match=r"'websocket\.send' was not sent"):
        await peer.send({"type": "websocket.send", "text": "x"})
    await peer.send({"type": "websocket.close"})


async def test_close_frame_without_a_code_is_1005() -> None:
    peer = await Peer().accept()
    peer.connection.data_received(build_frame(8, b"", mask=b"1234"))
    assert await peer.receive() == disconnect(1005)
    assert peer.events() == [Close(1005)]


async def test_lost_connection_is_1006_after_all_that_arrived() -> None:
    peer = await Peer(ws_max_queue=1).accept()
    peer.connection.data_received(b"".join(peer.client.send_text(each) for each in "abc"))
    peer.connection.connection_lost(None)
    with pytest.raises(ClientDisconnected):
        await peer.send({"type": "websocket.send", "text": "x"})
    assert [await peer.receive() for _ in range(4)] == [text("a"), text("b"), text("c"), disconnect(1006)]


async def test_application_closes_and_the_transport_waits_for_the_echo() -> None:
    peer = await Peer().accept()
    peer.connection.data_received(peer.client.send_text("unread"))
    await peer.send({"type": "websocket.close", "code": 4002, "reason": "done"})
    assert peer.events() == [Close(4002, "done")]
    assert await peer.receive() == disconnect(4002, "done")
    assert not peer.transport.closed
    peer.connection.data_received(build_frame(TEXT, b"late", mask=b"1234"))
    assert not peer.transport.closed
    peer.connection.data_received(peer.client.echo_close())
    assert peer.transport.closed


async def test_close_finds_the_peers_close_behind_a_full_inbox() -> None:
    peer = await Peer(ws_max_queue=1).accept()
    peer.connection.data_received(peer.client.send_text("a") + peer.client.send_close(1000))
    assert not peer.transport.reading
    await peer.send({"type": "websocket.close"})
    assert peer.transport.closed
    assert not peer.transport.aborted


async def test_peer_that_never_echoes_is_aborted() -> None:
    peer = await Peer().accept()
    await peer.send({"type": "websocket.close"})
    peer.tick(CLOSE_TIMEOUT - 0.1)
    assert not peer.transport.aborted
    peer.tick(CLOSE_TIMEOUT)
    assert peer.transport.aborted


@pytest.mark.parametrize("half_close", [True, False])
async def test_bad_frame_fails_the_connection(half_close: bool) -> None:
    """W12. Without half-close (TLS) the transport is closed at once."""
    peer = await Peer(half_close=half_close).accept()
    peer.connection.data_received(b"\xff\xff" + peer.client.send_text("late"))
    (event,) = peer.events()
    assert isinstance(event, Close)
    assert event.code == 1002
    assert (peer.transport.wrote_eof, peer.transport.closed) == (half_close, not half_close)
    assert (await peer.receive())["code"] == 1002
    peer.connection.data_received(b"whatever")
    assert not peer.connection.eof_received()


@pytest.mark.parametrize(
    ("ending", "code"), [(b"\xff\xff", 1002), (build_frame(8, b"\x03\xe8", mask=b"1234"), 1000)]
)
async def test_application_answers_what_came_before_the_end(ending: bytes, code: int) -> None:
    """Autobahn 3.2, 3.3, 4.1.3, 5.15 and others: the echo must go out before the close frame."""
    peer = await Peer().accept()
    peer.connection.data_received(peer.client.send_text("ask") + ending)
    assert peer.connection.eof_received()  # keeps the transport open
    assert await peer.receive() == text("ask")
    await peer.send({"type": "websocket.send", "text": "answer"})
    assert (await peer.receive())["code"] == code
    answer, close = peer.events()
    assert answer == "answer"
    assert isinstance(close, Close)
    assert close.code == code


async def test_application_that_does_not_receive_cannot_hold_up_the_end() -> None:
    peer = await Peer().accept()
    peer.connection.data_received(peer.client.send_text("unread") + peer.client.send_close(1000))
    peer.tick(LAST_WORDS - 0.1)
    await peer.send({"type": "websocket.send", "text": "still heard"})
    peer.tick(LAST_WORDS)
    assert peer.events() == ["still heard", Close(1000)]
    with pytest.raises(ClientDisconnected):
        await peer.send({"type": "websocket.send", "text": "late"})
    assert [await peer.receive(), await peer.receive()] == [text("unread"), disconnect(1000)]


async def test_connection_lost_while_the_end_is_held_keeps_the_clients_code() -> None:
    peer = await Peer().accept()
    peer.connection.data_received(peer.client.send_text("unread") + peer.client.send_close(4000, "why"))
    peer.connection.connection_lost(None)
    assert [await peer.receive(), await peer.receive()] == [text("unread"), disconnect(4000, "why")]


async def test_application_closes_while_the_end_is_held() -> None:
    peer = await Peer().accept()
    peer.connection.data_received(peer.client.send_text("unread") + peer.client.send_close(1000))
    await peer.send({"type": "websocket.close", "code": 4005})
    assert peer.events() == [Close(4005)]
    assert peer.transport.closed
    assert await peer.receive() == disconnect(4005)


async def test_message_over_the_limit_is_1009() -> None:
    peer = await Peer(ws_max_size=10).accept()
    peer.connection.data_received(peer.client.send_text("x" * 11))
    assert (await peer.receive())["code"] == 1009


async def test_garbage_after_our_close_ends_the_stream_without_a_second_close() -> None:
    peer = await Peer().accept()
    await peer.send({"type": "websocket.close"})
    peer.connection.data_received(b"\xff\xff")
    assert peer.events() == [Close(1000)]
    assert peer.transport.wrote_eof


@pytest.mark.parametrize(
    ("accepted", "crash", "head", "code"),
    [
        (False, True, b"HTTP/1.1 500", None),
        (False, False, b"HTTP/1.1 500", None),
        (True, True, b"HTTP/1.1 101", 1011),
        (True, False, b"HTTP/1.1 101", 1000),
    ],
)
async def test_application_that_ends_closes_the_socket(
    accepted: bool, crash: bool, head: bytes, code: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    """W10."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if accepted:
            await send({"type": "websocket.accept"})
        if crash:
            raise ValueError("boom")

    peer = await Peer(app).start()
    assert peer.head().startswith(head)
    if code:
        assert peer.events() == [Close(code)]
    assert ("boom" in caplog.text) is crash
    assert ("without an answer" in caplog.text) is (not accepted and not crash)


def raise_disconnected() -> None:
    raise ClientDisconnected


def raise_group() -> None:
    raise ExceptionGroup("tasks", [ClientDisconnected(), ExceptionGroup("more", [ClientDisconnected()])])


def raise_mixed_group() -> None:
    raise ExceptionGroup("tasks", [ClientDisconnected(), ValueError("boom")])


@pytest.mark.parametrize(
    ("failure", "logged"), [(raise_disconnected, False), (raise_group, False), (raise_mixed_group, True)]
)
async def test_our_own_disconnect_error_is_never_logged(
    failure: Callable[[], None], logged: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """W8, HE13: also where a task group wraps it."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass
        failure()

    caplog.set_level(logging.INFO)
    peer = await Peer(app).start()
    peer.connection.connection_lost(None)
    await turn()
    assert bool(caplog.records) is logged


async def test_cancelled_application_closes_with_1011() -> None:
    peer = await Peer().accept()
    (task,) = peer.state.tasks
    task.cancel()
    await turn()
    assert task.cancelled()
    assert peer.events() == [Close(1011)]


# Shutdown and keep-alive


async def test_shutdown_is_1012_on_both_sides() -> None:
    """W16."""
    peer = await Peer().accept()
    peer.connection.shutdown()
    assert peer.events() == [Close(1012)]
    message = await peer.receive()
    assert message == disconnect(1012)
    assert type(message["code"]) is int
    peer.connection.shutdown()
    assert peer.transport.wire == b""


async def test_shutdown_before_accept_is_503() -> None:
    peer = await Peer().start()
    peer.connection.shutdown()
    assert peer.head().startswith(b"HTTP/1.1 503")
    await peer.receive()
    assert await peer.receive() == disconnect(1012)


async def test_silent_peer_is_dropped_after_the_ping_timeout() -> None:
    """W11."""
    peer = await Peer(ws_ping_interval=30.0, ws_ping_timeout=20.0).accept()
    peer.tick(29.9)
    assert peer.events() == []
    peer.tick(30.0)
    assert peer.events() == [Ping(b"")]
    peer.connection.data_received(peer.client.send_pong())
    peer.tick(50.0)
    peer.tick(59.9)
    assert peer.events() == []
    peer.tick(60.0)
    assert peer.events() == [Ping(b"")]
    peer.tick(79.9)
    assert peer.events() == []
    peer.tick(80.0)
    assert peer.events() == [Close(1011, "no pong in time")]
    assert (await peer.receive())["code"] == 1011
    peer.tick(80.0 + CLOSE_TIMEOUT + TICK)
    assert peer.transport.aborted


async def test_pong_that_lies_unread_because_the_worker_was_busy_is_waited_for() -> None:
    """After a long block of the loop its timer may run before what has arrived is read."""
    peer = await Peer(ws_ping_interval=20.0, ws_ping_timeout=20.0).accept()
    peer.tick(20.0)
    peer.tick(70.0)
    peer.connection.data_received(peer.client.send_pong())
    peer.tick(71.0)
    assert peer.events() == [Ping(b""), Ping(b"")]
    peer.tick(150.0)
    peer.tick(151.0)
    assert peer.events() == [Close(1011, "no pong in time")]


async def test_peer_that_we_do_not_read_is_not_silent() -> None:
    peer = await Peer(ws_ping_interval=20.0, ws_ping_timeout=20.0, ws_max_queue=1).accept()
    peer.connection.data_received(peer.client.send_text("a"))
    peer.tick(20.0)
    peer.tick(40.0)
    assert not peer.transport.closed
    assert not peer.transport.wrote_eof


async def test_pings_without_timeout_go_on_for_ever() -> None:
    peer = await Peer(ws_ping_interval=20.0, ws_ping_timeout=0.0).accept()
    for now in (20.0, 40.0, 60.0):
        peer.tick(now)
    assert peer.events() == [Ping(b"")] * 3
    peer.connection.connection_lost(None)
    peer.tick(80.0)
    assert peer.transport.wire == b""


async def test_no_ping_before_the_handshake_and_none_where_the_interval_is_0() -> None:
    waiting = await Peer(ws_ping_interval=20.0).start()
    waiting.tick(1000.0)
    assert waiting.transport.wire == b""
    silent = await Peer(ws_ping_interval=0.0).accept()
    silent.tick(1000.0)
    assert silent.transport.wire == b""
