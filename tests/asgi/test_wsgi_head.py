"""What may be given to `start_response`."""

from __future__ import annotations

import pytest

from transom.asgi.wsgi.head import Head


@pytest.mark.parametrize("status", ["200 OK", "200", "200 ", "404 Not Found", "299 \xe4\t!"])
def test_status_is_a_code_and_a_reason(status: str):
    assert Head.parse(status, []).status == int(status[:3])


@pytest.mark.parametrize(
    "status",
    [
        "",
        "OK",
        "20 OK",
        "2000 OK",
        " 200 OK",
        "200OK",
        "200 OK\r\nX: y",
        "100 Continue",
        "101 Go",
        "600 X",
        "\uff1200 OK",
        200,
        None,
    ],
)
def test_malformed_status_is_refused(status):
    with pytest.raises(ValueError, match="it must be like '200 OK', and final"):
        Head.parse(status, [])


def test_names_become_lower_case_and_duplicates_stay():
    head = Head.parse("200 OK", [("Set-Cookie", "a=1"), ("Set-Cookie", "b=\xe4"), ("X-A", " b\t")])
    assert head.fields == [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=\xe4"), (b"x-a", b"b")]


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\nb", "a\rb", "a\0b", "a\x7fb", "a\x1bb", "\u20ac"])
def test_value_with_a_control_character_is_refused_and_not_shown(value: str):
    with pytest.raises(ValueError, match="value of header 'X-A' holds a control character") as caught:
        Head.parse("200 OK", [("X-A", value)])
    assert value not in str(caught.value)


@pytest.mark.parametrize("name", ["", "X A", "X:A", "X\r\nA", "X\xe4"])
def test_name_that_is_no_token_is_refused(name: str):
    with pytest.raises(ValueError, match="is not a token"):
        Head.parse("200 OK", [(name, "a")])


@pytest.mark.parametrize("field", [(b"x-a", "b"), ("x-a", b"b"), ("x-a", 7), (None, "b")])
def test_only_str_is_taken(field):
    with pytest.raises(TypeError, match="must be str"):
        Head.parse("200 OK", [field])


@pytest.mark.parametrize("value", ["", "-1", "1.0", "1, 1", "\xb2"])
def test_content_length_is_a_number(value: str):
    with pytest.raises(ValueError, match="is not a number"):
        Head.parse("200 OK", [("Content-Length", value)])


def test_hop_by_hop_fields_are_left_to_the_server():
    """PEP 3333 forbids them; gunicorn, too, leaves them out."""
    fields = [("Connection", "close"), ("Transfer-Encoding", "chunked"), ("Keep-Alive", "1"), ("X-A", "b")]
    assert Head.parse("200 OK", fields).fields == [(b"x-a", b"b")]


@pytest.mark.parametrize(
    ("status", "fields", "length"),
    [
        ("200 OK", [], 5),
        ("200 OK", [("Content-Length", "7")], 7),
        ("204 No Content", [], None),
        ("304 Not Modified", [], None),
    ],
)
def test_length_is_set_where_a_body_may_follow(status, fields, length):
    head = Head.parse(status, fields)
    head.set_length(5)
    assert head.content_length == length
    assert dict(head.fields).get(b"content-length") == (None if length is None else b"%d" % length)
