"""Many-to-many relations: the field, and `post.tags`, the manager on both of its sides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, overload

from transom.db import router
from transom.db.exceptions import UniqueViolation
from transom.db.models.expressions import Q, RelationColumn
from transom.db.models.fields import ManyToManyBase, ManyToManyRelation, path_back
from transom.db.models.query import QuerySet, saved_key
from transom.db.models.record import Record
from transom.db.models.related_manager import RelatedQueries, manager_class
from transom.db.models.signals import m2m_changed
from transom.db.transaction import atomic

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
    from typing import Never, TypeAlias, Unpack

    from transom.db.models.fields import ManyToManyOptions

    # Any, here and below: keys, and values of further fields, of every type
    Key: TypeAlias = Any
    Values: TypeAlias = Mapping[str, Any]

M = TypeVar("M", bound=Record)
Target = TypeVar("Target", bound=Record)


class ManyRelatedManager(RelatedQueries[M]):
    """The way to the rows that are linked with one object: `post.tags`, `tag.posts`.

    `all()` answers with what was loaded, if it was; everything else asks the database. Each method runs a fixed number
    of statements, however many objects it is given; where there are several, in a transaction. Linking what is
    linked already does nothing, also if another task does so at the same time.
    """

    def __init__(self, end: ManyToManyBase | ManyToManyRelation, instance: Record) -> None:
        self._model = end.related_model
        self._using = None  # routers choose, else it is the object's
        self._instance = instance
        self._end = end
        self._cache_name = end.cache_name
        self._accessor_name = end.accessor_name
        self._source, self._target = end.source_key, end.target_key

    @property
    def through(self) -> type[Any]:
        """The model in between."""
        return self._end.through

    def get_queryset(self) -> QuerySet[M]:
        """Return the queryset of the rows linked with the object.

        A filter() right behind it speaks of the same rows in between: `group.members.filter(membership__date__gt=day)`.

        Raises:
            FieldError: the object has no key yet, so nothing can be linked with it.
        """
        ours = self._ours()
        rows = self._base().filter(**{path_back(self._end): ours})
        return self._with_loaded(rows._sticking())

    # -- changes ---------------------------------------------------------------------------------------------------

    async def add(self, *objects: M | Key, through_defaults: Values | None = None) -> None:
        """Link rows with the object.

        Args:
            objects: saved objects, or their keys.
            through_defaults: values of further fields of the rows in between, or functions that make them.

        Raises:
            FieldError: an object was never saved, or is of another model.
            ForeignKeyViolation: there is no row of a key.
        """
        keys = self._keys(objects)
        if keys:
            await self._again_if_taken(lambda: self._link_missing(keys, through_defaults))
        self._forget()

    async def remove(self, *objects: M | Key) -> None:
        """Unlink rows from the object; those that are not linked do not matter.

        Raises:
            FieldError: an object was never saved, or is of another model.
        """
        keys = self._keys(objects)
        if keys:
            await self._telling("remove", keys, self._between(keys).delete)
        self._forget()

    async def clear(self) -> None:
        """Unlink all rows from the object."""
        await self._telling("clear", None, self._between().delete)
        self._forget()

    async def set(
        self, objects: Iterable[M | Key], *, clear: bool = False, through_defaults: Values | None = None
    ) -> None:
        """Link these rows with the object, and no others.

        Args:
            objects: saved objects, or their keys.
            clear: whether to unlink all rows first, also those that stay, so that their rows in between are new.
            through_defaults: values of further fields of new rows in between, or functions that make them.

        Raises:
            FieldError: an object was never saved, or is of another model.
            ForeignKeyViolation: there is no row of a key.
        """
        keys = self._keys(objects)
        await self._again_if_taken(lambda: self._replace(keys, clear, through_defaults))
        self._forget()

    async def create(self, *, through_defaults: Values | None = None, **values: Any) -> M:
        """Insert a row and link it with the object."""
        async with atomic(self._written_to):
            made = await self._rows().using(self._written_to).create(**values)
            await self._insert(self._pairs(self._keys([made])), through_defaults)
        self._forget()
        return made

    async def get_or_create(
        self,
        defaults: dict[str, Any] | None = None,
        *,
        through_defaults: Values | None = None,
        **lookups: Any,
    ) -> tuple[M, bool]:
        """Return the linked row with these values, inserting and linking it if there is none, and whether it was inserted."""
        try:
            return await self.get_queryset().using(self._written_to).get(**lookups), False
        except self._model.DoesNotExist:
            values = {**lookups, **(defaults or {})}
            try:
                return await self.create(through_defaults=through_defaults, **values), True
            except UniqueViolation as violation:
                try:
                    return await self.get_queryset().using(self._written_to).get(**lookups), False
                except self._model.DoesNotExist:
                    raise violation from None

    async def update_or_create(
        self,
        defaults: dict[str, Any] | None = None,
        create_defaults: dict[str, Any] | None = None,
        *,
        through_defaults: Values | None = None,
        **lookups: Any,
    ) -> tuple[M, bool]:
        """Change the linked row with these values, inserting and linking it if there is none; see `QuerySet.update_or_create`."""
        changes, using = defaults or {}, self._written_to
        async with atomic(using):
            found, is_new = await self.get_or_create(
                changes if create_defaults is None else create_defaults,
                through_defaults=through_defaults,
                **lookups,
            )
            if not is_new and changes:
                for name, value in changes.items():
                    setattr(found, name, value() if callable(value) else value)
                await self._rows()._write_changes(found, changes, using)
        self._forget()
        return found, is_new

    async def bulk_create(
        self, objects: Iterable[M], batch_size: int | None = None, **options: Any
    ) -> list[M]:
        """Insert rows, and link them with the object; options as in `QuerySet.bulk_create`."""
        async with atomic(self._written_to):
            rows = await self._rows().using(self._written_to).bulk_create(objects, batch_size, **options)
            await self._insert(self._pairs(self._keys(rows)), None)
        self._forget()
        return rows

    @property
    def _written_to(self) -> str:
        """The database that has the rows in between."""
        return router.for_write(self.through, None, self._instance)

    # -- rows in between -------------------------------------------------------------------------------------------

    def _keys(self, objects: Iterable[M | Key]) -> list[Key]:
        """Return the keys of objects, each once; a key stands for itself."""
        name = self._target.target_field.attname
        keys: dict[Key, None] = {}
        for each in objects:
            if isinstance(each, Record):
                if not isinstance(each, self._model._meta.concrete_model):
                    raise self._target.wrong_type(each, f"a {self._model.__name__}, or its key")
                keys[saved_key(each, name)] = None
            else:
                keys[each] = None
        return list(keys)

    def _ours(self) -> Key:
        return saved_key(self._instance, self._source.target_field.attname)

    def _pairs(self, keys: Iterable[Key]) -> list[tuple[Key, Key]]:
        """Return source and target of the rows in between for these keys; with their mirror images where it is symmetrical."""
        ours = self._ours()
        pairs = [(ours, key) for key in keys]
        if self._end.symmetrical:
            pairs += [(key, ours) for key in keys]
        return list(dict.fromkeys(pairs))

    def _between(self, keys: list[Key] | None = None) -> QuerySet[Any]:
        """Return the rows in between: all of the object, or those that link it with these keys."""
        ours, source, target = self._ours(), self._source.name, self._target.name
        condition = Q(**{source: ours}) if keys is None else Q(**{source: ours, f"{target}__in": keys})
        if self._end.symmetrical:
            mirrored = {target: ours} if keys is None else {target: ours, f"{source}__in": keys}
            condition |= Q(**mirrored)
        return QuerySet[Any](self.through, self._written_to).filter(condition)

    async def _link_missing(self, keys: list[Key], defaults: Values | None) -> None:
        linked = await self._between(keys).values_list(self._source.attname, self._target.attname)
        await self._insert(self._without(self._pairs(keys), linked), defaults)

    async def _replace(self, keys: list[Key], clear: bool, defaults: Values | None) -> None:
        linked: Sequence[tuple[Key, ...]] = []
        if clear:
            await self._telling("clear", None, self._between().delete)
        else:
            linked = await self._between().values_list(self._source.attname, self._target.attname)
        wanted, ours = set(keys), self._ours()
        gone = {target for source, target in linked if source == ours} - wanted
        if gone:
            await self._telling("remove", gone, self._between(list(gone)).delete)
        await self._insert(self._without(self._pairs(keys), linked), defaults)

    @staticmethod
    def _without(pairs: list[tuple[Key, Key]], linked: Sequence[tuple[Key, ...]]) -> list[tuple[Key, Key]]:
        there = set(linked)
        return [pair for pair in pairs if pair not in there]

    async def _insert(self, pairs: list[tuple[Key, Key]], defaults: Values | None) -> None:
        if not pairs:
            return
        source, target = self._source.attname, self._target.attname
        further = {name: value() if callable(value) else value for name, value in (defaults or {}).items()}
        # In one order whatever the caller's, so that two tasks that link the same rows wait for each other only once.
        ordered = sorted(pairs, key=repr)
        rows = [self.through(**{source: ours, target: theirs, **further}) for ours, theirs in ordered]
        ours = self._ours()
        added = [there if here == ours else here for here, there in pairs]
        await self._telling(
            "add", added, lambda: QuerySet[Any](self.through, self._written_to).bulk_create(rows)
        )

    async def _telling(
        self, action: str, keys: Iterable[Key] | None, change: Callable[[], Awaitable[object]]
    ) -> None:
        """Make a change, and send m2m_changed before and after it, in one transaction."""
        if not m2m_changed.has_listeners(self.through):
            await change()
            return
        details: dict[str, Any] = {
            "instance": self._instance,
            "reverse": isinstance(self._end, ManyToManyRelation),
            "model": self._model,
            "pk_set": None if keys is None else set(keys),
            "using": self._written_to,
        }
        async with atomic(self._written_to):
            await m2m_changed.send(self.through, action=f"pre_{action}", **details)
            await change()
            self._forget()
            await m2m_changed.send(self.through, action=f"post_{action}", **details)

    async def _again_if_taken(self, change: Callable[[], Awaitable[None]]) -> None:
        """Make a change in a transaction; once more if another task linked the same rows at the same time."""
        try:
            async with atomic(self._written_to):
                await change()
        except UniqueViolation:
            async with atomic(self._written_to):
                await change()


class ManyToManyColumn(RelationColumn[M]):
    """A many-to-many relation on the class: leads to the columns of the other model, and has the model in between."""

    __slots__ = ()

    @property
    def through(self) -> type[Any]:
        """The model in between."""
        assert self.model is not None  # noqa: S101  accessors always give it
        end = self.model._meta.find(self.path)
        return cast("ManyToManyBase", end).through


class ManyRelated(Generic[M]):
    """The accessor that a many-to-many field puts on the model it points to.

    Type checkers are told by an annotation, as with `Related`: `posts: models.ManyRelated["Post"]`.
    """

    def __init__(self, relation: ManyToManyRelation) -> None:
        self.relation = relation

    @overload
    def __get__(
        self, instance: None, owner: type[Any]
    ) -> ManyToManyColumn[M]: ...  # Any: the model pointed to
    @overload
    def __get__(self, instance: Record, owner: type[Any]) -> ManyRelatedManager[M]: ...
    def __get__(
        self, instance: Record | None, owner: type[Any]
    ) -> ManyToManyColumn[M] | ManyRelatedManager[M]:
        if instance is None:
            return ManyToManyColumn(self.relation.query_name, owner)
        made: type[ManyRelatedManager[M]] = manager_class(ManyRelatedManager, self.relation.related_model)
        return made(self.relation, instance)

    def __set__(self, instance: Record, value: object) -> None:
        raise _not_set(instance, self.relation.accessor_name)


class ManyToManyField(ManyToManyBase, Generic[M]):
    """A relation in which each object on either side may have several of the other.

    The rows that link them are those of a model in between, with two foreign keys: one that is made for the field
    (`Post.tags.through`), or one of your own, which may have further fields.

    Args:
        to: the model, or its name where it is defined later: "Tag", "blog.Tag", or "self".
        through: the model in between, or its name; one is made if not given.
        through_fields: its foreign keys (to this model, to the other), where there are several of them.
        related_name: the accessor on the other model, `post_set` if not given; ending with "+" for none.
        related_query_name: the word in lookups from there, if not the same.
        symmetrical: with "self", whether being linked holds both ways, as it does if not said otherwise.
        db_table: the table of an automatic model in between.
        limit_choices_to: see `ForeignKey`.
        verbose_name: see `Field`.
        blank: see `Field`.
        editable: see `Field`.
        help_text: see `Field`.
    """

    @overload
    def __init__(
        self: ManyToManyField[Target], to: type[Target], **options: Unpack[ManyToManyOptions]
    ) -> None: ...
    @overload
    def __init__(  # Any: what a name stands for is said by an annotation: `friends: ManyToManyField["Person"] = …`
        self: ManyToManyField[Any], to: str, **options: Unpack[ManyToManyOptions]
    ) -> None: ...
    def __init__(self, to: type[Any] | str, **options: Unpack[ManyToManyOptions]) -> None:
        super().__init__(to, **options)

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> ManyToManyColumn[M]: ...
    @overload
    def __get__(self, instance: object, owner: type[Any]) -> ManyRelatedManager[M]: ...
    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return ManyToManyColumn[M](self.name, owner)
        return manager_class(ManyRelatedManager, self.related_model)(self, instance)

    def __set__(self, instance: object, value: Never) -> None:
        raise _not_set(instance, self.name)


def _not_set(instance: object, name: str) -> AttributeError:
    return AttributeError(f"{type(instance).__name__}.{name} cannot be set; call `await obj.{name}.set(...)`")
