"""Flow control: RFC 9113 sections 5.2, 6.9.1 and 6.9.2."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transom.server.http2.errors import ErrorCode, SessionError, StreamError
from transom.server.http2.windows import DEFAULT_SIZE, MAX_SIZE, ReceiveWindow, increase

# What we send


def test_windows_begin_at_64_kib_less_one():
    assert DEFAULT_SIZE == 65_535


@pytest.mark.parametrize(("stream_id", "error"), [(0, SessionError), (5, StreamError)])
def test_increment_may_reach_the_maximum_and_no_more(stream_id: int, error: type[Exception]):
    assert increase(DEFAULT_SIZE, MAX_SIZE - DEFAULT_SIZE, stream_id) == MAX_SIZE
    with pytest.raises(error, match=r"over 2147483647 bytes \(RFC 9113 sections 6.9.1 and 6.9.2\)") as caught:
        increase(MAX_SIZE, 1, stream_id)
    assert getattr(caught.value, "code", None) is ErrorCode.FLOW_CONTROL_ERROR
    assert getattr(caught.value, "stream_id", 0) == stream_id


def test_initial_size_changes_what_is_left_of_it():
    """Section 6.9.2, its example: 60 of 64 KiB were sent, the initial size becomes 16 KiB, the window is -44 KiB."""
    window = increase((64 - 60) * 1024, (16 - 64) * 1024)
    assert window == -44 * 1024
    assert increase(window, 44 * 1024) == 0


# What we receive


@pytest.mark.parametrize(("stream_id", "error"), [(0, SessionError), (7, StreamError)])
def test_client_may_use_its_window_and_no_more(stream_id: int, error: type[Exception]):
    window = ReceiveWindow(100, stream_id)
    window.receive(60)
    window.receive(40)
    window.receive(0)
    with pytest.raises(error, match=r"DATA beyond the window \(RFC 9113 section 6.9.1\)") as caught:
        window.receive(1)
    assert getattr(caught.value, "code", None) is ErrorCode.FLOW_CONTROL_ERROR
    assert getattr(caught.value, "stream_id", 0) == stream_id


def test_window_is_given_back_at_its_half():
    window = ReceiveWindow(100)
    window.receive(80)
    assert window.held == 80
    assert [window.give_back(30), window.left, window.held] == [0, 20, 50]
    assert [window.give_back(20), window.left, window.held] == [50, 70, 30]
    assert [window.give_back(30), window.left, window.held] == [0, 70, 0]


@given(
    capacity=st.integers(1, 1000),
    steps=st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), max_size=50),
)
def test_nothing_is_lost(capacity: int, steps: list[tuple[int, int]]):
    """What a client may send, what the application holds and what it is owed are always the window."""
    window = ReceiveWindow(capacity)
    client, held = capacity, 0
    for sent, taken in steps:
        sent = min(sent, client)
        client -= sent
        held += sent
        window.receive(sent)
        taken = min(taken, held)
        held -= taken
        client += window.give_back(taken)
        assert (window.left, window.held) == (client, held)
        assert held or 2 * client >= capacity, "a client is never left with less than half, once all is taken"
