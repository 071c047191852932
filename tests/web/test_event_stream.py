"""Server-sent events: how they are framed, and how a stream ends."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transom.server import Config, Server
from transom.testing import Client
from transom.web import App, EventStreamResponse, Request, Response, ServerSentEvent, path
from transom.web.event_stream import build_event


def read_events(text: str) -> list[tuple[str, str, str]]:
    """Read a stream as HTML 9.2.6 says; returns type, data and last id of each event that is dispatched."""
    events: list[tuple[str, str, str]] = []
    kind, data, last_id = "", "", ""
    for line in re.split(r"\r\n|\r|\n", text):
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                events.append((kind or "message", data[:-1], last_id))
            kind, data = "", ""
        elif name == "event":
            kind = value
        elif name == "data":
            data += value + "\n"
        elif name == "id" and "\0" not in value:
            last_id = value
    return events


# Framing


@pytest.mark.parametrize(
    ("event", "sent"),
    [
        ("hello", b"data: hello\n\n"),
        ("", b"data: \n\n"),
        ("two\nlines", b"data: two\ndata: lines\n\n"),
        ("a\r\nb\rc\n", b"data: a\ndata: b\ndata: c\ndata: \n\n"),
        ("line\u2028separator\x0b\x85", "data: line\u2028separator\x0b\x85\n\n".encode()),
        ("data: id: 1", b"data: data: id: 1\n\n"),
        ("grün", "data: grün\n\n".encode()),
        ({"votes": 3}, b'data: {"votes":3}\n\n'),
        (None, b"data: null\n\n"),
        (7, b"data: 7\n\n"),
        (["a\nb"], b'data: ["a\\nb"]\n\n'),
        (ServerSentEvent({"a": 1}, "vote"), b'event: vote\ndata: {"a":1}\n\n'),
        (ServerSentEvent("x", id="7", retry=2.5), b"data: x\nid: 7\nretry: 2500\n\n"),
        (ServerSentEvent(id=""), b"id: \n\n"),
        (ServerSentEvent(retry=0), b"retry: 0\n\n"),
        (ServerSentEvent(comment="one\r\ndata: two"), b": one\n: data: two\n\n"),
        (ServerSentEvent("x", comment=""), b": \ndata: x\n\n"),
    ],
)
def test_events_are_framed_by_the_html_standard(event: object, sent: bytes):
    assert build_event(event) == sent


@pytest.mark.parametrize(
    "fields",
    [
        {"event": "a\ndata: b"},
        {"event": "a\rb"},
        {"id": "1\r\n2"},
        {"id": "\n"},
        {"id": "1\0"},
        {"retry": -1},
        {"retry": float("inf")},
        {"retry": float("nan")},
    ],
)
def test_fields_that_a_browser_would_read_otherwise_are_refused(fields: dict[str, Any]):
    with pytest.raises(ValueError, match=next(iter(fields))):
        ServerSentEvent("x", **fields)


def test_data_without_a_form_in_json_is_refused():
    with pytest.raises(TypeError, match="no JSON for object"):
        build_event(object())


TEXT = st.text(st.characters(blacklist_categories=["Cs"]) | st.sampled_from("\r\n: "), max_size=20)
LINE = TEXT.filter(lambda text: not re.search("[\r\n\0]", text))


@given(st.lists(st.tuples(LINE, TEXT, LINE, st.none() | TEXT), max_size=4))
def test_what_is_sent_is_what_a_browser_reads(events: list[tuple[str, str, str, str | None]]):
    stream = b"".join(
        build_event(ServerSentEvent(data, kind, last_id, comment=comment))
        for kind, data, last_id, comment in events
    )
    assert read_events(stream.decode()) == [
        (kind or "message", re.sub(r"\r\n|\r", "\n", data), last_id) for kind, data, last_id, _ in events
    ]


# In process


class Exchange:
    """One response over ASGI messages; the client leaves when told."""

    def __init__(self, response: EventStreamResponse, method: str = "GET") -> None:
        self.messages: list[dict[str, Any]] = []
        self.arrived = asyncio.Event()
        self.gone = asyncio.Event()
        self.told_body = False
        scope: Any = {"type": "http", "method": method, "headers": []}
        self.task = asyncio.ensure_future(response(scope, self.receive, self.send))  # type: ignore[arg-type]

    async def receive(self) -> dict[str, Any]:
        if not self.told_body:
            self.told_body = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        self.messages.append(message)
        self.arrived.set()

    async def until(self, body: bytes) -> None:
        while body not in self.body:
            self.arrived.clear()
            await asyncio.wait_for(self.arrived.wait(), 5)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages)


class Source:
    """Events that are given one by one; knows how its iteration ended."""

    def __init__(self, *events: object, ends: bool = False) -> None:
        self.events = events
        self.ends = ends
        self.waits = asyncio.Event()
        self.end: str = "never begun"

    async def __call__(self) -> AsyncIterator[object]:
        self.end = "not ended"
        try:
            for event in self.events:
                yield event
            if not self.ends:
                self.waits.set()
                await asyncio.Event().wait()
            self.end = "ended"
        except asyncio.CancelledError:
            self.end = "cancelled"
            raise
        except GeneratorExit:
            self.end = "closed"
            raise
        finally:
            await asyncio.sleep(0)  # cleaning up may wait


async def test_a_stream_that_ends_is_a_whole_response():
    exchange = Exchange(EventStreamResponse(Source("a", {"b": 1}, ends=True)()))
    await exchange.task
    assert exchange.messages[0]["headers"] == [
        (b"content-type", b"text/event-stream"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
    ]
    assert [(m["body"], m["more_body"]) for m in exchange.messages[1:]] == [
        (b"", True),
        (b"data: a\n\n", True),
        (b'data: {"b":1}\n\n', True),
        (b"", False),
    ]


async def test_headers_of_the_caller_stay():
    response = EventStreamResponse(Source()(), headers={"cache-control": "no-cache"})
    assert response.headers["cache-control"] == "no-cache"


async def test_the_head_leaves_before_the_first_event():
    source = Source()
    exchange = Exchange(EventStreamResponse(source()))
    await source.waits.wait()
    assert [message["type"] for message in exchange.messages] == [
        "http.response.start",
        "http.response.body",
    ]
    exchange.gone.set()
    await exchange.task


async def test_a_client_that_leaves_ends_an_iterator_that_waits():
    source = Source("a")
    exchange = Exchange(EventStreamResponse(source()))
    await source.waits.wait()
    exchange.gone.set()
    await asyncio.wait_for(exchange.task, 5)
    assert source.end == "cancelled"
    assert exchange.body == b"data: a\n\n"
    assert exchange.messages[-1]["more_body"] is False  # it may have ended its side alone, and read on


async def test_an_iterator_between_two_events_is_closed():
    """The client leaves while an event is being sent, so that the iterator stands at its `yield`."""
    source = Source("a", "b")
    exchange = Exchange(EventStreamResponse(source()))

    async def send(message: dict[str, Any]) -> None:
        exchange.messages.append(message)
        if message.get("body"):
            exchange.gone.set()
            await asyncio.Event().wait()

    exchange.send = send  # type: ignore[method-assign]
    exchange.task.cancel()
    exchange.task = asyncio.ensure_future(
        EventStreamResponse(source())(  # type: ignore[arg-type]
            {"type": "http", "method": "GET", "headers": []},  # type: ignore[typeddict-item]
            exchange.receive,
            send,
        )
    )
    await asyncio.wait_for(exchange.task, 5)
    assert source.end == "closed"


async def test_cancelling_the_response_ends_the_iterator_first():
    source = Source()
    exchange = Exchange(EventStreamResponse(source()))
    await source.waits.wait()
    exchange.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await exchange.task
    assert source.end == "cancelled"


async def test_no_task_is_left_behind():
    before = asyncio.all_tasks()
    source = Source("a")
    exchange = Exchange(EventStreamResponse(source(), heartbeat=0.001))
    await exchange.until(b":\n\n")
    exchange.gone.set()
    await exchange.task
    assert asyncio.all_tasks() == before


async def test_what_the_iterator_raises_is_raised_as_it_is():
    async def events() -> AsyncIterator[str]:
        yield "a"
        raise LookupError("no more")

    exchange = Exchange(EventStreamResponse(events()))
    with pytest.raises(LookupError, match="no more"):
        await exchange.task
    assert exchange.messages[-1]["more_body"] is True  # cut off, so that the server breaks the connection


async def test_what_sending_raises_ends_the_iterator():
    source = Source("a")
    response = EventStreamResponse(source())

    async def send(message: dict[str, Any]) -> None:
        if message.get("body"):
            raise OSError("gone")

    async def receive() -> Any:
        await asyncio.Event().wait()

    with pytest.raises(OSError, match="gone"):
        await response({"method": "GET"}, receive, send)  # type: ignore[arg-type, typeddict-item]
    assert source.end == "closed"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_an_iterator_that_never_began_is_closed_too(method: str):
    """As one that holds a subscription from when it was made."""
    closed: list[bool] = []

    class Events:
        def __aiter__(self) -> "Events":
            return self

        async def __anext__(self) -> str:
            raise AssertionError("nobody takes it")

        async def aclose(self) -> None:
            closed.append(True)

    async def send(message: dict[str, Any]) -> None:
        raise OSError("gone")

    async def receive() -> Any:
        await asyncio.Event().wait()

    with pytest.raises(OSError, match="gone"):
        await EventStreamResponse(Events())({"method": method}, receive, send)  # type: ignore[arg-type, typeddict-item]
    assert closed == [True]


async def test_heartbeats_while_the_iterator_waits():
    source = Source("a")
    exchange = Exchange(EventStreamResponse(source(), heartbeat=0.001))
    await exchange.until(b":\n\n:\n\n")
    exchange.gone.set()
    await exchange.task
    assert re.fullmatch(rb"data: a\n\n(:\n\n)+", exchange.body)
    assert read_events(exchange.body.decode()) == [("message", "a", "")]


async def test_no_heartbeat_between_events_that_follow_each_other():
    exchange = Exchange(EventStreamResponse(Source(*["a"] * 100, ends=True)(), heartbeat=60))
    await exchange.task
    assert b":\n\n" not in exchange.body.replace(b"data: a\n\n", b"")


async def test_heartbeats_can_be_left_out():
    source = Source()
    before = len(asyncio.all_tasks())
    exchange = Exchange(EventStreamResponse(source(), heartbeat=None))
    await source.waits.wait()
    assert len(asyncio.all_tasks()) == before + 3  # the response, its events, its client
    exchange.gone.set()
    await exchange.task


@pytest.mark.parametrize("heartbeat", [0, -1])
def test_a_heartbeat_without_an_interval_is_refused(heartbeat: float):
    with pytest.raises(ValueError, match="heartbeat"):
        EventStreamResponse(Source()(), heartbeat=heartbeat)


def test_a_plain_iterator_is_refused():
    with pytest.raises(TypeError, match="async iterator"):
        EventStreamResponse(["a"])  # type: ignore[arg-type]


async def test_head_asks_for_no_event():
    source = Source("a")
    exchange = Exchange(EventStreamResponse(source()), "HEAD")
    await exchange.task
    assert source.end == "never begun"
    assert [message.get("body") for message in exchange.messages] == [None, b""]


@pytest.mark.parametrize(("field", "seen"), [(b"7", "7"), (None, ""), ("grün".encode(), "grün")])
def test_the_last_event_id_of_a_request(field: bytes | None, seen: str):
    headers = [] if field is None else [(b"last-event-id", field)]
    scope: Any = {"type": "http", "method": "GET", "path": "/", "headers": headers}
    assert Request(scope, None).last_event_id == seen  # type: ignore[arg-type]  # nothing is read


async def test_a_client_resumes_where_it_was():
    async def numbers(request: Request) -> Response:
        first = int(request.last_event_id or 0) + 1

        async def count() -> AsyncIterator[ServerSentEvent]:
            for number in range(first, first + 2):
                yield ServerSentEvent(number, id=str(number))

        return EventStreamResponse(count())

    async with Client(App([path("", numbers)], debug=True)) as client:
        first = read_events((await client.get("/")).text)
        again = read_events((await client.get("/", headers={"last-event-id": first[-1][2]})).text)
    assert [event[1] for event in first + again] == ["1", "2", "3", "4"]


# Over a real server


@contextlib.asynccontextmanager
async def serving(source: Source) -> AsyncIterator[tuple[Server, Any, Any]]:
    """Serve a stream, and open it with a client that has read the head."""

    async def view(request: Request) -> Response:
        return EventStreamResponse(source())

    app = App([path("", view)], debug=True)
    async with Server(app, Config(port=0, timeout_graceful_shutdown=5.0)) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.addresses[0][1])
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"text/event-stream" in await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        yield server, reader, writer
        writer.close()


async def test_the_iterator_ends_when_the_client_of_a_server_leaves(caplog: pytest.LogCaptureFixture):
    source = Source("a")
    async with serving(source) as (server, reader, writer):
        assert await asyncio.wait_for(reader.readuntil(b"data: a\n\n"), 5)
        await source.waits.wait()
        writer.close()
        while server.state.tasks:
            await asyncio.sleep(0)
        assert source.end == "cancelled"
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_a_server_that_stops_ends_the_stream_whole(caplog: pytest.LogCaptureFixture):
    source = Source("a")
    async with serving(source) as (server, reader, writer):
        await source.waits.wait()
        stopping = asyncio.create_task(server.stop())
        assert (await asyncio.wait_for(reader.read(-1), 5)).endswith(b"data: a\n\n\r\n0\r\n\r\n")
        writer.close()
        await asyncio.wait_for(stopping, 5)
        assert source.end == "cancelled"
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
