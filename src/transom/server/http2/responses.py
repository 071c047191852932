"""What an application says of its response, checked, and in the form in which HTTP/2 has it.

Heads that were built before are found again (`remember_heads`): the object is the same each time, and with it the tuple that
`BlockEncoder.encode` looks up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from transom.server.http1.exceptions import LocalProtocolError
from transom.server.http1.grammar import TOKEN
from transom.server.http1.remembered_heads import remember_heads

if TYPE_CHECKING:
    from collections.abc import Iterable

    from transom.server.http2.fields import Pair

_Fields: TypeAlias = "tuple[Pair, ...]"

# RFC 9113 8.2.2: an endpoint must not send them. They say something of HTTP/1.1, which the frames say here.
_CONNECTION_FIELDS = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"}
)
_WHITESPACE = b" \t"
_VALUE_BYTES = b"\t" + bytes(range(0x20, 0x7F)) + bytes(range(0x80, 0x100))  # RFC 9110 5.5
_MAX_NAMES: Final = 1024  # names come from the application's code; a bound in case they come from its users
_names: dict[bytes, bytes] = {}  # as they are given, and in lower case


class ResponseHead:
    """A response head that was checked. Responses share it.

    Attributes:
        status: its status.
        fields: for `BlockEncoder.encode`, without `content-length`: that is for `encode_length`, so that responses which differ
            in nothing else have the same block.
        content_length: what the application promised, None if nothing.
        has_date: whether `date` is among the fields, so that the server adds none.
        has_server: whether `server` is.
        literals: what stands behind the fields, as it was last sent with the length that the application gave; good for as long
            as what the server adds is `stamp`, which is until the next tick.
    """

    __slots__ = ("content_length", "fields", "has_date", "has_server", "literals", "stamp", "status")

    def __init__(self, status: int, fields: _Fields, content_length: int | None) -> None:
        names = {name for name, _ in fields}
        self.status = status
        self.fields = fields
        self.content_length = content_length
        self.has_date = b"date" in names
        self.has_server = b"server" in names
        self.literals = b""
        self.stamp: bytes | None = None

    @property
    def is_event_stream(self) -> bool:
        """Whether the body is a stream of server-sent events, which has no end of its own."""
        return any(
            name == b"content-type" and value.startswith(b"text/event-stream") for name, value in self.fields
        )


@remember_heads
def build_head(status: int, pairs: _Fields) -> ResponseHead:
    """Check status and fields; names in lower case, without what is about a connection of HTTP/1.1.

    Raises:
        LocalProtocolError: a name is no token, a value holds a control character, or something is not bytes.

    Source: RFC 9113 sections 8.2 and 8.3.2.
    """
    length: int | None = None
    fields: list[Pair] = []
    for field in build_fields(pairs):
        if field[0] == b"content-length":
            length = _parse_length(field[1], length)
        else:
            fields.append(field)
    return ResponseHead(status, tuple(fields), length)


def build_fields(fields: Iterable[Pair]) -> _Fields:
    """Check fields that stand alone, trailers or those of an informational response, as `build_head` does.

    Raises:
        LocalProtocolError: as `build_head`.
    """
    found: list[Pair] = []
    try:
        for name, value in fields:
            known = _names.get(name) if type(name) is bytes else None
            lower = _check_name(name) if known is None else known
            if lower in _CONNECTION_FIELDS:
                continue
            if value.translate(None, _VALUE_BYTES):
                raise LocalProtocolError("control character in a response header value")
            found.append((lower, bytes(value.strip(_WHITESPACE))))
    except LocalProtocolError:
        raise
    except (TypeError, ValueError, AttributeError) as exc:
        raise LocalProtocolError(f"response headers must be pairs of bytes: {exc}") from exc
    return tuple(found)


def _check_name(name: bytes) -> bytes:
    """Return a name in lower case, which was not seen before."""
    lower = bytes(name.lower())
    if TOKEN.fullmatch(lower) is None:
        raise LocalProtocolError(f"response header name {name!r} is not a token")
    if len(_names) < _MAX_NAMES:
        _names[bytes(name)] = lower
    return lower


def _parse_length(value: bytes, before: int | None) -> int:
    if not value.isdigit():
        raise LocalProtocolError(f"content-length {value!r} is not a number")
    length = int(value)
    if before not in (None, length):
        raise LocalProtocolError(f"content-length is both {before} and {length}")
    return length
