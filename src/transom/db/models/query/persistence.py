"""Writing rows: what `create`, `bulk_create`, `save` and `delete` come to."""

from __future__ import annotations

from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, TypeVar, cast

from transom.db import connections
from transom.db.exceptions import FieldError, ForeignKeyViolation, IntegrityError
from transom.db.models.expressions import Condition
from transom.db.models.fields import OnDelete
from transom.db.models.query.binder import QueryBinder
from transom.db.models.query.binding import bind_condition
from transom.db.models.query.plans import (
    bulk_insert_plan,
    bulk_update_plan,
    delete_plan,
    insert_plan,
    update_plan,
)
from transom.db.models.record import Record
from transom.db.sql.shapes import Assignment, Mark, SelectShape
from transom.db.transaction import atomic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transom.db.models.fields import Field
    from transom.db.models.options import Options
    from transom.db.sql.shapes import Conflict

M = TypeVar("M", bound=Record)


async def insert(instance: Record, using: str) -> None:
    """Insert the row of an object, and give it the key that the database makes."""
    meta = instance._meta
    left = _left_to_database(instance)
    fields = _all_but(meta, left)
    values = [field.pre_save(instance, adding=True) for field in fields]
    executor = connections.executor(using)
    plan = insert_plan(meta, fields, left, executor.vendor)
    if left:
        (made,) = plan.load(await executor.execute_returning(plan.sql, plan.encode(values)))
        _take(instance, left, made)
    else:
        await executor.execute(plan.sql, plan.encode(values))
    _mark_saved(instance, using)


def _left_to_database(instance: Record) -> tuple[Field[Any], ...]:
    """Return the fields whose values the database makes for this new row: a key that counts up, a db_default."""
    meta = instance._meta
    left = [field for field in meta.database_defaults if field.is_left_to_database(instance)]
    counting = meta.auto_field
    if counting is not None and instance.pk is None and counting not in left:
        left.insert(0, counting)
    return tuple(left)


def _all_but(meta: Options, left: tuple[Field[Any], ...]) -> tuple[Field[Any], ...]:
    """Return the fields of an INSERT that leaves these to the database."""
    return tuple([field for field in meta.fields if field not in left]) if left else meta.fields


def _take(instance: Record, fields: Sequence[Field[Any]], values: Sequence[Any]) -> None:
    """Give an object the values that the database made. Any: values of every type."""
    if len(fields) == 1:  # the key of each of thousands
        setattr(instance, fields[0].attname, values[0])
        return
    for field, value in zip(fields, values, strict=True):
        setattr(instance, field.attname, value)


def _mark_saved(instance: Record, using: str) -> None:
    instance._adding = False
    instance._using = using


async def insert_many(
    model: type[M], objects: Sequence[M], using: str, conflict: Conflict | None = None, *, raw: bool = False
) -> None:
    """Insert the rows of objects of one model with one statement; two, where only some have their keys.

    With `raw` the values stand as they are: no field sets the present.
    """
    groups = _group(model._meta, objects)
    if len(groups) == 1:
        ((left, members),) = groups
        await _insert_alike(model, members, left, using, conflict, raw)
        return
    async with atomic(using):
        for left, members in groups:
            await _insert_alike(model, members, left, using, conflict, raw)


def _group(meta: Options, objects: Sequence[M]) -> list[tuple[tuple[Field[Any], ...], Sequence[M]]]:
    """Return the objects in groups that leave the same fields to the database; those with keys first."""
    if meta.database_defaults:
        alike: dict[tuple[Field[Any], ...], list[M]] = {}
        for instance in objects:
            alike.setdefault(_left_to_database(instance), []).append(instance)
        return sorted(alike.items(), key=lambda group: len(group[0]))
    left = (meta.auto_field,) if meta.auto_field is not None else ()
    with_key = [instance for instance in objects if instance.pk is not None]
    without = (
        [instance for instance in objects if instance.pk is None] if len(with_key) < len(objects) else []
    )
    return [(fields, members) for fields, members in (((), with_key), (left, without)) if members]


async def _insert_alike(
    model: type[M],
    objects: Sequence[M],
    left: tuple[Field[Any], ...],
    using: str,
    conflict: Conflict | None,
    raw: bool,
) -> None:
    meta = model._meta
    unknown = [field for field in meta.pk_fields if field in left]
    if unknown and meta.auto_field is None and len(objects) > 1:
        raise FieldError(
            f"bulk_create() could not tell which row got which {unknown[0].label} from the database; "
            "set the keys, or create the objects one by one"
        )
    fields = _all_but(meta, left)
    if not fields:  # there is nothing to say of the rows but that they are there
        async with atomic(using):
            for instance in objects:
                await insert(instance, using)
        return
    columns = [_new_values(objects, field, raw) for field in fields]
    executor = connections.executor(using)
    made = _returned(meta, left, conflict)
    plan = bulk_insert_plan(meta, fields, made, conflict, executor.vendor)
    if made:
        rows = plan.load(await executor.execute_returning(plan.sql, plan.encode([columns])))
        if conflict is None:
            _take_rows(objects, made, rows)
        else:
            _take_unique(objects, made, rows, len(conflict.unique))
    else:
        await executor.execute(plan.sql, plan.encode([columns]))
    for instance in objects:
        _mark_saved(instance, using)


def _new_values(objects: Sequence[Record], field: Field[Any], raw: bool) -> list[Any]:
    """Return the values of new rows in one column. Any: a value of any type."""
    if raw or not field.makes_values:
        return list(map(attrgetter(field.attname), objects))
    return [field.pre_save(instance, adding=True) for instance in objects]


def _take_rows(objects: Sequence[Record], made: tuple[Field[Any], ...], rows: list[Any]) -> None:
    """Give objects the values that the database made; each row begins with its key, and new keys count up."""
    if objects[0].pk is None:
        for instance, row in zip(objects, sorted(rows, key=itemgetter(0)), strict=True):
            _take(instance, made, row)
        return
    width = len(objects[0]._meta.pk_fields)
    found = {row[:width]: row[width:] for row in rows}
    for instance in objects:
        key = tuple([getattr(instance, field.attname) for field in made[:width]])
        _take(instance, made[width:], found[key])


def _returned(
    meta: Options, left: tuple[Field[Any], ...], conflict: Conflict | None
) -> tuple[Field[Any], ...]:
    """Return what the insertion gives back: what the database makes, and what tells whose it is."""
    if not left or (conflict is not None and not conflict.update):
        return ()
    made = (*meta.pk_fields, *(field for field in left if not field.in_key))
    return made if conflict is None else (*cast("tuple[Field[Any], ...]", conflict.unique), *made)


def _take_unique(
    objects: Sequence[Record], made: tuple[Field[Any], ...], rows: list[Any], count: int
) -> None:
    """Give objects the values of their rows, which the first values of each tell."""
    found = {row[:count]: row[count:] for row in rows}
    for instance in objects:
        unique = tuple([getattr(instance, field.attname) for field in made[:count]])
        if unique in found:
            _take(instance, made[count:], found[unique])


async def update_many(objects: Sequence[Record], fields: tuple[Field[Any], ...], using: str) -> int:
    """Write columns of the rows of objects of one model with one statement, and return how many rows there were."""
    meta = objects[0]._meta
    columns = [[getattr(instance, field.attname) for instance in objects] for field in meta.pk_fields]
    columns += [[field.pre_save(instance, adding=False) for instance in objects] for field in fields]
    executor = connections.executor(using)
    plan = bulk_update_plan(meta, fields, executor.vendor)
    return await executor.execute(plan.sql, plan.encode([columns]))


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
    condition = bind_condition(Condition("pk", instance.pk), QueryBinder(instance._meta, {}, values))
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
