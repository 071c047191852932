"""What unique constraints are called, by table and columns: SQLite tells of a violation only those.

Filled as models are defined; the state is one per process.
"""

from __future__ import annotations

_names: dict[tuple[str, tuple[str, ...]], str] = {}


def remember(table: str, columns: tuple[str, ...], name: str) -> None:
    """Note the name of a constraint; a model defined later wins."""
    _names[table, columns] = name


def find(table: str | None, columns: tuple[str, ...]) -> str | None:
    """Return the name of the constraint on these columns, in their order; None if no model has it."""
    return None if table is None else _names.get((table, columns))
