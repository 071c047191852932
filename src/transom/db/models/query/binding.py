"""Conditions taken apart: the shape, which selects the SQL, and the values, which become its arguments."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from transom.db.exceptions import FieldError
from transom.db.models.expressions import Column, Combined, Condition, Expression, F, OrderBy, Q, Value
from transom.db.models.fields import Field, ForeignKey
from transom.db.models.query.lookups import SEPARATOR, resolve_lookup, resolve_path
from transom.db.models.record import Record
from transom.db.sql.parameters import constant_kind
from transom.db.sql.shapes import (
    Assignment,
    ColumnOperand,
    CombinedOperand,
    Comparison,
    ConditionShape,
    ConstantOperand,
    ExpressionShape,
    Junction,
    Lookup,
    Mark,
    Operand,
    Ordering,
    RangeOperand,
    SubqueryOperand,
)

if TYPE_CHECKING:
    from typing import Protocol

    from transom.db.models.options import Options

    class Subquery(Protocol):
        """A queryset, as far as `__in` needs it; the class itself stands above this module."""

        def as_operand(self) -> tuple[SubqueryOperand, tuple[Any, ...]]:
            """Return the shape of the subquery and its values."""
            ...


Values = list[Any]  # Any: values of all types, in the order of their places

_SMALLEST, _LARGEST = -(1 << 63), (1 << 63) - 1


def bind_condition(condition: Q | Condition, options: Options, values: Values) -> ConditionShape:
    """Return the shape of a condition, appending its values.

    Raises:
        FieldError: an unknown name, or a value that its lookup cannot take.
    """
    if isinstance(condition, Condition):
        check_model(condition.model, options, condition.name)
        lookup = resolve_lookup(options, condition.name)
        return Comparison(lookup, _bind_operand(lookup, condition.value, options, values))
    children = tuple([bind_condition(child, options, values) for child in condition.children])
    if len(children) == 1 and not condition.negated:
        return children[0]
    return Junction(condition.connector, condition.negated, children)


def check_model(model: type[Any] | None, options: Options, name: str) -> None:
    """Refuse a typed column of another model than the query is about. Any: any model."""
    if model is None or model._meta is options or model._meta.abstract:
        return
    if model._meta.concrete_model is not options.concrete_model:
        raise FieldError(
            f"{model.__name__}.{name} is no column of {options.object_name}; "
            f"go through a relation: {options.object_name}.<relation>.follow({model.__name__}.…)"
        )


def _bind_operand(lookup: Lookup, value: Any, options: Options, values: Values) -> Operand:
    match lookup.name:
        case "exact" if value is None:
            return Mark.NULL
        case "isnull":
            if not isinstance(value, bool):
                raise FieldError(f"{_label(lookup)} with isnull takes True or False, not {value!r}")
            return Mark.NULL if value else Mark.NOT_NULL
        case "in":
            return _bind_members(lookup, value, values)
        case "range":
            return _bind_range(lookup, value, options, values)
        case _:
            return _bind_value(lookup, value, options, values)


def _bind_value(lookup: Lookup, value: Any, options: Options, values: Values) -> Operand:
    if value is None:
        raise FieldError(f"{_label(lookup)} cannot be compared with None by {lookup.name!r}; use isnull")
    if isinstance(value, Expression):
        if lookup.name not in _WITH_EXPRESSIONS:
            raise FieldError(f"{_label(lookup)} with {lookup.name!r} takes a value, not {value!r}")
        if not isinstance(value, Value):
            return bind_expression(value, options, values)
        value = value.value
    value = _key_of(lookup, value)
    if (
        type(value) is int
        and not _SMALLEST <= value <= _LARGEST
        and lookup.path.field.column_type().is_integer
    ):
        return _out_of_range(lookup, value)
    values.append(value)
    return Mark.PARAMETER


_WITH_EXPRESSIONS = ("exact", "gt", "gte", "lt", "lte")


def _out_of_range(lookup: Lookup, value: int) -> Mark:
    """Return what comparing with a number of more than 64 bits comes to, which no driver takes."""
    holds = ("lt", "lte") if value > 0 else ("gt", "gte")
    return Mark.ALWAYS if lookup.name in holds else Mark.NEVER


def _bind_members(lookup: Lookup, value: Any, values: Values) -> Operand:
    if hasattr(value, "as_operand"):
        operand, inner = cast("Subquery", value).as_operand()
        values.extend(inner)
        return _by_target_field(operand, cast("Field[Any]", lookup.path.field))
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise FieldError(f"{_label(lookup)} with in takes a list of values or a queryset, not {value!r}")
    members = [_key_of(lookup, member) for member in cast("Iterable[Any]", value) if member is not None]
    if lookup.path.field.column_type().is_integer:
        members = [member for member in members if type(member) is not int or _SMALLEST <= member <= _LARGEST]
    values.append(members)
    return Mark.PARAMETER


def _by_target_field(operand: SubqueryOperand, field: Field[Any]) -> SubqueryOperand:
    """Let a query of objects give what a foreign key refers to, where that is not their primary key."""
    options = operand.select.options
    if isinstance(field, ForeignKey) and operand.column is options.pk:
        target = field.target_field
        if target.model._meta.db_table == options.db_table:
            return operand._replace(column=target)
    return operand


def _bind_range(lookup: Lookup, value: Any, options: Options, values: Values) -> Operand:
    if not isinstance(value, tuple | list) or len(cast("tuple[Any, ...]", value)) != 2:
        raise FieldError(f"{_label(lookup)} with range takes two values, (lowest, highest), not {value!r}")
    low, high = cast("tuple[Any, Any]", value)
    if lookup.path.field.column_type().is_integer:
        if (type(low) is int and low > _LARGEST) or (type(high) is int and high < _SMALLEST):
            return Mark.NEVER
        # No row is beyond 64 bits, so a range that reaches there ends there.
        low = max(low, _SMALLEST) if type(low) is int else low
        high = min(high, _LARGEST) if type(high) is int else high
    return RangeOperand(
        _bind_value(Lookup(lookup.path, "gte"), low, options, values),
        _bind_value(Lookup(lookup.path, "lte"), high, options, values),
    )


def _key_of(lookup: Lookup, value: Any) -> Any:
    """Return the key of an object that stands for its row."""
    if not isinstance(value, Record):
        return value
    field = cast("Field[Any]", lookup.path.field)
    if field.primary_key and (isinstance(value, field.model) or not isinstance(field, ForeignKey)):
        target, name = field.model, field.attname
    elif isinstance(field, ForeignKey):
        target, name = field.remote_field.target, field.target_field.attname
    else:
        raise FieldError(f"{_label(lookup)} is no relation and cannot be compared with {value!r}")
    if not isinstance(value, target._meta.concrete_model):
        raise FieldError(f"{_label(lookup)} takes a {target.__name__}, not {value!r}")
    key = getattr(value, name)
    if key is None:
        raise FieldError(
            f"{value!r} has no primary key yet, so {_label(lookup)} cannot be compared with it; save it"
        )
    return key


def bind_expression(expression: Expression, options: Options, values: Values) -> ExpressionShape:
    """Return the shape of something that the database computes, appending the values in it."""
    match expression:
        case F():
            if isinstance(expression, Column):
                check_model(expression.model, options, expression.path)
            return ColumnOperand(resolve_path(options, expression.path))
        case Combined():
            left = bind_expression(expression.left, options, values)
            return CombinedOperand(
                left, expression.operator, bind_expression(expression.right, options, values)
            )
        case Value():
            kind = constant_kind(expression.value)
            values.append(expression.value)
            return ConstantOperand(kind)
        case _:
            raise FieldError(f"{expression!r} cannot stand in a query")


def bind_assignment(field: Field[Any], value: Any, options: Options, values: Values) -> Assignment:
    """Return the shape of a new value of a column (any type), appending the values in it."""
    if value is None:
        return Assignment(field, Mark.NULL)
    if isinstance(value, Value):
        value = value.value
    if isinstance(value, Expression):
        shape = bind_expression(value, options, values)
        _refuse_joins(shape, field)
        return Assignment(field, shape)
    lookup = Lookup(resolve_path(options, field.name), "exact")
    values.append(_key_of(lookup, value))
    return Assignment(field, Mark.PARAMETER)


def _refuse_joins(shape: ExpressionShape, field: Field[Any]) -> None:
    match shape:
        case ColumnOperand() if shape.path.hops:
            raise FieldError(
                f"update() of {field.label} can only use columns of {field.model.__name__} itself"
            )
        case CombinedOperand():
            _refuse_joins(shape.left, field)
            _refuse_joins(shape.right, field)
        case _:
            pass


def bind_ordering(options: Options, terms: Iterable[str | OrderBy | Expression]) -> tuple[Ordering, ...]:
    """Return the shape of an ORDER BY: names with `-` for descending, `"?"`, or columns with asc() and desc()."""
    shapes: list[Ordering] = []
    for term in terms:
        if isinstance(term, str) and term == "?":
            shapes.append(Ordering(None, False))
            continue
        shapes.extend(_bind_order(options, _order_by(term)))
    return tuple(shapes)


def model_ordering(options: Options) -> tuple[Ordering, ...]:
    """Return the shape of the ordering that a model's queries have by themselves."""
    if options.bound_ordering is None:
        options.bound_ordering = bind_ordering(options, options.ordering)
    return options.bound_ordering


def _order_by(term: object) -> OrderBy:
    match term:
        case str():
            return OrderBy.parse(term)
        case OrderBy():
            return term
        case Column():
            return term.asc()
        case F():
            return OrderBy(term.path)
        case _:
            raise FieldError(f"order_by takes names and columns, not {term!r}")


def _bind_order(options: Options, order: OrderBy) -> list[Ordering]:
    check_model(order.model, options, order.path)
    path = resolve_path(options, order.path)
    field = path.field
    if isinstance(field, ForeignKey) and order.path.split(SEPARATOR)[-1] == field.name:
        field = cast("ForeignKey[Any]", field)
        # As in Django, a relation orders as the model it leads to does.
        related = field.remote_field.target._meta
        if related.ordering and related is not options:
            return [
                _through(path.hops, field, inner, order.descending)
                for inner in bind_ordering(related, related.ordering)
            ]
    return [Ordering(path, order.descending)]


def _through(hops: tuple[Any, ...], field: ForeignKey[Any], inner: Ordering, descending: bool) -> Ordering:
    if inner.path is None:
        return inner
    path = inner.path._replace(hops=(*hops, field.hop, *inner.path.hops))
    return Ordering(path, inner.descending != descending)


def _label(lookup: Lookup) -> str:
    return cast("Field[Any]", lookup.path.field).label
