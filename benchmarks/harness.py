"""Take turns between contenders and say how they compare: medians, and ratios within a round with their spread."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from rich.console import Console
from rich.progress import Progress

console = Console(highlight=False, width=120)


@dataclass(frozen=True, slots=True)
class Sample:
    """What one run of one contender gave.

    Attributes:
        rate: operations a second.
        cpu: microseconds of CPU an operation cost the process under test, its children included.
    """

    rate: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Contender:
    """A name, the distribution whose version is printed, and how to run it once."""

    name: str
    distribution: str
    run: Callable[[], Sample]

    @property
    def label(self) -> str:
        """Return the name with its version."""
        try:
            return f"{self.name} {version(self.distribution)}"
        except PackageNotFoundError:
            return self.name


def take_turns(contenders: Sequence[Contender], rounds: int, title: str) -> dict[str, list[Sample]]:
    """Run every contender once a round, in an order that is reversed every other round."""
    samples: dict[str, list[Sample]] = {contender.name: [] for contender in contenders}
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task(title, total=rounds * len(contenders))
        for number in range(rounds):
            order = contenders if number % 2 == 0 else contenders[::-1]
            for contender in order:
                progress.update(task, description=f"{title}: {contender.name}")
                samples[contender.name].append(contender.run())
                progress.advance(task)
    return samples


def spread(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """Return the ratio ours/theirs within each round as `median (smallest to largest)`."""
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return f"{statistics.median(ratios):.2f}x ({min(ratios):.2f} to {max(ratios):.2f})"


def report(title: str, contenders: Sequence[Contender], samples: Mapping[str, Sequence[Sample]]) -> None:
    """Print a Markdown table: Transom's rate over each contender's, and its CPU cost over theirs."""
    ours = samples[contenders[0].name]
    console.print(f"\n### {title}\n", markup=False)
    console.print(
        "| contender | per second | CPU µs each | our rate / theirs | our CPU / theirs |", markup=False
    )
    console.print("|---|---:|---:|---:|---:|", markup=False)
    for contender in contenders:
        runs = samples[contender.name]
        row = (
            contender.label,
            f"{statistics.median(run.rate for run in runs):,.0f}",
            f"{statistics.median(run.cpu for run in runs):,.1f}",
            spread([run.rate for run in ours], [run.rate for run in runs]),
            spread([run.cpu for run in ours], [run.cpu for run in runs]),
        )
        console.print(f"| {' | '.join(row)} |", markup=False, soft_wrap=True)


def print_machine(rounds: int) -> None:
    """Say what the numbers were taken on."""
    console.print(
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores, {rounds} rounds, order reversed every other round",
        markup=False,
    )
