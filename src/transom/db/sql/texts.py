"""Functions of text that databases spell differently, or that only some have, and documents made of values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from transom.db.sql.column_type import ColumnType
    from transom.db.sql.metadata import Vendor

# Any: columns of every type
Column: TypeAlias = "sa.ColumnElement[Any]"
Build: TypeAlias = "Callable[[Sequence[Column], ColumnType | None, Vendor], Column]"

_COLLATION: Final = "utf8mb4_nopad_bin"
"""That of our columns on MySQL, with which they can be compared."""


def _word(text: str) -> Column:
    return sa.literal_column(text, sa.Text())


def _text(text: str) -> Column:
    """Return a text that is part of the SQL; only ever one of this module's own."""
    return _word(f"'{text}'")


def _number(number: int) -> Column:
    return sa.literal_column(str(number), sa.Integer())


def _call(name: str, *operands: Column) -> Column:
    return getattr(sa.func, name)(*operands, type_=sa.Text())


def _hash(name: str) -> Build:
    def build(operands: Sequence[Column], output: ColumnType | None, vendor: Vendor) -> Column:
        (text,) = operands
        if vendor == "sqlite":
            return _call(f"transom_{name}", text)
        if vendor == "mysql":
            bits = name.removeprefix("sha")
            hashed = _call(name, text) if name in ("md5", "sha1") else _call("sha2", text, _word(bits))
            return sa.collate(
                sa.func.convert(hashed.op("USING")(_word("utf8mb4")), type_=sa.Text()), _COLLATION
            )
        return _hash_of_postgresql(name, text)

    return build


def _hash_of_postgresql(name: str, text: Column) -> Column:
    if name == "md5":
        return _call("md5", text)
    octets = sa.func.convert_to(sa.cast(text, sa.Text()), _text("UTF8"), type_=sa.LargeBinary())
    hashed = sa.func.digest(octets, _text("sha1")) if name == "sha1" else getattr(sa.func, name)(octets)
    return _call("encode", hashed, _text("hex"))


def _chr(operands: Sequence[Column], output: ColumnType | None, vendor: Vendor) -> Column:
    (point,) = operands
    if vendor == "sqlite":
        return _call("char", point)
    if vendor == "postgresql":
        return _call("chr", sa.cast(point, sa.Integer()))
    character = sa.func.char(point.self_group().op("USING")(_word("utf32")), type_=sa.Text())
    return sa.collate(sa.func.convert(character.op("USING")(_word("utf8mb4")), type_=sa.Text()), _COLLATION)


def _ord(operands: Sequence[Column], output: ColumnType | None, vendor: Vendor) -> Column:
    (text,) = operands
    if vendor == "postgresql":
        return sa.func.ascii(text, type_=sa.Integer())
    if vendor == "sqlite":
        return sa.case((text == _text(""), _number(0)), else_=sa.func.unicode(text, type_=sa.Integer()))
    return sa.func.ord(sa.func.convert(text.self_group().op("USING")(_word("utf32"))), type_=sa.Integer())


def _sized(name: str) -> Build:
    """Return an entry for a function of a text and a number, which SQLite has from us."""

    def build(operands: Sequence[Column], output: ColumnType | None, vendor: Vendor) -> Column:
        text, size, *others = operands
        if vendor == "postgresql":
            size = sa.cast(size, sa.Integer())
        return _call(f"transom_{name}" if vendor == "sqlite" else name, text, size, *others)

    return build


def _reverse(operands: Sequence[Column], output: ColumnType | None, vendor: Vendor) -> Column:
    return _call("transom_reverse" if vendor == "sqlite" else "reverse", *operands)


def _json(name: str) -> Build:
    def build(operands: Sequence[Column], output: ColumnType | None, vendor: Vendor) -> Column:
        if vendor == "postgresql":
            return getattr(sa.func, f"jsonb_build_{name}")(*operands, type_=JSONB())
        made = _call(f"json_{name}", *operands)
        return sa.collate(_call("json_compact", made), _COLLATION) if vendor == "mysql" else made

    return build


def _json_part(operands: Sequence[Column], output: ColumnType | None, vendor: Vendor) -> Column:
    """Return a value as a part of a document: SQLite and MySQL hold truth values as numbers and documents as text."""
    (value,) = operands
    if vendor == "postgresql" or output is None:
        return value
    if output.kind == "boolean":
        value = sa.case(
            (value.is_(None), _text("null")), (value == _number(1), _text("true")), else_=_text("false")
        )
    elif output.kind != "json":
        # Documents have another collation there than text, but what is said wins.
        is_text = vendor == "mysql" and output.kind in ("varchar", "text")
        return sa.collate(value, _COLLATION) if is_text else value
    return _call("json", value) if vendor == "sqlite" else sa.func.json_extract(value, _text("$"))


FUNCTIONS_OF_TEXT: Final[Mapping[str, Build]] = {
    "chr": _chr,
    "json_array": _json("array"),
    "json_object": _json("object"),
    "json_part": _json_part,
    "lpad": _sized("lpad"),
    "ord": _ord,
    "repeat": _sized("repeat"),
    "reverse": _reverse,
    "rpad": _sized("rpad"),
    **{name: _hash(name) for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")},
}
