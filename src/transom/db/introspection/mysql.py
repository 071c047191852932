"""The catalogue of MariaDB."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from transom.db.introspection.tables import (
    CheckInfo,
    Column,
    ForeignKeyInfo,
    Guess,
    IndexInfo,
    IndexKeyInfo,
    TableInfo,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from transom.db.backends.base import Executor, Row

_TABLES = """
    SELECT table_name, table_type, table_comment FROM information_schema.tables
    WHERE table_schema = DATABASE() AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED', 'VIEW')
"""
_COLUMNS = """
    SELECT table_name, column_name, data_type, column_type, character_maximum_length, numeric_precision, numeric_scale,
           is_nullable, column_default, extra, generation_expression, column_comment
    FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY ordinal_position
"""
_KEYS = """
    SELECT k.table_name, k.constraint_name, k.column_name, k.referenced_column_name,
           IF(k.referenced_table_schema = DATABASE(), k.referenced_table_name,
              CONCAT(k.referenced_table_name, ' of another schema')), r.delete_rule
    FROM information_schema.key_column_usage AS k
    JOIN information_schema.referential_constraints AS r
      ON r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name
     AND r.table_name = k.table_name
    WHERE k.table_schema = DATABASE() ORDER BY k.constraint_name, k.ordinal_position
"""
_INDEXES = """
    SELECT table_name, index_name, column_name, non_unique, collation, sub_part, index_type
    FROM information_schema.statistics WHERE table_schema = DATABASE() ORDER BY index_name, seq_in_index
"""
_CHECKS = """
    SELECT table_name, constraint_name, check_clause
    FROM information_schema.check_constraints WHERE constraint_schema = DATABASE() ORDER BY constraint_name
"""
_JSON = re.compile(r"json_valid\(`((?:[^`]|``)*)`\)", re.IGNORECASE)
_LABELS = re.compile(r"'((?:[^']|'')*)'")

_GUESSES: dict[str, Guess] = {
    "tinyint": Guess("SmallIntegerField"),
    "smallint": Guess("SmallIntegerField"),
    "mediumint": Guess("IntegerField"),
    "int": Guess("IntegerField"),
    "bigint": Guess("BigIntegerField"),
    "year": Guess("PositiveSmallIntegerField"),
    "float": Guess("FloatField"),
    "double": Guess("FloatField"),
    "tinytext": Guess("TextField"),
    "text": Guess("TextField"),
    "mediumtext": Guess("TextField"),
    "longtext": Guess("TextField"),
    "tinyblob": Guess("BinaryField"),
    "blob": Guess("BinaryField"),
    "mediumblob": Guess("BinaryField"),
    "longblob": Guess("BinaryField"),
    "date": Guess("DateField"),
    "time": Guess("TimeField"),
    "datetime": Guess("DateTimeField"),
    "timestamp": Guess("DateTimeField"),
    "uuid": Guess("UUIDField"),
    "inet4": Guess("GenericIPAddressField", {"protocol": "IPv4"}),
    "inet6": Guess("GenericIPAddressField"),
}
_LARGER = {
    "tinyint": "PositiveSmallIntegerField",
    "smallint": "PositiveIntegerField",
    "mediumint": "PositiveIntegerField",
    "int": "PositiveBigIntegerField",
    "bigint": "PositiveBigIntegerField",
}


async def read_tables(executor: Executor) -> list[TableInfo]:
    """Return the tables and views of the database."""
    tables = await executor.fetch(_TABLES)
    columns, keys = _by_table(await executor.fetch(_COLUMNS)), _by_table(await executor.fetch(_KEYS))
    indexes, checks = _by_table(await executor.fetch(_INDEXES)), _by_table(await executor.fetch(_CHECKS))
    return [
        _table(row, columns[row[0]], keys[row[0]], indexes[row[0]], checks[row[0]])
        for row in sorted(tables, key=lambda row: row[0])
    ]


def _by_table(rows: Sequence[Row]) -> Mapping[str, list[Row]]:
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[0]].append(row)
    return found


def _grouped(rows: list[Row]) -> dict[str, list[Row]]:
    """Return the rows by the name of what they are parts of."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row[1], []).append(row)
    return found


def _table(row: Row, columns: list[Row], keys: list[Row], indexes: list[Row], checks: list[Row]) -> TableInfo:
    name, kind, comment = row
    is_view = kind == "VIEW"
    documents = {found[1].replace("``", "`") for check in checks if (found := _JSON.fullmatch(check[2]))}
    by_name = _grouped(indexes)
    primary = by_name.pop("PRIMARY", [])
    return TableInfo(
        name,
        "view" if is_view else "table",
        tuple(_column(each, each[1] in documents) for each in columns),
        tuple(each[2] for each in primary),
        tuple(_foreign_key(parts) for parts in _grouped(keys).values()),
        tuple(_index(each, parts) for each, parts in by_name.items()),
        tuple(CheckInfo(each[1], each[2]) for each in checks if not _JSON.fullmatch(each[2])),
        comment="" if is_view else comment or "",
    )


def _column(row: Row, is_document: bool) -> Column:
    _, name, kind, declared, length, precision, scale, nullable, default, extra, computed, comment = row
    guess = Guess("JSONField") if is_document else _guess(kind, declared, length, precision, scale)
    if "on update" in extra.lower():
        note = "the database sets it to the present whenever the row changes"
        guess = replace(guess, note="; ".join(filter(None, [guess.note, note])))
    counts_up = "auto_increment" in extra
    return Column(name, guess, nullable == "YES", default, counts_up, computed or None, comment or "")


def _guess(kind: str, declared: str, length: int | None, precision: int | None, scale: int | None) -> Guess:
    match kind:
        case "tinyint" if declared.startswith("tinyint(1)"):
            return Guess("BooleanField")
        case "char" | "varchar":
            return Guess("CharField", {"max_length": length or 1})
        case "binary" | "varbinary":
            return Guess("BinaryField", {"max_length": length})
        case "decimal":
            return Guess("DecimalField", {"max_digits": precision, "decimal_places": scale})
        case "enum":
            return _enum(declared)
        case _ if kind in _LARGER and "unsigned" in declared:
            return Guess(_LARGER[kind])
        case _:
            return _GUESSES.get(kind) or _unknown(kind, declared)


def _enum(declared: str) -> Guess:
    labels = [label.replace("''", "'") for label in _LABELS.findall(declared)]
    options: dict[str, Any] = {
        "max_length": max(map(len, labels)),
        "choices": [(label, label) for label in labels],
    }
    return Guess("CharField", options)


def _unknown(kind: str, declared: str) -> Guess:
    """Guess by what the driver gives: text for sets, bytes for bits and shapes."""
    name = "TextField" if kind == "set" else "BinaryField"
    return Guess(name, note=f"this type is a guess: the column is {declared}")


def _foreign_key(parts: list[Row]) -> ForeignKeyInfo:
    columns, targets = tuple(part[2] for part in parts), tuple(part[3] for part in parts)
    return ForeignKeyInfo(columns, parts[0][4], targets, parts[0][5])


def _index(name: str, parts: list[Row]) -> IndexInfo:
    keys = [IndexKeyInfo(part[2], part[2], part[4] == "D") for part in parts]
    method = parts[0][6].lower()
    note = "" if method in ("btree", "hash") else f"its kind is {method}"
    if any(part[5] for part in parts):
        note = "it is about the beginnings of the values"
    return IndexInfo(name, tuple(keys), not parts[0][3], note=note)
