"""Primary keys of several columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from transom.db.exceptions import FieldError
from transom.db.models.expressions import Column
from transom.db.models.fields.base import Field
from transom.db.models.fields.integers import AutoField, BigAutoField, SmallAutoField
from transom.db.models.names import import_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from transom.db.models.fields.base import Converter
    from transom.db.sql.column_type import ColumnType
    from transom.db.sql.metadata import Vendor

    AnyField = Field[Any]  # Any: fields of every type


class CompositePrimaryKey(Field[Any]):
    """The primary key of a model whose rows only several fields together tell apart. Any: a tuple, or None.

        class Membership(models.Model):
            pk = models.CompositePrimaryKey("tenant_id", "id")
            tenant = models.ForeignKey(Tenant, models.CASCADE)
            id = models.IntegerField()

    It is no column: `membership.pk` is the tuple of the values, in the order of the names, and None while one of them is
    None; setting it sets them. Lookups take such tuples: `get(pk=(1, 2))`, `pk__in`, and `pk__gt` and its like, which compare
    the first values, then the second ones.

    Args:
        names: at least two fields of the model, by their names or those of their keys (`"tenant"`, `"tenant_id"`).
    """

    def __init__(self, *names: str) -> None:
        if len(names) < 2:
            raise TypeError(
                f"CompositePrimaryKey takes the names of at least two fields, not {names!r}; "
                "for a key of one field write primary_key=True there"
            )
        super().__init__(blank=True, editable=False)
        self.primary_key = self.unique = self.in_key = True
        self.names = names
        self._parts: tuple[AnyField, ...] = ()

    # -- its place in the model ------------------------------------------------------------------------------------

    def set_name(self, name: str) -> None:
        """Settle the names; there is no column to name."""
        self.name = self.attname = name
        self.verbose_name = "primary key"

    def clone(self) -> Self:
        """Return a copy for another model, which has fields of its own."""
        made = super().clone()
        made._parts = ()
        return made

    def settle(self, fields: Mapping[str, AnyField]) -> None:
        """Find the parts among the fields of the model, which go by their names and those of their keys.

        Raises:
            TypeError: a name is none of a field that can be part of a key, or two are of one field.
        """
        parts = [self._find(name, fields) for name in self.names]
        for number, part in enumerate(parts):
            if part in parts[:number]:
                raise TypeError(f"{self.label} names {part.label} twice")
        counting = next(
            (each for each in fields.values() if isinstance(each, SmallAutoField | AutoField | BigAutoField)),
            None,
        )
        if counting is not None:
            raise TypeError(
                f"{counting.label} counts up, which only the whole primary key of a table can; beside {self.label} "
                "take an IntegerField that you count, or a UUIDField with db_default=RandomUUID()"
            )
        self._parts = tuple(parts)
        for part in parts:
            part.in_key = True

    def _find(self, name: str, fields: Mapping[str, AnyField]) -> AnyField:
        field = fields.get(name)
        if field is None:
            raise TypeError(
                f"{self.label} names {name!r}, which is no field with a column; choose from {', '.join(fields)}"
            )
        if field.null:
            raise TypeError(f"{field.label} is part of {self.label} and takes no NULL; drop null=True")
        if field.db_expression() is not None:
            raise TypeError(
                f"{field.label} is computed and cannot be part of {self.label}; name what it is computed of"
            )
        return field

    @property
    def parts(self) -> tuple[AnyField, ...]:
        """The fields, once the model has them."""
        return self._parts

    # -- values ----------------------------------------------------------------------------------------------------

    if not TYPE_CHECKING:  # checkers take `pk` for what `Record` says: Any

        def __get__(self, instance: Any, owner: type[Any]) -> Any:
            """Return the values of the parts; None while one of them has none."""
            if instance is None:
                return Column(self.name, owner)
            values = instance.__dict__
            key = tuple([values.get(part.attname) for part in self._parts])
            return None if None in key else key

        def __set__(self, instance: Any, value: Any) -> None:
            for name, part in self.split((None,) * len(self.parts) if value is None else value).items():
                setattr(instance, name, part)

        @property
        def column(self) -> NoReturn:
            """Refuse: there is none."""
            self._refuse()

    def split(self, key: Any) -> dict[str, Any]:
        """Return the values of a key by the attributes that hold them; objects stand for what they are referred to by.

        Raises:
            FieldError: it is no tuple of as many values.
        """
        # an object goes to the relation, a key to its column; objects are what has `_meta`
        return {
            part.name if hasattr(value, "_meta") else part.attname: value
            for part, value in zip(self.parts, self.check(key), strict=True)
        }

    def check(self, key: Any) -> tuple[Any, ...]:
        """Return a key as a tuple.

        Raises:
            FieldError: it is no tuple of as many values.
        """
        if not isinstance(key, tuple | list) or len(key) != len(self.parts):  # pyright: ignore[reportUnknownArgumentType]
            raise FieldError(
                f"{self.label} takes a tuple of {len(self.parts)} values, {self._listed}, not {key!r}"
            )
        return tuple(key)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]  # of any type

    @property
    def _listed(self) -> str:
        return f"({', '.join(part.attname for part in self.parts)})"

    # -- no column -------------------------------------------------------------------------------------------------

    def _refuse(self) -> NoReturn:
        raise FieldError(f"{self.label} is no column but a key of several, {self._listed}; name one of them")

    def column_type(self) -> ColumnType:
        """Refuse: there is no column."""
        self._refuse()

    def encoder(self, vendor: Vendor) -> Converter:
        """Refuse: there is no column."""
        self._refuse()

    def decoder(self, vendor: Vendor) -> Converter | None:
        """Refuse: there is no column."""
        self._refuse()

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """Return the names of the parts, and nothing else."""
        return getattr(self, "name", ""), import_path(type(self)), list(self.names), {}
