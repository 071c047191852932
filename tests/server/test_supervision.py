"""What the supervisor decides, without processes and without a clock."""

from __future__ import annotations

from math import inf

import pytest

from transom.server.processes.recycling import MIN_AGE, Allowance
from transom.server.processes.report import Report
from transom.server.processes.supervision import (
    ABORT_PATIENCE,
    LEAVE_AFTER,
    MAX_DELAY,
    STABLE_AFTER,
    SUSPICIOUS_AFTER,
    Abort,
    CloseListeners,
    Kill,
    Start,
    Stop,
    Supervision,
    Vacate,
)

IDLE = Report(sequence=0)
CLOSE = CloseListeners()


@pytest.fixture
def crew() -> Supervision:
    """Two workers, both serving since the time 0."""
    crew = Supervision(2, patience=30.0)
    assert crew.begin() == [Start(1, 0), Start(2, 1)]
    assert crew.worker_reported(1, IDLE, 0.0) == []
    assert crew.worker_reported(2, IDLE, 0.0) == []
    assert crew.deadline == SUSPICIOUS_AFTER
    return crew


def test_crash_is_followed_by_a_start_at_once_and_then_with_growing_delay(crew: Supervision) -> None:
    assert crew.worker_exited(1, 0.5) == [Start(3, 0)]
    number, now, delays = 3, 0.5, []
    for _ in range(8):
        assert crew.worker_exited(number, now) == [Vacate(0)]
        number, crashed = number + 1, now
        now = wait_for_action(crew, now, Start(number, 0))
        delays.append(now - crashed)
    assert delays == [1, 2, 4, 8, 16, MAX_DELAY, MAX_DELAY, MAX_DELAY]


def wait_for_action(crew: Supervision, now: float, *actions: object) -> float:
    """Let time pass in halves of a second until there is something to do; return when that is."""
    while not (found := crew.tick(now)):
        now += 0.5
    assert found == [*actions]
    return now


def test_crash_after_some_service_starts_the_series_anew(crew: Supervision) -> None:
    assert crew.worker_exited(1, 100.0) == [Start(3, 0)]
    crew.worker_reported(3, IDLE, 101.0)
    assert crew.worker_exited(3, 101.0 + STABLE_AFTER) == [Start(4, 0)]


def test_worker_that_always_dies_as_soon_as_it_serves_is_not_started_again_and_again(
    crew: Supervision,
) -> None:
    """What starts but cannot serve must not take the machine's time from the others."""
    crew.worker_exited(1, 100.0)
    crew.worker_reported(3, IDLE, 100.3)
    assert crew.worker_exited(3, 100.5) == [Vacate(0)]
    assert wait_for_action(crew, 100.5, Start(4, 0)) == 101.5
    crew.worker_reported(4, IDLE, 102.0)
    assert crew.worker_exited(4, 102.0) == [Vacate(0)]
    assert (
        wait_for_action(crew, 102.0, Start(5, 0)) == 103.0
    )  # not longer and longer: others start well enough


def test_first_start_that_fails_ends_everything() -> None:
    crew = Supervision(2, patience=30.0)
    crew.begin()
    assert crew.worker_exited(1, 1.0) == [CLOSE, Stop(2)]
    assert not crew.is_done
    assert crew.worker_exited(2, 2.0) == []
    assert crew.is_done
    assert crew.start_failed


def test_once_one_has_served_a_failed_start_is_tried_again() -> None:
    crew = Supervision(2, patience=30.0)
    crew.begin()
    crew.worker_reported(1, IDLE, 0.5)
    assert crew.worker_exited(2, 1.0) == [Start(3, 1)]
    assert not crew.start_failed


def test_stop_is_graceful_then_insistent_then_deadly(crew: Supervision) -> None:
    assert crew.stop(10.0) == [CLOSE, Stop(1), Stop(2)]
    assert crew.deadline == 40.0
    assert crew.worker_exited(1, 11.0) == []
    assert crew.stop(12.0) == [CLOSE, Stop(2, at_once=True)]
    assert crew.deadline == 17.0
    assert crew.tick(17.0) == [Kill(2)]
    assert crew.stop(18.0) == [Kill(2)]
    assert crew.worker_exited(2, 18.0) == []
    assert crew.is_done
    assert not crew.start_failed


def test_stop_at_once_does_not_wait_for_requests(crew: Supervision) -> None:
    assert crew.stop(10.0, at_once=True) == [CLOSE, Stop(1, at_once=True), Stop(2, at_once=True)]
    assert crew.deadline == 15.0
    assert crew.stop(11.0) == [Kill(1), Kill(2)]


def test_stop_forgets_workers_that_were_to_start_later(crew: Supervision) -> None:
    crew.worker_exited(1, 1.0)
    crew.worker_exited(3, 1.0)
    crew.stop(1.5)
    assert crew.tick(100.0) == [Kill(2)]
    assert crew.worker_exited(2, 100.0) == []
    assert crew.is_done


def test_worker_that_is_ready_after_stop_changes_nothing() -> None:
    crew = Supervision(1, patience=30.0)
    crew.begin()
    crew.stop(0.0)
    assert crew.worker_reported(1, IDLE, 1.0) == []
    assert not crew.is_done


def test_rolling_restart_replaces_one_after_the_other(crew: Supervision) -> None:
    """A worker is stopped only when its replacement serves."""
    assert crew.restart() == [Start(3, 0)]
    assert crew.worker_reported(3, IDLE, 1.0) == [Stop(1), Start(4, 1)]
    assert crew.worker_exited(1, 2.0) == []
    assert crew.worker_reported(4, IDLE, 3.0) == [Stop(2)]
    assert crew.worker_exited(2, 4.0) == []
    assert crew.tick(1000.0) == []
    assert crew.restart() == [Start(5, 0)]


def test_restart_during_a_restart_replaces_again_what_may_be_old_by_then(crew: Supervision) -> None:
    crew.restart()
    assert crew.restart() == []  # never two at once
    assert crew.worker_reported(3, IDLE, 1.0) == [Stop(1), Start(4, 1)]
    assert crew.worker_reported(4, IDLE, 2.0) == [Stop(2), Start(5, 0)]
    assert crew.worker_reported(5, IDLE, 3.0) == [Stop(3)]


def test_old_worker_that_dies_while_it_is_replaced_is_not_missed(crew: Supervision) -> None:
    crew.restart()
    assert crew.worker_exited(1, 1.0) == []
    assert crew.worker_reported(3, IDLE, 1.5) == [Start(4, 1)]


def test_replacement_that_cannot_start_leaves_the_old_workers(crew: Supervision) -> None:
    crew.restart()
    assert crew.worker_exited(3, 1.0) == []
    assert crew.tick(1000.0) == []
    assert crew.restart() == [Start(4, 0)]


def test_old_worker_that_hangs_in_a_rolling_restart_is_killed(crew: Supervision) -> None:
    crew.restart()
    crew.worker_reported(3, IDLE, 1.0)
    assert crew.tick(31.0) == [Kill(1)]


def test_restart_while_stopping_does_nothing(crew: Supervision) -> None:
    crew.stop(0.0)
    assert crew.restart() == []


@pytest.fixture
def watched() -> Supervision:
    """One worker that must report every 60 seconds, and has at the time 0."""
    watched = Supervision(1, patience=30.0, silence=60.0)
    watched.begin()
    watched.worker_reported(1, IDLE, 0.0)
    return watched


def test_worker_that_does_not_report_is_aborted_killed_and_replaced(watched: Supervision) -> None:
    watched.worker_reported(1, IDLE, 10.0)
    assert watched.tick(69.9) == []
    assert watched.deadline == 70.0
    assert watched.tick(70.5) == [Abort(1, 60.5)]
    assert watched.deadline == 70.5 + ABORT_PATIENCE
    assert watched.tick(70.5 + ABORT_PATIENCE) == [Kill(1)]
    assert watched.worker_exited(1, 76.0) == [Start(2, 0)]


def test_report_of_a_worker_that_was_given_up_changes_nothing(watched: Supervision) -> None:
    watched.tick(60.0)
    assert watched.worker_reported(1, IDLE, 60.1) == []
    assert watched.worker_exited(1, 60.2) == [Start(2, 0)]


def test_worker_may_take_its_time_to_start_and_to_stop() -> None:
    """To load a model takes minutes, and the graceful stop has a bound of its own."""
    crew = Supervision(1, patience=300.0, silence=60.0)
    crew.begin()
    assert crew.deadline is None
    assert crew.tick(100.0) == []
    crew.worker_reported(1, IDLE, 100.0)
    crew.stop(101.0)
    assert crew.tick(200.0) == []


def test_nobody_is_aborted_for_the_time_the_supervisor_itself_was_stopped(watched: Supervision) -> None:
    watched.overslept(1000.0)
    assert watched.tick(1059.0) == []
    assert watched.tick(1060.0) == [Abort(1, 60.0)]


def test_silence_0_watches_nobody(crew: Supervision) -> None:
    assert crew.tick(1e9) == []
    assert crew.deadline is None or crew.deadline == inf


def test_hanging_worker_that_is_being_replaced_already_goes_for_good(watched: Supervision) -> None:
    watched.restart()
    assert watched.tick(60.0) == [Abort(1, 60.0)]
    assert watched.worker_exited(1, 61.0) == []
    assert watched.worker_reported(2, IDLE, 62.0) == []
    assert watched.restart() == [Start(3, 0)]


# Where new connections go


def test_new_connections_go_to_workers_that_serve(crew: Supervision) -> None:
    assert crew.receivers == {0, 1}
    crew.worker_exited(1, 5.0)
    assert crew.receivers == {1}
    crew.worker_reported(3, IDLE, 6.0)
    assert crew.receivers == {0, 1}


def test_before_anybody_serves_all_slots_may_get_connections() -> None:
    crew = Supervision(2, patience=30.0)
    crew.begin()
    assert crew.receivers == {0, 1}


def test_worker_that_is_silent_for_a_moment_gets_no_new_connections(crew: Supervision) -> None:
    """Long before it is given up: a call that holds the interpreter's lock only costs the requests behind it."""
    crew.worker_reported(2, IDLE, 1.0)
    assert crew.deadline == SUSPICIOUS_AFTER
    crew.tick(SUSPICIOUS_AFTER)
    assert crew.receivers == {1}
    assert crew.deadline == 1.0 + SUSPICIOUS_AFTER
    crew.tick(1.0 + SUSPICIOUS_AFTER)
    assert crew.receivers == {0, 1}  # both are silent: better to wait for one of them than for nobody
    crew.worker_reported(1, IDLE, 5.0)
    assert crew.receivers == {0}


# Recycling


@pytest.fixture
def recycled() -> Supervision:
    """Two workers that have served since the time 0, each for 100 requests, 1,000 bytes or 50 seconds."""
    recycled = Supervision(
        2, patience=30.0, draw_allowance=lambda: Allowance(requests=100, memory=1000, age=50)
    )
    recycled.begin()
    recycled.worker_reported(1, IDLE, 0.0)
    recycled.worker_reported(2, IDLE, 0.0)
    return recycled


SPENT = Report(sequence=1, requests=100)


def test_worker_that_has_done_enough_is_replaced_before_it_stops(recycled: Supervision) -> None:
    (start,) = recycled.worker_reported(1, SPENT, 1.0)
    assert isinstance(start, Start)
    assert (start.worker, start.slot, start.replaced, start.reason) == (3, 0, 1, "100 requests")
    assert recycled.worker_reported(1, SPENT, 2.0) == []
    assert recycled.worker_reported(3, IDLE, 3.0) == [Stop(1)]
    assert recycled.worker_reported(1, SPENT, 3.5) == []
    assert recycled.worker_exited(1, 4.0) == []
    assert recycled.receivers == {0, 1}


def test_never_two_workers_are_replaced_at_once(recycled: Supervision) -> None:
    recycled.worker_reported(1, SPENT, 1.0)
    assert recycled.worker_reported(2, SPENT, 1.0) == []
    assert recycled.worker_reported(2, SPENT, 2.0) == []
    assert recycled.worker_reported(3, IDLE, 3.0) == [Stop(1), Start(4, 1)]
    assert recycled.worker_reported(4, IDLE, 4.0) == [Stop(2)]


def test_memory_and_age_count_too(recycled: Supervision) -> None:
    big = Report(sequence=1, resident=1001)
    assert recycled.worker_reported(1, big, MIN_AGE - 1) == []
    (start,) = recycled.worker_reported(1, big, MIN_AGE)
    assert isinstance(start, Start)
    assert start.reason.endswith("MiB of memory")
    recycled.worker_reported(3, IDLE, 12.0)
    assert recycled.worker_reported(2, IDLE, 49.9) == []
    assert recycled.worker_reported(2, IDLE, 50.0) == [Start(4, 1)]


def test_replacement_that_cannot_start_lets_recycling_wait_longer_and_longer(recycled: Supervision) -> None:
    """The code on disk may be broken; the worker that serves is not."""
    now, waits = 1.0, []
    for number in range(3, 10):
        began = now
        while recycled.worker_reported(1, SPENT, now) == []:
            now += 1.0
        waits.append(now - began)
        assert recycled.worker_exited(number, now) == []
    assert waits == [0, 1, 2, 4, 8, 16, MAX_DELAY]
    while recycled.worker_reported(1, SPENT, now) == []:
        now += 1.0
    assert recycled.worker_reported(10, IDLE, now) == [Stop(1)]


def test_restart_asked_for_and_recycling_make_one_queue(recycled: Supervision) -> None:
    recycled.restart()
    assert recycled.worker_reported(2, SPENT, 1.0) == []
    assert recycled.worker_reported(3, IDLE, 2.0) == [Stop(1), Start(4, 1)]
    assert recycled.worker_reported(4, IDLE, 3.0) == [Stop(2)]


# More and fewer workers


def test_one_worker_more_and_one_less(crew: Supervision) -> None:
    assert crew.grow() == [Start(3, 2)]
    crew.worker_reported(3, IDLE, 1.0)
    assert crew.receivers == {0, 1, 2}
    assert crew.shrink(5.0) == []
    # Nothing new is sent there, what is on its way arrives, and then the worker takes what is left in its queue.
    assert crew.receivers == {0, 1}
    assert crew.tick(5.0 + LEAVE_AFTER) == [Vacate(2), Stop(3)]
    assert crew.worker_exited(3, 7.0) == []


def test_there_is_always_one_worker(crew: Supervision) -> None:
    crew.shrink(1.0)
    assert crew.shrink(1.0) == []
    assert crew.tick(2.0) == [Vacate(1), Stop(2)]
    assert crew.tick(100.0) == [Kill(2)]
    assert crew.receivers == {0}


def test_worker_that_is_about_to_go_stays_if_one_more_is_asked_for(crew: Supervision) -> None:
    crew.shrink(1.0)
    assert crew.grow() == []
    assert crew.receivers == {0, 1}
    crew.worker_reported(2, IDLE, 2.0)
    assert crew.tick(2.5) == []


def test_slot_of_a_worker_that_is_gone_is_used_again(crew: Supervision) -> None:
    crew.shrink(1.0)
    crew.tick(2.0)
    assert crew.grow() == [Start(3, 1)]
    crew.worker_exited(2, 3.0)
    assert crew.worker_reported(3, IDLE, 3.0) == []
    assert crew.receivers == {0, 1}


def test_crash_of_a_worker_that_leaves_is_its_end(crew: Supervision) -> None:
    crew.shrink(1.0)
    assert crew.worker_exited(2, 1.5) == [Vacate(1)]
    assert crew.tick(10.0) == []


def test_shrinking_forgets_what_was_to_happen_in_the_slot(crew: Supervision) -> None:
    crew.worker_exited(2, 0.1)
    crew.worker_exited(3, 0.2)  # waits for its next start
    crew.shrink(0.3)
    assert crew.tick(100.0) == []
    assert crew.restart() == [Start(4, 0)]


def test_shrinking_stops_a_worker_that_only_starts(crew: Supervision) -> None:
    crew.restart()
    crew.worker_reported(3, IDLE, 1.0)
    assert crew.shrink(2.0) == [Stop(4)]
    assert crew.worker_exited(4, 2.1) == []
    assert crew.tick(3.0) == [Vacate(1), Stop(2)]


def test_stop_stops_a_worker_that_leaves(crew: Supervision) -> None:
    crew.shrink(1.0)
    assert crew.stop(1.5) == [CLOSE, Stop(1), Stop(2)]
    assert crew.tick(3.0) == []
    assert crew.grow() == []
    assert crew.shrink(4.0) == []
