"""What the supervisor decides, without processes and without a clock."""

from __future__ import annotations

import pytest

from transom.server.supervision import MAX_DELAY, Kill, Start, Stop, Supervision, Vacate


@pytest.fixture
def crew() -> Supervision:
    """Two workers, both serving since the time 0."""
    crew = Supervision(2, patience=30.0)
    assert crew.begin() == [Start(1, 0), Start(2, 1)]
    assert crew.worker_ready(1, 0.0) == []
    assert crew.worker_ready(2, 0.0) == []
    assert crew.deadline is None
    return crew


def test_crash_is_followed_by_a_start_at_once_and_then_with_growing_delay(crew: Supervision) -> None:
    assert crew.worker_exited(1, 1.0) == [Start(3, 0)]
    number, now, delays = 3, 1.0, []
    for _ in range(8):
        assert crew.worker_exited(number, now) == [Vacate(0)]
        assert crew.deadline is not None
        delays.append(crew.deadline - now)
        assert crew.tick(now) == []
        now = crew.deadline
        number += 1
        assert crew.tick(now) == [Start(number, 0)]
    assert delays == [1, 2, 4, 8, 16, MAX_DELAY, MAX_DELAY, MAX_DELAY]


def test_crash_after_a_long_service_starts_the_series_anew(crew: Supervision) -> None:
    assert crew.worker_exited(1, 100.0) == [Start(3, 0)]
    crew.worker_ready(3, 101.0)
    assert crew.worker_exited(3, 201.0) == [Start(4, 0)]


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
    crew.worker_ready(1, 0.5)
    assert crew.worker_exited(2, 1.0) == [Start(3, 1)]
    assert not crew.start_failed


def test_stop_is_graceful_then_insistent_then_deadly(crew: Supervision) -> None:
    assert crew.stop(10.0) == [Stop(1), Stop(2)]
    assert crew.deadline == 40.0
    assert crew.worker_exited(1, 11.0) == []
    assert crew.stop(12.0) == [Stop(2)]
    assert crew.deadline == 17.0
    assert crew.tick(17.0) == [Kill(2)]
    assert crew.stop(18.0) == [Kill(2)]
    assert crew.worker_exited(2, 18.0) == []
    assert crew.is_done
    assert not crew.start_failed


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
    assert crew.worker_ready(1, 1.0) == []
    assert not crew.is_done


def test_rolling_restart_replaces_one_after_the_other(crew: Supervision) -> None:
    """A worker is stopped only when its replacement serves."""
    assert crew.restart() == [Start(3, 0)]
    assert crew.restart() == []  # one at a time
    assert crew.worker_ready(3, 1.0) == [Stop(1), Start(4, 1)]
    assert crew.worker_exited(1, 2.0) == []
    assert crew.worker_ready(4, 3.0) == [Stop(2)]
    assert crew.worker_exited(2, 4.0) == []
    assert crew.deadline is None
    assert crew.restart() == [Start(5, 0)]


def test_replacement_that_cannot_start_leaves_the_old_workers(crew: Supervision) -> None:
    crew.restart()
    assert crew.worker_exited(3, 1.0) == []
    assert crew.deadline is None
    assert crew.restart() == [Start(4, 0)]


def test_old_worker_that_hangs_in_a_rolling_restart_is_killed(crew: Supervision) -> None:
    crew.restart()
    crew.worker_ready(3, 1.0)
    assert crew.tick(31.0) == [Kill(1)]


def test_restart_while_stopping_does_nothing(crew: Supervision) -> None:
    crew.stop(0.0)
    assert crew.restart() == []
