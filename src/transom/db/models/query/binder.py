"""Expressions bound to a query: names become columns and annotations, values go to the list of values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from transom.db.exceptions import FieldError
from transom.db.models.expressions import Bound, Expression, Q
from transom.db.models.query.binding import bind_condition, bind_ordering
from transom.db.models.query.lookups import (
    SEPARATOR,
    column_operand,
    make_lookup,
    resolve_left,
    resolve_lookup,
    resolve_path,
    take_transforms,
)
from transom.db.models.query.outputs import BARE, computed_field, field_of, told_field, zoned_field
from transom.db.sql.shapes import (
    AnnotationOperand,
    BareOperand,
    CombinedOperand,
    ConstantOperand,
    FunctionOperand,
    NullOperand,
    OuterColumn,
    OuterName,
    RowOperand,
    TruthOperand,
)
from transom.db.sql.walk import columns_of, replace_outer_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import tzinfo

    from transom.db.models.expressions import Operator, OrderBy
    from transom.db.models.fields import Field
    from transom.db.models.options import Options
    from transom.db.models.query.beside import AnyCTE
    from transom.db.models.query.binding import Values
    from transom.db.sql.column_type import ColumnKind
    from transom.db.sql.shapes import ConditionShape, ExpressionShape, Lookup, Ordering, SelectShape

_NUMBERS: Final = (
    "smallauto", "auto", "bigauto", "smallint", "integer", "bigint", "float", "decimal",
)  # fmt: skip


class QueryBinder:
    """The binder of one query; `Binder` in `expressions/base.py` says what expressions ask of it.

    Args:
        options: the model of the query.
        annotations: what was annotated so far.
        values: the values so far; those that are met are appended.
    """

    def __init__(self, options: Options, annotations: Mapping[str, Bound], values: Values) -> None:
        self._options = options
        self.annotations = annotations
        self.values = values

    @property
    def options(self) -> Options:
        """The model of the query."""
        return self._options

    def scratch(self) -> QueryBinder:
        """Return a binder like this one, with values of its own: to see what something would be bound to."""
        return QueryBinder(self._options, self.annotations, [])

    ctes: tuple[AnyCTE, ...] = ()
    """What the queries that were met speak of; it stands before the outermost."""

    def note_ctes(self, queryset: Any) -> None:
        """Note what stands before a query (of any model) within this one."""
        if queryset._beside is not None:
            self.ctes = (*self.ctes, *queryset._beside.ctes)

    def for_model(self, options: Options) -> QueryBinder:
        """Return a binder with the same values for a model that this one refers to."""
        return QueryBinder(options, {}, self.values)

    def bind(self, expression: object, like: Any = None) -> Bound:
        """Return an expression or a plain value bound. Any: any field."""
        if isinstance(expression, Expression):
            return expression.bind(self)
        if isinstance(expression, Q):
            return Bound(TruthOperand(self.condition(expression)), computed_field("boolean"))
        if expression is None:
            field = computed_field("text") if like is None else like
            return Bound(NullOperand(field), field)
        field = field_of(expression) if like is None else like
        self.values.append(expression)
        return Bound(ConstantOperand(field), field)

    def bare(self, value: Any) -> ExpressionShape:
        """Return a place for a value (of any type) in SQL of one's own."""
        self.values.append(value)
        return BareOperand(BARE)

    def column(self, name: str, model: type[Any] | None = None) -> Bound:
        """Return a column, an annotation, or a part of one. Any: any model."""
        if model is not None:
            self.check_model(model, name)
        known, words = self._find_annotation(name)
        if known is None:
            found = resolve_left(self._options, name, self)
            return found if isinstance(found, Bound) else found.bind(self)
        left = take_transforms(known, words, self)
        if left.words:
            raise FieldError(f"{name!r} is no annotation, and {SEPARATOR.join(left.words)!r} no part of one")
        return left.source.bind(self)

    def lookup(self, name: str, model: type[Any] | None) -> Lookup:
        """Return the left side and the kind of a comparison by its name. Any: any model."""
        if model is not None:
            self.check_model(model, name)
        if self.annotations:
            known, words = self._find_annotation(name)
            if known is not None:
                return make_lookup(take_transforms(known, words, self, before_lookup=True), name)
        # Most names were looked up before.
        return self._options.lookups.get(name) or resolve_lookup(self._options, name, self)

    def _find_annotation(self, name: str) -> tuple[Bound | None, list[str]]:
        """Return the annotation that a name begins with, and the words behind it."""
        if self.annotations:
            words = name.split(SEPARATOR)
            for length in range(len(words), 0, -1):
                alias = SEPARATOR.join(words[:length])
                known = self.annotations.get(alias)
                if known is not None:
                    return Bound(AnnotationOperand(alias), known.field), words[length:]
        return None, []

    def check_model(self, model: type[Any], name: str) -> None:
        """Refuse a typed column of another model than the query is about. Any: any model."""
        options = self._options
        if model._meta is options or model._meta.abstract:
            return
        if model._meta.concrete_model is not options.concrete_model:
            raise FieldError(
                f"{model.__name__}.{name} is no column of {options.object_name}; "
                f"go through a relation: {options.object_name}.<relation>.follow({model.__name__}.…)"
            )

    def outer(self, name: str, levels: int) -> Bound:
        """Return a name of a query around this one, of which nothing is known yet."""
        return Bound(OuterName(name, levels), None)

    def condition(self, condition: object) -> ConditionShape:
        """Return the shape of a condition."""
        if not isinstance(condition, Q | Expression):
            raise FieldError(f"a condition is a Q, or an expression that is true or false, not {condition!r}")
        return bind_condition(condition, self)

    def ordering(self, terms: Iterable[str | OrderBy | Expression]) -> tuple[Ordering, ...]:
        """Return the shape of terms to order by."""
        return bind_ordering(terms, self)

    def query(
        self, queryset: Any, *, one_column: bool = True, ordered: bool = False
    ) -> tuple[SelectShape, Bound]:
        """Return another query, within this one, and its one column. Any: of any model."""
        if not hasattr(queryset, "as_subquery"):
            raise FieldError(f"a subquery is made of a queryset, not of {queryset!r}")
        self.note_ctes(queryset)
        select, column, values = queryset.as_subquery(one_column=one_column, ordered=ordered)
        if one_column and isinstance(column.shape, RowOperand):
            raise FieldError(
                f"the value of a subquery is one column, and {column.field.label} has several; "
                "choose one by values_list()"
            )
        self.values.extend(values)
        select, shape = self.resolve_outer((select, column.shape))
        return select, Bound(shape, column.field)

    def resolve_outer(self, shape: Any) -> Any:
        """Return what stands within this query with the names of this query resolved. Any: a shape of any kind."""
        return replace_outer_names(shape, self._outer_column)

    def _outer_column(self, name: str, depth: int) -> ExpressionShape:
        path = resolve_path(self._options, name)
        columns = [OuterColumn(each, depth) for each in columns_of(column_operand(path))]
        return columns[0] if len(columns) == 1 else RowOperand(tuple(columns))

    def field(self, kind: ColumnKind, zone: tzinfo | None = None) -> Field[Any]:
        """Return the field of computed values of this kind; of points in time, which come back in this zone."""
        return computed_field(kind) if zone is None else zoned_field(zone)

    def output(self, field: object) -> Field[Any]:
        """Return the field that an expression was told to have."""
        return told_field(field)

    def combine(self, left: Bound, operator: Operator, right: Bound) -> Bound:
        """Return two numbers, or points and lengths of time, combined.

        Raises:
            FieldError: the operator makes no sense between the two.
        """
        kinds = (_kind(left), _kind(right))
        if "datetime" in kinds or "duration" in kinds:
            return self._combine_times(left, operator, right, kinds)
        for side, kind in zip((left, right), kinds, strict=True):
            if kind not in _NUMBERS:
                raise FieldError(
                    f"arithmetic takes int, float, Decimal and columns of numbers, not a {kind} ({side.field.label})"
                )
        fractional = [kind for kind in ("float", "decimal") if kind in kinds]
        output = cast("ColumnKind", fractional[0] if fractional else "bigint")
        return Bound(CombinedOperand(left.shape, operator, right.shape), computed_field(output))

    def _combine_times(
        self, left: Bound, operator: Operator, right: Bound, kinds: tuple[ColumnKind, ColumnKind]
    ) -> Bound:
        if kinds == ("duration", "datetime") and operator == "+":
            # The values stay in the order in which they were bound.
            return self._call("later_by", left, right, "datetime")
        match kinds, operator:
            case ("datetime", "duration"), "+":
                return self._call("later", left, right, "datetime")
            case ("datetime", "duration"), "-":
                return self._call("earlier", left, right, "datetime")
            case ("datetime", "datetime"), "-":
                return self._call("elapsed", left, right, "duration")
            case ("duration", "duration"), "+" | "-":
                pass
            case ("duration", ("integer" | "bigint" | "smallint")), "*" | "/":
                pass
            case _:
                raise FieldError(f"a {kinds[0]} and a {kinds[1]} cannot be combined by {operator!r}")
        return Bound(CombinedOperand(left.shape, operator, right.shape), computed_field("duration"))

    def _call(self, name: str, left: Bound, right: Bound, output: ColumnKind) -> Bound:
        field = computed_field(output)
        return Bound(FunctionOperand(name, (left.shape, right.shape), field.column_type()), field)


def _kind(side: Bound) -> ColumnKind:
    # Of a query around, which is not known yet, nothing is known either.
    return "bigint" if side.field is None else side.field.column_type().kind


def model_ordering(options: Options) -> tuple[Ordering, ...]:
    """Return the shape of the ordering that a model's queries have by themselves."""
    if options.bound_ordering is None:
        values: Values = []
        options.bound_ordering = bind_ordering(options.ordering, QueryBinder(options, {}, values))
        if values:
            raise FieldError(f"the ordering of {options.object_name} has values in it; order by columns")
    return options.bound_ordering
