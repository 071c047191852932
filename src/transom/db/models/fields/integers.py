"""Whole numbers: of three sizes, positive ones, and keys that count up."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar, overload

from transom.db.exceptions import DataError
from transom.db.models.expressions import Q
from transom.db.models.expressions.functions.numbers import Abs, Ceil, Floor, Round, Sqrt
from transom.db.models.expressions.registration import by_name
from transom.db.models.fields.base import AnyFieldOptions, BaseFieldOptions, Field, FieldOptions
from transom.db.sql.column_type import ColumnKind, ColumnType
from transom.validators import MaxValueValidator, MinValueValidator

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Unpack

    from transom.db.models.fields.base import Converter
    from transom.db.sql.metadata import Vendor
    from transom.validators import Validator

T = TypeVar("T")
E = TypeVar("E", bound=Enum)

# Where an option's type is Any, the overloads above the implementation say it.


class BaseIntegerField(Field[T]):
    """What all fields of whole numbers share."""

    class_lookups = by_name(Abs, Ceil, Floor, Round, Sqrt)
    kind: ClassVar[ColumnKind]
    bits: ClassVar[int]
    is_positive: ClassVar[bool] = False
    default_messages = {"invalid": "Enter a whole number."}

    @property
    def min_value(self) -> int:
        """The least number that fits."""
        return 0 if self.is_positive else -(1 << (self.bits - 1))

    @property
    def max_value(self) -> int:
        """The greatest number that fits."""
        return (1 << (self.bits - 1)) - 1

    def column_type(self) -> ColumnType:
        """Return the integer type of this size."""
        return ColumnType(self.kind)

    def db_check(self) -> Q | None:
        """Return the condition of positive numbers."""
        return Q(**{f"{self.name}__gte": 0}) if self.is_positive else None

    def size_validators(self) -> Iterable[Validator]:
        """Return the checks of both ends."""
        return (MinValueValidator(self.min_value), MaxValueValidator(self.max_value))

    def encoder(self, vendor: Vendor) -> Converter:
        """Return a function that takes an int."""

        def encode(value: object) -> int:
            if type(value) is int:
                return value
            if isinstance(value, int):  # bool, and members of enums
                return int(value)
            raise self.wrong_type(value, "an int")

        return encode

    def writer(self, vendor: Vendor) -> Converter:
        """Return a function that takes an int that fits: SQLite would store any, PostgreSQL refuse it later."""
        encode, least, greatest = self.encoder(vendor), self.min_value, self.max_value

        def write(value: object) -> int:
            number: int = encode(value)
            if least <= number <= greatest:
                return number
            raise DataError(f"{self.label} takes whole numbers from {least} to {greatest}, not {number!r}")

        return write

    def decoder(self, vendor: Vendor) -> Converter | None:
        """Return the function that makes members of the enum, if there is one."""
        return self.member_decoder()

    def to_python(self, value: Any) -> Any:
        """Return the number, of text too; a member of the enum where that is what may be chosen."""
        if value is None:
            return None
        try:
            number = int(value)
        except (TypeError, ValueError, OverflowError):
            raise self.error("invalid") from None
        if not isinstance(value, int | str) and number != value:
            raise self.error("invalid")
        member = self.member_decoder()
        return number if member is None else member(number)


# A constructor tells its own class's type only, so each of these repeats it.


class IntegerField(BaseIntegerField[T]):
    """A whole number of 32 bits."""

    kind = "integer"
    bits = 32

    @overload
    def __init__(
        self: IntegerField[E],
        verbose_name: str | None = None,
        *,
        choices: type[E],
        null: Literal[False] = False,
        **options: Unpack[BaseFieldOptions[E]],
    ) -> None: ...
    @overload
    def __init__(
        self: IntegerField[E | None],
        verbose_name: str | None = None,
        *,
        choices: type[E],
        null: Literal[True],
        **options: Unpack[BaseFieldOptions[E | None]],
    ) -> None: ...
    @overload
    def __init__(
        self: IntegerField[int],
        verbose_name: str | None = None,
        *,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions[int]],
    ) -> None: ...
    @overload
    def __init__(
        self: IntegerField[int | None],
        verbose_name: str | None = None,
        *,
        null: Literal[True],
        **options: Unpack[FieldOptions[int | None]],
    ) -> None: ...
    def __init__(
        self, verbose_name: str | None = None, *, null: bool = False, **options: Unpack[AnyFieldOptions]
    ) -> None:
        super().__init__(verbose_name, null=null, **options)


class BigIntegerField(BaseIntegerField[T]):
    """A whole number of 64 bits."""

    kind = "bigint"
    bits = 64

    @overload
    def __init__(
        self: BigIntegerField[E],
        verbose_name: str | None = None,
        *,
        choices: type[E],
        null: Literal[False] = False,
        **options: Unpack[BaseFieldOptions[E]],
    ) -> None: ...
    @overload
    def __init__(
        self: BigIntegerField[E | None],
        verbose_name: str | None = None,
        *,
        choices: type[E],
        null: Literal[True],
        **options: Unpack[BaseFieldOptions[E | None]],
    ) -> None: ...
    @overload
    def __init__(
        self: BigIntegerField[int],
        verbose_name: str | None = None,
        *,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions[int]],
    ) -> None: ...
    @overload
    def __init__(
        self: BigIntegerField[int | None],
        verbose_name: str | None = None,
        *,
        null: Literal[True],
        **options: Unpack[FieldOptions[int | None]],
    ) -> None: ...
    def __init__(
        self, verbose_name: str | None = None, *, null: bool = False, **options: Unpack[AnyFieldOptions]
    ) -> None:
        super().__init__(verbose_name, null=null, **options)


class SmallIntegerField(BaseIntegerField[T]):
    """A whole number of 16 bits."""

    kind = "smallint"
    bits = 16

    @overload
    def __init__(
        self: SmallIntegerField[E],
        verbose_name: str | None = None,
        *,
        choices: type[E],
        null: Literal[False] = False,
        **options: Unpack[BaseFieldOptions[E]],
    ) -> None: ...
    @overload
    def __init__(
        self: SmallIntegerField[E | None],
        verbose_name: str | None = None,
        *,
        choices: type[E],
        null: Literal[True],
        **options: Unpack[BaseFieldOptions[E | None]],
    ) -> None: ...
    @overload
    def __init__(
        self: SmallIntegerField[int],
        verbose_name: str | None = None,
        *,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions[int]],
    ) -> None: ...
    @overload
    def __init__(
        self: SmallIntegerField[int | None],
        verbose_name: str | None = None,
        *,
        null: Literal[True],
        **options: Unpack[FieldOptions[int | None]],
    ) -> None: ...
    def __init__(
        self, verbose_name: str | None = None, *, null: bool = False, **options: Unpack[AnyFieldOptions]
    ) -> None:
        super().__init__(verbose_name, null=null, **options)


class PositiveIntegerField(BaseIntegerField[T]):
    """A whole number from 0 to 2147483647; the database refuses others."""

    kind = "integer"
    bits = 32
    is_positive = True

    @overload
    def __init__(
        self: PositiveIntegerField[E],
        verbose_name: str | None = None,
        *,
        choices: type[E],
        null: Literal[False] = False,
        **options: Unpack[BaseFieldOptions[E]],
    ) -> None: ...
    @overload
    def __init__(
        self: PositiveIntegerField[E | None],
        verbose_name: str | None = None,
        *,
        choices: type[E],
        null: Literal[True],
        **options: Unpack[BaseFieldOptions[E | None]],
    ) -> None: ...
    @overload
    def __init__(
        self: PositiveIntegerField[int],
        verbose_name: str | None = None,
        *,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions[int]],
    ) -> None: ...
    @overload
    def __init__(
        self: PositiveIntegerField[int | None],
        verbose_name: str | None = None,
        *,
        null: Literal[True],
        **options: Unpack[FieldOptions[int | None]],
    ) -> None: ...
    def __init__(
        self, verbose_name: str | None = None, *, null: bool = False, **options: Unpack[AnyFieldOptions]
    ) -> None:
        super().__init__(verbose_name, null=null, **options)


class PositiveBigIntegerField(BaseIntegerField[T]):
    """A whole number from 0 to 9223372036854775807; the database refuses others."""

    kind = "bigint"
    bits = 64
    is_positive = True

    @overload
    def __init__(
        self: PositiveBigIntegerField[E],
        verbose_name: str | None = None,
        *,
        choices: type[E],
        null: Literal[False] = False,
        **options: Unpack[BaseFieldOptions[E]],
    ) -> None: ...
    @overload
    def __init__(
        self: PositiveBigIntegerField[E | None],
        verbose_name: str | None = None,
        *,
        choices: type[E],
        null: Literal[True],
        **options: Unpack[BaseFieldOptions[E | None]],
    ) -> None: ...
    @overload
    def __init__(
        self: PositiveBigIntegerField[int],
        verbose_name: str | None = None,
        *,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions[int]],
    ) -> None: ...
    @overload
    def __init__(
        self: PositiveBigIntegerField[int | None],
        verbose_name: str | None = None,
        *,
        null: Literal[True],
        **options: Unpack[FieldOptions[int | None]],
    ) -> None: ...
    def __init__(
        self, verbose_name: str | None = None, *, null: bool = False, **options: Unpack[AnyFieldOptions]
    ) -> None:
        super().__init__(verbose_name, null=null, **options)


class PositiveSmallIntegerField(BaseIntegerField[T]):
    """A whole number from 0 to 32767; the database refuses others."""

    kind = "smallint"
    bits = 16
    is_positive = True

    @overload
    def __init__(
        self: PositiveSmallIntegerField[E],
        verbose_name: str | None = None,
        *,
        choices: type[E],
        null: Literal[False] = False,
        **options: Unpack[BaseFieldOptions[E]],
    ) -> None: ...
    @overload
    def __init__(
        self: PositiveSmallIntegerField[E | None],
        verbose_name: str | None = None,
        *,
        choices: type[E],
        null: Literal[True],
        **options: Unpack[BaseFieldOptions[E | None]],
    ) -> None: ...
    @overload
    def __init__(
        self: PositiveSmallIntegerField[int],
        verbose_name: str | None = None,
        *,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions[int]],
    ) -> None: ...
    @overload
    def __init__(
        self: PositiveSmallIntegerField[int | None],
        verbose_name: str | None = None,
        *,
        null: Literal[True],
        **options: Unpack[FieldOptions[int | None]],
    ) -> None: ...
    def __init__(
        self, verbose_name: str | None = None, *, null: bool = False, **options: Unpack[AnyFieldOptions]
    ) -> None:
        super().__init__(verbose_name, null=null, **options)


class SmallAutoField(BaseIntegerField[int]):
    """A primary key of 16 bits that the database counts up."""

    kind = "smallauto"
    bits = 16


class AutoField(BaseIntegerField[int]):
    """A primary key of 32 bits that the database counts up."""

    kind = "auto"
    bits = 32


class BigAutoField(BaseIntegerField[int]):
    """A primary key of 64 bits that the database counts up; what a model gets that declares no key."""

    kind = "bigauto"
    bits = 64
