"""Queries as immutable values: each method returns a new one, and nothing here talks to a database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

from transom.db import router
from transom.db.models.expressions import Q
from transom.db.models.query.binding import bind_condition, bind_ordering, model_ordering
from transom.db.models.query.lookups import resolve_relation
from transom.db.models.record import Record
from transom.db.sql.shapes import ConditionShape, Junction, Ordering, SelectShape, SubqueryOperand

if TYPE_CHECKING:
    from typing import Self

    from transom.db.models.expressions import Expression, OrderBy
    from transom.db.models.options import Options
    from transom.db.sql.metadata import Hop

M = TypeVar("M", bound=Record)


class Query(Generic[M]):
    """Which rows of a model, in which order. Immutable: share it, keep it, chain from it as often as you like.

    It holds its shape (what the SQL depends on) and its values (what the arguments are made of) apart.
    """

    __slots__ = (
        "_chosen",
        "_distinct",
        "_empty",
        "_filters",
        "_high",
        "_instance",
        "_low",
        "_ordering",
        "_related",
        "_reversed",
        "_sticky",
        "_values",
        "model",
    )

    def __init__(self, model: type[M], using: str | None = None, instance: Record | None = None) -> None:
        self.model = model
        self._chosen = using  # None: the routers choose, by the object whose relation this is
        self._instance = instance
        self._filters: tuple[ConditionShape, ...] = ()
        self._values: tuple[Any, ...] = ()  # Any: values of all types
        self._ordering: tuple[Ordering, ...] | None = None  # None: the model's own
        self._reversed = False
        self._distinct = False
        self._related: tuple[tuple[Hop, ...], ...] = ()
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
        made._filters = self._filters
        made._values = self._values
        made._ordering = self._ordering
        made._reversed = self._reversed
        made._distinct = self._distinct
        made._related = self._related
        made._low = self._low
        made._high = self._high
        made._empty = self._empty
        made._sticky = self._sticky

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

    def filter(self, *conditions: Q, **lookups: Any) -> Self:
        """Keep the rows for which all conditions hold.

        Conditions on a relation with several rows, within one call, speak of the same row there; each further call
        speaks of any row. Such a row of ours comes once for each row there that fits; see `distinct`.

        Args:
            conditions: Q objects, or comparisons of typed columns.
            lookups: `field=value`, `field__lookup=value`, `relation__field__lookup=value`. Any: each lookup
                takes its own type.

        Raises:
            FieldError: an unknown name, or a value that the lookup does not take.
        """
        return self._with_condition(Q(*conditions, **lookups))

    def exclude(self, *conditions: Q, **lookups: Any) -> Self:
        """Drop the rows for which all conditions hold; NULL equals nothing, so rows with NULL stay.

        A condition on a relation with several rows holds if it does for any of them.

        Raises:
            FieldError: an unknown name, or a value that the lookup does not take.
        """
        return self._with_condition(~Q(*conditions, **lookups))

    def _with_condition(self, condition: Q) -> Self:
        if not condition.children and not condition.negated:
            return self._clone()
        self._refuse_sliced("filter")
        values = list(self._values)
        shape = bind_condition(condition, self._options, values)
        made = self._clone()
        if self._sticky:
            shape = Junction("AND", False, (self._filters[-1], shape))
        made._filters = (*(self._filters[:-1] if self._sticky else self._filters), shape)
        made._values = tuple(values)
        made._sticky = False
        return made

    def _narrowed(self, condition: Q) -> Self:
        """Put a condition before all others: what is selected of several related rows is that of the first condition."""
        self._refuse_sliced("filter")
        values: list[Any] = []
        shape = bind_condition(condition, self._options, values)
        made = self._clone()
        made._filters = (shape, *self._filters)
        made._values = (*values, *self._values)
        return made

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

    def distinct(self) -> Self:
        """Drop rows that are the same in every selected column."""
        self._refuse_sliced("distinct")
        made = self._clone()
        made._distinct = True
        return made

    # -- in which order --------------------------------------------------------------------------------------------

    def order_by(self, *terms: str | OrderBy | Expression) -> Self:
        """Order by these columns and no others; without any, in no order.

        Args:
            terms: names, with `-` before them for the largest first; columns with asc() or desc(); `"?"` for random.

        Raises:
            FieldError: an unknown name.
        """
        self._refuse_sliced("order_by")
        made = self._clone()
        made._ordering = bind_ordering(self._options, terms)
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

    def _order_terms(self) -> tuple[Ordering, ...]:
        terms = model_ordering(self._options) if self._ordering is None else self._ordering
        if self._reversed:
            return tuple([Ordering(path, not descending) for path, descending in terms])
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

    def select_related(self, *names: str) -> Self:
        """Load the objects that relations to one object lead to with the same statement, by joins.

        Args:
            names: foreign keys, one-to-one relations in both directions, and paths of them: `"question"`,
                `"question__author"`, `"author__profile"`.

        Raises:
            FieldError: a name is no such relation.
        """
        made = self._clone()
        added = tuple([resolve_relation(self._options, name) for name in names])
        made._related = tuple(dict.fromkeys((*self._related, *added)))
        return made

    def using(self, alias: str) -> Self:
        """Ask the database of this alias, whatever routers say."""
        made = self._clone()
        made._chosen = alias
        return made

    # -- what it comes to ------------------------------------------------------------------------------------------

    def _shape(self, *, ordered: bool = True) -> SelectShape:
        return SelectShape(
            self.model._meta,
            self._filters,
            self._order_terms() if ordered else (),
            self._distinct,
            self._related,
            bool(self._low),
            self._high is not None,
        )

    def _arguments(self) -> tuple[Any, ...]:
        """Return the values in the order of their places: those of conditions, then the slice's."""
        values = self._values
        if self._low:
            values = (*values, self._low)
        if self._high is not None:
            values = (*values, self._high - self._low)
        return values

    def as_operand(self) -> tuple[SubqueryOperand, tuple[Any, ...]]:
        """Return the query as the right side of `__in`: its rows by their primary key."""
        made = self._with_false() if self._empty else self
        shape = made._shape(ordered=made._is_sliced)._replace(related=())
        return SubqueryOperand(shape, self._options.pk), made._arguments()

    def _with_false(self) -> Self:
        made = self._clone()
        made._low, made._high = 0, None
        made._filters = (*self._filters, Junction("OR", True, ()))
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
