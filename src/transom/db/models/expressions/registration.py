"""Lookups and transforms by name: `CharField.register_lookup(Length)`, on a class or on one object of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

from transom.db.exceptions import FieldError
from transom.db.models.expressions.base import Expression

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

R = TypeVar("R", bound=type[Expression])
C = TypeVar("C")

ON_CHANGE: list[Callable[[], None]] = []
"""Called after what is registered has changed, for whoever remembers what names mean."""


class Register:
    """`register_lookup`, of a class or of an object."""

    def __init__(self, where: Any) -> None:  # Any: a class with the mixin, or an object of one
        self._where = where

    def __call__(self, lookup: R, lookup_name: str | None = None) -> R:
        """Let a name in queries mean this lookup or transform from now on; usable as a decorator.

        Args:
            lookup: a `Lookup`, or a function of one operand such as `Length` or a `Transform` of your own.
            lookup_name: the name, if not its `lookup_name`.

        Raises:
            FieldError: it is neither, or has no name that can stand in a query.
        """
        self._change({**self._registered(), _name_of(lookup, lookup_name): lookup})
        return lookup

    def _registered(self) -> Mapping[str, type[Expression]]:
        """Return what is registered right here."""
        name = "class_lookups" if isinstance(self._where, type) else "instance_lookups"
        return vars(self._where).get(name, {})

    def _change(self, lookups: Mapping[str, type[Expression]]) -> None:
        # A new mapping each time: copies of a field go on with the old one.
        setattr(
            self._where, "class_lookups" if isinstance(self._where, type) else "instance_lookups", lookups
        )
        for forget in ON_CHANGE:
            forget()


class Unregister(Register):
    """`unregister_lookup`, of a class or of an object."""

    def __call__(self, lookup: R, lookup_name: str | None = None) -> R:
        """Let a name mean nothing again.

        Args:
            lookup: what was registered.
            lookup_name: under which name, if not its `lookup_name`.

        Raises:
            FieldError: it is not registered right here under this name.
        """
        name = _name_of(lookup, lookup_name)
        lookups = dict(self._registered())
        if lookups.pop(name, None) is not lookup:
            raise FieldError(f"{lookup.__name__} is not registered as {name!r} on {self._where!r}")
        self._change(lookups)
        return lookup


def _name_of(lookup: object, lookup_name: str | None) -> str:
    if not isinstance(lookup, type) or not hasattr(lookup, "lookup_name"):
        raise FieldError(f"a Lookup or a Transform can be registered, not {lookup!r}")
    if getattr(lookup, "arity", (1, 1))[0] > 1:
        raise FieldError(f"{lookup.__name__} takes several operands, and so is no part of one value")
    name: str = lookup_name or cast("Any", lookup).lookup_name  # Any: any class that has one
    if not name.isidentifier() or "__" in name:
        raise FieldError(
            f"{name!r} cannot be the name of {lookup.__name__} in a query; "
            "give it a lookup_name of letters and digits, without '__'"
        )
    return name


def by_name(*lookups: type[Expression]) -> dict[str, type[Expression]]:
    """Return lookups and transforms by their own names, as the `class_lookups` that a class begins with."""
    return {_name_of(lookup, None): lookup for lookup in lookups}


class _OnClassOrObject(Generic[C]):
    """A method of the class where it is read from the class, and of the object where it is read from that."""

    def __init__(self, make: Callable[[Any], C]) -> None:  # Any: see Register
        self._make = make

    def __get__(self, instance: object | None, owner: type[object]) -> C:
        return self._make(owner if instance is None else instance)


class RegisterLookupMixin:
    """What names of lookups and transforms mean behind this: behind a field, or a function that stands in a name itself.

    Attributes:
        class_lookups: what is registered on the class itself; the classes that it derives from have their own.
        instance_lookups: what is registered on one object.
    """

    __slots__ = ()

    class_lookups: ClassVar[Mapping[str, type[Expression]]] = {}
    instance_lookups: Mapping[str, type[Expression]] = {}
    register_lookup = _OnClassOrObject(Register)
    unregister_lookup = _OnClassOrObject(Unregister)

    def get_lookups(self) -> dict[str, type[Expression]]:
        """Return all that is registered, lookups and transforms, by name; of several the nearest counts."""
        found: dict[str, type[Expression]] = {}
        for at in reversed(type(self).__mro__):
            found.update(vars(at).get("class_lookups", {}))
        return {**found, **self.instance_lookups}

    def get_lookup(self, lookup_name: str) -> type[Expression] | None:
        """Return the lookup of a name, or None. A field may override this to find more."""
        found = self.get_lookups().get(lookup_name)
        return found if found is not None and found.is_condition else None

    def get_transform(self, lookup_name: str) -> Callable[[Expression], Expression] | None:
        """Return what makes the part of a value that has this name, or None. A field may override this to find more."""
        found = self.get_lookups().get(lookup_name)
        return (
            None if found is None or found.is_condition else cast("Callable[[Expression], Expression]", found)
        )
