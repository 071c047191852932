"""The direction of one column in `order_by`."""

from __future__ import annotations

from typing import Any, NamedTuple


class OrderBy(NamedTuple):
    """One column to order by."""

    path: str
    descending: bool = False
    model: type[Any] | None = (
        None  # any model: the one that the path starts from, where a typed column said so
    )

    @classmethod
    def parse(cls, text: str) -> OrderBy:
        """Read Django's spelling: `"votes"`, or `"-votes"` for the largest first."""
        return cls(text[1:], True) if text.startswith("-") else cls(text)
