"""Source code as a small tree, laid out the way ruff format and black lay it out.

What fits goes on one line. What does not is written one item a line with a trailing comma, which formatters keep
whatever their line length, so a file comes out the same from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LINE_LENGTH = 88  # black's and ruff's default
INDENT = "    "


@dataclass(frozen=True, slots=True)
class Code:
    """An expression.

    Attributes:
        head: the whole expression; or its opening part, up to and with the bracket, where it has a tail.
        items: what stands between the brackets: `(prefix, expression)`, the prefix being `""`, `"name="` or `"key: "`.
        tail: the closing bracket; empty for an atom.
        imports: modules the expression names.
        exploded: always one item a line, even where it would fit.
        operator: what stands between the two items, where these are operands and not in brackets.
    """

    head: str
    items: tuple[tuple[str, Code], ...] = ()
    tail: str = ""
    imports: frozenset[str] = frozenset()
    exploded: bool = False
    operator: str = ""

    def iter_imports(self) -> Iterator[str]:
        """Yield the modules that this expression and all in it name."""
        yield from self.imports
        for _, item in self.items:
            yield from item.iter_imports()

    def layout(self, indent: str = "", before: int = 0) -> str:
        """Return the text, for a place `before` columns into a line that is indented by `indent`."""
        line = self._one_line()
        if line is not None and len(indent) + before + len(line) + len(",") <= LINE_LENGTH:
            return line
        if not self.items:
            return self.head + self.tail
        if self.operator:
            (_, left), (_, right) = self.items
            after = f"{self.operator} "
            return f"{left.layout(indent, before)}\n{indent}{after}{right.layout(indent, len(after))}"
        inner = indent + INDENT
        lines = (f"{inner}{prefix}{item.layout(inner, len(prefix))}," for prefix, item in self.items)
        return "\n".join([self.head, *lines, indent + self.tail])

    def _one_line(self) -> str | None:
        if self.exploded and self.items:
            return None
        parts: list[str] = []
        for prefix, item in self.items:
            line = item._one_line()
            if line is None:
                return None
            parts.append(prefix + line)
        if self.operator:
            return f" {self.operator} ".join(parts)
        one_tuple = self.head == "(" and len(parts) == 1
        return self.head + ", ".join(parts) + ("," if one_tuple else "") + self.tail


def call(
    function: Code,
    args: Iterable[Code] = (),
    kwargs: Iterable[tuple[str, Code]] = (),
    *,
    exploded: bool = False,
) -> Code:
    """Return a call of a function, named by an atom."""
    items = (*(("", arg) for arg in args), *((f"{name}=", value) for name, value in kwargs))
    return Code(f"{function.head}(", items, ")", function.imports, exploded)


def sequence(brackets: str, items: Iterable[Code], *, exploded: bool = False) -> Code:
    """Return a list, tuple or set, by its two brackets."""
    return Code(brackets[0], tuple(("", item) for item in items), brackets[1], exploded=exploded)
