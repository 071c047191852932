"""The request reader: what it accepts, what it refuses, and that cutting the bytes changes nothing."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest

from transom.server.http1 import (
    END_OF_MESSAGE,
    NEED_DATA,
    PLAIN,
    Data,
    HeadParser,
    Limits,
    RemoteProtocolError,
    Request,
    RequestReader,
)
from transom.server.target import RequestLine

LIMITS = Limits()


def read(*pieces: bytes, limits: Limits = LIMITS) -> list[object]:
    """Return all events, pieces of a body joined; the last one may be the status of a refusal."""
    reader, events = RequestReader(limits), []
    try:
        for piece in pieces:
            reader.receive_data(piece)
            while (event := reader.next_event()) is not NEED_DATA:
                if isinstance(event, Data) and events and isinstance(events[-1], Data):
                    event = Data(events.pop().data + event.data)
                events.append(event)
    except RemoteProtocolError as exc:
        events.append(exc.status)
    return events


def get(target: str = "/", *lines: bytes, version: str = "1.1", method: str = "GET") -> bytes:
    host = () if any(line.lower().startswith(b"host:") for line in lines) else (b"Host: example.org",)
    return b"\r\n".join([f"{method} {target} HTTP/{version}".encode("latin-1"), *host, *lines, b"", b""])


def post(body: bytes, *lines: bytes) -> bytes:
    return get("/", *lines, method="POST") + body


def chunked(body: bytes) -> bytes:
    return post(body, b"Transfer-Encoding: chunked")


def request(data: bytes) -> Request:
    (event,) = read(data)
    assert isinstance(event, Request)
    return event


# Heads


def test_head_becomes_a_request():
    event = request(get("/a%20b?x=1&y", b"X-One: 1", b"x-one:  two \t"))
    assert event == Request(
        RequestLine("GET", b"/a%20b", "/a b", b"x=1&y", "1.1", None),
        [(b"host", b"example.org"), (b"x-one", b"1"), (b"x-one", b"two")],
        PLAIN,
    )


def test_header_values_keep_bytes_above_ascii_and_may_be_empty():
    """ASGI H1.3."""
    assert request(get("/", b"X: a\xff b", b"Y:")).headers[1:] == [(b"x", b"a\xff b"), (b"y", b"")]


def test_one_empty_line_before_a_request_is_ignored():
    assert request(b"\r\n" + get()).line.method == "GET"


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/", b"/", b""),
        ("//a/../b;c", b"//a/../b;c", b""),
        ("/?", b"/", b""),
        ("/a?b?c", b"/a", b"b?c"),
        ("http://example.org/p?q", b"/p", b"q"),
        ("http://EXAMPLE.org", b"/", b""),
        ("https://example.org?q", b"/", b"q"),
    ],
)
def test_request_target_forms(target, path, query):
    event = request(get(target))
    assert (event.line.raw_path, event.line.query) == (path, query)


def test_asterisk_form_is_for_options():
    assert request(get("*", method="OPTIONS")).line.raw_path == b"*"
    assert read(get("*")) == [400]


@pytest.mark.parametrize(
    ("version", "fields", "keep_alive"),
    [
        ("1.1", [], True),
        ("1.1", [b"Connection: close"], False),
        ("1.1", [b"Connection: foo, CLOSE"], False),
        ("1.1", [b"Connection: foo", b"Connection: close"], False),
        ("1.0", [], False),
        ("1.0", [b"Connection: Keep-Alive"], True),
        ("1.0", [b"Connection: keep-alive, close"], False),
    ],
)
def test_keep_alive(version, fields, keep_alive):
    assert request(get("/", *fields, version=version)).facts.keep_alive is keep_alive


def test_http_1_0_needs_no_host():
    assert request(b"GET / HTTP/1.0\r\n\r\n").line.http_version == "1.0"


def test_upgrade_counts_only_when_connection_names_it():
    upgrade = b"Upgrade: WebSocket"
    assert request(get("/", upgrade)).facts.upgrade == b""
    assert request(get("/", upgrade, b"Connection: keep-alive, Upgrade")).facts.upgrade == b"websocket"
    assert request(get("/", b"Upgrade: h2c", b"Connection: upgrade", version="1.0")).facts.upgrade == b""


def test_bytes_after_an_upgrade_are_left_alone():
    reader = RequestReader(LIMITS)
    reader.receive_data(get("/", b"Upgrade: websocket", b"Connection: upgrade") + b"\x81\x00")
    assert isinstance(reader.next_event(), Request)
    assert reader.take_rest() == b"\x81\x00"


def test_body_of_a_request_that_asks_for_an_unknown_upgrade_is_still_its_body():
    """A parser that believes the upgrade took place would read the body as the next request."""
    body = get("/smuggled")
    events = read(
        post(body, b"Upgrade: h2c", b"Connection: upgrade", b"Content-Length: %d" % len(body)) + get("/next")
    )
    assert [event.line.raw_path for event in events if isinstance(event, Request)] == [b"/", b"/next"]
    assert Data(body) in events


def test_expect_continue():
    assert request(get("/", b"Expect: 100-Continue")).facts.expect_continue
    assert not request(get("/", b"Expect: 100-continue", version="1.0")).facts.expect_continue
    assert read(get("/", b"Expect: tea")) == [417]


REFUSED_HEADS = {
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": get("/", b"Host: a", b"Host: a"),
    "host list": get("/", b"Host: a, b"),
    "host with user": get("/", b"Host: u@a"),
    "host with path": get("/", b"Host: a/b"),
    "empty host": get("/", b"Host:"),
    "host list without space": get("/", b"Host: a,b"),
    "host with control": get("/", b"Host: a\x7f"),
    "host with a bare percent": get("/", b"Host: a%"),
    "host not ascii": get("/", b"Host: \xe9"),
    "bad port": get("/", b"Host: a:x"),
    "port too large": get("/", b"Host: a:65536"),
    "port too long": get("/", b"Host: a:000080"),
    "two ports": get("/", b"Host: a:1:2"),
    "no address": get("/", b"Host: [1:2]"),
    "address with a zone": get("/", b"Host: [fe80::1%25eth0]"),
    "open bracket": get("/", b"Host: [::1"),
    "host mismatch": get("http://other/"),
    "absolute without host": get("http:///p"),
    "other scheme": get("ftp://example.org/"),
    "fragment": get("/a#b"),
    "relative target": get("a"),
    "user in target": get("http://u@example.org/"),
    "target is an authority": get("example.org:80"),
    "empty target": b"GET  HTTP/1.1\r\nHost: a\r\n\r\n",
    "nul in target": get("/\0"),
    "non-ascii target": get("/\xff"),
    "control in target": get("/\x01"),
    "connect": b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n",
    "lower-case method": get(method="get"),
    "method with a bracket": get(method="FO(O"),
    "two spaces": b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    "tab": b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "space after version": b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
    "0.9": b"GET /\r\n\r\n",
    "1.2": get(version="1.2"),
    "2.0": get(version="2.0"),
    "preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "rtsp": b"OPTIONS / RTSP/1.0\r\nHost: a\r\n\r\n",
    "two empty lines": b"\r\n\r\n" + get(),
    "bare lf": b"GET / HTTP/1.1\nHost: a\n\n",
    "bare lf in a field": b"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
    "bare cr": get("/", b"X: a\rb"),
    "obs-fold": get("/", b"X: a\r\n b"),
    "space before the first field": get("/", b" X: a", b"Host: a"),
    "space before colon": get("/", b"X : a"),
    "no colon": get("/", b"X"),
    "empty name": get("/", b": a"),
    "name no token": get("/", b"X@: a"),
    "nul": get("/", b"X: a\0b"),
    "control": get("/", b"X: a\x1bb"),
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}


@pytest.mark.parametrize("head", REFUSED_HEADS.values(), ids=REFUSED_HEADS)
def test_malformed_head_is_refused(head):
    assert read(head) == [400]


@pytest.mark.parametrize("method", ["QUERY", "PROPFIND", "VERSION-CONTROL", "M-SEARCH"])
def test_registered_methods_are_passed_on(method):
    assert request(get(method=method)).line.method == method


@pytest.mark.parametrize("method", ["FOO", "GETGET", "-X", "A" * 30])
def test_unknown_method_is_not_implemented(method):
    """RFC 9110 section 9.1."""
    assert read(get(method=method)) == [501]
    assert read(get("/#fragment", method=method)) == [400], "whatever the method, this is malformed"


@pytest.mark.parametrize(
    "host",
    [b"a", b"a.b:0", b"a:65535", b"a:", b"1.2.3.4:80", b"[::1]", b"[::ffff:1.2.3.4]:443", b"x_y", b"%41"],
)
def test_host_forms(host):
    assert request(get("/", b"Host: " + host)).headers == [(b"host", host)]


REFUSED_FRAMINGS = {
    "cl and te": post(b"0\r\n\r\n", b"Content-Length: 5", b"Transfer-Encoding: chunked"),
    "te and cl": post(b"0\r\n\r\n", b"Transfer-Encoding: chunked", b"Content-Length: 5"),
    "two cl": post(b"abc", b"Content-Length: 3", b"Content-Length: 3"),
    "cl list": post(b"abc", b"Content-Length: 3, 3"),
    "cl plus": post(b"abc", b"Content-Length: +3"),
    "cl minus": post(b"abc", b"Content-Length: -3"),
    "cl hex": post(b"abc", b"Content-Length: 0x3"),
    "cl empty": post(b"abc", b"Content-Length:"),
    "cl space": post(b"abc", b"Content-Length: 1 2"),
    "cl overflow": post(b"abc", b"Content-Length: 99999999999999999999"),
    "cl of 19 digits": post(b"abc", b"Content-Length: 0000000000000000003"),
    "cl of 5000 digits": post(b"abc", b"Content-Length: " + b"0" * 4999 + b"3"),
    "cl underscore": post(b"abc", b"Content-Length: 0_3"),
    "cl and nul": post(b"abc", b"Content-Length: 3\0"),
    "te gzip": post(b"", b"Transfer-Encoding: gzip"),
    "te gzip behind": post(b"", b"Transfer-Encoding: chunked, gzip"),
    "te chunked twice": post(b"", b"Transfer-Encoding: chunked, chunked"),
    "te parameter": post(b"", b"Transfer-Encoding: chunked;q=1"),
    "te no token": post(b"", b"Transfer-Encoding: gz ip, chunked"),
    "te trailing comma": post(b"", b"Transfer-Encoding: chunked,"),
    "te empty": post(b"", b"Transfer-Encoding:"),
    "te obs-fold": post(b"", b"Transfer-Encoding:\r\n chunked"),
    "te identity": post(b"", b"Transfer-Encoding: identity"),
    "te twice": post(b"", b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
    "te comma": post(b"", b"Transfer-Encoding: ,chunked"),
    "te list and 1.0": get("/", b"Transfer-Encoding: gzip, chunked", version="1.0"),
    "te list and cl": post(b"", b"Content-Length: 0", b"Transfer-Encoding: gzip, chunked"),
    "te xchunked": post(b"", b"Transfer-Encoding: xchunked"),
    "te vertical tab": post(b"", b"Transfer-Encoding: \x0bchunked"),
    "te on 1.0": get("/", b"Transfer-Encoding: chunked", version="1.0") + b"0\r\n\r\n",
}


@pytest.mark.parametrize("data", REFUSED_FRAMINGS.values(), ids=REFUSED_FRAMINGS)
def test_ambiguous_framing_is_refused(data):
    assert read(data) == [400]


LEFT_BEHIND = {
    "close": get("/", b"Connection: close"),
    "other connection options": get("/", b"Connection: a, close"),
    "close to proxies": get("/", b"Proxy-Connection: close"),
    "http/1.0": get("/", version="1.0"),
    "length": post(b"", b"Content-Length: 500"),
    "chunks": chunked(b""),
    "upgrade": get("/", b"Upgrade: a", b"Connection: upgrade"),
    "upgrade with a body": post(b"", b"Upgrade: a", b"Connection: upgrade", b"Content-Length: 500"),
    "no host, with a body": b"POST / HTTP/1.1\r\nContent-Length: 500\r\n\r\n",
    "bad host, with a body": post(b"", b"Host: a b", b"Content-Length: 500"),
    "bad expectation, with a body": post(b"", b"Expect: tea", b"Content-Length: 500"),
    "unknown coding": post(b"", b"Transfer-Encoding: gzip, chunked"),
    "chunks on 1.0": get("/", b"Transfer-Encoding: chunked", version="1.0"),
    "two hosts": get("/", b"Host: a", b"Host: a"),
    "malformed": get("/", b"X : a"),
    "too many fields": get("/", *[b"X: a"] * 200),
}


@pytest.mark.parametrize("data", LEFT_BEHIND.values(), ids=LEFT_BEHIND)
def test_what_one_client_sends_does_not_reach_the_next(data):
    """All connections of a worker share a parser: one client's body must not begin with another's request."""
    parser, fields = HeadParser(), (b"X: 1", b"Cookie: a")
    with suppress(RemoteProtocolError):
        reader = RequestReader(LIMITS, parser)
        reader.receive_data(data)
        reader.next_event()
    other = RequestReader(LIMITS, parser)
    other.receive_data(get("/mine", *fields))
    assert other.next_event() == request(get("/mine", *fields))


@pytest.mark.parametrize("lines", [[b"gzip, chunked"], [b"gzip", b"Chunked"], [b"identity,chunked"]])
def test_transfer_coding_that_we_do_not_know_is_not_implemented(lines):
    """RFC 9112 section 6.1. Two lines are one list (RFC 9110 section 5.3)."""
    assert read(post(b"", *(b"Transfer-Encoding: " + line for line in lines))) == [501]


def test_length_may_have_18_digits_and_leading_zeros():
    assert read(post(b"abc", b"Content-Length: 000000000000000003"))[1:] == [Data(b"abc"), END_OF_MESSAGE]


def test_content_type_is_there_once():
    """RFC 9110 section 8.3: who filters uploads by it may have looked at the other one."""
    assert request(post(b"", b"Content-Type: text/plain")).line.method == "POST"
    assert read(post(b"", b"Content-Type: text/plain", b"content-type: text/html")) == [400]


# Bodies


def test_body_of_known_length_and_the_next_request():
    events = read(post(b"abc", b"Content-Length: 3") + get("/next"))
    assert events[0].facts.length == 3
    assert events[1:3] == [Data(b"abc"), END_OF_MESSAGE]
    assert events[3].line.raw_path == b"/next"


def test_length_zero_is_no_body():
    assert request(post(b"", b"Content-Length: 0")).facts.length == 0


def test_chunked_body_with_extensions_and_trailers():
    """ASGI H1.8."""
    data = chunked(b'3;a=b\r\nabc\r\n10;c="d;e"\r\n0123456789abcdef\r\n000\r\nX-Trailer: 1\r\n\r\n') + get(
        "/next"
    )
    events = read(data)
    assert events[1:3] == [Data(b"abc0123456789abcdef"), END_OF_MESSAGE]
    assert events[3].headers == [(b"host", b"example.org")]


REFUSED_CHUNKS = {
    "bare lf after size": b"3\nabc\r\n0\r\n\r\n",
    "bare lf in extension": b"3;a\nb\r\nabc\r\n0\r\n\r\n",
    "bare cr in extension": b"3;a\rb\r\nabc\r\n0\r\n\r\n",
    "no crlf after data": b"3\r\nabcXX0\r\n\r\n",
    "lf after data": b"3\r\nabc\n0\r\n\r\n",
    "0x": b"0x3\r\nabc\r\n0\r\n\r\n",
    "plus": b"+3\r\nabc\r\n0\r\n\r\n",
    "underscore": b"1_0\r\nabc\r\n0\r\n\r\n",
    "leading space": b" 3\r\nabc\r\n0\r\n\r\n",
    "trailing space": b"3 \r\nabc\r\n0\r\n\r\n",
    "empty size": b"\r\nabc\r\n0\r\n\r\n",
    "overflow": b"11111111111111111\r\n",
    "control in extension": b"3;\x01\r\nabc\r\n0\r\n\r\n",
    "trailer with lf": b"0\r\nX: 1\n\r\n",
    "trailer sets length": b"0\r\nContent-Length: 5\r\n\r\n",
    "trailer sets coding": b"0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "trailer no token": b"0\r\nX : 1\r\n\r\n",
}


@pytest.mark.parametrize("body", REFUSED_CHUNKS.values(), ids=REFUSED_CHUNKS)
def test_malformed_chunk_is_refused(body):
    assert read(chunked(body))[-1] == 400


def test_refusal_quotes_a_little_of_what_was_sent():
    """It is logged, and sent back."""
    with pytest.raises(RemoteProtocolError) as caught:
        HeadParser().parse_line(b"GET /" + b"\xff" * 8000 + b" HTTP/1.1")
    assert len(str(caught.value)) < 210


# Limits


def line_of(size: int) -> bytes:
    return get("/" + "a" * (size - len("GET / HTTP/1.1")))


def test_request_line_limit():
    assert request(line_of(LIMITS.request_line)).line.method == "GET"
    assert read(line_of(LIMITS.request_line + 1)) == [414]


def test_field_limit():
    """It counts the line, with its CRLF, as gunicorn's does."""
    assert request(get("/", b"X: " + b"a" * (LIMITS.field - 5))).line.method == "GET"
    assert read(get("/", b"X: " + b"a" * (LIMITS.field - 4))) == [431]


def test_field_count_limit():
    assert request(get("/", *[b"X: a"] * (LIMITS.field_count - 1))).line.method == "GET"
    assert read(get("/", *[b"X: a"] * LIMITS.field_count)) == [431]


def test_head_limit():
    fields = [b"X: " + b"a" * 7995] * 4
    rest = LIMITS.head - len(get("/", *fields, b"X: "))
    assert request(get("/", *fields, b"X: " + b"a" * rest)).line.method == "GET"
    assert read(get("/", *fields, b"X: " + b"a" * (rest + 1))) == [431]
    assert read(b"GET / HTTP/1.1\r\nX: " + b"a" * LIMITS.head) == [431]


@pytest.mark.parametrize("over", [False, True])
def test_body_limit_holds_with_and_without_a_length(over):
    limits, body = Limits(body=10), b"a" * (10 + over)
    known = read(post(body, b"Content-Length: %d" % len(body)), limits=limits)
    unknown = read(chunked(b"5\r\naaaaa\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body) - 5, body[5:])), limits=limits)
    assert (known[-1], unknown[-1]) == ((413, 413) if over else (END_OF_MESSAGE, END_OF_MESSAGE))


# Splits

STREAMS = {
    "requests": get("/1")
    + post(b"abc", b"Content-Length: 3")
    + chunked(b"3;x\r\nabc\r\n0\r\nT: 1\r\n\r\n")
    + b"\r\n"
    + get("/4"),
    "then bare lf": get("/1") + b"GET / HTTP/1.1\nHost: a\n\n",
    "then bad chunk": get("/1") + chunked(b"3\r\nabc\r\n3\r\nabcd\r\n0\r\n\r\n"),
    **REFUSED_HEADS,
    **REFUSED_FRAMINGS,
    **{f"chunk: {name}": chunked(body) for name, body in REFUSED_CHUNKS.items()},
}


@pytest.mark.parametrize("data", STREAMS.values(), ids=STREAMS)
def test_outcome_does_not_depend_on_how_the_bytes_are_cut(data):
    whole = read(data)
    assert read(*(data[i : i + 1] for i in range(len(data)))) == whole
    rng = random.Random(len(data))
    for _ in range(5):
        cuts = sorted(rng.sample(range(len(data)), 4))
        assert (
            read(*(data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True) if a != b)) == whole
        )
