"""What the commands print with: results to standard output, everything else to standard error."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows of plain text under a title; markup in the cells is shown, not obeyed."""
    table = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(cell.replace("[", r"\[") for cell in row))
    out.print(table)


@contextmanager
def progress(description: str, total: int) -> Iterator[Callable[[str], None]]:
    """Show a progress bar on a terminal, a line a step elsewhere; yield the function to call before each step."""
    if not out.is_terminal:
        yield lambda step: out.print(f"{description} {step}", markup=False)
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=out, transient=True) as bar:
        task = bar.add_task(description, total=total, start=True)
        steps = 0

        def advance(step: str) -> None:
            nonlocal steps
            bar.update(task, description=f"{description} {step}", completed=steps)
            steps += 1

        yield advance
        bar.update(task, completed=total)
