"""Functions over the rows around each row: `Window(Rank(), partition_by="question", order_by="-votes")`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transom.db.exceptions import FieldError
from transom.db.models.expressions.aggregates import Aggregate, several
from transom.db.models.expressions.base import Bound, Expression, OrderBy
from transom.db.models.expressions.function import Function
from transom.db.models.expressions.references import F
from transom.db.sql.shapes import Frame, WindowOperand

if TYPE_CHECKING:
    from transom.db.models.expressions.base import Binder


class WindowFrame:
    """The rows that a window's function sees, relative to the row at hand, which is 0.

    Args:
        start: the first one, -1 for the row before; None for as far as there are any.
        end: the last one.
    """

    __slots__ = ("frame",)

    unit: Any = "ROWS"  # Any: its Literal is that of `Frame`

    def __init__(self, start: int | None = None, end: int | None = None) -> None:
        self.frame = Frame(self.unit, start, end)


class RowRange(WindowFrame):
    """A frame counted in rows."""

    __slots__ = ()


class ValueRange(WindowFrame):
    """A frame counted in the values of the one thing that the window is ordered by."""

    __slots__ = ()

    unit = "RANGE"


class Window(Expression):
    """A function over rows that are equal in some columns, in an order, for each row.

    Args:
        expression: an aggregate, or a function of this module.
        partition_by: names of columns and expressions that the rows around are equal in; one, or several. Any: see order_by.
        order_by: names (`"-votes"`), expressions and their asc() and desc(); one, or several. Any: of several types.
        frame: the rows that the function sees, if not those up to the one at hand (with an order), or all of them.
    """

    __slots__ = ("expression", "frame", "order_by", "partition_by")

    def __init__(
        self,
        expression: Expression,
        *,
        partition_by: Any = (),
        order_by: Any = (),
        frame: WindowFrame | None = None,
    ) -> None:
        self.expression = expression
        self.partition_by = several(partition_by)
        self.order_by: tuple[str | OrderBy | Expression, ...] = several(order_by)
        self.frame = frame
        if isinstance(expression, Window):
            raise FieldError("a window over a window needs a subquery")
        if isinstance(expression, Aggregate) and expression.order_by != ():
            raise FieldError("an aggregate over a window has the order of the window; drop its own order_by")
        if isinstance(expression, Aggregate) and expression.default is not None:
            raise FieldError("an aggregate over a window takes no default; write Coalesce(Window(…), …)")

    def bind(self, binder: Binder) -> Bound:
        """Return the function, then what it is partitioned by, then its order."""
        function = binder.bind(self.expression)
        parts = tuple(
            [binder.bind(F(each) if isinstance(each, str) else each).shape for each in self.partition_by]
        )
        ordering = binder.ordering(self.order_by)
        frame = None if self.frame is None else self.frame.frame
        return Bound(WindowOperand(function.shape, parts, ordering, frame), function.field)

    def __repr__(self) -> str:
        return f"Window({self.expression!r})"


class CumeDist(Function):
    """Which share of the rows comes up to this one."""

    __slots__ = ()

    name = "cume_dist"
    output = "float"
    arity = (0, 0)


class DenseRank(Function):
    """The place of the row; those after equals follow without a gap."""

    __slots__ = ()

    name = "dense_rank"
    output = "bigint"
    arity = (0, 0)


class FirstValue(Function):
    """The value of the first row."""

    __slots__ = ()

    name = "first_value"


class Lag(Function):
    """The value of a row before: `Lag("votes", 1)`, and a third operand where there is none."""

    __slots__ = ()

    name = "lag"
    arity = (1, 3)


class LastValue(Function):
    """The value of the last row."""

    __slots__ = ()

    name = "last_value"


class Lead(Function):
    """The value of a row behind: `Lead("votes", 1)`, and a third operand where there is none."""

    __slots__ = ()

    name = "lead"
    arity = (1, 3)


class NthValue(Function):
    """The value of a row by its place: `NthValue("votes", 2)`."""

    __slots__ = ()

    name = "nth_value"
    arity = (2, 2)


class Ntile(Function):
    """Which of so many parts the row is in: `Ntile(4)`."""

    __slots__ = ()

    name = "ntile"
    output = "bigint"


class PercentRank(Function):
    """The place of the row, as a share."""

    __slots__ = ()

    name = "percent_rank"
    output = "float"
    arity = (0, 0)


class Rank(Function):
    """The place of the row; those after equals follow with a gap."""

    __slots__ = ()

    name = "rank"
    output = "bigint"
    arity = (0, 0)


class RowNumber(Function):
    """The number of the row, from 1."""

    __slots__ = ()

    name = "row_number"
    output = "bigint"
    arity = (0, 0)
