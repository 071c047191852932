"""Numbers with fractions: floating and decimal."""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from transom.db.exceptions import DataError
from transom.db.models.expressions.functions.numbers import Abs, Ceil, Floor, Round, Sqrt
from transom.db.models.expressions.registration import by_name
from transom.db.models.fields.base import Field, FieldOptions
from transom.db.sql.column_type import ColumnType
from transom.validators import DecimalValidator

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Unpack

    from transom.db.models.fields.base import Converter
    from transom.db.sql.metadata import Vendor
    from transom.validators import Validator

T = TypeVar("T")

# Where an option's type is Any, the overloads above the implementation say it.


class FloatField(Field[T]):
    """A floating-point number of 64 bits; for money take DecimalField."""

    class_lookups = by_name(Abs, Ceil, Floor, Round, Sqrt)
    default_messages = {"invalid": "Enter a number."}

    @overload
    def __init__(
        self: FloatField[float],
        verbose_name: str | None = None,
        *,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions[float]],
    ) -> None: ...
    @overload
    def __init__(
        self: FloatField[float | None],
        verbose_name: str | None = None,
        *,
        null: Literal[True],
        **options: Unpack[FieldOptions[float | None]],
    ) -> None: ...
    def __init__(
        self, verbose_name: str | None = None, *, null: bool = False, **options: Unpack[FieldOptions[Any]]
    ) -> None:
        super().__init__(verbose_name, null=null, **options)

    def column_type(self) -> ColumnType:
        """Return the double precision type."""
        return ColumnType("float")

    def encoder(self, vendor: Vendor) -> Converter:
        """Return a function that takes a float or an int."""

        def encode(value: object) -> float:
            if isinstance(value, float | int) and not isinstance(value, bool):
                number = float(value)
                if vendor == "sqlite" and math.isnan(number):  # SQLite would store NULL
                    raise DataError(f"{self.label} cannot hold NaN in SQLite")
                if vendor == "mysql" and not math.isfinite(number):
                    raise DataError(f"{self.label} cannot hold {number!r} in MariaDB")
                return number
            raise self.wrong_type(value, "a float")

        return encode

    def to_python(self, value: Any) -> Any:
        """Return the number, of text too."""
        try:
            return None if value is None else float(value)
        except (TypeError, ValueError, OverflowError):
            raise self.error("invalid") from None


class DecimalField(Field[T]):
    """An exact decimal number of `max_digits` digits, `decimal_places` of them after the point.

    SQLite has no such type: the number is stored as text and exact there too, but compared and computed with as a
    float.
    """

    class_lookups = by_name(Abs, Ceil, Floor, Round, Sqrt)
    default_messages = {"invalid": "Enter a number."}

    @overload
    def __init__(
        self: DecimalField[Decimal],
        verbose_name: str | None = None,
        *,
        max_digits: int,
        decimal_places: int,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions[Decimal]],
    ) -> None: ...
    @overload
    def __init__(
        self: DecimalField[Decimal | None],
        verbose_name: str | None = None,
        *,
        max_digits: int,
        decimal_places: int,
        null: Literal[True],
        **options: Unpack[FieldOptions[Decimal | None]],
    ) -> None: ...
    def __init__(
        self,
        verbose_name: str | None = None,
        *,
        max_digits: int,
        decimal_places: int,
        null: bool = False,
        **options: Unpack[FieldOptions[Any]],
    ) -> None:
        super().__init__(verbose_name, null=null, **options)
        if not 0 <= decimal_places <= max_digits:
            raise TypeError(f"decimal_places={decimal_places!r} must be from 0 to max_digits={max_digits!r}")
        self.max_digits = max_digits
        self.decimal_places = decimal_places

    def column_type(self) -> ColumnType:
        """Return the decimal type with its sizes."""
        return ColumnType("decimal", precision=self.max_digits, scale=self.decimal_places)

    def encoder(self, vendor: Vendor) -> Converter:
        """Return a function that takes a finite Decimal or an int."""
        as_text = vendor == "sqlite"

        def encode(value: object) -> Decimal | str:
            number = self._number(value)
            return format(number, "f") if as_text else number

        return encode

    def writer(self, vendor: Vendor) -> Converter:
        """Return a function that rounds to the places of the field and refuses what has too many digits."""
        as_text = vendor == "sqlite"
        step = Decimal(1).scaleb(-self.decimal_places)
        limit = Decimal(1).scaleb(self.max_digits - self.decimal_places)

        def write(value: object) -> Decimal | str:
            number = self._number(value)
            try:
                rounded = number.quantize(step)
            except InvalidOperation:
                rounded = limit
            if abs(rounded) >= limit:
                raise DataError(
                    f"{self.label} takes {self.max_digits} digits, {self.decimal_places} of them after the point; "
                    f"{number!r} has more"
                )
            return format(rounded, "f") if as_text else rounded

        return write

    def decoder(self, vendor: Vendor) -> Converter | None:
        """Return Decimal where the driver gives text."""
        if vendor != "sqlite":
            return None
        step = Decimal(1).scaleb(-self.decimal_places)
        # str: a value that the database computed is a float
        return lambda value: Decimal(str(value)).quantize(step)

    def _number(self, value: object) -> Decimal:
        if isinstance(value, int) and not isinstance(value, bool):
            value = Decimal(value)
        if not isinstance(value, Decimal):
            raise self.wrong_type(value, "a Decimal")
        if not value.is_finite():
            raise DataError(f"{self.label} takes finite numbers, not {value!r}")
        return value

    def size_validators(self) -> Iterable[Validator]:
        """Return the check of the sizes."""
        return (DecimalValidator(self.max_digits, self.decimal_places),)

    def to_python(self, value: Any) -> Any:
        """Return the number, of text, int and float too; a float as its shortest text."""
        if value is None or isinstance(value, Decimal):
            return value
        try:
            return Decimal(repr(value) if isinstance(value, float) else value)
        except (TypeError, ValueError, InvalidOperation):
            raise self.error("invalid") from None

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """Add the sizes."""
        name, path, arguments, keywords = super().deconstruct()
        keywords.update(max_digits=self.max_digits, decimal_places=self.decimal_places)
        return name, path, arguments, keywords
