"""The columns of a list: from the names in `list_display` to what a row shows, and what the database orders by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from transom.admin.labels import capitalize
from transom.db import FieldError, models

if TYPE_CHECKING:
    from transom.db.models import Options

# Any, here and below: an object of any model, and whatever a method makes of it.
Reader: TypeAlias = Callable[[Any], Any]
ReaderT = TypeVar("ReaderT", bound=Callable[..., Any])

SEPARATOR = "__"
STRING = "__str__"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a list.

    Attributes:
        name: as in `list_display`; the address of the list orders by it.
        label: what people read above it.
        read: gives what a row shows.
        ordering: what the database orders by, as in `order_by`; empty where people cannot order by it.
        related: the path of foreign keys whose objects `read` needs; empty if it needs none.
    """

    name: str
    label: str
    read: Reader
    ordering: tuple[str, ...] = ()
    related: str = ""


def display(*, description: str = "", ordering: str = "") -> Callable[[ReaderT], ReaderT]:
    """Say how the list shows a method.

    Args:
        description: the label of the column; the name in words if not given.
        ordering: what the database orders by in its place, as in `order_by`; people cannot order by it if not given.
    """

    def decorate(method: ReaderT) -> ReaderT:
        method.__dict__.update(admin_description=description, admin_ordering=ordering)
        return method

    return decorate


def build_column(owner: object, model: type[models.Model], name: str) -> Column:
    """Return the column of a name: `"__str__"`, a method of the owner, a field or path of fields, or a method of the model.

    Raises:
        FieldError: it is none of them; the message names the choices.
    """
    if name == STRING:
        return Column(name, capitalize(model._meta.verbose_name), str)
    method = getattr(owner, name, None)
    if callable(method):
        return _method_column(name, method, method)
    if SEPARATOR in name or model._meta.find(name) is not None:
        return _field_column(model, name)
    attribute = getattr(model, name, None)
    if callable(attribute):
        return _method_column(name, attribute, attribute)
    if isinstance(attribute, property):
        return _method_column(name, attribute.fget, lambda row: getattr(row, name))
    raise _unknown(owner, model, name)


def reverse_ordering(terms: tuple[str, ...]) -> tuple[str, ...]:
    """Return the terms the other way around."""
    return tuple(term[1:] if term.startswith("-") else f"-{term}" for term in terms)


def _field_column(model: type[models.Model], name: str) -> Column:
    steps, field = _follow(model._meta, name)
    label = capitalize(" ".join([*(step.replace("_", " ") for step in steps), str(field.verbose_name)]))
    # `question` is the object that a foreign key refers to; `question_id` is the key alone, and needs no join.
    if isinstance(field, models.ForeignKey) and name.endswith(field.name):
        path = [*steps, field.name]
        return Column(name, label, _reader(path), _relation_ordering(name, field), SEPARATOR.join(path))
    return Column(name, label, _reader([*steps, field.attname]), (name,), SEPARATOR.join(steps))


def _follow(options: Options, name: str) -> tuple[list[str], models.Field[Any]]:
    """Return the foreign keys on the way to the field that a path ends in, and that field."""
    *steps, last = name.split(SEPARATOR)
    for step in steps:
        field = options.get_field(step)
        if not isinstance(field, models.ForeignKey) or step != field.name:
            raise FieldError(f"{field.label} is no foreign key, so the column {name!r} cannot go through it")
        options = field.remote_field.target._meta
    return steps, options.get_field(last)


def _reader(path: list[str]) -> Reader:
    def read(row: Any) -> Any:
        for name in path:
            if row is None:
                return None
            row = getattr(row, name)
        return row

    return read


def _relation_ordering(name: str, field: models.ForeignKey[Any]) -> tuple[str, ...]:
    """Return what a column of objects is ordered by: the order that their own model has, else their keys."""
    terms = field.remote_field.target._meta.ordering
    ordering = tuple(
        f"-{name}{SEPARATOR}{term[1:]}" if term.startswith("-") else f"{name}{SEPARATOR}{term}"
        for term in terms
    )
    return ordering or (name,)


def _method_column(name: str, method: Any, read: Reader) -> Column:
    if iscoroutinefunction(method):
        raise FieldError(
            f"the column {name!r} is a coroutine function, which would ask the database once for each row; write a plain "
            "method, and load what it needs with list_select_related or get_queryset()"
        )
    description = getattr(method, "admin_description", "") or capitalize(name.replace("_", " "))
    ordering = getattr(method, "admin_ordering", "")
    return Column(name, description, read, (ordering,) if ordering else ())


def _unknown(owner: object, model: type[models.Model], name: str) -> FieldError:
    choices = [STRING, *(field.name for field in model._meta.fields)]
    close = get_close_matches(name, choices, 1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return FieldError(
        f"neither {type(owner).__name__} nor {model.__name__} has a column {name!r}; {hint}choose from "
        f"{', '.join(choices)}, or write a method of that name"
    )
