"""RFC 9218: what a client says of priorities, and the order that follows from it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transom.server.http2.priorities import DEFAULT, Priority, SendOrder, parse_priority


@pytest.mark.parametrize(
    ("value", "urgency", "incremental"),
    [
        # Section 4, examples
        (b"u=0", 0, False),
        (b"u=5, i", 5, True),
        (b"", 3, False),
        (b"i", 3, True),
        (b"i=?1", 3, True),
        (b"i=?0", 3, False),
        (b" u=7,i ", 7, True),
        (b"u=1 \t,\t i", 1, True),
        (b"i, u=2", 2, True),
        # Of a key that comes twice the last counts (RFC 8941 section 3.2).
        (b"u=1, u=2", 2, False),
        (b"i, i=?0", 3, False),
        (b"u=1, u=9", 3, False),
        # Out of range, or of another type: ignored (section 4).
        (b"u=8", 3, False),
        (b"u=-1", 3, False),
        (b"u=99999999999", 3, False),
        (b"u=1.0, i", 3, True),
        (b'u="1", i', 3, True),
        (b"u=a, i=b", 3, False),
        (b"u, i", 3, True),
        (b"u=(1 2);a, i", 3, True),
        (b"i=1", 3, False),
        (b"u=:MQ==:, i", 3, True),
        (b"u=@1, i", 3, True),
        (b'u=%"%c3%a9", i', 3, True),
        # Integers of structured fields may have a sign and leading zeros.
        (b"u=-0", 0, False),
        (b"u=007", 7, False),
        # Unknown keys and parameters: ignored.
        (b"u=1;x;y=2, i;z=?0, hello=world, *a.b-c_d=1", 1, True),
        (b'x="a, u=7, \\" i", u=2', 2, False),
        (b"x=(), y=( a  1;b ), i", 3, True),
        # What cannot be parsed is ignored as a whole (RFC 8941 section 4.2).
        (b"u=1,", 3, False),
        (b",u=1", 3, False),
        (b"u=1,,i", 3, False),
        (b"u=", 3, False),
        (b"u=1 i", 3, False),
        (b"U=1", 3, False),
        (b"u=1, I", 3, False),
        (b"u=1;", 3, False),
        (b"u=1, x=(a", 3, False),
        (b"u=1, x=(ab)c", 3, False),
        (b'u=1, x=("a""b")', 3, False),
        (b'u=1, x="a', 3, False),
        (b'u=1, x="\\a"', 3, False),
        (b"u=1, x=1234567890123456", 3, False),
        (b"u=1, x=1.", 3, False),
        (b"u=1, x=?2", 3, False),
        (b"u=1, x=\xff", 3, False),
    ],
)
def test_priority_field(value: bytes, urgency: int, incremental: bool):
    assert parse_priority(value) == (urgency, incremental)


def test_long_values_are_not_looked_at():
    assert parse_priority(b"u=1" + b" " * 253) == (1, False)
    assert parse_priority(b"u=1" + b" " * 254) == DEFAULT


@given(value=st.binary(max_size=300))
def test_any_value_has_a_priority(value: bytes):
    urgency, incremental = parse_priority(value)
    assert 0 <= urgency <= 7
    assert isinstance(incremental, bool)


@pytest.mark.parametrize(
    "piece", [b"u=1,", b"a=(", b"a=( ", b";", b"a;b", b"(a ", b'"\\', b"*", b"1", b"i ", b" "]
)
def test_time_to_parse_is_bounded(piece: bytes):
    parse_priority((b"u=1, " + piece * 256)[:256])


# The order


def turns(order: SendOrder, count: int) -> list[int]:
    return [order.take_turn() for _ in range(count)]


def test_nothing_to_send():
    order = SendOrder()
    assert order.take_turn() == 0
    assert not order
    order.remove(1)


def test_one_after_the_other_in_order_of_their_numbers():
    order = SendOrder()
    for stream_id in (5, 1, 3):
        order.add(stream_id)
    assert turns(order, 3) == [1, 1, 1]
    order.remove(1)
    assert turns(order, 2) == [3, 3]
    assert len(order) == 2
    assert 3 in order
    assert 1 not in order


def test_incremental_ones_take_turns():
    order = SendOrder()
    for stream_id in (5, 1, 3):
        order.add(stream_id, Priority(3, True))
    assert turns(order, 7) == [5, 1, 3, 5, 1, 3, 5]
    order.remove(3)
    assert turns(order, 3) == [1, 5, 1]


def test_urgent_ones_come_first():
    order = SendOrder()
    order.add(1, Priority(7))
    order.add(3, Priority(0, True))
    order.add(5, Priority(0, True))
    assert turns(order, 3) == [3, 5, 3]
    order.remove(3)
    order.remove(5)
    assert turns(order, 2) == [1, 1]


def test_where_both_meet_they_share():
    """Section 10: a large response that is not incremental must not keep small ones waiting that are, nor the reverse."""
    order = SendOrder()
    order.add(1)
    order.add(3)
    order.add(5, Priority(3, True))
    order.add(7, Priority(3, True))
    assert turns(order, 7) == [1, 5, 7, 1, 5, 7, 1]
    order.remove(1)
    assert turns(order, 3) == [5, 7, 3]


def test_priority_can_change():
    order = SendOrder()
    for stream_id in (1, 3, 5):
        order.add(stream_id)
    order.add(5, Priority(2))
    order.add(5, Priority(2))
    assert turns(order, 2) == [5, 5]
    order.add(5, Priority(4))
    assert turns(order, 2) == [1, 1]
    assert len(order) == 3


class NaiveOrder:
    """Looks at all streams for each turn."""

    def __init__(self) -> None:
        self.streams: dict[int, Priority] = {}
        self.since: dict[
            tuple[int, int], int
        ] = {}  # by urgency and stream, 0 for those not incremental: last turn, or first day
        self.now = 0

    def round_of(self, urgency: int) -> set[int]:
        return {
            stream_id if priority.incremental else 0
            for stream_id, priority in self.streams.items()
            if priority.urgency == urgency
        }

    def set(self, stream_id: int, priority: Priority | None) -> None:
        if self.streams.get(stream_id) == priority:
            return
        # To leave and to come again, as another.
        self.streams.pop(stream_id, None)
        self.since = {key: since for key, since in self.since.items() if key[1] in self.round_of(key[0])}
        if priority is not None:
            self.streams[stream_id] = priority
            self.now += 1
            self.since.setdefault((priority.urgency, stream_id if priority.incremental else 0), self.now)

    def take_turn(self) -> int:
        if not self.streams:
            return 0
        urgency = min(priority.urgency for priority in self.streams.values())
        chosen = min(self.round_of(urgency), key=lambda one: self.since[urgency, one])
        self.now += 1
        self.since[urgency, chosen] = self.now
        return chosen or min(
            stream_id
            for stream_id, priority in self.streams.items()
            if priority.urgency == urgency and not priority.incremental
        )


STEPS = st.lists(
    st.none()
    | st.tuples(
        st.sampled_from(range(1, 16, 2)),
        st.none() | st.builds(Priority, st.integers(0, 7) | st.just(3), st.booleans()),
    ),
    max_size=80,
)


@given(steps=STEPS)
def test_order_is_that_of_the_naive_model(steps: list[tuple[int, Priority | None] | None]):
    order, naive = SendOrder(), NaiveOrder()
    for step in steps:
        if step is None:
            assert order.take_turn() == naive.take_turn()
        else:
            stream_id, priority = step
            naive.set(stream_id, priority)
            if priority is None:
                order.remove(stream_id)
            else:
                order.add(stream_id, priority)
        assert len(order) == len(naive.streams)
    assert turns(order, 20) == [naive.take_turn() for _ in range(20)]
