"""The head of a request: its line, and its block of field lines.

The request line is taken apart by `grammar.py`. The field lines go through httptools (llhttp), behind a request line of our own,
so that neither method nor target can change how they are read; what they say of body and connection is decided here.

All clients together ask for few targets, again and again. So a request line that was seen twice is remembered, in a bounded
dictionary of the worker: taking it apart is a pure function of its bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import httptools

from transom.server.http1.events import PLAIN, Facts, Request
from transom.server.http1.exceptions import RemoteProtocolError
from transom.server.http1.grammar import TOKEN, check_authority, check_host, parse_request_line, parse_tokens

if TYPE_CHECKING:
    from transom.server.target import RequestLine

MAX_LINES: Final = 1024  # request lines remembered
MAX_LINE_SIZE: Final = 256  # bytes of one; with the bound above a worker keeps below half a megabyte of them
MAX_SEEN_ONCE: Final = 4096

FORWARDED: Final = frozenset(
    {b"forwarded", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-port"}
)
# Fields that decide about framing, routing or the connection; all others pass through untouched.
_DECISIVE = FORWARDED | {
    b"host", b"content-length", b"transfer-encoding", b"connection", b"expect", b"upgrade", b"te", b"proxy-connection",
    b"content-type",
}  # fmt: skip
# RFC 9110 5.3: of what is no list there is one. With two, a filter before us may have judged the other.
_ONCE = frozenset({b"host", b"content-length", b"content-type"})
# Below 2**60, where no counter overflows, and few enough that `int` cannot be made to take long, or to refuse.
MAX_LENGTH_DIGITS: Final = 18
# What changes the state of llhttp; `Connection` too, unless it says what is so anyway.
_STATEFUL = frozenset({b"content-length", b"transfer-encoding", b"upgrade", b"proxy-connection"})
_OUR_LINE = b"GET / HTTP/1.1"


class HeadParser:
    """Parses heads that have arrived whole; shared by all connections of one worker, for use by one thread.

    What one request leaves behind must never reach the next, which may be another client's. So the parser of httptools is given
    up with each request, and taken back only behind one after which it certainly waits for a request line.

    Attributes:
        lines: request lines that `parse_line` remembers; to look there first saves the call.
    """

    __slots__ = ("_decisive", "_pairs", "_parser", "_seen_once", "lines")

    def __init__(self) -> None:
        self.lines: dict[bytes, RequestLine] = {}
        self._seen_once: set[int] = set()  # hashes: most lines that are seen once are never seen again
        self._parser: httptools.HttpRequestParser | None = None
        self._pairs: list[tuple[bytes, bytes]] = []
        self._decisive: dict[bytes, bytes] = {}

    def parse_line(self, line: bytes) -> RequestLine:
        """Return the parts of a request line, given without its CRLF.

        Raises:
            RemoteProtocolError: as `parse_request_line`.
        """
        parsed = self.lines.get(line)
        if parsed is None:
            parsed = parse_request_line(line)
            key = hash(line)
            if key in self._seen_once:
                self._remember(line, parsed)
            else:
                if len(self._seen_once) >= MAX_SEEN_ONCE:
                    self._seen_once.clear()
                self._seen_once.add(key)
        return parsed

    def _remember(self, line: bytes, parsed: RequestLine) -> None:
        if len(line) <= MAX_LINE_SIZE:
            if len(self.lines) >= MAX_LINES:
                self.lines.clear()
            self.lines[line] = parsed

    def parse_fields(self, raw: bytes, line: RequestLine, max_count: int, max_size: int) -> Request:
        """Return the request with this line and these fields.

        Args:
            raw: the bytes from the CRLF behind the request line to the empty line, both included.
            line: the parts of the request line.
            max_count: the most field lines.
            max_size: the most bytes of one, with colon, space and CRLF.

        Raises:
            RemoteProtocolError: 400 for what breaks a rule, 417 for an unknown expectation, 431 for a limit.
        """
        pairs: list[tuple[bytes, bytes]] = []
        decisive: dict[bytes, bytes] = {}
        self._pairs, self._decisive = pairs, decisive
        parser, self._parser = self._parser or httptools.HttpRequestParser(self), None
        self._feed(parser, raw)
        if len(pairs) > max_count:
            raise RemoteProtocolError(f"more than {max_count} header fields", 431)
        if len(raw) > max_size:
            _check_sizes(pairs, max_size)
        host, version = decisive.get(b"host"), line.http_version
        if host is not None:
            check_host(host)
        elif version == "1.1":
            raise RemoteProtocolError("no Host field (RFC 9112 section 3.2)")
        if line.authority is not None:
            check_authority(line.authority, host)
        if len(decisive) == 1 and version == "1.1":
            self._parser = parser
            return Request(line, pairs, PLAIN)
        facts = _decide(decisive, version)
        if facts is PLAIN or not _spends_parser(decisive):
            self._parser = parser
        return Request(line, pairs, facts)

    @staticmethod
    def _feed(parser: httptools.HttpRequestParser, raw: bytes) -> None:
        try:
            parser.feed_data(_OUR_LINE + raw)
        except httptools.HttpParserUpgrade:
            pass  # it believes that HTTP is over; that is not for it to say
        except httptools.HttpParserCallbackError as exc:
            raise exc.__context__ or exc from None
        except httptools.HttpParserError as exc:
            raise RemoteProtocolError(f"malformed request head: {exc}") from exc

    # The parser calls this once per field line, with the value's trailing whitespace still on. It is the most frequent call of
    # the server: nothing here that can be done once per head.
    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one field line from httptools."""
        name = name.lower()
        value = value.rstrip()  # of space and tab: httptools lets no other whitespace pass
        self._pairs.append((name, value))
        if name in _DECISIVE:
            if name in self._decisive:
                self._repeat(name, value)
            else:
                self._decisive[name] = value

    def _repeat(self, name: bytes, value: bytes) -> None:
        if name in _ONCE:
            raise RemoteProtocolError(f"more than one {name.decode()} field (RFC 9110 section 5.3)")
        self._decisive[name] += b"," + value


def _spends_parser(decisive: dict[bytes, bytes]) -> bool:
    """Whether httptools may now wait for a body or another protocol, or believe that the connection is over."""
    connection = decisive.get(b"connection")
    return not _STATEFUL.isdisjoint(decisive) or (
        connection is not None and connection.lower() != b"keep-alive"
    )


def _check_sizes(pairs: list[tuple[bytes, bytes]], limit: int) -> None:
    for name, value in pairs:
        if len(name) + len(value) + 4 > limit:
            raise RemoteProtocolError(f"field {name[:64]!r} is over {limit} bytes", 431)


def _decide(decisive: dict[bytes, bytes], version: str) -> Facts:
    """Return what the fields that are not plain say of the body and of the connection."""
    is_1_1 = version == "1.1"
    tokens = parse_tokens(decisive[b"connection"]) if b"connection" in decisive else ()
    if is_1_1 and len(decisive) == 2 and tokens == (b"keep-alive",):
        return PLAIN  # what browsers send
    return Facts(
        _choose_framing(decisive, version),
        b"close" not in tokens and (is_1_1 or b"keep-alive" in tokens),
        b"expect" in decisive and _check_expectation(decisive[b"expect"], version),
        _check_upgrade(decisive[b"upgrade"].lower(), version)
        if b"upgrade" in decisive and b"upgrade" in tokens
        else b"",
        is_1_1 and b"te" in decisive and b"trailers" in parse_tokens(decisive[b"te"]),
        not FORWARDED.isdisjoint(decisive),
    )


def _check_upgrade(value: bytes, version: str) -> bytes:
    if version == "1.1":
        return value
    if b"websocket" in parse_tokens(value):
        raise RemoteProtocolError("a WebSocket handshake needs HTTP/1.1 (RFC 6455 section 4.1)")
    return b""  # RFC 9110 7.8: any other is ignored in HTTP/1.0


def _choose_framing(decisive: dict[bytes, bytes], version: str) -> int:
    """Return the length of the body, -1 for chunks."""
    coding, length = decisive.get(b"transfer-encoding"), decisive.get(b"content-length")
    if coding is not None:
        _check_coding(coding, version, length)
        return -1
    if length is None:
        return 0
    if len(length) > MAX_LENGTH_DIGITS:
        raise RemoteProtocolError(f"Content-Length of {len(length)} digits (RFC 9112 section 6.3)")
    return int(length)  # httptools lets digits pass and nothing else


def _check_coding(coding: bytes, version: str, length: bytes | None) -> None:
    *others, last = (part.strip(b" \t") for part in coding.lower().split(b","))
    well_formed = last == b"chunked" and b"chunked" not in others and all(map(TOKEN.fullmatch, others))
    # RFC 9112 6.1: chunks from a client of HTTP/1.0, or with a length too, are a sign of an attack.
    if not well_formed or version != "1.1" or length is not None:
        raise RemoteProtocolError(f"cannot frame Transfer-Encoding {coding!r} (RFC 9112 section 6.1)")
    if others:
        raise RemoteProtocolError(f"unknown transfer coding {coding!r} (RFC 9112 section 6.1)", 501)


def _check_expectation(value: bytes, version: str) -> bool:
    # RFC 9110 10.1.1: an expectation from a 1.0 client is ignored.
    if version == "1.0":
        return False
    if value.lower() != b"100-continue":
        raise RemoteProtocolError(f"unknown expectation {value!r} (RFC 9110 section 10.1.1)", 417)
    return True
