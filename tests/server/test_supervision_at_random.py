"""Whatever happens in whatever order, supervision keeps its promises. The world of processes is a dictionary."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transom.server.processes.recycling import Allowance
from transom.server.processes.report import Report
from transom.server.processes.supervision import Abort, CloseListeners, Kill, Start, Stop, Supervision

IDLE, SPENT = Report(sequence=0), Report(sequence=1, requests=100)
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "all report",
                "all report",
                "report",
                "spent",
                "crash",
                "time",
                "long time",
                "restart",
                "grow",
                "shrink",
                "overslept",
            ]
        ),
        st.integers(0, 10),
    ),
    max_size=60,
)


class World:
    """Does what supervision says, and checks that it may."""

    def __init__(self, slots: int) -> None:
        self.now = 0.0
        self.slots = slots
        self.supervision = Supervision(
            slots, patience=30.0, silence=60.0, draw_allowance=lambda: Allowance(requests=100)
        )
        self.alive: dict[int, int] = {}  # slot by worker
        self.serving: set[int] = set()
        self.told: set[int] = set()  # to stop, or to die
        self.replacing: set[int] = set()  # replacements that do not serve yet
        self.is_closed = False
        self.act(self.supervision.begin())
        self.report(0, IDLE)  # from here on a start that fails is tried again

    def act(self, actions: list[Any]) -> None:
        for action in actions:
            if isinstance(action, Start):
                assert action.worker not in self.alive
                assert not self.is_closed, "a start after the end"
                self.alive[action.worker] = action.slot
                if action.replaced is not None:
                    assert self.alive[action.replaced] == action.slot
                    self.replacing.add(action.worker)
                assert len((self.replacing & self.alive.keys()) - self.told) <= 1, "two are replaced at once"
            elif isinstance(action, Stop):
                self.check_stop(action.worker)
                self.told.add(action.worker)
            elif isinstance(action, Abort | Kill):
                self.told.add(action.worker)
            elif isinstance(action, CloseListeners):
                self.is_closed = True

    def check_stop(self, worker: int) -> None:
        """A worker that serves goes only for another in its slot, or for good."""
        slot = self.alive[worker]
        successors = {each for each in self.serving if self.alive[each] == slot and each > worker}
        assert self.is_closed or slot >= self.slots or worker not in self.serving or successors

    def choose(self, number: int) -> int | None:
        return sorted(self.alive)[number % len(self.alive)] if self.alive else None

    def report(self, number: int, report: Report) -> None:
        worker = self.choose(number)
        if worker is None:
            return
        self.serving.add(worker)
        self.replacing.discard(worker)
        self.act(self.supervision.worker_reported(worker, report, self.now))

    def crash(self, number: int) -> None:
        worker = self.choose(number)
        if worker is None:
            return
        del self.alive[worker]
        for group in (self.serving, self.told, self.replacing):
            group.discard(worker)
        self.act(self.supervision.worker_exited(worker, self.now))

    def happen(self, event: str, number: int) -> None:
        supervision = self.supervision
        if event in ("report", "spent"):
            self.report(number, SPENT if event == "spent" else IDLE)
        elif event == "all report":
            for index in range(len(self.alive)):
                self.report(index, IDLE)
        elif event == "crash":
            self.crash(number)
        elif event in ("time", "long time"):
            self.now += number * (0.3 if event == "time" else 10.0)
            self.act(supervision.tick(self.now))
        elif event == "restart":
            self.act(supervision.restart())
        elif event == "grow":
            self.slots += 1
            self.act(supervision.grow())
        elif event == "shrink":
            self.slots = max(self.slots - 1, 1)
            self.act(supervision.shrink(self.now))
        else:
            supervision.overslept(self.now)

    def settle(self) -> None:
        """Let every process do as it is told, and all be well, for long enough."""
        for _ in range(300):
            self.now += 0.5
            for worker in sorted(self.alive):
                if worker in self.told:
                    self.crash(sorted(self.alive).index(worker))
                else:
                    self.report(sorted(self.alive).index(worker), IDLE)
            self.act(self.supervision.tick(self.now))


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(slots=st.integers(1, 3), events=EVENTS)
def test_all_is_well_again_whatever_has_happened(slots: int, events: list[tuple[str, int]]) -> None:
    """One worker per slot, none more; replaced one at a time; and a worker goes only when another serves in its place."""
    world = World(slots)
    for event, number in events:
        world.happen(event, number)
        assert world.supervision.receivers <= set(range(world.slots))
    world.settle()
    assert sorted(world.alive.values()) == list(range(world.slots))
    assert world.serving == world.alive.keys()
    assert world.supervision.receivers == set(range(world.slots))
    assert not world.supervision.is_done


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(slots=st.integers(1, 3), events=EVENTS, at_once=st.booleans())
def test_a_stop_ends_whatever_has_happened(slots: int, events: list[tuple[str, int]], at_once: bool) -> None:
    world = World(slots)
    for event, number in events:
        world.happen(event, number)
    world.act(world.supervision.stop(world.now, at_once=at_once))
    assert world.told >= world.alive.keys()
    world.settle()
    assert world.supervision.is_done
    assert not world.supervision.start_failed
