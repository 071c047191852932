"""The same frames, read by our session and by the library h2 as a server, both with the same windows and the same answers."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, TypeAlias

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings
from h2.settings import SettingCodes
from http2_conversations import RST_STREAM, Pair, parse_frame, split_frames

from transom.server.http1 import Limits
from transom.server.http2 import (
    DataReceived,
    RequestRefused,
    Session,
    SessionConfig,
    Stream,
    StreamClosed,
)
from transom.server.http2.windows import DEFAULT_SIZE

WINDOW: Final = 1000  # bytes of a stream; small, so that clients come to its end
_CONFIG: Final = SessionConfig(initial_window_size=WINDOW, connection_window_size=DEFAULT_SIZE)
_THEIR_CONFIG: Final = h2.config.H2Configuration(
    client_side=False, header_encoding=None, normalize_inbound_headers=False
)
_LIMITS: Final = Limits()
NO_ERROR: Final = 0
NOW, NEVER = b"/now", b"/never"
"""Paths of requests that are answered with their head, or not at all; all others are when they are complete."""


class Verdict(IntEnum):
    """What became of a piece."""

    ACCEPTED = 0
    RESET = 1
    ENDED = 2


@dataclass(frozen=True)
class Request:
    """A request head, in a form that both readers can be brought to."""

    stream_id: int
    method: bytes
    target: bytes
    scheme: bytes
    protocol: bytes
    fields: tuple[Pair, ...]
    is_complete: bool


@dataclass(frozen=True)
class Refused:
    """A request that is answered with a status and reaches no application."""

    stream_id: int
    status: int


@dataclass(frozen=True)
class Data:
    """A piece of a body, or with `is_complete` its end, with trailers or without."""

    stream_id: int
    data: bytes
    is_complete: bool


@dataclass(frozen=True)
class Closed:
    """The stream was reset by the client."""

    stream_id: int


Event: TypeAlias = Request | Refused | Data | Closed


@dataclass
class Step:
    """What one piece led to.

    Attributes:
        verdict: of the reader.
        events: for an application.
        reason: of the end of the connection.
        trailers: that were read; only h2 says so.
    """

    verdict: Verdict
    events: list[Event]
    reason: str = ""
    trailers: list[Pair] = field(default_factory=list, compare=False)


class Application:
    """Decides which requests are answered behind a step: those for NOW with their head, for NEVER not, others when complete."""

    def __init__(self) -> None:
        self._waiting: set[int] = set()

    def take(self, step: Step) -> list[int]:
        """Return the streams to answer."""
        return [event.stream_id for event in step.events if self._is_due(event)]

    def _is_due(self, event: Event) -> bool:
        if isinstance(event, Request):
            if not event.is_complete and not event.target.startswith((NOW, NEVER)):
                self._waiting.add(event.stream_id)
            return event.target.startswith(NOW) or (event.is_complete and not event.target.startswith(NEVER))
        if isinstance(event, Data):
            return event.is_complete and event.stream_id in self._waiting
        return isinstance(event, Refused)


class Ours:
    """Our session.

    Attributes:
        resets: streams that it has reset.
    """

    def __init__(self) -> None:
        self.session = Session(_LIMITS, _CONFIG, Stream, 0.0)
        self.greeting = self._take()
        self.resets: set[int] = set()

    def _take(self) -> bytes:
        return self.session.take_output(1 << 20)[0]

    def _take_resets(self) -> set[int]:
        frames = map(parse_frame, split_frames(self._take()))
        resets = {frame.stream_id for frame in frames if frame.type == RST_STREAM}
        self.resets |= resets
        return resets

    def feed(self, piece: bytes) -> Step:
        """Read a piece, which holds no more than one frame."""
        found = self.session.receive_data(piece)
        resets = self._take_resets()
        if self.session.failure is not None:
            return Step(Verdict.ENDED, [], str(self.session.failure))
        if resets:
            return Step(Verdict.RESET, [])
        return Step(Verdict.ACCEPTED, [_from_ours(event) for event in found])

    def answer(self, stream_id: int) -> None:
        """Send a response without a body."""
        stream = self.session.streams.open[stream_id]
        self.session.sender.send_whole(stream, 200, (), b"", b"")
        self.session.streams.release(stream)
        self._take_resets()


def read_ours(pieces: Iterable[bytes]) -> tuple[list[Event], bytes]:
    """Return all that a session finds in these pieces, and what it sends if nothing is answered."""
    session = Session(_LIMITS, _CONFIG, Stream, 0.0)
    events = [_from_ours(event) for piece in pieces for event in session.receive_data(piece)]
    return events, session.take_output(1 << 20)[0]


def _from_ours(event: object) -> Event:
    if isinstance(event, Stream):
        head = event.head
        line = head.line
        target = line.raw_path + (b"?" + line.query if line.query else b"")
        fields = tuple(head.headers)
        return Request(
            event.stream_id,
            line.method.encode(),
            target,
            head.scheme.encode(),
            head.protocol,
            fields,
            not event.has_body,
        )
    if isinstance(event, RequestRefused):
        return Refused(event.stream.stream_id, event.status)
    if isinstance(event, DataReceived):
        return Data(event.stream.stream_id, event.data, event.is_complete)
    assert isinstance(event, StreamClosed), event
    return Closed(event.stream.stream_id)


GREETING: Final = Ours().greeting
"""What a server says first."""


class Theirs:
    """h2 as a server."""

    def __init__(self) -> None:
        self.connection = h2.connection.H2Connection(_THEIR_CONFIG)
        self.connection.local_settings = h2.settings.Settings(
            client=False,
            initial_values={
                SettingCodes.INITIAL_WINDOW_SIZE: WINDOW,
                SettingCodes.MAX_CONCURRENT_STREAMS: 100,
                SettingCodes.ENABLE_CONNECT_PROTOCOL: 1,
            },
        )
        self.connection.initiate_connection()
        self.connection.clear_outbound_data_buffer()

    def feed(self, piece: bytes) -> Step:
        """Read a piece, which holds no more than one frame."""
        try:
            found = self.connection.receive_data(piece)
        except h2.exceptions.ProtocolError as exc:
            return Step(Verdict.ENDED, [], f"{type(exc).__name__}: {exc}")
        output = self.connection.data_to_send()
        events = [each for event in found for each in _from_theirs(event)]
        if any(parse_frame(frame).type == RST_STREAM for frame in split_frames(output)):
            return Step(Verdict.RESET, [])
        trailers = [
            pair for event in found if isinstance(event, h2.events.TrailersReceived) for pair in event.headers
        ]
        return Step(Verdict.ACCEPTED, events, trailers=trailers)

    def answer(self, stream_id: int) -> None:
        """Send a response without a body, and ask for no more of a request that goes on."""
        self.connection.send_headers(stream_id, [(":status", "200")], end_stream=True)
        with suppress(h2.exceptions.StreamClosedError):
            self.connection.reset_stream(stream_id, NO_ERROR)
        self.connection.clear_outbound_data_buffer()


def _from_theirs(event: object) -> list[Event]:
    if isinstance(event, h2.events.RequestReceived):
        return [_to_request(event.stream_id, list(event.headers), event.stream_ended is not None)]
    if isinstance(event, h2.events.DataReceived):
        return [Data(event.stream_id, event.data, event.stream_ended is not None)]
    if isinstance(event, h2.events.TrailersReceived):
        return [Data(event.stream_id, b"", True)]
    if isinstance(event, h2.events.StreamReset):
        return [Closed(event.stream_id)]
    return []


def _to_request(stream_id: int, pairs: list[Pair], is_complete: bool) -> Request:
    """Return a head as our session has it: Host first where there was :authority, one cookie, no `?` that nothing follows."""
    control = {name: value for name, value in pairs if name.startswith(b":")}
    path, _, query = control.get(b":path", b"").partition(b"?")
    fields: list[Pair] = []
    if b":authority" in control:
        fields.append((b"host", control[b":authority"]))
    cookie = b"; ".join(value for name, value in pairs if name == b"cookie")
    for name, value in pairs:
        if name.startswith(b":") or (name == b"host" and b":authority" in control):
            continue
        if name != b"cookie":
            fields.append((name, value))
        elif cookie not in dict(fields).values():
            fields.append((name, cookie))
    return Request(
        stream_id,
        control[b":method"],
        path + (b"?" + query if query else b""),
        control.get(b":scheme", b"").lower(),
        control.get(b":protocol", b""),
        tuple(fields),
        is_complete,
    )
