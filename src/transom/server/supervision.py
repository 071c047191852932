"""What a supervisor decides: which worker to start, stop or kill, and when it is done. No processes, no clock.

Each method takes what happened and the time, and returns what to do. A slot is a place for one worker, with listening
sockets of its own; during a rolling restart it holds the old worker and its replacement for a moment. A worker is in one
phase, and phases only go forward; `_due` and `_kill_at` hold everything that is to happen later.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum
from math import inf
from typing import Final, TypeAlias

# Short, so that a worker that dies now and then is replaced at once; long enough for one that cannot serve to be noticed.
STABLE_AFTER: Final = 1.0  # seconds of service after which a crash does not count as one more of a series
MAX_DELAY: Final = 30.0  # seconds between two attempts to start a worker that keeps crashing
IMPATIENCE: Final = 5.0  # seconds between the request to stop at once and the kill
ABORT_PATIENCE: Final = 5.0  # seconds that a worker that hangs has to write its stack and die of it


@dataclass(frozen=True, slots=True)
class Start:
    """Start a worker with this number in the slot."""

    worker: int
    slot: int


@dataclass(frozen=True, slots=True)
class Stop:
    """Ask the worker to stop; if `at_once`, without waiting for requests in progress."""

    worker: int
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class Abort:
    """End a worker that hangs and let it say where: its event loop did not turn for so many seconds."""

    worker: int
    silence: float


@dataclass(frozen=True, slots=True)
class Kill:
    """End the worker at once."""

    worker: int


@dataclass(frozen=True, slots=True)
class Vacate:
    """Close the slot's own sockets, so that no client waits where nobody serves for a while."""

    slot: int


Action: TypeAlias = Start | Stop | Abort | Kill | Vacate


class Phase(Enum):
    """The life of one worker."""

    STARTING = "STARTING"
    SERVING = "SERVING"
    HANGING = "HANGING"  # told to die; to be replaced as after a crash
    STOPPING = "STOPPING"


@dataclass(slots=True)
class _Worker:
    slot: int
    phase: Phase = Phase.STARTING
    since: float = 0.0  # when it began to serve
    heard: float = 0.0  # when it last reported


class Supervision:
    """The state of all workers.

    Args:
        slots: how many workers to keep.
        patience: seconds from the request to stop until a worker is killed.
        silence: seconds without a report after which a worker that serves hangs; 0 for never.

    Attributes:
        start_failed: whether the very first worker to end did so before any had served.
    """

    def __init__(self, slots: int, patience: float, *, silence: float = 0.0) -> None:
        self.start_failed = False
        self._slots = slots
        self._patience = patience
        self._silence = silence or inf
        self._workers: dict[int, _Worker] = {}
        self._last_number = 0
        self._crashes = dict.fromkeys(range(slots), 0)  # in a row, by slot
        self._due: dict[int, float] = {}  # when to start again, by slot
        self._to_renew: deque[int] = deque()  # slots that a rolling restart has not reached yet
        self._kill_at: dict[int, float] = {}  # by worker
        self._stopping = False
        self._insisted = 0  # how often it was to be at once
        self._proven = False  # one worker has served: the application can start

    @property
    def is_done(self) -> bool:
        """Whether it was stopped and every worker has ended."""
        return self._stopping and not self._workers

    @property
    def deadline(self) -> float | None:
        """When `tick` has something to do, or None."""
        silent = [worker.heard + self._silence for worker in self._serving()]
        first = min([*self._due.values(), *self._kill_at.values(), *silent], default=inf)
        return None if first == inf else first

    def begin(self) -> list[Action]:
        """Start every worker."""
        return [self._start(slot) for slot in range(self._slots)]

    def worker_reported(self, number: int, now: float) -> list[Action]:
        """A worker's event loop turns; at the first report it serves, and what it replaces may go."""
        worker = self._workers[number]
        worker.heard = now
        if worker.phase is not Phase.STARTING:
            return []
        worker.phase, worker.since, self._proven = Phase.SERVING, now, True
        replaced = [each for each in self._in_slot(worker.slot) if each != number]
        return [*(self._stop(each, now) for each in replaced), *self._renew_next()]

    def worker_exited(self, number: int, now: float) -> list[Action]:
        """A worker has ended, for whatever reason."""
        worker = self._workers.pop(number)
        self._kill_at.pop(number, None)
        if self._stopping or worker.phase is Phase.STOPPING:
            return []
        if not self._proven:
            # The first start fails for a reason that trying again will not change.
            self.start_failed = True
            return self.stop(now)
        if self._in_slot(worker.slot):
            if worker.phase is Phase.STARTING:
                # A replacement that cannot start: what it was to replace goes on.
                self._to_renew.clear()
            return []
        return self._respawn(worker, now)

    def _respawn(self, worker: _Worker, now: float) -> list[Action]:
        slot = worker.slot
        if worker.phase is not Phase.STARTING and now - worker.since >= STABLE_AFTER:
            self._crashes[slot] = 0
        self._crashes[slot] += 1
        if self._crashes[slot] == 1:
            return [self._start(slot)]
        self._due[slot] = now + min(2.0 ** (self._crashes[slot] - 2), MAX_DELAY)
        return [Vacate(slot)]

    def restart(self) -> list[Action]:
        """Replace every worker, one after the other; each serves until its replacement does.

        Asked again meanwhile, those that were replaced already are replaced once more: they may run what is old by now.
        """
        if self._stopping:
            return []
        self._to_renew.extend(slot for slot in range(self._slots) if slot not in self._to_renew)
        return self._renew_next()

    def stop(self, now: float, *, at_once: bool = False) -> list[Action]:
        """Stop: gracefully, or at once; asked again, at once; and when that was asked for before, kill."""
        at_once = at_once or self._stopping
        self._stopping = True
        self._insisted += at_once
        self._due.clear()
        self._to_renew.clear()
        if self._insisted > 1:
            return [Kill(number) for number in self._workers]
        return [self._stop(number, now) for number in self._workers]

    def overslept(self, now: float) -> None:
        """Take note that the supervisor itself did not run for a while: whoever was silent meanwhile may not have been either."""
        for worker in self._serving():
            worker.heard = now

    def tick(self, now: float) -> list[Action]:
        """Do what is due."""
        due = [slot for slot, when in self._due.items() if when <= now]
        overdue = [number for number, when in self._kill_at.items() if when <= now]
        for slot in due:
            del self._due[slot]
        for number in overdue:
            del self._kill_at[number]
        return [
            *(self._start(slot) for slot in due),
            *(Kill(number) for number in overdue),
            *self._abort_silent(now),
        ]

    def _abort_silent(self, now: float) -> list[Action]:
        actions: list[Action] = []
        for number, worker in self._workers.items():
            silence = now - worker.heard
            if worker.phase is Phase.SERVING and silence >= self._silence:
                worker.phase = Phase.HANGING
                self._kill_at[number] = now + ABORT_PATIENCE
                actions.append(Abort(number, silence))
        return actions

    def _start(self, slot: int) -> Start:
        self._last_number += 1
        self._workers[self._last_number] = _Worker(slot)
        return Start(self._last_number, slot)

    def _stop(self, number: int, now: float) -> Stop:
        patience = IMPATIENCE if self._insisted else self._patience
        self._kill_at[number] = min(now + patience, self._kill_at.get(number, inf))
        self._workers[number].phase = Phase.STOPPING
        return Stop(number, self._insisted > 0)

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

    def _serving(self) -> list[_Worker]:
        return [worker for worker in self._workers.values() if worker.phase is Phase.SERVING]
