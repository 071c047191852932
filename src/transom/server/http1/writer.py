"""From a response to bytes: status line, fields, chunks. Which framing to use is decided here and nowhere else.

A head is built in two steps, because the length of a body is often known only with its first piece: `build_head` checks
and encodes what the application gave, `ResponseWriter.send_head` adds the framing. Each byte is looked at once: names through
a dictionary of those already checked, values through one scan over the joined lines.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from transom.server.http1.exceptions import LocalProtocolError
from transom.server.http1.grammar import TOKEN, parse_tokens
from transom.server.http1.remembered_heads import remember_heads

if TYPE_CHECKING:
    from collections.abc import Iterable

_REASONS = {status.value: status.phrase for status in HTTPStatus}
STATUS_LINES: Final = [f"HTTP/1.1 {code} {_REASONS.get(code, '')}".encode() for code in range(600)]
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK: Final = b"0\r\n\r\n"

# RFC 9110 5.5: of the control characters only HTAB may stand in a value. CR and LF are counted: one pair per line.
_CONTROLS = bytes(code for code in range(32) if code != 9) + b"\x7f"
_MANAGED = frozenset({b"content-length", b"transfer-encoding", b"connection", b"date", b"server"})
_MAX_PREFIXES = 1024  # names come from the application's code; a bound in case they come from its users
_prefixes: dict[bytes, bytes] = {}


class ResponseHead:
    """A response head that was checked and encoded, without its framing and without the final empty line.

    Responses share it. `whole` is the head as it was last written with the length that the application gave, on an HTTP/1.1
    connection that was kept; it is good for as long as the server's own fields are `stamp`, which is until the next tick.
    """

    __slots__ = (
        "close",
        "content_length",
        "data",
        "has_date",
        "has_server",
        "length_field",
        "stamp",
        "whole",
    )

    def __init__(self) -> None:
        self.data = b""
        self.content_length: int | None = None
        self.length_field = b""
        self.close = False
        self.has_date = False
        self.has_server = False
        self.stamp: bytes | None = None
        self.whole = b""

    @property
    def is_event_stream(self) -> bool:
        """Whether the body is a stream of server-sent events, which has no end of its own."""
        return b"\r\ncontent-type: text/event-stream" in self.data


@remember_heads
def build_head(status: int, fields: tuple[tuple[bytes, bytes], ...]) -> ResponseHead:
    """Check and encode status and fields.

    `transfer-encoding` is left out: the server frames. `connection: close` is noted and left to the writer.

    Raises:
        LocalProtocolError: a name is no token, a value holds a control character, or something is not bytes.

    Source: RFC 9112 sections 4 and 5.
    """
    head = ResponseHead()
    parts = [STATUS_LINES[status]]
    try:
        for name, value in fields:
            if name == b"content-length":
                _set_content_length(head, value)
                continue
            prefix = _prefixes.get(name) or _admit(name, value, head)
            if prefix is not None:
                parts.append(prefix)
                parts.append(value)
        lines = b"".join(parts)
    except LocalProtocolError:
        raise
    except (TypeError, ValueError, AttributeError) as exc:
        raise LocalProtocolError(f"response headers must be pairs of bytes: {exc}") from exc
    if len(lines) - len(lines.translate(None, _CONTROLS)) != len(parts) - 1:
        raise LocalProtocolError("control character in a response header value")
    head.data = lines
    return head


def _admit(name: bytes, value: bytes, head: ResponseHead) -> bytes | None:
    """Return what to write before the value; None if the field is not written here."""
    lower = name.lower()
    if lower in _MANAGED:
        return _manage(lower, value, head)
    if TOKEN.fullmatch(lower) is None:
        raise LocalProtocolError(f"response header name {name!r} is not a token")
    prefix = b"\r\n" + lower + b": "
    if len(_prefixes) < _MAX_PREFIXES:
        _prefixes[bytes(name)] = prefix
    return prefix


def _manage(name: bytes, value: bytes, head: ResponseHead) -> bytes | None:
    if name == b"content-length":
        _set_content_length(head, value)
        return None
    if name == b"transfer-encoding":
        return None
    if name == b"connection":
        tokens = parse_tokens(value)
        head.close = head.close or b"close" in tokens
        if set(tokens) <= {b"close", b"keep-alive"}:
            return None  # the writer says it, and says what is true
    elif name == b"date":
        head.has_date = True
    else:
        head.has_server = True
    return b"\r\n" + name + b": "


def _set_content_length(head: ResponseHead, value: object) -> None:
    if not isinstance(value, bytes) or not value.isdigit():
        raise LocalProtocolError(f"content-length {value!r} is not a number")
    length = int(value)
    if head.content_length not in (None, length):
        raise LocalProtocolError(f"content-length is both {head.content_length} and {length}")
    head.content_length = length
    head.length_field = b"\r\ncontent-length: %d" % length


class ResponseWriter:
    """Frames the responses of one connection, one after the other.

    Attributes:
        is_1_1: whether the client speaks HTTP/1.1.
        keep_alive: whether the connection may carry another request after the response being written.
    """

    __slots__ = ("_chunked", "is_1_1", "keep_alive")

    def __init__(self) -> None:
        self.keep_alive = True
        self.is_1_1 = True
        self._chunked = False

    @property
    def is_chunked(self) -> bool:
        """Whether the response being written is in the chunked transfer coding."""
        return self._chunked

    def start(self, http_version: str, keep_alive: bool) -> None:
        """Prepare for the response to a request of that version; the connection is kept only if both sides want it."""
        self.is_1_1 = http_version == "1.1"
        if not keep_alive:
            self.keep_alive = False

    def send_head(
        self,
        head: ResponseHead,
        server_fields: bytes,
        length: int | None,
        body: bytes,
        more_body: bool,
        has_body: bool,
        has_trailers: bool = False,
    ) -> bytes:
        """Return the head with its framing and the first piece of the body behind it.

        Args:
            head: what the application gave.
            server_fields: encoded fields the server adds.
            length: value of `content-length`, or None where there is none or it is not known.
            body: first piece, may be empty.
            more_body: whether more pieces follow.
            has_body: False for a response that ends with its head whatever its fields say (HEAD, 204, 304).
            has_trailers: whether trailers follow the body, which then is chunked (HTTP/1.1 only).

        Source: RFC 9112 section 6.
        """
        as_promised = length is not None and length == head.content_length and not has_trailers
        if head.close:
            self.keep_alive = False
        framing = b""
        if length is not None and not has_trailers:
            framing = head.length_field if as_promised else b"\r\ncontent-length: %d" % length
        elif has_body:
            if self.is_1_1:
                self._chunked = True
                framing = b"\r\ntransfer-encoding: chunked"
                body = self.send_body(body, more_body or has_trailers)
            else:
                self.keep_alive = False  # the end of the connection is the end of the body
        if not self.keep_alive:
            framing += b"\r\nconnection: close"
        elif not self.is_1_1:
            framing += b"\r\nconnection: keep-alive"
        elif as_promised and not (head.has_date or head.has_server):
            head.stamp = server_fields
            head.whole = b"".join((head.data, server_fields, framing, b"\r\n\r\n"))
        return b"".join((head.data, server_fields, framing, b"\r\n\r\n", body))

    def send_body(self, body: bytes, more_body: bool) -> bytes:
        """Return the next piece of the body in its framing."""
        if not self._chunked:
            return body
        # An empty chunk would end the body (RFC 9112 section 7.1).
        chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
        if more_body:
            return chunk
        self._chunked = False
        return chunk + LAST_CHUNK

    def send_trailers(self, fields: bytes) -> bytes:
        """Return the end of a chunked body with these trailers, made by `build_fields`."""
        self._chunked = False
        return b"0" + fields + b"\r\n\r\n"


def build_fields(fields: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Check and encode field lines that stand alone: trailers, or those of an informational response. Each begins with CRLF.

    Raises:
        LocalProtocolError: as `build_head`.
    """
    return build_head(200, fields).data[len(STATUS_LINES[200]) :]


def build_informational(status: int, fields: bytes) -> bytes:
    """Return a whole informational response with fields made by `build_fields` (RFC 9110 section 15.2)."""
    return STATUS_LINES[status] + fields + b"\r\n\r\n"


def build_error(status: int, detail: str, server_fields: bytes) -> bytes:
    """Return a whole plain-text response that closes the connection."""
    body = f"{detail}\n".encode()
    return (
        b"%b%b\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b"
        % (
            STATUS_LINES[status],
            server_fields,
            len(body),
            body,
        )
    )
