"""What a debug page must not show: secrets by their name, by their look, and however deep they are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import islice
from reprlib import Repr
from typing import Any

__all__ = ["HIDDEN", "hide_in_source", "hide_in_text", "is_secret_name", "show", "show_named", "show_pairs"]

HIDDEN = "[hidden]"
SECRET_WORDS = "|".join(
    (
        *("key", "token", "secret", "signature", "csrf", "session", "cookie", "dsn", "api"),
        *("password", "passwd", "passphrase", "pwd", "credential", "authorization"),
    )
)
SECRET_NAME = re.compile(SECRET_WORDS, re.IGNORECASE)
# `password='…'`, `"api_key": …`, `Authorization: Bearer …` inside a text such as the repr of a dataclass. Every repetition
# is bounded, so that the search is linear.
_NAMED = rf"""(?P<before>(?:{SECRET_WORDS})[\w.-]{{0,40}}['"]?\s{{0,3}}[=:]\s{{0,3}})(?:[a-zA-Z]{{1,2}}(?=['"]))?"""
_LITERAL = r"""'[^'\n]{1,4096}'?|"[^"\n]{1,4096}"?"""
_WORD = r"""(?:(?:Bearer|Basic|Token|Digest)\s)?[^\s,;)\]}'"&<>]{1,4096}"""
SECRET_PAIR = re.compile(f"{_NAMED}(?:{_LITERAL}|{_WORD})", re.IGNORECASE)
SECRET_LITERAL = re.compile(f"{_NAMED}(?:{_LITERAL})", re.IGNORECASE)
URL_PASSWORD = re.compile(
    r"(?P<before>[a-zA-Z][a-zA-Z0-9+.-]{0,30}://[^\s:/@'\"]{0,256}:)[^\s/@'\"]{1,1024}(?=@)"
)
MAX_TEXT = 2_000


def is_secret_name(name: str) -> bool:
    """Say whether a variable, field or setting of this name is likely to hold a secret."""
    return SECRET_NAME.search(name) is not None


def hide_in_text(text: str) -> str:
    """Return a text without the passwords of URLs and without the values of what is named like a secret."""
    return _hide(text, SECRET_PAIR)


def hide_in_source(line: str) -> str:
    """Return a line of code without the text literals that are given a secret's name; other code is no secret."""
    return _hide(line, SECRET_LITERAL)


def _hide(text: str, pattern: re.Pattern[str]) -> str:
    text = URL_PASSWORD.sub(_keep_before, text)
    return pattern.sub(_keep_before, text)


def _keep_before(match: re.Match[str]) -> str:
    return match["before"] + HIDDEN


def show_named(name: str, value: object) -> str:
    """Return the representation of a named value, or that it is hidden."""
    return HIDDEN if is_secret_name(name) else show(value)


def show(value: object) -> str:
    """Return a bounded representation without secrets; never raises because of a `__repr__`."""
    try:
        text = _repr.repr(value)
    except (Exception, SystemExit) as exc:  # whatever a __repr__ does, the page must come up
        return f"<{type(value).__name__} whose repr raised {type(exc).__name__}>"
    return hide_in_text(text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}… ({len(text)} characters)")


class _BoundedRepr(Repr):
    """Representation bounded in depth, items and length, which hides the values of secret keys in mappings."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 4
        self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdeque = self.maxarray = 20
        self.maxdict = 30
        self.maxstring = 500
        self.maxlong = 100
        self.maxother = MAX_TEXT

    def repr1(self, x: Any, level: int) -> str:  # Any: anything can be a local variable
        # Before the type's own repr: a subclass of dict, or headers, would show what dict would not.
        if isinstance(x, Mapping):
            return self._repr_mapping(x, level)  # pyright: ignore[reportUnknownArgumentType]
        if isinstance(x, bytes | bytearray):
            return hide_in_text(repr(bytes(x[: self.maxstring]))) + ("…" if len(x) > self.maxstring else "")
        return super().repr1(x, level)

    def repr_str(self, x: str, level: int) -> str:
        # Hidden before it is shortened: half a URL is no URL any more, but half a password is still half of one.
        return super().repr_str(hide_in_text(x[:MAX_TEXT]), level)

    def repr_instance(self, x: Any, level: int) -> str:  # Any: as above
        # The parent swallows the error and shows the object's address; ours says what went wrong.
        text = repr(x)
        return text if len(text) <= self.maxother else text[: self.maxother] + "…"

    def _repr_mapping(self, x: Mapping[Any, Any], level: int) -> str:  # Any: keys and values of any kind
        if level <= 0:
            return "{…}"
        pairs = (self._repr_pair(key, x[key], level - 1) for key in islice(x, self.maxdict))
        rest = ", …" if len(x) > self.maxdict else ""
        text = "{" + ", ".join(pairs) + rest + "}"
        return text if type(x) is dict else f"{type(x).__name__}({text})"

    def _repr_pair(self, key: object, value: object, level: int) -> str:
        hidden = isinstance(key, str | bytes) and is_secret_name(_as_text(key))
        return f"{self.repr1(key, level)}: {HIDDEN if hidden else self.repr1(value, level)}"


_repr = _BoundedRepr()


def _as_text(name: str | bytes) -> str:
    return name if isinstance(name, str) else name.decode("latin-1")


def show_pairs(pairs: Iterable[tuple[str, object]]) -> list[tuple[str, str]]:
    """Return names and bounded values, secrets hidden; text as it is, without quotes."""
    return [(name, _show_plain(name, value)) for name, value in pairs]


def _show_plain(name: str, value: object) -> str:
    if is_secret_name(name):
        return HIDDEN
    return hide_in_text(value[:MAX_TEXT]) if isinstance(value, str) else show(value)
