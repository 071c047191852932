"""Fields of ranges."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, TypeVar, cast, overload

from transom.db.exceptions import FieldError
from transom.db.models import Field
from transom.db.models.expressions import Bound, Expression, Func, Subquery
from transom.db.models.query.outputs import computed_field
from transom.db.postgres.columns import RangeColumn
from transom.db.postgres.range import Range
from transom.db.postgres.text import exact_encoder, quote, write_range
from transom.db.sql.column_type import ColumnType
from transom.db.sql.shapes import FunctionOperand

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime
    from decimal import Decimal
    from typing import Unpack

    from transom.db.models.expressions import Binder
    from transom.db.models.fields.base import Converter, FieldOptions
    from transom.db.sql.column_type import ColumnKind
    from transom.db.sql.metadata import Vendor

T = TypeVar("T")

_QUESTIONS: Final = ("isempty", "lower_inc", "lower_inf", "upper_inc", "upper_inf")
"""What can be asked of a range, by the functions that PostgreSQL has for it."""
_BOUNDS: Final = {"startswith": "lower", "endswith": "upper"}


class RangeField(Field[T]):
    """What the fields of ranges share: a `Range` between two values of one kind, a range of PostgreSQL.

    Attributes:
        base_field: the field of the bounds. Any: of any type.
    """

    column_class = RangeColumn
    default_messages = {"invalid": "Enter two bounds, the lower one first."}
    kind: ClassVar[ColumnKind]
    """What the bounds are."""

    def __init__(self, verbose_name: str | None = None, *, null: bool = False, **options: Any) -> None:
        # Any: subclasses type each option
        self.base_field: Field[Any] = computed_field(self.kind)
        super().__init__(verbose_name, null=null, **options)

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type[Any]) -> RangeColumn[T]: ...
        @overload
        def __get__(self, instance: object, owner: type[Any]) -> T: ...
        def __get__(self, instance: object | None, owner: type[Any]) -> Any: ...

    def set_name(self, name: str) -> None:
        """Settle the names, that of the bounds too: their errors are about this field."""
        super().set_name(name)
        self.base_field = self.base_field.clone()
        self.base_field.set_name(name)

    def contribute_to_class(self, model: type[Any], name: str) -> None:
        """Take a place in a model (any class that has `_meta`)."""
        super().contribute_to_class(model, name)
        self.base_field.model = model

    def column_type(self) -> ColumnType:
        """Return the type of ranges between such bounds."""
        return ColumnType("range", element=self.base_field.column_type())

    def encoder(self, vendor: Vendor) -> Converter:
        """Return a function that takes a Range and writes it as PostgreSQL reads ranges."""
        encode = exact_encoder(self.base_field, vendor)

        def write(bound: Any) -> str | None:
            return None if bound is None else quote(encode(bound))

        def encode_range(value: object) -> str:
            if not isinstance(value, Range):
                raise self.wrong_type(value, "a Range(lower, upper)")
            known = cast("Range[Any]", value)
            if known.empty:
                return "empty"
            return write_range(write(known.lower), write(known.upper), known.bounds)

        return encode_range

    def decoder(self, vendor: Vendor) -> Converter:
        """Return a function that makes a Range of the driver's."""
        decode = self.base_field.decoder(vendor)

        def decode_range(found: Any) -> Range[Any]:
            if found.isempty:
                return Range(empty=True)
            lower, upper = found.lower, found.upper
            if decode is not None:
                lower, upper = (None if bound is None else decode(bound) for bound in (lower, upper))
            bounds: Any = ("[" if found.lower_inc else "(") + ("]" if found.upper_inc else ")")
            return Range(lower, upper, bounds)

        return decode_range

    # -- queries ---------------------------------------------------------------------------------------------------

    def get_transform(self, lookup_name: str) -> Callable[[Expression], Expression] | None:
        """Return what makes a part: a bound (`startswith`, `endswith`), or whether there is one (`lower_inf`) and so on."""
        if lookup_name in _BOUNDS:
            return partial(_Part, function=_BOUNDS[lookup_name], field=self.base_field)
        if lookup_name in _QUESTIONS:
            return partial(_Part, function=lookup_name, field=computed_field("boolean"))
        return super().get_transform(lookup_name)

    def operand(self, lookup_name: str, value: Any) -> Any:
        """Return the right side of a lookup; a range can contain a value as well as a range. Any: see `Field`."""
        if hasattr(value, "as_subquery"):
            value = Subquery(value)
        if isinstance(value, Expression) or (lookup_name == "contains" and not isinstance(value, Range)):
            return _Fitted(value, self, lookup_name)
        return cast("Any", value)

    # -- validation ------------------------------------------------------------------------------------------------

    def to_python(self, value: Any) -> Any:
        """Return the Range, its bounds of their type; of a dict or its JSON text too, as a serializer writes it."""
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError:
                raise self.error("invalid") from None
        if value is None:
            return None
        try:
            return self._range(value)
        except (TypeError, ValueError):
            raise self.error("invalid") from None

    def _range(self, value: Any) -> Range[Any]:
        if isinstance(value, Range):
            known = cast("Range[Any]", value)
            value = known.to_dict()
        given = dict[str, Any](value)
        if given.pop("empty", False):
            return Range(empty=True, **given)
        for name in ("lower", "upper"):
            given[name] = self.base_field.to_python(given.get(name))
        return Range(**given)

    def run_validators(self, value: Any) -> None:
        """Ask every validator about the range, and those of the bounds about them."""
        super().run_validators(value)
        for bound in () if value is None else (value.lower, value.upper):
            if bound is not None:
                self.base_field.run_validators(bound)


class _Part(Expression):
    """What a function of PostgreSQL says of a range."""

    __slots__ = ("field", "function", "whole")

    def __init__(self, whole: Expression, function: str, field: Field[Any]) -> None:
        self.whole = whole
        self.function = function
        self.field = field

    def bind(self, binder: Binder) -> Bound:
        """Return the call."""
        part = Func(self.whole, function=self.function, output_field=self.field)
        return part.bind(binder)._replace(field=self.field)


class _Fitted(Expression):
    """What a field is compared with: a range of the same type, or a value of the very type of its bounds."""

    __slots__ = ("field", "lookup_name", "value")

    def __init__(self, value: Any, field: RangeField[Any], lookup_name: str) -> None:
        self.value = value
        self.field = field
        self.lookup_name = lookup_name

    def bind(self, binder: Binder) -> Bound:
        """Return the range or the value."""
        base = self.field.base_field
        if not isinstance(self.value, Expression):
            exact_encoder(base, "postgresql")(self.value)  # for its errors
        bound = binder.bind(self.value, base)
        if bound.field is None or bound.field.column_type() == self.field.column_type():
            return bound
        if self.lookup_name != "contains" or bound.field.column_type().has_elements:
            raise FieldError(f"{self.field.label} takes a range of its own type, not {self.value!r}")
        return Bound(FunctionOperand("cast_exactly", (bound.shape,), base.column_type()), base)


class IntegerRangeField(RangeField[T]):
    """A range of whole numbers of 32 bits."""

    kind = "integer"

    @overload
    def __init__(
        self: IntegerRangeField[Range[int]],
        verbose_name: str | None = None,
        *,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions[Range[int]]],
    ) -> None: ...
    @overload
    def __init__(
        self: IntegerRangeField[Range[int] | None],
        verbose_name: str | None = None,
        *,
        null: Literal[True],
        **options: Unpack[FieldOptions[Range[int] | None]],
    ) -> None: ...
    def __init__(
        self, verbose_name: str | None = None, *, null: bool = False, **options: Unpack[FieldOptions[Any]]
    ) -> None:
        super().__init__(verbose_name, null=null, **options)


class BigIntegerRangeField(RangeField[T]):
    """A range of whole numbers of 64 bits."""

    kind = "bigint"

    @overload
    def __init__(
        self: BigIntegerRangeField[Range[int]],
        verbose_name: str | None = None,
        *,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions[Range[int]]],
    ) -> None: ...
    @overload
    def __init__(
        self: BigIntegerRangeField[Range[int] | None],
        verbose_name: str | None = None,
        *,
        null: Literal[True],
        **options: Unpack[FieldOptions[Range[int] | None]],
    ) -> None: ...
    def __init__(
        self, verbose_name: str | None = None, *, null: bool = False, **options: Unpack[FieldOptions[Any]]
    ) -> None:
        super().__init__(verbose_name, null=null, **options)


class DecimalRangeField(RangeField[T]):
    """A range of decimals of any number of digits."""

    kind = "decimal"

    @overload
    def __init__(
        self: DecimalRangeField[Range[Decimal]],
        verbose_name: str | None = None,
        *,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions[Range[Decimal]]],
    ) -> None: ...
    @overload
    def __init__(
        self: DecimalRangeField[Range[Decimal] | None],
        verbose_name: str | None = None,
        *,
        null: Literal[True],
        **options: Unpack[FieldOptions[Range[Decimal] | None]],
    ) -> None: ...
    def __init__(
        self, verbose_name: str | None = None, *, null: bool = False, **options: Unpack[FieldOptions[Any]]
    ) -> None:
        super().__init__(verbose_name, null=null, **options)


class DateTimeRangeField(RangeField[T]):
    """A range of points in time; each has a time zone."""

    kind = "datetime"

    @overload
    def __init__(
        self: DateTimeRangeField[Range[datetime]],
        verbose_name: str | None = None,
        *,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions[Range[datetime]]],
    ) -> None: ...
    @overload
    def __init__(
        self: DateTimeRangeField[Range[datetime] | None],
        verbose_name: str | None = None,
        *,
        null: Literal[True],
        **options: Unpack[FieldOptions[Range[datetime] | None]],
    ) -> None: ...
    def __init__(
        self, verbose_name: str | None = None, *, null: bool = False, **options: Unpack[FieldOptions[Any]]
    ) -> None:
        super().__init__(verbose_name, null=null, **options)


class DateRangeField(RangeField[T]):
    """A range of days."""

    kind = "date"

    @overload
    def __init__(
        self: DateRangeField[Range[date]],
        verbose_name: str | None = None,
        *,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions[Range[date]]],
    ) -> None: ...
    @overload
    def __init__(
        self: DateRangeField[Range[date] | None],
        verbose_name: str | None = None,
        *,
        null: Literal[True],
        **options: Unpack[FieldOptions[Range[date] | None]],
    ) -> None: ...
    def __init__(
        self, verbose_name: str | None = None, *, null: bool = False, **options: Unpack[FieldOptions[Any]]
    ) -> None:
        super().__init__(verbose_name, null=null, **options)
