"""The two attributes that a foreign key gives to objects: the key, and the object it refers to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transom.db import router
from transom.db.exceptions import NotLoaded
from transom.db.models.expressions import RelationColumn

if TYPE_CHECKING:
    from transom.db.models.fields.base import Field


class ForeignKeyId:
    """The key of a relation: `choice.question_id`. Its value lives in the instance, as that of any field."""

    def __init__(self, field: Field[Any]) -> None:
        self.field = field

    def __get__(self, instance: object | None, owner: type[Any]) -> Any:
        if instance is None:
            return RelationColumn[Any](self.field.attname, owner)
        raise NotLoaded(f"{self.field.label}_id was not loaded; call `await obj.refresh()` first")


class ForwardRelation:
    """The object of a relation: `choice.question`. What is loaded lies in the instance beside the key."""

    def __init__(self, field: Field[Any]) -> None:
        self.field = field
        self.cache_name = f"_loaded_{field.name}"

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        field = self.field
        if instance is None:
            return RelationColumn[Any](field.name, owner)
        key = getattr(instance, field.attname)
        loaded = instance.__dict__.get(self.cache_name)
        there = None if loaded is None else getattr(loaded, field.remote_field.target_field.attname)
        if key is None and there is None:
            return loaded
        # The key may have been set by hand since; and an object assigned before it was saved has one now.
        if loaded is None or (there != key and key is not None):
            raise NotLoaded(
                f"{field.label} is not loaded, and nothing loads by itself; query with "
                f"select_related({field.name!r}) or call `await obj.load({field.name!r})`"
            )
        return loaded

    def __set__(self, instance: Any, value: Any) -> None:
        field, relation = self.field, self.field.remote_field
        if value is not None and not isinstance(value, relation.target._meta.concrete_model):
            raise field.wrong_type(value, f"a {relation.target.__name__}")
        if router.active and value is not None:
            router.check_relation(instance, value)
        key = None if value is None else getattr(value, relation.target_field.attname)
        setattr(instance, field.attname, key)
        instance.__dict__[self.cache_name] = value


class ForwardObject(ForwardRelation):
    """The object of a one-to-one relation, which knows us in turn: `profile.user`, and then `user.profile`."""

    def __set__(self, instance: Any, value: Any) -> None:
        super().__set__(instance, value)
        if value is not None:
            value.__dict__[self.field.remote_field.cache_name] = instance
