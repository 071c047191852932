"""What `full_clean()` and its parts do.

Whether a condition holds for an object is asked of the database, which knows best: the object's values go there as
parameters, so it need not be saved.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from transom.db import connections, router
from transom.db.models.constraints import (
    CheckConstraint,
    ExclusionConstraint,
    UniqueConstraint,
)
from transom.db.models.expressions import F
from transom.db.models.fields import UNIQUE_FOR, ForeignKey
from transom.db.models.indexes import condition_names, expression_names
from transom.db.models.query import QuerySet
from transom.db.models.table import own_condition, own_expression
from transom.validators import NON_FIELD_ERRORS, ValidationError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from transom.db.models.constraints import BaseConstraint
    from transom.db.models.expressions import Q
    from transom.db.models.fields import Field
    from transom.db.models.record import Record
    from transom.db.sql.items import BoundExpression
    from transom.db.sql.metadata import Vendor
    from transom.db.sql.statement import Statement

    AnyField = Field[Any]  # Any: fields of every type
    Errors = dict[str, list[ValidationError]]


async def collect(checks: Iterable[Callable[[], Awaitable[None]]], excluded: set[str]) -> None:
    """Run the checks in order, each without the fields that an earlier one found wrong: these join `excluded`.

    Raises:
        ValidationError: with what all of them found.
    """
    errors: Errors = {}
    for check in checks:
        try:
            await check()
        except ValidationError as exc:
            exc.update_error_dict(errors)
            excluded |= errors.keys() - {NON_FIELD_ERRORS}
    _raise_if_any(errors)


def _raise_if_any(errors: Errors) -> None:
    if errors:
        raise ValidationError(errors)


async def clean_fields(instance: Record, excluded: set[str]) -> None:
    """Check each field, and set it to the value of its type."""
    errors: Errors = {}
    for field in instance._meta.fields:
        if field.name in excluded or not _has_value(field, instance):
            continue
        value = getattr(instance, field.attname)
        if field.blank and value in field.empty_values:
            continue
        try:
            cleaned = await _clean_field(field, value, instance)
        except ValidationError as exc:
            errors[field.name] = exc.error_list
        else:
            setattr(instance, field.attname, cleaned)
    _raise_if_any(errors)


def _has_value(field: AnyField, instance: Record) -> bool:
    """Whether there is something to check: not what was not loaded, nor what the database makes."""
    if field.attname not in vars(instance) or field.is_left_to_database(instance):
        return False
    return not (field.primary_key and field.column_type().is_generated and instance.pk is None)


async def _clean_field(field: AnyField, value: Any, instance: Record) -> Any:  # Any: a value of the field
    if not isinstance(field, ForeignKey):
        cleaned = field.clean(value, instance)
        if field.checks_outside and cleaned not in field.empty_values:
            await asyncio.to_thread(field.check_outside, cleaned)
        return cleaned
    if value is not None:
        value = field.target_field.to_python(value)
    cleaned = field.clean(value, instance)
    if cleaned is not None:
        target = field.remote_field.target
        rows = QuerySet[Any](target, router.for_write(target, None, instance))
        chosen = rows.filter(field.get_limit_choices_to(), **{field.target_field.name: cleaned})
        if not await chosen.exists():
            raise ValidationError(
                f"There is no {target._meta.verbose_name} with this key.", "invalid", {"value": cleaned}
            )
    return cleaned


async def validate_unique(instance: Record, excluded: set[str]) -> None:
    """Ask for rows with the same value of a unique field, or the same values of fields that are unique together."""
    errors: Errors = {}
    for field in instance._meta.fields:
        if not field.unique or field.name in excluded or not _has_value(field, instance):
            continue
        if field.primary_key and not instance._adding:
            continue
        value = getattr(instance, field.attname)
        if value is not None and await _others(instance, {field.attname: value}).exists():
            errors[field.name] = [field.error("unique")]
    await _check_dates(instance, excluded, errors)
    if len(instance._meta.pk_fields) > 1 and await _is_key_taken(instance, excluded):
        errors[NON_FIELD_ERRORS] = [ValidationError(_TAKEN_TOGETHER, "unique_together")]
    together = [each for each in instance._meta.constraints if _is_together(each, instance)]
    await _check_constraints(instance, together, excluded, errors)
    _raise_if_any(errors)


async def _check_dates(instance: Record, excluded: set[str], errors: Errors) -> None:
    """Ask for rows with the same value on the same day, in the same month (of any year), or in the same year."""
    for field in instance._meta.fields:
        for option, parts in UNIQUE_FOR.items():
            name = getattr(field, option)
            if name is None or field.name in errors or {name, field.name} & excluded:
                continue
            date = instance._meta.get_field(name)
            value, day = vars(instance).get(field.attname), vars(instance).get(date.attname)
            if value is None or day is None:
                continue
            if isinstance(day, datetime):
                day = day.astimezone(UTC)  # as the database takes the parts
            same = {f"{date.name}__{part}": getattr(day, part) for part in parts}
            if await _others(instance, {field.attname: value, **same}).exists():
                told = {"field": field.verbose_name, "date": date.verbose_name}
                errors.setdefault(field.name, []).append(field.error(option, **told))


_TAKEN_TOGETHER = "There is already one with these values."


async def _is_key_taken(instance: Record, excluded: set[str]) -> bool:
    """Ask whether a row has the key of a new object, one of several fields."""
    if not instance._adding or any(field.name in excluded for field in instance._meta.pk_fields):
        return False
    return instance.pk is not None and await _others(instance, {"pk": instance.pk}).exists()


def _is_together(constraint: BaseConstraint, instance: Record) -> bool:
    """Whether the constraint is what `unique_together` says."""
    return (
        isinstance(constraint, UniqueConstraint)
        and constraint.is_plain
        and constraint.fields in instance._meta.unique_together
    )


def _database(instance: Record) -> str:
    """Return the alias of the database that would be written to: a replica may lag behind."""
    return router.for_write(type(instance), None, instance)


def _others(instance: Record, values: dict[str, Any]) -> QuerySet[Any]:
    """Return the other rows with these values. Any: values of every type."""
    rows = QuerySet[Any](type(instance), _database(instance)).filter(**values)
    is_new = instance._adding or instance.pk is None
    return rows if is_new else rows.exclude(pk=instance.pk)


async def validate_constraints(instance: Record, excluded: set[str]) -> None:
    """Ask about the constraints of `class Meta`, but for `unique_together`."""
    errors: Errors = {}
    others = [each for each in instance._meta.constraints if not _is_together(each, instance)]
    await _check_constraints(instance, others, excluded, errors)
    _raise_if_any(errors)


async def _check_constraints(
    instance: Record, constraints: Iterable[BaseConstraint], excluded: set[str], errors: Errors
) -> None:
    """Ask about each constraint whose fields are all to be checked, and add what is broken to the errors."""
    for constraint in constraints:
        fields = instance._meta.get_columns(constraint.field_names())
        if any(field.name in excluded or not _has_value(field, instance) for field in fields):
            continue
        if await _is_broken(constraint, instance):
            _violation(constraint).update_error_dict(errors)


async def _is_broken(constraint: BaseConstraint, instance: Record) -> bool:
    match constraint:
        case CheckConstraint():
            return await _truth(constraint.condition, instance) is False
        case UniqueConstraint():
            return await _is_taken(constraint, instance)
        case ExclusionConstraint():
            return await _is_excluded(constraint, instance)
        case _:
            return False  # of a kind that is not ours: the database has the last word


def _violation(constraint: BaseConstraint) -> ValidationError:
    """Return the error, in the constraint's own words if it has some."""
    code, sentence = "violation", constraint.default_message
    name = NON_FIELD_ERRORS
    if isinstance(constraint, UniqueConstraint):
        several = len(constraint.fields) != 1
        code = "unique_together" if several else "unique"
        sentence = _TAKEN_TOGETHER if several else "There is already one with this value."
        name = name if several or not constraint.is_plain else constraint.fields[0]
    params = {"name": constraint.name}
    sentence = constraint.violation_error_message or sentence
    return ValidationError({name: ValidationError(sentence, constraint.violation_error_code or code, params)})


async def _truth(condition: Q, instance: Record) -> bool | None:
    """Ask whether a condition holds for the object; None where SQL says NULL."""
    options = instance._meta
    bound = own_condition(condition, options)
    fields = list(dict.fromkeys(options.get_columns(sorted(condition_names(condition)))))
    values = [*(getattr(instance, field.attname) for field in fields), *bound.values]

    def compile_statement(vendor: Vendor) -> Statement:
        from transom.db.sql.schema import condition_of_row

        return condition_of_row(options, fields, bound.shape, vendor)

    rows = await _fetch(instance, compile_statement, values)
    return None if rows[0][0] is None else bool(rows[0][0])


async def _fetch(
    instance: Record, compile_statement: Callable[[Vendor], Statement], values: Sequence[Any]
) -> Sequence[Sequence[Any]]:
    """Compile a statement for the object's database and run it. Any: values and columns of every type."""
    executor = connections.executor(_database(instance))
    statement = compile_statement(executor.vendor)
    return await executor.fetch(
        statement.sql, [_argument(values[place], convert) for place, convert in statement.parameters]
    )


def _argument(value: Any, convert: Callable[[Any], Any] | None) -> Any:  # Any: values of every type
    return value if value is None or convert is None else convert(value)


async def _is_taken(constraint: UniqueConstraint, instance: Record) -> bool:
    """Ask for another row with the same values, among those that the constraint is about."""
    if constraint.condition is not None and not await _truth(constraint.condition, instance):
        return False
    if constraint.expressions:
        return await _has_twin(constraint, instance)
    fields = [instance._meta.get_field(name) for name in constraint.fields]
    values = {field.attname: getattr(instance, field.attname) for field in fields}
    if constraint.nulls_distinct is not False and None in values.values():
        return False
    rows = _others(instance, values)
    return await (rows if constraint.condition is None else rows.filter(constraint.condition)).exists()


async def _has_twin(constraint: UniqueConstraint, instance: Record) -> bool:
    """Ask for another row for which the expressions come to the same."""
    options = instance._meta
    names = set[str]().union(*(expression_names(expression) for expression in constraint.expressions))
    fields = list(dict.fromkeys(options.get_columns(sorted(names))))
    pairs = [(own_expression(expression, options), "=") for expression in constraint.expressions]
    return await _has_rival(instance, fields, pairs, constraint.condition)


async def _has_rival(
    instance: Record,
    fields: Sequence[AnyField],
    pairs: Sequence[tuple[BoundExpression, str]],
    condition: Q | None,
) -> bool:
    """Ask for another row of which all comparisons with the object hold.

    Args:
        instance: the object.
        fields: those that the expressions speak of.
        pairs: what is compared of the two, and by which operator.
        condition: which rows count; all if None.
    """
    inside = [value for expression, _ in pairs for value in expression.values]
    rest = _Rest(condition, instance)
    values = [*(getattr(instance, field.attname) for field in fields), *inside, *inside, *rest.values]

    def compile_statement(vendor: Vendor) -> Statement:
        from transom.db.sql.schema import rival_rows

        return rival_rows(instance._meta, fields, pairs, rest.shape, vendor, beside=rest.beside)

    return bool(await _fetch(instance, compile_statement, values))


async def _is_excluded(constraint: ExclusionConstraint, instance: Record) -> bool:
    """Ask for another row beside which the object must not stand."""
    options = instance._meta
    if constraint.condition is not None and not await _truth(constraint.condition, instance):
        return False
    subjects = [F(each) if isinstance(each, str) else each for each, _ in constraint.expressions]
    names = set[str]().union(*(expression_names(subject) for subject in subjects))
    fields = list({options.get_field(name): None for name in sorted(names)})
    operators = [operator for _, operator in constraint.expressions]
    bound = [own_expression(subject, options) for subject in subjects]
    return await _has_rival(instance, fields, list(zip(bound, operators, strict=True)), constraint.condition)


class _Rest:
    """What else is asked of another row: not to be the object's own, and to meet the constraint's condition."""

    def __init__(self, condition: Q | None, instance: Record) -> None:
        bound = None if condition is None else own_condition(condition, instance._meta)
        self.shape = bound.shape if bound else None
        self.beside = not instance._adding and instance.pk is not None
        self.values: list[Any] = [  # Any: values of every type
            *([instance.pk] if self.beside else []),
            *(bound.values if bound else ()),
        ]
