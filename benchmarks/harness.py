"""Take turns between contenders and say how they compare: medians, and ratios within a round with their spread."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version

from rich.console import Console
from rich.progress import Progress

console = Console(highlight=False, width=120)


class RunError(Exception):
    """A contender did not do what it was asked: did not start, answered wrongly or not at all."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one run of one contender gave.

    Attributes:
        rate: operations a second.
        cpu: microseconds of CPU an operation cost the process under test, its children included.
        busy: share of the time that the process under test had the processor. Well below 1, something else was the limit.
        load: the same of the load generator. Near 1, it was.
    """

    rate: float
    cpu: float
    busy: float = 1.0
    load: float = 0.0


@dataclass(frozen=True, slots=True)
class Contender:
    """A name, the distribution whose version is printed, and how to run it once."""

    name: str
    distribution: str
    run: Callable[[], Sample]

    @property
    def version(self) -> str:
        """Return the version of the distribution, or nothing where it is not installed."""
        return version_of(self.distribution)

    @property
    def label(self) -> str:
        """Return the name with its version."""
        return f"{self.name} {self.version}".rstrip()


def version_of(distribution: str) -> str:
    """Return the version of a distribution, or nothing where it is not installed or part of Python."""
    try:
        return version(distribution) if distribution else ""
    except PackageNotFoundError:
        return ""


@dataclass(slots=True)
class Runs:
    """All runs of one contender: a sample for each round, or why it dropped out."""

    samples: list[Sample] = field(default_factory=list)
    failure: str = ""


def take_turns(contenders: Sequence[Contender], rounds: int, title: str) -> dict[str, Runs]:
    """Run every contender once a round, in an order that is reversed every other round.

    One that fails is not run again, and has no samples: half of its rounds would be compared with the wrong ones of others.
    """
    runs = {contender.name: Runs() for contender in contenders}
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task(title, total=rounds * len(contenders))
        for number in range(rounds):
            order = contenders if number % 2 == 0 else contenders[::-1]
            for contender in order:
                progress.update(task, description=f"{title}: {contender.name}")
                if not runs[contender.name].failure:
                    _run(contender, runs[contender.name])
                progress.advance(task)
    return runs


def _run(contender: Contender, runs: Runs) -> None:
    try:
        runs.samples.append(contender.run())
    except RunError as exc:
        runs.samples.clear()
        runs.failure = str(exc)


def spread(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """Return the ratio ours/theirs within each round as `median (smallest to largest)`, or a dash without rounds."""
    if not ours or not theirs:
        return "–"  # noqa: RUF001 - a dash, as tables have it
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return f"{statistics.median(ratios):.2f}x ({min(ratios):.2f} to {max(ratios):.2f})"


def report(title: str, contenders: Sequence[Contender], runs: Mapping[str, Runs]) -> None:
    """Print a Markdown table: Transom's rate over each contender's, and its CPU cost over theirs."""
    ours = runs[contenders[0].name].samples
    console.print(f"\n### {title}\n", markup=False)
    console.print(
        "| contender | per second | CPU µs each | our rate / theirs | our CPU / theirs |", markup=False
    )
    console.print("|---|---:|---:|---:|---:|", markup=False)
    for contender in contenders:
        samples = runs[contender.name].samples
        row = (
            contender.label,
            f"{statistics.median(run.rate for run in samples):,.0f}" if samples else "failed",
            f"{statistics.median(run.cpu for run in samples):,.1f}" if samples else "failed",
            spread([run.rate for run in ours], [run.rate for run in samples]),
            spread([run.cpu for run in ours], [run.cpu for run in samples]),
        )
        console.print(f"| {' | '.join(row)} |", markup=False, soft_wrap=True)
    for name, run in runs.items():
        if run.failure:
            console.print(f"\n{name} failed: {run.failure}", markup=False, soft_wrap=True)


def machine(rounds: int) -> str:
    """Say what the numbers were taken on."""
    return (
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores, {rounds} rounds, order reversed every other round"
    )


def print_machine(rounds: int) -> None:
    """Print what the numbers were taken on."""
    console.print(machine(rounds), markup=False)
