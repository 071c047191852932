"""Response heads that were built before are found again, for both versions of HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from transom.server.http1 import LocalProtocolError, remembered_heads
from transom.server.http1.remembered_heads import MAX_HEAD_SIZE, remember_heads
from transom.server.http1.writer import build_head as build_head_of_http1
from transom.server.http2 import build_head as build_head_of_http2


@pytest.fixture
def build_head() -> Callable[..., object]:
    def build(status: int, fields: tuple[tuple[bytes, bytes], ...]) -> list[object]:
        return [status, fields]

    return remember_heads(build)


def test_head_that_was_built_before_is_found_again(build_head):
    fields = [(b"x-found", b"again"), (b"content-length", b"7")]
    assert build_head(200, fields) is build_head(200, iter(list(fields)))
    assert build_head(201, fields) == [201, tuple(fields)]
    assert build_head(200, [*fields, (b"y", b"1")]) == [200, (*fields, (b"y", b"1"))]


def test_changed_list_of_headers_makes_another_head(build_head):
    fields = [(b"x", b"1")]
    build_head(200, fields)
    fields.append((b"y", b"2"))
    assert build_head(200, fields) == [200, tuple(fields)]


@pytest.mark.parametrize("fields", [[[b"x", b"a"]], [(b"x", bytearray(b"a"))]])
def test_headers_that_may_change_are_built_each_time(build_head, fields):
    assert build_head(200, fields) is not build_head(200, fields)


@pytest.mark.parametrize(
    "field", [(b"set-cookie", b"a=1"), (b"Set-Cookie", b"a=1"), (b"x", b"a" * MAX_HEAD_SIZE)]
)
def test_cookies_and_large_heads_are_not_kept(build_head, field):
    assert build_head(200, [field]) is not build_head(200, [field])


def test_head_of_the_largest_size_is_kept(build_head):
    field = (b"x", b"a" * (MAX_HEAD_SIZE - 1))
    assert build_head(200, [field]) is build_head(200, [field])


def test_heads_that_are_new_each_time_do_not_pile_up(build_head, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(remembered_heads, "MAX_HEADS", 2)
    first, second = build_head(200, [(b"etag", b"1")]), build_head(200, [(b"etag", b"2")])
    assert build_head(200, [(b"etag", b"1")]) is first
    build_head(200, [(b"etag", b"3")])  # there is no room for it, so it is alone
    assert build_head(200, [(b"etag", b"1")]) is not first
    assert build_head(200, [(b"etag", b"2")]) is not second


def test_what_is_no_list_of_headers(build_head):
    with pytest.raises(LocalProtocolError, match="must be pairs of bytes"):
        build_head(200, 5)


@pytest.mark.parametrize("build", [build_head_of_http1, build_head_of_http2])
def test_both_versions_remember(build: Any):
    fields = [(b"x-remembered", b"a")]
    assert build(200, fields) is build(200, fields)
