"""How values become arguments: one converter per place in the SQL."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from transom.db.exceptions import FieldError

if TYPE_CHECKING:
    from transom.db.sql.column_type import ColumnKind
    from transom.db.sql.metadata import FieldLike, Vendor
    from transom.db.sql.shapes import LookupName

# Any: values are as different as the fields they are compared with
Converter: TypeAlias = Callable[[Any], Any]

LIKE_ESCAPE = "!"
_LIKE_SPECIAL = re.compile(r"[!%_]")
_GLOB_SPECIAL = re.compile(r"[*?\[]")


class Parameter(NamedTuple):
    """One place for an argument.

    Attributes:
        place: which of the values that travel beside the shape it takes.
        convert: makes the value ready for the driver; None where it is ready.
    """

    place: int
    convert: Converter | None


def value_converter(field: FieldLike, vendor: Vendor) -> Converter:
    """Return the converter of one value to compare with."""
    return field.encoder(vendor)


def list_converter(field: FieldLike, vendor: Vendor) -> Converter:
    """Return the converter of a list: an array on PostgreSQL, a JSON array on SQLite. None is no member."""
    encode = field.encoder(vendor)

    def encode_list(values: Sequence[Any]) -> list[Any] | str:
        encoded = [encode(value) for value in values]
        return json.dumps(encoded) if vendor == "sqlite" else encoded

    return encode_list


def pattern_converter(field: FieldLike, vendor: Vendor, lookup: LookupName) -> Converter:
    """Return the converter of a piece of text to the pattern of LIKE, or of GLOB, in which it stands for itself."""
    encode = field.encoder(vendor)
    glob = is_glob(lookup, vendor)
    special, wrap, wildcard = (_GLOB_SPECIAL, r"[\g<0>]", "*") if glob else (_LIKE_SPECIAL, r"!\g<0>", "%")
    kind = lookup.removeprefix("i")
    before = wildcard if kind in ("contains", "endswith") else ""
    after = wildcard if kind in ("contains", "startswith") else ""
    return lambda value: before + special.sub(wrap, encode(value)) + after


def is_glob(lookup: LookupName, vendor: Vendor) -> bool:
    """Whether the lookup minds the case of letters in SQLite, whose LIKE does not."""
    return vendor == "sqlite" and not lookup.startswith("i")


_CONSTANTS: tuple[tuple[type, ColumnKind], ...] = ((int, "bigint"), (float, "float"), (Decimal, "decimal"))


def constant_kind(value: object) -> ColumnKind:
    """Return the column kind of a Python number in arithmetic.

    Raises:
        FieldError: it is no number.
    """
    for python_type, kind in _CONSTANTS:
        if isinstance(value, python_type) and not isinstance(value, bool):
            return kind
    raise FieldError(f"arithmetic takes int, float, Decimal and F(), not {value!r} ({type(value).__name__})")


def constant_converter(kind: ColumnKind, vendor: Vendor) -> Converter | None:
    """Return the converter of a number in arithmetic."""
    return str if kind == "decimal" and vendor == "sqlite" else None
