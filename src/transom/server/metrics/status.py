"""How a server is: of one worker that is all there is, or of a supervisor's workers together."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Protocol

from transom.server.metrics.metrics import Samples, add
from transom.server.metrics.text import BUILD_INFO

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transom.server.metrics.metrics import WorkerMetrics

STATES: Final = ("starting", "serving", "stopping")


class WorkerStatus:
    """The status of a server without a supervisor.

    Attributes:
        state: `starting`, `serving` or `stopping`.
    """

    def __init__(self, metrics: WorkerMetrics) -> None:
        self.state = "starting"
        self._metrics = metrics
        self._started = time.time()

    def count_serving(self) -> int:
        """Return 1 while it serves, else 0."""
        return int(self.state == "serving")

    def collect(self) -> Samples:
        """Return the metrics."""
        return add(self._metrics.snapshot(), describe_server({self.state: 1}, self._started))


class Fleet(Protocol):
    """What a supervisor knows of its workers."""

    @property
    def states(self) -> Mapping[str, int]:
        """How many workers are in each of STATES."""
        ...

    @property
    def restarts(self) -> Mapping[str, int]:
        """How many workers were replaced so far, by reason."""
        ...


class FleetStatus:
    """The status of all workers together: what each said last, and what those had counted that have ended since.

    So no counter ever goes back. What a worker counts after its last report is lost with it; one that stops in order makes a
    last report when it is done.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._started = time.time()
        self._newest: dict[int, Samples] = {}  # by worker
        self._ended: dict[str, float] = {}  # counters of those that have ended

    def worker_reported(self, number: int, samples: Samples) -> None:
        """Take note of a worker's newest metrics."""
        self._newest[number] = samples

    def worker_ended(self, number: int) -> None:
        """Keep a worker's counters, and forget its gauges."""
        last = self._newest.pop(number, None)
        if last is not None:
            self._ended = add(Samples(self._ended, {}), Samples(last.counters, {})).counters

    def count_serving(self) -> int:
        """Return how many workers serve."""
        return self._fleet.states.get("serving", 0)

    def collect(self) -> Samples:
        """Return the metrics."""
        server = describe_server(self._fleet.states, self._started, self._fleet.restarts)
        return add(Samples(self._ended, {}), *self._newest.values(), server)


def describe_server(
    states: Mapping[str, int], started: float, restarts: Mapping[str, int] | None = None
) -> Samples:
    """Return the samples about the server as a whole."""
    counters: dict[str, float] = {
        f'transom_worker_restarts_total{{reason="{reason}"}}': count
        for reason, count in (restarts or {}).items()
    }
    gauges: dict[str, float] = {
        f'transom_workers{{state="{state}"}}': states.get(state, 0) for state in STATES
    }
    gauges["transom_start_time_seconds"] = started
    gauges[BUILD_INFO] = 1
    return Samples(counters, gauges)
