"""What a model's table has beside its columns, as the SQL layer takes it: names resolved, conditions bound."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from transom.db.exceptions import FieldError
from transom.db.models.constraints import (
    CheckConstraint,
    Deferrable,
    ExclusionConstraint,
    UniqueConstraint,
)
from transom.db.models.expressions import Condition, Q
from transom.db.models.indexes import OpClass
from transom.db.models.names import make_name
from transom.db.models.query.binder import QueryBinder
from transom.db.models.query.binding import bind_condition
from transom.db.sql.items import (
    BoundCondition,
    BoundExpression,
    CheckItem,
    ExclusionItem,
    GeneratedItem,
    IndexItem,
    IndexKey,
    UniqueItem,
)
from transom.db.sql.shapes import ColumnOperand
from transom.db.sql.walk import columns_of, has_queries, is_aggregate, is_window
from transom.db.timezone import override

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from transom.db.models.constraints import BaseConstraint
    from transom.db.models.expressions import Child, Expression
    from transom.db.models.indexes import Index
    from transom.db.models.options import Options
    from transom.db.sql.items import Deferral, TableItem
    from transom.db.sql.shapes import ColumnPath


def table_items(options: Options) -> list[TableItem]:
    """Return the checks of the model's fields, its indexes and its constraints.

    Raises:
        FieldError: one of them names what the model lacks, or goes through a relation.
    """
    return [
        *generated_columns(options),
        *field_checks(options),
        *(constraint_item(constraint, options) for constraint in options.constraints),
        *(index_item(index, options) for index in options.indexes),
    ]


def generated_columns(options: Options) -> Iterator[GeneratedItem]:
    """Yield what columns always are that the database computes."""
    for field in options.fields:
        expression = field.db_expression()
        if expression is not None:
            yield GeneratedItem(field.column, own_expression(expression, options))


def field_checks(options: Options) -> Iterator[CheckItem]:
    """Yield the conditions that fields bring with them."""
    for field in options.fields:
        condition = field.db_check()
        if condition is not None:
            yield CheckItem(
                make_name("ck", options.db_table, field.column), own_condition(condition, options)
            )


def index_item(index: Index, options: Options) -> IndexItem:
    """Return an index of `class Meta`."""
    return IndexItem(
        index.name,
        _keys(index.field_orders(), index.expressions, index.opclasses, options),
        condition=_optional(index.condition, options),
        include=_columns(index.include, options),
        method=index.method,
        storage=tuple(index.storage.items()),
    )


def constraint_item(constraint: BaseConstraint, options: Options) -> TableItem:
    """Return a constraint of `class Meta`; a unique one that takes an index of its own as that."""
    match constraint:
        case CheckConstraint():
            return CheckItem(constraint.name, own_condition(constraint.condition, options))
        case UniqueConstraint() if (
            constraint.is_plain and not constraint.include and not constraint.opclasses
        ):
            return UniqueItem(
                constraint.name,
                _columns(constraint.fields, options),
                _deferral(constraint.deferrable),
                constraint.nulls_distinct,
            )
        case UniqueConstraint():
            orders = [(name, False) for name in constraint.fields]
            return IndexItem(
                constraint.name,
                _keys(orders, constraint.expressions, constraint.opclasses, options),
                unique=True,
                condition=_optional(constraint.condition, options),
                include=_columns(constraint.include, options),
                nulls_distinct=constraint.nulls_distinct,
            )
        case ExclusionConstraint():
            return _exclusion_item(constraint, options)
        case _:
            raise FieldError(
                f"{constraint!r} is no constraint that a table can have; take one of transom.db.models"
            )


def _exclusion_item(constraint: ExclusionConstraint, options: Options) -> ExclusionItem:
    opclasses = constraint.opclasses or [None for _ in constraint.expressions]
    keys = [
        IndexKey(options.get_field(subject).column, opclass=opclass)
        if isinstance(subject, str)
        else IndexKey(own_expression(subject, options))
        for (subject, _), opclass in zip(constraint.expressions, opclasses, strict=True)
    ]
    operators = [operator for _, operator in constraint.expressions]
    return ExclusionItem(
        constraint.name,
        tuple(zip(keys, operators, strict=True)),
        constraint.index_type,
        _optional(constraint.condition, options),
        _deferral(constraint.deferrable),
    )


def _deferral(deferrable: Deferrable | None) -> Deferral | None:
    if deferrable is None:
        return None
    return "DEFERRED" if deferrable is Deferrable.DEFERRED else "IMMEDIATE"


def _columns(names: Sequence[str], options: Options) -> tuple[str, ...]:
    return tuple([options.get_field(name).column for name in names])


def _keys(
    orders: Sequence[tuple[str, bool]],
    expressions: Sequence[Expression],
    opclasses: Sequence[str],
    options: Options,
) -> tuple[IndexKey, ...]:
    named = [
        IndexKey(options.get_field(name).column, descending, opclasses[at] if opclasses else None)
        for at, (name, descending) in enumerate(orders)
    ]
    return (*named, *(_key(expression, options) for expression in expressions))


def _key(expression: Expression, options: Options) -> IndexKey:
    subject: str | BoundExpression = own_expression(expression, options)
    if not isinstance(expression, OpClass):
        return IndexKey(subject)
    if isinstance(subject.shape, ColumnOperand):
        subject = subject.shape.path.field.column
    return IndexKey(subject, opclass=expression.name)


def own_expression(expression: Expression, options: Options) -> BoundExpression:
    """Return an expression over the model's own columns with its values.

    Raises:
        FieldError: an unknown name, or one that leads through a relation.
    """
    values: list[Any] = []  # Any: values of all types
    with override(UTC):  # what is stored has no zone of its own
        shape = QueryBinder(options, {}, values).bind(expression).shape
    _refuse_others(shape, options)
    return BoundExpression(shape, tuple(values))


def _optional(condition: Q | None, options: Options) -> BoundCondition | None:
    return None if condition is None else own_condition(condition, options)


def own_condition(condition: Q, options: Options) -> BoundCondition:
    """Return a condition on the model's own columns with its values.

    Raises:
        FieldError: an unknown name, or one that leads through a relation.
    """
    values: list[Any] = []  # Any: values of all types
    with override(UTC):
        shape = bind_condition(_without_lists(condition), QueryBinder(options, {}, values))
    _refuse_others(shape, options)
    return BoundCondition(shape, tuple(values))


def _without_lists(condition: Q) -> Q:
    """Return the condition with each `__in` as a choice between values: in DDL a list is no parameter, nor a subquery."""
    children: list[Child] = []
    for child in condition.children:
        if isinstance(child, Condition):
            children.append(_spread(child))
        else:
            children.append(_without_lists(child) if isinstance(child, Q) else child)
    return Q._build(tuple(children), condition.connector, condition.negated)


def _spread(condition: Condition) -> Q | Condition:
    name = condition.name.removesuffix("__in")
    if name == condition.name:
        return condition
    if hasattr(condition.value, "as_operand"):
        raise FieldError(
            f"{condition.name} takes a list of values here, not a queryset: it speaks of one row"
        )
    members: tuple[Child, ...] = tuple(
        [Condition(name, value, condition.model) for value in condition.value if value is not None]
    )
    return Q._build(members, "OR") if members else Q._build((), negated=True)


def _refuse_others(shape: object, options: Options) -> None:
    """Refuse what speaks of more than the row itself."""
    for path in columns_of(shape):
        _check_path(path, options)
    if has_queries(shape) or is_aggregate(shape, ()) or is_window(shape):
        raise FieldError(
            f"an index or constraint of {options.object_name} speaks of one row, and can hold neither queries nor aggregates"
        )


def _check_path(path: ColumnPath, options: Options) -> None:
    if path.hops:
        raise FieldError(
            f"an index or constraint of {options.object_name} can only use its own columns, "
            f"not {'__'.join(hop.name for hop in path.hops)}"
        )
