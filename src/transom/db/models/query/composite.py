"""Comparisons with keys of several columns: tuples, taken apart no further than the plan cache asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from transom.db.exceptions import FieldError
from transom.db.models.expressions import Bound, Expression
from transom.db.models.query.lookups import intern_lookup
from transom.db.models.query.right_sides import LARGEST, beyond, is_too_large, key_of, label_of, list_of
from transom.db.sql.shapes import Comparison, Mark, OuterName, RowOperand

if TYPE_CHECKING:
    from transom.db.models.expressions import Binder
    from transom.db.models.fields import CompositePrimaryKey
    from transom.db.sql.shapes import Lookup, LookupName

    # Any, here and below: values of all types
    Key = tuple[Any, ...]


def bind_key(lookup: Lookup, value: Any, binder: Binder, values: list[Any]) -> Comparison:
    """Return the comparison of a key of several columns with a tuple, an object, or the key of a query around.

    The tuple is appended to the values, as one.

    Raises:
        FieldError: it is no tuple of as many values, or None is in it where an order is asked for.
    """
    if isinstance(value, Expression):
        return Comparison(lookup, _bind_expression(lookup, value, binder))
    field = cast("CompositePrimaryKey", lookup.field)
    key = _key(field, value)
    if any(part is None for part in key):
        if lookup.name != "exact":
            raise FieldError(
                f"{field.label} cannot be compared with {key!r} by {lookup.name!r}: there is None in it"
            )
        return Comparison(lookup, Mark.NEVER)
    large = _find_too_large(field, key)
    if large is not None:
        return _bind_beyond(lookup, key, large, values)
    values.append(key)
    return Comparison(lookup, Mark.PARAMETER)


def _bind_expression(lookup: Lookup, value: Expression, binder: Binder) -> OuterName | RowOperand:
    shape = binder.bind(value).shape
    if not isinstance(
        shape, OuterName | RowOperand
    ):  # what a name of a query around stands for, only that one knows
        raise FieldError(
            f"{label_of(lookup)} is compared with tuples and with keys of as many columns, not {value!r}"
        )
    return shape


def list_keys(lookup: Lookup, value: Any) -> list[tuple[Any, ...]]:
    """Return a list of keys as columns: the first values of all, and so on; less those that no row can have.

    Raises:
        FieldError: it is no list, or a member of it no tuple of as many values.
    """
    field = cast("CompositePrimaryKey", lookup.field)
    keys = [_key(field, member) for member in list_of(lookup, value)]
    found = [
        key for key in keys if not any(part is None for part in key) and _find_too_large(field, key) is None
    ]
    return list(zip(*found, strict=True)) if found else [()] * len(field.parts)


def _key(field: CompositePrimaryKey, value: Any) -> Key:
    parts = field.check(key_of(field, value))
    return tuple([key_of(part, each) for part, each in zip(field.parts, parts, strict=True)])


def _find_too_large(field: CompositePrimaryKey, key: Key) -> int | None:
    """Return the place of the first number that no driver takes."""
    return next((at for at, part in enumerate(field.parts) if is_too_large(part, key[at])), None)


_BEYOND_LARGEST: Final[dict[LookupName, LookupName]] = {"gt": "gt", "gte": "gt", "lt": "lte", "lte": "lte"}
_BEYOND_SMALLEST: Final[dict[LookupName, LookupName]] = {"gt": "gte", "gte": "gte", "lt": "lt", "lte": "lt"}


def _bind_beyond(lookup: Lookup, key: Key, at: int, values: list[Any]) -> Comparison:
    """Return what a comparison comes to that has a number of more than 64 bits in it: one with the values before that."""
    if lookup.name == "exact" or not at:
        return Comparison(lookup, beyond(lookup, key[at]))
    name = (_BEYOND_LARGEST if key[at] > LARGEST else _BEYOND_SMALLEST)[lookup.name]
    row = cast("RowOperand", lookup.left)
    shorter = intern_lookup(Bound(RowOperand(row.parts[:at]), lookup.field), name)
    values.append(key[:at])
    return Comparison(shorter, Mark.PARAMETER)
