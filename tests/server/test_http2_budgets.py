"""What a client may cost, and when that is too much."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transom.server.http2.budgets import DEFAULTS, Budget, Budgets, Cost
from transom.server.http2.errors import ErrorCode, SessionError

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
