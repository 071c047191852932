"""Queries as immutable values: each method returns a new one, and nothing here talks to a database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar, cast

from transom.db import router
from transom.db.exceptions import FieldError
from transom.db.models.expressions import Aggregate, Bound, Expression, F, Q
from transom.db.models.query.beside import Beside, merge_ctes
from transom.db.models.query.binder import QueryBinder, model_ordering
from transom.db.models.query.binding import bind_condition, bind_ordering
from transom.db.models.query.columns import Columns
from transom.db.models.query.lookups import column_operand, resolve_path, resolve_relation
from transom.db.models.query.outputs import computed_field
from transom.db.models.record import Record
from transom.db.sql.shapes import (
    Annotation,
    AnnotationOperand,
    ColumnOperand,
    ColumnPath,
    ConditionShape,
    ExpressionShape,
    FunctionOperand,
    Grouping,
    Junction,
    Lock,
    Ordering,
    RowOperand,
    SelectShape,
    SubqueryOperand,
    WindowOperand,
    spread,
)
from transom.db.sql.walk import is_aggregate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Literal, Self

    from transom.db.models.expressions import OrderBy
    from transom.db.models.options import Options
    from transom.db.models.query.beside import AnyCTE
    from transom.db.sql.metadata import Hop
    from transom.db.sql.shapes import Step

M = TypeVar("M", bound=Record)


class Query(Generic[M]):
    """Which rows of a model, in which order, with which values. Immutable: share it, keep it, chain from it.

    It holds its shape (what the SQL depends on) and its values (what the arguments are made of) apart.
    """

    __slots__ = (
        "_annotations",
        "_beside",
        "_chosen",
        "_columns",
        "_distinct",
        "_empty",
        "_grouping",
        "_high",
        "_instance",
        "_low",
        "_ordering",
        "_ordering_values",
        "_related",
        "_reversed",
        "_selected",
        "_steps",
        "_sticky",
        "_values",
        "model",
    )

    def __init__(self, model: type[M], using: str | None = None, instance: Record | None = None) -> None:
        self.model = model
        self._chosen = using  # None: the routers choose, by the object whose relation this is
        self._instance = instance
        self._steps: tuple[Step, ...] = ()
        self._values: tuple[Any, ...] = ()  # of the steps. Any: values of all types
        self._annotations: Mapping[str, Bound] = _NONE
        self._selected: tuple[str, ...] = ()  # the annotations that results have
        self._grouping: Grouping | None = None
        self._ordering: tuple[Ordering, ...] | None = None  # None: the model's own
        self._ordering_values: tuple[Any, ...] = ()
        self._reversed = False
        self._distinct: bool | tuple[ExpressionShape, ...] = False
        self._related: tuple[tuple[Hop, ...], ...] = ()
        self._columns: Columns | None = None  # None: all
        self._beside: Beside | None = None  # what few queries have
        self._low = 0
        self._high: int | None = None
        self._empty = False
        self._sticky = False  # whether the next filter() speaks of the same related rows as the last one

    def _clone(self) -> Self:
        made = object.__new__(type(self))
        self._copy_to(made)
        return made

    def _copy_to(self, made: Query[M]) -> None:
        made.model = self.model
        made._chosen = self._chosen
        made._instance = self._instance
        made._steps = self._steps
        made._values = self._values
        made._annotations = self._annotations
        made._selected = self._selected
        made._grouping = self._grouping
        made._ordering = self._ordering
        made._ordering_values = self._ordering_values
        made._reversed = self._reversed
        made._distinct = self._distinct
        made._related = self._related
        made._columns = self._columns
        made._beside = self._beside
        made._low = self._low
        made._high = self._high
        made._empty = self._empty
        made._sticky = self._sticky

    def _binder(self, values: list[Any]) -> QueryBinder:
        """Return what binds expressions to this query, appending to these values of any type."""
        return QueryBinder(self.model._meta, self._annotations, values)

    @property
    def db(self) -> str:
        """The alias of the database that it would be asked of now."""
        return self._using

    @property
    def _using(self) -> str:
        """The database to read from; each time it is asked for the routers may choose another."""
        if self._chosen is not None:
            return self._chosen
        if router.active:
            return router.for_read(self.model, None, self._instance)
        return router.DEFAULT if self._instance is None else self._instance._using

    @property
    def _written_to(self) -> str:
        """The database to write to; asked for only right before it is."""
        return router.for_write(self.model, self._chosen, self._instance)

    def _of(self, instance: Record) -> Self:
        """Let this be a question about the relations of an object, which says where to ask if nothing else does."""
        made = self._clone()
        made._instance = instance
        return made

    @property
    def _options(self) -> Options:
        return self.model._meta

    # -- which rows ------------------------------------------------------------------------------------------------

    def filter(self, *conditions: Q | Expression, **lookups: Any) -> Self:
        """Keep the rows for which all conditions hold.

        Conditions on a relation with several rows, within one call, speak of the same row there; each further call
        speaks of any row. Such a row of ours comes once for each row there that fits; see `distinct`.

        Args:
            conditions: Q objects, comparisons of typed columns, or expressions that are true or false, such as `Exists`.
            lookups: `field=value`, `field__lookup=value`, `relation__field__lookup=value`. Any: each lookup
                takes its own type.

        Raises:
            FieldError: an unknown name, or a value that the lookup does not take.
        """
        return self._with_condition(Q(*conditions, **lookups))

    def exclude(self, *conditions: Q | Expression, **lookups: Any) -> Self:
        """Drop the rows for which all conditions hold; NULL equals nothing, so rows with NULL stay.

        A condition on a relation with several rows holds if it does for any of them.

        Raises:
            FieldError: an unknown name, or a value that the lookup does not take.
        """
        return self._with_condition(~Q(*conditions, **lookups))

    def _with_condition(self, condition: Q) -> Self:
        if not condition.children and not condition.negated:
            made = self._clone()
            made._sticky = False
            return made
        self._refuse_sliced("filter")
        values = list(self._values)
        binder = self._binder(values)
        shape = bind_condition(condition, binder)
        made = self._clone()
        if self._sticky:
            last = cast("ConditionShape", self._steps[-1])
            shape = Junction("AND", False, (last, shape))
        made._steps = (*(self._steps[:-1] if self._sticky else self._steps), shape)
        made._values = tuple(values)
        made._sticky = False
        if binder.ctes:
            made._attach(binder.ctes)
        return made

    def _attach(self, ctes: Sequence[AnyCTE]) -> None:
        """Let CTEs that were just bound stand before this query, which nobody else has yet."""
        beside = self._beside or Beside()
        self._beside = beside._replace(ctes=merge_ctes(beside.ctes, ctes))

    def _narrowed(self, condition: Q) -> Self:
        """Put a condition before all others: what is selected of several related rows is that of the first condition."""
        self._refuse_sliced("filter")
        values: list[Any] = []
        shape = bind_condition(condition, QueryBinder(self._options, {}, values))
        made = self._clone()
        made._steps = (shape, *self._steps)
        made._values = (*values, *self._values)
        return made

    def _unsliced(self) -> Self:
        """Take the slice back."""
        made = self._clone()
        made._low, made._high = 0, None
        return made

    def _numbered(self, name: str, low: int, high: int | None) -> Self:
        """Keep the rows from one number to another (from 0) among those that are equal in a column, in the order of the query."""
        column = ColumnOperand(resolve_path(self._options, name))
        window = WindowOperand(FunctionOperand("row_number", ()), (column,), self._order_terms(), None)
        made = self._clone()
        made._values = (*self._values, *self._ordering_values)
        made._steps = (*self._steps, Annotation(_NUMBER, window))
        made._annotations = {**self._annotations, _NUMBER: Bound(window, computed_field("bigint"))}
        last = Q() if high is None else Q(**{f"{_NUMBER}__lte": high})
        return made._with_condition(Q(**{f"{_NUMBER}__gt": low}) & last)

    def _sticking(self) -> Self:
        """Let the next filter() speak of the same related rows as the last one."""
        made = self._clone()
        made._sticky = True
        return made

    def none(self) -> Self:
        """Keep no rows; awaiting it asks no database."""
        made = self._clone()
        made._empty = True
        return made

    def all(self) -> Self:
        """Return the same query again."""
        return self._clone()

    def distinct(self, *terms: str | Expression) -> Self:
        """Drop rows that are the same in every selected column; with terms, in these.

        Args:
            terms: names and expressions, on PostgreSQL only: of the rows that are the same in them, the first stays, in an
                order that must begin with them.

        Raises:
            FieldError: an unknown name.
        """
        self._refuse_sliced("distinct")
        made = self._clone()
        made._distinct = True
        if terms:
            values: list[Any] = []
            binder = self._binder(values)
            shapes = [binder.bind(F(term) if isinstance(term, str) else term).shape for term in terms]
            if values:
                raise FieldError("distinct() takes columns, and expressions of columns without values")
            made._distinct = tuple([part for shape in shapes for part in spread(shape)])
        return made

    # -- with which values -----------------------------------------------------------------------------------------

    def annotate(self, *aggregates: Aggregate, **expressions: Expression | Q) -> Self:
        """Compute something for each row, which results have under a name: `annotate(n=Count("choices"))`.

        An aggregate groups: the rows of a relation, for each row of this query; or, after `values()`, all rows that are equal
        in the values. The name can stand in filter(), order_by() and other expressions from then on.

        Args:
            aggregates: over one column each; their names are as `choices__count`.
            expressions: what to compute, by name. A plain value is written `Value(…)`.

        Raises:
            FieldError: an unknown name, a name that is taken, or something that is no expression.
        """
        return self._annotate(named_expressions(aggregates, expressions), select=True)

    def alias(self, *aggregates: Aggregate, **expressions: Expression | Q) -> Self:
        """Give something a name for filter(), order_by() and other expressions, as `annotate`, but select it not."""
        return self._annotate(named_expressions(aggregates, expressions), select=False)

    def _annotate(self, expressions: Mapping[str, Expression | Q], *, select: bool) -> Self:
        self._refuse_sliced("annotate")
        made = self._clone()
        for name, expression in expressions.items():
            made._add_annotation(name, expression, select=select)
        return made

    def _add_annotation(self, name: str, expression: Expression | Q, *, select: bool) -> None:
        """Annotate this query itself, which nobody else has yet."""
        self._check_annotation(name, expression)
        values = list(self._values)
        binder = self._binder(values)
        bound = binder.bind(expression)
        if bound.field is None:
            raise FieldError(f"what {expression!r} has for values, nobody knows; give it an output_field")
        if isinstance(bound.shape, RowOperand):
            raise FieldError(
                f"{name}={expression!r} has several columns; annotate one of them, or choose it by values()"
            )
        if self._grouping is None and is_aggregate(bound.shape, ()):
            self._grouping = self._make_grouping()
        self._values = tuple(values)
        if binder.ctes:
            self._attach(binder.ctes)
        self._steps = (*self._steps, Annotation(name, bound.shape))
        self._annotations = {**self._annotations, name: bound}
        if select:
            self._selected = (*self._selected, name)

    def _check_annotation(self, name: str, expression: object) -> None:
        if not isinstance(expression, Expression | Q):
            raise FieldError(
                f"{name}={expression!r} is no expression; for a constant write Value({expression!r})"
            )
        if self._options.find(name) is not None:
            raise FieldError(
                f"{self._options.object_name} has a field {name!r}; choose another name to annotate"
            )
        if hasattr(self.model, name):
            raise FieldError(
                f"{self._options.object_name} has an attribute {name!r}; choose another name to annotate"
            )

    def _make_grouping(self) -> Grouping:
        """Return what groups the rows when the first aggregate is annotated: each row of the model by itself."""
        return Grouping(None)

    # -- in which order --------------------------------------------------------------------------------------------

    def order_by(self, *terms: str | OrderBy | Expression) -> Self:
        """Order by these and nothing else; without any, in no order.

        Args:
            terms: names, with `-` before them for the largest first; expressions, with asc() or desc(); `"?"` for random.

        Raises:
            FieldError: an unknown name.
        """
        self._refuse_sliced("order_by")
        made = self._clone()
        values: list[Any] = []
        binder = self._binder(values)
        made._ordering = bind_ordering(terms, binder)
        made._ordering_values = tuple(values)
        if binder.ctes:
            made._attach(binder.ctes)
        made._reversed = False
        return made

    def reverse(self) -> Self:
        """Turn the order around."""
        self._refuse_sliced("reverse")
        made = self._clone()
        made._reversed = not self._reversed
        return made

    @property
    def ordered(self) -> bool:
        """Whether the order is settled, here or by the model."""
        return bool(self._order_terms())

    @property
    def totally_ordered(self) -> bool:
        """Whether no two rows are equal in the order: it has the key in it, or a unique field without NULL."""
        return any(self._is_key(term.expression) for term in self._order_terms())

    def _is_key(self, expression: ExpressionShape | None) -> bool:
        if not isinstance(expression, ColumnOperand) or expression.path.hops:
            return False
        field: Any = expression.path.field  # of any type
        return field.unique and not field.null

    def _order_terms(self) -> tuple[Ordering, ...]:
        terms = model_ordering(self._options) if self._ordering is None else self._ordering
        if self._ordering is None and self._grouping is not None and self._grouping.columns is not None:
            return ()  # the model's order is no order of groups
        if self._reversed:
            return tuple([_turn(term) for term in terms])
        return terms

    # -- how many --------------------------------------------------------------------------------------------------

    def _slice(self, part: slice) -> Self:
        start, stop = part.start, part.stop
        if part.step is not None:
            raise TypeError("a queryset takes no step in a slice; take the list first: (await queryset)[::2]")
        if (start is not None and start < 0) or (stop is not None and stop < 0):
            raise ValueError("a queryset takes no negative bounds in a slice; reverse() the order instead")
        made = self._clone()
        made._low = self._low + (start or 0)
        if stop is not None:
            high = self._low + stop
            made._high = high if self._high is None else min(high, self._high)
        if made._high is not None and made._high <= made._low:
            made._empty = True
        return made

    @property
    def _is_sliced(self) -> bool:
        return bool(self._low) or self._high is not None

    def _refuse_sliced(self, method: str) -> None:
        if self._is_sliced:
            raise TypeError(
                f"{method}() after a slice would change which rows the slice means; call it before slicing, "
                "or filter by a subquery: .filter(pk__in=sliced)"
            )

    # -- with what, from where -------------------------------------------------------------------------------------

    def select_related(self, *names: str | None) -> Self:
        """Load the objects that relations to one object lead to with the same statement, by joins.

        Args:
            names: foreign keys, one-to-one relations in both directions, and paths of them: `"question"`,
                `"question__author"`, `"author__profile"`. None alone takes back what was named before.

        Raises:
            FieldError: a name is no such relation.
            TypeError: there are no names.
        """
        if not names:
            raise TypeError("select_related() takes the names of relations, or None to forget them")
        made = self._clone()
        if names == (None,):
            made._related = ()
            return made
        added = tuple([resolve_relation(self._options, name) for name in names if name is not None])
        made._related = tuple(dict.fromkeys((*self._related, *added)))
        return made

    def select_for_update(
        self, *, nowait: bool = False, skip_locked: bool = False, of: Sequence[str] = (), no_key: bool = False
    ) -> Self:
        """Lock the rows that are read until the end of the transaction, in which this must be asked.

        SQLite has no such locks and needs none: there, a transaction that may write is the only one.

        Args:
            nowait: whether to raise OperationalError where a row is locked already, rather than to wait.
            skip_locked: whether to leave such rows out.
            of: which rows to lock: `"self"`, and names as in select_related; all if none are given.
            no_key: whether others may go on to write rows that refer to these.

        Raises:
            FieldError: an unknown name in `of`.
        """
        if nowait and skip_locked:
            raise TypeError("nowait and skip_locked exclude each other")
        hops = [() if name == "self" else resolve_relation(self._options, name) for name in of]
        made = self._clone()
        lock = Lock(nowait, skip_locked, tuple(hops) if hops else None, no_key)
        made._beside = (self._beside or Beside())._replace(lock=lock)
        return made

    def only(self, *names: str) -> Self:
        """Load these columns and the key, and leave the others; reading one that is not loaded raises NotLoaded.

        Args:
            names: fields, also of rows that select_related reads along (`question__text`), of which the others are left then.
                What defer() has named stays left. Without names all is loaded.

        Raises:
            FieldError: an unknown name.
        """
        made = self._clone()
        left = () if self._columns is None or self._columns.are_wanted else self._columns.paths
        paths = [resolve_path(self._options, name) for name in names]
        made._columns = Columns(True, tuple([path for path in paths if path not in left])) if names else None
        return made

    def defer(self, *names: str | None) -> Self:
        """Load all but these columns; reading one of them raises NotLoaded.

        Args:
            names: fields, also of rows that select_related reads along (`question__text`). None alone takes back what was
                named before, here and in only().

        Raises:
            FieldError: an unknown name.
        """
        made = self._clone()
        if names == (None,):
            made._columns = None
            return made
        before = () if self._columns is None or self._columns.are_wanted else self._columns.paths
        paths = (*before, *(resolve_path(self._options, name) for name in names if name is not None))
        made._columns = Columns(False, paths)
        if self._columns is not None and self._columns.are_wanted:
            made._columns = Columns(True, tuple([path for path in self._columns.paths if path not in paths]))
        return made

    def using(self, alias: str) -> Self:
        """Ask the database of this alias, whatever routers say."""
        made = self._clone()
        made._chosen = alias
        return made

    # -- what it comes to ------------------------------------------------------------------------------------------

    def _shape(self, *, ordered: bool = True) -> SelectShape:
        lock, ctes = (None, ()) if self._beside is None else self._beside.shapes()
        return SelectShape(
            self.model._meta,
            self._steps,
            self._order_terms() if ordered else (),
            self._distinct,
            self._related,
            bool(self._low),
            self._high is not None,
            self._grouping,
            lock,
            ctes,
        )

    def _arguments(self, *, ordered: bool = True, selected: Sequence[Any] = ()) -> tuple[Any, ...]:
        """Return the values in the order of their places: of CTEs, steps, the ordering, what is selected, then the slice's."""
        values = self._values if self._beside is None else self._step_values()
        if ordered and self._ordering_values:
            values = (*values, *self._ordering_values)
        if selected:
            values = (*values, *selected)
        if self._low:
            values = (*values, self._low)
        if self._high is not None:
            values = (*values, self._high - self._low)
        return values

    def _cte_values(self) -> tuple[Any, ...]:
        """Return the values of the CTEs, of all types."""
        return () if self._beside is None else self._beside.values()

    def _step_values(self) -> tuple[Any, ...]:
        """Return the values of CTEs and steps, of all types."""
        return (*self._cte_values(), *self._values)

    def _own_arguments(self, *, ordered: bool) -> tuple[Any, ...]:
        """Return the values without those of CTEs, which a query within another leaves to that."""
        return self._arguments(ordered=ordered)[len(self._cte_values()) :]

    def _result_columns(self) -> list[Bound]:
        """Return what each result is made of."""
        fields = [Bound(ColumnOperand(ColumnPath((), field)), field) for field in self._options.fields]
        return fields + [self._annotation(name) for name in self._selected]

    def _annotation(self, name: str) -> Bound:
        return Bound(AnnotationOperand(name), self._annotations[name].field)

    def _subquery_column(self) -> Bound:
        """Return the one column that the query has within another: the key."""
        return self._key_column()

    def _key_column(self) -> Bound:
        pk = self._options.pk
        return Bound(column_operand(ColumnPath((), pk)), pk)

    def as_operand(self) -> tuple[SubqueryOperand, tuple[Any, ...]]:
        """Return the query as the right side of `__in`: its rows by one column, and the values."""
        shape, column, values = self.as_subquery()
        is_nullable = column.field.null if isinstance(column.shape, ColumnOperand | RowOperand) else True
        return SubqueryOperand(shape, column.shape, is_nullable), values

    def as_subquery(
        self, *, one_column: bool = True, ordered: bool = False
    ) -> tuple[SelectShape, Bound, tuple[Any, ...]]:
        """Return the query within another: its shape, its one column, and the values.

        Args:
            one_column: whether which column it is matters; it does not where only asked whether there are rows.
            ordered: whether the order of the rows matters though there is no slice.
        """
        made = self._with_false() if self._empty else self
        is_ordered = ordered or made._is_sliced or isinstance(made._distinct, tuple)
        shape = made._shape(ordered=is_ordered)._replace(related=(), lock=None, ctes=())
        column = made._subquery_column() if one_column else made._key_column()
        return shape, column, made._own_arguments(ordered=is_ordered)

    def _with_false(self) -> Self:
        made = self._clone()
        made._low, made._high = 0, None
        made._steps = (*self._steps, Junction("OR", True, ()))
        return made

    # -- what it is not --------------------------------------------------------------------------------------------

    def _refuse(self, what: str) -> NoReturn:
        raise TypeError(f"{what} of a queryset would need the database; {_REMEDIES[what]}")

    def __bool__(self) -> NoReturn:
        self._refuse("the truth value")

    def __len__(self) -> NoReturn:
        self._refuse("the length")

    def __iter__(self) -> NoReturn:
        self._refuse("the iteration")

    def __contains__(self, item: object) -> NoReturn:
        self._refuse("the membership")


_REMEDIES = {
    "the truth value": "use `await queryset.exists()`",
    "the length": "use `await queryset.count()`, or `len(await queryset)`",
    "the iteration": "use `async for row in queryset`, or `for row in await queryset`",
    "the membership": "use `await queryset.filter(pk=row.pk).exists()`",
}

_NUMBER = "number of the row"  # no name that an application can give

_NONE: Mapping[str, Bound] = {}


def named_expressions(
    aggregates: Sequence[Aggregate], expressions: Mapping[str, Expression | Q]
) -> dict[str, Expression | Q]:
    """Return expressions by name, aggregates without one by that which they have by themselves.

    Raises:
        FieldError: one has no name of its own, or a name is there twice.
    """
    named: dict[str, Expression | Q] = {}
    for aggregate in aggregates:
        if not isinstance(cast("object", aggregate), Aggregate):
            raise FieldError(f"{aggregate!r} is no aggregate and needs a name: name={aggregate!r}")
        name = aggregate.default_alias
        if name in named or name in expressions:
            raise FieldError(
                f"the name {name!r} is there twice; give one of them another: name={aggregate!r}"
            )
        named[name] = aggregate
    return {**named, **expressions}


def _turn(term: Ordering) -> Ordering:
    """Return a term of the order the other way around."""
    turned = {"first": "last", "last": "first"}
    nulls = None if term.nulls is None else turned[term.nulls]
    return Ordering(term.expression, not term.descending, cast("Literal['first', 'last'] | None", nulls))
