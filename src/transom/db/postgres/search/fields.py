"""Columns of words, and the fields of what full-text search computes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, overload

from transom.db.exceptions import DataError
from transom.db.models import Field
from transom.db.models.expressions import Column
from transom.db.sql.column_type import ColumnType

if TYPE_CHECKING:
    from typing import Unpack

    from transom.db.models import Q
    from transom.db.models.expressions import Expression
    from transom.db.models.fields.base import Converter, FieldOptions
    from transom.db.sql.column_type import ColumnKind
    from transom.db.sql.metadata import Vendor

T = TypeVar("T")


class _TextualField(Field[T]):
    """Values that go to PostgreSQL as text and come back so."""

    kind: ColumnKind

    def column_type(self) -> ColumnType:
        """Return the type, which PostgreSQL alone has."""
        return ColumnType(self.kind)

    def encoder(self, vendor: Vendor) -> Converter:
        """Return a function that takes a str without NUL."""

        def encode(value: object) -> str:
            if not isinstance(value, str):
                raise self.wrong_type(value, "a str, or an expression such as SearchVector")
            if "\0" in value:
                raise DataError(f"{self.label} cannot hold a NUL character: {value!r}")
            return value

        return encode


class SearchVectorColumn(Column[T]):
    """A column of words."""

    __slots__ = ()

    def search(self, query: str | Expression) -> Q:
        """Hold where all words of a text are in it; or where it fits a `SearchQuery`."""
        return self.lookup("search", query)


class SearchVectorField(_TextualField[T]):
    """The words of a text, as full-text search compares them: a `tsvector`. Its values are str, such as `'cat':3 'fat':2`.

    It is there to be searched without reading the text again: a `GeneratedField` keeps it as it should be, or `update()`
    with a `SearchVector`; a `GinIndex` makes the search fast. PostgreSQL alone has it.
    """

    kind = "tsvector"
    column_class = SearchVectorColumn

    @overload
    def __init__(
        self: SearchVectorField[str],
        verbose_name: str | None = None,
        *,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions[str]],
    ) -> None: ...
    @overload
    def __init__(
        self: SearchVectorField[str | None],
        verbose_name: str | None = None,
        *,
        null: Literal[True],
        **options: Unpack[FieldOptions[str | None]],
    ) -> None: ...
    def __init__(
        self, verbose_name: str | None = None, *, null: bool = False, **options: Unpack[FieldOptions[Any]]
    ) -> None:
        super().__init__(verbose_name, null=null, **options)

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type[Any]) -> SearchVectorColumn[T]: ...
        @overload
        def __get__(self, instance: object, owner: type[Any]) -> T: ...
        def __get__(self, instance: object | None, owner: type[Any]) -> Any: ...


class SearchQueryField(_TextualField[str]):
    """What a `SearchQuery` comes to: a `tsquery`, as text."""

    kind = "tsquery"


class _ConfigField(_TextualField[str]):
    """The name of a configuration."""

    kind = "regconfig"


VECTOR: Final = SearchVectorField()
QUERY: Final = SearchQueryField()
CONFIG: Final = _ConfigField()
