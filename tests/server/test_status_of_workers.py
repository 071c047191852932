"""Metrics and health of several worker processes together, while they come and go."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

pytestmark = pytest.mark.slow

TIMEOUT = 30  # seconds; the machine may be busy

StartServer = Callable[..., Any]
AskPid = Callable[[str], int]


def read_metrics(url: str) -> dict[str, float]:
    """Return the values by name and labels; the sum of all methods and statuses as `requests`."""
    with urlopen(f"{url}/metrics", timeout=TIMEOUT) as response:
        text = response.read().decode()
    found: dict[str, float] = {"requests": 0}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[" ".join((sample.name, *sample.labels.values()))] = sample.value
            if sample.name == "transom_requests_total":
                found["requests"] += sample.value
    return found


def read_health(url: str) -> tuple[int, int]:
    """Return the status and how many workers serve."""
    try:
        with urlopen(f"{url}/health", timeout=TIMEOUT) as response:
            return response.status, json.load(response)["workers"]
    except HTTPError as exc:
        with exc:
            return exc.code, json.load(exc)["workers"]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)  # workers report once a second, and nothing tells when one has


def test_counters_of_all_workers_are_one_and_never_go_back(
    start_server: StartServer, ask_pid: AskPid
) -> None:
    server = start_server("workers=2, metrics_bind='127.0.0.1:0'")
    url, status = server.wait_until_up(2), server.wait_for(r"metrics on (http://\S+)")
    wait_until(lambda: read_health(status) == (200, 2))
    asked = [ask_pid(url) for _ in range(10)]
    wait_until(lambda: read_metrics(status)["requests"] == 10)
    assert read_metrics(status)["transom_workers serving"] == 2

    os.kill(asked[-1], signal.SIGKILL)
    wait_until(lambda: read_metrics(status).get("transom_worker_restarts_total crash") == 1)
    assert read_metrics(status)["requests"] == 10
    wait_until(lambda: read_health(status) == (200, 2))

    for _ in range(5):
        ask_pid(url)
    # What a worker counted since its last report is in the one it makes when it stops.
    server.process.send_signal(signal.SIGHUP)
    server.wait_for(r"worker \d+ ended", times=3)
    found = read_metrics(status)
    assert found["transom_worker_restarts_total reload"] == 2
    assert found["transom_workers serving"] == 2
    assert found["requests"] == 15
    assert found["transom_request_duration_seconds_count"] == 15
    assert found["transom_connections_total"] == 15
    assert found["transom_connections_open"] == 0
    assert server.end(signal.SIGTERM) == 0
    assert "Traceback" not in server.log


def test_health_is_503_until_a_worker_serves_and_when_none_does(
    start_server: StartServer, site_folder: Any
) -> None:
    (site_folder / "slow.py").write_text(
        "import mysite\nopen('gate').read()\napp = mysite.app\n"  # waits until somebody opens it for writing
    )
    os.mkfifo(site_folder / "gate")
    server = start_server("workers=1, limit_max_age=1000, metrics_bind='127.0.0.1:0'", "slow:app")
    status = server.wait_for(r"metrics on (http://\S+)")
    assert read_health(status) == (503, 0)
    assert read_metrics(status)["transom_workers starting"] == 1
    (site_folder / "gate").open("w").close()
    wait_until(lambda: read_health(status) == (200, 1))
    assert server.end(signal.SIGTERM) == 0
