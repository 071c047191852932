"""What a supervisor decides: which worker to start, stop or kill, and when it is done. No processes, no clock.

Each method takes what happened and the time, and returns what to do. A slot is a place for one worker, with listening
sockets of its own; during a rolling restart it holds the old worker and its replacement for a moment.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

STABLE_AFTER: Final = (
    10.0  # seconds a worker must have served for its crash not to count as one more of a series
)
MAX_DELAY: Final = 30.0  # seconds between two attempts to start a worker that keeps crashing
IMPATIENCE: Final = 5.0  # seconds between the second request to stop and the kill


@dataclass(frozen=True, slots=True)
class Start:
    """Start a worker with this number in the slot."""

    worker: int
    slot: int


@dataclass(frozen=True, slots=True)
class Stop:
    """Ask the worker to stop; asked twice, it does not wait for requests in progress."""

    worker: int


@dataclass(frozen=True, slots=True)
class Kill:
    """End the worker at once."""

    worker: int


@dataclass(frozen=True, slots=True)
class Vacate:
    """Close the slot's own sockets, so that no client waits where nobody serves for a while."""

    slot: int


Action: TypeAlias = Start | Stop | Kill | Vacate


class Phase(Enum):
    """The life of one worker."""

    STARTING = "STARTING"
    SERVING = "SERVING"
    STOPPING = "STOPPING"


@dataclass(slots=True)
class _Worker:
    slot: int
    phase: Phase = Phase.STARTING
    since: float = 0.0  # when it began to serve


class Supervision:
    """The state of all workers.

    Args:
        slots: how many workers to keep.
        patience: seconds from the request to stop until a worker is killed.

    Attributes:
        start_failed: whether the very first worker to end did so before any had served.
    """

    def __init__(self, slots: int, patience: float) -> None:
        self.start_failed = False
        self._slots = slots
        self._patience = patience
        self._workers: dict[int, _Worker] = {}
        self._last_number = 0
        self._crashes = dict.fromkeys(range(slots), 0)  # in a row, by slot
        self._due: dict[int, float] = {}  # when to start again, by slot
        self._to_renew: deque[int] = deque()  # slots that a rolling restart has not reached yet
        self._kill_at: dict[int, float] = {}  # by worker
        self._stop_requests = 0
        self._proven = False  # one worker has served: the application can start

    @property
    def is_done(self) -> bool:
        """Whether it was stopped and every worker has ended."""
        return self._stop_requests > 0 and not self._workers

    @property
    def deadline(self) -> float | None:
        """When `tick` has something to do, or None."""
        return min([*self._due.values(), *self._kill_at.values()], default=None)

    def begin(self) -> list[Action]:
        """Start every worker."""
        return [self._start(slot) for slot in range(self._slots)]

    def worker_ready(self, number: int, now: float) -> list[Action]:
        """A worker serves now: what it replaces may go."""
        worker = self._workers[number]
        if worker.phase is not Phase.STARTING:
            return []
        worker.phase, worker.since, self._proven = Phase.SERVING, now, True
        replaced = [each for each in self._in_slot(worker.slot) if each != number]
        return [*(self._stop(each, now) for each in replaced), *self._renew_next()]

    def worker_exited(self, number: int, now: float) -> list[Action]:
        """A worker has ended, for whatever reason."""
        worker = self._workers.pop(number)
        self._kill_at.pop(number, None)
        if self._stop_requests or worker.phase is Phase.STOPPING:
            return []
        if not self._proven:
            # The first start fails for a reason that trying again will not change.
            self.start_failed = True
            return self.stop(now)
        if self._in_slot(worker.slot):
            # A replacement that cannot start: what it was to replace goes on.
            self._to_renew.clear()
            return []
        return self._respawn(worker, now)

    def _respawn(self, worker: _Worker, now: float) -> list[Action]:
        slot = worker.slot
        if worker.phase is Phase.SERVING and now - worker.since >= STABLE_AFTER:
            self._crashes[slot] = 0
        self._crashes[slot] += 1
        if self._crashes[slot] == 1:
            return [self._start(slot)]
        self._due[slot] = now + min(2.0 ** (self._crashes[slot] - 2), MAX_DELAY)
        return [Vacate(slot)]

    def restart(self) -> list[Action]:
        """Replace every worker, one after the other; each serves until its replacement does."""
        if self._stop_requests or self._to_renew:
            return []
        self._to_renew.extend(range(self._slots))
        return self._renew_next()

    def stop(self, now: float) -> list[Action]:
        """Stop: the first request is graceful, the second cancels what is in progress, the third kills."""
        self._stop_requests += 1
        self._due.clear()
        self._to_renew.clear()
        if self._stop_requests > 2:
            return [Kill(number) for number in self._workers]
        return [self._stop(number, now) for number in self._workers]

    def tick(self, now: float) -> list[Action]:
        """Do what is due."""
        due = [slot for slot, when in self._due.items() if when <= now]
        overdue = [number for number, when in self._kill_at.items() if when <= now]
        for slot in due:
            del self._due[slot]
        for number in overdue:
            del self._kill_at[number]
        return [*(self._start(slot) for slot in due), *(Kill(number) for number in overdue)]

    def _start(self, slot: int) -> Start:
        self._last_number += 1
        self._workers[self._last_number] = _Worker(slot)
        return Start(self._last_number, slot)

    def _stop(self, number: int, now: float) -> Stop:
        patience = IMPATIENCE if self._stop_requests > 1 else self._patience
        self._kill_at[number] = min(now + patience, self._kill_at.get(number, now + patience))
        self._workers[number].phase = Phase.STOPPING
        return Stop(number)

    def _renew_next(self) -> list[Action]:
        starting = any(worker.phase is Phase.STARTING for worker in self._workers.values())
        if starting or not self._to_renew:
            return []
        slot = self._to_renew.popleft()
        self._due.pop(slot, None)
        return [self._start(slot)]

    def _in_slot(self, slot: int) -> list[int]:
        return [
            number
            for number, worker in self._workers.items()
            if worker.slot == slot and worker.phase is not Phase.STOPPING
        ]
