"""From a database to the text of its models."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING

from transom.db import connections
from transom.db.introspection.source import module_source

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from transom.db.backends.base import Executor
    from transom.db.introspection.tables import TableInfo


async def read_tables(executor: Executor) -> list[TableInfo]:
    """Return what the catalogue says of all tables, views and partitions that a statement can reach, by name."""
    catalogue = import_module(f"transom.db.introspection.{executor.vendor}")
    found: list[TableInfo] = await catalogue.read_tables(executor)
    return found


async def inspect_database(
    names: Sequence[str] = (),
    *,
    using: str = "default",
    include_views: bool = False,
    include_partitions: bool = False,
) -> str:
    """Return the source of a module with a model for each table; nothing is written anywhere.

    Args:
        names: the tables, or views and partitions, to make models of; by default all tables.
        using: alias of the database.
        include_views: whether to make models of views too, where no names are given.
        include_partitions: the same of parts of tables that are tables themselves, as PostgreSQL has them.

    Raises:
        LookupError: there is no table of a name.
        DatabaseError: the database does not answer.
    """
    executor = connections.executor(using)
    tables = await read_tables(executor)
    kinds = {"table", *(["view"] if include_views else []), *(["partition"] if include_partitions else [])}
    _refuse_unknown(names, [table.name for table in tables])
    chosen = [table for table in tables if (table.name in names if names else table.kind in kinds)]
    return module_source(chosen, executor.vendor, using)


def _refuse_unknown(names: Sequence[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"choose from {', '.join(known) or 'none'}"
            raise LookupError(f"no table {name!r} in the database; {hint}")
