"""Model: a row of a table as an object that can be saved, deleted and read again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transom.db import router
from transom.db.models import validation
from transom.db.models.expressions import Expression
from transom.db.models.fields import ForeignKey
from transom.db.models.metaclass import ModelMeta
from transom.db.models.query import (
    QuerySet,
    delete_row,
    insert,
    prefetch_related_objects,
    rows_of,
    update_row,
)
from transom.db.models.record import Record
from transom.db.models.signals import post_delete, post_save, pre_delete, pre_save

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

    from transom.db.models.fields import Field
    from transom.db.models.query import Prefetch


class Model(Record, metaclass=ModelMeta):
    """The base of all models: subclass it, and give the class fields.

    A model without a primary key gets `id`, a BigAutoField. `class Meta` takes `db_table`, `ordering`, `abstract`,
    `proxy`, `app_label`, `verbose_name`, `verbose_name_plural`, `indexes`, `constraints`, `unique_together`,
    `default_related_name`, `get_latest_by`, `default_manager_name` and `base_manager_name`. A model without a `class Meta`
    has that of the abstract model it inherits from.
    """

    if TYPE_CHECKING:
        # Any: models may have a key of another type under that name; `id: BigAutoField = BigAutoField(primary_key=True)` in a
        # model is exact.
        id: Any

    async def save(
        self,
        *,
        update_fields: Iterable[str] | None = None,
        force_insert: bool = False,
        force_update: bool = False,
        using: str | None = None,
    ) -> None:
        """Write the object to its row: insert it if it is new, else update it.

        An object that was never saved but has a key updates the row of that key, or inserts it if there is none. A field that
        holds an expression, as `F("votes") + 1`, is computed by the database in a row that exists, and has the result then.

        Args:
            update_fields: the fields to write, in a row that exists; all if None.
            force_insert: whether to insert and never update.
            force_update: whether to update and never insert.
            using: alias of the database; if None the routers choose, or it is the one the object came from.

        Raises:
            IntegrityError: a constraint refuses it.
            FieldError: a value of the wrong type, or an unknown name in `update_fields`.
            DoesNotExist: the row to update is gone.
            TypeError: it is to insert, and to update.
        """
        if force_insert and (force_update or update_fields is not None):
            raise TypeError("force_insert excludes force_update and update_fields")
        model, alias = type(self), router.for_write(type(self), using, self)
        names = None if update_fields is None else tuple(update_fields)
        sending = names != ()
        if sending and pre_save.has_listeners(model):
            told = None if names is None else frozenset(names)
            await pre_save.send(model, instance=self, raw=False, using=alias, update_fields=told)
        created = await self._write(names, force_insert, force_update, alias)
        if sending and post_save.has_listeners(model):
            told = None if names is None else frozenset(names)
            await post_save.send(
                model, instance=self, created=created, raw=False, using=alias, update_fields=told
            )

    async def _write(
        self, names: Iterable[str] | None, force_insert: bool, force_update: bool, alias: str
    ) -> bool:
        """Write the row, and return whether it is new."""
        if names is not None:
            await self._update([self._meta.get_column(name) for name in names], alias)
        elif force_update:
            await self._update(self._writable() or list(self._meta.pk_fields), alias)
            self._adding, self._using = False, alias
        elif force_insert or self.pk is None:
            await insert(self, alias)
            return True
        elif not self._adding and alias == self._using:
            await self._update(self._writable(), alias)
        elif not self._can_exist() or not await update_row(
            self, self._writable() or self._meta.pk_fields, alias
        ):
            await insert(self, alias)
            return True
        else:
            self._adding, self._using = False, alias
            self._forget_generated()
        return False

    def _can_exist(self) -> bool:
        """Whether the key may be that of a row: not if the object is new and defaults have made all of it, or will."""
        return not self._adding or not all(
            [field.has_default() or field.has_db_default() for field in self._meta.pk_fields]
        )

    def _writable(self) -> list[Field[Any]]:  # Any: fields of every type
        loaded = vars(self)
        return [
            field
            for field in self._meta.fields
            if field.attname in loaded and not (field.in_key or field.is_left_to_database(self))
        ]

    async def _update(self, fields: list[Field[Any]], alias: str) -> None:
        if self.pk is None:
            raise self._gone("has no primary key yet; save it whole first")
        if any(isinstance(value, Expression) for value in vars(self).values()):
            fields = await self._update_computed(fields, alias)
        if fields and not await update_row(self, fields, alias):
            raise self._gone("is no longer in the database, or never was")
        self._forget_generated()

    async def _update_computed(self, fields: list[Field[Any]], alias: str) -> list[Field[Any]]:
        """Let the database compute the fields that hold expressions, read them back, and return the others."""
        values = vars(self)
        computed = [field.attname for field in fields if isinstance(values.get(field.attname), Expression)]
        row = QuerySet(type(self), alias).filter(pk=self.pk)
        if not await row.update(**{name: values[name] for name in computed}):
            raise self._gone("is no longer in the database, or never was")
        (found,) = await row.values_list(*computed)
        values.update(zip(computed, found, strict=True))
        return [field for field in fields if field.attname not in computed]

    def _forget_generated(self) -> None:
        for field in self._meta.database_defaults:
            if field.db_expression() is not None:
                vars(self).pop(field.attname, None)

    def _gone(self, why: str) -> Exception:
        return self.DoesNotExist(f"{self!r} {why}")

    async def full_clean(
        self,
        exclude: Iterable[str] | None = None,
        *,
        validate_unique: bool = True,
        validate_constraints: bool = True,
    ) -> None:
        """Check the object in every way: each field, `clean()`, then what is unique, and the other constraints.

        Nothing calls it by itself; `save()` does not. A field that is wrong is left out of the checks after its own.

        Args:
            exclude: names of fields to leave out.
            validate_unique: whether to ask the database for rows with the same unique values.
            validate_constraints: whether to ask it about the constraints of `class Meta`.

        Raises:
            ValidationError: with all that is wrong, by field (`error.message_dict`); what concerns no single field is
                under `"__all__"`.
        """
        excluded = set(exclude or ())
        checks = [lambda: self.clean_fields(excluded), self.clean]
        if validate_unique:
            checks.append(lambda: self.validate_unique(excluded))
        if validate_constraints:
            checks.append(lambda: self.validate_constraints(excluded))
        await validation.collect(checks, excluded)

    async def clean_fields(self, exclude: Iterable[str] | None = None) -> None:
        """Check each field by itself, and set it to the value of its type: the number for its text.

        A foreign key must lead to a row. What was not loaded, and what the database will make, is left out.

        Raises:
            ValidationError: with what is wrong, by field.
        """
        await validation.clean_fields(self, set(exclude or ()))

    async def clean(self) -> None:
        """Check the fields together: override it, and raise ValidationError, with a dict by field if you like."""

    async def validate_unique(self, exclude: Iterable[str] | None = None) -> None:
        """Ask the database whether another row has a value that must be unique: of a field, or of `unique_together`.

        Raises:
            ValidationError: one has, by field, or under `"__all__"` where several fields are unique together.
        """
        await validation.validate_unique(self, set(exclude or ()))

    async def validate_constraints(self, exclude: Iterable[str] | None = None) -> None:
        """Ask the database whether the object meets the constraints of `class Meta`.

        Raises:
            ValidationError: it breaks one; under `"__all__"`, or by field for a constraint of a single one.
        """
        await validation.validate_constraints(self, set(exclude or ()))

    async def delete(self, *, using: str | None = None) -> int:
        """Delete the row and return 1, or 0 if it is gone already; rows that refer to it fare by their on_delete.

        Raises:
            ForeignKeyViolation: a row that refers to it is protected.
            DoesNotExist: the object was never saved.
        """
        if self.pk is None:
            raise self._gone("has no primary key, so there is no row to delete")
        model, alias = type(self), router.for_write(type(self), using, self)
        if pre_delete.has_listeners(model):
            await pre_delete.send(model, instance=self, using=alias)
        deleted = await delete_row(self, alias)
        self._adding = True
        if post_delete.has_listeners(model):
            await post_delete.send(model, instance=self, using=alias)
        return deleted

    async def refresh(
        self,
        *,
        fields: Iterable[str] | None = None,
        using: str | None = None,
        from_queryset: QuerySet[Self] | None = None,
    ) -> None:
        """Read the row again, and forget related objects that were loaded.

        Args:
            fields: the fields to read, and the relations to forget; all if None.
            using: alias of the database; the one the object came from if None.
            from_queryset: where to look for the row, with what is to be loaded beside it, or locked:
                `Post.objects.select_related("author")`. Not together with `fields`.

        Raises:
            DoesNotExist: the row is gone, or not in that queryset.
            FieldError: an unknown name in `fields`.
        """
        if self.pk is None:
            raise self._gone("has no primary key, so there is no row to read")
        alias = router.for_read(type(self), using, self)
        if fields is not None:
            if from_queryset is not None:
                raise TypeError("refresh() takes fields, or a queryset that says what to load, not both")
            await self._refresh_some(fields, alias)
            return
        rows = QuerySet(type(self)) if from_queryset is None else from_queryset
        fresh = await rows.using(alias).get(pk=self.pk)
        state = vars(self)
        for name in [name for name in state if name.startswith("_loaded_")]:
            del state[name]
        state.update(vars(fresh))
        self._adding, self._using = False, alias

    async def _refresh_some(self, names: Iterable[str], alias: str) -> None:
        columns: list[str] = []
        forgotten: list[str] = []
        for name in names:
            end: Any = self._meta.get_field(name) if name in self._meta.field_names else None
            if end is not None:
                columns.append(end.attname)
                forgotten.append(f"_loaded_{end.name}")
            else:
                forgotten.append(rows_of(self._meta, name).cache_name)
        if columns:
            found = await QuerySet(type(self), alias).filter(pk=self.pk).values_list(*columns)
            if not found:
                raise self._gone("is no longer in the database, or never was")
            vars(self).update(zip(columns, found[0], strict=True))
        for name in forgotten:
            vars(self).pop(name, None)

    def get_deferred_fields(self) -> set[str]:
        """Return the columns that only() and defer() have left, by the names of their attributes."""
        return {field.attname for field in self._meta.fields if field.attname not in vars(self)}

    refresh_from_db = refresh  # Django's name of it

    async def load(self, *names: str | Prefetch) -> None:
        """Load what relations lead to, each with one statement, unless it is loaded.

        Where the object came from a queryset with `fetch_peers()`, the statement loads for all objects of that result.

        Args:
            names: relations of every kind, by the attributes of the object, and paths of them: `"author"`,
                `"choices"`, `"tags__author"`; or Prefetch objects.

        Raises:
            FieldError: a name is no relation, or the object was never saved.
            DoesNotExist: the row that a foreign key refers to is gone.
        """
        peers = [peer for each in self._peers if (peer := each()) is not None and peer is not self]
        await prefetch_related_objects([self, *peers], *names, peers=bool(self._peers))
        for name in names:
            key = self._meta.find(name) if isinstance(name, str) else None
            if isinstance(key, ForeignKey) and not key.is_loaded(self):
                raise key.related_model.DoesNotExist(
                    f"{key.label} refers to {getattr(self, key.attname)!r}, which is no longer in the database"
                )
