"""Functions over the rows of a group that PostgreSQL alone has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from transom.db.exceptions import FieldError
from transom.db.models.expressions import Aggregate, F
from transom.db.postgres.arrays import array_of

if TYPE_CHECKING:
    from transom.db.models.expressions import Binder, Bound
    from transom.db.sql.column_type import ColumnKind


class _Collection(Aggregate):
    """What the aggregates share that keep all values.

    Args:
        operand: an expression, or the name of a column. Any: of any type.
        distinct: whether equal values come once; then they are ordered by nothing but themselves.
        filter: which rows count; a Q or another condition.
        default: what comes out where no row counts, in the place of NULL. Any: a list.
        order_by: names (`"-votes"`), expressions and their asc() and desc(); one, or several. Any: of several types.
    """

    __slots__ = ()

    def __init__(
        self,
        operand: Any,
        *,
        distinct: bool = False,
        filter: Any = None,  # Any: a Q, or an expression that is a condition
        default: Any = None,
        order_by: Any = (),
    ) -> None:
        super().__init__(operand, distinct=distinct, filter=filter, default=default)
        self.order_by = order_by

    def bind_default(self, binder: Binder, field: Any) -> Bound:
        """Return the default as a value of the field of what comes out. Any: any field."""
        return binder.bind(self.default, field)


class ArrayAgg(_Collection):
    """All values as an array, None among them: `ArrayAgg("choices__text", order_by="-choices__votes", default=[])`."""

    __slots__ = ()

    name = "array_agg"

    def find_field(self, binder: Binder, operands: list[Bound]) -> Any:
        """Return the field of arrays of the operand. Any: any field."""
        return array_of(operands[0].field)


class JSONBAgg(_Collection):
    """All values as a JSON array, null among them."""

    __slots__ = ()

    name = "jsonb_agg"
    output = "json"


class BitAnd(Aggregate):
    """The bits that all whole numbers have."""

    __slots__ = ()

    name = "bit_and"


class BitOr(Aggregate):
    """The bits that any of the whole numbers has."""

    __slots__ = ()

    name = "bit_or"


class BitXor(Aggregate):
    """The bits that an odd number of the whole numbers has."""

    __slots__ = ()

    name = "bit_xor"


class BoolAnd(Aggregate):
    """Whether all are true; an operand may be a condition: `BoolAnd(Q(votes__gt=0))`."""

    __slots__ = ()

    name = "bool_and"


class BoolOr(Aggregate):
    """Whether any is true; an operand may be a condition."""

    __slots__ = ()

    name = "bool_or"


class Statistic(Aggregate):
    """What can be said of pairs of numbers, of which neither is NULL. Its subclasses are made from a table below.

    Args:
        y: what depends on the other; an expression, or the name of a column. Any: of any type of number.
        x: what it depends on.
        filter: which rows count; a Q or another condition.
        default: see `Aggregate`.
    """

    __slots__ = ()

    output: ClassVar[ColumnKind | None] = "float"

    def __init__(
        self,
        y: Any,
        x: Any,
        *,
        filter: Any = None,  # Any: a Q, or an expression that is a condition
        default: Any = None,
    ) -> None:
        super().__init__(y, filter=filter, default=default)
        self.operands = (*self.operands, F(x) if isinstance(x, str) else x)

    @property
    def default_alias(self) -> str:
        """Refuse: it is over two columns."""
        raise FieldError(f"{self!r} needs a name: aggregate(name={self!r})")


class CovarPop(Statistic):
    """The covariance.

    Args:
        y: see `Statistic`. Any: of any type of number.
        x: see `Statistic`.
        sample: whether the rows are a sample of all that there are; then it is NULL where there is only one.
        options: see `Statistic`. Any: of several types.
    """

    __slots__ = ("sample",)

    def __init__(self, y: Any, x: Any, *, sample: bool = False, **options: Any) -> None:
        super().__init__(y, x, **options)
        self.sample = sample

    def function(self) -> str:
        """Return the function in SQL."""
        return "covar_samp" if self.sample else "covar_pop"


def _statistic(name: str, function: str, says: str, output: ColumnKind = "float") -> type[Statistic]:
    body = {"__slots__": (), "__doc__": f"{says}; see `Statistic`.", "__module__": __name__}
    return cast("type[Statistic]", type(name, (Statistic,), {**body, "name": function, "output": output}))


Corr: Final = _statistic("Corr", "corr", "How much the two go together, from -1 to 1")
RegrAvgX: Final = _statistic("RegrAvgX", "regr_avgx", "The average of x")
RegrAvgY: Final = _statistic("RegrAvgY", "regr_avgy", "The average of y")
RegrCount: Final = _statistic("RegrCount", "regr_count", "How many pairs there are", "bigint")
RegrIntercept: Final = _statistic(
    "RegrIntercept", "regr_intercept", "Where the line through the pairs has y for an x of 0"
)
RegrR2: Final = _statistic("RegrR2", "regr_r2", "The square of the correlation")
RegrSlope: Final = _statistic("RegrSlope", "regr_slope", "How steep the line through the pairs is")
RegrSXX: Final = _statistic("RegrSXX", "regr_sxx", "The sum of the squared distances of x to its average")
RegrSXY: Final = _statistic("RegrSXY", "regr_sxy", "The sum of the products of both distances")
RegrSYY: Final = _statistic("RegrSYY", "regr_syy", "The sum of the squared distances of y to its average")
