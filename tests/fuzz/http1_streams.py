"""Streams of requests that are mostly right and a little wrong, built from a row of random bytes.

Each byte decides one thing, and a zero decides for what is plain. So Hypothesis has one thing to draw, which is fast, and finds
the simplest stream by putting zeros in place of bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

CRLF = b"\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

METHODS = (
    b"POST",
    b"PUT",
    b"DELETE",
    b"OPTIONS",
    b"PATCH",
    b"QUERY",
    b"PROPFIND",
    b"get",
    b"FOO",
    b"G@T",
    b"CONNECT",
    b"PRI",
)
TARGETS = (
    b"/a?b", b"/?", b"//", b"/a%20b", b"/a b", b"*", b"http://a/", b"http://a", b"http://b/", b"https://a?q", b"http://u@a/",
    b"a", b"/#f", b"/\xff", b"/\x00", b"/\t", b"a:80", b"", b"/a?b?c",
)  # fmt: skip
VERSIONS = (
    b"HTTP/1.0", b"HTTP/1.0", b"HTTP/1.2", b"HTTP/2.0", b"HTTP/0.9", b"http/1.1", b"HTTP/1.1 ", b"HTTP/01.1", b"HTTP/11", b"",
)  # fmt: skip
SPACES = (b"  ", b"\t", b"", b" \t", b"\x0b", b"\x0c", b"\xa0")
LINE_ENDS = (b"\n", b"\r", b"\r\r\n", b"\n\r", b"\r\n ", b"\r\n\t", b" \r\n", b"\x00\r\n", b"")
HOSTS = (
    b"Host: b", b"Host:", b"Host: a, b", b"Host: u@a", b"Host: a/b", b"Host: a:80", b"Host: a:x", b"Host: [::1]:80",
    b"Host: [::1", b"host:a", b"HOST:\ta\t", b"Host: a b", b"Host: \xff", b"Host: a%", b"Host: a:99999", b"X: no host",
)  # fmt: skip
# Fields of all kinds that a request may have: right ones, and ones that some parser understands in its own way.
FIELDS = (
    b"Accept: */*", b"X-Empty:", b"X: a\tb", b"X: \xe9", b"x_y: 1", b"Cookie: a=b; c=d", b"Content-Type: text/plain",
    b"Connection: close", b"Connection: keep-alive", b"Connection: Upgrade", b"Upgrade: websocket", b"Upgrade: h2c",
    b"Expect: 100-continue", b"Expect: tea", b"TE: trailers", b"Trailer: X", b"Proxy-Connection: close", b"Keep-Alive: 5",
    b"Content-Length: 0", b"Content-Length: 5", b"Content-Length: 05", b"Content-Length: +5", b"Content-Length: -5",
    b"Content-Length: 5 ", b"Content-Length: 5, 5", b"Content-Length: 5,6", b"Content-Length:", b"Content-Length: 0x5",
    b"Content-Length: 5\t", b"Content-Length: 5;", b"Content-Length: 1_0", b"Content-Length: 18446744073709551621",
    b"Content-Length: 99999999999999999999999", b"Content-Length: 000000000000000000000000005", b"Content-Length : 5",
    b"Content-Length\t: 5", b" Content-Length: 5", b"Content_Length: 5", b"Content-Length\x00: 5", b"content-length:5",
    b"Transfer-Encoding: chunked", b"Transfer-Encoding: Chunked", b"transfer-encoding:chunked", b"Transfer-Encoding: chunked ",
    b"Transfer-Encoding: chunked\t", b"Transfer-Encoding:\tchunked", b"Transfer-Encoding: xchunked", b"Transfer-Encoding: ",
    b"Transfer-Encoding: identity", b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: chunked, gzip",
    b"Transfer-Encoding: chunked, chunked", b"Transfer-Encoding: ,chunked", b"Transfer-Encoding: chunked,",
    b"Transfer-Encoding: chunked;q=1", b'Transfer-Encoding: "chunked"', b"Transfer-Encoding: \x0bchunked",
    b"Transfer-Encoding: chunked\x00", b"Transfer-Encoding : chunked", b"Transfer_Encoding: chunked",
    b" Transfer-Encoding: chunked", b"Transfer-Encoding\x0b: chunked", b"Transfer-Encoding:\r\n chunked",
    b"X: a\r\n b", b"X: a\rb", b"X: a\nb", b"X: a\nContent-Length: 5", b"X: a\rTransfer-Encoding: chunked", b"X: a\x00b",
    b"X: a\x7f", b"X: a\x1f", b"X : a", b": a", b"X", b"X Y: a", b"\xe9: a", b"X@: a", b"X:a\x0b", b"\x0bX: a",
)  # fmt: skip
BODIES = (
    b"a",
    b"hello",
    b"0\r\n\r\n",
    b"\r\n",
    b"\n",
    b"\x00\xff",
    b"5\r\nhello\r\n0\r\n\r\n",
    SMUGGLED,
    b"a" * 40,
)
SIZES = (
    b"%x ", b" %x", b"%X", b"0%x", b"00000000%x", b"0x%x", b"+%x", b"-%x", b"%x\t", b"%x\x00", b"%xg", b"1%x", b"%x_", b"\t%x",
    b"000000000000000000%x", b"10000000000000000%x",
)  # fmt: skip
EXTENSIONS = (
    b";a", b";a=b", b'; a="b"', b';a="b;c"', b';a="\\""', b" ;a", b"; a = b", b";", b";;", b";a=", b';a="b', b";\xff", b";a\rb",
    b";a\nb", b";a=\x00", b" a", b"\x0b", b";a b", b";a ", b';a="\n"', b';a="\r\n"',
)  # fmt: skip
ENDS = (
    b"0\r\nX: 1\r\n\r\n", b"00\r\n\r\n", b"0;a=b\r\n\r\n", b"0\r\nX: 1\r\nY: 2\r\n\r\n", b"0\r\nContent-Length: 5\r\n\r\n",
    b"0\r\nHost: b\r\n\r\n", b"0\r\nX : 1\r\n\r\n", b"0\r\n X: 1\r\n\r\n", b"0\r\nX: 1\n\r\n", b"0\r\nX\r\n\r\n", b"0\r\n\n",
    b"0\n\n", b"0\r\n", b"0\r\n\r", b"\r\n0\r\n\r\n", b"0 \r\n\r\n", b"0\r\nX: a\x00\r\n\r\n", b"0\r\r\n\r\n", b"",
    b"0\r\nTransfer-Encoding: chunked\r\n\r\n", b"0\r\nX: a\r\n b\r\n\r\n", b"0\r\n\r\n\r\n",
)  # fmt: skip
BETWEEN = (b"\r\n", b"\r\n\r\n", b"\n", b"\r", b" ", b"\x00", b"0\r\n\r\n")
EDITS = (
    b"\r",
    b"\n",
    b"\x00",
    b" ",
    b"\t",
    b":",
    b",",
    b";",
    b"0",
    b"\x0b",
    b"\xff",
    b"\r\n",
    b'"',
    b"#",
    b"a",
)


class Choices:
    """Random bytes as decisions; when they run out, all is plain."""

    def __init__(self, data: bytes) -> None:
        self._bytes = iter(data)

    def below(self, bound: int) -> int:
        return next(self._bytes, 0) % bound

    def pick(self, options: Sequence[T]) -> T:
        return options[self.below(len(options))]

    def usually(self, plain: T, others: Sequence[T]) -> T:
        """Return the plain one in 31 of 32 cases."""
        byte = next(self._bytes, 0)
        return plain if byte < 248 else others[self.below(len(others))]


def build_stream(data: bytes, seeds: Sequence[bytes]) -> bytes:
    """Return what a client might send on one connection: a seed, or one to three requests that may hang together."""
    choices = Choices(data)
    if choices.below(4) == 3:
        return _edit(choices, choices.pick(seeds[choices.below(4) :: 4]))
    messages: list[bytes] = []
    for _ in range(1 + choices.below(3)):
        messages.append(choices.usually(b"", BETWEEN) + _message(choices, messages))
    stream = b"".join(messages)
    return _edit(choices, stream) if choices.below(8) == 7 else stream


def _message(choices: Choices, before: list[bytes]) -> bytes:
    kind = choices.below(8)
    if before and kind == 7:
        return before[-1]
    line = _request_line(choices)
    if before and kind == 6:  # the same fields behind another request line
        return line + before[-1].partition(CRLF)[2]
    fields = [choices.usually(b"Host: a", HOSTS)]
    fields += [choices.pick(FIELDS[:18]) for _ in range(choices.below(3))]
    framing, body = choices.pick((_no_body, _length, _chunks))(choices)
    fields += framing
    if choices.below(4) == 3:
        fields.insert(choices.below(len(fields) + 1), choices.pick(FIELDS))
    ends = [CRLF] * (len(fields) + 1)
    if choices.below(16) == 15:
        ends[choices.below(len(ends))] = choices.pick(LINE_ENDS)
    lines = [field + end for field, end in zip([*fields, b""], ends, strict=True)]
    return line + b"".join(lines) + body


def _request_line(choices: Choices) -> bytes:
    method = choices.usually(b"GET", METHODS)
    target = choices.usually(b"/", TARGETS)
    first, second = choices.usually(b" ", SPACES), choices.usually(b" ", SPACES)
    version = choices.usually(b"HTTP/1.1", VERSIONS)
    return method + first + target + second + version + choices.usually(CRLF, LINE_ENDS)


def _no_body(choices: Choices) -> tuple[list[bytes], bytes]:
    return [], b""


def _length(choices: Choices) -> tuple[list[bytes], bytes]:
    body = choices.pick(BODIES)
    length = choices.usually(len(body), (len(body) + 1, len(body) - 1, 0))
    return [b"Content-Length: %d" % length], body


def _chunks(choices: Choices) -> tuple[list[bytes], bytes]:
    chunks: list[bytes] = []
    for _ in range(choices.below(4)):
        data = choices.pick(BODIES)
        size = choices.usually(b"%x", SIZES) % choices.usually(len(data), (len(data) + 1, len(data) - 1))
        line = size + choices.usually(b"", EXTENSIONS) + choices.usually(CRLF, LINE_ENDS)
        chunks.append(line + data + choices.usually(CRLF, LINE_ENDS))
    chunks.append(choices.usually(b"0\r\n\r\n", ENDS))
    return [b"Transfer-Encoding: chunked"], b"".join(chunks)


def _edit(choices: Choices, stream: bytes) -> bytes:
    """Insert, replace, remove or repeat a few bytes somewhere, or lose the end."""
    for _ in range(1 + choices.below(2)):
        place = (choices.below(256) * 256 + choices.below(256)) % (len(stream) + 1)
        new, width = choices.pick(EDITS), 1 + choices.below(3)
        before, after = stream[:place], stream[place:]
        stream = choices.pick(
            (
                before + new + after,
                before + new + after[1:],
                before + after[width:],
                before + after[:width] + after,
                before,
            )
        )
    return stream
