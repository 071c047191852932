"""What we answer over HTTP/2 comes out of the library h2 as it went in, whatever windows, tables and turns its client has."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import h2.config
import h2.connection
import h2.events
import pytest
from h2.settings import SettingCodes, Settings
from http1_streams import Choices
from http2_conversations import PRIORITY_UPDATE, Frame, Pair, split_frames
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from transom.server.http1 import Limits
from transom.server.http2 import (
    Session,
    SessionConfig,
    Stream,
    StreamClosed,
    build_fields,
    build_head,
    encode_length,
    encode_literals,
)

CASES = 600
MANY_CASES = int(os.environ.get("TRANSOM_TEST_FUZZ_CASES", "200000")) // 40
EXCHANGES = 5  # in one example
_CONFIG: Final = h2.config.H2Configuration(header_encoding=None)

STATUSES = (200, 200, 204, 404, 304, 599)
FIELDS = (
    (b"content-type", b"text/html"), (b"Content-Type", b"text/html"), (b"x-one", b"1"), (b"x-one", b"2"), (b"x-empty", b""),
    (b"set-cookie", b"a=b"), (b"set-cookie", b"c=d; secure"), (b"x-latin", b"\xe9\xff"), (b"x-tab", b"a\tb"), (b"x", b" a "),
    (b"cache-control", b"no-cache"), (b"etag", b'"1"'), (b"x-long", b"y" * 3000), (b"x-huge", b"z" * 9000), (b"x" * 300, b"v"),
    (b"connection", b"close"), (b"transfer-encoding", b"chunked"), (b"x-medium", b"m" * 900), (b"x-other", b"m" * 901),
)  # fmt: skip
EARLY = ((b"link", b"</style.css>; rel=preload"),)
LITERALS = ((b"date", b"Thu, 01 Jan 1970 00:00:00 GMT"),)
SIZES = (0, 1, 9, 100, 1000, 16_384, 16_385, 40_000)
TRAILERS = ((b"x-checksum", b"abc"), (b"x-one", b"1"), (b"X-Upper", b""))
WINDOWS = (65_535, 0, 1, 10, 1000, 100_000)
SETTINGS = (
    (SettingCodes.INITIAL_WINDOW_SIZE, WINDOWS),
    (SettingCodes.HEADER_TABLE_SIZE, (4096, 0, 60, 500, 65_536)),
    (SettingCodes.MAX_FRAME_SIZE, (16_384, 16_385, 100_000)),
)


@dataclass
class Response:
    """What is sent on one stream, or has come."""

    head: list[Pair] = field(default_factory=list)
    informational: list[list[Pair]] = field(default_factory=list)
    body: bytes = b""
    trailers: list[Pair] = field(default_factory=list)
    is_complete: bool = False


class Exchange:
    """A client and our session, which take turns as bytes decide."""

    def __init__(self, data: bytes) -> None:
        self._choices = Choices(data)
        # What streams have sent and received, and which of them the client has reset.
        self.sent: dict[int, Response] = {}
        self.received: dict[int, Response] = {}
        self.resets: set[int] = set()
        self._heads: set[int] = set()
        self._open: dict[int, Stream] = {}
        self._session = Session(Limits(), SessionConfig(), Stream, 0.0)
        self._client = h2.connection.H2Connection(_CONFIG)
        self._client.local_settings = Settings(
            initial_values={code: self._choices.pick(values) for code, values in SETTINGS}
        )
        self._client.max_inbound_frame_size = self._client.local_settings.max_frame_size
        self._client.initiate_connection()

    def run(self) -> None:
        """Let both do what they do, then let the client give room until all has come."""
        for _ in range(4 + self._choices.below(24)):
            self._choices.pick(_ACTIONS)(self)
            if self._choices.below(2):
                self._pass_on()
        for stream in list(self._open.values()):
            self._end(stream)
        self._pass_on()
        for _ in range(50):
            self._give_room(100_000)
            self._pass_on()
        assert all(self.received[number].is_complete for number in self.sent)

    # Client

    def _ask(self) -> None:
        below = self._choices.below
        method = "HEAD" if below(8) == 7 else "GET"
        head = [(":method", method), (":scheme", "http"), (":authority", "a"), (":path", "/")]
        if below(2):
            head.append(("priority", f"u={below(8)}" + (", i" if below(2) else "")))
        stream = self._client.get_next_available_stream_id()
        self._client.send_headers(stream, head, end_stream=True)
        self.received[stream] = Response()
        if method == "HEAD":
            self._heads.add(stream)
        self._pass_on()

    def _set(self) -> None:
        code, values = self._choices.pick(SETTINGS)
        value = self._choices.pick(values)
        if code == SettingCodes.INITIAL_WINDOW_SIZE:
            # While a window is below 0, h2 does not take the end of a body, for which none is needed (section 6.9.1).
            value = max(value, self._client.local_settings.initial_window_size)
        self._client.update_settings({code: value})
        self._pass_on()

    def _change_priority(self) -> None:
        stream = 1 + 2 * self._choices.below(4)
        value = b"u=%d" % self._choices.below(8) + (b", i" if self._choices.below(2) else b"")
        payload = stream.to_bytes(4, "big") + value
        self._session.receive_data(
            self._client.data_to_send() + Frame(PRIORITY_UPDATE, 0, 0, payload).build()
        )

    def _reset(self) -> None:
        waiting = [number for number, response in self.received.items() if not response.is_complete]
        if waiting and self._choices.below(4) == 3:
            self._pass_on()  # and below: an informational response behind a reset is too much for h2
            number = self._choices.pick(waiting)
            if self.received[number].is_complete:
                return
            self._client.reset_stream(number)
            self.resets.add(number)
            self.received[number].is_complete = True
            self._pass_on()

    def _give_room(self, size: int | None = None) -> None:
        """Give room on all streams, and on the connection."""
        size = size or 1 + self._choices.below(256) * 16
        self._client.increment_flow_control_window(size)
        for number, response in self.received.items():
            if not response.is_complete:
                self._client.increment_flow_control_window(size, number)

    # Session

    def _answer(self) -> None:
        """Begin the response of a stream that has none."""
        waiting = [number for number in self._open if number not in self.sent]
        if not waiting:
            return
        choices, stream = self._choices, self._open[self._choices.pick(waiting)]
        sent = self.sent[stream.stream_id] = Response()
        sender = self._session.sender
        if choices.below(4) == 3:
            sender.send_head(stream, 103, EARLY, b"", end_stream=False)
            sent.informational.append([(b":status", b"103"), *EARLY])
        fields = [choices.pick(FIELDS) for _ in range(choices.below(6))]
        head, literals = build_head(choices.pick(STATUSES), fields), encode_literals(LITERALS)
        sent.head = [(b":status", b"%d" % head.status), *head.fields, *LITERALS]
        body = self._build_body(choices.pick(SIZES))
        if choices.below(2) and stream.stream_id not in self._heads:
            sent.head.append((b"content-length", b"%d" % len(body)))
            sent.body = body
            sender.send_whole(stream, head.status, head.fields, literals + encode_length(len(body)), body)
            self._finish(stream)
            return
        ends = stream.stream_id in self._heads or not body
        sender.send_head(stream, head.status, head.fields, literals, end_stream=ends)
        if ends:
            self._finish(stream)
        else:
            sent.body = body
            sender.send_data(stream, body, end_stream=False)

    def _build_body(self, size: int) -> bytes:
        return bytes([65 + self._choices.below(26)]) * size

    def _go_on(self) -> None:
        """Send one more piece of a body, or its end."""
        begun = [stream for number, stream in self._open.items() if number in self.sent]
        if not begun:
            return
        stream = self._choices.pick(begun)
        if self._choices.below(3) == 2:
            self._end(stream)
            return
        body = self._build_body(self._choices.pick(SIZES))
        self.sent[stream.stream_id].body += body
        self._session.sender.send_data(stream, body, end_stream=False)

    def _end(self, stream: Stream) -> None:
        sent = self.sent.get(stream.stream_id)
        if sent is None:
            self.sent[stream.stream_id] = Response([(b":status", b"204")])
            self._session.sender.send_whole(stream, 204, (), b"", b"")
        else:
            trailers = build_fields(self._choices.pick(TRAILERS) for _ in range(self._choices.below(3)))
            sent.trailers = list(trailers)
            self._session.sender.send_trailers(stream, trailers)
        self._finish(stream)

    def _finish(self, stream: Stream) -> None:
        self.sent[stream.stream_id].is_complete = True
        self._session.streams.release(stream)
        del self._open[stream.stream_id]

    # Between them

    def _pass_on(self) -> None:
        """Carry all that can be sent over, in both directions, at cuts that bytes decide."""
        while data := self._client.data_to_send():
            for event in self._session.receive_data(data):
                if isinstance(event, Stream):
                    self._open[event.stream_id] = event
                elif isinstance(event, StreamClosed):
                    self._open.pop(event.stream.stream_id, None)
        assert self._session.failure is None
        while data := self._session.take_output(1 + self._choices.below(256) * 256)[0]:
            # Frame by frame: within one call h2 goes on with the largest frame that it took before an acknowledgment.
            for frame in split_frames(data):
                cut = self._choices.below(256) * len(frame) // 256
                for event in self._client.receive_data(frame[:cut]) + self._client.receive_data(frame[cut:]):
                    self._take(event)

    def _take(self, event: Any) -> None:
        response = self.received.get(getattr(event, "stream_id", None) or 0, Response())
        if isinstance(event, h2.events.ResponseReceived):
            response.head = list(event.headers)
        elif isinstance(event, h2.events.InformationalResponseReceived):
            response.informational.append(list(event.headers))
        elif isinstance(event, h2.events.DataReceived):
            response.body += event.data
            if event.stream_ended is None and self._choices.below(2):
                self._client.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.TrailersReceived):
            response.trailers = list(event.headers)
        elif isinstance(event, h2.events.StreamEnded):
            response.is_complete = True
        else:
            assert not isinstance(event, h2.events.StreamReset | h2.events.ConnectionTerminated), event


_ACTIONS: Final = (
    Exchange._ask, Exchange._ask, Exchange._answer, Exchange._answer, Exchange._go_on, Exchange._go_on, Exchange._set,
    Exchange._change_priority, Exchange._reset, Exchange._give_room,
)  # fmt: skip


def check(choices: bytes, counts: Counter[str]) -> None:
    exchange = Exchange(choices)
    exchange.run()
    for number, sent in exchange.sent.items():
        if number not in exchange.resets:
            counts["responses"] += 1
            counts["trailers"] += bool(sent.trailers)
            assert exchange.received[number] == sent


def compare(cases: int, *, derandomize: bool) -> Counter[str]:
    counts: Counter[str] = Counter()

    @settings(
        max_examples=-(-cases // EXCHANGES),
        derandomize=derandomize,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(st.binary(min_size=300, max_size=300), min_size=EXCHANGES, max_size=EXCHANGES))
    def run(exchanges: list[bytes]) -> None:
        for choices in exchanges:
            check(choices, counts)

    run()
    return counts


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_h2_reads_what_we_answer():
    counts = compare(CASES, derandomize=True)
    assert counts["responses"] > CASES
    assert counts["trailers"] > CASES / 20


@pytest.mark.conformance
@pytest.mark.timeout(7200)
def test_h2_reads_many_more_of_our_answers():
    """Others each time, as many as TRANSOM_TEST_FUZZ_CASES says, divided by 40."""
    counts = compare(MANY_CASES, derandomize=False)
    print(f"\nHTTP/2 responses read by h2: {dict(counts)}")
    assert counts["responses"] > MANY_CASES
