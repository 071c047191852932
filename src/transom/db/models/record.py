"""A row as an object: what it is and whom it equals. Nothing here talks to a database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from transom.db.exceptions import MultipleObjectsReturned, ObjectDoesNotExist
from transom.db.models.fields import NOT_PROVIDED

if TYPE_CHECKING:
    from weakref import ref

    from transom.db.models.options import Options


class Record:
    """The base of `Model`: fields by name, identity by primary key.

    Two objects are equal if they are of one model (or a proxy of it) and have the same key; an object without a key
    equals only itself and has no hash. Whether they were read from the same database, and what else they hold, does
    not count.

    Pickling keeps the values and what was loaded beside them, but not the siblings of `QuerySet.fetch_peers()`.
    """

    _meta: ClassVar[Options]

    DoesNotExist: ClassVar[type[ObjectDoesNotExist]] = ObjectDoesNotExist
    """Raised where a query of this model found no row."""

    MultipleObjectsReturned: ClassVar[type[MultipleObjectsReturned]] = MultipleObjectsReturned
    """Raised where a query of this model found more rows than one."""

    # Loaders set neither: what they make is in the database, and in the default one unless they say so.
    _adding: bool = False
    _using: str = "default"
    _peers: tuple[ref[Record], ...] = ()
    """The objects of the same result, where it was asked for with `fetch_peers()`."""

    def __init__(
        self, **values: Any
    ) -> None:  # Any: the fields know their types; checkers cannot see them by keyword
        self._adding = True
        meta = self._meta
        if "pk" in values:
            values.update(meta.split_key(values.pop("pk")))
        for field in meta.fields:
            if field.name in values:
                setattr(self, field.name, values.pop(field.name))
            elif field.attname in values:
                setattr(self, field.attname, values.pop(field.attname))
            elif field.db_default is NOT_PROVIDED or field.in_key or field.has_default():
                setattr(self, field.attname, field.get_default())
        if values:
            name = next(iter(values))
            if name in meta.field_names:
                raise TypeError(
                    f"{meta.object_name} got both {meta.get_field(name).name!r} and {name!r}; give one"
                )
            if any(name == field.name for field in meta.many_to_many):
                raise TypeError(
                    f"{meta.object_name}.{name} takes rows once the object is saved: await obj.{name}.set(...)"
                )
            raise TypeError(
                f"{meta.object_name} has no field {name!r}; choose from {', '.join(meta.field_names)}"
            )

    if TYPE_CHECKING:
        pk: Any  # a key of any type, a tuple of a CompositePrimaryKey, which a class body may put here
    else:

        @property
        def pk(self) -> Any:
            """The value of the primary key, whatever the field is called; None before the first save."""
            return getattr(self, self._meta.pk.attname)

        @pk.setter
        def pk(self, value: Any) -> None:
            setattr(self, self._meta.pk.attname, value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Record) or other._meta.concrete_model is not self._meta.concrete_model:
            return NotImplemented
        return self is other or (self.pk is not None and self.pk == other.pk)

    def __hash__(self) -> int:
        if self.pk is None:
            raise TypeError(f"{self!r} has no primary key yet and so no hash; save it first")
        return hash((self._meta.concrete_model, self.pk))

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        state.pop("_peers", None)
        return state

    def __str__(self) -> str:
        return f"{type(self).__name__} object ({self.pk})"

    def __repr__(self) -> str:
        key = [self.__dict__.get(field.attname) for field in self._meta.pk_fields]
        return f"<{type(self).__name__}: {key[0] if len(key) == 1 else tuple(key)!r}>"
