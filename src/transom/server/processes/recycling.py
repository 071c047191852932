"""When a worker has done enough and is replaced by a fresh one: what it may use, and the word for what it has used up."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from random import Random

    from transom.server.config import Config
    from transom.server.processes.report import Report

# A limit below what an application takes to begin with must not become one start after the other.
MIN_AGE: Final = 10.0  # seconds of service before memory counts


class Reason(NamedTuple):
    """Why a worker is replaced: the kind of reason, one of a few, and the words for people."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one worker may use: requests, bytes of memory, seconds of service."""

    requests: float = inf
    memory: float = inf
    age: float = inf

    @classmethod
    def draw(cls, config: Config, random: Random) -> Allowance:
        """Return the allowance of a new worker; by chance, so that not all are used up at once."""
        return cls(
            requests=(config.limit_max_requests or inf) + random.randint(0, config.limit_max_requests_jitter),
            memory=config.limit_max_memory or inf,
            age=(config.limit_max_age or inf) + random.uniform(0.0, config.limit_max_age_jitter),
        )

    def find_excess(self, report: Report, age: float) -> Reason | None:
        """Return what a worker that has served for so many seconds has used up, or None."""
        if report.requests >= self.requests:
            return Reason("requests", f"{report.requests} requests")
        if report.resident > self.memory and age >= MIN_AGE:
            return Reason("memory", f"{report.resident / 1_048_576:.0f} MiB of memory")
        if age >= self.age:
            return Reason("age", f"{age:.0f} s of service")
        return None


def is_recycled(config: Config) -> bool:
    """Tell whether workers are replaced at any limit, which takes a supervisor."""
    return bool(config.limit_max_requests or config.limit_max_memory or config.limit_max_age)
