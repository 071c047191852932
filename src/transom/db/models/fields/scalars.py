"""Truth values, UUIDs and JSON documents."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload
from uuid import UUID, SafeUUID

from transom.db.models.expressions import JSONColumn, KeyTransform
from transom.db.models.fields.base import Field, FieldOptions
from transom.db.sql.column_type import ColumnType

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Unpack

    from transom.db.models.expressions import Expression
    from transom.db.models.fields.base import Converter
    from transom.db.sql.metadata import Vendor

T = TypeVar("T")


class BooleanField(Field[T]):
    """True or False."""

    @overload
    def __init__(
        self: BooleanField[bool],
        verbose_name: str | None = None,
        *,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions[bool]],
    ) -> None: ...
    @overload
    def __init__(
        self: BooleanField[bool | None],
        verbose_name: str | None = None,
        *,
        null: Literal[True],
        **options: Unpack[FieldOptions[bool | None]],
    ) -> None: ...
    def __init__(
        self, verbose_name: str | None = None, *, null: bool = False, **options: Unpack[FieldOptions[Any]]
    ) -> None:
        super().__init__(verbose_name, null=null, **options)

    def column_type(self) -> ColumnType:
        """Return the boolean type."""
        return ColumnType("boolean")

    def encoder(self, vendor: Vendor) -> Converter:
        """Return a function that takes a bool; SQLite and MySQL hold 0 and 1."""
        as_number = vendor != "postgresql"

        def encode(value: object) -> bool | int:
            if not isinstance(value, bool):
                raise self.wrong_type(value, "a bool")
            return int(value) if as_number else value

        return encode

    def decoder(self, vendor: Vendor) -> Converter | None:
        """Return bool where the driver gives 0 and 1."""
        return bool if vendor != "postgresql" else None

    def to_python(self, value: Any) -> Any:
        """Return the truth value, of 0 and 1 and their words too."""
        if value is None or isinstance(value, bool):
            return value
        key = value.lower() if isinstance(value, str) else value
        if isinstance(key, int | str) and key in _TRUTH:
            return _TRUTH[key]
        raise self.error("invalid")


_TRUTH: dict[object, bool] = {
    1: True,
    "1": True,
    "t": True,
    "true": True,
    0: False,
    "0": False,
    "f": False,
    "false": False,
}


class UUIDField(Field[T]):
    """A universally unique identifier."""

    @overload
    def __init__(
        self: UUIDField[UUID],
        verbose_name: str | None = None,
        *,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions[UUID]],
    ) -> None: ...
    @overload
    def __init__(
        self: UUIDField[UUID | None],
        verbose_name: str | None = None,
        *,
        null: Literal[True],
        **options: Unpack[FieldOptions[UUID | None]],
    ) -> None: ...
    def __init__(
        self, verbose_name: str | None = None, *, null: bool = False, **options: Unpack[FieldOptions[Any]]
    ) -> None:
        super().__init__(verbose_name, null=null, **options)

    def column_type(self) -> ColumnType:
        """Return the UUID type."""
        return ColumnType("uuid")

    def encoder(self, vendor: Vendor) -> Converter:
        """Return a function that takes a UUID; SQLite holds its 32 hexadecimal digits."""
        as_text = vendor != "postgresql"

        def encode(value: object) -> UUID | str:
            if not isinstance(value, UUID):
                raise self.wrong_type(value, "a uuid.UUID")
            return value.hex if as_text else value

        return encode

    def decoder(self, vendor: Vendor) -> Converter | None:
        """Return the parser where the driver gives text."""
        return _parse_uuid if vendor != "postgresql" else None

    def to_python(self, value: Any) -> Any:
        """Return the identifier, of its text too."""
        if value is None or isinstance(value, UUID):
            return value
        try:
            return UUID(value)
        except (AttributeError, TypeError, ValueError):
            raise self.error("invalid") from None


def _parse_uuid(text: str) -> UUID:
    """Return the UUID of its hexadecimal digits, in half the time of the class, which takes many other spellings too."""
    if len(text) != 32:
        return UUID(text)
    made = UUID.__new__(UUID)
    object.__setattr__(made, "int", int(text, 16))
    object.__setattr__(made, "is_safe", SafeUUID.unknown)
    return made


class JSONField(Field[Any]):
    """A JSON document: dict, list, str, int, float, bool. None stands for NULL, not for JSON's null.

    Any: the shape of a document is the application's own.
    """

    column_class = JSONColumn

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type[Any]) -> JSONColumn: ...
        @overload
        def __get__(self, instance: object, owner: type[Any]) -> Any: ...
        def __get__(self, instance: object | None, owner: type[Any]) -> Any: ...

    def get_transform(self, lookup_name: str) -> Callable[[Expression], Expression]:
        """Return what is registered under a name; every other name is that of a key, or of a place in an array."""
        return super().get_transform(lookup_name) or functools.partial(KeyTransform, lookup_name)

    def column_type(self) -> ColumnType:
        """Return the JSON type: jsonb on PostgreSQL, text on the others."""
        return ColumnType("json")

    def encoder(self, vendor: Vendor) -> Converter:
        """Return a function that writes the document as JSON text."""

        def encode(value: object) -> str:
            try:
                return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
            except (TypeError, ValueError) as exc:
                raise self.wrong_type(value, f"what JSON can say ({exc})") from exc

        return encode

    def decoder(self, vendor: Vendor) -> Converter | None:
        """Return the JSON parser."""
        return json.loads

    def validate(self, value: Any, instance: Any) -> None:
        """Check that JSON can say it."""
        super().validate(value, instance)
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError):
            raise self.error("invalid") from None
