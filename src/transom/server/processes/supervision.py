"""What a supervisor decides: which worker to start, stop or kill, and when it is done. No processes, no clock.

Each method takes what happened and the time, and returns what to do. A slot is a place for one worker, with listening
sockets of its own; during a rolling restart it holds the old worker and its replacement for a moment. A worker is in one
phase, and phases go forward, but for LEAVING, which can be taken back; `_due`, `_stop_at` and `_kill_at` hold what is to happen
later. Workers are replaced one at a time: slots whose worker is to be replaced wait in `_to_renew`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from math import inf
from typing import TYPE_CHECKING, Final, TypeAlias

from transom.server.processes.recycling import Allowance, Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from transom.server.processes.report import Report

# Short, so that a worker that dies now and then is replaced at once; long enough for one that cannot serve to be noticed.
STABLE_AFTER: Final = 1.0  # seconds of service after which a crash does not count as one more of a series
MAX_DELAY: Final = 30.0  # seconds between two attempts to start a worker that does not come up
IMPATIENCE: Final = 5.0  # seconds between the request to stop at once and the kill
ABORT_PATIENCE: Final = 5.0  # seconds that a worker that hangs has to write its stack and die of it
SUSPICIOUS_AFTER: Final = 3.0  # seconds without a report after which new connections go to other workers
# Connections on their way to a slot arrive within a round trip: after that time nothing new comes.
LEAVE_AFTER: Final = 1.0  # seconds between keeping new connections out of a slot and the end of its worker


@dataclass(frozen=True, slots=True)
class Start:
    """Start a worker with this number in the slot; where it is to replace another, which and why."""

    worker: int
    slot: int
    replaced: int | None = field(default=None, compare=False)
    reason: str = field(default="", compare=False)


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


@dataclass(frozen=True, slots=True)
class CloseListeners:
    """Close all sockets: no new connections; what waits in a queue is the workers' to answer before they close theirs."""


Action: TypeAlias = Start | Stop | Abort | Kill | Vacate | CloseListeners


class Phase(Enum):
    """The life of one worker."""

    STARTING = "STARTING"
    SERVING = "SERVING"
    LEAVING = "LEAVING"  # serves, gets nothing new, and is told to stop in a moment
    HANGING = "HANGING"  # told to die; to be replaced as after a crash
    STOPPING = "STOPPING"


_STATES: Final = {
    Phase.STARTING: "starting",
    Phase.SERVING: "serving",
    Phase.LEAVING: "stopping",
    Phase.HANGING: "stopping",
    Phase.STOPPING: "stopping",
}


@dataclass(slots=True)
class _Worker:
    slot: int
    allowance: Allowance
    phase: Phase = Phase.STARTING
    since: float = 0.0  # when it began to serve
    heard: float = 0.0  # when it last reported
    is_suspicious: bool = False  # should have reported by now


class Supervision:
    """The state of all workers.

    Args:
        slots: how many workers to keep.
        patience: seconds from the request to stop until a worker is killed.
        silence: seconds without a report after which a worker that serves hangs; 0 for never.
        draw_allowance: returns what a new worker may use until it is replaced.

    Attributes:
        start_failed: whether the very first worker to end did so before any had served.
        restarts: how many workers were replaced, or are to be in a moment, by kind of reason.
    """

    def __init__(
        self,
        slots: int,
        patience: float,
        *,
        silence: float = 0.0,
        draw_allowance: Callable[[], Allowance] = Allowance,
    ) -> None:
        self.start_failed = False
        self.restarts: Counter[str] = Counter()
        self._slots = slots
        self._patience = patience
        self._silence = silence or inf
        self._draw_allowance = draw_allowance
        self._workers: dict[int, _Worker] = {}
        self._last_number = 0
        self._crashes: dict[int, int] = {}  # in a row, by slot
        self._due: dict[int, float] = {}  # when to start again, by slot
        self._stop_at: dict[int, float] = {}  # by worker
        self._kill_at: dict[int, float] = {}  # by worker
        self._to_renew: dict[int, Reason] = {}  # slots whose worker is to be replaced, in order, and why
        self._failed_renewals = 0  # in a row
        self._recycle_from = 0.0  # after a replacement that failed, when recycling goes on
        self._stopping = False
        self._insisted = 0  # how often it was to be at once
        self._proven = False  # one worker has served: the application can start

    @property
    def is_done(self) -> bool:
        """Whether it was stopped and every worker has ended."""
        return self._stopping and not self._workers

    @property
    def is_stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stopping

    @property
    def is_settled(self) -> bool:
        """Whether no worker starts, and none is about to be replaced."""
        return not self._to_renew and not any(
            worker.phase is Phase.STARTING for worker in self._workers.values()
        )

    @property
    def deadline(self) -> float | None:
        """When `tick` has something to do, or None."""
        first = min([*self._due.values(), *self._stop_at.values(), *self._kill_at.values()], default=inf)
        for worker in self._serving():
            first = min(first, worker.heard + (self._silence if worker.is_suspicious else SUSPICIOUS_AFTER))
        return None if first == inf else first

    @property
    def states(self) -> Counter[str]:
        """How many workers start, serve and stop."""
        return Counter(_STATES[worker.phase] for worker in self._workers.values())

    @property
    def receivers(self) -> set[int]:
        """The slots that should get new connections: those that serve, else those that may soon."""
        serving = self._serving()
        lively = [worker for worker in serving if not worker.is_suspicious]
        return {worker.slot for worker in lively or serving} or set(range(self._slots))

    def begin(self) -> list[Action]:
        """Start every worker."""
        return [self._start(slot) for slot in range(self._slots)]

    def worker_reported(self, number: int, report: Report, now: float) -> list[Action]:
        """A worker's event loop turns; at the first report it serves, and what it replaces may go."""
        worker = self._workers[number]
        worker.heard, worker.is_suspicious = now, False
        if worker.phase is Phase.STARTING:
            return self._worker_serves(number, worker, now)
        if worker.phase is Phase.SERVING and now >= self._recycle_from:
            excess = worker.allowance.find_excess(report, now - worker.since)
            if excess is not None and len(self._in_slot(worker.slot)) == 1:
                self._to_renew.setdefault(worker.slot, excess)
                return self._renew_next()
        return []

    def _worker_serves(self, number: int, worker: _Worker, now: float) -> list[Action]:
        worker.phase, worker.since, self._proven = Phase.SERVING, now, True
        replaced = [each for each in self._in_slot(worker.slot) if each != number]
        if replaced:
            self._failed_renewals = 0
        return [*(self._stop(each, now) for each in replaced), *self._renew_next()]

    def worker_exited(self, number: int, now: float) -> list[Action]:
        """A worker has ended, for whatever reason."""
        worker = self._workers.pop(number)
        self._stop_at.pop(number, None)
        self._kill_at.pop(number, None)
        if self._stopping or worker.phase is Phase.STOPPING:
            return []
        if not self._proven:
            # The first start fails for a reason that trying again will not change.
            self.start_failed = True
            return self.stop(now)
        if worker.phase is Phase.LEAVING:
            return [Vacate(worker.slot)]
        if not self._in_slot(worker.slot):
            return self._respawn(worker, now)
        if worker.phase is Phase.STARTING:
            self._replacement_failed(now)
        return []

    def _replacement_failed(self, now: float) -> None:
        """Let what was to be replaced go on, and recycling wait: what does not start now may start later."""
        self._to_renew.clear()
        self._failed_renewals += 1
        self._recycle_from = now + min(2.0 ** (self._failed_renewals - 1), MAX_DELAY)

    def _respawn(self, worker: _Worker, now: float) -> list[Action]:
        """Start another: at once after the first crash, later and later if it does not start, soon if it does but cannot stay."""
        slot = worker.slot
        self.restarts["hang" if worker.phase is Phase.HANGING else "crash"] += 1
        crashes = self._crashes.get(slot, 0) + 1
        if worker.phase is not Phase.STARTING:
            crashes = 1 if now - worker.since >= STABLE_AFTER else min(crashes, 2)
        self._crashes[slot] = crashes
        if crashes == 1:
            return [self._start(slot)]
        self._due[slot] = now + min(2.0 ** (crashes - 2), MAX_DELAY)
        return [Vacate(slot)]

    def restart(self) -> list[Action]:
        """Replace every worker, one after the other; each serves until its replacement does.

        Asked again meanwhile, those that were replaced already are replaced once more: they may run what is old by now.
        """
        if self._stopping:
            return []
        for slot in range(self._slots):
            self._to_renew[slot] = Reason("reload", "restart asked for")
        return self._renew_next()

    def grow(self) -> list[Action]:
        """Keep one worker more."""
        if self._stopping:
            return []
        slot = self._slots
        self._slots += 1
        leaving = [number for number in self._in_slot(slot) if self._workers[number].phase is Phase.LEAVING]
        for number in leaving:
            del self._stop_at[number]
            self._workers[number].phase = Phase.SERVING
        return [] if leaving else [self._start(slot)]

    def shrink(self, now: float) -> list[Action]:
        """Keep one worker less, but one at least. What is on its way to the one that goes is answered."""
        if self._stopping or self._slots == 1:
            return []
        self._slots -= 1
        slot = self._slots
        self._due.pop(slot, None)
        self._to_renew.pop(slot, None)
        actions: list[Action] = []
        for number in self._in_slot(slot):
            if self._workers[number].phase is Phase.SERVING:
                self._workers[number].phase = Phase.LEAVING
                self._stop_at[number] = now + LEAVE_AFTER
            else:
                actions.append(self._stop(number, now))
        return [*actions, *self._renew_next()]

    def stop(self, now: float, *, at_once: bool = False) -> list[Action]:
        """Stop: gracefully, or at once; asked again, at once; and when that was asked for before, kill."""
        at_once = at_once or self._stopping
        self._stopping = True
        self._insisted += at_once
        self._due.clear()
        self._stop_at.clear()
        self._to_renew.clear()
        if self._insisted > 1:
            return [Kill(number) for number in self._workers]
        return [CloseListeners(), *(self._stop(number, now) for number in self._workers)]

    def overslept(self, now: float) -> None:
        """Take note that the supervisor itself did not run for a while: whoever was silent meanwhile may not have been either."""
        for worker in self._serving():
            worker.heard = now

    def tick(self, now: float) -> list[Action]:
        """Do what is due."""
        return [
            *(self._start(slot) for slot in _take_due(self._due, now)),
            *self._stop_leaving(now),
            *(Kill(number) for number in _take_due(self._kill_at, now)),
            *self._look_for_silence(now),
        ]

    def _stop_leaving(self, now: float) -> list[Action]:
        actions: list[Action] = []
        for number in _take_due(self._stop_at, now):
            # First our own sockets: what the worker has taken from the queue when it closes its own is then all there was.
            actions += [Vacate(self._workers[number].slot), self._stop(number, now)]
        return actions

    def _look_for_silence(self, now: float) -> list[Action]:
        actions: list[Action] = []
        for number, worker in self._workers.items():
            if worker.phase is not Phase.SERVING:
                continue
            silence = now - worker.heard
            worker.is_suspicious = silence >= SUSPICIOUS_AFTER
            if silence >= self._silence:
                worker.phase = Phase.HANGING
                self._kill_at[number] = now + ABORT_PATIENCE
                actions.append(Abort(number, silence))
        return actions

    def _start(self, slot: int, replaced: int | None = None, reason: str = "") -> Start:
        self._last_number += 1
        self._workers[self._last_number] = _Worker(slot, self._draw_allowance())
        return Start(self._last_number, slot, replaced, reason)

    def _stop(self, number: int, now: float) -> Stop:
        patience = IMPATIENCE if self._insisted else self._patience
        self._kill_at[number] = min(now + patience, self._kill_at.get(number, inf))
        self._workers[number].phase = Phase.STOPPING
        return Stop(number, self._insisted > 0)

    def _renew_next(self) -> list[Action]:
        starting = any(worker.phase is Phase.STARTING for worker in self._workers.values())
        if starting or not self._to_renew:
            return []
        slot = next(iter(self._to_renew))
        reason = self._to_renew.pop(slot)
        self.restarts[reason.kind] += 1
        self._due.pop(slot, None)
        return [self._start(slot, next(iter(self._in_slot(slot)), None), reason.text)]

    def _in_slot(self, slot: int) -> list[int]:
        return [
            number
            for number, worker in self._workers.items()
            if worker.slot == slot and worker.phase is not Phase.STOPPING
        ]

    def _serving(self) -> list[_Worker]:
        return [worker for worker in self._workers.values() if worker.phase is Phase.SERVING]


def _take_due(schedule: dict[int, float], now: float) -> list[int]:
    """Take out of a schedule what is due."""
    due = [key for key, when in schedule.items() if when <= now]
    for key in due:
        del schedule[key]
    return due
