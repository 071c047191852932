"""Parts of JSON documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transom.db.exceptions import FieldError
from transom.db.models.expressions.base import Bound, Expression
from transom.db.models.expressions.references import F
from transom.db.sql.shapes import DocumentPart

if TYPE_CHECKING:
    from transom.db.models.expressions.base import Binder


class KeyTransform(Expression):
    """The value of a key in a JSON document, or the element at a place: what `data__tags__0` is made of.

    Args:
        key: the key; a whole number is a place, which counts from the end if it is negative.
        lhs: the document; a str is the name of a column.

    Raises:
        FieldError: the key has a quotation mark in it.
    """

    __slots__ = ("key", "lhs")

    def __init__(self, key: str | int, lhs: Expression | str) -> None:
        if isinstance(key, str) and ('"' in key or "\0" in key):
            raise FieldError(f"a key of a JSON document cannot have quotation marks in it here: {key!r}")
        self.key = int(key) if isinstance(key, str) and key.removeprefix("-").isdecimal() else key
        self.lhs: Expression = F(lhs) if isinstance(lhs, str) else lhs

    def bind(self, binder: Binder) -> Bound:
        """Return the part, as JSON; a part of a part is one with more steps."""
        whole = binder.bind(self.lhs).shape
        if isinstance(whole, DocumentPart):
            part = whole._replace(steps=(*whole.steps, self.key))
        else:
            part = DocumentPart(whole, (self.key,), "json")
        return Bound(part, binder.field("json"))

    def __repr__(self) -> str:
        return f"KeyTransform({self.key!r}, {self.lhs!r})"
