"""What a worker may use, and by how much chance spreads it."""

from __future__ import annotations

from math import inf
from random import Random

import pytest

from transom.server import Config
from transom.server.processes.recycling import MIN_AGE, Allowance, is_recycled
from transom.server.processes.report import Report


def test_without_limits_nothing_is_ever_too_much() -> None:
    allowance = Allowance.draw(Config(), Random(0))
    assert allowance == Allowance(inf, inf, inf)
    assert allowance.find_excess(Report(sequence=1, requests=10**12, resident=10**15), 1e9) is None


def test_jitter_is_added_and_differs_between_workers() -> None:
    config = Config(
        limit_max_requests=1000, limit_max_requests_jitter=100, limit_max_age=60.0, limit_max_age_jitter=6.0
    )
    random = Random(0)
    drawn = [Allowance.draw(config, random) for _ in range(200)]
    assert all(1000 <= each.requests <= 1100 and 60.0 <= each.age <= 66.0 for each in drawn)
    assert len({each.requests for each in drawn}) > 50
    assert len({each.age for each in drawn}) == len(drawn)
    assert min(each.requests for each in drawn) < 1010 < 1090 < max(each.requests for each in drawn)


def test_jitter_without_a_limit_is_no_limit() -> None:
    assert (
        Allowance.draw(Config(limit_max_requests_jitter=10, limit_max_age_jitter=1.0), Random(0))
        == Allowance()
    )


@pytest.mark.parametrize(
    ("report", "age", "excess"),
    [
        (Report(sequence=1, requests=9), 4.0, None),
        (Report(sequence=1, requests=10), 4.0, "10 requests"),
        (Report(sequence=1, resident=100 * 2**20), MIN_AGE, None),
        (Report(sequence=1, resident=100 * 2**20 + 1), MIN_AGE, "100 MiB of memory"),
        (Report(sequence=1, resident=2**40), MIN_AGE - 0.1, None),
        (Report(sequence=1), 49.9, None),
        (Report(sequence=1), 50.0, "50 s of service"),
    ],
)
def test_excess_is_what_reaches_a_limit(report: Report, age: float, excess: str | None) -> None:
    found = Allowance(requests=10, memory=100 * 2**20, age=50.0).find_excess(report, age)
    assert (found and found.text) == excess


@pytest.mark.parametrize("name", ["limit_max_requests", "limit_max_memory", "limit_max_age"])
def test_each_limit_takes_a_supervisor(name: str) -> None:
    assert not is_recycled(Config())
    assert is_recycled(Config(**{name: 1}))
