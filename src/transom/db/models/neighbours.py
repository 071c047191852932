"""`get_next_by_<field>()` and `get_previous_by_<field>()`: the objects before and after one in time."""

from __future__ import annotations

from functools import partialmethod
from typing import TYPE_CHECKING, Any

from transom.db.models.expressions import Q
from transom.db.models.fields import DateField, DateTimeField
from transom.db.models.query import QuerySet

if TYPE_CHECKING:
    from transom.db.models.fields import Field
    from transom.db.models.record import Record


def add_neighbour_methods(model: type[Any], field: Field[Any]) -> None:
    """Give a model (any class) both methods of a field of dates or points in time that takes no NULL."""
    if field.null or not isinstance(field, DateField | DateTimeField):
        return
    for name, is_next in ((f"get_next_by_{field.name}", True), (f"get_previous_by_{field.name}", False)):
        if not hasattr(model, name):
            setattr(model, name, partialmethod(_neighbour, field.name, is_next))


async def _neighbour(self: Record, name: str, is_next: bool, *conditions: Any, **lookups: Any) -> Record:
    """Return the next or the previous object by a field, and by the key where the field is equal.

    Args:
        self: the object, which was saved.
        name: of the field.
        is_next: whether the later one is meant.
        conditions: as in filter(), which narrow where to look. Any, here and below: each lookup takes its own type.
        lookups: the same.

    Raises:
        DoesNotExist: there is none.
    """
    if self.pk is None:
        raise self.DoesNotExist(f"{self!r} has no primary key yet, so nothing comes before or after it")
    value, beyond = getattr(self, name), "gt" if is_next else "lt"
    later = Q(**{f"{name}__{beyond}": value}) | Q(**{name: value, f"pk__{beyond}": self.pk})
    rows = QuerySet(type(self), None, self).filter(*conditions, **lookups).filter(later)
    order = (name, "pk") if is_next else (f"-{name}", "-pk")
    found = await rows.order_by(*order)[:1]
    if not found:
        raise self.DoesNotExist(
            f"no {type(self).__name__} is {'after' if is_next else 'before'} {self!r} by {name}"
        )
    return found[0]
