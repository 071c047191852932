"""From decoded fields to a request: what RFC 9113 section 8 asks of them, and what HTTP/1.1 asks of the same fields here.

A request that breaks a rule of HTTP/2 is malformed: a stream error. One that a response can answer raises `RefusedRequest`. An
application must not be able to tell by which version a request came, so names, values, Host, Content-Length and all limits are
judged as in `http1`, by the same code where there is any.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn, TypeAlias

from transom.server.http1.body import FORBIDDEN_TRAILERS
from transom.server.http1.head import FORWARDED, MAX_LENGTH_DIGITS
from transom.server.http2.errors import ErrorCode, RefusedRequest, StreamError
from transom.server.target import METHOD_BYTES, METHODS, TARGET_BYTES, RequestLine, decode_path, is_host

if TYPE_CHECKING:
    from transom.server.http1.limits import Limits

Pair: TypeAlias = tuple[bytes, bytes]

MAX_PSEUDO_FIELDS: Final = 5
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+")  # RFC 9113 8.2.1: a token without upper-case letters
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE_BYTES = b"\t" + bytes(range(0x20, 0x7F)) + bytes(range(0x80, 0x100))  # RFC 9110 5.5
_WHITESPACE = b" \t"

# What is to be done with a field of this name. Names that are not here are checked, then pass through; so do those that are
# PLAIN, which are here only because most requests have them.
_PLAIN: Final = 0
_PSEUDO: Final = 1
_DECISIVE: Final = 2
_CONNECTION: Final = 3
_OTHER: Final = 4
_PSEUDO_FIELDS = (b":method", b":scheme", b":authority", b":path", b":protocol")
_DECISIVE_FIELDS = FORWARDED | {
    b"host", b"content-length", b"content-type", b"expect", b"te", b"priority", b"cookie",
}  # fmt: skip
_CONNECTION_FIELDS = (b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade")
_PLAIN_FIELDS = (
    b"accept", b"accept-encoding", b"accept-language", b"authorization", b"cache-control", b"dnt", b"if-modified-since",
    b"if-none-match", b"origin", b"pragma", b"range", b"referer", b"sec-ch-ua", b"sec-ch-ua-mobile", b"sec-ch-ua-platform",
    b"sec-fetch-dest", b"sec-fetch-mode", b"sec-fetch-site", b"sec-fetch-user", b"upgrade-insecure-requests", b"user-agent",
    b"x-requested-with",
)  # fmt: skip
_KINDS: Final = {
    **dict.fromkeys(_PLAIN_FIELDS, _PLAIN),
    **dict.fromkeys(_PSEUDO_FIELDS, _PSEUDO),
    **dict.fromkeys(_DECISIVE_FIELDS, _DECISIVE),
    **dict.fromkeys(_CONNECTION_FIELDS, _CONNECTION),
}
_LONGEST_KIND = max(map(len, _KINDS))
# RFC 9110 5.3: of what is no list there is one. With two, a filter before us may have judged the other.
_ONCE = frozenset({b"host", b"content-length", b"content-type"})
_SCHEMES = {b"http": "http", b"https": "https"}


@dataclass(slots=True)
class RequestHead:
    """A complete and valid request head. Requests with the same field block share it: nothing in it may be changed.

    Attributes:
        line: method, path and query; of the same object for as long as the block is remembered.
        headers: for the scope, `host` first where `:authority` was sent. An application needs a copy of its own.
        scheme: "http" or "https", as the client says.
        content_length: value of `content-length`, None without it.
        protocol: what an extended CONNECT asks for (RFC 8441), else empty.
        priority: value of `priority`, None without it; for `priorities.parse_priority`.
        expect_continue: whether the client waits for a 100 before it sends the body.
        trailers: whether the client takes trailers.
        forwarded: whether a field is there that proxies set.
        is_plain: whether all of it is for the application, so that the attributes from `content_length` on have their defaults.
    """

    line: RequestLine
    headers: list[Pair]
    scheme: str
    content_length: int | None = None
    protocol: bytes = b""
    priority: bytes | None = None
    expect_continue: bool = False
    trailers: bool = False
    forwarded: bool = False
    is_plain: bool = True


def parse_request(
    pairs: list[Pair], stream_id: int, limits: Limits, *, allows_connect: bool = False
) -> RequestHead:
    """Return the request that these fields, as decoded and in their order, make.

    Args:
        pairs: all fields of a head, pseudo-fields and cookie crumbs too.
        stream_id: for the errors.
        limits: those of HTTP/1.1, with the same meaning.
        allows_connect: whether SETTINGS_ENABLE_CONNECT_PROTOCOL was sent.

    Raises:
        StreamError: the request is malformed.
        RefusedRequest: 414 or 431 for a limit, 417 for an unknown expectation, 400 or 501 for a method.

    Source: RFC 9113 sections 8.1 to 8.3 and 8.5; RFC 8441 section 4.
    """
    if len(pairs) > limits.field_count + MAX_PSEUDO_FIELDS:
        _refuse_count(stream_id, limits)
    pseudo: dict[bytes, bytes] = {}
    decisive: dict[bytes, bytes] = {}
    headers, crumbs = _sort(pairs, pseudo, decisive, stream_id, limits)
    values = b"".join([value for _, value in headers])
    if values.translate(None, _VALUE_BYTES):
        _refuse_control(headers, stream_id)
    line, scheme = _parse_pseudo(pseudo, stream_id, limits, allows_connect)
    authority = _set_host(headers, pseudo.get(b":authority"), decisive.get(b"host"), stream_id)
    if len(headers) + crumbs > limits.field_count:
        _refuse_count(stream_id, limits)
    if len(values) + len(authority) + _LONGEST_KIND + 4 > limits.field:
        _check_sizes(headers, stream_id, limits)
    head = RequestHead(line, headers, scheme)
    if decisive:
        head.is_plain = False
        _decide(head, decisive, stream_id)
    protocol = pseudo.get(b":protocol")
    if protocol is not None:
        head.is_plain = False
        _set_protocol(head, protocol, stream_id)
    elif line.method == "CONNECT":
        raise RefusedRequest(stream_id, 501, "CONNECT is for proxies (RFC 9110 section 9.3.6)")
    return head


def _sort(
    pairs: list[Pair],
    pseudo: dict[bytes, bytes],
    decisive: dict[bytes, bytes],
    stream_id: int,
    limits: Limits,
) -> tuple[list[Pair], int]:
    """Return the fields for the application, and how many crumbs of its cookie are not fields any more.

    Pseudo-fields and those that decide something go into the dictionaries. What can be said of all values together is left out.
    """
    headers: list[Pair] = []
    crumbs = 0
    kind_of = _KINDS.get
    for pair in pairs:
        name, value = pair
        kind = kind_of(name, _OTHER)
        if kind == _PSEUDO:
            _add_pseudo(pseudo, name, value, stream_id, is_late=bool(headers))
            continue
        if value.strip(_WHITESPACE) != value:
            _refuse_value(name, stream_id)
        if kind == _DECISIVE:
            if name not in decisive:
                decisive[name] = value
            else:
                _repeat(decisive, name, value, stream_id)
                if name == b"cookie":
                    crumbs += 1
                    continue
        elif kind == _OTHER:
            _check_name(name, stream_id)
            if len(name) + len(value) + 4 > limits.field:
                _refuse_size(name, stream_id, limits)
        elif kind == _CONNECTION:
            _refuse_connection_field(name, stream_id)
        headers.append(pair)
    if crumbs:
        position = next(index for index, (name, _) in enumerate(headers) if name == b"cookie")
        headers[position] = (b"cookie", decisive[b"cookie"])
    return headers, crumbs


def _set_host(headers: list[Pair], authority: bytes | None, host: bytes | None, stream_id: int) -> bytes:
    """Put `:authority` before the other fields, in the place of Host; return which of them there is."""
    if authority is None:
        if host is None:
            raise _malformed(stream_id, "neither :authority nor Host (RFC 9113 section 8.3.1)")
        authority = host
    else:
        if host is not None:
            _drop_host(headers, host, authority, stream_id)
        headers.insert(0, (b"host", authority))
    if not is_host(authority):
        raise _malformed(stream_id, f"malformed host {authority!r} (RFC 9113 section 8.3.1)")
    return authority


def _malformed(stream_id: int, message: str) -> StreamError:
    return StreamError(ErrorCode.PROTOCOL_ERROR, stream_id, message)


def _add_pseudo(
    pseudo: dict[bytes, bytes], name: bytes, value: bytes, stream_id: int, *, is_late: bool
) -> None:
    if is_late:
        raise _malformed(stream_id, f"{name.decode()} behind a field (RFC 9113 section 8.3)")
    if name in pseudo:
        raise _malformed(stream_id, f"more than one {name.decode()} (RFC 9113 section 8.3)")
    pseudo[name] = value


def _check_name(name: bytes, stream_id: int) -> None:
    if _NAME.fullmatch(name) is None:
        if name.startswith(b":"):
            raise _malformed(stream_id, f"unknown pseudo-field {name[:64]!r} (RFC 9113 section 8.3)")
        raise _malformed(
            stream_id, f"field name {name[:64]!r} is no lower-case token (RFC 9113 section 8.2.1)"
        )


def _repeat(decisive: dict[bytes, bytes], name: bytes, value: bytes, stream_id: int) -> None:
    if name in _ONCE:
        raise _malformed(stream_id, f"more than one {name.decode()} field (RFC 9110 section 5.3)")
    # RFC 9113 8.2.3: crumbs of a cookie are joined; RFC 9110 5.3: so are lines of a list.
    decisive[name] += (b"; " if name == b"cookie" else b", ") + value


def _refuse_value(name: bytes, stream_id: int) -> NoReturn:
    raise _malformed(stream_id, f"whitespace around the value of {name[:64]!r} (RFC 9113 section 8.2.1)")


def _refuse_control(headers: list[Pair], stream_id: int) -> NoReturn:
    name = next(name for name, value in headers if value.translate(None, _VALUE_BYTES))
    raise _malformed(stream_id, f"control character in the value of {name[:64]!r} (RFC 9113 section 8.2.1)")


def _refuse_connection_field(name: bytes, stream_id: int) -> NoReturn:
    raise _malformed(stream_id, f"connection-specific field {name.decode()} (RFC 9113 section 8.2.2)")


def _refuse_count(stream_id: int, limits: Limits) -> NoReturn:
    raise RefusedRequest(stream_id, 431, f"more than {limits.field_count} header fields (RFC 6585 section 5)")


def _refuse_size(name: bytes, stream_id: int, limits: Limits) -> NoReturn:
    raise RefusedRequest(
        stream_id, 431, f"field {name[:64]!r} is over {limits.field} bytes (RFC 6585 section 5)"
    )


def _check_sizes(headers: list[Pair], stream_id: int, limits: Limits) -> None:
    for name, value in headers:
        if len(name) + len(value) + 4 > limits.field:  # 4: what separates them in HTTP/1.1
            _refuse_size(name, stream_id, limits)


def _drop_host(headers: list[Pair], host: bytes, authority: bytes, stream_id: int) -> None:
    # RFC 9113 8.3.1 lets a server compare them as it likes; two hosts that differ are a sign of an attack.
    if host.lower() != authority.lower():
        raise _malformed(stream_id, f"Host {host!r} is not :authority {authority!r} (RFC 9113 section 8.3.1)")
    headers.remove((b"host", host))


def _parse_pseudo(
    pseudo: dict[bytes, bytes], stream_id: int, limits: Limits, allows_connect: bool
) -> tuple[RequestLine, str]:
    """Return what the pseudo-fields but `:authority` say."""
    method = pseudo.get(b":method")
    if method is None:
        raise _malformed(stream_id, "no :method (RFC 9113 section 8.3.1)")
    path, scheme = pseudo.get(b":path"), pseudo.get(b":scheme")
    if b":protocol" in pseudo and (method != b"CONNECT" or not allows_connect):
        raise _malformed(
            stream_id, ":protocol without CONNECT, or without our permission (RFC 8441 section 4)"
        )
    if method == b"CONNECT" and b":protocol" not in pseudo:
        if path is not None or scheme is not None or b":authority" not in pseudo:
            raise _malformed(
                stream_id, "CONNECT with :path or :scheme, or without :authority (RFC 9113 section 8.5)"
            )
        return RequestLine("CONNECT", b"", "", b"", "2", None), "http"
    if path is None or scheme is None:
        raise _malformed(stream_id, "no :path or no :scheme (RFC 9113 section 8.3.1)")
    if (known_scheme := _SCHEMES.get(scheme.lower())) is None:
        raise _malformed(stream_id, f":scheme {scheme!r} is not http or https (RFC 9113 section 8.3.1)")
    raw_path, _, query = path.partition(b"?")
    is_target = raw_path.startswith(b"/") or (path == b"*" and method == b"OPTIONS")
    if not is_target or path.translate(None, TARGET_BYTES):
        raise _malformed(stream_id, f"malformed :path {path!r} (RFC 9113 section 8.3.1)")
    name = "CONNECT" if method == b"CONNECT" else METHODS.get(method)
    if name is None:
        _refuse_method(method, stream_id)
    if len(method) + len(path) + 10 > limits.request_line:  # as the request line that HTTP/1.1 would have
        raise RefusedRequest(
            stream_id, 414, f"request target is over {limits.request_line} bytes (RFC 9110 section 15.5.15)"
        )
    return RequestLine(name, raw_path, decode_path(raw_path), query, "2", None), known_scheme


def _refuse_method(method: bytes, stream_id: int) -> NoReturn:
    if _TOKEN.fullmatch(method) is None:
        raise _malformed(stream_id, f"malformed method {method!r} (RFC 9110 section 9.1)")
    if method.translate(None, METHOD_BYTES):  # as in HTTP/1.1: who writes `get` means GET, which it is not
        raise RefusedRequest(stream_id, 400, f"malformed method {method!r} (RFC 9110 section 9.1)")
    raise RefusedRequest(stream_id, 501, f"unknown method {method!r} (RFC 9110 section 9.1)")


def _decide(head: RequestHead, decisive: dict[bytes, bytes], stream_id: int) -> None:
    """Write down what the fields say that are more than passed through."""
    length = decisive.get(b"content-length")
    if length is not None:
        head.content_length = _parse_length(length, stream_id)
    te = decisive.get(b"te")
    if te is not None:
        # RFC 9113 8.2.2: only so much of TE is not about the connection. It is a list, and may say it again.
        if any(coding.strip(_WHITESPACE) != b"trailers" for coding in te.lower().split(b",")):
            raise _malformed(stream_id, f"te {te!r} is not trailers (RFC 9113 section 8.2.2)")
        head.trailers = True
    expect = decisive.get(b"expect")
    if expect is not None:
        if expect.lower() != b"100-continue":
            raise RefusedRequest(stream_id, 417, f"unknown expectation {expect!r} (RFC 9110 section 10.1.1)")
        head.expect_continue = True
    head.priority = decisive.get(b"priority")
    head.forwarded = not FORWARDED.isdisjoint(decisive)


def _parse_length(value: bytes, stream_id: int) -> int:
    if not value.isdigit() or len(value) > MAX_LENGTH_DIGITS:
        raise _malformed(stream_id, f"malformed content-length {value[:64]!r} (RFC 9110 section 8.6)")
    return int(value)


def _set_protocol(head: RequestHead, protocol: bytes, stream_id: int) -> None:
    if _TOKEN.fullmatch(protocol) is None:
        raise _malformed(stream_id, f"malformed :protocol {protocol!r} (RFC 8441 section 4)")
    if head.content_length is not None:
        raise _malformed(stream_id, "CONNECT with a content-length (RFC 9110 section 9.3.6)")
    head.protocol = protocol


def check_trailers(pairs: list[Pair], stream_id: int, limits: Limits) -> None:
    """Refuse trailers that break a rule of HTTP/2, or say what only a head may say. They are not given to the application.

    Raises:
        StreamError: the request is malformed.
        RefusedRequest: 431 for a limit, if it can still be answered.

    Source: RFC 9113 section 8.1; RFC 9110 section 6.5.1.
    """
    if len(pairs) > limits.field_count:
        _refuse_count(stream_id, limits)
    for name, value in pairs:
        if name.startswith(b":"):
            raise _malformed(stream_id, f"pseudo-field {name[:64]!r} in trailers (RFC 9113 section 8.1)")
        _check_name(name, stream_id)
        if name in _CONNECTION_FIELDS:
            _refuse_connection_field(name, stream_id)
        if name in FORBIDDEN_TRAILERS:
            raise _malformed(stream_id, f"forbidden trailer {name.decode()} (RFC 9110 section 6.5.1)")
        if value.strip(_WHITESPACE) != value:
            _refuse_value(name, stream_id)
        if value.translate(None, _VALUE_BYTES):
            _refuse_control([(name, value)], stream_id)
    _check_sizes(pairs, stream_id, limits)
