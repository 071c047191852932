"""What the catalogue of a database says of its tables, in one shape for all databases."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind: TypeAlias = Literal["table", "view", "partition"]


@dataclass(frozen=True, slots=True)
class Guess:
    """The field that suits the type of a column.

    Attributes:
        name: a class of `transom.db.models`.
        options: its options beside those that all fields have. Any: options of every type.
        note: what a reader should know where the field does not fit quite; empty where it does.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    note: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: as the database has it.
        guess: the field that suits its type.
        null: whether it takes NULL.
        default: the SQL of its default; None if there is none.
        counts_up: whether the database counts its values up.
        computed: the SQL of what it always is; None for a column that is written.
        comment: what the database says of it to people.
    """

    name: str
    guess: Guess
    null: bool = False
    default: str | None = None
    counts_up: bool = False
    computed: str | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class ForeignKeyInfo:
    """A foreign key: columns here, a table and its columns there, and the rule for when the row there is deleted.

    The rule is one of SQL's: `"CASCADE"`, `"RESTRICT"`, `"NO ACTION"`, `"SET NULL"`, `"SET DEFAULT"`.
    """

    columns: tuple[str, ...]
    table: str
    target_columns: tuple[str, ...]
    on_delete: str


@dataclass(frozen=True, slots=True)
class IndexKeyInfo:
    """What an index is sorted by: a column, or the SQL of an expression where `column` is None."""

    column: str | None
    sql: str
    descending: bool = False
    opclass: str = ""


@dataclass(frozen=True, slots=True)
class IndexInfo:
    """An index, or a unique constraint, which is one.

    Attributes:
        name: as the database has it.
        keys: what it is sorted by.
        unique: whether no two rows may have the same.
        condition: the SQL of which rows are in it; None for all.
        method: the kind, in PostgreSQL's words; `"btree"` for the usual one.
        include: columns kept in it beside the keys.
        deferrable: `"IMMEDIATE"` or `"DEFERRED"` for a constraint that may be put off; None if it may not.
        nulls_distinct: whether NULL is unequal to NULL.
        note: why it cannot be said of a model; empty if it can.
    """

    name: str
    keys: tuple[IndexKeyInfo, ...]
    unique: bool = False
    condition: str | None = None
    method: str = "btree"
    include: tuple[str, ...] = ()
    deferrable: str | None = None
    nulls_distinct: bool = True
    note: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it is sorted by; empty if an expression is among them."""
        names = [key.column for key in self.keys if key.column is not None]
        return tuple(names) if len(names) == len(self.keys) else ()

    @property
    def is_plain(self) -> bool:
        """Whether it is of columns alone, for all rows, checked at once and in the usual way."""
        special = self.condition is not None or self.include or self.deferrable or not self.nulls_distinct
        odd = any(key.descending or key.opclass for key in self.keys)
        return bool(self.columns) and self.method == "btree" and not (special or odd or self.note)


@dataclass(frozen=True, slots=True)
class CheckInfo:
    """A condition that every row meets, as SQL."""

    name: str
    sql: str


@dataclass(frozen=True, slots=True)
class TableInfo:
    """One table or view.

    Attributes:
        name: as the database has it.
        kind: `"table"`, `"view"`, or `"partition"` for a part of a table that is one itself.
        columns: in their order.
        primary_key: the columns of the key; empty if there is none.
        foreign_keys: the references to other tables, and to itself.
        indexes: unique constraints too, but not the key.
        checks: the conditions.
        others: what nothing here has a word for, as SQL.
        comment: what the database says of it to people.
    """

    name: str
    kind: Kind
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    foreign_keys: tuple[ForeignKeyInfo, ...] = ()
    indexes: tuple[IndexInfo, ...] = ()
    checks: tuple[CheckInfo, ...] = ()
    others: tuple[str, ...] = ()
    comment: str = ""

    @property
    def unique_columns(self) -> set[str]:
        """The columns of which each value is there once: a key of one column, and what is unique by itself."""
        alone = {index.columns[0] for index in self.indexes if _is_unique_column(index)}
        return alone | ({self.primary_key[0]} if len(self.primary_key) == 1 else set())


def _is_unique_column(index: IndexInfo) -> bool:
    return index.unique and index.is_plain and len(index.columns) == 1
