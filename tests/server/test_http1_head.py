"""What parser and reader remember, so that the same bytes need not be read twice, and that it is bounded."""

from __future__ import annotations

import pytest

from transom.server.http1 import PLAIN, HeadParser, Limits, RemoteProtocolError, Request, RequestReader

HEAD = "transom.server.http1.head"
READER = "transom.server.http1.reader"


def events(reader: RequestReader, *heads: bytes) -> list[Request]:
    reader.receive_data(b"".join(heads))
    found = []
    while reader.buffered:
        event = reader.next_event()
        assert isinstance(event, Request)
        found.append(event)
    return found


def fresh(head: bytes) -> Request:
    return events(RequestReader(Limits()), head)[0]


def head(*lines: bytes, line: bytes = b"GET / HTTP/1.1") -> bytes:
    return b"\r\n".join([line, *lines, b"", b""])


# Request lines


def test_line_is_remembered_when_it_comes_again():
    parser = HeadParser()
    first, second, third = (parser.parse_line(b"GET /a HTTP/1.1") for _ in range(3))
    assert first is not second
    assert second is third


def test_long_line_is_not_remembered(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(f"{HEAD}.MAX_LINE_SIZE", 20)
    parser = HeadParser()
    for line in (b"GET /%b HTTP/1.1" % (b"a" * size) for size in (6, 7)):
        for _ in range(3):
            parser.parse_line(line)
    assert list(parser.lines) == [b"GET /aaaaaa HTTP/1.1"]


def test_remembered_lines_are_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(f"{HEAD}.MAX_LINES", 2)
    parser = HeadParser()
    for name in (b"a", b"b", b"c"):
        for _ in range(2):
            parser.parse_line(b"GET /%b HTTP/1.1" % name)
    assert list(parser.lines) == [b"GET /c HTTP/1.1"]


def test_lines_that_come_once_are_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(f"{HEAD}.MAX_SEEN_ONCE", 2)
    parser = HeadParser()
    for name in (b"a", b"b", b"c", b"a"):
        parser.parse_line(b"GET /%b HTTP/1.1" % name)
    assert list(parser.lines) == [], "the first one was forgotten when there were too many"


# Fields

FIELDS = (b"Host: a", b"X: 1", b"Cookie: c")


def test_fields_that_come_again_make_the_same_request():
    reader = RequestReader(Limits())
    heads = [head(*FIELDS, line=b"GET /%d HTTP/1.1" % number) for number in range(3)]
    assert events(reader, *heads) == [fresh(data) for data in heads]


def test_requests_do_not_share_their_list_of_fields():
    """It goes into a scope, and the scope belongs to the application."""
    reader = RequestReader(Limits())
    first, second = events(reader, head(*FIELDS), head(*FIELDS))
    first.headers.clear()
    assert second.headers == fresh(head(*FIELDS)).headers
    assert events(reader, head(*FIELDS)) == [second]


@pytest.mark.parametrize("line", [b"GET / HTTP/1.0", b"GET http://a/x HTTP/1.1"])
def test_fields_mean_something_else_behind_another_kind_of_line(line):
    """Another version is kept alive differently, and a target in absolute-form must agree with the Host."""
    reader = RequestReader(Limits())
    assert events(reader, head(*FIELDS), head(*FIELDS, line=line))[1] == fresh(head(*FIELDS, line=line))


def test_host_is_compared_with_the_target_however_often_it_was_seen():
    reader = RequestReader(Limits())
    with pytest.raises(RemoteProtocolError):
        events(reader, head(*FIELDS), head(*FIELDS), head(*FIELDS, line=b"GET http://b/ HTTP/1.1"))


def test_fields_that_begin_alike_are_not_the_same():
    reader = RequestReader(Limits())
    longer, shorter = head(*FIELDS, b"Y: 2"), head(*FIELDS[:2])
    heads = [head(*FIELDS), longer, head(*FIELDS), shorter, head(*FIELDS)]
    assert events(reader, *heads) == [fresh(data) for data in heads]


def test_fields_with_a_length_announce_a_body_each_time():
    data = head(b"Host: a", b"Content-Length: 3", line=b"POST / HTTP/1.1") + b"abc"
    reader = RequestReader(Limits())
    reader.receive_data(data * 2)
    found = []
    while reader.buffered or reader.in_body:
        found.append(reader.next_event())
    assert found[:3] == found[3:]
    assert len(found) == 6


def test_reader_stops_remembering_where_fields_change_each_time(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(f"{READER}.MAX_CHANGES", 2)
    reader = RequestReader(Limits())
    heads = [head(*FIELDS, b"Y: %d" % number) for number in (1, 2, 3, 3, 3, 4)]
    assert events(reader, *heads) == [fresh(data) for data in heads]


def test_large_fields_are_not_remembered(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(f"{READER}.MAX_REMEMBERED", 20)
    reader = RequestReader(Limits())
    assert events(reader, head(*FIELDS), head(*FIELDS)) == [fresh(head(*FIELDS))] * 2


# What fields say


@pytest.mark.parametrize(
    ("fields", "version", "trailers"),
    [
        ((b"TE: trailers",), b"1.1", True),
        ((b"TE: gzip;q=0.5, Trailers",), b"1.1", True),
        ((b"TE: deflate", b"TE: trailers"), b"1.1", True),
        ((b"TE: gzip",), b"1.1", False),
        ((b"TE: trailers",), b"1.0", False),
    ],
)
def test_client_takes_trailers_where_it_says_so(fields, version, trailers):
    """RFC 9110 section 6.5.1."""
    event = fresh(head(b"Host: a", *fields, line=b"GET / HTTP/" + version))
    assert event.facts.trailers is trailers


@pytest.mark.parametrize(
    "fields", [(), (b"Connection: keep-alive",), (b"Connection: Keep-Alive,", b"Accept: */*")]
)
def test_what_most_clients_send_says_nothing_special(fields):
    """Told by one object, so that the server sees at a glance that there is nothing to do."""
    assert fresh(head(b"Host: a", *fields)).facts is PLAIN


def test_keep_alive_says_something_on_http_1_0():
    facts = fresh(head(b"Host: a", b"Connection: keep-alive", line=b"GET / HTTP/1.0")).facts
    assert facts.keep_alive
    assert not fresh(head(b"Host: a", line=b"GET / HTTP/1.0")).facts.keep_alive
