"""Conditions, defaults and expressions in a database's own SQL, read as far as models can say the same."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NoReturn, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transom.db.backends.base import Vendor

NodeKind: TypeAlias = Literal[
    "column",
    "number",
    "text",
    "boolean",
    "null",
    "and",
    "or",
    "not",
    "compare",
    "in",
    "is",
    "arithmetic",
    "call",
]


class UnknownSQL(Exception):
    """The text has something in it that no model can say."""


@dataclass(frozen=True, slots=True)
class Token:
    """A word of SQL.

    Attributes:
        kind: `"word"`, `"name"` (quoted), `"text"`, `"number"` or `"sign"`.
        text: without quotation marks; words as they are written.
        start, end: where it stands.
    """

    kind: str
    text: str
    start: int
    end: int

    def is_word(self, *words: str) -> bool:
        """Whether it is one of these words, in any case of letters."""
        return self.kind == "word" and self.text.upper() in words

    def is_sign(self, *signs: str) -> bool:
        """Whether it is one of these signs."""
        return self.kind == "sign" and self.text in signs


@dataclass(frozen=True, slots=True)
class Node:
    """A part of an expression.

    Attributes:
        kind: what it is.
        text: name, constant, operator or name of a function; for `is` either `"NULL"` or `"NOT NULL"`.
        parts: what it is made of.
    """

    kind: NodeKind
    text: str = ""
    parts: tuple[Node, ...] = ()


_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*.*?\*/)
    |(?P<text>'(?:[^']|'')*')
    |(?P<name>"(?:[^"]|"")*"|`(?:[^`]|``)*`)
    |(?P<number>\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+)
    |(?P<word>[^\W\d]\w*)
    |(?P<sign>::|<>|!=|<=|>=|==|\|\||.)""",
    re.VERBOSE | re.DOTALL,
)
_IN_BRACKETS = re.compile(r"\[[^\]]*\]")
_WITH_BACKSLASHES = re.compile(r"(?P<text>'(?:[^'\\]|''|\\.)*')", re.DOTALL)  # MariaDB's
_BACKSLASH = re.compile(r"\\([\\'\"])|''")  # not \n and its like
_COMPARISONS = {"=": "=", "==": "=", "<>": "<>", "!=": "<>", "<": "<", ">": ">", "<=": "<=", ">=": ">="}
_TYPE_WORDS = ("VARYING", "PRECISION", "WITH", "WITHOUT", "TIME", "ZONE")


def iter_tokens(sql: str, vendor: Vendor) -> Iterator[Token]:
    """Yield the words of a text. Names in brackets are SQLite's."""
    at = 0
    while at < len(sql):
        bracketed = _IN_BRACKETS.match(sql, at) if vendor == "sqlite" else None
        escaped = _WITH_BACKSLASHES.match(sql, at) if vendor == "mysql" else None
        match = bracketed or escaped or _TOKEN.match(sql, at)
        if match is None:
            raise UnknownSQL(sql[at:])
        at, text = match.end(), match.group()
        kind = "name" if bracketed else str(match.lastgroup)
        if kind in ("text", "name"):
            text = _without_quotes(text, vendor)
        if kind != "space":
            yield Token(kind, text, match.start(), match.end())


def _without_quotes(text: str, vendor: Vendor) -> str:
    quote, inside = text[-1], text[1:-1]
    if vendor != "mysql" or quote != "'":
        return inside.replace(quote * 2, quote)
    if "\\" in _BACKSLASH.sub("", inside):
        raise UnknownSQL(text)
    return _BACKSLASH.sub(lambda match: match[1] or quote, inside)


def parse(sql: str, vendor: Vendor) -> Node:
    """Return what an expression is made of.

    Raises:
        UnknownSQL: there is something in it that has no place in a `Node`.
    """
    parser = _Parser(list(iter_tokens(sql, vendor)))
    node = parser.any_of()
    if parser.next is not None:
        parser.give_up()
    return node


class _Parser:
    """Reads by descent, from what binds loosest to what binds tightest."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def next(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def give_up(self) -> NoReturn:
        raise UnknownSQL(self.next.text if self.next else "the end")

    def take(self) -> Token:
        if self.next is None:
            self.give_up()
        self._at += 1
        return self._tokens[self._at - 1]

    def takes_word(self, *words: str) -> bool:
        """Whether the next words are these; if so, they are taken."""
        found = self._tokens[self._at : self._at + len(words)]
        same = len(found) == len(words) and all(
            token.is_word(word) for token, word in zip(found, words, strict=True)
        )
        self._at += len(words) if same else 0
        return same

    def takes_sign(self, *signs: str) -> str:
        """Return the next sign if it is one of these, and take it; else nothing."""
        if self.next is None or not self.next.is_sign(*signs):
            return ""
        return self.take().text

    def expect(self, sign: str) -> None:
        if not self.takes_sign(sign):
            self.give_up()

    def any_of(self) -> Node:
        parts = [self.all_of()]
        while self.takes_word("OR"):
            parts.append(self.all_of())
        return parts[0] if len(parts) == 1 else Node("or", parts=tuple(parts))

    def all_of(self) -> Node:
        parts = [self.negation()]
        while self.takes_word("AND"):
            parts.append(self.negation())
        return parts[0] if len(parts) == 1 else Node("and", parts=tuple(parts))

    def negation(self) -> Node:
        return Node("not", parts=(self.negation(),)) if self.takes_word("NOT") else self.comparison()

    def comparison(self) -> Node:
        left = self.sum()
        if sign := self.takes_sign(*_COMPARISONS):
            if self.takes_word("ANY"):
                return self.in_array(left, sign)
            return Node("compare", _COMPARISONS[sign], (left, self.sum()))
        if self.takes_word("IS", "NOT", "NULL"):
            return Node("is", "NOT NULL", (left,))
        if self.takes_word("IS", "NULL"):
            return Node("is", "NULL", (left,))
        if self.takes_word("BETWEEN"):
            least = self.sum()
            if not self.takes_word("AND"):
                self.give_up()
            ends = ((">=", least), ("<=", self.sum()))
            return Node("and", parts=tuple([Node("compare", sign, (left, end)) for sign, end in ends]))
        if self.takes_word("IN"):
            self.expect("(")
            return Node("in", parts=(left, *self.members(")")))
        return left

    def in_array(self, left: Node, sign: str) -> Node:
        """Return what PostgreSQL makes of IN: `= ANY (ARRAY[…])`, with casts around."""
        self.expect("(")
        nested = bool(self.takes_sign("("))
        if sign != "=" or not self.takes_word("ARRAY"):
            self.give_up()
        self.expect("[")
        members = self.members("]")
        if nested:
            self.pass_over_casts()
            self.expect(")")
        self.pass_over_casts()
        self.expect(")")
        return Node("in", parts=(left, *members))

    def members(self, closing: str) -> list[Node]:
        """Return what stands between commas, up to a bracket."""
        found = [self.sum()]
        while self.takes_sign(","):
            found.append(self.sum())
        self.expect(closing)
        return found

    def sum(self) -> Node:
        left = self.product()
        while sign := self.takes_sign("+", "-"):
            left = Node("arithmetic", sign, (left, self.product()))
        return left

    def product(self) -> Node:
        left = self.operand()
        while self.takes_sign("*"):
            left = Node("arithmetic", "*", (left, self.operand()))
        return left

    def operand(self) -> Node:
        node = self.bare_operand()
        self.pass_over_casts()
        return node

    def pass_over_casts(self) -> None:
        while self.takes_sign("::"):
            self.take()
            while self.next is not None and self.next.is_word(*_TYPE_WORDS):
                self.take()
            if self.takes_sign("("):
                self.members(")")
            if self.takes_sign("["):
                self.expect("]")

    def bare_operand(self) -> Node:
        token = self.take()
        if token.kind == "number" or token.kind == "text":
            return Node(token.kind, token.text)
        if token.is_sign("("):
            inside = self.any_of()
            self.expect(")")
            return inside
        if token.is_sign("-") and self.next is not None and self.next.kind == "number":
            return Node("number", f"-{self.take().text}")
        if token.kind == "name":
            return Node("column", token.text)
        if token.kind != "word":
            self.give_up()
        return self.word(token)

    def word(self, token: Token) -> Node:
        if self.takes_sign("("):
            return Node("call", token.text.lower(), () if self.takes_sign(")") else tuple(self.members(")")))
        if token.is_word("TRUE", "FALSE"):
            return Node("boolean", token.text.lower())
        if token.is_word("NULL"):
            return Node("null")
        if token.is_word("CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME"):
            return Node("call", token.text.lower())
        if self.next is not None and self.next.kind == "text":  # E'…', DATE '…', _utf8mb4'…'
            self.give_up()
        return Node("column", token.text)
