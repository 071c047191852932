"""From bytes to events: the request side of one HTTP/1.1 connection.

The reader finds where a head ends, hands exactly that head to httptools, and takes the body out of its framing itself. So

- a head is judged whole: the outcome cannot depend on how the bytes were cut into reads, and limits are exact;
- bytes behind a request stay here, unparsed, until `next_event` is called again: pipelining needs no queue.

httptools (llhttp) checks the grammar of the field lines, Content-Length, and CR and LF. What it lets pass is checked here:
one space between the parts of the request line, the version, the form of the target, Host, a single final `chunked`,
unknown expectations, and all limits. A check that fails is final: there is no way to know where a next request begins.
"""

from __future__ import annotations

from dataclasses import dataclass

import httptools

from transom.server.http1.body import BodyDecoder, ChunkedDecoder, LengthDecoder
from transom.server.http1.events import END_OF_MESSAGE, NEED_DATA, Event, Request
from transom.server.http1.exceptions import RemoteProtocolError
from transom.server.http1.grammar import check_host, parse_target, parse_tokens

# Fields that decide about framing, routing or the connection; all others pass through untouched.
_DECISIVE = frozenset(
    {b"host", b"content-length", b"transfer-encoding", b"connection", b"expect", b"upgrade"}
)
_ONCE = frozenset({b"host", b"content-length", b"transfer-encoding"})
_VERSIONS = {b"HTTP/1.1": "1.1", b"HTTP/1.0": "1.0"}
_METHODS = {
    name: name.decode() for name in (b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS")
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may send, in bytes unless said otherwise; 0 for `body` means no limit."""

    request_line: int = 8190
    field: int = 8190
    field_count: int = 100
    head: int = 32_768
    body: int = 0


class RequestReader:
    """Bytes in, events out. Give bytes to `receive_data`, then call `next_event` until it answers `NEED_DATA`.

    Attributes:
        buffered: bytes received and not yet turned into events.
        in_body: whether the body of the request read last is not complete yet.
    """

    __slots__ = (
        "_always_fits",
        "_body",
        "_buffer",
        "_decisive",
        "_fields",
        "_limits",
        "_parser",
        "_position",
        "_valid_host",
        "buffered",
        "in_body",
    )

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        # A head of no more bytes than this breaks no limit of size.
        self._always_fits = min(limits.request_line, limits.field, limits.head)
        self.buffered = 0
        self.in_body = False
        self._buffer = b""
        self._position = 0  # everything before it has been turned into events
        self._body: BodyDecoder | None = None
        self._parser: httptools.HttpRequestParser | None = None
        self._fields: list[tuple[bytes, bytes]] = []
        self._decisive: dict[bytes, bytes] = {}
        self._valid_host: bytes | None = None  # the Host checked last: a client repeats it on every request

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

    # The parser calls this once per field line, with the value's trailing whitespace still on. It is the most frequent call of
    # the server: nothing here that can be done once per head.
    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one field line from httptools."""
        name = name.lower()
        value = value.rstrip()  # of space and tab: httptools lets no other whitespace pass
        self._fields.append((name, value))
        if name in _DECISIVE:
            if name in self._decisive:
                self._repeat(name, value)
            else:
                self._decisive[name] = value

    def _repeat(self, name: bytes, value: bytes) -> None:
        if name in _ONCE:
            raise RemoteProtocolError(f"more than one {name.decode()} field (RFC 9112 sections 3.2 and 6.3)")
        self._decisive[name] += b"," + value

    def next_event(self) -> Event:
        """Return the next event, or `NEED_DATA`.

        One function for a plain head, because every request passes here: find its end, have it parsed, look at what the parser
        does not check. What only some heads need has functions of its own.

        Raises:
            RemoteProtocolError: the client broke a rule; the reader must not be used again.
        """
        if self._body is not None:
            return self._read_body(self._body)
        buffer, start = self._buffer, self._position
        # RFC 9112 2.2: a server should ignore one empty line before a request line.
        if buffer.startswith(b"\r\n", start):
            start += 2
        end = buffer.find(b"\r\n\r\n", start)
        line_end = buffer.find(b"\r\n", start)
        if len(buffer) - start > self._always_fits:
            self._check_size(start, line_end, end)
        if end == -1:
            self._check_beginning(buffer[start:])
            return NEED_DATA
        end += 4
        self._position = end
        self.buffered = len(buffer) - end
        fields: list[tuple[bytes, bytes]] = []
        decisive: dict[bytes, bytes] = {}
        self._fields, self._decisive = fields, decisive
        parser = self._parser
        if parser is None:
            parser = self._parser = httptools.HttpRequestParser(self)
        try:
            parser.feed_data(buffer if not start and end == len(buffer) else buffer[start:end])
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as exc:
            self._judge(exc)
        if len(fields) > self._limits.field_count:
            raise RemoteProtocolError(f"more than {self._limits.field_count} header fields", 431)
        if end - start > self._always_fits:
            self._check_field_sizes()
        line = buffer[start:line_end]
        try:
            method, target, protocol = line.split(b" ")
            version = _VERSIONS[protocol]
        except (ValueError, KeyError) as exc:
            raise RemoteProtocolError(f"malformed request line {line!r} (RFC 9112 section 3)") from exc
        host = decisive.get(b"host")
        if host is None or host != self._valid_host:
            self._check_host(host, version)
        path, query = parse_target(method, target, host)
        name = _METHODS.get(method) or method.decode("ascii")
        request = Request(name, path, query, version, fields, False, True, False, b"")
        if len(decisive) != 1 or version == "1.0":
            self._decide(request, decisive)
        return request

    def _read_body(self, body: BodyDecoder) -> Event:
        event, self._position = body.decode(self._buffer, self._position)
        self.buffered = len(self._buffer) - self._position
        if event is END_OF_MESSAGE:
            self._body = None
            self.in_body = False
        return event

    def _decide(self, request: Request, decisive: dict[bytes, bytes]) -> None:
        """Note what the fields that are not plain say of the body and of the connection."""
        version = request.http_version
        self._body = self._choose_decoder(version)
        self.in_body = request.has_body = self._body is not None
        tokens = parse_tokens(decisive[b"connection"]) if b"connection" in decisive else ()
        request.keep_alive = b"close" not in tokens and (version == "1.1" or b"keep-alive" in tokens)
        if b"expect" in decisive:
            request.expect_continue = self._check_expectation(decisive[b"expect"], version)
        if b"upgrade" in decisive and b"upgrade" in tokens and version == "1.1":
            request.upgrade = decisive[b"upgrade"].lower()

    def _check_size(self, start: int, line_end: int, end: int) -> None:
        limits, size = self._limits, len(self._buffer) - start
        if (size if line_end == -1 else line_end - start) > limits.request_line + (line_end == -1):
            raise RemoteProtocolError(f"request line is over {limits.request_line} bytes", 414)
        if (size if end == -1 else end + 4 - start) > limits.head:
            raise RemoteProtocolError(f"request head is over {limits.head} bytes", 431)

    @staticmethod
    def _check_beginning(part: bytes) -> None:
        # The end of such a head may never come: a TLS handshake on a plain port, lines that end in LF alone.
        if part and not (b"A" <= part[:1] <= b"Z" or part == b"\r"):
            raise RemoteProtocolError("this is not an HTTP request line (RFC 9112 section 3)")
        if part.count(b"\n") != part.count(b"\r\n"):
            raise RemoteProtocolError("bare LF in a request head (RFC 9112 section 2.2)")

    def _check_field_sizes(self) -> None:
        limit = self._limits.field
        for name, value in self._fields:
            if len(name) + len(value) > limit:
                raise RemoteProtocolError(f"field {name[:64]!r} is over {limit} bytes", 431)

    def _judge(self, error: httptools.HttpParserError | httptools.HttpParserUpgrade) -> None:
        """Return if the head is good all the same, else raise."""
        if isinstance(error, httptools.HttpParserUpgrade):
            self._parser = None  # it believes that HTTP is over; that is not for it to say
            return
        if isinstance(error, httptools.HttpParserCallbackError):
            raise error.__context__ or error from None
        raise RemoteProtocolError(f"malformed request head: {error}") from error

    def _check_host(self, host: bytes | None, version: str) -> None:
        if host is None:
            if version == "1.1":
                raise RemoteProtocolError("no Host field (RFC 9112 section 3.2)")
        else:
            check_host(host)
            self._valid_host = host

    def _choose_decoder(self, version: str) -> BodyDecoder | None:
        coding = self._decisive.get(b"transfer-encoding")
        length = self._decisive.get(b"content-length")
        if coding is not None:
            # RFC 9112 6.1: any other coding is not understood, and one from a 1.0 client was not sent by it.
            if coding.lower() != b"chunked" or version != "1.1" or length is not None:
                raise RemoteProtocolError(f"cannot frame Transfer-Encoding {coding!r} (RFC 9112 section 6.1)")
            self._parser = None  # it waits for the body, which it will not see
            return ChunkedDecoder(self._limits.body)
        if length is None or not int(length):
            return None
        size = int(length)
        if self._limits.body and size > self._limits.body:
            raise RemoteProtocolError(f"request body is over {self._limits.body} bytes", 413)
        self._parser = None
        return LengthDecoder(size)

    @staticmethod
    def _check_expectation(value: bytes, version: str) -> bool:
        # RFC 9110 10.1.1: an expectation from a 1.0 client is ignored.
        if version == "1.0":
            return False
        if value.lower() != b"100-continue":
            raise RemoteProtocolError(f"unknown expectation {value!r} (RFC 9110 section 10.1.1)", 417)
        return True
