"""Header fields of requests and responses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transom.web.headers import Headers, MutableHeaders


def test_request_headers_ignore_case():
    headers = Headers([(b"accept", b"text/html"), (b"x-a", b"1")])
    assert headers["Accept"] == headers["ACCEPT"] == "text/html"
    assert "X-A" in headers
    assert "x-b" not in headers
    assert headers.get("x-b") is None
    assert list(headers) == ["accept", "x-a"]


def test_repeated_lines_are_joined_by_commas_and_cookies_by_semicolons():
    headers = Headers([(b"accept", b"a"), (b"cookie", b"a=1"), (b"accept", b"b"), (b"cookie", b"b=2")])
    assert headers["accept"] == "a, b"
    assert headers["cookie"] == "a=1; b=2"
    assert headers.getlist("accept") == ["a", "b"]
    assert len(headers) == 2


def test_repr_shows_no_values():
    assert "hunter2" not in repr(Headers([(b"authorization", b"hunter2")]))


def test_setting_replaces_every_line_in_the_place_of_the_first():
    headers = MutableHeaders([("a", "1"), ("b", "2"), ("A", "3")])
    headers["A"] = "4"
    assert headers.raw == [(b"a", b"4"), (b"b", b"2")]


def test_add_keeps_what_is_there():
    headers = MutableHeaders({"set-cookie": "a=1"})
    headers.add("Set-Cookie", "b=2")
    assert headers.getlist("set-cookie") == ["a=1", "b=2"]


def test_deleting_a_missing_field_is_a_key_error():
    headers = MutableHeaders()
    with pytest.raises(KeyError):
        del headers["x"]


@pytest.mark.parametrize("value", ["a\r\nx: y", "a\nb", "a\rb", "a\0b", "a\x7fb", "\u2028", "ł", "\x1b[31m"])
def test_control_characters_and_foreign_text_in_values_are_refused(value: str):
    with pytest.raises(ValueError, match="'x-a' holds"):
        MutableHeaders({"x-a": value})


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\n", "ä", "a\0", "(a)", "a\n"])
def test_names_that_are_no_token_are_refused(name: str):
    with pytest.raises(ValueError, match="is no token"):
        MutableHeaders()[name] = "1"


@pytest.mark.parametrize(
    ("before", "names", "after"),
    [
        (None, ["cookie"], "cookie"),
        ("Accept", ["accept", "cookie"], "Accept, cookie"),
        ("*", ["cookie"], "*"),
        ("a,b", ["B"], "a,b"),
    ],
)
def test_add_vary_adds_each_name_once(before: str | None, names: list[str], after: str):
    headers = MutableHeaders({"vary": before} if before else None)
    headers.add_vary(*names)
    assert headers["vary"] == after


@given(st.text())
def test_an_accepted_value_never_holds_a_line_break(value: str):
    headers = MutableHeaders()
    try:
        headers["x"] = value
    except ValueError:
        return
    assert not set(b"\r\n\0") & set(headers.raw[0][1])


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.text("xyz", min_size=1)), max_size=8))
def test_reading_agrees_between_request_and_response(pairs: list[tuple[str, str]]):
    mutable = MutableHeaders(pairs)
    request = Headers(mutable.raw)
    assert dict(mutable) == dict(request)
    assert mutable.multi_items() == request.multi_items() == pairs
