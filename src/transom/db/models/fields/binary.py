"""Bytes."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast, overload

from transom.db.exceptions import DataError
from transom.db.models.fields.base import Field, FieldOptions
from transom.db.sql.column_type import ColumnType
from transom.validators import MaxLengthValidator

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Unpack

    from transom.db.models.fields.base import Converter
    from transom.db.sql.metadata import Vendor
    from transom.validators import Validator

T = TypeVar("T")


class BinaryField(Field[T]):
    """Bytes. They can be compared for being equal, and looked into by nobody.

    Args:
        verbose_name: see `Field`.
        max_length: most bytes; None for any number.
        null: see `Field`.
        options: see `Field`; `editable` is False unless said otherwise.
    """

    empty_values = (None, b"")
    sql_defaults = {**Field.sql_defaults, "editable": False}

    @overload
    def __init__(
        self: BinaryField[bytes],
        verbose_name: str | None = None,
        *,
        max_length: int | None = None,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions[bytes]],
    ) -> None: ...
    @overload
    def __init__(
        self: BinaryField[bytes | None],
        verbose_name: str | None = None,
        *,
        max_length: int | None = None,
        null: Literal[True],
        **options: Unpack[FieldOptions[bytes | None]],
    ) -> None: ...
    def __init__(
        self,
        verbose_name: str | None = None,
        *,
        max_length: int | None = None,
        null: bool = False,
        **options: Unpack[FieldOptions[Any]],
    ) -> None:
        super().__init__(verbose_name, null=null, **options)
        self.editable = options.get("editable", False)
        self.max_length = max_length

    def column_type(self) -> ColumnType:
        """Return the type of bytes."""
        return ColumnType("binary")

    def size_validators(self) -> Iterable[Validator]:
        """Return the check of the limit, if there is one."""
        sentence = "Use at most {limit} bytes; these are {length}."
        return () if self.max_length is None else (MaxLengthValidator(self.max_length, sentence),)

    def encoder(self, vendor: Vendor) -> Converter:
        """Return a function that takes bytes, bytearray and memoryview."""

        def encode(value: object) -> bytes:
            if not isinstance(value, bytes | bytearray | memoryview):
                raise self.wrong_type(value, "bytes")
            return bytes(cast("bytes", value))

        return encode

    def writer(self, vendor: Vendor) -> Converter:
        """Return a function that takes bytes that fit."""
        encode, limit = self.encoder(vendor), self.max_length

        def write(value: object) -> bytes:
            found: bytes = encode(value)
            if limit is not None and len(found) > limit:
                raise DataError(f"{self.label} takes at most {limit} bytes, not {len(found)}")
            return found

        return write

    def to_python(self, value: Any) -> Any:
        """Return the bytes, of base64 text too."""
        try:
            if isinstance(value, str):
                return base64.b64decode(value, validate=True)
            return None if value is None else bytes(memoryview(value))
        except (TypeError, ValueError):
            raise self.error("invalid") from None

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """Add the limit."""
        name, path, arguments, keywords = super().deconstruct()
        return (
            name,
            path,
            arguments,
            keywords if self.max_length is None else {**keywords, "max_length": self.max_length},
        )
