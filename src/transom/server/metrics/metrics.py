"""What a worker counts, and how the counts of several add up.

Requests are counted from the batches that `AccessRecorder` hands on, never while one is answered. Counts are kept by the names
they have in the exposition format, labels and all: so those of several workers add up without anybody knowing what they mean,
and a report to the supervisor is a flat dictionary.

What labels can be is bounded: methods and statuses are numbers of kinds, nothing that a client sends is one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from transom.server.metrics.memory import measure_resident

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence, Sized

    from transom.server.logs.access import AccessEntry
    from transom.server.logs.access_log import AccessLog

# From a plain answer to a slow one; the first is about what Transom itself needs.
DURATION_BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
LAG_BOUNDS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0)
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"})
SWITCHING_PROTOCOLS: Final = 101


class Samples(NamedTuple):
    """Values by name and labels, as they stand in the exposition format.

    Attributes:
        counters: what only grows, the parts of histograms too; a worker's count on when it has ended.
        gauges: what is now.
    """

    counters: dict[str, float]
    gauges: dict[str, float]

    @classmethod
    def from_report(cls, metrics: Mapping[str, Any]) -> Samples:  # Any: as in Report
        """Return the samples that `to_report` made a report of."""
        return cls(metrics.get("counters", {}), metrics.get("gauges", {}))

    def to_report(self) -> dict[str, Any]:  # Any: as in Report
        """Return them as what JSON can hold."""
        return {"counters": self.counters, "gauges": self.gauges}


def add(*samples: Samples) -> Samples:
    """Return the sums."""
    return Samples(_sum(each.counters for each in samples), _sum(each.gauges for each in samples))


def _sum(parts: Iterable[Mapping[str, float]]) -> dict[str, float]:
    total: dict[str, float] = {}
    for part in parts:
        for name, value in part.items():
            total[name] = total.get(name, 0) + value
    return total


class Histogram:
    """How many values were at most so much, for each of some bounds in rising order."""

    def __init__(self, name: str, bounds: Sequence[float]) -> None:
        self._name = name
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)  # those between one bound and the next, not yet summed up
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def to_counters(self) -> dict[str, float]:
        """Return the buckets, each with all that is below it, the sum and the count."""
        counters: dict[str, float] = {}
        total = 0
        for bound, count in zip((*self._bounds, "+Inf"), self._counts, strict=True):
            total += count
            counters[f'{self._name}_bucket{{le="{bound}"}}'] = total
        counters[f"{self._name}_sum"] = self._sum
        counters[f"{self._name}_count"] = total
        return counters


class Observed(Protocol):
    """What metrics read of a `ServerState`, which says what it means."""

    accepted: int
    websockets: int
    lag: float

    @property
    def connections(self) -> Sized:
        """Open connections."""
        ...

    @property
    def tasks(self) -> Sized:
        """Running applications."""
        ...

    @property
    def refused(self) -> Mapping[int, int]:
        """Requests that reached no application, by status."""
        ...


class WorkerMetrics:
    """The counts of one worker: a consumer of its access recorder, and a caller of its tick.

    Args:
        observed: the worker's state.
        access_log: whose lost lines are counted, if there is one.
    """

    def __init__(self, observed: Observed, access_log: AccessLog | None = None) -> None:
        self._observed = observed
        self._access_log = access_log
        self._requests: Counter[tuple[str, int]] = Counter()
        self._durations = Histogram("transom_request_duration_seconds", DURATION_BOUNDS)
        self._lag = Histogram("transom_loop_lag_seconds", LAG_BOUNDS)
        self._bytes = 0

    def __call__(self, entries: Sequence[AccessEntry]) -> None:
        """Count a batch of requests."""
        for entry in entries:
            # The method of a request is any token: what is not known must not become a label, nor take memory.
            method = entry.method if entry.method in METHODS else "OTHER"
            self._requests[method, entry.status] += 1
            self._bytes += entry.size
            if entry.status != SWITCHING_PROTOCOLS:  # a WebSocket lasts as long as somebody looks at a page
                self._durations.observe(entry.duration)

    def tick(self) -> None:
        """Note by how much the event loop is late."""
        self._lag.observe(self._observed.lag)

    def snapshot(self) -> Samples:
        """Return everything as it is now."""
        observed = self._observed
        counters: dict[str, float] = {}
        for (method, status), count in self._requests.items():
            counters[f'transom_requests_total{{method="{method}",status="{status}"}}'] = count
        counters |= self._durations.to_counters() | self._lag.to_counters()
        counters["transom_response_bytes_total"] = self._bytes
        counters["transom_connections_total"] = observed.accepted
        for status, count in observed.refused.items():
            counters[f'transom_requests_refused_total{{status="{status}"}}'] = count
        counters["transom_access_log_lines_lost_total"] = self._access_log.lost if self._access_log else 0
        gauges: dict[str, float] = {
            "transom_connections_open": len(observed.connections),
            "transom_requests_in_progress": len(observed.tasks),
            "transom_websockets_open": observed.websockets,
            "transom_resident_memory_bytes": measure_resident(),
        }
        return Samples(counters, gauges)
