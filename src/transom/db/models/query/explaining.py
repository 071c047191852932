"""EXPLAIN: what each database takes, and how it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from transom.db.sql.metadata import Vendor

_FORMATS: Mapping[Vendor, tuple[str, ...]] = {
    "postgresql": ("TEXT", "XML", "JSON", "YAML"),
    "mysql": ("TRADITIONAL", "JSON"),
    "sqlite": (),
}
_OPTIONS: Mapping[Vendor, tuple[str, ...]] = {
    "postgresql": ("analyze", "verbose", "costs", "settings", "buffers", "wal", "timing", "summary"),
    "mysql": ("analyze",),
    "sqlite": (),
}


def explain_sql(vendor: Vendor, sql: str, format: str | None, options: Mapping[str, bool]) -> str:
    """Return the statement that explains another.

    Raises:
        ValueError: the database knows no such format or option.
    """
    if format is not None:
        format = format.upper()
        _check("format", format, _FORMATS[vendor], vendor)
    for name in options:
        _check("option", name, _OPTIONS[vendor], vendor)
    if vendor == "sqlite":
        return f"EXPLAIN QUERY PLAN {sql}"
    if vendor == "mysql":
        word = "ANALYZE" if options.get("analyze") else "EXPLAIN"
        return f"{word} {f'FORMAT={format} ' if format == 'JSON' else ''}{sql}"
    said = [f"{name.upper()} {'ON' if is_on else 'OFF'}" for name, is_on in options.items()]
    said += [f"FORMAT {format}"] if format else []
    return f"EXPLAIN ({', '.join(said)}) {sql}" if said else f"EXPLAIN {sql}"


def _check(what: str, name: str, known: tuple[str, ...], vendor: Vendor) -> None:
    if name not in known:
        raise ValueError(
            f"explain() has no {what} {name!r} on {vendor}; choose from {', '.join(known) or 'none'}"
        )


def explanation(vendor: Vendor, rows: Sequence[Any]) -> str:
    """Return the answer as text, a line for each step. Any: rows of the driver."""
    if vendor == "mysql":  # it says everything in columns of its own
        return "\n".join(" ".join(str(value) for value in row if value is not None) for row in rows)
    return "\n".join(str(row[-1]) for row in rows)
