"""Primary keys in addresses: any key becomes one plain segment, and the way back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from transom.forms import ValidationError
from transom.forms.modelfields import key_field

if TYPE_CHECKING:
    from transom.db import models

# A dot is no plain character here: browsers take `.` and `..` out of a path.
PLAIN = re.compile(rb"[A-Za-z0-9-]")
QUOTED = re.compile(r"(?:[A-Za-z0-9-]|_[0-9A-F]{2})+|_")
EMPTY = "_"


def quote_key(key: object) -> str:
    """Return a key as a segment of a path: letters, digits and hyphens stay, every other byte becomes `_XX`."""
    data = str(key).encode()
    quoted = "".join(chr(byte) if PLAIN.match(bytes([byte])) else f"_{byte:02X}" for byte in data)
    return quoted or EMPTY


def unquote_key(segment: str) -> str:
    """Return the key of a segment, as text.

    Raises:
        ValueError: the segment was not made by `quote_key`.
    """
    if not QUOTED.fullmatch(segment):
        raise ValueError(f"{segment!r} is no quoted key")
    if segment == EMPTY:
        return ""
    data = re.sub(r"_(..)", lambda match: chr(int(match[1], 16)), segment).encode("latin-1")
    return data.decode()


def parse_key(model: type[models.Model], segment: str) -> Any:  # Any: a key of any type
    """Return the primary key that a segment of a path stands for.

    Raises:
        ValueError: it can be the key of no row.
    """
    text = unquote_key(segment)
    field = key_field(model._meta.pk)
    try:
        return field.empty_value if field.is_empty(text) else field.parse(text)
    except ValidationError as exc:
        raise ValueError(f"{text!r} is no key of {model._meta.label}: {exc}") from exc
