"""Numbers: whole, floating and decimal."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, TypeVar, overload

import pydantic

from transom.forms.fields.base import Field
from transom.forms.widgets import NumberInput

if TYPE_CHECKING:
    from typing import Unpack

    from transom.forms.fields.base import FieldOptions
    from transom.forms.widgets import AttributeValue

T = TypeVar("T")
Limit = TypeVar("Limit", int, float, Decimal)

# A constructor tells its own class's type only, so each of these repeats it.


class BaseNumberField(Field[T], Generic[T, Limit]):
    """What all fields of numbers share."""

    default_widget = NumberInput
    step: str | int = "any"
    min_value: Limit | None
    max_value: Limit | None

    def html_attributes(self) -> dict[str, AttributeValue]:
        """Add the limits and the step."""
        limits = {"min": self.min_value, "max": self.max_value, "step": self.step}
        return super().html_attributes() | {
            name: str(value) for name, value in limits.items() if value is not None
        }


class IntegerField(BaseNumberField[T, int]):
    """A whole number; None if left empty.

    Args:
        min_value: the least.
        max_value: the greatest.
        required: see `Field`.
        options: see `Field`.
    """

    default_messages = {"invalid": "Enter a whole number."}
    step = 1

    @overload
    def __init__(
        self: IntegerField[int],
        *,
        min_value: int | None = None,
        max_value: int | None = None,
        required: Literal[True] = True,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: IntegerField[int | None],
        *,
        min_value: int | None = None,
        max_value: int | None = None,
        required: bool,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    def __init__(
        self,
        *,
        min_value: int | None = None,
        max_value: int | None = None,
        required: bool = True,
        **options: Unpack[FieldOptions],
    ) -> None:
        super().__init__(required=required, **options)
        self.min_value = min_value
        self.max_value = max_value

    def annotation(self) -> Any:
        """Return int with its limits."""
        return Annotated[int, pydantic.Field(ge=self.min_value, le=self.max_value)]


class FloatField(BaseNumberField[T, float]):
    """A floating-point number, never infinite or NaN; None if left empty.

    Args:
        min_value: the least.
        max_value: the greatest.
        required: see `Field`.
        options: see `Field`.
    """

    default_messages = {"invalid": "Enter a number."}

    @overload
    def __init__(
        self: FloatField[float],
        *,
        min_value: float | None = None,
        max_value: float | None = None,
        required: Literal[True] = True,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: FloatField[float | None],
        *,
        min_value: float | None = None,
        max_value: float | None = None,
        required: bool,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    def __init__(
        self,
        *,
        min_value: float | None = None,
        max_value: float | None = None,
        required: bool = True,
        **options: Unpack[FieldOptions],
    ) -> None:
        super().__init__(required=required, **options)
        self.min_value = min_value
        self.max_value = max_value

    def annotation(self) -> Any:
        """Return float with its limits."""
        return Annotated[float, pydantic.Field(ge=self.min_value, le=self.max_value, allow_inf_nan=False)]


class DecimalField(BaseNumberField[T, Decimal]):
    """An exact decimal number; None if left empty.

    Args:
        max_digits: of them all.
        decimal_places: digits after the point at most.
        min_value: the least.
        max_value: the greatest.
        required: see `Field`.
        options: see `Field`.
    """

    default_messages = {"invalid": "Enter a number."}

    @overload
    def __init__(
        self: DecimalField[Decimal],
        *,
        max_digits: int | None = None,
        decimal_places: int | None = None,
        min_value: Decimal | None = None,
        max_value: Decimal | None = None,
        required: Literal[True] = True,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: DecimalField[Decimal | None],
        *,
        max_digits: int | None = None,
        decimal_places: int | None = None,
        min_value: Decimal | None = None,
        max_value: Decimal | None = None,
        required: bool,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    def __init__(
        self,
        *,
        max_digits: int | None = None,
        decimal_places: int | None = None,
        min_value: Decimal | None = None,
        max_value: Decimal | None = None,
        required: bool = True,
        **options: Unpack[FieldOptions],
    ) -> None:
        super().__init__(required=required, **options)
        self.max_digits = max_digits
        self.decimal_places = decimal_places
        self.min_value = min_value
        self.max_value = max_value
        if decimal_places is not None:
            self.step = format(Decimal(1).scaleb(-decimal_places), "f")

    def annotation(self) -> Any:
        """Return Decimal with its limits."""
        return Annotated[
            Decimal,
            pydantic.Field(
                ge=self.min_value,
                le=self.max_value,
                max_digits=self.max_digits,
                decimal_places=self.decimal_places,
            ),
        ]

    def prepare_value(self, value: Any) -> object:
        """Return the number without an exponent, which browsers would not show."""
        return format(value, "f") if isinstance(value, Decimal) else value
