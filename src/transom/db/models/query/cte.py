"""Common table expressions: a query with a name, which other queries read, join and filter by."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast, overload

from transom.db.exceptions import FieldError
from transom.db.models.expressions import Bound, Expression, Q
from transom.db.models.query.asking import AskingQuery
from transom.db.models.query.base import Query
from transom.db.models.query.beside import Beside, merge_ctes
from transom.db.models.query.binding import bind_condition
from transom.db.models.query.values import ValuesQuery
from transom.db.sql.shapes import AnnotationOperand, ColumnOperand, CTEColumn, CTEJoin, CTEShape, CTESource
from transom.db.sql.walk import has_outer_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from transom.db.models.expressions import Binder
    from transom.db.models.query.beside import AnyCTE
    from transom.db.models.query.queryset import QuerySet
    from transom.db.models.record import Record
    from transom.db.sql.shapes import ExpressionShape, SelectShape

    Part = tuple[SelectShape, tuple[ExpressionShape, ...]]

# Any: querysets of any model
QueryT = TypeVar("QueryT", bound=AskingQuery[Any])
StartT = TypeVar("StartT", bound=AskingQuery[Any])
JoinedT = TypeVar("JoinedT", bound=Query[Any])
M = TypeVar("M", bound="Record")

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


class CTE(Generic[QueryT]):
    """A queryset as a table with a name, which stands before the statement (WITH) and is there for all of it. Immutable.

    Whatever speaks of it brings it along: nothing is to be attached to queries.

        totals = CTE(Book.objects.values("writer").annotate(total=Sum("pages")), name="totals")
        writers = totals.join(Writer, pk=totals.col.writer).annotate(total=totals.col.total)

    Args:
        queryset: of objects, all columns of which the CTE has, or of values; with what is annotated.
        name: by which SQL speaks of it; no two in one query have the same.
        materialized: whether the database shall compute it once and by itself, or as a part of each query that reads it; None
            leaves that to the database. MariaDB decides by itself always.

    Raises:
        FieldError: a wrong name, or the queryset speaks of a query around it.
        TypeError: the queryset reads related rows along, or some columns only.
    """

    def __init__(self, queryset: QueryT, name: str = "cte", *, materialized: bool | None = None) -> None:
        self._take(queryset, name)
        self._materialized = materialized

    # Not a classmethod: its type would have the type variable of the class in it, which nothing has bound yet.
    @staticmethod
    def recursive(
        start: StartT,
        step: Callable[[CTE[StartT]], AskingQuery[Any]],
        name: str = "cte",
        *,
        all: bool = True,
        materialized: bool | None = None,
    ) -> CTE[StartT]:
        """Return a CTE of rows, and of the rows that follow from them, until none do.

            tree = CTE.recursive(
                Node.objects.filter(pk=root).annotate(depth=Value(0)),
                lambda tree: tree.join(Node, parent=tree.col.id).annotate(depth=tree.col.depth + 1),
            )

        Args:
            start: the first rows.
            step: takes the CTE and returns the query that joins it for the rows that follow from its rows: with the same
                columns, by the same names. Any: of any model.
            name: see the class.
            all: whether rows that were there before are followed again. Without, a circle ends where a row comes again that is
                equal in every column; with a depth or a path in it none is, so a condition on that must end it.
            materialized: see the class.

        Raises:
            FieldError: see the class; or the two queries have other columns.
        """
        made = CTE(start, name, materialized=materialized)
        made._follow(step(made), all=all)
        return made

    def _take(self, queryset: QueryT, name: str) -> None:
        if not isinstance(cast("object", queryset), AskingQuery):
            raise TypeError(f"a CTE is made of a queryset, not of {queryset!r}")
        if not _NAME.fullmatch(name):
            raise FieldError(f"{name!r} is no name for a CTE: take letters, digits and underscores")
        self.name = name
        self._queryset = queryset
        self._all = True
        self.needs: tuple[AnyCTE, ...] = ()
        self.values: tuple[Any, ...] = ()  # Any: values of all types
        self._parts: tuple[Part, ...] = ()
        self._columns = _name_columns(name, queryset)
        self._add_part(queryset)

    def _add_part(self, queryset: AskingQuery[Any]) -> None:
        queryset._refuse_related("a CTE")
        select, columns, values = queryset._as_part()
        if has_outer_names((select, columns)):
            raise FieldError(
                f"the CTE {self.name!r} stands before the statement, and so cannot speak of a query around it"
            )
        ctes = () if queryset._beside is None else queryset._beside.ctes
        self.needs = merge_ctes(self.needs, [cte for cte in ctes if cte is not self])
        places = {column.column: place for place, (_, column) in enumerate(self._columns)}
        self._parts = (*self._parts, (select, tuple([columns[place] for place in places.values()])))
        self.values = (*self.values, *values)

    def _follow(self, queryset: AskingQuery[Any], *, all: bool) -> None:
        if not isinstance(cast("object", queryset), AskingQuery):
            raise TypeError(f"the step of a recursive CTE returns a queryset, not {queryset!r}")
        names, expected = queryset._result_names(), self._queryset._result_names()
        if names != expected:
            raise FieldError(
                f"the step of the CTE {self.name!r} has the columns {', '.join(names)}; expected {', '.join(expected)}"
            )
        if queryset._is_sliced or queryset._grouping is not None:
            raise FieldError(f"the step of the CTE {self.name!r} can neither be sliced nor grouped")
        self._all = all
        self._add_part(queryset)

    @property
    def shape(self) -> CTEShape:
        """What its SQL depends on."""
        columns = {column.column: column for _, column in self._columns}
        types = tuple([column.field.column_type() for column in columns.values()])
        return CTEShape(self.name, tuple(columns), types, self._parts, self._all, self._materialized)

    @property
    def col(self) -> CTEColumns:
        """The columns, as expressions for queries that join the CTE: `cte.col.pages`."""
        return CTEColumns(self.name, dict(self._columns))

    def queryset(self) -> QueryT:
        """Return a query of the rows of the CTE, in the form of those of its queryset."""
        made = self._queryset._clone()
        extra = [(name, column) for name, column in self._columns if not _is_own(made, column)]
        shown = [(name, column) for name, column in extra if name in made._result_names()]
        made._steps, made._values = (CTESource(self.name, tuple(extra)),), ()
        made._annotations = {name: Bound(column, column.field) for name, column in extra}
        made._selected = tuple([name for name, _ in shown])
        made._grouping, made._distinct, made._related, made._sticky = None, False, (), False
        made._ordering, made._ordering_values, made._reversed = (), (), False
        made._low, made._high, made._empty = 0, None, False
        made._beside = Beside(None, merge_ctes((), (self,)))
        if isinstance(self._queryset, ValuesQuery):
            values, columns = cast("ValuesQuery[Any, Any]", made), dict(self._columns)
            values._row_columns = tuple([_seen(values, name, columns[name]) for name in values._names])
        return made

    @overload
    def join(
        self, target: type[M], *conditions: Q | Expression, outer: bool = False, **lookups: Any
    ) -> QuerySet[M]: ...
    @overload
    def join(
        self, target: JoinedT, *conditions: Q | Expression, outer: bool = False, **lookups: Any
    ) -> JoinedT: ...
    def join(self, target: Any, *conditions: Q | Expression, outer: bool = False, **lookups: Any) -> Any:
        """Return a query of a model that joins the CTE, whose columns can be used in it: `cte.join(Writer, pk=cte.col.writer)`.

        Args:
            target: a model, or a queryset. Any: of any model.
            conditions: which row of the CTE goes with which of the query; all with all if there are none.
            outer: whether rows of the query stay that have none in the CTE.
            lookups: as in filter(). Any: each lookup takes its own type.

        Raises:
            FieldError: an unknown name, or the query joins the CTE already.
        """
        query = cast("Query[Any]", target if isinstance(target, Query) else target._default_manager.all())
        query._refuse_sliced("join")
        if any(isinstance(step, CTEJoin | CTESource) and step.cte == self.name for step in query._steps):
            raise FieldError(
                f"the query joins the CTE {self.name!r} already; make another of the same queryset"
            )
        values = list(query._values)
        binder = query._binder(values)
        condition = Q(*conditions, **lookups)
        shape = bind_condition(condition, binder) if condition.children else None
        made = query._clone()
        made._steps, made._values = (*query._steps, CTEJoin(self.name, shape, outer)), tuple(values)
        made._sticky = False
        made._attach((self, *binder.ctes))
        return made

    def __repr__(self) -> str:
        return f"<CTE {self.name!r} of {self._queryset!r}>"


class CTEColumns:
    """The columns of a CTE by their names."""

    def __init__(self, cte: str, columns: dict[str, CTEColumn]) -> None:
        self._cte = cte
        self._columns = columns

    def __getattr__(self, name: str) -> CTEColumnRef:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        found = self._columns.get(name)
        if found is None:
            raise FieldError(
                f"the CTE {self._cte!r} has no column {name!r}; choose from {', '.join(self._columns)}"
            )
        return CTEColumnRef(found)


class CTEColumnRef(Expression):
    """The value of a column of a CTE, in a query that joins it."""

    __slots__ = ("_column",)

    def __init__(self, column: CTEColumn) -> None:
        self._column = column

    def bind(self, binder: Binder) -> Bound:
        """Return the column."""
        return Bound(self._column, self._column.field)

    def __repr__(self) -> str:
        return f"{self._column.cte}.col.{self._column.column}"


def _name_columns(cte: str, queryset: AskingQuery[Any]) -> tuple[tuple[str, CTEColumn], ...]:
    """Return the columns by the names of results. Those of the model have their own names in SQL, others are numbered."""
    named: list[tuple[str, CTEColumn]] = []
    taken = {field.column for field in queryset._options.fields}
    for place, (name, bound) in enumerate(
        zip(queryset._result_names(), queryset._result_columns(), strict=True)
    ):
        column = f"c{place}"
        while column in taken:
            column += "_"
        if isinstance(bound.shape, ColumnOperand) and not bound.shape.path.hops:
            column = bound.shape.path.field.column
        if bound.field is None:
            raise FieldError(
                f"what the column {name!r} of the CTE {cte!r} has for values, nobody knows; give an output_field"
            )
        named.append((name, CTEColumn(cte, column, bound.field)))
    return tuple(named)


def _is_own(query: Query[Any], column: CTEColumn) -> bool:
    """Whether a column of a CTE is one of the model."""
    return any(field is column.field and field.column == column.column for field in query._options.fields)


def _seen(query: Query[Any], name: str, column: CTEColumn) -> Bound:
    """Return a column as a query that reads the CTE has it."""
    if _is_own(query, column):
        return query._binder([]).column(column.field.name)
    return Bound(AnnotationOperand(name), column.field)
