"""One-to-one relations: a foreign key that no two rows share."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from transom.db.models.fields.foreign_key import ForeignKey
from transom.db.models.fields.forward import ForwardObject
from transom.db.models.fields.relations import OneToOneRelation

if TYPE_CHECKING:
    from typing import Unpack

    from transom.db.models.fields.foreign_key import ForeignKeyOptions
    from transom.db.models.fields.on_delete import OnDelete
    from transom.db.sql.metadata import Hop

T = TypeVar("T")
Target = TypeVar("Target")


class OneToOneField(ForeignKey[T]):
    """A reference to a row of another model, which no other row of this one refers to.

    The accessor on the other model is the object itself: `user.profile`, under the name of this model unless
    `related_name` says otherwise. It is loaded by `select_related("profile")` or `await user.load("profile")`.

    Args:
        to: see `ForeignKey`.
        on_delete: see `ForeignKey`.
        null: whether it may refer to nothing.
        options: see `ForeignKey`.
    """

    relation_class = OneToOneRelation
    forward_class = ForwardObject

    # The same as those of ForeignKey, but for the class of `self`.
    @overload
    def __init__(
        self: OneToOneField[Target],
        to: type[Target],
        on_delete: OnDelete,
        *,
        null: Literal[False] = False,
        **options: Unpack[ForeignKeyOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: OneToOneField[Target | None],
        to: type[Target],
        on_delete: OnDelete,
        *,
        null: Literal[True],
        **options: Unpack[ForeignKeyOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: OneToOneField[Any],
        to: str,
        on_delete: OnDelete,
        *,
        null: bool = False,
        **options: Unpack[ForeignKeyOptions],
    ) -> None: ...
    def __init__(
        self, to: Any, on_delete: OnDelete, *, null: bool = False, **options: Any
    ) -> None:  # Any: the overloads say it
        options["unique"] = True
        super().__init__(to, on_delete, null=null, **options)

    @cached_property
    def hop(self) -> Hop:
        """The step from this model to the other, whose object knows ours in turn."""
        relation = self.remote_field
        return replace(super().hop, back=None if relation.is_hidden else relation.accessor_name)

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """Leave out what makes it a one-to-one field."""
        name, path, arguments, keywords = super().deconstruct()
        keywords.pop("unique", None)
        return name, path, arguments, keywords
