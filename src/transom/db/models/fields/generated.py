"""Columns that the database computes of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar

from transom.db.models.fields.base import Field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from transom.db.models.expressions import Expression
    from transom.db.models.fields.base import Converter
    from transom.db.sql.column_type import ColumnType
    from transom.db.sql.metadata import Vendor

T = TypeVar("T")


class GeneratedField(Field[T]):
    """A column whose value is always that of an expression over the other columns of its row; nobody can write it.

        area = models.GeneratedField(expression=F("width") * F("height"), output_field=models.IntegerField())

    An object has the value after it was inserted and after it was read. Saving it again forgets the value, which may
    have changed: `await obj.refresh()`.

    Args:
        expression: arithmetic over columns of the model.
        output_field: the field that the column would otherwise be; it says the type, and whether NULL is possible.
        db_persist: that the value is stored, which is the one way that all databases have.
        verbose_name: see `Field`.
        db_column: see `Field`.
        db_index: see `Field`.
        unique: see `Field`.
        help_text: see `Field`.
    """

    def __init__(
        self,
        *,
        expression: Expression,
        output_field: Field[T],
        db_persist: Literal[True] = True,
        verbose_name: str | None = None,
        db_column: str | None = None,
        db_index: bool = False,
        unique: bool = False,
        help_text: str = "",
    ) -> None:
        super().__init__(
            verbose_name,
            null=output_field.null,
            db_column=db_column,
            db_index=db_index,
            unique=unique,
            help_text=help_text,
            editable=False,
            blank=True,
        )
        if not db_persist:
            raise TypeError("a GeneratedField is stored; drop db_persist=False")
        self.expression = expression
        self.output_field = output_field
        self.db_default = expression

    def set_name(self, name: str) -> None:
        """Settle the names, those of the output field too: its errors are about this one."""
        super().set_name(name)
        self.output_field = self.output_field.clone()
        self.output_field.set_name(name)

    def get_lookup(self, lookup_name: str) -> type[Expression] | None:
        """Return the lookup of a name, also one of the output field."""
        return super().get_lookup(lookup_name) or self.output_field.get_lookup(lookup_name)

    def get_transform(self, lookup_name: str) -> Callable[[Expression], Expression] | None:
        """Return the part of a name, also one of the output field."""
        return super().get_transform(lookup_name) or self.output_field.get_transform(lookup_name)

    def get_lookups(self) -> dict[str, type[Expression]]:
        """Return what is registered for the output field, and for generated fields."""
        return {**self.output_field.get_lookups(), **super().get_lookups()}

    def column_type(self) -> ColumnType:
        """Return the type of the output field."""
        return self.output_field.column_type()

    def db_expression(self) -> Expression:
        """Return the expression."""
        return self.expression

    def server_default(self, vendor: Vendor) -> Any:
        """Return None: the value is no default."""
        return None

    def has_db_default(self) -> bool:
        """Whether the database makes the value: always."""
        return True

    def is_left_to_database(self, instance: Any) -> bool:
        """Whether the database makes the value: always."""
        return True

    def encoder(self, vendor: Vendor) -> Converter:
        """Return the encoder of the output field."""
        return self.output_field.encoder(vendor)

    def writer(self, vendor: Vendor) -> Converter:
        """Return the writer of the output field."""
        return self.output_field.writer(vendor)

    def decoder(self, vendor: Vendor) -> Converter | None:
        """Return the decoder of the output field."""
        return self.output_field.decoder(vendor)

    def size_validators(self) -> Iterable[Any]:
        """Return none: the database makes the value."""
        return ()

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """Add the expression and the output field, less the options that follow from them."""
        name, path, arguments, keywords = super().deconstruct()
        implied = ("db_default", "editable", "blank", "null")
        kept = {key: value for key, value in keywords.items() if key not in implied}
        return (
            name,
            path,
            arguments,
            {"expression": self.expression, "output_field": self.output_field, **kept},
        )
