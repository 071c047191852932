"""The two framings of a request body: a known length, and chunks.

Each decoder is asked `decode(data, start)` and answers `(event, position)`: how far it has read, and what it found there.
`NEED_DATA` means that `data[position:]` must be offered again with more bytes behind it.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Protocol

from transom.server.http1.events import END_OF_MESSAGE, NEED_DATA, Data, Event
from transom.server.http1.exceptions import RemoteProtocolError
from transom.server.http1.grammar import CHUNK_HEADER, FIELD_LINE

MAX_CHUNK_HEADER = (
    4096  # bytes; nobody sends long extensions for a good reason (hyper 16 KiB, gunicorn 8 KiB)
)
MAX_TRAILERS = 8190  # bytes of all trailer lines, which are dropped anyway
_FORBIDDEN_TRAILERS = frozenset({b"content-length", b"transfer-encoding", b"host", b"trailer"})


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

    Strict where leniency lets two parsers disagree: every line ends in CRLF, sizes are bare hex digits, extensions and
    trailers hold no control characters, and no trailer may redefine framing.
    """

    __slots__ = ("_expect", "_left", "_limit", "_total", "_trailer_bytes")

    def __init__(self, limit: int) -> None:
        """Args: limit: most bytes the body may have; 0 for no limit."""
        self._expect = _Expect.CHUNK_HEADER
        self._left = 0
        self._limit = limit
        self._total = 0
        self._trailer_bytes = 0

    def decode(self, data: bytes, start: int) -> tuple[Event, int]:
        """See `BodyDecoder.decode`."""
        while True:
            if self._expect is _Expect.CHUNK_DATA:
                return self._take_data(data, start)
            if self._expect is _Expect.CHUNK_END:
                # An own step: the two bytes may arrive one by one.
                if not b"\r\n".startswith(data[start : start + 2]):
                    raise RemoteProtocolError("chunk data does not end in CRLF (RFC 9112 section 7.1)")
                if len(data) - start < 2:
                    return NEED_DATA, start
                start += 2
                self._expect = _Expect.CHUNK_HEADER
            line = self._read_line(data, start)
            if line is None:
                return NEED_DATA, start
            start += len(line) + 2
            if self._expect is _Expect.CHUNK_HEADER:
                self._begin_chunk(parse_chunk_header(line))
            elif line:
                self._check_trailer(line)
            else:
                return END_OF_MESSAGE, start

    def _read_line(self, data: bytes, start: int) -> bytes | None:
        end = data.find(b"\n", start, start + MAX_CHUNK_HEADER + 2)
        if end == -1:
            if len(data) - start > MAX_CHUNK_HEADER:
                raise RemoteProtocolError(f"line in a chunked body is over {MAX_CHUNK_HEADER} bytes")
            return None
        line = data[start:end]
        if not line.endswith(b"\r"):
            raise RemoteProtocolError("bare LF in a chunked body (RFC 9112 section 2.2)")
        return line[:-1]

    def _begin_chunk(self, size: int) -> None:
        self._left = size
        self._expect = _Expect.CHUNK_DATA if size else _Expect.TRAILER
        self._total += size
        if self._limit and self._total > self._limit:
            raise RemoteProtocolError(f"request body is over {self._limit} bytes", 413)

    def _take_data(self, data: bytes, start: int) -> tuple[Event, int]:
        piece = data[start : start + self._left]
        if not piece:
            return NEED_DATA, start
        self._left -= len(piece)
        if not self._left:
            self._expect = _Expect.CHUNK_END
        return Data(piece), start + len(piece)

    def _check_trailer(self, line: bytes) -> None:
        self._trailer_bytes += len(line)
        if self._trailer_bytes > MAX_TRAILERS:
            raise RemoteProtocolError(f"trailers are over {MAX_TRAILERS} bytes", 431)
        name = line.partition(b":")[0].lower()
        if FIELD_LINE.fullmatch(line) is None or name in _FORBIDDEN_TRAILERS:
            raise RemoteProtocolError(f"forbidden or malformed trailer {line!r} (RFC 9110 section 6.5.1)")


def parse_chunk_header(line: bytes) -> int:
    """Return the chunk size in bytes from one header line, given without its CRLF.

    Extensions are checked for control characters, then dropped.

    Raises:
        RemoteProtocolError: the size is not 1-16 hex digits, or an extension holds a control character.

    Source: RFC 9112 section 7.1.
    """
    match = CHUNK_HEADER.fullmatch(line)
    if match is None:
        raise RemoteProtocolError(f"malformed chunk header {line[:64]!r} (RFC 9112 section 7.1)")
    return int(match[1], 16)
