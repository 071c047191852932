"""QuerySet: the queries of a model's objects, and the questions and changes one can await of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from transom.db import connections
from transom.db.exceptions import FieldError, UniqueViolation
from transom.db.models.query.binding import bind_assignment
from transom.db.models.query.combining import combine
from transom.db.models.query.explaining import explain_sql, explanation
from transom.db.models.query.lookups import SEPARATOR, resolve_path
from transom.db.models.query.persistence import delete_where, insert, insert_many, update_many, update_row
from transom.db.models.query.plans import returning_plan, select_plan, update_plan
from transom.db.models.query.prefetch import Extras, build_tree
from transom.db.models.query.raw import RawQuerySet
from transom.db.models.query.values import ChoosingQuery
from transom.db.models.record import Record
from transom.db.models.signals import post_save, pre_save
from transom.db.sql.shapes import Conflict
from transom.db.transaction import atomic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import NoReturn, Self

    from transom.db.backends.base import Executor
    from transom.db.models.expressions import Q
    from transom.db.models.query.base import Query
    from transom.db.models.query.plans import Plan
    from transom.db.models.query.prefetch import Prefetch
    from transom.db.sql.metadata import Hop
    from transom.db.sql.placeholders import Params
    from transom.db.sql.shapes import Assignment, SelectShape

M = TypeVar("M", bound=Record)
QuerySetT = TypeVar("QuerySetT", bound="QuerySet[Any]")  # Any: a queryset of any model


class QuerySet(ChoosingQuery[M, M]):
    """Objects of a model, by the methods of Query; awaiting one gives the list.

    `await queryset` asks the database each time: nothing is kept.
    """

    __slots__ = ("_extras", "_rows")

    def __init__(self, model: type[M], using: str | None = None, instance: Record | None = None) -> None:
        super().__init__(model, using, instance)
        self._extras: Extras | None = None
        self._rows: list[M] | None = (
            None  # what a related manager's object has loaded; only all() hands it on
        )

    def _copy_to(self, made: Query[M]) -> None:
        super()._copy_to(made)
        if isinstance(made, QuerySet):
            made._extras = self._extras
            made._rows = None

    @classmethod
    def as_manager(cls) -> QuerySetManager[Self]:
        """Return a manager for a class body, so that `objects` is a queryset of this class, with its methods."""
        return QuerySetManager(cls)

    def __copy__(self) -> Self:
        return self._clone()

    def __deepcopy__(self, memo: object) -> Self:
        return self._clone()

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a queryset is a question to the database and cannot be pickled; pickle its answer: "
            "pickle.dumps(await queryset)"
        )

    # -- objects ---------------------------------------------------------------------------------------------------

    async def _fetch(self) -> list[M]:
        if self._rows is not None:
            return list(self._rows)
        if self._empty:
            return []
        using, executor = self._where()
        plan = self._plan(executor, using)
        rows = plan.load(await executor.fetch(plan.sql, plan.encode(self._arguments())))
        if self._extras is not None:
            await self._extras.apply(rows, self._related)
        return rows

    async def _finish(self, rows: list[M]) -> list[M]:
        if self._extras is not None:
            await self._extras.apply(rows, self._related)
        return rows

    def _plan(self, executor: Executor, using: str) -> Plan:
        return select_plan(self._shape(), self._selected_fields(), self._columns, executor.vendor, using)

    def _selected_fields(self) -> tuple[tuple[str, Any], ...]:
        """Return names and fields (of any type) of the annotations."""
        if not self._selected:
            return ()
        return tuple([(name, self._annotations[name].field) for name in self._selected])

    def raw(
        self, sql: str, params: Params = (), translations: Mapping[str, str] | None = None
    ) -> RawQuerySet[M]:
        """Return objects of the rows of SQL of one's own, in which nothing of this query has a part but its database.

        Args:
            sql: a statement that reads, with `%s` for each value, or `%(name)s`; `%%` is a percent sign. It is part of the
                program and must never be made of anything that users have sent.
            params: the values, a list or a dict; None for SQL without any, whose percent signs stay as they are.
            translations: fields by the names of the columns in the SQL, where these are not the fields' own.

        Raises:
            FieldError: there are more or fewer params than places, or an unknown field.
        """
        return RawQuerySet(self.model, sql, params, translations, self._chosen)

    async def in_bulk(self, id_list: Iterable[Any] | None = None, *, field_name: str = "pk") -> dict[Any, M]:
        """Return the objects with these keys by their keys, those that are there. Any: keys of any type.

        Args:
            id_list: the keys; all rows of the query if None.
            field_name: the field that the keys are of: a unique one, or that of `distinct(field_name)`.

        Raises:
            FieldError: the field is not unique.
            TypeError: keys are given and the queryset is sliced.
        """
        query, field = self._with_keys(id_list, field_name)
        return {getattr(found, field.attname): found for found in await query._fetch()}

    async def explain(self, format: str | None = None, **options: bool) -> str:
        """Return how the database would find the rows, in its own words, a line for each step.

        Args:
            format: `"json"` on PostgreSQL and MariaDB, `"xml"` and `"yaml"` on PostgreSQL; plain text if None.
            options: `analyze=True` finds the rows too, and says how long each step took: on PostgreSQL and MariaDB. PostgreSQL
                takes `verbose`, `costs`, `settings`, `buffers`, `wal`, `timing` and `summary` as well.

        Raises:
            ValueError: the database knows no such format or option.
        """
        using, executor = self._where()
        plan = self._plan(executor, using)
        sql = explain_sql(executor.vendor, plan.sql, format, options)
        return explanation(executor.vendor, await executor.fetch(sql, plan.encode(self._arguments())))

    # -- together with others --------------------------------------------------------------------------------------

    def __and__(self, other: QuerySet[M]) -> Self:
        """Keep the rows of both; see `combining.py`."""
        return combine(self, other, "AND")

    def __or__(self, other: QuerySet[M]) -> Self:
        """Keep the rows of either."""
        return combine(self, other, "OR")

    def __xor__(self, other: QuerySet[M]) -> Self:
        """Keep the rows of one only."""
        return combine(self, other, "XOR")

    # -- what is loaded beside them --------------------------------------------------------------------------------

    def prefetch_related(self, *lookups: str | Prefetch | None) -> Self:
        """Load what the objects are related to, with one more statement for each word of the names.

        What was loaded is read by `question.choices.loaded`, or `await question.choices.all()`.

        Args:
            lookups: relations of every kind, by the attributes of objects, and paths of them: `"choices"`,
                `"tags__author"`; or Prefetch objects. None alone takes back what was named before.

        Raises:
            FieldError: a name is no relation.
            ValueError: one relation is to be loaded in two ways.
        """
        extras = self._extras or Extras()
        names = [lookup for lookup in lookups if lookup is not None]
        kept = (*extras.lookups, *names) if names else ()
        made = self._clone()
        made._extras = replace(extras, lookups=kept, tree=build_tree(self._options, kept))
        return made

    def fetch_peers(self) -> Self:
        """Let `await row.load("author")` load for all objects of this result at once, as far as they are still in use."""
        made = self._clone()
        made._extras = replace(self._extras or Extras(), peers=True)
        return made

    def _knowing(self, name: str, instance: Record) -> Self:
        """Let every object keep another one under a name."""
        made = self._clone()
        made._extras = replace(self._extras or Extras(), known=((name, instance),))
        return made

    def _holding(self, rows: list[M]) -> Self:
        """Answer with these rows, and ask no database."""
        made = self._clone()
        made._rows = rows
        return made

    def _linked(self, condition: Q, link: Hop) -> Self:
        """Keep the rows linked so, each with the row in between that the condition is about."""
        made = self._narrowed(condition)
        made._related = (*made._related, (link,))
        return made

    def _loading(self, name: str) -> Self:
        """Load a column of the model, whatever only() and defer() said."""
        made = self._clone()
        if made._columns is not None:
            made._columns = made._columns.with_column(resolve_path(self._options, name))
        return made

    # -- questions -------------------------------------------------------------------------------------------------

    async def count(self) -> int:
        """Return the number of objects."""
        return await super().count() if self._rows is None else len(self._rows)

    async def exists(self) -> bool:
        """Return whether there is any object."""
        return await super().exists() if self._rows is None else bool(self._rows)

    async def contains(self, instance: Record) -> bool:
        """Return whether an object is among the results: whether its row is, by its key.

        Raises:
            TypeError: it is no object of a model, or was never saved.
        """
        if not isinstance(cast("object", instance), Record):
            raise TypeError(f"contains() takes an object, not {instance!r}")
        if instance._meta.concrete_model is not self._options.concrete_model:
            return False
        if instance.pk is None:
            raise TypeError(f"{instance!r} was never saved, so no query can have it; save it first")
        if self._rows is not None:
            return instance in self._rows
        within = QuerySet(self.model, self._chosen).filter(pk__in=self) if self._is_sliced else self
        return await within.filter(pk=instance.pk).exists()

    # -- changes ---------------------------------------------------------------------------------------------------

    async def create(self, **values: Any) -> M:
        """Insert a row and return its object. Any: the fields know their types.

        Raises:
            IntegrityError: a constraint refuses it (UniqueViolation and so on).
            FieldError: a value of the wrong type.
        """
        made, using = self.model(**values), self._written_to
        if pre_save.has_listeners(self.model):
            await pre_save.send(self.model, instance=made, raw=False, using=using, update_fields=None)
        await insert(made, using)
        if post_save.has_listeners(self.model):
            await post_save.send(
                self.model, instance=made, created=True, raw=False, using=using, update_fields=None
            )
        return made

    async def get_or_create(self, defaults: dict[str, Any] | None = None, **lookups: Any) -> tuple[M, bool]:
        """Return the object with these values, making it if there is none, and whether it was made.

        Two tasks that do so at once get the same object, provided that a unique constraint covers the lookups.

        Args:
            defaults: further values of a new object, or functions that return them. Any: the fields know their types.
            lookups: values to look for, which a new object gets too; not those with a lookup, as `name__iexact`.
        """
        written_to = self._written_to
        here = self.using(written_to)  # to look in a replica could miss what is about to be made
        try:
            return await here.get(**lookups), False
        except self.model.DoesNotExist:
            try:
                async with atomic(written_to):
                    return await here.create(**_values_of_new(lookups, defaults or {})), True
            except UniqueViolation as violation:
                try:
                    return await here.get(**lookups), False
                except self.model.DoesNotExist:
                    raise violation from None

    async def update_or_create(
        self,
        defaults: dict[str, Any] | None = None,
        create_defaults: dict[str, Any] | None = None,
        **lookups: Any,
    ) -> tuple[M, bool]:
        """Change the object with these values, making it if there is none, and return it and whether it was made.

        The row is locked meanwhile, so that of two who do this at once none loses what the other wrote.

        Args:
            defaults: the values to set. Any: the fields know their types.
            create_defaults: the further values of a new object; `defaults` if not given.
            lookups: values to look for, which a new object gets too; not those with a lookup.

        Raises:
            MultipleObjectsReturned: several objects have these values; the model's own class.
        """
        changes = defaults or {}
        using = self._written_to
        async with atomic(using):
            found, is_new = (
                await self.using(using)
                .select_for_update()
                .get_or_create(create_defaults if create_defaults is not None else changes, **lookups)
            )
            if not is_new and changes:
                for name, value in changes.items():
                    setattr(found, name, value() if callable(value) else value)
                await self._write_changes(found, changes, using)
        return found, is_new

    async def _write_changes(self, found: M, changes: Iterable[str], using: str) -> None:
        """Write fields of an object, as its `save(update_fields=changes)` would."""
        names = frozenset(changes)
        if pre_save.has_listeners(self.model):
            await pre_save.send(self.model, instance=found, raw=False, using=using, update_fields=names)
        await update_row(found, [self._options.get_column(name) for name in changes], using)
        if post_save.has_listeners(self.model):
            await post_save.send(
                self.model, instance=found, created=False, raw=False, using=using, update_fields=names
            )

    async def bulk_create(
        self,
        objects: Iterable[M],
        batch_size: int | None = None,
        *,
        ignore_conflicts: bool = False,
        update_conflicts: bool = False,
        update_fields: Sequence[str] = (),
        unique_fields: Sequence[str] = (),
    ) -> list[M]:
        """Insert objects, all or none, and return them with their keys; one statement for as many as there are.

        Args:
            objects: not saved yet.
            batch_size: how many in one statement at most, where one for all would take too much memory.
            ignore_conflicts: whether to leave out what a unique constraint refuses. The objects get no keys then.
            update_conflicts: whether to change the rows that are there instead.
            update_fields: what to set in these; must be given with `update_conflicts`.
            unique_fields: those of the constraint; must be given with `update_conflicts`.

        Raises:
            IntegrityError: a constraint refuses a row.
            FieldError: a value of the wrong type, or an unknown name.
            TypeError: options that do not go together.
        """
        conflict = self._conflict(ignore_conflicts, update_conflicts, update_fields, unique_fields)
        rows = list(objects)
        if len(rows) <= (batch_size or len(rows)):
            if rows:
                await insert_many(self.model, rows, self._written_to, conflict)
            return rows
        using = self._written_to
        async with atomic(using):
            for batch in _batches(rows, batch_size):
                await insert_many(self.model, batch, using, conflict)
        return rows

    def _conflict(
        self, ignore: bool, change: bool, update_fields: Sequence[str], unique_fields: Sequence[str]
    ) -> Conflict | None:
        if ignore and change:
            raise TypeError("ignore_conflicts and update_conflicts exclude each other")
        if change and not (update_fields and unique_fields):
            raise TypeError("update_conflicts needs update_fields and unique_fields")
        if (update_fields or unique_fields) and not change:
            raise TypeError("update_fields and unique_fields are for update_conflicts")
        unique = self._options.get_columns(unique_fields)
        update = tuple([self._options.get_column(name) for name in update_fields])
        return Conflict(unique, update) if ignore or change else None

    async def bulk_update(
        self, objects: Iterable[M], fields: Sequence[str], batch_size: int | None = None
    ) -> int:
        """Write these fields of objects to their rows, with one statement, and return how many rows there were.

        Args:
            objects: saved ones.
            fields: which.
            batch_size: how many in one statement at most, where one for all would take too much memory.

        Raises:
            IntegrityError: a constraint refuses a row; nothing is changed.
            FieldError: a value of the wrong type, an unknown name, or the key.
            TypeError: an object was never saved, or there are no fields.
        """
        chosen = tuple([self._options.get_field(name) for name in fields])
        if not chosen:
            raise TypeError("bulk_update() needs fields")
        if any(field.in_key for field in chosen):
            raise FieldError("bulk_update() finds rows by their key and cannot change it")
        rows = list(objects)
        unsaved = next((row for row in rows if row.pk is None), None)
        if unsaved is not None:
            raise TypeError(f"{unsaved!r} was never saved; bulk_update() takes objects that have a row")
        if len(rows) <= (batch_size or len(rows)):
            return await update_many(rows, chosen, self._written_to) if rows else 0
        using = self._written_to
        async with atomic(using):
            return sum([await update_many(batch, chosen, using) for batch in _batches(rows, batch_size)])

    async def update(self, **values: Any) -> int:
        """Set columns in all the rows, and return how many there were.

        Values may be computed from the columns of the same row: `update(votes=F("votes") + 1)`. Any: the fields
        know their types.

        Raises:
            FieldError: an unknown field, or a value of the wrong type.
            TypeError: the queryset is sliced, or nothing is to be set.
        """
        shape, assignments, arguments = self._assign(values)
        if self._empty:
            return 0
        executor = connections.executor(self._written_to)
        plan = update_plan(shape, assignments, executor.vendor)
        return await executor.execute(plan.sql, plan.encode(arguments))

    def _assign(self, values: dict[str, Any]) -> tuple[SelectShape, tuple[Assignment, ...], list[Any]]:
        """Return the shape of a change, and all its values."""
        self._refuse_sliced("update")
        if not values:
            raise TypeError("update() needs at least one field=value")
        arguments: list[Any] = list(self._values)
        binder = self._binder(arguments)
        get = self._options.get_column
        assignments = tuple([bind_assignment(get(name), value, binder) for name, value in values.items()])
        query = self
        if binder.ctes:
            query = self._clone()
            query._attach(binder.ctes)
        return query._changed_rows(), assignments, [*query._cte_values(), *arguments]

    def _changed_rows(self) -> SelectShape:
        return self._shape(ordered=False)._replace(related=(), lock=None)

    def returning(self, *names: str) -> ReturningQuery[M]:
        """Let update() and delete() give columns of the rows back: `await queryset.returning("id").update(votes=0)`.

        Args:
            names: of fields of the model; all if none are given.
        """
        return ReturningQuery(self, names)

    async def delete(self) -> int:
        """Delete the rows and return how many there were; rows that refer to them fare by their on_delete.

        Rows that go in a cascade are not counted, even if the query would have come to them later.

        Raises:
            ForeignKeyViolation: a row is protected; nothing is deleted.
            TypeError: the queryset is sliced.
        """
        self._refuse_sliced("delete")
        if self._empty:
            return 0
        return await delete_where(self._changed_rows(), self._step_values(), self._written_to)

    def __repr__(self) -> str:
        return f"<QuerySet of {self.model.__name__}: await it for its rows>"


class QuerySetManager(Generic[QuerySetT]):
    """What `as_manager()` puts into a class: reading it gives the queryset of all rows."""

    def __init__(self, queryset_class: type[QuerySetT]) -> None:
        self._queryset_class = queryset_class

    def __get__(self, instance: None, owner: type[Any]) -> QuerySetT:  # Any: any model
        if instance is not None:
            raise AttributeError(f"managers are reached from the class: {owner.__name__}.objects")
        return self._queryset_class(owner)


def _values_of_new(lookups: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """Return the values of an object that was not found. Any: the fields know their types."""
    plain = {name: value for name, value in lookups.items() if SEPARATOR not in name}
    return {**plain, **{name: value() if callable(value) else value for name, value in defaults.items()}}


def _batches(rows: list[M], size: int | None) -> Iterator[list[M]]:
    for start in range(0, len(rows), size or len(rows)):
        yield rows[start : start + (size or len(rows))]


class ReturningQuery(Generic[M]):
    """What `returning()` returns: changes that give back dicts of the rows, as they are then (or were, of those deleted)."""

    __slots__ = ("_fields", "_names", "_query")

    def __init__(self, query: QuerySet[M], names: tuple[str, ...]) -> None:
        options = query.model._meta
        self._query = query
        self._names = names or tuple([field.attname for field in options.fields])
        self._fields = tuple([options.get_field(name) for name in self._names])

    async def update(self, **values: Any) -> list[dict[str, Any]]:
        """Set columns in all the rows, as `QuerySet.update`. Any: the fields know their types."""
        shape, assignments, arguments = self._query._assign(values)
        return await self._run(shape, assignments, arguments)

    async def delete(self) -> list[dict[str, Any]]:
        """Delete the rows, as `QuerySet.delete`. Any: the fields know their types."""
        self._query._refuse_sliced("delete")
        return await self._run(self._query._changed_rows(), None, self._query._step_values())

    async def _run(
        self, shape: SelectShape, assignments: tuple[Assignment, ...] | None, arguments: Sequence[Any]
    ) -> list[dict[str, Any]]:
        if self._query._empty:
            return []
        executor = connections.executor(self._query._written_to)
        plan = returning_plan(shape, assignments, self._fields, self._names, executor.vendor)
        return plan.load(await executor.execute_returning(plan.sql, plan.encode(arguments)))
