"""Conditions taken apart: the shape, which selects the SQL, and the values, which become its arguments."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Protocol, cast

from transom.db.exceptions import FieldError
from transom.db.models.expressions import (
    Binder,
    Bound,
    CommonLookup,
    Condition,
    Expression,
    F,
    OrderBy,
    Q,
    RawSQL,
    Subquery,
    Value,
)
from transom.db.models.expressions import Lookup as LookupExpression
from transom.db.models.expressions.function import Call
from transom.db.models.expressions.references import Given
from transom.db.models.expressions.templates import by_side, declared, for_each
from transom.db.models.fields import Field, ForeignKey
from transom.db.models.query.composite import bind_key, list_keys
from transom.db.models.query.lookups import SEPARATOR, column_operand, intern_lookup
from transom.db.models.query.right_sides import LARGEST, SMALLEST, beyond, key_of, label_of, list_of
from transom.db.sql.shapes import (
    BETWEEN_SETS,
    Assignment,
    ColumnOperand,
    ColumnPath,
    Comparison,
    ConditionShape,
    DocumentPart,
    Junction,
    Lookup,
    LookupName,
    Mark,
    Operand,
    Ordering,
    RangeOperand,
    RowOperand,
    SubqueryOperand,
    TemplateOperand,
    Truth,
    TruthOperand,
    spread,
)
from transom.db.sql.walk import columns_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from transom.db.models.options import Options
    from transom.db.sql.shapes import ExpressionShape

Values = list[Any]  # Any: values of all types, in the order of their places


class ConditionBinder(Binder, Protocol):
    """What conditions and orderings ask of the query that they are bound to, beyond what expressions do.

    Attributes:
        values: those that were bound so far.
    """

    values: Values

    @property
    def options(self) -> Options:
        """The model of the query."""
        ...

    def lookup(self, name: str, model: type[Any] | None) -> Lookup:
        """Return the left side and the kind of a comparison by its name. Any: any model."""
        ...

    def resolve_outer(self, shape: Any) -> Any:
        """Return what stands within this query with the names of this query resolved. Any: a shape of any kind."""
        ...

    def scratch(self) -> ConditionBinder:
        """Return a binder like this one, with values of its own."""
        ...

    def note_ctes(self, queryset: Any) -> None:
        """Note what stands before a query (of any model) within this one."""
        ...

    def for_model(self, options: Options) -> ConditionBinder:
        """Return a binder with the same values for a model that this one refers to."""
        ...


def bind_condition(condition: Q | Condition | Expression, binder: ConditionBinder) -> ConditionShape:
    """Return the shape of a condition, appending its values.

    Raises:
        FieldError: an unknown name, a value that its lookup cannot take, or an expression that is neither true nor false.
    """
    if isinstance(condition, Condition):
        lookup = binder.lookup(condition.name, condition.model)
        if lookup.source is not None:
            return _bind_anew(lookup, condition.value, binder)
        if isinstance(lookup.left, RowOperand):
            return _bind_row(lookup, condition.value, binder)
        return Comparison(lookup, _bind_operand(lookup, condition.value, binder))
    if isinstance(condition, LookupExpression):
        return _bind_lookup(condition, binder)
    if isinstance(condition, Expression):
        bound = condition.bind(binder)
        if bound.field is None or bound.field.column_type().kind != "boolean":
            raise FieldError(f"{condition!r} is neither true nor false, and so no condition")
        return Truth(bound.shape)
    children = tuple([bind_condition(child, binder) for child in condition.children])
    if len(children) == 1 and not condition.negated:
        return children[0]
    return Junction(condition.connector, condition.negated, children)


def _bind_anew(lookup: Lookup, value: Any, binder: ConditionBinder) -> ConditionShape:
    """Return a comparison whose left side has values, or is that of an application's own lookup, or changes both sides."""
    if lookup.custom is not None:
        return _bind_lookup(lookup.custom(lookup.source, value), binder)
    return _bind_common(lookup.source, lookup.name, value, binder)


def _bind_lookup(given: LookupExpression, binder: ConditionBinder) -> ConditionShape:
    if isinstance(given, CommonLookup):
        return _bind_common(given.lhs, cast("LookupName", given.lookup_name), given.rhs, binder)
    return _bind_custom(given, binder)


def _bind_common(source: Any, name: LookupName, value: Any, binder: ConditionBinder) -> ConditionShape:
    """Return a comparison by a lookup that all databases have."""
    transforms = _bilateral_transforms(source)
    if transforms and name != "isnull" and value is not None:
        return _bind_both_sides(source, name, value, transforms, binder)
    lookup = intern_lookup(binder.bind(source), name)
    if isinstance(lookup.left, RowOperand):
        return _bind_row(lookup, value, binder)
    return Comparison(lookup, _bind_operand(lookup, value, binder))


def _bind_row(lookup: Lookup, value: Any, binder: ConditionBinder) -> Comparison:
    """Return a comparison of a key of several columns."""
    if value is None or lookup.name in ("in", "isnull"):
        return Comparison(lookup, _bind_operand(lookup, value, binder))
    return bind_key(lookup, value, binder, binder.values)


def _bilateral_transforms(source: Any) -> list[Call]:
    """Return the transforms of a left side that are ones of the right side too, the innermost first."""
    found: list[Call] = []
    while isinstance(source, Call):
        if source.bilateral:
            found.insert(0, source)
        source = source.lhs if source.operands else None
    return found


def _bind_both_sides(
    source: Any, name: LookupName, value: Any, transforms: list[Call], binder: ConditionBinder
) -> ConditionShape:
    """Return a comparison with what the transforms make of the right side; of a list, each member by itself."""
    scratch = binder.scratch().bind(source)
    if name == "in":
        members = list_of(intern_lookup(scratch, name), value)
        each = tuple([_bind_common(source, "exact", member, binder) for member in members])
        return Junction("OR", False, each) if each else Junction("OR", True, ())
    field = binder.scratch().bind(transforms[0].lhs).field
    if name == "range":
        value = tuple(
            [_transform(end, field, transforms) for end in _ends_of(intern_lookup(scratch, name), value)]
        )
    else:
        value = _transform(value, field, transforms)
    lookup = intern_lookup(binder.bind(source), name)
    return Comparison(lookup, _bind_operand(lookup, value, binder))


def _transform(value: Any, field: Any, transforms: list[Call]) -> Expression:
    """Return a right side as the transforms of the left one make it; a plain value is one of this field (any)."""
    right: Any = value if isinstance(value, Expression) else Given(value, field)
    for transform in transforms:
        make: Any = type(transform)  # Any: its class takes one operand, which `Call` does not say
        right = make(right)
    return right


def _bind_custom(given: LookupExpression, binder: ConditionBinder) -> Comparison:
    """Return the comparison of an application's own lookup, whose operand holds both sides."""
    before = binder.scratch().bind(given.lhs)
    right = _right_side(given, before, binder)
    if not given.template:
        condition = binder.condition(given.as_condition(given.lhs, right))
        return Comparison(intern_lookup(before, "custom"), TruthOperand(condition))
    left = binder.bind(given.lhs)
    sides = (left.shape, binder.bind(right).shape)
    output = binder.field("boolean").column_type()
    template = TemplateOperand(for_each(given.template, by_side), sides, output, type(given).__name__)
    return Comparison(intern_lookup(left, "custom"), template)


def _right_side(given: LookupExpression, left: Bound, binder: ConditionBinder) -> Expression:
    """Return the right side of an application's own lookup.

    Raises:
        FieldError: it takes no None, or the number is too large for any database.
    """
    value = Subquery(given.rhs) if hasattr(given.rhs, "as_subquery") else given.rhs
    if isinstance(value, Value) and value.output_field is None:
        value = value.value
    transforms = _bilateral_transforms(given.lhs)
    field = binder.scratch().bind(transforms[0].lhs).field if transforms else left.field
    if not isinstance(value, Expression):
        lookup = intern_lookup(left, "custom")
        value = given.get_prep_lookup(key_of(cast("Field[Any]", lookup.field), value))
        own = declared(given, "rhs_field")
        value = Given(_check_value(given, lookup, value), field if own is None else binder.output(own))
    return _transform(value, field, transforms)


def _check_value(given: LookupExpression, lookup: Lookup, value: Any) -> Any:
    name = type(given).lookup_name
    if value is None and not given.can_use_none_as_rhs:
        raise FieldError(f"{label_of(lookup)} cannot be compared with None by {name!r}; use isnull")
    if type(value) is int and not SMALLEST <= value <= LARGEST:
        raise FieldError(f"{label_of(lookup)} with {name!r} takes numbers of at most 64 bits, not {value!r}")
    return value


def _bind_operand(lookup: Lookup, value: Any, binder: ConditionBinder) -> Operand:
    match lookup.name:
        case "exact" if value is None and isinstance(lookup.left, DocumentPart):
            binder.values.append(None)  # the null of JSON; a part that is not there is NULL
            return Mark.PARAMETER
        case "exact" | "iexact" if value is None:
            return Mark.NULL
        case "isnull":
            if not isinstance(value, bool):
                raise FieldError(f"{label_of(lookup)} with isnull takes True or False, not {value!r}")
            return Mark.NULL if value else Mark.NOT_NULL
        case "in":
            return _bind_members(lookup, value, binder)
        case "range":
            return _bind_range(lookup, value, binder)
        case _:
            return _bind_value(lookup, value, binder)


def _bind_value(lookup: Lookup, value: Any, binder: ConditionBinder) -> Operand:
    if value is None:
        raise FieldError(f"{label_of(lookup)} cannot be compared with None by {lookup.name!r}; use isnull")
    if isinstance(value, Value) and value.output_field is None:
        value = value.value
    if lookup.name in BETWEEN_SETS:
        value = cast("Field[Any]", lookup.field).operand(lookup.name, value)
    if isinstance(value, Expression):
        of_values = lookup.name in _WITH_VALUES or (
            lookup.name == "contains" and lookup.field.column_type().kind == "json"
        )
        if of_values and not lookup.field.column_type().has_elements:
            raise FieldError(f"{label_of(lookup)} with {lookup.name!r} takes a value, not {value!r}")
        return binder.bind(value).shape
    field = cast("Field[Any]", lookup.field)
    value = key_of(field, value)
    if type(value) is int and not SMALLEST <= value <= LARGEST and field.column_type().is_integer:
        return beyond(lookup, value)
    binder.values.append(value)
    return Mark.PARAMETER


_WITH_VALUES = ("contained_by", "has_key", "has_keys", "has_any_keys")


def _bind_members(lookup: Lookup, value: Any, binder: ConditionBinder) -> Operand:
    if isinstance(value, RawSQL):
        return binder.bind(value).shape
    if isinstance(value, Subquery):
        value = value.queryset
    if hasattr(value, "as_operand"):
        binder.note_ctes(value)
        operand, inner = cast("tuple[SubqueryOperand, tuple[Any, ...]]", value.as_operand())
        binder.values.extend(inner)
        resolved = SubqueryOperand(*binder.resolve_outer(tuple(operand)))
        resolved = _by_target_field(resolved, cast("Field[Any]", lookup.field))
        _check_width(lookup, resolved)
        return resolved
    if isinstance(lookup.left, RowOperand):
        binder.values.append(list_keys(lookup, value))
        return Mark.PARAMETER
    field = cast("Field[Any]", lookup.field)
    members = [key_of(field, member) for member in list_of(lookup, value)]
    if field.column_type().is_integer:
        members = [member for member in members if type(member) is not int or SMALLEST <= member <= LARGEST]
    binder.values.append(members)
    return Mark.PARAMETER


def _by_target_field(operand: SubqueryOperand, field: Field[Any]) -> SubqueryOperand:
    """Let a query of objects give what a foreign key refers to, where that is not their primary key."""
    options = cast("Options", operand.select.options)
    if isinstance(field, ForeignKey) and operand.column == column_operand(ColumnPath((), options.pk)):
        target = field.target_field
        if target.model._meta.db_table == options.db_table:
            return operand._replace(column=ColumnOperand(ColumnPath((), target)), null=target.null)
    return operand


def _check_width(lookup: Lookup, operand: SubqueryOperand) -> None:
    """Refuse a query of another number of columns than are compared."""
    wanted, found = len(spread(lookup.left)), len(spread(operand.column))
    if wanted != found:
        columns = "one column" if wanted == 1 else f"{wanted} columns"
        raise TypeError(
            f"a queryset within another needs {columns} for {label_of(lookup)}, not {found}: "
            f".values_list({', '.join(['…'] * wanted)})"
        )


def _bind_range(lookup: Lookup, value: Any, binder: ConditionBinder) -> Operand:
    low, high = _ends_of(lookup, value)
    if lookup.field.column_type().is_integer:
        if (type(low) is int and low > LARGEST) or (type(high) is int and high < SMALLEST):
            return Mark.NEVER
        # No row is beyond 64 bits, so a range that reaches there ends there.
        low = max(low, SMALLEST) if type(low) is int else low
        high = min(high, LARGEST) if type(high) is int else high
    return RangeOperand(
        _bind_value(dataclasses.replace(lookup, name="gte"), low, binder),
        _bind_value(dataclasses.replace(lookup, name="lte"), high, binder),
    )


def _ends_of(lookup: Lookup, value: Any) -> tuple[Any, Any]:
    if not isinstance(value, tuple | list) or len(cast("tuple[Any, ...]", value)) != 2:
        raise FieldError(f"{label_of(lookup)} with range takes two values, (lowest, highest), not {value!r}")
    return cast("tuple[Any, Any]", value)


def bind_assignment(field: Field[Any], value: Any, binder: ConditionBinder) -> Assignment:
    """Return the shape of a new value of a column (any type), appending the values in it."""
    if value is None:
        return Assignment(field, Mark.NULL)
    if isinstance(value, Value) and value.output_field is None:
        value = value.value
    if isinstance(value, Expression):
        shape = binder.bind(value).shape
        _refuse_joins(shape, field)
        return Assignment(field, shape)
    binder.values.append(key_of(field, value))
    return Assignment(field, Mark.PARAMETER)


def _refuse_joins(shape: ExpressionShape, field: Field[Any]) -> None:
    if any(path.hops for path in columns_of(shape)):
        raise FieldError(
            f"update() of {field.label} can only use columns of {field.model.__name__} itself; "
            "for others write a Subquery"
        )


def bind_ordering(
    terms: Iterable[str | OrderBy | Expression], binder: ConditionBinder
) -> tuple[Ordering, ...]:
    """Return the shape of an ORDER BY: names with `-` for descending, `"?"`, or expressions with asc() and desc()."""
    shapes: list[Ordering] = []
    for term in terms:
        if isinstance(term, str) and term == "?":
            shapes.append(Ordering(None, False))
            continue
        shapes.extend(_bind_order(_order_by(term), binder))
    return tuple(shapes)


def _order_by(term: object) -> OrderBy:
    match term:
        case str():
            return OrderBy(F(term[1:]), True) if term.startswith("-") else OrderBy(F(term))
        case OrderBy():
            return term
        case Expression():
            return OrderBy(term)
        case _:
            raise FieldError(f"order_by takes names and expressions, not {term!r}")


def _bind_order(order: OrderBy, binder: ConditionBinder) -> list[Ordering]:
    shape = binder.bind(order.expression).shape
    if isinstance(order.expression, F) and isinstance(shape, ColumnOperand):
        field = shape.path.field
        if isinstance(field, ForeignKey) and order.expression.path.split(SEPARATOR)[-1] == field.name:
            field = cast("ForeignKey[Any]", field)
            # As in Django, a relation orders as the model it leads to does.
            related: Options = field.remote_field.target._meta
            if related.ordering and related is not binder.options:
                inner = bind_ordering(related.ordering, binder.for_model(related))
                return [_through(shape.path.hops, field, each, order) for each in inner]
    return [Ordering(part, order.descending, order.nulls) for part in spread(shape)]


def _through(hops: tuple[Any, ...], field: ForeignKey[Any], inner: Ordering, order: OrderBy) -> Ordering:
    if not isinstance(inner.expression, ColumnOperand):
        return inner
    path = inner.expression.path._replace(hops=(*hops, field.hop, *inner.expression.path.hops))
    return Ordering(ColumnOperand(path), inner.descending != order.descending, order.nulls or inner.nulls)
