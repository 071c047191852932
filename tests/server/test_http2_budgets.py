"""What a client may cost, when that is too much, and the options that say so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transom.server import Config
from transom.server.http1 import Limits
from transom.server.http2 import PREFACE, Session, SessionConfig, Stream, encode_literals
from transom.server.http2.budgets import DEFAULTS, Budget, Budgets, Cost
from transom.server.http2.errors import ErrorCode, SessionError
from transom.server.http2.frames import data, headers, ping, rst_stream, settings, window_update
from transom.server.http2.frames.settings import Setting

SMALL = tuple(Budget(budget.name, 3, 10.0) for budget in DEFAULTS)


def test_every_cost_has_a_budget():
    assert len(DEFAULTS) == len(Cost)
    assert DEFAULTS[Cost.CLIENT_RESET].limit == 200
    assert DEFAULTS[Cost.SERVER_RESET].limit == 10
    assert {budget.seconds for budget in DEFAULTS} == {10.0}


@pytest.mark.parametrize("cost", Cost)
def test_budget_that_is_used_up_ends_the_connection_and_is_named(cost: Cost):
    budgets = Budgets(now=100.0)
    for _ in range(DEFAULTS[cost].limit):
        budgets.spend(cost, 105.0)
    with pytest.raises(SessionError) as caught:
        budgets.spend(cost, 109.9)
    assert caught.value.code is ErrorCode.ENHANCE_YOUR_CALM
    assert str(caught.value) == (
        f"more than {DEFAULTS[cost].limit} {DEFAULTS[cost].name} in 10 seconds (RFC 9113 section 10.5)"
    )


def test_budgets_are_apart():
    budgets = Budgets(0.0, SMALL)
    for cost in Cost:
        for _ in range(3):
            budgets.spend(cost, 1.0)


def test_budget_begins_anew_after_its_time():
    budgets = Budgets(0.0, SMALL)
    for now in (0.0, 1.0, 2.0, 10.0, 11.0, 12.0, 20.0):
        budgets.spend(Cost.CONTROL, now)


def test_time_begins_when_a_budget_was_used_up():
    budgets = Budgets(0.0, SMALL)
    for _ in range(4):
        budgets.spend(Cost.CONTROL, 50.0)
    budgets.spend(Cost.CONTROL, 50.0)
    budgets.spend(Cost.CONTROL, 50.0)
    with pytest.raises(SessionError):
        budgets.spend(Cost.CONTROL, 59.0)


def test_work_earns_what_was_spent_and_no_more():
    budgets = Budgets(0.0, SMALL)
    for _ in range(1000):
        budgets.earn(Cost.WINDOW_UPDATE, 2)
        budgets.spend(Cost.WINDOW_UPDATE, 1.0)
        budgets.spend(Cost.WINDOW_UPDATE, 1.0)
    budgets.spend(Cost.WINDOW_UPDATE, 1.0)
    with pytest.raises(SessionError):
        budgets.spend(Cost.WINDOW_UPDATE, 1.0)


def test_many_at_a_time_cost_as_much_as_one_by_one():
    budgets = Budgets(0.0, SMALL)
    budgets.spend(Cost.CONTROL, 1.0, 3)
    budgets.spend(Cost.CONTROL, 11.0, 3)
    with pytest.raises(SessionError):
        budgets.spend(Cost.CONTROL, 12.0, 1)


def test_more_at_a_time_than_a_budget_is_too_much_at_any_time():
    with pytest.raises(SessionError):
        Budgets(0.0, SMALL).spend(Cost.CONTROL, 1000.0, 4)


@given(gaps=st.lists(st.integers(0, 8), max_size=60))
def test_client_within_its_budget_is_never_refused_and_one_at_twice_is(gaps: list[int]):
    budgets = Budgets(0.0, SMALL)
    times: list[float] = []
    now = 0.0
    try:
        for gap in gaps:
            now += gap
            times.append(now)
            budgets.spend(Cost.CONTROL, now)
    except SessionError:
        assert sum(time > now - 10 for time in times) > 3
    else:
        assert all(sum(start <= time < start + 10 for time in times) <= 6 for start in times)


# Options

HEAD = encode_literals(
    [(b":method", b"POST"), (b":scheme", b"http"), (b":authority", b"a"), (b":path", b"/")]
)


def begin(**options: Any) -> Session:
    """Return a session with these options of the server, on which stream 1 is open."""
    session = Session(Limits(), Config(**options).http2_session, Stream, 0.0)
    session.receive_data(PREFACE + settings.build([]) + headers.build(1, HEAD, False))
    return session


def open_block(size: int) -> bytes:
    """Return HEADERS that open stream 3 with a fragment of so many bytes, and do not end it."""
    frame = bytearray(headers.build(3, bytes(size), False))
    frame[4] = 0
    return bytes(frame)


def go_on(size: int) -> bytes:
    """Return a CONTINUATION of that block, which goes on."""
    return size.to_bytes(3, "big") + b"\x09\x00\x00\x00\x00\x03" + bytes(size)


def test_options_have_the_defaults_of_a_session():
    assert Config().http2_session == SessionConfig()


@pytest.mark.parametrize(
    ("cost", "option", "frames"),
    [
        (Cost.CLIENT_RESET, "http2_max_client_resets",
         lambda n: headers.build(2 * n + 3, HEAD, True) + rst_stream.build(2 * n + 3, ErrorCode.CANCEL)),
        (Cost.SERVER_RESET, "http2_max_server_resets",
         lambda n: headers.build(2 * n + 3, HEAD, True) + data.build(2 * n + 3, b"", True)),
        (Cost.REFUSED_STREAM, "http2_max_refused_streams", lambda n: headers.build(2 * n + 203, HEAD, True)),
        (Cost.CONTROL, "http2_max_control_frames", lambda n: ping.build(bytes(8), is_ack=False)),
        (Cost.WINDOW_UPDATE, "http2_max_window_updates", lambda n: window_update.build(0, 1)),
        (Cost.EMPTY_DATA, "http2_max_empty_data", lambda n: data.build(1, b"", False)),
        (Cost.CONTINUATION, "http2_max_continuations", lambda n: go_on(1)),
    ],
    ids=lambda value: value.name if isinstance(value, Cost) else "",
)  # fmt: skip
def test_option_is_a_budget(cost: Cost, option: str, frames: Callable[[int], bytes]):
    """As many as it says are within it, one more ends the connection by name, and after the period it begins anew."""
    limit = 25
    session = begin(**{option: limit, "http2_budget_period": 5.0, "http2_max_server_resets": 25})
    spent = {Cost.CONTROL: 1}.get(cost, 0)  # SETTINGS
    if cost is Cost.REFUSED_STREAM:
        session.receive_data(b"".join(headers.build(n, HEAD, True) for n in range(3, 201, 2)))
    if cost is Cost.CONTINUATION:
        session.receive_data(open_block(1))
    session.receive_data(b"".join(frames(n) for n in range(limit - spent)))
    assert session.failure is None
    session.now = 5.0
    session.receive_data(b"".join(frames(n) for n in range(limit, 2 * limit)))
    assert session.failure is None
    session.now = 9.9
    session.receive_data(frames(2 * limit))
    assert session.failure is not None
    assert session.failure.code is ErrorCode.ENHANCE_YOUR_CALM
    named = f"more than {limit} {DEFAULTS[cost].name} in 5 seconds"
    assert str(session.failure).startswith(named)
    assert named.encode() in session.take_output(0)[0], "GOAWAY says it, too"


def test_settings_cost_what_is_in_them():
    session = begin(http2_max_control_frames=20)
    session.receive_data(settings.build([(Setting.INITIAL_WINDOW_SIZE, 1)] * 19))
    assert session.failure is None
    session.receive_data(settings.ACKNOWLEDGMENT)
    assert session.failure is not None


@pytest.mark.parametrize(("size", "earned"), [(1, 0), (127, 0), (128, 1), (200, 1)])
def test_frames_that_a_window_makes_tiny_earn_nothing(size: int, earned: int):
    """But for what the application has made no longer."""
    session = begin()
    stream = session.streams.open[1]
    stream.window = size
    session.sender.send_data(stream, bytes(200), end_stream=False)
    assert len(session.take_output(1000)[0]) > size
    assert session.sender.data_frames == earned
    session.sender.increase_stream_window(stream, 1000)
    session.sender.send_data(stream, b"a", end_stream=False)
    session.take_output(1000)
    assert session.sender.data_frames == (3 if earned else 2) - (size == 200)


def test_option_limits_streams():
    session = begin(http2_max_concurrent_streams=2)
    assert settings.parse(0, 0, session.take_output(0)[0][9:39])[0] == (3, 2)
    session.receive_data(headers.build(3, HEAD, True))
    assert len(session.streams.open) == 2
    session.receive_data(headers.build(5, HEAD, True))
    assert rst_stream.build(5, ErrorCode.REFUSED_STREAM) in session.take_output(0)[0]


def test_option_is_the_window_of_a_stream():
    session = begin(http2_initial_window_size=10)
    assert settings.parse(0, 0, session.take_output(0)[0][9:39])[1] == (4, 10)
    session.receive_data(data.build(1, bytes(10), False))
    assert 1 in session.streams.open
    session.receive_data(data.build(1, b"1", False))
    assert rst_stream.build(1, ErrorCode.FLOW_CONTROL_ERROR) in session.take_output(0)[0]


def test_option_is_the_window_of_the_connection():
    session = begin(http2_connection_window_size=65_545)
    assert window_update.build(0, 10) in session.take_output(0)[0]
    for _ in range(4):
        session.receive_data(data.build(1, bytes(16_384), False))
    session.receive_data(data.build(1, bytes(9), False))
    assert session.failure is None
    session.receive_data(data.build(1, b"1", False))
    assert session.failure is not None
    assert session.failure.code is ErrorCode.FLOW_CONTROL_ERROR


def test_option_limits_field_blocks_while_they_arrive():
    session = begin(http2_max_block_size=16_400)
    session.receive_data(open_block(16_384) + go_on(16))
    assert session.failure is None
    session.receive_data(go_on(1))
    assert str(session.failure) == "field block of over 16400 bytes (RFC 9113 section 10.5.1)"


@pytest.mark.parametrize(
    ("option", "value", "problem"),
    [
        ("http2_max_concurrent_streams", 0, "must be from 1 to 2147483647"),
        ("http2_initial_window_size", 0, "must be from 1 to 2147483647"),
        ("http2_initial_window_size", 2**31, "must be from 1 to 2147483647"),
        ("http2_connection_window_size", 65_534, "must be from 65535 to 2147483647"),
        ("http2_connection_window_size", 2**31, "must be from 65535 to 2147483647"),
        ("http2_max_block_size", 16_383, "must be at least 16384"),
        ("http2_budget_period", 0.9, "must be at least 1"),
        ("http2_max_control_frames", 19, "must be at least 20"),
        *[(f"http2_max_{name}", 0, "must be at least 1") for name in (
            "client_resets", "server_resets", "refused_streams", "window_updates", "empty_data", "continuations",
        )],
    ],
)  # fmt: skip
def test_option_out_of_its_range_is_refused(option: str, value: float, problem: str):
    with pytest.raises(ValueError, match=f"^{option}: {value} {problem}$"):
        Config(**{option: value})


async def test_options_reach_the_connections_of_a_server_and_its_log(serve, respond, caplog):
    caplog.set_level("INFO", "transom.server")
    client = await (await serve(respond(), http2_max_control_frames=20)).connect()
    await client.send(PREFACE + settings.build([]) + ping.build(bytes(8), is_ack=False) * 20)
    named = "more than 20 control frames in 10 seconds (RFC 9113 section 10.5)"
    assert named.encode() in await client.read_to_end()
    assert f"closed the connection of 127.0.0.1: '{named}'" in caplog.messages
