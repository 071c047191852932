"""Writing rows: what `create`, `bulk_create`, `save` and `delete` come to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from transom.db import connections
from transom.db.exceptions import ForeignKeyViolation, IntegrityError
from transom.db.models.expressions import Condition
from transom.db.models.fields import OnDelete
from transom.db.models.query.binding import bind_condition
from transom.db.models.query.plans import bulk_insert_plan, delete_plan, insert_plan, update_plan
from transom.db.models.record import Record
from transom.db.sql.shapes import Assignment, Mark, SelectShape
from transom.db.transaction import atomic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transom.db.models.fields import Field
    from transom.db.models.options import Options

M = TypeVar("M", bound=Record)


async def insert(instance: Record, using: str) -> None:
    """Insert the row of an object, and give it the key that the database makes."""
    meta = instance._meta
    fields = _insertable(meta, with_key=instance.pk is not None)
    values = [field.pre_save(instance, adding=True) for field in fields]
    executor = connections.executor(using)
    if len(fields) == len(meta.fields):
        plan = insert_plan(meta, fields, (), executor.vendor)
        await executor.execute(plan.sql, plan.encode(values))
    else:
        plan = insert_plan(meta, fields, (meta.pk,), executor.vendor)
        rows = await executor.execute_returning(plan.sql, plan.encode(values))
        ((instance.pk,),) = plan.load(rows)
    _mark_saved(instance, using)


def _insertable(meta: Options, *, with_key: bool) -> tuple[Field[Any], ...]:
    """Return the fields of an INSERT: all but a key that the database makes."""
    if with_key or not meta.pk.column_type().is_generated:
        return meta.fields
    return tuple([field for field in meta.fields if field is not meta.pk])


def _mark_saved(instance: Record, using: str) -> None:
    instance._adding = False
    instance._using = using


async def insert_many(model: type[M], objects: Sequence[M], using: str) -> None:
    """Insert the rows of objects of one model with one statement; two, where only some have their keys."""
    with_key = [instance for instance in objects if instance.pk is not None]
    without = [instance for instance in objects if instance.pk is None]
    if with_key and without:
        async with atomic(using):
            await _insert_alike(model, with_key, using)
            await _insert_alike(model, without, using)
    else:
        await _insert_alike(model, objects, using)


async def _insert_alike(model: type[M], objects: Sequence[M], using: str) -> None:
    meta = model._meta
    fields = _insertable(meta, with_key=objects[0].pk is not None)
    columns = [[field.pre_save(instance, adding=True) for instance in objects] for field in fields]
    executor = connections.executor(using)
    returning = len(fields) < len(meta.fields)
    plan = bulk_insert_plan(meta, fields, returning, executor.vendor)
    if returning:
        keys = plan.load(await executor.execute_returning(plan.sql, plan.encode([columns])))
        for instance, key in zip(objects, sorted(keys), strict=True):
            instance.pk = key
    else:
        await executor.execute(plan.sql, plan.encode([columns]))
    for instance in objects:
        _mark_saved(instance, using)


async def update_row(instance: Record, fields: Sequence[Field[Any]], using: str) -> int:
    """Write columns of an object's row; return 0 if there is no such row."""
    values, shape = _row_of(instance)
    assignments: list[Assignment] = []
    for field in fields:
        value = field.pre_save(instance, adding=instance._adding)
        assignments.append(Assignment(field, Mark.NULL if value is None else Mark.PARAMETER))
        if value is not None:
            values.append(value)
    executor = connections.executor(using)
    plan = update_plan(shape, tuple(assignments), executor.vendor)
    return await executor.execute(plan.sql, plan.encode(values))


async def delete_row(instance: Record, using: str) -> int:
    """Delete an object's row; return 0 if there is no such row."""
    values, shape = _row_of(instance)
    return await delete_where(shape, values, using)


def _row_of(instance: Record) -> tuple[list[Any], SelectShape]:
    """Return the shape and values of the query for one row by its key."""
    values: list[Any] = []
    condition = bind_condition(Condition("pk", instance.pk), instance._meta, values)
    return values, SelectShape(instance._meta, (condition,), (), False, (), False, False)


async def delete_where(shape: SelectShape, values: Sequence[Any], using: str) -> int:
    """Delete the rows of a query and return how many there were.

    Raises:
        ForeignKeyViolation: rows that are protected refer to one of them; the message names the foreign keys.
    """
    executor = connections.executor(using)
    plan = delete_plan(shape, executor.vendor)
    try:
        return await executor.execute(plan.sql, plan.encode(values))
    except IntegrityError as exc:
        # Nothing but a foreign key can refuse a deletion, and SQLite does not say which.
        raise _protected(cast("Options", shape.options), exc) from exc


_REFUSING = (OnDelete.PROTECT, OnDelete.RESTRICT, OnDelete.DO_NOTHING)


def _protected(meta: Options, cause: IntegrityError) -> ForeignKeyViolation:
    holders = [
        f"{relation.field.label} ({relation.on_delete.name})"
        for relation in meta.related_objects
        if relation.on_delete in _REFUSING
    ]
    held = (
        f"through {' or '.join(holders)}"
        if holders
        else "through a foreign key of rows deleted in the same cascade"
    )
    return ForeignKeyViolation(
        f"{meta.object_name} cannot be deleted while rows refer to it {held}; delete those first ({cause})",
        table=cause.table,
        columns=cause.columns,
        constraint=cause.constraint,
    )
