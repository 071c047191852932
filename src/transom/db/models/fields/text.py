"""Text, with and without a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from transom.db.exceptions import DataError
from transom.db.models.expressions import TextColumn
from transom.db.models.fields.base import Field, FieldOptions
from transom.db.sql.column_type import ColumnType

if TYPE_CHECKING:
    from typing import Unpack

    from transom.db.models.fields.base import Converter
    from transom.db.sql.metadata import Vendor

T = TypeVar("T")


class BaseTextField(Field[T]):
    """What all fields of text share."""

    column_class = TextColumn

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type[Any]) -> TextColumn[T]: ...
        @overload
        def __get__(self, instance: object, owner: type[Any]) -> T: ...
        def __get__(self, instance: object | None, owner: type[Any]) -> Any: ...

    def encoder(self, vendor: Vendor) -> Converter:
        """Return a function that takes a str without NUL, which PostgreSQL cannot hold."""

        def encode(value: object) -> str:
            if not isinstance(value, str):
                raise self.wrong_type(value, "a str")
            if "\0" in value:
                raise DataError(f"{self.label} cannot hold a NUL character: {value!r}")
            return value

        return encode


class TextField(BaseTextField[T]):
    """Text of any length."""

    @overload
    def __init__(
        self: TextField[str],
        verbose_name: str | None = None,
        *,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions[str]],
    ) -> None: ...
    @overload
    def __init__(
        self: TextField[str | None],
        verbose_name: str | None = None,
        *,
        null: Literal[True],
        **options: Unpack[FieldOptions[str | None]],
    ) -> None: ...
    def __init__(
        self, verbose_name: str | None = None, *, null: bool = False, **options: Unpack[FieldOptions[Any]]
    ) -> None:
        super().__init__(verbose_name, null=null, **options)

    def column_type(self) -> ColumnType:
        """Return the type of text without a limit."""
        return ColumnType("text")


class CharField(BaseTextField[T]):
    """Text of at most `max_length` characters."""

    @overload
    def __init__(
        self: CharField[str],
        verbose_name: str | None = None,
        *,
        max_length: int,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions[str]],
    ) -> None: ...
    @overload
    def __init__(
        self: CharField[str | None],
        verbose_name: str | None = None,
        *,
        max_length: int,
        null: Literal[True],
        **options: Unpack[FieldOptions[str | None]],
    ) -> None: ...
    def __init__(
        self,
        verbose_name: str | None = None,
        *,
        max_length: int,
        null: bool = False,
        **options: Unpack[FieldOptions[Any]],
    ) -> None:
        super().__init__(verbose_name, null=null, **options)
        if max_length < 1:
            raise TypeError(f"max_length={max_length!r} must be at least 1")
        self.max_length = max_length

    def column_type(self) -> ColumnType:
        """Return the type of text with this limit."""
        return ColumnType("varchar", length=self.max_length)

    def writer(self, vendor: Vendor) -> Converter:
        """Return a function that takes a str that fits: SQLite would store any length."""
        encode, limit = self.encoder(vendor), self.max_length

        def write(value: object) -> str:
            text: str = encode(value)
            if len(text) > limit:
                raise DataError(
                    f"{self.label} takes at most {limit} characters, not {len(text)}: {text[:40]!r}…"
                )
            return text

        return write

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """Add the limit."""
        name, path, arguments, keywords = super().deconstruct()
        return name, path, arguments, {**keywords, "max_length": self.max_length}
