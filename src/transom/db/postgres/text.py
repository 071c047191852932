"""Arrays and ranges as the text in which PostgreSQL reads them: `{"a","b"}`, `["1","5")`.

Whatever they are made of stands in quotation marks, so that nothing in it can be read as more than a value.

Source: PostgreSQL, "Array Input and Output Syntax" and "Range Input/Output".
"""

from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from transom.db.models.fields.base import Converter, Field
    from transom.db.sql.metadata import Vendor


def exact_encoder(field: Field[Any], vendor: Vendor) -> Converter:
    """Return the encoder of what an array or range is made of, to compare with. Any: a field of any type.

    Unlike plain values, these are sent in the very type of the column, so that numbers must fit into that.
    """
    return field.writer(vendor) if field.column_type().is_integer else field.encoder(vendor)


def quote(value: object) -> str:
    """Return a value, as its field's encoder has made it, in quotation marks."""
    text = _text(value)
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _text(value: object) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case bytes():
            return f"\\x{value.hex()}"
        case date() | time():  # datetime is a date
            return value.isoformat()
        case timedelta():
            return f"{value.days} days {value.seconds} seconds {value.microseconds} microseconds"
        case Decimal():
            return format(value, "f")
        case _:
            return str(value)


def write_array(values: Iterable[Any], write: Callable[[Any], str]) -> str:
    """Return an array of one dimension. Any: values that `write` makes quoted text of, and None.

    Args:
        values: the members.
        write: makes text of one that is not None.
    """
    return "{" + ",".join(["NULL" if value is None else write(value) for value in values]) + "}"


def write_range(lower: str | None, upper: str | None, bounds: str) -> str:
    """Return a range of two quoted bounds, of which None is none at all."""
    return f"{bounds[0]}{lower or ''},{upper or ''}{bounds[1]}"
