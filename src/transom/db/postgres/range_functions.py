"""Ranges made of two columns, and what exclusion constraints of them say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from transom.db.models.expressions import Bound, Expression, Func, Value
from transom.db.models.expressions.references import Settled
from transom.db.postgres.ranges import (
    BigIntegerRangeField,
    DateRangeField,
    DateTimeRangeField,
    DecimalRangeField,
    IntegerRangeField,
)
from transom.db.sql.shapes import FunctionOperand

if TYPE_CHECKING:
    from transom.db.models.expressions import Binder
    from transom.db.models.fields import Field
    from transom.db.postgres.ranges import RangeField


class RangeOperators:
    """Operators between ranges, for `ExclusionConstraint`."""

    EQUAL: Final = "="
    NOT_EQUAL: Final = "<>"
    CONTAINS: Final = "@>"
    CONTAINED_BY: Final = "<@"
    OVERLAPS: Final = "&&"
    FULLY_LT: Final = "<<"
    FULLY_GT: Final = ">>"
    NOT_LT: Final = "&>"
    NOT_GT: Final = "&<"
    ADJACENT_TO: Final = "-|-"


class RangeBoundary(Value):
    """Which bounds belong to a range that is made of columns: `TsTzRange("start", "end", RangeBoundary())`."""

    __slots__ = ()

    def __init__(self, inclusive_lower: bool = True, inclusive_upper: bool = False) -> None:
        super().__init__(("[" if inclusive_lower else "(") + ("]" if inclusive_upper else ")"))


class RangeFunction(Func):
    """A range made of two bounds, columns or values or None for no bound, and of a `RangeBoundary`: `[)` if there is none.

    Args:
        lower: where it begins; a str is the name of a column. Any: of any type that the bounds have.
        upper: where it ends.
        bounds: which of the two belong to it.
    """

    def __init__(self, lower: Any, upper: Any, *bounds: RangeBoundary | Value) -> None:
        super().__init__(lower, upper, *bounds)

    def bind(self, binder: Binder) -> Bound:
        """Return the call, the bounds being of the very type of the range."""
        field = cast("RangeField[Any]", self.output_field)
        lower, upper, *bounds = self.operands
        operands = [_bind_exactly(each, field.base_field, binder) for each in (lower, upper)]
        call = Func(*operands, *bounds, function=self.function, output_field=field)
        return call.bind(binder)


def _bind_exactly(bound: Any, base: Field[Any], binder: Binder) -> Expression:
    found = binder.bind(bound, base)
    if (
        isinstance(bound, Expression)
        and found.field is not None
        and found.field.column_type() == base.column_type()
    ):
        return Settled(found)
    return Settled(Bound(FunctionOperand("cast_exactly", (found.shape,), base.column_type()), base))


class Int4Range(RangeFunction):
    """A range of whole numbers of 32 bits."""

    function = "int4range"
    output_field = IntegerRangeField()


class Int8Range(RangeFunction):
    """A range of whole numbers of 64 bits."""

    function = "int8range"
    output_field = BigIntegerRangeField()


class NumRange(RangeFunction):
    """A range of decimals."""

    function = "numrange"
    output_field = DecimalRangeField()


class TsTzRange(RangeFunction):
    """A range of points in time."""

    function = "tstzrange"
    output_field = DateTimeRangeField()


class DateRange(RangeFunction):
    """A range of days."""

    function = "daterange"
    output_field = DateRangeField()
