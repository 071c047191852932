"""What a column holds, said without a word of any database: the vocabulary between fields and SQL types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

ColumnKind: TypeAlias = Literal[
    "smallauto",
    "auto",
    "bigauto",
    "smallint",
    "integer",
    "bigint",
    "boolean",
    "varchar",
    "text",
    "binary",
    "datetime",
    "date",
    "time",
    "duration",
    "float",
    "decimal",
    "uuid",
    "inet",
    "json",
    "tsvector",
    "tsquery",
    "regconfig",
    "array",
    "range",
]

_REFERRED: dict[ColumnKind, ColumnKind] = {"smallauto": "smallint", "auto": "integer", "bigauto": "bigint"}


@dataclass(frozen=True, slots=True)
class ColumnType:
    """The kind of a column and its sizes.

    Attributes:
        kind: which family; `sql/types.py` knows each one per database.
        length: most characters of a varchar.
        precision: digits of a decimal in all.
        scale: digits of a decimal after the point.
        element: what an array is made of, or what lies between the bounds of a range.
    """

    kind: ColumnKind
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    element: ColumnType | None = None

    @property
    def is_integer(self) -> bool:
        """Whether the values are whole numbers of at most 64 bits."""
        return self.kind in ("smallauto", "auto", "bigauto", "smallint", "integer", "bigint")

    @property
    def has_elements(self) -> bool:
        """Whether the values are arrays or ranges, which PostgreSQL alone has, and takes as text."""
        return self.element is not None

    @property
    def is_generated(self) -> bool:
        """Whether the database makes the value of a new row."""
        return self.kind in ("smallauto", "auto", "bigauto")

    def referring(self) -> ColumnType:
        """Return the type of a foreign key to this column: the same, but not counting up by itself."""
        kind = _REFERRED.get(self.kind)
        return ColumnType(kind) if kind else self


@dataclass(frozen=True, slots=True)
class SQLText:
    """A default that the database works out: an expression of our own making, in its dialect."""

    sql: str
