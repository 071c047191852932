"""The active language, and texts in it.

The language is a context variable: each request has its own, and what it starts (tasks, groups) inherits it.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from gettext import NullTranslations
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

from transom.i18n.catalogs import Catalogs
from transom.web.templating import find_app_dirs
from transom.web.urls import current

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from transom.conf import Settings


class _Active(NamedTuple):
    language: str | None
    catalog: NullTranslations


SOURCE = _Active(None, NullTranslations())
_active: ContextVar[_Active] = ContextVar("transom.i18n.active", default=SOURCE)
_catalogs: WeakKeyDictionary[object, Catalogs] = WeakKeyDictionary()  # site -> its catalogs


def get_language() -> str | None:
    """Return the tag of the active language, or None where texts are as they stand in the source."""
    return _active.get().language


def activate(language: str | None) -> None:
    """Make a language active for the rest of this task, with the catalogs of the current site.

    Args:
        language: a tag such as `pt-BR`; None for the texts of the source. A language without a catalog is no error: its
            texts are those of the more general language, or the source's.

    Raises:
        ValueError: it is no language tag.
    """
    _active.set(_find(language))


@contextmanager
def override(language: str | None) -> Generator[None]:
    """Make a language active inside the `with` block; see `activate`."""
    token = _active.set(_find(language))
    try:
        yield
    finally:
        _active.reset(token)


def gettext(message: str) -> str:
    """Return the text in the active language, or as it is where no catalog has it."""
    # A catalog keeps facts about itself under the empty text.
    return _active.get().catalog.gettext(message) if message else ""


def ngettext(singular: str, plural: str, number: int) -> str:
    """Return the form of a text that fits a number, by the plural rule of the language; see `gettext`."""
    return _active.get().catalog.ngettext(singular, plural, number)


def pgettext(context: str, message: str) -> str:
    """Return the text for one of its meanings: `pgettext("month", "May")`; see `gettext`."""
    return _active.get().catalog.pgettext(context, message)


def npgettext(context: str, singular: str, plural: str, number: int) -> str:
    """Return the form for one of its meanings that fits a number; see `ngettext` and `pgettext`."""
    return _active.get().catalog.npgettext(context, singular, plural, number)


@dataclass(frozen=True, slots=True)
class LazyText:
    """A text that is translated when it is used: by `str()`, in templates, in f-strings.

    It is no `str`: where one is needed, as in JSON, say `str(text)`. Two are equal when their source texts are, whatever
    the language.
    """

    message: str

    def __str__(self) -> str:
        return gettext(self.message)

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __mod__(self, values: object) -> str:
        return str(self) % values

    def __add__(self, other: str) -> str:
        return str(self) + other

    def __radd__(self, other: str) -> str:
        return other + str(self)


def gettext_lazy(message: str) -> LazyText:
    """Return a text for the active language of its use: for labels and constants, made when a module is imported."""
    return LazyText(message)


def _find(language: str | None) -> _Active:
    return SOURCE if language is None else _Active(language, _site_catalogs().get(language))


def _site_catalogs() -> Catalogs:
    found = current.get(None)
    if found is None:
        return Catalogs(())
    catalogs = _catalogs.get(found.site)
    if catalogs is None:
        catalogs = _catalogs[found.site] = Catalogs(_find_locale_dirs(found.site.settings))
    return catalogs


def _find_locale_dirs(settings: Settings) -> tuple[Path, ...]:
    return (*settings.locale_dirs, *find_app_dirs(settings, "locale"))
