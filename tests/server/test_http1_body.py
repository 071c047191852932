"""The chunked transfer coding: its grammar, and that all that is not body is bounded."""

from __future__ import annotations

import pytest

from transom.server.http1 import END_OF_MESSAGE, NEED_DATA, Data, Limits, RemoteProtocolError
from transom.server.http1.body import EXTENSION_SHARE, ChunkedDecoder, LengthDecoder, parse_chunk_header

LIMITS = Limits()


def decode(data: bytes, limits: Limits = LIMITS) -> bytes:
    """Return the body, which must be complete with the last of these bytes."""
    decoder, body, position = ChunkedDecoder(limits), b"", 0
    while True:
        event, position = decoder.decode(data, position)
        if event is END_OF_MESSAGE:
            assert position == len(data)
            return body
        assert isinstance(event, Data)
        body += event.data


def refusal(data: bytes, limits: Limits = LIMITS) -> int:
    with pytest.raises(RemoteProtocolError) as caught:
        decode(data, limits)
    return caught.value.status


@pytest.mark.parametrize(
    "extension",
    [
        b";a",
        b";a;b;c",
        b";a=b",
        b"; a ;\tb\t=\tc",
        b' ; a = "b"',
        b';a=""',
        b';a="b;c,=\xe9\t "',
        b';a="\\"\\\\\\a"',
        b";!#$%&'*+-.^_`|~0=!#$%&'*+-.^_`|~0",
    ],
)
def test_chunk_extensions_are_dropped(extension):
    """RFC 9112 section 7.1.1, with the whitespace that it allows and calls bad."""
    assert decode(b"3%b\r\nabc\r\n0%b\r\n\r\n" % (extension, extension)) == b"abc"


@pytest.mark.parametrize(
    "extension",
    [
        b";",
        b"; ",
        b";a;",
        b";a=",
        b";=a",
        b";a=b=c",
        b";a b",
        b";a=b c",
        b";a ",
        b" ",
        b'; "a"',
        b';a="b',
        b';a="b"c',
        b';a="b\\"',
        b';a="\x00"',
        b';a="\x7f"',
        b";a=\xe9",
        b";a\rb",
        b',a="b"',
        b"#",
    ],
)
def test_malformed_chunk_extension_is_refused(extension):
    assert refusal(b"3%b\r\nabc\r\n0\r\n\r\n" % extension) == 400


def test_chunk_extensions_are_judged_in_linear_time():
    """A pattern that tries things twice would take years."""
    line = b"3" + b" ;a = b" * 4000 + b" ;\x00"
    with pytest.raises(RemoteProtocolError):
        parse_chunk_header(line)


@pytest.mark.parametrize(
    ("digits", "size"),
    [(b"0", 0), (b"aF", 175), (b"0000000000000003", 3), (b"7fffffffffffffff", 2**63 - 1)],
)
def test_chunk_size(digits, size):
    assert parse_chunk_header(digits) == size


@pytest.mark.parametrize(
    "digits", [b"", b"-1", b"+1", b"0x1", b"1_0", b" 1", b"g", b"00000000000000003", b"8000000000000000"]
)
def test_chunk_size_that_is_no_bare_number_or_could_overflow_is_refused(digits):
    with pytest.raises(RemoteProtocolError):
        parse_chunk_header(digits)


def test_chunk_header_line_has_the_limit_of_a_field():
    """The limit counts the whole line, with its CRLF."""
    limits = Limits(field=20)
    longest = b"3;" + b"a" * 16 + b"\r\n"
    assert decode(longest + b"abc\r\n0\r\n\r\n", limits) == b"abc"
    assert refusal(b"3;" + b"a" * 17 + b"\r\nabc\r\n0\r\n\r\n", limits) == 413
    assert refusal(b"3;" + b"a" * 18, limits) == 413, "its end need not have arrived"


def test_chunk_extensions_together_have_the_limit_of_a_head_and_a_share_of_the_body():
    """A body in chunks of one byte must not bring an endless amount of something else."""
    limits = Limits(head=100)
    chunk = b"1;" + b"a" * 9 + b"\r\nb\r\n"
    assert decode(chunk * 10 + b"0\r\n\r\n", limits) == b"b" * 10
    assert refusal(chunk * 10 + b"0;a\r\n\r\n", limits) == 413
    body = b"b" * (20 * EXTENSION_SHARE)
    large = b"%x\r\n%b\r\n" % (len(body), body)
    assert len(decode(large + chunk * 12 + b"0\r\n\r\n", limits)) == len(body) + 12
    assert refusal(large + chunk * 13 + b"0\r\n\r\n", limits) == 413


def test_body_limit_counts_what_chunks_announce():
    limits = Limits(body=10)
    assert decode(b"5\r\naaaaa\r\n5\r\naaaaa\r\n0\r\n\r\n", limits) == b"a" * 10
    assert refusal(b"5\r\naaaaa\r\n6\r\n", limits) == 413


def test_trailers_are_checked_and_dropped():
    """ASGI H1.8. What they hold is not merged into the head (RFC 9110 section 6.5.2)."""
    assert (
        decode(b"0\r\nX-Checksum: 1\r\nContent-Type: text/html\r\nAuthorization: a\r\nEmpty:\r\n\r\n") == b""
    )


@pytest.mark.parametrize(
    "name",
    [
        "Connection",
        "CONTENT-LENGTH",
        "Expect",
        "host",
        "Keep-Alive",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
    ],
)
def test_trailer_that_would_frame_or_route_a_message_is_refused(name):
    assert refusal(b"0\r\n%b: 1\r\n\r\n" % name.encode()) == 400


@pytest.mark.parametrize(
    "line",
    [b"X", b": 1", b"X : 1", b" X: 1", b"X: a\x00", b"X: a\rb", b"X: 1\r\n folded", b"X\xe9: 1", b"X: 1\n"],
)
def test_malformed_trailer_is_refused(line):
    assert refusal(b"0\r\n%b\r\n\r\n" % line) == 400


def test_trailers_have_the_limits_of_a_head():
    limits = Limits(field=20, field_count=3, head=50)
    assert decode(b"0\r\n" + b"X: 1\r\n" * 3 + b"\r\n", limits) == b""
    assert refusal(b"0\r\n" + b"X: 1\r\n" * 4 + b"\r\n", limits) == 431
    assert decode(b"0\r\nX: " + b"a" * 15 + b"\r\n\r\n", limits) == b""
    assert refusal(b"0\r\nX: " + b"a" * 16 + b"\r\n\r\n", limits) == 431
    assert decode(b"0\r\n" + (b"X: " + b"a" * 15 + b"\r\n") * 2 + b"X: aaaaa\r\n\r\n", limits) == b""
    assert refusal(b"0\r\n" + (b"X: " + b"a" * 15 + b"\r\n") * 2 + b"X: aaaaaa\r\n\r\n", limits) == 431


@pytest.mark.parametrize(
    "data", [b"\nabc", b"3\nabc\r\n", b"3\r\nabc\n0\r\n\r\n", b"3\r\nabcd\r\n", b"0\r\n\n"]
)
def test_line_that_does_not_end_in_crlf_is_refused(data):
    assert refusal(data) == 400


def test_nothing_is_said_before_there_are_enough_bytes():
    decoder = ChunkedDecoder(LIMITS)
    data = b"3;a\r\nabc\r\n0\r\nX: 1\r\n\r\n"
    position, seen = 0, []
    for end in range(len(data) + 1):
        event, position = decoder.decode(data[:end], position)
        if event is not NEED_DATA:
            seen.append(event)
    assert seen == [Data(b"a"), Data(b"b"), Data(b"c"), END_OF_MESSAGE]


def test_many_small_chunks_come_as_one_piece():
    """Two bytes each, which are 65,536 objects for the application if they come one by one."""
    event, position = ChunkedDecoder(LIMITS).decode(b"2\r\nab\r\n" * 1000 + b"3\r\nab", 0)
    assert event == Data(b"ab" * 1001)
    assert position == 1000 * 7 + 5


def test_what_came_before_an_error_is_told_first():
    """So that it does not depend on how the bytes were cut."""
    decoder, data = ChunkedDecoder(LIMITS), b"2\r\nab\r\nx\r\n"
    event, position = decoder.decode(data, 0)
    assert (event, position) == (Data(b"ab"), 7)
    for _ in range(2):
        with pytest.raises(RemoteProtocolError):
            decoder.decode(data, position)


def test_length_decoder_takes_its_length_and_no_more():
    decoder = LengthDecoder(3)
    assert decoder.decode(b"", 0) == (NEED_DATA, 0)
    assert decoder.decode(b"ab", 0) == (Data(b"ab"), 2)
    assert decoder.decode(b"cGET", 0) == (Data(b"c"), 1)
    assert decoder.decode(b"cGET", 1) == (END_OF_MESSAGE, 1)
