"""JSON documents: their parts, and what can be asked of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from transom.db.exceptions import FieldError
from transom.db.sql.column_type import ColumnType
from transom.db.sql.json_table import json_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transom.db.sql.builder import Builder
    from transom.db.sql.metadata import Vendor
    from transom.db.sql.shapes import DocumentPart, Lookup

    # Any: columns of every type
    Column = sa.ColumnElement[Any]


def build_part(shape: DocumentPart, document: Column, vendor: Vendor) -> Column:
    """Return the part of a document; NULL if it has none such."""
    is_text = shape.form == "text"
    if vendor == "postgresql":
        steps = ", ".join(_quote(str(step)) for step in shape.steps)
        path = sa.literal_column(f"ARRAY[{steps}]", ARRAY(sa.Text()))
        return document.op("#>>" if is_text else "#>", return_type=sa.Text() if is_text else JSONB())(path)
    path = sa.literal_column(_quote(_path(shape.steps, "#" if vendor == "sqlite" else "")), sa.Text())
    if vendor == "mysql":
        if shape.form == "json":
            part = sa.func.json_compact(sa.func.json_extract(document, path), type_=sa.Text())
        else:
            part = sa.func.json_value(document, path, type_=sa.Text())
        return sa.collate(
            part, "utf8mb4_nopad_bin"
        )  # as all our columns, or it could not be compared with them
    return document.op("->" if shape.form == "json" else "->>", return_type=sa.Text())(path)


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _path(steps: Sequence[str | int], end: str = "") -> str:
    """Return a path; `end` is what the database calls the length of an array, before negative places."""
    return "$" + "".join(_path_step(step, end) for step in steps)


def _path_step(step: str | int, end: str) -> str:
    if isinstance(step, str):
        return f'."{step}"'
    return f"[{end}{step}]" if step < 0 else f"[{step}]"


DOCUMENT_LOOKUPS: Final = ("contains", "contained_by", "has_key", "has_keys", "has_any_keys")
"""What can be asked of a document, beside what can be asked of every value."""


def compare_document(left: Column, lookup: Lookup, builder: Builder) -> sa.ColumnElement[bool]:
    """Return what is asked of a document.

    Raises:
        FieldError: the database cannot tell.
    """
    if lookup.name in ("contains", "contained_by"):
        if builder.vendor == "sqlite":
            raise FieldError(
                f"SQLite cannot tell whether a JSON document {lookup.name.replace('_', ' ')} another; "
                "ask for its parts, as in data__key=value"
            )
        if builder.vendor == "mysql":
            sides = (left, builder.value(lookup.field))
            outer, inner = sides if lookup.name == "contains" else reversed(sides)
            return sa.func.json_contains(outer, inner, type_=sa.Boolean()) == sa.literal_column("1")
        operator = "@>" if lookup.name == "contains" else "<@"
        return _operate(left, operator, builder.value(lookup.field))
    if builder.vendor == "postgresql":
        return _has_keys_of_postgresql(left, lookup, builder)
    return _has_keys(left, lookup, builder)


def _operate(left: Column, operator: str, right: Column) -> sa.ColumnElement[bool]:
    return left.op(operator, is_comparison=True, return_type=sa.Boolean())(right)


def _has_keys_of_postgresql(left: Column, lookup: Lookup, builder: Builder) -> sa.ColumnElement[bool]:
    if lookup.name == "has_key":
        return _operate(left, "?", builder.parameter(_check_key, sa.Text()))
    operator = "?&" if lookup.name == "has_keys" else "?|"
    return _operate(left, operator, builder.parameter(_check_keys, ARRAY(sa.Text())))


def _has_keys(left: Column, lookup: Lookup, builder: Builder) -> sa.ColumnElement[bool]:
    """Ask by paths, of which several are one parameter."""
    if lookup.name == "has_key":
        path = builder.parameter(lambda key: _path([_check_key(key)]), sa.Text())
        return _has_path(left, path, builder.vendor)
    paths = builder.parameter(lambda keys: json.dumps([_path([key]) for key in _check_keys(keys)]), sa.Text())
    if builder.vendor == "mysql":
        wanted = json_table(paths, [(ColumnType("text"), "$")])
        path = wanted.c.c0
    else:
        wanted = sa.func.json_each(paths).table_valued("value")
        path = wanted.c.value
    has_path = _has_path(left, path, builder.vendor)
    one = sa.select(sa.literal_column("1", sa.Integer())).select_from(wanted)
    if lookup.name == "has_any_keys":
        return sa.exists(one.where(has_path))
    # Of a document that is NULL nothing is known, not even that it lacks none of the keys.
    return sa.and_(left.is_not(None), ~sa.exists(one.where(~has_path)))


def _has_path(document: Column, path: Column, vendor: Vendor) -> sa.ColumnElement[bool]:
    if vendor == "sqlite":
        return sa.func.json_type(document, path).is_not(None)
    found = sa.func.json_contains_path(document, sa.literal_column("'one'"), path)
    return found == sa.literal_column("1")


def _check_key(key: object) -> str:
    """Return a key that a path can hold."""
    if not isinstance(key, str) or '"' in key or "\0" in key:
        raise FieldError(f"a key of a JSON document is a str without quotation marks, not {key!r}")
    return key


def _check_keys(keys: Any) -> list[str]:  # Any: what the caller gave
    if isinstance(keys, str):
        raise FieldError(f"has_keys and has_any_keys take a list of keys, not {keys!r}")
    return [_check_key(key) for key in keys]
