"""The fields of what the database computes: one for each kind of value, and those that expressions were told to have."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

from transom.db.exceptions import FieldError
from transom.db.models.fields import (
    BigIntegerField,
    BinaryField,
    BooleanField,
    DateField,
    DateTimeField,
    DecimalField,
    DurationField,
    Field,
    FloatField,
    IntegerField,
    JSONField,
    TextField,
    TimeField,
    UUIDField,
)
from transom.db.sql.column_type import ColumnType
from transom.db.timezone import zone_value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from transom.db.models.fields.base import Converter
    from transom.db.sql.column_type import ColumnKind
    from transom.db.sql.metadata import Vendor
    from transom.validators import Validator

_MAX_OUTPUTS: Final = 1000  # fields come from source code, so there are few; see `lookups.py`


class _ComputedDecimalField(DecimalField[Decimal]):
    """Decimals of as many digits as there are."""

    def __init__(self) -> None:
        super().__init__(max_digits=1000, decimal_places=0)

    def column_type(self) -> ColumnType:
        """Return the decimal type without sizes."""
        return ColumnType("decimal")

    def size_validators(self) -> Iterable[Validator]:
        """Return none."""
        return ()

    def decoder(self, vendor: Vendor) -> Converter | None:
        """Return Decimal where the driver gives a float, of the digits that a float has for certain."""
        return _to_decimal if vendor == "sqlite" else None


class _ScalarField(JSONField):
    """The numbers and texts in documents, which are compared by their order."""

    def encoder(self, vendor: Vendor) -> Converter:
        """Return a function that takes what has an order: JSON on PostgreSQL, the number or text itself on SQLite."""
        encode_json = super().encoder(vendor)

        def encode(value: object) -> object:
            if not isinstance(value, str | int | float):
                raise self.wrong_type(value, "a number or a text")
            return encode_json(value) if vendor == "postgresql" else value

        return encode


class _ZonedDateTimeField(DateTimeField[datetime]):
    """Points in time that come back in a zone."""

    def __init__(self, zone: tzinfo) -> None:
        super().__init__()
        self.zone = zone

    def decoder(self, vendor: Vendor) -> Converter:
        """Return a function that moves a point in time to the zone."""
        decode = super().decoder(vendor)
        zone = self.zone
        if decode is None:
            return lambda value: value.astimezone(zone)
        return lambda value: decode(value).astimezone(zone)


SCALAR: Final = _ScalarField()
"""What parts of documents are compared with by their order."""


class _BareField(Field[Any]):
    """Values in SQL of one's own, whose fields nobody knows: each is encoded by what it is."""

    def column_type(self) -> ColumnType:
        """Return the type of text, for want of another."""
        return ColumnType("text")

    def encoder(self, vendor: Vendor) -> Converter:
        """Return a function that takes None and values of the types of all fields.

        A list is an array on PostgreSQL, and JSON on the others.
        """

        def encode(value: object) -> object:
            if value is None:
                return None
            if isinstance(value, list | tuple):
                members = list(cast("Iterable[object]", value))
                return (
                    list(map(encode, members))
                    if vendor == "postgresql"
                    else _FIELDS["json"].encoder(vendor)(members)
                )
            return field_of(value).encoder(vendor)(value)

        return encode


BARE: Final = _BareField()
"""What makes arguments of the values beside SQL of one's own."""


def _to_decimal(value: object) -> Decimal:
    return Decimal(format(value, ".15g") if isinstance(value, float) else str(value))


_FIELDS: Final[dict[ColumnKind, Field[Any]]] = {  # Any: fields of all types
    "bigint": BigIntegerField(),
    "binary": BinaryField(),
    "boolean": BooleanField(),
    "date": DateField(),
    "datetime": DateTimeField(),
    "duration": DurationField(),
    "decimal": _ComputedDecimalField(),
    "float": FloatField(),
    "integer": IntegerField(),
    "json": JSONField(),
    "text": TextField(),
    "time": TimeField(),
    "uuid": UUIDField(),
}

_KINDS: Final[tuple[tuple[type, ColumnKind], ...]] = (
    (bool, "boolean"),  # before int, which it is too
    (float, "float"),
    (Decimal, "decimal"),
    (str, "text"),
    (datetime, "datetime"),  # before date, which it is too
    (date, "date"),
    (time, "time"),
    (timedelta, "duration"),
    (bytes, "binary"),
    (UUID, "uuid"),
    (dict, "json"),
    (list, "json"),
)

_zoned: dict[tzinfo, Field[Any]] = {}
_told: dict[str, Field[Any]] = {}


def computed_field(kind: ColumnKind) -> Field[Any]:
    """Return the field of computed values of this kind."""
    return _FIELDS[kind]


def zoned_field(zone: tzinfo) -> Field[Any]:
    """Return the field of computed points in time that come back in a zone."""
    if zone_value(zone) is None:
        return _FIELDS["datetime"]
    if len(_zoned) >= _MAX_OUTPUTS:
        _zoned.clear()
    return _zoned.get(zone) or _zoned.setdefault(zone, _ZonedDateTimeField(zone))


def told_field(field: object) -> Field[Any]:
    """Return the field that stands for all that are made as this one is: shapes hold it, and are compared.

    Raises:
        FieldError: it is no field.
    """
    if not isinstance(field, Field):
        raise FieldError(f"output_field takes a field such as models.IntegerField(), not {field!r}")
    known = cast("Field[Any]", field)
    key = repr(known.deconstruct()[1:])
    if len(_told) >= _MAX_OUTPUTS:
        _told.clear()
    return _told.setdefault(key, known)


def field_of(value: object) -> Field[Any]:
    """Return the field that makes an argument of a plain value.

    Raises:
        FieldError: no field holds values of this type, or the number is too large for any.
    """
    if type(value) is int:
        if not -(1 << 63) <= value < 1 << 63:
            raise FieldError(f"{value!r} has more than the 64 bits that databases compute with")
        return _FIELDS["integer" if -(1 << 31) <= value < 1 << 31 else "bigint"]
    for python_type, kind in _KINDS:
        if isinstance(value, python_type):
            return _FIELDS[kind]
    if isinstance(value, int):  # an IntEnum
        return _FIELDS["bigint"]
    raise FieldError(
        f"{value!r} ({type(value).__name__}) cannot stand in an expression; "
        "give its field: Value(…, output_field=…)"
    )
