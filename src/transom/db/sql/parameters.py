"""How values become arguments: one converter per place in the SQL."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast
from uuid import uuid4

from transom.db.exceptions import FieldError

if TYPE_CHECKING:
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
    """Return the converter of a list: an array on PostgreSQL, a JSON array on the others. None is no member."""
    encode = field.encoder(vendor)

    def encode_list(values: Sequence[Any]) -> list[Any] | str:
        encoded = [encode(value) for value in values]
        return encoded if vendor == "postgresql" else dump_list(encoded)

    return encode_list


def dump_list(values: Sequence[Any]) -> str:
    """Return a JSON array of encoded values; MySQL reads numbers and datetimes out of text.

    JSON has no word for infinity, but a number too large for a float is one for SQLite; MySQL is never given any.
    """
    try:
        return json.dumps(values, default=_as_text, ensure_ascii=False, allow_nan=False)
    except ValueError:
        mark = uuid4().hex  # which stands in no text of the values
        text = json.dumps(_marked(values, mark), default=_as_text, ensure_ascii=False)
        return text.replace(f'"{mark}"', "9e999").replace(f'"-{mark}"', "-9e999")


def _marked(value: Any, mark: str) -> Any:
    """Return values with a mark for each infinity, in rows too."""
    if isinstance(value, list | tuple):
        return [_marked(member, mark) for member in cast("Sequence[Any]", value)]
    if isinstance(value, float) and math.isinf(value):
        return mark if value > 0 else f"-{mark}"
    return value


def _as_text(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


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


def regex_converter(lookup: LookupName, vendor: Vendor) -> Converter:
    """Return the converter of a regular expression, in the database's own dialect of them; Python's on SQLite.

    There a flag in front of it says that the case of letters does not matter.
    """

    def convert(value: object) -> str:
        if not isinstance(value, str):
            raise FieldError(f"{lookup} takes a regular expression as a str, not {value!r}")
        if vendor == "sqlite":
            _check_regex(lookup, value)
        return f"(?i:{value})" if lookup == "iregex" and vendor != "postgresql" else value

    return convert


def _check_regex(lookup: LookupName, pattern: str) -> None:
    """Refuse what Python cannot read, which could only fail within SQLite otherwise, without a reason."""
    try:
        re.compile(pattern)
    except re.error as exc:
        raise FieldError(f"{lookup} takes a regular expression, not {pattern!r}: {exc}") from exc
