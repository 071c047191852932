"""Server-sent events: a response that lasts, for `EventSource` in browsers.

Three tasks of one group serve a stream, so that none waits for another: one takes the events and sends them, one sends
heartbeats while nothing else is sent, and one waits for the client to leave. The iterator of the events lives in the first
task alone, from its first event to its end: where the client leaves, that task is cancelled, which reaches the iterator
wherever it waits, and `aclose` runs before the response returns.

Source: HTML Living Standard, section 9.2 "Server-sent events".
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from transom.web.response import Response, build_json

if TYPE_CHECKING:
    from transom.asgi.types import HTTPResponseStartEvent, HTTPScope, Receive, Send
    from transom.web.headers import HeadersInit

__all__ = ["EventStreamResponse", "ServerSentEvent", "build_event"]

# HTML 9.2.5 `end-of-line`; `str.splitlines` knows many more, which are content here.
LINE_END = re.compile(r"\r\n|\r|\n")
# Proxies drop what is silent for long: nginx and AWS after 60 s, Heroku after 55, some mobile networks after 30.
HEARTBEAT = 15.0
BEAT = b":\n\n"
NO_DATA: Any = msgspec.UNSET  # Any: stands where any value may


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event of an `EventStreamResponse`.

    Args:
        data: text is sent as it is, in as many lines as it has; anything else as JSON, see `JSONResponse`. Without it the
            browser hears of no event, and only takes note of `id` and `retry`.
        event: the type that `addEventListener` is called with; empty for `message`.
        id: what the browser sends back as `Last-Event-ID` when it connects again, see `Request.last_event_id`; empty makes it
            forget the last one, None leaves that alone.
        retry: seconds the browser is to wait before it connects again; None leaves that alone.
        comment: text that browsers ignore.

    Raises:
        ValueError: the type or the id has a line break, the id a NUL, or `retry` is negative: the browser would read them as
            something else.
    """

    data: object = NO_DATA
    event: str = ""
    id: str | None = None
    retry: float | None = None
    comment: str | None = None

    def __post_init__(self) -> None:
        for name, value in (("event", self.event), ("id", self.id)):
            if value and LINE_END.search(value):
                raise ValueError(f"{name} {value!r} of an event has a line break; leave it out")
        if self.id and "\0" in self.id:
            raise ValueError(
                f"id {self.id!r} of an event has a NUL, for which browsers ignore it; leave it out"
            )
        if self.retry is not None and not 0 <= self.retry < float("inf"):
            raise ValueError(f"retry {self.retry!r} is no time to wait; give seconds, 0 or more")


class EventStreamResponse(Response):
    """A stream of events as they happen.

    Each event is sent before the next is asked for. The iterator is closed as soon as the client leaves, even while it waits,
    when the server stops, and when sending fails. A server that stops ends the stream properly: browsers connect again, and
    send the id of the last event they have seen.

    Sends `cache-control: no-store`, and `x-accel-buffering: no` against the buffers of proxies.

    Args:
        events: an async iterator of `ServerSentEvent`, or of values that become the data of one each.
        status: see `Response`; browsers take events with 200 alone, and stop connecting again with 204.
        headers: see `Response`.
        heartbeat: seconds after which a comment is sent where nothing else was, so that proxies do not drop the connection and
            a client that is gone is noticed; None for none.

    Raises:
        TypeError: `events` is not an async iterable.
        ValueError: `heartbeat` is not positive.
    """

    default_content_type: ClassVar[str] = "text/event-stream"

    def __init__(
        self,
        events: AsyncIterable[object],
        status: int = 200,
        headers: HeadersInit | None = None,
        *,
        heartbeat: float | None = HEARTBEAT,
    ) -> None:
        # A plain iterator would block the event loop, unseen by type checkers in untyped code.
        if not isinstance(events, AsyncIterable):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(
                f"EventStreamResponse got {type(events).__name__}; give it an async iterator (`async def` with `yield`)"
            )
        if heartbeat is not None and heartbeat <= 0:
            raise ValueError(f"heartbeat {heartbeat!r} must be positive; None sends none")
        self._init_head(status, headers, None)
        self.headers.setdefault("cache-control", "no-store")
        self.headers.setdefault("x-accel-buffering", "no")
        self.events = events
        self.heartbeat = heartbeat

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        """Send the events as they come, until they end or the client leaves.

        Cancellation: the iterator is closed before the cancellation goes on.

        Raises:
            Exception: what the iterator raised, or its value that has no form in JSON.
        """
        sender = _Sender(
            send, {"type": "http.response.start", "status": self.status, "headers": self.headers.raw}
        )
        if scope["method"] == "HEAD":
            await sender.run(self.events, is_head=True)
            return
        error = await _run_until_one_ends(sender, self.events, receive, self.heartbeat)
        if error is not None:
            raise error
        # A client may have ended its side alone, and a server that stops says so by the same message: both still read.
        with contextlib.suppress(OSError):
            await sender.send(b"", more_body=False)


class _Sender:
    """Sends one piece at a time, and knows when the last one left."""

    def __init__(self, send: Send, start: HTTPResponseStartEvent) -> None:
        self._send = send
        self._start = start
        self._turn = asyncio.Lock()
        self._clock = asyncio.get_running_loop().time
        self._last = self._clock()
        self._ended = False

    async def run(self, events: AsyncIterable[object], *, is_head: bool = False) -> None:
        """Send all events, and the end; to a HEAD request the end alone."""
        async with AsyncExitStack() as stack:
            iterator = aiter(events)
            if close := getattr(iterator, "aclose", None):
                stack.push_async_callback(close)
            await self._send(self._start)
            if not is_head:
                await self.send(
                    b""
                )  # the head leaves now, not with the first event: a browser is told that it is connected
                async for event in iterator:
                    await self.send(build_event(event))
        await self.send(b"", more_body=False)

    async def send(self, piece: bytes, *, more_body: bool = True) -> None:
        async with self._turn:
            if not self._ended:  # by whoever had the turn before
                self._ended = not more_body
                await self._send({"type": "http.response.body", "body": piece, "more_body": more_body})
                self._last = self._clock()

    async def beat(self, interval: float) -> None:
        """Send a comment whenever nothing has been sent for so long."""
        while not self._ended:
            left = self._last + interval - self._clock()
            await (asyncio.sleep(left) if left > 0 else self.send(BEAT))


async def _run_until_one_ends(
    sender: _Sender, events: AsyncIterable[object], receive: Receive, heartbeat: float | None
) -> BaseException | None:
    """Send events until they end or the client leaves; return what went wrong, as it was raised."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(sender.run(events)), group.create_task(_wait_for_end(receive))]
            beats = [] if heartbeat is None else [group.create_task(sender.beat(heartbeat))]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in (*tasks, *beats):
                task.cancel()
    except BaseExceptionGroup as errors:
        return errors.exceptions[0]
    return None


async def _wait_for_end(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass  # the end of a body that nobody has asked for


def build_event(event: object) -> bytes:
    """Return an event as it is sent; a value that is no `ServerSentEvent` is the data of one.

    Raises:
        TypeError: the data has no form in JSON.
        UnicodeEncodeError: a text has lone surrogates.
    """
    if not isinstance(event, ServerSentEvent):
        event = ServerSentEvent(event)
    lines = [] if event.comment is None else [f": {line}" for line in LINE_END.split(event.comment)]
    if event.event:
        lines.append(f"event: {event.event}")
    if event.data is not NO_DATA:
        data = event.data if isinstance(event.data, str) else build_json(event.data).decode()
        lines += [f"data: {line}" for line in LINE_END.split(data)]
    if event.id is not None:
        lines.append(f"id: {event.id}")
    if event.retry is not None:
        lines.append(f"retry: {round(event.retry * 1000)}")
    return "\n".join((*lines, "", "")).encode()
