"""The same bytes, read by us and by two other parsers: h11 and httptools (llhttp)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import h11
import httptools

from transom.server.http1 import (
    END_OF_MESSAGE,
    NEED_DATA,
    Data,
    RemoteProtocolError,
    Request,
    RequestReader,
)


@dataclass
class Message:
    """One request.

    Attributes:
        end: the offset behind it, or None while it is not complete.
        keep_alive: whether another request may follow; None where the parser does not say so.
        upgraded: whether what follows the head was taken for another protocol.
    """

    method: bytes = b""
    target: bytes = b""
    version: bytes = b""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    end: int | None = None
    keep_alive: bool | None = None
    upgraded: bool = False


@dataclass
class Reading:
    """All that our reader says of a stream.

    Attributes:
        starts: where each message begins.
        refusal: the status of the refusal that ends it.
    """

    messages: list[Message]
    starts: list[int]
    refusal: int | None = None


def read_ours(reader: RequestReader, pieces: Iterable[bytes]) -> Reading:
    """Return what the reader finds; it goes on behind requests that end the connection, as if they had not."""
    reading, received, start = Reading([], []), 0, 0
    try:
        for piece in pieces:
            reader.receive_data(piece)
            received += len(piece)
            while (event := reader.next_event()) is not NEED_DATA:
                if isinstance(event, Request):
                    reading.starts.append(start)
                    reading.messages.append(_our_message(event))
                message = reading.messages[-1]
                if isinstance(event, Data):
                    message.body += event.data
                if event is END_OF_MESSAGE or (isinstance(event, Request) and not reader.in_body):
                    message.end = start = received - reader.buffered
    except RemoteProtocolError as exc:
        reading.refusal = exc.status
    return reading


def _our_message(request: Request) -> Message:
    target = request.line.raw_path + (b"?" + request.line.query if request.line.query else b"")
    version = request.line.http_version.encode()
    headers = list(request.headers)
    return Message(
        request.line.method.encode(), target, version, headers, keep_alive=request.facts.keep_alive
    )


def _origin_form(target: bytes) -> bytes:
    """What we keep of a target: an absolute one without scheme and authority, and no `?` that nothing follows."""
    if target[:7].lower() == b"http://" or target[:8].lower() == b"https://":
        rest = target.partition(b"://")[2]
        cut = min((place for place in (rest.find(b"/"), rest.find(b"?")) if place != -1), default=len(rest))
        target = rest[cut:] if rest[cut : cut + 1] == b"/" else b"/" + rest[cut:]
    path, _, query = target.partition(b"?")
    return path + (b"?" + query if query else b"")


def read_h11(data: bytes) -> Message | None:
    """Return the first request as h11 reads it; None if it refuses it."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    message = Message()
    try:
        connection.receive_data(data)
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                message.method, message.target = event.method, _origin_form(event.target)
                message.version, message.headers = event.http_version, [(n, v) for n, v in event.headers]
            elif isinstance(event, h11.Data):
                message.body += event.data
            elif isinstance(event, h11.EndOfMessage):
                message.end = len(data) - len(connection.trailing_data[0])
                return message
            else:
                return message
    except h11.RemoteProtocolError:
        return None


class _Callbacks:
    """Keeps the first request; llhttp goes on with the next ones by itself."""

    def __init__(self) -> None:
        self.target = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""
        self.in_head = True
        self.keep_alive: bool | None = None
        self.method = self.version = b""
        self.parser: Any = httptools.HttpRequestParser(self)
        self.complete = 0

    def on_url(self, url: bytes) -> None:
        if not self.complete:
            self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.in_head:  # and not among the trailers
            self.headers.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        if self.in_head:
            self.in_head = False
            self.method, self.version = self.parser.get_method(), self.parser.get_http_version().encode()

    def on_body(self, body: bytes) -> None:
        if not self.complete:
            self.body += body

    def on_message_complete(self) -> None:
        self.complete += 1
        if self.complete == 1:
            self.keep_alive = self.parser.should_keep_alive()


def read_httptools(data: bytes, end: int | None) -> Message | None:
    """Return the first request as llhttp reads it; None if it refuses it.

    It does not say where a request ends. So it is given the bytes before a supposed end in two steps, of which the second is the
    last byte: `end` is what was supposed if it finds the request complete with that byte, not before.
    """
    callbacks = _Callbacks()
    parser = callbacks.parser
    message = Message()
    try:
        if end is None:
            parser.feed_data(data)
        else:
            parser.feed_data(data[: end - 1])
            early = callbacks.complete
            parser.feed_data(data[end - 1 : end])
            if not early and callbacks.complete == 1:
                message.end = end
    except httptools.HttpParserUpgrade:
        message.upgraded = True
    except httptools.HttpParserError:
        return None
    message.method, message.version = callbacks.method, callbacks.version
    message.target, message.headers = _origin_form(callbacks.target), callbacks.headers
    message.body, message.keep_alive = callbacks.body, callbacks.keep_alive
    return message
