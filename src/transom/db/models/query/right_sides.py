"""What stands on the right side of comparisons: keys in place of objects, and whole numbers that fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, cast

from transom.db.exceptions import FieldError
from transom.db.models.fields import Field, ForeignKey
from transom.db.models.record import Record
from transom.db.sql.shapes import Mark

if TYPE_CHECKING:
    from transom.db.sql.shapes import Lookup

# Any, here and below: values of all types
SMALLEST, LARGEST = -(1 << 63), (1 << 63) - 1
"""What no driver takes a number beyond."""


def label_of(lookup: Lookup) -> str:
    """Return the field of a lookup, for messages."""
    return cast("Field[Any]", lookup.field).label


def is_too_large(field: Field[Any], value: Any) -> bool:
    """Whether no row of a column of whole numbers can have this value: it takes more than 64 bits."""
    return type(value) is int and not SMALLEST <= value <= LARGEST and field.column_type().is_integer


def beyond(lookup: Lookup, value: int) -> Mark:
    """Return what comparing with a number of more than 64 bits comes to."""
    holds = ("lt", "lte") if value > 0 else ("gt", "gte")
    return Mark.ALWAYS if lookup.name in holds else Mark.NEVER


def list_of(lookup: Lookup, value: Any) -> Iterator[Any]:
    """Yield the members of the list of an `in`, less None.

    Raises:
        FieldError: it is none.
    """
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise FieldError(f"{label_of(lookup)} with in takes a list of values or a queryset, not {value!r}")
    return (member for member in cast("Iterable[Any]", value) if member is not None)


def key_of(field: Field[Any], value: Any) -> Any:
    """Return the key of an object that stands for its row; any other value as it is.

    Raises:
        FieldError: the object is none that the field can be compared with, or has no key yet.
    """
    if not isinstance(value, Record):
        return value
    if field.primary_key and (isinstance(value, field.model) or not isinstance(field, ForeignKey)):
        target, name = field.model, field.attname
    elif isinstance(field, ForeignKey):
        target, name = field.remote_field.target, field.target_field.attname
    else:
        raise FieldError(f"{field.label} is no relation and cannot be compared with {value!r}")
    if not isinstance(value, target._meta.concrete_model):
        raise FieldError(f"{field.label} takes a {target.__name__}, not {value!r}")
    key = getattr(value, name)
    if key is None:
        raise FieldError(
            f"{value!r} has no primary key yet, so {field.label} cannot be compared with it; save it"
        )
    return key
