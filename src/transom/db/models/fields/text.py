"""Text: with and without a limit, and what is text of a certain form."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from transom.db.exceptions import DataError
from transom.db.models.expressions import TextColumn
from transom.db.models.expressions.functions.text import Length, Lower, LTrim, RTrim, Trim, Upper
from transom.db.models.expressions.registration import by_name
from transom.db.models.fields.base import AnyFieldOptions, BaseFieldOptions, Field, FieldOptions
from transom.db.sql.column_type import ColumnType
from transom.validators import (
    MaxLengthValidator,
    ProhibitNullCharactersValidator,
    URLValidator,
    validate_email,
    validate_slug,
    validate_unicode_slug,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Unpack

    from transom.db.models.fields.base import Converter
    from transom.db.sql.metadata import Vendor
    from transom.validators import Validator

T = TypeVar("T")
E = TypeVar("E", bound=Enum)


class BaseTextField(Field[T]):
    """What all fields of text share."""

    column_class = TextColumn
    class_lookups = by_name(Length, Lower, LTrim, RTrim, Trim, Upper)
    default_validators = (ProhibitNullCharactersValidator(),)

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type[Any]) -> TextColumn[T]: ...
        @overload
        def __get__(self, instance: object, owner: type[Any]) -> T: ...
        def __get__(self, instance: object | None, owner: type[Any]) -> Any: ...

    def encoder(self, vendor: Vendor) -> Converter:
        """Return a function that takes a str without NUL, which PostgreSQL cannot hold."""

        def encode(value: object) -> str:
            if type(value) is not str:
                if not isinstance(value, str):
                    raise self.wrong_type(value, "a str")
                value = str.__str__(value)  # a member of an enum
            if "\0" in value:
                raise DataError(f"{self.label} cannot hold a NUL character: {value!r}")
            return value

        return encode

    def decoder(self, vendor: Vendor) -> Converter | None:
        """Return the function that makes members of the enum, if there is one."""
        return self.member_decoder()

    def to_python(self, value: Any) -> Any:
        """Return the text, of other values too; a member of the enum where that is what may be chosen."""
        text = value if value is None or isinstance(value, str) else str(value)
        member = self.member_decoder()
        return text if member is None else member(text)


class TextField(BaseTextField[T]):
    """Text of any length."""

    @overload
    def __init__(
        self: TextField[E],
        verbose_name: str | None = None,
        *,
        choices: type[E],
        null: Literal[False] = False,
        **options: Unpack[BaseFieldOptions[E]],
    ) -> None: ...
    @overload
    def __init__(
        self: TextField[E | None],
        verbose_name: str | None = None,
        *,
        choices: type[E],
        null: Literal[True],
        **options: Unpack[BaseFieldOptions[E | None]],
    ) -> None: ...
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
        self, verbose_name: str | None = None, *, null: bool = False, **options: Unpack[AnyFieldOptions]
    ) -> None:
        super().__init__(verbose_name, null=null, **options)

    def column_type(self) -> ColumnType:
        """Return the type of text without a limit."""
        return ColumnType("text")


class CharField(BaseTextField[T]):
    """Text of at most `max_length` characters."""

    @overload
    def __init__(
        self: CharField[E],
        verbose_name: str | None = None,
        *,
        max_length: int,
        choices: type[E],
        null: Literal[False] = False,
        **options: Unpack[BaseFieldOptions[E]],
    ) -> None: ...
    @overload
    def __init__(
        self: CharField[E | None],
        verbose_name: str | None = None,
        *,
        max_length: int,
        choices: type[E],
        null: Literal[True],
        **options: Unpack[BaseFieldOptions[E | None]],
    ) -> None: ...
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
        **options: Unpack[AnyFieldOptions],
    ) -> None:
        super().__init__(verbose_name, null=null, **options)
        self._take_max_length(max_length)

    def _take_max_length(self, max_length: int) -> None:
        if max_length < 1:
            raise TypeError(f"max_length={max_length!r} must be at least 1")
        self.max_length = max_length

    def column_type(self) -> ColumnType:
        """Return the type of text with this limit."""
        return ColumnType("varchar", length=self.max_length)

    def size_validators(self) -> Iterable[Validator]:
        """Return the check of the limit."""
        return (MaxLengthValidator(self.max_length),)

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


# What follows passes over the constructor of CharField, whose overloads know only that class.


class EmailField(CharField[T]):
    """An e-mail address, checked by `full_clean()`."""

    default_validators = (*BaseTextField.default_validators, validate_email)

    # RFC 5321 4.5.3.1.3: a path has 256 octets, two of them its angle brackets.
    @overload
    def __init__(
        self: EmailField[str],
        verbose_name: str | None = None,
        *,
        max_length: int = 254,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions[str]],
    ) -> None: ...
    @overload
    def __init__(
        self: EmailField[str | None],
        verbose_name: str | None = None,
        *,
        max_length: int = 254,
        null: Literal[True],
        **options: Unpack[FieldOptions[str | None]],
    ) -> None: ...
    def __init__(
        self,
        verbose_name: str | None = None,
        *,
        max_length: int = 254,
        null: bool = False,
        **options: Unpack[AnyFieldOptions],
    ) -> None:
        super(CharField, self).__init__(verbose_name, null=null, **options)
        self._take_max_length(max_length)


class URLField(CharField[T]):
    """A web address with http or https, checked by `full_clean()`."""

    default_validators = (*BaseTextField.default_validators, URLValidator())

    @overload
    def __init__(
        self: URLField[str],
        verbose_name: str | None = None,
        *,
        max_length: int = 200,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions[str]],
    ) -> None: ...
    @overload
    def __init__(
        self: URLField[str | None],
        verbose_name: str | None = None,
        *,
        max_length: int = 200,
        null: Literal[True],
        **options: Unpack[FieldOptions[str | None]],
    ) -> None: ...
    def __init__(
        self,
        verbose_name: str | None = None,
        *,
        max_length: int = 200,
        null: bool = False,
        **options: Unpack[AnyFieldOptions],
    ) -> None:
        super(CharField, self).__init__(verbose_name, null=null, **options)
        self._take_max_length(max_length)


class SlugField(CharField[T]):
    """A short name for URLs: letters, digits, hyphens and underscores, checked by `full_clean()`. It has an index.

    Args:
        verbose_name: see `Field`.
        max_length: most characters.
        allow_unicode: whether letters and digits of all scripts are such.
        null: see `Field`.
        options: see `Field`.
    """

    @overload
    def __init__(
        self: SlugField[str],
        verbose_name: str | None = None,
        *,
        max_length: int = 50,
        allow_unicode: bool = False,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions[str]],
    ) -> None: ...
    @overload
    def __init__(
        self: SlugField[str | None],
        verbose_name: str | None = None,
        *,
        max_length: int = 50,
        allow_unicode: bool = False,
        null: Literal[True],
        **options: Unpack[FieldOptions[str | None]],
    ) -> None: ...
    def __init__(
        self,
        verbose_name: str | None = None,
        *,
        max_length: int = 50,
        allow_unicode: bool = False,
        null: bool = False,
        **options: Unpack[AnyFieldOptions],
    ) -> None:
        super(CharField, self).__init__(verbose_name, null=null, **options)
        self._take_max_length(max_length)
        self.db_index = options.get("db_index", True)
        self.allow_unicode = allow_unicode

    def size_validators(self) -> Iterable[Validator]:
        """Add the check of the letters."""
        return (*super().size_validators(), validate_unicode_slug if self.allow_unicode else validate_slug)

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """Add what differs from other text."""
        name, path, arguments, keywords = super().deconstruct()
        keywords.pop("db_index", None)
        if not self.db_index:
            keywords["db_index"] = False
        if self.allow_unicode:
            keywords["allow_unicode"] = True
        return name, path, arguments, keywords
