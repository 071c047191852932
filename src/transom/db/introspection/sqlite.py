"""The catalogue of SQLite: pragmas for most of it, and the text of CREATE statements for what these do not say."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from transom.db.exceptions import ProgrammingError
from transom.db.introspection.sql_text import UnknownSQL, iter_tokens
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
    from collections.abc import Sequence

    from transom.db.backends.base import Executor, Row
    from transom.db.introspection.sql_text import Token

_TABLES = """
    SELECT l.name, l.type, l.wr, m.sql FROM pragma_table_list AS l JOIN sqlite_master AS m ON m.name = l.name
    WHERE l.schema = 'main' AND l.type IN ('table', 'view', 'virtual') AND m.type IN ('table', 'view')
      AND l.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
    ORDER BY l.name
"""
_COLUMNS = 'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?) WHERE hidden <> 1'
_KEYS = 'SELECT id, "table", "from", "to", on_delete FROM pragma_foreign_key_list(?) ORDER BY id, seq'
_INDEXES = """
    SELECT i.name, i."unique", m.sql, x.name, x."desc"
    FROM pragma_index_list(?) AS i
    LEFT JOIN sqlite_master AS m ON m.type = 'index' AND m.name = i.name
    JOIN pragma_index_xinfo(i.name) AS x
    WHERE i.origin <> 'pk' AND x.key ORDER BY i.name, x.seqno
"""

_GUESSES: dict[str, Guess] = {
    "bool": Guess("BooleanField"),
    "boolean": Guess("BooleanField"),
    "tinyint": Guess("SmallIntegerField"),
    "smallint": Guess("SmallIntegerField"),
    "int2": Guess("SmallIntegerField"),
    "int": Guess("IntegerField"),
    "integer": Guess("IntegerField"),
    "mediumint": Guess("IntegerField"),
    "int4": Guess("IntegerField"),
    "bigint": Guess("BigIntegerField"),
    "int8": Guess("BigIntegerField"),
    "integer unsigned": Guess("PositiveIntegerField"),
    "smallint unsigned": Guess("PositiveSmallIntegerField"),
    "bigint unsigned": Guess("PositiveBigIntegerField"),
    "text": Guess("TextField"),
    "clob": Guess("TextField"),
    "blob": Guess("BinaryField"),
    "real": Guess("FloatField"),
    "float": Guess("FloatField"),
    "double": Guess("FloatField"),
    "double precision": Guess("FloatField"),
    "date": Guess("DateField"),
    "time": Guess("TimeField"),
    "datetime": Guess("DateTimeField"),
    "timestamp": Guess("DateTimeField"),
    "uuid": Guess("UUIDField"),
    "json": Guess("JSONField"),
}
_DIGIT = "[0-9]"
# How our fields write these; columns that hold something else stay text, or comparisons would go wrong.
_FORMS = {
    "DateField": "____-__-__",
    "TimeField": "__:__:__.______",
    "DateTimeField": "____-__-__T__:__:__.______+00:00",
}
_SIZES = re.compile(r"(.*?)\s*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)(.*)", re.DOTALL)


async def read_tables(executor: Executor) -> list[TableInfo]:
    """Return the tables and views of the file, less views of what is gone and tables of modules that are not loaded."""
    found: list[TableInfo] = []
    for row in await executor.fetch(_TABLES):
        try:
            found.append(await _table(executor, row))
        except ProgrammingError:
            if row[1] == "table":
                raise
    return found


async def _table(executor: Executor, row: Row) -> TableInfo:
    name, kind, without_row_id, sql = row
    rows = await executor.fetch(_COLUMNS, [name])
    text = _read_create(sql) if kind == "table" else _CreateText()
    key = [each for each in sorted(rows, key=lambda each: each[4]) if each[4]]
    counts_up = len(key) == 1 and key[0][1].upper() == "INTEGER" and not without_row_id
    columns = [
        await _column(executor, name, each, text, counts_up=counts_up and bool(each[4])) for each in rows
    ]
    return TableInfo(
        name,
        "view" if kind == "view" else "table",
        tuple(columns),
        tuple([each[0] for each in key]),
        _foreign_keys(await executor.fetch(_KEYS, [name])),
        _indexes(await executor.fetch(_INDEXES, [name])),
        tuple(text.checks),
    )


async def _column(executor: Executor, table: str, row: Row, text: _CreateText, *, counts_up: bool) -> Column:
    name, declared, not_null, default, key, hidden = row
    guess = Guess("BigIntegerField") if counts_up else _guess(declared)
    if guess.name in (*_FORMS, "UUIDField") and not await _has_our_form(
        executor, table, name, guess, default
    ):
        guess = Guess("TextField", note=f"{declared}, but not written as {guess.name} does it")
    computed = text.computed.get(name.lower(), "(unknown)") if hidden in (2, 3) else None
    return Column(name, guess, not not_null and not key, default, counts_up, computed)


async def _has_our_form(
    executor: Executor, table: str, column: str, guess: Guess, default: str | None
) -> bool:
    """Whether all values of a column, and its default, are written as our field writes them."""
    if default is not None and default.upper().startswith("CURRENT_"):
        return guess.name != "DateTimeField" and guess.name != "TimeField"
    quoted_table, quoted = (f'"{each.replace(chr(34), chr(34) * 2)}"' for each in (table, column))
    if guess.name == "UUIDField":
        wrong = f"length({quoted}) <> 32 OR {quoted} GLOB '*[^0-9a-f]*'"
    else:
        wrong = f"{quoted} NOT GLOB '{_FORMS[guess.name].replace('_', _DIGIT)}'"
    return not await executor.fetch(f"SELECT 1 FROM {quoted_table} WHERE {wrong} LIMIT 1")  # noqa: S608  # names of the catalogue, quoted


def _guess(declared: str) -> Guess:
    """Return the field for a declared type, which SQLite takes whatever it says."""
    match = _SIZES.fullmatch(declared.lower())
    kind = (f"{match[1]}{match[4]}" if match else declared.lower()).strip()
    if match and "char" in kind:
        return Guess("CharField", {"max_length": max(1, int(match[2]))})
    if match and match[3] and kind in ("decimal", "numeric"):
        return Guess("DecimalField", {"max_digits": int(match[2]), "decimal_places": int(match[3])})
    if kind == "tinyint" and match and match[2] == "1":
        return Guess("BooleanField")
    if kind in _GUESSES:
        return _GUESSES[kind]
    if "char" in kind:
        return Guess("TextField")
    return _by_affinity(kind, declared)


def _by_affinity(kind: str, declared: str) -> Guess:
    """Guess as SQLite does: https://sqlite.org/datatype3.html#determination_of_column_affinity."""
    said = f"the column is {declared}" if declared else "the column has no type"
    note = f"this type is a guess: {said}"
    if "int" in kind:
        return Guess("BigIntegerField", note=note)
    if "text" in kind or "clob" in kind:
        return Guess("TextField", note=note)
    if any(word in kind for word in ("real", "floa", "doub")):
        return Guess("FloatField", note=note)
    if kind in ("decimal", "numeric"):
        return Guess("DecimalField", {"max_digits": 38, "decimal_places": 10}, note)
    return Guess("TextField", note=note)


def _foreign_keys(rows: Sequence[Row]) -> tuple[ForeignKeyInfo, ...]:
    grouped: dict[int, list[Row]] = {}
    for row in rows:
        grouped.setdefault(row[0], []).append(row)
    return tuple(
        [
            ForeignKeyInfo(
                tuple([part[2] for part in parts]),
                parts[0][1],
                tuple([part[3] for part in parts if part[3] is not None]),
                parts[0][4],
            )
            for _, parts in sorted(grouped.items())
        ]
    )


def _indexes(rows: Sequence[Row]) -> tuple[IndexInfo, ...]:
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(row[0], []).append(row)
    return tuple([_index(name, parts) for name, parts in grouped.items()])


def _index(name: str, parts: list[Row]) -> IndexInfo:
    """Return an index; one that a constraint of the table made has no text of its own."""
    sql: str | None = parts[0][2]
    texts, condition = ([], None) if sql is None else _read_index(sql)
    keys = [
        IndexKeyInfo(
            part[3], texts[at] if part[3] is None and at < len(texts) else part[3] or "", bool(part[4])
        )
        for at, part in enumerate(parts)
    ]
    return IndexInfo(name, tuple(keys), bool(parts[0][1]), condition)


def _read_index(sql: str) -> tuple[list[str], str | None]:
    """Return the members of the list in CREATE INDEX as text, and what stands behind WHERE."""
    tokens = _tokens(sql)
    opening = next((at for at, token in enumerate(tokens) if token.is_sign("(")), len(tokens) - 1)
    closing = _closing(tokens, opening)
    parts = _split(tokens[opening + 1 : closing])
    texts = [sql[part[0].start : part[-1].end] for part in parts if part]
    where = next((token for token in tokens[closing + 1 :] if token.is_word("WHERE")), None)
    return texts, sql[where.end :].strip() if where else None


@dataclass(slots=True)
class _CreateText:
    """What only the text of CREATE TABLE says.

    Attributes:
        checks: the conditions.
        computed: what columns always are, by their names in lower case.
    """

    checks: list[CheckInfo] = field(default_factory=list[CheckInfo])
    computed: dict[str, str] = field(default_factory=dict[str, str])


def _read_create(sql: str) -> _CreateText:
    """Return what the text of CREATE TABLE says beside what pragmas say."""
    found = _CreateText()
    tokens = _tokens(sql)
    opening = next((at for at, token in enumerate(tokens) if token.is_sign("(")), None)
    if opening is None:  # CREATE TABLE … AS SELECT
        return found
    for part in _split(tokens[opening + 1 : _closing(tokens, opening)]):
        for at, token in enumerate(part[:-1]):
            if not part[at + 1].is_sign("("):
                continue
            inside = sql[part[at + 1].end : part[_closing(part, at + 1)].start].strip()
            if token.is_word("CHECK"):
                named = at >= 2 and part[at - 2].is_word("CONSTRAINT")
                found.checks.append(CheckInfo(part[at - 1].text if named else "", inside))
            if token.is_word("AS") and not part[0].is_word("CONSTRAINT"):
                found.computed[part[0].text.lower()] = inside
    return found


def _tokens(sql: str) -> list[Token]:
    try:
        return list(iter_tokens(sql, "sqlite"))
    except UnknownSQL:
        return []


def _closing(tokens: list[Token], opening: int) -> int:
    """Return where the bracket closes that opens there."""
    depth = 0
    for at in range(opening, len(tokens)):
        depth += tokens[at].is_sign("(") - tokens[at].is_sign(")")
        if depth == 0:
            return at
    return len(tokens) - 1


def _split(tokens: list[Token]) -> list[list[Token]]:
    """Return what stands between the commas that are in no brackets."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += token.is_sign("(") - token.is_sign(")")
        if depth == 0 and token.is_sign(","):
            parts.append([])
        else:
            parts[-1].append(token)
    return [part for part in parts if part]
