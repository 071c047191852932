"""What is counted, how counts add up, and that Prometheus can read them."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from transom.server import Config
from transom.server.logs.access import AccessEntry
from transom.server.metrics.metrics import DURATION_BOUNDS, METHODS, Histogram, Samples, WorkerMetrics, add
from transom.server.metrics.status import FleetStatus, WorkerStatus
from transom.server.metrics.text import FAMILIES, build_text
from transom.server.processes.report import Report
from transom.server.state import ServerState


def entry(method: str = "GET", status: int = 200, duration: float = 0.02, size: int = 10) -> AccessEntry:
    return AccessEntry("-", method, "http", b"/", b"", "1.1", status, size, duration, 0.0, [], [])


@pytest.fixture
def observed() -> Any:
    return SimpleNamespace(
        connections=[1, 2, 3], tasks=[1], accepted=7, refused=Counter({400: 2}), websockets=1, lag=0.25
    )


def read(samples: Samples) -> dict[str, float]:
    """Return what Prometheus reads: values by name and labels."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(build_text(samples).decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sample.labels.items())
            found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


def test_requests_are_counted_by_method_and_status(observed):
    metrics = WorkerMetrics(observed)
    metrics([entry(), entry(), entry("POST", 404)])
    metrics([entry(size=5)])
    found = read(metrics.snapshot())
    assert found["transom_requests_total{method=GET,status=200}"] == 3
    assert found["transom_requests_total{method=POST,status=404}"] == 1
    assert found["transom_response_bytes_total{}"] == 35


def test_gauges_are_what_the_worker_has_now(observed):
    found = read(WorkerMetrics(observed).snapshot())
    assert found["transom_connections_open{}"] == 3
    assert found["transom_connections_total{}"] == 7
    assert found["transom_requests_in_progress{}"] == 1
    assert found["transom_websockets_open{}"] == 1
    assert found["transom_requests_refused_total{status=400}"] == 2
    assert found["transom_resident_memory_bytes{}"] > 1_000_000


def test_methods_of_one_s_own_are_one_label_and_take_no_memory(observed):
    """A client may send any token as its method; labels and memory must not grow with it."""
    metrics = WorkerMetrics(observed)
    metrics([entry(f"M{number}") for number in range(1000)] + [entry(method) for method in METHODS])
    found = read(metrics.snapshot())
    assert found["transom_requests_total{method=OTHER,status=200}"] == 1000
    assert sum(name.startswith("transom_requests_total") for name in found) == len(METHODS) + 1
    assert len(metrics._requests) == len(METHODS) + 1


def test_websockets_are_requests_without_a_duration(observed):
    metrics = WorkerMetrics(observed)
    metrics([entry(status=101, duration=3600.0), entry(duration=0.5)])
    found = read(metrics.snapshot())
    assert found["transom_requests_total{method=GET,status=101}"] == 1
    assert found["transom_request_duration_seconds_count{}"] == 1
    assert found["transom_request_duration_seconds_sum{}"] == 0.5


def test_buckets_of_a_histogram_hold_all_that_is_at_most_their_bound():
    histogram = Histogram("x", (0.1, 1.0))
    for value in (0.0, 0.1, 0.10001, 1.0, 5.0):
        histogram.observe(value)
    assert histogram.to_counters() == {
        'x_bucket{le="0.1"}': 2,
        'x_bucket{le="1.0"}': 4,
        'x_bucket{le="+Inf"}': 5,
        "x_sum": pytest.approx(6.20001),
        "x_count": 5,
    }


def test_lag_of_the_event_loop_is_a_histogram(observed):
    metrics = WorkerMetrics(observed)
    metrics.tick()
    found = read(metrics.snapshot())
    assert found["transom_loop_lag_seconds_sum{}"] == 0.25
    assert found["transom_loop_lag_seconds_bucket{le=0.1}"] == 0
    assert found["transom_loop_lag_seconds_bucket{le=0.5}"] == 1


def test_samples_survive_the_report_to_the_supervisor_and_add_up(observed):
    metrics = WorkerMetrics(observed)
    metrics([entry()])
    report = Report(sequence=0, metrics=metrics.snapshot().to_report())
    samples = Samples.from_report(Report.from_line(report.to_line()).metrics)
    found = read(add(samples, samples, Samples({}, {})))
    assert found["transom_requests_total{method=GET,status=200}"] == 2
    assert found["transom_connections_open{}"] == 6
    assert found["transom_request_duration_seconds_bucket{le=+Inf}"] == 2
    assert Samples.from_report({}) == ({}, {})


def test_text_is_what_prometheus_expects(observed):
    """Every family has its head once, every sample its family, and buckets rise."""
    metrics = WorkerMetrics(observed)
    metrics([entry(duration=bound) for bound in DURATION_BOUNDS])
    text = build_text(WorkerStatus(metrics).collect()).decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert {name.removesuffix("_total") for name, _, _ in FAMILIES} == set(families)
    assert all(family.documentation.endswith(".") for family in families.values())
    assert {family.type for family in families.values()} == {"counter", "gauge", "histogram"}
    durations = families["transom_request_duration_seconds"].samples
    buckets = [sample for sample in durations if sample.name.endswith("_bucket")]
    assert [sample.value for sample in buckets] == sorted(sample.value for sample in buckets)
    assert float(buckets[-1].labels["le"]) == math.inf
    assert text.count("# TYPE") == text.count("# HELP") == len(FAMILIES)
    assert len([line for line in text.splitlines() if line[0] != "#"]) == sum(
        len(family.samples) for family in families.values()
    )


def test_worker_alone_says_what_it_does(observed):
    status = WorkerStatus(WorkerMetrics(observed))
    assert status.count_serving() == 0
    assert read(status.collect())["transom_workers{state=starting}"] == 1
    status.state = "serving"
    assert status.count_serving() == 1
    found = read(status.collect())
    assert found["transom_workers{state=starting}"] == 0
    assert found["transom_workers{state=serving}"] == 1
    assert [value for name, value in found.items() if name.startswith("transom_build_info")] == [1]
    status.state = "stopping"
    assert status.count_serving() == 0


def test_counters_of_a_fleet_never_go_back():
    fleet = SimpleNamespace(states={"serving": 2, "starting": 1}, restarts={"crash": 3})
    status = FleetStatus(fleet)
    for number in (1, 2):
        status.worker_reported(
            number, Samples({"transom_connections_total": 10}, {"transom_connections_open": 4})
        )
    status.worker_reported(2, Samples({"transom_connections_total": 12}, {"transom_connections_open": 5}))
    found = read(status.collect())
    assert (found["transom_connections_total{}"], found["transom_connections_open{}"]) == (22, 9)
    status.worker_ended(1)
    status.worker_ended(3)  # it never reported
    status.worker_reported(4, Samples({"transom_connections_total": 1}, {"transom_connections_open": 1}))
    status.worker_ended(2)
    found = read(status.collect())
    assert (found["transom_connections_total{}"], found["transom_connections_open{}"]) == (23, 1)
    assert found["transom_workers{state=serving}"] == status.count_serving() == 2
    assert found["transom_workers{state=stopping}"] == 0
    assert found["transom_worker_restarts_total{reason=crash}"] == 3


async def test_state_of_a_worker_is_what_metrics_observe(respond):
    state = ServerState(respond(), Config(metrics_bind="127.0.0.1:0"), asyncio.get_running_loop())
    state.lag = 0.75
    state.tick()
    assert state.metrics is not None
    assert state.metrics_snapshot is not None
    assert state.metrics_snapshot()["counters"]["transom_loop_lag_seconds_sum"] == 0.75


async def test_without_the_option_nothing_is_counted(respond):
    state = ServerState(respond(), Config(access_log=False), asyncio.get_running_loop())
    assert (state.metrics, state.access_log, state.on_tick, state.metrics_snapshot) == (None, None, [], None)
