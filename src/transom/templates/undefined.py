"""Unknown names in templates: an error that says where, and what it may have meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, cast

import jinja2
from jinja2.utils import missing

from transom.templates.exceptions import UndefinedVariable, hint

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class LoudUndefined(jinja2.StrictUndefined):
    """Jinja's strict undefined; its error also carries the object and the name."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        """Return the message in this project's words, with close attribute names.

        Jinja builds every error of an undefined value from this property.
        """
        name, owner = self._undefined_name, self._undefined_obj
        if self._undefined_hint or not isinstance(name, str):
            return super()._undefined_message
        if owner is missing:
            return _UnknownName(name)
        kind = type(owner).__name__ if not isinstance(owner, LoudUndefined) else "undefined value"
        return f"{kind} object has no attribute or item {name!r}{hint(name, _iter_names(owner))}"

    def __aiter__(self) -> NoReturn:
        """Fail: Jinja's own is an empty iteration, even where `__iter__` is strict."""
        iter(self)
        raise AssertionError("a strict undefined value cannot be iterated over")


class _UnknownName(str):
    """Message for a variable; a string that still knows the name, since the context is known only to the engine."""

    __slots__ = ("name",)

    def __new__(cls, name: str) -> _UnknownName:
        message = super().__new__(cls, f"variable {name!r} is not defined")
        message.name = name
        return message


def describe_undefined(exc: jinja2.UndefinedError, known: Iterable[str]) -> UndefinedVariable:
    """Build the package's error from Jinja's, which must have passed Jinja's traceback rewriting.

    Args:
        exc: the error, with its traceback.
        known: names of the context and the globals.
    """
    filename, line, local_names = _locate(exc)
    message = exc.args[0] if exc.args else None
    if isinstance(message, _UnknownName):
        names = {*known, *local_names}
        message = f"{message}{hint(message.name, names)}; pass it in the context, or say `is defined` or `default(…)`"
    return UndefinedVariable(str(message or exc), filename=filename, line=line)


def _locate(exc: jinja2.UndefinedError) -> tuple[str | None, int | None, Iterable[str]]:
    """Return file, line and local names of the innermost template frame."""
    found: tuple[str | None, int | None, Iterable[str]] = (None, None, ())
    traceback = exc.__traceback__
    while traceback is not None:
        frame = traceback.tb_frame
        if (
            "__jinja_exception__" in frame.f_globals
        ):  # the mark of a frame that Jinja rewrote to the template's line
            found = (frame.f_code.co_filename, traceback.tb_lineno, tuple(frame.f_locals))
        traceback = traceback.tb_next
    return found


def _iter_names(owner: object) -> Iterable[str]:
    if isinstance(owner, dict):
        return [
            key for key in cast("Mapping[Any, Any]", owner) if isinstance(key, str)
        ]  # Any: keys are filtered here
    return [name for name in dir(owner) if not name.startswith("_")]
