"""The translations of a site: gettext catalogs in its own folders and its apps'.

A folder holds `<locale>/LC_MESSAGES/messages.mo`, e.g. `locale/pt_BR/LC_MESSAGES/messages.mo`, as gettext's tools and Babel
write them. A catalog is read on the event loop, once: a millisecond at first use is cheaper than a thread hop at every use.
"""

from __future__ import annotations

from gettext import GNUTranslations, NullTranslations
from typing import TYPE_CHECKING

from transom.i18n.languages import iter_general, to_locale

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

DOMAIN = "messages"


class Catalogs:
    """The catalogs of some folders, by language; each is read when its language is first asked for.

    Args:
        dirs: folders such as `locale/`; where several translate a text, the first wins.
    """

    def __init__(self, dirs: Sequence[Path]) -> None:
        self.dirs = tuple(dirs)
        self._catalogs: dict[str, NullTranslations] = {}

    def get(self, language: str) -> NullTranslations:
        """Return the translations into a language; what they lack is looked up in the more general language, then left.

        Raises:
            ValueError: it is no language tag.
            OSError: a catalog is there and is malformed or cannot be read.
        """
        locale = to_locale(language)
        if locale not in self._catalogs:
            self._catalogs[locale] = _chain(self._read(language))
        return self._catalogs[locale]

    def _read(self, language: str) -> Iterator[GNUTranslations]:
        """Read every catalog for a language, those for the language itself before those for a more general one."""
        for tag in iter_general(language):
            for folder in self.dirs:
                path = folder / to_locale(tag) / "LC_MESSAGES" / f"{DOMAIN}.mo"
                if path.is_file():
                    with path.open("rb") as file:
                        yield GNUTranslations(file)


def _chain(catalogs: Iterable[NullTranslations]) -> NullTranslations:
    first, *rest = [*catalogs, NullTranslations()]
    for catalog in rest:
        first.add_fallback(catalog)
    return first
