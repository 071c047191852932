"""Functions over the rows of a group: `annotate(n=Count("choices"))`, `aggregate(total=Sum("votes"))`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from transom.db.exceptions import FieldError
from transom.db.models.expressions.base import Bound, Expression, OrderBy
from transom.db.models.expressions.references import F
from transom.db.sql.shapes import AggregateOperand, FunctionOperand

if TYPE_CHECKING:
    from collections.abc import Iterable

    from transom.db.models.expressions.base import Binder
    from transom.db.sql.column_type import ColumnKind
    from transom.db.sql.shapes import Ordering


class Aggregate(Expression):
    """What the aggregates have in common.

    Args:
        operand: an expression, or the name of a column. Any: of any type.
        distinct: whether equal values count once.
        filter: which rows count; a Q or another condition.
        default: what comes out where no row counts, in the place of NULL. Any: of any type.
        output_field: the field whose values come out, if not the aggregate's own. Any: any field.
    """

    __slots__ = ("default", "distinct", "filter", "operands", "order_by", "output_field")

    name: ClassVar[str]
    """The function in SQL."""
    output: ClassVar[ColumnKind | None] = None
    """What comes out; None for the same as goes in."""

    def __init__(
        self,
        operand: Any,
        *,
        distinct: bool = False,
        filter: Any = None,  # Any: a Q, or an expression that is a condition
        default: Any = None,
        output_field: Any = None,
    ) -> None:
        self.operands: tuple[Any, ...] = (F(operand) if isinstance(operand, str) else operand,)
        self.distinct = distinct
        self.filter = filter
        self.default = default
        self.output_field = output_field
        self.order_by: Any = ()  # names, expressions and their asc() and desc(); one, or several

    def bind(self, binder: Binder) -> Bound:
        """Return the aggregate; its operands are bound first, then the filter, the order and the default."""
        operands = [binder.bind(operand) for operand in self.operands]
        condition = None if self.filter is None else binder.condition(self.filter)
        field = self.find_field(binder, operands)
        shapes = tuple([operand.shape for operand in operands])
        ordering = self._ordering(binder)
        shape = AggregateOperand(
            self.function(), shapes, self.distinct, condition, field.column_type(), ordering
        )
        if self.default is None:
            return Bound(shape, field)
        default = self.bind_default(binder, field)
        return Bound(FunctionOperand("coalesce", (shape, default.shape), field.column_type()), field)

    def _ordering(self, binder: Binder) -> tuple[Ordering, ...]:
        terms = several(self.order_by) if self.order_by != () else ()
        if "?" in terms:
            raise FieldError(f"{self!r} cannot have a random order")
        return binder.ordering(terms)

    def bind_default(self, binder: Binder, field: Any) -> Bound:
        """Return the default, where there is one; `field` is that of what comes out. Any: any field."""
        return binder.bind(self.default)

    def function(self) -> str:
        """Return the function in SQL."""
        return self.name

    def find_field(self, binder: Binder, operands: list[Bound]) -> Any:
        """Return the field of what comes out. Any: any field."""
        if self.output_field is not None:
            return binder.output(self.output_field)
        return operands[0].known_field if self.output is None else binder.field(self.output)

    @property
    def default_alias(self) -> str:
        """The name in `aggregate()` if none is given: `votes__sum`.

        Raises:
            FieldError: it is not over one column.
        """
        operand = self.operands[0] if self.operands else None
        if not isinstance(operand, F):
            raise FieldError(f"{self!r} needs a name: aggregate(name={self!r})")
        return f"{operand.path}__{type(self).__name__.lower()}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.operands))})"


class Avg(Aggregate):
    """The average; a float, of decimals a decimal."""

    __slots__ = ()

    name = "avg"

    def find_field(self, binder: Binder, operands: list[Bound]) -> Any:
        """Return the field of what comes out. Any: any field."""
        kind = operands[0].known_field.column_type()
        if self.output_field is None and (kind.is_integer or kind.kind == "decimal"):
            return binder.field("float" if kind.is_integer else "decimal")
        return super().find_field(binder, operands)


class Count(Aggregate):
    """How many values there are that are not NULL; `Count("*")` counts rows. It is never NULL."""

    __slots__ = ()

    name = "count"
    output = "bigint"

    def __init__(
        self,
        operand: Any,
        *,
        distinct: bool = False,
        filter: Any = None,  # Any: a Q, or an expression that is a condition
    ) -> None:
        super().__init__(operand, distinct=distinct, filter=filter)
        if operand == "*":
            self.operands = ()
            if distinct:
                raise FieldError('Count("*") counts rows, which are all different; drop distinct=True')


class Max(Aggregate):
    """The largest value."""

    __slots__ = ()

    name = "max"


class Min(Aggregate):
    """The smallest value."""

    __slots__ = ()

    name = "min"


class _Spread(Aggregate):
    """How far values are spread around their average.

    Args:
        operand: see `Aggregate`. Any: of any type.
        sample: whether the rows are a sample of all that there are; then it is NULL where there is only one.
        options: see `Aggregate`. Any: of several types.
    """

    __slots__ = ("sample",)

    output = "float"
    names: ClassVar[tuple[str, str]]

    def __init__(self, operand: Any, *, sample: bool = False, **options: Any) -> None:
        super().__init__(operand, **options)
        self.sample = sample

    def function(self) -> str:
        """Return the function in SQL."""
        return self.names[self.sample]


class StdDev(_Spread):
    """The standard deviation."""

    __slots__ = ()

    names = ("stddev_pop", "stddev_samp")


class StringAgg(Aggregate):
    """All texts in one, with a delimiter between them: `StringAgg("name", Value(", "), order_by="name")`.

    Args:
        operand: see `Aggregate`. Any: of any type.
        delimiter: a text.
        distinct: whether equal texts come once; not on SQLite.
        filter: see `Aggregate`.
        default: see `Aggregate`.
        order_by: names (`"-votes"`), expressions and their asc() and desc(); one, or several; not on SQLite.
    """

    __slots__ = ()

    name = "string_agg"
    output = "text"

    def __init__(
        self,
        operand: Any,
        delimiter: Any,
        *,
        distinct: bool = False,
        filter: Any = None,  # Any: a Q, or an expression that is a condition
        default: Any = None,
        order_by: Any = (),
    ) -> None:
        super().__init__(operand, distinct=distinct, filter=filter, default=default)
        self.operands = (*self.operands, delimiter)
        self.order_by = order_by


def several(given: Any) -> tuple[Any, ...]:
    """Return one thing to order or divide by, or several, as a tuple. Any: names and expressions."""
    if isinstance(given, tuple | list) and not isinstance(given, OrderBy):
        return tuple(cast("Iterable[Any]", given))
    return (given,)


class Sum(Aggregate):
    """The sum; NULL where no row counts, unless there is a default."""

    __slots__ = ()

    name = "sum"

    def find_field(self, binder: Binder, operands: list[Bound]) -> Any:
        """Return the field of what comes out: that of 64 bits for all whole numbers. Any: any field."""
        if self.output_field is None and operands[0].known_field.column_type().is_integer:
            return binder.field("bigint")
        return super().find_field(binder, operands)


class Variance(_Spread):
    """The variance: the mean square of the distances to the average."""

    __slots__ = ()

    names = ("var_pop", "var_samp")
