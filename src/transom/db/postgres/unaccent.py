"""Text without accents; it needs the extension `unaccent`."""

from __future__ import annotations

from transom.db.models.expressions.function import Function
from transom.db.models.fields.text import BaseTextField


@BaseTextField.register_lookup
class Unaccent(Function):
    """A text without its accents, on both sides of a comparison: `name__unaccent__icontains="hélène"`."""

    __slots__ = ()

    name = "unaccent"
    lookup_name = "unaccent"
    bilateral = True
