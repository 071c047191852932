"""What unique constraints are called, by table and columns: SQLite tells of a violation only those.

Filled as models are defined; the state is one per process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_names: dict[str, dict[tuple[str, ...], set[str]]] = {}


def remember(table: str, constraints: Iterable[tuple[str, tuple[str, ...]]]) -> None:
    """Note name and columns of each constraint of a table; a model of it that is defined later wins."""
    found: dict[tuple[str, ...], set[str]] = {}
    for name, columns in constraints:
        found.setdefault(columns, set()).add(name)
    _names[table] = found


def find(table: str | None, columns: tuple[str, ...]) -> str | None:
    """Return the name of the constraint on these columns, in their order; None if there is none, or more than one."""
    names = _names.get(table or "", {}).get(columns, set())
    return next(iter(names)) if len(names) == 1 else None
