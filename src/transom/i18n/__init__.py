"""Languages and time zones: texts and times as the visitor reads them."""

from transom.i18n import timezone
from transom.i18n.catalogs import Catalogs
from transom.i18n.languages import choose_language
from transom.i18n.middleware import LANGUAGE_COOKIE, locale
from transom.i18n.templates import translate_templates
from transom.i18n.translation import (
    LazyText,
    activate,
    get_language,
    gettext,
    gettext_lazy,
    ngettext,
    npgettext,
    override,
    pgettext,
)

__all__ = [
    "LANGUAGE_COOKIE",
    "Catalogs",
    "LazyText",
    "activate",
    "choose_language",
    "get_language",
    "gettext",
    "gettext_lazy",
    "locale",
    "ngettext",
    "npgettext",
    "override",
    "pgettext",
    "timezone",
    "translate_templates",
]
