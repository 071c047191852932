"""From bytes to events: the request side of one HTTP/1.1 connection.

The reader finds where a head ends, has exactly that head parsed (`head.py`), and takes the body out of its framing itself. So

- a head is judged whole: the outcome cannot depend on how the bytes were cut into reads, and limits are exact;
- bytes behind a request stay here, unparsed, until `next_event` is called again: pipelining needs no queue.

A client mostly repeats its field lines from request to request. The reader remembers those of the last request, and while the
bytes are equal does not parse them again: the cheap half of what HPACK does for HTTP/2. A connection on which they change from
request to request (a proxy's, say) stops remembering.

httptools (llhttp) checks the grammar of the field lines, Content-Length, and CR and LF. The request line, Host, a single final
`chunked`, unknown expectations, and all limits are checked by us. A check that fails is final: there is no way to know where a
next request begins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from transom.server.http1.body import BodyDecoder, ChunkedDecoder, LengthDecoder
from transom.server.http1.events import END_OF_MESSAGE, NEED_DATA, PLAIN, Event, Request
from transom.server.http1.exceptions import RemoteProtocolError
from transom.server.http1.head import HeadParser
from transom.server.target import METHOD_BYTES

if TYPE_CHECKING:
    from transom.server.http1.limits import Limits
    from transom.server.target import RequestLine

MAX_REMEMBERED: Final = (
    2048  # bytes of field lines, and of a request that came twice; an idle connection holds on to them
)
MAX_CHANGES: Final = 8


class RequestReader:
    """Bytes in, events out. Give bytes to `receive_data`, then call `next_event` until it answers `NEED_DATA`.

    Args:
        limits: what a client may send.
        parser: the worker's; a reader of its own if it is left out.

    Attributes:
        buffered: bytes received and not yet turned into events.
        headers: field lines of the request read last, if `read_repeat` found it; not to be changed.
        in_body: whether the body of the request read last is not complete yet.
    """

    __slots__ = (
        "_always_fits",
        "_body",
        "_buffer",
        "_changes",
        "_facts",
        "_fields",
        "_limits",
        "_line_room",
        "_lines",
        "_parser",
        "_position",
        "_repeat",
        "_repeat_line",
        "_repeat_size",
        "_version",
        "buffered",
        "headers",
        "in_body",
    )

    def __init__(self, limits: Limits, parser: HeadParser | None = None) -> None:
        self._limits = limits
        self._always_fits = min(limits.request_line, limits.head)
        self._parser = parser = parser or HeadParser()
        self._lines = parser.lines
        self.buffered = 0
        self.in_body = False
        self._buffer = b""
        self._position = 0  # everything before it has been turned into events
        self._body: BodyDecoder | None = None
        # What is remembered of the last request: its field lines as they came, and what was made of them.
        self._fields = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self._facts = PLAIN
        self._version = ""
        self._line_room = 0  # the longest request line with which such a head is within its limits; 0: nothing is remembered
        self._repeat_size = -1  # bytes of those fields, if there is nothing special about them
        self._repeat = b""  # the whole of it, once it came a second time
        self._repeat_line: RequestLine | None = None
        self._changes = 0  # requests in a row with other fields than the one before

    def receive_data(self, data: bytes) -> None:
        """Add bytes that arrived."""
        if self._position == len(self._buffer):
            self._buffer = data
        else:
            self._buffer = self._buffer[self._position :] + data
        self._position = 0
        self.buffered = len(self._buffer)

    def take_rest(self) -> bytes:
        """Return and forget what follows the last event: after an upgrade it belongs to another protocol."""
        rest = self._buffer[self._position :]
        self._buffer, self._position, self.buffered = b"", 0, 0
        return rest

    def read_repeat(self, data: bytes) -> RequestLine | None:
        """Take bytes that are exactly one request with the fields of the last one and nothing special about it.

        Only while nothing is buffered and no body is being read. Returns the request line; the fields are `headers`. If None,
        nothing was taken, and the bytes are for `receive_data`.
        """
        if data == self._repeat:
            return self._repeat_line
        line_end = data.find(b"\r\n")
        if (
            0 < line_end <= self._line_room
            and line_end + self._repeat_size == len(data)
            and data.endswith(self._fields)
        ):
            line = data[:line_end]
            try:
                parsed = self._lines.get(line) or self._parser.parse_line(line)
            except RemoteProtocolError:
                return None  # `next_event` will say it again
            if parsed.http_version == self._version and parsed.authority is None:
                self._changes = 0
                if len(data) <= MAX_REMEMBERED:
                    self._repeat, self._repeat_line = data, parsed
                return parsed
        return None

    def next_event(self) -> Event:
        """Return the next event, or `NEED_DATA`.

        One function for a plain head, because every request passes here.

        Raises:
            RemoteProtocolError: the client broke a rule; the reader must not be used again.
        """
        if self._body is not None:
            return self._read_body(self._body)
        buffer, start = self._buffer, self._position
        line_end = buffer.find(b"\r\n", start)
        if start < line_end <= start + self._line_room and buffer.startswith(self._fields, line_end):
            line = buffer[start:line_end]
            parsed = self._lines.get(line) or self._parser.parse_line(line)
            if parsed.http_version == self._version and parsed.authority is None:
                self._position = end = line_end + len(self._fields)
                self.buffered = len(buffer) - end
                self._changes = 0
                facts = self._facts
                if facts.length:
                    self._begin_body(facts.length)
                return Request(parsed, self.headers.copy(), facts)
        return self._read_head(start, line_end)

    def _read_head(self, start: int, line_end: int) -> Event:
        """Parse a head whose fields are not those of the last request."""
        buffer, limits = self._buffer, self._limits
        if line_end == start:  # RFC 9112 2.2: a server should ignore one empty line before a request line
            start += 2
            line_end = buffer.find(b"\r\n", start)
        end = buffer.find(b"\r\n\r\n", start)
        if len(buffer) - start > self._always_fits:
            self._check_size(start, line_end, end)
        if end == -1:
            self._check_beginning(start, line_end, len(buffer))
            return NEED_DATA
        end += 4
        raw = buffer[line_end:end]
        line = self._parser.parse_line(buffer[start:line_end])
        request = self._parser.parse_fields(raw, line, limits.field_count, limits.field)
        self._line_room = 0
        self._repeat = b""
        if self._changes < MAX_CHANGES and len(raw) <= MAX_REMEMBERED:
            self._changes += 1
            self._fields, self.headers = raw, request.headers.copy()
            self._facts, self._version = request.facts, line.http_version
            self._repeat_size = len(raw) if request.facts.are_plain else -1
            self._line_room = min(limits.request_line, limits.head - len(raw))
        self._position = end
        self.buffered = len(buffer) - end
        if request.facts.length:
            self._begin_body(request.facts.length)
        return request

    def _check_size(self, start: int, line_end: int, end: int) -> None:
        limits, size = self._limits, len(self._buffer) - start
        if (size if line_end == -1 else line_end - start) > limits.request_line + (line_end == -1):
            self._check_beginning(start, -1, start + limits.request_line)
            raise RemoteProtocolError(f"request line is over {limits.request_line} bytes", 414)
        if (size if end == -1 else end + 4 - start) > limits.head:
            self._check_beginning(start, line_end, start + limits.head)
            raise RemoteProtocolError(f"request head is over {limits.head} bytes", 431)

    def _check_beginning(self, start: int, line_end: int, stop: int) -> None:
        """Refuse a head that is not whole for what is wrong with it before `stop`.

        Its end may never come: a TLS handshake on a plain port, lines that end in LF alone. When it does come, in the same read
        as its beginning, it is refused in the same way.
        """
        part = self._buffer[start:stop]
        if line_end != -1:
            self._parser.parse_line(self._buffer[start:line_end])
        elif part and part[:1] not in METHOD_BYTES and part != b"\r":
            raise RemoteProtocolError("this is not an HTTP request line (RFC 9112 section 3)")
        if part.count(b"\n") != part.count(b"\r\n"):
            raise RemoteProtocolError("bare LF in a request head (RFC 9112 section 2.2)")

    def _begin_body(self, length: int) -> None:
        limit = self._limits.body
        if limit and length > limit:
            raise RemoteProtocolError(f"request body is over {limit} bytes", 413)
        self._body = ChunkedDecoder(self._limits) if length == -1 else LengthDecoder(length)
        self.in_body = True

    def _read_body(self, body: BodyDecoder) -> Event:
        event, self._position = body.decode(self._buffer, self._position)
        self.buffered = len(self._buffer) - self._position
        if event is END_OF_MESSAGE:
            self._body = None
            self.in_body = False
        return event
