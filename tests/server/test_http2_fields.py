"""From decoded fields to a request: RFC 9113 section 8, RFC 8441, and the same judgement as HTTP/1.1."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transom.server.http1 import HeadParser, Limits, RemoteProtocolError, RequestReader
from transom.server.http2.errors import ErrorCode, RefusedRequest, StreamError
from transom.server.http2.fields import Pair, RequestHead, check_trailers, parse_request
from transom.server.target import RequestLine

LIMITS = Limits()
GET = [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", b"example.com"), (b":path", b"/")]
CONNECT = [(b":method", b"CONNECT"), (b":authority", b"example.com:443")]
WEBSOCKET = [
    (b":method", b"CONNECT"),
    (b":protocol", b"websocket"),
    (b":scheme", b"https"),
    (b":path", b"/chat?room=1"),
    (b":authority", b"example.com"),
]


def parse(*fields: Pair, pseudo: list[Pair] | None = None, **options: Any) -> RequestHead:
    return parse_request(
        [*(GET if pseudo is None else pseudo), *fields], 5, options.pop("limits", LIMITS), **options
    )


def replace(name: bytes, value: bytes | None, pairs: list[Pair] = GET) -> list[Pair]:
    """Return pseudo-fields of which one is another, or is gone."""
    if value is None:
        return [pair for pair in pairs if pair[0] != name]
    return [(name, value) if pair[0] == name else pair for pair in pairs]


def malformed(*fields: Pair, pseudo: list[Pair] | None = None, section: str = "", **options: Any) -> str:
    """Return why a request is a stream error of type PROTOCOL_ERROR; `section` is the source that is named."""
    with pytest.raises(StreamError) as caught:
        parse(*fields, pseudo=pseudo, **options)
    assert not isinstance(caught.value, RefusedRequest)
    assert (caught.value.code, caught.value.stream_id) == (ErrorCode.PROTOCOL_ERROR, 5)
    assert str(caught.value).endswith(f"({section})")
    return str(caught.value)


def refused(*fields: Pair, pseudo: list[Pair] | None = None, **options: Any) -> int:
    with pytest.raises(RefusedRequest, match=r"\(RFC \d+ section [\d.]+\)$") as caught:
        parse(*fields, pseudo=pseudo, **options)
    assert (caught.value.code, caught.value.stream_id) == (ErrorCode.NO_ERROR, 5)
    return caught.value.status


# What comes out


def test_request():
    assert parse((b"accept", b"*/*"), (b"x-a", b""), pseudo=replace(b":path", b"/a%20b?c=d")) == RequestHead(
        RequestLine("GET", b"/a%20b", "/a b", b"c=d", "2", None),
        [(b"host", b"example.com"), (b"accept", b"*/*"), (b"x-a", b"")],
        "https",
    )


def test_what_fields_say():
    head = parse(
        (b"content-length", b"12"),
        (b"te", b"Trailers"),
        (b"expect", b"100-Continue"),
        (b"priority", b"u=1"),
        (b"priority", b"i"),
        (b"x-forwarded-for", b"192.0.2.1"),
        (b"x-forwarded-for", b"192.0.2.2"),
    )
    assert head.content_length == 12
    assert head.trailers
    assert head.expect_continue
    assert head.priority == b"u=1, i"
    assert head.forwarded
    assert len(head.headers) == 8, "lines of a list are the application's to join"


def test_what_no_field_says():
    head = parse((b"accept", b"*/*"))
    assert (head.content_length, head.protocol, head.priority) == (None, b"", None)
    assert (head.expect_continue, head.trailers, head.forwarded) == (False, False, False)


def test_values_may_hold_tabs_and_bytes_that_are_not_ascii():
    assert parse((b"x-a", b"a\tb \xe4\xff")).headers[-1] == (b"x-a", b"a\tb \xe4\xff")


# Section 8.2.1: names and values


@pytest.mark.parametrize("name", [b"", b"Accept", b"a b", b"a:b", b"a\x00", b"a\x7f", b"\xe4", b"a(", b"X"])
def test_name_must_be_a_lower_case_token(name: bytes):
    assert "no lower-case token" in malformed((name, b"a"), section="RFC 9113 section 8.2.1")


@pytest.mark.parametrize("code", [*range(9), *range(10, 32), 127])
def test_value_must_not_hold_a_control_character(code: int):
    for value in (bytes((code,)), b"a%cb" % code):
        assert "b'x-b'" in malformed((b"x-a", b"a"), (b"x-b", value), section="RFC 9113 section 8.2.1")


@pytest.mark.parametrize("value", [b" a", b"a ", b"\ta", b"a\t", b" "])
def test_value_must_not_have_whitespace_around_it(value: bytes):
    for name in (b"accept", b"x-a", b"cookie", b"host"):
        malformed((name, value), section="RFC 9113 section 8.2.1")


# Section 8.2.2: connection-specific fields


@pytest.mark.parametrize(
    "name", [b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"]
)
def test_connection_specific_fields_are_malformed(name: bytes):
    malformed((name, b"a"), section="RFC 9113 section 8.2.2")


def test_te_may_say_trailers_again():
    assert parse((b"te", b"trailers"), (b"te", b"Trailers")).trailers


@pytest.mark.parametrize("value", [b"", b"gzip", b"trailers, gzip", b"trailers;q=1"])
def test_te_must_be_trailers(value: bytes):
    malformed((b"te", value), section="RFC 9113 section 8.2.2")


# Section 8.2.3: crumbs of a cookie


def test_crumbs_are_joined_where_the_first_one_was():
    head = parse((b"cookie", b"a=b"), (b"accept", b"*/*"), (b"cookie", b"c=d"), (b"cookie", b"e=f"))
    assert head.headers[1:] == [(b"cookie", b"a=b; c=d; e=f"), (b"accept", b"*/*")]


def test_crumbs_count_before_they_are_joined():
    limits = Limits(field_count=3)
    assert len(parse(*[(b"cookie", b"a")] * 2, limits=limits).headers) == 2
    assert refused(*[(b"cookie", b"a")] * 3, limits=limits) == 431
    assert refused(*[(b"cookie", b"")] * 101) == 431


def test_joined_crumbs_are_one_field_to_the_limit():
    crumbs = [(b"cookie", b"a" * 4000)] * 2
    assert len(parse(*crumbs).headers[1][1]) == 8002
    assert refused(*crumbs, (b"cookie", b"a" * 200)) == 431


# Section 8.3: pseudo-fields


def test_pseudo_fields_come_first():
    for pair in GET:
        pairs = [*[other for other in GET if other != pair], (b"accept", b"*/*"), pair]
        assert "behind a field" in malformed(pseudo=pairs, section="RFC 9113 section 8.3")


def test_pseudo_fields_come_once():
    for pair in GET:
        assert "more than one" in malformed(pseudo=[*GET, pair], section="RFC 9113 section 8.3")


@pytest.mark.parametrize("name", [b":status", b":foo", b":", b":Method"])
def test_unknown_pseudo_fields_are_malformed(name: bytes):
    assert "unknown pseudo-field" in malformed(pseudo=[*GET, (name, b"1")], section="RFC 9113 section 8.3")


@pytest.mark.parametrize("name", [b":method", b":scheme", b":path"])
def test_pseudo_fields_that_must_be_there(name: bytes):
    assert name.decode() in malformed(pseudo=replace(name, None), section="RFC 9113 section 8.3.1")


@pytest.mark.parametrize("scheme", [b"", b"ftp", b"wss", b"https:"])
def test_scheme_is_http_or_https(scheme: bytes):
    malformed(pseudo=replace(b":scheme", scheme), section="RFC 9113 section 8.3.1")


def test_scheme_has_no_case():
    assert parse(pseudo=replace(b":scheme", b"HTTP")).scheme == "http"


@pytest.mark.parametrize(
    "path",
    [b"", b"a", b"*", b"?a", b"http://example.com/", b"/a b", b"/#a", b"/\xe4", b"/\x7f", b"/\n", b"*?a"],
)
def test_malformed_path(path: bytes):
    malformed(pseudo=replace(b":path", path), section="RFC 9113 section 8.3.1")


def test_asterisk_is_for_options():
    line = parse(pseudo=replace(b":method", b"OPTIONS", replace(b":path", b"*"))).line
    assert line == ("OPTIONS", b"*", "*", b"", "2", None)


def test_target_has_the_limit_of_a_request_line():
    limits = Limits(request_line=20)
    assert parse(pseudo=replace(b":path", b"/123456"), limits=limits).line.path == "/123456"
    assert refused(pseudo=replace(b":path", b"/1234567"), limits=limits) == 414


@pytest.mark.parametrize("method", [b"", b"G T", b"GET\x00", b"\xe4"])
def test_malformed_method(method: bytes):
    malformed(pseudo=replace(b":method", method), section="RFC 9110 section 9.1")


@pytest.mark.parametrize("method", [b"get", b"Get"])
def test_method_in_lower_case_is_answered(method: bytes):
    assert refused(pseudo=replace(b":method", method)) == 400


def test_unknown_method_is_answered():
    assert refused(pseudo=replace(b":method", b"BREW")) == 501
    assert refused(pseudo=replace(b":method", b"PRI")) == 501


# Section 8.3.1: :authority and Host


def test_authority_takes_the_place_of_host():
    head = parse((b"accept", b"*/*"), (b"host", b"EXAMPLE.com"))
    assert head.headers == [(b"host", b"example.com"), (b"accept", b"*/*")]


def test_host_does_without_authority():
    head = parse((b"accept", b"*/*"), (b"host", b"a:1"), pseudo=replace(b":authority", None))
    assert head.headers == [(b"accept", b"*/*"), (b"host", b"a:1")]


def test_one_of_them_is_needed():
    malformed(pseudo=replace(b":authority", None), section="RFC 9113 section 8.3.1")


@pytest.mark.parametrize("host", [b"example.org", b"example.com:443", b""])
def test_host_must_not_differ_from_authority(host: bytes):
    assert "is not :authority" in malformed((b"host", host), section="RFC 9113 section 8.3.1")


@pytest.mark.parametrize("host", [b"", b"a b", b"user@a", b"a,b", b"a:99999", b"[::1", b"[1:2]", b"a/b"])
def test_malformed_host(host: bytes):
    malformed(pseudo=replace(b":authority", host), section="RFC 9113 section 8.3.1")
    malformed((b"host", host), pseudo=replace(b":authority", None), section="RFC 9113 section 8.3.1")


@pytest.mark.parametrize("name", [b"host", b"content-length", b"content-type"])
def test_fields_that_come_once(name: bytes):
    assert "more than one" in malformed((name, b"1"), (name, b"1"), section="RFC 9110 section 5.3")


@pytest.mark.parametrize("value", [b"", b"-1", b"+1", b"1,1", b"1_0", b"0x1", b"\xb2", b"1" * 19])
def test_malformed_content_length(value: bytes):
    malformed((b"content-length", value), section="RFC 9110 section 8.6")


def test_unknown_expectation_is_answered():
    assert refused((b"expect", b"200-ok")) == 417
    assert refused((b"expect", b"100-continue"), (b"expect", b"100-continue")) == 417


# Section 8.5 and RFC 8441: CONNECT


def test_connect_is_for_proxies():
    assert refused(pseudo=CONNECT) == 501


@pytest.mark.parametrize(
    "pseudo",
    [[*CONNECT, (b":path", b"/")], [*CONNECT, (b":scheme", b"https")], [(b":method", b"CONNECT")]],
)
def test_malformed_connect(pseudo: list[Pair]):
    malformed(pseudo=pseudo, section="RFC 9113 section 8.5")


def test_malformed_authority_of_connect():
    malformed(pseudo=replace(b":authority", b"a b", CONNECT), section="RFC 9113 section 8.3.1")


def test_extended_connect():
    head = parse((b"sec-websocket-version", b"13"), pseudo=WEBSOCKET, allows_connect=True)
    assert head.line == ("CONNECT", b"/chat", "/chat", b"room=1", "2", None)
    assert head.protocol == b"websocket"
    assert head.headers[0] == (b"host", b"example.com")


def test_extended_connect_needs_our_permission():
    malformed(pseudo=WEBSOCKET, section="RFC 8441 section 4")


def test_protocol_is_for_connect():
    malformed(pseudo=[*GET, (b":protocol", b"websocket")], allows_connect=True, section="RFC 8441 section 4")


@pytest.mark.parametrize("name", [b":scheme", b":path"])
def test_extended_connect_has_a_whole_target(name: bytes):
    malformed(pseudo=replace(name, None, WEBSOCKET), allows_connect=True, section="RFC 9113 section 8.3.1")


@pytest.mark.parametrize("protocol", [b"", b"web socket", b"a,b"])
def test_malformed_protocol(protocol: bytes):
    pseudo = replace(b":protocol", protocol, WEBSOCKET)
    malformed(pseudo=pseudo, allows_connect=True, section="RFC 8441 section 4")


def test_extended_connect_has_no_content_length():
    malformed(
        (b"content-length", b"0"), pseudo=WEBSOCKET, allows_connect=True, section="RFC 9110 section 9.3.6"
    )


# Limits


def test_count_of_fields():
    fields = [(b"x-%d" % number, b"a") for number in range(99)]
    assert len(parse(*fields).headers) == 100
    assert refused(*fields, (b"x", b"a")) == 431
    assert refused(*fields, *[(b"x", b"a")] * 10) == 431


@pytest.mark.parametrize("name", [b"x-a", b"accept", b"authorization"])
def test_size_of_a_field(name: bytes):
    room = LIMITS.field - len(name) - 4
    assert parse((name, b"a" * room)).headers[-1][0] == name
    assert refused((name, b"a" * (room + 1))) == 431


def test_size_of_a_name():
    assert refused((b"x" * LIMITS.field, b"")) == 431


def test_size_of_the_host():
    assert refused(pseudo=replace(b":authority", b"a" * (LIMITS.field - 7))) == 431


# Trailers


def test_trailers():
    check_trailers([(b"x-checksum", b"abc"), (b"grpc-status", b"0")], 5, LIMITS)
    check_trailers([], 5, LIMITS)


@pytest.mark.parametrize(
    ("field", "section"),
    [
        ((b":path", b"/"), "RFC 9113 section 8.1"),
        ((b":foo", b""), "RFC 9113 section 8.1"),
        ((b"X", b""), "RFC 9113 section 8.2.1"),
        ((b"", b""), "RFC 9113 section 8.2.1"),
        ((b"x", b" a"), "RFC 9113 section 8.2.1"),
        ((b"x", b"a\nb"), "RFC 9113 section 8.2.1"),
        ((b"connection", b"close"), "RFC 9113 section 8.2.2"),
        ((b"transfer-encoding", b"chunked"), "RFC 9113 section 8.2.2"),
        ((b"content-length", b"1"), "RFC 9110 section 6.5.1"),
        ((b"host", b"a"), "RFC 9110 section 6.5.1"),
        ((b"te", b"trailers"), "RFC 9110 section 6.5.1"),
    ],
)
def test_malformed_trailers(field: Pair, section: str):
    with pytest.raises(StreamError) as caught:
        check_trailers([(b"x-a", b"b"), field], 5, LIMITS)
    assert (caught.value.code, caught.value.stream_id) == (ErrorCode.PROTOCOL_ERROR, 5)
    assert str(caught.value).endswith(f"({section})")


def test_limits_of_trailers():
    for trailers in ([(b"x", b"a")] * 101, [(b"x", b"a" * LIMITS.field)]):
        with pytest.raises(RefusedRequest) as caught:
            check_trailers(trailers, 5, LIMITS)
        assert caught.value.status == 431


# The same judgement as HTTP/1.1

NAMES = st.sampled_from(
    [
        b"accept",
        b"x-a",
        b"content-type",
        b"content-length",
        b"expect",
        b"host",
        b"x-forwarded-for",
        b"a b",
        b"\xe4",
    ]
)
VALUES = st.sampled_from(
    [
        b"",
        b"a",
        b"1",
        b"100-continue",
        b"1,1",
        b"example.com",
        b"EXAMPLE.COM",
        b"a@b",
        b"a\x00b",
        b"a\x7f",
        b"\xe4",
    ]
) | st.binary(max_size=3)
HOSTS = st.sampled_from(
    [b"example.com", b"[::1]:80", b"a b", b"", b"a:65536", b"u@a", b"%41", b"%4", b"1.2.3.4"]
)
METHODS = st.sampled_from([b"GET", b"OPTIONS", b"PURGE", b"BREW", b"get", b"G(T", b"M-SEARCH"])
PATHS = st.sampled_from(
    [b"/", b"/a?b?c", b"*", b"/%c3%a9", b"/%ff", b"/a#b", b"/\xe4", b"//a", b"/a;b", b"?a", b"a"]
)


def ask_http1(method: bytes, path: bytes, host: bytes, fields: list[Pair]) -> tuple[Any, ...] | int:
    """Return what HTTP/1.1 makes of the request, or the status that it is refused with."""
    head = [b"%b %b HTTP/1.1" % (method, path), b"host: " + host]
    head += [name + b": " + value for name, value in fields]
    reader = RequestReader(Limits(field_count=4, body=0), HeadParser())
    reader.receive_data(b"\r\n".join([*head, b"", b""]))
    try:
        request: Any = reader.next_event()
    except RemoteProtocolError as exc:
        return exc.status
    facts = request.facts
    return (
        request.line[:4],
        [(name, value) for name, value in request.headers],
        facts.length,
        facts.expect_continue,
        facts.forwarded,
    )


def ask_http2(method: bytes, path: bytes, host: bytes, fields: list[Pair]) -> tuple[Any, ...] | int:
    pseudo = [(b":method", method), (b":scheme", b"https"), (b":authority", host), (b":path", path)]
    try:
        head = parse_request([*pseudo, *fields], 1, Limits(field_count=4))
    except RefusedRequest as exc:
        return exc.status
    except StreamError:
        return 400
    return (
        head.line[:4],
        head.headers,
        head.content_length or 0,
        head.expect_continue,
        head.forwarded,
    )


@given(
    method=METHODS | st.just(b"GET"),
    path=PATHS | st.just(b"/"),
    host=HOSTS | st.just(b"example.com"),
    fields=st.lists(st.tuples(NAMES, VALUES), max_size=4),
)
def test_requests_are_judged_as_in_http1(method: bytes, path: bytes, host: bytes, fields: list[Pair]):
    old, new = ask_http1(method, path, host, fields), ask_http2(method, path, host, fields)
    if any(name == b"host" or value.strip(b" \t\r\n") != value for name, value in fields):
        return  # a second Host, or what is whitespace to HTTP/1.1 and forbidden in HTTP/2
    if isinstance(old, int) and isinstance(new, int):
        return  # which of two faults is named may differ
    assert old == new
