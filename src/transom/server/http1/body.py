"""The two framings of a request body: a known length, and chunks.

Each decoder is asked `decode(data, start)` and answers `(event, position)`: how far it has read, and what it found there.
`NEED_DATA` means that `data[position:]` must be offered again with more bytes behind it.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Final, Protocol

from transom.server.http1.events import END_OF_MESSAGE, NEED_DATA, Data, Event
from transom.server.http1.exceptions import RemoteProtocolError
from transom.server.http1.grammar import CHUNK_HEADER, FIELD_LINE

if TYPE_CHECKING:
    from transom.server.http1.limits import Limits

# One byte of extensions for as many of the body; the signed chunks of AWS need one for 96 at most.
EXTENSION_SHARE: Final = 16
# RFC 9110 6.5.1: what frames, routes or controls a message cannot come behind it. All other trailers are dropped.
FORBIDDEN_TRAILERS: Final = frozenset(
    {
        b"connection", b"content-length", b"expect", b"host", b"keep-alive", b"te", b"trailer", b"transfer-encoding",
        b"upgrade",
    }
)  # fmt: skip


class BodyDecoder(Protocol):
    """Takes a body out of its framing."""

    def decode(self, data: bytes, start: int) -> tuple[Event, int]:
        """Return the next event of the body and the position behind it.

        Raises:
            RemoteProtocolError: the framing is broken, or the body is over its limit.
        """
        ...


class LengthDecoder:
    """A body of `Content-Length` bytes (RFC 9112 section 6.2)."""

    __slots__ = ("_left",)

    def __init__(self, length: int) -> None:
        self._left = length

    def decode(self, data: bytes, start: int) -> tuple[Event, int]:
        """See `BodyDecoder.decode`."""
        if not self._left:
            return END_OF_MESSAGE, start
        piece = data[start : start + self._left]
        if not piece:
            return NEED_DATA, start
        self._left -= len(piece)
        return Data(piece), start + len(piece)


class _Expect(Enum):
    CHUNK_HEADER = auto()
    CHUNK_DATA = auto()
    CHUNK_END = auto()
    TRAILER = auto()


class ChunkedDecoder:
    """A body in the chunked transfer coding (RFC 9112 section 7.1).

    Strict where leniency lets two parsers disagree: every line ends in CRLF, sizes are bare hex digits, extensions and trailers
    follow their grammar, and no trailer may say what only a head may say.

    Everything that is not body is bounded: a line by the limit of a field, trailers by the limits of a head, extensions by the
    size of a head and a share of the body.
    """

    __slots__ = ("_expect", "_extensions", "_left", "_limits", "_total", "_trailer_bytes", "_trailers")

    def __init__(self, limits: Limits) -> None:
        self._expect = _Expect.CHUNK_HEADER
        self._extensions = 0  # bytes of them so far
        self._left = 0  # bytes of the chunk that are still to come
        self._limits = limits
        self._total = 0  # bytes of the body, with the chunk that has begun
        self._trailer_bytes = 0
        self._trailers = 0

    def decode(self, data: bytes, start: int) -> tuple[Event, int]:
        """See `BodyDecoder.decode`. All that is there of a body comes as one piece, however small its chunks are."""
        pieces: list[bytes] = []
        try:
            while self._expect is not _Expect.TRAILER:
                position = self._take_step(data, start, pieces)
                if position is None:
                    break
                start = position
        except RemoteProtocolError:
            if not pieces:
                raise
            # The next call finds it again. What came before it is told first, as if it had come alone.
        if pieces:
            return Data(b"".join(pieces)), start
        return self._take_trailers(data, start) if self._expect is _Expect.TRAILER else (NEED_DATA, start)

    def _take_step(self, data: bytes, start: int, pieces: list[bytes]) -> int | None:
        """Take a chunk header, what is there of the data, or the CRLF behind it; return where that ends, None if it does not.

        An error leaves all as it was.
        """
        if self._expect is _Expect.CHUNK_HEADER:
            line = self._read_line(data, start)
            if line is None:
                return None
            self._begin_chunk(line)
            return start + len(line) + 2
        if self._expect is _Expect.CHUNK_DATA:
            piece = data[start : start + self._left]
            if not piece:
                return None
            pieces.append(piece)
            self._left -= len(piece)
            if not self._left:
                self._expect = _Expect.CHUNK_END
            return start + len(piece)
        end = data[start : start + 2]
        if not b"\r\n".startswith(end):  # an own step: the two bytes may arrive one by one
            raise RemoteProtocolError("chunk data does not end in CRLF (RFC 9112 section 7.1)")
        if len(end) < 2:
            return None
        self._expect = _Expect.CHUNK_HEADER
        return start + 2

    def _take_trailers(self, data: bytes, start: int) -> tuple[Event, int]:
        while (line := self._read_line(data, start)) is not None:
            start += len(line) + 2
            if not line:
                return END_OF_MESSAGE, start
            self._check_trailer(line)
        return NEED_DATA, start

    def _read_line(self, data: bytes, start: int) -> bytes | None:
        limit = self._limits.field
        end = data.find(b"\n", start, start + limit)
        if end == -1:
            if len(data) - start >= limit:
                status = 431 if self._expect is _Expect.TRAILER else 413
                raise RemoteProtocolError(f"a line in a chunked body is over {limit} bytes", status)
            return None
        if data[end - 1 : end] != b"\r":
            raise RemoteProtocolError("bare LF in a chunked body (RFC 9112 section 2.2)")
        return data[start : end - 1]

    def _begin_chunk(self, line: bytes) -> None:
        size = parse_chunk_header(line)
        limit, total = self._limits.body, self._total + size
        if limit and total > limit:
            raise RemoteProtocolError(f"request body is over {limit} bytes", 413)
        extension = line.find(b";")
        if extension != -1:
            self._count_extension(len(line) - extension)
        self._total, self._left = total, size
        self._expect = _Expect.CHUNK_DATA if size else _Expect.TRAILER

    def _count_extension(self, size: int) -> None:
        # RFC 9112 7.1.1: a server must limit them all together, and answer 4xx.
        if self._extensions + size > self._limits.head + self._total // EXTENSION_SHARE:
            raise RemoteProtocolError("too many bytes of chunk extensions (RFC 9112 section 7.1.1)", 413)
        self._extensions += size

    def _check_trailer(self, line: bytes) -> None:
        limits = self._limits
        self._trailers += 1
        self._trailer_bytes += len(line) + 2
        if self._trailers > limits.field_count or self._trailer_bytes > limits.head:
            raise RemoteProtocolError(
                f"trailers are over {limits.field_count} fields or {limits.head} bytes", 431
            )
        name = line.partition(b":")[0].lower()
        if FIELD_LINE.fullmatch(line) is None or name in FORBIDDEN_TRAILERS:
            raise RemoteProtocolError(f"forbidden or malformed trailer {line!r} (RFC 9110 section 6.5.1)")


def parse_chunk_header(line: bytes) -> int:
    """Return the chunk size in bytes from one header line, given without its CRLF.

    Extensions are checked against the grammar, then dropped.

    Raises:
        RemoteProtocolError: the size is not 1-16 hex digits below 2**63, or an extension is malformed.

    Source: RFC 9112 section 7.1.
    """
    match = CHUNK_HEADER.fullmatch(line)
    if match is None:
        raise RemoteProtocolError(f"malformed chunk header {line[:64]!r} (RFC 9112 section 7.1)")
    size = int(match[1], 16)
    if size >> 63:  # where a signed counter of 64 bits, such as a proxy may have, overflows
        raise RemoteProtocolError(f"chunk of {size} bytes (RFC 9112 section 7.1)")
    return size
