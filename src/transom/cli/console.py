"""What the commands print with: results to standard output, everything else to standard error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

out = Console(highlight=False)
if not out.is_terminal:
    out = Console(highlight=False, width=200)  # what is piped is read by programs: one row, one line
err = Console(stderr=True, highlight=False)


def print_lines(rows: Iterable[Sequence[str]]) -> None:
    """Print rows for programs: a line each, the cells separated by tabs, however long."""
    for row in rows:
        print("\t".join(row))


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows of plain text under a title; markup in the cells is shown, not obeyed."""
    table = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(cell.replace("[", r"\[") for cell in row))
    out.print(table)
