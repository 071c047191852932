"""What can be wrong with a template.

TemplateError
    TemplateNotFound
    TemplateSyntaxError
    UndefinedVariable
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path


class TemplateError(Exception):
    """Base of this package's exceptions."""


class TemplateNotFound(TemplateError):
    """No template, or no block of a template, has this name.

    Attributes:
        name: what was asked for, with `#block` for a fragment.
        searched: the folders searched, in order.
    """

    def __init__(self, name: str, searched: Sequence[Path], known: Callable[[], Iterable[str]]) -> None:
        super().__init__(name)
        self.name = name
        self.searched = tuple(searched)
        self._known = known

    def __str__(self) -> str:
        """Describe the failure; the folders are listed only now, since a caller may merely try a name."""
        folders = ", ".join(map(str, self.searched)) or "no folder is configured: set template_dirs"
        return f"template {self.name!r} does not exist; searched: {folders}{hint(self.name, self._known())}"


class TemplateSyntaxError(TemplateError):
    """The source of a template cannot be compiled.

    Attributes:
        name: name of the template, None for one given as a string.
        filename: its file, None if it has none.
        line: number of the line, from 1.
    """

    def __init__(self, message: str, *, name: str | None, filename: str | None, line: int) -> None:
        super().__init__(f"{filename or name or 'template string'}, line {line}: {message}")
        self.name = name
        self.filename = filename
        self.line = line


class UndefinedVariable(TemplateError):
    """A template uses a variable, attribute or item that does not exist.

    Attributes:
        filename: file of the template, `<template>` for one given as a string, None if unknown.
        line: number of the line, from 1; None if unknown.
    """

    def __init__(self, message: str, *, filename: str | None, line: int | None) -> None:
        where = f"{filename}, line {line}: " if filename else ""
        super().__init__(where + message)
        self.filename = filename
        self.line = line


def hint(name: str, known: Iterable[str]) -> str:
    """Return a clause that names what resembles `name`, or nothing."""
    close = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
