"""Arrays: a field of fields, and what stands in queries of them."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, cast, overload

from transom.db.exceptions import DataError, FieldError
from transom.db.models import Field, ForeignKey, GeneratedField
from transom.db.models.expressions import Bound, Expression, Func, Subquery
from transom.db.models.expressions.references import Settled
from transom.db.models.query.outputs import computed_field
from transom.db.postgres.columns import ArrayColumn
from transom.db.postgres.text import exact_encoder, quote, write_array
from transom.db.postgres.validators import ArrayMaxLengthValidator
from transom.db.sql.column_type import ColumnType
from transom.db.sql.shapes import FunctionOperand, ScalarOperand
from transom.validators import ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Unpack

    from transom.db.models.expressions import Binder
    from transom.db.models.fields.base import Converter, FieldOptions
    from transom.db.sql.metadata import Vendor
    from transom.validators import Validator

T = TypeVar("T")
E = TypeVar("E")

_PLACE: Final = re.compile(r"(?P<first>[0-9]{1,9})(?:_(?P<end>[0-9]{1,9}))?")


class ArrayField(Field[T]):
    """A list of values that another field could hold, each or None; an array of PostgreSQL.

        tags = ArrayField(models.CharField(max_length=20), default=list)
        board = ArrayField(ArrayField(models.IntegerField()))  # all rows of the same length

    Args:
        base_field: what each value is: its type, its sizes, and what `full_clean()` says of it.
        size: how many values there may be; any number if None.
        verbose_name: see `Field`.
        null: see `Field`.
        options: see `Field`; a default is a function such as `list`.

    Raises:
        TypeError: an array cannot be made of such fields.
    """

    column_class = ArrayColumn
    default_messages = {
        "invalid": "Enter a list.",
        "item_invalid": "Item {nth}: {message}",
        "uneven": "All lists in the list must be of the same length.",
    }

    @overload
    def __init__(
        self: ArrayField[list[E]],
        base_field: Field[E],
        size: int | None = None,
        verbose_name: str | None = None,
        *,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions[list[E]]],
    ) -> None: ...
    @overload
    def __init__(
        self: ArrayField[list[E] | None],
        base_field: Field[E],
        size: int | None = None,
        verbose_name: str | None = None,
        *,
        null: Literal[True],
        **options: Unpack[FieldOptions[list[E] | None]],
    ) -> None: ...
    def __init__(
        self,
        base_field: Field[Any],
        size: int | None = None,
        verbose_name: str | None = None,
        *,
        null: bool = False,
        **options: Unpack[FieldOptions[Any]],
    ) -> None:
        self._check_base(base_field)
        self.base_field = base_field
        self.size = size
        super().__init__(verbose_name, null=null, **options)

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type[Any]) -> ArrayColumn[T]: ...
        @overload
        def __get__(self, instance: object, owner: type[Any]) -> T: ...
        def __get__(self, instance: object | None, owner: type[Any]) -> Any: ...

    def _check_base(self, base: object) -> None:
        if not isinstance(base, Field):
            raise TypeError(f"an ArrayField is made of a field such as models.TextField(), not of {base!r}")
        field = cast("Field[Any]", base)
        if isinstance(field, ForeignKey | GeneratedField) or field.column_type().is_generated:
            raise TypeError(
                f"an array cannot be made of a {type(field).__name__}; take a field of plain values, "
                "or a ManyToManyField for relations"
            )
        if field.unique:
            raise TypeError(
                "no value of an array can be unique or a primary key; drop that of the base_field"
            )

    # -- the names -------------------------------------------------------------------------------------------------

    def set_name(self, name: str) -> None:
        """Settle the names, those of the base field too: its errors are about this one."""
        super().set_name(name)
        self.base_field = self.base_field.clone()
        self.base_field.set_name(name)

    def contribute_to_class(self, model: type[Any], name: str) -> None:
        """Take a place in a model (any class that has `_meta`)."""
        super().contribute_to_class(model, name)
        field: Field[Any] = self
        while isinstance(field, ArrayField):
            field = field.base_field
            field.model = model

    @property
    def depth(self) -> int:
        """How many dimensions the array has."""
        return 1 + (self.base_field.depth if isinstance(self.base_field, ArrayField) else 0)

    # -- the column ------------------------------------------------------------------------------------------------

    def column_type(self) -> ColumnType:
        """Return the array of the base field's type."""
        return ColumnType("array", element=self.base_field.column_type().referring())

    def encoder(self, vendor: Vendor) -> Converter:
        """Return a function that takes a list (or tuple) and writes it as PostgreSQL reads arrays."""
        if isinstance(self.base_field, ArrayField):
            return self._array_writer(self.base_field.encoder(vendor))
        encode = exact_encoder(self.base_field, vendor)
        return self._array_writer(lambda value: quote(encode(value)))

    def writer(self, vendor: Vendor) -> Converter:
        """Return the same, which also checks the sizes."""
        write = self.base_field.writer(vendor)
        nested = isinstance(self.base_field, ArrayField)
        whole = self._array_writer(write if nested else lambda value: quote(write(value)))

        def write_checked(values: Any) -> str:
            text = whole(values)
            if self.size is not None and len(values) > self.size:
                raise DataError(f"{self.label} takes {self.size} values at most, not {len(values)}")
            return text

        return write_checked

    def _array_writer(self, write: Callable[[Any], str]) -> Callable[[Any], str]:
        depth = self.depth

        def write_values(values: Any) -> str:
            if not isinstance(values, list | tuple):
                raise self.wrong_type(values, "a list")
            if depth > 1:
                self._check_even(values)
            return write_array(cast("Iterable[Any]", values), write)

        return write_values

    def _check_even(self, values: Any) -> None:
        """Refuse lists in lists that PostgreSQL has no array for."""
        lengths = _lengths(values, self.depth)
        if lengths is None:
            raise FieldError(
                f"{self.label} takes lists in lists of one length, {self.depth} deep, not {values!r}"
            )
        if 0 in lengths[1:]:
            raise FieldError(f"{self.label} takes no empty lists in a list: PostgreSQL would make [] of them")

    def decoder(self, vendor: Vendor) -> Converter | None:
        """Return the decoder of the base field, for each value."""
        decode = self.base_field.decoder(vendor)
        if decode is None:
            return None
        return lambda values: [None if value is None else decode(value) for value in values]

    # -- queries ---------------------------------------------------------------------------------------------------

    def get_transform(self, lookup_name: str) -> Callable[[Expression], Expression] | None:
        """Return what makes a part: `len`, `0` for the first value, `0_2` for the first two."""
        if lookup_name == "len":
            return partial(_Length, field=self)
        place = _PLACE.fullmatch(lookup_name)
        if place is None:
            return super().get_transform(lookup_name)
        first, end = place["first"], place["end"]
        if end is not None:
            return partial(_Part, subscripts=f"[{int(first) + 1}:{int(end)}]", array=self, field=self)
        return partial(_Part, subscripts=f"[{int(first) + 1}]", array=self.base_field, field=_member(self))

    def operand(self, lookup_name: str, value: Any) -> Any:
        """Return the right side of a lookup: of a queryset its rows as an array. Any: see `Field`."""
        if hasattr(value, "as_subquery"):
            value = ArraySubquery(value)
        return _Fitted(value, self) if isinstance(value, Expression) else value

    # -- validation ------------------------------------------------------------------------------------------------

    def size_validators(self) -> Iterable[Validator]:
        """Return the check of the number of values."""
        return () if self.size is None else (ArrayMaxLengthValidator(self.size),)

    def to_python(self, value: Any) -> Any:
        """Return the list, each value of its type; of JSON text too, as a serializer writes it. Any: see `Field`."""
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError:
                raise self.error("invalid") from None
        if value is None:
            return None
        if not isinstance(value, list | tuple):
            raise self.error("invalid")
        return self._each(cast("Iterable[Any]", value), self.base_field.to_python)

    def validate(self, value: Any, instance: Any) -> None:
        """Check the list, then each of its values as the base field does. Any: see `Field`."""
        super().validate(value, instance)
        if value is None:
            return
        if self.depth > 1 and _lengths(value, self.depth) is None:
            raise self.error("uneven")
        self._each(value, lambda member: self.base_field.validate(member, instance))

    def run_validators(self, value: Any) -> None:
        """Ask every validator about the list, and those of the base field about its values. Any: see `Field`."""
        super().run_validators(value)
        if value is not None:
            self._each(value, self.base_field.run_validators)

    def _each(self, values: Iterable[Any], check: Callable[[Any], Any]) -> list[Any]:
        """Return what a function makes of each value, or say of which it complains."""
        made: list[Any] = []
        errors: list[ValidationError] = []
        for nth, value in enumerate(values, 1):
            try:
                made.append(check(value))
            except ValidationError as exc:
                errors += [self.error("item_invalid", nth=nth, message=message) for message in exc.messages]
        if errors:
            raise ValidationError(errors)
        return made

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """Add the base field and the size."""
        name, path, arguments, keywords = super().deconstruct()
        own: dict[str, Any] = {"base_field": self.base_field}
        if self.size is not None:
            own["size"] = self.size
        return name, path, arguments, {**own, **keywords}


def _lengths(values: Any, depth: int) -> tuple[int, ...] | None:
    """Return the length of lists in lists in each dimension, or None where they differ or are no lists."""
    if not isinstance(values, list | tuple):
        return None
    members = cast("list[Any]", values)
    if depth == 1:
        return (len(members),)
    inner = {_lengths(member, depth - 1) for member in members}
    if not inner:
        return (0,)
    lengths = inner.pop()
    return None if inner or lengths is None else (len(members), *lengths)


class _Length(Expression):
    """How many values an array has, in its first dimension."""

    __slots__ = ("array", "nested")

    def __init__(self, array: Expression, field: ArrayField[Any]) -> None:
        self.array = array
        self.nested = field.depth > 1

    def bind(self, binder: Binder) -> Bound:
        """Return the number."""
        # array_length() is NULL for an empty array, and cardinality() counts the values of all dimensions.
        template = "jsonb_array_length(to_jsonb({}))" if self.nested else "cardinality({})"
        return Func(self.array, template=template, output_field=computed_field("integer")).bind(binder)


class _Part(Expression):
    """One value of an array, or several.

    Args:
        whole: the array.
        subscripts: as SQL has them, counted from 1.
        array: what comes out, for the SQL. Any: a field of any type.
        field: whose values it has.
    """

    __slots__ = ("array", "field", "subscripts", "whole")

    def __init__(self, whole: Expression, subscripts: str, array: Field[Any], field: Field[Any]) -> None:
        self.whole = whole
        self.subscripts = subscripts
        self.array = array
        self.field = field

    def bind(self, binder: Binder) -> Bound:
        """Return the part."""
        part = Func(self.whole, template=f"({{}}){self.subscripts}", output_field=self.array)
        return part.bind(binder)._replace(field=self.field)


def _member(field: ArrayField[Any]) -> Field[Any]:
    base = field.base_field
    return _Row(base) if isinstance(base, ArrayField) else base


class _Row(Field[Any]):
    """What is left of an array of several dimensions behind one place: SQL knows no such part. Any: it has no values."""

    def __init__(self, array: ArrayField[Any]) -> None:
        super().__init__()
        self.array = array

    def get_transform(self, lookup_name: str) -> Callable[[Expression], Expression] | None:
        """Return what makes the part of the next place."""
        place = _PLACE.fullmatch(lookup_name)
        if place is None or place["end"] is not None:
            return None

        def make(row: Expression) -> Expression:
            if not isinstance(row, _Part):
                raise self._incomplete()
            subscripts = f"{row.subscripts}[{int(place['first']) + 1}]"
            return _Part(row.whole, subscripts, self.array.base_field, _member(self.array))

        return make

    def column_type(self) -> ColumnType:
        """Refuse."""
        raise self._incomplete()

    def decoder(self, vendor: Vendor) -> Converter | None:
        """Refuse."""
        raise self._incomplete()

    def _incomplete(self) -> FieldError:
        name = getattr(self.array, "name", "array")
        return FieldError(
            f"{self.array.label} has several dimensions, and a place in it is one for each: {name}__0__0"
        )


class _ComputedArrayField(ArrayField[Any]):
    """Arrays that the database makes, of whatever it has."""

    def _check_base(self, base: object) -> None:
        pass


_arrays: dict[Field[Any], ArrayField[Any]] = {}
_MAX_ARRAYS: Final = 1000  # fields come from source code, so there are few; see `query/lookups.py`


def array_of(field: Field[Any]) -> ArrayField[Any]:
    """Return the field of arrays of a field's values, the same one each time. Any: a field of any type."""
    while isinstance(field, ForeignKey):
        field = field.target_field
    if len(_arrays) >= _MAX_ARRAYS:
        _arrays.clear()
    return _arrays.get(field) or _arrays.setdefault(field, _ComputedArrayField(field))


class ArraySubquery(Subquery):
    """The rows of another query as an array: `annotate(names=ArraySubquery(rows.values("name")))`; empty if there are none.

    Args:
        queryset: with one column. Any: of any model; `OuterRef` in it speaks of this query.
        output_field: the field of the arrays, if not one of the column's. Any: any field.
    """

    __slots__ = ()

    def bind(self, binder: Binder) -> Bound:
        """Return the other query, with its values."""
        select, column = binder.query(self.queryset, ordered=True)
        field = array_of(column.field) if self.output_field is None else binder.output(self.output_field)
        rows = Settled(Bound(ScalarOperand(select, column.shape), field))
        return Func(rows, template="ARRAY{}", output_field=field).bind(binder)._replace(field=field)


class _Fitted(Expression):
    """An array to compare a field with: of the very type of the column, as PostgreSQL asks of both sides."""

    __slots__ = ("array", "field")

    def __init__(self, array: Expression, field: ArrayField[Any]) -> None:
        self.array = array
        self.field = field

    def bind(self, binder: Binder) -> Bound:
        """Return the array."""
        bound = binder.bind(self.array)
        if bound.field is None:  # of a query around this one
            return bound
        found, wanted = bound.field.column_type(), self.field.column_type()
        if found.kind != "array":
            raise FieldError(f"{self.field.label} takes an array, not {self.array!r}")
        if found == wanted:
            return bound
        return Bound(FunctionOperand("cast", (bound.shape,), wanted), self.field)
