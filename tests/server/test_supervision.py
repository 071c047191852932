"""What the supervisor decides, without processes and without a clock."""

from __future__ import annotations

import pytest

from transom.server.supervision import (
    ABORT_PATIENCE,
    MAX_DELAY,
    STABLE_AFTER,
    Abort,
    Kill,
    Start,
    Stop,
    Supervision,
    Vacate,
)


@pytest.fixture
def crew() -> Supervision:
    """Two workers, both serving since the time 0."""
    crew = Supervision(2, patience=30.0)
    assert crew.begin() == [Start(1, 0), Start(2, 1)]
    assert crew.worker_reported(1, 0.0) == []
    assert crew.worker_reported(2, 0.0) == []
    assert crew.deadline is None
    return crew


def test_crash_is_followed_by_a_start_at_once_and_then_with_growing_delay(crew: Supervision) -> None:
    assert crew.worker_exited(1, 0.5) == [Start(3, 0)]
    number, now, delays = 3, 0.5, []
    for _ in range(8):
        assert crew.worker_exited(number, now) == [Vacate(0)]
        assert crew.deadline is not None
        delays.append(crew.deadline - now)
        assert crew.tick(now) == []
        now = crew.deadline
        number += 1
        assert crew.tick(now) == [Start(number, 0)]
    assert delays == [1, 2, 4, 8, 16, MAX_DELAY, MAX_DELAY, MAX_DELAY]


def test_crash_after_some_service_starts_the_series_anew(crew: Supervision) -> None:
    assert crew.worker_exited(1, 100.0) == [Start(3, 0)]
    crew.worker_reported(3, 101.0)
    assert crew.worker_exited(3, 101.0 + STABLE_AFTER) == [Start(4, 0)]


def test_worker_that_always_dies_as_soon_as_it_serves_is_not_started_again_and_again(
    crew: Supervision,
) -> None:
    """What starts but cannot serve must not take the machine's time from the others."""
    crew.worker_exited(1, 100.0)
    crew.worker_reported(3, 100.3)
    assert crew.worker_exited(3, 100.5) == [Vacate(0)]
    assert crew.deadline == 101.5


def test_first_start_that_fails_ends_everything() -> None:
    crew = Supervision(2, patience=30.0)
    crew.begin()
    assert crew.worker_exited(1, 1.0) == [Stop(2)]
    assert not crew.is_done
    assert crew.worker_exited(2, 2.0) == []
    assert crew.is_done
    assert crew.start_failed


def test_once_one_has_served_a_failed_start_is_tried_again() -> None:
    crew = Supervision(2, patience=30.0)
    crew.begin()
    crew.worker_reported(1, 0.5)
    assert crew.worker_exited(2, 1.0) == [Start(3, 1)]
    assert not crew.start_failed


def test_stop_is_graceful_then_insistent_then_deadly(crew: Supervision) -> None:
    assert crew.stop(10.0) == [Stop(1), Stop(2)]
    assert crew.deadline == 40.0
    assert crew.worker_exited(1, 11.0) == []
    assert crew.stop(12.0) == [Stop(2, at_once=True)]
    assert crew.deadline == 17.0
    assert crew.tick(17.0) == [Kill(2)]
    assert crew.stop(18.0) == [Kill(2)]
    assert crew.worker_exited(2, 18.0) == []
    assert crew.is_done
    assert not crew.start_failed


def test_stop_at_once_does_not_wait_for_requests(crew: Supervision) -> None:
    assert crew.stop(10.0, at_once=True) == [Stop(1, at_once=True), Stop(2, at_once=True)]
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
    assert crew.worker_reported(1, 1.0) == []
    assert not crew.is_done


def test_rolling_restart_replaces_one_after_the_other(crew: Supervision) -> None:
    """A worker is stopped only when its replacement serves."""
    assert crew.restart() == [Start(3, 0)]
    assert crew.worker_reported(3, 1.0) == [Stop(1), Start(4, 1)]
    assert crew.worker_exited(1, 2.0) == []
    assert crew.worker_reported(4, 3.0) == [Stop(2)]
    assert crew.worker_exited(2, 4.0) == []
    assert crew.deadline is None
    assert crew.restart() == [Start(5, 0)]


def test_restart_during_a_restart_replaces_again_what_may_be_old_by_then(crew: Supervision) -> None:
    crew.restart()
    assert crew.restart() == []  # never two at once
    assert crew.worker_reported(3, 1.0) == [Stop(1), Start(4, 1)]
    assert crew.worker_reported(4, 2.0) == [Stop(2), Start(5, 0)]
    assert crew.worker_reported(5, 3.0) == [Stop(3)]


def test_old_worker_that_dies_while_it_is_replaced_is_not_missed(crew: Supervision) -> None:
    crew.restart()
    assert crew.worker_exited(1, 1.0) == []
    assert crew.worker_reported(3, 1.5) == [Start(4, 1)]


def test_replacement_that_cannot_start_leaves_the_old_workers(crew: Supervision) -> None:
    crew.restart()
    assert crew.worker_exited(3, 1.0) == []
    assert crew.deadline is None
    assert crew.restart() == [Start(4, 0)]


def test_old_worker_that_hangs_in_a_rolling_restart_is_killed(crew: Supervision) -> None:
    crew.restart()
    crew.worker_reported(3, 1.0)
    assert crew.tick(31.0) == [Kill(1)]


def test_restart_while_stopping_does_nothing(crew: Supervision) -> None:
    crew.stop(0.0)
    assert crew.restart() == []


@pytest.fixture
def watched() -> Supervision:
    """One worker that must report every 60 seconds, and has at the time 0."""
    watched = Supervision(1, patience=30.0, silence=60.0)
    watched.begin()
    watched.worker_reported(1, 0.0)
    return watched


def test_worker_that_does_not_report_is_aborted_killed_and_replaced(watched: Supervision) -> None:
    assert watched.deadline == 60.0
    watched.worker_reported(1, 10.0)
    assert watched.tick(69.9) == []
    assert watched.deadline == 70.0
    assert watched.tick(70.5) == [Abort(1, 60.5)]
    assert watched.deadline == 70.5 + ABORT_PATIENCE
    assert watched.tick(70.5 + ABORT_PATIENCE) == [Kill(1)]
    assert watched.worker_exited(1, 76.0) == [Start(2, 0)]


def test_report_of_a_worker_that_was_given_up_changes_nothing(watched: Supervision) -> None:
    watched.tick(60.0)
    assert watched.worker_reported(1, 60.1) == []
    assert watched.worker_exited(1, 60.2) == [Start(2, 0)]


def test_worker_may_take_its_time_to_start_and_to_stop() -> None:
    """To load a model takes minutes, and the graceful stop has a bound of its own."""
    crew = Supervision(1, patience=300.0, silence=60.0)
    crew.begin()
    assert crew.deadline is None
    assert crew.tick(100.0) == []
    crew.worker_reported(1, 100.0)
    crew.stop(101.0)
    assert crew.tick(200.0) == []


def test_nobody_is_aborted_for_the_time_the_supervisor_itself_was_stopped(watched: Supervision) -> None:
    watched.overslept(1000.0)
    assert watched.tick(1000.0) == []
    assert watched.deadline == 1060.0


def test_silence_0_watches_nobody(crew: Supervision) -> None:
    assert crew.deadline is None
    assert crew.tick(1e9) == []


def test_hanging_worker_that_is_being_replaced_already_goes_for_good(watched: Supervision) -> None:
    watched.restart()
    assert watched.tick(60.0) == [Abort(1, 60.0)]
    assert watched.worker_exited(1, 61.0) == []
    assert watched.worker_reported(2, 62.0) == []
    assert watched.restart() == [Start(3, 0)]
