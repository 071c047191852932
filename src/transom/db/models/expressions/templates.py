"""SQL of an application's own, taken apart into text and places for operands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

from transom.db.exceptions import FieldError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from transom.db.sql.metadata import Vendor
    from transom.db.sql.shapes import Pieces, Template

Texts: TypeAlias = "str | Mapping[Vendor, str]"
"""One text for all databases, or one for each by its name."""

VENDORS = ("sqlite", "postgresql", "mysql")


def for_each(texts: Texts, take_apart: Callable[[str], Pieces]) -> Template:
    """Return each text in pieces, with the database that it is for; None for all."""
    if isinstance(texts, str):
        return ((None, take_apart(texts)),)
    return tuple([(vendor, take_apart(text)) for vendor, text in texts.items()])


def all_of(texts: Texts) -> list[str]:
    """Return each text.

    Raises:
        FieldError: there is no database of the name that one goes by.
    """
    if isinstance(texts, str):
        return [texts] if texts else []
    unknown = [name for name in texts if name not in VENDORS]
    if unknown:
        raise FieldError(f"there is no database {unknown[0]!r}; choose from {', '.join(VENDORS)}")
    return list(texts.values())


def by_place(text: str) -> Pieces:
    """Return the pieces of a text with `{}` for each operand, in their order."""
    first, *others = text.split("{}")
    return (first, *(piece for place, other in enumerate(others) for piece in (place, other)))


def by_side(text: str) -> Pieces:
    """Return the pieces of a text with `{lhs}` and `{rhs}` for the operands, each as often as it likes."""
    sides = {"lhs": 0, "rhs": 1}
    # Every second piece is what the parentheses in the pattern have caught.
    pieces = re.split(r"\{(lhs|rhs)\}", f"({text})")
    return tuple([sides[piece] if place % 2 else piece for place, piece in enumerate(pieces)])


def declared(expression: object, name: str) -> Any:
    """Return a field (any) that a class declares; to read it as an attribute would be to read a model's column."""
    return next(vars(at)[name] for at in type(expression).__mro__ if name in vars(at))
