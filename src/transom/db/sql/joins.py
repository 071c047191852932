"""The tables of one statement, and which columns are read from which of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transom.db.exceptions import FieldError

if TYPE_CHECKING:
    import sqlalchemy as sa

    from transom.db.sql.metadata import Hop, OptionsLike
    from transom.db.sql.shapes import ColumnPath
    from transom.db.sql.tables import Tables


class Joins:
    """The base table of a statement and what is joined to it. Mutable: grows as paths are resolved.

    A step to one row is joined once. A step to many rows is joined once per scope (a call of filter()), for
    conditions of one scope speak of the same row there. Scope None takes whatever is joined already.
    """

    def __init__(self, options: OptionsLike, tables: Tables, *, alias: bool = False) -> None:
        self.tables = tables
        self.options = options
        table = tables.of(options)
        self.base: sa.FromClause = table.alias() if alias else table
        self._joined: dict[tuple[tuple[Hop, ...], int | None], sa.FromClause] = {}
        self._clauses: list[tuple[sa.FromClause, sa.ColumnElement[bool], tuple[Hop, ...], int | None]] = []
        self._added: dict[sa.FromClause, bool] = {}  # and whether by an outer join
        self._required: set[tuple[tuple[Hop, ...], int | None]] = set()

    def __bool__(self) -> bool:
        return bool(self._clauses)

    def column(self, path: ColumnPath, scope: int | None = None) -> sa.ColumnElement[Any]:
        """Return a column, joining what leads to it. Any: columns of every type."""
        return column_of(self.table(path.hops, scope), path.field.column)

    def all_tables(self) -> list[sa.FromClause]:
        """Return the base table and those joined so far."""
        return [self.base, *self._joined.values(), *self._added]

    def table(self, hops: tuple[Hop, ...], scope: int | None = None) -> sa.FromClause:
        """Return the table at the end of a path, joining it if it is not yet."""
        if not hops:
            return self.base
        key = self._key(hops, scope)
        known = self._joined.get(key)
        if known is None:
            before, hop = self.table(hops[:-1], scope), hops[-1]
            known = self._joined[key] = self.tables.of(hop.target).alias()
            self._clauses.append(
                (known, column_of(before, hop.local_column) == known.c[hop.remote_column], *key)
            )
        return known

    def add(self, table: sa.FromClause) -> None:
        """Note a table that is no relation's, so that it can be spoken of; `join` joins it."""
        self._added[table] = False

    def join(self, table: sa.FromClause, on: sa.ColumnElement[bool], *, outer: bool) -> None:
        """Join a table that was added."""
        self._added[table] = outer
        self._clauses.append((table, on, (), None))

    def _key(self, hops: tuple[Hop, ...], scope: int | None) -> tuple[tuple[Hop, ...], int | None]:
        if not any(hop.many for hop in hops):
            return hops, None
        if scope is None:
            return next((key for key in self._joined if key[0] == hops), (hops, None))
        return hops, scope

    def require(self, hops: tuple[Hop, ...], scope: int | None) -> None:
        """Note that rows without this related row do not matter, so that an inner join serves."""
        for length in range(1, len(hops) + 1):
            self._required.add(self._key(hops[:length], scope))

    def from_clause(self) -> sa.FromClause:
        """Return the base table with its joins."""
        clause = self.base
        for table, on, hops, scope in self._clauses:
            outer = any(hop.nullable for hop in hops) and (hops, scope) not in self._required
            outer = outer or self._added.get(table, False)
            clause = clause.join(table, on, isouter=outer)
        return clause


def column_of(table: sa.FromClause, name: str) -> sa.ColumnElement[Any]:
    """Return a column of a table. Any: of any type.

    Raises:
        FieldError: the table is a CTE that has no such column.
    """
    found = table.c.get(name)
    if found is None:
        raise FieldError(f"the CTE has no column {name!r}; it has {', '.join(table.c.keys())}")
    return found
