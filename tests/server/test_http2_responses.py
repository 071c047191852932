"""What an application says of its response."""

from __future__ import annotations

from typing import Any

import pytest

from transom.server.http1 import LocalProtocolError
from transom.server.http2 import responses
from transom.server.http2.responses import build_fields, build_head


@pytest.fixture(autouse=True)
def _nothing_is_remembered(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(responses, "_names", {})


def test_head():
    head = build_head(200, [(b"Content-Type", b" text/plain\t"), (b"Content-Length", b"12"), (b"x-a", b"")])
    assert head.status == 200
    assert head.fields == ((b"content-type", b"text/plain"), (b"x-a", b""))
    assert head.content_length == 12
    assert (head.has_date, head.has_server, head.is_event_stream) == (False, False, False)


def test_what_the_server_need_not_add():
    head = build_head(200, [(b"Date", b"today"), (b"server", b"mine")])
    assert (head.has_date, head.has_server) == (True, True)


def test_event_stream():
    assert build_head(200, [(b"content-type", b"text/event-stream; charset=utf-8")]).is_event_stream


@pytest.mark.parametrize(
    "name", [b"Connection", b"keep-alive", b"proxy-connection", b"Transfer-Encoding", b"upgrade"]
)
def test_connection_specific_fields_are_left_out(name: bytes):
    """RFC 9113 section 8.2.2: with them the client would have to treat the response as malformed."""
    for _ in range(2):
        assert build_head(200, [(name, b"a"), (b"x-a", b"b")]).fields == ((b"x-a", b"b"),)


@pytest.mark.parametrize("name", [b"", b"a b", b":status", b"a:", b"\xe4", b"a\n"])
def test_name_that_is_no_token(name: bytes):
    with pytest.raises(LocalProtocolError, match="is not a token"):
        build_head(200, [(name, b"a")])


@pytest.mark.parametrize("value", [b"a\r\nb", b"\x00", b"a\x7f", b"\n"])
def test_value_with_a_control_character(value: bytes):
    with pytest.raises(LocalProtocolError, match="control character"):
        build_head(200, [(b"x-a", value)])


@pytest.mark.parametrize(
    "fields", [[(b"a", "b")], [("a", b"b")], [(b"a", 1)], [(b"a",)], [1], 1, [(None, b"a")]]
)
def test_what_is_not_pairs_of_bytes(fields: Any):
    with pytest.raises(LocalProtocolError, match="response headers must be pairs of bytes"):
        build_head(200, fields)


def test_lists_and_bytearrays_are_taken_and_not_remembered():
    fields: Any = [[bytearray(b"X-A"), bytearray(b"b")]]
    assert build_head(200, fields).fields == ((b"x-a", b"b"),)
    assert [type(part) for part in build_head(200, fields).fields[0]] == [bytes, bytes]
    assert build_head(200, fields) is not build_head(200, fields)


@pytest.mark.parametrize("value", [b"", b"-1", b"a", b"\xb2"])
def test_content_length_that_is_no_number(value: bytes):
    with pytest.raises(LocalProtocolError, match="is not a number"):
        build_head(200, [(b"content-length", value)])


def test_content_length_twice():
    assert build_head(200, [(b"content-length", b"1"), (b"content-length", b"01")]).content_length == 1
    with pytest.raises(LocalProtocolError, match="both 1 and 2"):
        build_head(200, [(b"content-length", b"1"), (b"content-length", b"2")])


def test_what_is_known_of_names_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(responses, "_MAX_NAMES", 2)
    for name in (b"a", b"b", b"c"):
        for _ in range(2):
            assert build_head(200, [(name, b"")]).fields == ((name, b""),)
    assert list(responses._names) == [b"a", b"b"]


def test_fields_that_stand_alone():
    assert build_fields([(b"X-Checksum", b"a"), (b"content-length", b"x")]) == (
        (b"x-checksum", b"a"),
        (b"content-length", b"x"),
    )
