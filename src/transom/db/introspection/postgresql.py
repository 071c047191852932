"""The catalogue of PostgreSQL."""

from __future__ import annotations

from collections import defaultdict
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
    from transom.db.introspection.tables import Kind

_TABLES = """
    SELECT c.oid::bigint, c.relname::text, c.relkind::text, c.relispartition, obj_description(c.oid, 'pg_class')
    FROM pg_class AS c
    WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND pg_table_is_visible(c.oid)
      AND c.relnamespace::regnamespace::text = ANY (current_schemas(false)::text[])
      AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = c.oid AND d.deptype = 'e')
"""
_COLUMNS = """
    SELECT a.attrelid::bigint, a.attname::text, COALESCE(b.typname, t.typname)::text,
           CASE WHEN b.oid IS NULL THEN a.atttypmod ELSE t.typtypmod END, format_type(a.atttypid, a.atttypmod),
           a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity::text, a.attgenerated::text,
           col_description(a.attrelid, a.attnum),
           ARRAY(SELECT e.enumlabel::text FROM pg_enum AS e WHERE e.enumtypid = COALESCE(b.oid, t.oid)
                 ORDER BY e.enumsortorder)
    FROM pg_attribute AS a
    JOIN pg_type AS t ON t.oid = a.atttypid
    LEFT JOIN pg_type AS b ON t.typtype = 'd' AND b.oid = t.typbasetype
    LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = ANY ($1::bigint[]::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attnum
"""
_CONSTRAINTS = """
    SELECT o.conrelid::bigint, o.conname::text, o.contype::text, f.relname::text, pg_table_is_visible(f.oid),
           ARRAY(SELECT a.attname::text FROM unnest(o.conkey) WITH ORDINALITY AS k (number, place)
                 JOIN pg_attribute AS a ON a.attrelid = o.conrelid AND a.attnum = k.number ORDER BY k.place),
           ARRAY(SELECT a.attname::text FROM unnest(o.confkey) WITH ORDINALITY AS k (number, place)
                 JOIN pg_attribute AS a ON a.attrelid = o.confrelid AND a.attnum = k.number ORDER BY k.place),
           o.confdeltype::text, pg_get_expr(o.conbin, o.conrelid), pg_get_constraintdef(o.oid)
    FROM pg_constraint AS o LEFT JOIN pg_class AS f ON f.oid = o.confrelid
    WHERE o.conrelid = ANY ($1::bigint[]::oid[])
    ORDER BY o.conname
"""
# NULLS NOT DISTINCT is new in PostgreSQL 15, so its column is asked for by name in a document.
_INDEXES = """
    SELECT i.indrelid::bigint, c.relname::text, m.amname::text, i.indisunique, i.indnkeyatts::int,
           ARRAY(SELECT COALESCE(a.attname::text, '') FROM generate_series(1, i.indnatts) AS k
                 LEFT JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k - 1] ORDER BY k),
           ARRAY(SELECT pg_get_indexdef(i.indexrelid, k, true) FROM generate_series(1, i.indnatts) AS k ORDER BY k),
           ARRAY(SELECT (i.indoption[k - 1] & 1) = 1 FROM generate_series(1, i.indnkeyatts) AS k ORDER BY k),
           ARRAY(SELECT CASE WHEN o.opcdefault THEN '' ELSE o.opcname::text END
                 FROM generate_series(1, i.indnkeyatts) AS k JOIN pg_opclass AS o ON o.oid = i.indclass[k - 1] ORDER BY k),
           pg_get_expr(i.indpred, i.indrelid), COALESCE(to_jsonb(i) ->> 'indnullsnotdistinct', 'false') = 'true',
           n.condeferrable, n.condeferred
    FROM pg_index AS i
    JOIN pg_class AS c ON c.oid = i.indexrelid
    JOIN pg_am AS m ON m.oid = c.relam
    LEFT JOIN pg_constraint AS n ON n.conindid = i.indexrelid AND n.contype = 'u'
    WHERE i.indrelid = ANY ($1::bigint[]::oid[]) AND NOT i.indisprimary AND NOT i.indisexclusion AND i.indisvalid
    ORDER BY c.relname
"""
_RULES = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}

_GUESSES: dict[str, Guess] = {
    "int2": Guess("SmallIntegerField"),
    "int4": Guess("IntegerField"),
    "int8": Guess("BigIntegerField"),
    "oid": Guess("BigIntegerField"),
    "bool": Guess("BooleanField"),
    "text": Guess("TextField"),
    "citext": Guess("TextField", note="citext: the database minds no case of letters here"),
    "name": Guess("CharField", {"max_length": 63}),
    "char": Guess("CharField", {"max_length": 1}),
    "bytea": Guess("BinaryField"),
    "timestamptz": Guess("DateTimeField"),
    "timestamp": Guess("DateTimeField", note="timestamp without time zone: values are read without a zone"),
    "date": Guess("DateField"),
    "time": Guess("TimeField"),
    "timetz": Guess("TimeField", note="time with time zone: values are read with a zone"),
    "interval": Guess("DurationField"),
    "float4": Guess("FloatField"),
    "float8": Guess("FloatField"),
    "uuid": Guess("UUIDField"),
    "inet": Guess("GenericIPAddressField"),
    "jsonb": Guess("JSONField"),
    "json": Guess("JSONField", note="json, not jsonb: lookups inside of it need a cast"),
}


async def read_tables(executor: Executor) -> list[TableInfo]:
    """Return the tables, views and partitions that statements without a schema can reach, less those of extensions."""
    tables = await executor.fetch(_TABLES)
    numbers = [[row[0] for row in tables]]
    columns = _by_table(await executor.fetch(_COLUMNS, numbers))
    constraints = _by_table(await executor.fetch(_CONSTRAINTS, numbers))
    indexes = _by_table(await executor.fetch(_INDEXES, numbers))
    return [
        _table(row, columns[row[0]], constraints[row[0]], indexes[row[0]])
        for row in sorted(tables, key=lambda row: row[1])
    ]


def _by_table(rows: Sequence[Row]) -> Mapping[int, list[Row]]:
    found: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[0]].append(row)
    return found


def _table(row: Row, columns: list[Row], constraints: list[Row], indexes: list[Row]) -> TableInfo:
    kind: Kind = "view" if row[2] in ("v", "m") else "partition" if row[3] else "table"
    return TableInfo(
        row[1],
        kind,
        tuple(map(_column, columns)),
        next((tuple(each[5]) for each in constraints if each[2] == "p"), ()),
        tuple(_foreign_key(each) for each in constraints if each[2] == "f"),
        tuple(map(_index, indexes)),
        tuple(CheckInfo(each[1], each[8]) for each in constraints if each[2] == "c"),
        tuple(f"constraint {each[1]}: {each[9]}" for each in constraints if each[2] == "x"),
        row[4] or "",
    )


def _column(row: Row) -> Column:
    _, name, kind, modifier, declared, not_null, default, identity, generated, comment, labels = row
    computed = default if generated else None
    counts_up = bool(identity) or (default or "").startswith("nextval(")
    guess = _enum(declared, labels) if labels else _guess(kind, modifier, declared)
    own_default = None if counts_up or generated else default
    return Column(name, guess, not not_null, own_default, counts_up, computed, comment or "")


def _enum(declared: str, labels: list[str]) -> Guess:
    choices = [(label, label) for label in labels]
    options: dict[str, Any] = {"max_length": max(map(len, labels)), "choices": choices}
    return Guess(
        "CharField", options, f"the type {declared} of the database, which compares with text only by a cast"
    )


def _guess(kind: str, modifier: int, declared: str) -> Guess:
    if kind in ("varchar", "bpchar") and modifier > 4:
        return Guess("CharField", {"max_length": modifier - 4})
    if kind in ("varchar", "bpchar"):
        return Guess("TextField")
    if kind == "numeric":
        return _decimal(modifier)
    return _GUESSES.get(kind) or Guess("TextField", note=f"this type is a guess: the column is {declared}")


def _decimal(modifier: int) -> Guess:
    if modifier < 4:
        options = {"max_digits": 38, "decimal_places": 10}
        return Guess("DecimalField", options, "the sizes are a guess: the column takes any number")
    precision, scale = ((modifier - 4) >> 16) & 0xFFFF, (modifier - 4) & 0x7FF
    if scale > precision:
        return Guess("DecimalField", {"max_digits": scale, "decimal_places": scale}, "the sizes are a guess")
    return Guess("DecimalField", {"max_digits": precision, "decimal_places": scale})


def _foreign_key(row: Row) -> ForeignKeyInfo:
    table = row[3] if row[4] else f"{row[3]} of another schema"
    return ForeignKeyInfo(tuple(row[5]), table, tuple(row[6]), _RULES[row[7]])


def _index(row: Row) -> IndexInfo:
    (
        _,
        name,
        method,
        unique,
        count,
        columns,
        texts,
        descending,
        opclasses,
        condition,
        same_nulls,
        *deferral,
    ) = row
    keys = [
        IndexKeyInfo(columns[at] or None, texts[at], descending[at], opclasses[at]) for at in range(count)
    ]
    deferrable, deferred = deferral
    return IndexInfo(
        name,
        tuple(keys),
        unique,
        condition,
        method,
        tuple(columns[count:]),
        ("DEFERRED" if deferred else "IMMEDIATE") if deferrable else None,
        not same_nulls,
    )
