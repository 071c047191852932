"""Words of raw queries, written so that each can only be read as the word that it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

from transom.db.models.expressions import Expression

if TYPE_CHECKING:
    from transom.db.models.expressions import Binder, Bound
    from transom.db.postgres.search.vectors import Weight


class CombinableLexeme(Expression):
    """What can be put together with `&` and `|`, and negated with `~`."""

    __slots__ = ()

    def __and__(self, other: object) -> CombinedLexeme:
        return CombinedLexeme(self, "&", other)

    def __or__(self, other: object) -> CombinedLexeme:
        return CombinedLexeme(self, "|", other)

    def bind(self, binder: Binder) -> Bound:
        """Return the text, which is a value."""
        return binder.bind(str(self))


class Lexeme(CombinableLexeme):
    """A word of a query, whatever its characters: `SearchQuery(Lexeme("fru", prefix=True) & ~Lexeme("fig"))`.

    Args:
        value: the word; several words are looked for one directly after the other.
        invert: whether it must not be there; the same as `~`.
        prefix: whether words that begin with it will do.
        weight: the only words that count; all if None.

    Raises:
        TypeError: the word is none, or the weight.
    """

    __slots__ = ("invert", "prefix", "value", "weight")

    def __init__(
        self, value: str, *, invert: bool = False, prefix: bool = False, weight: Weight | None = None
    ) -> None:
        if not isinstance(cast("object", value), str) or not value:
            raise TypeError(f"a Lexeme is a word, as a str that is not empty, not {value!r}")
        if weight is not None and str(weight).upper() not in ("A", "B", "C", "D"):
            raise TypeError(f"weight={weight!r} is none; choose from A, B, C, D")
        self.value = value
        self.invert = invert
        self.prefix = prefix
        self.weight: Weight | None = weight

    def __invert__(self) -> Lexeme:
        return Lexeme(self.value, invert=not self.invert, prefix=self.prefix, weight=self.weight)

    def __str__(self) -> str:
        quoted = self.value.replace("\\", "\\\\").replace("'", "''")
        label = ("*" if self.prefix else "") + (self.weight or "")
        return f"{'!' if self.invert else ''}'{quoted}'{':' if label else ''}{label}"

    def __repr__(self) -> str:
        return f"Lexeme({self})"


class CombinedLexeme(CombinableLexeme):
    """Two lexemes, both of which must be there, or one of them."""

    __slots__ = ("connector", "invert", "left", "right")

    def __init__(
        self, left: object, connector: Literal["&", "|"], right: object, *, invert: bool = False
    ) -> None:
        for side in (left, right):
            if not isinstance(side, CombinableLexeme):
                raise TypeError(f"a Lexeme is combined with another one, not with {side!r}")
        self.left = left
        self.connector: Literal["&", "|"] = connector
        self.right = right
        self.invert = invert

    def __invert__(self) -> CombinedLexeme:
        return CombinedLexeme(self.left, self.connector, self.right, invert=not self.invert)

    def __str__(self) -> str:
        return f"{'!' if self.invert else ''}({self.left} {self.connector} {self.right})"

    def __repr__(self) -> str:
        return f"CombinedLexeme({self})"
