"""What one client may cost in frames that do no work.

Every protocol lets a client ask for things that are cheap to ask for and of no use to it. Each kind has a budget: so many in so
many seconds, and the connection ends with an error that names it. Where a client that gets much must also say much, work that
was done earns some of it back.

Source: RFC 9113 section 10.5; the attacks are CVE-2023-44487 (rapid reset), CVE-2025-8671 (MadeYouReset), CVE-2024-27316
(CONTINUATION) and CVE-2019-9511 to 9518.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from transom.server.http2.errors import ErrorCode, SessionError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Cost(IntEnum):
    """What is counted."""

    CLIENT_RESET = 0
    """RST_STREAM for a stream that was not complete."""
    SERVER_RESET = 1
    """A stream error: the client made us reset a stream."""
    REFUSED_STREAM = 2
    """A stream beyond SETTINGS_MAX_CONCURRENT_STREAMS."""
    CONTROL = 3
    """A setting, or SETTINGS without any; PING, PRIORITY, PRIORITY_UPDATE, GOAWAY, frames of unknown types, and frames that are
    ignored."""
    WINDOW_UPDATE = 4
    """Earned by DATA that was sent: two for each frame, one for the stream and one for the connection; none for frames that the
    client's windows make tiny."""
    EMPTY_DATA = 5
    """DATA without data and without END_STREAM."""
    CONTINUATION = 6
    """A CONTINUATION frame."""


class Budget(NamedTuple):
    """So many in so many seconds."""

    name: str
    limit: int
    seconds: float


DEFAULTS: Final = (
    Budget("resets by the client", 200, 10.0),
    Budget("resets that the client caused", 10, 10.0),
    Budget("refused streams", 1000, 10.0),  # a client may not have seen our limit when it begins
    Budget("control frames", 1000, 10.0),  # gunicorn 27: the same
    Budget("WINDOW_UPDATE frames", 1000, 10.0),
    Budget("empty DATA frames", 100, 10.0),
    Budget("CONTINUATION frames", 100, 10.0),
)
"""By `Cost`."""


def build_budgets(limits: Mapping[Cost, int], seconds: float) -> tuple[Budget, ...]:
    """Return budgets by `Cost`, with limits of one's own."""
    return tuple([Budget(DEFAULTS[cost].name, limits[cost], seconds) for cost in Cost])


class Budgets:
    """What one client has spent.

    Time is looked at only when a budget is used up. If it was not used up too fast it begins anew, so that over any `seconds` a
    client cannot spend more than twice the limit.
    """

    __slots__ = ("_begun", "_budgets", "_left")

    def __init__(self, now: float, budgets: tuple[Budget, ...] = DEFAULTS) -> None:
        self._budgets = budgets
        self._left = [budget.limit for budget in budgets]
        self._begun = [now] * len(budgets)

    def spend(self, cost: Cost, now: float, count: int = 1) -> None:
        """Count one, or as many as there are at a time.

        Args:
            cost: what.
            now: any clock that does not go back, in seconds; it may be coarse.
            count: of them.

        Raises:
            SessionError: ENHANCE_YOUR_CALM, the budget is used up.
        """
        left = self._left
        left[cost] -= count
        if left[cost] < 0:
            self._begin(cost, now, count)

    def earn(self, cost: Cost, count: int) -> None:
        """Give back what work has earned, at most what was spent."""
        self._left[cost] = min(self._budgets[cost].limit, self._left[cost] + count)

    def _begin(self, cost: Cost, now: float, count: int) -> None:
        name, limit, seconds = self._budgets[cost]
        if now - self._begun[cost] < seconds or count > limit:
            raise SessionError(
                ErrorCode.ENHANCE_YOUR_CALM,
                f"more than {limit} {name} in {seconds:g} seconds (RFC 9113 section 10.5)",
            )
        self._left[cost] = limit - count
        self._begun[cost] = now
